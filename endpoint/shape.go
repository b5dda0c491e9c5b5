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
		State: new(ec2.State("available")), RouteTableIds: []string{}, SubnetIds: []string{}, Groups: []ec2.SecurityGroupIdentifier{},
		PrivateDnsEnabled: new(false), RequesterManaged: new(false), NetworkInterfaceIds: []string{}, DnsEntries: []ec2.DnsEntry{},
		CreationTimestamp: new(ec2.TimestampOf(e.created)), OwnerId: new(e.Region().Account()), Tags: tx.TagShapes(e),
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
