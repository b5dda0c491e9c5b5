package awscli

import (
	"fmt"
	"math/rand/v2"

	"github.com/vpcsim/vpcsim/ec2"
)

// routeTables makes an answer of a few tables.
func routeTables(r *rand.Rand) *ec2.DescribeRouteTablesResult {
	answer := &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{}}
	for i := range 1 + r.IntN(4) {
		t := ec2.RouteTable{
			Associations: []ec2.RouteTableAssociation{{
				Main:             new(i == 0),
				AssociationState: &ec2.RouteTableAssociationState{State: new(ec2.RouteTableAssociationStateCodeAssociated)},
			}},
			Routes:       []ec2.Route{local("10.0.0.0/16")},
			RouteTableId: new(fmt.Sprintf("rtb-%03d", r.IntN(1000))),
			VpcId:        new("vpc-1"),
		}
		for range r.IntN(3) {
			t.Routes = append(t.Routes, ec2.Route{
				DestinationCidrBlock: new(fmt.Sprintf("10.%d.0.0/16", r.IntN(200))),
				TransitGatewayId:     new("tgw-1"),
				State:                new(pick(r, ec2.RouteStateActive, ec2.RouteStateBlackhole)),
			})
		}
		answer.RouteTables = append(answer.RouteTables, t)
	}
	return answer
}

func local(cidr string) ec2.Route {
	return ec2.Route{
		DestinationCidrBlock: &cidr,
		GatewayId:            new("local"),
		Origin:               new(ec2.RouteOriginCreateRouteTable),
		State:                new(ec2.RouteStateActive),
	}
}
