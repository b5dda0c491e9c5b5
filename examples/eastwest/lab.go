package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// began is when the simulation begins: on the day of the report.
var began = time.Date(2021, 9, 17, 12, 0, 0, 0, time.UTC)

// build makes the network of the report, with its addresses and ids.
func build() (*lab, error) {
	w := world.New(world.Config{Seed: 2})
	l := &lab{world: w, region: w.Region(vpc.RegionConfig{Name: "ap-northeast-3", Start: began})}
	v, err := l.region.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	if err != nil {
		return nil, err
	}
	gateway, err := igw.Create(l.region, igw.Config{ID: "igw-09e9571aa689c8066"})
	if err != nil {
		return nil, err
	}
	if err := gateway.Attach(v); err != nil {
		return nil, err
	}
	source, sourceRoutes, err := subnet(v, "source", "10.0.0.0/24")
	if err != nil {
		return nil, err
	}
	destination, destinationRoutes, err := subnet(v, "destination", "10.0.1.0/24")
	if err != nil {
		return nil, err
	}
	nat, natRoutes, err := subnet(v, "nat", "10.0.2.0/24")
	if err != nil {
		return nil, err
	}
	l.sourceRoutes, l.destinationRoutes, l.natRoutes = sourceRoutes, destinationRoutes, natRoutes
	l.nat, err = natgw.Create(nat, natgw.Config{
		ID: "nat-0efd1351c899a1d4b", InterfaceID: "eni-0f62ab5dbbe7cffb5",
		Private: true, PrivateIP: netip.MustParseAddr("10.0.2.149"),
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		sourceRoutes.CreateRoute("10.0.1.0/24", l.nat),
		sourceRoutes.CreateRoute("0.0.0.0/0", gateway),
		destinationRoutes.CreateRoute("0.0.0.0/0", gateway),
	); err != nil {
		return nil, err
	}
	if l.group, err = v.CreateSecurityGroup("destination", vpc.SecurityGroupConfig{}); err != nil {
		return nil, err
	}
	if err := l.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/16")); err != nil {
		return nil, err
	}
	return l, l.launch(source, destination)
}

// subnet makes a subnet with a route table of its own.
func subnet(v *vpc.VPC, name, cidr string) (*vpc.Subnet, *vpc.RouteTable, error) {
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: name})
	if err != nil {
		return nil, nil, err
	}
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: name + " table"})
	if err != nil {
		return nil, nil, err
	}
	return s, t, t.Associate(s)
}

// launch starts both instances, Amazon Linux 2 with public addresses.
func (l *lab) launch(source, destination *vpc.Subnet) error {
	a, err := source.RunInstance(vpc.InstanceConfig{
		Name: "source instance", AssociatePublicIP: true,
		Interface: vpc.NetworkInterfaceConfig{PrivateIP: netip.MustParseAddr("10.0.0.11")},
	})
	if err != nil {
		return err
	}
	b, err := destination.RunInstance(vpc.InstanceConfig{
		Name: "destination instance", AssociatePublicIP: true,
		Interface: vpc.NetworkInterfaceConfig{
			PrivateIP: netip.MustParseAddr("10.0.1.55"), Groups: []*vpc.SecurityGroup{l.group},
		},
	})
	if err != nil {
		return err
	}
	l.nic, l.instances = b.Interface(), [2]*vpc.Instance{a, b}
	if l.source, err = l.world.Boot(a, host.Config{Name: "ip-10-0-0-11"}); err != nil {
		return err
	}
	l.destination, err = l.world.Boot(b, host.Config{Name: "ip-10-0-1-55"})
	return err
}

// describe prints what the aws CLI prints of the routes and the NAT gateway.
func (l *lab) describe(out io.Writer) error {
	for _, t := range []*vpc.RouteTable{l.sourceRoutes, l.destinationRoutes, l.natRoutes} {
		routes, err := awscli.Query(t.Describe(), "RouteTables[].Routes")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "$ aws ec2 describe-route-tables --route-table-ids %s --query 'RouteTables[].Routes' --output table\n", t.ID())
		if err := awscli.Table(out, "DescribeRouteTables", routes); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "$ aws ec2 describe-nat-gateways --output table\n")
	return awscli.Table(out, "DescribeNatGateways", natgw.Describe(l.region))
}
