package plan

import (
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// networkACLs describes network ACLs and the subnets that they are for: those that no ACL
// names have their VPC's default one, which the loader gives them.
func (b *builder) networkACLs() {
	for _, r := range b.of("aws_network_acl") {
		n, id := r.root(), b.identify(r)
		b.call(r, id)
		in, why := b.find(n.get("vpc_id"))
		if why != "" {
			b.leave(r, "vpc_id", why+": the ACL is left out")
			continue
		}
		p := b.acls.put(r, id, ec2.NetworkAcl{NetworkAclId: &id, VpcId: &in, OwnerId: owner(r), Tags: tags(r), IsDefault: new(false)})
		b.aclRules(p, r)
	}
	for _, r := range b.of("aws_default_network_acl") {
		id := b.known(r, "default_network_acl_id")
		b.call(r, id)
		p := b.acls.byID[id]
		if p == nil {
			b.leave(r, "default_network_acl_id", "no VPC of the plan has the network ACL "+id+": it is left out")
			continue
		}
		p.r, p.shape.Tags, p.shape.Entries = r, tags(r), nil // the provider takes all away that is not stated (aws_default_network_acl)
		b.aclRules(p, r)
	}
	for _, r := range b.of("aws_network_acl_rule") {
		r.used = true
		n := r.root()
		id, ok := b.id(n.get("network_acl_id"))
		if !ok {
			b.perhapsEntry(r)
			continue
		}
		p := b.acls.byID[id]
		if p == nil {
			b.leave(r, "network_acl_id", "no resource of the plan is the network ACL "+id+": the rule is left out")
			continue
		}
		b.aclRule(p, n, n.get("egress").bool(), "rule_number", "rule_action")
	}
	for _, r := range b.of("aws_network_acl_association") {
		r.used = true
		acl, _ := b.id(r.root().get("network_acl_id"))
		b.guard(r, acl, b.known(r, "subnet_id"))
	}
}

// aclRules gives an ACL the rules and subnets that stand in it. Those that resources of their
// own had put there are those resources' to tell.
func (b *builder) aclRules(p *part[ec2.NetworkAcl], r *resource) {
	type number struct {
		egress bool
		text   string
	}
	theirs := map[number]bool{}
	for _, o := range b.was("network_acl_id", p.id, "aws_network_acl_rule") {
		theirs[number{o.root().get("egress").bool(), o.root().get("rule_number").text()}] = true
	}
	for _, attr := range []string{"ingress", "egress"} {
		all := r.root().get(attr)
		if !all.known() && all.expr != nil {
			b.note(r, attr, "known after apply: what the ACL is asked ends as not modelled")
			p.shape.Entries = append(p.shape.Entries, unreadable(attr == "egress", all.place()))
		}
		for _, n := range all.list() {
			if !theirs[number{attr == "egress", n.get("rule_no").text()}] {
				b.aclRule(p, n, attr == "egress", "rule_no", "action")
			}
		}
	}
	n := r.root().get("subnet_ids")
	ids, ok := b.groupIDs(n)
	for _, id := range ids {
		if !slices.ContainsFunc(b.was("network_acl_id", p.id, "aws_network_acl_association"), func(o *resource) bool { return o.values["subnet_id"] == id }) {
			b.guard(r, p.id, id)
		}
	}
	if !ok {
		b.note(r, n.path, "the subnets have their VPC's default network ACL instead")
	}
}

// guard gives a subnet to an ACL, and takes it from any other.
func (b *builder) guard(r *resource, acl, subnet string) {
	p := b.acls.byID[acl]
	if p == nil || b.subnets.byID[subnet] == nil {
		b.note(r, "", "no resources of the plan are the network ACL "+acl+" and the subnet "+subnet+": the association is left out")
		return
	}
	for _, o := range b.acls.all {
		o.shape.Associations = slices.DeleteFunc(o.shape.Associations, func(a ec2.NetworkAclAssociation) bool { return ec2.Value(a.SubnetId) == subnet })
	}
	p.shape.Associations = append(p.shape.Associations, ec2.NetworkAclAssociation{
		NetworkAclAssociationId: new(newID("aclassoc", acl, subnet)), NetworkAclId: &acl, SubnetId: &subnet,
	})
}

// unreadable is an entry before all others that nobody knows: the loader can't read it.
func unreadable(egress bool, place string) ec2.NetworkAclEntry {
	return ec2.NetworkAclEntry{Egress: &egress, Protocol: &place, RuleNumber: new(int32(1)), CidrBlock: new("0.0.0.0/0"), RuleAction: new(ec2.RuleActionDeny)}
}

// perhapsEntry gives each ACL that may get a rule one of its number that nobody knows.
func (b *builder) perhapsEntry(r *resource) {
	n := r.root()
	for _, id := range b.candidates(n.get("network_acl_id")) {
		if p := b.acls.byID[id]; p != nil {
			e := unreadable(n.get("egress").bool(), n.get("network_acl_id").place())
			if i, ok := n.get("rule_number").number(); ok {
				e.RuleNumber = &i
			}
			p.shape.Entries = append(p.shape.Entries, e)
		}
	}
}

// aclRule adds a rule. What it can't be read of the loader tells: such a rule denies.
func (b *builder) aclRule(p *part[ec2.NetworkAcl], n node, egress bool, number, action string) {
	s := ec2.NetworkAclEntry{
		Egress: &egress, Protocol: new(protocolNumber(n.get("protocol").text())), RuleAction: new(ec2.RuleAction(strings.ToLower(n.get(action).text()))),
	}
	if i, ok := n.get(number).number(); ok {
		s.RuleNumber = &i
	}
	if four, six := n.get("cidr_block").text(), n.get("ipv6_cidr_block").text(); six != "" {
		s.Ipv6CidrBlock = &six
	} else {
		s.CidrBlock = &four
	}
	from, ports := n.get("from_port").number()
	to, _ := n.get("to_port").number()
	kind, _ := n.get("icmp_type").number()
	code, _ := n.get("icmp_code").number()
	switch protocol := *s.Protocol; {
	case protocol == "1" || protocol == "58":
		s.IcmpTypeCode = &ec2.IcmpTypeCode{Type: &kind, Code: &code}
	case (protocol == "6" || protocol == "17") && ports:
		s.PortRange = &ec2.PortRange{From: &from, To: &to}
	}
	p.shape.Entries = append(p.shape.Entries, s)
}

// protocolNumber is a protocol as EC2 describes it in a network ACL: by its number.
func protocolNumber(s string) string {
	switch s = strings.ToLower(s); s {
	case "all":
		return "-1"
	case "tcp":
		return "6"
	case "udp":
		return "17"
	case "icmp":
		return "1"
	case "icmpv6":
		return "58"
	}
	return s
}
