package vpc

import (
	"slices"
	"strings"
)

// checkTraffic holds a rule's protocol and ports to AWS's ranges.
func (p Permission) checkTraffic() error {
	if p.Protocol < -1 || p.Protocol > 255 {
		return Refuse("InvalidParameterValue", "Invalid value '%d' for protocol. VPC security group rules must specify protocols explicitly.", p.Protocol)
	}
	switch p.Protocol {
	case 6, 17:
		if p.FromPort < 0 || p.ToPort > 65535 || p.FromPort > p.ToPort {
			return Refuse("InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
		}
	case 1, 58:
		if p.FromPort < -1 || p.FromPort > 255 || p.ToPort < -1 || p.ToPort > 255 || p.FromPort == -1 && p.ToPort != -1 {
			return Refuse("InvalidParameterValue", "ICMP code (%d) out of range", p.ToPort)
		}
	}
	return nil
}

// checkPeer refuses a rule that names no peer or several (the sentence is inferred),
// a CIDR that is none, and a group that the rule's group can't reference: one of
// another VPC that no active peering joins.
func (p Permission) checkPeer(tx *Tx, g *SecurityGroup, ingress bool) error {
	peers := 0
	for _, there := range []bool{p.CIDR.IsValid(), p.PrefixList != nil, p.Group != nil} {
		if there {
			peers++
		}
	}
	switch {
	case peers != 1:
		return Refuse("MissingParameter", "The request must contain exactly one of: CidrIp, CidrIpv6, PrefixListId, SourceSecurityGroupId")
	case p.CIDR.IsValid() && p.CIDR.Addr().Is4In6():
		return Refuse("InvalidParameterValue", "CIDR block %s is malformed", p.CIDR)
	case p.PrefixList != nil:
		return tx.Needs("prefixListId", p.PrefixList)
	case p.Group == nil:
		return nil
	}
	if err := tx.Needs("groupId", p.Group); err != nil {
		return err
	}
	if p.Group.vpc != g.vpc && !tx.joined(p.Group.vpc, g.vpc, ingress) {
		return Refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	return nil
}

// Joiner is a gateway that joins VPCs so that their security groups may reference
// each other: a peering connection within the region.
type Joiner interface {
	// Joins reports whether traffic passes between v and w.
	Joins(tx *Tx, v, w *VPC) bool
}

// InboundJoiner is a gateway that joins VPCs so that ingress rules of their security
// groups may reference each other: a transit gateway (VPC guide, "Security group rules").
type InboundJoiner interface {
	// JoinsInbound reports whether ingress rules may.
	JoinsInbound(tx *Tx, v, w *VPC) bool
}

func (tx *Tx) joined(v, w *VPC, ingress bool) bool {
	return slices.ContainsFunc(tx.r.gateways, func(g Gateway) bool {
		if j, ok := g.(Joiner); ok && j.Joins(tx, v, w) {
			return true
		}
		j, ok := g.(InboundJoiner)
		return ok && ingress && j.JoinsInbound(tx, v, w)
	})
}

// checkRoom holds a direction of a group to its quota, which counts IPv4 and IPv6
// apart, a prefix list as many as it may have entries and a group as one of each
// (VPC guide, "Amazon VPC quotas").
func (g *SecurityGroup) checkRoom(tx *Tx, list []Permission) error {
	var four, six int
	for _, p := range list {
		switch {
		case p.PrefixList != nil && p.PrefixList.four:
			four += p.PrefixList.max
		case p.PrefixList != nil:
			six += p.PrefixList.max
		case p.Group != nil:
			four, six = four+1, six+1
		case p.CIDR.Addr().Is4():
			four++
		default:
			six++
		}
	}
	return tx.Within(QuotaSecurityGroupRules, max(four, six)-1, g.id)
}

// groupRunes are the characters of a group's name and description beside letters
// and digits (EC2 API, CreateSecurityGroup).
const groupRunes = " ._-:/()#,@[]+=&;{}!$*"

// checkGroupName holds a group's name and description to AWS's characters and
// lengths (the sentences are as an emulator has them).
func checkGroupName(name, description string) error {
	switch {
	case name == "":
		return Refuse("MissingParameter", "The request must contain the parameter groupName")
	case name == "default":
		return Refuse("InvalidGroup.Reserved", "The security group name 'default' is reserved")
	case strings.HasPrefix(strings.ToLower(name), "sg-"):
		return Refuse("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Group names may not be in the format sg-*", name)
	case len(name) > 255 || !plain(name):
		return Refuse("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", name)
	case len(description) > 255 || !plain(description):
		return Refuse("InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", description)
	}
	return nil
}

func plain(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune(groupRunes, c)
	})
}
