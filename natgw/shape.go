package natgw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's NAT gateways (DescribeNatGateways), in the order in
// which they were made. A failed or deleted one stays listed for an hour.
func Describe(r *vpc.Region) *ec2.DescribeNatGatewaysResult {
	list := []ec2.NatGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*NATGateway](tx) {
			if g.state == Available || r.Listed(g.ended) {
				list = append(list, g.shape(tx))
			}
		}
	})
	return &ec2.DescribeNatGatewaysResult{NatGateways: list}
}

// shape gives a private gateway's addresses without Elastic IP (measured: S002).
func (g *NATGateway) shape(tx *vpc.Tx) ec2.NatGateway {
	s := ec2.NatGateway{
		NatGatewayId: new(g.ID()), SubnetId: new(g.subnet.ID()), VpcId: new(g.subnet.VPC().ID()), State: new(ec2.NatGatewayState(g.state)),
		CreateTime: new(ec2.TimestampOf(g.created)), ConnectivityType: new(ec2.ConnectivityTypePublic), NatGatewayAddresses: []ec2.NatGatewayAddress{},
	}
	if g.private {
		s.ConnectivityType = new(ec2.ConnectivityTypePrivate)
	}
	if tags := tx.TagShapes(g); len(tags) > 0 {
		s.Tags = tags
	}
	switch g.state {
	case Failed:
		s.FailureCode, s.FailureMessage = new(g.failureCode), new(g.failureMessage)
		s.DeleteTime = new(ec2.TimestampOf(g.ended))
	case Deleted:
		s.DeleteTime = new(ec2.TimestampOf(g.ended))
	}
	for _, a := range g.addresses {
		s.NatGatewayAddresses = append(s.NatGatewayAddresses, g.addressShape(tx, a))
	}
	return s
}

func (g *NATGateway) addressShape(tx *vpc.Tx, a address) ec2.NatGatewayAddress {
	s := ec2.NatGatewayAddress{PrivateIp: new(a.private.String())}
	if g.nic != nil {
		s.NetworkInterfaceId = new(g.nic.ID())
	}
	if a.eip != nil {
		s.AllocationId, s.PublicIp = new(a.eip.ID()), new(a.eip.PublicIP().String())
		if id := tx.AssociationID(a.eip); id != "" && g.state == Available {
			s.AssociationId = new(id)
		}
	}
	return s
}
