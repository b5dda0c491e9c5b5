package lint_test

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// twoSubnets are a client and a server whose group lets tcp/443 in from the client's.
func twoSubnets(n network) (a, b *vpctest.Subnet, client, server machine) {
	v := n.vpc("v", "10.0.0.0/16")
	a, b = n.subnet(v, "clients", "10.0.0.0/24", "a"), n.subnet(v, "servers", "10.0.1.0/24", "a")
	client, server = n.host(a, "client"), n.host(b, "server")
	n.allow(server, 443, client)
	return a, b, client, server
}

// private is a host behind a NAT gateway in a public subnet.
func private(n network) (v *vpctest.VPC, public, inside *vpctest.Subnet, nat *vpctest.NATGateway) {
	v = n.vpc("v", "10.0.0.0/16")
	public, inside = n.subnet(v, "public", "10.0.0.0/24", "a"), n.subnet(v, "private", "10.0.1.0/24", "a")
	nat = public.NATGateway()
	n.host(inside, "app")
	n.route(inside, "0.0.0.0/0", nat.NATGateway)
	return
}

// natInstance is a host behind a NAT instance.
func natInstance(n network, check bool, lets string) {
	v := n.vpc("v", "10.0.0.0/16")
	public, inside := n.subnet(v, "public", "10.0.0.0/24", "a"), n.subnet(v, "private", "10.0.1.0/24", "a")
	n.route(public, "0.0.0.0/0", v.InternetGateway())
	m := n.public(public, "nat", vpc.AllTraffic(lets))
	n.ok(m.Instance().SetSourceDestCheck(check))
	n.host(inside, "app")
	n.route(inside, "0.0.0.0/0", m.NetworkInterface)
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

// egressVPC is a spoke whose way out is another VPC's NAT gateway behind a transit gateway.
func egressVPC(n network, back bool) {
	spoke, egress := n.vpc("spoke", "10.1.0.0/16"), n.vpc("egress", "10.9.0.0/16")
	s := n.subnet(spoke, "app", "10.1.0.0/24", "a")
	public, attach := n.subnet(egress, "public", "10.9.0.0/24", "a"), n.subnet(egress, "tgw", "10.9.1.0/24", "a")
	g := n.transit()
	n.attach(g, tgw.AttachmentConfig{}, s)
	out := n.attach(g, tgw.AttachmentConfig{}, attach)
	nat := public.NATGateway()
	n.ok(g.DefaultRouteTable().CreateRoute("0.0.0.0/0", out))
	n.route(s, "0.0.0.0/0", g)
	n.route(attach, "0.0.0.0/0", nat.NATGateway)
	n.route(public, "0.0.0.0/0", egress.InternetGateway())
	if back {
		n.route(public, "10.1.0.0/16", g)
	}
	n.host(s, "app")
}

// inspection is two spokes in different zones behind a VPC with an appliance a zone.
func inspection(n network, mode bool) {
	a, b, c := n.vpc("left", "10.1.0.0/16"), n.vpc("right", "10.2.0.0/16"), n.vpc("inspection", "10.9.0.0/16")
	x, y := n.subnet(a, "x", "10.1.0.0/24", "a"), n.subnet(b, "y", "10.2.0.0/24", "b")
	xb, ya := n.subnet(a, "x b", "10.1.1.0/24", "b"), n.subnet(b, "y a", "10.2.1.0/24", "a")
	g := n.transit()
	left, right := n.attach(g, tgw.AttachmentConfig{}, x, xb), n.attach(g, tgw.AttachmentConfig{}, ya, y)
	var at, fws []*vpctest.Subnet
	for zone, cidrs := range map[string][2]string{"a": {"10.9.0.0/24", "10.9.1.0/24"}, "b": {"10.9.2.0/24", "10.9.3.0/24"}} {
		s, fw := n.subnet(c, "tgw "+zone, cidrs[0], zone), n.subnet(c, "fw "+zone, cidrs[1], zone)
		m := n.host(fw, "fw "+zone, vpc.AllTraffic("0.0.0.0/0"))
		n.ok(m.Instance().SetSourceDestCheck(false))
		n.route(s, "0.0.0.0/0", m.NetworkInterface)
		at, fws = append(at, s), append(fws, fw)
	}
	through := n.attach(g, tgw.AttachmentConfig{ApplianceMode: mode}, at...)
	for _, fw := range fws {
		n.route(fw, "10.0.0.0/8", g)
	}
	spokes, err := g.CreateRouteTable(tgw.RouteTableConfig{})
	n.ok(err)
	n.ok(spokes.CreateRoute("0.0.0.0/0", through))
	for _, s := range []*tgw.Attachment{left, right} {
		n.ok(g.DefaultRouteTable().Disassociate(s))
		n.w.Run(600e9)
		n.ok(spokes.Associate(s))
	}
	for _, s := range []*vpctest.Subnet{x, y} {
		n.route(s, "10.0.0.0/8", g)
	}
	n.host(x, "x", vpc.AllTraffic("10.0.0.0/8"))
	n.host(y, "y", vpc.AllTraffic("10.0.0.0/8"))
}

var otherCases = []ruleCase{
	{rule: "RT06", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		g, err := vgw.Create(n.w.Region, vgw.Config{})
		n.ok(err)
		n.ok(g.Attach(v.VPC))
		_, err = n.w.Site(g, "office", netip.MustParsePrefix("192.168.0.0/16"))
		n.ok(err)
		n.ok(s.RouteTable().EnablePropagation(g))
		if bad {
			n.route(s, "192.168.0.0/16", v.InternetGateway())
		}
	}},
	{rule: "IG09", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		fw, gone := n.subnet(v, "fw", "10.0.0.0/24", "a"), n.subnet(v, "gone", "10.0.1.0/24", "a")
		m := n.public(fw, "fw")
		n.ok(n.edgeTable(v).CreateRoute("10.0.1.0/24", m.NetworkInterface))
		if bad {
			n.ok(gone.Delete())
		}
	}},
	{rule: "IG11", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		n.public(s, "web", vpc.TCPPort(443, "0.0.0.0/0"))
		if bad {
			n.ok(n.w.Region.BlockPublicAccess(ec2.InternetGatewayBlockModeBlockBidirectional))
		}
	}},
	{rule: "EN01", build: func(n network, bad bool) { natInstance(n, bad, "10.0.0.0/16") }},
	{rule: "EN05", build: func(n network, bad bool) {
		lets := "10.0.0.0/16"
		if bad {
			lets = "10.0.0.0/24"
		}
		natInstance(n, false, lets)
	}},
	{rule: "EN07", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		m := n.host(s, "router")
		n.ok(m.Instance().SetSourceDestCheck(false))
		second, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{DisableSourceDestCheck: !bad})
		n.ok(err)
		n.ok(m.Instance().Attach(second))
	}},
	{rule: "NG01", build: func(n network, bad bool) {
		v, public, _, _ := private(n)
		if !bad {
			n.route(public, "0.0.0.0/0", v.InternetGateway())
		}
	}},
	{rule: "NG02", build: func(n network, bad bool) {
		v, public, _, nat := private(n)
		if bad {
			n.route(public, "0.0.0.0/0", nat.NATGateway)
		} else {
			n.route(public, "0.0.0.0/0", v.InternetGateway())
		}
	}},
	{rule: "NG03", build: func(n network, bad bool) {
		v, public, _, _ := private(n)
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		w := n.vpc("w", "10.2.0.0/16")
		s := n.subnet(w, "s", "10.2.0.0/24", "a")
		n.host(s, "y")
		p := n.peer(w, v)
		if bad {
			n.route(s, "0.0.0.0/0", p)
		}
	}},
	{rule: "NG04", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		public, inside := n.subnet(v, "public", "10.0.0.0/24", "a"), n.subnet(v, "private", "10.0.1.0/24", "a")
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		n.host(inside, "app")
		if bad {
			n.route(inside, "0.0.0.0/0", n.privateNAT(public))
		} else {
			n.route(inside, "0.0.0.0/0", public.NATGateway().NATGateway)
		}
	}},
	{rule: "NG08", build: func(n network, bad bool) {
		v, public, inside, _ := private(n)
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		m := n.host(inside, "vpn")
		n.closed(m)
		n.ok(m.group.AuthorizeEgress(vpc.Permission{Protocol: map[bool]int{true: 50, false: 17}[bad], ToPort: 4500, FromPort: 4500, CIDR: netip.MustParsePrefix("0.0.0.0/0")}))
	}},
	{rule: "NG09", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b, c := n.subnet(v, "clients", "10.0.0.0/24", "a"), n.subnet(v, "servers", "10.0.1.0/24", "a"), n.subnet(v, "nat", "10.0.2.0/24", "a")
		n.host(a, "client")
		m := n.host(b, "server", vpc.TCPPort(443, "10.0.0.0/24"))
		n.route(a, "10.0.1.0/24", n.privateNAT(c))
		if !bad {
			n.ok(m.group.AuthorizeIngress(vpc.TCPPort(443, "10.0.2.0/24")))
		}
	}},
	{rule: "NG12", build: func(n network, bad bool) {
		v, public, _, nat := private(n)
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		if bad {
			n.route(n.subnet(v, "private b", "10.0.2.0/24", "b"), "0.0.0.0/0", nat.NATGateway)
		}
	}},
	{rule: "AC01", build: func(n network, bad bool) {
		_, b, _, _ := twoSubnets(n)
		out := []vpc.ACLEntry{entry(100, true, 6, 443, 443, "0.0.0.0/0")}
		if !bad {
			out = append(out, entry(110, true, 6, 1024, 65535, "0.0.0.0/0"))
		}
		n.acl(b, everything, out)
	}},
	{rule: "AC02", build: func(n network, bad bool) {
		_, b, _, _ := twoSubnets(n)
		in := []vpc.ACLEntry{entry(100, true, 6, 443, 443, "10.0.0.0/24"), entry(200, false, -1, 0, 0, "0.0.0.0/0")}
		if bad {
			in[0].Number, in[1].Number = 200, 100
		}
		n.acl(b, in, everything)
	}},
	{rule: "AC03", build: func(n network, bad bool) {
		_, b, _, _ := twoSubnets(n)
		from := 1024
		if bad {
			from = 32768
		}
		n.acl(b, everything, []vpc.ACLEntry{entry(100, true, 6, from, 65535, "0.0.0.0/0")})
	}, unproven: true},
	{rule: "AC04", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.host(s, "app")
		s3(n, v, s.RouteTable())
		out := everything
		if bad {
			out = []vpc.ACLEntry{entry(100, true, -1, 0, 0, "10.0.0.0/8")}
		}
		n.acl(s, everything, out)
	}},
	{rule: "AC06", build: func(n network, bad bool) {
		v, w := n.vpc("spoke", "10.1.0.0/16"), n.vpc("core", "10.2.0.0/16")
		a, b, at := n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a"), n.subnet(w, "tgw", "10.2.1.0/24", "a")
		g := n.transit()
		n.attach(g, tgw.AttachmentConfig{}, a)
		n.attach(g, tgw.AttachmentConfig{}, at)
		n.route(a, "10.2.0.0/16", g)
		n.route(b, "10.1.0.0/16", g)
		n.host(a, "client")
		n.host(b, "server", vpc.TCPPort(443, "10.1.0.0/16"))
		if bad {
			n.acl(at, everything, []vpc.ACLEntry{entry(100, true, 6, 80, 80, "0.0.0.0/0")})
		}
	}},
	{rule: "AC07", build: func(n network, bad bool) {
		_, b, _, _ := twoSubnets(n)
		proto := 6
		if bad {
			proto = 17
		}
		n.acl(b, []vpc.ACLEntry{entry(100, true, proto, 1, 65535, "0.0.0.0/0")}, everything)
	}},
	{rule: "SG01", build: func(n network, bad bool) {
		_, _, client, server := twoSubnets(n)
		port := 443
		if bad {
			port = 8443
		}
		n.closed(client)
		n.ok(client.group.AuthorizeEgress(vpc.Permission{Protocol: 6, FromPort: port, ToPort: port, Group: server.group}))
	}},
	{rule: "SG02", build: func(n network, bad bool) {
		_, _, client, _ := twoSubnets(n)
		if bad {
			n.closed(client)
		}
	}},
	{rule: "SG04", build: func(n network, bad bool) {
		a, b, _, server := twoSubnets(n)
		fw := n.subnet(a.Around(), "fw", "10.0.2.0/24", "a")
		m := n.host(fw, "fw", vpc.AllTraffic("0.0.0.0/0"))
		n.ok(m.Instance().SetSourceDestCheck(false))
		n.route(a, "10.0.1.0/24", m.NetworkInterface)
		n.route(b, "10.0.0.0/24", m.NetworkInterface)
		if !bad {
			n.ok(server.group.AuthorizeIngress(vpc.TCPPort(443, "10.0.0.0/24")))
		}
	}},
	{rule: "SG05", build: func(n network, bad bool) {
		v, w := n.vpc("v", "10.1.0.0/16"), n.vpc("w", "10.2.0.0/16")
		x, y := n.host(n.subnet(v, "a", "10.1.0.0/24", "a"), "x"), n.host(n.subnet(w, "b", "10.2.0.0/24", "a"), "y")
		p := n.peer(v, w)
		n.allow(y, 443, x)
		if bad {
			n.ok(p.Delete())
		}
	}},
	{rule: "SG08", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		cidr := "198.51.100.0/24"
		if bad {
			cidr = "0.0.0.0/0"
		}
		n.public(s, "bastion", vpc.TCPPort(22, cidr))
	}},
	{rule: "SG09", build: func(n network, bad bool) {
		v, s := six(n, "::/0", bad)
		n.route(s, "::/0", v.InternetGateway())
		n.route(s, "0.0.0.0/0", v.InternetGateway())
	}},
	{rule: "PX01", build: func(n network, bad bool) {
		a, b, c := n.vpc("a", "10.1.0.0/16"), n.vpc("b", "10.2.0.0/16"), n.vpc("c", "10.3.0.0/16")
		s, far := n.subnet(a, "s", "10.1.0.0/24", "a"), n.subnet(c, "far", "10.3.0.0/24", "a")
		n.host(s, "x")
		n.host(far, "z")
		p := n.peer(a, b)
		n.peer(b, c)
		if bad {
			n.route(s, "10.3.0.0/16", p)
		}
	}},
	{rule: "PX02", build: func(n network, bad bool) {
		a, b := n.vpc("a", "10.1.0.0/16"), n.vpc("b", "10.2.0.0/16")
		s := n.subnet(a, "s", "10.1.0.0/24", "a")
		n.host(s, "x")
		b.InternetGateway()
		p := n.peer(a, b)
		if bad {
			n.route(s, "0.0.0.0/0", p)
		}
	}},
	{rule: "PX03", build: func(n network, bad bool) {
		a, b := n.vpc("a", "10.1.0.0/16"), n.vpc("b", "10.2.0.0/16")
		s, far := n.subnet(a, "s", "10.1.0.0/24", "a"), n.subnet(b, "far", "10.2.0.0/24", "a")
		n.host(s, "x")
		n.host(far, "y", vpc.TCPPort(443, "10.1.0.0/16"))
		p := n.peer(a, b)
		n.route(s, "10.2.0.0/16", p)
		if !bad {
			n.route(far, "10.1.0.0/16", p)
		}
	}},
	{rule: "PX04", build: func(n network, bad bool) {
		a, b := n.vpc("a", "10.1.0.0/16"), n.vpc("b", "10.2.0.0/16")
		p, err := peering.Create(a.VPC, b.VPC, peering.Config{})
		n.ok(err)
		if !bad {
			n.ok(p.Accept())
		}
	}},
	{rule: "TG01", build: func(n network, bad bool) {
		a, _, g := twoByTransit(n, true, true)
		zone := "a"
		if bad {
			zone = "b"
		}
		s := n.subnet(a.Around(), "other zone", "10.1.1.0/24", zone)
		n.route(s, "10.2.0.0/16", g)
		n.host(s, "x")
	}},
	{rule: "TG02", build: func(n network, bad bool) {
		s := n.subnet(n.vpc("v", "10.1.0.0/16"), "s", "10.1.0.0/24", "a")
		g, err := tgw.Create(n.w.Region, tgw.Config{NoDefaultAssociation: bad})
		n.ok(err)
		n.attach(g, tgw.AttachmentConfig{}, s)
	}},
	{rule: "TG03", build: func(n network, bad bool) {
		_, b, g := twoByTransit(n, true, true)
		if bad {
			for _, a := range g.DefaultRouteTable().Routes() {
				if a.Attachment.VPC() == b.Around().VPC {
					n.ok(g.DefaultRouteTable().DisablePropagation(a.Attachment))
				}
			}
		}
	}},
	{rule: "TG04", build: func(n network, bad bool) {
		g := n.transit()
		second := "10.2.0.0/16"
		if bad {
			second = "10.1.0.0/16"
		}
		for i, cidr := range []string{"10.1.0.0/16", second} {
			n.attach(g, tgw.AttachmentConfig{}, n.subnet(n.vpc("v", cidr), []string{"a", "b"}[i], cidr[:5]+"0.0/24", "a"))
		}
	}},
	{rule: "TG05", build: func(n network, bad bool) { inspection(n, !bad) }},
	{rule: "TG06", build: func(n network, bad bool) { egressVPC(n, !bad) }},
	{rule: "TG07", build: func(n network, bad bool) {
		a, b, _ := twoByTransit(n, true, true)
		n.ok(a.Around().Tag("Name", map[bool]string{true: "shop-dev", false: "shop-prod"}[bad]))
		n.ok(b.Around().Tag("Name", "core-prod"))
	}},
	{rule: "GL01", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", map[bool]string{true: "b", false: "a"}[bad])
		e, err := endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", b.Subnet, endpoint.Config{})
		n.ok(err)
		n.route(a, "0.0.0.0/0", e)
	}},
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
	{rule: "OV01", build: func(n network, bad bool) {
		g := n.transit()
		second := "10.2.0.0/16"
		if bad {
			second = "10.1.0.0/20"
		}
		n.attach(g, tgw.AttachmentConfig{}, n.subnet(n.vpc("v", "10.1.0.0/16"), "a", "10.1.0.0/24", "a"))
		n.attach(g, tgw.AttachmentConfig{}, n.subnet(n.vpc("w", second), "b", second[:5]+"0.0/24", "a"))
	}},
	{rule: "CO01", build: func(n network, bad bool) {
		v, _, inside, _ := private(n)
		if !bad {
			s3(n, v, inside.RouteTable())
		}
	}},
}
