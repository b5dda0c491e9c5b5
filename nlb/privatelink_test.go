package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// provider is a service behind a Network Load Balancer, in a VPC with the same
// addresses as its consumers'.
type provider struct {
	*vpctest.World
	v       *vpctest.VPC
	l       *nlb.LoadBalancer
	server  *vpctest.Host
	service *endpoint.Service
	peers   []netip.AddrPort
	conns   []*host.Conn
}

func newProvider(t *testing.T, kind elbv2.TargetType, groups ...string) *provider {
	t.Helper()
	w := vpctest.New(t)
	p := &provider{World: w, v: w.VPC("10.0.0.0/16")}
	nodes, targets := p.v.Subnet("10.0.0.0/24"), p.v.Subnet("10.0.1.0/24")
	p.server = targets.Host("server")
	p.server.Allow(vpc.AllTraffic("10.0.0.0/24"))
	_, err := p.server.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), func(c *host.Conn) {
		p.peers, p.conns = append(p.peers, c.Remote()), append(p.conns, c)
		c.OnReadable(func(c *host.Conn) { c.Write(c.Next()) })
	})
	require.NoError(t, err)
	c := balancer.Config{Subnets: []*vpc.Subnet{nodes.Subnet}}
	for _, cidr := range groups {
		g, err := p.v.CreateSecurityGroup("nlb", vpc.SecurityGroupConfig{})
		require.NoError(t, err)
		require.NoError(t, g.AuthorizeIngress(vpc.TCPPort(443, cidr)))
		c.Groups = append(c.Groups, g)
	}
	p.l, err = nlb.Create(w.Region, "service", c)
	require.NoError(t, err)
	g, err := balancer.CreateTargetGroup(w.Region, "servers", balancer.TargetGroupConfig{VPC: p.v.VPC, Type: kind, Protocol: elbv2.TCP, Port: 80})
	require.NoError(t, err)
	id := p.server.Instance.ID()
	if kind == elbv2.TargetIP {
		id = p.server.Addr.String()
	}
	require.NoError(t, g.RegisterTargets(balancer.Target{ID: id}))
	require.NoError(t, g.SetHealth(balancer.Target{ID: id}, balancer.Healthy))
	_, err = p.l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 443, Actions: []balancer.Action{balancer.Forward(g)}})
	require.NoError(t, err)
	p.service, err = endpoint.CreateService(w.Region, endpoint.ServiceConfig{}, p.l)
	require.NoError(t, err)
	return p
}

// consumer makes a VPC of the provider's addresses with a client and an endpoint.
func (p *provider) consumer(t *testing.T) (*vpctest.Host, netip.AddrPort) {
	t.Helper()
	v := p.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	e, err := endpoint.CreateInterface(p.service.ServiceName(), []*vpc.Subnet{s.Subnet}, endpoint.Config{Name: "endpoint"})
	require.NoError(t, err)
	return s.Host("client"), netip.AddrPortFrom(e.Interfaces()[0].PrivateIP(), 443)
}

// Consumers may have the provider's addresses, and each other's.
func TestAnEndpointsTargetSeesTheNode(t *testing.T) {
	for _, kind := range []elbv2.TargetType{elbv2.TargetInstance, elbv2.TargetIP} {
		p := newProvider(t, kind)
		one, at := p.consumer(t)
		two, there := p.consumer(t)
		require.Equal(t, one.Addr, two.Addr)
		require.Equal(t, at, there)
		var conns []*host.Conn
		for _, h := range []*vpctest.Host{one, two, one} {
			c, err := h.Dial(at)
			require.NoError(t, err)
			conns = append(conns, c)
		}
		for i, c := range conns {
			text := []byte{byte('a' + i)}
			_, err := c.Write(text)
			require.NoError(t, err)
			b := make([]byte, 9)
			n, err := c.Read(b)
			require.NoError(t, err)
			require.Equal(t, text, b[:n])
			require.Equal(t, p.l.Interfaces()[0].PrivateIP(), p.peers[i].Addr())
		}
		require.Len(t, map[netip.AddrPort]bool{p.peers[0]: true, p.peers[1]: true, p.peers[2]: true}, 3)
	}
}

func TestTheConsumerAloneOpensConnections(t *testing.T) {
	p := newProvider(t, elbv2.TargetIP)
	client, at := p.consumer(t)
	c, err := client.Dial(at)
	require.NoError(t, err)
	_, err = client.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), nil)
	require.NoError(t, err)
	node := p.l.Interfaces()[0].PrivateIP()
	x := p.server.StartDial(netip.AddrPortFrom(node, c.Local().Port()), func(*host.Conn, error) {})
	p.Run(100 * time.Millisecond)
	x.Abort()
	end := trace.None
	for _, w := range p.Trace().Walks() {
		if w.First.Src.Netip() == p.server.Addr && w.First.DstPort == c.Local().Port() {
			end = w.End()
		}
	}
	require.Equal(t, trace.BalancerPort, end)
}

func TestAPortWithoutListenerByAnEndpoint(t *testing.T) {
	p := newProvider(t, elbv2.TargetIP)
	client, at := p.consumer(t)
	p.Trace().Clear()
	x := client.StartDial(netip.AddrPortFrom(at.Addr(), 22), func(*host.Conn, error) {})
	p.Run(100 * time.Millisecond)
	x.Abort()
	require.Equal(t, trace.BalancerPort, lastOf(p).End(), "and no answer")
}

func lastOf(p *provider) *trace.Walk {
	walks := p.Trace().Walks()
	return walks[len(walks)-1]
}

// The load balancer's groups see the consumer's address.
func TestGroupsOfTheLoadBalancerSeeTheConsumer(t *testing.T) {
	p := newProvider(t, elbv2.TargetIP, "192.0.2.0/24")
	client, at := p.consumer(t)
	x := client.StartDial(at, func(*host.Conn, error) {})
	p.Run(100 * time.Millisecond)
	x.Abort()
	require.Equal(t, trace.GroupIngress, lastOf(p).End())
	require.NoError(t, p.l.Groups()[0].AuthorizeIngress(vpc.TCPPort(443, "10.0.0.0/24")))
	_, err := client.Dial(at)
	require.NoError(t, err)
}

func TestAnIdleConnectionByAnEndpointIsReset(t *testing.T) {
	p := newProvider(t, elbv2.TargetIP)
	client, at := p.consumer(t)
	c, err := client.Dial(at)
	require.NoError(t, err)
	p.Run(351 * time.Second)
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	p.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
	_, err = p.conns[0].Write([]byte("x"))
	require.NoError(t, err)
	p.Run(time.Second)
	require.ErrorIs(t, p.conns[0].Err(), host.ErrReset, "and so is the server, when it speaks")
}
