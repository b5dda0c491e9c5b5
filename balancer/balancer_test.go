package balancer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	text := func() string {
		b, err := json.Marshal([]any{r.DescribeRouteTables(), r.DescribeNetworkInterfaces(), r.DescribeSubnets(), r.DescribeSecurityGroups(), r.DescribeTags()})
		require.NoError(t, err)
		return string(b)
	}
	before := text()
	require.Equal(t, &vpc.Error{Code: code, Message: message}, call())
	require.Equal(t, before, text(), "a refused call has changed something")
}

type creation func(r *vpc.Region, name string, c balancer.Config) (*balancer.LoadBalancer, error)

func TestLoadBalancersHaveAnInterfaceASubnetForLife(t *testing.T) {
	for name, row := range map[string]struct {
		create    creation
		arn, text string
		groups    int
		check     bool
	}{
		"application": {alb.Create, "loadbalancer/app/web/", "ELB app/web/", 1, true},
		"classic":     {clb.Create, "loadbalancer/web", "ELB web", 1, true},
		"network":     {nlb.Create, "loadbalancer/net/web/", "ELB net/web/", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := vpctest.New(t)
			v := w.VPC("10.0.0.0/16")
			a, same := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.2.0/24")
			b, err := v.CreateSubnet("10.0.1.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})
			require.NoError(t, err)
			free := a.AvailableAddresses()
			in := balancer.Config{Subnets: []*vpc.Subnet{a.Subnet, b}}
			l, err := row.create(w.Region, "web", in)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(l.ID(), "arn:aws:elasticloadbalancing:us-east-1:123456789012:"+row.arn), l.ID())
			require.Len(t, l.Interfaces(), 2)
			for _, shape := range w.Region.DescribeNetworkInterfaces().NetworkInterfaces {
				require.True(t, strings.HasPrefix(*shape.Description, row.text), *shape.Description)
				require.Len(t, shape.Groups, row.groups)
				require.Equal(t, row.check, *shape.SourceDestCheck)
			}
			for _, bad := range []struct {
				code, message, name string
				c                   balancer.Config
			}{
				{"DuplicateLoadBalancerName", "A load balancer with the same name 'web' exists, but with different settings", "web", in},
				{"ValidationError", "The load balancer name must not be empty", "", in},
				{"MissingParameter", "The request must contain the parameter subnets", "x", balancer.Config{}},
				{"DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ", "x", balancer.Config{Subnets: []*vpc.Subnet{a.Subnet, same.Subnet}}},
			} {
				refused(t, w.Region, bad.code, bad.message, func() error { _, err := row.create(w.Region, bad.name, bad.c); return err })
			}
			route := v.MainRouteTable()
			require.NoError(t, route.CreateRoute("0.0.0.0/0", l.Interfaces()[0]))
			require.NoError(t, l.Delete())
			require.Equal(t, vpc.Blackhole, route.Routes()[1].State)
			require.Empty(t, l.Interfaces())
			require.Equal(t, free, a.AvailableAddresses())
			_, err = row.create(w.Region, "web", in)
			require.NoError(t, err, "the name is free again")
		})
	}
}

func TestASmallSubnetHasNoRoomForALoadBalancer(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/28")
	for range 4 {
		_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
		require.NoError(t, err)
	}
	refused(t, w.Region, "InvalidSubnet", "Not enough IP space available in "+s.ID()+". ELB requires at least 8 free IP addresses in each subnet.", func() error {
		_, err := alb.Create(w.Region, "web", alb.Config{Subnets: []*vpc.Subnet{s.Subnet}})
		return err
	})
}

func TestNamesAreOneAKindOfAPI(t *testing.T) {
	w := vpctest.New(t)
	in := balancer.Config{Subnets: []*vpc.Subnet{w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24").Subnet}}
	for _, create := range []creation{alb.Create, clb.Create} {
		_, err := create(w.Region, "web", in)
		require.NoError(t, err)
	}
	refused(t, w.Region, "DuplicateLoadBalancerName", "A load balancer with the same name 'web' exists, but with different settings", func() error { _, err := nlb.Create(w.Region, "web", in); return err })
}

func TestADatabaseHasOneInterfaceForLife(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	d, err := rds.Create(s.Subnet, "db", rds.Config{})
	require.NoError(t, err)
	require.Equal(t, vpc.Resource(d), d.Interface().Owner())
	refused(t, w.Region, "DBInstanceAlreadyExists", "DB instance already exists", func() error { _, err := rds.Create(s.Subnet, "db", rds.Config{}); return err })
	refused(t, w.Region, "InvalidParameterValue", "The parameter DBInstanceIdentifier must be provided and must not be blank.", func() error { _, err := rds.Create(s.Subnet, "", rds.Config{}); return err })
	require.NoError(t, d.Delete())
	require.Empty(t, w.Region.DescribeNetworkInterfaces().NetworkInterfaces)
	refused(t, w.Region, "DBInstanceNotFound", "DBInstance db not found.", d.Delete)
}
