package vpc

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/filter"
)

// RestoreSecurityGroup makes a security group without rules, because they may name
// groups that are restored later; see [Tx.RestorePermissions].
func (tx *Tx) RestoreSecurityGroup(s ec2.SecurityGroup) (*SecurityGroup, error) {
	b, err := tx.RestoreBase("GroupId", s.GroupId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := Named[*VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	g := &SecurityGroup{Base: b, vpc: v, name: ec2.Value(s.GroupName), description: ec2.Value(s.Description)}
	v.groups = append(v.groups, g)
	if g.name == "default" {
		v.groups = slices.Insert(v.groups[:len(v.groups)-1], 0, g)
	}
	tx.r.groups++
	tx.Add(g)
	return g, nil
}

// RestorePermissions gives a restored group its rules. What only a rule that means
// nothing, or one of a prefix list that is not there, may allow ends as trace.Unmodelled,
// and is told. A group that is not there and that a rule names has the interfaces that
// name it.
func (tx *Tx) RestorePermissions(g *SecurityGroup, s ec2.SecurityGroup) error {
	in, absent := tx.restoredPermissions(g, "IpPermissions", s.IpPermissions)
	out, more := tx.restoredPermissions(g, "IpPermissionsEgress", s.IpPermissionsEgress)
	g.ingress, g.egress = in, out
	return errors.Join(append(absent, more...)...)
}

// untoldGroup returns a group that only others' descriptions name, whose rules nobody
// knows; v is the VPC that it is taken to be in.
func (tx *Tx) untoldGroup(field string, id, name, owner *string, v *VPC) (*SecurityGroup, error) {
	g, err := Named[*SecurityGroup](tx, field, id)
	switch {
	case err == nil && g.untold == "":
		return g, nil
	case err != nil && (ec2.Value(id) == "" || tx.r.byID[*id] != nil):
		return nil, err
	case err != nil:
		g = &SecurityGroup{Base: Base{id: *id, region: tx.r, owner: ec2.Value(owner)}, vpc: v, name: ec2.Value(name), untold: tx.Missing(*id)}
		tx.Add(g)
	}
	return g, Absent(field, g.id)
}

func (tx *Tx) restoredPermissions(g *SecurityGroup, list string, shapes []ec2.IpPermission) (rules []Permission, absent []error) {
	for i, s := range shapes {
		traffic, err := restoredTraffic(s)
		if err != nil {
			told := inEntry(list, i, instead(err, unreadRule))
			absent = append(absent, told)
			g.unreadable(Permission{Protocol: -1}, list, told)
			continue
		}
		peers, missing := tx.restoredPeers(g, s)
		for _, p := range peers {
			p.Protocol, p.FromPort, p.ToPort = traffic.Protocol, traffic.FromPort, traffic.ToPort
			rules = append(rules, tx.newRule(p))
		}
		for _, e := range missing {
			told := inEntry(list, i, e)
			absent = append(absent, told)
			if s, ok := errors.AsType[*ShapeError](told); ok && !s.Absent {
				g.unreadable(traffic, list, told)
			}
		}
	}
	return rules, absent
}

// unreadable notes a rule that can't be read, of which no more is known than its traffic.
func (g *SecurityGroup) unreadable(traffic Permission, list string, err error) {
	s, ok := errors.AsType[*ShapeError](err)
	if ok {
		g.unread = append(g.unread, vagueRule{traffic, list == "IpPermissionsEgress", s.Field + " " + strconv.Quote(s.Value) + ": expected " + s.Want})
	}
}

// instead says in an error what stands in the network in place of what was wrong.
func instead(err error, text string) error {
	s, ok := errors.AsType[*ShapeError](err)
	if !ok {
		return err
	}
	told := *s
	told.Instead = text
	return &told
}

// inEntry puts the entry of a list before the field that an error names.
func inEntry(list string, i int, err error) error {
	s, ok := errors.AsType[*ShapeError](err)
	if !ok {
		return err
	}
	within := *s
	within.Field = member(list, i, s.Field)
	return &within
}

// restoredTraffic reads a rule's protocol and ports. TCP and UDP without ports are all
// of them (EC2 API, IpPermission).
func restoredTraffic(s ec2.IpPermission) (Permission, error) {
	p := Permission{FromPort: -1, ToPort: -1}
	number, err := protocolNumber("IpProtocol", ec2.Value(s.IpProtocol))
	if err != nil {
		return p, err
	}
	p.Protocol = number
	if s.FromPort != nil {
		p.FromPort = int(*s.FromPort)
	}
	if s.ToPort != nil {
		p.ToPort = int(*s.ToPort)
	}
	if (number == 6 || number == 17) && p.FromPort == -1 {
		p.FromPort, p.ToPort = 0, 65535
	}
	p = p.canonical()
	if e := p.checkTraffic(); e != nil {
		return p, malformedShape("FromPort", strconv.Itoa(p.FromPort)+"-"+strconv.Itoa(p.ToPort), "a range of ports, or an ICMP type and code")
	}
	return p, nil
}

// protocolNumber reads a protocol by its number or by the name that the API has for it.
func protocolNumber(field, text string) (int, error) {
	for n, name := range protocolNames {
		if text == name {
			return n, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < -1 || n > 255 {
		return 0, malformedShape(field, text, "a protocol: -1 to 255, tcp, udp, icmp or icmpv6")
	}
	return n, nil
}

// unreadRule is what becomes of a rule that means nothing or whose prefix list is not there.
const unreadRule = "what only this rule may allow ends as not modelled"

// restoredPeers returns a rule for each peer of the shape, traffic left out, and what
// is absent.
func (tx *Tx) restoredPeers(of *SecurityGroup, s ec2.IpPermission) (peers []Permission, absent []error) {
	for i, r := range s.IpRanges {
		p, err := shapePrefix(member("IpRanges", i, "CidrIp"), r.CidrIp, false)
		if err != nil {
			absent = append(absent, instead(err, unreadRule))
			continue
		}
		peers = append(peers, Permission{CIDR: p, Description: ec2.Value(r.Description)})
	}
	for i, r := range s.Ipv6Ranges {
		p, err := shapePrefix(member("Ipv6Ranges", i, "CidrIpv6"), r.CidrIpv6, true)
		if err != nil {
			absent = append(absent, instead(err, unreadRule))
			continue
		}
		peers = append(peers, Permission{CIDR: p, Description: ec2.Value(r.Description)})
	}
	for i, r := range s.PrefixListIds {
		l, err := tx.untoldList(member("PrefixListIds", i, "PrefixListId"), r.PrefixListId)
		if err != nil {
			absent = append(absent, instead(err, unreadRule))
		}
		if l == nil {
			continue
		}
		peers = append(peers, Permission{PrefixList: l, Description: ec2.Value(r.Description)})
	}
	for i, r := range s.UserIdGroupPairs {
		v := of.vpc
		if x, ok := tx.r.byID[ec2.Value(r.VpcId)].(*VPC); ok {
			v = x
		}
		g, err := tx.untoldGroup(member("UserIdGroupPairs", i, "GroupId"), r.GroupId, r.GroupName, r.UserId, v)
		if err != nil {
			absent = append(absent, instead(err, "the rule holds for the interfaces that name the group"))
		}
		if g == nil {
			continue
		}
		peers = append(peers, Permission{Group: g, Description: ec2.Value(r.Description)})
	}
	return peers, absent
}

// lastNumber is the number from which on a network ACL's entries are the platform's own:
// the last rules, which deny what no other matches (VPC guide, "Network ACL rules").
const lastNumber = filter.LastACLNumber + 1

// RestoreNetworkACL makes a network ACL and gives it to the subnets that are associated
// with it. Entries with the numbers of the last rules are every ACL's own. What an entry
// that can't be read would look at ends as trace.Unmodelled; it is told.
func (tx *Tx) RestoreNetworkACL(s ec2.NetworkAcl) (*NetworkACL, error) {
	b, err := tx.RestoreBase("NetworkAclId", s.NetworkAclId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := Named[*VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	a := &NetworkACL{Base: b, vpc: v, isDefault: ec2.Value(s.IsDefault)}
	var wrong []error
	for i, shape := range s.Entries {
		e, err := restoredEntry(shape)
		if err != nil {
			wrong = append(wrong, inEntry("Entries", i, instead(err, "every packet that this rule would look at ends as not modelled")))
			e = e.unreadable(shape, err)
		}
		switch {
		case e.Number >= lastNumber:
		case ec2.Value(shape.Egress):
			a.egress = append(a.egress, e)
		default:
			a.ingress = append(a.ingress, e)
		}
	}
	for _, list := range []*[]ACLEntry{&a.ingress, &a.egress} {
		slices.SortStableFunc(*list, func(x, y ACLEntry) int { return x.Number - y.Number })
		for i := 1; i < len(*list); i++ {
			if number := (*list)[i].Number; number == (*list)[i-1].Number {
				wrong = append(wrong, instead(malformedShape("Entries", strconv.Itoa(number), "numbers that differ"), "the first of the two is in force"))
				*list = slices.Delete(*list, i, i+1)
				i--
			}
		}
	}
	v.acls = append(v.acls, a)
	if a.isDefault {
		v.acls = slices.Insert(v.acls[:len(v.acls)-1], 0, a)
	}
	tx.Add(a)
	return a, errors.Join(append(wrong, tx.restoreACLAssociations(a, s))...)
}

func (tx *Tx) restoreACLAssociations(a *NetworkACL, s ec2.NetworkAcl) error {
	var absent []error
	for i, link := range s.Associations {
		sub, err := Named[*Subnet](tx, member("Associations", i, "SubnetId"), link.SubnetId)
		if err == nil && sub.vpc != a.vpc {
			err = Absent(member("Associations", i, "SubnetId"), sub.id)
		}
		if err != nil {
			absent = append(absent, err)
			continue
		}
		delete(tx.r.links, sub.aclAssoc)
		sub.acl, sub.aclAssoc = a, ec2.Value(link.NetworkAclAssociationId)
		if sub.aclAssoc == "" {
			sub.aclAssoc = tx.r.ids.next("aclassoc")
		}
		tx.r.links[sub.aclAssoc] = sub
	}
	return errors.Join(absent...)
}

// unreadable returns the entry that takes all in place of one that can't be read.
func (e ACLEntry) unreadable(s ec2.NetworkAclEntry, err error) ACLEntry {
	family := netip.IPv4Unspecified()
	if s.CidrBlock == nil && s.Ipv6CidrBlock != nil {
		family = netip.IPv6Unspecified()
	}
	number := max(1, min(e.Number, filter.LastACLNumber))
	why := "its rule " + strconv.Itoa(number) + " can't be read"
	if s, ok := errors.AsType[*ShapeError](err); ok {
		why += ": " + s.Field + " " + strconv.Quote(s.Value)
	}
	return ACLEntry{Number: number, Protocol: -1, CIDR: netip.PrefixFrom(family, 0), unread: why}
}

func restoredEntry(s ec2.NetworkAclEntry) (ACLEntry, error) {
	e := ACLEntry{Number: int(ec2.Value(s.RuleNumber)), Allow: ec2.Value(s.RuleAction) == ec2.RuleActionAllow}
	var err error
	if e.Protocol, err = protocolNumber("Protocol", ec2.Value(s.Protocol)); err != nil {
		return e, err
	}
	if e.CIDR, err = entryPrefix(s); err != nil || e.Number >= lastNumber {
		return e, err
	}
	switch p := e.permission(); {
	case p.icmp() && s.IcmpTypeCode != nil:
		e.FromPort, e.ToPort = int(ec2.Value(s.IcmpTypeCode.Type)), int(ec2.Value(s.IcmpTypeCode.Code))
	case p.icmp():
		e.FromPort, e.ToPort = -1, -1
	case p.hasPorts() && s.PortRange != nil:
		e.FromPort, e.ToPort = int(ec2.Value(s.PortRange.From)), int(ec2.Value(s.PortRange.To))
	case p.hasPorts():
		e.ToPort = 65535
	}
	checked, refusal := e.check()
	if refusal != nil {
		return e, malformedShape("RuleNumber", strconv.Itoa(e.Number), "a rule with a number of 1 to 32766 and a range of ports, or an ICMP type and code")
	}
	return checked, nil
}

func entryPrefix(s ec2.NetworkAclEntry) (netip.Prefix, error) {
	if s.CidrBlock == nil && s.Ipv6CidrBlock != nil {
		return shapePrefix("Ipv6CidrBlock", s.Ipv6CidrBlock, true)
	}
	return shapePrefix("CidrBlock", s.CidrBlock, false)
}
