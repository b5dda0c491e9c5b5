package filter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// slowFlow is a flow as one would note it on paper: the packet that began it, what
// happened, and when the last packet passed.
type slowFlow struct {
	dir    filter.Direction
	first  wire.Flow
	state  string // of TCP
	turns  int    // of UDP: how often the side that speaks changed
	theirs bool   // the last to speak was not the opener
	last   time.Duration
}

func (f *slowFlow) idle() time.Duration {
	seconds := map[string]int{"syn": 120, "syn-ack": 60, "established": 432_000, "closing": 120, "closed": 10}[f.state]
	switch f.first.Proto {
	case wire.ProtoTCP:
		return time.Duration(seconds) * time.Second
	case wire.ProtoUDP:
		if f.turns >= 3 {
			return 180 * time.Second
		}
		return 30 * time.Second
	case wire.ProtoICMP, wire.ProtoICMPv6:
		return 30 * time.Second
	}
	return 600 * time.Second
}

// slowTracker is a list of flows and, by their addresses, of datagrams in parts.
type slowTracker struct {
	flows []*slowFlow
	parts map[slowPart]time.Duration
}

type slowPart struct {
	dir      filter.Direction
	src, dst wire.Addr
	proto    wire.Proto
}

func partOf(d filter.Direction, f wire.Flow) slowPart { return slowPart{d, f.Src, f.Dst, f.Proto} }

func (t *slowTracker) find(d filter.Direction, f wire.Flow, now time.Duration) *slowFlow {
	for _, x := range t.flows {
		same := x.dir == d && x.first == f || x.dir != d && x.first == f.Reverse()
		if same && now-x.last < x.idle() {
			return x
		}
	}
	return nil
}

func (t *slowTracker) knows(d filter.Direction, p *wire.Packet, now time.Duration) bool {
	if p.Fragment == wire.LaterFragment {
		began, ok := t.parts[partOf(d, p.Flow)]
		return ok && now-began < 30*time.Second
	}
	if q, ok := p.Inner(); ok {
		if q.Fragment == wire.LaterFragment {
			began, ok := t.parts[partOf(d.Reverse(), q.Flow)]
			return ok && now-began < 30*time.Second && q.Flow.Src == p.Flow.Dst
		}
		return q.Flow.Src == p.Flow.Dst && t.find(d.Reverse(), q.Flow, now) != nil
	}
	f := t.find(d, p.Flow, now)
	if f == nil || !f.pass(d == f.dir, p.Flags) {
		return false
	}
	f.last = now
	if p.Fragment == wire.FirstFragment {
		t.parts[partOf(d, p.Flow)] = now
	}
	return true
}

// pass notes a packet and reports whether it belongs to the flow.
func (f *slowFlow) pass(ours bool, flags wire.TCPFlags) bool {
	if ours == f.theirs {
		f.turns++
		f.theirs = !ours
	}
	if f.first.Proto != wire.ProtoTCP {
		return true
	}
	over := f.state == "closing" || f.state == "closed"
	if over && flags.Has(wire.SYN) && !flags.Has(wire.ACK) && !flags.Has(wire.RST) {
		return false
	}
	if flags.Has(wire.RST) {
		f.state = "closed"
	}
	if f.state == "closed" {
		return true
	}
	if flags.Has(wire.FIN) {
		f.state = "closing"
	}
	if f.state == "syn" && !ours && flags.Has(wire.SYN) {
		f.state = "syn-ack"
	}
	if f.state == "syn-ack" && ours && flags.Has(wire.ACK) && !flags.Has(wire.SYN) {
		f.state = "established"
	}
	return true
}

func (t *slowTracker) admit(d filter.Direction, p *wire.Packet, now time.Duration) {
	switch {
	case p.Fragment == wire.LaterFragment:
		return
	case p.Flow.Proto == wire.ProtoTCP && p.Flags != wire.SYN:
		return
	case p.Flow.Proto == wire.ProtoICMP || p.Flow.Proto == wire.ProtoICMPv6:
		if !p.IsRequest() {
			return
		}
	}
	if p.Fragment == wire.FirstFragment {
		t.parts[partOf(d, p.Flow)] = now
	}
	f := &slowFlow{dir: d, first: p.Flow, state: "syn", last: now}
	for i, x := range t.flows {
		if x.dir == d && x.first == p.Flow || x.dir != d && x.first == p.Flow.Reverse() {
			t.flows[i] = f
			return
		}
	}
	t.flows = append(t.flows, f)
}

func TestTrackerKnowsWhatTheListKnows(t *testing.T) {
	waits := []time.Duration{0, 0, 0, 0, 0, 1, time.Second, 9 * time.Second, 10 * time.Second, 29 * time.Second,
		30 * time.Second, 59 * time.Second, 61 * time.Second, 119 * time.Second, 181 * time.Second, 599 * time.Second, 431_999 * time.Second}
	count := map[string]int{}
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		fast := filter.NewTracker(filter.TrackerConfig{Seed: seed})
		slow := &slowTracker{parts: map[slowPart]time.Duration{}}
		now := time.Duration(0)
		recent := []spec{randomSpec(rng)}
		for range 400 {
			if rng.IntN(3) == 0 {
				now += pick(rng, waits...)
			}
			s, d := nextSpec(t, rng, recent), pick(rng, in, out)
			recent = append(recent, s)
			p := s.read(t)
			want := slow.knows(d, p, now)
			require.Equal(t, want, fast.Knows(d, p, now), "seed %d: %v %v %+v", seed, now, d, s)
			if want {
				count["known "+p.Flow.Proto.String()]++
			}
			if want && p.IsError() {
				count["related"]++
			}
			if !want && rng.IntN(2) == 0 {
				require.True(t, fast.Admit(d, p, now))
				slow.admit(d, p, now)
			}
		}
	}
	for _, what := range []string{"known tcp", "known udp", "known icmp", "known icmpv6", "known gre", "related"} {
		require.Greater(t, count[what], 100, what)
	}
}

// nextSpec returns mostly a packet that belongs to a recent one in some way.
func nextSpec(t *testing.T, rng *rand.Rand, recent []spec) spec {
	s := recent[len(recent)-1-rng.IntN(min(8, len(recent)))]
	icmp := s.proto == wire.ProtoICMP || s.proto == wire.ProtoICMPv6
	fresh := randomSpec(rng)
	switch n := rng.IntN(10); {
	case n < 2 || s.quotes != nil:
		return fresh
	case n == 2 && s.part != wire.FirstFragment:
		q := s.read(t)
		e := spec{src: pick(rng, s.dst, fresh.src), dst: s.src, proto: wire.ProtoICMP, typ: 3, quotes: q.Bytes()}
		if !q.Is4() {
			e.proto, e.typ = wire.ProtoICMPv6, 1
		}
		if (addr(e.src).Is4()) != q.Is4() {
			e.src = s.dst
		}
		return e
	case n < 7:
		s = back(s, fresh.flags)
		if icmp {
			s.sport, s.dport = s.dport, s.sport
			s.typ = map[uint8]uint8{8: 0, 0: 8, 13: 14, 14: 13, 128: 129, 129: 128}[s.typ]
		}
		return s
	case n == 7:
		s.part = fresh.part
		return s
	}
	s.flags = fresh.flags
	return s
}
