package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// How long, and for how many datagrams at once, later fragments may follow their
// first. AWS publishes neither; Linux reassembles for 30 seconds (ipfrag_time).
const (
	fragmentTime = 30 * time.Second
	fragmentMax  = 4096
)

// fragments remembers what the first fragments became, so that the later ones, which
// have no ports, become the same.
type fragments struct {
	known map[wire.FragmentKey]passage
	queue []arrival // oldest first, from head on
	head  int
}

// passage is what became of a first fragment, until when it is remembered.
type passage struct {
	src, dst wire.Addr
	until    time.Duration
}

type arrival struct {
	of    wire.FragmentKey
	until time.Duration
}

// remember notes what the first fragment with key k became: p.
func (s *fragments) remember(k wire.FragmentKey, p *wire.Packet, now time.Duration) {
	if s.known == nil {
		s.known = make(map[wire.FragmentKey]passage)
	}
	s.forget(now)
	until := now + fragmentTime
	s.known[k] = passage{p.Flow.Src, p.Flow.Dst, until}
	s.queue = append(s.queue, arrival{k, until})
}

// forget drops what is too old and, where there is no place, the oldest.
func (s *fragments) forget(now time.Duration) {
	for s.waiting() == fragmentMax || s.waiting() > 0 && s.queue[s.head].until <= now {
		a := &s.queue[s.head]
		if s.known[a.of].until == a.until { // not seen again since
			delete(s.known, a.of)
		}
		s.head++
	}
	if s.head > len(s.queue)/2 {
		s.queue = append(s.queue[:0], s.queue[s.head:]...)
		s.head = 0
	}
}

func (s *fragments) waiting() int { return len(s.queue) - s.head }

// follow translates a later fragment as its first one was.
func (s *fragments) follow(p *wire.Packet, now time.Duration) Verdict {
	k, _ := p.FragmentKey()
	to, ok := s.known[k]
	if !ok || to.until <= now {
		return FragmentBeforeFirst
	}
	p.SetSrc(to.src, 0)
	p.SetDst(to.dst, 0)
	return Translated
}
