package vpc

import (
	"net/netip"
	"slices"
)

// Origin says where a route comes from, in AWS's words (EC2 API, Route).
type Origin string

// The origins of routes.
const (
	CreateRouteTable          Origin = "CreateRouteTable"
	CreateRoute               Origin = "CreateRoute"
	EnableVGWRoutePropagation Origin = "EnableVgwRoutePropagation"
)

// RouteState says whether a route's target is there, in AWS's words.
type RouteState string

// The states of a route.
const (
	Active    RouteState = "active"
	Blackhole RouteState = "blackhole"
)

// Route is one row of a route table, a copy.
type Route struct {
	// Destination is the CIDR; invalid where PrefixList is set.
	Destination netip.Prefix
	// PrefixList is the destination's prefix list, nil for a CIDR.
	PrefixList *PrefixList
	// Target is where matching packets go.
	Target Target
	// Origin says where the route comes from.
	Origin Origin
	// State says whether the target is there.
	State RouteState
}

// RouteTable is a set of routes for subnets, for a gateway, or for both.
type RouteTable struct {
	Base
	vpc     *VPC
	routes  []*Route // static ones, and replaced local ones; State is not kept here
	subnets []*Subnet
	edge    EdgeGateway // the gateway that it is associated with, or nil
	learned []Propagator
}

// Propagator is a gateway whose routes a table may take over.
type Propagator interface {
	Gateway
	// Learned returns the destinations that the gateway knows, in order.
	Learned() []netip.Prefix
}

// RouteTableConfig says how a route table is made.
type RouteTableConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// CreateRouteTable makes a custom route table, which has the VPC's local routes.
func (v *VPC) CreateRouteTable(c RouteTableConfig) (*RouteTable, error) {
	var t *RouteTable
	err := v.region.Change(func(tx *Tx) error {
		id, err := tx.NewID("rtb", c.ID)
		if err != nil {
			return err
		}
		t = tx.newRouteTable(v, id)
		if c.Name != "" {
			t.setTag("Name", c.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (tx *Tx) newRouteTable(v *VPC, id string) *RouteTable {
	t := &RouteTable{Base: Base{id: id, region: v.region}, vpc: v}
	v.tables = append(v.tables, t)
	tx.Add(t)
	return t
}

// VPC returns the VPC that holds the table.
func (t *RouteTable) VPC() *VPC { return t.vpc }

// Delete deletes the table. A main table, or one that is associated, is refused
// with DependencyViolation.
func (t *RouteTable) Delete() error {
	return t.region.Change(func(tx *Tx) error {
		if t == t.vpc.main || len(t.subnets) > 0 || t.edge != nil {
			return refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.id)
		}
		t.vpc.tables = remove(t.vpc.tables, t)
		tx.Remove(t)
		return nil
	})
}

// CreateRoute adds a static route. destination is an IPv4 or IPv6 CIDR, whose host
// bits are dropped. A route with the same destination and target is accepted and
// changes nothing; see the rules in rules_route.go for what is refused. A NAT
// gateway's own interface as a target is stored as the NAT gateway (S000).
func (t *RouteTable) CreateRoute(destination string, target Target) error {
	return t.region.Change(func(tx *Tx) error {
		dst, err := parseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		target, err := t.resolve(tx, target)
		if err != nil {
			return err
		}
		if old := t.find(dst); old != nil {
			if sameTarget(old.Target, target) {
				return nil
			}
			return refuse("RouteAlreadyExists", "The route identified by %s already exists.", dst)
		}
		if slices.Contains(t.vpc.cidrs, dst) {
			return refuse("RouteAlreadyExists", "The route identified by %s already exists.", dst)
		}
		if err := checkRoute(tx, t, dst, target); err != nil {
			return err
		}
		t.routes = append(t.routes, &Route{Destination: dst, Target: target, Origin: CreateRoute})
		return nil
	})
}

// CreatePrefixListRoute adds a static route whose destination is a prefix list
// (VPC guide, "Prefix lists and routes").
func (t *RouteTable) CreatePrefixListRoute(l *PrefixList, target Target) error {
	return t.region.Change(func(tx *Tx) error {
		target, err := t.resolve(tx, target)
		if err != nil {
			return err
		}
		for _, r := range t.routes {
			if r.PrefixList == l {
				return refuse("RouteAlreadyExists", "The route identified by %s already exists.", l.id)
			}
		}
		if t.edge != nil {
			return refuse("RouteNotSupported", msgUnsupportedDestination)
		}
		t.routes = append(t.routes, &Route{PrefixList: l, Target: target, Origin: CreateRoute})
		return nil
	})
}

// ReplaceRoute changes the target of a route that exists; of a local route too,
// which Local as the target restores (VPC guide, "Replace the target for a local route").
func (t *RouteTable) ReplaceRoute(destination string, target Target) error {
	return t.region.Change(func(tx *Tx) error {
		dst, err := parseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		isLocal := slices.Contains(t.vpc.cidrs, dst)
		if target == Local {
			if !isLocal {
				return refuse("InvalidParameterValue", "local-target only allowed with network local destination CIDRs")
			}
			t.routes = slices.DeleteFunc(t.routes, func(r *Route) bool { return r.Destination == dst })
			return nil
		}
		target, err := t.resolve(tx, target)
		if err != nil {
			return err
		}
		old := t.find(dst)
		if old == nil && !isLocal {
			return refuse("InvalidParameterValue", "There is no route defined for '%s' in the route table. Use CreateRoute instead.", dst)
		}
		if err := checkRoute(tx, t, dst, target); err != nil {
			return err
		}
		if old == nil {
			old = &Route{Destination: dst, Origin: CreateRouteTable}
			t.routes = append(t.routes, old)
		}
		old.Target = target
		return nil
	})
}

// DeleteRoute deletes a static route. A local route can't be deleted.
func (t *RouteTable) DeleteRoute(destination string) error {
	return t.region.Change(func(*Tx) error {
		dst, err := parseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		if slices.Contains(t.vpc.cidrs, dst) {
			return refuse("InvalidParameterValue", "cannot remove local route %s in route table %s", dst, t.id)
		}
		old := t.find(dst)
		if old == nil {
			return refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", dst, t.id)
		}
		t.routes = remove(t.routes, old)
		return nil
	})
}

func routeParameter(s string) string {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is6() {
		return "destinationIpv6CidrBlock"
	}
	return "destinationCidrBlock"
}

// find returns the stored row for exactly dst, or nil.
func (t *RouteTable) find(dst netip.Prefix) *Route {
	for _, r := range t.routes {
		if r.Destination == dst {
			return r
		}
	}
	return nil
}

func sameTarget(a, b Target) bool { return a.ID() == b.ID() }

// Associate makes the table the subnet's own. A subnet that has a table of its own
// is refused with Resource.AlreadyAssociated; see [Subnet.ReplaceRouteTable].
func (t *RouteTable) Associate(s *Subnet) error {
	return t.region.Change(func(*Tx) error {
		if s.vpc != t.vpc {
			return refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", t.id, s.id)
		}
		if s.table == t {
			return nil
		}
		if s.table != nil {
			return refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.id)
		}
		s.setTable(t)
		return nil
	})
}

// ReplaceRouteTable makes t the subnet's table whatever it was before; nil gives it
// back to the main table.
func (s *Subnet) ReplaceRouteTable(t *RouteTable) error {
	return s.region.Change(func(*Tx) error {
		if t != nil && s.vpc != t.vpc {
			return refuse("InvalidParameterValue", "route table %s and subnet %s belong to different networks", t.id, s.id)
		}
		s.setTable(t)
		return nil
	})
}

func (s *Subnet) setTable(t *RouteTable) {
	if s.table != nil {
		s.table.subnets = remove(s.table.subnets, s)
	}
	s.table = t
	if t != nil {
		t.subnets = append(t.subnets, s)
	}
}

// AssociateGateway makes the table the gateway's: an edge association. The table's
// routes must be what a gateway route table may hold (VPC guide, "Gateway route tables").
func (t *RouteTable) AssociateGateway(g EdgeGateway) error {
	return t.region.Change(func(tx *Tx) error {
		if g.AttachedTo() != t.vpc {
			return refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", t.id, g.ID())
		}
		if t.edge == g {
			return nil
		}
		if t.edge != nil || t.vpc.edgeTable(g) != nil {
			return refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.id)
		}
		if err := checkEdgeTable(t, g); err != nil {
			return err
		}
		t.edge = g
		return nil
	})
}

// DisassociateGateway undoes AssociateGateway: the gateway's table is again the
// implied one, VPC CIDR to local.
func (t *RouteTable) DisassociateGateway() error {
	return t.region.Change(func(*Tx) error {
		if t.edge == nil {
			return refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", t.id)
		}
		t.edge = nil
		return nil
	})
}

// DropEdge ends the gateway's edge association, as detaching it does.
func (tx *Tx) DropEdge(g EdgeGateway) {
	for _, v := range tx.r.vpcs {
		if t := v.edgeTable(g); t != nil {
			t.edge = nil
		}
	}
}

// edgeTable returns the route table associated with the gateway, or nil.
func (v *VPC) edgeTable(g EdgeGateway) *RouteTable {
	for _, t := range v.tables {
		if t.edge != nil && t.edge == g {
			return t
		}
	}
	return nil
}

// EnablePropagation has the table take over what the gateway has learned. A table
// with an edge association is refused (S001; code and text are inferred).
func (t *RouteTable) EnablePropagation(g Propagator) error {
	return t.region.Change(func(*Tx) error {
		if !slices.Contains(t.vpc.attached, Gateway(g)) {
			return refuse("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID(), t.vpc.id)
		}
		if t.edge != nil {
			return refuse("RouteNotSupported", msgPropagation)
		}
		if !slices.Contains(t.learned, g) {
			t.learned = append(t.learned, g)
		}
		return nil
	})
}

// DisablePropagation undoes EnablePropagation.
func (t *RouteTable) DisablePropagation(g Propagator) error {
	return t.region.Change(func(*Tx) error {
		t.learned = slices.DeleteFunc(t.learned, func(o Propagator) bool { return o == g })
		return nil
	})
}

// GatewayRouteTable returns the route table associated with the gateway, nil where
// it has the implied one.
func (v *VPC) GatewayRouteTable(g EdgeGateway) *RouteTable {
	var t *RouteTable
	v.region.read(func() { t = v.edgeTable(g) })
	return t
}
