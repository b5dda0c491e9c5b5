package intent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Verdict is what became of an intent.
type Verdict string

// The verdicts. Unknown never counts as holding.
const (
	Holds   Verdict = "holds"
	Fails   Verdict = "fails"
	Unknown Verdict = "unknown"
)

// Outcome is what a network does about an intent, and a probe that shows it.
type Outcome struct {
	// Line is the intent, with the number of its line.
	Line Line
	// Verdict says whether it holds.
	Verdict Verdict
	// Why says what is otherwise, or what is unknown, in one line; empty where it holds.
	Why string
	// Pairs is how many pairs of ends and kinds of traffic were probed, Bad how many of
	// them are not as they should be.
	Pairs, Bad int
	// Question and Result are the first probe that is not as it should be; of one that
	// holds, the last. Asked says that there is one.
	Question reach.Question
	Result   reach.Result
	Asked    bool
	// From and To are the names of its ends, Traffic what was sent.
	From, To, Traffic string
}

// Checker asks a network about intents. It belongs to one goroutine, as its Prober does.
type Checker struct {
	prober *reach.Prober
	names  *Names
	ports  *Ports
}

// NewChecker returns a checker that asks p, which must be of the same regions.
func NewChecker(p *reach.Prober, names *Names, ports *Ports) *Checker {
	return &Checker{prober: p, names: names, ports: ports}
}

// Check asks about one intent. It holds if it does for every pair of ends and all of the
// traffic.
//
// Reachable means that an answer comes back to each; an RST is one, since the network has
// let it pass. Blocked means that nothing gets through by any address of the other end:
// of tcp that no connection comes about, of udp and icmp that no packet arrives. What
// passes a name does so there and back. Where the network chooses at random, all
// outcomes count.
func (c *Checker) Check(l Line) Outcome {
	o := Outcome{Line: l, Verdict: Holds}
	from, to, via, err := c.resolve(l.Intent)
	if err != nil {
		o.Verdict, o.Why = Unknown, err.Error()
		return o
	}
	some := false // traffic got through
	for _, p := range c.pairs(l.Intent, from, to) {
		for _, s := range c.ports.spans(l.Intent.Traffic) {
			q, r := c.ask(p, s)
			v, why := judge(l.Intent, s, r, via)
			o.Pairs++
			some = some || r.Reachable()
			if v != Holds {
				o.Bad++
			}
			if !o.Asked || worse(v, o.Verdict) || v == Holds && o.Verdict == Holds {
				o.Verdict, o.Why, o.Question, o.Result, o.Asked = v, why, q, r, true
				o.From, o.To, o.Traffic = p.from.name(), p.to.name(), s.String()
			}
		}
	}
	onlyVia := !l.Intent.Blocked && !l.Intent.Reachable
	switch {
	case o.Pairs == 0:
		o.Verdict, o.Why = Unknown, "no address of the one end has the family of one of the other"
	case o.Verdict == Holds && onlyVia && !some:
		o.Verdict, o.Why, o.Bad = Fails, "nothing gets through, want some that passes "+viaWords(l.Intent), o.Pairs
	}
	return o
}

func worse(v, than Verdict) bool {
	rank := map[Verdict]int{Holds: 0, Unknown: 1, Fails: 2}
	return rank[v] > rank[than]
}

func (c *Checker) resolve(i *Intent) (from, to []end, via [][]string, err error) {
	if from, err = c.find(i.From); err != nil {
		return
	}
	if to, err = c.find(i.To); err != nil {
		return
	}
	for _, e := range i.Via {
		ids, err := c.names.via(e)
		if err != nil {
			return nil, nil, nil, c.leftOut(e, err)
		}
		via = append(via, ids)
	}
	return
}

// find is Names.find, which does not know what was left out of the network.
func (c *Checker) find(e Endpoint) ([]end, error) {
	ends, err := c.names.find(e)
	if err != nil || len(ends) == 1 && ends[0].nic == nil && !e.Internet {
		err = c.leftOut(e, err)
	}
	return ends, err
}

// leftOut is the error of a name that the network has nothing of, else err.
func (c *Checker) leftOut(e Endpoint, err error) error {
	if gone := c.prober.LeftOut(e.Name); gone != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(gone.Error(), "reach: "))
	}
	return err
}

// pair is two ends and the addresses that a probe between them has.
type pair struct {
	from, to end
	src, dst netip.Addr
}

// pairs are the ends, each with each, by the addresses that the intent is about: what is
// to be blocked by all of the other end's, what is to reach by the first, IPv4 before IPv6.
func (c *Checker) pairs(i *Intent, from, to []end) []pair {
	var out []pair
	seen := map[[2]end]bool{}
	for _, f := range from {
		for _, t := range to {
			if f.nic != nil && f.nic == t.nic && len(from)+len(to) > 2 {
				continue // of many ends none is asked about itself
			}
			key := [2]end{f.once(i.From), t.once(i.To)}
			found := addressPairs(f, t)
			if !i.Blocked && len(found) > 1 {
				found = found[:1]
			}
			if len(found) == 0 || !i.Blocked && seen[key] {
				continue
			}
			seen[key] = true
			out = append(out, found...)
		}
	}
	return out
}

// once is what an end counts as where one way is enough: the internet, by either family,
// is one.
func (e end) once(of Endpoint) end {
	if of.Internet {
		return end{}
	}
	return e
}

// addressPairs are the addresses of one family of two ends. Between interfaces of one
// network the private ones come first; from outside only the public ones lead in, and
// where there is none the private one is asked for, in vain.
func addressPairs(f, t end) []pair {
	var out []pair
	for _, dst := range destinations(f, t) {
		if src := source(f, dst); src.IsValid() {
			out = append(out, pair{f, t, src, dst})
		}
	}
	return out
}

func destinations(f, t end) []netip.Addr {
	if t.nic == nil || t.addr.IsValid() {
		return []netip.Addr{t.addr}
	}
	all := addresses(t.nic)
	if f.nic != nil {
		return all
	}
	private := func(a netip.Addr) bool { return a.Is4() && isPrivateOf(t.nic, a) }
	if public := slices.DeleteFunc(slices.Clone(all), private); len(public) > 0 {
		return public
	}
	return all[:1]
}

func isPrivateOf(n *vpc.NetworkInterface, a netip.Addr) bool {
	return slices.ContainsFunc(n.PrivateAddresses(), func(p vpc.PrivateAddress) bool { return p.IP == a })
}

// source is the address that f sends to dst from, invalid where it has none of its family.
func source(f end, dst netip.Addr) netip.Addr {
	if f.nic == nil {
		if f.addr.Is4() == dst.Is4() {
			return f.addr
		}
		return netip.Addr{}
	}
	if f.addr.IsValid() && f.addr.Is4() == dst.Is4() && isPrivateOf(f.nic, f.addr) {
		return f.addr
	}
	for _, a := range addresses(f.nic) {
		if a.Is4() == dst.Is4() {
			return a
		}
	}
	return netip.Addr{}
}

// ask probes one pair with the first port of a run.
func (c *Checker) ask(p pair, s span) (reach.Question, reach.Result) {
	q := reach.Question{Proto: s.proto, Port: s.first}
	if s.proto == wire.ProtoICMP && !p.dst.Is4() {
		q.Proto = wire.ProtoICMPv6
	}
	var err error
	if q.From, err = c.place(p.from, p.src); err == nil {
		q.To, err = c.place(p.to, p.dst)
	}
	if err != nil {
		return q, reach.Result{Observed: reach.Unknown, Unknown: err.Error()}
	}
	return q, c.prober.Probe(q)
}

func (c *Checker) place(e end, a netip.Addr) (reach.Place, error) {
	if e.nic != nil && isPrivateOf(e.nic, a) {
		return c.prober.Place(e.nic.Subnet().VPC().ID() + "/" + a.String())
	}
	return c.prober.Place(a.String())
}

// String returns "tcp/22", "udp/1-52" or "icmp".
func (s span) String() string {
	switch {
	case s.proto == wire.ProtoICMP:
		return "icmp"
	case s.first == s.last:
		return fmt.Sprintf("%s/%d", s.proto, s.first)
	}
	return fmt.Sprintf("%s/%d-%d", s.proto, s.first, s.last)
}

// judge says whether what was seen is what the intent wants. Of several outcomes the
// worst counts.
func judge(i *Intent, s span, r reach.Result, via [][]string) (Verdict, string) {
	if len(r.Outcomes) == 0 {
		return judgeOne(i, s, r, via)
	}
	verdict, why := Holds, ""
	if r.Unknown != "" && r.RoundTrip == nil {
		rest := 1.0
		for _, o := range r.Outcomes {
			rest -= o.Share
		}
		if rest > 1e-9 {
			verdict, why = Unknown, r.Unknown
		}
	}
	for _, o := range r.Outcomes {
		if v, w := judgeOne(i, s, o.Result, via); worse(v, verdict) {
			verdict, why = v, fmt.Sprintf("%s, in %.0f %% of the cases (%s)", w, 100*o.Share, strings.Join(o.Choices, ", "))
		}
	}
	return verdict, why
}

func judgeOne(i *Intent, s span, r reach.Result, via [][]string) (Verdict, string) {
	if i.Blocked {
		return judgeBlocked(i, s, r)
	}
	switch {
	case r.RoundTrip == nil:
		return Unknown, "unknown: " + r.Unknown
	case !*r.RoundTrip && !i.Reachable: // what does not get through passes nothing
		return Holds, ""
	case !*r.RoundTrip:
		return Fails, fmt.Sprintf("%s: %s, want reachable", r.Observed, ended(r))
	}
	for k, ids := range via {
		if !passes(r.Way, ids) {
			return Fails, "reachable, but not via " + i.Via[k].String()
		}
		if len(r.WayBack) > 0 && !passes(r.WayBack, ids) {
			return Fails, "reachable, but the reply does not pass " + i.Via[k].String()
		}
	}
	return Holds, ""
}

func passes(way, ids []string) bool {
	return slices.ContainsFunc(way, func(id string) bool { return slices.Contains(ids, id) })
}

func judgeBlocked(i *Intent, s span, r reach.Result) (Verdict, string) {
	switch {
	case r.RoundTrip != nil && *r.RoundTrip:
		return Fails, fmt.Sprintf("%s, want blocked", r.Observed)
	case r.Delivered && s.proto != wire.ProtoTCP:
		return Fails, "no answer, but the packet arrives, want blocked"
	case r.RoundTrip == nil:
		return Unknown, "unknown: " + r.Unknown
	case i.Code != "" && r.Code != i.Code:
		return Fails, fmt.Sprintf("blocked by %s, want blocked by %s", orNone(r.Code), i.Code)
	}
	return Holds, ""
}

func orNone(code string) string {
	if code == "" {
		return "nothing with a code"
	}
	return code
}

// ended says where and why a packet died.
func ended(r reach.Result) string {
	text := r.Reason
	if r.Where != "" {
		text += " at " + r.Where
	}
	if r.Direction == "reply" {
		text += " (request delivered, reply dropped)"
	}
	return text
}

func viaWords(i *Intent) string {
	var names []string
	for _, v := range i.Via {
		names = append(names, v.String())
	}
	return strings.Join(names, " and ")
}
