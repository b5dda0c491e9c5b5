package lint_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var serviceCases = []ruleCase{
	{rule: "LB01", build: func(n network, bad bool) {
		l, g, m := served(n, "10.0.0.0/16")
		_, _ = l, m
		n.ok(g.SetAttribute("preserve_client_ip.enabled", map[bool]string{true: "true", false: "false"}[bad]))
	}},
	{rule: "LB03", build: func(n network, bad bool) {
		_, g, _ := served(n, "10.0.0.0/24")
		n.ok(g.SetAttribute("preserve_client_ip.enabled", map[bool]string{true: "true", false: "false"}[bad]))
	}},
	{rule: "EP04", build: func(n network, bad bool) {
		v, w := n.vpc("spoke", "10.1.0.0/16"), n.vpc("hub", "10.2.0.0/16")
		a, b := n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a")
		g := n.transit()
		n.attach(g, tgw.AttachmentConfig{}, a)
		hub := n.attach(g, tgw.AttachmentConfig{}, b)
		e := s3(n, w, b.RouteTable())
		n.ok(g.DefaultRouteTable().CreateRoute("0.0.0.0/0", hub))
		n.host(a, "x")
		if bad {
			n.route(a, e.PrefixList().Entries()[0].String(), g)
		}
	}},
	{rule: "LB04", build: func(n network, bad bool) {
		h := balancer.Healthy
		if bad {
			h = balancer.Unhealthy
		}
		balanced(n, true, h, "true", false)
	}},
	{rule: "LB05", build: func(n network, bad bool) {
		balanced(n, true, balancer.Healthy, map[bool]string{true: "false", false: "true"}[bad], false)
	}},
	{rule: "LB06", build: func(n network, bad bool) { balanced(n, !bad, balancer.Healthy, "true", true) }},
	{rule: "EP01", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.host(s, "app")
		g, err := v.CreateSecurityGroup("endpoint", vpc.SecurityGroupConfig{})
		n.ok(err)
		n.ok(g.AuthorizeIngress(vpc.TCPPort(map[bool]int{true: 80, false: 443}[bad], "10.0.0.0/16")))
		_, err = endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", []*vpc.Subnet{s.Subnet}, endpoint.Config{Groups: []*vpc.SecurityGroup{g}})
		n.ok(err)
	}},
	{rule: "EP02", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", "a")
		n.host(b, "app")
		tables := []*vpc.RouteTable{a.RouteTable()}
		if !bad {
			tables = append(tables, b.RouteTable())
		}
		s3(n, v, tables...)
	}},
	{rule: "EP03", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		m := n.host(s, "app")
		e := s3(n, v, s.RouteTable())
		n.closed(m)
		if !bad {
			n.ok(m.group.AuthorizeEgress(vpc.Permission{Protocol: 6, FromPort: 443, ToPort: 443, PrefixList: e.PrefixList()}))
		}
	}},
	{rule: "DN01", build: func(n network, bad bool) {
		n.ok(n.vpc("v", "10.0.0.0/16").SetAttributes(vpc.VPCAttributes{EnableDNSSupport: !bad}))
	}},
	{rule: "DN02", build: func(n network, bad bool) {
		v, s := six(n, "::/0", false)
		public := n.subnet(v, "public", "10.0.1.0/24", "a")
		nat := public.NATGateway()
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		n.route(s, "::/0", v.InternetGateway())
		names := s.Names()
		names.DNS64 = true
		n.ok(s.SetNames(names))
		if !bad {
			n.route(s, "64:ff9b::/96", nat.NATGateway)
		}
	}},
	{rule: "V601", build: func(n network, bad bool) {
		v, s := six(n, "::/0", false)
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		if !bad {
			n.route(s, "::/0", v.InternetGateway())
		}
	}},
	{rule: "V602", build: func(n network, bad bool) {
		v, s := six(n, "::/0", true)
		g, err := igw.CreateEgressOnly(v.VPC, igw.EgressOnlyConfig{})
		n.ok(err)
		if bad {
			n.route(s, "::/0", g)
		} else {
			n.route(s, "::/0", v.InternetGateway())
		}
	}},
	{rule: "CO01", build: func(n network, bad bool) {
		v, _, inside, _ := private(n)
		if !bad {
			s3(n, v, inside.RouteTable())
		}
	}},
}

// six is a VPC with IPv6 and a host that lets tcp/22 in from the cidr by IPv6.
func six(n network, cidr string, open bool) (v *vpctest.VPC, s *vpctest.Subnet) {
	v = n.vpc("v", "10.0.0.0/16")
	p, err := v.AssociateAmazonIPv6()
	n.ok(err)
	s = n.subnet(v, "s", "10.0.0.0/24", "a")
	n.ok(s.AssociateIPv6(netip.PrefixFrom(p.Addr(), 64).String()))
	n.ok(s.SetAssignIPv6OnCreation(true))
	rules := []vpc.Permission{vpc.TCPPort(22, "10.0.0.0/8")}
	if open {
		rules = append(rules, vpc.TCPPort(22, cidr))
	}
	n.public(s, "x", rules...)
	return v, s
}

// balanced is a network load balancer in two zones with a target in the first.
func balanced(n network, public bool, health balancer.Health, cross string, facing bool) {
	v := n.vpc("v", "10.0.0.0/16")
	a, b := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", "b")
	gateway := v.InternetGateway()
	if public {
		n.route(a, "0.0.0.0/0", gateway)
		n.route(b, "0.0.0.0/0", gateway)
	}
	l, err := nlb.Create(n.w.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{a.Subnet, b.Subnet}, InternetFacing: facing})
	n.ok(err)
	g, err := balancer.CreateTargetGroup(n.w.Region, "web", balancer.TargetGroupConfig{VPC: v.VPC, Protocol: elbv2.TCP, Port: 80})
	n.ok(err)
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	n.ok(err)
	n.ok(l.SetAttribute("load_balancing.cross_zone.enabled", cross))
	m := n.host(a, "web", vpc.TCPPort(80, "0.0.0.0/0"))
	t := balancer.Target{ID: m.Instance().ID()}
	n.ok(g.RegisterTargets(t))
	n.ok(g.SetHealth(t, health))
}

// served is a network load balancer in a subnet of its own before a target that lets the
// CIDR in, and a client.
func served(n network, cidr string) (*balancer.LoadBalancer, *balancer.TargetGroup, machine) {
	v := n.vpc("v", "10.0.0.0/16")
	a, b := n.subnet(v, "nodes", "10.0.0.0/24", "a"), n.subnet(v, "targets", "10.0.1.0/24", "a")
	l, err := nlb.Create(n.w.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{a.Subnet}})
	n.ok(err)
	g, err := balancer.CreateTargetGroup(n.w.Region, "web", balancer.TargetGroupConfig{VPC: v.VPC, Protocol: elbv2.TCP, Port: 80})
	n.ok(err)
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	n.ok(err)
	m := n.host(b, "web", vpc.TCPPort(80, cidr))
	n.host(n.subnet(v, "clients", "10.0.2.0/24", "a"), "client")
	t := balancer.Target{ID: m.Instance().ID()}
	n.ok(g.RegisterTargets(t))
	n.ok(g.SetHealth(t, balancer.Healthy))
	return l, g, m
}

func s3(n network, v *vpctest.VPC, tables ...*vpc.RouteTable) *endpoint.Endpoint {
	e, err := endpoint.CreateGateway(v.VPC, "com.amazonaws.us-east-1.s3", tables, endpoint.Config{Name: "s3"})
	n.ok(err)
	return e
}

// Most targets never call their load balancer: where no rule says that one does, the finding
// is a note.
func TestATargetThatIsNotSaidToCallItsLoadBalancerIsANote(t *testing.T) {
	for name, c := range map[string]struct {
		egress vpc.Permission
		want   lint.Severity
	}{
		"the world":         {vpc.AllTraffic("0.0.0.0/0"), lint.Note},
		"another port":      {vpc.TCPPort(443, "10.0.0.0/24"), ""},
		"the load balancer": {vpc.TCPPort(80, "10.0.0.0/24"), lint.Warning},
	} {
		t.Run(name, func(t *testing.T) {
			n := network{t, vpctest.New(t)}
			_, g, m := served(n, "10.0.0.0/16")
			n.ok(g.SetAttribute("preserve_client_ip.enabled", "true"))
			n.closed(m)
			n.ok(m.group.AuthorizeEgress(c.egress))
			n.w.Run(600e9)
			found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"LB01"}})
			n.ok(err)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, c.want, found[0].Severity)
		})
	}
}

// Health checks have a port of their own, which the group has to let in.
func TestHealthChecksComeToTheirPort(t *testing.T) {
	for open, fix := range map[int]string{80: "let the health checks in: port and group", 8080: "see that the targets listen on port 8080 and answer the check as the target group expects"} {
		n := network{t, vpctest.New(t)}
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		l, err := nlb.Create(n.w.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{s.Subnet}})
		n.ok(err)
		g, err := balancer.CreateTargetGroup(n.w.Region, "web", balancer.TargetGroupConfig{
			VPC: v.VPC, Protocol: elbv2.TCP, Port: 80, HealthCheck: balancer.HealthCheck{Port: 8080},
		})
		n.ok(err)
		_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
		n.ok(err)
		target := balancer.Target{ID: n.host(s, "web", vpc.TCPPort(open, "10.0.0.0/16")).Instance().ID()}
		n.ok(g.RegisterTargets(target))
		n.ok(g.SetHealth(target, balancer.Health{State: elbv2.StateUnhealthy})) // a description may tell no reason
		n.w.Run(600e9)
		found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"LB04"}})
		n.ok(err)
		require.Len(t, found, 1)
		require.Equal(t, fix, found[0].Fix)
		require.NotContains(t, found[0].Message, "()")
	}
}

// Host names are missed by endpoints with private DNS alone; a folder with such an endpoint
// and no word of the attribute has them.
func TestHostNamesAreForPrivateDNS(t *testing.T) {
	for private, want := range map[bool]int{true: 1, false: 0} {
		n := network{t, vpctest.New(t)}
		v := n.vpc("v", "10.0.0.0/16")
		n.ok(v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
		_, err := endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", []*vpc.Subnet{n.subnet(v, "s", "10.0.0.0/24", "a").Subnet}, endpoint.Config{PrivateDNS: private})
		n.ok(err)
		n.ok(v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true}))
		n.w.Run(600e9)
		found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"DN01"}})
		n.ok(err)
		require.Len(t, found, want)
	}
	loaded, err := load.Dir("../reach/testdata/nets/interface-endpoint-from-a-peer", load.Config{})
	require.NoError(t, err)
	found, err := lint.Run(loaded.World, lint.Config{Rules: []string{"DN01"}})
	require.NoError(t, err)
	require.Empty(t, found)
}
