package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/world"
)

// Delta is a question that two networks answer differently.
type Delta struct {
	Question Spec `json:"question"`
	// Change is what is different, most important first: "lost" and "gained" (an answer
	// comes no more, or now), "unknown" (one of the two can't tell), "egress" (another
	// address is seen as the sender), "way" (request or reply pass other resources),
	// "reason" (no answer comes, of another cause).
	Change string `json:"change"`
	Before Result `json:"before"`
	After  Result `json:"after"`
}

// String returns one line: "lost  a -> b tcp/22: open -> filtered (no route at subnet-…)".
func (d Delta) String() string {
	line := fmt.Sprintf("%-7s %s: ", d.Change, d.Question)
	switch d.Change {
	case "egress":
		return line + fmt.Sprintf("seen as %s -> %s", seen(d.Before), seen(d.After))
	case "way":
		return line + fmt.Sprintf("by %s -> %s", passed(d.Before), passed(d.After))
	}
	return line + tell(d.Before) + " -> " + tell(d.After)
}

func seen(r Result) string {
	if r.SeenAs == "" {
		return "itself"
	}
	return r.SeenAs
}

// passed writes a way in ids, both directions.
func passed(r Result) string {
	return strings.Join(r.Way, " ") + " and back " + strings.Join(r.WayBack, " ")
}

func tell(r Result) string {
	if r.Reachable() && r.Observed != Closed {
		return string(r.Observed)
	}
	why := r.Reason
	if r.Unknown != "" {
		why = r.Unknown
	}
	return fmt.Sprintf("%s (%s, %s)", r.Observed, why, r.Where)
}

// Diff asks both networks the questions and returns where the answers differ, in the
// order of the questions.
func Diff(before, after *world.World, questions []Spec, c Config) ([]Delta, error) {
	a, err := Sweep(before, questions, c)
	if err != nil {
		return nil, err
	}
	b, err := Sweep(after, questions, c)
	if err != nil {
		return nil, err
	}
	var all []Delta
	for i, q := range questions {
		if change := Compare(a[i], b[i]); change != "" {
			all = append(all, Delta{Question: q, Change: change, Before: a[i], After: b[i]})
		}
	}
	return all, nil
}

// Compare names the most important difference between two answers to one question, as
// [Delta] has it; "" where there is none.
func Compare(before, after Result) string {
	switch {
	case !equal(before.RoundTrip, after.RoundTrip) && (before.RoundTrip == nil || after.RoundTrip == nil):
		return "unknown"
	case before.Reachable() && !after.Reachable():
		return "lost"
	case !before.Reachable() && after.Reachable():
		return "gained"
	case before.Observed != after.Observed && before.Observed == Open:
		return "lost"
	case before.Observed != after.Observed && after.Observed == Open:
		return "gained"
	case before.SeenAs != after.SeenAs:
		return "egress"
	case before.Reachable() && (!slices.Equal(before.Way, after.Way) || !slices.Equal(before.WayBack, after.WayBack)):
		return "way"
	case before.Reason != after.Reason || before.Where != after.Where || before.Unknown != after.Unknown:
		return "reason"
	}
	return ""
}
