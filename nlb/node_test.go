package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/health"
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

func TestUnhealthyTargets(t *testing.T) {
	t.Run("C149 get nothing until all are unhealthy", failsOpen)
}

func failsOpen(t *testing.T) {
	n := newNet(t, options{})
	sick := n.register(n.server("sick", n.targets[0], all), balancer.Unhealthy)
	for range 20 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	require.Len(t, n.servers[0].peers, 20)
	require.Empty(t, sick.peers)
	n.must(n.group.SetHealth(n.target(n.servers[0]), balancer.Unhealthy))
	for range 40 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	require.NotEmpty(t, sick.peers, "fails open to all")
	require.Greater(t, len(n.servers[0].peers), 20)
	n.must(n.group.SetHealth(n.target(sick), balancer.Healthy))
	n.Trace().Clear()
	was := len(n.servers[0].peers)
	for range 20 {
		_, err := n.dial(n.client, 0)
		n.must(err)
	}
	require.Len(t, n.servers[0].peers, was)
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

func TestAFlowIdlesOut(t *testing.T) {
	t.Run("C148 TCP after 350 seconds, and RST answers what comes then", tcpIdlesOut)
	t.Run("C148 UDP after 120 seconds", udpIdlesOut)
}

func udpIdlesOut(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP, protocol: elbv2.UDP})
	n.register(n.server("t2", n.targets[0], all), balancer.Healthy)
	u, err := n.client.ListenUDP(netip.AddrPort{})
	n.must(err)
	at := 0
	n.Engine.Choose = func(string, string, uint32, int, dataplane.Options) int { return at }
	ask := func() {
		_, err := u.Send(netip.AddrPortFrom(n.node(0), 80), []byte("?"))
		n.must(err)
		n.Run(time.Second)
	}
	ask()
	at = 1
	n.Run(118 * time.Second)
	ask()
	require.Len(t, n.servers[0].peers, 2, "the flow stays with its target")
	n.Run(120 * time.Second)
	ask()
	require.Len(t, n.servers[1].peers, 1, "a new flow is a new choice")
}

func tcpIdlesOut(t *testing.T) {
	for name, wait := range map[string]time.Duration{"lives": 349 * time.Second, "is reset": 351 * time.Second} {
		for _, side := range []string{"client", "target"} {
			t.Run(side+" "+name, func(t *testing.T) {
				n := newNet(t, options{})
				c, err := n.dial(n.client, 0)
				n.must(err)
				n.echo(c)
				n.Run(wait)
				n.Trace().Clear()
				end := c
				if side == "target" {
					end = n.servers[0].conns[0]
				}
				_, err = end.Write([]byte("late"))
				n.must(err)
				n.Run(time.Second)
				if name == "lives" {
					require.NoError(t, end.Err())
					return
				}
				require.Equal(t, trace.IdleSession, n.Trace().Walks()[0].End())
				require.ErrorIs(t, end.Err(), host.ErrReset)
				require.Len(t, n.Trace().Walks(), 2, "the other end is told nothing")
			})
		}
	}
	n := newNet(t, options{})
	n.must(n.listener.SetAttribute("tcp.idle_timeout.seconds", "60"))
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.Run(61 * time.Second)
	_, err = c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
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

func TestSecurityGroupsOfTargetsSeeTheClient(t *testing.T) {
	n := newNet(t, options{plain: true})
	n.register(n.server("t", n.targets[0], vpc.TCPPort(8080, n.node(0).String()+"/32")), balancer.Healthy)
	n.refusedFor(trace.GroupIngress, n.client, 0)
	n.must(n.group.DeregisterTargets(n.target(n.servers[0])))
	n.register(n.server("u", n.targets[0], vpc.TCPPort(8080, n.client.Addr.String()+"/32")), balancer.Healthy)
	_, err := n.dial(n.client, 0)
	n.must(err)
	// The client's group is no help: references do not hold by a load balancer.
	n.must(n.group.DeregisterTargets(n.target(n.servers[1])))
	n.register(n.server("v", n.targets[0], vpc.Permission{Protocol: -1, Group: n.v.DefaultSecurityGroup()}), balancer.Healthy)
	n.refusedFor(trace.GroupReference, n.client, 0)
}

func TestSecurityGroupsOfALoadBalancer(t *testing.T) {
	m := newNet(t, options{plain: true})
	g, err := m.v.CreateSecurityGroup("balancer", vpc.SecurityGroupConfig{})
	m.must(err)
	m.must(g.AuthorizeIngress(vpc.TCPPort(80, m.client.Addr.String()+"/32")))
	m.must(m.listener.Delete(), m.l.Delete())
	m.l = mustCreate(m, g)
	m.listener, err = m.l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(m.group)}})
	m.must(err)
	m.register(m.server("t", m.targets[0], vpc.Permission{Protocol: -1, Group: g}), balancer.Healthy)
	c, err := m.dial(m.client, 0)
	m.must(err) // the target lets in what comes by the load balancer's group, though it sees the client
	m.echo(c)
	require.Equal(t, c.Local(), m.servers[0].peers[0])
	other := m.clients.Host("other")
	m.refusedFor(trace.GroupIngress, other, 0)
}

func TestNetworkACLsAreAskedOnTheWayBackToo(t *testing.T) {
	n := newNet(t, options{})
	deny := func(egress bool, s *vpc.Subnet, cidr string) *vpc.NetworkACL {
		acl, err := s.VPC().CreateNetworkACL(vpc.NetworkACLConfig{})
		n.must(err)
		entry := func(number int, cidr string, allow bool) vpc.ACLEntry {
			return vpc.ACLEntry{Number: number, Protocol: -1, CIDR: netip.MustParsePrefix(cidr), Allow: allow}
		}
		n.must(acl.CreateIngressEntry(entry(100, "0.0.0.0/0", true)), acl.CreateEgressEntry(entry(100, "0.0.0.0/0", true)))
		if egress {
			n.must(acl.CreateEgressEntry(entry(50, cidr, false)))
		} else {
			n.must(acl.CreateIngressEntry(entry(50, cidr, false)))
		}
		n.must(s.SetNetworkACL(acl))
		return acl
	}
	ends := func() (ends []trace.Reason) {
		_, err := n.dial(n.client, 0)
		require.Error(t, err)
		for _, w := range n.Trace().Walks()[:2] {
			ends = append(ends, w.End())
		}
		return ends
	}
	was := n.targets[0].Subnet
	deny(false, was, n.client.Addr.String()+"/32")
	require.Equal(t, trace.ACLIngress, ends()[0], "the target's subnet must let the client in")
	deny(true, was, n.client.Addr.String()+"/32")
	require.Equal(t, []trace.Reason{trace.Delivered, trace.ACLEgress}, ends(), "and the answer to it out")
	n.must(was.SetNetworkACL(n.v.DefaultNetworkACL()))
	deny(false, n.nodes[0].Subnet, n.servers[0].Addr.String()+"/32")
	require.Equal(t, []trace.Reason{trace.Delivered, trace.ACLIngress}, ends(), "the node's subnet must let the target in")
}

func mustCreate(n *net, g ...*vpc.SecurityGroup) *balancer.LoadBalancer {
	l, err := nlbCreate(n, g...)
	n.must(err)
	return l
}

func TestADeregisteredTargetKeepsItsConnections(t *testing.T) {
	n := newNet(t, options{})
	c, err := n.dial(n.client, 0)
	n.must(err)
	next := n.register(n.server("next", n.targets[0], all), balancer.Healthy)
	n.must(n.group.DeregisterTargets(n.target(n.servers[0])))
	n.echo(c)
	_, err = n.dial(n.client, 0)
	n.must(err)
	require.Len(t, next.peers, 1)
	n.must(n.group.SetAttribute("deregistration_delay.connection_termination.enabled", "true"))
	n.Run(200 * time.Second)
	n.echo(c)
	n.Run(100 * time.Second)
	_, err = c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
}

func TestWithoutADelayConnectionsEndAtOnceWhereTheyEnd(t *testing.T) {
	n := newNet(t, options{})
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.must(n.group.SetAttribute("deregistration_delay.timeout_seconds", "0"), n.group.DeregisterTargets(n.target(n.servers[0])))
	require.Empty(t, n.group.Targets())
	n.echo(c)
	n.must(n.group.SetAttribute("deregistration_delay.connection_termination.enabled", "true"))
	_, err = c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
	require.EqualError(t, n.group.DeregisterTargets(n.target(n.servers[0])), "InvalidTarget: The following targets are not registered: '"+n.servers[0].Instance.ID()+"'")
	n.must(n.group.RegisterTargets(n.target(n.servers[0])))
	_, err = n.dial(n.client, 0)
	n.must(err)
}

func TestConnectionsToATargetThatTurnsUnhealthyEnd(t *testing.T) {
	n := newNet(t, options{})
	n.Engine.Choose = func(string, string, uint32, int, dataplane.Options) int { return 0 }
	other := n.register(n.server("other", n.targets[0], all), balancer.Healthy)
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.must(n.group.SetAttribute("target_health_state.unhealthy.connection_termination.enabled", "false"))
	n.must(n.group.SetHealth(n.target(n.servers[0]), balancer.Unhealthy))
	n.echo(c)
	n.must(n.group.SetHealth(n.target(n.servers[0]), balancer.Healthy))
	n.must(n.group.SetAttribute("target_health_state.unhealthy.connection_termination.enabled", "true"))
	n.must(n.group.SetHealth(n.target(n.servers[0]), balancer.Unhealthy))
	_, err = c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.ErrorIs(t, c.Err(), host.ErrReset)
	_, err = n.dial(n.client, 0)
	n.must(err)
	require.Len(t, other.peers, 1)
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

// Health checks are connections of a guest on the node's interface, from its address.
func TestHealthChecksFromTheNode(t *testing.T) {
	n := newNet(t, options{kind: elbv2.TargetIP, plain: true})
	x := n.server("t", n.targets[0], vpc.TCPPort(8080, n.node(0).String()+"/32"))
	n.must(n.group.RegisterTargets(n.target(x)))
	checker := host.New(n.Engine, host.Config{Name: "checker"})
	n.must(n.Plug(checker, n.l.Interfaces()[0]))
	n.must(n.listener.SetAttribute("tcp.idle_timeout.seconds", "60"))
	config := health.NLB()
	config.OnHealthy = func() { n.must(n.group.SetHealth(n.target(x), balancer.Healthy)) }
	config.OnUnhealthy = func(error) { n.must(n.group.SetHealth(n.target(x), balancer.Unhealthy)) }
	check, err := health.Start(n.Clock, health.TCP(checker, netip.AddrPortFrom(x.Addr, 8080)), config)
	n.must(err)
	n.Run(time.Second)
	require.Equal(t, elbv2.StateHealthy, n.group.Targets()[0].State)
	require.Equal(t, n.node(0), x.peers[0].Addr())
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.echo(c)
	n.must(x.Instance.Stop())
	n.Run(2 * time.Minute)
	n.must(x.Instance.Start())
	require.Equal(t, elbv2.StateUnhealthy, n.group.Targets()[0].State)
	check.Stop()
}

func TestFlowsDieWithTheirListener(t *testing.T) {
	n := newNet(t, options{})
	c, err := n.dial(n.client, 0)
	n.must(err)
	n.must(n.l.Tag("Name", "renamed"))
	n.echo(c)
	require.Contains(t, n.story(), "renamed")
	n.must(n.listener.Delete())
	n.Trace().Clear()
	_, err = c.Write([]byte("late"))
	n.must(err)
	n.Run(time.Second)
	require.Equal(t, trace.BalancerPort, n.Trace().Walks()[0].End())
	n.must(n.l.Delete())
	n.Trace().Clear()
	n.client.StartDial(netip.AddrPortFrom(netip.MustParseAddr("10.0.10.4"), 80), func(*host.Conn, error) {})
	n.Run(time.Second)
	require.Equal(t, trace.NoSuchAddress, n.Trace().Walks()[0].End())
}
