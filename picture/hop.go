package picture

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Mark is one decision at a station: a security group, a network ACL, a route.
type Mark struct {
	// Text is the decision in few words, "acl-app out #100", and Full in all of them.
	Text, Full string
	// ID is the id of what decided: sg-…, acl-…, rtb-…; empty where it has none.
	ID string
	// Bad says that the packet died of it.
	Bad bool
}

// Hop is one node that a packet met, with what was decided there.
type Hop struct {
	// ID is the resource's id, empty of what has none, such as the internet.
	ID string
	// Name is its label, without the word for the node's side.
	Name string
	// Side is the node's side: in, out, router, arrival, inbound, outbound; or empty.
	Side string
	// Marks are the decisions, in order.
	Marks []Mark
	// Change is the rewriting of the header in few words; empty where there was none.
	Change string
	// TTL is the packet's behind the node, TTLBefore in front of it.
	TTL, TTLBefore uint8
	// Dead is why the packet died here, None where it did not.
	Dead trace.Reason
	// Flow is the packet's flow behind the node.
	Flow wire.Flow

	outside bool // what no region holds
}

// sides are the words that nodes end their names with.
var sides = []string{"in", "out", "router", "arrival", "inbound", "outbound", "edge"}

// hops joins the steps of a walk by node.
func hops(w *trace.Walk) []Hop {
	var out []Hop
	ttl := w.TTL
	for i := range w.Steps {
		s := &w.Steps[i]
		name, side := split(s.Node)
		if n := len(out); n == 0 || out[n-1].ID != s.NodeID || out[n-1].Name != name || out[n-1].Side != side {
			out = append(out, Hop{ID: s.NodeID, Name: name, Side: side, TTLBefore: ttl, outside: s.NodeID == ""})
		}
		out[len(out)-1].add(s)
		ttl = s.TTL
	}
	if end := w.End(); end.IsDrop() {
		out = die(out, w, end)
	}
	return out
}

// die sets the end of a packet at the node where it died, which has a hop of its own
// where it took no step.
func die(out []Hop, w *trace.Walk, end trace.Reason) []Hop {
	name, side := split(w.Where)
	last := len(out) - 1
	if last < 0 || w.Where != "" && (out[last].ID != w.WhereID || out[last].Name != name || out[last].Side != side) {
		h := Hop{ID: w.WhereID, Name: cmp.Or(name, w.From), Side: side, Flow: w.Last, outside: w.WhereID == ""}
		if last < 0 {
			h.ID = cmp.Or(h.ID, w.FromID)
		} else {
			h.TTL, h.TTLBefore = out[last].TTL, out[last].TTL
		}
		out = append(out, h)
		last++
	}
	h := &out[last]
	h.Dead = end
	if n := len(h.Marks); n > 0 && w.Guest == trace.None {
		h.Marks[n-1].Bad = true
	}
	return out
}

func split(node string) (name, side string) {
	for _, s := range sides {
		if n, ok := strings.CutSuffix(node, " "+s); ok {
			return n, s
		}
	}
	return node, ""
}

func (h *Hop) add(s *trace.Step) {
	h.TTL, h.Flow = s.TTL, s.Flow
	m := Mark{Full: s.String(), ID: s.ObjectID}
	switch s.Act {
	case trace.Allowed, trace.Denied:
		m.Text = ruleMark(s)
	case trace.NoRule:
		m.Text = "no " + s.Rule + " rule"
	case trace.Routed:
		if s.Object == "" { // a guest's own route says nothing of the network
			return
		}
		m.Text = cmp.Or(s.Match, s.Rule)
	case trace.Unrouted:
		m.Text = "no route to " + s.Flow.Dst.String()
	case trace.Tracked:
		m.Text = "known flow"
	case trace.NotOwn:
		m.Text = "source/dest check"
	case trace.Translated:
		h.Change = change(s.Before, s.Flow)
		return
	case trace.Did:
		if strings.HasPrefix(s.NodeID, "vpc-") { // delivery, which the next station shows
			return
		}
		m.Text = s.Match
	case trace.Ended:
		if s.Match == "" {
			return
		}
		m.Text = s.Match
	default: // what stands for itself
		return
	}
	m.Text = short(m.Text)
	h.Marks = append(h.Marks, m)
}

// longID is an id of seventeen hexadecimal digits, as AWS makes them since 2018.
var longID = regexp.MustCompile(`\b([a-z]+-)[0-9a-f]{12}([0-9a-f]{5})\b`)

// arn is a load balancer's or target group's ARN, of which the name is what people know.
var arn = regexp.MustCompile(`arn:aws[a-z-]*:elasticloadbalancing:[^ ]*?/(?:(?:app|net|gwy)/)?([^/ ]+)/[0-9a-f]+`)

// short leaves of ids what tells them apart: "acl-…c9dc7".
func short(s string) string {
	return longID.ReplaceAllString(arn.ReplaceAllString(s, "$1"), "$1…$2")
}

// ruleMark names a rule shortly: "sg-web egress", "acl-app out #100".
func ruleMark(s *trace.Step) string {
	object, _, _ := strings.Cut(s.Object, ",")
	if id, name, ok := strings.Cut(object, " ("); ok && strings.HasPrefix(id, "sg-") {
		object = "sg " + strings.TrimSuffix(name, ")")
	}
	direction, _, _ := strings.Cut(s.Rule, " ")
	switch direction {
	case "outbound":
		direction = "out"
	case "inbound":
		direction = "in"
	}
	if s.Number == 0 {
		return object + " " + direction
	}
	if s.Number >= 32767 { // what AWS shows as "*"
		return object + " " + direction + " *"
	}
	return object + " " + direction + " #" + strconv.Itoa(int(s.Number))
}

// change says what a translation rewrote: "src 10.0.1.4:5000 → 203.0.113.1:1024".
func change(was, is wire.Flow) string {
	var parts []string
	if was.Src != is.Src || was.SrcPort != is.SrcPort {
		parts = append(parts, "src "+rewrite(was.Src, is.Src, was.SrcPort, is.SrcPort))
	}
	if was.Dst != is.Dst || was.DstPort != is.DstPort {
		parts = append(parts, "dst "+rewrite(was.Dst, is.Dst, was.DstPort, is.DstPort))
	}
	return strings.Join(parts, ", ")
}

func rewrite(was, is wire.Addr, wasPort, isPort uint16) string {
	if wasPort == isPort {
		return was.String() + " → " + is.String()
	}
	return fmt.Sprintf("%s → %s", endpoint(was, wasPort), endpoint(is, isPort))
}

func endpoint(a wire.Addr, port uint16) string {
	if a.Is4() {
		return a.String() + ":" + strconv.Itoa(int(port))
	}
	return "[" + a.String() + "]:" + strconv.Itoa(int(port))
}
