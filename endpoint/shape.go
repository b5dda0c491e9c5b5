package endpoint

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's VPC endpoints (DescribeVpcEndpoints), in the order in
// which they were made.
func Describe(r *vpc.Region) *ec2.DescribeVpcEndpointsResult {
	list := []ec2.VpcEndpoint{}
	r.View(func(tx *vpc.Tx) {
		for _, e := range vpc.Gateways[*Endpoint](tx) {
			list = append(list, e.shape(tx))
		}
	})
	return &ec2.DescribeVpcEndpointsResult{VpcEndpoints: list}
}

func (e *Endpoint) shape(tx *vpc.Tx) ec2.VpcEndpoint {
	s := ec2.VpcEndpoint{
		VpcEndpointId: new(e.ID()), VpcEndpointType: new(ec2.VpcEndpointType(e.kind)), VpcId: new(e.vpc.ID()), ServiceName: new(e.service),
		State: new(ec2.State(e.state)), RouteTableIds: []string{}, SubnetIds: []string{}, Groups: []ec2.SecurityGroupIdentifier{},
		PrivateDnsEnabled: new(e.private), RequesterManaged: new(e.manager != nil), NetworkInterfaceIds: []string{}, DnsEntries: e.dnsEntries(tx),
		CreationTimestamp: new(ec2.TimestampOf(e.created)), OwnerId: new(e.account), Tags: tx.TagShapes(e),
	}
	if e.families != "" {
		s.IpAddressType = new(e.families)
	}
	for _, t := range e.tables {
		if tx.Needs("routeTableId", t) == nil { // a deleted table has no routes
			s.RouteTableIds = append(s.RouteTableIds, t.ID())
		}
	}
	for _, sub := range e.subnets {
		s.SubnetIds = append(s.SubnetIds, sub.ID())
	}
	for _, g := range e.groups {
		s.Groups = append(s.Groups, ec2.SecurityGroupIdentifier{GroupId: new(g.ID()), GroupName: new(g.Name())})
	}
	for _, n := range e.nics {
		s.NetworkInterfaceIds = append(s.NetworkInterfaceIds, n.ID())
	}
	return s
}

// dnsEntries are the endpoint's names, private ones too; AWS lists them so.
func (e *Endpoint) dnsEntries(tx *vpc.Tx) []ec2.DnsEntry {
	list := []ec2.DnsEntry{}
	for _, n := range e.names(tx) {
		list = append(list, ec2.DnsEntry{DnsName: new(n.Name)})
	}
	return list
}

// DescribeServices lists the region's endpoint services
// (DescribeVpcEndpointServiceConfigurations), by id.
func DescribeServices(r *vpc.Region) *ec2.DescribeVpcEndpointServiceConfigurationsResult {
	list := []ec2.ServiceConfiguration{}
	r.View(func(tx *vpc.Tx) {
		for _, s := range vpc.Resources[*Service](tx) {
			list = append(list, s.shape(tx))
		}
	})
	return &ec2.DescribeVpcEndpointServiceConfigurationsResult{ServiceConfigurations: list}
}

func (s *Service) shape(tx *vpc.Tx) ec2.ServiceConfiguration {
	c := ec2.ServiceConfiguration{
		ServiceId: new(s.ID()), ServiceName: new(s.ServiceName()), ServiceState: new(ec2.ServiceStateAvailable),
		ServiceType:       []ec2.ServiceTypeDetail{{ServiceType: new(ec2.ServiceType(s.kind))}},
		AvailabilityZones: s.zones(tx), AcceptanceRequired: new(s.acceptance), ManagesVpcEndpoints: new(false),
		SupportedIpAddressTypes: s.types,
		BaseEndpointDnsNames:    []string{s.domain()}, Tags: tx.TagShapes(s),
	}
	if s.private != "" {
		c.PrivateDnsName = new(s.private)
		c.PrivateDnsNameConfiguration = &ec2.PrivateDnsNameConfiguration{State: new(ec2.DnsNameStateVerified)}
	}
	for _, p := range s.providers {
		if s.kind == Interface {
			c.NetworkLoadBalancerArns = append(c.NetworkLoadBalancerArns, p.ID())
		} else {
			c.GatewayLoadBalancerArns = append(c.GatewayLoadBalancerArns, p.ID())
		}
	}
	return c
}

// DescribeConnections lists the endpoints of the region's endpoint services
// (DescribeVpcEndpointConnections), service by service.
func DescribeConnections(r *vpc.Region) *ec2.DescribeVpcEndpointConnectionsResult {
	list := []ec2.VpcEndpointConnection{}
	r.View(func(tx *vpc.Tx) {
		for _, s := range vpc.Resources[*Service](tx) {
			for _, e := range s.connections(tx) {
				c := s.shape(tx)
				list = append(list, ec2.VpcEndpointConnection{
					ServiceId: new(s.ID()), VpcEndpointId: new(e.ID()), VpcEndpointOwner: new(e.account), VpcEndpointState: new(ec2.State(e.state)),
					CreationTimestamp: new(ec2.TimestampOf(e.created)), DnsEntries: e.dnsEntries(tx),
					NetworkLoadBalancerArns: c.NetworkLoadBalancerArns, GatewayLoadBalancerArns: c.GatewayLoadBalancerArns,
					IpAddressType: new(e.families), Tags: []ec2.Tag{},
				})
			}
		}
	})
	return &ec2.DescribeVpcEndpointConnectionsResult{VpcEndpointConnections: list}
}
