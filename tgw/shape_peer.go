package tgw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// DescribePeeringAttachments lists the region's ends of peering attachments
// (DescribeTransitGatewayPeeringAttachments), gateway by gateway. One that has ended
// stays listed for two hours.
func DescribePeeringAttachments(r *vpc.Region) *ec2.DescribeTransitGatewayPeeringAttachmentsResult {
	list := []ec2.TransitGatewayPeeringAttachment{}
	eachAttachment(r, func(tx *vpc.Tx, a *Attachment) {
		if a.peer != nil {
			list = append(list, a.peerShape(tx))
		}
	})
	return &ec2.DescribeTransitGatewayPeeringAttachmentsResult{TransitGatewayPeeringAttachments: list}
}

func (a *Attachment) peerShape(tx *vpc.Tx) ec2.TransitGatewayPeeringAttachment {
	p, state := a.peer, a.state()
	s := ec2.TransitGatewayPeeringAttachment{
		TransitGatewayAttachmentId: new(a.ID()), State: new(state), Status: &ec2.PeeringAttachmentStatus{Code: new(string(state))},
		RequesterTgwInfo: p.ends[0].shape(), AccepterTgwInfo: p.ends[1].shape(),
		CreationTime: new(ec2.TimestampOf(a.created)), Tags: tx.TagShapes(a),
	}
	if p.ends[1].attachment != p.ends[0].attachment {
		s.AccepterTransitGatewayAttachmentId = new(p.ends[1].attachment)
	}
	return s
}

func (e *gatewayEnd) shape() *ec2.PeeringTgwInfo {
	return &ec2.PeeringTgwInfo{TransitGatewayId: new(e.id), OwnerId: new(e.owner), Region: new(e.region)}
}
