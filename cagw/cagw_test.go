package cagw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/dataplane"
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
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	app, bare := s.Host("app"), s.Host("bare")
	app.Allow(vpc.AllICMP("0.0.0.0/0"))
	g, err := cagw.Create(v.VPC, cagw.Config{Name: "carrier"})
	require.NoError(t, err)
	require.NoError(t, g.Associate(app.Interface, carrierIP))
	s.Route("0.0.0.0/0", g)
	require.Equal(t, g.ID(), *s.RouteTable().Describe().RouteTables[0].Routes[1].CarrierGatewayId)
	require.Equal(t, v.ID(), *cagw.Describe(w.Region).CarrierGateways[0].VpcId)

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
	far := w.VPC("10.9.0.0/16")
	require.EqualError(t, far.MainRouteTable().CreateRoute("0.0.0.0/0", g),
		"InvalidParameterValue: route table "+far.MainRouteTable().ID()+" and network gateway "+g.ID()+" belong to different networks")
	require.EqualError(t, s.RouteTable().CreateRoute("10.0.0.0/24", g),
		"InvalidParameterValue: The destination CIDR block 10.0.0.0/24 is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.")
	require.EqualError(t, g.Connect(nil, netip.Prefix{}),
		"InvalidParameterValue: Value (invalid Prefix) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	require.NoError(t, g.Delete())
	app.Ping(server.Addr).Dropped(t, trace.Blackhole)
}

// carrier connects a network of the carrier's with its prefix.
type carrier struct {
	*cagw.CarrierGateway
	prefix netip.Prefix
}

func (c carrier) Connect(n dataplane.Node) error { return c.CarrierGateway.Connect(n, c.prefix) }
