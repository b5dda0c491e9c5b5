package reach

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Verdict is the answer to a question with everything that stands in the way.
type Verdict struct {
	// Result is what the sender sees as the network stands.
	Result
	// Reachable says whether the question's destination answers, and with more than an
	// RST. Unknown is not reachable.
	Reachable bool `json:"reachable"`
	// Blockers are what stands in the way, in the order in which packets meet it, of
	// both directions.
	Blockers []Blocker `json:"blockers,omitempty"`
	// Beyond says what of the way nothing could be found out about, since a packet can't
	// go on past a missing route as it can past a filter; "" where all is told.
	Beyond string `json:"beyond,omitempty"`
}

// Blocker is one thing that a packet dies of.
type Blocker struct {
	// Direction is request or reply.
	Direction string `json:"direction"`
	// Code is the explanation code: AWS's, or ours with SIM_. Text says the same in words.
	Code string `json:"code"`
	Text string `json:"text"`
	// At is the id of the resource at which the packet was, Object that of what decided
	// (a group, an ACL, a route table), separated by ", " where there are several.
	At     string `json:"at"`
	Object string `json:"object,omitempty"`
	// AtName and ObjectName are the same with names, "db (eni-…)"; "" where there is none.
	AtName     string `json:"at_name,omitempty"`
	ObjectName string `json:"object_name,omitempty"`
	// Rule is the rule or route, in words.
	Rule string `json:"rule,omitempty"`
	// Packet is the packet as it was there, TTL its time to live.
	Packet string `json:"packet"`
	TTL    uint8  `json:"ttl"`
	// Fix is the change that would let it pass, one line; "" where none would.
	Fix string `json:"fix,omitempty"`
	// Share is how likely the packet meets it where that depends on random choices, from 0
	// to 1; 1 where it does not.
	Share float64 `json:"share"`
	// LeftOut is what of Object the network lacks though its description has it, such as a
	// rule; "" where nothing, or where nobody has told. What hangs on it may be otherwise.
	LeftOut string `json:"left_out,omitempty"`
	// Supposed says that the packet was put behind a blocker that ends its way, as if it
	// had come there as it was sent.
	Supposed bool `json:"supposed,omitempty"`

	reason trace.Reason
	number int    // of an ACL's rule
	free   int    // the number of the rule that Fix puts before it
	table  string // the first route table that the packet met
	flow   wire.Flow
	step   trace.Step
}

// Reason returns why the packet dies.
func (b *Blocker) Reason() trace.Reason { return b.reason }

// Flow returns the packet's flow as it was there.
func (b *Blocker) Flow() wire.Flow { return b.flow }

// Explain is Verdict for a question in words. One that can't be asked is Unknown.
func (p *Prober) Explain(s Spec) Verdict {
	all, err := p.questions(s)
	if err != nil {
		return Verdict{Result: p.Ask(s)}
	}
	v := p.Verdict(all[0])
	for _, q := range all[1:] {
		for _, b := range p.Verdict(q).Blockers {
			v.add(b)
		}
	}
	if len(all) > 1 {
		v.Result = p.probeAll(all)
		v.Reachable = v.Reachable && v.Unknown == ""
	}
	return v
}

// Verdict probes, and where no answer comes probes again with packets that go on past
// filters (security groups, network ACLs, source/dest checks) and note each that would
// have dropped them. Behind what no packet gets past (no route, nothing there) it goes
// on at the destination as if the request had come there as it was sent, where that can be.
func (p *Prober) Verdict(q Question) Verdict {
	v := Verdict{Result: p.Probe(q)}
	v.Reachable = v.Result.Reachable() && v.Observed != Closed && v.Unknown == ""
	if v.Reachable || v.Unknown != "" && len(v.Story) == 0 {
		return v
	}
	if len(v.Story) == 0 { // inside the guest
		v.Blockers = append(v.Blockers, p.deaf(q, &v.Result))
		return v
	}
	stopped := p.lifted(&v, q, nil)
	if at := p.behind(q); stopped && at != nil {
		p.lifted(&v, q, at)
	} else if stopped && !v.endsThere() {
		v.Beyond = "what lies behind the last blocker was not looked at: how the packet would have come there is unknown"
	}
	return v
}

// ends are the reasons for which a request dies where it was to go, or because nobody is
// there: nothing lies behind.
var ends = []trace.Reason{
	trace.NoSession, trace.TransitAddress, trace.ServicePort, trace.BalancerPort, trace.NoSuchAddress, trace.NotInSubnet, trace.NoPrivateAddress,
}

// endsThere reports whether the last blocker of the request is where it was to go.
func (v *Verdict) endsThere() bool {
	last := trace.None
	for i := range v.Blockers {
		if v.Blockers[i].Direction == "request" {
			last = v.Blockers[i].reason
		}
	}
	return slices.Contains(ends, last)
}

// deaf is the blocker of a guest that does not listen, asked by itself.
func (p *Prober) deaf(q Question, r *Result) Blocker {
	b := Blocker{
		Direction: "request", Code: trace.NoListener.Code(), Text: trace.NoListener.String(), At: r.Where, Share: 1, TTL: p.config.TTL,
		reason: trace.NoListener, flow: wire.Flow{
			Src: wire.AddrFrom(q.From.from(q.To.Addr)), Dst: wire.AddrFrom(q.To.Addr), SrcPort: clientPort, DstPort: q.Port, Proto: q.Proto,
		},
	}
	b.Packet = b.flow.String()
	b.Fix, b.AtName = p.fix(&b, nil), p.names(b.At)
	return b
}

// lifted probes with the filters lifted, once for each outcome, adds what they would
// have dropped, and reports whether the request died all the same. at is where the
// request begins, nil where its sender is.
func (p *Prober) lifted(v *Verdict, q Question, at dataplane.Node) (stopped bool) {
	c := chooser{prober: p}
	e := p.world.Engine
	for more, tried := true, 0; more && tried < p.config.Outcomes; tried++ {
		var met []Blocker
		e.Choose = c.choose
		e.Lift = func(end trace.Reason) bool {
			walks := e.Log.Walks()
			met = append(met, p.blocker(walks[len(walks)-1], end))
			return true
		}
		r := p.once(q, at)
		e.Choose, e.Lift = nil, nil
		out := p.read(r)
		stopped = stopped || r.served == nil && out.Unknown == ""
		if out.reason != trace.None {
			met = append(met, p.last(out))
		}
		for i := range met {
			met[i].Share, met[i].Supposed = c.share(), at != nil
			met[i].direct(&out)
			v.add(met[i])
		}
		if err := p.forget(e.Log.Walks()); err != nil {
			v.Beyond = err.Error()
		}
		more = c.next()
	}
	for i := range v.Blockers {
		if v.Blockers[i].Fix == "" {
			b := &v.Blockers[i]
			b.Fix, b.LeftOut = p.fix(b, v.Blockers[:i]), p.lacking(b.Object)
			b.AtName, b.ObjectName = p.names(b.At), p.names(b.Object)
		}
	}
	return stopped
}

// names returns the objects, by ids separated by ", ", with their names; "" where none has
// any.
func (p *Prober) names(objects string) string {
	var all []string
	for _, id := range strings.Split(objects, ", ") {
		all = append(all, p.called(id))
	}
	if text := strings.Join(all, ", "); text != objects {
		return text
	}
	return ""
}

// Place returns where the packet was, with the name if there is one.
func (b *Blocker) Place() string { return cmp.Or(b.AtName, b.At) }

// By returns what decided, with names, and the rule; "" where nothing more than the place is
// known.
func (b *Blocker) By() string { return strings.Trim(cmp.Or(b.ObjectName, b.Object)+", "+b.Rule, ", ") }

// lacking says what of the objects, by ids separated by ", ", was left out.
func (p *Prober) lacking(objects string) string {
	if p.config.LeftOut == nil || objects == "" {
		return ""
	}
	var all []string
	for _, id := range strings.Split(objects, ", ") {
		if what, _ := p.config.LeftOut(id); what != "" {
			all = append(all, what)
		}
	}
	return strings.Join(all, "; ")
}

// blocker is what the last step of a walk tells, of a filter that is about to drop.
func (p *Prober) blocker(w *trace.Walk, end trace.Reason) Blocker {
	s := w.Steps[len(w.Steps)-1]
	b := Blocker{
		Code: end.Code(), Text: end.String(), At: where(s.NodeID, s.Node), Object: s.ObjectID, Packet: s.Flow.String(), TTL: s.TTL,
		reason: end, number: int(s.Number), flow: s.Flow, step: s,
	}
	b.refine(p)
	switch {
	case s.Act == trace.Untold:
		b.Text = s.Object + ": " + s.Match
	case s.Act == trace.Routed || s.Act == trace.Unrouted:
		b.Rule = s.Match
	case s.Number != 0:
		b.Rule = fmt.Sprintf("%s %s", s.Rule, ruleNumber(s.Number))
	case s.Rule != "":
		b.Rule = "no " + s.Rule + " rule"
	}
	if i := slices.IndexFunc(w.Steps, func(s trace.Step) bool { return s.Act == trace.Routed }); i >= 0 {
		b.table = w.Steps[i].ObjectID
	}
	b.Direction = fmt.Sprint(w.ID) // until direct knows
	return b
}

// refine gives a blocker the code of AWS's that says more than its reason does.
func (b *Blocker) refine(p *Prober) {
	switch b.reason {
	case trace.GroupIngress, trace.GroupEgress:
		rules := 0
		for _, id := range strings.Split(b.Object, ", ") {
			if g, ok := p.resource(id).(*vpc.SecurityGroup); ok && b.reason == trace.GroupIngress {
				rules += len(g.Ingress())
			} else if ok {
				rules += len(g.Egress())
			}
		}
		if rules == 0 {
			b.Code, b.Text = "SG_HAS_NO_RULES", "the security groups have no "+b.step.Rule+" rules"
		}
	case trace.NoSuchHost:
		if len(p.find().byAddr[b.flow.Dst.Netip()]) > 0 {
			b.Code, b.Text = "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", "the interface that has the address has no public one"
		}
	}
}

// ruleNumber writes a rule's number as AWS does.
func ruleNumber(n int32) string {
	if n >= 32767 {
		return "*"
	}
	return fmt.Sprint(n)
}

// direct fills in the direction of the walk that met the blocker.
func (b *Blocker) direct(r *Result) {
	id := b.Direction
	b.Direction = "request"
	for _, w := range r.Return {
		if fmt.Sprint(w.ID) == id {
			b.Direction = "reply"
		}
	}
}

// last is the blocker at which a probe ended that nothing could be lifted from.
func (p *Prober) last(r Result) Blocker {
	for _, w := range r.Story {
		if w.End() == r.reason && len(w.Steps) > 0 {
			b := p.blocker(w, r.reason)
			if w.Guest.IsDrop() {
				b.At = where(w.WhereID, w.Where)
			}
			return b
		}
	}
	return Blocker{Direction: "1", Code: r.Code, Text: r.Reason, At: r.Where, reason: r.reason}
}

// add keeps a blocker, or adds to the share of one that is there.
func (v *Verdict) add(b Blocker) {
	for i := range v.Blockers {
		x := &v.Blockers[i]
		if x.Direction == b.Direction && x.reason == b.reason && x.At == b.At && x.Object == b.Object && x.number == b.number {
			if x.Supposed == b.Supposed {
				x.Share = min(1, x.Share+b.Share)
			}
			return
		}
	}
	v.Blockers = append(v.Blockers, b)
}

// behind returns the node at which a request comes to its destination's subnet, nil
// where it would not come as it was sent: an address of the internet is translated, and
// by whom is what has not been found out.
func (p *Prober) behind(q Question) dataplane.Node {
	n := q.To.nic
	if n == nil || n.Type() != vpc.InterfaceUser || q.To.public || q.From.nic == nil {
		return nil
	}
	i := p.live(n).Interface(n)
	if i == nil || i.Down != trace.None || q.From.nic.Subnet() == n.Subnet() {
		return nil
	}
	return i.Arrival
}

// String writes the verdict as people read it.
func (v Verdict) String() string {
	var b strings.Builder
	word := "not reachable"
	switch {
	case v.Reachable:
		word = "reachable"
	case v.Unknown != "":
		word = "unknown"
	}
	fmt.Fprintf(&b, "%s: %s (%s)\n", word, v.Observed, v.Reason)
	if v.Unknown != "" && v.Unknown != v.Reason {
		fmt.Fprintf(&b, "  unknown: %s\n", v.Unknown)
	}
	for i := range v.Blockers {
		v.Blockers[i].write(&b, i+1)
	}
	if v.Beyond != "" {
		fmt.Fprintf(&b, "  %s\n", v.Beyond)
	}
	return b.String()
}

func (b *Blocker) write(to *strings.Builder, number int) {
	fmt.Fprintf(to, "  %d %s: %s (%s) at %s\n", number, b.Direction, b.Text, b.Code, b.Place())
	if by := b.By(); by != "" {
		fmt.Fprintf(to, "      by %s\n", by)
	}
	fmt.Fprintf(to, "      packet %s, TTL %d", b.Packet, b.TTL)
	if b.Supposed {
		fmt.Fprint(to, ", as if it had come there as it was sent")
	}
	if b.Share < 1 {
		fmt.Fprintf(to, ", in %s", share(b.Share))
	}
	if b.LeftOut != "" {
		fmt.Fprintf(to, "\n      but    left out of the network: %s", b.LeftOut)
	}
	if b.Fix != "" {
		fmt.Fprintf(to, "\n      fix    %s", b.Fix)
	}
	fmt.Fprintln(to)
}
