package vpc

import (
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
)

// protocolNames are the protocols that the EC2 API calls by name in security groups.
var protocolNames = map[int]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}

func (p Permission) protocol() *string {
	if name, ok := protocolNames[p.Protocol]; ok {
		return &name
	}
	return new(strconv.Itoa(p.Protocol))
}

// ports returns the rule's ports in EC2's shape, nil where it has none.
func (p Permission) ports() (from, to *int32) {
	if !p.hasPorts() {
		return nil, nil
	}
	return new(int32(p.FromPort)), new(int32(p.ToPort))
}

// note returns the description, nil where there is none.
func (p Permission) note() *string {
	if p.Description == "" {
		return nil
	}
	return new(p.Description)
}

// DescribeSecurityGroups lists the groups, VPC by VPC, in the order in which they
// were made. Rules for one protocol and range of ports stand together.
func (r *Region) DescribeSecurityGroups() *ec2.DescribeSecurityGroupsResult {
	list := []ec2.SecurityGroup{}
	r.read(func() {
		for _, v := range r.vpcs {
			for _, g := range v.groups {
				list = append(list, g.shape())
			}
		}
	})
	return &ec2.DescribeSecurityGroupsResult{SecurityGroups: list}
}

func (g *SecurityGroup) shape() ec2.SecurityGroup {
	return ec2.SecurityGroup{
		GroupId: new(g.id), GroupName: new(g.name), Description: new(g.description), OwnerId: new(g.OwnerID()), VpcId: new(g.vpc.id),
		SecurityGroupArn: new("arn:aws:ec2:" + g.region.name + ":" + g.OwnerID() + ":security-group/" + g.id),
		IpPermissions:    g.permissions(g.ingress), IpPermissionsEgress: g.permissions(g.egress), Tags: g.tagShapes(),
	}
}

func (g *SecurityGroup) permissions(list []Permission) []ec2.IpPermission {
	type traffic struct{ protocol, from, to int }
	shapes := []ec2.IpPermission{}
	at := map[traffic]int{}
	for _, p := range list {
		key := traffic{p.Protocol, p.FromPort, p.ToPort}
		if _, ok := at[key]; !ok {
			at[key] = len(shapes)
			from, to := p.ports()
			shapes = append(shapes, ec2.IpPermission{
				IpProtocol: p.protocol(), FromPort: from, ToPort: to, UserIdGroupPairs: []ec2.UserIdGroupPair{},
				IpRanges: []ec2.IpRange{}, Ipv6Ranges: []ec2.Ipv6Range{}, PrefixListIds: []ec2.PrefixListId{},
			})
		}
		g.addPeer(&shapes[at[key]], p)
	}
	return shapes
}

// addPeer adds the rule's peer to the shape of its traffic.
func (g *SecurityGroup) addPeer(s *ec2.IpPermission, p Permission) {
	switch {
	case p.Group != nil:
		pair := ec2.UserIdGroupPair{GroupId: new(p.Group.id), UserId: new(p.Group.OwnerID()), Description: p.note()}
		if p.Group.vpc != g.vpc {
			pair.VpcId, pair.PeeringStatus = new(p.Group.vpc.id), new("active")
		}
		s.UserIdGroupPairs = append(s.UserIdGroupPairs, pair)
	case p.PrefixList != nil:
		s.PrefixListIds = append(s.PrefixListIds, ec2.PrefixListId{PrefixListId: new(p.PrefixList.id), Description: p.note()})
	case p.CIDR.Addr().Is4():
		s.IpRanges = append(s.IpRanges, ec2.IpRange{CidrIp: new(p.CIDR.String()), Description: p.note()})
	default:
		s.Ipv6Ranges = append(s.Ipv6Ranges, ec2.Ipv6Range{CidrIpv6: new(p.CIDR.String()), Description: p.note()})
	}
}

// DescribeSecurityGroupRules lists the rules of all groups one by one, group by
// group, ingress first.
func (r *Region) DescribeSecurityGroupRules() *ec2.DescribeSecurityGroupRulesResult {
	list := []ec2.SecurityGroupRule{}
	r.read(func() {
		for _, v := range r.vpcs {
			for _, g := range v.groups {
				for _, p := range g.ingress {
					list = append(list, g.ruleShape(p, false))
				}
				for _, p := range g.egress {
					list = append(list, g.ruleShape(p, true))
				}
			}
		}
	})
	return &ec2.DescribeSecurityGroupRulesResult{SecurityGroupRules: list}
}

func (g *SecurityGroup) ruleShape(p Permission, egress bool) ec2.SecurityGroupRule {
	s := ec2.SecurityGroupRule{
		SecurityGroupRuleId: new(p.ID), GroupId: new(g.id), GroupOwnerId: new(g.OwnerID()), IsEgress: new(egress),
		IpProtocol: p.protocol(), FromPort: new(int32(-1)), ToPort: new(int32(-1)), Description: p.note(), Tags: []ec2.Tag{},
		SecurityGroupRuleArn: new("arn:aws:ec2:" + g.region.name + ":" + g.OwnerID() + ":security-group-rule/" + p.ID),
	}
	if from, to := p.ports(); from != nil {
		s.FromPort, s.ToPort = from, to
	}
	switch {
	case p.Group != nil:
		s.ReferencedGroupInfo = &ec2.ReferencedSecurityGroup{GroupId: new(p.Group.id), UserId: new(p.Group.OwnerID())}
	case p.PrefixList != nil:
		s.PrefixListId = new(p.PrefixList.id)
	case p.CIDR.Addr().Is4():
		s.CidrIpv4 = new(p.CIDR.String())
	default:
		s.CidrIpv6 = new(p.CIDR.String())
	}
	return s
}
