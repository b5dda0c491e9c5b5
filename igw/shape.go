package igw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's internet gateways (DescribeInternetGateways), in the
// order in which they were made.
func Describe(r *vpc.Region) *ec2.DescribeInternetGatewaysResult {
	list := []ec2.InternetGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*InternetGateway](tx) {
			list = append(list, ec2.InternetGateway{
				InternetGatewayId: new(g.ID()), OwnerId: new(g.OwnerID()), Attachments: attachments(g.AttachedTo(tx)), Tags: tx.TagShapes(g),
			})
		}
	})
	return &ec2.DescribeInternetGatewaysResult{InternetGateways: list}
}

// DescribeEgressOnly lists the region's egress-only internet gateways
// (DescribeEgressOnlyInternetGateways), in the order in which they were made.
func DescribeEgressOnly(r *vpc.Region) *ec2.DescribeEgressOnlyInternetGatewaysResult {
	list := []ec2.EgressOnlyInternetGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*EgressOnlyInternetGateway](tx) {
			s := ec2.EgressOnlyInternetGateway{
				EgressOnlyInternetGatewayId: new(g.ID()), Tags: tx.TagShapes(g),
				Attachments: []ec2.InternetGatewayAttachment{{VpcId: new(g.vpc.ID()), State: new(ec2.AttachmentStatusAttached)}},
			}
			list = append(list, s)
		}
	})
	return &ec2.DescribeEgressOnlyInternetGatewaysResult{EgressOnlyInternetGateways: list}
}

// attachments is the shape of an attachment. An internet gateway says available
// where others say attached (recorded answers of AWS).
func attachments(v *vpc.VPC) []ec2.InternetGatewayAttachment {
	if v == nil {
		return []ec2.InternetGatewayAttachment{}
	}
	return []ec2.InternetGatewayAttachment{{VpcId: new(v.ID()), State: new(ec2.AttachmentStatus("available"))}}
}
