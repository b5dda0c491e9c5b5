package vpc

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// SecurityGroup is a set of rules that allow.
type SecurityGroup struct {
	Base
	vpc             *VPC
	name            string
	ingress, egress []Permission
}

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

// SecurityGroupConfig says how a security group is made.
type SecurityGroupConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Description is AWS's mandatory text; "" is "Managed by vpcsim".
	Description string
}

// CreateSecurityGroup makes a group without ingress rules and with one egress rule
// that allows everything (VPC guide, "Security groups").
func (v *VPC) CreateSecurityGroup(name string, c SecurityGroupConfig) (*SecurityGroup, error) {
	var g *SecurityGroup
	err := v.region.Change(func(tx *Tx) error {
		if name == "default" {
			return refuse("InvalidGroup.Reserved", "The security group name 'default' is reserved")
		}
		if slices.ContainsFunc(v.groups, func(o *SecurityGroup) bool { return o.name == name }) {
			return refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, v.id)
		}
		id, err := tx.NewID("sg", c.ID)
		if err != nil {
			return err
		}
		g = tx.newGroup(v, name, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (tx *Tx) newGroup(v *VPC, name, id string) *SecurityGroup {
	g := &SecurityGroup{Base: Base{id: id, region: v.region}, vpc: v, name: name}
	g.egress = []Permission{tx.newRule(Permission{Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")})}
	if slices.ContainsFunc(v.cidrs, func(p netip.Prefix) bool { return p.Addr().Is6() }) {
		g.egress = append(g.egress, tx.newRule(Permission{Protocol: -1, CIDR: netip.MustParsePrefix("::/0")}))
	}
	v.groups = append(v.groups, g)
	tx.Add(g)
	return g
}

func (tx *Tx) newRule(p Permission) Permission {
	p.ID = tx.r.ids.next("sgr")
	return p
}

// newDefaultGroup makes the VPC's default group: ingress from itself, egress to all.
func (tx *Tx) newDefaultGroup(v *VPC) {
	g := tx.newGroup(v, "default", tx.r.ids.next("sg"))
	g.ingress = []Permission{tx.newRule(Permission{Protocol: -1, Group: g})}
}

// Name returns the group's name.
func (g *SecurityGroup) Name() string { return g.name }

// AuthorizeIngress adds ingress rules. It is refused with InvalidPermission.Duplicate
// where one is there already, and then none is added.
func (g *SecurityGroup) AuthorizeIngress(rules ...Permission) error {
	return g.authorize(&g.ingress, rules)
}

// AuthorizeEgress adds egress rules, as AuthorizeIngress does.
func (g *SecurityGroup) AuthorizeEgress(rules ...Permission) error {
	return g.authorize(&g.egress, rules)
}

func (g *SecurityGroup) authorize(list *[]Permission, rules []Permission) error {
	return g.region.Change(func(tx *Tx) error {
		added := slices.Clone(*list)
		for _, p := range rules {
			p = p.canonical()
			if err := p.check(); err != nil {
				return err
			}
			if slices.ContainsFunc(added, p.same) {
				return refuse("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, p)
			}
			added = append(added, tx.newRule(p))
		}
		*list = added
		return nil
	})
}

// RevokeIngress removes ingress rules. Tracked flows that they let in go on (EC2
// guide, "Security group connection tracking"). A rule that is not there is refused
// with InvalidPermission.NotFound, and then none is removed.
func (g *SecurityGroup) RevokeIngress(rules ...Permission) error { return g.revoke(&g.ingress, rules) }

// RevokeEgress removes egress rules, as RevokeIngress does.
func (g *SecurityGroup) RevokeEgress(rules ...Permission) error { return g.revoke(&g.egress, rules) }

func (g *SecurityGroup) revoke(list *[]Permission, rules []Permission) error {
	return g.region.Change(func(*Tx) error {
		left := slices.Clone(*list)
		for _, p := range rules {
			at := slices.IndexFunc(left, p.canonical().same)
			if at < 0 {
				return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group")
			}
			left = slices.Delete(left, at, at+1)
		}
		*list = left
		return nil
	})
}

// Ingress returns a copy of the ingress rules, in the order in which they were added.
func (g *SecurityGroup) Ingress() []Permission { return g.copy(&g.ingress) }

// Egress returns a copy of the egress rules, in the order in which they were added.
func (g *SecurityGroup) Egress() []Permission { return g.copy(&g.egress) }

func (g *SecurityGroup) copy(list *[]Permission) []Permission {
	var p []Permission
	g.region.read(func() { p = slices.Clone(*list) })
	return p
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

// check refuses a rule that names no peer or several, and ports out of range.
func (p Permission) check() error {
	peers := 0
	for _, there := range []bool{p.CIDR.IsValid(), p.PrefixList != nil, p.Group != nil} {
		if there {
			peers++
		}
	}
	if peers != 1 {
		return refuse("MissingParameter", "The request must contain exactly one of: CidrIp, CidrIpv6, PrefixListId, SourceSecurityGroupId")
	}
	if p.Protocol < -1 || p.Protocol > 255 {
		return refuse("InvalidParameterValue", "Invalid value '%d' for protocol. VPC security group rules must specify protocols explicitly.", p.Protocol)
	}
	if p.Protocol == 6 || p.Protocol == 17 {
		if p.FromPort < 0 || p.ToPort > 65535 || p.FromPort > p.ToPort {
			return refuse("InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
		}
	}
	return nil
}

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
