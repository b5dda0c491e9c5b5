package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// Attributes are the switches of a VPC.
type Attributes struct {
	VpcId                                string
	EnableDnsSupport, EnableDnsHostnames bool
}

// places describes VPCs, subnets and internet gateways.
func (b *builder) places() {
	for _, r := range b.of(vpcs...) {
		b.vpc(r)
	}
	for _, r := range b.of("aws_vpc_ipv4_cidr_block_association") {
		r.used = true
		if p := b.vpcs.byID[b.known(r, "vpc_id")]; p != nil {
			b.block(p, r.root().get("cidr_block"), r)
		}
	}
	for _, r := range b.of("aws_vpc_ipv6_cidr_block_association") {
		r.used = true
		if p := b.vpcs.byID[b.known(r, "vpc_id")]; p != nil {
			b.block6(p, r)
		}
	}
	for _, r := range b.all {
		if r.data && r.kind == "aws_vpc" {
			b.dataVPC(r)
		}
	}
	b.dhcpOptions()
	for _, r := range b.of(subnets...) {
		b.subnet(r)
	}
	for _, r := range b.all {
		if id := r.root().get("id").text(); r.data && r.kind == "aws_subnet" && id != "" && b.subnets.byID[id] == nil {
			b.subnet(r)
		}
	}
}

// known is id for what is left out where it is not known.
func (b *builder) known(r *resource, attr string) string {
	id, _ := b.id(r.root().get(attr))
	return id
}

// vpc describes a VPC and what AWS makes with it: a main route table, a network ACL that
// allows all, a security group that allows its members and all outbound (VPC guide, "VPC
// basics").
func (b *builder) vpc(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	cidr := n.get("cidr_block")
	text := cidr.text()
	if text == "" {
		if r.kind != "aws_default_vpc" {
			b.leave(r, "cidr_block", "known after apply: the VPC is left out")
			return
		}
		text = "172.31.0.0/16" // VPC guide, "Default VPC components"
	}
	s := ec2.Vpc{
		VpcId: &id, CidrBlock: &text, OwnerId: owner(r), Tags: tags(r), State: new(ec2.VpcStateAvailable), IsDefault: new(r.kind == "aws_default_vpc"),
		InstanceTenancy: new(ec2.Tenancy(n.get("instance_tenancy").text())), DhcpOptionsId: some(n.get("dhcp_options_id").text()),
	}
	if s.DhcpOptionsId == nil && r.created(b) {
		s.DhcpOptionsId = new(b.defaultDHCP(r))
	}
	s.CidrBlockAssociationSet = ec2.List[ec2.VpcCidrBlockAssociation]{{
		AssociationId: attachment("vpc-cidr-assoc", r, 0), CidrBlock: &text, CidrBlockState: &ec2.VpcCidrBlockState{State: new(ec2.VpcCidrBlockStateCodeAssociated)},
	}}
	p := b.vpcs.put(r, id, s)
	if six := n.get("ipv6_cidr_block"); n.get("assign_generated_ipv6_cidr_block").bool() || six.text() != "" {
		b.block6(p, r)
	}
	support := n.get("enable_dns_support")
	b.add(r, Attributes{VpcId: id, EnableDnsSupport: support.null() || support.bool(), EnableDnsHostnames: n.get("enable_dns_hostnames").bool()})
	b.defaults(r, id)
}

// defaults makes what AWS makes with a VPC.
func (b *builder) defaults(r *resource, id string) {
	main := b.one(r, "default_route_table_id")
	b.tables.put(r, main, ec2.RouteTable{
		RouteTableId: &main, VpcId: &id, OwnerId: owner(r),
	})
	first := b.one(r, "main_route_table_id")
	for _, o := range b.was("vpc_id", id, "aws_main_route_table_association") { // whose end brings back what was before
		first = cmp.Or(o.root().get("original_route_table_id").text(), main)
	}
	b.main(r, id, first)
	acl := b.one(r, "default_network_acl_id")
	b.acls.put(r, acl, ec2.NetworkAcl{NetworkAclId: &acl, VpcId: &id, OwnerId: owner(r), IsDefault: new(true), Entries: allowAll(b.vpcs.byID[id].shape)})
	group := b.one(r, "default_security_group_id")
	b.groups.put(r, group, ec2.SecurityGroup{
		GroupId: &group, VpcId: &id, OwnerId: owner(r), GroupName: new("default"), Description: new("default VPC security group"),
		IpPermissions:       ec2.List[ec2.IpPermission]{{IpProtocol: new("-1"), UserIdGroupPairs: ec2.List[ec2.UserIdGroupPair]{{GroupId: &group}}}},
		IpPermissionsEgress: ec2.List[ec2.IpPermission]{{IpProtocol: new("-1"), IpRanges: ec2.List[ec2.IpRange]{{CidrIp: new("0.0.0.0/0")}}}},
	})
	if !r.created(b) {
		b.assume(r, "", "the main route table, the default network ACL and the default security group are taken to be as AWS makes them where no resource manages them")
	}
}

// created reports whether a resource is made by the apply.
func (r *resource) created(b *builder) bool { return b.planned && !r.root().get("id").known() }

// allowAll are the entries of a default network ACL (VPC guide, "Default network ACL").
func allowAll(v ec2.Vpc) ec2.List[ec2.NetworkAclEntry] {
	var list ec2.List[ec2.NetworkAclEntry]
	for _, egress := range []bool{true, false} {
		list = append(list, ec2.NetworkAclEntry{CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"), RuleAction: new(ec2.RuleActionAllow), RuleNumber: new(int32(100))})
		if len(v.Ipv6CidrBlockAssociationSet) > 0 {
			list = append(list, ec2.NetworkAclEntry{Ipv6CidrBlock: new("::/0"), Egress: &egress, Protocol: new("-1"), RuleAction: new(ec2.RuleActionAllow), RuleNumber: new(int32(101))})
		}
	}
	return list
}

// dhcpOptions describes DHCP option sets, and gives them to VPCs.
func (b *builder) dhcpOptions() {
	for _, r := range b.of("aws_vpc_dhcp_options") {
		n, id := r.root(), b.identify(r)
		b.call(r, id)
		s := ec2.DhcpOptions{DhcpOptionsId: &id, OwnerId: owner(r), Tags: tags(r)}
		add := func(key string, values ...string) {
			c := ec2.DhcpConfiguration{Key: &key}
			for _, v := range values {
				if v != "" {
					c.Values = append(c.Values, ec2.AttributeValue{Value: &v})
				}
			}
			if len(c.Values) > 0 {
				s.DhcpConfigurations = append(s.DhcpConfigurations, c)
			}
		}
		add("domain-name", n.get("domain_name").text())
		for _, attr := range []string{"domain_name_servers", "ntp_servers", "netbios_name_servers"} {
			var values []string
			for _, e := range n.get(attr).list() {
				values = append(values, e.text())
			}
			add(strings.ReplaceAll(attr, "_", "-"), values...)
		}
		add("netbios-node-type", n.get("netbios_node_type").text())
		b.dhcp.put(r, id, s)
	}
	for _, r := range b.of("aws_vpc_dhcp_options_association") {
		r.used = true
		if p := b.vpcs.byID[b.known(r, "vpc_id")]; p != nil {
			if id, ok := b.id(r.root().get("dhcp_options_id")); ok {
				p.shape.DhcpOptionsId = &id
			}
		}
	}
}

// defaultDHCP returns the id of the option set that accounts have by default in a region
// (VPC guide, "Default DHCP option set"), which is described once.
func (b *builder) defaultDHCP(r *resource) string {
	id, domain := newID("dopt", r.region, "default"), r.region+".compute.internal"
	if r.region == "us-east-1" || r.region == "" {
		domain = "ec2.internal"
	}
	if b.dhcp.byID[id] == nil {
		values := func(v string) ec2.List[ec2.AttributeValue] { return ec2.List[ec2.AttributeValue]{{Value: &v}} }
		b.dhcp.put(r, id, ec2.DhcpOptions{DhcpOptionsId: &id, DhcpConfigurations: ec2.List[ec2.DhcpConfiguration]{
			{Key: new("domain-name"), Values: values(domain)}, {Key: new("domain-name-servers"), Values: values("AmazonProvidedDNS")},
		}})
	}
	return id
}

// block gives a VPC another block of addresses.
func (b *builder) block(p *part[ec2.Vpc], cidr node, r *resource) {
	if cidr.text() == "" {
		b.note(r, cidr.path, "known after apply: the VPC is without the block")
		return
	}
	p.shape.CidrBlockAssociationSet = append(p.shape.CidrBlockAssociationSet, ec2.VpcCidrBlockAssociation{
		AssociationId: some(b.identify(r)), CidrBlock: new(cidr.text()), CidrBlockState: &ec2.VpcCidrBlockState{State: new(ec2.VpcCidrBlockStateCodeAssociated)},
	})
}

// block6 gives a VPC its block of IPv6 addresses; one that Amazon has yet to give is made up,
// of the range for documentation (RFC 3849).
func (b *builder) block6(p *part[ec2.Vpc], r *resource) {
	cidr := r.root().get("ipv6_cidr_block").text()
	if cidr == "" {
		h := newID("", r.address, "ipv6")
		a := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, h[6], h[7], h[8]})
		cidr = netip.PrefixFrom(a, 56).String()
		b.give(r, "ipv6_cidr_block", cidr)
		b.assume(r, "ipv6_cidr_block", "Amazon gives the block on apply: "+cidr+" stands in for it")
	}
	p.shape.Ipv6CidrBlockAssociationSet = append(p.shape.Ipv6CidrBlockAssociationSet, ec2.VpcIpv6CidrBlockAssociation{
		AssociationId: attachment("vpc-cidr-assoc", r, 6), Ipv6CidrBlock: &cidr, Ipv6CidrBlockState: &ec2.VpcCidrBlockState{State: new(ec2.VpcCidrBlockStateCodeAssociated)},
	})
}

// dataVPC describes a VPC that another configuration manages. What is in it no file tells.
func (b *builder) dataVPC(r *resource) {
	n := r.root()
	id, cidr := n.get("id").text(), n.get("cidr_block").text()
	if id == "" || cidr == "" || b.vpcs.byID[id] != nil {
		return
	}
	s := ec2.Vpc{VpcId: &id, CidrBlock: &cidr, OwnerId: owner(r), Tags: tags(r), DhcpOptionsId: some(n.get("dhcp_options_id").text()), IsDefault: new(n.get("default").bool())}
	for _, a := range n.get("cidr_block_associations").list() {
		if c := a.get("cidr_block").text(); c != "" && c != cidr {
			s.CidrBlockAssociationSet = append(s.CidrBlockAssociationSet, ec2.VpcCidrBlockAssociation{AssociationId: some(a.get("association_id").text()), CidrBlock: &c})
		}
	}
	if six := n.get("ipv6_cidr_block").text(); six != "" {
		s.Ipv6CidrBlockAssociationSet = ec2.List[ec2.VpcIpv6CidrBlockAssociation]{{AssociationId: some(n.get("ipv6_association_id").text()), Ipv6CidrBlock: &six}}
	}
	b.call(r, id)
	b.vpcs.put(r, id, s)
	b.note(r, "", "the VPC is another configuration's: its main route table, network ACLs and default security group are not in the plan, and what they decide ends as not modelled")
	b.main(r, id, b.unknownTable(r, "", id).id)
	acl, group := newID("acl", r.address, "default"), newID("sg", r.address, "default")
	b.acls.put(r, acl, ec2.NetworkAcl{NetworkAclId: &acl, VpcId: &id, IsDefault: new(true), Entries: ec2.List[ec2.NetworkAclEntry]{unreadable(true, r.address+".default_network_acl_id"), unreadable(false, r.address+".default_network_acl_id")}})
	g := b.parts.groups.put(r, group, ec2.SecurityGroup{GroupId: &group, VpcId: &id, GroupName: new("default")})
	for _, egress := range []bool{false, true} {
		permit(&g.shape, rule{egress: egress, protocol: "-1", prefixes: r.address + ".default_security_group_id"})
	}
}

// subnet describes a subnet.
func (b *builder) subnet(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	in, why := b.find(n.get("vpc_id"))
	if why != "" {
		b.leave(r, "vpc_id", why+": the subnet is left out")
		return
	}
	cidr := n.get("cidr_block").text()
	if cidr == "" {
		b.leave(r, "cidr_block", "no IPv4 CIDR, or one that is known after apply only: the subnet is left out")
		return
	}
	zone := n.get("availability_zone").text()
	if zone == "" {
		zone = r.region + "a"
		b.assume(r, "availability_zone", "AWS chooses the zone on apply: "+zone+" stands in for it")
	}
	s := ec2.Subnet{
		SubnetId: &id, VpcId: &in, CidrBlock: &cidr, AvailabilityZone: &zone, AvailabilityZoneId: some(n.get("availability_zone_id").text()), OwnerId: owner(r), Tags: tags(r),
		MapPublicIpOnLaunch: new(n.get("map_public_ip_on_launch").bool()), AssignIpv6AddressOnCreation: new(n.get("assign_ipv6_address_on_creation").bool()),
		EnableDns64: new(n.get("enable_dns64").bool()), State: new(ec2.SubnetStateAvailable), DefaultForAz: new(r.kind == "aws_default_subnet"),
	}
	b.give(r, "availability_zone", zone)
	if six := b.subnetBlock6(r, in); six != "" {
		s.Ipv6CidrBlockAssociationSet = ec2.List[ec2.SubnetIpv6CidrBlockAssociation]{{
			AssociationId: attachment("subnet-cidr-assoc", r, 6), Ipv6CidrBlock: &six, Ipv6CidrBlockState: &ec2.SubnetCidrBlockState{State: new(ec2.SubnetCidrBlockStateCodeAssociated)},
		}}
	}
	b.subnets.put(r, id, s)
	b.space(id)
}

// subnetBlock6 returns a subnet's block of IPv6 addresses. One that is not known is the
// next free one of its VPC.
func (b *builder) subnetBlock6(r *resource, in string) string {
	n := r.root().get("ipv6_cidr_block")
	v := b.vpcs.byID[in]
	if n.known() || v == nil || len(v.shape.Ipv6CidrBlockAssociationSet) == 0 {
		return n.text()
	}
	p, err := netip.ParsePrefix(ec2.Value(v.shape.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock))
	if err != nil {
		return ""
	}
	used := map[string]bool{}
	for _, s := range b.subnets.all {
		for _, a := range s.shape.Ipv6CidrBlockAssociationSet {
			used[ec2.Value(a.Ipv6CidrBlock)] = true
		}
	}
	raw := p.Masked().Addr().As16()
	for i := range 256 {
		raw[7] = p.Masked().Addr().As16()[7] | byte(i)
		if c := netip.PrefixFrom(netip.AddrFrom16(raw), 64).String(); !used[c] {
			b.assume(r, "ipv6_cidr_block", fmt.Sprintf("known after apply: %s stands in for it", c))
			b.give(r, "ipv6_cidr_block", c)
			return c
		}
	}
	return ""
}
