package igw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// node is a compiled internet gateway. Its two sides are types over it.
type node struct {
	id      string
	out, in string // names of the sides
	static  *nat.Static
	own     *vpc.Addresses
	uplink  dataplane.Node
	edge    *vpc.Edge
	closed  *vpc.Addresses // IPv6 addresses of interfaces that deny it
	access  *vpc.PublicAccess
}

type (
	outbound node
	inbound  node
)

// Compile makes the gateway's sides: its VPC's routes lead to the outbound one, the
// internet to the inbound one.
func (g *InternetGateway) Compile(c *vpc.Compiler) {
	v := g.AttachedTo(c.Tx())
	if v == nil {
		return
	}
	label := c.LabelOf(g)
	n := &node{
		id: g.ID(), out: label + " outbound", in: label + " inbound", own: c.Addresses(v),
		uplink: c.Uplink(), edge: c.Edge(v, g, true), closed: c.Denied(v), access: c.PublicAccess(v),
	}
	advertise6(c, v, (*inbound)(n))
	var pairs []nat.Pair
	for _, x := range c.InterfacesOf(v) {
		for _, a := range c.AddressesOf(x) {
			if a.Public.IsValid() {
				public := wire.AddrFrom(a.Public)
				pairs = append(pairs, nat.Pair{Inside: wire.AddrFrom(a.IP), Outside: public})
				c.Advertise(public, (*inbound)(n))
			}
		}
	}
	static, err := nat.NewStatic(pairs)
	if err != nil {
		panic("igw: " + g.ID() + ": the region let two have one address: " + err.Error())
	}
	n.static = static
	c.Enter(g, v, vpc.Entry{Node: (*outbound)(n)})
}

// advertise6 has packets from the internet for the VPC's IPv6 CIDRs go to in.
func advertise6(c *vpc.Compiler, v *vpc.VPC, in dataplane.Node) {
	for _, p := range c.CIDRsOf(v) {
		if p.Addr().Is6() {
			c.AdvertiseRange(p, in)
		}
	}
}

// Name returns the gateway's name and "outbound".
func (o *outbound) Name() string { return o.out }

// Resource returns the gateway's id.
func (o *outbound) Resource() string { return o.id }

// Forward sends a packet out of the VPC: one hop less to live, a destination that
// the internet has, a source that the internet can answer. IPv6 goes untranslated.
//
// Measured: an internet gateway takes one from the TTL on the way out, to a public
// address of the same region. It has no address of its own, so a packet that dies
// here dies silently (inference).
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n, from := (*node)(o), c.From
	c.From = nil
	c.Fixed(o)
	c.Fits(MTU)
	if end := foreign(p.Flow.Dst, trace.PrivateDestination, trace.SharedDestination); end != trace.None {
		return dataplane.Drop(end)
	}
	if n.edge.PassesBy(p.Flow.Src, from) {
		return dataplane.Drop(trace.PastAppliance)
	}
	if !n.access.Out(p.Flow.Src) && !c.Lift(trace.PublicAccessBlocked) {
		return dataplane.Drop(trace.PublicAccessBlocked)
	}
	public, ok := n.static.Outside(p.Flow.Src)
	if !ok && (p.Is4() || !n.own.Has(p.Flow.Src)) {
		return dataplane.Drop(n.unanswerable(p))
	}
	if !p.Is4() && n.closed.Has(p.Flow.Src) && !c.Lift(trace.InternetDenied) {
		return dataplane.Drop(trace.InternetDenied)
	}
	if p.TTL() <= 1 {
		return dataplane.Drop(trace.TTLExpired)
	}
	if p.Len() > MTU {
		return oversize(c, p, o, n.edge)
	}
	p.DecTTL()
	if ok {
		before := p.Flow
		n.static.OutTo(p, public)
		if c.Tracing() {
			c.Step(p, trace.Translated).Before = before
		}
	}
	if n.uplink == nil {
		return dataplane.Drop(trace.NoSuchHost)
	}
	return dataplane.To(n.uplink)
}

// unanswerable says why the packet's source is none that the internet can answer.
func (n *node) unanswerable(p *wire.Packet) trace.Reason {
	if n.own.Has(p.Flow.Src) {
		return trace.NoPublicAddress
	}
	return trace.SpoofedSource
}

// Name returns the gateway's name and "inbound".
func (i *inbound) Name() string { return i.in }

// Resource returns the gateway's id.
func (i *inbound) Resource() string { return i.id }

// Forward takes a packet into the VPC: first public to private, then the gateway
// route table with the private destination (S001). IPv6 for a subnet that answers by
// an egress-only gateway comes in by that: such a subnet is closed to what begins
// outside, though the VPC has an internet gateway too (inference).
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(i)
	c.From, c.Entered = nil, dataplane.ByInternetGateway
	c.Fixed(i)
	if end := foreign(p.Flow.Src, trace.PrivateSource, trace.SharedSource); end != trace.None {
		return dataplane.Drop(end)
	}
	before := p.Flow
	switch {
	case !p.Is4():
		if !n.own.Has(p.Flow.Dst) {
			return dataplane.Drop(trace.NoPrivateAddress)
		}
		if n.closed.Has(p.Flow.Dst) && !c.Lift(trace.InternetDenied) {
			return dataplane.Drop(trace.InternetDenied)
		}
		if x, ok := n.edge.Exit(p.Flow.Dst, p.Flow.Src).(*egressOut); ok {
			return dataplane.To((*egressIn)(x))
		}
	case !n.static.Back(p):
		return dataplane.Drop(trace.NoPrivateAddress)
	default:
		if c.Tracing() {
			c.Step(p, trace.Translated).Before = before
		}
	}
	if !n.access.In(p.Flow.Dst, false) && !c.Lift(trace.PublicAccessBlocked) {
		n.edge.Refused(c, p, trace.PublicAccessBlocked)
		return dataplane.Drop(trace.PublicAccessBlocked)
	}
	return dataplane.To(n.edge.Entry())
}

// foreign returns private (RFC 1918) or shared (RFC 6598) for an IPv4 address that the
// internet does not route.
func foreign(a wire.Addr, private, shared trace.Reason) trace.Reason {
	if !a.Is4() {
		return trace.None
	}
	switch v := a.V4(); {
	case v>>24 == 10, v>>20 == 172<<4|1, v>>16 == 192<<8|168:
		return private
	case v>>22 == 100<<2|1:
		return shared
	}
	return trace.None
}
