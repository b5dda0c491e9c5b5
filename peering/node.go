package peering

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// MTU is the largest packet that a connection between regions carries, in bytes; one
// within a region carries what the VPC does (EC2 guide, "Network MTU").
const MTU = 8500

// side is one direction of a compiled connection: what enters it goes into the VPC
// at the other end. It leaves the TTL alone (measured: a lab's ping over a peering
// connection).
type side struct {
	id     string // the connection's
	name   string
	cidrs  []wire.Prefix // of the VPC that the packets go to
	inside dataplane.Node
}

// border is where packets leave for the other region, whose present snapshot is asked
// for the side there.
type border struct {
	id, name string
	key      string // of the side at the other end
	abroad   func(id string) dataplane.Node
	latency  time.Duration
}

// Compile makes what an active connection has in this region: a side for each VPC
// here, and a border where the other end is elsewhere.
func (p *Connection) Compile(c *vpc.Compiler) {
	if p.state() != Active {
		return
	}
	for _, e := range []*end{&p.requester, &p.accepter} {
		if e.vpc == nil || e.vpc.Region() != p.Region() {
			continue
		}
		to := p.other(e.vpc)
		if to.vpc != nil && to.vpc.Region() == p.Region() {
			s := p.toward(c, to.vpc)
			c.Enter(p, e.vpc, vpc.Entry{Node: s})
			p.returns(c, e.vpc, to.vpc, s)
			continue
		}
		c.Enter(p, e.vpc, vpc.Entry{Node: &border{
			id: p.ID(), name: c.LabelOf(p) + " toward " + to.id, key: key(p, to.id), abroad: c.Abroad(), latency: c.Latency().CrossRegion,
		}})
		c.EnterFromAbroad(key(p, e.id), p.toward(c, e.vpc))
	}
}

// returns gives answers to the NAT gateways of the other VPC their way back. What no NAT
// gateway knows of dies there, so that it need not be remembered what they sent.
func (p *Connection) returns(c *vpc.Compiler, v, other *vpc.VPC, s *side) {
	for _, n := range c.InterfacesOf(other) {
		if n.Type() != vpc.InterfaceNATGateway {
			continue
		}
		for _, a := range c.AddressesOf(n) {
			c.AnswerBy(v, wire.AddrFrom(a.IP), s)
		}
	}
}

// key is by what the ends know the side that leads into a VPC.
func key(p *Connection, v string) string { return p.ID() + " " + v }

func (p *Connection) toward(c *vpc.Compiler, v *vpc.VPC) *side {
	s := &side{id: p.ID(), name: c.LabelOf(p) + " toward " + c.LabelOf(v), inside: c.Inside(v)}
	for _, cidr := range c.CIDRsOf(v) {
		s.cidrs = append(s.cidrs, wire.PrefixFrom(cidr))
	}
	return s
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

// Name returns the connection's name and where the border leads.
func (b *border) Name() string { return b.name }

// Resource returns the connection's id.
func (b *border) Resource() string { return b.id }

// Forward hands a packet to the other region. What is over the MTU is dropped; that no
// error goes back is an inference. An end that the engine knows no region of is not
// modelled.
func (b *border) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	if p.Len() > MTU {
		return dataplane.Drop(trace.TooBig)
	}
	to := b.abroad(b.key)
	if to == nil {
		return dataplane.Drop(trace.Unmodelled)
	}
	c.Latency += b.latency
	return dataplane.To(to)
}
