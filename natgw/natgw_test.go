package natgw_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func described(t *testing.T, r *vpc.Region) string {
	t.Helper()
	b, err := json.Marshal([]any{natgw.Describe(r), r.DescribeNetworkInterfaces(), r.DescribeAddresses(), r.DescribeSubnets(), r.DescribeRouteTables()})
	require.NoError(t, err)
	return string(b)
}

// refused says that the call is refused in these words and has changed nothing.
func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	before := described(t, r)
	require.Equal(t, &vpc.Error{Code: code, Message: message}, call())
	require.Equal(t, before, described(t, r), "a refused call has changed something")
}

func TestRefusedCallsLeaveAGatewayAsItWas(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	public, private := s.NATGateway(), s.PrivateNATGateway()
	spare := func() *vpc.Address {
		e, err := w.Region.AllocateAddress(vpc.AddressConfig{})
		require.NoError(t, err)
		return e
	}
	first, used := spare(), spare()
	require.NoError(t, used.Associate(s.Host("app").Interface))
	free, foreign, own := netip.Addr{}, netip.MustParseAddr("10.0.9.9"), s.Host("other").Addr
	gone := s.PrivateNATGateway()
	require.NoError(t, gone.Delete())
	assign := func(g *vpctest.NATGateway, a netip.Addr) func() error {
		return func() error { _, err := g.AssignPrivateIP(a); return err }
	}
	for _, row := range []struct {
		name, code, message string
		call                func() error
	}{
		{"an Elastic IP address in use", "Resource.AlreadyAssociated", "Elastic IP address " + used.ID() + " is already associated", func() error { return public.AssociateAddress(used, free) }},
		{"none at all", "MissingParameter", "The request must contain the parameter allocationId", func() error { return public.AssociateAddress(nil, free) }},
		{"a private address in use for it", "InvalidIPAddress.InUse", "Address " + own.String() + " is in use.", func() error { return public.AssociateAddress(first, own) }},
		{"an Elastic IP address of a private gateway", "InvalidParameterValue", "NatGateway " + private.ID() + " is private and can't have Elastic IP addresses", func() error { return private.AssociateAddress(first, free) }},
		{"a private address of a public gateway", "InvalidParameterValue", "NatGateway " + public.ID() + " is public: a private address comes with an Elastic IP address", assign(public, free)},
		{"a private address in use", "InvalidIPAddress.InUse", "Address " + own.String() + " is in use.", assign(private, own)},
		{"removing one that it has not", "InvalidParameterValue", "The private IP address 10.0.9.9 is not assigned to NatGateway " + private.ID(), func() error { return private.RemoveAddress(foreign) }},
		{"removing the primary one", "InvalidParameterValue", "The primary private IP address " + private.PrivateAddr.String() + " of NatGateway " + private.ID() + " cannot be removed", func() error { return private.RemoveAddress(private.PrivateAddr) }},
		{"a deleted one's address", "IncorrectState", "NatGateway " + gone.ID() + " is not in the available state", assign(gone, free)},
		{"removing a deleted one's address", "IncorrectState", "NatGateway " + gone.ID() + " is not in the available state", func() error { return gone.RemoveAddress(gone.PrivateAddr) }},
		{"a deleted one's Elastic IP address", "IncorrectState", "NatGateway " + gone.ID() + " is not in the available state", func() error { return gone.AssociateAddress(first, free) }},
		{"deleting again", "NatGatewayNotFound", "NatGateway " + gone.ID() + " was not found", gone.Delete},
		{"a route to a deleted one", "InvalidNatGatewayID.NotFound", "The natGateway ID '" + gone.ID() + "' does not exist", func() error { return v.MainRouteTable().CreateRoute("0.0.0.0/0", gone.NATGateway) }},
	} {
		t.Run(row.name, func(t *testing.T) { refused(t, w.Region, row.code, row.message, row.call) })
	}
}

// What a failed gateway says of itself, and that nothing was taken for it.
func TestAFailedGatewayIsDescribedAndTakesNothing(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	interfaces, free := w.Region.DescribeNetworkInterfaces(), s.AvailableAddresses()
	g, err := natgw.Create(s.Subnet, natgw.Config{Name: "no way out"})
	require.NoError(t, err)
	shape := natgw.Describe(w.Region).NatGateways[0]
	require.Equal(t, g.ID(), *shape.NatGatewayId)
	require.Equal(t, ec2.NatGatewayStateFailed, *shape.State)
	require.Equal(t, "Gateway.NotAttached", *shape.FailureCode)
	require.Equal(t, "Network "+s.VPC().ID()+" has no Internet gateway attached", *shape.FailureMessage)
	require.Equal(t, *shape.CreateTime, *shape.DeleteTime)
	require.Empty(t, shape.NatGatewayAddresses)
	require.Equal(t, interfaces, w.Region.DescribeNetworkInterfaces())
	require.Equal(t, free, s.AvailableAddresses())
	require.Empty(t, w.Region.DescribeAddresses().Addresses)
	require.False(t, g.PublicIP().IsValid())
	require.Zero(t, g.Counters(w.Live(w.Region)))
}

func TestAFurtherAddressComesWithItsPrivateOneAndGoesWithIt(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	outside, inside := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	g := outside.NATGateway()
	outside.Route("0.0.0.0/0", v.InternetGateway())
	inside.Route("0.0.0.0/0", g)
	app, server := inside.Host("app"), w.OnInternet("198.51.100.7")
	app.Ping(server.Addr).OK(t)
	before := g.Counters(w.Live(w.Region))

	e, err := w.Region.AllocateAddress(vpc.AddressConfig{})
	require.NoError(t, err)
	second := netip.MustParseAddr("10.0.0.99")
	free := outside.AvailableAddresses()
	require.NoError(t, g.AssociateAddress(e, second))
	require.Equal(t, []netip.Addr{g.PrivateAddr, second}, g.PrivateIPs())
	require.Equal(t, g.Interface(), e.Interface())
	require.Equal(t, free-1, outside.AvailableAddresses())
	shapes := natgw.Describe(w.Region).NatGateways[0].NatGatewayAddresses
	require.Equal(t, []string{e.ID(), e.PublicIP().String(), "10.0.0.99", e.AssociationID()},
		[]string{*shapes[1].AllocationId, *shapes[1].PublicIp, *shapes[1].PrivateIp, *shapes[1].AssociationId})
	require.Equal(t, before, g.Counters(w.Live(w.Region)), "the sessions outlive the change")

	require.NoError(t, g.RemoveAddress(second))
	require.Equal(t, []netip.Addr{g.PrivateAddr}, g.PrivateIPs())
	require.Nil(t, e.Interface(), "it stays allocated, to nobody")
	require.Equal(t, free, outside.AvailableAddresses())
	app.Ping(server.Addr).OK(t)
}

func TestAssignedPrivateAddressesAreTheSubnets(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	g := s.PrivateNATGateway()
	chosen, err := g.AssignPrivateIP(netip.MustParseAddr("10.0.0.50"))
	require.NoError(t, err)
	found, err := g.AssignPrivateIP(netip.Addr{})
	require.NoError(t, err)
	require.True(t, s.CIDR().Contains(found))
	require.Equal(t, []netip.Addr{g.PrivateAddr, chosen, found}, g.PrivateIPs())
	require.NoError(t, g.RemoveAddress(chosen))
	require.Equal(t, []netip.Addr{g.PrivateAddr, found}, g.PrivateIPs())
	again, err := g.AssignPrivateIP(chosen)
	require.NoError(t, err)
	require.Equal(t, chosen, again)
}

func TestDeletingEndsSessionsAndKeepsTheAddress(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	outside, inside := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	g := outside.NATGateway()
	outside.Route("0.0.0.0/0", v.InternetGateway())
	inside.Route("0.0.0.0/0", g)
	app, server := inside.Host("app"), w.OnInternet("198.51.100.7")
	app.Ping(server.Addr).OK(t)
	require.NotZero(t, g.Counters(w.Live(w.Region)))
	require.NoError(t, g.Delete())
	app.Ping(server.Addr).Dropped(t, trace.Blackhole)
	require.Zero(t, g.Counters(w.Live(w.Region)))
	require.Nil(t, g.Interface())
	require.Equal(t, g.PublicAddr.String(), *w.Region.DescribeAddresses().Addresses[0].PublicIp)
	require.Equal(t, ec2.NatGatewayStateDeleted, *natgw.Describe(w.Region).NatGateways[0].State)
}
