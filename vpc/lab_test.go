package vpc_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// lab is a VPC 10.0.0.0/16 with an attached internet gateway and two subnets.
type lab struct {
	t      *testing.T
	region *vpc.Region
	vpc    *vpc.VPC
	igw    *igw.InternetGateway
	a, b   *vpc.Subnet // 10.0.0.0/24, 10.0.1.0/24
	table  *vpc.RouteTable
	edge   *vpc.RouteTable // associated with the internet gateway
}

func newLab(t *testing.T) *lab { return newLabIn(t, vpc.RegionConfig{}) }

func newLabIn(t *testing.T, c vpc.RegionConfig) *lab {
	t.Helper()
	l := &lab{t: t, region: vpc.NewRegion(c)}
	l.vpc = l.newVPC("10.0.0.0/16")
	l.igw = got(igw.Create(l.region, igw.Config{})).or(t)
	require.NoError(t, l.igw.Attach(l.vpc))
	l.a = got(l.vpc.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})).or(t)
	l.b = got(l.vpc.CreateSubnet("10.0.1.0/24", vpc.SubnetConfig{})).or(t)
	l.table = got(l.vpc.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
	l.edge = got(l.vpc.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
	require.NoError(t, l.edge.AssociateGateway(l.igw))
	return l
}

func (l *lab) newVPC(cidr string) *vpc.VPC {
	l.t.Helper()
	return got(l.region.CreateVPC(cidr, vpc.VPCConfig{})).or(l.t)
}

func (l *lab) nic() *vpc.NetworkInterface {
	l.t.Helper()
	return got(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(l.t)
}

func (l *lab) instance() *vpc.Instance {
	l.t.Helper()
	return got(l.a.RunInstance(vpc.InstanceConfig{})).or(l.t)
}

func (l *lab) nat() *natgw.NATGateway {
	l.t.Helper()
	return got(natgw.Create(l.a, natgw.Config{Private: true})).or(l.t)
}

func (l *lab) eip() *vpc.Address {
	l.t.Helper()
	return got(l.region.AllocateAddress(vpc.AddressConfig{})).or(l.t)
}

// route is the one row of the table to the destination, as AWS shows it.
func (l *lab) route(t *vpc.RouteTable, destination string) vpc.Route {
	l.t.Helper()
	for _, r := range t.Routes() {
		if r.Destination.String() == destination {
			return r
		}
	}
	l.t.Fatalf("no route to %s", destination)
	return vpc.Route{}
}

// refused says that the call is refused in these words and has changed nothing.
func (l *lab) refused(code, message string, call func() error) {
	l.t.Helper()
	before := everything(l.t, l.region)
	err := call()
	var refusal *vpc.Error
	require.True(l.t, errors.As(err, &refusal), "not refused: %v", err)
	require.Equal(l.t, vpc.Error{Code: code, Message: message}, *refusal)
	require.Equal(l.t, before, everything(l.t, l.region), "a refused call has changed something")
}

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

// only drops what a call returns beside its error.
func only[T any](_ T, err error) error { return err }

// everything is the answers of all Describe calls.
func everything(t testing.TB, r *vpc.Region) string {
	t.Helper()
	all := []any{
		r.DescribeVpcs(), r.DescribeSubnets(), r.DescribeRouteTables(), r.DescribeNetworkInterfaces(), r.DescribeAddresses(),
		r.DescribeInstances(), r.DescribeSecurityGroups(), r.DescribeSecurityGroupRules(), r.DescribeNetworkAcls(),
		r.DescribeManagedPrefixLists(), r.DescribeDhcpOptions(), r.DescribeTags(), r.DescribeAvailabilityZones(),
		igw.Describe(r), igw.DescribeEgressOnly(r), natgw.Describe(r), vgw.Describe(r), peering.Describe(r), endpoint.Describe(r),
	}
	text, err := json.MarshalIndent(all, "", " ")
	require.NoError(t, err)
	return string(text)
}

// kinds makes an interface of each of S000's seven kinds, in its order.
func (l *lab) kinds() map[string]*vpc.NetworkInterface {
	l.t.Helper()
	t, in := l.t, []*vpc.Subnet{l.a}
	return map[string]*vpc.NetworkInterface{
		"Classic LB":         got(clb.Create(l.region, "classic", clb.Config{Subnets: in})).or(t).Interfaces()[0],
		"Application LB":     got(alb.Create(l.region, "web", alb.Config{Subnets: in})).or(t).Interfaces()[0],
		"Network LB":         got(nlb.Create(l.region, "net", nlb.Config{Subnets: in})).or(t).Interfaces()[0],
		"RDS instance":       got(rds.Create(l.a, "db", rds.Config{})).or(t).Interface(),
		"NAT gateway":        l.nat().Interface(),
		"nothing":            l.nic(),
		"interface endpoint": got(endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", in, endpoint.Config{})).or(t).Interfaces()[0],
	}
}

func ip(s string) netip.Addr     { return netip.MustParseAddr(s) }
func cidr(s string) netip.Prefix { return netip.MustParsePrefix(s) }
