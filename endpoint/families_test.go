package endpoint_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

const ssm = "com.amazonaws.us-east-1.ssm"

func TestADualstackEndpointHasAnAddressOfEachFamily(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16", "2001:db8:0:1a00::/56")
	s, plain := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	require.NoError(t, s.AssociateIPv6("2001:db8:0:1a00::/64"))
	app := s.Launch(vpc.InstanceConfig{Name: "app", Interface: vpc.NetworkInterfaceConfig{IPv6Count: 1}}, host.Config{Name: "app"})
	open, err := v.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, open.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0"), vpc.AllTraffic("::/0")))
	in := endpoint.Config{Groups: []*vpc.SecurityGroup{open}, IPAddressType: ec2.IpAddressTypeDualstack}
	e, err := endpoint.CreateInterface(ssm, []*vpc.Subnet{s.Subnet}, in)
	require.NoError(t, err)
	n := e.Interfaces()[0]
	require.Len(t, n.IPv6(), 1)
	require.Equal(t, []netip.Addr{n.PrivateIP(), n.IPv6()[0]}, e.Names()[0].Addrs)
	require.Equal(t, []netip.Addr{n.PrivateIP(), n.IPv6()[0]}, e.Names()[1].Addrs)
	require.Equal(t, ec2.IpAddressTypeDualstack, *endpoint.Describe(w.Region).VpcEndpoints[0].IpAddressType)
	for _, at := range []netip.Addr{n.PrivateIP(), n.IPv6()[0]} {
		failure := error(host.ErrTimeout)
		c := app.StartDial(netip.AddrPortFrom(at, 443), func(_ *host.Conn, err error) { failure = err })
		w.Run(time.Second)
		require.NoError(t, failure, "%s", at)
		_, err = c.Write(make([]byte, 20000))
		require.NoError(t, err)
		c.Close()
		w.Run(time.Second)
		require.NoError(t, c.Err())
	}
	w.Trace().Clear()
	app.StartDial(netip.AddrPortFrom(n.IPv6()[0], 80), func(*host.Conn, error) {})
	w.Run(500 * time.Millisecond)
	require.Equal(t, trace.ServicePort, w.Trace().Walks()[0].End())

	for _, bad := range []struct {
		kind ec2.IpAddressType
		s    *vpctest.Subnet
		text string
	}{
		{ec2.IpAddressTypeDualstack, plain, "InvalidParameter: The subnet " + plain.ID() + " does not support the IP address type dualstack."},
		{ec2.IpAddressTypeIpv6, s, "InvalidParameter: The subnet " + s.ID() + " does not support the IP address type ipv6."},
		{"both", s, "InvalidParameterValue: Value (both) for parameter ipAddressType is invalid. Expected ipv4, dualstack or ipv6."},
	} {
		_, err := endpoint.CreateInterface(ssm, []*vpc.Subnet{bad.s.Subnet}, endpoint.Config{IPAddressType: bad.kind})
		require.EqualError(t, err, bad.text)
	}
	require.Len(t, endpoint.Describe(w.Region).VpcEndpoints, 1)

	require.NoError(t, e.SetIPAddressType(ec2.IpAddressTypeIpv4))
	require.Empty(t, n.IPv6())
	require.Equal(t, []netip.Addr{n.PrivateIP()}, e.Names()[0].Addrs)
	require.NoError(t, e.SetIPAddressType(ec2.IpAddressTypeDualstack))
	require.Len(t, n.IPv6(), 1)
}

func TestAServiceHasTheFamiliesOfItsLoadBalancers(t *testing.T) {
	c := newConsumer(t)
	b := newBalancer(t, c.Region, endpoint.Interface, "us-east-1a")
	both := endpoint.ServiceConfig{IPAddressTypes: []ec2.ServiceConnectivityType{ec2.ServiceConnectivityTypeIpv4, ec2.ServiceConnectivityTypeIpv6}}
	_, err := endpoint.CreateService(c.Region, both, b)
	require.EqualError(t, err, "InvalidParameter: The load balancer "+b.ID()+" does not support the IP address type ipv6.")
	both.IPAddressTypes[1] = "dualstack"
	_, err = endpoint.CreateService(c.Region, both, b)
	require.EqualError(t, err, "InvalidParameterValue: Value (dualstack) for parameter supportedIpAddressTypes is invalid. Expected ipv4 or ipv6.")
}
