package trace

import (
	"encoding/json"
	"fmt"
)

type jsonStep struct {
	AtNS   int64  `json:"at_ns"`
	Node   string `json:"node"`
	Act    string `json:"act"`
	Object string `json:"object,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Number int32  `json:"number,omitempty"`
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
	From    string     `json:"from"`
	StartNS int64      `json:"start_ns"`
	First   string     `json:"first"`
	Last    string     `json:"last"`
	Size    int        `json:"size"`
	TTL     uint8      `json:"ttl"`
	Reason  string     `json:"reason"`
	Code    string     `json:"code,omitempty"`
	Where   string     `json:"where"`
	Steps   []jsonStep `json:"steps"`
}

var actNames = [actCount]string{
	NoAct: "", Checked: "checked", CheckOff: "check-off", NotOwn: "not-own", Allowed: "allowed", Tracked: "tracked",
	Denied: "denied", NoRule: "no-rule", Routed: "routed", Resolved: "resolved", Translated: "translated",
	Passed: "passed", Did: "did", Ended: "ended",
}

// String returns the act's name, one lower-case word or two with a hyphen.
func (a Act) String() string {
	if a < actCount {
		return actNames[a]
	}
	return fmt.Sprintf("Act(%d)", uint8(a))
}

// MarshalJSON gives the walk with its steps, each with its fields and its words.
// Names of fields and acts are stable; words are for people and may change.
func (w *Walk) MarshalJSON() ([]byte, error) {
	out := jsonWalk{
		ID: w.ID, Cause: w.Cause, From: w.From, StartNS: int64(w.Start), First: w.First.String(), Last: w.Last.String(),
		Size: w.Size, TTL: w.TTL, Reason: w.End().String(), Code: w.End().Code(), Where: w.Where, Steps: []jsonStep{},
	}
	for _, s := range w.Steps {
		out.Steps = append(out.Steps, s.json())
	}
	return json.Marshal(out)
}

func (s Step) json() jsonStep {
	j := jsonStep{
		AtNS: int64(s.At), Node: s.Node, Act: s.Act.String(), Object: s.Object, Rule: s.Rule, Number: s.Number,
		Match: s.Match, Flow: s.Flow.String(), TTL: s.TTL, Text: s.String(),
	}
	if s.Act == Translated {
		j.Before = s.Before.String()
	}
	if s.Reason != None {
		j.Reason = s.Reason.String()
	}
	return j
}
