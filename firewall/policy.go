package firewall

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Policy is a firewall policy: what the stateless rules say first, of each packet by
// itself, and then the stateful ones, of each flow. The zero Policy passes everything.
type Policy struct {
	// Name is how traces call it.
	Name string
	// Stateless are the stateless rule groups, in any order.
	Stateless []StatelessGroup
	// StatelessDefault is what becomes of a whole packet that no stateless rule matches,
	// StatelessFragmentDefault of a fragment; NoAction is Pass.
	StatelessDefault, StatelessFragmentDefault Action
	// Stateful are the stateful rule groups, in any order.
	Stateful []StatefulGroup
	// Order is how stateful rules are evaluated.
	Order RuleOrder
	// StatefulDefault are the default actions of [StrictOrder], such as aws:drop_strict.
	StatefulDefault []string
	// Stream is what becomes of a TCP segment of a connection whose beginning the
	// firewall has not seen; "" is DROP.
	Stream StreamExceptionPolicy
	// TCPIdle is how long a TCP connection may be idle, 60 to 6000 s; 0 is 350 s.
	TCPIdle time.Duration
	// HomeNet is the variable $HOME_NET of rules; none are the CIDRs of the firewall's
	// VPC. $EXTERNAL_NET is all else.
	HomeNet []netip.Prefix
}

// Action is what a stateless rule, or a default, does. The zero Action is none.
type Action string

// The actions of stateless rules, in AWS's words.
const (
	NoAction Action = ""
	Pass     Action = "aws:pass"
	Drop     Action = "aws:drop"
	Forward  Action = "aws:forward_to_sfe"
)

// RuleOrder is how stateful rules are evaluated.
type RuleOrder string

// The orders. The zero RuleOrder is ActionOrder.
const (
	// ActionOrder takes pass before drop, drop before reject, reject before alert,
	// whatever group a rule is of; what none matches passes.
	ActionOrder RuleOrder = "DEFAULT_ACTION_ORDER"
	// StrictOrder takes groups by priority and rules as they stand; what none matches
	// meets the default actions.
	StrictOrder RuleOrder = "STRICT_ORDER"
)

// StreamExceptionPolicy is what becomes of a connection seen from its middle on.
type StreamExceptionPolicy string

// The policies. The zero StreamExceptionPolicy is StreamDrop.
const (
	StreamDrop     StreamExceptionPolicy = "DROP"
	StreamContinue StreamExceptionPolicy = "CONTINUE"
	StreamReject   StreamExceptionPolicy = "REJECT"
)

// StatelessGroup is a stateless rule group as a policy names it.
type StatelessGroup struct {
	// Name is how traces call it.
	Name string
	// Priority orders the groups of a policy, lowest first; each is there once.
	Priority int
	// Rules are in any order.
	Rules []StatelessRule
}

// StatelessRule is one rule; what is empty matches anything.
type StatelessRule struct {
	// Priority orders the rules of a group, lowest first, 1 to 65,535; each is there once.
	Priority int
	// Sources and Destinations hold the addresses.
	Sources, Destinations []netip.Prefix
	// SourcePorts and DestinationPorts hold the ports of TCP and UDP.
	SourcePorts, DestinationPorts []PortRange
	// Protocols are IP protocol numbers.
	Protocols []wire.Proto
	// Flags are what TCP's flags must be: one of the fields.
	Flags []TCPFlagField
	// Action is what becomes of a packet that the rule matches.
	Action Action
}

// PortRange is From to To, both included.
type PortRange struct{ From, To uint16 }

// TCPFlagField matches where the flags in Masks are those in Flags; the zero Masks are
// all flags.
type TCPFlagField struct{ Flags, Masks wire.TCPFlags }

// StatefulGroup is a stateful rule group as a policy names it.
type StatefulGroup struct {
	// Name is how traces call it.
	Name string
	// Priority orders the groups of a policy of [StrictOrder], lowest first.
	Priority int
	// Rules are standard stateful rules, in their order.
	Rules []StatefulRule
	// RulesString is further rules in Suricata's words, one a line, behind Rules.
	RulesString string
	// IPSets and PortSets are the variables of the group's rules, by their names without
	// the dollar sign.
	IPSets, PortSets map[string][]string
}

// StatefulRule is a standard stateful rule: a 5-tuple in Suricata's words. Addresses
// are ANY, an address, a CIDR, a variable such as $HOME_NET, or a list [a,!b]; ports
// are ANY, 80, 1024:65535, a variable or a list. "" is ANY.
type StatefulRule struct {
	// Action is PASS, DROP, REJECT or ALERT.
	Action string
	// Protocol is IP, TCP, UDP, ICMP, or one of the protocols above them, such as HTTP or TLS.
	Protocol string
	// Source and SourcePort, Destination and DestinationPort are the ends.
	Source, SourcePort, Destination, DestinationPort string
	// Direction is FORWARD, or ANY for both; "" is FORWARD.
	Direction string
	// Options are Suricata's keywords, such as sid:1 or flow:established. Those about what
	// a packet holds are not modelled.
	Options []string
}
