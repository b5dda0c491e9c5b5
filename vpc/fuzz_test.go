package vpc_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
)

// answers holds the answers to calls on a region: a call is accepted, or refused and
// has changed nothing.
type answers struct {
	t      *testing.T
	region *vpc.Region
	before string
}

func answersOf(t *testing.T, r *vpc.Region) *answers {
	return &answers{t, r, everything(t, r)}
}

func (a *answers) to(name string, call func() error) {
	a.t.Helper()
	err := call()
	after := everything(a.t, a.region)
	if err == nil {
		a.before = after
		return
	}
	require.Equal(a.t, a.before, after, "%s was refused and has changed something", name)
	var refusal *vpc.Error
	if errors.As(err, &refusal) {
		require.NotEmpty(a.t, refusal.Code, name)
		require.NotEmpty(a.t, refusal.Message, name)
	} else {
		require.ErrorContains(a.t, err, "vpc: id ", name) // an id that the caller chose; AWS has no such call
	}
}

func FuzzCIDRs(f *testing.F) {
	for _, s := range []string{
		"10.0.0.0/16", "10.0.0.0/33", "10.0.0.1/16", "", "/", "10.0.0.0", "::/0", "::ffff:10.0.0.0/112", "2001:db8::/56", "fe80::1%eth0/64", "10.0.1.0/24", "0.0.0.0/0",
		"10.0.0.0/016", "010.0.0.0/8", "255.255.255.255/32", "100.64.0.0/16", "169.254.169.254/32", "10.0.0.0/16 ", "fd00:ec2::/32", "2001:db8:0:1a00::/64", "10.0.2.0/28",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := newLab(t)
		require.NoError(t, l.vpc.AssociateCIDR("2001:db8:0:1a00::/56"))
		n := l.nic()
		all := answersOf(t, l.region)
		for name, call := range map[string]func() error{
			"CreateVpc":                func() error { return only(l.region.CreateVPC(s, vpc.VPCConfig{})) },
			"AssociateVpcCidrBlock":    func() error { return l.vpc.AssociateCIDR(s) },
			"CreateSubnet":             func() error { return only(l.vpc.CreateSubnet(s, vpc.SubnetConfig{})) },
			"AssociateSubnetCidrBlock": func() error { return l.a.AssociateIPv6(s) },
			"CreateRoute":              func() error { return l.table.CreateRoute(s, l.igw) },
			"CreateRoute at the edge":  func() error { return l.edge.CreateRoute(s, n) },
			"ReplaceRoute":             func() error { return l.table.ReplaceRoute(s, n) },
			"ReplaceRoute to local":    func() error { return l.table.ReplaceRoute(s, vpc.Local) },
			"DeleteRoute":              func() error { return l.table.DeleteRoute(s) },
		} {
			all.to(name, call)
		}
		for _, rt := range l.region.DescribeRouteTables().RouteTables {
			for _, r := range rt.Routes {
				p := netip.MustParsePrefix(value(r.DestinationCidrBlock) + value(r.DestinationIpv6CidrBlock))
				require.Equal(t, p.Masked(), p, "a CIDR that is stored is canonical")
			}
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "default", "web", "sg-1", "vpc-1", "eni-", "eni-00000000000000001", "Name", "aws:x", "東京", "\xff", "a\x00b", "us-east-1a", "domain-name", "com.amazonaws.us-east-1.s3", "com.amazonaws."} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, s, u string) {
		l := newLab(t)
		in := []*vpc.Subnet{l.a}
		all := answersOf(t, l.region)
		for name, call := range map[string]func() error{
			"CreateSecurityGroup":      func() error { return only(l.vpc.CreateSecurityGroup(s, vpc.SecurityGroupConfig{Description: u})) },
			"CreateSecurityGroup's id": func() error { return only(l.vpc.CreateSecurityGroup("n", vpc.SecurityGroupConfig{ID: s})) },
			"CreateTags":               func() error { return l.a.Tag(s, u) },
			"DeleteTags":               func() error { return l.a.Untag(s) },
			"CreateSubnet's zone":      func() error { return only(l.vpc.CreateSubnet("10.0.9.0/24", vpc.SubnetConfig{Zone: s, ID: u})) },
			"CreateVpc's id":           func() error { return only(l.region.CreateVPC("10.9.0.0/16", vpc.VPCConfig{ID: s, Name: u})) },
			"CreateNetworkInterface": func() error {
				return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{ID: s, Name: u, Description: s}))
			},
			"RunInstances": func() error { return only(l.a.RunInstance(vpc.InstanceConfig{ID: s, Name: u, Type: s})) },
			"RunInstances' interface": func() error {
				return only(l.a.RunInstance(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{ID: s}}))
			},
			"CreateInternetGateway":   func() error { return only(igw.Create(l.region, igw.Config{ID: s, Name: u})) },
			"CreateNatGateway":        func() error { return only(natgw.Create(l.a, natgw.Config{ID: s, Name: u})) },
			"CreateNatGateway's id":   func() error { return only(natgw.Create(l.a, natgw.Config{InterfaceID: s})) },
			"CreateRouteTable":        func() error { return only(l.vpc.CreateRouteTable(vpc.RouteTableConfig{ID: s, Name: u})) },
			"CreateNetworkAcl":        func() error { return only(l.vpc.CreateNetworkACL(vpc.NetworkACLConfig{ID: s, Name: u})) },
			"AllocateAddress":         func() error { return only(l.region.AllocateAddress(vpc.AddressConfig{ID: s, Name: u})) },
			"CreateManagedPrefixList": func() error { return only(l.region.CreatePrefixList(vpc.PrefixListConfig{ID: s, Name: u})) },
			"CreateDhcpOptions": func() error {
				return only(l.region.CreateDHCPOptions(vpc.DHCPOptionsConfig{Options: []vpc.DHCPOption{{Key: s, Values: []string{u}}}}))
			},
			"CreateVpcEndpoint":          func() error { return only(endpoint.CreateInterface(s, in, endpoint.Config{ID: u})) },
			"CreateVpcEndpoint, gateway": func() error { return only(endpoint.CreateGateway(l.vpc, s, nil, endpoint.Config{ID: u})) },
			"CreateLoadBalancer":         func() error { return only(alb.Create(l.region, s, alb.Config{Subnets: in, Name: u})) },
			"CreateLoadBalancer, old":    func() error { return only(clb.Create(l.region, s, clb.Config{Subnets: in, Name: u})) },
			"CreateDBInstance":           func() error { return only(rds.Create(l.a, s, rds.Config{Name: u})) },
			"Lookup":                     func() error { return only(l.region.Lookup("vpc", s)) },
			"DisassociateRouteTable":     func() error { return l.region.DisassociateRouteTable(s) },
			"DisassociateVpcCidrBlock":   func() error { return l.region.DisassociateCIDR(s) },
			"DetachNetworkInterface":     func() error { return l.region.DetachNetworkInterface(s) },
		} {
			all.to(name, call)
		}
	})
}

// An address or a prefix of any bytes, and counts.
func FuzzAddresses(f *testing.F) {
	f.Add([]byte{10, 0, 0, 9}, 24, 1)
	f.Add([]byte{10, 0, 0, 16}, 28, 0)
	f.Add([]byte{}, 0, -1)
	f.Add(netip.MustParseAddr("::ffff:10.0.0.9").AsSlice(), 128, 300)
	f.Add(netip.MustParseAddr("2001:db8:0:1a00::9").AsSlice(), 80, 7)
	f.Fuzz(func(t *testing.T, raw []byte, bits, count int) {
		a, _ := netip.AddrFromSlice(raw)
		p := netip.PrefixFrom(a, bits)
		l := newLab(t)
		require.NoError(t, l.vpc.AssociateCIDR("2001:db8:0:1a00::/56"))
		require.NoError(t, l.a.AssociateIPv6("2001:db8:0:1a00::/64"))
		n, e, i := l.nic(), l.eip(), l.instance()
		acl := l.vpc.DefaultNetworkACL()
		all := answersOf(t, l.region)
		for name, call := range map[string]func() error{
			"CreateNetworkInterface": func() error {
				return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: a, SecondaryCount: count}))
			},
			"CreateNetworkInterface, secondary": func() error {
				return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{SecondaryIPs: []netip.Addr{a}, IPv6: []netip.Addr{a}, IPv6Count: count}))
			},
			"CreateNetworkInterface, prefixes": func() error {
				return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{Prefixes: []netip.Prefix{p, p}}))
			},
			"AssignPrivateIpAddresses":           func() error { return only(n.AssignPrivateIP(a)) },
			"AssignPrivateIpAddresses, again":    func() error { return n.ReassignPrivateIP(a) },
			"UnassignPrivateIpAddresses":         func() error { return n.UnassignPrivateIP(a) },
			"AssignIpv6Addresses":                func() error { return only(n.AssignIPv6(a)) },
			"UnassignIpv6Addresses":              func() error { return n.UnassignIPv6(a) },
			"AssignPrivateIpAddresses, prefix":   func() error { return only(n.AssignPrefix(p)) },
			"UnassignPrivateIpAddresses, prefix": func() error { return n.UnassignPrefix(p) },
			"AllocateAddress":                    func() error { return only(l.region.AllocateAddress(vpc.AddressConfig{PublicIP: a})) },
			"AssociateAddress":                   func() error { return e.AssociatePrivateIP(n, a, true) },
			"CreateNatGateway":                   func() error { return only(natgw.Create(l.a, natgw.Config{PrivateIP: a})) },
			"CreateVpc":                          func() error { return only(l.region.CreateVPC("10.9.0.0/16", vpc.VPCConfig{IPv6: p})) },
			"CreateSubnet":                       func() error { return only(l.vpc.CreateSubnet("10.0.9.0/24", vpc.SubnetConfig{IPv6: p})) },
			"CreateManagedPrefixList": func() error {
				return only(l.region.CreatePrefixList(vpc.PrefixListConfig{MaxEntries: count, Entries: []netip.Prefix{p}, IPv6: a.Is6()}))
			},
			"AuthorizeSecurityGroupIngress": func() error {
				return l.vpc.DefaultSecurityGroup().AuthorizeIngress(vpc.Permission{Protocol: bits, FromPort: count, ToPort: count, CIDR: p})
			},
			"CreateNetworkAclEntry": func() error {
				return acl.CreateIngressEntry(vpc.ACLEntry{Number: count, Protocol: bits, FromPort: count, ToPort: bits, CIDR: p})
			},
			"AttachNetworkInterface": func() error { return only(i.AttachAt(nil, count)) },
		} {
			all.to(name, call)
		}
		newModelOf(t, l.region).compiles("after the calls")
	})
}
