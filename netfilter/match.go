package netfilter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/vpcsim/vpcsim/wire"
)

// newMatch returns the match extension of a name, or nil.
func newMatch(name string, f family) match {
	switch name {
	case "tcp":
		return &portMatch{proto: wire.ProtoTCP}
	case "udp":
		return &portMatch{proto: wire.ProtoUDP}
	case "multiport":
		return &multiportMatch{}
	case "conntrack", "state":
		return &stateMatch{module: name}
	case "comment":
		return &commentMatch{}
	case "icmp":
		if f == ipv4 {
			return &icmpMatch{family: f}
		}
	case "icmp6", "icmpv6", "ipv6-icmp":
		if f == ipv6 {
			return &icmpMatch{family: f}
		}
	}
	return nil
}

// portRange is a range of ports, both ends in it. The zero portRange is none given.
type portRange struct {
	lo, hi uint16
	not    bool
	given  bool
}

func (p portRange) holds(port uint16) bool {
	return !p.given || (port >= p.lo && port <= p.hi) != p.not
}

func (p portRange) text(between string) string {
	if p.lo == p.hi {
		return strconv.Itoa(int(p.lo))
	}
	return strconv.Itoa(int(p.lo)) + between + strconv.Itoa(int(p.hi))
}

// listed returns the range as a listing shows it: " dpt:80", " dpts:!80:90".
func (p portRange) listed(name string) string {
	if !p.given {
		return ""
	}
	if p.lo != p.hi {
		name += "s"
	}
	return " " + name + ":" + bang(p.not, "") + p.text(":")
}

func (p portRange) option(name string) string {
	if !p.given {
		return ""
	}
	return bang(p.not, " ") + name + " " + p.text(":") + " "
}

func bang(not bool, space string) string {
	if not {
		return "!" + space
	}
	return ""
}

// portMatch is iptables' match "tcp" or "udp".
type portMatch struct {
	proto      wire.Proto
	src, dst   portRange
	mask, want wire.TCPFlags // --tcp-flags; mask 0 is not given
	flagsNot   bool
}

func (m *portMatch) name() string { return m.proto.String() }

func (m *portMatch) option(opt string, not bool, a *arguments) (known bool, err error) {
	switch opt {
	case "--sport", "--source-port":
		m.src, err = a.ports(opt, not)
	case "--dport", "--destination-port":
		m.dst, err = a.ports(opt, not)
	case "--syn":
		if m.proto != wire.ProtoTCP {
			return false, nil
		}
		m.mask, m.want, m.flagsNot = wire.FIN|wire.SYN|wire.RST|wire.ACK, wire.SYN, not
	case "--tcp-flags":
		if m.proto != wire.ProtoTCP {
			return false, nil
		}
		m.flagsNot = not
		if m.mask, err = a.tcpFlags(opt); err == nil {
			m.want, err = a.tcpFlags(opt)
		}
	default:
		return false, nil
	}
	return true, err
}

func (m *portMatch) check(r *rule) error {
	if r.proto != m.proto || r.protoNot {
		return fmt.Errorf("match %q: expected -p %s before it", m.name(), m.proto)
	}
	return nil
}

func (m *portMatch) holds(t *Tables, w *Passage) bool {
	f := &w.Packet.Flow
	return m.src.holds(f.SrcPort) && m.dst.holds(f.DstPort) &&
		(m.mask == 0 || (w.Packet.Flags&m.mask == m.want) != m.flagsNot)
}

func (m *portMatch) listed() string {
	s := m.name() + m.src.listed("spt") + m.dst.listed("dpt")
	if m.mask != 0 {
		s += fmt.Sprintf(" flags:%s0x%02X/0x%02X", bang(m.flagsNot, ""), uint8(m.mask), uint8(m.want))
	}
	return s
}

func (m *portMatch) options() string {
	s := m.src.option("--sport") + m.dst.option("--dport")
	if m.mask != 0 {
		s += bang(m.flagsNot, " ") + "--tcp-flags " + flagNames(m.mask) + " " + flagNames(m.want)
	}
	return s
}

var tcpFlagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG"}

func flagNames(f wire.TCPFlags) string {
	var names []string
	for i, n := range tcpFlagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	if names == nil {
		return "NONE"
	}
	return strings.Join(names, ",")
}

// icmpMatch is iptables' match "icmp", or ip6tables' "icmp6".
type icmpMatch struct {
	family family
	given  bool
	not    bool
	typ    uint8
	code   int // -1 is every code
}

func (m *icmpMatch) name() string {
	if m.family == ipv6 {
		return "icmp6"
	}
	return "icmp"
}

func (m *icmpMatch) proto() wire.Proto {
	if m.family == ipv6 {
		return wire.ProtoICMPv6
	}
	return wire.ProtoICMP
}

func (m *icmpMatch) optionName() string {
	if m.family == ipv6 {
		return "--icmpv6-type"
	}
	return "--icmp-type"
}

func (m *icmpMatch) option(opt string, not bool, a *arguments) (bool, error) {
	if opt != m.optionName() {
		return false, nil
	}
	word, err := a.value(opt)
	if err != nil {
		return true, err
	}
	m.given, m.not = true, not
	m.typ, m.code, err = parseICMPType(word, m.family)
	return true, err
}

func (m *icmpMatch) check(r *rule) error {
	switch {
	case r.proto != m.proto() || r.protoNot:
		return fmt.Errorf("match %q: expected -p %s before it", m.name(), protoOption(m.proto()))
	case !m.given:
		return fmt.Errorf("match %q: expected %s", m.name(), m.optionName())
	}
	return nil
}

func (m *icmpMatch) holds(t *Tables, w *Passage) bool {
	p := w.Packet
	return !m.given || (p.Type == m.typ && (m.code < 0 || int(p.Code) == m.code)) != m.not
}

func (m *icmpMatch) listed() string {
	name := "icmp"
	if m.family == ipv6 {
		name = "ipv6-icmp"
	}
	if m.not {
		name += " !"
	}
	s := fmt.Sprintf("%stype %d", name, m.typ)
	if m.code >= 0 {
		s += fmt.Sprintf(" code %d", m.code)
	}
	return s
}

func (m *icmpMatch) options() string {
	s := fmt.Sprintf("%s%s %d", bang(m.not, " "), m.optionName(), m.typ)
	if m.code >= 0 {
		s += fmt.Sprintf("/%d", m.code)
	}
	return s
}

// multiportMatch is iptables' match "multiport": up to 15 ports, a range being two.
type multiportMatch struct {
	side   string // "sports", "dports" or "ports", which is either
	not    bool
	ranges []portRange
}

func (m *multiportMatch) name() string { return "multiport" }

func (m *multiportMatch) option(opt string, not bool, a *arguments) (bool, error) {
	side := strings.TrimPrefix(opt, "--")
	switch opt {
	case "--sports", "--dports", "--ports":
	case "--source-ports":
		side = "sports"
	case "--destination-ports":
		side = "dports"
	default:
		return false, nil
	}
	if m.side != "" {
		return true, fmt.Errorf("option %q: multiport takes one list of ports", opt)
	}
	word, err := a.value(opt)
	if err != nil {
		return true, err
	}
	m.side, m.not = side, not
	return true, m.list(opt, word)
}

func (m *multiportMatch) list(opt, word string) error {
	n := 0
	for part := range strings.SplitSeq(word, ",") {
		p, err := parsePorts(opt, part, ":")
		if err != nil {
			return err
		}
		if n++; strings.Contains(part, ":") {
			n++
		}
		m.ranges = append(m.ranges, p)
	}
	if n > 15 {
		return fmt.Errorf("option %q: %d ports, expected 15 at most, a range counting as two", opt, n)
	}
	return nil
}

func (m *multiportMatch) check(r *rule) error {
	if r.proto != wire.ProtoTCP && r.proto != wire.ProtoUDP || r.protoNot {
		return fmt.Errorf("match %q: expected -p tcp or -p udp", m.name())
	}
	if m.side == "" {
		return fmt.Errorf("match %q: expected --sports, --dports or --ports", m.name())
	}
	return nil
}

func (m *multiportMatch) holds(t *Tables, w *Passage) bool {
	f := &w.Packet.Flow
	in := func(port uint16) bool {
		return slices.ContainsFunc(m.ranges, func(r portRange) bool { return r.holds(port) })
	}
	found := m.side != "dports" && in(f.SrcPort) || m.side != "sports" && in(f.DstPort)
	return found != m.not
}

func (m *multiportMatch) portList() string {
	words := make([]string, len(m.ranges))
	for i, r := range m.ranges {
		words[i] = r.text(":")
	}
	return strings.Join(words, ",")
}

func (m *multiportMatch) listed() string {
	space := " "
	if m.not {
		space = "  !"
	}
	return "multiport " + m.side + space + m.portList()
}

func (m *multiportMatch) options() string {
	return bang(m.not, " ") + "--" + m.side + " " + m.portList()
}

// commentMatch is iptables' match "comment": it matches everything.
type commentMatch struct{ text string }

func (m *commentMatch) name() string { return "comment" }

func (m *commentMatch) option(opt string, not bool, a *arguments) (known bool, err error) {
	if opt != "--comment" {
		return false, nil
	}
	if not {
		return true, fmt.Errorf(`option %q: can't be inverted with "!"`, opt)
	}
	m.text, err = a.value(opt)
	if err == nil && (len(m.text) > 255 || strings.ContainsFunc(m.text, unicode.IsControl)) {
		err = fmt.Errorf("option %q: expected 255 bytes at most, and none of them a control character", opt)
	}
	return true, err
}

func (m *commentMatch) check(*rule) error {
	if m.text == "" {
		return fmt.Errorf("match %q: expected --comment", m.name())
	}
	return nil
}

func (m *commentMatch) holds(*Tables, *Passage) bool { return true }
func (m *commentMatch) listed() string               { return "/* " + m.text + " */" }
func (m *commentMatch) options() string {
	if strings.ContainsAny(m.text, " \"'\\") {
		return `--comment "` + commentEscapes.Replace(m.text) + `"`
	}
	return "--comment " + m.text
}

var commentEscapes = strings.NewReplacer(`"`, `\"`, `'`, `\'`, `\`, `\\`)
