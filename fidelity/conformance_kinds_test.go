package fidelity_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func newLocalCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	return &crossing{net: n, a: n.inside(n.subnet("p", "10.0.0.0/24"), "a", machine{}), b: n.inside(n.subnet("q", "10.0.1.0/24"), "b", machine{})}
}

func newInternetCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	s := n.subnet("public", "10.0.0.0/24").route("0.0.0.0/0", n.igw)
	i := s.instance("a", machine{public: "203.0.113.10"})
	return &crossing{
		net: n, a: n.endOf(i.Interface()), b: n.outside("198.51.100.7"), hops: 1, passes: []string{"igw outbound"},
		delete:  func() error { return s.table.ReplaceRoute("0.0.0.0/0", n.dead()) },
		deleted: trace.Blackhole,
	}
}

// dead returns an interface that is attached to nothing: a route to it is a black hole.
func (n *net) dead() *vpc.NetworkInterface {
	n.t.Helper()
	nic, err := n.subnet("nowhere", "10.0.99.0/24").CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
	n.must(err)
	return nic
}

func newInternetCrossing6(t *testing.T) *crossing {
	n := newNet(t, vpc6)
	s := n.subnet("public", "10.0.0.0/24").route("::/0", n.igw)
	return &crossing{
		net: n, six: true, a: n.inside(s, "a", machine{addr6: "2001:db8:0:1a00::10"}), b: n.outside("2001:db8:f::7"),
		hops: 1, passes: []string{"igw outbound"},
	}
}

func newEgressOnlyCrossing(t *testing.T) *crossing {
	n := newNet(t, vpc6)
	g, err := igw.CreateEgressOnly(n.vpc, igw.EgressOnlyConfig{Name: "eigw"})
	n.must(err)
	s := n.subnet("private", "10.0.0.0/24").route("::/0", g)
	return &crossing{
		net: n, six: true, a: n.inside(s, "a", machine{addr6: "2001:db8:0:1a00::10"}), b: n.outside("2001:db8:f::7"),
		hops: 1, passes: []string{"eigw outbound"}, delete: g.Delete, deleted: trace.Blackhole,
	}
}

func newNATCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	public := n.subnet("public", "10.0.0.0/24").route("0.0.0.0/0", n.igw)
	g := public.natGateway(natgw.Config{})
	private := n.subnet("private", "10.0.1.0/24").route("0.0.0.0/0", g)
	return n.natCrossing(g, n.inside(private, "a", machine{}), n.outside("198.51.100.7"), 2, 1)
}

func newPrivateNATCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	g := n.subnet("nat", "10.0.2.0/24").natGateway(natgw.Config{Private: true})
	q := n.subnet("q", "10.0.1.0/24")
	p := n.subnet("p", "10.0.0.0/24").route("10.0.1.0/24", g)
	return n.natCrossing(g, n.inside(p, "a", machine{}), n.inside(q, "b", machine{}), 1, 1)
}

func (n *net) natCrossing(g *natgw.NATGateway, a, b *end, hops, back int) *crossing {
	live := n.Live(n.region)
	return &crossing{
		net: n, a: a, b: b, hops: hops, hopsBack: back, passes: []string{"nat"}, delete: g.Delete, deleted: trace.Blackhole,
		state: func() any { return stateOf[nat.Masquerade](live, g.ID(), "sessions") },
	}
}

// stateOf returns live state, nil as an interface where there is none.
func stateOf[T any](l *vpc.Live, id string, key vpc.StateKey[T]) any {
	if s := vpc.StateOf(l, id, key); s != nil {
		return s
	}
	return nil
}

// second makes another VPC, with a subnet and an end in it.
func (n *net) second(cidr, sub string) (*net, *subnet) {
	n.t.Helper()
	o := *n
	v, err := n.region.CreateVPC(cidr, vpc.VPCConfig{Name: "second"})
	n.must(err)
	o.vpc = v
	o.open = o.group("open", vpc.AllTraffic("0.0.0.0/0"))
	return &o, o.subnet("far", sub)
}

func newPeeringCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	far, s := n.second("10.1.0.0/16", "10.1.0.0/24")
	pcx, err := peering.Create(n.vpc, far.vpc, peering.Config{Name: "pcx"})
	n.must(err, pcx.Accept())
	near := n.subnet("near", "10.0.0.0/24").route("10.1.0.0/16", pcx)
	s.route("10.0.0.0/16", pcx)
	return &crossing{
		net: n, a: n.inside(near, "a", machine{}), b: far.inside(s, "b", machine{}), passes: []string{"pcx toward second"},
		delete: pcx.Delete, deleted: trace.Blackhole,
	}
}

func newTransitCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	far, s := n.second("10.1.0.0/16", "10.1.0.0/24")
	g, err := tgw.Create(n.region, tgw.Config{Name: "tgw"})
	n.must(err)
	near := n.subnet("near", "10.0.0.0/24")
	a, err := g.Attach(tgw.AttachmentConfig{Name: "near"}, n.subnet("door", "10.0.255.0/28").Subnet)
	n.must(err)
	b, err := g.Attach(tgw.AttachmentConfig{Name: "far"}, far.subnet("far door", "10.1.255.0/28").Subnet)
	n.must(err)
	near.route("10.1.0.0/16", g)
	s.route("10.0.0.0/16", g)
	return &crossing{
		net: n, a: n.inside(near, "a", machine{}), b: far.inside(s, "b", machine{}), hops: 1, hopsBack: 1, passes: []string{"tgw"},
		delete: func() error {
			require.NoError(t, b.Delete())
			require.NoError(t, a.Delete())
			return g.Delete()
		},
		deleted: trace.Blackhole,
	}
}

// newDirectConnectCrossing leads by a virtual private gateway and two virtual interfaces
// alike, over which flows are spread.
func newDirectConnectCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	g, err := vgw.Create(n.region, vgw.Config{Name: "vgw"})
	n.must(err, g.Attach(n.vpc))
	line, err := directconnect.CreateConnection(n.region, directconnect.ConnectionConfig{Name: "line"})
	n.must(err)
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	for _, name := range []string{"one", "two"} {
		_, err = dx.CreateInterface(line, directconnect.InterfaceConfig{Name: name})
		n.must(err)
	}
	n.must(dx.Announce(remote.Announcement{Prefix: netip.MustParsePrefix("192.168.10.0/24")}))
	link, err := dx.Associate(g)
	n.must(err)
	site, err := n.Behind("office", link)
	n.must(err)
	b := &end{addr: addr("192.168.10.20")}
	station, _, err := n.Join(site, b.addr)
	n.must(err)
	station.Plug(b)
	b.send = station.Send
	s := n.subnet("private", "10.0.0.0/24")
	n.must(s.table.EnablePropagation(g))
	on := " virtual interface on line (" + line.ID() + ")"
	return &crossing{
		net: n, a: n.inside(s, "a", machine{}), b: b, passes: []string{"one" + on, "two" + on},
		delete: link.Delete, deleted: trace.NoRoute,
	}
}

func newPrivateGatewayCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	g, err := vgw.Create(n.region, vgw.Config{Name: "vgw"})
	n.must(err, g.Attach(n.vpc))
	site, err := n.Site(g, "office", netip.MustParsePrefix("192.168.10.0/24"))
	n.must(err)
	b := &end{addr: addr("192.168.10.20")}
	station, _, err := n.Join(site, b.addr)
	n.must(err)
	station.Plug(b)
	b.send = station.Send
	s := n.subnet("private", "10.0.0.0/24")
	n.must(s.table.EnablePropagation(g))
	return &crossing{
		net: n, a: n.inside(s, "a", machine{}), b: b,
		delete:  func() error { return g.Detach(n.vpc) },
		deleted: trace.NoRoute, // propagated routes go with the gateway
	}
}
