package igw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// flows is the live state of an egress-only gateway.
const flows vpc.StateKey[filter.Tracker] = "flows"

// egress is a compiled egress-only gateway. Its two sides are types over it. It
// follows flows as an interface's groups do: AWS states that the gateway is
// stateful, and no timeouts of its own.
type egress struct {
	id      string
	out, in string // names of the sides
	flows   *filter.Tracker
	own     *vpc.Addresses
	uplink  dataplane.Node
	edge    *vpc.Edge
	access  *vpc.PublicAccess
}

type (
	egressOut egress
	egressIn  egress
)

// Compile makes the gateway's sides.
func (g *EgressOnlyInternetGateway) Compile(c *vpc.Compiler) {
	label := c.LabelOf(g)
	e := &egress{
		id: g.ID(), out: label + " outbound", in: label + " inbound", own: c.Addresses(g.vpc),
		uplink: c.Uplink(), edge: c.Edge(g.vpc, g, true), access: c.PublicAccess(g.vpc),
	}
	e.flows = vpc.State(c, g.ID(), flows, func() *filter.Tracker {
		return filter.NewTracker(filter.TrackerConfig{Seed: c.Seed(g.ID())})
	})
	if c.Attached(g.vpc, "igw") == nil { // else that takes what comes in, and knows whose it is
		advertise6(c, g.vpc, (*egressIn)(e))
	}
	c.Enter(g, g.vpc, vpc.Entry{Node: (*egressOut)(e)})
}

// Name returns the gateway's name and "outbound".
func (o *egressOut) Name() string { return o.out }

// Resource returns the gateway's id.
func (o *egressOut) Resource() string { return o.id }

// Forward lets IPv6 of the VPC's own interfaces out and remembers the flow; one hop
// less to live, as by an internet gateway (inference).
func (o *egressOut) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	e := (*egress)(o)
	c.From = nil
	switch {
	case p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case !e.own.Has(p.Flow.Src):
		return dataplane.Drop(trace.SpoofedSource)
	case !e.access.Out(p.Flow.Src) && !c.Lift(trace.PublicAccessBlocked):
		return dataplane.Drop(trace.PublicAccessBlocked)
	case p.Len() > MTU:
		return oversize(c, p, o, e.edge)
	case !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	case !e.flows.Knows(filter.Egress, p, c.Now) && !e.flows.Admit(filter.Egress, p, c.Now):
		return dataplane.Drop(trace.TrackingFull)
	case !p.DecTTL():
		return dataplane.Drop(trace.TTLExpired)
	case e.uplink == nil:
		return dataplane.Drop(trace.NoSuchHost)
	}
	return dataplane.To(e.uplink)
}

// Name returns the gateway's name and "inbound".
func (i *egressIn) Name() string { return i.in }

// Resource returns the gateway's id.
func (i *egressIn) Resource() string { return i.id }

// Forward lets in what answers.
func (i *egressIn) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	e := (*egress)(i)
	c.From = nil
	if !e.own.Has(p.Flow.Dst) {
		return dataplane.Drop(trace.NoPrivateAddress)
	}
	if !e.access.In(p.Flow.Dst, true) && !c.Lift(trace.PublicAccessBlocked) {
		return dataplane.Drop(trace.PublicAccessBlocked)
	}
	if !e.flows.Knows(filter.Ingress, p, c.Now) {
		return dataplane.Drop(trace.EgressOnly)
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Tracked})
	}
	return dataplane.To(e.edge.Entry())
}
