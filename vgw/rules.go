package vgw

import (
	"fmt"

	"github.com/vpcsim/vpcsim/vpc"
)

func refuse(code, format string, args ...any) error {
	return &vpc.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// checkAttach: one VPC a gateway, one gateway a VPC. The codes are AWS's; the
// sentences are inferred.
func checkAttach(tx *vpc.Tx, g *VirtualPrivateGateway, v *vpc.VPC) error {
	if g.vpc != nil {
		return refuse("VpnGatewayAttachmentLimitExceeded", "The vpnGateway '%s' is already attached to network %s", g.ID(), g.vpc.ID())
	}
	if tx.Attached(v, "vgw") != nil {
		return refuse("InvalidVpcState", "Network %s already has a VPN gateway attached", v.ID())
	}
	return nil
}
