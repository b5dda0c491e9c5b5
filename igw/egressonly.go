package igw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// EgressOnlyInternetGateway is a gateway for IPv6 that lets in only what answers
// (VPC guide, "Egress-only internet gateways"). It is made attached and stays so. No
// route table can be associated with it.
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

// CreateEgressOnly makes an egress-only internet gateway for the VPC
// (CreateEgressOnlyInternetGateway). A VPC has one at most (code and sentence of the
// refusal are inferred from the internet gateway's).
func CreateEgressOnly(v *vpc.VPC, c EgressOnlyConfig) (*EgressOnlyInternetGateway, error) {
	var g *EgressOnlyInternetGateway
	err := v.Change(func(tx *vpc.Tx) error {
		if tx.Attached(v, "eigw") != nil {
			return vpc.Refuse("InvalidParameterValue", "Network %s already has an egress only internet gateway attached", v.ID())
		}
		if err := tx.Within(vpc.QuotaEgressOnlyInternetGateways, len(vpc.Gateways[*EgressOnlyInternetGateway](tx)), v.ID()); err != nil {
			return err
		}
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

// Delete deletes the gateway. Routes that name it become black holes.
func (g *EgressOnlyInternetGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		tx.Detach(g.vpc, g)
		tx.Remove(g)
		return nil
	})
}

// VPC returns the VPC that the gateway is for.
func (g *EgressOnlyInternetGateway) VPC() *vpc.VPC { return g.vpc }

// Available reports whether the gateway is v's.
func (g *EgressOnlyInternetGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool { return g.vpc == v }

// ListRoute lists a route to the gateway.
func (g *EgressOnlyInternetGateway) ListRoute(s *ec2.Route) {
	s.EgressOnlyInternetGatewayId = new(g.ID())
}

// CheckRoute refuses a table of another VPC, for which the gateway does not exist,
// and a destination of IPv4 (the sentence is inferred).
func (g *EgressOnlyInternetGateway) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, dst netip.Prefix) error {
	if g.vpc != t.VPC() {
		return vpc.TargetNotFound(g.ID())
	}
	if dst.IsValid() && dst.Addr().Is4() {
		return vpc.Refuse("InvalidParameterValue", "The destination CIDR block %s is IPv4. An egress only internet gateway takes IPv6 alone.", dst)
	}
	return nil
}
