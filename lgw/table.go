package lgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// mostInterfaces is how many routes of a table may name interfaces (Outposts guide,
// "Local gateway route table routes").
const mostInterfaces = 100

// RouteTable is a local gateway's route table.
type RouteTable struct {
	vpc.Base
	gateway      *LocalGateway
	mode         ec2.LocalGatewayRouteTableMode
	pool         []netip.Prefix // customer-owned
	routes       []row
	untold       bool // no description tells of the routes
	associations []*Association
}

// row is a static route: to an interface, or to the on-premises network.
type row struct {
	dst netip.Prefix
	nic *vpc.NetworkInterface // nil: the virtual interface group
}

// RouteTableConfig says how a route table is made.
type RouteTableConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// CustomerOwned are the CIDRs of the pool of customer-owned IP addresses: with some
	// the table's mode is coip, without it is direct-vpc-routing.
	CustomerOwned []netip.Prefix
}

// CreateRouteTable makes a route table without routes (CreateLocalGatewayRouteTable,
// CreateCoipPool). It refuses a pool that is not of IPv4 (sentence inferred).
func (g *LocalGateway) CreateRouteTable(c RouteTableConfig) (*RouteTable, error) {
	var t *RouteTable
	err := g.Change(func(tx *vpc.Tx) error {
		mode := ec2.LocalGatewayRouteTableModeDirectVpcRouting
		for _, p := range c.CustomerOwned {
			if mode = ec2.LocalGatewayRouteTableModeCoip; !p.IsValid() || !p.Addr().Is4() {
				return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter cidr is invalid. This is not a valid CIDR block.", p)
			}
		}
		b, err := tx.NewBase("lgw-rtb", c.ID, c.Name)
		if err != nil {
			return err
		}
		t = &RouteTable{Base: b, gateway: g, mode: mode, pool: slices.Clone(c.CustomerOwned)}
		g.tables = append(slices.Clone(g.tables), t)
		tx.Add(t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Delete deletes the table (DeleteLocalGatewayRouteTable); one with associations is
// refused (sentence inferred).
func (t *RouteTable) Delete() error {
	return t.Change(func(tx *vpc.Tx) error {
		if len(t.associations) > 0 {
			return vpc.Refuse("DependencyViolation", "The localGatewayRouteTable '%s' has dependencies and cannot be deleted.", t.ID())
		}
		t.gateway.tables = slices.DeleteFunc(slices.Clone(t.gateway.tables), func(o *RouteTable) bool { return o == t })
		tx.Remove(t)
		return nil
	})
}

// Association ties a route table and a VPC.
type Association struct {
	vpc.Base
	table *RouteTable
	vpc   *vpc.VPC
}

// Associate associates the table with a VPC (CreateLocalGatewayRouteTableVpcAssociation),
// which one table of the gateway may be (sentence inferred).
func (t *RouteTable) Associate(v *vpc.VPC) (*Association, error) {
	var a *Association
	err := t.Change(func(tx *vpc.Tx) error {
		if err := tx.Needs("vpcId", v); err != nil {
			return err
		}
		if o := t.gateway.tableOf(v); o != nil {
			return vpc.Refuse("Resource.AlreadyAssociated", "The vpc '%s' is already associated with the localGatewayRouteTable '%s'", v.ID(), o.ID())
		}
		b, err := tx.NewBase("lgw-vpc-assoc", "", "")
		if err != nil {
			return err
		}
		a = &Association{Base: b, table: t, vpc: v}
		t.associations = append(slices.Clone(t.associations), a)
		tx.Add(a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Delete ends the association (DeleteLocalGatewayRouteTableVpcAssociation): the VPC's
// routes to the gateway are black holes.
func (a *Association) Delete() error {
	return a.Change(func(tx *vpc.Tx) error {
		a.table.associations = slices.DeleteFunc(slices.Clone(a.table.associations), func(o *Association) bool { return o == a })
		tx.Remove(a)
		return nil
	})
}

func (t *RouteTable) associated(v *vpc.VPC) bool {
	return slices.ContainsFunc(t.associations, func(a *Association) bool { return a.vpc == v })
}

// CreateRoute adds a static route (CreateLocalGatewayRoute): to an interface, or, with
// nil, to the virtual interface group, which is the on-premises network. The interface
// must be an instance's in a subnet on the Outpost, of a VPC that is associated with the
// table; a hundred routes may name interfaces (Outposts guide, "Local gateway route table
// routes"; the sentences are inferred).
func (t *RouteTable) CreateRoute(dst string, to *vpc.NetworkInterface) error {
	p, err := vpc.ParseCIDR(dst, "destinationCidrBlock")
	if err != nil {
		return err
	}
	return t.Change(func(tx *vpc.Tx) error {
		switch {
		case !p.Addr().Is4():
			return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", p)
		case slices.ContainsFunc(t.routes, func(r row) bool { return r.dst == p }):
			return vpc.Refuse("RouteAlreadyExists", "The route identified by %s already exists.", p)
		}
		if to != nil {
			if err := t.checkInterface(tx, to); err != nil {
				return err
			}
		}
		t.routes = append(slices.Clone(t.routes), row{p, to})
		return nil
	})
}

func (t *RouteTable) checkInterface(tx *vpc.Tx, n *vpc.NetworkInterface) error {
	if err := tx.Needs("networkInterfaceId", n); err != nil {
		return err
	}
	used := 0
	for _, r := range t.routes {
		if r.nic != nil {
			used++
		}
	}
	switch {
	case n.Subnet().Outpost() != t.gateway.outpost:
		return vpc.Refuse("InvalidParameterValue", "The networkInterface '%s' is not in a subnet of the Outpost %s", n.ID(), t.gateway.outpost)
	case !t.associated(n.Subnet().VPC()):
		return vpc.Refuse("InvalidParameterValue", "The vpc '%s' is not associated with the localGatewayRouteTable '%s'", n.Subnet().VPC().ID(), t.ID())
	case n.Type() != vpc.InterfaceUser:
		return vpc.Refuse("InvalidParameterValue", "Route table contains routes targeting unsupported network interface %s", n.ID())
	case used >= mostInterfaces:
		return vpc.Refuse("RouteLimitExceeded", "The maximum number of routes for the localGatewayRouteTable '%s' has been reached.", t.ID())
	}
	return nil
}

// DeleteRoute takes a static route away (DeleteLocalGatewayRoute).
func (t *RouteTable) DeleteRoute(dst string) error {
	p, err := vpc.ParseCIDR(dst, "destinationCidrBlock")
	if err != nil {
		return err
	}
	return t.Change(func(*vpc.Tx) error {
		left := slices.DeleteFunc(slices.Clone(t.routes), func(r row) bool { return r.dst == p })
		if len(left) == len(t.routes) {
			return vpc.Refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", p, t.ID())
		}
		t.routes = left
		return nil
	})
}

// AssociateAddress gives the interface's primary private address a customer-owned IP
// address of the table's pool (AllocateAddress, AssociateAddress). One that is not of the
// pool, one that is taken on either side, an interface of IPv6 alone and one that is not on
// the Outpost are refused (sentences inferred).
func (t *RouteTable) AssociateAddress(n *vpc.NetworkInterface, a netip.Addr) error {
	return t.Change(func(tx *vpc.Tx) error {
		if err := t.checkInterface(tx, n); err != nil {
			return err
		}
		switch {
		case !slices.ContainsFunc(t.pool, func(p netip.Prefix) bool { return p.Contains(a) }):
			return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter address is invalid. It is not in the pool of %s.", a, t.ID())
		case len(tx.PrivateAddresses(n)) == 0:
			return vpc.Refuse("InvalidParameterValue", "The interface %s has no private IPv4 address", n.ID())
		case t.taken(tx, a) || customerOwned(tx.PrivateAddresses(n)[0]).IsValid():
			return vpc.Refuse("Resource.AlreadyAssociated", "resource %s is already associated with %s", a, n.ID())
		}
		tx.SetCustomerOwned(n, a)
		return nil
	})
}

func customerOwned(p vpc.PrivateAddress) netip.Addr { return p.CustomerOwned }

// taken reports whether an interface of the VPCs has the customer-owned IP address.
func (t *RouteTable) taken(tx *vpc.Tx, a netip.Addr) bool {
	return slices.ContainsFunc(t.associations, func(as *Association) bool { return tx.Holder(as.vpc, a, customerOwned) != nil })
}
