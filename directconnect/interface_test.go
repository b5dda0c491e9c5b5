package directconnect_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/vpn"
	"github.com/vpcsim/vpcsim/wire"
)

func by(prefix string, path int) remote.Announcement {
	return remote.Announcement{Prefix: netip.MustParsePrefix(prefix), ASPath: path}
}

func line(t *testing.T, r *vpc.Region, name string) *directconnect.Connection {
	t.Helper()
	x, err := directconnect.CreateConnection(r, directconnect.ConnectionConfig{Name: name})
	must(t, err)
	return x
}

func on(t *testing.T, g *directconnect.Gateway, x *directconnect.Connection, name string) *directconnect.VirtualInterface {
	t.Helper()
	v, err := g.CreateInterface(x, directconnect.InterfaceConfig{Name: name})
	must(t, err)
	return v
}

// way is the name of the node by which a ping leaves.
func way(t *testing.T, from *vpctest.Host, to netip.Addr) string {
	t.Helper()
	o := from.Ping(to)
	o.OK(t)
	steps := o.Walks[0].Steps
	return steps[len(steps)-2].Node
}

// The example of the Direct Connect guide, "Private virtual interface routing example".
func TestVirtualInterfacesOfTheOwnRegionGoBefore(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	near, far := line(t, w.Region, "near"), line(t, w.World.Region(vpc.RegionConfig{Name: "us-west-1"}), "far")
	vifA, vifB, vifC := on(t, dx, near, "a"), on(t, dx, near, "b"), on(t, dx, far, "c")
	must(t, vifA.Announce(by("172.16.0.0/16", 3)), vifB.Announce(by("172.16.0.0/16", 2)), vifC.Announce(by("172.16.0.0/16", 1)))
	x, err := dx.Associate(a.gateway)
	must(t, err)
	site, err := w.Behind("site", x)
	must(t, err)
	desk := netip.MustParseAddr("172.16.0.9")
	_, err = w.At(site, host.Config{Name: "desk"}, desk)
	must(t, err)
	name := func(v *directconnect.VirtualInterface, x *directconnect.Connection) string {
		return fmt.Sprintf("%s virtual interface on %s (%s)", v.Name(), x.Name(), x.ID())
	}
	require.Equal(t, name(vifB, near), way(t, a.app, desk))
	must(t, vifC.Announce(by("172.16.0.0/24", 1)))
	require.Equal(t, name(vifC, far), way(t, a.app, desk), "the longest prefix")
	vifC.SetUp(false)
	require.False(t, vifC.Up())
	require.Equal(t, name(vifB, near), way(t, a.app, desk))
	vifC.SetUp(true)
	must(t, vifC.Announce(by("172.16.0.0/16", 1)), near.SetUp(false)) // the line, with both
	require.Equal(t, name(vifC, far), way(t, a.app, desk))
	require.Equal(t, shape.Down, *directconnect.DescribeConnections(w.Region).Connections[0].ConnectionState)
	dx.SetUp(false)
	a.app.Ping(desk).Dropped(t, trace.NoRoute)
	dx.SetUp(true)
	require.Equal(t, name(vifC, far), way(t, a.app, desk), "the line is still cut")
	must(t, near.SetUp(true))
	require.Equal(t, name(vifB, near), way(t, a.app, desk))
}

func TestFlowsAreSpreadOverVirtualInterfacesAlike(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	x := line(t, w.Region, "line")
	on(t, dx, x, "a")
	on(t, dx, x, "b")
	must(t, dx.Announce(by("172.16.0.0/16", 1)))
	l, err := dx.Associate(a.gateway)
	must(t, err)
	site, err := w.Behind("site", l)
	must(t, err)
	ways := map[string]int{}
	for i := range 64 {
		desk := netip.AddrFrom4([4]byte{172, 16, 0, byte(i)})
		_, err = w.At(site, host.Config{Name: "desk"}, desk)
		must(t, err)
		ways[way(t, a.app, desk)]++
	}
	require.Len(t, ways, 2)
	for _, n := range ways {
		require.Greater(t, n, 16)
	}
}

// The table of the Direct Connect guide, "Allowed prefixes interactions", for a VPC
// 10.0.0.0/16.
func TestAllowedPrefixesOfAVirtualPrivateGateway(t *testing.T) {
	for allowed, told := range map[string]bool{"22.0.0.0/24": false, "10.0.0.0/24": false, "10.0.0.0/16": true, "10.0.0.0/15": true, "": true} {
		w := vpctest.New(t)
		a := newBranch(t, w, w.Region, "10.0")
		dx := directconnect.New(directconnect.Config{ID: "dx"})
		must(t, dx.Announce(announce("192.168.0.0/16")))
		var prefixes []netip.Prefix
		if allowed != "" {
			prefixes = append(prefixes, netip.MustParsePrefix(allowed))
		}
		x, err := dx.Associate(a.gateway, prefixes...)
		must(t, err)
		site, err := w.Behind("site", x)
		must(t, err)
		h, err := w.At(site, host.Config{Name: "desk"}, desk)
		must(t, err)
		require.Equal(t, told, h.Ping(a.app.Addr, host.PingConfig{Count: 1}).Received == 1, allowed)
	}
}

// A private virtual interface may end at a virtual private gateway by itself. It hands
// packets of a VPN's on, as CloudHub does; a Direct Connect gateway does not.
func TestBetweenAVirtualInterfaceAndAVPN(t *testing.T) {
	for _, through := range []bool{true, false} {
		w := vpctest.New(t)
		a := newBranch(t, w, w.Region, "10.1")
		customer, err := vpn.CreateCustomerGateway(w.Region, netip.MustParseAddr("198.51.100.1"), vpn.CustomerGatewayConfig{})
		must(t, err)
		tunnel, err := vpn.Create(customer, a.gateway, vpn.Config{})
		must(t, err, tunnel.SetTunnel(0, true), tunnel.Announce(0, announce("172.20.0.0/16")))
		var link *directconnect.Association
		if through {
			dx := directconnect.New(directconnect.Config{ID: "dx"})
			link, err = dx.Associate(a.gateway)
			must(t, err, dx.Announce(announce("192.168.0.0/16")))
		} else {
			v := restored(t, w.Region, a.gateway.ID())
			link = v.Association()
			must(t, v.Announce(announce("192.168.0.0/16")))
		}
		office, err := w.Behind("office", link)
		must(t, err)
		_, err = w.At(office, host.Config{Name: "desk"}, desk)
		must(t, err)
		shop, err := w.Behind("shop", tunnel)
		must(t, err)
		till, err := w.At(shop, host.Config{Name: "till"}, netip.MustParseAddr("172.20.0.9"))
		must(t, err)
		a.app.Ping(desk).OK(t)
		require.Equal(t, !through, till.Ping(desk, host.PingConfig{Count: 1}).Received == 1)
	}
}

// restored is a private virtual interface that ends at a virtual private gateway.
func restored(t *testing.T, r *vpc.Region, gateway string) *directconnect.VirtualInterface {
	t.Helper()
	var v *directconnect.VirtualInterface
	must(t, r.Change(func(tx *vpc.Tx) (err error) {
		v, err = directconnect.RestoreInterface(tx, directconnect.Gateways{}, shape.VirtualInterface{
			VirtualInterfaceID: new("dxvif-1"), VirtualInterfaceType: new(shape.Private), VirtualGatewayID: &gateway, DirectConnectGatewayID: new(""),
			VirtualInterfaceState: new(shape.Available),
		})
		return err
	}))
	return v
}

// The states of a description, and whether packets go: what is not known does not end as
// reached.
func TestStatesOfVirtualInterfaces(t *testing.T) {
	const up, down = trace.Unmodelled, trace.NoRoute
	peer := func(family, state, status string) string {
		return fmt.Sprintf(`{"addressFamily": %q, "bgpPeerState": %q, "bgpStatus": %q}`, family, state, status)
	}
	for text, want := range map[string]trace.Reason{
		`"virtualInterfaceState": "available"`:                                                                               up,
		`"virtualInterfaceState": "available", "bgpPeers": [` + peer("ipv4", "available", "up") + `]`:                        up,
		`"virtualInterfaceState": "available", "bgpPeers": [` + peer("ipv4", "available", "down") + `]`:                      down,
		`"virtualInterfaceState": "available", "bgpPeers": [` + peer("ipv4", "pending", "up") + `]`:                          down,
		`"virtualInterfaceState": "available", "bgpPeers": [` + peer("ipv6", "available", "up") + `]`:                        down,
		`"virtualInterfaceState": "available", "bgpPeers": []`:                                                               down,
		`"virtualInterfaceState": "available", "bgpPeers": [{"bgpStatus": "down"}, ` + peer("ipv4", "available", "up") + `]`: up,
		`"virtualInterfaceState": "down"`:                                                                                    down,
		`"virtualInterfaceState": "testing"`:                                                                                 down,
		`"virtualInterfaceState": "confirming"`:                                                                              down,
		`"virtualInterfaceState": "unknown"`:                                                                                 up,
		`"virtualInterfaceState": "available", "connectionId": "dxcon-cut"`:                                                  down,
		`"virtualInterfaceState": "available", "connectionId": "dxlag-cut"`:                                                  down,
		`"virtualInterfaceState": "available", "connectionId": "dxcon-nobody-tells"`:                                         up,
	} {
		w := vpctest.New(t)
		a := newBranch(t, w, w.Region, "10.1")
		var s shape.VirtualInterface
		must(t, json.Unmarshal([]byte(`{"virtualInterfaceId": "dxvif-1", "virtualInterfaceType": "private", "directConnectGatewayId": "dx", `+text+`}`), &s))
		all := directconnect.Gateways{}
		must(t, w.Region.Change(func(tx *vpc.Tx) error {
			_, err := directconnect.RestoreConnection(tx, shape.Connection{ConnectionID: new("dxcon-cut"), ConnectionState: new(shape.Down)})
			must(t, err)
			_, err = directconnect.RestoreLag(tx, shape.Lag{LagID: new("dxlag-cut"), LagState: new("pending")})
			must(t, err)
			_, err = directconnect.RestoreInterface(tx, all, s)
			must(t, err)
			_, err = directconnect.RestoreAssociation(tx, all, shape.DirectConnectGatewayAssociation{
				AssociationID: new("a"), DirectConnectGatewayID: new("dx"), VirtualGatewayID: new(a.gateway.ID()), AssociationState: new(shape.Updating),
			})
			return err
		}), all["dx"].Announce(announce("192.168.0.0/16")))
		a.app.Ping(desk).Dropped(t, want)
	}
}

// One that is not associated yet carries nothing, and a route that names it says why.
func TestAnAssociationThatIsMadeCarriesNothing(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	all := directconnect.Gateways{}
	must(t, w.Region.Change(func(tx *vpc.Tx) error {
		_, err := directconnect.RestoreAssociation(tx, all, shape.DirectConnectGatewayAssociation{
			AssociationID: new("a"), DirectConnectGatewayID: new("dx"), VirtualGatewayID: new(a.gateway.ID()), AssociationState: new(shape.Associating),
		})
		return err
	}), all["dx"].Announce(announce("192.168.0.0/16")))
	a.app.Ping(desk).Dropped(t, trace.NoRoute)
	must(t, a.vpc.MainRouteTable().CreateRoute("192.168.0.0/16", a.gateway))
	a.app.Ping(desk).Dropped(t, trace.UnknownPrefix)
}

func TestVirtualInterfacesAreRefused(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	x := line(t, w.Region, "line")
	const code = "DirectConnectClientException: "
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	refused := func(want string, on *directconnect.Connection, c directconnect.InterfaceConfig) {
		t.Helper()
		_, err := dx.CreateInterface(on, c)
		require.EqualError(t, err, want)
	}
	refused(code+"A connection is required.", nil, directconnect.InterfaceConfig{})
	refused(code+"The VLAN 5000 is not between 1 and 4094.", x, directconnect.InterfaceConfig{VLAN: 5000})
	on(t, dx, x, "first")
	refused(code+"The Direct Connect gateway dx can't have private and transit virtual interfaces.", x, directconnect.InterfaceConfig{Transit: true})
	for i := range 29 {
		on(t, dx, x, fmt.Sprint(i))
	}
	refused(code+"The Direct Connect gateway dx has its most virtual interfaces: 30.", x, directconnect.InterfaceConfig{})
	other := directconnect.New(directconnect.Config{ID: "other"})
	_, err := other.CreateInterface(x, directconnect.InterfaceConfig{Transit: true, ID: "dxvif-7"})
	must(t, err)
	_, err = other.Associate(a.gateway)
	require.EqualError(t, err, code+"The virtual interfaces of the Direct Connect gateway other don't lead to "+a.gateway.ID()+".")
	_, err = dx.Associate(a.gateway)
	must(t, err)
}

// A virtual private gateway carries IPv6 by a virtual interface with a peer of that family;
// without one, and by a VPN, it does not.
func TestIPv6ByAVirtualPrivateGateway(t *testing.T) {
	w := vpctest.New(t)
	v, err := w.Region.CreateVPC("10.1.0.0/16", vpc.VPCConfig{IPv6: netip.MustParsePrefix("2001:db8:1::/56")})
	must(t, err)
	s, err := v.CreateSubnet("10.1.0.0/24", vpc.SubnetConfig{IPv6: netip.MustParsePrefix("2001:db8:1::/64")})
	must(t, err)
	i, err := s.RunInstance(vpc.InstanceConfig{Name: "app", Interface: vpc.NetworkInterfaceConfig{IPv6Count: 1}})
	must(t, err, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("::/0")))
	h, err := w.Boot(i, host.Config{Name: "app"})
	must(t, err)
	app := i.Interface().IPv6()[0]
	g, err := vgw.Create(w.Region, vgw.Config{})
	must(t, err, g.Attach(v), v.MainRouteTable().EnablePropagation(g))
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	x := line(t, w.Region, "line")
	four, err := dx.CreateInterface(x, directconnect.InterfaceConfig{Name: "four"})
	must(t, err)
	both, err := dx.CreateInterface(x, directconnect.InterfaceConfig{Name: "both", IPv6: true})
	must(t, err, dx.Announce(by("2001:db8:2::/48", 1), by("192.168.0.0/16", 1)))
	l, err := dx.Associate(g)
	must(t, err)
	site, err := w.Behind("site", l)
	must(t, err)
	six := netip.MustParseAddr("2001:db8:2::9")
	far, err := w.At(site, host.Config{Name: "desk"}, six, desk)
	must(t, err)
	require.Equal(t, 1, h.Ping(six, host.PingConfig{Count: 1}).Received)
	require.Equal(t, 1, far.Ping(app, host.PingConfig{Count: 1}).Received)
	both.SetUp(false)
	require.Zero(t, h.Ping(six, host.PingConfig{Count: 1}).Received)
	require.Equal(t, 1, h.Ping(desk, host.PingConfig{Count: 1}).Received, "IPv4 still goes by the other")
	require.True(t, four.Up())
}

// A static route of a transit gateway names the attachment, whatever is up behind it.
func TestAStaticRouteToDirectConnectThatIsDown(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.1.0.0/16")
	s := v.Subnet("10.1.0.0/24")
	app := s.Host("app")
	g, err := tgw.Create(w.Region, tgw.Config{ASN: 64600})
	must(t, err)
	_, err = g.Attach(tgw.AttachmentConfig{}, s.Subnet)
	must(t, err)
	s.Route("192.168.0.0/16", g)
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	vif, err := dx.CreateInterface(line(t, w.Region, "line"), directconnect.InterfaceConfig{Name: "vif", Transit: true})
	must(t, err)
	x, err := dx.Associate(g, netip.MustParsePrefix("10.1.0.0/16"))
	must(t, err, g.DefaultRouteTable().CreateRoute("192.168.0.0/16", g.Linked(x)))
	app.Ping(desk).Dropped(t, trace.Unmodelled)
	vif.SetUp(false)
	app.Ping(desk).Dropped(t, trace.DirectConnectDown)
	require.Equal(t, "SIM_BAD_STATE_DIRECT_CONNECT", trace.DirectConnectDown.Code())
	vif.SetUp(true)
	app.Ping(desk).Dropped(t, trace.Unmodelled)
}

func TestAVirtualInterfaceLeadsToTheLongestAllowedPrefix(t *testing.T) {
	w := vpctest.New(t)
	dx := directconnect.New(directconnect.Config{ID: "dx", ASN: 65100})
	x, err := dx.CreateInterface(line(t, w.Region, "line"), directconnect.InterfaceConfig{Transit: true})
	must(t, err)
	var ids []string
	for _, allowed := range []string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/15"} {
		g, err := tgw.Create(w.Region, tgw.Config{})
		must(t, err)
		a, err := dx.Associate(g, netip.MustParsePrefix(allowed))
		must(t, err)
		ids = append(ids, a.ID())
	}
	var p wire.Packet
	for dst, want := range map[string]string{"10.1.0.9": ids[1], "10.0.0.9": ids[2], "10.9.0.9": ids[0]} {
		must(t, p.Read(wire.AppendIP(nil, wire.Header{Src: wire.AddrFrom(netip.MustParseAddr("192.168.0.9")), Dst: wire.AddrFrom(netip.MustParseAddr(dst)), TTL: 64, Proto: wire.ProtoGRE}, make([]byte, 8))))
		in := w.World.Live(w.Region).Snapshot().Outside(x.ID()).Forward(&dataplane.Context{}, &p).Node()
		require.Equal(t, want, in.(dataplane.Part).Resource(), dst)
	}
}
