package peering

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// side is one direction of a compiled connection: what enters it goes into the VPC
// at the other end. It leaves the TTL alone (measured: a lab's ping over a peering
// connection).
type side struct {
	id     string // the connection's
	name   string
	cidrs  []wire.Prefix // of the VPC that the packets go to
	inside dataplane.Node
}

// Compile makes a side for each end of an active connection.
func (p *Connection) Compile(c *vpc.Compiler) {
	if p.state != Active {
		return
	}
	for _, v := range []*vpc.VPC{p.requester, p.accepter} {
		to := p.other(v)
		s := &side{id: p.ID(), name: c.LabelOf(p) + " toward " + c.LabelOf(to), inside: c.Inside(to)}
		for _, cidr := range c.CIDRsOf(to) {
			s.cidrs = append(s.cidrs, wire.PrefixFrom(cidr))
		}
		c.Enter(p, v, vpc.Entry{Node: s})
	}
}

// Name returns the connection's name and where the side leads.
func (s *side) Name() string { return s.name }

// Resource returns the connection's id.
func (s *side) Resource() string { return s.id }

// Forward takes a packet into the other VPC. What is not addressed to it does not
// cross: there is no way through a VPC to a third, nor to its gateways (Peering
// guide, "VPC peering limitations"; Reachability Analyzer, PCX_REQUIRES_ADDRESS_IN_VPC_CIDR).
func (s *side) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Entered = dataplane.ByPeering
	for _, cidr := range s.cidrs {
		if cidr.Contains(p.Flow.Dst) {
			return dataplane.To(s.inside)
		}
	}
	return dataplane.Drop(trace.OutsidePeer)
}
