package cagw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// flows are what the VPC has begun, by private address.
const flows vpc.StateKey[filter.Tracker] = "carrier flows"

// node is a compiled carrier gateway.
type node struct {
	id, name string
	in       string // name of the inbound side
	static   *nat.Static
	flows    *filter.Tracker
	carrier  []wire.Prefix
	network  dataplane.Node
	uplink   dataplane.Node
	inside   dataplane.Node
}

type (
	outbound node
	inbound  node
)

// Compile makes the gateway's sides.
func (g *CarrierGateway) Compile(c *vpc.Compiler) {
	n := &node{id: g.ID(), name: c.LabelOf(g), in: c.LabelOf(g) + " inbound", network: g.network, uplink: c.Uplink(), inside: c.Inside(g.vpc)}
	n.flows = vpc.State(c, g.ID(), flows, func() *filter.Tracker {
		return filter.NewTracker(filter.TrackerConfig{Seed: c.Seed(g.ID())})
	})
	var pairs []nat.Pair
	taken := map[wire.Addr]bool{} // descriptions may tell of one address twice: it is the first's
	for _, nic := range c.InterfacesOf(g.vpc) {
		for _, a := range c.AddressesOf(nic) {
			outside := wire.AddrFrom(a.Carrier)
			if !a.Carrier.IsValid() || taken[outside] {
				continue
			}
			taken[outside] = true
			pairs = append(pairs, nat.Pair{Inside: wire.AddrFrom(a.IP), Outside: outside})
			c.Advertise(outside, (*inbound)(n))
		}
	}
	static, err := nat.NewStatic(pairs)
	if err != nil {
		panic("cagw: " + g.ID() + ": two have one address: " + err.Error())
	}
	n.static = static
	for _, p := range g.beyond {
		n.carrier = append(n.carrier, wire.PrefixFrom(p))
	}
	c.Enter(g, g.vpc, vpc.Entry{Node: (*outbound)(n)})
	c.EnterFromOutside(g, (*inbound)(n))
}

// Name returns the gateway's name.
func (o *outbound) Name() string { return o.name }

// Resource returns the gateway's id.
func (o *outbound) Resource() string { return o.id }

// ofCarrier reports whether an address is one of the carrier's network.
func (n *node) ofCarrier(a wire.Addr) bool {
	for _, p := range n.carrier {
		if p.Contains(a) {
			return n.network != nil
		}
	}
	return false
}

// Forward sends a packet out with its carrier IP address, and remembers the flow; one
// hop less to live, as by an internet gateway (inference).
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(o)
	c.From = nil
	if !p.Is4() {
		return dataplane.Drop(trace.NoFamily)
	}
	outside, ok := n.static.Outside(p.Flow.Src)
	switch {
	case !ok:
		return dataplane.Drop(trace.NoPublicAddress)
	case !n.flows.Knows(filter.Egress, p, c.Now) && !n.flows.Admit(filter.Egress, p, c.Now):
		return dataplane.Drop(trace.TrackingFull)
	case !p.DecTTL():
		return dataplane.Drop(trace.TTLExpired)
	}
	before := p.Flow
	n.static.OutTo(p, outside)
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Translated, Before: before})
	}
	switch {
	case n.ofCarrier(p.Flow.Dst):
		return dataplane.To(n.network)
	case n.uplink == nil:
		return dataplane.Drop(trace.NoSuchHost)
	}
	return dataplane.To(n.uplink)
}

// Name returns the gateway's name and "inbound".
func (i *inbound) Name() string { return i.in }

// Resource returns the gateway's id.
func (i *inbound) Resource() string { return i.id }

// Takes reports whether dst is one of the gateway's carrier IP addresses, which the
// carrier's network knows the way to.
func (i *inbound) Takes(dst wire.Addr) bool {
	_, ok := i.static.Inside(dst)
	return ok
}

// Forward takes a packet for a carrier IP address into the VPC: of the carrier's network
// any, of the internet what answers (VPC guide, "Carrier gateways").
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(i)
	c.From, c.Entered = nil, dataplane.ByInternetGateway
	before := p.Flow
	if !p.Is4() || !n.static.Back(p) {
		return dataplane.Drop(trace.NoPrivateAddress)
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Translated, Before: before})
	}
	if !n.ofCarrier(p.Flow.Src) && !n.flows.Knows(filter.Ingress, p, c.Now) {
		return dataplane.Drop(trace.EgressOnly)
	}
	return dataplane.To(n.inside)
}
