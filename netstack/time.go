package netstack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/vpcsim/vpcsim/clock"
)

// epoch is what a guest's wall clock shows at the instant 0.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// guestClock is the engine's clock as gVisor's stack sees it: timers of one instant
// fire in the order in which they were set. gVisor calls it from within a call of
// the guest only; where its workers do, several may at once.
type guestClock struct{ guest *Guest }

// Now returns the guest's wall clock.
func (c guestClock) Now() time.Time { return epoch.Add(c.guest.pump.clock.Now()) }

// NowMonotonic returns the time since the simulation began.
func (c guestClock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(c.guest.pump.clock.Now())
}

// AfterFunc calls f as an event, at an instant of its own.
func (c guestClock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	g := c.guest
	t := &guestTimer{guest: g, timer: g.pump.newTimer(func() { g.inside(f) })}
	t.Reset(d)
	return t
}

type guestTimer struct {
	guest *Guest
	timer *clock.Timer
}

// Stop calls the event off and reports whether it was still to come.
func (t *guestTimer) Stop() bool {
	t.guest.workers.Lock()
	defer t.guest.workers.Unlock()
	return t.timer.Stop()
}

// Reset has the event come after d.
func (t *guestTimer) Reset(d time.Duration) {
	t.guest.workers.Lock()
	defer t.guest.workers.Unlock()
	t.timer.Reset(max(d, 0))
}
