package plan

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// rule is one thing that a security group allows: traffic from or to one peer.
type rule struct {
	egress          bool
	protocol        string
	from, to        int32
	hasPorts        bool
	cidr, six       string
	group, prefixes string
	description     string
}

// securityGroups describes security groups and their rules.
func (b *builder) securityGroups() {
	for _, r := range b.of("aws_security_group") {
		b.securityGroup(r)
	}
	for _, r := range b.of("aws_default_security_group") {
		b.adoptedGroup(r)
	}
	for _, r := range b.of(ruleKinds...) {
		r.used = true
		id, ok := b.id(r.root().get("security_group_id"))
		if !ok {
			b.perhapsRule(r)
			continue
		}
		p := b.parts.groups.byID[id]
		if p == nil {
			b.leave(r, "security_group_id", "no resource of the plan is the security group "+id+": the rule is left out")
			continue
		}
		for _, x := range b.rulesOf(r.root(), r.kind, id) {
			permit(&p.shape, x)
		}
	}
}

var ruleKinds = []string{"aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"}

// perhapsRule gives each group that may get a rule one of which nobody knows the peer.
func (b *builder) perhapsRule(r *resource) {
	at := r.root().get("security_group_id")
	for _, id := range b.candidates(at) {
		p := b.parts.groups.byID[id]
		if p == nil {
			continue
		}
		for _, x := range b.rulesOf(r.root(), r.kind, id) {
			x.cidr, x.six, x.group, x.prefixes = "", "", "", at.place()
			permit(&p.shape, x)
		}
	}
}

// securityGroup describes a group. It allows what its resource says and nothing else: that
// all outbound traffic is allowed, as AWS has it in a new group, is taken away unless it is
// stated (Terraform's AWS provider, aws_security_group).
func (b *builder) securityGroup(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	in, why := b.find(n.get("vpc_id"))
	if why != "" {
		b.leave(r, "vpc_id", why+": the group is left out")
		return
	}
	name := n.get("name").text()
	if name == "" {
		name = n.get("name_prefix").text() + "plan"
	}
	p := b.parts.groups.put(r, id, ec2.SecurityGroup{
		GroupId: &id, VpcId: &in, GroupName: &name, Description: some(n.get("description").text()), OwnerId: owner(r), Tags: tags(r),
	})
	b.inline(p, r)
}

// adoptedGroup describes what a configuration makes of a VPC's default group: the provider
// takes all of its rules away that are not stated (aws_default_security_group).
func (b *builder) adoptedGroup(r *resource) {
	id := b.identify(r)
	if r.created(b) {
		if v := b.vpcs.byID[b.known(r, "vpc_id")]; v != nil {
			id = strings.Join(b.value(v.r, "default_security_group_id"), "")
		}
	}
	b.call(r, id)
	p := b.parts.groups.byID[id]
	if p == nil {
		b.leave(r, "vpc_id", "no VPC of the plan has the default security group "+id+": it is left out")
		return
	}
	p.r, p.shape.Tags, p.shape.IpPermissions, p.shape.IpPermissionsEgress = r, tags(r), nil, nil
	b.inline(p, r)
}

// inline gives a group the rules that stand in it. Those that resources of their own had put
// there are those resources' to tell.
func (b *builder) inline(p *part[ec2.SecurityGroup], r *resource) {
	var theirs []rule
	for _, o := range b.was("security_group_id", p.id, ruleKinds...) {
		theirs = append(theirs, b.rulesOf(o.root(), o.kind, p.id)...)
	}
	for _, attr := range []string{"ingress", "egress"} {
		all := r.root().get(attr)
		if !all.known() && all.expr != nil {
			b.note(r, attr, "known after apply: what no other rule allows ends as not modelled")
			permit(&p.shape, rule{egress: attr == "egress", protocol: "-1", prefixes: all.place()})
		}
		for _, n := range all.list() {
			for _, x := range b.rulesOf(n, attr, p.id) {
				if !slices.ContainsFunc(theirs, x.same) {
					permit(&p.shape, x)
				}
			}
		}
	}
}

// same reports whether two rules allow the same; their descriptions may differ.
func (x rule) same(o rule) bool {
	x.description, o.description = "", ""
	return x == o
}

// rulesOf returns the rules of a resource of its own, or of a block ingress or egress.
func (b *builder) rulesOf(n node, kind, group string) (rules []rule) {
	x := rule{description: n.get("description").text()}
	switch kind {
	case "aws_security_group_rule":
		x.egress = n.get("type").text() == "egress"
	case "egress", "aws_vpc_security_group_egress_rule":
		x.egress = true
	}
	protocol := n.get("protocol")
	if strings.HasPrefix(kind, "aws_vpc_") {
		protocol = n.get("ip_protocol")
	}
	x.protocol = protocolName(protocol.text())
	from, ok := n.get("from_port").number()
	to, _ := n.get("to_port").number()
	if x.protocol != "-1" && ok {
		x.from, x.to, x.hasPorts = from, to, true
	}
	for _, of := range []node{protocol, n.get("from_port"), n.get("to_port")} {
		if !of.known() {
			b.note(of.r, of.path, "known after apply: what no other rule allows ends as not modelled")
			x.protocol = of.place()
		}
	}
	add := func(set func(*rule, string), values []string) {
		for _, v := range values {
			one := x
			set(&one, v)
			rules = append(rules, one)
		}
	}
	for _, attr := range []string{"cidr_blocks", "cidr_ipv4"} {
		add(func(r *rule, v string) { r.cidr = v }, b.cidrs(n.get(attr), 32))
	}
	for _, attr := range []string{"ipv6_cidr_blocks", "cidr_ipv6"} {
		add(func(r *rule, v string) { r.six = v }, b.cidrs(n.get(attr), 128))
	}
	for _, attr := range []string{"security_groups", "source_security_group_id", "referenced_security_group_id"} {
		ids, unknown := b.peers(n.get(attr))
		add(func(r *rule, v string) { r.group = v[strings.LastIndexByte(v, '/')+1:] }, ids)
		add(func(r *rule, v string) { r.prefixes = v }, unknown) // a list that nobody knows is anybody, perhaps
	}
	for _, attr := range []string{"prefix_list_ids", "prefix_list_id"} {
		ids, unknown := b.peers(n.get(attr))
		add(func(r *rule, v string) { r.prefixes = v }, append(ids, unknown...))
	}
	if n.get("self").bool() {
		add(func(r *rule, v string) { r.group = v }, []string{group})
	}
	return rules
}

// peers returns the ids of an attribute of one or of several; unknown is the attribute's
// place where not all are known before apply.
func (b *builder) peers(n node) (ids, unknown []string) {
	if _, many := n.value.([]any); many {
		ids, ok := b.ids(n)
		if !ok {
			unknown = []string{n.place()}
		}
		return ids, unknown
	}
	if n.null() || !n.known() && len(references(n.expr)) == 0 {
		return nil, nil
	}
	switch id, ok := b.id(n); {
	case !ok:
		return nil, []string{id}
	case id != "":
		return []string{id}, nil
	}
	return nil, nil
}

// cidrs returns the CIDRs of an attribute of one or of several. One that is not known before
// apply is, where its expression refers to one address, that address alone.
func (b *builder) cidrs(n node, bits int) []string {
	var list []string
	nodes := n.list()
	if s := n.text(); s != "" || nodes == nil && !n.known() && len(references(n.expr)) > 0 {
		nodes = []node{n}
	}
	for _, e := range nodes {
		if e.known() {
			if e.text() != "" {
				list = append(list, e.text())
			}
			continue
		}
		values, why := b.resolve(e, 1)
		if len(values) == 1 {
			if p, err := netip.ParsePrefix(values[0]); err == nil && p.IsValid() {
				b.assume(e.r, e.path, "known after apply: taken for "+values[0]+", because its expression refers to that block; a part of it is told by no plan")
				list = append(list, values[0])
				continue
			}
			if a, err := netip.ParseAddr(values[0]); err == nil && a.BitLen() == bits {
				cidr := netip.PrefixFrom(a, bits).String()
				b.assume(e.r, e.path, "known after apply: taken for "+cidr+", because its expression refers to that address")
				list = append(list, cidr)
				continue
			}
			why = "what it refers to is no address"
		}
		b.note(e.r, e.path, "known after apply, and "+why)
		list = append(list, e.place())
	}
	return list
}

// protocolName is a protocol as EC2 describes it.
func protocolName(s string) string {
	switch s = strings.ToLower(s); s {
	case "all", "":
		return "-1"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	}
	return s
}

// permit adds a rule to a group, unless it has it.
func permit(g *ec2.SecurityGroup, x rule) {
	s := ec2.IpPermission{IpProtocol: &x.protocol}
	if x.hasPorts {
		s.FromPort, s.ToPort = &x.from, &x.to
	}
	switch about := some(x.description); {
	case x.cidr != "":
		s.IpRanges = ec2.List[ec2.IpRange]{{CidrIp: &x.cidr, Description: about}}
	case x.six != "":
		s.Ipv6Ranges = ec2.List[ec2.Ipv6Range]{{CidrIpv6: &x.six, Description: about}}
	case x.group != "":
		s.UserIdGroupPairs = ec2.List[ec2.UserIdGroupPair]{{GroupId: &x.group, Description: about}}
	case x.prefixes != "":
		s.PrefixListIds = ec2.List[ec2.PrefixListId]{{PrefixListId: &x.prefixes, Description: about}}
	default:
		return
	}
	to := &g.IpPermissions
	if x.egress {
		to = &g.IpPermissionsEgress
	}
	text, _ := json.Marshal(s)
	for _, o := range *to {
		if other, _ := json.Marshal(o); string(other) == string(text) {
			return
		}
	}
	*to = append(*to, s)
}
