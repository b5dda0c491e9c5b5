package dataplane

import "github.com/vpcsim/vpcsim/trace"

// Of a batch so many packets are looked ahead for at once: as many as a processor has
// loads under way, and no more than leave the first cache to the walks.
const batchRow = 16

// SendBatch sends packets from node at as Send does, one after another in their order,
// and says in ends, which must not be shorter, why each ended. It differs in nothing but
// time: while memory is awaited for one flow, that of others is under way, which tells
// where there are more known flows than the caches hold. It does not allocate where Send
// does not.
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
		e.row = append(e.row, e.take(ip))
	}
	if e.Log == nil && len(e.flows.courses) > 0 {
		e.lookAhead(at)
	}
	for i, f := range e.row {
		ends[i] = e.walk(f, at, nil, e.cause, 0)
		if len(e.queue) > 0 {
			e.walkEmitted()
		}
	}
}

// lookAhead loads what is known of the flows of a row, and then what that leads to. The
// loads of one packet do not depend on another's, so the processor waits for many at once.
func (e *Engine) lookAhead(at Node) {
	k := &e.flows
	x, indexed := at.(Indexed)
	for _, f := range e.row {
		switch {
		case !f.p.IsPlain():
		case indexed:
			k.setFlow(endsOf(&f.p.Flow), f.p.Flow.Proto)
			e.sum += x.Ahead(&k.flow)
		default:
			f.hash = k.hash(&f.p.Flow)
			e.sum += k.load(f.hash)
		}
	}
	for _, f := range e.row {
		if !f.p.IsPlain() {
			continue
		}
		k.setFlow(endsOf(&f.p.Flow), f.p.Flow.Proto)
		if r, w, held := k.lookUp(at, f.p.Flags, f, e.Clock.Now()); w != nil {
			for i, s := range w.states {
				if s != nil && i >= held {
					e.sum += s.Load(r.number[i])
				}
			}
		}
	}
}
