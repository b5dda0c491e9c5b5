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
		d.course.states[d.kept], d.flow.number[d.kept], d.before[d.kept] = s, number, endsOf(&p.Flow)
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
	course         course
	flow           knownFlow
	from, last     ends            // as the packet came, as the last Fixed node left it
	before, behind [maxStates]ends // each of the states
	ttl            uint8           // as it came
	latency        time.Duration   // before
	states         int             // of nodes that were Fixed
	kept           int             // and of the node that has the packet
	translated     bool            // by one of the states
}

// leastNodes is how many nodes it takes to be faster at once than one by one.
const leastNodes = 3

// recall has the packet pass at once what is known of its flow from the node on that it
// comes to, having passed others, and returns how many nodes that were. It may be
// delivered then.
func (e *Engine) recall(p *wire.Packet, passed int) (nodes int) {
	c, k := &e.ctx, &e.flows
	c.outset = false
	if c.walk != nil || e.WalkWhole || c.Link != nil || !p.IsPlain() || p.Flags&(wire.SYN|wire.FIN|wire.RST) != 0 || passed > 0 && c.met() {
		return 0
	}
	if len(k.courses) == 0 {
		e.record(p)
		return 0
	}
	k.setFlow(endsOf(&p.Flow), p.Flow.Proto)
	if passed > 1 { // the last node has left the flow as it was: see Outset
		c.flight.hash = 0
	}
	r, w, held := k.lookUp(c.node, p.Flags, c.flight, c.Now)
	switch {
	case held == unknown:
		return 0
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
	c, d := &e.ctx, &e.draft
	f := endsOf(&p.Flow)
	d.course.entry, d.course.proto, d.course.mtu, d.course.nodes = c.node, p.Flow.Proto, math.MaxInt, 0
	d.from, d.last, d.ttl, d.latency = f, f, p.TTL(), c.Latency
	d.states, d.kept, d.translated = 0, 0, false
	c.recording, c.fixed, c.varies = true, false, false
}

// learn keeps what the node did from which the packet comes. Where that was not Fixed, or
// ends the walk, it is all that is to be known.
func (e *Engine) learn(p *wire.Packet, next Next) {
	c, d := &e.ctx, &e.draft
	goes := c.fixed && !c.varies && p.TTL() <= d.ttl && (next.node != nil || next.end == trace.Delivered) && d.passed(endsOf(&p.Flow))
	if goes {
		d.keep(c, p, next.node)
	}
	c.fixed = false
	if !goes || next.node == nil {
		c.recording = false
		e.remember(p)
	}
}

// keep adds a node to the course. Before the first state there is nothing to be kept: it
// may be in vain.
func (d *draft) keep(c *Context, p *wire.Packet, next Node) {
	w := &d.course
	w.nodes++
	if d.states == 0 {
		return
	}
	w.hops = d.ttl - p.TTL()
	w.after = *c
	w.after.Now, w.after.Latency, w.after.flight, w.after.recording, w.after.fixed = 0, c.Latency-d.latency, nil, false, false
	if next != nil {
		w.after.node = next
	}
}

// passed keeps what the node made of the flow. It reports false of what can't be kept:
// where two states have translated it, what it was between them, and an end that had
// changed and is again what it was, for what rewriting leaves out might have turned one
// zero of a checksum into the other.
func (d *draft) passed(now ends) bool {
	changed := now != d.last
	if changed && d.turned(now) {
		return false
	}
	if d.kept > d.states {
		d.behind[d.states] = now
		if changed && d.translated {
			return false
		}
		d.states, d.translated = d.kept, d.translated || changed
	}
	if changed {
		d.last = now
	}
	return true
}

func (d *draft) turned(now ends) bool {
	was := func(from, last, now uint32) bool { return now == from && last != from }
	from, last := d.from, d.last
	return was(from.src, last.src, now.src) || was(from.dst, last.dst, now.dst) ||
		was(from.ports>>16, last.ports>>16, now.ports>>16) || was(from.ports&0xffff, last.ports&0xffff, now.ports&0xffff)
}

// remember puts what was recorded into the cache, where it is worth it: of a flow that
// some table knows.
func (e *Engine) remember(p *wire.Packet) {
	d, k := &e.draft, &e.flows
	w, r := &d.course, &d.flow
	if d.states == 0 || w.nodes < leastNodes || p.Len() > w.mtu || !d.edits() {
		return
	}
	r.ends, r.toPorts = d.from, d.last.ports
	clear(w.states[d.states:])
	clear(r.number[d.states:])
	if k.base == 0 {
		k.base, k.seed = 1, flowtable.NewSeed(e.Seed)
	}
	k.setFlow(d.from, w.proto)
	if !k.follow(r, w, 0, 0, e.ctx.Now) { // as it would be next time
		return
	}
	k.setFlow(d.from, w.proto)
	k.keep(r, w, d.states, e)
}

// edits says in the course what nodes did to the flow beside the states. It reports false
// of what can't be said so.
func (d *draft) edits() (ok bool) {
	w, at := &d.course, d.from
	w.edits, w.src, w.dst, w.port = [maxStates + 1]edit{}, 0, 0, 0
	for i := range d.states {
		if w.edits[i], ok = editOf(at, d.before[i]); !ok {
			return false
		}
		at = d.behind[i]
	}
	if d.last.src != d.from.src {
		w.src = d.last.src
	}
	if d.last.dst != d.from.dst {
		w.dst = d.last.dst
	}
	w.edits[d.states], ok = editOf(at, d.last)
	return ok
}
