// Package clock is simulated time: discrete events in a total order. An instant
// is a [time.Duration] since the simulation began; it never goes back and never
// moves but by running events. Nothing here reads real time.
//
// Events of one instant run in the order in which they were asked for, so a run
// is repeated exactly by the same calls. A Clock belongs to one goroutine.
package clock

import (
	"fmt"
	"time"
)

// Event is something that happens at an instant.
type Event interface{ Run() }

// Func is a function as an Event.
type Func func()

// Run calls f.
func (f Func) Run() { f() }

// Clock holds the present instant and the events to come. The zero Clock stands
// at 0 with nothing to come.
type Clock struct {
	now   time.Duration
	seq   uint64
	queue []entry // a binary heap, earliest first
}

type entry struct {
	at    time.Duration
	seq   uint64
	event Event // of a timer: its alarm, which must still be armed for seq
}

func (e *entry) before(f *entry) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

func (e *entry) live() bool {
	t, ok := e.event.(*alarm)
	return !ok || t.seq == e.seq
}

// Now returns the present instant.
func (c *Clock) Now() time.Duration { return c.now }

// Schedule has e run after d, behind everything already scheduled for that
// instant. A negative d panics: time never goes back. It allocates only where the
// queue grows.
func (c *Clock) Schedule(d time.Duration, e Event) {
	if d < 0 {
		panic(fmt.Sprintf("clock: event scheduled %v before now", -d))
	}
	c.seq++
	n := len(c.queue)
	c.queue = append(c.queue, entry{c.now + d, c.seq, e})
	if n > 0 {
		c.up(n)
	}
}

// Step runs the next event at its instant and reports whether there was one.
func (c *Clock) Step() bool {
	for len(c.queue) > 0 {
		e := &c.queue[0]
		at, event, live := e.at, e.event, e.live()
		c.pop()
		if !live { // stopped: time does not move to where nothing happens
			continue
		}
		c.now = at
		event.Run()
		return true
	}
	return false
}

// Run runs all events up to and at the instant limit, those that they schedule
// included, and then stands at limit. A limit in the past panics.
func (c *Clock) Run(limit time.Duration) {
	if limit < c.now {
		panic(fmt.Sprintf("clock: asked to run until %v, now is %v", limit, c.now))
	}
	for {
		at, ok := c.Next()
		if !ok || at > limit {
			break
		}
		c.Step()
	}
	c.now = limit
}

// RunUntil runs events until done reports true or none is left before limit, and
// returns what done reports at last. Time stands at the last event that ran.
func (c *Clock) RunUntil(limit time.Duration, done func() bool) bool {
	for !done() {
		at, ok := c.Next()
		if !ok || at > limit {
			return false
		}
		c.Step()
	}
	return true
}

// Next returns the instant of the next event, or false where nothing is to come.
func (c *Clock) Next() (at time.Duration, ok bool) {
	c.dropStopped()
	if len(c.queue) == 0 {
		return 0, false
	}
	return c.queue[0].at, true
}

// dropStopped takes events of stopped timers off the front, so that time does not
// move to an instant at which nothing happens.
func (c *Clock) dropStopped() {
	for len(c.queue) > 0 && !c.queue[0].live() {
		c.pop()
	}
}

// pop takes the first entry out of the heap.
func (c *Clock) pop() {
	last := len(c.queue) - 1
	if last > 0 {
		c.queue[0] = c.queue[last]
	}
	c.queue[last] = entry{}
	c.queue = c.queue[:last]
	if last > 1 {
		c.down(0)
	}
}

func (c *Clock) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !c.queue[i].before(&c.queue[parent]) {
			return
		}
		c.queue[i], c.queue[parent] = c.queue[parent], c.queue[i]
		i = parent
	}
}

func (c *Clock) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(c.queue); child++ {
			if c.queue[child].before(&c.queue[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		c.queue[i], c.queue[least] = c.queue[least], c.queue[i]
		i = least
	}
}

// Timer runs one event that may be put off or called off before it comes. Make
// one with [Clock.NewTimer].
type Timer struct {
	clock *Clock
	event Event
	seq   uint64 // of the armed entry, 0 while not armed
}

// NewTimer returns a timer for e, not armed.
func (c *Clock) NewTimer(e Event) *Timer { return &Timer{clock: c, event: e} }

// Reset arms the timer to run after d, whatever it was armed for before.
func (t *Timer) Reset(d time.Duration) {
	t.clock.Schedule(d, (*alarm)(t))
	t.seq = t.clock.seq
}

// alarm is a Timer as the event that it is in the queue.
type alarm Timer

// Run runs the timer's event, which may arm the timer again.
func (t *alarm) Run() {
	t.seq = 0
	t.event.Run()
}

// Stop calls the timer's event off and reports whether it was armed.
func (t *Timer) Stop() bool {
	armed := t.seq != 0
	t.seq = 0
	return armed
}

// Armed reports whether the event is still to come.
func (t *Timer) Armed() bool { return t.seq != 0 }
