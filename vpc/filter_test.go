package vpc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestSecurityGroupsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	g := got(l.vpc.CreateSecurityGroup("web", vpc.SecurityGroupConfig{})).or(t)
	used := got(l.vpc.CreateSecurityGroup("used", vpc.SecurityGroupConfig{})).or(t)
	named := got(l.vpc.CreateSecurityGroup("named", vpc.SecurityGroupConfig{})).or(t)
	other := l.newVPC("10.1.0.0/16")
	require.NoError(t, l.nic().SetGroups(used))
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 59, Entries: []netip.Prefix{cidr("9.0.0.0/8")}})).or(t)
	gone := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "gone"})).or(t)
	require.NoError(t, gone.Delete())
	require.NoError(t, g.AuthorizeIngress(
		vpc.TCPPort(22, "0.0.0.0/0"), vpc.AllTraffic("10.0.0.0/8"), vpc.Permission{Protocol: 6, FromPort: 80, ToPort: 81, Group: named}, vpc.AllICMP("10.0.0.0/8")))
	def := l.vpc.DefaultSecurityGroup()
	create := func(name string) func() error {
		return func() error { return only(l.vpc.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})) }
	}
	ingress := func(p ...vpc.Permission) func() error { return func() error { return g.AuthorizeIngress(p...) } }
	l.all([]step{
		{"C085 the same rule", "InvalidPermission.Duplicate", `the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists`, ingress(vpc.TCPPort(22, "0.0.0.0/0"))},
		{"C085 with other host bits", "InvalidPermission.Duplicate", `the specified rule "peer: 10.0.0.0/8, ALL, ALLOW" already exists`, ingress(vpc.Permission{CIDR: cidr("10.1.2.3/8")})},
		{"C085 for a group", "InvalidPermission.Duplicate", `the specified rule "peer: ` + named.ID() + `, TCP, from port: 80, to port: 81, ALLOW" already exists`, ingress(vpc.Permission{Protocol: 6, FromPort: 80, ToPort: 81, Group: named})},
		{"twice in one call, behind one that is fine", "InvalidPermission.Duplicate", `the specified rule "peer: 9.0.0.0/8, UDP, from port: 53, to port: 53, ALLOW" already exists`, ingress(vpc.UDPPort(54, "9.0.0.0/8"), vpc.UDPPort(53, "9.0.0.0/8"), vpc.UDPPort(53, "9.0.0.0/8"))},
		{"revoking none, behind one that is there", "InvalidPermission.NotFound", "The specified rule does not exist in this security group", func() error { return g.RevokeIngress(vpc.TCPPort(22, "0.0.0.0/0"), vpc.TCPPort(23, "0.0.0.0/0")) }},
		{"a protocol that is none", "InvalidParameterValue", "Invalid value '300' for protocol. VPC security group rules must specify protocols explicitly.", ingress(vpc.Permission{Protocol: 300, CIDR: cidr("0.0.0.0/0")})},
		{"ports the wrong way round", "InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.", ingress(vpc.Permission{Protocol: 6, FromPort: 5, ToPort: 4, CIDR: cidr("0.0.0.0/0")})},
		{"a port that is none", "InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.", ingress(vpc.Permission{Protocol: 17, FromPort: 5, ToPort: 65536, CIDR: cidr("0.0.0.0/0")})},
		{"an ICMP type that is none", "InvalidParameterValue", "ICMP code (0) out of range", ingress(vpc.Permission{Protocol: 1, FromPort: 256, CIDR: cidr("0.0.0.0/0")})},
		{"no peer", "MissingParameter", "The request must contain exactly one of: CidrIp, CidrIpv6, PrefixListId, SourceSecurityGroupId", ingress(vpc.Permission{Protocol: -1})},
		{"two peers", "MissingParameter", "The request must contain exactly one of: CidrIp, CidrIpv6, PrefixListId, SourceSecurityGroupId", ingress(vpc.Permission{CIDR: cidr("0.0.0.0/0"), Group: used})},
		{"IPv4 in IPv6", "InvalidParameterValue", "CIDR block ::ffff:10.0.0.0/104 is malformed", ingress(vpc.Permission{CIDR: cidr("::ffff:10.0.0.0/104")})},
		{"another VPC's group", "InvalidGroup.NotFound", "You have specified two resources that belong to different networks.", ingress(vpc.Permission{Group: other.DefaultSecurityGroup()})},
		{"a deleted prefix list", "InvalidPrefixListID.NotFound", "The prefix list ID '" + gone.ID() + "' does not exist", ingress(vpc.Permission{PrefixList: gone})},
		{"a prefix list that is too large", "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.", ingress(vpc.Permission{PrefixList: list})},
		{"a name that is taken", "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '" + l.vpc.ID() + "'", create("web")},
		{"the reserved name", "InvalidGroup.Reserved", "The security group name 'default' is reserved", create("default")},
		{"a name like an id", "InvalidParameterValue", "Value (sg-1) for parameter GroupName is invalid. Group names may not be in the format sg-*", create("sg-1")},
		{"a name beyond ASCII", "InvalidParameterValue", "Value (東京) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", create("東京")},
		{"no name", "MissingParameter", "The request must contain the parameter groupName", create("")},
		{"deleting the default group", "CannotDelete", `the specified group: "` + def.ID() + `" name: "default" cannot be deleted by a user`, def.Delete},
		{"deleting an interface's group", "DependencyViolation", "resource " + used.ID() + " has a dependent object", used.Delete},
		{"deleting a referenced group", "DependencyViolation", "resource " + named.ID() + " has a dependent object", named.Delete},
		{"a malformed id", "InvalidGroupId.Malformed", `Invalid id: "web" (expecting "sg-...")`, func() error { return only(l.region.Lookup("sg", "web")) }},
		{"an unknown id", "InvalidGroup.NotFound", "The security group 'sg-1' does not exist", func() error { return only(l.region.Lookup("sg", "sg-1")) }},
	})
	pcx := got(peering.Create(l.vpc, other, peering.Config{})).or(t)
	require.NoError(t, pcx.Accept())
	require.NoError(t, g.AuthorizeIngress(vpc.Permission{Group: other.DefaultSecurityGroup()}), "a peer's group may be referenced")
	require.NoError(t, g.Delete())
	require.NoError(t, named.Delete(), "it is referenced no more")
}

func TestSecurityGroupsAreDescribedByTraffic(t *testing.T) {
	l := newLab(t)
	g := got(l.vpc.CreateSecurityGroup("web", vpc.SecurityGroupConfig{Description: "what it is for"})).or(t)
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 1})).or(t)
	require.NoError(t, g.AuthorizeIngress(
		vpc.TCPPort(22, "10.0.0.0/8"), vpc.Permission{Protocol: 6, FromPort: 22, ToPort: 22, Group: g}, vpc.TCPPort(22, "2001:db8::/32"),
		vpc.Permission{Protocol: 6, FromPort: 22, ToPort: 22, PrefixList: list, Description: "the list"},
		vpc.AllICMP("10.0.0.0/8"), vpc.Permission{Protocol: 47, FromPort: 9, ToPort: 9, CIDR: cidr("10.0.0.0/8")}))
	s := l.region.DescribeSecurityGroups().SecurityGroups[1]
	require.Equal(t, []string{"web", "what it is for"}, []string{*s.GroupName, *s.Description})
	require.Len(t, s.IpPermissions, 3)
	ssh, icmp, gre := s.IpPermissions[0], s.IpPermissions[1], s.IpPermissions[2]
	require.Equal(t, "tcp", *ssh.IpProtocol)
	require.Equal(t, []int32{22, 22}, []int32{*ssh.FromPort, *ssh.ToPort})
	require.Equal(t, "10.0.0.0/8", *ssh.IpRanges[0].CidrIp)
	require.Equal(t, "2001:db8::/32", *ssh.Ipv6Ranges[0].CidrIpv6)
	require.Equal(t, g.ID(), *ssh.UserIdGroupPairs[0].GroupId)
	require.Equal(t, "the list", *ssh.PrefixListIds[0].Description)
	require.Equal(t, int32(-1), *icmp.FromPort)
	require.Equal(t, "47", *gre.IpProtocol)
	require.Nil(t, gre.FromPort, "a protocol without ports has none")
	require.Equal(t, "-1", *s.IpPermissionsEgress[0].IpProtocol)
	require.Nil(t, s.IpPermissionsEgress[0].FromPort)
	require.Len(t, l.region.DescribeSecurityGroupRules().SecurityGroupRules, 2+7)
}

func TestNetworkACLsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	a := got(l.vpc.CreateNetworkACL(vpc.NetworkACLConfig{})).or(t)
	used := got(l.vpc.CreateNetworkACL(vpc.NetworkACLConfig{})).or(t)
	require.NoError(t, l.a.SetNetworkACL(used))
	foreign := l.newVPC("10.1.0.0/16").DefaultNetworkACL()
	entry := vpc.ACLEntry{Number: 100, Allow: true, Protocol: 6, FromPort: 443, ToPort: 443, CIDR: cidr("10.0.0.9/8")}
	require.NoError(t, a.CreateIngressEntry(entry))
	with := func(change func(e *vpc.ACLEntry)) func() error {
		e := entry
		e.Number = 101
		change(&e)
		return func() error { return a.CreateIngressEntry(e) }
	}
	def := l.vpc.DefaultNetworkACL()
	l.all([]step{
		{"C086 the same number", "NetworkAclEntryAlreadyExists", "The network acl entry identified by 100 already exists.", func() error { return a.CreateIngressEntry(entry) }},
		{"deleting none", "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by 7 does not exist.", func() error { return a.DeleteEgressEntry(7) }},
		{"replacing none", "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by 100 does not exist.", func() error { return a.ReplaceEgressEntry(entry) }},
		{"number 0", "InvalidParameterValue", "Value (0) for parameter ruleNumber is invalid. Expected 1 to 32766.", with(func(e *vpc.ACLEntry) { e.Number = 0 })},
		{"the last rule's number", "InvalidParameterValue", "Value (32767) for parameter ruleNumber is invalid. Expected 1 to 32766.", with(func(e *vpc.ACLEntry) { e.Number = 32767 })},
		{"no CIDR", "InvalidParameterValue", "Value (invalid Prefix) for parameter cidrBlock is invalid. This is not a valid CIDR block.", with(func(e *vpc.ACLEntry) { e.CIDR = netip.Prefix{} })},
		{"ports the wrong way round", "InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.", with(func(e *vpc.ACLEntry) { e.ToPort = 1 })},
		{"deleting the default ACL", "InvalidParameterValue", "cannot delete default network ACL " + def.ID(), def.Delete},
		{"deleting a subnet's ACL", "DependencyViolation", "The network ACL '" + used.ID() + "' has dependencies and cannot be deleted.", used.Delete},
		{"another VPC's ACL", "InvalidNetworkAclID.NotFound", "The network acl ID '" + foreign.ID() + "' does not exist", func() error { return l.a.SetNetworkACL(foreign) }},
		{"no association", "InvalidAssociationID.NotFound", "The association ID 'aclassoc-1' does not exist", func() error { return only(l.region.ReplaceNetworkACLAssociation("aclassoc-1", a)) }},
	})
	t.Run("C086 the same number in the other direction", func(t *testing.T) { require.NoError(t, a.CreateEgressEntry(entry)) })
	require.Equal(t, cidr("10.0.0.0/8"), a.Ingress()[0].CIDR, "host bits are dropped")
	entry.Allow = false
	require.NoError(t, a.ReplaceIngressEntry(entry))
	require.False(t, a.Ingress()[0].Allow)
	t.Run("C108 a protocol without ports has none", func(t *testing.T) {
		require.NoError(t, a.CreateIngressEntry(vpc.ACLEntry{Number: 50, Allow: true, Protocol: 50, FromPort: 5, ToPort: 9, CIDR: cidr("0.0.0.0/0")}))
		require.Equal(t, vpc.ACLEntry{Number: 50, Allow: true, Protocol: 50, CIDR: cidr("0.0.0.0/0")}, a.Ingress()[0], "and the lowest number comes first")
	})
	was := l.a.NetworkACLAssociation()
	made := got(l.region.ReplaceNetworkACLAssociation(was, a)).or(t)
	require.NotEqual(t, was, made)
	require.Same(t, a, l.a.NetworkACL())
	s := l.region.DescribeNetworkAcls().NetworkAcls[1]
	require.Equal(t, made, *s.Associations[0].NetworkAclAssociationId)
	require.Len(t, s.Entries, 5)
	require.True(t, *s.Entries[0].Egress)
	require.Equal(t, int32(32767), *s.Entries[1].RuleNumber)
	require.Equal(t, "deny", string(*s.Entries[1].RuleAction))
	require.NoError(t, used.Delete())
	for n := range 18 {
		require.NoError(t, a.CreateIngressEntry(vpc.ACLEntry{Number: 200 + n, CIDR: cidr("0.0.0.0/0")}))
	}
	l.refused("NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached.", func() error {
		return a.CreateIngressEntry(vpc.ACLEntry{Number: 300, CIDR: cidr("0.0.0.0/0")})
	})
	require.NoError(t, a.CreateIngressEntry(vpc.ACLEntry{Number: 300, CIDR: cidr("::/0")}), "IPv6 counts apart")
}

func TestPrefixListsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 2, Entries: []netip.Prefix{cidr("9.1.2.3/8")}})).or(t)
	require.Equal(t, []netip.Prefix{cidr("9.0.0.0/8")}, list.Entries())
	require.NoError(t, l.table.CreatePrefixListRoute(list, l.igw))
	create := func(c vpc.PrefixListConfig) func() error {
		return func() error { return only(l.region.CreatePrefixList(c)) }
	}
	l.all([]step{
		{"too many entries", "PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.", func() error {
			return list.SetEntries([]netip.Prefix{cidr("1.0.0.0/8"), cidr("2.0.0.0/8"), cidr("3.0.0.0/8")})
		}},
		{"another family", "InvalidParameterValue", "Value (2001:db8::/32) for parameter cidr is invalid. This is not a valid CIDR block.", func() error { return list.SetEntries([]netip.Prefix{cidr("2001:db8::/32")}) }},
		{"an entry twice", "InvalidParameterValue", "Value (1.0.0.0/8) for parameter cidr is invalid. The prefix list has it already.", func() error { return list.SetEntries([]netip.Prefix{cidr("1.0.0.0/8"), cidr("1.2.0.0/8")}) }},
		{"a size beyond the quota", "InvalidParameterValue", "Value (1001) for parameter maxEntries is invalid. Expected 1 to 1000.", create(vpc.PrefixListConfig{MaxEntries: 1001})},
		{"deleting a route's list", "DependencyViolation", "The prefix list '" + list.ID() + "' has dependencies and cannot be deleted.", list.Delete},
	})
	nat := l.nat()
	l.refused("RouteAlreadyExists", "The route identified by "+list.ID()+" already exists.", func() error { return l.table.CreatePrefixListRoute(list, nat) })
	l.refused("MissingParameter", "The request must contain the parameter destinationPrefixListId", func() error { return l.table.CreatePrefixListRoute(nil, l.igw) })
	require.NoError(t, l.table.CreatePrefixListRoute(list, l.igw), "the same again")
	require.NoError(t, l.table.ReplacePrefixListRoute(list, nat))
	require.NoError(t, list.SetEntries([]netip.Prefix{cidr("1.0.0.0/8"), cidr("2.0.0.0/8")}))
	require.Equal(t, int64(2), *l.region.DescribeManagedPrefixLists().PrefixLists[0].Version)
	require.Len(t, list.ManagedEntries().Entries, 2)
	large := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "large", MaxEntries: 499})).or(t)
	l.refused("RouteLimitExceeded", "The maximum number of routes has been reached.", func() error { return l.table.CreatePrefixListRoute(large, nat) })
	require.NoError(t, l.table.DeletePrefixListRoute(list))
	l.refused("InvalidRoute.NotFound", "no route with destination-prefix-list-id "+list.ID()+" in route table "+l.table.ID(), func() error { return l.table.DeletePrefixListRoute(list) })
	require.NoError(t, l.table.CreatePrefixListRoute(large, nat))
	require.NoError(t, list.Delete())
}
