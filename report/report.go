// Package report puts what package reach found into the block of text that terminals
// and failing tests show; see [picture.Block].
package report

import (
	"fmt"
	"strings"

	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
)

// Block returns the block of one question: title says who asked for what, where tells
// where resources lie. Its Word is PASS where an answer came, UNKNOWN where the network
// can't tell, else FAIL; a caller that wanted something else sets it anew.
func Block(title string, v *reach.Verdict, where func(id string) (picture.Place, bool)) *picture.Block {
	b := &picture.Block{Title: title + ": " + Observed(&v.Result), Detail: detail(&v.Result), Why: reasons(v)}
	switch {
	case v.RoundTrip == nil:
		b.Word = "UNKNOWN"
	case *v.RoundTrip:
		b.Word = "PASS"
	default:
		b.Word = "FAIL"
	}
	if len(v.Story) > 0 {
		b.Path = picture.Of(v.Request, v.Return, picture.Config{Title: b.Title, Where: where})
	}
	return b
}

// Observed says in words what the sender's tool would show.
func Observed(r *reach.Result) string {
	words := map[reach.Observed]string{
		reach.Reply: "answered", reach.NoReply: "no answer", reach.Open: "open", reach.Closed: "closed (an RST, or port unreachable)",
		reach.Filtered: "no answer (filtered)", reach.Unknown: "unknown",
	}
	text := words[r.Observed]
	switch {
	case len(r.Outcomes) > 1:
		text = "depends on a random choice"
	case r.Connected && r.Observed == reach.NoReply:
		text = "connects, and the data gets no answer"
	case r.ReplyTTL != nil:
		text += fmt.Sprintf(", ttl %d", *r.ReplyTTL)
	}
	return text
}

func detail(r *reach.Result) string {
	switch {
	case r.Direction == "reply":
		return "request delivered, reply dropped"
	case r.Direction == "request":
		return "request dropped"
	case r.SeenAs != "":
		return "seen as " + r.SeenAs
	}
	return ""
}

// reasons are the blockers; where there are none, what is unknown.
func reasons(v *reach.Verdict) []picture.Reason {
	var out []picture.Reason
	if v.Unknown != "" {
		out = append(out, picture.Reason{Text: "unknown: " + v.Unknown})
	}
	for i := range v.Outcomes {
		o := &v.Outcomes[i]
		text := fmt.Sprintf("%.0f %% of the cases: %s, %s", 100*o.Share, Observed(&o.Result), o.Reason)
		if len(o.Choices) > 0 {
			text += " (" + strings.Join(o.Choices, ", ") + ")"
		}
		out = append(out, picture.Reason{Code: o.Code, Text: text})
	}
	for i := range v.Blockers {
		out = append(out, Reason(&v.Blockers[i]))
	}
	if v.Beyond != "" {
		out = append(out, picture.Reason{Text: v.Beyond})
	}
	return out
}

// Reason says what one blocker is, and what would remove it.
func Reason(b *reach.Blocker) picture.Reason {
	text := b.Direction + ": " + b.Text + " at " + b.Place()
	if by := b.By(); by != "" {
		text += " by " + by
	}
	text += "; the packet there: " + b.Packet
	if b.Share < 1 {
		text += fmt.Sprintf(" (in %.0f %% of the cases)", 100*b.Share)
	}
	if b.Supposed {
		text += " (as if it had come there as it was sent)"
	}
	if b.LeftOut != "" {
		text += "; but left out of the network: " + b.LeftOut
	}
	return picture.Reason{Code: b.Code, Text: text, Fix: b.Fix}
}
