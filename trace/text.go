package trace

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vpcsim/vpcsim/wire"
)

// String returns the step's decision in words, without the node's name.
func (s Step) String() string {
	switch s.Act {
	case Checked:
		return s.checked() + " is its own"
	case CheckOff:
		return "source/dest check is off"
	case NotOwn:
		return "source/dest check is on, and " + s.checked() + " is not its own"
	case Allowed:
		return s.rule() + " allows"
	case Tracked:
		return "known flow"
	case Denied:
		return s.rule() + " denies"
	case NoRule:
		return s.noRule()
	case Routed:
		if s.Object == "" {
			return "routes by " + s.Match
		}
		return fmt.Sprintf("%s: %s matches %s", s.Object, s.Flow.Dst, s.Match)
	case Unrouted:
		return fmt.Sprintf("%s has no route to %s", s.Object, s.Flow.Dst)
	case Resolved:
		return "same subnet: no route table, no network ACL"
	case Translated:
		return translation(s)
	case Passed:
		return "passes on"
	case Did:
		return s.Match
	case Untold:
		return s.Object + ": " + s.Match
	case Ended:
		return s.ended()
	}
	return ""
}

// checked returns the address that source/dest check looked at.
func (s Step) checked() string {
	a := s.Flow.Dst
	if s.Object == "source" {
		a = s.Flow.Src
	}
	return s.Object + " " + a.String()
}

// starNumber is the least number of the rules that AWS shows as "*": they deny what
// no other rule of a network ACL takes (API, NetworkAclEntry).
const starNumber = 32767

// rule names a rule: its list, its words and, where it has one, its number.
func (s Step) rule() string {
	switch {
	case s.Number == 0:
		return s.Object + " " + s.Rule
	case s.Number >= starNumber:
		return s.Object + " " + s.Rule + " *"
	}
	return fmt.Sprintf("%s %s %d", s.Object, s.Rule, s.Number)
}

// noRule says what a rule would have to allow, in the words of AWS's rules.
func (s Step) noRule() string {
	traffic, end := s.Flow.Proto.String(), "from "+s.Flow.Src.String()
	if s.Flow.DstPort != 0 && !isICMP(s.Flow) {
		traffic += " " + strconv.Itoa(int(s.Flow.DstPort))
	}
	if s.Rule == "egress" {
		end = "to " + s.Flow.Dst.String()
	}
	return fmt.Sprintf("%s has no %s rule for %s %s", s.Object, s.Rule, traffic, end)
}

func (s Step) ended() string {
	switch {
	case s.Reason == Delivered:
		return "delivers"
	case s.Match != "":
		return s.Reason.String() + ": " + s.Match
	}
	return s.Reason.String()
}

// translation tells only what changed.
func translation(s Step) string {
	var parts []string
	was, is := s.Before, s.Flow
	if was.SrcPort == is.SrcPort { // nor that a port stayed what it is
		was.SrcPort, is.SrcPort = 0, 0
	}
	if was.DstPort == is.DstPort {
		was.DstPort, is.DstPort = 0, 0
	}
	if was.Src != is.Src || was.SrcPort != is.SrcPort {
		parts = append(parts, "source "+endpoint(was, was.Src, was.SrcPort)+" becomes "+endpoint(is, is.Src, is.SrcPort))
	}
	if was.Dst != is.Dst || was.DstPort != is.DstPort {
		parts = append(parts, "destination "+endpoint(was, was.Dst, was.DstPort)+" becomes "+endpoint(is, is.Dst, is.DstPort))
	}
	if len(parts) == 0 {
		return "translated to itself"
	}
	return strings.Join(parts, ", ")
}

// endpoint returns one end of a flow: an address with a port, or with the identifier of
// an ICMP query.
func endpoint(f wire.Flow, a wire.Addr, port uint16) string {
	switch {
	case port == 0:
		return a.String()
	case isICMP(f):
		return fmt.Sprintf("%s id %d", a, port)
	case a.Is4():
		return fmt.Sprintf("%s:%d", a, port)
	}
	return fmt.Sprintf("[%s]:%d", a, port)
}

func isICMP(f wire.Flow) bool { return f.Proto == wire.ProtoICMP || f.Proto == wire.ProtoICMPv6 }

// WriteTo writes the walk as people read it: the packet, a line a node, numbered,
// and how it ended. It satisfies io.WriterTo.
func (w *Walk) WriteTo(out io.Writer) (int64, error) {
	w.settle()
	var b strings.Builder
	b.WriteString(w.packet() + "\n")
	w.writeLines(&b, w.lines(), w.nodeWidth(), 0)
	n, err := io.WriteString(out, b.String())
	return int64(n), err
}

// String returns what WriteTo writes.
func (w *Walk) String() string {
	var b strings.Builder
	w.WriteTo(&b)
	return b.String()
}

// packet says what was sent.
func (w *Walk) packet() string {
	if w.First == (wire.Flow{}) {
		return fmt.Sprintf("%s (%d bytes)", cmp.Or(w.Frame, "no packet"), w.Size)
	}
	what := w.First.String()
	if w.Fragment == wire.LaterFragment { // whose ports nobody knows
		what = fmt.Sprintf("%s > %s %s", w.First.Src, w.First.Dst, w.First.Proto)
	}
	if w.isMessage() {
		what += " " + icmpName(w.First.Proto, w.Type, w.Code)
	}
	if w.Fragment != wire.Whole {
		what += " fragment at " + strconv.Itoa(w.FragmentOffset)
	}
	if w.TTL == 0 { // it was refused before it was sent
		return fmt.Sprintf("%s (%d bytes)", what, w.Size)
	}
	return fmt.Sprintf("%s (%d bytes, ttl %d)", what, w.Size, w.TTL)
}

// icmpNames are the messages that have a name in traces (IANA, ICMP parameters).
var icmpNames = map[wire.Proto]map[uint8]string{
	wire.ProtoICMP: {
		0: "echo reply", 3: "unreachable", 5: "redirect", 8: "echo request", 11: "time exceeded", 12: "parameter problem",
	},
	wire.ProtoICMPv6: {
		1: "unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem", 128: "echo request", 129: "echo reply",
		135: "neighbor solicitation", 136: "neighbor advertisement",
	},
}

func icmpName(p wire.Proto, typ, code uint8) string {
	name, ok := icmpNames[p][typ]
	switch {
	case !ok:
		return fmt.Sprintf("type %d code %d", typ, code)
	case code != 0 || name == "unreachable":
		return fmt.Sprintf("%s code %d", name, code)
	}
	return name
}

// writeLines writes the walk's lines, numbered from after on, and its ending. It
// returns the last number.
func (w *Walk) writeLines(b *strings.Builder, lines []line, width, after int) int {
	for _, l := range lines {
		after++
		fmt.Fprintf(b, "%3d  %-*s  %s\n", after, width, l.node, l.text)
	}
	fmt.Fprintf(b, "     %s\n", w.ending())
	return after
}

func (w *Walk) nodeWidth() int {
	width := 0
	for _, s := range w.Steps {
		width = max(width, utf8.RuneCountInString(s.Node))
	}
	return width
}

func (w *Walk) ending() string {
	end := w.End()
	switch {
	case end == None:
		return "not ended"
	case !end.IsDrop():
		return end.String()
	case end.Code() == "":
		return "dropped: " + end.String()
	}
	return "dropped: " + end.String() + " (" + end.Code() + ")"
}

type line struct{ node, text string }

// lines joins the steps that one node took one after another, and tells where the
// TTL changed.
func (w *Walk) lines() []line {
	var lines []line
	ttl := w.TTL
	for i, s := range w.Steps {
		text := s.String()
		if last := i+1 == len(w.Steps) || w.Steps[i+1].Node != s.Node; last && s.TTL != ttl {
			text, ttl = text+"; TTL "+strconv.Itoa(int(s.TTL)), s.TTL
		}
		if n := len(lines); n > 0 && lines[n-1].node == s.Node {
			lines[n-1].text += "; " + text
			continue
		}
		lines = append(lines, line{s.Node, text})
	}
	return lines
}
