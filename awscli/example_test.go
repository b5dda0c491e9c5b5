package awscli_test

import (
	"fmt"
	"os"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/ec2"
)

// aws ec2 describe-route-tables --query 'RouteTables[].Routes' --output table
func ExampleTable() {
	answer := &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{{
		RouteTableId: new("rtb-1"),
		Routes: []ec2.Route{{
			DestinationCidrBlock: new("10.0.0.0/16"),
			GatewayId:            new("local"),
			Origin:               new(ec2.RouteOriginCreateRouteTable),
			State:                new(ec2.RouteStateActive),
		}},
	}}}
	routes, err := awscli.Query(answer, "RouteTables[].Routes")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := awscli.Table(os.Stdout, "DescribeRouteTables", routes); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ---------------------------------------------------------------------
	// |                        DescribeRouteTables                        |
	// +-----------------------+------------+--------------------+---------+
	// | DestinationCidrBlock  | GatewayId  |      Origin        |  State  |
	// +-----------------------+------------+--------------------+---------+
	// |  10.0.0.0/16          |  local     |  CreateRouteTable  |  active |
	// +-----------------------+------------+--------------------+---------+
}
