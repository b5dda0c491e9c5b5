package gwlb

import (
	"time"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Idle timeouts of flows (GWLB guide, "Listeners": that of TCP is an attribute of the
// listener).
const (
	IdleTCP   = 350 * time.Second
	IdleOther = 120 * time.Second
)

// tuple is how much of a packet makes its flow (GWLB guide, "Stickiness").
type tuple uint8

const (
	five  tuple = iota // addresses, ports, protocol
	three              // addresses, protocol
	two                // addresses
)

// key names a flow of an endpoint, the same for both directions.
type key struct {
	flow     wire.Flow
	endpoint uint64
}

// keyOf returns the key of a packet's flow by an endpoint.
func (t tuple) keyOf(f wire.Flow, endpoint uint64) key {
	switch t {
	case three:
		f.SrcPort, f.DstPort = 0, 0
	case two:
		f.SrcPort, f.DstPort, f.Proto = 0, 0, 0
	}
	if n := f.Src.Compare(f.Dst); n > 0 || n == 0 && f.SrcPort > f.DstPort {
		f = f.Reverse()
	}
	return key{f, endpoint}
}

// flow is what a node remembers of a flow.
type flow struct {
	target wire.Addr
	cookie uint32
	last   time.Duration
	tcp    bool
}

// Flows is the live state of a node: which appliance each flow is with.
type Flows struct {
	flows   map[key]flow
	cookies map[uint32]key
	next    uint32
	sweep   int // how many flows there are when dead ones are looked for
	inner   []byte
	outer   []byte
	options []byte
}

// minSweep is the least number of flows at which dead ones are looked for.
const minSweep = 1024

// FlowsAt returns the flows of a node's interface in the given life of its region, nil
// where it has none.
func FlowsAt(l *vpc.Live, nic *vpc.NetworkInterface) *Flows { return vpc.StateOf(l, nic.ID(), flowsOf) }

// Reset forgets all flows.
func (s *Flows) Reset() { *s = Flows{} }

// Len returns how many flows there are, those among them that idled out and were not
// looked for since.
func (s *Flows) Len() int { return len(s.flows) }

func (f *flow) alive(now, tcp time.Duration) bool {
	if f.tcp {
		return now < f.last+tcp
	}
	return now < f.last+IdleOther
}

// find returns a flow that lives. It does not allocate.
func (s *Flows) find(k key, now, tcp time.Duration) (flow, bool) {
	f, ok := s.flows[k]
	return f, ok && f.alive(now, tcp)
}

// begin remembers a new flow, with a cookie of its own. It allocates.
func (s *Flows) begin(k key, f flow, now, tcp time.Duration) flow {
	if s.flows == nil {
		s.flows, s.cookies, s.sweep = map[key]flow{}, map[uint32]key{}, minSweep
	}
	if was, ok := s.flows[k]; ok {
		delete(s.cookies, was.cookie)
	}
	for taken := true; taken; {
		s.next++
		_, taken = s.cookies[s.next]
	}
	f.cookie, f.last = s.next, now
	s.flows[k], s.cookies[f.cookie] = f, k
	if len(s.flows) > s.sweep {
		for k, f := range s.flows {
			if !f.alive(now, tcp) {
				delete(s.flows, k)
				delete(s.cookies, f.cookie)
			}
		}
		s.sweep = max(minSweep, 2*len(s.flows))
	}
	return f
}

// keep prolongs a flow. It does not allocate.
func (s *Flows) keep(k key, f flow, now time.Duration) {
	f.last = now
	s.flows[k] = f
}

// of returns the flow that a cookie was given to.
func (s *Flows) of(cookie uint32) (key, flow, bool) {
	k, ok := s.cookies[cookie]
	return k, s.flows[k], ok
}
