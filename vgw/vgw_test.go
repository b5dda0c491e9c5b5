package vgw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// office is a VPC with a gateway, a host in it and a host at the site.
type office struct {
	world   *vpctest.World
	vpc     *vpctest.VPC
	subnet  *vpctest.Subnet
	gateway *vgw.VirtualPrivateGateway
	app     *vpctest.Host
	desk    *host.Host
}

var (
	siteCIDR = netip.MustParsePrefix("192.168.10.0/24")
	deskAddr = netip.MustParseAddr("192.168.10.20")
)

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{world: vpctest.New(t)}
	o.vpc = o.world.VPC("10.0.0.0/16")
	o.subnet = o.vpc.Subnet("10.0.0.0/24")
	o.app = o.subnet.Host("app")
	o.app.Allow(vpc.AllICMP("192.168.0.0/16"))
	g, err := vgw.Create(o.world.Region, vgw.Config{Name: "vgw"})
	require.NoError(t, err)
	require.NoError(t, g.Attach(o.vpc.VPC))
	o.gateway = g
	site, err := o.world.Site(g, "office", siteCIDR)
	require.NoError(t, err)
	o.desk, err = o.world.At(site, host.Config{Name: "desk"}, deskAddr)
	require.NoError(t, err)
	return o
}

func (o *office) pingFromDesk(dst netip.Addr) (host.PingResult, trace.Story) {
	log := o.world.Trace()
	log.Clear()
	r := o.desk.Ping(dst, host.PingConfig{Count: 1})
	return r, log.Story(log.Walks()[0].ID)
}

func TestAPropagatedRouteLeadsToTheSiteAndBack(t *testing.T) {
	o := newOffice(t)
	o.app.Ping(deskAddr).Dropped(t, trace.NoRoute)
	require.NoError(t, o.vpc.MainRouteTable().EnablePropagation(o.gateway))
	o.app.Ping(deskAddr).OK(t)
	require.Equal(t, uint8(255), o.app.Host.Ping(deskAddr, host.PingConfig{}).Replies[0].TTL, "the gateway leaves the TTL alone")
	r, story := o.pingFromDesk(o.app.Addr)
	require.Equal(t, 1, r.Received, story)
}

func TestTheEdgeTableOfAPrivateGatewayLeadsToAnAppliance(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.vpc.MainRouteTable().EnablePropagation(o.gateway))
	inspection := o.vpc.Subnet("10.0.1.0/24").Launch(vpc.InstanceConfig{
		Name: "firewall", Interface: vpc.NetworkInterfaceConfig{DisableSourceDestCheck: true},
	}, host.Config{Name: "firewall", Forwarding: true})
	table, err := o.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "edge"})
	require.NoError(t, err)
	require.NoError(t, table.CreateRoute("10.0.0.0/24", inspection.Interface))
	require.NoError(t, table.AssociateGateway(o.gateway))
	r, story := o.pingFromDesk(o.app.Addr)
	require.Equal(t, 1, r.Received, story)
	require.Contains(t, story.String(), "firewall in")
}

func TestWhatAPrivateGatewayDrops(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.vpc.MainRouteTable().CreateRoute("192.168.0.0/16", o.gateway))
	t.Run("a prefix it does not know", func(t *testing.T) {
		o.app.Ping(netip.MustParseAddr("192.168.99.1")).Dropped(t, trace.UnknownPrefix)
	})
	t.Run("a destination that no interface has", func(t *testing.T) {
		_, story := o.pingFromDesk(netip.MustParseAddr("10.0.0.99"))
		require.Equal(t, trace.ForeignDestination, story.End())
		require.Equal(t, "VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", story.End().Code())
	})
	t.Run("a ping from the site to a NAT gateway", func(t *testing.T) {
		nat := o.vpc.Subnet("10.0.2.0/24").PrivateNATGateway()
		table, err := o.vpc.CreateRouteTable(vpc.RouteTableConfig{})
		require.NoError(t, err)
		require.NoError(t, table.Associate(o.subnet.Subnet))
		require.NoError(t, table.CreateRoute("192.168.0.0/16", o.gateway))
		o.app.Ping(nat.PrivateAddr).Dropped(t, trace.NoSession)
		_, story := o.pingFromDesk(nat.PrivateAddr)
		require.Equal(t, trace.NoSession, story.End())
	})
}

func TestAStaticRouteWinsOverThePropagatedOne(t *testing.T) {
	o := newOffice(t)
	main := o.vpc.MainRouteTable()
	require.NoError(t, main.EnablePropagation(o.gateway))
	require.NoError(t, main.CreateRoute(siteCIDR.String(), o.vpc.InternetGateway()))
	o.app.Ping(deskAddr).Dropped(t, trace.PrivateDestination)
}

func TestDetachingLeavesABlackHole(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.vpc.MainRouteTable().CreateRoute("192.168.0.0/16", o.gateway))
	require.ErrorContains(t, o.gateway.Delete(), "has dependencies and cannot be deleted.")
	require.NoError(t, o.gateway.Detach(o.vpc.VPC))
	o.app.Ping(deskAddr).Dropped(t, trace.Blackhole)
	require.NoError(t, o.gateway.Delete())
}

func TestRefusals(t *testing.T) {
	o := newOffice(t)
	second, err := vgw.Create(o.world.Region, vgw.Config{})
	require.NoError(t, err)
	other := o.world.VPC("172.16.0.0/16")
	require.EqualError(t, second.Attach(o.vpc.VPC), "InvalidVpcState: Network "+o.vpc.ID()+" already has a VPN gateway attached")
	require.EqualError(t, o.gateway.Attach(other.VPC), "VpnGatewayAttachmentLimitExceeded: The vpnGateway '"+o.gateway.ID()+"' is already attached to network "+o.vpc.ID())
	require.EqualError(t, o.gateway.Detach(other.VPC), "InvalidVpnGatewayAttachment.NotFound: The attachment with vpn gateway ID '"+o.gateway.ID()+"' and vpc ID '"+other.ID()+"' does not exist")
	require.EqualError(t, other.MainRouteTable().CreateRoute("192.168.0.0/16", o.gateway),
		"InvalidParameterValue: route table "+other.MainRouteTable().ID()+" and network gateway "+o.gateway.ID()+" belong to different networks")
	require.EqualError(t, other.MainRouteTable().EnablePropagation(o.gateway),
		"Gateway.NotAttached: resource "+o.gateway.ID()+" is not attached to network "+other.ID())
	require.ErrorContains(t, o.gateway.Connect(nil, netip.MustParsePrefix("2001:db8::/32")), "This is not a valid CIDR block.")
}

// What an interface has beside its primary address is known to the gateway both ways.
func TestSecondaryAddressesAndPrefixesGoByAPrivateGateway(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.vpc.MainRouteTable().EnablePropagation(o.gateway))
	second, err := o.app.Interface.AssignPrivateIP(netip.MustParseAddr("10.0.0.77"))
	require.NoError(t, err)
	_, err = o.app.Interface.AssignPrefix(netip.MustParsePrefix("10.0.0.160/28"))
	require.NoError(t, err)
	for name, a := range map[string]netip.Addr{
		"C112 a secondary address": second, "C112 an address of an assigned prefix": netip.MustParseAddr("10.0.0.165"),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, o.app.NIC("eth0").AddAddr(netip.PrefixFrom(a, 24)))
			r, story := o.pingFromDesk(a)
			require.Equal(t, 1, r.Received, story)
		})
	}
	t.Run("C112 the first address behind the prefix is nobody's", func(t *testing.T) {
		_, story := o.pingFromDesk(netip.MustParseAddr("10.0.0.176"))
		require.Equal(t, trace.ForeignDestination, story.End())
	})
}

func TestWhatNobodyAtTheSiteHasDiesThere(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.vpc.MainRouteTable().EnablePropagation(o.gateway))
	o.app.Ping(netip.MustParseAddr("192.168.10.99")).Dropped(t, trace.NoSuchHost)
}
