package main

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpctest"
)

// piece is what one end of a connection sends to the other each beat.
var piece = make([]byte, 100)

// stream is a TCP connection on which one end sends.
type stream struct {
	from, to *host.Conn
	sent     int
	got      int
	last     time.Duration // when bytes came last
	stall    time.Duration // the longest time in which none came
}

// open connects the client to a port of the server's; up says that the client sends.
func (s *stream) open(l *lab, port uint16, up bool) error {
	at := netip.AddrPortFrom(l.server.Addr, port)
	listener, err := l.server.ListenTCP(at, nil)
	if err != nil {
		return err
	}
	near, err := l.client.Dial(at)
	if err != nil {
		return err
	}
	far, err := listener.Accept(time.Second)
	if err != nil {
		return err
	}
	s.from, s.to = near, far
	if !up {
		s.from, s.to = far, near
	}
	s.to.OnReadable(func(c *host.Conn) {
		if n := len(c.Next()); n > 0 {
			now := l.world.Clock.Now()
			s.stall, s.last = max(s.stall, now-s.last), now
			s.got += n
		}
	})
	return nil
}

// start has the stream send until the traffic's end.
func (s *stream) start(l *lab, begin time.Duration) {
	s.last = begin
	var send clock.Func
	send = func() {
		n, _ := s.from.Write(piece) // a broken connection shows in outcome
		s.sent += n
		if l.world.Clock.Now()+beat < begin+traffic {
			l.world.Clock.Schedule(beat, send)
		}
	}
	l.world.Clock.Schedule(0, send)
}

// outcome says in words what became of the stream.
func (s *stream) outcome() string {
	switch {
	case errors.Is(s.from.Err(), host.ErrReset), errors.Is(s.to.Err(), host.ErrReset):
		return "reset"
	case s.from.Err() != nil:
		return "times out"
	case !s.survived():
		return "hangs"
	}
	return "stalls " + seconds(s.stall)
}

// survived reports whether every byte has come and its sender knows.
func (s *stream) survived() bool {
	return s.from.State() == host.Established && s.got == s.sent && s.sent == int(traffic/beat)*len(piece)
}

// drops counts packets that ended for one reason.
type drops struct {
	why trace.Reason
	n   int
}

// result is what one plan came to.
type result struct {
	pings, pingsLost int
	silence          time.Duration // from the death to the first echo reply, 0 where none came
	noticed          time.Duration // from the death to the controller's notice
	upload, download string
	alive            [2]bool // upload, download
	lost             int     // packets that the dead instance took
	dropped          []drops // others, since the death, by reason
}

// play has a plan happen and returns what it came to.
func play(t vpctest.TB, p plan) (result, error) {
	l, err := newLab(t, p)
	if err != nil {
		return result{}, err
	}
	if err := l.live(); err != nil {
		return result{}, err
	}
	r := result{
		pings: l.pings.Transmitted, pingsLost: l.pings.Transmitted - l.pings.Received,
		noticed: l.noticed - l.died,
		upload:  l.upload.outcome(), download: l.download.outcome(),
		alive: [2]bool{l.upload.survived(), l.download.survived()},
	}
	for _, reply := range l.pings.Replies {
		if reply.At > l.died+time.Millisecond { // else it was under way
			r.silence = reply.At - l.died
			break
		}
	}
	for _, w := range l.world.Trace().Walks() {
		switch end := w.End(); {
		case end == trace.Lost:
			r.lost++
		case end.IsDrop() && w.Start >= l.died:
			r.count(end)
		}
	}
	slices.SortFunc(r.dropped, func(a, b drops) int { return cmp.Compare(a.why, b.why) })
	return r, nil
}

func (r *result) count(why trace.Reason) {
	at := slices.IndexFunc(r.dropped, func(d drops) bool { return d.why == why })
	if at < 0 {
		r.dropped = append(r.dropped, drops{why, 1})
		return
	}
	r.dropped[at].n++
}
