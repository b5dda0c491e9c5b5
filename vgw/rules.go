package vgw

import (
	"github.com/vpcsim/vpcsim/vpc"
)

// checkAttach: one VPC a gateway, one gateway a VPC. The codes are AWS's; the
// sentences are inferred.
func checkAttach(tx *vpc.Tx, g *VirtualPrivateGateway, v *vpc.VPC) error {
	if err := tx.Needs("vpcId", v); err != nil {
		return err
	}
	if at := g.AttachedTo(tx); at != nil {
		return vpc.Refuse("VpnGatewayAttachmentLimitExceeded", "The vpnGateway '%s' is already attached to network %s", g.ID(), at.ID())
	}
	if tx.Attached(v, "vgw") != nil {
		return vpc.Refuse("InvalidVpcState", "Network %s already has a VPN gateway attached", v.ID())
	}
	return nil
}

// checkDetach refuses an attachment that is not there.
func checkDetach(tx *vpc.Tx, g *VirtualPrivateGateway, v *vpc.VPC) error {
	if err := tx.Needs("vpcId", v); err != nil {
		return err
	}
	if !g.Available(tx, v) {
		return vpc.Refuse("InvalidVpnGatewayAttachment.NotFound",
			"The attachment with vpn gateway ID '%s' and vpc ID '%s' does not exist", g.ID(), v.ID())
	}
	return nil
}
