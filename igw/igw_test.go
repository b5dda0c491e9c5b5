package igw_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// described is what the Describe calls say that these gateways show in.
func described(t *testing.T, r *vpc.Region) string {
	t.Helper()
	b, err := json.Marshal([]any{igw.Describe(r), igw.DescribeEgressOnly(r), r.DescribeVpcs(), r.DescribeRouteTables(), r.DescribeAddresses()})
	require.NoError(t, err)
	return string(b)
}

// refused says that the call is refused in these words and has changed nothing.
func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	before := described(t, r)
	var refusal *vpc.Error
	require.True(t, errors.As(call(), &refusal), "not refused")
	require.Equal(t, vpc.Error{Code: code, Message: message}, *refusal)
	require.Equal(t, before, described(t, r), "a refused call has changed something")
}

func create(t *testing.T, r *vpc.Region) *igw.InternetGateway {
	t.Helper()
	g, err := igw.Create(r, igw.Config{})
	require.NoError(t, err)
	return g
}

func TestInternetGatewaysAreRefusedAsAWSRefusesThem(t *testing.T) {
	w := vpctest.New(t)
	v, other := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16")
	g, second, gone := v.InternetGateway(), create(t, w.Region), create(t, w.Region)
	require.NoError(t, gone.Delete())
	main := other.MainRouteTable()
	for _, row := range []struct {
		name, code, message string
		call                func() error
	}{
		{"a second gateway", "InvalidParameterValue", "Network " + v.ID() + " already has an internet gateway attached", func() error { return second.Attach(v.VPC) }},
		{"a second VPC", "Resource.AlreadyAssociated", "resource " + g.ID() + " is already attached to network " + v.ID(), func() error { return g.Attach(other.VPC) }},
		{"no VPC", "MissingParameter", "The request must contain the parameter vpcId", func() error { return second.Attach(nil) }},
		{"detaching from another VPC", "Gateway.NotAttached", "resource " + g.ID() + " is not attached to network " + other.ID(), func() error { return g.Detach(other.VPC) }},
		{"deleting an attached one", "DependencyViolation", "The internetGateway '" + g.ID() + "' has dependencies and cannot be deleted.", g.Delete},
		{"an unknown one", "InvalidInternetGatewayID.NotFound", "The internetGateway ID '" + gone.ID() + "' does not exist", gone.Delete},
		{"a route in another VPC", "InvalidParameterValue", "route table " + main.ID() + " and network gateway " + g.ID() + " belong to different networks", func() error { return main.CreateRoute("0.0.0.0/0", g) }},
		{"a table of another VPC", "InvalidParameterValue", "route table " + main.ID() + " and network gateway " + g.ID() + " belong to different networks", func() error { return main.AssociateGateway(g) }},
	} {
		t.Run(row.name, func(t *testing.T) { refused(t, w.Region, row.code, row.message, row.call) })
	}
	t.Run("the sixth", func(t *testing.T) {
		for range 3 {
			create(t, w.Region)
		}
		refused(t, w.Region, "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.", func() error {
			_, err := igw.Create(w.Region, igw.Config{})
			return err
		})
	})
}

func TestDetachingNeedsAddressesUnmappedAndLeavesABlackHole(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	s.Route("0.0.0.0/0", v.InternetGateway())
	app, server := s.Host("app"), w.OnInternet("198.51.100.7")
	e, err := w.Region.AllocateAddress(vpc.AddressConfig{})
	require.NoError(t, err)
	require.NoError(t, e.Associate(app.Interface))
	edge, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	require.NoError(t, err)
	require.NoError(t, edge.AssociateGateway(v.InternetGateway()))
	app.Ping(server.Addr).OK(t)

	refused(t, w.Region, "DependencyViolation", "Network "+v.ID()+" has some mapped public address(es). "+
		"Please unmap those public address(es) before detaching the gateway.", func() error { return v.InternetGateway().Detach(v.VPC) })
	app.Ping(server.Addr).OK(t)
	require.NoError(t, e.Disassociate())
	require.NoError(t, v.InternetGateway().Detach(v.VPC))
	app.Ping(server.Addr).Dropped(t, trace.Blackhole)
	require.Empty(t, edge.Associations(), "the edge association ended")
	require.Empty(t, igw.Describe(w.Region).InternetGateways[0].Attachments)
	require.NoError(t, v.InternetGateway().Delete())
	require.Empty(t, igw.Describe(w.Region).InternetGateways)
	app.Ping(server.Addr).Dropped(t, trace.Blackhole)
}

func TestShapesSayAvailableOrAttached(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	eigw, err := igw.CreateEgressOnly(v.VPC, igw.EgressOnlyConfig{Name: "six"})
	require.NoError(t, err)
	require.NoError(t, v.MainRouteTable().CreateRoute("::/0", eigw))
	text := func(x any) string {
		b, err := json.Marshal(x)
		require.NoError(t, err)
		return string(b)
	}
	require.Equal(t, v.VPC, eigw.VPC())
	require.JSONEq(t, `{"InternetGateways":[{"InternetGatewayId":"`+v.InternetGateway().ID()+`","OwnerId":"123456789012",
		"Attachments":[{"VpcId":"`+v.ID()+`","State":"available"}],"Tags":[{"Key":"Name","Value":"internet gateway"}]}]}`, text(igw.Describe(w.Region)))
	require.JSONEq(t, `{"EgressOnlyInternetGateways":[{"EgressOnlyInternetGatewayId":"`+eigw.ID()+`",
		"Attachments":[{"VpcId":"`+v.ID()+`","State":"attached"}],"Tags":[{"Key":"Name","Value":"six"}]}]}`, text(igw.DescribeEgressOnly(w.Region)))
	routes := v.MainRouteTable().Describe().RouteTables[0].Routes
	require.Equal(t, eigw.ID(), *routes[1].EgressOnlyInternetGatewayId)
	require.Nil(t, routes[1].GatewayId)
}

func TestEgressOnlyGatewaysAreRefusedAsAWSRefusesThem(t *testing.T) {
	w := vpctest.New(t)
	v, other := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16")
	g, err := igw.CreateEgressOnly(v.VPC, igw.EgressOnlyConfig{})
	require.NoError(t, err)
	main := v.MainRouteTable()
	refused(t, w.Region, "InvalidParameterValue", "The destination CIDR block 0.0.0.0/0 is IPv4. An egress only internet gateway takes IPv6 alone.",
		func() error { return main.CreateRoute("0.0.0.0/0", g) })
	refused(t, w.Region, "InvalidGatewayID.NotFound", "The eigw ID '"+g.ID()+"' does not exist",
		func() error { return other.MainRouteTable().CreateRoute("::/0", g) })
	refused(t, w.Region, "InvalidParameterValue", "Network "+v.ID()+" already has an egress only internet gateway attached", func() error {
		_, err := igw.CreateEgressOnly(v.VPC, igw.EgressOnlyConfig{})
		return err
	})
	require.NoError(t, main.CreateRoute("::/0", g))
	require.NoError(t, g.Delete())
	require.Equal(t, vpc.Blackhole, main.Routes()[1].State)
	refused(t, w.Region, "InvalidGatewayID.NotFound", "The eigw ID '"+g.ID()+"' does not exist", g.Delete)
}
