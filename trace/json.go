package trace

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// The package's doc describes these.
type (
	jsonWalk struct {
		ID      int        `json:"id"`
		Cause   int        `json:"cause,omitempty"`
		From    string     `json:"from"`
		FromID  string     `json:"from_id,omitempty"`
		StartNS int64      `json:"start_ns"`
		Frame   string     `json:"frame,omitempty"`
		First   *jsonFlow  `json:"first,omitempty"`
		Last    *jsonFlow  `json:"last,omitempty"`
		Packet  jsonPacket `json:"packet"`
		Reason  string     `json:"reason"`
		Code    string     `json:"code,omitempty"`
		Where   string     `json:"where"`
		WhereID string     `json:"where_id,omitempty"`
		Steps   []jsonStep `json:"steps"`
	}

	jsonFlow struct {
		Src    string  `json:"src"`
		Dst    string  `json:"dst"`
		Proto  string  `json:"proto"`
		SPort  *uint16 `json:"sport,omitempty"`
		DPort  *uint16 `json:"dport,omitempty"`
		ICMPID *uint16 `json:"icmp_id,omitempty"`
	}

	jsonPacket struct {
		Type     *uint8        `json:"type,omitempty"`
		Code     *uint8        `json:"code,omitempty"`
		Fragment *jsonFragment `json:"fragment,omitempty"`
		TTL      uint8         `json:"ttl,omitempty"`
		Size     int           `json:"size"`
	}

	jsonFragment struct {
		Offset int  `json:"offset"`
		More   bool `json:"more"`
	}

	jsonStep struct {
		AtNS        int64     `json:"at_ns"`
		Node        string    `json:"node"`
		NodeID      string    `json:"node_id,omitempty"`
		Act         string    `json:"act"`
		Object      string    `json:"object,omitempty"`
		ObjectID    string    `json:"object_id,omitempty"`
		ObjectIDs   []string  `json:"object_ids,omitempty"`
		Rule        string    `json:"rule,omitempty"`
		RuleID      string    `json:"rule_id,omitempty"`
		Number      int32     `json:"number,omitempty"`
		Match       string    `json:"match,omitempty"`
		Destination string    `json:"destination,omitempty"`
		TargetID    string    `json:"target_id,omitempty"`
		Before      *jsonFlow `json:"before,omitempty"`
		Flow        *jsonFlow `json:"flow,omitempty"`
		TTL         uint8     `json:"ttl"`
		Reason      string    `json:"reason,omitempty"`
		Text        string    `json:"text"`
	}
)

var actNames = [actCount]string{
	NoAct: "", Checked: "checked", CheckOff: "check-off", NotOwn: "not-own", Allowed: "allowed", Tracked: "tracked",
	Denied: "denied", NoRule: "no-rule", Routed: "routed", Unrouted: "unrouted", Resolved: "resolved",
	Translated: "translated", Passed: "passed", Did: "did", Untold: "untold", Ended: "ended",
}

// String returns the act's name, one lower-case word or two with a hyphen.
func (a Act) String() string {
	if a < actCount {
		return actNames[a]
	}
	return fmt.Sprintf("Act(%d)", uint8(a))
}

// MarshalJSON gives the walk with its steps, each with its fields and its words. The
// package's doc says what the fields are. It returns no error.
func (w *Walk) MarshalJSON() ([]byte, error) {
	w.settle()
	out := jsonWalk{
		ID: w.ID, Cause: w.Cause, From: w.From, FromID: w.FromID, StartNS: int64(w.Start), Frame: w.Frame,
		First: w.jsonFlow(w.First), Last: w.jsonFlow(w.Last), Packet: w.jsonPacket(),
		Reason: w.End().String(), Code: w.End().Code(), Where: w.Where, WhereID: w.WhereID, Steps: []jsonStep{},
	}
	for i := range w.Steps {
		out.Steps = append(out.Steps, w.jsonStep(&w.Steps[i]))
	}
	return json.Marshal(out)
}

// jsonFlow returns nil of the zero Flow. A flow of a packet that has ports may have
// port 0; one with a port has ports, though the packet came as a fragment without.
func (w *Walk) jsonFlow(f wire.Flow) *jsonFlow {
	if f == (wire.Flow{}) {
		return nil
	}
	j := &jsonFlow{Src: f.Src.String(), Dst: f.Dst.String(), Proto: f.Proto.String()}
	switch {
	case !w.ported && f.SrcPort|f.DstPort == 0:
	case isICMP(f):
		j.ICMPID = new(f.SrcPort | f.DstPort)
	default:
		j.SPort, j.DPort = new(f.SrcPort), new(f.DstPort)
	}
	return j
}

func (w *Walk) jsonPacket() jsonPacket {
	j := jsonPacket{TTL: w.TTL, Size: w.Size}
	if w.isMessage() {
		j.Type, j.Code = new(w.Type), new(w.Code)
	}
	if w.Fragment != wire.Whole {
		j.Fragment = &jsonFragment{w.FragmentOffset, w.MoreFragments}
	}
	return j
}

func (w *Walk) jsonStep(s *Step) jsonStep {
	j := jsonStep{
		AtNS: int64(s.At), Node: s.Node, NodeID: s.NodeID, Act: s.Act.String(), Object: s.Object, ObjectID: s.ObjectID,
		Rule: s.Rule, Number: s.Number, Match: s.Match, Flow: w.jsonFlow(s.Flow), TTL: s.TTL, Text: s.String(),
	}
	switch s.Act {
	case Allowed:
		j.RuleID = s.MatchID
	case NoRule:
		j.ObjectID = ""
		if s.ObjectID != "" {
			j.ObjectIDs = strings.Split(s.ObjectID, ", ")
		}
	case Routed:
		j.Rule, j.Destination, j.TargetID = "", s.Rule, s.MatchID
	case Translated:
		j.Before = w.jsonFlow(s.Before)
	}
	if s.Reason != None {
		j.Reason = s.Reason.String()
	}
	return j
}
