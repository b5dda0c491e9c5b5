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
	n      int // how many bytes of buf were sent
	guest  Guest
	where  string      // name of the node that delivered it
	walk   *trace.Walk // nil where no Log is set
	id     int         // of walk, which a Log with a Limit may use again
}

// What a buffer holds: at least any packet of an internet path, at most any packet:
// 65,535 bytes behind an IPv6 header. What is longer is cut: it is no part of it.
const (
	minBuffer = 2048
	maxBuffer = wire.IPv6Len + 65535
)

// take returns a flight that holds a copy of the packet.
func (e *Engine) take(ip []byte) *flight {
	ip = ip[:min(len(ip), maxBuffer)]
	var f *flight
	if last := len(e.free) - 1; last >= 0 {
		f = e.free[last]
		e.free = e.free[:last]
	} else {
		f = &flight{engine: e}
	}
	if len(f.buf) < len(ip) || f.buf == nil {
		f.buf = make([]byte, max(minBuffer, len(ip)))
	}
	f.n = copy(f.buf, ip)
	return f
}

func (e *Engine) release(f *flight) {
	f.guest, f.walk, f.where, f.id = nil, nil, "", 0
	e.free = append(e.free, f)
}

// depart schedules the arrival. The packet stays in its buffer: no copy.
func (f *flight) depart(c *Context) {
	f.guest, f.where = c.guest, c.node.Name()
	if c.walk != nil {
		f.walk, f.id = c.walk, c.walk.ID
	}
	f.engine.Clock.Schedule(c.Latency, f)
}

// Run hands the packet to its guest, as an event of the clock.
func (f *flight) Run() {
	e, flow := f.engine, f.p.Flow
	was := e.Attribute(f.id)
	end := f.guest.Receive(&f.p)
	e.Attribute(was)
	if f.walk != nil && f.walk.ID == f.id {
		f.walk.Guest = end
	}
	if end.IsDrop() && e.Ended != nil {
		e.Ended(end, f.where, flow)
	}
	e.release(f)
}
