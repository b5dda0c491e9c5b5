package igw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/vpc"
)

// EgressOnlyInternetGateway is a gateway for IPv6 that lets in only what answers
// (VPC guide, "Egress-only internet gateways"). No route table can be associated
// with it.
type EgressOnlyInternetGateway struct {
	vpc.Base
	vpc *vpc.VPC
}

// EgressOnlyConfig says how an egress-only internet gateway is made.
type EgressOnlyConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// CreateEgressOnly makes an egress-only internet gateway for a VPC, to which it is
// attached for life (CreateEgressOnlyInternetGateway).
func CreateEgressOnly(v *vpc.VPC, c EgressOnlyConfig) (*EgressOnlyInternetGateway, error) {
	var g *EgressOnlyInternetGateway
	err := v.Region().Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("eigw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &EgressOnlyInternetGateway{Base: b, vpc: v}
		tx.Add(g)
		tx.Attach(v, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Delete deletes the gateway: routes that name it become black holes.
func (g *EgressOnlyInternetGateway) Delete() error {
	return g.Region().Change(func(tx *vpc.Tx) error {
		if tx.Attached(g.vpc, "eigw") == nil {
			return refuse("InvalidGatewayID.NotFound", "The eigw ID '%s' does not exist", g.ID())
		}
		tx.Detach(g.vpc, g)
		tx.Remove(g)
		return nil
	})
}

// VPC returns the VPC that the gateway was made for.
func (g *EgressOnlyInternetGateway) VPC() *vpc.VPC { return g.vpc }

// Available reports whether the gateway is v's.
func (g *EgressOnlyInternetGateway) Available(v *vpc.VPC) bool { return g.vpc == v }

// CheckRoute refuses a table of another VPC and destinations that are not IPv6 (the
// sentence for the latter is inferred).
func (g *EgressOnlyInternetGateway) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, dst netip.Prefix) error {
	if g.vpc != t.VPC() {
		return refuse("InvalidGatewayID.NotFound", "The eigw ID '%s' does not exist", g.ID())
	}
	if !dst.Addr().Is6() {
		return refuse("InvalidParameterValue", "An egress-only internet gateway takes IPv6 destinations only, not %s", dst)
	}
	return nil
}
