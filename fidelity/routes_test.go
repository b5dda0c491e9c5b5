package fidelity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// hybrid is a VPC with a site beyond a virtual private gateway.
type hybrid struct {
	*net
	s      *subnet
	a      *guest
	vgw    *vgw.VirtualPrivateGateway
	office *guest
}

// newHybrid makes it with the prefixes that the site announces; the subnet's table
// takes them over.
func newHybrid(t *testing.T, announced ...string) *hybrid {
	t.Helper()
	n := newNet(t, "")
	f := &hybrid{net: n, s: n.subnet("s", "10.0.0.0/24")}
	var err error
	f.vgw, err = vgw.Create(n.region, vgw.Config{Name: "vgw"})
	n.must(err, f.vgw.Attach(n.vpc))
	site, err := n.Site(f.vgw, "site", prefixes(announced...)...)
	n.must(err, f.s.table.EnablePropagation(f.vgw))
	h, err := n.At(site, host.GenericLinux("office"), addr("10.99.1.1"))
	n.must(err)
	f.office = &guest{Host: h, addr: addr("10.99.1.1")}
	f.a = f.s.launch("a", machine{addr: "10.0.0.10", public: "203.0.113.10"})
	return f
}

// way returns the route that a packet from a to dst takes.
func (f *hybrid) way(dst string) string {
	f.t.Helper()
	_, walks := f.ping(f.a, addr(dst))
	r := routed(walks[0])
	require.Len(f.t, r, 1, story(walks[:1]))
	return r[0]
}

// list makes a prefix list.
func (n *net) list(name string, entries ...string) *vpc.PrefixList {
	n.t.Helper()
	l, err := n.region.CreatePrefixList(vpc.PrefixListConfig{Name: name, Entries: prefixes(entries...)})
	n.must(err)
	return l
}

func TestRoutePriority(t *testing.T) {
	t.Run("C090 of one destination the static route carries the traffic, not the propagated one", func(t *testing.T) {
		f := newHybrid(t, "172.31.0.0/24")
		require.Equal(t, "s table: 172.31.0.0/24 -> vgw (propagated)", f.way("172.31.0.9"))
		f.s.route("172.31.0.0/24", f.igw)
		require.Equal(t, "s table: 172.31.0.0/24 -> igw", f.way("172.31.0.9"))
	})
	t.Run("C091 the longer prefix wins whatever its origin", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		f.s.route("0.0.0.0/0", f.igw)
		walks := f.reaches(f.a, f.office.addr)
		require.Equal(t, []string{"s table: 10.99.0.0/16 -> vgw (propagated)"}, routed(walks[0]))
		require.EqualValues(t, 255, ttl(walks[0]), "a virtual private gateway takes nothing from the TTL")
	})
	t.Run("C092 local beats a propagated route that is narrower, but not a static one", func(t *testing.T) {
		f := newHybrid(t, "10.0.1.0/24")
		q := f.subnet("q", "10.0.1.0/24")
		b := q.launch("b", machine{addr: "10.0.1.55"})
		box := f.subnet("m", "10.0.2.0/24").launch("box", machine{noCheck: true, linux: host.Config{Forwarding: true}})
		require.Equal(t, "s table: 10.0.0.0/16 -> local", f.way("10.0.1.55"))
		f.s.route("10.0.1.0/24", box.nic)
		require.Equal(t, "s table: 10.0.1.0/24 -> box", f.way("10.0.1.55"))
		f.reaches(f.a, b.addr)
	})
	t.Run("C093 a prefix list's route beats a propagated one and loses against a static one", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		nat := f.subnet("n", "10.0.2.0/24").natGateway(natgw.Config{Private: true})
		f.must(f.s.table.CreatePrefixListRoute(f.list("office", "10.99.0.0/16"), nat))
		require.Equal(t, "s table: 10.99.0.0/16 -> nat (office)", f.way("10.99.1.1"))
		f.s.route("10.99.0.0/16", f.igw)
		require.Equal(t, "s table: 10.99.0.0/16 -> igw", f.way("10.99.1.1"))
	})
	t.Run("C093 routes follow their prefix list", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		l := f.list("office", "10.99.0.0/16")
		f.must(f.s.table.CreatePrefixListRoute(l, f.igw))
		require.Equal(t, "s table: 10.99.0.0/16 -> igw (office)", f.way("10.99.1.1"))
		f.must(l.SetEntries(prefixes("10.98.0.0/16")))
		require.Equal(t, "s table: 10.99.0.0/16 -> vgw (propagated)", f.way("10.99.1.1"))
	})
	t.Run("C094 the families have routes of their own", func(t *testing.T) {
		f := newPublic(t)
		nat := f.s.natGateway(natgw.Config{})
		f.private.route("0.0.0.0/0", nat)
		vm := f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"})
		f.dies(vm, f.x.addr6, trace.NoRoute, "private router")
		require.Equal(t, "NO_ROUTE_TO_DESTINATION", f.lastEnd().Code())
		f.private.route("::/0", f.igw)
		require.Equal(t, "private table: ::/0 -> igw", routed(f.reaches(vm, f.x.addr6)[0])[0])
		require.Equal(t, "private table: 0.0.0.0/0 -> nat", routed(f.reaches(vm, f.x.addr)[0])[0])
	})
	t.Run("C095 a static route for exactly a list's prefix beats the list, a wider one does not", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		nat := f.subnet("n", "10.0.2.0/24").natGateway(natgw.Config{Private: true})
		f.must(f.s.table.CreatePrefixListRoute(f.list("service", "198.51.100.0/24"), f.vgw))
		f.s.route("0.0.0.0/0", nat)
		require.Equal(t, "s table: 198.51.100.0/24 -> vgw (service)", f.way("198.51.100.7"))
		f.s.route("198.51.100.0/24", nat)
		require.Equal(t, "s table: 198.51.100.0/24 -> nat", f.way("198.51.100.7"))
	})
	t.Run("a narrower black hole drops what a wider route would carry", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		n, err := f.s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{Name: "loose", Groups: []*vpc.SecurityGroup{f.open}})
		f.must(err)
		f.s.route("10.99.1.0/24", n)
		f.dies(f.a, f.office.addr, trace.Blackhole, "s router")
		i := f.s.instance("standby", machine{})
		f.must(i.Attach(n))
		require.Equal(t, "s table: 10.99.1.0/24 -> loose", f.way("10.99.1.1"))
		_, walks := f.ping(f.a, f.office.addr)
		require.Equal(t, trace.DestinationCheck, walks[0].End(), "active again, once it is attached")
	})
}

func TestVirtualPrivateGateway(t *testing.T) {
	t.Run("C119 what comes from a site does not get to a NAT gateway", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		x := f.internet("x", "198.51.100.7")
		f.s.natGateway(natgw.Config{})
		f.s.route("0.0.0.0/0", f.igw)
		f.dies(f.office, x.addr, trace.ForeignDestination, "vgw inbound")
		require.Equal(t, "VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", f.lastEnd().Code())
	})
	t.Run("a site reaches private addresses of interfaces, and they it", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		walks := f.reaches(f.office, f.a.addr)
		require.EqualValues(t, 64, ttl(walks[0]))
		require.NotContains(t, nodes(walks...), "igw inbound")
	})
	t.Run("S001 a gateway route table leads what a site sends through an appliance, which needs no public address", func(t *testing.T) {
		f := newHybrid(t, "10.99.0.0/16")
		fw := f.subnet("fw", "10.0.2.0/24")
		box := fw.launch("box", machine{noCheck: true, linux: host.Config{Forwarding: true}})
		f.must(fw.table.EnablePropagation(f.vgw))
		f.must(f.s.table.DisablePropagation(f.vgw))
		f.s.route("10.99.0.0/16", box.nic)
		edge, err := f.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "edge table"})
		f.must(err, edge.CreateRoute("10.0.0.0/24", box.nic), edge.AssociateGateway(f.vgw))
		walks := f.reaches(f.office, f.a.addr)
		require.Len(t, walks, 4)
		require.Equal(t, []string{
			"edge table: 10.0.0.0/24 -> box", "fw table: 10.0.0.0/16 -> local",
			"s table: 10.99.0.0/16 -> box", "fw table: 10.99.0.0/16 -> vgw (propagated)",
		}, routed(walks...))
	})
}
