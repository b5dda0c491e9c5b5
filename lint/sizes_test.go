package lint_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// noICMP lets TCP and UDP in, and ICMP only where told.
func noICMP(told bool) []vpc.ACLEntry {
	in := []vpc.ACLEntry{entry(100, true, 6, 0, 65535, "0.0.0.0/0"), entry(110, true, 17, 0, 65535, "0.0.0.0/0")}
	if told {
		in = append(in, entry(120, true, 1, 3, 4, "0.0.0.0/0"))
	}
	return in
}

var sizeCases = []ruleCase{
	{rule: "NG07", build: func(n network, bad bool) {
		v, public, inside, _ := private(n)
		n.route(public, "0.0.0.0/0", v.InternetGateway())
		m := n.host(inside, "prober")
		n.closed(m)
		out := vpc.UDPPort(33434, "0.0.0.0/0")
		if bad {
			out = vpc.AllICMP("0.0.0.0/0")
		}
		n.ok(m.group.AuthorizeEgress(out))
	}},
	{rule: "MT01", build: func(n network, bad bool) {
		v := n.vpc("v", "10.0.0.0/16")
		s := n.subnet(v, "s", "10.0.0.0/24", "a")
		n.route(s, "0.0.0.0/0", v.InternetGateway())
		n.public(s, "web", vpc.TCPPort(443, "0.0.0.0/0"))
		n.acl(s, noICMP(!bad), everything)
	}},
	{rule: "TG08", build: func(n network, bad bool) {
		v, w := n.vpc("spoke", "10.1.0.0/16"), n.vpc("core", "10.2.0.0/16")
		a, b := n.subnet(v, "a", "10.1.0.0/24", "a"), n.subnet(w, "b", "10.2.0.0/24", "a")
		g := n.transit()
		n.attach(g, tgw.AttachmentConfig{}, n.subnet(v, "tgw", "10.1.1.0/24", "a"))
		n.attach(g, tgw.AttachmentConfig{}, b)
		n.route(a, "10.2.0.0/16", g)
		n.route(b, "10.1.0.0/16", g)
		n.host(a, "client")
		n.host(b, "server", vpc.UDPPort(2049, "10.1.0.0/16"))
		n.acl(a, noICMP(!bad), everything)
	}},
}

// TCP through a transit gateway has its MSS clamped: there is nothing to find.
func TestTCPThroughATransitGatewayKeepsToItsMTU(t *testing.T) {
	n := network{t, vpctest.New(t)}
	a, _, _ := twoByTransit(n, true, true)
	n.acl(a, noICMP(false), everything)
	found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"TG08", "MT01"}})
	n.ok(err)
	require.Empty(t, found)
}

// Between regions nothing lowers the MSS of TCP, and nobody tells: a note, since that the
// drop is silent is inferred.
func TestLargeSegmentsBetweenRegions(t *testing.T) {
	n := network{t, vpctest.New(t)}
	v := n.vpc("east", "10.1.0.0/16")
	west := n.w.World.Region(vpc.RegionConfig{Name: "us-west-1"})
	w := n.w.VPCIn(west, "10.2.0.0/16")
	a, b := n.subnet(v, "a", "10.1.0.0/24", "a"), w.SubnetIn("us-west-1a", "10.2.0.0/24")
	n.host(a, "client")
	n.host(b, "server", vpc.TCPPort(443, "10.1.0.0/16"))
	p, err := peering.Create(v.VPC, w.VPC, peering.Config{})
	n.ok(err)
	n.ok(p.In(west).Accept())
	n.route(a, "10.2.0.0/16", p)
	n.ok(b.RouteTable().CreateRoute("10.1.0.0/16", p.In(west)))
	found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"MT01"}})
	n.ok(err)
	require.Len(t, found, 1)
	require.Equal(t, lint.Note, found[0].Severity)
	require.True(t, found[0].Proof.Result.Connected)
	require.Equal(t, netip.MustParsePrefix("10.2.0.0/24"), b.CIDR())
}

// The proposed rule stands before the one that denies, also where that has the least number
// but few, or the least there is: applied as it stands it mends the network.
func TestTheRuleForErrorsIsAskedBeforeTheOneThatDenies(t *testing.T) {
	for name, denied := range map[string][]vpc.ACLEntry{
		"by the last rule":    noICMP(false),
		"by the first":        {entry(1, false, 1, -1, -1, "0.0.0.0/0"), everything[0]},
		"behind two":          {entry(1, true, 6, 0, 65535, "0.0.0.0/0"), entry(2, false, 1, -1, -1, "0.0.0.0/0"), everything[0]},
		"behind one, by five": {entry(4, true, 6, 0, 65535, "0.0.0.0/0"), entry(5, false, 1, -1, -1, "0.0.0.0/0"), everything[0]},
	} {
		t.Run(name, func(t *testing.T) {
			n := network{t, vpctest.New(t)}
			v := n.vpc("v", "10.0.0.0/16")
			s := n.subnet(v, "s", "10.0.0.0/24", "a")
			n.route(s, "0.0.0.0/0", v.InternetGateway())
			n.public(s, "web", vpc.TCPPort(443, "0.0.0.0/0"))
			n.acl(s, denied, everything)
			found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"MT01"}})
			n.ok(err)
			require.Len(t, found, 1)
			o, err := reach.ParseOverlay(found[0].Fix)
			n.ok(err)
			n.ok(o.Apply(n.w.World))
			found, err = lint.Run(n.w.World, lint.Config{Rules: []string{"MT01"}})
			n.ok(err)
			require.Empty(t, found)
		})
	}
}
