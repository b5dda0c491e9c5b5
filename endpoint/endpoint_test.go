package endpoint_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

const s3, sqs = "com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.sqs"

func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	text := func() string {
		b, err := json.Marshal([]any{endpoint.Describe(r), r.DescribeRouteTables(), r.DescribeNetworkInterfaces(), r.DescribeSubnets(), r.DescribeSecurityGroups()})
		require.NoError(t, err)
		return string(b)
	}
	before := text()
	require.Equal(t, &vpc.Error{Code: code, Message: message}, call())
	require.Equal(t, before, text(), "a refused call has changed something")
}

func gateway(t *testing.T, v *vpctest.VPC, tables ...*vpc.RouteTable) *endpoint.Endpoint {
	t.Helper()
	e, err := endpoint.CreateGateway(v.VPC, s3, tables, endpoint.Config{})
	require.NoError(t, err)
	return e
}

func TestAGatewayEndpointMakesItsRoutesItself(t *testing.T) {
	w := vpctest.New(t)
	v, other := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16")
	main := v.MainRouteTable()
	second, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	require.NoError(t, err)
	e := gateway(t, v, main)
	row := main.Routes()[1]
	require.Equal(t, e.PrefixList(), row.PrefixList)
	require.Equal(t, vpc.Target(e), row.Target)

	refused(t, w.Region, "InvalidParameterValue", "Cannot create or replace a prefix list route targeting a VPC Endpoint.", func() error { return second.CreateRoute("0.0.0.0/0", e) })
	refused(t, w.Region, "InvalidParameter", "Route table "+other.MainRouteTable().ID()+" does not belong to VPC "+v.ID(), func() error { return e.AddRouteTables(other.MainRouteTable()) })
	refused(t, w.Region, "InvalidParameter", "Duplicate route table "+second.ID(), func() error { return e.AddRouteTables(second, second) })
	refused(t, w.Region, "InvalidServiceName", "The Vpc Endpoint Service '"+sqs+"' does not exist", func() error {
		_, err := endpoint.CreateGateway(v.VPC, sqs, nil, endpoint.Config{})
		return err
	})
	require.NoError(t, e.AddRouteTables(second))
	require.NoError(t, e.RemoveRouteTables(main))
	require.Len(t, main.Routes(), 1)
	require.EqualValues(t, []string{second.ID()}, endpoint.Describe(w.Region).VpcEndpoints[0].RouteTableIds)
	require.NoError(t, e.Delete())
	require.Len(t, second.Routes(), 1)
	require.Empty(t, endpoint.Describe(w.Region).VpcEndpoints)
}

func TestAnInterfaceEndpointHasAnInterfaceASubnet(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a := v.Subnet("10.0.0.0/24")
	b, err := v.CreateSubnet("10.0.1.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})
	require.NoError(t, err)
	free := a.AvailableAddresses()
	e, err := endpoint.CreateInterface(sqs, []*vpc.Subnet{a.Subnet, b}, endpoint.Config{})
	require.NoError(t, err)
	require.Len(t, e.Interfaces(), 2)
	for i, s := range []*vpc.Subnet{a.Subnet, b} {
		n := e.Interfaces()[i]
		require.Equal(t, s, n.Subnet())
		require.Equal(t, []*vpc.SecurityGroup{v.DefaultSecurityGroup()}, n.Groups())
		refused(t, w.Region, "AuthFailure", "You do not have permission to access the specified resource.", func() error { return n.SetSourceDestCheck(false) })
	}
	refused(t, w.Region, "RouteNotSupported", "Route table contains unsupported route target: "+e.ID()+". VPC Endpoints of this type cannot be used as route targets.",
		func() error { return v.MainRouteTable().CreateRoute("0.0.0.0/0", e) })
	refused(t, w.Region, "InvalidParameter", "Endpoint "+e.ID()+" is of the type Interface, not Gateway", func() error { return e.AddRouteTables(v.MainRouteTable()) })
	refused(t, w.Region, "MissingParameter", "The request must contain the parameter subnetIds", func() error {
		_, err := endpoint.CreateInterface(sqs, nil, endpoint.Config{})
		return err
	})
	require.NoError(t, e.Delete())
	require.Equal(t, free, a.AvailableAddresses())
}

// No service is modelled behind it, so what becomes of packets for it is unknown.
func TestWhatAGatewayLoadBalancerEndpointDoesIsUnknown(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a, b := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	e, err := endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", b.Subnet, endpoint.Config{})
	require.NoError(t, err)
	a.Route("10.0.1.0/24", e)
	a.Host("app").Ping(b.Host("far").Addr).Dropped(t, trace.Unmodelled)
	refused(t, w.Region, "DependencyViolation", "The vpcEndpoint '"+e.ID()+"' has dependencies and cannot be deleted.", e.Delete)
	refused(t, w.Region, "InvalidParameter", "Security groups are not supported for GatewayLoadBalancer endpoints.", func() error {
		_, err := endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", b.Subnet, endpoint.Config{Groups: []*vpc.SecurityGroup{v.DefaultSecurityGroup()}})
		return err
	})
	require.NoError(t, a.RouteTable().DeleteRoute("10.0.1.0/24"))
	require.NoError(t, e.Delete())
}
