package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// six is a VPC of both families: a client, a dualstack load balancer with a node, and a
// target that is registered by one of its addresses.
type six struct {
	*net
}

var all6 = vpc.AllTraffic("::/0")

func newSix(t *testing.T, p elbv2.Protocol, family elbv2.IPAddressType, preserve bool) *six {
	t.Helper()
	w := vpctest.New(t)
	n := &net{World: w, t: t, v: w.VPC("10.0.0.0/16", "2001:db8:0:1a00::/56")}
	sub := func(four, six string) *vpctest.Subnet {
		s := n.v.Subnet(four)
		n.must(s.AssociateIPv6(six))
		return s
	}
	n.clients = sub("10.0.0.0/24", "2001:db8:0:1a00::/64")
	n.nodes[0] = sub("10.0.10.0/24", "2001:db8:0:1a10::/64")
	n.targets[0] = sub("10.0.20.0/24", "2001:db8:0:1a20::/64")
	launch := func(s *vpctest.Subnet, name string) *vpctest.Host {
		return s.Launch(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{IPv6Count: 1}}, host.Config{Name: name})
	}
	n.client = launch(n.clients, "client")
	x := &server{Host: launch(n.targets[0], "t1")}
	own, err := n.v.CreateSecurityGroup("t1", vpc.SecurityGroupConfig{})
	n.must(err, own.AuthorizeIngress(all, all6), x.Interface.SetGroups(own))
	n.serve(x)
	n.servers = append(n.servers, x)
	n.l, err = nlb.Create(w.Region, "web", balancer.Config{Name: "nlb", Subnets: []*vpc.Subnet{n.nodes[0].Subnet}, IPAddressType: elbv2.IPAddressTypeDualstack})
	n.must(err)
	n.group, err = balancer.CreateTargetGroup(w.Region, "web", balancer.TargetGroupConfig{VPC: n.v.VPC, Type: elbv2.TargetIP, Protocol: p, Port: 8080, IPAddressType: family})
	n.must(err)
	if preserve {
		n.must(n.group.SetAttribute("preserve_client_ip.enabled", "true"))
	}
	n.listener, err = n.l.CreateListener(balancer.ListenerConfig{Protocol: p, Port: 80, Actions: []balancer.Action{balancer.Forward(n.group)}})
	n.must(err)
	at := x.Addr
	if family == elbv2.IPAddressTypeIPv6 {
		at = x.Interface.IPv6()[0]
	}
	target := balancer.Target{ID: at.String()}
	n.must(n.group.RegisterTargets(target), n.group.SetHealth(target, balancer.Healthy))
	return &six{net: n}
}

// at returns the node's address of a family.
func (n *six) at(v6 bool) netip.Addr {
	if v6 {
		return n.l.Interfaces()[0].IPv6()[0]
	}
	return n.private(0)
}

func (n *six) of(v6 bool) netip.Addr {
	if v6 {
		return n.client.Interface.IPv6()[0]
	}
	return n.client.Addr
}

// Of the table in the NLB guide, "Client IP preservation": with and without it, whom does
// the target see, for clients and targets of each family.
func TestClientsAndTargetsOfBothFamilies(t *testing.T) {
	for _, p := range []elbv2.Protocol{elbv2.TCP, elbv2.UDP} {
		for _, preserve := range []bool{true, false} {
			if p == elbv2.UDP && !preserve {
				continue // it is always on
			}
			for _, target6 := range []bool{false, true} {
				for _, client6 := range []bool{false, true} {
					family := elbv2.IPAddressTypeIPv4
					if target6 {
						family = elbv2.IPAddressTypeIPv6
					}
					n := newSix(t, p, family, preserve)
					n.exchange(p, netip.AddrPortFrom(n.at(client6), 80))
					want := n.at(target6)
					if preserve && client6 == target6 {
						want = n.of(client6)
					}
					require.Equal(t, want, n.servers[0].peers[0].Addr(), "%s, preserved %t, target IPv6 %t, client IPv6 %t\n%s", p, preserve, target6, client6, n.story())
				}
			}
		}
	}
}

// exchange has the client send to a node and get it back; by TCP more than a segment
// holds, in both directions, and the end of the connection.
func (n *six) exchange(p elbv2.Protocol, at netip.AddrPort) {
	n.t.Helper()
	if p == elbv2.UDP {
		var got string
		u, err := n.client.ListenUDP(netip.AddrPortFrom(n.of(at.Addr().Is6()), 4000))
		n.must(err)
		u.OnDatagram(func(_ *host.UDPConn, d host.Datagram) {
			require.Equal(n.t, at, d.Src)
			got = string(d.Payload)
		})
		u.Send(at, []byte("hello"))
		n.Run(time.Second)
		require.Equal(n.t, "hello", got, n.story())
		return
	}
	err := error(host.ErrTimeout)
	c := n.client.StartDial(at, func(_ *host.Conn, e error) { err = e })
	n.Run(time.Second)
	require.NoError(n.t, err, n.story())
	long := make([]byte, 40000)
	for i := range long {
		long[i] = byte(i * 7)
	}
	_, err = c.Write(long)
	n.must(err)
	n.Run(5 * time.Second)
	require.Equal(n.t, long, c.Next(), n.story())
}

func TestWhatIsNotCarriedBetweenFamilies(t *testing.T) {
	n := newSix(t, elbv2.UDP, elbv2.IPAddressTypeIPv4, true)
	u, err := n.client.ListenUDP(netip.AddrPortFrom(n.of(true), 4000))
	n.must(err)
	n.Trace().Clear()
	u.Send(netip.AddrPortFrom(n.at(true), 80), make([]byte, 20000))
	n.Run(time.Second)
	for _, w := range n.Trace().Walks() {
		require.Equal(t, trace.FragmentNotSupported, w.End(), n.story())
	}
	require.Empty(t, n.servers[0].peers)
}

func TestAnIdleConnectionBetweenFamiliesMeetsReset(t *testing.T) {
	n := newSix(t, elbv2.TCP, elbv2.IPAddressTypeIPv4, false)
	c := n.client.StartDial(netip.AddrPortFrom(n.at(true), 80), func(*host.Conn, error) {})
	n.Run(time.Second)
	n.echo(c)
	n.Run(351 * time.Second)
	_, err := c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
}

// A consumer of IPv6 reaches a service whose targets have IPv4, and the reverse: the
// target sees the node's address of its family (PrivateLink guide, "Share your services").
func TestAnEndpointServiceOfBothFamilies(t *testing.T) {
	for _, family := range []elbv2.IPAddressType{elbv2.IPAddressTypeIPv4, elbv2.IPAddressTypeIPv6} {
		n := newSix(t, elbv2.TCP, family, true)
		four, err := endpoint.CreateService(n.Region, endpoint.ServiceConfig{}, n.l)
		n.must(err)
		both := []ec2.ServiceConnectivityType{ec2.ServiceConnectivityTypeIpv4, ec2.ServiceConnectivityTypeIpv6}
		s, err := endpoint.CreateService(n.Region, endpoint.ServiceConfig{IPAddressTypes: both}, n.l)
		n.must(err)
		v := n.VPC("10.0.0.0/16", "2001:db8:0:2b00::/56")
		sub := v.Subnet("10.0.0.0/24")
		n.must(sub.AssociateIPv6("2001:db8:0:2b00::/64"))
		group, err := v.CreateSecurityGroup("endpoint", vpc.SecurityGroupConfig{})
		n.must(err, group.AuthorizeIngress(all, all6))
		config := endpoint.Config{Groups: []*vpc.SecurityGroup{group}, IPAddressType: ec2.IpAddressTypeDualstack}
		_, err = endpoint.CreateInterface(four.ServiceName(), []*vpc.Subnet{sub.Subnet}, config)
		require.EqualError(t, err, "InvalidParameter: The VPC endpoint service "+four.ServiceName()+" does not support the IP address type dualstack.")
		e, err := endpoint.CreateInterface(s.ServiceName(), []*vpc.Subnet{sub.Subnet}, config)
		n.must(err)
		n.client = sub.Launch(vpc.InstanceConfig{Name: "consumer", Interface: vpc.NetworkInterfaceConfig{IPv6Count: 1}}, host.Config{Name: "consumer"})
		nic := e.Interfaces()[0]
		for _, at := range []netip.Addr{nic.PrivateIP(), nic.IPv6()[0]} {
			n.exchange(elbv2.TCP, netip.AddrPortFrom(at, 80))
		}
		for _, p := range n.servers[0].peers {
			require.Equal(t, n.at(family == elbv2.IPAddressTypeIPv6), p.Addr())
		}
		require.Len(t, n.servers[0].peers, 2)
	}
}

// An Application Load Balancer's node opens connections of either family.
func TestADualstackApplicationLoadBalancerAnswersIPv6(t *testing.T) {
	n := newSix(t, elbv2.TCP, elbv2.IPAddressTypeIPv4, false)
	a, err := alb.Create(n.Region, "app", balancer.Config{Subnets: []*vpc.Subnet{n.nodes[0].Subnet}, IPAddressType: elbv2.IPAddressTypeDualstack})
	n.must(err, a.Groups()[0].AuthorizeIngress(all, all6))
	web, err := balancer.CreateTargetGroup(n.Region, "pages", balancer.TargetGroupConfig{VPC: n.v.VPC, Type: elbv2.TargetIP, Protocol: elbv2.HTTP})
	n.must(err)
	_, err = a.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(web)}})
	n.must(err)
	nic := a.Interfaces()[0]
	for _, at := range []netip.Addr{nic.PrivateIP(), nic.IPv6()[0]} {
		failure := error(host.ErrTimeout)
		n.client.StartDial(netip.AddrPortFrom(at, 80), func(_ *host.Conn, err error) { failure = err })
		n.Run(time.Second)
		require.NoError(t, failure, n.story())
		n.Trace().Clear()
		n.client.StartDial(netip.AddrPortFrom(at, 81), func(*host.Conn, error) {})
		n.Run(500 * time.Millisecond)
		require.Equal(t, trace.BalancerPort, n.Trace().Walks()[0].End())
	}
}
