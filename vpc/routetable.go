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

	active bool // it was described so
	doubt  gap  // why nobody can tell what it does with packets
}

// RouteTable is a set of routes for subnets, for a gateway, or for both.
type RouteTable struct {
	Base
	vpc     *VPC
	routes  []*Route // static ones, and replaced local ones; State is not kept here
	links   []*association
	learned []Propagator
	untold  string // why no description tells its rows, "" where one does
}

// Propagator is a gateway whose routes a table may take over.
type Propagator interface {
	Gateway
	// Learned returns the destinations that the gateway knows, in order. They are not
	// changed.
	Learned(tx *Tx) []netip.Prefix
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
	err := v.Change(func(tx *Tx) error {
		if err := tx.Within(QuotaRouteTables, len(v.tables), v.id); err != nil {
			return err
		}
		b, err := tx.NewBase("rtb", c.ID, c.Name)
		if err != nil {
			return err
		}
		t = tx.newRouteTable(v, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (tx *Tx) newRouteTable(v *VPC, b Base) *RouteTable {
	t := &RouteTable{Base: b, vpc: v}
	v.tables = append(v.tables, t)
	tx.Add(t)
	return t
}

// VPC returns the VPC that holds the table.
func (t *RouteTable) VPC() *VPC { return t.vpc }

// Delete deletes the table. A main table, or one that is associated, is refused
// with DependencyViolation.
func (t *RouteTable) Delete() error {
	return t.Change(func(tx *Tx) error {
		if len(t.links) > 0 {
			return Refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", t.id)
		}
		tx.dropTable(t)
		return nil
	})
}

func (tx *Tx) dropTable(t *RouteTable) {
	for _, a := range slices.Clone(t.links) {
		tx.unlink(a)
	}
	t.vpc.tables = remove(t.vpc.tables, t)
	tx.Remove(t)
}

// CreateRoute adds a static route. destination is an IPv4 or IPv6 CIDR, whose host
// bits are dropped. A route with the same destination and target is accepted and
// changes nothing; see the rules in rules_route.go for what is refused. A NAT
// gateway's own interface as a target is stored as the NAT gateway (S000).
func (t *RouteTable) CreateRoute(destination string, target Target) error {
	return t.Change(func(tx *Tx) error {
		dst, err := ParseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		target, err := t.resolve(tx, target, msgExactlyOne)
		if err != nil {
			return err
		}
		old := t.find(dst)
		switch {
		case old != nil && sameTarget(old.Target, target):
			return nil
		case old != nil, slices.Contains(t.vpc.cidrs, dst):
			return Refuse("RouteAlreadyExists", "The route identified by %s already exists.", dst)
		}
		if err := checkRoute(tx, t, dst, target); err != nil {
			return err
		}
		if err := t.checkRoom(tx, dst.Addr().Is4(), 1); err != nil {
			return err
		}
		t.routes = append(t.routes, &Route{Destination: dst, Target: target, Origin: CreateRoute})
		return nil
	})
}

// ReplaceRoute changes the target of a route that exists; of a local route too,
// which Local as the target restores (VPC guide, "Replace the target for a local route").
func (t *RouteTable) ReplaceRoute(destination string, target Target) error {
	return t.Change(func(tx *Tx) error {
		dst, err := ParseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		isLocal := slices.Contains(t.vpc.cidrs, dst)
		if target == Local {
			if !isLocal {
				return Refuse("InvalidParameterValue", "local-target only allowed with network local destination CIDRs")
			}
			t.dropLocal(dst)
			return nil
		}
		target, err := t.resolve(tx, target, msgExactlyOne+", or must have localTarget set to true")
		if err != nil {
			return err
		}
		old := t.find(dst)
		if old == nil && !isLocal {
			return Refuse("InvalidParameterValue", "There is no route defined for '%s' in the route table. Use CreateRoute instead.", dst)
		}
		if err := checkRoute(tx, t, dst, target); err != nil {
			return err
		}
		if old == nil {
			old = &Route{Destination: dst, Origin: CreateRouteTable}
			t.routes = append(t.routes, old)
		}
		old.Target, old.doubt = target, gap{}
		return nil
	})
}

// dropLocal restores a local route's target.
func (t *RouteTable) dropLocal(dst netip.Prefix) {
	t.routes = slices.DeleteFunc(t.routes, func(r *Route) bool { return r.Destination == dst && r.Origin == CreateRouteTable })
}

// DeleteRoute deletes a static route. A local route can't be deleted.
func (t *RouteTable) DeleteRoute(destination string) error {
	return t.Change(func(*Tx) error {
		dst, err := ParseCIDR(destination, routeParameter(destination))
		if err != nil {
			return err
		}
		if slices.Contains(t.vpc.cidrs, dst) {
			return Refuse("InvalidParameterValue", "cannot remove local route %s in route table %s", dst, t.id)
		}
		old := t.find(dst)
		if old == nil {
			return Refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", dst, t.id)
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

// EnablePropagation has the table take over what the gateway has learned
// (EnableVgwRoutePropagation). A gateway that is not attached to the table's VPC is
// refused (code and sentence are inferred), and so is a table with an edge
// association (S001; code and sentence are inferred).
func (t *RouteTable) EnablePropagation(g Propagator) error {
	return t.Change(func(tx *Tx) error {
		if err := tx.Needs("gatewayId", g); err != nil {
			return err
		}
		if !slices.Contains(t.vpc.attached, Gateway(g)) {
			return Refuse("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID(), t.vpc.id)
		}
		if len(t.edges()) > 0 {
			return Refuse("RouteNotSupported", msgPropagation)
		}
		if !slices.Contains(t.learned, g) {
			t.learned = append(t.learned, g)
		}
		return nil
	})
}

// DisablePropagation undoes EnablePropagation (DisableVgwRoutePropagation). Where
// it is not enabled nothing changes.
func (t *RouteTable) DisablePropagation(g Propagator) error {
	return t.Change(func(*Tx) error {
		t.learned = remove(t.learned, g)
		return nil
	})
}

// dropPropagation ends the gateway's propagation to every table, as detaching it does.
func (tx *Tx) dropPropagation(g Propagator) {
	for _, v := range tx.r.vpcs {
		for _, t := range v.tables {
			t.learned = remove(t.learned, g)
		}
	}
}
