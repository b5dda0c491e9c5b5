package fault

import (
	"errors"
	"fmt"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/world"
)

// Fault is something that goes wrong: [InstanceDies], [InterfaceDetached], [Link] or
// [ZoneCutOff].
type Fault interface {
	// String returns the fault in the words of traces, such as "instance a is dead".
	String() string
	// begin makes it happen and returns what undoes it. Refused, it has changed nothing.
	begin(w *world.World) (heal func() error, err error)
}

// Ongoing is a fault that was asked for: to come, in force or over.
type Ongoing struct {
	world *world.World
	fault Fault
	heal  func() error // nil unless in force
	timer *clock.Timer // of a beginning to come
	err   error
}

// Begin makes a fault happen now. It refuses what makes no sense at the moment, such
// as the death of a dead instance, and then nothing has changed.
func Begin(w *world.World, f Fault) (*Ongoing, error) {
	o := &Ongoing{world: w, fault: f}
	if o.begin(); o.err != nil {
		return nil, o.err
	}
	return o, nil
}

// BeginAt makes a fault happen at an instant of simulated time, behind what else is
// to happen then. It refuses an instant that is past. What is wrong with the fault
// shows at that instant: see [Ongoing.Err].
func BeginAt(w *world.World, at time.Duration, f Fault) (*Ongoing, error) {
	o := &Ongoing{world: w, fault: f}
	o.timer = w.Clock.NewTimer(clock.Func(o.begin))
	now := w.Clock.Now()
	if at < now {
		return nil, fmt.Errorf("fault: %s: it can't begin at %v, now is %v", f, at, now)
	}
	o.timer.Reset(at - now)
	return o, nil
}

func (o *Ongoing) begin() {
	var err error
	if o.heal, err = o.fault.begin(o.world); err != nil {
		o.err = fmt.Errorf("fault: %s: %w", o.fault, err)
	}
}

// String returns the fault's words.
func (o *Ongoing) String() string { return o.fault.String() }

// InForce reports whether the fault has begun and is not healed.
func (o *Ongoing) InForce() bool { return o.heal != nil }

// Err returns why the fault could not begin, or be healed, at its time; nil where it could.
func (o *Ongoing) Err() error { return o.err }

// Heal undoes the fault now, or calls it off where it is still to come. One that is
// over already is left alone. What could not be undone stays in force.
func (o *Ongoing) Heal() error {
	if o.timer != nil {
		o.timer.Stop()
	}
	if o.heal == nil {
		return nil
	}
	if err := o.heal(); err != nil {
		return fmt.Errorf("fault: %s: it can't be healed: %w", o.fault, err)
	}
	o.heal = nil
	return nil
}

// HealAt heals the fault at an instant of simulated time. It refuses an instant that
// is past. What goes wrong then is told by [Ongoing.Err].
func (o *Ongoing) HealAt(at time.Duration) error {
	now := o.world.Clock.Now()
	if at < now {
		return fmt.Errorf("fault: %s: it can't be healed at %v, now is %v", o.fault, at, now)
	}
	o.world.Clock.Schedule(at-now, clock.Func(func() { o.err = errors.Join(o.err, o.Heal()) }))
	return nil
}
