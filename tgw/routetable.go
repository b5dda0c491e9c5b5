package tgw

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// RouteTable is a route table of a transit gateway: it says where packets go that
// enter by the attachments associated with it.
type RouteTable struct {
	vpc.Base
	gateway    *TransitGateway
	static     []Route
	lists      []reference   // in the order in which they were made
	propagated []*Attachment // in the order in which they were enabled
	created    time.Time
	untold     string // why nobody can tell what propagates to it, "" where one can
	unlisted   string // the same of its static routes
}

// Route is one row of a transit gateway's route table, a copy.
type Route struct {
	// Destination is the CIDR.
	Destination netip.Prefix
	// Attachment is where matching packets go, nil of a static black hole.
	Attachment *Attachment
	// More are the further attachments that flows are spread over (ECMP).
	More []*Attachment
	// PrefixList is the list that the route stands for with its other entries, or nil.
	PrefixList *vpc.PrefixList
	// Propagated says that the attachment told of the route, and it is not static: a CIDR
	// of its VPC, a prefix of its site.
	Propagated bool
	// Blackhole says that matching packets are dropped: the route was made so, or its
	// attachment is gone.
	Blackhole bool

	hops []remote.Hop // the ways of one that links propagate
}

// RouteTableConfig says how a route table is made.
type RouteTableConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// CreateRouteTable makes an empty route table (CreateTransitGatewayRouteTable).
func (g *TransitGateway) CreateRouteTable(c RouteTableConfig) (*RouteTable, error) {
	var t *RouteTable
	err := g.Change(func(tx *vpc.Tx) (err error) {
		t, err = g.newTable(tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (g *TransitGateway) newTable(tx *vpc.Tx, c RouteTableConfig) (*RouteTable, error) {
	if err := tx.Within(vpc.QuotaTransitGatewayRouteTables, len(g.tables), g.ID()); err != nil {
		return nil, err
	}
	b, err := tx.NewBase("tgw-rtb", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	t := &RouteTable{Base: b, gateway: g, created: tx.Region().Now()}
	g.tables = append(g.tables, t)
	tx.Add(t)
	return t, nil
}

// Delete deletes the table (DeleteTransitGatewayRouteTable). The default table, and
// one that attachments are associated with, is refused with IncorrectState.
func (t *RouteTable) Delete() error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.checkDelete(); err != nil {
			return err
		}
		t.gateway.tables = slices.DeleteFunc(t.gateway.tables, func(o *RouteTable) bool { return o == t })
		tx.Remove(t)
		return nil
	})
}

// Gateway returns the transit gateway.
func (t *RouteTable) Gateway() *TransitGateway { return t.gateway }

// Associate has packets that enter by the attachment routed by the table
// (AssociateTransitGatewayRouteTable). An attachment that has a table is refused with
// Resource.AlreadyAssociated.
func (t *RouteTable) Associate(a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		if a.table != nil {
			return vpc.Refuse("Resource.AlreadyAssociated", "Transit Gateway Attachment %s is already associated to a route table.", a.ID())
		}
		a.table = t
		return nil
	})
}

// Disassociate undoes Associate (DisassociateTransitGatewayRouteTable): packets that
// enter by the attachment are dropped until it has a table again.
func (t *RouteTable) Disassociate(a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		if a.table != t {
			return vpc.Refuse("InvalidAssociation.NotFound", "Association %s does not exist in Transit Gateway Route Table %s.", a.ID(), t.ID())
		}
		a.table = nil
		return nil
	})
}

// EnablePropagation has the CIDRs of the attachment's VPC stand in the table
// (EnableTransitGatewayRouteTablePropagation), those that it takes later too. A CIDR
// that another attachment propagates already stays that one's (Transit Gateway guide,
// "VPC attachments").
func (t *RouteTable) EnablePropagation(a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		if err := checkPropagates(a); err != nil {
			return err
		}
		if slices.Contains(t.propagated, a) {
			return vpc.Refuse("TransitGatewayRouteTablePropagation.Duplicate", "Propagation %s already exists in Transit Gateway Route Table %s.", a.ID(), t.ID())
		}
		t.propagated = append(slices.Clone(t.propagated), a)
		return nil
	})
}

// DisablePropagation undoes EnablePropagation
// (DisableTransitGatewayRouteTablePropagation; the sentence follows the duplicate's).
func (t *RouteTable) DisablePropagation(a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		i := slices.Index(t.propagated, a)
		if i < 0 {
			return vpc.Refuse("TransitGatewayRouteTablePropagation.NotFound", "Propagation %s does not exist in Transit Gateway Route Table %s.", a.ID(), t.ID())
		}
		t.propagated = slices.Delete(slices.Clone(t.propagated), i, i+1)
		return nil
	})
}

// CreateRoute adds a static route to the attachment (CreateTransitGatewayRoute). It
// goes before a propagated one with the same destination.
func (t *RouteTable) CreateRoute(destination string, a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		return t.create(tx, destination, Route{Attachment: a})
	})
}

// CreateBlackhole adds a static route that drops what it matches
// (CreateTransitGatewayRoute with Blackhole).
func (t *RouteTable) CreateBlackhole(destination string) error {
	return t.Change(func(tx *vpc.Tx) error { return t.create(tx, destination, Route{}) })
}

func (t *RouteTable) create(tx *vpc.Tx, destination string, r Route) (err error) {
	if r.Destination, err = vpc.ParseCIDR(destination, "destinationCidrBlock"); err != nil {
		return err
	}
	if err := t.checkCreate(tx, r.Destination); err != nil {
		return err
	}
	t.static = append(t.static, r)
	return nil
}

// ReplaceRoute has a static route lead to another attachment
// (ReplaceTransitGatewayRoute).
func (t *RouteTable) ReplaceRoute(destination string, a *Attachment) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.needs(tx, a); err != nil {
			return err
		}
		i, err := t.row(destination)
		if err != nil {
			return err
		}
		t.static = slices.Clone(t.static)
		t.static[i].Attachment = a
		return nil
	})
}

// DeleteRoute deletes a static route (DeleteTransitGatewayRoute).
func (t *RouteTable) DeleteRoute(destination string) error {
	return t.Change(func(*vpc.Tx) error {
		i, err := t.row(destination)
		if err != nil {
			return err
		}
		t.static = slices.Delete(slices.Clone(t.static), i, i+1)
		return nil
	})
}

// row returns the place of the static route to the destination.
func (t *RouteTable) row(destination string) (int, error) {
	dst, err := vpc.ParseCIDR(destination, "destinationCidrBlock")
	if err != nil {
		return 0, err
	}
	i := t.find(dst)
	if i < 0 {
		return 0, t.refuseNoRoute(dst)
	}
	return i, nil
}

func (t *RouteTable) find(dst netip.Prefix) int {
	return slices.IndexFunc(t.static, func(r Route) bool { return r.Destination == dst })
}

// Routes returns the routes in force, by address and length: of equal destinations
// the static one, then that of a prefix list, then the VPC's that was propagated first, then that of a link, Direct
// Connect before Connect before VPN (Transit Gateway guide, "Route evaluation order").
func (t *RouteTable) Routes() []Route {
	var list []Route
	t.Region().View(func(tx *vpc.Tx) { list = t.rows(tx) })
	return list
}

func (t *RouteTable) rows(tx *vpc.Tx) []Route {
	var list []Route
	taken := map[netip.Prefix]bool{}
	for _, r := range t.static {
		r.Blackhole = r.Attachment == nil || !r.Attachment.available()
		list, taken[r.Destination] = append(list, r), true
	}
	for _, l := range t.lists {
		entries, _ := tx.Entries(l.list)
		for _, dst := range entries {
			if !taken[dst] {
				r := Route{Destination: dst, PrefixList: l.list, Attachment: l.to, Blackhole: l.to == nil || !l.to.available()}
				list, taken[dst] = append(list, r), true
			}
		}
	}
	for _, a := range t.propagated {
		if a.vpc == nil || !a.available() {
			continue
		}
		for _, dst := range tx.CIDRs(a.vpc) {
			if !taken[dst] && (a.six || dst.Addr().Is4()) {
				list, taken[dst] = append(list, Route{Destination: dst, Attachment: a, Propagated: true}), true
			}
		}
	}
	for _, r := range t.linked(tx) {
		if !taken[r.Destination] {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Route) int {
		return remote.ComparePrefixes(a.Destination, b.Destination)
	})
	return list
}
