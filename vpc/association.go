package vpc

import (
	"github.com/vpcsim/vpcsim/ec2"
)

// association ties a route table to a subnet, to a gateway or, as the main table,
// to all subnets that have no other.
type association struct {
	id     string
	table  *RouteTable
	main   bool
	subnet *Subnet
	edge   EdgeGateway
}

// RouteTableAssociation is an association of a route table, a copy: exactly one of
// Main, Subnet and Gateway is set.
type RouteTableAssociation struct {
	// ID is rtbassoc-….
	ID string
	// Main says that it makes the table the VPC's main one.
	Main bool
	// Subnet is the subnet whose table it is.
	Subnet *Subnet
	// Gateway is the gateway whose table it is: an edge association.
	Gateway EdgeGateway
}

// link gives the association an id and puts it in force.
func (tx *Tx) link(t *RouteTable, a *association) {
	a.id, a.table = tx.r.ids.next("rtbassoc"), t
	t.links = append(t.links, a)
	tx.r.links[a.id] = a
	if a.subnet != nil {
		a.subnet.own = a
	}
}

// unlink ends an association.
func (tx *Tx) unlink(a *association) {
	a.table.links = remove(a.table.links, a)
	delete(tx.r.links, a.id)
	if a.subnet != nil {
		a.subnet.own = nil
	}
}

// Associate makes the table the subnet's own (AssociateRouteTable). A subnet that
// has another table of its own is refused with Resource.AlreadyAssociated; see
// [Region.ReplaceRouteTableAssociation].
func (t *RouteTable) Associate(s *Subnet) error {
	return t.Change(func(tx *Tx) error {
		if err := tx.Needs("subnetId", s); err != nil {
			return err
		}
		if s.vpc != t.vpc {
			return Refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", t.id, s.id)
		}
		if s.own != nil && s.own.table == t {
			return nil
		}
		if s.own != nil {
			return refuseConflict(t)
		}
		tx.link(t, &association{subnet: s})
		return nil
	})
}

// AssociateGateway makes the table the gateway's: an edge association
// (AssociateRouteTable). The table's routes must be what a gateway route table may
// hold (VPC guide, "Gateway route tables"); the main table is refused with
// InvalidParameterValue (code and sentence are inferred).
func (t *RouteTable) AssociateGateway(g EdgeGateway) error {
	return t.Change(func(tx *Tx) error {
		if err := tx.Needs("gatewayId", g); err != nil {
			return err
		}
		if g.AttachedTo(tx) != t.vpc {
			return Refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", t.id, g.ID())
		}
		switch was := t.vpc.edgeTable(g); {
		case was == t:
			return nil
		case was != nil:
			return refuseConflict(t)
		}
		if err := checkEdgeTable(t, g); err != nil {
			return err
		}
		tx.link(t, &association{edge: g})
		return nil
	})
}

func refuseConflict(t *RouteTable) error {
	return Refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.id)
}

// ReplaceRouteTableAssociation gives the subnet, the gateway or, by the main
// association, the VPC another table and returns the new association's id.
func (r *Region) ReplaceRouteTableAssociation(id string, t *RouteTable) (string, error) {
	var made association
	err := r.Change(func(tx *Tx) error {
		a, err := tx.association(id)
		if err != nil {
			return err
		}
		if err := tx.Needs("routeTableId", t); err != nil {
			return err
		}
		if err := checkReplacement(a, t); err != nil {
			return err
		}
		tx.unlink(a)
		made = association{main: a.main, subnet: a.subnet, edge: a.edge}
		tx.link(t, &made)
		if a.main {
			t.vpc.main = t
		}
		return nil
	})
	return made.id, err
}

func checkReplacement(a *association, t *RouteTable) error {
	switch {
	case t.vpc != a.table.vpc:
		return Refuse("InvalidParameterValue", "route table %s and route table %s belong to different networks", t.id, a.table.id)
	case a.edge != nil:
		return checkEdgeTable(t, a.edge)
	case a.main && len(t.edges()) > 0:
		return Refuse("InvalidParameterValue", msgMainEdge, t.id)
	}
	return nil
}

// DisassociateRouteTable ends an association: the subnet has the main table again,
// the gateway the implied one, VPC CIDR to local. The main association is refused
// (the sentence is an emulator's).
func (r *Region) DisassociateRouteTable(id string) error {
	return r.Change(func(tx *Tx) error {
		a, err := tx.association(id)
		if err != nil {
			return err
		}
		if a.main {
			return Refuse("InvalidParameterValue", "cannot disassociate the main route table association %s", id)
		}
		tx.unlink(a)
		return nil
	})
}

// association finds an association (the sentence of the refusal is unproven).
func (tx *Tx) association(id string) (*association, error) {
	if a, ok := tx.r.links[id].(*association); ok {
		return a, nil
	}
	return nil, Refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
}

// ReplaceRouteTable makes t the subnet's table whatever it was before; nil gives it
// back to the main table.
func (s *Subnet) ReplaceRouteTable(t *RouteTable) error {
	return s.Change(func(tx *Tx) error {
		if t != nil {
			if err := tx.Needs("routeTableId", t); err != nil {
				return err
			}
			if s.vpc != t.vpc {
				return Refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", t.id, s.id)
			}
		}
		if s.own != nil {
			tx.unlink(s.own)
		}
		if t != nil {
			tx.link(t, &association{subnet: s})
		}
		return nil
	})
}

// Associations returns the table's associations, in the order in which they were made.
func (t *RouteTable) Associations() []RouteTableAssociation {
	var list []RouteTableAssociation
	t.region.read(func() {
		for _, a := range t.links {
			list = append(list, RouteTableAssociation{ID: a.id, Main: a.main, Subnet: a.subnet, Gateway: a.edge})
		}
	})
	return list
}

// edges returns the gateways that the table is associated with.
func (t *RouteTable) edges() []EdgeGateway {
	var list []EdgeGateway
	for _, a := range t.links {
		if a.edge != nil {
			list = append(list, a.edge)
		}
	}
	return list
}

// serves reports whether the table is some subnet's, or the main one.
func (t *RouteTable) serves() bool {
	for _, a := range t.links {
		if a.edge == nil {
			return true
		}
	}
	return false
}

// dropEdge ends the gateway's edge association, as detaching it does.
func (tx *Tx) dropEdge(g EdgeGateway) {
	for _, v := range tx.r.vpcs {
		for _, t := range v.tables {
			for _, a := range t.links {
				if a.edge == g {
					tx.unlink(a)
					return
				}
			}
		}
	}
}

// edgeTable returns the route table associated with the gateway, or nil.
func (v *VPC) edgeTable(g EdgeGateway) *RouteTable {
	for _, t := range v.tables {
		for _, a := range t.links {
			if a.edge != nil && a.edge == g {
				return t
			}
		}
	}
	return nil
}

// GatewayRouteTable returns the route table associated with the gateway, nil where
// it has the implied one.
func (v *VPC) GatewayRouteTable(g EdgeGateway) *RouteTable {
	var t *RouteTable
	v.region.read(func() { t = v.edgeTable(g) })
	return t
}

func (a *association) shape() ec2.RouteTableAssociation {
	s := ec2.RouteTableAssociation{
		RouteTableAssociationId: new(a.id), RouteTableId: new(a.table.id), Main: new(a.main),
		AssociationState: &ec2.RouteTableAssociationState{State: new(ec2.RouteTableAssociationStateCodeAssociated)},
	}
	if a.subnet != nil {
		s.SubnetId = new(a.subnet.id)
	}
	if a.edge != nil {
		s.GatewayId = new(a.edge.ID())
	}
	return s
}
