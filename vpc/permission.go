package vpc

import (
	"net/netip"
	"strconv"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// Permission is one rule of a security group, or the traffic part of an ACL's. The
// zero Protocol is -1, all of them.
type Permission struct {
	// Protocol is the IP protocol: -1 (or 0) for all, 6 TCP, 17 UDP, 1 ICMP, 58
	// ICMPv6, any other number with all its traffic.
	Protocol int
	// FromPort and ToPort are the range of destination ports of TCP and UDP, both
	// included; for ICMP the type and the code, -1 being all.
	FromPort, ToPort int
	// CIDR, PrefixList or Group says who the peer is: exactly one.
	CIDR       netip.Prefix
	PrefixList *PrefixList
	Group      *SecurityGroup
	// Description is free text.
	Description string
	// ID is the rule's id, sgr-…, set by the call that adds it.
	ID string
}

// AllTraffic allows everything from or to cidr. It panics where cidr is no CIDR:
// it is for rules that stand in the program.
func AllTraffic(cidr string) Permission {
	return Permission{Protocol: -1, CIDR: netip.MustParsePrefix(cidr)}
}

// TCPPort allows one TCP port from or to cidr. It panics where cidr is no CIDR.
func TCPPort(port int, cidr string) Permission {
	return Permission{Protocol: 6, FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(cidr)}
}

// UDPPort allows one UDP port from or to cidr. It panics where cidr is no CIDR.
func UDPPort(port int, cidr string) Permission {
	return Permission{Protocol: 17, FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(cidr)}
}

// AllICMP allows all ICMP from or to cidr. It panics where cidr is no CIDR.
func AllICMP(cidr string) Permission {
	return Permission{Protocol: 1, FromPort: -1, ToPort: -1, CIDR: netip.MustParsePrefix(cidr)}
}

// canonical drops host bits and makes -1 the one way to say all protocols.
func (p Permission) canonical() Permission {
	if p.Protocol == 0 {
		p.Protocol = -1
	}
	if p.CIDR.IsValid() {
		p.CIDR = p.CIDR.Masked()
	}
	if !p.hasPorts() {
		p.FromPort, p.ToPort = 0, 0
	}
	return p
}

func (p Permission) hasPorts() bool {
	switch p.Protocol {
	case 1, 6, 17, 58:
		return true
	}
	return false
}

func (p Permission) icmp() bool { return p.Protocol == 1 || p.Protocol == 58 }

// same reports whether the rules are the same but for id and description.
func (p Permission) same(q Permission) bool {
	p.ID, q.ID, p.Description, q.Description = "", "", "", ""
	return p == q
}

// String returns the rule as AWS's refusal of a duplicate quotes it.
func (p Permission) String() string {
	peer := p.CIDR.String()
	switch {
	case p.Group != nil:
		peer = p.Group.id
	case p.PrefixList != nil:
		peer = p.PrefixList.id
	}
	if p.Protocol == -1 {
		return "peer: " + peer + ", ALL, ALLOW"
	}
	name := strconv.Itoa(p.Protocol)
	switch p.Protocol {
	case 1:
		name = "ICMP"
	case 6:
		name = "TCP"
	case 17:
		name = "UDP"
	case 58:
		name = "ICMPv6"
	}
	s := "peer: " + peer + ", " + name
	if p.hasPorts() {
		s += ", from port: " + strconv.Itoa(p.FromPort) + ", to port: " + strconv.Itoa(p.ToPort)
	}
	return s + ", ALLOW"
}

// brief returns the rule as traces quote it: "tcp 22 from sg-…".
func (p Permission) brief() string {
	peer := p.CIDR.String()
	switch {
	case p.Group != nil:
		peer = p.Group.label()
	case p.PrefixList != nil:
		peer = p.PrefixList.label()
	}
	return "(" + p.traffic().String() + ", " + peer + ")"
}

// traffic returns the rule's protocol and ports as packets are held against them.
func (p Permission) traffic() filter.Traffic {
	switch p.Protocol {
	case -1, 0:
		return filter.AllTraffic()
	case 6, 17:
		return filter.Ports(wire.Proto(p.Protocol), uint16(p.FromPort), uint16(p.ToPort))
	case 1, 58:
		return filter.ICMP(wire.Proto(p.Protocol), p.FromPort, p.ToPort)
	}
	return filter.Protocol(wire.Proto(p.Protocol))
}
