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
// is for a node that breaks that rule.
const MaxEmitted = 16

// Engine carries packets. Make it with a Clock; one goroutine.
type Engine struct {
	// Clock is the simulated time. It must be set.
	Clock *clock.Clock
	// Log keeps walks where it is not nil.
	Log *trace.Log
	// Ended, where not nil, is told of every end of a walk, traced or not.
	Ended func(end trace.Reason, where string, f wire.Flow)

	ctx     Context
	current *flight // the walking packet's, nil outside a walk
	cause   int     // the walk whose packet a guest has in Receive
	queue   []emission
	free    []*flight
}

type emission struct {
	at    Node
	ip    []byte
	cause int
}

// flight is a packet on its way to a guest, and the buffer that holds any packet
// on its walk. Flights are used again.
type flight struct {
	engine *Engine
	guest  Guest
	walk   *trace.Walk
	p      wire.Packet
	buf    []byte
}

// Send walks the IP packet ip from node at to its end and returns why it ended.
// The bytes are copied. Malformed bytes end at once with trace.Malformed.
// It does not allocate where no Log is set. Send must not be called by a node:
// nodes Emit.
func (e *Engine) Send(at Node, ip []byte) trace.Reason { return e.SendTo(at, nil, ip) }

// SendTo is Send for a frame whose destination address names a neighbour's
// interface; link is nil for the router's.
func (e *Engine) SendTo(at, link Node, ip []byte) trace.Reason {
	if e.current != nil {
		panic("dataplane: Send from inside a walk, at " + e.ctx.node.Name())
	}
	end := e.walk(at, link, ip, e.cause)
	for n := 0; len(e.queue) > 0 && n < MaxEmitted; n++ {
		m := e.queue[0]
		e.queue = e.queue[1:]
		e.walk(m.at, nil, m.ip, m.cause)
	}
	e.queue = e.queue[:0]
	return end
}

// walk is the loop. Everything a packet meets, it meets here.
func (e *Engine) walk(at, link Node, ip []byte, cause int) trace.Reason {
	f := e.take(len(ip))
	copy(f.buf, ip)
	e.ctx = Context{Now: e.Clock.Now(), Link: link, engine: e}
	if err := f.p.Read(f.buf[:len(ip)]); err != nil {
		return e.malformed(f, at, err, cause)
	}
	if e.Log != nil {
		e.ctx.walk = e.Log.Begin(e.ctx.Now, cause, f.p.Flow, f.p.Len())
	}
	e.current = f
	node, end := at, trace.None
	for hops := 0; ; hops++ {
		if hops == MaxNodes {
			end = trace.TooManyHops
			break
		}
		e.ctx.node = node
		next := node.Forward(&e.ctx, &f.p)
		if next.node == nil {
			end = next.end
			break
		}
		node = next.node
	}
	e.current = nil
	if end == trace.None {
		panic("dataplane: no word from " + node.Name())
	}
	e.ended(f, end, node)
	if f.guest == nil {
		e.release(f)
	}
	return end
}

func (e *Engine) malformed(f *flight, at Node, err error, cause int) trace.Reason {
	if e.Log != nil {
		w := e.Log.Begin(e.ctx.Now, cause, wire.Flow{}, 0)
		w.Reason, w.Where = trace.Malformed, at.Name()
		w.Steps = []trace.Step{{At: e.ctx.Now, Act: trace.Ended, Node: at.Name(), Reason: trace.Malformed, Match: err.Error()}}
	}
	if e.Ended != nil {
		e.Ended(trace.Malformed, at.Name(), wire.Flow{})
	}
	e.release(f)
	return trace.Malformed
}

func (e *Engine) ended(f *flight, end trace.Reason, node Node) {
	if w := e.ctx.walk; w != nil {
		w.Reason, w.Where, w.Last = end, node.Name(), f.p.Flow
	}
	if e.Ended != nil {
		e.Ended(end, node.Name(), f.p.Flow)
	}
}

// emit queues a copy: the node's bytes are its own again when it returns.
func (e *Engine) emit(at Node, ip []byte, w *trace.Walk) {
	cause := 0
	if w != nil {
		cause = w.ID
	}
	e.queue = append(e.queue, emission{at, append([]byte(nil), ip...), cause})
}

// deliver keeps the packet's buffer until the guest has had it: no copy.
func (e *Engine) deliver(g Guest, c *Context) {
	e.current.guest, e.current.walk = g, c.walk
	e.Clock.Schedule(c.Latency, e.current)
}

// Run hands the packet to its guest, as an event of the clock.
func (f *flight) Run() {
	e, was := f.engine, f.engine.cause
	e.cause = 0
	if f.walk != nil {
		e.cause = f.walk.ID
	}
	end := f.guest.Receive(&f.p)
	if f.walk != nil {
		f.walk.Guest, f.walk.Last = end, f.p.Flow
	}
	if end.IsDrop() && e.Ended != nil {
		e.Ended(end, "guest", f.p.Flow)
	}
	e.cause = was
	e.release(f)
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

// Tracing reports whether walks are kept.
func (e *Engine) Tracing() bool { return e.Log != nil }

// Now returns the clock's present instant.
func (e *Engine) Now() time.Duration { return e.Clock.Now() }

func (e *Engine) take(n int) *flight {
	need := max(2048, n)
	if last := len(e.free) - 1; last >= 0 {
		f := e.free[last]
		e.free = e.free[:last]
		if len(f.buf) < need {
			f.buf = make([]byte, need)
		}
		return f
	}
	return &flight{engine: e, buf: make([]byte, need)}
}

func (e *Engine) release(f *flight) {
	f.guest, f.walk = nil, nil
	e.free = append(e.free, f)
}
