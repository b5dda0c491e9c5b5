package dataplane

import (
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// MaxNodes is how many nodes one walk may pass. The longest way through a VPC
// passes about 30; more is a loop of routers that leave the TTL alone.
const MaxNodes = 128

// MaxEmitted is how many packets of the platform's own one Send may cause. Errors
// about errors are never sent (RFC 1122 section 3.2.2), so two suffice; the bound
// is for a node that breaks that rule. What is beyond ends as trace.TooManyHops.
const MaxEmitted = 16

// Engine carries packets. Make it with a Clock; one goroutine.
type Engine struct {
	// Clock is the simulated time. It must be set.
	Clock *clock.Clock
	// Log keeps walks where it is not nil.
	Log *trace.Log
	// Ended, where not nil, is told of every end of a walk, traced or not, and once
	// more where a guest drops what was delivered to it. where is the node's name.
	// It must not send.
	Ended func(end trace.Reason, where string, f wire.Flow)
	// Lift, where not nil, is asked of each packet that a filter is about to drop for
	// the reason end; where it reports true the packet passes, as if the filter had a
	// rule for it: so one walk meets every blocker of its way. It must not send.
	Lift func(end trace.Reason) bool
	// Instead, where not nil, says who takes a delivered packet in a guest's place, or
	// returns the guest: an engine that shares nodes with another must not wake the
	// guests of that one.
	Instead func(g Guest) Guest
	// Choose, where not nil, makes the choices that AWS leaves to a hash, in the place
	// of the hash: see [Context.Choose]. It returns a number from 0 to of-1.
	Choose func(at, what string, hash uint32, of int, options Options) int
	// WalkWhole has every packet walk from node to node, those of known flows too. It
	// changes nothing but time: it is for tests and measurements.
	WalkWhole bool
	// Seed makes the places of known flows the engine's own. It decides nothing.
	Seed uint64

	ctx     Context
	walking bool
	cause   int        // the walk in whose name packets are sent now
	preface trace.Step // with which the next walk begins
	queue   []emission
	free    *flight // a list of those that wait to be used again
	flows   flowCache
	draft   draft
	row     []*flight // of a batch
	sum     uint64    // of what was loaded for it, so that it is
}

// emission is a packet of the platform's own that waits for the present one's end.
type emission struct {
	at     Node
	flight *flight
	cause  int
	after  time.Duration
}

// Send walks the IP packet ip from node at to its end and returns why it ended.
// The bytes are copied. Malformed bytes end at once with trace.Malformed.
// It does not allocate where no Log is set. A guest may call it from Receive; a node
// must not: nodes Emit.
func (e *Engine) Send(at Node, ip []byte) trace.Reason { return e.SendTo(at, nil, ip) }

// SendTo is Send for a frame whose destination address names a neighbour's
// interface; link is nil for the router's.
func (e *Engine) SendTo(at, link Node, ip []byte) trace.Reason {
	if e.walking {
		panic("dataplane: Send from inside a walk, at " + e.ctx.node.Name())
	}
	end := e.walk(e.take(ip), at, link, e.cause, 0)
	if len(e.queue) > 0 {
		e.walkEmitted()
	}
	return end
}

// walkEmitted walks what nodes emitted, in the order in which they did.
func (e *Engine) walkEmitted() {
	for n := 0; n < len(e.queue); n++ {
		m := e.queue[n]
		if n < MaxEmitted {
			e.walk(m.flight, m.at, nil, m.cause, m.after)
			continue
		}
		e.refuse(Refusal{Where: m.at.Name(), WhereID: resource(m.at), Size: m.flight.n, End: trace.TooManyHops, Why: "too many packets of the platform's own"}, m.cause)
		e.release(m.flight)
	}
	clear(e.queue)
	e.queue = e.queue[:0]
}

// walk is one packet's way: nodes have it one after another, and it is scheduled for
// its guest or it is dead.
func (e *Engine) walk(f *flight, at, link Node, cause int, after time.Duration) trace.Reason {
	c := &e.ctx
	*c = Context{} // in place: a Context with its fields would be made elsewhere, and copied
	c.Now, c.Latency, c.Link, c.engine, c.flight, c.node = e.Clock.Now(), after, link, e, f, at
	c.outset = true
	if f.fault != nil {
		r := Refusal{Where: at.Name(), WhereID: resource(at), Size: f.n, End: trace.Malformed, Why: f.fault.Error()}
		e.release(f)
		return e.refuse(r, cause)
	}
	if e.Log != nil {
		e.begin(at, cause, &f.p)
	}
	e.walking = true
	end := e.follow(&f.p)
	if end == trace.None || end == trace.Delivered && c.guest == nil {
		panic("dataplane: no word from " + c.node.Name())
	}
	if c.walk != nil || e.Ended != nil {
		e.ended(end, &f.p)
	}
	e.walking = false
	if end == trace.Delivered {
		if e.Instead != nil {
			c.guest = e.Instead(c.guest)
		}
		f.depart(c)
	} else {
		e.release(f)
	}
	return end
}

// begin begins the walk's record in the log.
func (e *Engine) begin(at Node, cause int, p *wire.Packet) {
	c := &e.ctx
	c.walk = e.Log.Begin(c.Now, cause, "", p)
	c.walk.Sent(at)
	e.open(c.walk, p.Flow)
	c.noted = c.walk.Len()
}

// follow is the loop. Everything a packet meets, it meets here.
func (e *Engine) follow(p *wire.Packet) trace.Reason {
	c := &e.ctx
	for n := 0; n < MaxNodes; n++ {
		if c.outset {
			if n += e.recall(p, n); c.guest != nil {
				return trace.Delivered
			}
		}
		next := c.node.Forward(c, p)
		switch {
		case c.walk != nil:
			c.complete(p, next)
		case c.recording:
			e.learn(p, next)
		}
		if next.node == nil {
			return next.end
		}
		c.node = next.node
	}
	return trace.TooManyHops
}

// complete gives every node its step, those that noted nothing too, and the last
// step of each the TTL that the packet left it with.
func (c *Context) complete(p *wire.Packet, next Next) {
	switch {
	case c.walk.Len() > c.noted:
		c.walk.Left(p.TTL())
	case next.node != nil:
		c.Step(p, trace.Passed)
	default:
		c.Step(p, trace.Ended).Reason = next.end
	}
	c.noted = c.walk.Len()
	if c.engine.Log.Packets {
		c.walk.Keep(p)
	}
}

// resource returns the id of the resource that a node is a part of, or "".
func resource(n Node) string {
	if p, ok := n.(Part); ok {
		return p.Resource()
	}
	return ""
}

func (e *Engine) ended(end trace.Reason, p *wire.Packet) {
	if w := e.ctx.walk; w != nil {
		w.Stopped(end, e.ctx.node, p.Flow)
	}
	if e.Ended != nil {
		e.Ended(end, e.ctx.node.Name(), p.Flow)
	}
}

// Refusal is the end of what never became a walking packet.
type Refusal struct {
	// Where is the name of the place that refused it, WhereID the id of the resource
	// that it is a part of, where there is one.
	Where, WhereID string
	// Packet is the packet, nil of what is none; Frame then says in words what it is,
	// where anything is known.
	Packet *wire.Packet
	Frame  string
	// Size is the frame's size in bytes; a Packet has its own.
	Size int
	// End is why, Why more words on it, for traces.
	End trace.Reason
	Why string
}

// Refuse ends what is no packet, or gets no way into the network: it is kept and
// told of as a walk of one step. It returns r.End.
func (e *Engine) Refuse(r Refusal) trace.Reason { return e.refuse(r, e.cause) }

func (e *Engine) refuse(r Refusal, cause int) trace.Reason {
	var flow wire.Flow
	if r.Packet != nil {
		flow, r.Size = r.Packet.Flow, r.Packet.Len()
	}
	if e.Log != nil {
		now := e.Clock.Now()
		w := e.Log.Begin(now, cause, r.Where, r.Packet)
		w.FromID, w.Frame, w.Size, w.TTL = r.WhereID, r.Frame, r.Size, 0
		w.Reason, w.Where, w.WhereID = r.End, r.Where, r.WhereID
		e.open(w, flow)
		*w.Add() = trace.Step{
			At: now, Act: trace.Ended, Node: r.Where, NodeID: r.WhereID, Reason: r.End, Match: r.Why, Flow: flow,
		}
	}
	if e.Ended != nil {
		e.Ended(r.End, r.Where, flow)
	}
	return r.End
}

// emit queues a copy: the node's bytes are its own again when it returns.
func (e *Engine) emit(at Node, ip []byte) {
	cause := 0
	if e.ctx.walk != nil {
		cause = e.ctx.walk.ID
	}
	e.queue = append(e.queue, emission{at, e.take(ip), cause, e.ctx.Latency})
}

// Note keeps a step of a guest's own while it has a packet in Receive: what its
// kernel did with it. Outside Receive, or without a Log, it does nothing.
func (e *Engine) Note(node string, p *wire.Packet, s trace.Step) {
	if e.Log == nil || e.cause == 0 {
		return
	}
	w := e.Log.Find(e.cause)
	if w == nil {
		return
	}
	s.At, s.Node, s.Flow, s.TTL = e.Clock.Now(), node, p.Flow, p.TTL()
	w.Steps = append(w.Steps, s)
}

// Preface has the next walk begin with a step of a guest's own: what its kernel decided
// about the packet that it is about to send. Time, flow and TTL are filled in. The zero
// Step takes it back: to be called when the packet is sent, for not all are walked.
func (e *Engine) Preface(s trace.Step) { e.preface = s }

// open begins a walk with the guest's step.
func (e *Engine) open(w *trace.Walk, f wire.Flow) {
	if e.preface.Act != trace.NoAct {
		s := w.Add()
		*s = e.preface
		s.At, s.Flow, s.TTL = w.Start, f, w.TTL
		e.preface = trace.Step{}
	}
}

// Cause returns the id of the walk in whose name packets are sent now: the one
// whose packet a guest has in Receive; 0 outside and without a Log.
func (e *Engine) Cause() int { return e.cause }

// Attribute has what is sent and noted from now on count as caused by the walk with
// the given id, and returns the Cause until now, to be put back. It is for guests
// that keep a packet waiting, for an answer to ARP for instance, and send it later
// in the name of the walk that brought it.
func (e *Engine) Attribute(cause int) (was int) {
	was, e.cause = e.cause, cause
	return was
}

// Tracing reports whether walks are kept.
func (e *Engine) Tracing() bool { return e.Log != nil }

// Now returns the clock's present instant.
func (e *Engine) Now() time.Duration { return e.Clock.Now() }
