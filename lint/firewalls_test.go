package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// passing is a policy under which every flow passes that the firewall sees begin.
var passing = firewall.Policy{
	Name: "policy", StatelessDefault: firewall.Forward, StatelessFragmentDefault: firewall.Forward,
	Stateful: []firewall.StatefulGroup{{Name: "group", Priority: 1, Rules: []firewall.StatefulRule{{Action: "PASS", Protocol: "IP"}}}},
}

func (n network) firewall(subnets ...*vpctest.Subnet) *firewall.Firewall {
	var plain []*vpc.Subnet
	for _, s := range subnets {
		plain = append(plain, s.Subnet)
	}
	f, err := firewall.Create(n.w.Region, "wall", firewall.Config{Subnets: plain, Policy: passing})
	n.ok(err)
	return f
}

// guarded is a subnet behind a firewall at the internet gateway; the firewall's subnet has
// the way out where leads is set.
func guarded(n network, leads bool) (wall, app *vpctest.Subnet, e *endpoint.Endpoint) {
	v := n.vpc("v", "10.0.0.0/16")
	wall, app = n.subnet(v, "wall", "10.0.0.0/24", "a"), n.subnet(v, "app", "10.0.1.0/24", "a")
	e = n.firewall(wall).EndpointIn("us-east-1a")
	if leads {
		n.route(wall, "0.0.0.0/0", v.InternetGateway())
	}
	n.route(app, "0.0.0.0/0", e)
	v.EdgeRoute("10.0.1.0/24", e)
	n.public(app, "web", vpc.TCPPort(443, "0.0.0.0/0"))
	return wall, app, e
}

// zoned is a client and a server in different zones with a firewall's endpoint in each;
// the routes between them lead to one endpoint, or to that of the zone each.
func zoned(n network, apart bool) {
	v := n.vpc("v", "10.0.0.0/16")
	fa, fb := n.subnet(v, "fw a", "10.0.0.0/24", "a"), n.subnet(v, "fw b", "10.0.1.0/24", "b")
	a, b := n.subnet(v, "clients", "10.0.2.0/24", "a"), n.subnet(v, "servers", "10.0.3.0/24", "b")
	f := n.firewall(fa, fb)
	n.route(a, "10.0.3.0/24", f.EndpointIn("us-east-1a"))
	back := "us-east-1a"
	if apart {
		back = "us-east-1b"
	}
	n.route(b, "10.0.2.0/24", f.EndpointIn(back))
	client, server := n.host(a, "client"), n.host(b, "server")
	n.ok(server.group.AuthorizeIngress(vpc.TCPPort(443, "10.0.2.0/24")))
	_ = client
}

// between is a firewall between the nodes of a load balancer and its target.
func between(n network, preserve string) {
	v := n.vpc("v", "10.0.0.0/16")
	nodes, targets := n.subnet(v, "nodes", "10.0.0.0/24", "a"), n.subnet(v, "targets", "10.0.1.0/24", "a")
	fw, clients := n.subnet(v, "fw", "10.0.2.0/24", "a"), n.subnet(v, "clients", "10.0.3.0/24", "a")
	e := n.firewall(fw).EndpointIn("us-east-1a")
	n.route(nodes, "10.0.1.0/24", e)
	n.route(targets, "10.0.0.0/24", e)
	l, err := nlb.Create(n.w.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{nodes.Subnet}})
	n.ok(err)
	g, err := balancer.CreateTargetGroup(n.w.Region, "web", balancer.TargetGroupConfig{VPC: v.VPC, Protocol: elbv2.TCP, Port: 80})
	n.ok(err)
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	n.ok(err)
	m := n.host(targets, "web", vpc.TCPPort(80, "10.0.0.0/16"))
	t := balancer.Target{ID: m.Instance().ID()}
	n.ok(g.RegisterTargets(t))
	n.ok(g.SetHealth(t, balancer.Healthy))
	n.ok(g.SetAttribute("preserve_client_ip.enabled", preserve))
	n.host(clients, "client")
}

var firewallCases = []ruleCase{
	{rule: "GL01", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", map[bool]string{true: "b", false: "a"}[bad])
		e, err := endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", b.Subnet, endpoint.Config{})
		n.ok(err)
		n.route(a, "0.0.0.0/0", e)
	}},
	{rule: "GL02", build: func(n network, bad bool) { guarded(n, !bad) }},
	{rule: "GL03", build: func(n network, bad bool) {
		wall, _, e := guarded(n, !bad)
		if bad {
			n.route(wall, "0.0.0.0/0", e)
		}
		n.public(wall, "neighbour")
	}},
	{rule: "GL04", build: zoned},
	{rule: "LB02", build: func(n network, bad bool) { between(n, map[bool]string{true: "true", false: "false"}[bad]) }},
}

// An appliance behind a Gateway Load Balancer gives back what it is handed: that the
// packet goes on is asked though no snapshot tells.
func TestWaysBehindAGatewayLoadBalancer(t *testing.T) {
	for _, leads := range []bool{true, false} {
		n := network{t, vpctest.New(t)}
		v, far := n.vpc("v", "10.0.0.0/16"), n.vpc("security", "10.9.0.0/16")
		wall, app, fleet := n.subnet(v, "wall", "10.0.0.0/24", "a"), n.subnet(v, "app", "10.0.1.0/24", "a"), n.subnet(far, "fleet", "10.9.0.0/24", "a")
		l, err := gwlb.Create(n.w.Region, "gate", gwlb.Config{Subnets: []*vpc.Subnet{fleet.Subnet}})
		n.ok(err)
		g, err := gwlb.CreateTargetGroup(far.VPC, "fleet", elbv2.TargetInstance, balancer.HealthCheck{})
		n.ok(err)
		_, err = gwlb.Listen(l, g)
		n.ok(err)
		box := n.host(fleet, "box", vpc.AllTraffic("10.9.0.0/16"))
		target := balancer.Target{ID: box.Instance().ID()}
		n.ok(g.RegisterTargets(target))
		n.ok(g.SetHealth(target, balancer.Healthy))
		s, err := endpoint.CreateService(n.w.Region, endpoint.ServiceConfig{}, l)
		n.ok(err)
		e, err := endpoint.CreateGatewayLoadBalancer(s.ServiceName(), wall.Subnet, endpoint.Config{})
		n.ok(err)
		n.route(app, "0.0.0.0/0", e)
		v.EdgeRoute("10.0.1.0/24", e)
		if leads {
			n.route(wall, "0.0.0.0/0", v.InternetGateway())
		}
		n.public(app, "web", vpc.TCPPort(443, "0.0.0.0/0"))
		found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"GL02"}})
		n.ok(err)
		if leads {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 1)
		require.Equal(t, wall.RouteTable().ID(), found[0].Object)
		require.NotNil(t, found[0].Proof)
	}
}
