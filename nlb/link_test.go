package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// PrivateLink: consumers whose addresses are the provider's, and each other's, reach the
// service by endpoints; the target sees the node.
func TestAnEndpointServiceByALoadBalancer(t *testing.T) {
	n := newNet(t, options{}) // instance targets, which see clients of the VPC
	s, err := endpoint.CreateService(n.Region, endpoint.ServiceConfig{}, n.l)
	n.must(err)
	var clients []*vpctest.Host
	var conns []*host.Conn
	for range 2 {
		v := n.VPC("10.0.0.0/16")
		sub := v.Subnet("10.0.0.0/24")
		group, err := v.CreateSecurityGroup("endpoint", vpc.SecurityGroupConfig{})
		n.must(err, group.AuthorizeIngress(all))
		e, err := endpoint.CreateInterface(s.ServiceName(), []*vpc.Subnet{sub.Subnet}, endpoint.Config{Groups: []*vpc.SecurityGroup{group}})
		n.must(err)
		client := sub.Host("consumer")
		at := netip.AddrPortFrom(e.Interfaces()[0].PrivateIP(), 80)
		var failure error = host.ErrTimeout
		c := client.StartDial(at, func(_ *host.Conn, err error) { failure = err })
		n.Run(time.Second)
		require.NoError(t, failure, n.story())
		require.Equal(t, at, c.Remote())
		clients, conns = append(clients, client), append(conns, c)
	}
	require.Equal(t, clients[0].Addr, clients[1].Addr, "both consumers have one address")
	for _, c := range conns {
		n.echo(c)
	}
	require.Equal(t, []netip.Addr{n.node(0), n.node(0)}, []netip.Addr{n.servers[0].peers[0].Addr(), n.servers[0].peers[1].Addr()})
	t.Run("idle it meets RST in the consumer's VPC", func(t *testing.T) {
		n.Run(351 * time.Second)
		_, err := conns[0].Write([]byte("late"))
		n.must(err)
		n.Run(time.Second)
		require.ErrorIs(t, conns[0].Err(), host.ErrReset)
	})
	t.Run("other ports are none", func(t *testing.T) {
		n.Trace().Clear()
		clients[0].StartDial(netip.AddrPortFrom(conns[0].Remote().Addr(), 81), func(*host.Conn, error) {})
		n.Run(500 * time.Millisecond)
		require.Equal(t, trace.BalancerPort, n.Trace().Walks()[0].End())
	})
	t.Run("the other kinds are refused", func(t *testing.T) {
		in := balancer.Config{Subnets: []*vpc.Subnet{n.nodes[0].Subnet}}
		a, err := alb.Create(n.Region, "app", in)
		n.must(err)
		c, err := clb.Create(n.Region, "old", in)
		n.must(err)
		for _, l := range []*balancer.LoadBalancer{a, c} {
			_, err := endpoint.CreateService(n.Region, endpoint.ServiceConfig{}, l)
			require.EqualError(t, err, "InvalidParameter: The load balancer "+l.ID()+" is neither a Network Load Balancer nor a Gateway Load Balancer.")
		}
	})
}

// A client behind a NAT gateway reaches an internet-facing load balancer of its own VPC
// by its public address.
func TestTheWayByNATGatewayAndInternetGateway(t *testing.T) {
	n := newNet(t, options{internet: true, kind: elbv2.TargetIP})
	public := n.v.Subnet("10.0.30.0/24")
	public.Route("0.0.0.0/0", n.v.InternetGateway())
	gateway := public.NATGateway()
	n.clients.Route("0.0.0.0/0", gateway)
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, n.private(0), n.servers[0].peers[0].Addr())
	n.must(n.group.SetAttribute("preserve_client_ip.enabled", "true"))
	c, err = n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, gateway.PublicAddr, n.servers[0].peers[1].Addr())
}

func TestAnApplicationLoadBalancerAsTarget(t *testing.T) {
	n := newNet(t, options{plain: true})
	a, err := alb.Create(n.Region, "app", balancer.Config{Subnets: []*vpc.Subnet{n.targets[0].Subnet, n.targets[1].Subnet}})
	n.must(err, a.Groups()[0].AuthorizeIngress(all))
	web, err := balancer.CreateTargetGroup(n.Region, "pages", balancer.TargetGroupConfig{VPC: n.v.VPC, Type: elbv2.TargetIP, Protocol: elbv2.HTTP})
	n.must(err)
	_, err = a.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 8080, Actions: []balancer.Action{balancer.Forward(web)}})
	n.must(err)
	g, err := balancer.CreateTargetGroup(n.Region, "albs", balancer.TargetGroupConfig{VPC: n.v.VPC, Type: elbv2.TargetALB, Protocol: elbv2.TCP, Port: 8080})
	n.must(err, g.RegisterTargets(balancer.Target{ID: a.ID()}))
	n.must(n.listener.Modify(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}}))
	_, err = n.dial(n.client, 0)
	n.must(err)
	require.Contains(t, n.story(), "app in us-east-1a")
}

func TestWeightsOfTargetGroups(t *testing.T) {
	n := newNet(t, options{})
	b, err := balancer.CreateTargetGroup(n.Region, "second", balancer.TargetGroupConfig{VPC: n.v.VPC, Protocol: elbv2.TCP, Port: 8080})
	n.must(err)
	second := n.server("second", n.targets[0], all)
	n.must(b.RegisterTargets(balancer.Target{ID: second.Instance.ID()}))
	n.must(n.listener.Modify(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{{
		Type: elbv2.ActionForward, Groups: []balancer.Weighted{{Group: n.group, Weight: 300}, {Group: b, Weight: 100}},
	}}}))
	n.Engine.Choose = func(_, what string, hash uint32, of int, _ dataplane.Options) int {
		require.True(t, what != "target group" || of == 4, "three to one are four outcomes")
		return int(hash % uint32(of))
	}
	for range 200 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	require.InDelta(t, 50, len(second.peers), 20)
	n.must(n.listener.Modify(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{{
		Type: elbv2.ActionForward, Groups: []balancer.Weighted{{Group: n.group, Weight: 0}},
	}}}))
	n.refusedFor(trace.BalancerNoGroup, n.client, 0)
}

// 55,000 flows go by one node to one target that does not see its clients.
func TestPortsOfANodeAreUsedUp(t *testing.T) {
	if testing.Short() {
		t.Skip("fills all ports")
	}
	n := newNet(t, options{kind: elbv2.TargetIP, protocol: elbv2.TCP})
	n.Engine.Log = nil
	live := n.Live(n.Region)
	live.Port(n.servers[0].Interface).Plug(deaf{})
	at := live.Interface(n.client.Interface).Out()
	delivered, dropped := 0, 0
	for i := range 60000 {
		switch end := n.Engine.Send(at, syn(n, uint16(i+1))); end {
		case trace.Delivered:
			delivered++
		case trace.NoPort:
			dropped++
		default:
			t.Fatal(end)
		}
	}
	require.InDelta(t, 55000, delivered, 600, "a search of 240 ports misses some of the last")
	require.Equal(t, 60000, delivered+dropped)
}

// syn is a SYN of the client's from a port to the first node.
func syn(n *net, port uint16) []byte {
	h := wire.Header{Src: wire.AddrFrom(n.client.Addr), Dst: wire.AddrFrom(n.node(0)), TTL: 64}
	return wire.AppendTCP(nil, h, wire.Segment{SrcPort: port, DstPort: 80, Seq: 1, Flags: wire.SYN}, nil)
}
