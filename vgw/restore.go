package vgw

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
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
	g := &VirtualPrivateGateway{Base: b, asn: cmp.Or(ec2.Value(s.AmazonSideAsn), DefaultASN)}
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

// LearnedAside returns the prefixes that descriptions tell of no link.
func (g *VirtualPrivateGateway) LearnedAside(*vpc.Tx) []netip.Prefix {
	if g.site != nil {
		return nil
	}
	return slices.Clone(g.learned)
}

// Learn adds a destination to the prefixes beyond the gateway, unless it is there. Where
// one link alone may have told of it, such as one that is up beside others that are not,
// that link learns it.
func (g *VirtualPrivateGateway) Learn(tx *vpc.Tx, dst netip.Prefix) {
	if slices.ContainsFunc(remote.Routes(tx, g.links), func(r remote.Route) bool { return r.Prefix == dst }) {
		return
	}
	var may []remote.Learner
	for _, l := range g.links {
		if x, ok := l.(remote.Learner); ok && x.Learns(tx) {
			may = append(may, x)
		}
	}
	if len(may) == 1 {
		may[0].Learn(tx, dst)
		return
	}
	if dst.IsValid() && !slices.Contains(g.learned, dst) {
		g.learned = append(g.learned, dst)
	}
}

// RestoreUntold says why nobody can tell the gateway's VPN connections: packets for a
// prefix that none of those that are known has end as trace.Unmodelled.
func (g *VirtualPrivateGateway) RestoreUntold(_ *vpc.Tx, missing string) { g.missing = missing }
