package vpc

import (
	"net/netip"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
)

// DescribeNetworkAcls lists the network ACLs, VPC by VPC, in the order in which
// they were made.
func (r *Region) DescribeNetworkAcls() *ec2.DescribeNetworkAclsResult {
	list := []ec2.NetworkAcl{}
	r.read(func() {
		for _, v := range r.vpcs {
			for _, a := range v.acls {
				list = append(list, a.shape())
			}
		}
	})
	return &ec2.DescribeNetworkAclsResult{NetworkAcls: list}
}

// shape lists egress entries first, each direction with the last rule, which denies
// what no other matches: 32767 and, in a VPC with IPv6, 32768 (recorded answers of AWS).
func (a *NetworkACL) shape() ec2.NetworkAcl {
	s := ec2.NetworkAcl{
		NetworkAclId: new(a.id), VpcId: new(a.vpc.id), OwnerId: new(a.OwnerID()), IsDefault: new(a.isDefault),
		Associations: []ec2.NetworkAclAssociation{}, Tags: a.tagShapes(),
	}
	for _, sub := range a.vpc.subnets {
		if sub.acl == a {
			s.Associations = append(s.Associations, ec2.NetworkAclAssociation{
				NetworkAclAssociationId: new(sub.aclAssoc), NetworkAclId: new(a.id), SubnetId: new(sub.id),
			})
		}
	}
	last := []ACLEntry{{Number: 32767, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}}
	if a.vpc.hasIPv6() {
		last = append(last, ACLEntry{Number: 32768, Protocol: -1, CIDR: netip.MustParsePrefix("::/0")})
	}
	for _, egress := range []bool{true, false} {
		list := a.ingress
		if egress {
			list = a.egress
		}
		for _, e := range append(list[:len(list):len(list)], last...) {
			s.Entries = append(s.Entries, e.shape(egress))
		}
	}
	return s
}

func (e ACLEntry) shape(egress bool) ec2.NetworkAclEntry {
	s := ec2.NetworkAclEntry{
		RuleNumber: new(int32(e.Number)), Egress: new(egress), Protocol: new(strconv.Itoa(e.Protocol)), RuleAction: new(ec2.RuleActionDeny),
	}
	if e.Allow {
		s.RuleAction = new(ec2.RuleActionAllow)
	}
	if e.CIDR.Addr().Is4() {
		s.CidrBlock = new(e.CIDR.String())
	} else {
		s.Ipv6CidrBlock = new(e.CIDR.String())
	}
	switch p := e.permission(); {
	case p.icmp():
		s.IcmpTypeCode = &ec2.IcmpTypeCode{Type: new(int32(e.FromPort)), Code: new(int32(e.ToPort))}
	case p.hasPorts():
		s.PortRange = &ec2.PortRange{From: new(int32(e.FromPort)), To: new(int32(e.ToPort))}
	}
	return s
}
