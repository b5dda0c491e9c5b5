package load_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// newEdge is a VPC with a subnet on an Outpost, a local gateway with customer-owned
// addresses, and a carrier gateway.
func newEdge(t *testing.T) *vpc.Region {
	r := vpc.NewRegion(vpc.RegionConfig{Seed: 3, Zones: []string{"us-east-1a", "us-east-1-wl1-bos-wlz-1"}})
	v := got(r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{Name: "edge"})).or(t)
	local := got(lgw.Create(r, lgw.Config{Name: "local"})).or(t)
	table := got(local.CreateRouteTable(lgw.RouteTableConfig{Name: "owned", CustomerOwned: []netip.Prefix{prefix("203.0.113.0/26")}})).or(t)
	got(table.Associate(v)).or(t)
	require.NoError(t, table.CreateRoute("192.168.0.0/16", nil))
	carrier := got(cagw.Create(v, cagw.Config{Name: "carrier"})).or(t)
	rack := got(v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{Name: "rack", Outpost: local.Outpost()})).or(t)
	phones := got(v.CreateSubnet("10.0.1.0/24", vpc.SubnetConfig{Name: "phones", Zone: "us-east-1-wl1-bos-wlz-1"})).or(t)
	a := got(rack.RunInstance(vpc.InstanceConfig{Name: "a"})).or(t)
	b := got(phones.RunInstance(vpc.InstanceConfig{Name: "b"})).or(t)
	require.NoError(t, table.AssociateAddress(a.Interface(), netip.MustParseAddr("203.0.113.5")))
	require.NoError(t, table.CreateRoute("10.99.0.0/16", a.Interface()))
	require.NoError(t, carrier.Associate(b.Interface(), netip.MustParseAddr("155.146.0.10")))
	require.NoError(t, v.MainRouteTable().CreateRoute("192.168.0.0/16", local))
	require.NoError(t, v.MainRouteTable().CreateRoute("0.0.0.0/0", carrier))
	return r
}

// The on-premises network of a loaded local gateway is not known, by name, until one is
// given.
func TestLocalAndCarrierGatewaysAreLoaded(t *testing.T) {
	r := newEdge(t)
	n := loadFS(t, folder(r, "us-east-1"))
	again := load.Answers(n.Regions[0])
	for i, want := range load.Answers(r) {
		found := map[string]string{}
		differences(ordered(document(t, want.JSON)), ordered(document(t, again[i].JSON)), want.Key, found)
		require.Empty(t, found)
	}
	log := n.World.Trace()
	ping(t, n, n.Find("a")[0].(*vpc.NetworkInterface), "192.168.1.1")
	last := log.Walks()[len(log.Walks())-1]
	require.Equal(t, trace.Unmodelled, last.End())
	require.Contains(t, last.String(), "local")

	g := got(n.World.Behind("site", n.Find("local")[0].(*lgw.LocalGateway))).or(t)
	plant := got(n.World.At(g, host.Config{Name: "plant"}, netip.MustParseAddr("192.168.1.1"))).or(t)
	require.Zero(t, plant.Ping(netip.MustParseAddr("203.0.113.5"), host.PingConfig{Count: 1}).Received, "the default group lets nothing in")
	require.Equal(t, trace.GroupIngress, log.Walks()[len(log.Walks())-1].End())
}
