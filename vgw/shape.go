package vgw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's virtual private gateways (DescribeVpnGateways), in the
// order in which they were made.
func Describe(r *vpc.Region) *ec2.DescribeVpnGatewaysResult {
	list := []ec2.VpnGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*VirtualPrivateGateway](tx) {
			s := ec2.VpnGateway{
				VpnGatewayId: new(g.ID()), State: new(ec2.VpnStateAvailable), Type: new(ec2.GatewayTypeIpsec1),
				AmazonSideAsn: new(g.asn), VpcAttachments: []ec2.VpcAttachment{}, Tags: tx.TagShapes(g),
			}
			if v := g.AttachedTo(tx); v != nil {
				s.VpcAttachments = append(s.VpcAttachments, ec2.VpcAttachment{VpcId: new(v.ID()), State: new(ec2.AttachmentStatusAttached)})
			}
			list = append(list, s)
		}
	})
	return &ec2.DescribeVpnGatewaysResult{VpnGateways: list}
}
