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
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

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
