package fidelity_test

import (
	"net/netip"
	"testing"

	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

func newLocalGatewayCrossing(t *testing.T) *crossing {
	return newOutpostCrossing(t, lgw.RouteTableConfig{}, netip.Addr{})
}

func newCustomerOwnedCrossing(t *testing.T) *crossing {
	return newOutpostCrossing(t, lgw.RouteTableConfig{CustomerOwned: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/26")}}, addr("203.0.113.5"))
}

// newOutpostCrossing is from an instance on an Outpost to the on-premises network.
func newOutpostCrossing(t *testing.T, c lgw.RouteTableConfig, owned netip.Addr) *crossing {
	n := newNet(t, "")
	g, err := lgw.Create(n.region, lgw.Config{Name: "lgw"})
	n.must(err)
	table, err := g.CreateRouteTable(c)
	n.must(err)
	tied, err := table.Associate(n.vpc)
	n.must(err, table.CreateRoute("192.168.0.0/16", nil))
	site, err := n.Behind("on-premises network", g)
	n.must(err)
	b := &end{addr: addr("192.168.10.20")}
	station, _, err := n.Join(site, b.addr)
	n.must(err)
	station.Plug(b)
	b.send = station.Send
	own, err := n.vpc.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{Name: "outpost", Outpost: g.Outpost()})
	n.must(err)
	routes, err := n.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "outpost table"})
	n.must(err, routes.Associate(own))
	s := (&subnet{own, n, routes}).route("192.168.0.0/16", g)
	i := s.instance("a", machine{})
	if owned.IsValid() {
		n.must(table.AssociateAddress(i.Interface(), owned))
	}
	return &crossing{
		net: n, a: n.endOf(i.Interface()), b: b, hops: 1, hopsBack: 1, passes: []string{"lgw outbound"},
		delete: tied.Delete, deleted: trace.Blackhole,
	}
}
