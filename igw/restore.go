package igw

import (
	"errors"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes an internet gateway as described, attached where it was. See the
// Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.InternetGateway) (*InternetGateway, error) {
	b, err := tx.RestoreBase("InternetGatewayId", s.InternetGatewayId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &InternetGateway{Base: b}
	tx.Add(g)
	v, err := restoredVPC(tx, s.Attachments)
	if v != nil {
		tx.Attach(v, g)
	}
	return g, err
}

// RestoreEgressOnly makes an egress-only internet gateway as described. One that is
// attached to no VPC is an error: AWS has none.
func RestoreEgressOnly(tx *vpc.Tx, s ec2.EgressOnlyInternetGateway) (*EgressOnlyInternetGateway, error) {
	b, err := tx.RestoreBase("EgressOnlyInternetGatewayId", s.EgressOnlyInternetGatewayId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := restoredVPC(tx, s.Attachments)
	if v == nil {
		return nil, errors.Join(err, vpc.Absent("Attachments", ""))
	}
	g := &EgressOnlyInternetGateway{Base: b, vpc: v}
	tx.Add(g)
	tx.Attach(v, g)
	return g, err
}

// restoredVPC returns the VPC of the attachment that is in force, nil where there is none.
func restoredVPC(tx *vpc.Tx, attachments []ec2.InternetGatewayAttachment) (*vpc.VPC, error) {
	for _, a := range attachments {
		switch ec2.Value(a.State) {
		case ec2.AttachmentStatusDetached, ec2.AttachmentStatusDetaching:
			continue
		}
		return vpc.Named[*vpc.VPC](tx, "Attachments[0].VpcId", a.VpcId)
	}
	return nil, nil
}
