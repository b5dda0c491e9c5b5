package lgw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// available is the state of all that is described.
const available = "available"

// Describe lists the region's local gateways (DescribeLocalGateways), in the order in
// which they were made.
func Describe(r *vpc.Region) *ec2.DescribeLocalGatewaysResult {
	list := []ec2.LocalGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*LocalGateway](tx) {
			list = append(list, ec2.LocalGateway{
				LocalGatewayId: new(g.ID()), OutpostArn: new(g.outpost), OwnerId: new(g.OwnerID()), State: new(available), Tags: tx.TagShapes(g),
			})
		}
	})
	return &ec2.DescribeLocalGatewaysResult{LocalGateways: list}
}

// arn returns the table's ARN.
func (t *RouteTable) arn() *string {
	return new("arn:aws:ec2:" + t.Region().Name() + ":" + t.OwnerID() + ":local-gateway-route-table/" + t.ID())
}

// DescribeRouteTables lists the gateways' route tables (DescribeLocalGatewayRouteTables).
func DescribeRouteTables(r *vpc.Region) *ec2.DescribeLocalGatewayRouteTablesResult {
	list := []ec2.LocalGatewayRouteTable{}
	each(r, func(tx *vpc.Tx, t *RouteTable) {
		list = append(list, ec2.LocalGatewayRouteTable{
			LocalGatewayRouteTableId: new(t.ID()), LocalGatewayRouteTableArn: t.arn(), LocalGatewayId: new(t.gateway.ID()),
			OutpostArn: new(t.gateway.outpost), OwnerId: new(t.OwnerID()), State: new(available), Mode: new(t.mode), Tags: tx.TagShapes(t),
		})
	})
	return &ec2.DescribeLocalGatewayRouteTablesResult{LocalGatewayRouteTables: list}
}

// DescribeAssociations lists the associations with VPCs
// (DescribeLocalGatewayRouteTableVpcAssociations).
func DescribeAssociations(r *vpc.Region) *ec2.DescribeLocalGatewayRouteTableVpcAssociationsResult {
	list := []ec2.LocalGatewayRouteTableVpcAssociation{}
	each(r, func(tx *vpc.Tx, t *RouteTable) {
		for _, a := range t.associations {
			list = append(list, ec2.LocalGatewayRouteTableVpcAssociation{
				LocalGatewayRouteTableVpcAssociationId: new(a.ID()), LocalGatewayRouteTableId: new(t.ID()), LocalGatewayRouteTableArn: t.arn(),
				LocalGatewayId: new(t.gateway.ID()), VpcId: new(a.vpc.ID()), OwnerId: new(a.OwnerID()), State: new("associated"), Tags: tx.TagShapes(a),
			})
		}
	})
	return &ec2.DescribeLocalGatewayRouteTableVpcAssociationsResult{LocalGatewayRouteTableVpcAssociations: list}
}

func each(r *vpc.Region, f func(tx *vpc.Tx, t *RouteTable)) {
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*LocalGateway](tx) {
			for _, t := range g.tables {
				f(tx, t)
			}
		}
	})
}

// Search lists the table's static routes in the order in which they were made
// (SearchLocalGatewayRoutes with type static).
func (t *RouteTable) Search() *ec2.SearchLocalGatewayRoutesResult {
	list := []ec2.LocalGatewayRoute{}
	t.Region().View(func(tx *vpc.Tx) {
		for _, r := range t.routes {
			s := ec2.LocalGatewayRoute{
				DestinationCidrBlock: new(r.dst.String()), Type: new(ec2.LocalGatewayRouteTypeStatic), State: new(ec2.LocalGatewayRouteStateActive),
				LocalGatewayRouteTableId: new(t.ID()), LocalGatewayRouteTableArn: t.arn(), OwnerId: new(t.OwnerID()),
			}
			switch {
			case r.nic == nil:
				s.LocalGatewayVirtualInterfaceGroupId = new(t.gateway.group)
			case !tx.Knows(r.nic) || !tx.Runs(r.nic):
				s.State = new(ec2.LocalGatewayRouteStateBlackhole)
				fallthrough
			default:
				s.NetworkInterfaceId = new(r.nic.ID())
				s.SubnetId = new(r.nic.Subnet().ID())
			}
			list = append(list, s)
		}
	})
	return &ec2.SearchLocalGatewayRoutesResult{Routes: list}
}
