package health

import (
	"errors"
	"fmt"
	"time"

	"github.com/vpcsim/vpcsim/clock"
)

// Probe asks its target once. It calls done, at once or later and one time only, with
// nil or with why the target failed, and returns what gives the attempt up: done may
// come after that too, and does not count then. timeout is how long its asker waits.
type Probe func(timeout time.Duration, done func(error)) (stop func())

// ErrTimeout is the failure of a target that does not answer in time.
var ErrTimeout = errors.New("no answer in time")

// State is what the checks have found so far. The zero State is none.
type State uint8

// The states of a target.
const (
	_ State = iota
	// Initial: not enough checks yet to tell.
	Initial
	// Healthy: it answers.
	Healthy
	// Unhealthy: it has failed as many checks in a row as the threshold says.
	Unhealthy
)

// String returns the state in Elastic Load Balancing's words (TargetHealth, State).
func (s State) String() string {
	if s <= Unhealthy {
		return [...]string{"none", "initial", "healthy", "unhealthy"}[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Config says how a target is checked. The zero Config is an Application Load
// Balancer's, without callbacks; see [ALB].
type Config struct {
	// Interval is the time from the start of one check to the next; 0 is 30 s.
	Interval time.Duration
	// Timeout is how long an answer may take, at most Interval; 0 is 5 s.
	Timeout time.Duration
	// HealthyThreshold is how many successes in a row make an unhealthy target healthy;
	// 0 is 5. A new target needs one (ALB guide, "Health checks").
	HealthyThreshold int
	// UnhealthyThreshold is how many failures in a row make a target unhealthy; 0 is 2.
	UnhealthyThreshold int
	// OnHealthy is called when the target becomes healthy, the first time too.
	OnHealthy func()
	// OnUnhealthy is called when the target becomes unhealthy, with the last failure.
	// It may change the network, and stop the check.
	OnUnhealthy func(why error)
}

// ALB returns the defaults of an Application Load Balancer: 30 s, 5 s, 5 and 2 (ALB
// guide, "Health checks for Application Load Balancer target groups").
func ALB() Config {
	return Config{Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2}
}

// NLB returns the defaults of a Network Load Balancer that checks by TCP: 30 s, 10 s, 5
// and 2; by HTTP the timeout is 6 s (NLB guide, "Health checks for Network Load
// Balancer target groups").
func NLB() Config {
	return Config{Interval: 30 * time.Second, Timeout: 10 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2}
}

// GWLB returns the defaults of a Gateway Load Balancer, which checks TCP port 80: 10 s,
// 5 s, 5 and 2 (GWLB guide, "Health checks for Gateway Load Balancer target groups").
func GWLB() Config {
	return Config{Interval: 10 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 5, UnhealthyThreshold: 2}
}

// CLB returns the defaults of a Classic Load Balancer: 30 s, 5 s, 10 and 2 (CLB guide,
// "Health checks for the instances for your Classic Load Balancer").
func CLB() Config {
	return Config{Interval: 30 * time.Second, Timeout: 5 * time.Second, HealthyThreshold: 10, UnhealthyThreshold: 2}
}

func (c Config) withDefaults() Config {
	d := ALB()
	if c.Interval == 0 {
		c.Interval = d.Interval
	}
	if c.Timeout == 0 {
		c.Timeout = min(d.Timeout, c.Interval)
	}
	if c.HealthyThreshold == 0 {
		c.HealthyThreshold = d.HealthyThreshold
	}
	if c.UnhealthyThreshold == 0 {
		c.UnhealthyThreshold = d.UnhealthyThreshold
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.Interval < 0:
		return fmt.Errorf("health: interval %v is negative", c.Interval)
	case c.Timeout < 0 || c.Timeout > c.Interval:
		return fmt.Errorf("health: timeout %v is not in 0 to the interval, %v", c.Timeout, c.Interval)
	case c.HealthyThreshold < 0 || c.UnhealthyThreshold < 0:
		return fmt.Errorf("health: thresholds %d and %d: expected none below 0", c.HealthyThreshold, c.UnhealthyThreshold)
	}
	return nil
}

// Check is the checking of one target, from Start to Stop. It belongs to the clock's
// goroutine.
type Check struct {
	probe    Probe
	config   Config
	state    State
	streak   int // of equal results, failures below 0
	last     error
	done     int
	failed   int
	current  *attempt
	next     *clock.Timer
	deadline *clock.Timer
	stopped  bool
}

// attempt is one probe under way.
type attempt struct {
	over bool
	stop func()
}

// Start begins to check a target, the first time in an event of the present instant.
// It refuses a Config that makes no sense.
func Start(k *clock.Clock, p Probe, c Config) (*Check, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	x := &Check{probe: p, config: c, state: Initial}
	x.next = k.NewTimer(clock.Func(x.ask))
	x.deadline = k.NewTimer(clock.Func(func() {
		if a := x.current; a != nil {
			x.finish(a, ErrTimeout)
			a.stop()
		}
	}))
	x.next.Reset(0)
	return x, nil
}

// ask begins one attempt and sets the time for the next.
func (x *Check) ask() {
	a := &attempt{}
	x.current = a
	x.deadline.Reset(x.config.Timeout) // first: it may fall on the instant of the next check
	x.next.Reset(x.config.Interval)
	a.stop = x.probe(x.config.Timeout, func(err error) { x.finish(a, err) })
}

// finish takes an attempt's result, the first that it has.
func (x *Check) finish(a *attempt, err error) {
	if a.over || x.stopped {
		return
	}
	a.over, x.current = true, nil
	x.deadline.Stop()
	x.done++
	x.last = err
	if err != nil {
		x.failed++
		x.streak = min(x.streak, 0) - 1
	} else {
		x.streak = max(x.streak, 0) + 1
	}
	x.judge()
}

// judge changes the state where the last results are reason enough.
func (x *Check) judge() {
	enough := x.config.HealthyThreshold
	if x.state == Initial {
		enough = 1
	}
	switch {
	case x.state != Healthy && x.streak >= enough:
		x.state = Healthy
		if x.config.OnHealthy != nil {
			x.config.OnHealthy()
		}
	case x.state != Unhealthy && -x.streak >= x.config.UnhealthyThreshold:
		x.state = Unhealthy
		if x.config.OnUnhealthy != nil {
			x.config.OnUnhealthy(x.last)
		}
	}
}

// Stop ends the checking, an attempt under way included. The state stays.
func (x *Check) Stop() {
	x.stopped = true
	x.next.Stop()
	x.deadline.Stop()
	if a := x.current; a != nil {
		x.current = nil
		if a.stop != nil {
			a.stop()
		}
	}
}

// State returns what the checks have found so far.
func (x *Check) State() State { return x.state }

// Last returns the result of the last check, nil for a success and where there was none.
func (x *Check) Last() error { return x.last }

// Counts returns how many checks have come to a result, and how many of them failed.
func (x *Check) Counts() (done, failed int) { return x.done, x.failed }
