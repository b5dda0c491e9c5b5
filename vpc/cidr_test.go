package vpc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func restricted(cidr string) string {
	return "The CIDR '" + cidr + "' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR. " +
		"For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
}

// The table of the VPC guide, "VPC CIDR blocks".
func TestSecondaryCIDRsFollowTheTableOfRestrictedRanges(t *testing.T) {
	rows := []struct {
		primary           string
		refused, accepted []string
	}{
		{"10.2.0.0/16", []string{"172.16.0.0/16", "172.31.0.0/16", "192.168.0.0/16", "198.19.0.0/16", "169.254.0.0/16"}, []string{"10.0.0.0/16", "10.255.0.0/16", "8.8.0.0/16", "100.64.0.0/16"}},
		{"10.1.0.0/16", []string{"10.0.0.0/16"}, []string{"10.0.0.0/17", "10.3.0.0/16"}},
		{"172.16.0.0/16", []string{"10.0.0.0/16", "192.168.0.0/16", "198.19.0.0/16", "172.31.0.0/16", "172.31.5.0/24"}, []string{"172.17.0.0/16", "8.8.0.0/16", "100.64.0.0/16"}},
		{"192.168.0.0/24", []string{"10.0.0.0/16", "172.16.0.0/16", "198.19.0.0/16"}, []string{"192.168.1.0/24", "8.8.0.0/16", "100.64.0.0/16"}},
		{"198.19.0.0/17", []string{"10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16"}, []string{"8.8.0.0/16", "100.64.0.0/16"}},
		{"8.8.0.0/16", []string{"10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16"}, []string{"9.9.0.0/16", "100.64.0.0/16"}},
		{"100.64.0.0/16", []string{"10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16"}, []string{"100.65.0.0/16", "8.8.0.0/16"}},
	}
	for _, row := range rows {
		t.Run("C076 "+row.primary, func(t *testing.T) {
			l := &lab{t: t, region: vpc.NewRegion(vpc.RegionConfig{})}
			v := l.newVPC(row.primary)
			for _, c := range row.refused {
				l.refused("InvalidVpc.Range", restricted(c), func() error { return v.AssociateCIDR(c) })
			}
			for _, c := range row.accepted {
				require.NoError(t, v.AssociateCIDR(c), c)
				require.NoError(t, l.region.DisassociateCIDR(v.CIDRAssociation(cidr(c))))
			}
			require.Len(t, v.CIDRs(), 1)
		})
	}
}

func TestCIDRsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	create := func(cidr string) func() error {
		return func() error { return only(l.region.CreateVPC(cidr, vpc.VPCConfig{})) }
	}
	subnet := func(cidr string, c vpc.SubnetConfig) func() error {
		return func() error { return only(l.vpc.CreateSubnet(cidr, c)) }
	}
	primary := l.vpc.CIDRAssociation(cidr("10.0.0.0/16"))
	require.NoError(t, l.vpc.AssociateCIDR("10.5.0.0/16"))
	got(l.vpc.CreateSubnet("10.5.0.0/24", vpc.SubnetConfig{})).or(t)
	used := l.vpc.CIDRAssociation(cidr("10.5.0.0/16"))
	l.all([]step{
		{"C079 too wide", "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid.", create("10.0.0.0/8")},
		{"C079 too narrow", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid.", create("10.0.0.0/29")},
		{"C079 IPv6", "InvalidVpc.Range", "The CIDR '2001:db8::/56' is invalid.", create("2001:db8::/56")},
		{"no CIDR", "InvalidParameterValue", "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block.", create("10.0.0.0")},
		{"nothing", "InvalidParameterValue", "Value () for parameter cidrBlock is invalid. This is not a valid CIDR block.", create("")},
		{"an IPv6 CIDR of a wrong size", "InvalidVpc.Range", "The CIDR '2001:db8::/64' is invalid.", func() error {
			return only(l.region.CreateVPC("10.9.0.0/16", vpc.VPCConfig{IPv6: cidr("2001:db8::/64")}))
		}},
		{"C079 a subnet outside", "InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid.", subnet("10.1.0.0/24", vpc.SubnetConfig{})},
		{"a subnet wider than the VPC", "InvalidSubnet.Range", "The CIDR '10.0.0.0/15' is invalid.", subnet("10.0.0.0/15", vpc.SubnetConfig{})},
		{"a subnet too narrow", "InvalidSubnet.Range", "The CIDR '10.0.9.0/29' is invalid.", subnet("10.0.9.0/29", vpc.SubnetConfig{})},
		{"C079 a subnet over another", "InvalidSubnet.Conflict", "The CIDR '10.0.0.128/25' conflicts with another subnet", subnet("10.0.0.128/25", vpc.SubnetConfig{})},
		{"a subnet around others", "InvalidSubnet.Conflict", "The CIDR '10.0.0.0/22' conflicts with another subnet", subnet("10.0.0.0/22", vpc.SubnetConfig{})},
		{"an unknown zone", "InvalidParameterValue", "Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c.", subnet("10.0.9.0/24", vpc.SubnetConfig{Zone: "us-east-1z"})},
		{"IPv6 in a VPC without", "InvalidSubnet.Range", "The CIDR '2001:db8::/64' is invalid.", subnet("10.0.9.0/24", vpc.SubnetConfig{IPv6: cidr("2001:db8::/64")})},
		{"C078 the primary CIDR", "OperationNotPermitted", "The vpc CIDR block with association ID " + primary + " may not be disassociated. It is the primary IPv4 CIDR block of the VPC", func() error { return l.region.DisassociateCIDR(primary) }},
		{"no association", "InvalidVpcCidrBlockAssociationIdError.NotFound", "The vpc CIDR block association ID 'vpc-cidr-assoc-1' does not exist", func() error { return l.region.DisassociateCIDR("vpc-cidr-assoc-1") }},
		{"a CIDR with a subnet", "DependencyViolation", "The vpc CIDR block with association ID " + used + " has dependencies and cannot be disassociated.", func() error { return l.region.DisassociateCIDR(used) }},
		{"a CIDR over the VPC's own", "InvalidVpc.Range", "The CIDR '10.0.128.0/17' conflicts with another CIDR of the VPC.", func() error { return l.vpc.AssociateCIDR("10.0.128.0/17") }},
	})
}

func TestASixthCIDRIsRefused(t *testing.T) {
	l := newLab(t)
	for _, c := range []string{"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"} {
		require.NoError(t, l.vpc.AssociateCIDR(c))
	}
	t.Run("C077", func(t *testing.T) {
		l.t = t
		l.refused("CidrLimitExceeded", "This network "+l.vpc.ID()+" has met its maximum number of allowed CIDRs: 5", func() error { return l.vpc.AssociateCIDR("10.5.0.0/16") })
	})
	l.region.SetQuota(vpc.QuotaIPv4CIDRs, 6)
	require.NoError(t, l.vpc.AssociateCIDR("10.5.0.0/16"))
	l.t = t
	l.refused("CidrLimitExceeded", "This network "+l.vpc.ID()+" has met its maximum number of allowed CIDRs: 6", func() error { return l.vpc.AssociateCIDR("10.6.0.0/16") })
}

func TestACIDRMayNotBeWiderThanARoute(t *testing.T) {
	l := &lab{t: t, region: vpc.NewRegion(vpc.RegionConfig{})}
	v := l.newVPC("10.2.0.0/16")
	g := got(vgw.Create(l.region, vgw.Config{})).or(t)
	require.NoError(t, g.Attach(v))
	require.NoError(t, v.MainRouteTable().CreateRoute("10.0.0.0/24", g))
	t.Run("C075", func(t *testing.T) {
		l.t = t
		for _, c := range []string{"10.0.0.0/24", "10.0.0.0/16"} {
			l.refused("InvalidVpc.Range", "The CIDR '"+c+"' is equal to or wider than the route destination 10.0.0.0/24.", func() error { return v.AssociateCIDR(c) })
		}
		require.NoError(t, v.AssociateCIDR("10.0.0.0/25"))
	})
	require.Equal(t, "10.0.0.0/25 10.0.0.0/24 10.2.0.0/16", destinations(v.MainRouteTable()))
	require.NoError(t, l.region.DisassociateCIDR(v.CIDRAssociation(cidr("10.0.0.0/25"))))
	require.Equal(t, "10.0.0.0/24 10.2.0.0/16", destinations(v.MainRouteTable()))
}

func destinations(t *vpc.RouteTable) string {
	text := ""
	for i, r := range t.Routes() {
		if i > 0 {
			text += " "
		}
		text += r.Destination.String()
	}
	return text
}

func TestSubnetsKeepFiveAddresses(t *testing.T) {
	l := newLab(t)
	t.Run("C114", func(t *testing.T) {
		l.t = t
		require.Equal(t, 251, l.a.AvailableAddresses())
		for _, a := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.255"} {
			l.refused("InvalidParameterValue", "Address is in subnet's reserved address range", func() error {
				return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: ip(a)}))
			})
		}
	})
	small := got(l.vpc.CreateSubnet("10.0.2.0/28", vpc.SubnetConfig{})).or(t)
	require.Equal(t, 11, small.AvailableAddresses())
	for range 11 {
		got(small.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(t)
	}
	l.t = t
	l.refused("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.", func() error {
		return only(small.CreateNetworkInterface(vpc.NetworkInterfaceConfig{}))
	})
}

func TestIPv6ComesWithItsRules(t *testing.T) {
	l := newLab(t)
	require.Len(t, l.vpc.DefaultSecurityGroup().Egress(), 1)
	require.Len(t, l.vpc.DefaultNetworkACL().Ingress(), 1)
	p := got(l.vpc.AssociateAmazonIPv6()).or(t)
	require.Equal(t, 56, p.Bits())
	require.Len(t, l.vpc.DefaultSecurityGroup().Egress(), 2)
	require.Len(t, l.vpc.DefaultNetworkACL().Ingress(), 2)
	require.NoError(t, l.a.AssociateIPv6(p.Addr().String()+"/64"))
	l.refused("InvalidSubnet.Conflict", "The CIDR '"+p.Addr().String()+"/64' conflicts with another subnet", func() error { return l.b.AssociateIPv6(p.Addr().String() + "/64") })
	require.NoError(t, l.a.SetAssignIPv6OnCreation(true))
	n := l.nic()
	require.Len(t, n.IPv6(), 1)
	l.refused("DependencyViolation", "The subnet CIDR block with association ID "+*l.region.DescribeSubnets().Subnets[0].Ipv6CidrBlockAssociationSet[0].AssociationId+
		" has dependencies and cannot be disassociated.", l.a.DisassociateIPv6)
	require.NoError(t, n.Delete())
	require.NoError(t, l.a.DisassociateIPv6())
	require.NoError(t, l.region.DisassociateCIDR(l.vpc.CIDRAssociation(p)))
	require.Equal(t, "10.0.0.0/16", destinations(l.vpc.MainRouteTable()))
}

func TestDeletingAVPCThatOthersDependOnIsRefused(t *testing.T) {
	l := newLab(t)
	whole := func() {
		l.refused("DependencyViolation", "The vpc '"+l.vpc.ID()+"' has dependencies and cannot be deleted.", l.vpc.Delete)
	}
	n := l.nic()
	l.refused("DependencyViolation", "The subnet '"+l.a.ID()+"' has dependencies and cannot be deleted.", l.a.Delete)
	require.NoError(t, n.Delete())
	whole()
	require.NoError(t, l.a.Delete())
	require.NoError(t, l.b.Delete())
	whole()
	require.NoError(t, l.igw.Detach(l.vpc))
	whole()
	require.NoError(t, l.table.Delete())
	require.NoError(t, l.edge.Delete())
	require.NoError(t, l.vpc.Delete())
	require.Empty(t, l.region.DescribeVpcs().Vpcs)
	require.Empty(t, l.region.DescribeRouteTables().RouteTables)
	require.Empty(t, l.region.DescribeSecurityGroups().SecurityGroups)
	require.Empty(t, l.region.DescribeNetworkAcls().NetworkAcls)
	l.refused("InvalidVpcID.NotFound", "The vpc ID '"+l.vpc.ID()+"' does not exist", l.vpc.Delete)
	l.refused("InvalidSubnetID.NotFound", "The subnet ID '"+l.a.ID()+"' does not exist", l.a.Delete)
}
