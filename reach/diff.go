package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Side is one of two networks that are compared, and what is assumed of it.
type Side struct {
	World  *world.World
	Config Config
}

// Comparison is what two networks answer differently.
type Comparison struct {
	// Asked is how many questions both were asked.
	Asked int `json:"asked"`
	// Deltas are those that they answer differently, in the order of the questions.
	Deltas []Delta `json:"deltas"`
	// Gone and New are the ends of questions that only the network before has, or only the
	// one after, by id and name: nothing was asked about them.
	Gone []string `json:"gone"`
	New  []string `json:"new"`
}

// Delta is a question that two networks answer differently.
type Delta struct {
	Question Spec `json:"question"`
	// From and To are the question's ends with their names: "web (eni-…)".
	From string `json:"from"`
	To   string `json:"to"`
	// Change is what is different, most important first: "lost" and "gained" (an answer
	// comes no more, or now), "unknown" (one of the two can't tell), "egress" (another
	// address is seen as the sender), "way" (request or reply pass other resources),
	// "reason" (no answer comes, of another cause).
	Change string `json:"change"`
	// Text says the difference in words, with names: "open -> filtered (no route at private (subnet-…))".
	Text   string `json:"text"`
	Before Result `json:"before"`
	After  Result `json:"after"`
}

// Traffic is what was sent: "icmp", "tcp/22".
func (d Delta) Traffic() string { return d.Question.traffic() }

// String returns one line: "lost    a (eni-…) -> b (eni-…) tcp/22: open -> filtered (…)".
func (d Delta) String() string {
	return fmt.Sprintf("%-7s %s -> %s %s: %s", d.Change, d.From, d.To, d.Traffic(), d.Text)
}

// changes are what a Delta's Change may be, most important first.
var changes = []string{"lost", "gained", "unknown", "egress", "way", "reason"}

// String returns a line for all deltas that differ in their traffic alone, the most important
// changes first, the hosts that only one network has, and a last line with the numbers; ""
// where nothing is different.
func (c *Comparison) String() string {
	var b strings.Builder
	count := map[string]int{}
	traffic := map[[4]string][]string{}
	key := func(d *Delta) [4]string { return [4]string{d.Change, d.From, d.To, d.Text} }
	for i := range c.Deltas {
		d := &c.Deltas[i]
		count[d.Change]++
		traffic[key(d)] = append(traffic[key(d)], d.Traffic())
	}
	for _, change := range changes {
		for i := range c.Deltas {
			d := &c.Deltas[i]
			if all := traffic[key(d)]; d.Change == change && len(all) > 0 {
				fmt.Fprintf(&b, "%-7s %s -> %s %s: %s\n", d.Change, d.From, d.To, strings.Join(all, ","), d.Text)
				delete(traffic, key(d))
			}
		}
	}
	for _, x := range c.Gone {
		fmt.Fprintf(&b, "gone    %s\n", x)
	}
	for _, x := range c.New {
		fmt.Fprintf(&b, "new     %s\n", x)
	}
	if b.Len() == 0 {
		return ""
	}
	var numbers []string
	for _, change := range changes {
		if n := count[change]; n > 0 {
			numbers = append(numbers, fmt.Sprintf("%d %s", n, change))
		}
	}
	if numbers == nil {
		numbers = []string{"no path changed"}
	}
	fmt.Fprintf(&b, "%s, of %d asked\n", strings.Join(numbers, ", "), c.Asked)
	return b.String()
}

// Same reports whether nothing is different.
func (c *Comparison) Same() bool { return len(c.Deltas)+len(c.Gone)+len(c.New) == 0 }

// Diff asks both networks the questions. An end is the interface with its id in both; where
// the one network has it and the other does not, the interface with its name, if one alone
// has that in each. It returns an error where an assumption names what is not there.
func Diff(before, after Side, questions []Spec) (*Comparison, error) {
	a, b := newRoll(before), newRoll(after)
	c := &Comparison{Deltas: []Delta{}, Gone: []string{}, New: []string{}}
	var of, as []Spec
	seen := map[Spec]bool{}
	for _, q := range questions {
		x, y := q, q
		ok := c.pair(a, b, &x.From, &y.From)
		ok = c.pair(a, b, &x.To, &y.To) && ok
		if ok && !seen[x] {
			seen[x] = true
			of, as = append(of, x), append(as, y)
		}
	}
	was, err := Sweep(before.World, of, before.Config)
	if err != nil {
		return nil, err
	}
	is, err := Sweep(after.World, as, after.Config)
	if err != nil {
		return nil, err
	}
	c.Asked = len(of)
	for i, q := range of {
		is[i].translate(b, a)
		if change := Compare(was[i], is[i]); change != "" {
			c.Deltas = append(c.Deltas, Delta{
				Question: q, From: a.call(q.From), To: a.call(q.To), Change: change, Text: difference(change, a, b, was[i], is[i]), Before: was[i], After: is[i],
			})
		}
	}
	return c, nil
}

// pair makes the name of an end that of each network, and reports whether both have it.
func (c *Comparison) pair(a, b *roll, was, is *string) bool {
	inA, inB := a.has(*was), b.has(*is)
	note := func(list *[]string, x string) bool {
		if !slices.Contains(*list, x) {
			*list = append(*list, x)
		}
		return false
	}
	switch {
	case inA == inB:
		return true
	case inA:
		twin := a.twin(*was, b)
		if twin == "" {
			return note(&c.Gone, a.call(*was))
		}
		*is = twin
	default:
		twin := b.twin(*is, a)
		if twin == "" {
			return note(&c.New, b.call(*is))
		}
		*was = twin
	}
	return true
}

// roll is the resources of a network by id, and by kind and name.
type roll struct {
	side  Side
	nics  map[string]bool     // by id
	names map[string]string   // by id
	kinds map[string]string   // kind and name, by id
	ids   map[string][]string // by kind and name
}

func newRoll(s Side) *roll {
	r := &roll{side: s, nics: map[string]bool{}, names: map[string]string{}, kinds: map[string]string{}, ids: map[string][]string{}}
	for _, x := range all[vpc.Resource](s.World) {
		name := labelOf(x)
		if _, ok := x.(*vpc.NetworkInterface); ok {
			r.nics[x.ID()] = true
		}
		kind := fmt.Sprintf("%T %s", x, name)
		r.names[x.ID()], r.kinds[x.ID()], r.ids[kind] = name, kind, append(r.ids[kind], x.ID())
	}
	return r
}

// labelOf returns what a resource is called, "" where it has no more than an id. An
// interface without a name is called as its instance is, or as its service in its zone.
func labelOf(x vpc.Resource) string {
	n, ok := x.(*vpc.NetworkInterface)
	if ok && n.Label() == n.ID() {
		if i := n.Instance(); i != nil {
			return labelOf(i)
		}
		if o := n.Owner(); o != nil && labelOf(o) != "" {
			return labelOf(o) + " in " + n.Subnet().Zone()
		}
		return ""
	}
	if l, ok := x.(interface{ Name() string }); ok {
		return l.Name()
	}
	if l, ok := x.(interface{ Label() string }); ok && l.Label() != x.ID() {
		return l.Label()
	}
	return ""
}

// has reports whether the network has an interface, or can say why it has not: an end of
// another kind both have.
func (r *roll) has(end string) bool {
	if r.nics[end] {
		return true
	}
	if r.side.Config.LeftOut != nil {
		_, whole := r.side.Config.LeftOut(end)
		return whole
	}
	return false
}

// twin returns the id of the resource in another network that is of the kind of one here
// and has its name, "" where not exactly one in each has it, or where that one is here too.
func (r *roll) twin(id string, in *roll) string {
	kind := r.kinds[id]
	if r.names[id] == "" || len(r.ids[kind]) != 1 || len(in.ids[kind]) != 1 || r.kinds[in.ids[kind][0]] != "" {
		return ""
	}
	return in.ids[kind][0]
}

// call returns an id with its name: "web (eni-…)".
func (r *roll) call(id string) string {
	return display(id, r.names[id])
}

// display writes an id with its name: "web (eni-…)"; of an ARN, which has the name in it, the
// part that is the resource's.
func display(id, name string) string {
	switch {
	case strings.HasPrefix(id, "arn:"):
		return id[strings.LastIndexByte(id, ':')+1:]
	case name == "":
		return id
	}
	return name + " (" + id + ")"
}

// translate has a result of one network speak of resources by the ids of another, where
// they are the same by kind and name.
func (r *Result) translate(from, to *roll) {
	same := func(id *string) {
		if twin := from.twin(*id, to); twin != "" && to.kinds[*id] == "" {
			*id = twin
		}
	}
	for _, way := range [][]string{r.Way, r.WayBack} {
		for i := range way {
			same(&way[i])
		}
	}
	same(&r.Where)
}

// difference says what is different, in words.
func difference(change string, a, b *roll, before, after Result) string {
	switch change {
	case "egress":
		return "seen as " + seen(before) + " -> " + seen(after)
	case "way":
		ways := []string{otherWay(a, b, "there", before.Way, after.Way), otherWay(a, b, "back", before.WayBack, after.WayBack)}
		return strings.Join(slices.DeleteFunc(ways, func(s string) bool { return s == "" }), "; ")
	}
	return tell(a, before) + " -> " + tell(b, after)
}

func seen(r Result) string {
	if r.SeenAs == "" {
		return "itself"
	}
	return r.SeenAs
}

// otherWay says what of a way is not passed any more, and what is passed in its place.
func otherWay(a, b *roll, direction string, before, after []string) string {
	if slices.Equal(before, after) {
		return ""
	}
	without := func(of *roll, ids, others []string) string {
		var left []string
		for _, id := range ids {
			if text := of.call(id); !slices.Contains(others, id) && !slices.Contains(left, text) {
				left = append(left, text)
			}
		}
		return strings.Join(left, ", ")
	}
	left, taken := without(a, before, after), without(b, after, before)
	switch {
	case left == "" && taken == "":
		return direction + " in another order"
	case left == "":
		return direction + " by " + taken + " too"
	case taken == "":
		return direction + " no more by " + left
	}
	return direction + " by " + taken + ", no more by " + left
}

// tell says what a result is; of one that is no answer, why and where.
func tell(r *roll, x Result) string {
	if x.Reachable() && x.Observed != Closed {
		return string(x.Observed)
	}
	why := x.Reason
	if x.Unknown != "" {
		why = x.Unknown
	}
	if x.Where != "" {
		why += " at " + r.call(x.Where)
	}
	return fmt.Sprintf("%s (%s)", x.Observed, why)
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

// AcrossTheBorder returns the questions from each interface of a running instance to the
// internet, and from there to each interface that has a public address, by their ids: one
// for each port, and ping where ports is empty.
func AcrossTheBorder(w *world.World, ports ...Port) []Spec {
	if len(ports) == 0 {
		ports = []Port{{Proto: "icmp"}}
	}
	var specs []Spec
	for _, nic := range all[*vpc.NetworkInterface](w) {
		running := nic.Instance() != nil && nic.Instance().State() == vpc.Running
		public := slices.ContainsFunc(nic.PrivateAddresses(), func(a vpc.PrivateAddress) bool { return a.Public != netip.Addr{} })
		for _, p := range ports {
			if running {
				specs = append(specs, Spec{From: nic.ID(), To: "internet", Proto: p.Proto, Port: int(p.Number)})
			}
			if public {
				specs = append(specs, Spec{From: "internet", To: nic.ID(), Proto: p.Proto, Port: int(p.Number)})
			}
		}
	}
	return specs
}
