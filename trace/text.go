package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// String returns the step's decision in words, without the node's name.
func (s Step) String() string {
	switch s.Act {
	case Checked:
		return s.Match + " is its own"
	case CheckOff:
		return "source/dest check is off"
	case Allowed:
		return fmt.Sprintf("%s %s allows", s.Object, s.Rule)
	case Tracked:
		return "known flow"
	case Denied:
		return fmt.Sprintf("%s %s", s.Object, s.Rule)
	case Routed:
		return fmt.Sprintf("%s: %s matches %s", s.Object, s.Flow.Dst, s.Match)
	case Resolved:
		return "same subnet: no table, no ACL"
	case Translated:
		return translation(s)
	case Passed:
		return "passes on"
	case Did:
		return s.Match
	case Ended:
		if s.Match != "" {
			return s.Reason.String() + ": " + s.Match
		}
		return s.Reason.String()
	}
	return ""
}

// translation tells only what changed.
func translation(s Step) string {
	var parts []string
	if s.Before.Src != s.Flow.Src || s.Before.SrcPort != s.Flow.SrcPort {
		parts = append(parts, fmt.Sprintf("source %s becomes %s",
			side(s.Before.Src.String(), s.Before.SrcPort), side(s.Flow.Src.String(), s.Flow.SrcPort)))
	}
	if s.Before.Dst != s.Flow.Dst || s.Before.DstPort != s.Flow.DstPort {
		parts = append(parts, fmt.Sprintf("destination %s becomes %s",
			side(s.Before.Dst.String(), s.Before.DstPort), side(s.Flow.Dst.String(), s.Flow.DstPort)))
	}
	if len(parts) == 0 {
		return "translated to itself"
	}
	return strings.Join(parts, ", ")
}

func side(addr string, port uint16) string {
	if port == 0 {
		return addr
	}
	return fmt.Sprintf("%s:%d", addr, port)
}

// WriteTo writes the walk as people read it: a line a node, numbered, and how it
// ended. It satisfies io.WriterTo.
func (w *Walk) WriteTo(out io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%d bytes)\n", w.First, w.Size)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, line := range w.lines() {
		fmt.Fprintf(table, "%3d  %s\t%s\n", i+1, line.node, line.text)
	}
	table.Flush()
	fmt.Fprintf(&b, "     %s\n", w.ending())
	n, err := io.WriteString(out, b.String())
	return int64(n), err
}

// String returns what WriteTo writes.
func (w *Walk) String() string {
	var b strings.Builder
	w.WriteTo(&b)
	return b.String()
}

func (w *Walk) ending() string {
	verb := "delivered"
	switch end := w.End(); {
	case end == None:
		return "not ended"
	case end.IsDrop():
		verb = "dropped: " + end.String()
		if code := end.Code(); code != "" {
			verb += " (" + code + ")"
		}
	case end != Delivered:
		verb = end.String()
	}
	return verb
}

type line struct{ node, text string }

// lines joins the steps that one node took one after another.
func (w *Walk) lines() []line {
	var lines []line
	for _, s := range w.Steps {
		text := s.String()
		if n := len(lines); n > 0 && lines[n-1].node == s.Node {
			lines[n-1].text += "; " + text
			continue
		}
		lines = append(lines, line{s.Node, text})
	}
	return lines
}

type jsonStep struct {
	AtNS   int64  `json:"at_ns"`
	Node   string `json:"node"`
	Act    string `json:"act"`
	Object string `json:"object,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Match  string `json:"match,omitempty"`
	Before string `json:"before,omitempty"`
	Flow   string `json:"flow"`
	TTL    uint8  `json:"ttl"`
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text"`
}

type jsonWalk struct {
	ID      int        `json:"id"`
	Cause   int        `json:"cause,omitempty"`
	StartNS int64      `json:"start_ns"`
	First   string     `json:"first"`
	Last    string     `json:"last"`
	Size    int        `json:"size"`
	Reason  string     `json:"reason"`
	Code    string     `json:"code,omitempty"`
	Where   string     `json:"where"`
	Steps   []jsonStep `json:"steps"`
}

var actNames = [...]string{
	NoAct: "", Checked: "checked", CheckOff: "check-off", Allowed: "allowed", Tracked: "tracked",
	Denied: "denied", Routed: "routed", Resolved: "resolved", Translated: "translated",
	Passed: "passed", Did: "did", Ended: "ended",
}

// String returns the act's name, one lower-case word.
func (a Act) String() string {
	if int(a) < len(actNames) {
		return actNames[a]
	}
	return fmt.Sprintf("Act(%d)", uint8(a))
}

// MarshalJSON gives the walk with its steps, each with its fields and its words.
func (w *Walk) MarshalJSON() ([]byte, error) {
	out := jsonWalk{
		ID: w.ID, Cause: w.Cause, StartNS: int64(w.Start), First: w.First.String(), Last: w.Last.String(),
		Size: w.Size, Reason: w.End().String(), Code: w.End().Code(), Where: w.Where, Steps: []jsonStep{},
	}
	for _, s := range w.Steps {
		js := jsonStep{
			AtNS: int64(s.At), Node: s.Node, Act: s.Act.String(), Object: s.Object, Rule: s.Rule,
			Match: s.Match, Flow: s.Flow.String(), TTL: s.TTL, Text: s.String(),
		}
		if s.Act == Translated {
			js.Before = s.Before.String()
		}
		if s.Reason != None {
			js.Reason = s.Reason.String()
		}
		out.Steps = append(out.Steps, js)
	}
	return json.Marshal(out)
}
