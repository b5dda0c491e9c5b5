package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var filterCases = []ruleCase{
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
	}},
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
	{rule: "AC05", build: func(n network, bad bool) {
		a, _, _, _ := twoSubnets(n)
		neighbour := n.host(a, "neighbour", vpc.TCPPort(22, "10.0.0.0/24"))
		_ = neighbour
		cidr := "192.0.2.0/24"
		if bad {
			cidr = "10.0.0.0/24"
		}
		n.acl(a, []vpc.ACLEntry{entry(90, false, 6, 22, 22, cidr), everything[0]}, everything)
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
	{rule: "SG03", build: func(n network, bad bool) {
		g, err := tgw.Create(n.w.Region, tgw.Config{SecurityGroupReferencing: true})
		n.ok(err)
		v, w := n.vpc("spoke", "10.1.0.0/16"), n.vpc("core", "10.2.0.0/16")
		a, b := n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a")
		n.attach(g, tgw.AttachmentConfig{}, a)
		n.attach(g, tgw.AttachmentConfig{}, b)
		n.route(a, "10.2.0.0/16", g)
		n.route(b, "10.1.0.0/16", g)
		n.allow(n.host(b, "server"), 443, n.host(a, "client"))
		n.ok(g.SetSecurityGroupReferencing(!bad))
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
}

// twoSubnets are a client and a server whose group lets tcp/443 in from the client's.
func twoSubnets(n network) (a, b *vpctest.Subnet, client, server machine) {
	v := n.vpc("v", "10.0.0.0/16")
	a, b = n.subnet(v, "clients", "10.0.0.0/24", "a"), n.subnet(v, "servers", "10.0.1.0/24", "a")
	client, server = n.host(a, "client"), n.host(b, "server")
	n.allow(server, 443, client)
	return a, b, client, server
}

// The ports that a NAT gateway takes are missed where one stands, not in a subnet of Linux
// hosts alone, whose ACL is as in the VPC guide's example.
func TestEphemeralPortsAreThoseOfTheSubnetsOwnClients(t *testing.T) {
	for name, found := range map[string]int{"public": 1, "inside": 0} {
		n := network{t, vpctest.New(t)}
		v, public, inside, _ := private(n)
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		n.acl(map[string]*vpctest.Subnet{"public": public, "inside": inside}[name], []vpc.ACLEntry{entry(100, true, 6, 32768, 65535, "0.0.0.0/0")}, everything)
		got, err := lint.Run(n.w.World, lint.Config{Rules: []string{"AC03"}})
		n.ok(err)
		require.Len(t, got, found, name)
	}
}

// A rule for the world behind which nothing answers hides none behind which a shell does.
func TestANoteHidesNoError(t *testing.T) {
	n := network{t, vpctest.New(t)}
	v := n.vpc("v", "10.0.0.0/16")
	s := n.subnet(v, "s", "10.0.0.0/24", "a")
	n.route(s, "0.0.0.0/0", v.InternetGateway())
	n.public(s, "web", vpc.TCPPort(8000, "0.0.0.0/0"), vpc.TCPPort(22, "0.0.0.0/0"))
	n.acl(s, []vpc.ACLEntry{entry(90, false, 6, 8000, 8000, "0.0.0.0/0"), everything[0]}, everything)
	found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"SG08"}})
	n.ok(err)
	require.Len(t, found, 1)
	require.Equal(t, lint.Error, found[0].Severity)
}
