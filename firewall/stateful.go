package firewall

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// verb is what a stateful rule does, in the order of [ActionOrder].
type verb uint8

const (
	noVerb verb = iota
	pass
	drop
	reject
	alert
)

var verbs = map[string]verb{"pass": pass, "drop": drop, "reject": reject, "alert": alert}

// protocols are the protocols of a rule's header: those of IP, and those above TCP and
// UDP, of which nothing is known until a packet with a payload comes.
var protocols = map[string]struct {
	proto wire.Proto // 0 is any
	above bool
}{
	"ip": {}, "tcp": {proto: wire.ProtoTCP}, "udp": {proto: wire.ProtoUDP}, "icmp": {proto: wire.ProtoICMP},
	"http": {wire.ProtoTCP, true}, "tls": {wire.ProtoTCP, true}, "ftp": {wire.ProtoTCP, true}, "ssh": {wire.ProtoTCP, true},
	"smtp": {wire.ProtoTCP, true}, "imap": {wire.ProtoTCP, true}, "smb": {wire.ProtoTCP, true}, "dcerpc": {wire.ProtoTCP, true},
	"msn": {wire.ProtoTCP, true}, "krb5": {wire.ProtoTCP, true}, "http2": {wire.ProtoTCP, true},
	"dns": {0, true}, "ntp": {wire.ProtoUDP, true}, "tftp": {wire.ProtoUDP, true}, "dhcp": {wire.ProtoUDP, true},
	"ikev2": {wire.ProtoUDP, true}, "quic": {wire.ProtoUDP, true},
}

// stateful is a compiled stateful rule.
type stateful struct {
	group, text    string
	verb           verb
	proto          wire.Proto
	above          bool // of a protocol above TCP or UDP
	source, target addresses
	from, to       ports
	both           bool
	flow           flowWord
	unknown        bool // has keywords that are not modelled
	priority       int
}

// flowWord is the keyword flow of a rule: bits that a packet's flow must have.
type flowWord uint8

const (
	toServer flowWord = 1 << iota
	toClient
	established
	notEstablished
)

var flowWords = map[string]flowWord{
	"to_server": toServer, "from_client": toServer, "to_client": toClient, "from_server": toClient,
	"established": established, "not_established": notEstablished, "stateless": 0,
}

// harmless are keywords that do not decide what a rule matches.
var harmless = []string{"sid", "msg", "rev", "gid", "classtype", "metadata", "reference", "noalert", "target"}

// compileStateful checks the rules of the groups and puts them into the policy's order
// (NFW guide, "Managing evaluation order").
func compileStateful(p Policy, vars variables) ([]stateful, error) {
	groups := slices.Clone(p.Stateful)
	if p.Order == StrictOrder {
		slices.SortStableFunc(groups, func(a, b StatefulGroup) int { return cmp.Compare(a.Priority, b.Priority) })
	}
	var all []stateful
	for i, g := range groups {
		if p.Order == StrictOrder && i > 0 && groups[i-1].Priority == g.Priority {
			return nil, invalid("stateful rule group priority %d is used more than once", g.Priority)
		}
		rules, err := g.compile(vars)
		if err != nil {
			return nil, err
		}
		all = append(all, rules...)
	}
	if p.Order != StrictOrder {
		slices.SortStableFunc(all, func(a, b stateful) int {
			return cmp.Or(cmp.Compare(a.verb, b.verb), cmp.Compare(a.priority, b.priority))
		})
	}
	return all, nil
}

func (g StatefulGroup) compile(home variables) ([]stateful, error) {
	vars := variables{ips: map[string][]string{}, ports: g.PortSets}
	for _, m := range []map[string][]string{home.ips, g.IPSets} {
		for k, v := range m {
			vars.ips[k] = v
		}
	}
	var rules []StatefulRule
	rules = append(rules, g.Rules...)
	for _, line := range strings.Split(g.RulesString, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRule(line)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	var all []stateful
	for _, r := range rules {
		s, err := r.compile(g.Name, vars)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// parseRule reads a rule in Suricata's words: action protocol source port direction
// destination port (keywords).
func parseRule(line string) (StatefulRule, error) {
	head, options, ok := strings.Cut(line, "(")
	f := fields(head)
	if !ok || len(f) != 7 || !strings.HasSuffix(strings.TrimSpace(options), ")") {
		return StatefulRule{}, invalid("rule %q is not of the form: action protocol source port direction destination port (keywords)", line)
	}
	r := StatefulRule{Action: f[0], Protocol: f[1], Source: f[2], SourcePort: f[3], Destination: f[5], DestinationPort: f[6], Direction: "FORWARD"}
	switch f[4] {
	case "->":
	case "<>":
		r.Direction = "ANY"
	default:
		return StatefulRule{}, invalid("rule %q has a direction that is neither -> nor <>", line)
	}
	options = strings.TrimSpace(options)
	for _, o := range strings.Split(options[:len(options)-1], ";") {
		if o = strings.TrimSpace(o); o != "" {
			r.Options = append(r.Options, o)
		}
	}
	return r, nil
}

// fields parts a rule's header at spaces that are in no list.
func fields(s string) []string {
	var out []string
	depth, start := 0, -1
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[':
			depth++
		case c == ']':
			depth--
		}
		if blank := s[i] == ' ' || s[i] == '\t'; blank && depth == 0 {
			if start >= 0 {
				out, start = append(out, s[start:i]), -1
			}
		} else if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		out = append(out, s[start:])
	}
	return out
}

func (r StatefulRule) compile(group string, vars variables) (s stateful, err error) {
	header, known := protocols[strings.ToLower(r.Protocol)]
	s = stateful{group: group, text: r.String(), verb: verbs[strings.ToLower(r.Action)], proto: header.proto, above: header.above, priority: 3}
	switch {
	case s.verb == noVerb:
		return s, invalid("rule %q has an action that is none of PASS, DROP, REJECT, ALERT", r)
	case !known:
		return s, invalid("rule %q has a protocol that is not known", r)
	}
	switch strings.ToUpper(r.Direction) {
	case "", "FORWARD":
	case "ANY":
		s.both = true
	default:
		return s, invalid("rule %q has a direction that is neither FORWARD nor ANY", r)
	}
	for _, read := range []func() error{
		func() (err error) { s.source, err = vars.parseAddresses(r.Source); return },
		func() (err error) { s.target, err = vars.parseAddresses(r.Destination); return },
		func() (err error) { s.from, err = vars.parsePorts(r.SourcePort); return },
		func() (err error) { s.to, err = vars.parsePorts(r.DestinationPort); return },
	} {
		if err := read(); err != nil {
			return s, invalid("rule %q: %s", r, err)
		}
	}
	for _, o := range r.Options {
		s.read(o)
	}
	return s, nil
}

// read takes one keyword.
func (s *stateful) read(option string) {
	key, value, _ := strings.Cut(option, ":")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	switch {
	case slices.Contains(harmless, key):
	case key == "priority":
		if n, err := strconv.Atoi(value); err == nil {
			s.priority = n
		}
	case key == "flow":
		for _, w := range strings.Split(value, ",") {
			bit, ok := flowWords[strings.TrimSpace(w)]
			s.flow |= bit
			s.unknown = s.unknown || !ok
		}
	default:
		s.unknown = true
	}
}

// String returns the rule in Suricata's words.
func (r StatefulRule) String() string {
	arrow := "->"
	if strings.EqualFold(r.Direction, "ANY") {
		arrow = "<>"
	}
	word := func(s string) string {
		if s == "" || strings.EqualFold(s, "any") {
			return "any"
		}
		return s
	}
	text := strings.ToLower(r.Action) + " " + strings.ToLower(r.Protocol) + " " + word(r.Source) + " " + word(r.SourcePort) +
		" " + arrow + " " + word(r.Destination) + " " + word(r.DestinationPort)
	if len(r.Options) > 0 {
		text += " (" + strings.Join(r.Options, "; ") + ";)"
	}
	return text
}

// match is whether a rule takes a packet.
type match uint8

const (
	no match = iota
	yes
	maybe // it depends on what is not modelled
)

func (s *stateful) matches(p *wire.Packet, f flowWord) match {
	switch {
	case s.proto != 0 && s.proto != p.Flow.Proto && !(s.proto == wire.ProtoICMP && p.Flow.Proto == wire.ProtoICMPv6),
		s.flow&f != s.flow,
		!s.takes(p, p.Flow) && !(s.both && s.takes(p, p.Flow.Reverse())):
		return no
	case s.above && !payload(p):
		return no
	case s.above || s.unknown:
		return maybe
	}
	return yes
}

// takes holds a flow against the rule's ends. What has no ports is taken by a rule for
// any port alone.
func (s *stateful) takes(p *wire.Packet, f wire.Flow) bool {
	if !s.source.contain(f.Src) || !s.target.contain(f.Dst) {
		return false
	}
	return s.from.all() && s.to.all() || ported(p) && s.from.contain(f.SrcPort) && s.to.contain(f.DstPort)
}

// payload reports whether the packet holds data of what is above TCP or UDP.
func payload(p *wire.Packet) bool {
	t := p.Transport()
	switch {
	case t == nil:
		return true
	case p.Flow.Proto == wire.ProtoTCP:
		return len(wire.TCP(t).Payload()) > 0
	case p.Flow.Proto == wire.ProtoUDP:
		return len(t) > wire.UDPLen
	}
	return false
}
