package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/dataplane"
)

// choice is one that the network made at random during a probe. Two alike in all but
// picked fall alike: a transit gateway in appliance mode sends both directions of a flow
// to one zone.
type choice struct {
	at, what string
	hash     uint32
	of       int
	picked   int
	same     int // how many from picked on are one and the same
	options  dataplane.Options
	name     string // of what was picked
}

// String returns "zone us-east-1a (1 of 2) at tgw-attach-…".
func (c choice) String() string {
	text := c.what + " " + c.name
	if c.of > 1 {
		text += " (" + c.part() + ")"
	}
	if c.at != "" {
		text += " at " + c.at
	}
	return text
}

// part says which of the options it is: "1 of 2"; "90 of 100" of one with that weight.
func (c choice) part() string {
	if c.same > 1 {
		return fmt.Sprintf("weight %d of %d", c.same, c.of)
	}
	return fmt.Sprintf("%d of %d", c.picked+1, c.of)
}

// call names what was picked: by its Name tag too, where it has one.
func (c *choice) call(p *Prober) {
	if c.options == nil {
		return
	}
	c.at = p.called(c.at)
	id, detail := c.options.Option(c.picked)
	c.name = strings.TrimSpace(p.called(id) + " " + detail)
}

// called returns an id with the name of the resource that it is of: "web (i-…)".
func (p *Prober) called(id string) string {
	if x := p.resource(id); x != nil {
		return display(id, labelOf(x))
	}
	return display(id, "")
}

// chooser makes choices in the network's place: those planned, then the first of each.
type chooser struct {
	prober *Prober
	plan   []int
	made   []choice
}

func (c *chooser) choose(at, what string, hash uint32, of int, options dataplane.Options) int {
	for _, m := range c.made {
		if m.at == at && m.what == what && m.hash == hash && m.of == of {
			return m.picked
		}
	}
	m := choice{at: at, what: what, hash: hash, of: of, same: 1, options: options}
	if n := len(c.made); n < len(c.plan) {
		m.picked = min(c.plan[n], of-1)
	}
	if w, ok := options.(interface{ Same(i int) int }); ok {
		m.same = w.Same(m.picked)
	}
	c.made = append(c.made, m)
	return m.picked
}

// next plans the choices after those made, the last one first, and reports whether
// there are any.
func (c *chooser) next() bool {
	for n := len(c.made) - 1; n >= 0; n-- {
		if m := c.made[n]; m.picked+m.same < m.of {
			c.plan = make([]int, 0, n+1)
			for _, before := range c.made[:n] {
				c.plan = append(c.plan, before.picked)
			}
			c.plan = append(c.plan, m.picked+m.same)
			c.made = nil
			return true
		}
	}
	return false
}

// share is how likely the choices made are, if each is as likely as any other but for
// weights.
func (c *chooser) share() float64 {
	s := 1.0
	for _, m := range c.made {
		s *= float64(m.same) / float64(m.of)
	}
	return s
}

// called returns the choices with names.
func (c *chooser) called() []choice {
	made := slices.Clone(c.made)
	for i := range made {
		made[i].call(c.prober)
	}
	return made
}

// words says what was chosen.
func words(made []choice) string {
	all := make([]string, len(made))
	for i, m := range made {
		all[i] = m.String()
	}
	return strings.Join(slices.Compact(all), " and ")
}

// choicesAt says what choices there were, of the network: "the zone at tgw-attach-…".
func choicesAt(made []choice) string {
	var all []string
	for _, m := range made {
		text := "the " + m.what
		if m.at != "" {
			text += " at " + m.at
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, " and ")
}

// names says what was picked, and no more.
func names(made []choice) string {
	all := make([]string, len(made))
	for i, m := range made {
		all[i] = m.name
	}
	return strings.Join(slices.Compact(all), ", ")
}

// enumerate probes once for each outcome of the network's choices, from the same state.
func (p *Prober) enumerate(q Question) Result {
	c := chooser{prober: p}
	p.world.Engine.Choose = c.choose
	defer func() { p.world.Engine.Choose = nil }()
	var all []Outcome
	rest := 1.0
	for {
		r := p.once(q, nil)
		o := Outcome{Result: p.read(r), Share: c.share()}
		if len(c.made) > 0 {
			o.made = c.called()
			o.Choices = []string{words(o.made)}
		}
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
