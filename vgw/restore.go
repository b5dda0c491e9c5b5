package vgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a virtual private gateway as described, attached where it was. What it
// knows beyond it is told by the routes that it propagated ([VirtualPrivateGateway.Learn]).
// See the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.VpnGateway) (*VirtualPrivateGateway, error) {
	b, err := tx.RestoreBase("VpnGatewayId", s.VpnGatewayId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &VirtualPrivateGateway{Base: b}
	tx.Add(g)
	for _, a := range s.VpcAttachments {
		switch ec2.Value(a.State) {
		case ec2.AttachmentStatusDetached, ec2.AttachmentStatusDetaching:
			continue
		}
		v, err := vpc.Named[*vpc.VPC](tx, "VpcAttachments[0].VpcId", a.VpcId)
		if err != nil {
			return g, err
		}
		tx.Attach(v, g)
		break
	}
	return g, nil
}

// Learn adds a destination to the prefixes beyond the gateway, unless it is there.
func (g *VirtualPrivateGateway) Learn(_ *vpc.Tx, dst netip.Prefix) {
	if dst.IsValid() && !slices.Contains(g.learned, dst) {
		g.learned = append(g.learned, dst)
	}
}
