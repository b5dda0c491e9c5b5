package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Observed is what the sender's tool would print.
type Observed string

// What is observed: reply and no-reply by ping; open, closed (an RST, or a port
// unreachable) and filtered (nothing) by nmap; unknown where the network can't tell.
const (
	Reply    Observed = "reply"
	NoReply  Observed = "no-reply"
	Open     Observed = "open"
	Closed   Observed = "closed"
	Filtered Observed = "filtered"
	Unknown  Observed = "unknown"
)

// Result is the answer to a question. Where it depends on a choice that the network
// makes at random, Outcomes has each, and what they do not agree upon is Unknown here.
type Result struct {
	// RoundTrip says whether an answer came back, an RST included; nil is unknown.
	RoundTrip *bool `json:"round_trip"`
	// Observed is what the sender's tool would print.
	Observed Observed `json:"observed"`
	// ReplyTTL is the answer's TTL as the sender gets it, in hops; nil where none came or
	// where it passed a stretch of the internet, whose hops nobody can know.
	ReplyTTL *uint8 `json:"reply_ttl"`
	// Reason says why, in words.
	Reason string `json:"reason"`
	// Where is the id of the resource that Reason is about: where the packet died, or
	// who answered; "internet" for a host there.
	Where string `json:"where"`
	// Unknown names the object that the network can't tell of, and why; "" where it can.
	Unknown string `json:"unknown"`

	// Code is the explanation code of Reason: AWS's, or ours with SIM_.
	Code string `json:"code,omitempty"`
	// Direction is where the packet died: request or reply.
	Direction string `json:"direction,omitempty"`
	// Delivered says whether the request reached somebody.
	Delivered bool `json:"delivered"`
	// Connected says that a TCP connection opened whose data then got lost; Observed is
	// no-reply.
	Connected bool `json:"connected,omitempty"`
	// ReplyTTLAtMost is the answer's TTL without the hops of the internet; nil where
	// ReplyTTL is known or no answer came.
	ReplyTTLAtMost *uint8 `json:"reply_ttl_at_most,omitempty"`
	// SeenAs is the sender's address as the receiver sees it: behind a NAT gateway, its.
	SeenAs string `json:"seen_as,omitempty"`
	// Way is the ids of the resources that the request passed, in order.
	Way []string `json:"way,omitempty"`
	// WayBack is the same of the reply.
	WayBack []string `json:"way_back,omitempty"`
	// Outcomes are the different outcomes of random choices, most likely first; empty
	// where nothing is left to chance.
	Outcomes []Outcome `json:"outcomes,omitempty"`

	// Story is the walks of the request and of what it caused; of several outcomes, of
	// the first tried.
	Story trace.Story `json:"-"`
	// Request and Return are the walks of Story by direction.
	Request trace.Story `json:"-"`
	// Return is the walks of the answer.
	Return trace.Story `json:"-"`

	reason trace.Reason
}

// Outcome is one of several answers.
type Outcome struct {
	// Share is how likely it is, from 0 to 1, if every choice is as likely as any other.
	Share float64 `json:"share"`
	// Choices are those that lead to it, each of all that the network chose, by name: "zone
	// us-east-1a (1 of 2) at tgw-attach-…", "target web-1 (i-…) 10.0.1.5:443 (2 of 3) at …".
	Choices []string `json:"choices"`
	Result

	made []choice // of the first
}

// End returns why the packet died, trace.None where nothing did.
func (r Result) End() trace.Reason { return r.reason }

// Reachable reports whether an answer is certain to come. What is unknown is not.
func (r Result) Reachable() bool { return r.RoundTrip != nil && *r.RoundTrip }

// same reports whether two outcomes say the same.
func (r *Result) same(s *Result) bool {
	return equal(r.RoundTrip, s.RoundTrip) && r.Observed == s.Observed && equal(r.ReplyTTL, s.ReplyTTL) && r.Reason == s.Reason &&
		r.Where == s.Where && r.Unknown == s.Unknown && r.Direction == s.Direction && r.SeenAs == s.SeenAs
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// merge makes one result of all outcomes. rest is the share of those that were not tried.
func merge(all []Outcome, rest float64) Result {
	var kinds []Outcome
	for _, o := range all {
		at := slices.IndexFunc(kinds, func(k Outcome) bool { return k.same(&o.Result) })
		if at < 0 {
			kinds = append(kinds, o)
		} else {
			kinds[at].Share += o.Share
			kinds[at].Choices = append(kinds[at].Choices, o.Choices...)
		}
	}
	r := kinds[0].Result
	if len(kinds) == 1 && rest == 0 {
		return r
	}
	slices.SortStableFunc(kinds, func(a, b Outcome) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	words := make([]string, 0, len(kinds)+1)
	for _, k := range kinds {
		r.agree(&k.Result)
		words = append(words, fmt.Sprintf("%s (%s): %s (%s)", share(k.Share), k.by(), k.Observed, k.Reason))
	}
	if rest > 0 {
		r.RoundTrip, r.ReplyTTL, r.Observed = nil, nil, Unknown
		words = append(words, share(rest)+": not tried")
	}
	r.Outcomes = kinds
	told := "depends on " + choicesAt(kinds[0].made) + ": " + strings.Join(words, "; ")
	r.Reason = told
	if r.RoundTrip == nil && r.Unknown == "" {
		r.Unknown = told
	}
	return r
}

// by says in short what leads to the outcome.
func (o *Outcome) by() string {
	text := names(o.made)
	if more := len(o.Choices) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// agree takes out of r what s says otherwise.
func (r *Result) agree(s *Result) {
	if !equal(r.RoundTrip, s.RoundTrip) {
		r.RoundTrip = nil
	}
	if r.Observed != s.Observed {
		r.Observed = Unknown
	}
	if !equal(r.ReplyTTL, s.ReplyTTL) {
		r.ReplyTTL = nil
	}
	if r.Where != s.Where {
		r.Where = ""
	}
	if r.reason != s.reason {
		r.reason, r.Code, r.Direction = trace.None, "", ""
	}
	r.Delivered = r.Delivered && s.Delivered
}

// share writes a share as people say it.
func share(f float64) string {
	for n := 1; n <= 16; n++ {
		for k := 1; k <= n; k++ {
			if d := f - float64(k)/float64(n); -1e-9 < d && d < 1e-9 {
				return fmt.Sprintf("%d of %d", k, n)
			}
		}
	}
	return fmt.Sprintf("%.1f %%", 100*f)
}

// read makes a result of a probe that has run.
func (p *Prober) read(r *run) Result {
	story := p.world.Engine.Log.Story(1)
	out := Result{Story: story, Delivered: r.served != nil}
	if r.seenAs.IsValid() && r.seenAs != r.sent.Src.Netip() {
		out.SeenAs = r.seenAs.String()
	}
	back := replies(story, r)
	if r.served == nil && r.answered != nothing && r.answered != erred {
		back[r.answer] = true // of a node on the way, such as a load balancer's
	}
	for _, w := range story {
		if back[w.ID] {
			out.Return = append(out.Return, w)
		} else {
			out.Request = append(out.Request, w)
		}
	}
	p.left(r, &out)
	out.Way, out.WayBack = way(out.Request), way(out.Return)
	if r.answered != nothing && r.answered != erred {
		p.answered(r, &out)
	} else {
		p.unanswered(r, &out, back)
	}
	if died := out.RoundTrip != nil && !*out.RoundTrip; len(r.doubts) > 0 && !died {
		out.doubt(r.doubts[0], back)
	}
	return out
}

// replies tells the walks of the answer from those of the request: what was caused by
// one that brought the request to who serves it.
func replies(s trace.Story, r *run) map[int]bool {
	back := map[int]bool{}
	for _, w := range s {
		if slices.Contains(r.served, w.Cause) || back[w.Cause] && w.Cause != r.connected {
			back[w.ID] = true
		}
	}
	return back
}

// way returns the ids of the resources that packets passed.
func way(s trace.Story) []string {
	var ids []string
	add := func(id string) {
		if id != "" && (len(ids) == 0 || ids[len(ids)-1] != id) {
			ids = append(ids, id)
		}
	}
	for _, w := range s {
		for i := range w.Steps {
			add(w.Steps[i].NodeID)
		}
	}
	return ids
}

// answered fills in what an answer says.
func (p *Prober) answered(r *run, out *Result) {
	yes := true
	out.RoundTrip, out.Where, out.Reason, out.Delivered = &yes, "internet", "answered", true
	if r.servedAt != nil {
		out.Where = r.servedAt.ID()
	} else if r.served == nil {
		out.Where = p.answerer(r.answer)
	}
	switch r.answered {
	case refused:
		out.Observed, out.reason = Closed, trace.NoListener
		out.Reason, out.Code = trace.NoListener.String(), trace.NoListener.Code()
	case accepted:
		out.Observed = Open
	default:
		out.Observed = Reply
		if r.sent.SrcPort == clientPort && r.port != 0 {
			out.Observed = Open
		}
	}
	ttl := r.ttl
	if r.from.gateway != "" || p.crossed(out.Return) {
		out.ReplyTTLAtMost = &ttl
	} else {
		out.ReplyTTL = &ttl
	}
}

// left takes an answer for received that left the network by a gateway toward a sender
// who is beyond one: it is not on the way any more that we can see.
func (p *Prober) left(r *run, out *Result) {
	if r.from.gateway == "" || r.answered != nothing || r.served == nil {
		return
	}
	for _, w := range out.Return {
		if w.End() != trace.Unmodelled || w.First != r.sent.Reverse() || p.outside(w.WhereID) == nil {
			continue
		}
		r.answered, r.answer, r.ttl = echoed, w.ID, w.TTL
		if n := len(w.Steps); n > 0 {
			r.ttl = w.Steps[n-1].TTL
		}
		switch {
		case r.said == trace.NoListener:
			r.answered = refused
		case r.sent.Proto == wire.ProtoTCP:
			r.answered = accepted
		}
	}
}

// answerer returns the id of the resource that a walk came from.
func (p *Prober) answerer(id int) string {
	if w := p.world.Engine.Log.Find(id); w != nil {
		return where(w.FromID, w.From)
	}
	return ""
}

// unanswered says why nothing came, or an error.
func (p *Prober) unanswered(r *run, out *Result, back map[int]bool) {
	no := false
	out.RoundTrip, out.Observed = &no, NoReply
	if p := r.sent.Proto; (p == 6 || p == 17) && r.connected == 0 {
		out.Observed = Filtered
	}
	out.Connected = r.connected != 0
	for _, w := range out.Story {
		end := w.End()
		if !end.IsDrop() || slices.Contains(r.talk.again, w.ID) {
			continue
		}
		out.reason, out.Reason, out.Code, out.Where = end, end.String(), end.Code(), where(w.WhereID, w.Where)
		out.Direction = "request"
		if back[w.ID] {
			out.Direction = "reply"
		}
		s := untold(w)
		switch {
		case end == trace.Unmodelled && s != nil:
			r.unknown(s.ObjectID, s.Match)
		case end == trace.Unmodelled && p.outside(out.Where) != nil:
			by := "it"
			if name := p.called(out.Where); name != out.Where {
				by = name
			}
			r.unknown(out.Where, "the packet leaves the network by "+by+"; what lies beyond is in no snapshot")
		case end == trace.LinkLocal && platform[r.sent.Dst.Netip()] != "":
			r.unknown(r.sent.Dst.String(), platform[r.sent.Dst.Netip()]+" is not modelled")
		case end == trace.Unmodelled:
			r.unknown(out.Where, "what it does with this packet is not modelled")
		}
		break
	}
	switch {
	case r.served != nil && out.reason == trace.TransitAddress && r.from.nic != nil && p.owned(r.from.nic):
		out.RoundTrip, out.Observed = nil, Unknown
		out.Unknown = r.from.nic.ID() + ": the request was delivered; nobody behind the interface of a transit gateway takes answers"
	case r.why != "":
		out.RoundTrip, out.Observed, out.Where = nil, Unknown, r.object
		out.Unknown = strings.TrimPrefix(r.object+": "+r.why, ": ")
		if err := p.LeftOut(r.object); err != nil {
			out.Unknown = strings.TrimPrefix(err.Error(), "reach: ")
		}
	case r.answered == erred && r.portUnreachable():
		yes := true
		out.RoundTrip, out.Observed = &yes, Closed
	case out.Reason != "":
	case len(out.Story) == 0:
		out.Reason, out.Where = "the interface is gone", idOf(r.from)
	case out.Delivered:
		last := out.Story[len(out.Story)-1]
		out.Reason, out.Where = "delivered; nothing answers", where(last.WhereID, last.Where)
		if pr := r.sent.Proto; pr != 1 && pr != 6 && pr != 17 && pr != 58 {
			out.RoundTrip, out.Observed = nil, Unknown
			out.Unknown = fmt.Sprintf("%s: what answers protocol %s is in no snapshot", out.Where, pr)
		}
	default:
		last := out.Story[len(out.Story)-1]
		out.Reason, out.Where = last.End().String(), where(last.WhereID, last.Where)
	}
}

// platform is what AWS answers with at link-local addresses and is not modelled (EC2
// guide, "Amazon Time Sync Service"; Windows guide, "KMS").
var platform = map[netip.Addr]string{
	netip.MustParseAddr("169.254.169.123"): "the Amazon Time Sync Service", netip.MustParseAddr("fd00:ec2::123"): "the Amazon Time Sync Service",
	netip.MustParseAddr("169.254.169.250"): "the activation service of Windows", netip.MustParseAddr("169.254.169.251"): "the activation service of Windows",
}

func where(id, name string) string {
	if id != "" {
		return id
	}
	return name
}

// crossed reports whether an answer passed a stretch of the internet whose hops nobody
// can know: from or to a host there, or from one region to another. Between two
// gateways of one region there are none (measured: labs).
func (p *Prober) crossed(s trace.Story) bool {
	net := p.world.Internet.Label
	for _, w := range s {
		if w.From == net || w.Where == net || p.outside(w.FromID) != nil || p.outside(w.WhereID) != nil {
			return true
		}
		for i := 1; i+1 < len(w.Steps); i++ {
			if w.Steps[i].Node == net && p.regionOf(w.Steps[i-1].NodeID) != p.regionOf(w.Steps[i+1].NodeID) {
				return true
			}
		}
	}
	return false
}

// regionOf returns the number of the region that has a resource, -1 where none has.
func (p *Prober) regionOf(id string) int {
	for i, l := range p.lives {
		if id != "" && l.Region().Find(id) != nil {
			return i
		}
	}
	return -1
}
