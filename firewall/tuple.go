package firewall

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// addresses is a compiled address of a stateful rule: in one of yes, or all where there
// are none, and in none of no.
type addresses struct{ yes, no []wire.Prefix }

func (s *addresses) contain(a wire.Addr) bool {
	return (len(s.yes) == 0 || anyContains(s.yes, a)) && !anyContains(s.no, a)
}

func anyContains(list []wire.Prefix, a wire.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// ports is a compiled port of a stateful rule, as addresses is an address.
type ports struct{ yes, no []PortRange }

func (s *ports) contain(n uint16) bool {
	return (len(s.yes) == 0 || anyHolds(s.yes, n)) && !anyHolds(s.no, n)
}

func (s *ports) all() bool { return len(s.yes) == 0 && len(s.no) == 0 }

func anyHolds(list []PortRange, n uint16) bool {
	for _, r := range list {
		if r.From <= n && n <= r.To {
			return true
		}
	}
	return false
}

// variables are what a dollar sign stands for in a group's rules.
type variables struct{ ips, ports map[string][]string }

// maxDepth bounds variables in variables.
const maxDepth = 8

// parseAddresses reads an address in Suricata's words.
func (v variables) parseAddresses(text string) (addresses, error) {
	var s addresses
	err := split(text, false, v.ips, maxDepth, func(item string, no bool) error {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			a, err := netip.ParseAddr(item)
			if err != nil {
				return fmt.Errorf("%q is no address, CIDR, variable or list of these", item)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if no {
			s.no = append(s.no, wire.PrefixFrom(p))
		} else {
			s.yes = append(s.yes, wire.PrefixFrom(p))
		}
		return nil
	})
	return s, err
}

// parsePorts reads a port in Suricata's words.
func (v variables) parsePorts(text string) (ports, error) {
	var s ports
	err := split(text, false, v.ports, maxDepth, func(item string, no bool) error {
		from, to, isRange := strings.Cut(item, ":")
		switch {
		case !isRange:
			to = from
		case from == "":
			from = "0"
		}
		if to == "" {
			to = "65535"
		}
		a, errA := strconv.ParseUint(from, 10, 16)
		b, errB := strconv.ParseUint(to, 10, 16)
		if errA != nil || errB != nil || a > b {
			return fmt.Errorf("%q is no port, range, variable or list of these", item)
		}
		if no {
			s.no = append(s.no, PortRange{uint16(a), uint16(b)})
		} else {
			s.yes = append(s.yes, PortRange{uint16(a), uint16(b)})
		}
		return nil
	})
	return s, err
}

// split calls f for each item of a value: ANY has none, ! negates an item, a list or a
// variable.
func split(text string, no bool, vars map[string][]string, depth int, f func(item string, no bool) error) error {
	text = strings.TrimSpace(text)
	if depth == 0 {
		return fmt.Errorf("%q is nested too deep", text)
	}
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		return split(rest, !no, vars, depth-1, f)
	}
	switch {
	case text == "" && depth < maxDepth:
		return fmt.Errorf("an item of a list is empty")
	case text == "" || strings.EqualFold(text, "any"):
		if no {
			return fmt.Errorf("not any matches nothing")
		}
		return nil
	case text[0] == '$':
		list, ok := vars[text[1:]]
		if !ok {
			return fmt.Errorf("the variable %s is not defined", text)
		}
		if len(list) == 0 {
			return fmt.Errorf("the variable %s is empty", text)
		}
		for _, item := range list {
			if err := split(item, no, vars, depth-1, f); err != nil {
				return err
			}
		}
		return nil
	case text[0] == '[':
		if text[len(text)-1] != ']' {
			return fmt.Errorf("the list %q does not end in ]", text)
		}
		for _, item := range listItems(text[1 : len(text)-1]) {
			if err := split(item, no, vars, depth-1, f); err != nil {
				return err
			}
		}
		return nil
	}
	return f(text, no)
}

// listItems parts a list at the commas that are in no list within it.
func listItems(text string) []string {
	var items []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				items = append(items, text[start:i])
				start = i + 1
			}
		}
	}
	return append(items, text[start:])
}
