package cagw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var (
	carrierIP = netip.MustParseAddr("155.146.0.10")
	phone     = netip.MustParseAddr("100.70.0.9")
)

func TestACarrierGateway(t *testing.T) {
	w := vpctest.New(t)
	r := w.World.Region(vpc.RegionConfig{Name: "us-west-2", Zones: []string{"us-west-2-wl1-las-wlz-1", "us-west-2a"}})
	v := w.VPCIn(r, "10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	app, bare := s.Host("app"), s.Host("bare")
	app.Allow(vpc.AllICMP("0.0.0.0/0"))
	g, err := cagw.Create(v.VPC, cagw.Config{Name: "carrier"})
	require.NoError(t, err)
	require.NoError(t, g.Associate(app.Interface, carrierIP))
	s.Route("0.0.0.0/0", g)
	require.Equal(t, g.ID(), *s.RouteTable().Describe().RouteTables[0].Routes[1].CarrierGatewayId)
	require.Equal(t, v.ID(), *cagw.Describe(r).CarrierGateways[0].VpcId)

	server := w.OnInternet("198.51.100.7")
	app.Ping(server.Addr).OK(t)
	bare.Ping(server.Addr).Dropped(t, trace.NoPublicAddress)
	other := w.OnInternet("198.51.100.8")
	other.Ping(carrierIP).Dropped(t, trace.EgressOnly)

	network, err := w.Behind("carrier's network", carrier{g, netip.MustParsePrefix("100.70.0.0/16")})
	require.NoError(t, err)
	h, err := w.At(network, host.Config{Name: "phone"}, phone)
	require.NoError(t, err)
	app.Ping(phone).OK(t)
	require.Equal(t, 1, h.Ping(carrierIP, host.PingConfig{Count: 1}).Received)
	require.Zero(t, h.Ping(app.Addr, host.PingConfig{Count: 1}).Received)
	app.Ping(phone.Next()).Dropped(t, trace.NoSuchHost)

	_, err = cagw.Create(v.VPC, cagw.Config{})
	require.EqualError(t, err, "CarrierGatewayAlreadyExists: Network "+v.ID()+" already has a carrier gateway")
	require.EqualError(t, g.Associate(bare.Interface, carrierIP), "Resource.AlreadyAssociated: resource 155.146.0.10 is already associated with "+bare.Interface.ID())
	far := w.VPCIn(r, "10.9.0.0/16")
	require.EqualError(t, far.MainRouteTable().CreateRoute("0.0.0.0/0", g),
		"InvalidParameterValue: route table "+far.MainRouteTable().ID()+" and network gateway "+g.ID()+" belong to different networks")
	require.EqualError(t, s.RouteTable().CreateRoute("10.0.0.0/24", g),
		"InvalidParameterValue: The destination CIDR block 10.0.0.0/24 is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.")
	require.EqualError(t, g.Connect(nil, netip.Prefix{}),
		"InvalidParameterValue: Value (invalid Prefix) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	require.NoError(t, g.Disassociate(app.Interface))
	app.Ping(phone).Dropped(t, trace.NoPublicAddress)
	require.Zero(t, h.Ping(carrierIP, host.PingConfig{Count: 1}).Received)
	require.NoError(t, g.Associate(bare.Interface, carrierIP))
	bare.Ping(phone).OK(t)
	require.NoError(t, g.Delete())
	app.Ping(server.Addr).Dropped(t, trace.Blackhole)
}

func TestCarrierAddressesAreRefused(t *testing.T) {
	w := vpctest.New(t)
	const zone = "us-west-2-wl1-las-wlz-1"
	r := w.World.Region(vpc.RegionConfig{Name: "us-west-2", Zones: []string{zone, "us-west-2a"}})
	v, second := w.VPCIn(r, "10.0.0.0/16"), w.VPCIn(r, "10.1.0.0/16")
	app, other, outside := v.Subnet("10.0.0.0/24").Host("app"), second.Subnet("10.1.0.0/24").Host("other"), v.SubnetIn("us-west-2a", "10.0.1.0/24").Host("outside")
	g, err := cagw.Create(v.VPC, cagw.Config{})
	require.NoError(t, err)
	h, err := cagw.Create(second.VPC, cagw.Config{})
	require.NoError(t, err)
	require.NoError(t, g.Associate(app.Interface, carrierIP))
	for want, err := range map[string]error{
		"Resource.AlreadyAssociated: resource 155.146.0.10 is already associated with " + other.Interface.ID(): h.Associate(other.Interface, carrierIP),
		"Resource.AlreadyAssociated: resource 155.146.0.11 is already associated with " + app.Interface.ID():   g.Associate(app.Interface, carrierIP.Next()),
		"InvalidParameterValue: The network border group of the address 155.146.0.11 and that of the interface " + outside.Interface.ID() +
			" in us-west-2a are different.": g.Associate(outside.Interface, carrierIP.Next()),
		"InvalidParameterValue: Value (2001:db8::1) for parameter carrierIp is invalid. Invalid IPv4 address.":                          h.Associate(other.Interface, netip.MustParseAddr("2001:db8::1")),
		"InvalidParameterValue: interface " + other.Interface.ID() + " and carrier gateway " + g.ID() + " belong to different networks": g.Disassociate(other.Interface),
		"InvalidAssociationID.NotFound: The interface " + other.Interface.ID() + " has no carrier IP address":                           h.Disassociate(other.Interface),
		"MissingParameter: The request must contain the parameter networkInterfaceId":                                                   h.Disassociate(nil),
	} {
		require.EqualError(t, err, want)
	}
	var alone *vpc.NetworkInterface // of IPv6 alone, as a description may tell of
	require.NoError(t, r.Change(func(tx *vpc.Tx) (err error) {
		if _, err = tx.RestoreSubnet(ec2.Subnet{
			SubnetId: new("subnet-0a"), VpcId: new(v.ID()), AvailabilityZone: new(zone), Ipv6Native: new(true),
			Ipv6CidrBlockAssociationSet: []ec2.SubnetIpv6CidrBlockAssociation{{Ipv6CidrBlock: new("2001:db8::/64")}},
		}); err != nil {
			return err
		}
		alone, err = tx.RestoreInterface(ec2.NetworkInterface{
			NetworkInterfaceId: new("eni-0a"), SubnetId: new("subnet-0a"), VpcId: new(v.ID()), MacAddress: new("02:00:00:00:00:0a"),
			Ipv6Addresses: []ec2.NetworkInterfaceIpv6Address{{Ipv6Address: new("2001:db8::a")}},
		})
		return err
	}))
	for _, call := range []error{g.Associate(alone, carrierIP.Next()), g.Disassociate(alone)} {
		require.EqualError(t, call, "InvalidParameterValue: The interface "+alone.ID()+" has no private IPv4 address")
	}
	require.NoError(t, g.Delete()) // the address stays the interface's
	require.EqualError(t, h.Associate(other.Interface, carrierIP), "Resource.AlreadyAssociated: resource 155.146.0.10 is already associated with "+other.Interface.ID())
}

// carrier connects a network of the carrier's with its prefix.
type carrier struct {
	*cagw.CarrierGateway
	prefix netip.Prefix
}

func (c carrier) Connect(n dataplane.Node) error { return c.CarrierGateway.Connect(n, c.prefix) }
