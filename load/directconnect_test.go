package load_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
	"github.com/vpcsim/vpcsim/world"
)

// lines is a network with two Direct Connect gateways: one leads by two transit virtual
// interfaces, on connections of two regions, to a transit gateway with a VPN connection
// beside; the other by a private one to virtual private gateways of both regions. A third
// virtual interface ends at a virtual private gateway by itself.
type lines struct {
	t          testing.TB
	east, west *vpc.Region
	world      *world.World
	vif        map[string]*directconnect.VirtualInterface
	line       map[string]*directconnect.Connection
}

func announce(p string, path int) remote.Announcement {
	return remote.Announcement{Prefix: prefix(p), ASPath: path}
}

func newLines(t testing.TB) *lines {
	n := &lines{t: t, world: world.New(world.Config{}), vif: map[string]*directconnect.VirtualInterface{}, line: map[string]*directconnect.Connection{}}
	n.east = n.world.Region(vpc.RegionConfig{Name: "us-east-1", Seed: 1})
	n.west = n.world.Region(vpc.RegionConfig{Name: "us-west-2", Seed: 2})
	for name, r := range map[string]*vpc.Region{"ashburn": n.east, "reston": n.east, "seattle": n.west} {
		n.line[name] = got(directconnect.CreateConnection(r, directconnect.ConnectionConfig{ID: "dxcon-" + name, Name: name, Location: "Eq" + name})).or(t)
	}
	n.transit()
	n.private()
	return n
}

func (n *lines) must(errs ...error) {
	n.t.Helper()
	for _, err := range errs {
		require.NoError(n.t, err)
	}
}

// app makes a VPC with a host, whose main table may lead to a gateway.
func (n *lines) app(r *vpc.Region, name, of string) (*vpc.VPC, *vpc.Subnet) {
	v := got(r.CreateVPC(of+".0.0/16", vpc.VPCConfig{Name: name})).or(n.t)
	s := got(v.CreateSubnet(of+".0.0/24", vpc.SubnetConfig{Name: name})).or(n.t)
	n.must(v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllICMP("192.168.0.0/16")))
	got(s.RunInstance(vpc.InstanceConfig{Name: name})).or(n.t)
	return v, s
}

func (n *lines) interfaceOn(g *directconnect.Gateway, line, name string, transit bool) {
	n.vif[name] = got(g.CreateInterface(n.line[line], directconnect.InterfaceConfig{ID: "dxvif-" + name, Name: name, Transit: transit, Jumbo: transit})).or(n.t)
}

// transit is the Direct Connect gateway by which the transit gateway is reached.
func (n *lines) transit() {
	v, s := n.app(n.east, "orders", "10.1")
	g := got(tgw.Create(n.east, tgw.Config{Name: "hub", ASN: 64600})).or(n.t)
	got(g.Attach(tgw.AttachmentConfig{Name: "orders"}, s)).or(n.t)
	n.must(v.MainRouteTable().CreateRoute("192.168.0.0/16", g))
	customer := got(vpn.CreateCustomerGateway(n.east, netip.MustParseAddr("198.51.100.1"), vpn.CustomerGatewayConfig{})).or(n.t)
	backup := got(vpn.Create(customer, g, vpn.Config{Name: "backup"})).or(n.t)
	n.must(backup.SetTunnel(0, true), backup.Announce(0, announce("192.168.0.0/17", 1), announce("192.168.64.0/24", 1)))
	dx := directconnect.New(directconnect.Config{ID: "8384da05-13ce-4a91-aada-000000000001", Name: "transit"})
	n.interfaceOn(dx, "ashburn", "first", true)
	n.interfaceOn(dx, "seattle", "second", true)
	got(dx.Associate(g, prefix("10.1.0.0/16"))).or(n.t)
	n.must(n.vif["first"].Announce(announce("192.168.0.0/17", 3)), n.vif["second"].Announce(announce("192.168.0.0/17", 1)))
}

// private is the Direct Connect gateway by which virtual private gateways are reached.
func (n *lines) private() {
	dx := directconnect.New(directconnect.Config{ID: "8384da05-13ce-4a91-aada-000000000002", Name: "private", ASN: 64700})
	n.interfaceOn(dx, "reston", "third", false)
	n.must(dx.Announce(announce("192.168.128.0/17", 1)))
	for name, r := range map[string]*vpc.Region{"stock": n.east, "mail": n.west} {
		v, _ := n.app(r, name, map[string]string{"stock": "10.2", "mail": "10.3"}[name])
		g := got(vgw.Create(r, vgw.Config{Name: "vgw-" + name})).or(n.t)
		n.must(g.Attach(v), v.MainRouteTable().EnablePropagation(g))
		got(dx.Associate(g)).or(n.t)
	}
}

// files are those of both regions.
func (n *lines) files() fstest.MapFS {
	files := folder(n.east, "us-east-1")
	maps.Copy(files, folder(n.west, "us-west-2"))
	return files
}

// alike holds what two regions are described as to each other.
func alike(t *testing.T, want, again *vpc.Region) {
	t.Helper()
	b := load.Answers(again)
	for i, a := range load.Answers(want) {
		found := map[string]string{}
		differences(ordered(document(t, a.JSON)), ordered(document(t, b[i].JSON)), a.Key, found)
		require.Empty(t, found)
	}
}

func TestDirectConnectIsDescribedAsItWas(t *testing.T) {
	n := newLines(t)
	again := loadFS(t, n.files())
	alike(t, n.east, again.Region("us-east-1"))
	alike(t, n.west, again.Region("us-west-2"))
	require.Equal(t, "dxvif-first", again.Find("first")[0].ID())
	require.Len(t, again.Find("transit"), 1)
}

// nic returns the interface of an instance with a name.
func nic(t *testing.T, n *load.Network, name string) *vpc.NetworkInterface {
	t.Helper()
	for _, x := range n.Find(name) {
		if i, ok := x.(*vpc.Instance); ok {
			return i.Interface()
		}
	}
	t.Fatalf("no instance %s", name)
	return nil
}

// to pings an address from an instance of the loaded network and returns the last walk.
func to(t *testing.T, n *load.Network, from, dst string) *trace.Walk {
	t.Helper()
	log := n.World.Trace()
	ping(t, n, nic(t, n, from), dst)
	for _, w := range log.Walks() {
		if w.First.Dst.String() == dst {
			return w
		}
	}
	return nil
}

func TestWhatLiesBeyondDirectConnectIsUnknownByName(t *testing.T) {
	files := newLines(t).files()
	for dst, by := range map[string][3]string{
		"192.168.1.1":  {"orders", "dxvif-first", "first virtual interface on ashburn (dxcon-ashburn)"}, // its own region's, though the AS_PATH is longer
		"192.168.64.9": {"orders", "vpn", "backup tunnel 1"},                                            // the longest prefix
	} {
		w := to(t, loadFS(t, files), by[0], dst)
		require.Equal(t, trace.Unmodelled, w.End(), dst)
		require.Contains(t, w.WhereID, by[1])
		require.Contains(t, w.Where, by[2])
	}
	for _, from := range []string{"stock", "mail"} {
		w := to(t, loadFS(t, files), from, "192.168.200.1")
		require.Equal(t, trace.Unmodelled, w.End())
		require.Equal(t, "dxvif-third", w.WhereID)
	}
}

// The story of a transit gateway that reaches a site by two virtual interfaces and a VPN, as
// these fail one after another.
func TestFailoverToldAsWritten(t *testing.T) {
	n := loadFS(t, newLines(t).files())
	find := func(name string) vpc.Resource { return n.Find(name)[0] }
	first, second := find("first").(*directconnect.VirtualInterface), find("second").(*directconnect.VirtualInterface)
	vpns := resourcesOf[*vpn.Connection](n.Region("us-east-1"))
	require.Len(t, vpns, 1)
	link := resourcesOf[*directconnect.Association](n.Region("us-east-1"))
	at := slices.IndexFunc(link, func(a *directconnect.Association) bool { return a.Gateway().Name() == "transit" })
	site, err := n.World.Behind("office", link[at], vpns[0])
	require.NoError(t, err)
	for _, desk := range []string{"192.168.1.1", "192.168.64.9"} {
		got(n.World.At(site, host.Config{Name: "desk " + desk}, netip.MustParseAddr(desk))).or(t)
	}
	app := host.New(n.World.Engine, host.Config{Name: "orders"})
	require.NoError(t, n.World.Plug(app, nic(t, n, "orders")))
	log := n.World.Trace()
	var b strings.Builder
	tell := func(what string) {
		fmt.Fprintf(&b, "== %s\n", what)
		for _, desk := range []string{"192.168.1.1", "192.168.64.9"} {
			before := len(log.Walks())
			r := app.Ping(netip.MustParseAddr(desk), host.PingConfig{Count: 1})
			w := log.Walks()[before]
			way := "by no way"
			if k := len(w.Steps) - 2; w.End() == trace.Delivered {
				way = "by " + w.Steps[k].Node
			}
			fmt.Fprintf(&b, "%-13s %d of 1, %s: %s\n", desk, r.Received, way, w.End())
		}
	}
	tell("as described: the own region's virtual interface before the shorter AS_PATH; the longer prefix by VPN before both")
	first.SetUp(false)
	tell("the first virtual interface is down")
	require.NoError(t, find("seattle").(*directconnect.Connection).SetUp(false))
	tell("the second's connection is cut too: nothing else has announced the prefix in these files")
	require.NoError(t, vpns[0].Announce(0, announce("192.168.0.0/17", 1), announce("192.168.64.0/24", 1)))
	tell("the VPN announces it too")
	second.SetUp(true)
	tell("a virtual interface on a connection that is down stays down")
	first.SetUp(true)
	tell("the first is back")
	require.NoError(t, vpns[0].SetTunnel(0, false))
	tell("the tunnel is down")
	name := filepath.Join("testdata", "failover.txt")
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o644))
	}
	require.Equal(t, string(got(os.ReadFile(name)).or(t)), b.String())
}

// resourcesOf returns a region's resources of a type, by id.
func resourcesOf[R vpc.Resource](r *vpc.Region) []R {
	var list []R
	r.View(func(tx *vpc.Tx) { list = vpc.Resources[R](tx) })
	return list
}

// What is asked of a host beyond Direct Connect enters by the virtual interface that leads
// to it.
func TestAProbeFromBeyondDirectConnect(t *testing.T) {
	n := loadFS(t, newLines(t).files())
	p := got(reach.New(n.World, reach.Config{})).or(t)
	for from, to := range map[string]string{"dxvif-first/192.168.1.1": "10.1.0.4", "dxvif-third/192.168.200.1": "10.2.0.4"} {
		r := p.Ask(reach.Spec{From: from, To: to})
		require.Equal(t, reach.Reply, r.Observed, r.Reason+" at "+r.Where+" "+r.Unknown)
	}
	r := p.Ask(reach.Spec{From: "dxvif-first/192.168.1.1", To: "10.2.0.4"}) // the other Direct Connect gateway's
	require.Equal(t, trace.UnknownPrefix, r.End(), r.Unknown)
}
