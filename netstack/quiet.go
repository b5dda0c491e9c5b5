package netstack

import (
	"runtime/metrics"
	"time"
)

// started is when the process started. A bubble's time begins in the year 2000
// (package testing/synctest), before any process that knows of bubbles.
var started = time.Now().Round(0)

// inBubble reports whether the caller is in a bubble of testing/synctest.
func inBubble() bool { return time.Now().Round(0).Before(started) }

// quiet sees whether all goroutines of the process but the caller wait for
// something. The runtime calls its figures approximate: a goroutine that another
// processor is just passing on may be missed.
type quiet struct {
	samples []metrics.Sample
	outside uint64    // goroutines that stay in system calls: they wait for the outside
	since   time.Time // since when more than these are in system calls
}

// outsideAfter is how long a goroutine is in a system call until it counts as
// waiting for the outside: a line of a log is written in less.
const outsideAfter = time.Millisecond

// now reports whether the process is quiet. It costs about 150 ns and does not allocate.
func (q *quiet) now() bool {
	if q.samples == nil {
		q.samples = []metrics.Sample{
			{Name: "/sched/goroutines/running:goroutines"},
			{Name: "/sched/goroutines/runnable:goroutines"},
			{Name: "/sched/goroutines/not-in-go:goroutines"},
		}
	}
	metrics.Read(q.samples)
	running, runnable, away := q.samples[0].Value.Uint64(), q.samples[1].Value.Uint64(), q.samples[2].Value.Uint64()
	if running > 1 || runnable > 0 {
		q.since = time.Time{}
		return false
	}
	return !q.busyAway(away)
}

// busyAway reports whether one of the goroutines in system calls may be back soon.
func (q *quiet) busyAway(away uint64) bool {
	switch {
	case away <= q.outside:
		q.outside, q.since = away, time.Time{}
		return false
	case q.since.IsZero():
		q.since = time.Now()
	case time.Since(q.since) >= outsideAfter:
		q.outside = away
		return false
	}
	return true
}
