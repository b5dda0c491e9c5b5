package dataplane

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Prefetcher is a Node that can say what memory a packet will need there, before the
// packet comes. Where nodes are none, [Engine.SendBatch] is no faster than Send.
type Prefetcher interface {
	// Prefetch tells a of the tables in which the node will look for flow f, and returns
	// the node that the packet then goes to, nil where that is not known without
	// looking. It may change f as the node changes the packet. All of that is a guess,
	// which decides nothing: Forward does not know of it. It changes nothing else.
	Prefetch(f *wire.Flow, a *Ahead) Node
}

// Memory is a table in which flows are looked up by a hash.
type Memory interface {
	// Touch loads what a lookup of the hash loads: in round 0 what the hash leads to, in
	// round 1 what that leads to. It returns anything that depends on it.
	Touch(hash uint32, round int) uint64
}

// Ahead collects the memory that the packets of a batch will need. The zero Ahead is
// empty and ready.
type Ahead struct {
	needs []need
	sum   uint64 // of what was loaded, so that it is
}

type need struct {
	in   Memory
	hash uint32
}

// Need says that a hash will be looked up in m. It does not allocate in the long run.
func (a *Ahead) Need(m Memory, hash uint32) { a.needs = append(a.needs, need{m, hash}) }

// load loads what was asked for. One table's loads do not depend on another's, so the
// processor waits for many of them at once.
func (a *Ahead) load() {
	for round := range 2 {
		for i := range a.needs {
			a.sum += a.needs[i].in.Touch(a.needs[i].hash, round)
		}
	}
	a.needs = a.needs[:0]
}

// Of a batch so many packets are looked ahead for at once: as many as a processor has
// loads under way, and no more than leave the first cache to the walks.
const batchRow = 16

// maxAhead is how many nodes are asked for one packet: those up to the first that
// changes its flow, and a few more.
const maxAhead = 8

// SendBatch sends packets from node at as Send does, one after another in their order,
// and says in ends, which must not be shorter, why each ended. It differs in nothing but
// time: while memory is awaited for one flow, that of others is under way, which tells
// where there are more flows than the caches hold. It does not allocate where Send does
// not.
func (e *Engine) SendBatch(at Node, packets [][]byte, ends []trace.Reason) {
	if e.walking {
		panic("dataplane: SendBatch from inside a walk, at " + e.ctx.node.Name())
	}
	ends = ends[:len(packets)]
	for len(packets) > 0 {
		n := min(len(packets), batchRow)
		e.sendRow(at, packets[:n], ends)
		packets, ends = packets[n:], ends[n:]
	}
}

// sendRow is SendBatch for as many packets as are looked ahead for at once.
func (e *Engine) sendRow(at Node, packets [][]byte, ends []trace.Reason) {
	e.row = e.row[:0]
	for _, ip := range packets {
		f := e.take(ip)
		e.row = append(e.row, f)
		if f.fault == nil {
			e.lookAhead(at, f.p.Flow)
		}
	}
	e.ahead.load()
	for i, f := range e.row {
		ends[i] = e.walk(f, at, nil, e.cause, 0)
		if len(e.queue) > 0 {
			e.walkEmitted()
		}
	}
}

// lookAhead asks the nodes on a packet's way what memory they will need.
func (e *Engine) lookAhead(at Node, f wire.Flow) {
	e.flow = f
	for range maxAhead {
		n, ok := at.(Prefetcher)
		if !ok {
			return
		}
		at = n.Prefetch(&e.flow, &e.ahead)
	}
}
