package load

import (
	"fmt"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// inferredGateways makes the internet gateways that active routes name and no file
// describes: that of a VPC without one of its own can be no other's, and there is
// nothing more to know of it. It is told as skipped.
func (l *restoring) inferredGateways() {
	has := map[string]bool{} // ids of gateways, and of VPCs that have one
	for _, g := range l.Internet {
		has[ec2.Value(g.shape.InternetGatewayId)] = true
		for _, a := range g.shape.Attachments {
			has[ec2.Value(a.VpcId)] = true
		}
	}
	for _, t := range l.Tables {
		for k, r := range t.shape.Routes {
			id, v := ec2.Value(r.GatewayId), ec2.Value(t.shape.VpcId)
			if len(id) < 4 || id[:4] != "igw-" || ec2.Value(r.State) != ec2.RouteStateActive || has[id] || has[v] {
				continue
			}
			has[id], has[v] = true, true
			shape := ec2.InternetGateway{InternetGatewayId: &id, OwnerId: t.shape.OwnerId, Attachments: []ec2.InternetGatewayAttachment{{
				State: new(ec2.AttachmentStatusAttached), VpcId: &v,
			}}}
			if _, err := vpc.Named[*vpc.VPC](l.tx, "VpcId", &v); err != nil {
				continue // the table's own trouble
			}
			path := fmt.Sprintf("%s.Routes[%d].GatewayId", t.path(), k)
			l.skip(t.file, path, id+" is in no file: taken for an internet gateway attached to "+v)
			_, err := igw.Restore(l.tx, shape)
			l.note(t.file, path, err)
		}
	}
}

// joinTunnels has VPN connections end at the instances that have their customer gateways'
// addresses, and tells what was inferred of them.
func (n *Network) joinTunnels() {
	for _, v := range vpn.Join(n.Regions...) {
		at := n.sources[v.ID()]
		n.Skipped = append(n.Skipped, Skip{File: at.File, Path: at.Path + ".VgwTelemetry", Reason: fmt.Sprintf(
			"no file holds what BGP announces over %s: taken to be the CIDRs of the VPC of its device, %s", v.ID(), v.Device().ID())})
	}
}
