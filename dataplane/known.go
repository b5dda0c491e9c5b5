package dataplane

import (
	"math"
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// A node has every packet, unless it says that it is Fixed: then packets of the same flow
// may pass it unseen, from the second one on, while they are plain, no walk is kept, and
// nothing changes. A node that says nothing is walked.

// FlowState is a table in which a Fixed node has a record of each flow, and work to do for
// each packet, which is done by the record's number for those that pass unseen.
type FlowState interface {
	// Holds reports whether the record with the number is that of flow f, as it comes to
	// the node, and would let a packet with these TCP flags pass; f becomes what the node
	// makes of it. The number may be another flow's one day, or none's. It changes nothing
	// else.
	Holds(number uint32, f *wire.Flow, flags wire.TCPFlags, now time.Duration) bool
	// Renew does for a packet of size bytes what is done there for each packet.
	Renew(number uint32, flags wire.TCPFlags, size int, now time.Duration)
	// Load loads the record, and returns anything that depends on it. It changes nothing.
	Load(number uint32) uint64
}

// Indexed is a Node where packets begin that looks every flow up in a table before anything
// else. What is known of a flow stands in the record there, and is found with it.
type Indexed interface {
	// Find returns the number of the flow's record where that Holds, and its room; nil
	// where none does. It reports false where the node has no table that is e's alone.
	Find(e *Engine, f *wire.Flow, flags wire.TCPFlags, now time.Duration) (number uint32, memo *flowtable.Memo, ok bool)
	// Ahead loads what Find will look at, and returns anything that depends on it.
	Ahead(f *wire.Flow) uint64
}

// Fixed says that what n, the node that says it, decides of the present packet depends on
// nothing but its addresses, ports and protocol, the Context, tables that are named with
// Keep, and what does not change before the engine is told so ([Engine.ForgetFlows]). n
// must be comparable, as pointers are, and so must the guest be that it delivers to.
func (c *Context) Fixed(n Node) {
	if c.recording && n == c.node {
		c.fixed = true
	}
}

// Fits says beside Fixed that this holds for packets of up to mtu bytes.
func (c *Context) Fits(mtu int) {
	if c.recording {
		c.engine.draft.course.mtu = min(c.engine.draft.course.mtu, mtu)
	}
}

// Recording reports whether anybody hears Fixed and Keep: what these need may cost.
func (c *Context) Recording() bool { return c.recording }

// Keep says beside Fixed, before the node changes p, that its flow has a record in s, which
// was there before the packet came. A node has one such table. s must be comparable.
func (c *Context) Keep(p *wire.Packet, s FlowState, number uint32) {
	d := &c.engine.draft
	switch {
	case !c.recording:
	case d.kept == maxStates || d.kept > d.states:
		c.varies = true
	default:
		d.course.states[d.kept], d.flow.number[d.kept], d.before[d.kept] = s, number, p.Flow
		d.kept++
	}
}

// Outset says, from a node that leaves the packet as it came, that what is known of its
// flow may begin at the next node, as if it had been sent there.
func (c *Context) Outset() { c.outset = true }

// ForgetFlows has every node see the next packet of each flow. It is to be called when
// anything changes that a Fixed node goes by: a snapshot, a guest, the state of a link. It
// takes no longer for many flows than for few, and does not allocate.
func (e *Engine) ForgetFlows() {
	e.flows.clear()
	e.ctx.recording = false
}

// Unseen returns how many packets passed Fixed nodes unseen so far.
func (e *Engine) Unseen() uint64 { return e.flows.unseen }

// draft is what becomes of the present packet, as far as nodes are Fixed.
type draft struct {
	course     course
	flow       knownFlow
	from, last wire.Flow // as the packet came, as the last Fixed node left it
	ttl        uint8     // as it came
	size       int
	latency    time.Duration // before
	states     int           // of nodes that were Fixed
	kept       int           // and of the node that has the packet
	before     [maxStates]wire.Flow
	behind     [maxStates]wire.Flow
	translated bool // by one of the states
}

// leastNodes is how many nodes it takes to be faster at once than one by one.
const leastNodes = 3

// recall has the packet pass at once what is known of its flow from the node on that it
// comes to, and returns how many nodes that were. It may be delivered then.
func (e *Engine) recall(p *wire.Packet) (nodes int) {
	c, k := &e.ctx, &e.flows
	c.outset = false
	if c.walk != nil || e.WalkWhole || c.Link != nil || !p.IsPlain() || p.Flags&(wire.SYN|wire.FIN|wire.RST) != 0 || c.met() {
		return 0
	}
	if len(k.courses) == 0 {
		e.record(p)
		return 0
	}
	k.flow = p.Flow
	r, w, held := k.lookUp(c.node, p.Flags, c.flight, c.Now)
	switch {
	case w == nil || !k.follow(r, w, held, p.Flags, c.Now):
		e.record(p)
		return 0
	case p.TTL() <= w.hops || p.Len() > w.mtu:
		return 0
	}
	for i, s := range w.states {
		if s != nil {
			s.Renew(r.number[i], p.Flags, p.Len(), c.Now)
		}
	}
	p.Rewrite(&k.flow, w.hops)
	k.unseen++
	now, latency, flight := c.Now, c.Latency, c.flight
	*c = w.after
	c.Now, c.flight = now, flight
	c.Latency += latency
	return w.nodes
}

// met reports whether nodes have left word in the Context.
func (c *Context) met() bool {
	return c.From != nil || c.Entered != ByInterface || c.Relayed || c.Unreferenced || c.Via.IsValid() ||
		c.Behind != nil || c.untracked != nil || c.tracked
}

// record begins to keep what becomes of the packet.
func (e *Engine) record(p *wire.Packet) {
	c, d, f := &e.ctx, &e.draft, &p.Flow
	d.course.entry, d.course.proto, d.course.mtu = c.node, f.Proto, math.MaxInt
	d.flow.src, d.flow.dst, d.flow.ports = f.Src.V4(), f.Dst.V4(), pack(f.SrcPort, f.DstPort)
	d.from, d.last, d.ttl, d.size, d.latency = *f, *f, p.TTL(), p.Len(), c.Latency
	d.course.nodes, d.states, d.kept, d.translated = 0, 0, 0, false
	c.recording, c.fixed, c.varies = true, false, false
}

// learn keeps what the node did from which the packet comes. Where that was not Fixed, or
// ends the walk, it is all that is to be known.
func (e *Engine) learn(p *wire.Packet, next Next) {
	c, d := &e.ctx, &e.draft
	if !c.fixed || c.varies || p.TTL() > d.ttl || next.node == nil && next.end != trace.Delivered || d.turned(&p.Flow) || !d.passed(&p.Flow) {
		c.recording = false
		e.remember()
		return
	}
	d.last = p.Flow
	c.fixed = false
	if next.node == nil {
		c.recording = false
	}
	w := &d.course
	w.nodes++
	w.hops = d.ttl - p.TTL()
	w.after = *c
	w.after.Now, w.after.Latency, w.after.flight, w.after.recording = 0, c.Latency-d.latency, nil, false
	if next.node == nil {
		e.remember()
		return
	}
	w.after.node = next.node
}

// passed keeps what the node's state made of the flow. It reports false where another has
// translated it before: what it was between the two is not in the cache.
func (d *draft) passed(now *wire.Flow) bool {
	if d.kept == d.states {
		return true
	}
	d.behind[d.states] = *now
	if d.before[d.states] != *now {
		if d.translated {
			return false
		}
		d.translated = true
	}
	d.states = d.kept
	return true
}

// turned reports whether an end of the flow that had changed is again what it was: then
// what rewriting leaves out might have turned one zero of a checksum into the other.
func (d *draft) turned(now *wire.Flow) bool {
	from, last := &d.from, &d.last
	return now.Src == from.Src && last.Src != from.Src || now.SrcPort == from.SrcPort && last.SrcPort != from.SrcPort ||
		now.Dst == from.Dst && last.Dst != from.Dst || now.DstPort == from.DstPort && last.DstPort != from.DstPort
}

// remember puts what was recorded into the cache, where it is worth it: of a flow that
// some table knows.
func (e *Engine) remember() {
	d, k := &e.draft, &e.flows
	w, r := &d.course, &d.flow
	if w.nodes < leastNodes || d.states == 0 || d.size > w.mtu || !d.edits() {
		return
	}
	clear(w.states[d.states:])
	clear(r.number[d.states:])
	if k.base == 0 {
		k.base, k.seed = 1, flowtable.NewSeed(e.Seed)
	}
	r.toPorts = pack(d.last.SrcPort, d.last.DstPort)
	k.flow = d.from
	if !k.follow(r, w, 0, 0, e.ctx.Now) { // as it would be next time
		return
	}
	k.flow = d.from
	k.keep(r, w, d.states, e)
}

// edits says in the course what nodes did to the flow beside the states. It reports false
// of what can't be said so.
func (d *draft) edits() (ok bool) {
	w, at := &d.course, &d.from
	w.edits, w.src, w.dst, w.port = [maxStates + 1]edit{}, 0, 0, 0
	for i := range d.states {
		if w.edits[i], ok = editOf(at, &d.before[i]); !ok {
			return false
		}
		at = &d.behind[i]
	}
	if d.last.Src != d.from.Src {
		w.src = d.last.Src.V4()
	}
	if d.last.Dst != d.from.Dst {
		w.dst = d.last.Dst.V4()
	}
	w.edits[d.states], ok = editOf(at, &d.last)
	return ok
}
