package fault

import (
	"errors"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/eni"
)

// faults are the impairments of one port in force, the oldest first. A packet meets one
// after another until one takes it; delays add up.
type faults struct{ list []eni.Impairment }

// Impair asks one fault after another.
func (f *faults) Impair(at time.Duration, out bool) eni.Fate {
	var all eni.Fate
	for _, m := range f.list {
		one := m.Impair(at+all.Delay, out)
		if one.Lost != "" {
			return one
		}
		if one.Delay > all.Delay { // of several, the words are the worst one's
			all.Delayed = one.Delayed
		}
		all.Delay += one.Delay
	}
	return all
}

// befall puts an impairment on a port and returns what takes it off.
func befall(p *eni.Port, m eni.Impairment) (func() error, error) {
	f, ok := p.Impairment().(*faults)
	switch {
	case p.Impairment() == nil:
		f = &faults{}
		p.Impair(f)
	case !ok:
		return nil, errors.New("the interface has an impairment of another kind")
	}
	f.list = append(f.list, m)
	return func() error {
		f.list = slices.DeleteFunc(f.list, func(x eni.Impairment) bool { return x == m })
		if len(f.list) == 0 && p.Impairment() == eni.Impairment(f) {
			p.Impair(nil)
		}
		return nil
	}, nil
}
