package lint_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var gatewayCases = []ruleCase{
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

// A table is told of by a subnet in which somebody would be cut off.
func TestASubnetInUseStandsForItsTable(t *testing.T) {
	n := network{t, vpctest.New(t)}
	v, _, _, nat := private(n)
	var both []*vpctest.Subnet
	for i, cidr := range []string{"10.0.2.0/24", "10.0.3.0/24"} {
		s := v.SubnetIn("us-east-1b", cidr)
		n.ok(s.Tag("Name", fmt.Sprint("s", i)))
		both = append(both, s)
	}
	slices.SortFunc(both, func(a, b *vpctest.Subnet) int { return strings.Compare(a.ID(), b.ID()) })
	empty, used := both[0], both[1]
	table, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	n.ok(err)
	n.ok(table.Associate(empty.Subnet))
	n.ok(table.Associate(used.Subnet))
	n.route(used, "0.0.0.0/0", nat.NATGateway)
	n.host(used, "other")
	found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"NG12"}})
	n.ok(err)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Message, used.Label()+" is in us-east-1b")
}
