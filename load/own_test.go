package load_test

import (
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

var update = flag.Bool("update", false, "write testdata anew")

// result is what a call returned.
type result[T any] struct {
	value T
	err   error
}

func got[T any](value T, err error) result[T] { return result[T]{value, err} }

// or fails the test where the call was refused.
func (r result[T]) or(t testing.TB) T {
	t.Helper()
	require.NoError(t, r.err)
	return r.value
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// shop is a network of our own making: a public and a private subnet in each of two
// zones, web servers behind a Network Load Balancer, NAT, IPv6, endpoints, a private
// gateway, flow logs; a second VPC that is peered with the first, and on one transit
// gateway with it.
type shop struct {
	t            testing.TB
	region       *vpc.Region
	shop, office *vpc.VPC
	public       [2]*vpc.Subnet
	private      [2]*vpc.Subnet
	web          *vpc.SecurityGroup
	nat          *natgw.NATGateway
}

func newShop(t testing.TB) *shop {
	s := &shop{t: t, region: vpc.NewRegion(vpc.RegionConfig{Seed: 7})}
	s.shop = got(s.region.CreateVPC("10.0.0.0/16", vpc.VPCConfig{Name: "shop", IPv6: prefix("2001:db8:1::/56")})).or(t)
	require.NoError(t, s.shop.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
	require.NoError(t, s.shop.AssociateCIDR("10.1.0.0/20"))
	s.office = got(s.region.CreateVPC("172.31.0.0/16", vpc.VPCConfig{Name: "office"})).or(t)
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		s.public[i] = got(s.shop.CreateSubnet([]string{"10.0.0.0/24", "10.0.1.0/24"}[i], vpc.SubnetConfig{
			Name: "public-" + zone, Zone: zone, MapPublicIPOnLaunch: true, IPv6: prefix([]string{"2001:db8:1::/64", "2001:db8:1:1::/64"}[i]),
		})).or(t)
		s.private[i] = got(s.shop.CreateSubnet([]string{"10.0.10.0/24", "10.1.1.0/24"}[i], vpc.SubnetConfig{Name: "private-" + zone, Zone: zone})).or(t)
	}
	s.rules()
	s.gateways()
	s.servers()
	s.joins()
	require.NoError(t, s.region.Change(func(*vpc.Tx) error { return nil }))
	return s
}

// rules are security groups, a prefix list and a network ACL.
func (s *shop) rules() {
	list := got(s.region.CreatePrefixList(vpc.PrefixListConfig{Name: "offices", MaxEntries: 5, Entries: []netip.Prefix{prefix("172.31.0.0/20"), prefix("192.0.2.0/24")}})).or(s.t)
	s.web = got(s.shop.CreateSecurityGroup("web", vpc.SecurityGroupConfig{Description: "web servers"})).or(s.t)
	db := got(s.shop.CreateSecurityGroup("db", vpc.SecurityGroupConfig{})).or(s.t)
	require.NoError(s.t, s.web.AuthorizeIngress(
		vpc.TCPPort(443, "0.0.0.0/0"), vpc.TCPPort(443, "::/0"), vpc.Permission{Protocol: 6, FromPort: 22, ToPort: 22, PrefixList: list, Description: "ssh"},
		vpc.AllICMP("10.0.0.0/8"),
	))
	require.NoError(s.t, db.AuthorizeIngress(vpc.Permission{Protocol: 6, FromPort: 5432, ToPort: 5432, Group: s.web}))
	a := got(s.shop.CreateNetworkACL(vpc.NetworkACLConfig{Name: "private"})).or(s.t)
	require.NoError(s.t, a.CreateIngressEntry(vpc.ACLEntry{Number: 90, Protocol: 6, FromPort: 23, ToPort: 23, CIDR: prefix("0.0.0.0/0")}))
	require.NoError(s.t, a.CreateIngressEntry(vpc.ACLEntry{Number: 95, Protocol: 1, FromPort: 8, ToPort: -1, Allow: true, CIDR: prefix("10.0.0.0/8")}))
	require.NoError(s.t, a.CreateIngressEntry(vpc.ACLEntry{Number: 100, Protocol: -1, Allow: true, CIDR: prefix("0.0.0.0/0")}))
	require.NoError(s.t, a.CreateEgressEntry(vpc.ACLEntry{Number: 100, Protocol: -1, Allow: true, CIDR: prefix("0.0.0.0/0")}))
	require.NoError(s.t, s.private[0].SetNetworkACL(a))
}

// gateways are the ways out of the shop, with the tables that lead to them.
func (s *shop) gateways() {
	g := got(igw.Create(s.region, igw.Config{Name: "shop"})).or(s.t)
	require.NoError(s.t, g.Attach(s.shop))
	out := got(igw.CreateEgressOnly(s.shop, igw.EgressOnlyConfig{Name: "six"})).or(s.t)
	s.nat = got(natgw.Create(s.public[0], natgw.Config{Name: "nat"})).or(s.t)
	inner := got(natgw.Create(s.private[1], natgw.Config{Private: true})).or(s.t)
	got(inner.AssignPrivateIP(netip.Addr{})).or(s.t)
	vpn := got(vgw.Create(s.region, vgw.Config{Name: "vpn"})).or(s.t)
	require.NoError(s.t, vpn.Attach(s.shop))
	require.NoError(s.t, vpn.Connect(nil, prefix("192.168.0.0/16")))
	public := got(s.shop.CreateRouteTable(vpc.RouteTableConfig{Name: "public"})).or(s.t)
	require.NoError(s.t, public.CreateRoute("0.0.0.0/0", g))
	require.NoError(s.t, public.CreateRoute("::/0", out))
	for _, sub := range s.public {
		require.NoError(s.t, public.Associate(sub))
	}
	main := s.shop.MainRouteTable()
	require.NoError(s.t, main.CreateRoute("0.0.0.0/0", s.nat))
	require.NoError(s.t, main.EnablePropagation(vpn))
	edge := got(s.shop.CreateRouteTable(vpc.RouteTableConfig{Name: "edge"})).or(s.t)
	require.NoError(s.t, edge.AssociateGateway(g))
	const service = "com.amazonaws.us-east-1."
	got(endpoint.CreateGateway(s.shop, service+"s3", []*vpc.RouteTable{main}, endpoint.Config{Name: "s3"})).or(s.t)
	got(endpoint.CreateInterface(service+"sqs", s.private[:], endpoint.Config{Groups: []*vpc.SecurityGroup{s.web}})).or(s.t)
}

// servers are instances, and a load balancer before them.
func (s *shop) servers() {
	var targets []balancer.Target
	for i, sub := range s.private {
		name := []string{"web-1", "web-2"}[i]
		server := got(sub.RunInstance(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{s.web}, SecondaryCount: i}})).or(s.t)
		targets = append(targets, balancer.Target{ID: server.ID()})
	}
	bastion := got(s.public[1].RunInstance(vpc.InstanceConfig{Name: "bastion", Type: "c7g.large", Interface: vpc.NetworkInterfaceConfig{
		IPv6: []netip.Addr{netip.MustParseAddr("2001:db8:1:1::17")}, DisableSourceDestCheck: true, Prefixes: []netip.Prefix{prefix("10.0.1.64/28")},
	}})).or(s.t)
	second := got(s.public[1].CreateNetworkInterface(vpc.NetworkInterfaceConfig{Name: "second", Description: "of the bastion"})).or(s.t)
	require.NoError(s.t, bastion.Attach(second))
	require.NoError(s.t, got(s.region.AllocateAddress(vpc.AddressConfig{Name: "bastion"})).or(s.t).Associate(second))
	got(s.region.AllocateAddress(vpc.AddressConfig{Name: "spare"})).or(s.t)
	idle := got(s.private[0].RunInstance(vpc.InstanceConfig{Name: "idle"})).or(s.t)
	require.NoError(s.t, idle.Stop())
	require.NoError(s.t, got(s.shop.CreateRouteTable(vpc.RouteTableConfig{Name: "spare"})).or(s.t).CreateRoute("198.51.100.0/24", bastion.Interface()))

	l := got(nlb.Create(s.region, "front", nlb.Config{Subnets: s.public[:]})).or(s.t)
	group := got(balancer.CreateTargetGroup(s.region, "web", balancer.TargetGroupConfig{VPC: s.shop, Protocol: elbv2.TCP, Port: 443})).or(s.t)
	require.NoError(s.t, group.RegisterTargets(targets...))
	got(l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 443, Actions: []balancer.Action{balancer.Forward(group)}})).or(s.t)
	require.NoError(s.t, group.SetHealth(targets[1], balancer.Unhealthy))
	got(endpoint.CreateService(s.region, endpoint.ServiceConfig{Name: "front-service", AcceptanceRequired: true}, l)).or(s.t)
	got(flowlog.Create(s.shop, flowlog.Config{Traffic: flowlog.Reject})).or(s.t)
}

// joins are the ways between the VPCs.
func (s *shop) joins() {
	desk := got(s.office.CreateSubnet("172.31.0.0/24", vpc.SubnetConfig{Name: "desks", Zone: "us-east-1b"})).or(s.t)
	got(desk.RunInstance(vpc.InstanceConfig{Name: "desk"})).or(s.t)
	p := got(peering.Create(s.shop, s.office, peering.Config{Name: "shop-office"})).or(s.t)
	require.NoError(s.t, p.Accept())
	require.NoError(s.t, s.office.MainRouteTable().CreateRoute("10.0.0.0/16", p))
	require.NoError(s.t, s.web.AuthorizeIngress(vpc.Permission{Protocol: 6, FromPort: 8000, ToPort: 8999, Group: s.office.DefaultSecurityGroup()}))
	g := got(tgw.Create(s.region, tgw.Config{Name: "hub"})).or(s.t)
	got(g.Attach(tgw.AttachmentConfig{Name: "shop", ApplianceMode: true}, s.private[:]...)).or(s.t)
	office := got(g.Attach(tgw.AttachmentConfig{Name: "office"}, desk)).or(s.t)
	require.NoError(s.t, g.DefaultRouteTable().CreateRoute("10.99.0.0/16", office))
	require.NoError(s.t, g.DefaultRouteTable().CreateBlackhole("10.98.0.0/16"))
	require.NoError(s.t, s.office.MainRouteTable().CreateRoute("10.1.0.0/20", g))
	require.NoError(s.t, s.private[1].VPC().MainRouteTable().CreateRoute("172.31.0.0/16", g))
}

// folder is what a collector would have written of the region, under a path.
func folder(r *vpc.Region, path string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, a := range load.Answers(r) {
		files[filepath.Join(path, a.Key+".json")] = &fstest.MapFile{Data: a.JSON}
	}
	return files
}

func TestAFolderOfOurOwnIsWhatTheShopIsDescribedAs(t *testing.T) {
	for name, f := range folder(newShop(t).region, "testdata/shop") {
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, f.Data, 0o644))
		}
		if string(got(os.ReadFile(name)).or(t)) != string(f.Data) {
			t.Errorf("%s is not what the shop is described as: see -update", name)
		}
	}
}

// ping boots a guest on the interface and has it ping the address.
func ping(t *testing.T, n *load.Network, from *vpc.NetworkInterface, to string) {
	t.Helper()
	h := host.New(n.World.Engine, host.Config{Name: "guest"})
	require.NoError(t, n.World.Plug(h, from))
	h.Ping(netip.MustParseAddr(to), host.PingConfig{Count: 1})
}

// loadFS loads a file system, in which nothing is to be skipped but what is listed.
func loadFS(t *testing.T, files fs.FS, skipped ...string) *load.Network {
	t.Helper()
	n, err := load.FS(files, load.Config{})
	require.NoError(t, err)
	var list []string
	for _, s := range n.Skipped {
		list = append(list, s.String())
	}
	require.Equal(t, skipped, list)
	return n
}

func TestWhatIsDescribedIsLoadedAndDescribedAlike(t *testing.T) {
	s := newShop(t)
	n := loadFS(t, folder(s.region, "us-east-1"))
	require.Len(t, n.Regions, 1)
	again := load.Answers(n.Regions[0])
	for i, want := range load.Answers(s.region) {
		require.Equal(t, want.Key, again[i].Key)
		found := map[string]string{}
		differences(ordered(document(t, want.JSON)), ordered(document(t, again[i].JSON)), want.Key, found)
		require.Empty(t, found)
	}
}
