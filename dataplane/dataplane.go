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
	// Name is how traces call the node. It is constant and formats nothing.
	Name() string
	// Forward may rewrite p and says where p goes next. p is the node's until it
	// returns. Forward formats nothing unless c.Tracing, and does not allocate for
	// a packet of a known flow.
	Forward(c *Context, p *wire.Packet) Next
}

// Next is a node's word on a packet: [To] another node, or an end. The zero Next
// is no word, and the engine panics on it with the node's name.
type Next struct {
	node Node
	end  trace.Reason
}

// To sends the packet on to n.
func To(n Node) Next { return Next{node: n} }

// Drop ends the walk for the reason r.
func Drop(r trace.Reason) Next { return Next{end: r} }

// Node returns the node that the packet goes to, nil where the walk ends.
func (n Next) Node() Node { return n.node }

// End returns why the walk ends, [trace.None] where it does not.
func (n Next) End() trace.Reason { return n.end }

// Guest takes delivered packets: an operating system behind an interface, a host
// on the internet.
type Guest interface {
	// Receive takes the packet and says what became of it. p and its bytes are the
	// guest's until it returns.
	Receive(p *wire.Packet) trace.Reason
}

// Origin says where a packet last left a subnet. Gateways that depend on it
// (transit gateways by zone, NAT gateways by VPC) ask; nil is from outside.
type Origin struct {
	VPC, Subnet, Zone string
}

// Context is a walk's surroundings, handed to every node.
type Context struct {
	// Now is the instant at which the packet was sent.
	Now time.Duration
	// From is where the packet last left a subnet, nil before that and from outside.
	From *Origin
	// Link is the interface that an Ethernet frame was addressed to, nil where it
	// was the router: neighbours talk directly.
	Link Node
	// Latency is what delivery will take; nodes add to it.
	Latency time.Duration

	engine *Engine
	walk   *trace.Walk
	node   Node
}

// Tracing reports whether steps are kept: build one only if they are.
func (c *Context) Tracing() bool { return c.walk != nil }

// Note keeps a step. Time, node, flow and TTL are filled in from p.
func (c *Context) Note(p *wire.Packet, s trace.Step) {
	if c.walk == nil {
		return
	}
	s.At, s.Node, s.Flow, s.TTL = c.Now, c.node.Name(), p.Flow, p.TTL()
	c.walk.Steps = append(c.walk.Steps, s)
}

// Emit sends a packet of the platform's own, such as an ICMP error, from node at.
// It walks after the present packet. The bytes are copied.
func (c *Context) Emit(at Node, ip []byte) { c.engine.emit(at, ip, c.walk) }

// Deliver hands the walking packet to a guest after the walk's latency.
func (c *Context) Deliver(g Guest) Next {
	c.engine.deliver(g, c)
	return Next{end: trace.Delivered}
}
