// Package dataplane carries packets from node to node: one loop, one goroutine,
// one word from every node, until the packet is delivered or has died of a
// [trace.Reason]. It knows neither AWS nor any node by name.
//
// A walk takes no simulated time by itself. Nodes add latency to the [Context];
// a delivery to a guest is an event on the clock after that latency. So the heap
// sees one event a delivered packet, not one a hop.
package dataplane

import (
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Node is one place that a packet passes: an interface's side, a subnet's router,
// a gateway's side.
type Node interface {
	// Name is how traces call the node. It is constant and formats nothing. A node
	// where packets begin may be a Sender too, and say whose they are.
	Name() string
	// Forward may rewrite p and says where p goes next. p is the node's until it
	// returns. Forward formats nothing unless c.Tracing, and does not allocate for
	// a packet of a known flow.
	Forward(c *Context, p *wire.Packet) Next
}

// Sender is a Node whose packets are somebody's: an interface's side that a guest
// sends into. Traces call the packet's sender so; without it they say the node's name.
type Sender interface {
	// Sender returns the sender's name. It is constant and formats nothing.
	Sender() string
}

// Part is a Node that is a part of a resource: traces tell the resource's id beside
// the node's name.
type Part interface {
	// Resource returns the resource's id, such as "igw-…". It is constant and formats
	// nothing.
	Resource() string
}

// Next is a node's word on a packet: [To] another node, [Drop], or what
// [Context.Deliver] returns. The zero Next is no word, and the engine panics on it
// with the node's name.
type Next struct {
	node Node
	end  trace.Reason
}

// To sends the packet on to n.
func To(n Node) Next { return Next{node: n} }

// Drop ends the walk for the reason r, which is not trace.Delivered: only
// [Context.Deliver] delivers. trace.Answered is no drop: the node took the packet.
func Drop(r trace.Reason) Next { return Next{end: r} }

// Node returns the node that the packet goes to, nil where the walk ends.
func (n Next) Node() Node { return n.node }

// End returns why the walk ends, [trace.None] where it does not.
func (n Next) End() trace.Reason { return n.end }

// Guest takes delivered packets: an operating system behind an interface, a host
// on the internet.
type Guest interface {
	// Receive takes the packet and says what became of it. p and its bytes are the
	// guest's until it returns. It may send packets, and run the clock.
	Receive(p *wire.Packet) trace.Reason
}

// Origin says where a packet last left a subnet. Gateways that depend on it
// (transit gateways by zone, NAT gateways by VPC) ask; nil is from outside.
type Origin struct {
	VPC, Subnet, Zone string
}

// Entrance says how a packet came into the VPC that it is in. The zero Entrance is
// by an interface of the VPC.
type Entrance uint8

// The entrances that somebody asks for: a NAT gateway serves the first and transit
// gateways' packets, and refuses the others (VPC guide, "NAT gateway basics").
const (
	ByInterface Entrance = iota
	ByInternetGateway
	ByPrivateGateway
	ByPeering
	ByTransitGateway
)

// Tracker remembers the flow of a packet that it has let through, whatever its rules
// say of tracking: an interface's connection tracking. See [Context.Track].
type Tracker interface {
	// Track begins to track p's flow; false says that there is no room for it.
	Track(p *wire.Packet, now time.Duration) bool
}

// Context is a walk's surroundings, handed to every node. It is a node's until
// Forward returns.
type Context struct {
	// Now is the instant at which the packet was sent.
	Now time.Duration
	// From is where the packet last left a subnet, nil before that and from outside.
	From *Origin
	// Entered is how the packet came into the VPC that it is in.
	Entered Entrance
	// Relayed says that the interface that sent the packet does not have its source: an
	// appliance sends it on, untranslated.
	Relayed bool
	// Unreferenced says that the packet came by a transit gateway that does not support
	// references to security groups between the attachments.
	Unreferenced bool
	// Via is the private address of the load balancer that sent the packet on with its
	// client's address, in whose name rules are asked that name groups; the zero Addr
	// where none has.
	Via wire.Addr
	// Behind is what the packet has come by that is told from elsewhere by nothing in it:
	// the endpoint of a service, on its way to a load balancer's interface; the way out of
	// an endpoint, behind an appliance, which is in a loop where it comes back. Else nil.
	Behind Node
	// Link is the interface that an Ethernet frame was addressed to, nil where it
	// was the router: neighbours talk directly. The first router takes it away.
	Link Node
	// Latency is what delivery will take; nodes add to it, and never subtract.
	Latency time.Duration

	engine    *Engine
	flight    *flight
	walk      *trace.Walk
	node      Node
	guest     Guest
	untracked Tracker
	tracked   bool
	noted     int // how many steps the walk had when the node began

	// See flowcache.go.
	outset    bool // what is known of a flow may begin at the node
	recording bool // what the node says of itself is kept
	fixed     bool // the node said that it is
	varies    bool // though it did something that is to be done for each packet
}

// Tracing reports whether steps are kept: build one only if they are.
func (c *Context) Tracing() bool { return c.walk != nil }

// Note keeps a step. Time, node, flow and TTL are filled in from p. It does not
// allocate but where the walk's steps grow.
func (c *Context) Note(p *wire.Packet, s trace.Step) {
	if c.walk != nil {
		m := c.walk.Note(c.node, &s)
		m.Act, m.TTL, m.Flow = s.Act, p.TTL(), p.Flow
	}
}

// Step keeps a step as Note does and returns its mark, for the other fields to be filled
// in at once. It must not be called unless Tracing. It is for the nodes that every
// packet passes, and moves no text.
func (c *Context) Step(p *wire.Packet, a trace.Act) *trace.Mark {
	m := c.walk.Mark(c.node)
	m.Act, m.TTL = a, p.TTL()
	m.Flow = p.Flow // alone: beside others it would be copied twice
	return m
}

// Emit sends a packet of the platform's own, such as an ICMP error, from node at.
// It walks after the present packet, and takes as long as that has taken so far
// and its own way. The bytes are copied. It does not allocate in the long run.
func (c *Context) Emit(at Node, ip []byte) {
	c.varies = true
	c.engine.emit(at, ip)
}

// Deliver hands the walking packet to a guest when its walk has ended, after its
// latency. The node returns what Deliver returns.
func (c *Context) Deliver(g Guest) Next {
	c.guest = g
	return Next{end: trace.Delivered}
}

// Untracked leaves word that t let the packet through without tracking its flow,
// for a node on the way that knows better.
func (c *Context) Untracked(t Tracker) { c.untracked = t }

// Track says that flows by this node are always tracked, whatever the rules: those
// by NAT gateways, Network Load Balancers, egress-only internet gateways and others
// (EC2 guide, "Security group connection tracking"). The interface that the packet
// came from begins to track the flow, and the one that it reaches will. It must be
// called before p is rewritten. It reports false where the interface has no room:
// the node is to drop the packet for trace.TrackingFull.
func (c *Context) Track(p *wire.Packet) bool {
	t := c.untracked
	c.tracked, c.untracked = true, nil
	if t == nil {
		return true
	}
	c.varies = true
	return t.Track(p, c.Now)
}

// Lift reports whether a packet passes all the same that a filter is about to drop for
// the reason end: see [Engine.Lift]. A filter calls it when it has noted why it drops,
// and only then. It does not allocate.
func (c *Context) Lift(end trace.Reason) bool {
	c.varies = true
	return c.engine.Lift != nil && c.engine.Lift(end)
}

// Untold says that no description tells whether the object with an id lets p pass, and in
// words what is missing. It reports whether p goes on all the same, as past a
// filter that is lifted; else the node drops it for trace.Unmodelled. It does not
// allocate.
func (c *Context) Untold(p *wire.Packet, id, missing string) bool {
	c.NoteUntold(p, id, missing)
	return c.Lift(trace.Unmodelled)
}

// NoteUntold says what is missing where no description tells where p goes on: the node
// drops it for trace.Unmodelled. It allocates as Note does.
func (c *Context) NoteUntold(p *wire.Packet, id, missing string) {
	c.Note(p, trace.Step{Act: trace.Untold, Object: id, ObjectID: id, Match: missing})
}

// Choose returns the number of the one that a hash of the packet's flow chooses among
// of things alike, such as the zones of a transit gateway's attachment or the targets
// of a load balancer: hash modulo of, unless the engine has a Choose of its own, with
// which all outcomes can be tried. at is the id of the resource that has the things,
// what is what they are, in a constant word; where a choice is to fall alike for two
// packets, all four are alike. options names them. It does not allocate.
func (c *Context) Choose(at, what string, hash uint32, of int, options Options) int {
	if of > 1 && c.engine.Choose != nil {
		c.varies = true
		return c.engine.Choose(at, what, hash, of, options)
	}
	return int(hash % uint32(of))
}

// Options are what [Context.Choose] chooses from, for those who want to name them. Options
// that have weights have a method Same(i int) int beside, which returns how many from a
// number on are one and the same.
type Options interface {
	// Option returns the id of the one with a number, or its name where it has no id, and
	// what else tells it from the others, such as an address; "" where nothing does.
	Option(i int) (id, detail string)
}

// Tracked reports whether the packet came by a node that called Track.
func (c *Context) Tracked() bool { return c.tracked }
