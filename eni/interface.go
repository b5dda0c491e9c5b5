package eni

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Interface is one compiled interface. Its fields are set before the first packet
// and not changed afterwards; Flows and Port alone live on from one compilation to
// the next.
type Interface struct {
	// ID is the interface's id; Label is how traces call it.
	ID, Label string
	// MAC is its Ethernet address.
	MAC wire.MAC
	// Addrs are its private IPv4 addresses, the primary first, and its IPv6 addresses.
	Addrs []wire.Addr
	// Prefixes are the prefixes assigned to it; their addresses are its own too.
	Prefixes []wire.Prefix
	// SourceDestCheck has it drop what is not its own (VPC guide, "NAT instances").
	SourceDestCheck bool
	// Transparent is the interface of a gateway that says itself whether references to
	// security groups hold for what it lets in: a transit gateway's.
	Transparent bool
	// Groups are the rules of its security groups; nil is an interface that has
	// none, such as a NAT gateway's, and filters nothing.
	Groups *filter.Groups
	// Literal is Groups without the rules that name a group, nil where there are none of
	// these. It is what packets are held against that an appliance sends on: references
	// to groups do not hold for them (VPC guide, "Middlebox routing"; Reachability
	// Analyzer, SG_REFERENCES_NOT_PRESERVED).
	Literal *filter.Groups
	// Named is the rules that name a group alone, nil where there are none of these. It is
	// asked where a load balancer that has groups sends a packet on with its client's
	// address: the rules that name the load balancer's groups hold for it (NLB guide,
	// "Security groups").
	Named *filter.Groups
	// GroupNames names the groups in traces, where no rule of theirs allows a packet;
	// GroupIDs are their ids. Both are separated by ", ".
	GroupNames, GroupIDs string
	// Flows are the flows that its groups let through. Nil where Groups is.
	Flows *filter.Tracker
	// Doubt is what nobody can tell of the interface; nil where all is known.
	Doubt *Doubt
	// Down is why nothing passes: trace.InstanceStopped, trace.NotAttached, and
	// trace.Unmodelled where nobody can tell whether the instance runs. trace.None where
	// the interface is up.
	Down trace.Reason
	// Owner is the gateway or service that the interface belongs to; packets for
	// the interface go there. Nil for an instance's, which has a Port.
	Owner dataplane.Node
	// Service says that the interface is a service's. Where neither an Owner nor a
	// guest stands for the service, what it does with a packet is unknown.
	Service bool
	// Port is where the guest is plugged in.
	Port *Port
	// Segment is the Ethernet of its subnet.
	Segment *Segment
	// Interceptors take answers that do not go by the subnet's route table; nil is the
	// rule.
	Interceptors []Interceptor
	// Tunnels take what the guest encrypts: packets that never show at the interface as
	// they were, so that no check and no group sees them; nil is the rule.
	Tunnels []Interceptor
	// Router is the side of the subnet's router that the interface sends to.
	Router dataplane.Node
	// Arrival is the side of the subnet's router that delivers to the interface.
	Arrival dataplane.Node
	// Witness is told of the interface's packets; nil is nobody.
	Witness Witness

	outName, inName, serviceName string
}

// Doubt is what no description tells of an interface: packets whose fate hangs on it end
// as trace.Unmodelled.
type Doubt struct {
	// Vague is rules of its groups of which nobody can tell whether they allow, nil where
	// there are none. A rule's Label says what is missing, its GroupID of what.
	Vague *filter.Groups
	// Missing says in words why nobody can tell whether the instance with the id Instance
	// runs; "" where one can.
	Instance, Missing string
}

// Interceptor takes packets that an interface sends past the subnet's route table: the
// answers of a load balancer's target to a client whose address the load balancer has
// preserved go back by the load balancer, whatever the routes say (NLB guide, "Client IP
// preservation").
type Interceptor interface {
	// Intercept returns the node that takes p, nil where p is no such answer. It does not
	// allocate.
	Intercept(c *dataplane.Context, p *wire.Packet) dataplane.Node
}

// Prepare names the sides, so that naming a node later formats nothing, and
// returns i. It is the last step of making an Interface.
func (i *Interface) Prepare() *Interface {
	const out, in = " out", " in"
	names := i.Label + out + i.Label + in + i.Label + " service" // in one piece of memory
	second := len(i.Label) + len(out)
	third := second + len(i.Label) + len(in)
	i.outName, i.inName, i.serviceName = names[:second], names[second:third], names[third:]
	return i
}

// Owns reports whether a is the interface's own: one of its addresses or in a
// prefix assigned to it. It does not allocate.
func (i *Interface) Owns(a wire.Addr) bool {
	return len(i.Addrs) > 0 && i.Addrs[0] == a || i.ownsToo(a)
}

// ownsToo is Owns for other addresses than the first.
func (i *Interface) ownsToo(a wire.Addr) bool {
	for _, own := range i.Addrs {
		if own == a {
			return true
		}
	}
	for _, p := range i.Prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// The two sides are types over the same struct: a node each, with no question of
// direction inside, and nothing to allocate.
type (
	out     Interface
	in      Interface
	service Interface
)

// Out returns the side that the guest sends into.
func (i *Interface) Out() dataplane.Node {
	if i.Witness != nil {
		return (*watchedOut)(i)
	}
	return (*out)(i)
}

// In returns the side that the subnet delivers to.
func (i *Interface) In() dataplane.Node {
	if i.Witness != nil {
		return (*watchedIn)(i)
	}
	return (*in)(i)
}

// FromService returns the side through which the platform's services answer the
// guest: no group, no check.
func (i *Interface) FromService() dataplane.Node { return (*service)(i) }

// Name returns the interface's name and "out".
func (o *out) Name() string { return o.outName }

// Forward takes what the guest sends: is the interface up, is the source its own,
// is it for the platform, do the groups let it out (order: Reachability Analyzer,
// "Additional details": own address, security group, ACL, route table).
func (o *out) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	i := (*Interface)(o)
	if i.Down != trace.None && !i.mayRun(c, p) {
		return dataplane.Drop(i.Down)
	}
	for _, x := range i.Tunnels {
		if n := x.Intercept(c, p); n != nil {
			return dataplane.To(n)
		}
	}
	own := i.Owns(p.Flow.Src)
	if c.Tracing() {
		i.noteCheck(c, p, own, &sourceSide)
	}
	if !own && i.SourceDestCheck && !c.Lift(trace.SourceCheck) {
		return dataplane.Drop(trace.SourceCheck)
	}
	if !i.Transparent {
		c.Relayed, c.Unreferenced = !own && !i.SourceDestCheck, false
	}
	if s := i.Segment.services.Lookup(p.Flow.Dst); s != nil {
		return s.Serve(c, i, p)
	}
	if i.Port.impaired(c, p, true) {
		return dataplane.Drop(trace.Lost)
	}
	end, known := i.filter(c, p, filter.Egress)
	if end != trace.None {
		return dataplane.Drop(end)
	}
	for _, x := range i.Interceptors {
		if n := x.Intercept(c, p); n != nil {
			return dataplane.To(n)
		}
	}
	if known && i.Port.sound() && len(i.Tunnels)+len(i.Interceptors) == 0 {
		c.Fixed(o)
	}
	return dataplane.To(i.Router)
}

// Find finds what is known of a flow with the flow that the groups know: see
// dataplane.Indexed.
func (o *out) Find(e *dataplane.Engine, f *wire.Flow, flags wire.TCPFlags, now time.Duration) (number uint32, memo *flowtable.Memo, ok bool) {
	if o.Groups == nil || o.Port == nil || o.Port.engine != e {
		return 0, nil, false
	}
	number, memo = o.Flows.Find(f, flags, now)
	return number, memo, true
}

// Ahead loads the flow that Find will look at.
func (o *out) Ahead(f *wire.Flow) uint64 {
	if o.Groups == nil {
		return 0
	}
	return o.Flows.Ahead(f)
}

// mayRun reports whether a packet goes on past an interface that is down, since nobody can
// tell whether it is.
func (i *Interface) mayRun(c *dataplane.Context, p *wire.Packet) bool {
	return i.Down == trace.Unmodelled && c.Untold(p, i.Doubt.Instance, i.Doubt.Missing)
}

// Resource returns the interface's id.
func (o *out) Resource() string { return o.ID }

// Sender returns the interface's name: a packet that begins here is its guest's.
func (o *out) Sender() string { return o.Label }

// Track remembers the flow of a packet that went out untracked.
func (o *out) Track(p *wire.Packet, now time.Duration) bool {
	return o.Flows.Admit(filter.Egress, p, now)
}

// Name returns the interface's name and "in".
func (n *in) Name() string { return n.inName }

// Resource returns the interface's id.
func (n *in) Resource() string { return n.ID }

// Forward takes what the subnet delivers: is the interface up, do the groups let
// it in, is the destination its own; then it is the guest's.
func (n *in) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	i := (*Interface)(n)
	if i.Down != trace.None && !i.mayRun(c, p) {
		return dataplane.Drop(i.Down)
	}
	if i.Port.impaired(c, p, false) {
		return dataplane.Drop(trace.Lost)
	}
	end, known := i.filter(c, p, filter.Ingress)
	if end != trace.None {
		return dataplane.Drop(end)
	}
	if known && i.Port.sound() {
		c.Fixed(n)
	}
	if i.SourceDestCheck || c.Tracing() {
		own := i.Owns(p.Flow.Dst)
		if c.Tracing() {
			i.noteCheck(c, p, own, &destinationSide)
		}
		if !own && i.SourceDestCheck && !c.Lift(trace.DestinationCheck) {
			return dataplane.Drop(trace.DestinationCheck)
		}
	}
	if i.Owner != nil {
		return dataplane.To(i.Owner)
	}
	return i.hand(c)
}

// hand gives the packet to whoever is behind the interface.
func (i *Interface) hand(c *dataplane.Context) dataplane.Next {
	switch {
	case i.Owner != nil:
		return dataplane.To(i.Owner)
	case i.Port == nil || !i.Port.Plugged():
		if i.Service {
			return dataplane.Drop(trace.Unmodelled)
		}
		return dataplane.Drop(trace.NotAttached)
	}
	return c.Deliver(i.Port)
}

// Name returns the interface's name and "service".
func (s *service) Name() string { return s.serviceName }

// Resource returns the interface's id.
func (s *service) Resource() string { return s.ID }

// Forward hands a service's answer to the guest.
func (s *service) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	return (*Interface)(s).hand(c)
}

// The sides of a packet that source/dest check looks at, in traces.
var sourceSide, destinationSide = trace.Label{Name: "source"}, trace.Label{Name: "destination"}

// noteCheck keeps the step of source/dest check: own says whether the address that it
// looked at, the packet's source or destination, is the interface's.
func (i *Interface) noteCheck(c *dataplane.Context, p *wire.Packet, own bool, side *trace.Label) {
	act := trace.Checked
	switch {
	case !own && i.SourceDestCheck:
		act = trace.NotOwn
	case !own:
		act = trace.CheckOff
	}
	c.Step(p, act).Object = side
}

// filter asks the security groups in one direction: known flows pass, new ones
// need a rule and are remembered unless AWS would not track them. Where there are no
// groups all flows are known.
//
// Which flows AWS always tracks depends on their way, which an interface can't see
// ahead: on the way in the nodes passed have said so ([dataplane.Context.Tracked]);
// on the way out the interface leaves word, and such a node has it track after all.
func (i *Interface) filter(c *dataplane.Context, p *wire.Packet, d filter.Direction) (end trace.Reason, known bool) {
	if i.Groups == nil {
		return trace.None, true
	}
	if i.Flows.Knows(d, p, c.Now) {
		if c.Tracing() {
			c.Step(p, trace.Tracked)
		}
		if !c.Recording() {
			return trace.None, true
		}
		number, ok := i.Flows.Place(d, &p.Flow)
		c.Keep(p, i.Flows, number)
		return trace.None, ok
	}
	return i.judge(c, p, d), false
}

// judge has the rules decide on a packet of no known flow.
func (i *Interface) judge(c *dataplane.Context, p *wire.Packet, d filter.Direction) trace.Reason {
	m, ok := i.ask(c, d, p)
	if !ok {
		if end := i.unallowed(c, p, d); end != trace.None {
			return end
		}
		i.Flows.Admit(d, p, c.Now) // as behind a rule for just this flow, which would be tracked
		return trace.None
	}
	if c.Tracing() {
		r := m.Rule
		c.Note(p, trace.Step{Act: trace.Allowed, Object: r.Group, ObjectID: r.GroupID, Rule: r.Label, MatchID: r.ID})
	}
	switch {
	case !m.Untracked || c.Tracked():
		if !i.Flows.Admit(d, p, c.Now) {
			return trace.TrackingFull
		}
	case d == filter.Egress:
		c.Untracked((*out)(i))
	}
	return trace.None
}

func (i *Interface) ask(c *dataplane.Context, d filter.Direction, p *wire.Packet) (filter.Match, bool) {
	switch {
	case d == filter.Egress:
		return i.Groups.Egress(p)
	case (c.Relayed || c.Unreferenced) && i.Literal != nil:
		m, ok := i.Literal.Ingress(p)
		if !ok && c.Via.IsValid() && i.Named != nil {
			return i.namedBy(c, p)
		}
		return m, ok
	}
	return i.Groups.Ingress(p)
}

// namedBy asks the rules that name groups, in the name of the load balancer that has
// sent the packet on.
func (i *Interface) namedBy(c *dataplane.Context, p *wire.Packet) (filter.Match, bool) {
	client := p.Flow.Src
	p.Flow.Src = c.Via
	m, ok := i.Named.Ingress(p)
	p.Flow.Src = client
	return m, ok
}

// unallowed says why a packet ends that no rule allows, and trace.None where it goes on
// all the same.
func (i *Interface) unallowed(c *dataplane.Context, p *wire.Packet, d filter.Direction) trace.Reason {
	if i.Doubt != nil && i.Doubt.Vague != nil {
		m, ok := i.Doubt.Vague.Ingress(p)
		if d == filter.Egress {
			m, ok = i.Doubt.Vague.Egress(p)
		}
		if ok {
			if c.Untold(p, m.Rule.GroupID, m.Rule.Label) {
				return trace.None
			}
			return trace.Unmodelled
		}
	}
	if end := i.noRule(c, p, d); !c.Lift(end) {
		return end
	}
	return trace.None
}

func (i *Interface) noRule(c *dataplane.Context, p *wire.Packet, d filter.Direction) trace.Reason {
	end, which := trace.GroupIngress, "ingress"
	if d == filter.Egress {
		end, which = trace.GroupEgress, "egress"
	} else if c.Relayed || c.Unreferenced {
		if _, ok := i.Groups.Ingress(p); ok {
			end = trace.GroupReference
			if !c.Relayed {
				end = trace.TransitReference
			}
		}
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.NoRule, Object: i.GroupNames, ObjectID: i.GroupIDs, Rule: which})
	}
	return end
}
