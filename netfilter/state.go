package netfilter

import (
	"fmt"
	"strings"
)

// connState is what connection tracking says of a packet, as a set of bits: iptables'
// --ctstate. The zero connState is UNTRACKED.
type connState uint8

const (
	stateInvalid connState = 1 << iota
	stateNew
	stateRelated
	stateEstablished
	stateUntracked
	stateSNAT // virtual: the connection's source is translated
	stateDNAT // virtual: its destination is
)

// stateNames are in the order in which iptables prints them.
var stateNames = [...]struct {
	bit  connState
	name string
}{
	{stateInvalid, "INVALID"}, {stateNew, "NEW"}, {stateRelated, "RELATED"},
	{stateEstablished, "ESTABLISHED"}, {stateUntracked, "UNTRACKED"},
	{stateSNAT, "SNAT"}, {stateDNAT, "DNAT"},
}

func (s connState) String() string {
	var names []string
	for _, n := range stateNames {
		if s&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}

// stateMatch is iptables' match "conntrack" with --ctstate, or the older "state".
type stateMatch struct {
	module string
	not    bool
	states connState
}

func (m *stateMatch) name() string { return m.module }

func (m *stateMatch) word() string {
	if m.module == "state" {
		return "state"
	}
	return "ctstate"
}

func (m *stateMatch) option(opt string, not bool, a *arguments) (bool, error) {
	if opt != "--"+m.word() {
		return false, nil
	}
	list, err := a.value(opt)
	if err != nil {
		return true, err
	}
	m.not, m.states = not, 0
	for word := range strings.SplitSeq(list, ",") {
		s := m.stateNamed(word)
		if s == 0 {
			return true, fmt.Errorf("option %q: %q is no state", opt, word)
		}
		m.states |= s
	}
	return true, nil
}

func (m *stateMatch) stateNamed(word string) connState {
	for _, n := range stateNames {
		if strings.EqualFold(n.name, word) && (m.module == "conntrack" || n.bit < stateSNAT) {
			return n.bit
		}
	}
	return 0
}

func (m *stateMatch) check(*rule) error {
	if m.states == 0 {
		return fmt.Errorf("match %q: expected --%s", m.module, m.word())
	}
	return nil
}

func (m *stateMatch) holds(t *Tables, w *Passage) bool { return (t.states(w)&m.states != 0) != m.not }
func (m *stateMatch) listed() string                   { return bang(m.not, " ") + m.word() + " " + m.states.String() }
func (m *stateMatch) options() string {
	return bang(m.not, " ") + "--" + m.word() + " " + m.states.String()
}
