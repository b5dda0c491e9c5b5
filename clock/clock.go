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
//
// Most events are asked for in the order in which they come: deliveries take much the
// same time. Those stand in a row; only what comes before the row's last is in a heap.
type Clock struct {
	now  time.Duration
	seq  uint64
	row  []entry // in their order, those before next are over
	next int
	heap []entry // a binary heap, earliest first
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
	at, n := c.now+d, len(c.row)
	switch {
	case c.next == n:
		c.row, c.next = append(c.row[:0], entry{at, c.seq, e}), 0
	case at >= c.row[n-1].at:
		c.lineUp(entry{at, c.seq, e})
	default:
		c.heap = append(c.heap, entry{at, c.seq, e})
		c.up(len(c.heap) - 1)
	}
}

// lineUp puts an entry at the end of the row, in the place of those that are over where
// they are half of it.
func (c *Clock) lineUp(e entry) {
	if len(c.row) == cap(c.row) && 2*c.next >= len(c.row) {
		n := copy(c.row, c.row[c.next:])
		clear(c.row[n:])
		c.row, c.next = c.row[:n], 0
	}
	c.row = append(c.row, e)
}

// first returns the next entry, nil where nothing is to come.
func (c *Clock) first() *entry {
	var e *entry
	if c.next < len(c.row) {
		e = &c.row[c.next]
	}
	if len(c.heap) > 0 && (e == nil || c.heap[0].before(e)) {
		e = &c.heap[0]
	}
	return e
}

// drop takes out the entry that first returned.
func (c *Clock) drop(e *entry) {
	if len(c.heap) > 0 && e == &c.heap[0] {
		c.pop()
		return
	}
	e.event = nil // for the garbage collector
	c.next++
}

// Step runs the next event at its instant and reports whether there was one.
func (c *Clock) Step() bool {
	for e := c.first(); e != nil; e = c.first() {
		at, event, live := e.at, e.event, e.live()
		c.drop(e)
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
	for e := c.first(); e != nil; e = c.first() {
		if e.live() {
			return e.at, true
		}
		c.drop(e) // of a stopped timer: time does not move to where nothing happens
	}
	return 0, false
}

// pop takes the first entry out of the heap.
func (c *Clock) pop() {
	last := len(c.heap) - 1
	if last > 0 {
		c.heap[0] = c.heap[last]
	}
	c.heap[last] = entry{}
	c.heap = c.heap[:last]
	if last > 1 {
		c.down(0)
	}
}

func (c *Clock) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !c.heap[i].before(&c.heap[parent]) {
			return
		}
		c.heap[i], c.heap[parent] = c.heap[parent], c.heap[i]
		i = parent
	}
}

func (c *Clock) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(c.heap); child++ {
			if c.heap[child].before(&c.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		c.heap[i], c.heap[least] = c.heap[least], c.heap[i]
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
