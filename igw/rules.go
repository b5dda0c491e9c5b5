package igw

import (
	"github.com/vpcsim/vpcsim/vpc"
)

// checkAttach: one VPC a gateway, one gateway a VPC. The sentence for a gateway
// that is attached already is unproven.
func checkAttach(tx *vpc.Tx, g *InternetGateway, v *vpc.VPC) error {
	if err := tx.Needs("vpcId", v); err != nil {
		return err
	}
	if at := g.AttachedTo(tx); at != nil {
		return vpc.Refuse("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID(), at.ID())
	}
	if tx.Attached(v, "igw") != nil {
		return vpc.Refuse("InvalidParameterValue", "Network %s already has an internet gateway attached", v.ID())
	}
	return nil
}

// checkDetach refuses while public addresses are mapped: their translation would go.
// The sentence for a gateway that is not attached is unproven.
func checkDetach(tx *vpc.Tx, g *InternetGateway, v *vpc.VPC) error {
	if err := tx.Needs("vpcId", v); err != nil {
		return err
	}
	if !g.Available(tx, v) {
		return vpc.Refuse("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID(), v.ID())
	}
	if tx.HasPublicAddresses(v) {
		return vpc.Refuse("DependencyViolation", "Network %s has some mapped public address(es). "+
			"Please unmap those public address(es) before detaching the gateway.", v.ID())
	}
	return nil
}
