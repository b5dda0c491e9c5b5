package dataplane

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// flight is a packet with its buffer: on its walk, waiting for it, or on its way to
// a guest as an event of the clock. Flights are used again.
type flight struct {
	engine *Engine
	p      wire.Packet
	buf    []byte
	n      int    // how many bytes of buf were sent
	fault  error  // what is wrong with the headers; p is the packet where it is nil
	hash   uint32 // of the flow, for what is known of that; 0 is not reckoned yet
	guest  Guest
	from   Node        // that delivered it
	walk   *trace.Walk // nil where no Log is set
	id     int         // of walk, which a Log with a Limit may use again
	next   *flight     // in the engine's list of free ones
}

// What a buffer holds: at least any packet of an internet path, at most any packet:
// 65,535 bytes behind an IPv6 header. What is longer is cut: it is no part of it.
const (
	minBuffer = 2304 // no power of two: the buffers of a batch share no few lines of a cache
	maxBuffer = wire.IPv6Len + 65535
)

// take returns a flight that holds a copy of the packet, its headers read.
func (e *Engine) take(ip []byte) *flight {
	ip = ip[:min(len(ip), maxBuffer)]
	f := e.free
	if f == nil {
		f = &flight{engine: e, buf: make([]byte, minBuffer)}
	}
	e.free = f.next
	if len(f.buf) < len(ip) {
		f.buf = make([]byte, len(ip))
	}
	f.n, f.hash = copy(f.buf, ip), 0
	f.fault = f.p.Read(f.buf[:f.n])
	return f
}

func (e *Engine) release(f *flight) { f.next, e.free = e.free, f }

// depart schedules the arrival. The packet stays in its buffer: no copy.
func (f *flight) depart(c *Context) {
	f.guest, f.from, f.walk, f.id = c.guest, c.node, c.walk, 0
	if c.walk != nil {
		f.id = c.walk.ID
	}
	f.engine.Clock.Schedule(c.Latency, f)
}

// Run hands the packet to its guest, as an event of the clock.
func (f *flight) Run() {
	e, flow := f.engine, wire.Flow{}
	if e.Ended != nil { // the guest may change the packet
		flow = f.p.Flow
	}
	was := e.Attribute(f.id)
	end := f.guest.Receive(&f.p)
	e.Attribute(was)
	if f.walk != nil && f.walk.ID == f.id {
		f.walk.Guest = end
	}
	if e.Ended != nil && end.IsDrop() {
		e.Ended(end, f.from.Name(), flow)
	}
	e.release(f)
}
