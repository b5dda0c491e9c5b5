package checker_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/checker"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func TestTargetsAreCheckedFromTheNodes(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a, b := v.SubnetIn("us-east-1a", "10.0.0.0/24"), v.SubnetIn("us-east-1b", "10.0.1.0/24")
	l, err := nlb.Create(w.Region, "web", nlb.Config{Name: "nlb", Subnets: []*vpc.Subnet{a.Subnet, b.Subnet}})
	require.NoError(t, err)
	g, err := balancer.CreateTargetGroup(w.Region, "web", balancer.TargetGroupConfig{
		VPC: v.VPC, Type: elbv2.TargetIP, Protocol: elbv2.TCP, Port: 80, HealthCheck: balancer.HealthCheck{Protocol: elbv2.HTTP, Path: "/healthz", Interval: 10 * time.Second},
	})
	require.NoError(t, err)
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	require.NoError(t, err)
	status, peers := map[string]int{}, map[string]map[netip.Addr]bool{}
	serve := func(s *vpctest.Subnet, name string) balancer.Target {
		h := s.Host(name)
		status[name], peers[name] = 200, map[netip.Addr]bool{}
		_, err := h.ServeHTTP(netip.AddrPortFrom(h.Addr, 80), func(c *host.Conn, r *http.Request) *http.Response {
			require.Equal(t, "/healthz", r.URL.Path)
			peers[name][c.Remote().Addr()] = true
			return host.NewResponse(status[name], "text/plain", "")
		})
		require.NoError(t, err)
		return balancer.Target{ID: h.Addr.String()}
	}
	v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0"))
	first := serve(a, "first")
	require.NoError(t, g.RegisterTargets(first))
	c, err := checker.Start(w.World, l)
	require.NoError(t, err)
	state := func(i int) elbv2.TargetHealthState { return g.Targets()[i].State }
	w.Run(2 * time.Second)
	require.Equal(t, elbv2.StateHealthy, state(0))
	require.Equal(t, map[netip.Addr]bool{l.Interfaces()[0].PrivateIP(): true}, peers["first"], "the node of its zone checks it")

	second := serve(b, "second")
	require.NoError(t, g.RegisterTargets(second))
	status["second"] = 503
	w.Run(30 * time.Second)
	require.Equal(t, []elbv2.TargetHealthState{elbv2.StateHealthy, elbv2.StateUnhealthy}, []elbv2.TargetHealthState{state(0), state(1)})
	status["second"] = 302
	w.Run(time.Minute)
	require.Equal(t, elbv2.StateHealthy, state(1), "200-399 is a success by default")

	require.NoError(t, l.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	w.Run(15 * time.Second)
	require.Len(t, peers["first"], 2, "with cross-zone load balancing every node does")
	require.NoError(t, g.DeregisterTargets(second))
	w.Run(20 * time.Second)
	peers["second"] = map[netip.Addr]bool{}
	w.Run(time.Minute)
	require.Empty(t, peers["second"])

	c.Stop()
	peers["first"] = map[netip.Addr]bool{}
	w.Run(time.Minute)
	require.Empty(t, peers["first"])
	require.Equal(t, elbv2.StateHealthy, state(0))
}
