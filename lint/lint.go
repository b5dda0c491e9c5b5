package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Severity says how bad a finding is, in the words of SARIF.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// rank orders severities, worst first.
var rank = map[Severity]int{Error: 0, Warning: 1, Note: 2}

// Finding is one mistake at one place.
type Finding struct {
	// Rule is the rule's id, such as RT04.
	Rule string `json:"rule"`
	// Severity is how bad it is.
	Severity Severity `json:"severity"`
	// Object is the id of the resource that is wrong, Name its label.
	Object string `json:"object"`
	Name   string `json:"name,omitempty"`
	// Message says what is wrong here, Fix the change that would right it, one line each.
	Message string `json:"message"`
	Fix     string `json:"fix"`
	// Why says what is bad about it, and Source which document says how AWS behaves there.
	Why    string `json:"why"`
	Source string `json:"source"`
	// Code is the explanation code that AWS's analyser has for it, or the simulator's.
	Code string `json:"code,omitempty"`
	// Proof is a packet that shows it; nil where there is none, and Unproven says why.
	Proof    *Proof `json:"proof,omitempty"`
	Unproven string `json:"unproven,omitempty"`
	// Suppressed is the reason given for not counting it; "" where it counts.
	Suppressed string `json:"suppressed,omitempty"`
	// File and Path say where the object was read.
	File string `json:"file,omitempty"`
	Path string `json:"path,omitempty"`
}

// Proof is a packet and what became of it.
type Proof struct {
	// Question is what was sent.
	Question reach.Spec `json:"question"`
	// Result is what became of it.
	Result reach.Result `json:"result"`
	// Hops are the packet's hops and the reply's, a line each.
	Hops []string `json:"hops"`
}

// Config says how a network is looked at. The zero Config will do.
type Config struct {
	// Reach is what is assumed of the network's guests.
	Reach reach.Config
	// Rules are the ids of the rules to ask; none are all.
	Rules []string
	// Suppressions are those that somebody has given a reason for.
	Suppressions []Suppression
	// Source tells where a resource was read; nil knows nothing.
	Source func(id string) (file, path string)
}

// Rule is one mistake of the catalogue.
type Rule struct {
	// ID is the catalogue's, such as RT04.
	ID string `json:"rule"`
	// Severity is that of its findings, unless they say otherwise.
	Severity Severity `json:"severity"`
	// Title says the mistake in few words.
	Title string `json:"title"`
	// Fix says what to do about it in general.
	Fix string `json:"fix"`
	// Code is the explanation code of AWS's Reachability Analyzer that is nearest; empty
	// where AWS has none.
	Code string `json:"code"`
	// Static says that the configuration alone shows it, without a packet.
	Static bool `json:"static"`
	// Why says what is bad about it.
	Why string `json:"why"`
	// Source is the document that says how AWS behaves there.
	Source string `json:"source"`
}

// linter is one look at a network.
type linter struct {
	world *world.World
	*facts
	config Config
	prober *reach.Prober
	where  func(id string) (picture.Place, bool)
	asked  map[reach.Spec]*answer
	found  []Finding
	seen   map[[2]string]int // places in found
	failed error

	fleet   *reach.Prober // see sendOn
	fleeted bool
}

// answer is a probe's.
type answer struct {
	spec   reach.Spec
	result reach.Result
}

// Run looks at a world's regions and returns what it found, the worst first, then by
// rule and object; suppressed findings are among them. It returns an error for a rule that
// does not exist, or one of reach's.
func Run(w *world.World, c Config) ([]Finding, error) {
	for _, id := range c.Rules {
		if _, ok := RuleOf(id); !ok {
			return nil, fmt.Errorf("lint: rule %q: expected one of the catalogue, such as RT04", id)
		}
	}
	p, err := reach.New(w, c.Reach)
	if err != nil {
		return nil, err
	}
	l := &linter{
		world: w, facts: gather(w.Regions()), config: c, prober: p, where: picture.Places(w.Regions()...),
		asked: map[reach.Spec]*answer{}, seen: map[[2]string]int{},
	}
	for _, check := range checks {
		check(l)
	}
	l.suppress()
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Object, b.Object))
	})
	return l.found, l.failed
}

// ask probes, once for each question.
func (l *linter) ask(from, to, proto string, port int) *answer {
	return l.askSpec(reach.Spec{From: from, To: to, Proto: proto, Port: port})
}

func (l *linter) askSpec(s reach.Spec) *answer {
	if a := l.asked[s]; a != nil {
		return a
	}
	a := &answer{s, l.prober.Ask(s)}
	l.asked[s] = a
	return a
}

// finding is what a rule says of an object; the linter fills in the rest.
type finding struct {
	rule     string
	object   vpc.Resource
	severity Severity // "" is the rule's
	message  string
	fix      string // "" is the rule's
	proof    *answer
	unproven string // why there is no proof, of what should have one
}

// add keeps a finding: of one rule and object the worst, of equal ones the first.
func (l *linter) add(f finding) {
	r, ok := RuleOf(f.rule)
	if !ok {
		panic("lint: no rule " + f.rule)
	}
	key := [2]string{f.rule, f.object.ID()}
	severity := cmp.Or(f.severity, r.Severity)
	was, again := l.seen[key]
	if again && rank[l.found[was].Severity] <= rank[severity] || len(l.config.Rules) > 0 && !slices.Contains(l.config.Rules, f.rule) {
		return
	}
	out := Finding{
		Rule: r.ID, Severity: severity, Object: f.object.ID(), Message: f.message, Fix: cmp.Or(f.fix, r.Fix), Code: r.Code,
		Why: r.Why, Source: r.Source, Unproven: f.unproven,
	}
	out.Name = label(f.object)
	if name, cut := strings.CutPrefix(out.Name, out.Object); cut {
		out.Name = strings.Trim(name, " ()")
	}
	switch {
	case f.proof != nil:
		out.Proof = &Proof{Question: f.proof.spec, Result: f.proof.result}
		path := picture.Of(f.proof.result.Request, f.proof.result.Return, picture.Config{Where: l.where})
		out.Proof.Hops = path.Hops()
		out.Code = cmp.Or(f.proof.result.Code, out.Code)
		if f.fix == "" && f.proof.dead() {
			out.Fix = cmp.Or(l.change(f.proof.spec), out.Fix)
		}
	case f.unproven == "" && r.Static:
		out.Unproven = "read from the configuration: no packet is needed"
	case f.unproven == "":
		out.Unproven = "no packet shows it: nothing in the network sends one"
	}
	if l.config.Source != nil {
		out.File, out.Path = l.config.Source(out.Object)
	}
	if again {
		l.found[was] = out
		return
	}
	l.seen[key] = len(l.found)
	l.found = append(l.found, out)
}

// change is the change that would let the packet of a question past its first blocker.
func (l *linter) change(s reach.Spec) string {
	for _, b := range l.prober.Explain(s).Blockers {
		return b.Fix
	}
	return ""
}

// dead reports whether no answer came, for certain.
func (a *answer) dead() bool { return a.result.RoundTrip != nil && !*a.result.RoundTrip }

// label is what people call a resource: its Name tag, of an interface that has none its
// instance's, else its name or its id.
func label(x vpc.Resource) string {
	switch x := x.(type) {
	case *vpc.NetworkInterface:
		if i := x.Instance(); i != nil && x.Label() == x.ID() {
			return i.Label()
		}
		return x.Label()
	case *balancer.LoadBalancer:
		return x.LoadBalancerName()
	case *balancer.TargetGroup:
		return x.GroupName()
	case *vpc.SecurityGroup:
		if x.Label() == x.ID() {
			return x.ID() + " (" + x.Name() + ")"
		}
		return x.Label()
	case interface{ Label() string }:
		return x.Label()
	}
	return x.ID()
}
