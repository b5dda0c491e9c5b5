package lint_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var joinedCases = []ruleCase{
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
	{rule: "PX05", build: func(n network, bad bool) {
		a, b := n.vpc("a", "10.1.0.0/16"), n.vpc("b", "10.2.0.0/16")
		s, far := n.subnet(a, "s", "10.1.0.0/24", "a"), n.subnet(b, "far", "10.2.0.0/24", "a")
		n.host(s, "client")
		n.public(far, "server", vpc.TCPPort(443, "10.1.0.0/16"))
		n.route(far, "0.0.0.0/0", b.InternetGateway())
		n.ok(b.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
		p := n.peer(a, b)
		n.route(s, "10.2.0.0/16", p)
		n.route(far, "10.1.0.0/16", p)
		n.ok(p.SetDNSResolution(b.VPC, !bad))
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
	{rule: "OV01", build: func(n network, bad bool) {
		g := n.transit()
		second := "10.2.0.0/16"
		if bad {
			second = "10.1.0.0/20"
		}
		n.attach(g, tgw.AttachmentConfig{}, n.subnet(n.vpc("v", "10.1.0.0/16"), "a", "10.1.0.0/24", "a"))
		n.attach(g, tgw.AttachmentConfig{}, n.subnet(n.vpc("w", second), "b", second[:5]+"0.0/24", "a"))
	}},
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
	for i, zone := range []string{"a", "b"} {
		s, fw := n.subnet(c, "tgw "+zone, fmt.Sprintf("10.9.%d.0/24", 2*i), zone), n.subnet(c, "fw "+zone, fmt.Sprintf("10.9.%d.0/24", 2*i+1), zone)
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

// A rule for 10.0.0.0/8 does not tell that it means each host of each VPC: that no route
// leads there is a note.
func TestAWideRuleIsAWeakExpectation(t *testing.T) {
	for cidr, want := range map[string]lint.Severity{"10.0.0.0/8": lint.Note, "10.1.0.0/16": lint.Error} {
		n := network{t, vpctest.New(t)}
		v, w := n.vpc("dev", "10.1.0.0/16"), n.vpc("prod", "10.2.0.0/16")
		a, b := n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a")
		g := n.transit()
		n.attach(g, tgw.AttachmentConfig{}, a)
		n.attach(g, tgw.AttachmentConfig{}, b)
		n.host(a, "client")
		n.host(b, "server", vpc.TCPPort(443, cidr))
		found, err := lint.Run(n.w.World, lint.Config{})
		n.ok(err)
		require.Len(t, found, 1)
		require.Equal(t, "RT01", found[0].Rule)
		require.Equal(t, want, found[0].Severity)
	}
}
