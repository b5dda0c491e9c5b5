package lgw

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a local gateway as described. The on-premises network is not modelled
// until [LocalGateway.Connect]. See the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.LocalGateway) (*LocalGateway, error) {
	b, err := tx.RestoreBase("LocalGatewayId", s.LocalGatewayId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &LocalGateway{Base: b, outpost: ec2.Value(s.OutpostArn), group: "lgw-vif-grp-" + tx.NewSuffix()}
	tx.Add(g)
	return g, nil
}

// RestoreRouteTable makes a route table as described, after its gateway. Where it leads is
// not known until [RestoreRoutes]: packets end as trace.Unmodelled.
func RestoreRouteTable(tx *vpc.Tx, s ec2.LocalGatewayRouteTable) (*RouteTable, error) {
	g, err := vpc.Named[*LocalGateway](tx, "LocalGatewayId", s.LocalGatewayId)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("LocalGatewayRouteTableId", s.LocalGatewayRouteTableId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	t := &RouteTable{Base: b, gateway: g, untold: true, mode: cmp.Or(ec2.Value(s.Mode), ec2.LocalGatewayRouteTableModeDirectVpcRouting)}
	g.tables = append(g.tables, t)
	tx.Add(t)
	return t, nil
}

// RestoreAssociation ties a table and a VPC as described.
func RestoreAssociation(tx *vpc.Tx, s ec2.LocalGatewayRouteTableVpcAssociation) (*Association, error) {
	t, err := vpc.Named[*RouteTable](tx, "LocalGatewayRouteTableId", s.LocalGatewayRouteTableId)
	if err != nil {
		return nil, err
	}
	v, err := vpc.Named[*vpc.VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("LocalGatewayRouteTableVpcAssociationId", s.LocalGatewayRouteTableVpcAssociationId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	a := &Association{Base: b, table: t, vpc: v}
	t.associations = append(t.associations, a)
	tx.Add(a)
	return a, nil
}

// RestoreRoutes gives the table the routes that are described. Propagated ones follow from
// subnets and addresses, and are passed over.
func RestoreRoutes(tx *vpc.Tx, t *RouteTable, list []ec2.LocalGatewayRoute) error {
	t.untold = false
	var bad []error
	for i, s := range list {
		if err := t.restoreRoute(tx, fmt.Sprintf("Routes[%d].", i), s); err != nil {
			bad = append(bad, err)
		}
	}
	return errors.Join(bad...)
}

func (t *RouteTable) restoreRoute(tx *vpc.Tx, at string, s ec2.LocalGatewayRoute) error {
	switch {
	case ec2.Value(s.Type) == ec2.LocalGatewayRouteTypePropagated:
		return nil
	case ec2.Value(s.State) == ec2.LocalGatewayRouteStateDeleted, ec2.Value(s.State) == ec2.LocalGatewayRouteStateDeleting:
		return nil
	}
	p, err := netip.ParsePrefix(ec2.Value(s.DestinationCidrBlock))
	if err != nil || !p.Addr().Is4() {
		return &vpc.ShapeError{Field: at + "DestinationCidrBlock", Value: ec2.Value(s.DestinationCidrBlock), Want: "an IPv4 CIDR"}
	}
	r := row{dst: p.Masked()}
	if ec2.Value(s.NetworkInterfaceId) != "" {
		if r.nic, err = vpc.Named[*vpc.NetworkInterface](tx, at+"NetworkInterfaceId", s.NetworkInterfaceId); err != nil {
			return err
		}
	} else if id := ec2.Value(s.LocalGatewayVirtualInterfaceGroupId); id != "" {
		t.gateway.group = id
	}
	t.routes = append(t.routes, r)
	return nil
}
