package reach

import (
	"fmt"
	"slices"
)

// choice is one that the network made at random during a probe. Two alike in all but
// picked fall alike: a transit gateway in appliance mode sends both directions of a flow
// to one zone.
type choice struct {
	at, what string
	hash     uint32
	of       int
	picked   int
}

// String returns "zone 1 of 2 at tgw-attach-…".
func (c choice) String() string {
	return fmt.Sprintf("%s %d of %d at %s", c.what, c.picked+1, c.of, c.at)
}

// chooser makes choices in the network's place: those planned, then the first of each.
type chooser struct {
	plan []int
	made []choice
}

func (c *chooser) choose(at, what string, hash uint32, of int) int {
	for _, m := range c.made {
		if m.at == at && m.what == what && m.hash == hash && m.of == of {
			return m.picked
		}
	}
	m := choice{at: at, what: what, hash: hash, of: of}
	if n := len(c.made); n < len(c.plan) {
		m.picked = min(c.plan[n], of-1)
	}
	c.made = append(c.made, m)
	return m.picked
}

// next plans the choices after those made, the last one first, and reports whether
// there are any.
func (c *chooser) next() bool {
	for n := len(c.made) - 1; n >= 0; n-- {
		if m := c.made[n]; m.picked+1 < m.of {
			c.plan = make([]int, 0, n+1)
			for _, before := range c.made[:n] {
				c.plan = append(c.plan, before.picked)
			}
			c.plan = append(c.plan, m.picked+1)
			c.made = nil
			return true
		}
	}
	return false
}

// share is how likely the choices made are, if each is as likely as any other.
func (c *chooser) share() float64 {
	s := 1.0
	for _, m := range c.made {
		s /= float64(m.of)
	}
	return s
}

// words says what was chosen.
func (c *chooser) words() []string {
	words := make([]string, len(c.made))
	for i, m := range c.made {
		words[i] = m.String()
	}
	return slices.Compact(words)
}

// enumerate probes once for each outcome of the network's choices, from the same state.
func (p *Prober) enumerate(q Question) Result {
	var c chooser
	p.world.Engine.Choose = c.choose
	defer func() { p.world.Engine.Choose = nil }()
	var all []Outcome
	rest := 1.0
	for {
		r := p.once(q, nil)
		o := Outcome{Result: p.read(r), Share: c.share(), Choices: c.words()}
		if err := p.forget(p.world.Engine.Log.Walks()); err != nil {
			o.Result = Result{Observed: Unknown, Unknown: err.Error()}
		}
		all, rest = append(all, o), rest-o.Share
		if len(c.made) == 0 {
			return o.Result
		}
		if !c.next() {
			return merge(all, 0)
		}
		if len(all) == p.config.Outcomes {
			return merge(all, max(rest, 0))
		}
	}
}
