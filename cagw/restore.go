package cagw

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a carrier gateway as described. Carrier IP addresses are told by the
// descriptions of interfaces, and the carrier's network is not: [CarrierGateway.Connect].
// See the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.CarrierGateway) (*CarrierGateway, error) {
	v, err := vpc.Named[*vpc.VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("CarrierGatewayId", s.CarrierGatewayId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &CarrierGateway{Base: b, vpc: v}
	tx.Add(g)
	return g, nil
}
