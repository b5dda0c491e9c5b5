package lint_test

import (
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// twoByTransit are two VPCs joined by a transit gateway, with a host each that is to
// reach the other, routes there and back.
func twoByTransit(n network, there, back bool) (a, b *vpctest.Subnet, g *tgw.TransitGateway) {
	v, w := n.vpc("spoke", "10.1.0.0/16"), n.vpc("core", "10.2.0.0/16")
	a, b = n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a")
	g = n.transit()
	n.attach(g, tgw.AttachmentConfig{}, a)
	n.attach(g, tgw.AttachmentConfig{}, b)
	if there {
		n.route(a, "10.2.0.0/16", g)
	}
	if back {
		n.route(b, "10.1.0.0/16", g)
	}
	n.host(a, "client")
	n.host(b, "server", vpc.TCPPort(443, "10.1.0.0/16"))
	return a, b, g
}

var routeCases = []ruleCase{
	{rule: "RT01", build: func(n network, bad bool) { twoByTransit(n, !bad, true) }},
	{rule: "RT02", build: func(n network, bad bool) { twoByTransit(n, true, !bad) }},
	{rule: "RT03", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s, far := n.subnet(v, "s", "10.0.0.0/24", "a"), n.subnet(v, "far", "10.0.1.0/24", "a")
		m := n.host(far, "appliance")
		n.ok(m.Instance().SetSourceDestCheck(false))
		n.route(s, "192.168.0.0/16", m.NetworkInterface)
		n.host(s, "client")
		if bad {
			n.ok(m.SetDeleteOnTermination(false))
			n.ok(m.Instance().Terminate())
		}
	}},
	{rule: "RT04", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		v.Subnet("10.0.0.0/24")
		if bad {
			n.ok(v.MainRouteTable().CreateRoute("0.0.0.0/0", v.InternetGateway()))
		}
	}},
	{rule: "RT05", build: func(n network, bad bool) {
		a, _, _ := twoByTransit(n, true, true)
		if bad {
			p := n.peer(n.vpc("other", "10.3.0.0/16"), vpcOf(n, a))
			n.route(a, "10.2.0.0/24", p)
		}
	}},
	{rule: "RT07", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s, far := n.subnet(v, "s", "10.0.0.0/24", "a"), n.subnet(v, "far", "10.0.1.0/24", "a")
		m := n.host(far, "appliance")
		n.ok(m.Instance().SetSourceDestCheck(false))
		gone := n.subnet(v, "gone", "10.0.2.0/24", "a")
		n.route(s, "10.0.2.0/24", m.NetworkInterface)
		if bad { // the subnet that the route was for goes, the route stays
			n.ok(gone.Delete())
		}
	}},
	{rule: "RT08", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b, fw := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", "a"), n.subnet(v, "fw", "10.0.2.0/24", "a")
		m := n.host(fw, "fw", vpc.AllTraffic("0.0.0.0/0"))
		n.ok(m.Instance().SetSourceDestCheck(false))
		n.host(a, "x", vpc.AllTraffic("10.0.0.0/16"))
		n.host(b, "y", vpc.AllTraffic("10.0.0.0/16"))
		n.route(a, "10.0.1.0/24", m.NetworkInterface)
		if !bad {
			n.route(b, "10.0.0.0/24", m.NetworkInterface)
		}
	}},
	{rule: "RT09", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		at := s
		if !bad {
			at = n.subnet(v, "fw", "10.0.1.0/24", "a")
		}
		m := n.host(at, "nat", vpc.AllTraffic("0.0.0.0/0"))
		n.ok(m.Instance().SetSourceDestCheck(false))
		n.host(s, "client")
		n.route(s, "0.0.0.0/0", m.NetworkInterface)
	}},
	{rule: "RT10", build: func(n network, bad bool) {
		if bad {
			n.vpc("v", "172.17.0.0/16")
		} else {
			n.vpc("v", "172.18.0.0/16")
		}
	}},
	{rule: "RT11", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b, public := n.subnet(v, "app-a", "10.0.0.0/24", "a"), n.subnet(v, "app-b", "10.0.1.0/24", "b"), n.subnet(v, "nat", "10.0.2.0/24", "a")
		nat := public.NATGateway()
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		n.route(a, "0.0.0.0/0", nat.NATGateway)
		n.host(b, "x")
		if !bad {
			n.route(b, "0.0.0.0/0", nat.NATGateway)
		}
	}},
	{rule: "IG01", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		n.launch(s, "x", !bad)
	}},
	{rule: "IG02", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		m := n.host(s, "x", vpc.TCPPort(443, "0.0.0.0/0"))
		e, err := n.w.Region.AllocateAddress(vpc.AddressConfig{})
		n.ok(err)
		n.ok(e.AssociateInstance(m.Instance()))
		if bad {
			n.ok(m.Instance().Stop())
		}
	}},
	{rule: "IG03", build: func(n network, bad bool) {
		if bad {
			n.detached()
		}
		n.vpc("v", "10.0.0.0/16").InternetGateway()
	}},
	{rule: "IG04", build: func(n network, bad bool) {
		a, _, g := twoByTransit(n, false, true)
		v := vpcOf(n, a)
		n.route(a, "0.0.0.0/0", v.InternetGateway())
		m := n.public(a, "web")
		_ = m
		if !bad {
			n.route(a, "10.2.0.0/16", g)
		}
	}},
	{rule: "IG05", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		a, b := n.subnet(v, "a", "10.0.0.0/24", "a"), n.subnet(v, "b", "10.0.1.0/24", "a")
		for _, s := range []*vpctest.Subnet{a, b} {
			n.route(s, "0.0.0.0/0", v.InternetGateway())
		}
		x, y := n.public(a, "x"), n.launch(b, "y", bad)
		n.allow(y, 443, x)
	}},
	{rule: "IG06", build: func(n network, bad bool) { inspected(n, !bad, true, true, true) }},
	{rule: "IG07", build: func(n network, bad bool) { inspected(n, true, !bad, true, true) }},
	{rule: "IG08", build: func(n network, bad bool) { inspected(n, true, true, !bad, true) }},
	{rule: "IG10", build: func(n network, bad bool) { inspected(n, true, true, true, !bad) }},
}

// inspected is a VPC with an appliance in front of its subnets: in says whether the
// gateway route table leads to it, out whether the first subnet's table does, both whether
// the second subnet is in the gateway table too, public whether the appliance has a public
// address.
func inspected(n network, in, out, both, public bool) {
	v := n.vpc("v", "10.0.0.0/16")
	a, b, fw := n.subnet(v, "app", "10.0.0.0/24", "a"), n.subnet(v, "web", "10.0.1.0/24", "a"), n.subnet(v, "fw", "10.0.2.0/24", "a")
	m := n.launch(fw, "fw", public, vpc.AllTraffic("0.0.0.0/0"))
	n.ok(m.Instance().SetSourceDestCheck(false))
	n.route(fw, "0.0.0.0/0", v.InternetGateway())
	n.public(a, "x", vpc.TCPPort(443, "0.0.0.0/0"))
	n.public(b, "y", vpc.TCPPort(443, "0.0.0.0/0"))
	if out {
		n.route(a, "0.0.0.0/0", m.NetworkInterface)
	} else {
		n.route(a, "0.0.0.0/0", v.InternetGateway())
	}
	n.route(b, "0.0.0.0/0", m.NetworkInterface)
	if in {
		t := n.edgeTable(v)
		n.ok(t.CreateRoute("10.0.0.0/24", m.NetworkInterface))
		if both {
			n.ok(t.CreateRoute("10.0.1.0/24", m.NetworkInterface))
		}
	}
}

// vpcOf returns a subnet's VPC as the tests' own.
func vpcOf(_ network, s *vpctest.Subnet) *vpctest.VPC { return s.Around() }
