package netstack

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/vpcsim/vpcsim/clock"
)

// socket is what connections and listeners have in common. gVisor's own adapter to
// package net calls the stack from any goroutine at any time and measures deadlines
// in real time; here calls are made in the pump, and deadlines are the clock's.
type socket struct {
	guest   *Guest
	network string // "tcp" or "udp"
	ep      tcpip.Endpoint
	queue   *waiter.Queue
	closed  chan struct{}
	once    sync.Once
	read    deadline
	write   deadline
	writing chan struct{} // holds one token while a Write is under way

	local, remote net.Addr // as they were when the socket was bound or connected
}

func (g *Guest) newSocket(network string, ep tcpip.Endpoint, queue *waiter.Queue) *socket {
	s := &socket{
		guest: g, network: network, ep: ep, queue: queue,
		closed: make(chan struct{}), writing: make(chan struct{}, 1),
	}
	s.read.passed, s.write.passed = make(chan struct{}), make(chan struct{})
	return s
}

// deadline is an instant from which calls fail. It belongs to the pump.
type deadline struct {
	timer  *clock.Timer
	passed chan struct{} // closed when it has
}

// set moves the deadline to t, by package time's distance. The zero Time is never.
func (s *socket) set(d *deadline, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if isClosed(d.passed) {
		d.passed = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	passed := d.passed
	pass := func() {
		s.guest.pump.dirty.Store(true)
		close(passed)
	}
	left := time.Until(t)
	if left <= 0 {
		pass()
		return
	}
	d.timer = s.guest.pump.newTimer(pass)
	d.timer.Reset(left)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// SetDeadline sets the read and the write deadline: as long from now on the
// simulated clock as t is away by package time. The zero Time is none.
func (s *socket) SetDeadline(t time.Time) error { return s.setDeadlines(t, &s.read, &s.write) }

// SetReadDeadline sets the deadline of reads as SetDeadline does.
func (s *socket) SetReadDeadline(t time.Time) error { return s.setDeadlines(t, &s.read) }

// SetWriteDeadline sets the deadline of writes as SetDeadline does.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.setDeadlines(t, &s.write) }

func (s *socket) setDeadlines(t time.Time, deadlines ...*deadline) error {
	if s.isClosed() {
		return s.errorOf("set", net.ErrClosed)
	}
	s.guest.pump.Do(func() {
		for _, d := range deadlines {
			s.set(d, t)
		}
	})
	return nil
}

func (s *socket) isClosed() bool { return isClosed(s.closed) || isClosed(s.guest.down) }

// Close closes the socket; calls that wait fail with net.ErrClosed. What was written
// is still sent. A second Close fails with net.ErrClosed.
func (s *socket) Close() error {
	err := error(s.errorOf("close", net.ErrClosed))
	s.once.Do(func() {
		err = nil
		s.guest.pump.Do(func() {
			close(s.closed)
			s.set(&s.read, time.Time{})
			s.set(&s.write, time.Time{})
			s.guest.inside(s.ep.Close)
		})
	})
	return err
}

// wait is a call that found nothing to do, in the socket's queue.
type wait struct {
	pump  *Pump
	ready chan struct{}
}

// NotifyEvent wakes the caller.
func (w *wait) NotifyEvent(waiter.EventMask) {
	w.pump.dirty.Store(true)
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// await calls try in the pump until it is not ErrWouldBlock, and in between waits
// for events of the mask. call is Linux's name for what it does.
func (s *socket) await(call string, mask waiter.EventMask, d *deadline, try func() tcpip.Error) error {
	var w *wait
	var entry waiter.Entry
	for {
		var terr tcpip.Error
		var passed chan struct{}
		var err error
		s.guest.call(func() {
			passed = d.passed
			if err = s.barred(passed); err != nil {
				return
			}
			terr = try()
			if _, block := terr.(*tcpip.ErrWouldBlock); block && w == nil {
				w = &wait{s.guest.pump, make(chan struct{}, 1)}
				entry.Init(w, mask|waiter.EventErr|waiter.EventHUp)
				s.queue.EventRegister(&entry)
			}
		})
		if passed == nil {
			err = net.ErrClosed // the guest is shut down: nothing was called
		}
		if _, block := terr.(*tcpip.ErrWouldBlock); !block || err != nil {
			if w != nil {
				s.guest.call(func() { s.queue.EventUnregister(&entry) })
			}
			if err == nil && terr != nil {
				err = failure(call, terr)
			}
			return err
		}
		select {
		case <-w.ready:
		case <-passed:
		case <-s.closed:
		case <-s.guest.down:
		}
	}
}

// barred returns why nothing is to be called: closed, or the deadline has passed.
func (s *socket) barred(passed <-chan struct{}) error {
	switch {
	case s.isClosed():
		return net.ErrClosed
	case isClosed(passed):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// hold takes the turn to write, which it reports; the caller gives it back.
func (s *socket) hold() error {
	for {
		var passed chan struct{}
		s.guest.pump.Do(func() { passed = s.write.passed })
		if err := s.barred(passed); err != nil {
			return err
		}
		select {
		case s.writing <- struct{}{}:
			return nil
		case <-passed:
		case <-s.closed:
		case <-s.guest.down:
		}
	}
}

// LocalAddr returns the socket's own address.
func (s *socket) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the peer's address, nil where there is none.
func (s *socket) RemoteAddr() net.Addr { return s.remote }

// learnAddrs keeps the addresses, in the pump: asking gVisor for them takes the
// endpoint from its workers, and it knows no peer of a connection that was reset.
func (s *socket) learnAddrs(peer netip.AddrPort) {
	if a, err := s.ep.GetLocalAddress(); err == nil {
		s.local = netAddr(s.network, addrPort(a))
	}
	if peer.IsValid() {
		s.remote = netAddr(s.network, peer)
	}
}

func addrPort(a tcpip.FullAddress) netip.AddrPort {
	return netip.AddrPortFrom(netipAddr(a.Addr), a.Port)
}

func netAddr(network string, a netip.AddrPort) net.Addr {
	if network == "udp" {
		return net.UDPAddrFromAddrPort(a)
	}
	return net.TCPAddrFromAddrPort(a)
}

// errorOf dresses an error as package net does.
func (s *socket) errorOf(op string, err error) *net.OpError {
	return &net.OpError{Op: op, Net: s.network, Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}
