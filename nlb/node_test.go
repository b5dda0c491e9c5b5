package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

func TestAnInstanceTargetSeesItsClient(t *testing.T) {
	n := newNet(t, options{})
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, []netip.AddrPort{c.Local()}, n.servers[0].peers)
	require.Equal(t, netip.AddrPortFrom(n.node(0), 80), c.Remote())
}

// The way of a connection's first packet, and of its answer.
func TestTheWayByANode(t *testing.T) {
	n := newNet(t, options{})
	_, err := n.dial(n.client, 0)
	n.must(err)
	var nodes []string
	for _, w := range n.Trace().Walks()[:2] {
		for _, s := range w.Steps {
			if len(nodes) == 0 || nodes[len(nodes)-1] != s.Node {
				nodes = append(nodes, s.Node)
			}
		}
	}
	eni := n.l.Interfaces()[0].ID()
	require.Equal(t, []string{
		"client", "client out", "10.0.0.0/24 router", n.v.ID() + " router", "10.0.10.0/24 arrival", eni + " in", "nlb in us-east-1a",
		eni + " out", "10.0.10.0/24 router", n.v.ID() + " router", "10.0.20.0/24 arrival", "t1 in",
		"t1", "t1 out", "10.0.20.0/24 router", "10.0.10.0/24 arrival", eni + " in", "nlb in us-east-1a",
		eni + " out", "10.0.10.0/24 router", n.v.ID() + " router", "10.0.0.0/24 arrival", "client in",
	}, nodes)
}

func TestAnIPTargetSeesTheNode(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP})
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, n.node(0), n.servers[0].peers[0].Addr())
	require.NotEqual(t, c.Local().Port(), n.servers[0].peers[0].Port(), "the source port is the node's choice")
	n.must(n.group.SetAttribute("preserve_client_ip.enabled", "true"))
	c, err = n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, c.Local(), n.servers[0].peers[1])
}

func TestUDPIsSentOnWithItsClientsAddress(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP, protocol: elbv2.TCPUDP})
	u, err := n.client.ListenUDP(netip.AddrPort{})
	n.must(err)
	var got []host.Datagram
	u.OnDatagram(func(_ *host.UDPConn, d host.Datagram) { got = append(got, d) })
	ask := func(size int) {
		_, err := u.Send(netip.AddrPortFrom(n.node(0), 80), make([]byte, size))
		n.must(err)
		n.Run(time.Second)
	}
	ask(10)
	require.Len(t, got, 1, n.story())
	require.Equal(t, netip.AddrPortFrom(n.node(0), 80), got[0].Src)
	require.Equal(t, n.client.Addr, n.servers[0].peers[0].Addr())
	ask(20000) // in fragments, there and back
	require.Len(t, got, 2, n.story())
	require.Len(t, got[1].Payload, 20000)
}

// A target that has no route to its client answers it all the same: by the node.
func TestAnswersReturnByTheNodeWhateverTheRoutesSay(t *testing.T) {
	n := newNet(t, options{internet: true})
	server := n.OnInternet("198.51.100.7")
	c, err := n.dial(server, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, netip.MustParseAddr("198.51.100.7"), n.servers[0].peers[0].Addr(), "the target's subnet has no route there")
	require.Equal(t, trace.NoRoute, n.servers[0].Ping(server.Addr).End())
}

func TestClientsOfTheTargetsSubnetAreAnsweredByTheNode(t *testing.T) {
	n := newNet(t, options{})
	neighbor := n.targets[0].Host("neighbor")
	c, err := n.dial(neighbor, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, c.Local(), n.servers[0].peers[0])
}

func TestAClientThatIsTheTarget(t *testing.T) {
	t.Run("C147 gets nothing with its address preserved", clientIsTarget)
}

func clientIsTarget(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP})
	c, err := n.dial(n.servers[0].Host, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, n.node(0), n.servers[0].peers[0].Addr())
	n.must(n.group.SetAttribute("preserve_client_ip.enabled", "true"))
	n.refusedFor(trace.Hairpin, n.servers[0].Host, 0)
}

func TestWhatANodeDoesNotAnswer(t *testing.T) {
	n := newNet(t, options{})
	require.Equal(t, trace.BalancerPort, n.client.Ping(n.node(0)).End())
	n.Trace().Clear()
	n.client.StartDial(netip.AddrPortFrom(n.node(0), 22), func(*host.Conn, error) {})
	n.Run(500 * time.Millisecond)
	require.Equal(t, trace.BalancerPort, n.Trace().Walks()[0].End())
	require.Len(t, n.Trace().Walks(), 1, "no RST comes back")
}

func TestZones(t *testing.T) {
	n := newNet(t, options{})
	n.refusedFor(trace.BalancerZone, n.client, 1)
	n.must(n.l.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	c, err := n.dial(n.client, 1)
	n.must(err)
	n.echo(c)
	n.must(n.group.SetAttribute("load_balancing.cross_zone.enabled", "false"))
	n.refusedFor(trace.BalancerZone, n.client, 1)
	n.must(n.l.SetAttribute("load_balancing.cross_zone.enabled", "false"), n.group.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	_, err = n.dial(n.client, 1)
	n.must(err)
	n.must(n.group.DeregisterTargets(n.target(n.servers[0])))
	n.refusedFor(trace.BalancerNoTarget, n.client, 1)
}

func TestTargetsShareTheFlowsAndTheChoiceCanBeMade(t *testing.T) {
	n := newNet(t, options{})
	for _, name := range []string{"t2", "t3"} {
		n.register(n.server(name, n.targets[0], all), balancer.Healthy)
	}
	for range 300 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	for _, s := range n.servers {
		require.InDelta(t, 100, len(s.peers), 35)
	}
	for want := range n.servers {
		n.Engine.Choose = func(at, what string, _ uint32, of int, _ dataplane.Options) int {
			require.Equal(t, []any{n.l.ID(), "target", 3}, []any{at, what, of})
			return want
		}
		was := len(n.servers[want].peers)
		_, err := n.dial(n.client, 0)
		n.must(err)
		require.Len(t, n.servers[want].peers, was+1)
	}
	n.Engine.Choose = nil
	n.must(n.group.SetAttribute("stickiness.enabled", "true"))
	before := make([]int, 3)
	for i, s := range n.servers {
		before[i] = len(s.peers)
	}
	for range 10 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	grown := 0
	for i, s := range n.servers {
		if len(s.peers) > before[i] {
			grown++
		}
	}
	require.Equal(t, 1, grown, "a client stays with its target")
}

func TestAClosedPortOfTheTargetIsTold(t *testing.T) {
	n := newNet(t, options{plain: true})
	n.register(&server{Host: n.targets[0].Host("silent")}, balancer.Healthy)
	h := n.Region.Find(n.group.Targets()[0].ID).(*vpc.Instance)
	n.must(h.Interface().SetGroups(func() *vpc.SecurityGroup {
		g, err := n.v.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
		n.must(err)
		n.must(g.AuthorizeIngress(all))
		return g
	}()))
	_, err := n.dial(n.client, 0)
	require.ErrorIs(t, err, host.ErrRefused)
}

func TestATargetInAPeeredVPC(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP, plain: true})
	far := n.VPC("10.9.0.0/16")
	p, err := peering.Create(n.v.VPC, far.VPC, peering.Config{})
	n.must(err)
	n.must(p.Accept())
	s := far.Subnet("10.9.0.0/24")
	n.nodes[0].Route("10.9.0.0/16", p)
	s.Route("10.0.10.0/24", p)
	x := n.server("far", s, all)
	n.must(n.group.RegisterTargets(balancer.Target{ID: x.Addr.String(), Zone: "all"}))
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	require.Equal(t, n.node(0), x.peers[0].Addr())
	n.must(n.group.SetAttribute("preserve_client_ip.enabled", "true"))
	c, err = n.dial(n.client, 0)
	n.must(err)
	n.echo(c) // though far has no route to the client
	require.Equal(t, c.Local(), x.peers[1])
}

// Two nodes that send one client's two connections of one source port to one target
// collide there (NLB guide, "Client IP preservation").
func TestTwoNodesCollideAtOneTarget(t *testing.T) {
	n := newNet(t, options{})
	n.must(n.l.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	syn := func(node int) {
		ip := wire.AppendTCP(nil, wire.Header{Src: wire.AddrFrom(n.client.Addr), Dst: wire.AddrFrom(n.node(node)), TTL: 64}, wire.Segment{SrcPort: 7777, DstPort: 80, Seq: 1, Flags: wire.SYN}, nil)
		n.Trace().Clear()
		_, err := n.client.SendIP(ip)
		n.must(err)
		n.Run(50 * time.Millisecond)
	}
	syn(0)
	syn(1)
	last := n.Trace().Walks()[1]
	require.Equal(t, wire.AddrFrom(n.node(0)), last.Last.Src, "the answer to the second comes from the first node: %s", n.story())
}

func TestAKnownFlowAllocatesNothing(t *testing.T) {
	for _, kind := range []elbv2.TargetType{elbv2.TargetInstance, elbv2.TargetIP} {
		n := newNet(t, options{kind: kind})
		c, err := n.dial(n.client, 0)
		n.must(err)
		n.echo(c)
		n.Engine.Log = nil
		segment := wire.Segment{SrcPort: c.Local().Port(), DstPort: 80, Seq: 1, Ack: 1, Flags: wire.ACK}
		ip := wire.AppendTCP(nil, wire.Header{Src: wire.AddrFrom(n.client.Addr), Dst: wire.AddrFrom(n.node(0)), TTL: 64}, segment, nil)
		live := n.Live(n.Region)
		live.Port(n.servers[0].Interface).Plug(deaf{})
		at := live.Interface(n.client.Interface).Out()
		send := func() {
			require.Equal(t, trace.Delivered, n.Engine.Send(at, ip))
			n.Clock.Run(n.Clock.Now() + time.Millisecond)
		}
		send()
		require.Zero(t, testing.AllocsPerRun(100, send), kind)
	}
}

// deaf takes frames and answers nothing.
type deaf struct{}

func (deaf) Frame([]byte) trace.Reason { return trace.Delivered }
