package peering_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// site is a VPC with one subnet and one host, which everybody may ping.
type site struct {
	*vpctest.VPC
	subnet *vpctest.Subnet
	host   *vpctest.Host
}

func newSite(w *vpctest.World, cidr, subnet, name string) *site {
	s := &site{VPC: w.VPC(cidr)}
	s.subnet = s.Subnet(subnet)
	s.host = s.subnet.Host(name)
	s.host.Allow(vpc.AllICMP("0.0.0.0/0"))
	return s
}

// join makes an active connection.
func join(t *testing.T, a, b *site) *peering.Connection {
	t.Helper()
	p, err := peering.Create(a.VPC.VPC, b.VPC.VPC, peering.Config{Name: "pcx"})
	require.NoError(t, err)
	require.NoError(t, p.Accept())
	return p
}

// pair is two VPCs that are peered and have routes to each other.
type pair struct {
	world *vpctest.World
	a, b  *site
	pcx   *peering.Connection
}

func newPair(t *testing.T) *pair {
	t.Helper()
	f := &pair{world: vpctest.New(t)}
	f.a, f.b = newSite(f.world, "10.1.0.0/16", "10.1.0.0/24", "a"), newSite(f.world, "10.2.0.0/16", "10.2.0.0/24", "b")
	f.pcx = join(t, f.a, f.b)
	f.a.subnet.Route("10.2.0.0/16", f.pcx)
	f.b.subnet.Route("10.1.0.0/16", f.pcx)
	return f
}

func TestPeeringCarriesPacketsForTheOtherVPC(t *testing.T) {
	t.Run("C141 the TTL of the reply is the sender's", func(t *testing.T) {
		f := newPair(t)
		r := f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1})
		require.Len(t, r.Replies, 1)
		require.Equal(t, uint8(255), r.Replies[0].TTL)
	})
	t.Run("both sides need a route", func(t *testing.T) {
		w := vpctest.New(t)
		a, b := newSite(w, "10.1.0.0/16", "10.1.0.0/24", "a"), newSite(w, "10.2.0.0/16", "10.2.0.0/24", "b")
		pcx := join(t, a, b)
		a.host.Ping(b.host.Addr).Dropped(t, trace.NoRoute)
		a.subnet.Route("10.2.0.0/16", pcx)
		a.host.Ping(b.host.Addr).Dropped(t, trace.NoRoute) // the reply
		b.subnet.Route("10.1.0.0/16", pcx)
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("an address that nobody has", func(t *testing.T) {
		f := newPair(t)
		f.a.host.Ping(netip.MustParseAddr("10.2.0.99")).Dropped(t, trace.NoSuchAddress)
		f.a.host.Ping(netip.MustParseAddr("10.2.9.99")).Dropped(t, trace.NotInSubnet)
	})
	t.Run("ACLs of both subnets are asked", func(t *testing.T) {
		f := newPair(t)
		acl, err := f.b.CreateNetworkACL(vpc.NetworkACLConfig{})
		require.NoError(t, err)
		require.NoError(t, f.b.subnet.SetNetworkACL(acl))
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.ACLIngress)
		f.b.host.Ping(f.a.host.Addr).Dropped(t, trace.ACLEgress)
	})
	t.Run("deleted it is a black hole", func(t *testing.T) {
		f := newPair(t)
		require.NoError(t, f.pcx.Delete())
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.Blackhole)
	})
	t.Run("pending it is one too", func(t *testing.T) {
		w := vpctest.New(t)
		a, b := newSite(w, "10.1.0.0/16", "10.1.0.0/24", "a"), newSite(w, "10.2.0.0/16", "10.2.0.0/24", "b")
		pcx, err := peering.Create(a.VPC.VPC, b.VPC.VPC, peering.Config{})
		require.NoError(t, err)
		a.subnet.Route("10.2.0.0/16", pcx)
		a.host.Ping(b.host.Addr).Dropped(t, trace.Blackhole)
	})
}

func TestAGroupOfThePeerMatchesItsMembers(t *testing.T) {
	f := newPair(t)
	g, err := f.b.CreateSecurityGroup("members of a", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	clients, err := f.a.CreateSecurityGroup("clients", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, g.AuthorizeIngress(vpc.Permission{Protocol: 1, FromPort: -1, ToPort: -1, Group: clients}))
	require.NoError(t, f.b.host.Interface.SetGroups(g))
	f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.GroupIngress)
	require.NoError(t, f.a.host.Interface.SetGroups(clients))
	f.a.host.Ping(f.b.host.Addr).OK(t)
}

func TestPeeringLeadsToNobodyElse(t *testing.T) {
	t.Run("C142 not to a third VPC", func(t *testing.T) {
		f := newPair(t)
		third := newSite(f.world, "10.3.0.0/16", "10.3.0.0/24", "c")
		bc := join(t, f.b, third)
		f.a.subnet.Route("10.3.0.0/16", f.pcx)
		f.b.subnet.Route("10.3.0.0/16", bc)
		third.subnet.Route("10.1.0.0/16", bc)
		f.a.host.Ping(third.host.Addr).Dropped(t, trace.OutsidePeer)
		require.Equal(t, "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", trace.OutsidePeer.Code())
	})
	t.Run("C142 not to the peer's internet gateway", func(t *testing.T) {
		f := newPair(t)
		f.b.subnet.Route("0.0.0.0/0", f.b.InternetGateway())
		f.a.subnet.Route("0.0.0.0/0", f.pcx)
		f.a.host.Ping(f.world.OnInternet("198.51.100.7").Addr).Dropped(t, trace.OutsidePeer)
	})
	t.Run("C119 nor through the peer's NAT gateway", func(t *testing.T) {
		f := newPair(t)
		nat := f.b.Subnet("10.2.1.0/24").NATGateway()
		f.b.subnet.Route("0.0.0.0/0", nat)
		f.a.subnet.Route("0.0.0.0/0", f.pcx)
		f.a.host.Ping(f.world.OnInternet("198.51.100.7").Addr).Dropped(t, trace.OutsidePeer)
		f.a.host.Ping(nat.PrivateAddr).Dropped(t, trace.NoSession)
	})
}

func TestANATGatewaysPacketsCrossAPeering(t *testing.T) {
	f := newPair(t)
	public := f.a.Subnet("10.1.1.0/24")
	nat := public.PrivateNATGateway()
	public.Route("10.2.0.0/16", f.pcx)
	inner := f.a.Subnet("10.1.2.0/24")
	inner.Route("10.2.0.0/16", nat)
	app := inner.Host("app")
	app.Ping(f.b.host.Addr).OK(t)
	t.Run("C120 the answer needs no route in the peer VPC", func(t *testing.T) {
		require.NoError(t, f.b.subnet.RouteTable().DeleteRoute("10.1.0.0/16"))
		app.Ping(f.b.host.Addr).OK(t)
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.NoRoute) // one that is not a NAT gateway's does
		f.b.host.Ping(nat.PrivateAddr).Dropped(t, trace.NoSession)
	})
	t.Run("C120 but network ACLs are asked", func(t *testing.T) {
		acl, err := f.b.CreateNetworkACL(vpc.NetworkACLConfig{})
		require.NoError(t, err)
		all := vpc.AllTraffic("0.0.0.0/0")
		require.NoError(t, acl.CreateIngressEntry(vpc.ACLEntry{Number: 1, Protocol: all.Protocol, CIDR: all.CIDR, Allow: true}))
		require.NoError(t, f.b.subnet.SetNetworkACL(acl))
		app.Ping(f.b.host.Addr).Dropped(t, trace.ACLEgress)
	})
}

func TestOverlappingPeersAreToldApartByLongerRoutes(t *testing.T) {
	t.Run("C098 a host route to one of two peers with equal CIDRs", func(t *testing.T) {
		w := vpctest.New(t)
		a := newSite(w, "172.16.0.0/16", "172.16.0.0/24", "a")
		b, c := newSite(w, "10.0.0.0/16", "10.0.0.0/24", "b"), newSite(w, "10.0.0.0/16", "10.0.0.0/24", "c")
		launch := func(s *site, name string) *vpctest.Host {
			at := vpc.NetworkInterfaceConfig{PrivateIP: netip.MustParseAddr("10.0.0.77")}
			return s.subnet.Launch(vpc.InstanceConfig{Name: name, Interface: at}, host.Config{Name: name})
		}
		bs, cs := launch(b, "77 of b"), launch(c, "77 of c")
		ab, ac := join(t, a, b), join(t, a, c)
		a.subnet.Route("10.0.0.77/32", ab)
		a.subnet.Route("10.0.0.0/16", ac)
		b.subnet.Route("172.16.0.0/16", ab)
		c.subnet.Route("172.16.0.0/16", ac)
		o := a.host.Ping(bs.Addr)
		o.OK(t)
		require.Contains(t, o.Walks.String(), "77 of b in")
		require.Equal(t, bs.Addr, cs.Addr)
		// Another host of B reaches A, whose answer goes to C: nobody looks at the way back.
		other := b.host.Ping(a.host.Addr)
		other.Dropped(t, trace.NoListener)
		require.Contains(t, other.Walks.String(), "c in ")
	})
}
