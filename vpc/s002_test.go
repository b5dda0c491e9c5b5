package vpc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// golden is what the aws CLI has been seen to print.
func golden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "awscli", "testdata", name))
	require.NoError(t, err)
	return string(text)
}

// routesAsTable is describe-route-tables --query 'RouteTables[].Routes' --output table.
func routesAsTable(t *testing.T, s *vpc.RouteTable) string {
	t.Helper()
	routes, err := awscli.Query(s.Describe(), "RouteTables[].Routes")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, awscli.Table(&b, "DescribeRouteTables", routes))
	return b.String()
}

func TestS002IsDescribedAsTheCLIPrintedIt(t *testing.T) {
	r := vpc.NewRegion(vpc.RegionConfig{Name: "ap-northeast-3", Start: time.Date(2021, 6, 20, 14, 10, 2, 0, time.UTC)})
	v := got(r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{ID: "vpc-05f60718a1b2c3d4e"})).or(t)
	g := got(igw.Create(r, igw.Config{ID: "igw-0f9a3c5d7e1b24680"})).or(t)
	require.NoError(t, g.Attach(v))
	table := func(cidr, id string) (*vpc.Subnet, *vpc.RouteTable) {
		s := got(v.CreateSubnet(cidr, vpc.SubnetConfig{ID: id})).or(t)
		rt := got(v.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
		require.NoError(t, rt.Associate(s))
		return s, rt
	}
	_, source := table("10.0.0.0/24", "")
	_, destination := table("10.0.1.0/24", "")
	natSubnet, natTable := table("10.0.2.0/24", "subnet-0718a1b2c3d4e5f60")
	nat := got(natgw.Create(natSubnet, natgw.Config{
		ID: "nat-0c1f7e0a5b2d94e63", InterfaceID: "eni-0d4e5f60718a1b2c3", Private: true, PrivateIP: ip("10.0.2.149"),
	})).or(t)
	require.NoError(t, source.CreateRoute("0.0.0.0/0", g))
	require.NoError(t, source.CreateRoute("10.0.1.0/24", nat))
	require.NoError(t, destination.CreateRoute("0.0.0.0/0", g))

	t.Run("C038 route tables", func(t *testing.T) {
		require.Equal(t, golden(t, "s002-source.table"), routesAsTable(t, source))
		require.Equal(t, golden(t, "s002-destination.table"), routesAsTable(t, destination))
		require.Equal(t, golden(t, "s002-nat.table"), routesAsTable(t, natTable))
	})
	t.Run("C039 NAT gateway", func(t *testing.T) {
		var json, table, text bytes.Buffer
		require.NoError(t, awscli.JSON(&json, natgw.Describe(r)))
		require.Equal(t, golden(t, "s002-nat-gateway.json"), json.String())
		require.NoError(t, awscli.Table(&table, "DescribeNatGateways", natgw.Describe(r)))
		require.Equal(t, golden(t, "s002-nat-gateway.table"), table.String())
		require.NoError(t, awscli.Text(&text, natgw.Describe(r)))
		require.Equal(t, golden(t, "s002-nat-gateway.text"), text.String())
	})
}

// The order is that of recorded tables: prefix length descending, then the address
// as a signed 32-bit integer, static before propagated, prefix lists last.
func TestRoutesAreListedInAWSsOrder(t *testing.T) {
	l := newLab(t)
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 2})).or(t)
	require.NoError(t, l.table.CreatePrefixListRoute(list, l.igw))
	for _, dst := range []string{"0.0.0.0/0", "9.0.0.0/8", "198.51.100.0/24", "::/0", "2001:db8::/32", "128.0.0.0/8", "223.0.0.0/8", "10.9.0.0/16", "192.168.0.0/16"} {
		require.NoError(t, l.table.CreateRoute(dst, l.igw))
	}
	gw := newFake(t, l.region, "vgw", fake{attachTo: l.vpc, learned: []string{"9.0.0.0/8", "11.0.0.0/8"}})
	require.NoError(t, l.table.EnablePropagation(gw))
	var order []string
	for _, r := range l.table.Describe().RouteTables[0].Routes {
		switch {
		case r.DestinationCidrBlock != nil:
			order = append(order, *r.DestinationCidrBlock+" "+string(*r.Origin))
		case r.DestinationIpv6CidrBlock != nil:
			order = append(order, *r.DestinationIpv6CidrBlock)
		default:
			order = append(order, "prefix list")
		}
	}
	require.Equal(t, []string{
		"198.51.100.0/24 CreateRoute",
		"192.168.0.0/16 CreateRoute", "10.0.0.0/16 CreateRouteTable", "10.9.0.0/16 CreateRoute",
		"128.0.0.0/8 CreateRoute", "223.0.0.0/8 CreateRoute", "9.0.0.0/8 CreateRoute", "9.0.0.0/8 EnableVgwRoutePropagation", "11.0.0.0/8 EnableVgwRoutePropagation",
		"0.0.0.0/0 CreateRoute", "2001:db8::/32", "::/0", "prefix list",
	}, order)
}

func TestAFailedAndADeletedNATGatewayAreListedForAnHour(t *testing.T) {
	r := vpc.NewRegion(vpc.RegionConfig{})
	v := got(r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})).or(t)
	s := got(v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})).or(t)
	deleted := got(natgw.Create(s, natgw.Config{Private: true})).or(t)
	r.Advance(10 * time.Minute)
	failed := got(natgw.Create(s, natgw.Config{})).or(t)
	require.NoError(t, deleted.Delete())

	list := natgw.Describe(r).NatGateways
	require.Len(t, list, 2)
	require.Equal(t, ec2.Timestamp("2026-01-01T00:00:00.000Z"), *list[0].CreateTime)
	require.Equal(t, ec2.Timestamp("2026-01-01T00:10:00.000Z"), *list[0].DeleteTime)
	require.Equal(t, ec2.NatGatewayStateDeleted, *list[0].State)
	require.Equal(t, ec2.NatGatewayStateFailed, *list[1].State)
	require.Equal(t, "Gateway.NotAttached", *list[1].FailureCode)
	require.Equal(t, failed.ID(), *list[1].NatGatewayId)
	r.Advance(70*time.Minute - 1)
	require.Len(t, natgw.Describe(r).NatGateways, 2)
	r.Advance(70 * time.Minute)
	require.Empty(t, natgw.Describe(r).NatGateways)
	r.Advance(time.Minute)
	require.Empty(t, natgw.Describe(r).NatGateways, "time never goes back")
}
