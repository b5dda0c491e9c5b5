package netfilter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// targetKind is what a rule does. The zero targetKind is a rule that only counts.
type targetKind uint8

const (
	onlyCount targetKind = iota
	acceptTarget
	dropTarget
	returnTarget
	rejectTarget
	masquerade
	snat
	dnat
	netmap
	targetCount
)

var targetNames = [targetCount]string{
	"", "ACCEPT", "DROP", "RETURN", "REJECT", "MASQUERADE", "SNAT", "DNAT", "NETMAP",
}

func targetNamed(name string) (targetKind, bool) {
	for k := acceptTarget; k < targetCount; k++ {
		if targetNames[k] == name {
			return k, true
		}
	}
	return onlyCount, false
}

// target is what a rule does, with its options.
type target struct {
	kind   targetKind
	jump   bool       // -j was given
	lo, hi netip.Addr // SNAT's and DNAT's addresses; both invalid where not given
	ports  portRange  // MASQUERADE's, SNAT's, DNAT's
	prefix netip.Prefix

	random, fully, persistent bool

	reject rejection // REJECT's
}

// rejection is a kind of REJECT's answer.
type rejection struct {
	family  family
	names   []string // what --reject-with takes; the first is what is printed
	answers Rejection
}

// The answers of REJECT in each family; the first is the default.
var rejections = []rejection{
	{ipv4, []string{"icmp-port-unreachable", "port-unreach"}, Rejection{Type: 3, Code: 3}},
	{ipv4, []string{"icmp-net-unreachable", "net-unreach"}, Rejection{Type: 3, Code: 0}},
	{ipv4, []string{"icmp-host-unreachable", "host-unreach"}, Rejection{Type: 3, Code: 1}},
	{ipv4, []string{"icmp-proto-unreachable", "proto-unreach"}, Rejection{Type: 3, Code: 2}},
	{ipv4, []string{"icmp-net-prohibited", "net-prohib"}, Rejection{Type: 3, Code: 9}},
	{ipv4, []string{"icmp-host-prohibited", "host-prohib"}, Rejection{Type: 3, Code: 10}},
	{ipv4, []string{"icmp-admin-prohibited", "admin-prohib"}, Rejection{Type: 3, Code: 13}},
	{ipv4, []string{"tcp-reset", "tcp-rst"}, Rejection{Reset: true}},
	{ipv6, []string{"icmp6-port-unreachable", "port-unreach"}, Rejection{Type: 1, Code: 4}},
	{ipv6, []string{"icmp6-no-route", "no-route"}, Rejection{Type: 1, Code: 0}},
	{ipv6, []string{"icmp6-adm-prohibited", "adm-prohibited"}, Rejection{Type: 1, Code: 1}},
	{ipv6, []string{"icmp6-addr-unreachable", "addr-unreach"}, Rejection{Type: 1, Code: 3}},
	{ipv6, []string{"tcp-reset"}, Rejection{Reset: true}},
}

func rejectionNamed(name string, f family) (rejection, bool) {
	for _, r := range rejections {
		for _, n := range r.names {
			if r.family == f && (name == "" || n == name) {
				return r, true
			}
		}
	}
	return rejection{}, false
}

// option takes an option of the target; it reports false for one it doesn't know.
func (t *target) option(opt string, not bool, f family, a *arguments) (known bool, err error) {
	if !t.knows(opt) {
		return false, nil
	}
	if not {
		return true, fmt.Errorf(`option %q: can't be inverted with "!"`, opt)
	}
	switch opt {
	case "--random":
		t.random = true
		return true, nil
	case "--random-fully":
		t.fully = true
		return true, nil
	case "--persistent":
		t.persistent = true
		return true, nil
	}
	word, err := a.value(opt)
	if err != nil {
		return true, err
	}
	switch opt {
	case "--to-ports":
		t.ports, err = parsePorts(opt, word, "-")
	case "--to":
		t.prefix, err = parsePrefix(word, f)
	case "--reject-with":
		var ok bool
		if t.reject, ok = rejectionNamed(word, f); !ok || word == "" {
			err = fmt.Errorf("option %q: %q is no answer of REJECT", opt, word)
		}
	default:
		err = t.endpoints(opt, word, f)
	}
	return true, err
}

func (t *target) knows(opt string) bool {
	switch opt {
	case "--to-ports":
		return t.kind == masquerade
	case "--to-source":
		return t.kind == snat
	case "--to-destination":
		return t.kind == dnat
	case "--to":
		return t.kind == netmap
	case "--reject-with":
		return t.kind == rejectTarget
	case "--random":
		return t.kind == masquerade || t.kind == snat || t.kind == dnat
	case "--random-fully":
		return t.kind == masquerade || t.kind == snat
	case "--persistent":
		return t.kind == snat || t.kind == dnat
	}
	return false
}

// endpoints reads "a[-b][:p[-q]]", an IPv6 address before a port in brackets.
func (t *target) endpoints(opt, word string, f family) error {
	if t.lo.IsValid() || t.ports.given {
		return fmt.Errorf("option %q: given twice", opt)
	}
	addrs, ports, hasPorts := splitPorts(word, f)
	if hasPorts {
		var err error
		if t.ports, err = parsePorts(opt, ports, "-"); err != nil {
			return err
		}
	}
	if addrs == "" && hasPorts {
		return nil
	}
	first, last, ranged := strings.Cut(addrs, "-")
	if !ranged {
		last = first
	}
	var err error
	if t.lo, err = parseAddr(first, f); err != nil {
		return fmt.Errorf("option %q: %w", opt, err)
	}
	if t.hi, err = parseAddr(last, f); err != nil {
		return fmt.Errorf("option %q: %w", opt, err)
	}
	if t.hi.Less(t.lo) {
		return fmt.Errorf("option %q: range %q: the last address is below the first", opt, addrs)
	}
	return nil
}

// splitPorts parts addresses from ports.
func splitPorts(word string, f family) (addrs, ports string, hasPorts bool) {
	if f == ipv4 {
		return strings.Cut(word, ":")
	}
	if in, ok := strings.CutPrefix(word, "["); ok {
		addrs, rest, _ := strings.Cut(in, "]")
		ports, hasPorts = strings.CutPrefix(rest, ":")
		return addrs, ports, hasPorts
	}
	if p, ok := strings.CutPrefix(word, ":"); ok && !strings.Contains(p, ":") {
		return "", p, true
	}
	return word, "", false
}

// check says what the target misses, or why it can't stand in this rule.
func (t *target) check(r *rule, tab *table, h hook) error {
	name := targetNames[t.kind]
	switch {
	case t.ports.given && (r.proto != wire.ProtoTCP && r.proto != wire.ProtoUDP || r.protoNot):
		return fmt.Errorf("target %q: ports need -p tcp or -p udp", name)
	case t.kind == snat && !t.lo.IsValid() && !t.ports.given:
		return fmt.Errorf("target %q: expected --to-source", name)
	case t.kind == dnat && !t.lo.IsValid() && !t.ports.given:
		return fmt.Errorf("target %q: expected --to-destination", name)
	case t.kind == netmap && !t.prefix.IsValid():
		return fmt.Errorf("target %q: expected --to", name)
	case t.reject.answers.Reset && (r.proto != wire.ProtoTCP || r.protoNot):
		return fmt.Errorf("target %q: tcp-reset needs -p tcp", name)
	case t.kind == dropTarget && tab.name == "nat":
		return fmt.Errorf(`target %q: the table "nat" is not for filtering`, name)
	case t.kind == rejectTarget && tab.name != "filter":
		return fmt.Errorf("target %q: expected the table \"filter\"", name)
	case t.kind >= masquerade && tab.name != "nat":
		return fmt.Errorf("target %q: expected the table \"nat\"", name)
	case t.kind == masquerade && h != postrouting,
		t.kind == snat && h != postrouting && h != input,
		t.kind == dnat && h != prerouting && h != output:
		return fmt.Errorf("target %q: can't stand in chain %s", name, hookNames[h])
	}
	return nil
}

// listed returns the words of the listing.
func (t *target) listed() string {
	var words []string
	switch t.kind {
	case masquerade:
		if t.ports.given {
			words = append(words, "masq ports: "+t.ports.text("-"))
		}
	case snat, dnat:
		words = append(words, "to:"+t.endpointText())
	case netmap:
		words = append(words, "to:"+t.prefix.String())
	case rejectTarget:
		words = append(words, "reject-with "+t.reject.names[0])
	}
	return strings.Join(t.flags(words, ""), " ")
}

// options returns the options of -S behind "-j NAME".
func (t *target) options() string {
	var words []string
	switch t.kind {
	case masquerade:
		if t.ports.given {
			words = append(words, "--to-ports "+t.ports.text("-"))
		}
	case snat:
		words = append(words, "--to-source "+t.endpointText())
	case dnat:
		words = append(words, "--to-destination "+t.endpointText())
	case netmap:
		words = append(words, "--to "+t.prefix.String())
	case rejectTarget:
		words = append(words, "--reject-with "+t.reject.names[0])
	}
	return strings.Join(t.flags(words, "--"), " ")
}

func (t *target) flags(words []string, dashes string) []string {
	if t.random {
		words = append(words, dashes+"random")
	}
	if t.fully {
		words = append(words, dashes+"random-fully")
	}
	if t.persistent {
		words = append(words, dashes+"persistent")
	}
	return words
}

func (t *target) endpointText() string {
	s := ""
	if t.lo.IsValid() {
		s = t.lo.String()
		if t.hi != t.lo {
			s += "-" + t.hi.String()
		}
		if t.lo.Is6() && t.ports.given {
			s = "[" + s + "]"
		}
	}
	if t.ports.given {
		s += ":" + strconv.Itoa(int(t.ports.lo))
		if t.ports.hi != t.ports.lo {
			s += "-" + strconv.Itoa(int(t.ports.hi))
		}
	}
	return s
}
