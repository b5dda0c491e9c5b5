package lgw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// rack is an Outpost with a subnet, beside a subnet in the region, and a host of the
// on-premises network.
type rack struct {
	w            *vpctest.World
	v            *vpctest.VPC
	g            *lgw.LocalGateway
	table        *lgw.RouteTable
	tied         *lgw.Association
	near, region *vpctest.Subnet
	plant        *host.Host
}

var plant = addr("192.168.10.20")

func newRack(t *testing.T, c lgw.RouteTableConfig) *rack {
	r := &rack{w: vpctest.New(t)}
	r.v = r.w.VPC("10.0.0.0/16")
	var err error
	r.g, err = lgw.Create(r.w.Region, lgw.Config{Name: "lgw"})
	require.NoError(t, err)
	r.table, err = r.g.CreateRouteTable(c)
	require.NoError(t, err)
	r.tied, err = r.table.Associate(r.v.VPC)
	require.NoError(t, err)
	require.NoError(t, r.table.CreateRoute("192.168.0.0/16", nil))
	r.near = r.v.SubnetOn(r.g.Outpost(), "10.0.0.0/24")
	r.region = r.v.Subnet("10.0.1.0/24")
	site, err := r.w.Behind("on-premises network", r.g)
	require.NoError(t, err)
	r.plant, err = r.w.At(site, host.Config{Name: "plant"}, plant)
	require.NoError(t, err)
	return r
}

func TestDirectVPCRouting(t *testing.T) {
	r := newRack(t, lgw.RouteTableConfig{})
	app, far := r.near.Host("app"), r.region.Host("far")
	app.Allow(vpc.AllICMP("0.0.0.0/0"))
	r.near.Route("192.168.0.0/16", r.g)
	require.Equal(t, r.g.ID(), *r.near.RouteTable().Describe().RouteTables[0].Routes[0].LocalGatewayId)

	out := app.Ping(plant)
	out.OK(t)
	require.Equal(t, 1, r.plant.Ping(app.Addr, host.PingConfig{Count: 1}).Received)
	require.Zero(t, r.plant.Ping(far.Addr, host.PingConfig{Count: 1}).Received, "the region's subnet is not announced")

	r.region.Route("192.168.0.0/16", r.g)
	far.Ping(plant).Dropped(t, trace.ForeignSource)
	r.near.Route("172.16.0.0/12", r.g)
	app.Ping(addr("172.16.0.1")).Dropped(t, trace.NoRoute)

	require.NoError(t, r.tied.Delete())
	app.Ping(plant).Dropped(t, trace.Blackhole)
	require.NoError(t, r.table.Delete())
}

// A route of the table to an interface takes what is for an address that no subnet has,
// as long as the instance runs.
func TestARouteToAnInterface(t *testing.T) {
	r := newRack(t, lgw.RouteTableConfig{})
	app := r.near.Host("app")
	app.Allow(vpc.AllICMP("0.0.0.0/0"))
	require.NoError(t, app.Interface.SetSourceDestCheck(false))
	require.NoError(t, r.table.CreateRoute("10.99.0.0/16", app.Interface))
	require.Zero(t, r.plant.Ping(addr("10.99.0.1"), host.PingConfig{Count: 1}).Received)
	require.Equal(t, trace.NotForwarding, r.last(t), "it reaches the instance, which does not forward")
	require.Equal(t, ec2.LocalGatewayRouteStateActive, *r.table.Search().Routes[1].State)
	require.NoError(t, app.Instance.Stop())
	require.Zero(t, r.plant.Ping(addr("10.99.0.1"), host.PingConfig{Count: 1}).Received)
	require.Equal(t, trace.Blackhole, r.last(t))
	require.Equal(t, ec2.LocalGatewayRouteStateBlackhole, *r.table.Search().Routes[1].State)
	require.NoError(t, r.table.DeleteRoute("10.99.0.0/16"))
	require.EqualError(t, r.table.DeleteRoute("10.99.0.0/16"), "InvalidRoute.NotFound: no route with destination-cidr-block 10.99.0.0/16 in route table "+r.table.ID())
}

// last returns why the last walk ended.
func (r *rack) last(t *testing.T) trace.Reason {
	t.Helper()
	walks := r.w.Trace().Walks()
	require.NotEmpty(t, walks)
	return walks[len(walks)-1].End()
}

func TestCustomerOwnedAddresses(t *testing.T) {
	pool := netip.MustParsePrefix("203.0.113.0/26")
	r := newRack(t, lgw.RouteTableConfig{CustomerOwned: []netip.Prefix{pool}})
	app, bare := r.near.Host("app"), r.near.Host("bare")
	app.Allow(vpc.AllICMP("0.0.0.0/0"))
	r.near.Route("192.168.0.0/16", r.g)
	coip := addr("203.0.113.5")
	require.NoError(t, r.table.AssociateAddress(app.Interface, coip))
	app.Ping(plant).OK(t)
	bare.Ping(plant).Dropped(t, trace.NoPublicAddress)
	require.Equal(t, 1, r.plant.Ping(coip, host.PingConfig{Count: 1}).Received)
	require.Zero(t, r.plant.Ping(app.Addr, host.PingConfig{Count: 1}).Received)
	for _, n := range r.w.Region.DescribeNetworkInterfaces().NetworkInterfaces {
		if *n.NetworkInterfaceId == app.Interface.ID() {
			require.Equal(t, coip.String(), *n.Association.CustomerOwnedIp)
		}
	}
	require.EqualError(t, r.table.AssociateAddress(bare.Interface, coip), "Resource.AlreadyAssociated: resource 203.0.113.5 is already associated with "+bare.Interface.ID())
	require.EqualError(t, r.table.AssociateAddress(bare.Interface, addr("203.0.113.64")),
		"InvalidParameterValue: Value (203.0.113.64) for parameter address is invalid. It is not in the pool of "+r.table.ID()+".")
	var alone *vpc.NetworkInterface // of IPv6 alone, as a description may tell of
	require.NoError(t, r.w.Region.Change(func(tx *vpc.Tx) (err error) {
		if _, err = tx.RestoreSubnet(ec2.Subnet{
			SubnetId: new("subnet-0a"), VpcId: new(r.near.VPC().ID()), AvailabilityZone: new(r.near.Zone()), OutpostArn: new(r.near.Outpost()), Ipv6Native: new(true),
			Ipv6CidrBlockAssociationSet: []ec2.SubnetIpv6CidrBlockAssociation{{Ipv6CidrBlock: new("2001:db8::/64")}},
		}); err != nil {
			return err
		}
		alone, err = tx.RestoreInterface(ec2.NetworkInterface{
			NetworkInterfaceId: new("eni-0a"), SubnetId: new("subnet-0a"), VpcId: new(r.near.VPC().ID()), MacAddress: new("02:00:00:00:00:0a"),
			Ipv6Addresses: []ec2.NetworkInterfaceIpv6Address{{Ipv6Address: new("2001:db8::a")}},
		})
		return err
	}))
	require.EqualError(t, r.table.AssociateAddress(alone, coip.Next()), "InvalidParameterValue: The interface eni-0a has no private IPv4 address")
	require.EqualError(t, r.near.RouteTable().CreateRoute("10.0.1.0/24", r.g),
		"InvalidParameterValue: The destination CIDR block 10.0.1.0/24 is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.")
}

// Two Outposts of one VPC talk through the on-premises network where their subnets'
// tables say so, narrower than local.
func TestBetweenOutpostsOfOneVPC(t *testing.T) {
	r := newRack(t, lgw.RouteTableConfig{})
	other, err := lgw.Create(r.w.Region, lgw.Config{Name: "other"})
	require.NoError(t, err)
	table, err := other.CreateRouteTable(lgw.RouteTableConfig{})
	require.NoError(t, err)
	_, err = table.Associate(r.v.VPC)
	require.NoError(t, err)
	far := r.v.SubnetOn(other.Outpost(), "10.0.2.0/24")
	_, err = r.w.Behind("on-premises network", r.g, other)
	require.NoError(t, err)
	require.NoError(t, r.table.CreateRoute("10.0.2.0/24", nil))
	require.NoError(t, table.CreateRoute("10.0.0.0/24", nil))
	a, b := r.near.Host("a"), far.Host("b")
	b.Allow(vpc.AllICMP("0.0.0.0/0"))
	r.near.Route("10.0.2.0/24", r.g)
	far.Route("10.0.0.0/24", other)
	out := a.Ping(b.Addr)
	out.OK(t)
	require.Contains(t, out.Walks.String(), "on-premises network")
}

func TestRefusals(t *testing.T) {
	r := newRack(t, lgw.RouteTableConfig{})
	app, far := r.near.Host("app"), r.region.Host("far")
	elsewhere := r.w.VPC("10.9.0.0/16")
	alone := elsewhere.SubnetOn(r.g.Outpost(), "10.9.0.0/24").Host("alone")
	_, twice := r.table.Associate(r.v.VPC)
	_, second := lgw.Create(r.w.Region, lgw.Config{Outpost: r.g.Outpost()})
	_, pool := r.g.CreateRouteTable(lgw.RouteTableConfig{CustomerOwned: []netip.Prefix{{}}})
	for want, err := range map[string]error{
		"Resource.AlreadyAssociated: The vpc '" + r.v.ID() + "' is already associated with the localGatewayRouteTable '" + r.table.ID() + "'": twice,
		"InvalidParameterValue: Outpost " + r.g.Outpost() + " already has a local gateway":                                                    second,
		"InvalidParameterValue: Value (invalid Prefix) for parameter cidr is invalid. This is not a valid CIDR block.":                        pool,
		"DependencyViolation: The localGatewayRouteTable '" + r.table.ID() + "' has dependencies and cannot be deleted.":                      r.table.Delete(),
		"RouteAlreadyExists: The route identified by 192.168.0.0/16 already exists.":                                                          r.table.CreateRoute("192.168.0.0/16", nil),
		"InvalidParameterValue: The networkInterface '" + far.Interface.ID() + "' is not in a subnet of the Outpost " + r.g.Outpost():         r.table.CreateRoute("10.50.0.0/16", far.Interface),
		"InvalidParameterValue: The vpc '" + elsewhere.ID() + "' is not associated with the localGatewayRouteTable '" + r.table.ID() + "'":    r.table.CreateRoute("10.50.0.0/16", alone.Interface),
		"InvalidParameterValue: route table " + elsewhere.MainRouteTable().ID() + " and network gateway " + r.g.ID() + " belong to different networks": elsewhere.MainRouteTable().
			CreateRoute("192.168.0.0/16", r.g),
	} {
		require.EqualError(t, err, want)
	}
	for i := range 100 {
		require.NoError(t, r.table.CreateRoute(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 60, byte(i), 0}), 24).String(), app.Interface))
	}
	require.EqualError(t, r.table.CreateRoute("10.61.0.0/24", app.Interface),
		"RouteLimitExceeded: The maximum number of routes for the localGatewayRouteTable '"+r.table.ID()+"' has been reached.")
}

func TestRestoreIsTheInverseOfDescribe(t *testing.T) {
	r := newRack(t, lgw.RouteTableConfig{})
	app := r.near.Host("app")
	require.NoError(t, r.table.CreateRoute("10.99.0.0/16", app.Interface))
	gateways, tables, ties := lgw.Describe(r.w.Region), lgw.DescribeRouteTables(r.w.Region), lgw.DescribeAssociations(r.w.Region)
	routes := r.table.Search()
	again := vpc.NewRegion(vpc.RegionConfig{Bare: true})
	var table *lgw.RouteTable
	require.NoError(t, again.Change(func(tx *vpc.Tx) error {
		_, err := tx.RestoreDHCPOptions(r.w.Region.DescribeDhcpOptions().DhcpOptions[0])
		require.NoError(t, err)
		_, err = tx.RestoreVPC(r.w.Region.DescribeVpcs().Vpcs[0])
		require.NoError(t, err)
		_, err = lgw.Restore(tx, gateways.LocalGateways[0])
		require.NoError(t, err)
		table, err = lgw.RestoreRouteTable(tx, tables.LocalGatewayRouteTables[0])
		require.NoError(t, err)
		_, err = lgw.RestoreAssociation(tx, ties.LocalGatewayRouteTableVpcAssociations[0])
		require.NoError(t, err)
		require.ErrorContains(t, lgw.RestoreRoutes(tx, table, routes.Routes), "Routes[1].NetworkInterfaceId")
		return nil
	}))
	require.Equal(t, gateways, lgw.Describe(again))
	require.Equal(t, tables, lgw.DescribeRouteTables(again))
	require.Equal(t, ties, lgw.DescribeAssociations(again))
	require.Equal(t, routes.Routes[:1], table.Search().Routes)
}
