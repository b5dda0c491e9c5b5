package vpc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestPeeringsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	other, same, third := l.newVPC("10.1.0.0/16"), l.newVPC("10.0.0.0/17"), l.newVPC("10.2.0.0/16")
	p := got(peering.Create(l.vpc, other, peering.Config{})).or(t)
	state := "VpcPeeringConnectionID " + p.ID() + " is not in the correct state for the request."
	l.refused("VpcPeeringConnectionAlreadyExists", "A VPC peering connection between "+other.ID()+" and "+l.vpc.ID()+" already exists.", func() error {
		return only(peering.Create(other, l.vpc, peering.Config{}))
	})
	l.refused("MissingParameter", "The request must contain the parameter peerVpcId", func() error { return only(peering.Create(l.vpc, nil, peering.Config{})) })
	t.Run("while pending the requester may take no CIDR", func(t *testing.T) {
		l.refused("InvalidVpcState", "The VPC "+l.vpc.ID()+" has a pending VPC peering connection "+p.ID()+".", func() error { return l.vpc.AssociateCIDR("10.7.0.0/16") })
	})
	require.NoError(t, p.Accept())
	l.refused("InvalidStateTransition", state, p.Accept)
	l.refused("InvalidStateTransition", state, p.Reject)
	l.refused("InvalidVpc.Range", "The CIDR '10.1.0.0/17' conflicts with a CIDR of the peer VPC "+other.ID()+".", func() error { return l.vpc.AssociateCIDR("10.1.0.0/17") })
	require.NoError(t, p.Delete())
	l.refused("InvalidStateTransition", state, p.Delete)
	l.refused("InvalidVpcPeeringConnectionID.NotFound", "VpcPeeringConnectionID "+p.ID()+" does not exist.", func() error { return l.table.CreateRoute("9.0.0.0/8", p) })

	t.Run("C143 overlapping CIDRs fail", func(t *testing.T) {
		failed := got(peering.Create(l.vpc, same, peering.Config{})).or(t)
		require.Equal(t, peering.Failed, failed.State())
		itself := got(peering.Create(l.vpc, l.vpc, peering.Config{})).or(t)
		require.Equal(t, peering.Failed, itself.State())
	})
	t.Run("C143 a request expires after seven days", func(t *testing.T) {
		asked := got(peering.Create(l.vpc, third, peering.Config{})).or(t)
		l.region.Advance(7*24*time.Hour - 1)
		require.Equal(t, peering.PendingAcceptance, asked.State())
		l.region.Advance(7 * 24 * time.Hour)
		require.Equal(t, peering.Expired, asked.State())
		l.refused("InvalidStateTransition", "VpcPeeringConnectionID "+asked.ID()+" is not in the correct state for the request.", asked.Accept)
		require.Len(t, peering.Describe(l.region).VpcPeeringConnections, 1, "the others ended long ago")
		l.region.Advance(9 * 24 * time.Hour)
		require.Empty(t, peering.Describe(l.region).VpcPeeringConnections)
	})
	t.Run("a CIDR of the accepter's that overlaps makes the request fail", func(t *testing.T) {
		asked := got(peering.Create(l.vpc, third, peering.Config{})).or(t)
		require.NoError(t, third.AssociateCIDR("10.0.0.0/16"))
		require.Equal(t, peering.Failed, asked.State())
	})
	t.Run("a VPC's deletion ends its connections", func(t *testing.T) {
		joined := got(peering.Create(l.vpc, other, peering.Config{})).or(t)
		require.NoError(t, joined.Accept())
		s := peering.Describe(l.region).VpcPeeringConnections
		require.Equal(t, "10.1.0.0/16", *s[len(s)-1].AccepterVpcInfo.CidrBlock)
		require.NoError(t, other.Delete())
		require.Equal(t, peering.Deleted, joined.State())
		s = peering.Describe(l.region).VpcPeeringConnections
		require.Equal(t, "Deleted by 123456789012", *s[len(s)-1].Status.Message)
		require.Nil(t, s[len(s)-1].AccepterVpcInfo.CidrBlock)
	})
}

func TestOtherGatewaysAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	other := l.newVPC("10.1.0.0/16")
	g, second := got(vgw.Create(l.region, vgw.Config{})).or(t), got(vgw.Create(l.region, vgw.Config{})).or(t)
	gone := got(vgw.Create(l.region, vgw.Config{})).or(t)
	require.NoError(t, gone.Delete())
	require.NoError(t, g.Attach(l.vpc))
	eigw := got(igw.CreateEgressOnly(l.vpc, igw.EgressOnlyConfig{})).or(t)
	gonePair := got(igw.CreateEgressOnly(other, igw.EgressOnlyConfig{})).or(t)
	require.NoError(t, gonePair.Delete())
	l.all([]step{
		{"a second gateway", "InvalidVpcState", "Network " + l.vpc.ID() + " already has a VPN gateway attached", func() error { return second.Attach(l.vpc) }},
		{"a second VPC", "VpnGatewayAttachmentLimitExceeded", "The vpnGateway '" + g.ID() + "' is already attached to network " + l.vpc.ID(), func() error { return g.Attach(other) }},
		{"detaching from another VPC", "InvalidVpnGatewayAttachment.NotFound", "The attachment with vpn gateway ID '" + g.ID() + "' and vpc ID '" + other.ID() + "' does not exist", func() error { return g.Detach(other) }},
		{"deleting an attached one", "IncorrectState", "The vpnGateway '" + g.ID() + "' has dependencies and cannot be deleted.", g.Delete},
		{"propagation of an unknown one", "InvalidVpnGatewayID.NotFound", "The virtual private gateway ID '" + gone.ID() + "' does not exist", func() error { return l.table.EnablePropagation(gone) }},
		{"propagation of an unattached one", "Gateway.NotAttached", "resource " + second.ID() + " is not attached to network " + l.vpc.ID(), func() error { return l.table.EnablePropagation(second) }},
		{"an unknown egress-only gateway", "InvalidGatewayID.NotFound", "The eigw ID '" + gonePair.ID() + "' does not exist", func() error { return l.table.CreateRoute("::/0", gonePair) }},
		{"a second egress-only gateway", "InvalidParameterValue", "Network " + l.vpc.ID() + " already has an egress only internet gateway attached", func() error {
			return only(igw.CreateEgressOnly(l.vpc, igw.EgressOnlyConfig{}))
		}},
		{"an endpoint of no service", "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.us-east-1.nothing' does not exist", func() error {
			return only(endpoint.CreateGateway(l.vpc, "com.amazonaws.us-east-1.nothing", nil, endpoint.Config{}))
		}},
		{"an endpoint in two subnets of a zone", "DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ", func() error {
			return only(endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", []*vpc.Subnet{l.a, l.b}, endpoint.Config{}))
		}},
		{"deleting the egress-only gateway's VPC", "DependencyViolation", "The vpc '" + l.vpc.ID() + "' has dependencies and cannot be deleted.", l.vpc.Delete},
	})
	require.NoError(t, l.table.EnablePropagation(g))
	require.NoError(t, g.Connect(nil, cidr("172.31.0.0/24"), cidr("10.99.0.0/16")))
	require.Equal(t, "172.31.0.0/24 10.0.0.0/16 10.99.0.0/16", destinations(l.table))
	t.Run("C090 a static route stands beside a propagated one", func(t *testing.T) {
		require.NoError(t, l.table.CreateRoute("172.31.0.0/24", l.igw))
		require.Equal(t, "172.31.0.0/24 172.31.0.0/24 10.0.0.0/16 10.99.0.0/16", destinations(l.table))
		require.Equal(t, vpc.EnableVGWRoutePropagation, l.table.Routes()[1].Origin)
	})
	require.Equal(t, g.ID(), *l.table.Describe().RouteTables[0].PropagatingVgws[0].GatewayId)
	require.Equal(t, "attached", string(*vgw.Describe(l.region).VpnGateways[0].VpcAttachments[0].State))
	require.NoError(t, g.Detach(l.vpc))
	require.Equal(t, "172.31.0.0/24 10.0.0.0/16", destinations(l.table), "propagation ended with the attachment")
	require.NoError(t, eigw.Delete())
}

func TestQuotasAreOneTableThatCanBeChanged(t *testing.T) {
	for q, row := range map[vpc.Quota]struct {
		code, message string
		fill          func(l *lab) error // one more of what is counted
	}{
		vpc.QuotaVPCs:             {"VpcLimitExceeded", "The maximum number of VPCs has been reached.", func(l *lab) error { return only(l.region.CreateVPC("10.9.0.0/16", vpc.VPCConfig{})) }},
		vpc.QuotaRouteTables:      {"RouteTableLimitExceeded", "The maximum number of route tables has been reached.", func(l *lab) error { return only(l.vpc.CreateRouteTable(vpc.RouteTableConfig{})) }},
		vpc.QuotaNetworkACLs:      {"NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached.", func(l *lab) error { return only(l.vpc.CreateNetworkACL(vpc.NetworkACLConfig{})) }},
		vpc.QuotaInternetGateways: {"InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.", func(l *lab) error { return only(igw.Create(l.region, igw.Config{})) }},
		vpc.QuotaAddresses:        {"AddressLimitExceeded", "The maximum number of addresses has been reached.", func(l *lab) error { return only(l.region.AllocateAddress(vpc.AddressConfig{})) }},
		vpc.QuotaInterfaces:       {"NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached.", func(l *lab) error { return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})) }},
		vpc.QuotaPrefixLists:      {"PrefixListLimitExceeded", "The maximum number of prefix lists has been reached.", func(l *lab) error { return only(l.region.CreatePrefixList(vpc.PrefixListConfig{})) }},
		vpc.QuotaVPNGateways:      {"VpnGatewayLimitExceeded", "The maximum number of virtual private gateways has been reached.", func(l *lab) error { return only(vgw.Create(l.region, vgw.Config{})) }},
	} {
		t.Run(q.String(), func(t *testing.T) {
			l := newLab(t)
			l.region.SetQuota(q, 4)
			for range 4 {
				if row.fill(l) != nil {
					break
				}
			}
			l.refused(row.code, row.message, func() error { return row.fill(l) })
			l.region.SetQuota(q, -1)
			require.Equal(t, -1, l.region.Quota(q))
			require.NoError(t, row.fill(l))
		})
	}
	r := vpc.NewRegion(vpc.RegionConfig{Unlimited: true, Quotas: map[vpc.Quota]int{vpc.QuotaVPCs: 1}})
	require.Equal(t, []int{1, -1, 200, 0}, []int{r.Quota(vpc.QuotaVPCs), r.Quota(vpc.QuotaSubnets), vpc.QuotaSubnets.Default(), vpc.Quota(0).Default()})
}

func TestTagsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	l.all([]step{
		{"no key", "InvalidParameterValue", "Tag key cannot be empty.", func() error { return l.a.Tag("", "v") }},
		{"AWS's own", "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use", func() error { return l.a.Tag("aws:x", "v") }},
		{"a long key", "InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters.", func() error { return l.a.Tag(strings.Repeat("東", 129), "v") }},
		{"a long value", "InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters.", func() error { return l.a.Tag("k", strings.Repeat("東", 257)) }},
	})
	require.NoError(t, l.a.Tag("Name", "first"))
	require.NoError(t, l.a.Tag("Name", "a"))
	require.Equal(t, "a", l.a.Label())
	require.Equal(t, "Name", *l.region.DescribeSubnets().Subnets[0].Tags[0].Key)
	list := l.region.DescribeTags().Tags
	require.Len(t, list, 1)
	require.Equal(t, ec2.ResourceTypeSubnet, *list[0].ResourceType)
	for n := range 49 {
		require.NoError(t, l.a.Tag(strings.Repeat("k", n+1), ""))
	}
	l.refused("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.", func() error { return l.a.Tag("one more", "") })
	require.NoError(t, l.a.Tag("Name", "b"), "a tag that is there is changed")
	require.NoError(t, l.a.Untag("Name"))
	require.NoError(t, l.a.Untag("Name"))
	require.Equal(t, l.a.ID(), l.a.Label())
}

func TestDHCPOptionsAndAttributes(t *testing.T) {
	l := newLab(t)
	d := got(l.region.CreateDHCPOptions(vpc.DHCPOptionsConfig{Options: []vpc.DHCPOption{{Key: "domain-name", Values: []string{"example.com"}}}})).or(t)
	require.NoError(t, l.vpc.SetDHCPOptions(d))
	l.all([]step{
		{"a set that is in use", "DependencyViolation", "The dhcpOptions '" + d.ID() + "' has dependencies and cannot be deleted.", d.Delete},
		{"no options", "MissingParameter", "The request must contain the parameter dhcpConfiguration", func() error { return only(l.region.CreateDHCPOptions(vpc.DHCPOptionsConfig{})) }},
		{"an unknown option", "InvalidParameterValue", "Value (x) for parameter value is invalid. Unknown DHCP option", func() error {
			return only(l.region.CreateDHCPOptions(vpc.DHCPOptionsConfig{Options: []vpc.DHCPOption{{Key: "x", Values: []string{"1"}}}}))
		}},
		{"names without DNS", "InvalidParameterValue", "enableDnsHostnames requires enableDnsSupport to be enabled.", func() error { return l.vpc.SetAttributes(vpc.VPCAttributes{EnableDNSHostnames: true}) }},
		{"an unknown attribute", "InvalidParameterValue", "Value (x) for parameter attribute is invalid. Unknown attribute.", func() error { return only(l.vpc.DescribeAttribute("x")) }},
	})
	require.Equal(t, d.ID(), *l.region.DescribeVpcs().Vpcs[0].DhcpOptionsId)
	require.NoError(t, l.vpc.SetDHCPOptions(nil))
	require.Equal(t, "default", *l.region.DescribeVpcs().Vpcs[0].DhcpOptionsId)
	require.NoError(t, d.Delete())
	l.refused("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '"+d.ID()+"' does not exist", func() error { return l.vpc.SetDHCPOptions(d) })

	require.Equal(t, vpc.VPCAttributes{EnableDNSSupport: true}, l.vpc.Attributes())
	i := got(l.a.RunInstance(vpc.InstanceConfig{AssociatePublicIP: true})).or(t)
	name := func() string {
		return *l.region.DescribeInstances().Reservations[0].Instances[0].PublicDnsName
	}
	require.Empty(t, name())
	require.NoError(t, l.vpc.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
	require.Equal(t, l.region.PublicDNSName(i.Interface().PublicIP()), name())
	require.Equal(t, "ec2-203-0-113-1.compute-1.amazonaws.com", name())
}

func TestZonesHaveNamesAndIDs(t *testing.T) {
	for region, id := range map[string]string{"us-east-1": "use1-az", "ap-northeast-3": "apne3-az", "eu-central-1": "euc1-az", "ap-southeast-2": "apse2-az", "us-west-2": "usw2-az", "sa-east-1": "sae1-az"} {
		r := vpc.NewRegion(vpc.RegionConfig{Name: region})
		seen := map[string]bool{}
		for _, z := range r.Zones() {
			require.Contains(t, r.ZoneID(z), id)
			seen[r.ZoneID(z)] = true
		}
		require.Len(t, seen, 3, "one id a name")
	}
	mappings := map[string]bool{}
	for _, account := range []string{"111111111111", "222222222222", "333333333333", "444444444444"} {
		mappings[vpc.NewRegion(vpc.RegionConfig{Account: account}).ZoneID("us-east-1a")] = true
	}
	require.Greater(t, len(mappings), 1, "each account has its own mapping")
	l := newLab(t)
	s := got(l.vpc.CreateSubnet("10.0.9.0/24", vpc.SubnetConfig{Zone: l.region.ZoneID("us-east-1c")})).or(t)
	require.Equal(t, "us-east-1c", s.Zone())
}

func TestIDsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	for prefix, want := range map[string]string{
		"vpc": "InvalidVpcID.Malformed", "subnet": "InvalidSubnetID.Malformed", "rtb": "InvalidRouteTableID.Malformed", "eni": "InvalidNetworkInterfaceID.Malformed",
		"i": "InvalidInstanceID.Malformed", "nat": "NatGatewayMalformed", "acl": "InvalidNetworkAclID.Malformed",
	} {
		l.refused(want, `Invalid id: "x-1" (expecting "`+prefix+`-...")`, func() error { return only(l.region.Lookup(prefix, "x-1")) })
	}
	for id, want := range map[string]vpc.Error{
		"vpc-1": {Code: "InvalidVpcID.NotFound", Message: "The vpc ID 'vpc-1' does not exist"}, "subnet-1": {Code: "InvalidSubnetID.NotFound", Message: "The subnet ID 'subnet-1' does not exist"},
		"rtb-1": {Code: "InvalidRouteTableID.NotFound", Message: "The routeTable ID 'rtb-1' does not exist"}, "igw-1": {Code: "InvalidInternetGatewayID.NotFound", Message: "The internetGateway ID 'igw-1' does not exist"},
		"acl-1": {Code: "InvalidNetworkAclID.NotFound", Message: "The network acl ID 'acl-1' does not exist"}, "vgw-1": {Code: "InvalidVpnGatewayID.NotFound", Message: "The virtual private gateway ID 'vgw-1' does not exist"},
		"vpce-1": {Code: "InvalidVpcEndpointId.NotFound", Message: "The VpcEndPoint ID 'vpce-1' does not exist"}, "tgw-1": {Code: "InvalidTransitGatewayID.NotFound", Message: "Transit Gateway tgw-1 was deleted or does not exist."},
	} {
		l.refused(want.Code, want.Message, func() error { return only(l.region.Lookup(strings.Split(id, "-")[0], id)) })
	}
	x := got(l.region.Lookup("subnet", l.a.ID())).or(t)
	require.Same(t, l.a, x)
}
