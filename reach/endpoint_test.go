package reach_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// AWS's services answer at interface endpoints, where groups let the client in.
func TestInterfaceEndpointsAnswerAtTheirPorts(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	i, err := s.RunInstance(vpc.InstanceConfig{Name: "app"})
	require.NoError(t, err)
	g, err := v.CreateSecurityGroup("https", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	e, err := endpoint.CreateInterface("com.amazonaws.us-east-1.ssm", []*vpc.Subnet{s.Subnet}, endpoint.Config{Groups: []*vpc.SecurityGroup{g}})
	require.NoError(t, err)
	ask := func(port int) reach.Result {
		return prober(t, w.World, reach.Config{}).Ask(reach.Spec{From: i.ID(), To: e.Interfaces()[0].PrivateIP().String(), Proto: "tcp", Port: port})
	}
	require.Equal(t, reach.Filtered, ask(443).Observed)
	require.NoError(t, g.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/24")))
	r := ask(443)
	require.Equal(t, reach.Open, r.Observed, r.Reason)
	r = ask(80)
	require.Equal(t, reach.Filtered, r.Observed)
	require.Equal(t, "SIM_SERVICE_PORT", r.Code)
}

// What an appliance behind a Gateway Load Balancer does is unknown until somebody tells.
func TestAppliancesBehindAGatewayLoadBalancerAreUnknownUntilTold(t *testing.T) {
	w := vpctest.New(t)
	v, security := w.VPC("10.0.0.0/16"), w.VPC("10.9.0.0/16")
	a, b, edge, fleet := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24"), v.Subnet("10.0.2.0/24"), security.Subnet("10.9.0.0/24")
	run := func(s *vpctest.Subnet, name string) *vpc.Instance {
		i, err := s.RunInstance(vpc.InstanceConfig{Name: name})
		require.NoError(t, err)
		return i
	}
	from, to, box := run(a, "from"), run(b, "to"), run(fleet, "box")
	for _, x := range []*vpctest.VPC{v, security} {
		require.NoError(t, x.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	}
	l, err := gwlb.Create(w.Region, "wall", gwlb.Config{Subnets: []*vpc.Subnet{fleet.Subnet}})
	require.NoError(t, err)
	g, err := gwlb.CreateTargetGroup(security.VPC, "fleet", elbv2.TargetInstance, balancer.HealthCheck{})
	require.NoError(t, err)
	_, err = gwlb.Listen(l, g)
	require.NoError(t, err)
	require.NoError(t, g.RegisterTargets(balancer.Target{ID: box.ID()}))
	s, err := endpoint.CreateService(w.Region, endpoint.ServiceConfig{}, l)
	require.NoError(t, err)
	e, err := endpoint.CreateGatewayLoadBalancer(s.ServiceName(), edge.Subnet, endpoint.Config{})
	require.NoError(t, err)
	a.Route("10.0.1.0/24", e)
	b.Route("10.0.0.0/24", e)
	spec := reach.Spec{From: from.ID(), To: to.Interface().PrivateIP().String(), Proto: "tcp", Port: 22}

	r := prober(t, w.World, reach.Config{}).Ask(spec)
	require.Equal(t, reach.Unknown, r.Observed)
	require.Contains(t, r.Unknown, "what the appliance "+box.ID())
	r = prober(t, w.World, reach.Config{Appliances: map[string]reach.Appliance{box.ID(): {}}}).Ask(spec)
	require.Equal(t, reach.Open, r.Observed, "%s\n%s", r.Reason, r.Story)
	require.Contains(t, r.Way, l.ID())
	require.Contains(t, r.WayBack, l.ID())
}

func TestAFirewallsRuleIsTheBlocker(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a, b, edge := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24"), v.Subnet("10.0.2.0/24")
	require.NoError(t, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	f, err := firewall.Create(w.Region, "wall", firewall.Config{Subnets: []*vpc.Subnet{edge.Subnet}, Policy: firewall.Policy{
		StatelessDefault: firewall.Forward,
		Stateful:         []firewall.StatefulGroup{{Name: "group", Rules: []firewall.StatefulRule{{Action: "DROP", Protocol: "TCP", DestinationPort: "22"}}}},
	}})
	require.NoError(t, err)
	a.Route("10.0.1.0/24", f.Endpoints()[0])
	b.Route("10.0.0.0/24", f.Endpoints()[0])
	from, err := a.RunInstance(vpc.InstanceConfig{Name: "from"})
	require.NoError(t, err)
	to, err := b.RunInstance(vpc.InstanceConfig{Name: "to"})
	require.NoError(t, err)
	ask := func(port int) reach.Result {
		return prober(t, w.World, reach.Config{}).Ask(reach.Spec{From: from.ID(), To: to.Interface().PrivateIP().String(), Proto: "tcp", Port: port})
	}
	r := ask(22)
	require.Equal(t, reach.Filtered, r.Observed)
	require.Equal(t, "FIREWALL_RULES_RESTRICTION", r.Code)
	require.Equal(t, reach.Open, ask(443).Observed)
}
