package balancer_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// dual is a VPC with IPv6, a subnet with and one without.
type dual struct {
	*vpctest.World
	v             *vpctest.VPC
	with, without *vpctest.Subnet
}

func newDual(t *testing.T) *dual {
	t.Helper()
	w := vpctest.New(t)
	d := &dual{World: w, v: w.VPC("10.0.0.0/16", "2001:db8:0:1a00::/56")}
	d.with, d.without = d.v.Subnet("10.0.0.0/24"), d.v.SubnetIn("us-east-1b", "10.0.1.0/24")
	require.NoError(t, d.with.AssociateIPv6("2001:db8:0:1a00::/64"))
	return d
}

func TestANodeOfADualstackLoadBalancerHasAnAddressOfEachFamily(t *testing.T) {
	d := newDual(t)
	l, err := nlb.Create(d.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{d.with.Subnet}})
	require.NoError(t, err)
	require.Empty(t, l.Interfaces()[0].IPv6())
	require.Equal(t, elbv2.IPAddressTypeIPv4, *balancer.Describe(d.Region).LoadBalancers[0].IpAddressType)
	denied := func() bool {
		b := d.Region.DescribeNetworkInterfaces().NetworkInterfaces[0].DenyAllIgwTraffic
		return b != nil && *b
	}
	names := func() (all []netip.Addr) {
		d.Region.View(func(tx *vpc.Tx) { all = l.DNSNames(tx)[0].Addrs })
		return all
	}
	require.False(t, denied())

	require.NoError(t, l.SetIPAddressType(elbv2.IPAddressTypeDualstack))
	six := l.Interfaces()[0].IPv6()
	require.Len(t, six, 1)
	require.Equal(t, elbv2.IPAddressTypeDualstack, *balancer.Describe(d.Region).LoadBalancers[0].IpAddressType)
	require.Equal(t, []netip.Addr{l.Interfaces()[0].PrivateIP(), six[0]}, names())
	require.True(t, denied(), "it is internal")
	require.NoError(t, l.SetAttribute("ipv6.deny_all_igw_traffic", "false"))
	require.False(t, denied())

	require.NoError(t, l.SetIPAddressType(elbv2.IPAddressTypeIPv4))
	require.Empty(t, l.Interfaces()[0].IPv6())
	require.Equal(t, []netip.Addr{l.Interfaces()[0].PrivateIP()}, names())

	d.with.Route("0.0.0.0/0", d.v.InternetGateway())
	public, err := alb.Create(d.Region, "public", balancer.Config{Subnets: []*vpc.Subnet{d.with.Subnet}, InternetFacing: true, IPAddressType: elbv2.IPAddressTypeDualstack})
	require.NoError(t, err)
	require.Equal(t, "false", public.Attribute("ipv6.deny_all_igw_traffic"))
	require.Len(t, public.Interfaces()[0].IPv6(), 1)
}

func TestWhatIsRefusedOfAddressTypes(t *testing.T) {
	d := newDual(t)
	in := func(t elbv2.IPAddressType, s *vpctest.Subnet) balancer.Config {
		return balancer.Config{Subnets: []*vpc.Subnet{s.Subnet}, IPAddressType: t}
	}
	four, err := nlb.Create(d.Region, "four", in("", d.without))
	require.NoError(t, err)
	both, err := nlb.Create(d.Region, "both", in(elbv2.IPAddressTypeDualstack, d.with))
	require.NoError(t, err)
	group := func(name string, c balancer.TargetGroupConfig) (*balancer.TargetGroup, error) {
		c.VPC, c.Port = d.v.VPC, 80
		return balancer.CreateTargetGroup(d.Region, name, c)
	}
	six, err := group("six", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Type: elbv2.TargetIP, IPAddressType: elbv2.IPAddressTypeIPv6})
	require.NoError(t, err)
	require.Equal(t, elbv2.IPAddressTypeIPv6, *balancer.DescribeTargetGroups(d.Region).TargetGroups[0].IpAddressType)
	plain, err := group("plain", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Type: elbv2.TargetIP})
	require.NoError(t, err)
	machines, err := group("machines", balancer.TargetGroupConfig{Protocol: elbv2.TCP, IPAddressType: elbv2.IPAddressTypeIPv6})
	require.NoError(t, err)
	host := d.without.Host("host")
	listen := balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(six)}}
	_, err = both.CreateListener(listen)
	require.NoError(t, err)
	made := func(_ any, err error) error { return err }
	subnets := "You must specify subnets with an associated IPv6 CIDR block."
	for _, bad := range []struct {
		code, message string
		call          func() error
	}{
		{"ValidationError", subnets, func() error { return made(nlb.Create(d.Region, "a", in(elbv2.IPAddressTypeDualstack, d.without))) }},
		{"ValidationError", subnets, func() error { return four.SetIPAddressType(elbv2.IPAddressTypeDualstack) }},
		{"ValidationError", "IP address type 'ipv6' must be one of 'ipv4, dualstack'", func() error { return made(alb.Create(d.Region, "a", in("ipv6", d.with))) }},
		{"ValidationError", "IP address type 'dualstack' must be one of 'ipv4'", func() error { return made(clb.Create(d.Region, "a", in(elbv2.IPAddressTypeDualstack, d.with))) }},
		{"InvalidConfigurationRequest", "The IP address type of the load balancer '" + both.ID() + "' must be 'dualstack' for the target group '" + six.ID() + "', whose IP address type is 'ipv6'",
			func() error { return both.SetIPAddressType(elbv2.IPAddressTypeIPv4) }},
		{"ValidationError", "Target group IP address type 'dualstack' must be one of 'ipv4, ipv6'",
			func() error {
				return made(group("a", balancer.TargetGroupConfig{Protocol: elbv2.TCP, IPAddressType: elbv2.IPAddressTypeDualstack}))
			}},
		{"ValidationError", "IP address type 'ipv6' is not supported for target groups with the target type 'alb' and the protocol 'TCP'",
			func() error {
				return made(group("a", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Type: elbv2.TargetALB, IPAddressType: elbv2.IPAddressTypeIPv6}))
			}},
		{"ValidationError", "The IP address '10.0.0.9' is not of the IP address type 'ipv6' of the target group", func() error { return six.RegisterTargets(balancer.Target{ID: "10.0.0.9"}) }},
		{"ValidationError", "The IP address '2001:db8:0:1a00::9' is not of the IP address type 'ipv4' of the target group", func() error { return plain.RegisterTargets(balancer.Target{ID: "2001:db8:0:1a00::9"}) }},
		{"ValidationError", "The Availability Zone must be 'all' for the IP address '2001:db8:9::9', which is outside the VPC", func() error { return six.RegisterTargets(balancer.Target{ID: "2001:db8:9::9"}) }},
		{"InvalidTarget", "The following targets do not have an IPv6 address: '" + host.Instance.ID() + "'", func() error { return machines.RegisterTargets(balancer.Target{ID: host.Instance.ID()}) }},
	} {
		refused(t, d.Region, bad.code, bad.message, bad.call)
	}
	other, err := nlb.Create(d.Region, "other", in("", d.with))
	require.NoError(t, err)
	free, err := group("free", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Type: elbv2.TargetIP, IPAddressType: elbv2.IPAddressTypeIPv6})
	require.NoError(t, err)
	listen.Actions = []balancer.Action{balancer.Forward(free)}
	refused(t, d.Region, "InvalidConfigurationRequest", "The IP address type of the load balancer '"+other.ID()+"' must be 'dualstack' for the target group '"+free.ID()+"', whose IP address type is 'ipv6'",
		func() error { return made(other.CreateListener(listen)) })
}
