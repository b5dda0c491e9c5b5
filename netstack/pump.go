package netstack

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
)

// Pump runs the simulated time of one engine for goroutines that wait in sockets,
// and keeps them and the engine apart: whoever is in a call of a guest, in [Pump.Do]
// or in an event has the engine to itself. Make one with [NewPump].
type Pump struct {
	engine *dataplane.Engine
	clock  *clock.Clock
	paced  bool          // by package time, which in a bubble is simulated too
	wake   chan struct{} // something is to come before what the pump sleeps for
	done   chan struct{}
	ended  chan struct{}

	mu      sync.Mutex
	origin  time.Time     // the instant 0 of the clock in package time, while paced
	asleep  bool          // the pump waits for wake
	planned time.Duration // the instant for which it sleeps, while asleep
	slot    time.Duration // the last instant at which something reached a guest
	guests  []*Guest
	closed  bool

	dirty atomic.Bool // somebody was woken, or has called, since all were seen to wait
	quiet quiet
}

// PumpConfig says how a pump drives. The zero value will do.
type PumpConfig struct {
	// RealTime has simulated time go as package time goes, for a network that other
	// programs are connected to. In a bubble it always does.
	RealTime bool
}

const never time.Duration = 1<<63 - 1

// NewPump starts a pump for an engine: from now on the engine, its clock and
// everything on it may be touched in [Pump.Do] only. There must be one pump an
// engine. It runs one goroutine until it is closed. In a bubble it must be made in
// the bubble, and the guests with it.
func NewPump(e *dataplane.Engine, c PumpConfig) *Pump {
	p := &Pump{
		engine: e, clock: e.Clock, paced: c.RealTime || inBubble(),
		wake: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{}),
		origin: time.Now().Add(-e.Clock.Now()), slot: -1,
	}
	go p.run()
	return p
}

// Do calls f while no socket, guest or event is at work: the place for everything
// that is said to belong to the engine's goroutine. f may run the clock, as
// host.Ping does. It must not call Do, nor a socket.
func (p *Pump) Do(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty.Store(true)
	p.catchUp()
	f()
	p.catchUp()
	p.rouse()
}

// Go starts a goroutine that simulated time waits for, until it waits itself, as for one
// that a socket has woken. Unlike Do it may be called in an event of the clock.
func (p *Pump) Go(f func()) {
	p.dirty.Store(true)
	go f()
}

// Now returns the clock's present instant.
func (p *Pump) Now() (now time.Duration) {
	p.Do(func() { now = p.clock.Now() })
	return now
}

// Sleep waits until d of simulated time has passed, or the pump is closed. In a
// bubble time.Sleep does the same.
func (p *Pump) Sleep(d time.Duration) {
	woken := make(chan struct{})
	p.Do(func() {
		p.newTimer(func() {
			p.dirty.Store(true)
			close(woken)
		}).Reset(max(d, 0))
	})
	select {
	case <-woken:
	case <-p.done:
	}
}

// Close shuts all guests down, in the order in which they were made, stops the
// pump and returns when its goroutine has ended. A second Close does nothing.
func (p *Pump) Close() error {
	p.Do(func() {
		for _, g := range p.guests {
			g.shutDown()
		}
		p.guests = nil
		if !p.closed {
			p.closed = true
			close(p.done)
		}
	})
	<-p.ended
	return nil
}

// catchUp moves the clock to package time, where that is what paces it; where f has
// run the clock ahead, package time counts from there.
func (p *Pump) catchUp() {
	if !p.paced {
		return
	}
	now := time.Since(p.origin)
	if ahead := p.clock.Now() - now; ahead > 0 {
		p.origin = p.origin.Add(-ahead)
		return
	}
	p.clock.Run(now)
}

// rouse wakes the pump where something is to come earlier than it expects.
func (p *Pump) rouse() {
	at, ok := p.clock.Next()
	if !p.asleep || !ok || at >= p.planned {
		return
	}
	p.asleep = false
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the pump's goroutine.
func (p *Pump) run() {
	defer close(p.ended)
	alarm := time.NewTimer(never)
	alarm.Stop()
	defer alarm.Stop()
	for {
		gap := p.gap()
		force := false
		switch {
		case gap == never || p.paced && gap > 0:
			if gap != never { // else a bubble in which all wait is to see that
				alarm.Reset(gap)
			}
			select {
			case <-alarm.C:
			case <-p.wake:
				alarm.Stop()
			case <-p.done:
				return
			}
		case !p.paced:
			force = p.settle(gap)
		}
		if !p.step(force) {
			return
		}
	}
}

// gap returns how long it is until the next event, never where there is none.
func (p *Pump) gap() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.clock.Next()
	if !ok {
		p.asleep, p.planned = true, never
		return never
	}
	if !p.paced {
		return at - p.clock.Now()
	}
	p.asleep, p.planned = true, at
	return max(at-time.Since(p.origin), 0)
}

// step runs the next event where it is time for it, and reports false where the
// pump is closed.
func (p *Pump) step(force bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asleep = false
	at, ok := p.clock.Next()
	if ok && !p.closed && (p.paced && at <= time.Since(p.origin) || !p.paced && (force || !p.dirty.Load())) {
		p.clock.Step()
	}
	return !p.closed
}

// leastPatience is how long a pump that is not paced waits at least for the process
// to be quiet. What a woken goroutine does between two socket calls is far below.
const leastPatience = 200 * time.Microsecond

// settle waits until all goroutines of the process wait, or until as much real time
// has passed as the next event is away: while anything runs, simulated time is not
// faster than real time. It reports whether the latter was the case.
func (p *Pump) settle(gap time.Duration) (impatient bool) {
	if !p.dirty.Load() {
		return false
	}
	patience, start := max(gap, leastPatience), time.Now()
	for n := 0; ; n++ {
		p.dirty.Store(false)
		if p.quiet.now() && !p.dirty.Load() {
			return false
		}
		p.dirty.Store(true)
		if time.Since(start) >= patience {
			return true
		}
		if n < 100 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// reserve gives what is about to reach a guest an instant of its own: 0 says that
// it is the present one. So whoever is woken by it has done what it does before the
// next comes, and the order is not one of goroutines.
func (p *Pump) reserve() time.Duration {
	now := p.clock.Now()
	p.slot = max(p.slot+1, now)
	return p.slot - now
}

// lone is an event that runs at an instant of its own.
type lone struct {
	pump     *Pump
	timer    *clock.Timer
	f        func()
	reserved bool
}

// newTimer returns a timer for f, not armed, that lets f have an instant of its own.
func (p *Pump) newTimer(f func()) *clock.Timer {
	l := &lone{pump: p, f: f}
	l.timer = p.clock.NewTimer(l)
	return l.timer
}

// Run calls f, now or at the instant reserved for it.
func (l *lone) Run() {
	if !l.reserved {
		if wait := l.pump.reserve(); wait > 0 {
			l.reserved = true
			l.timer.Reset(wait)
			return
		}
	}
	l.reserved = false
	l.f()
}
