package vpc

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// Routes returns the table's routes in the order in which AWS lists them: prefix
// length descending, then the address as a signed 32-bit integer, static before
// propagated, prefix lists last (measured: S002 and twenty recorded tables). IPv6
// comes after IPv4, in the order of its addresses (inferred).
func (t *RouteTable) Routes() []Route {
	var list []Route
	t.region.View(func(tx *Tx) { list = t.rows(tx) })
	return list
}

func (t *RouteTable) rows(tx *Tx) []Route {
	var list []Route
	for _, p := range t.vpc.cidrs {
		if t.find(p) == nil {
			list = append(list, Route{Destination: p, Target: Local, Origin: CreateRouteTable})
		}
	}
	for _, r := range t.routes {
		list = append(list, *r)
	}
	for _, g := range t.learned {
		for _, p := range g.Learned(tx) {
			list = append(list, Route{Destination: p, Target: g, Origin: EnableVGWRoutePropagation})
		}
	}
	for i := range list {
		list[i].State = t.state(tx, list[i].Target)
	}
	slices.SortStableFunc(list, compareRoutes)
	return list
}

func compareRoutes(a, b Route) int {
	switch {
	case a.PrefixList != nil && b.PrefixList != nil:
		return cmp.Compare(a.PrefixList.id, b.PrefixList.id)
	case a.PrefixList != nil:
		return 1
	case b.PrefixList != nil:
		return -1
	}
	x, y := a.Destination, b.Destination
	return cmp.Or(
		cmp.Compare(x.Addr().BitLen(), y.Addr().BitLen()),
		cmp.Compare(y.Bits(), x.Bits()),
		compareAddrs(x.Addr(), y.Addr()),
		cmp.Compare(propagated(a), propagated(b)),
	)
}

// compareAddrs orders IPv4 addresses as signed integers: 128.0.0.0 comes first.
func compareAddrs(x, y netip.Addr) int {
	if x.Is4() && y.Is4() {
		return cmp.Compare(signed(x), signed(y))
	}
	return x.Compare(y)
}

func signed(a netip.Addr) int32 {
	b := a.As4()
	return int32(binary.BigEndian.Uint32(b[:]))
}

func propagated(r Route) int {
	if r.Origin == EnableVGWRoutePropagation {
		return 1
	}
	return 0
}

// state says whether a target is there: an interface that is attached, a gateway
// that is available to the table's VPC.
func (t *RouteTable) state(tx *Tx, target Target) RouteState {
	there := false
	switch x := target.(type) {
	case local:
		there = true
	case *NetworkInterface:
		there = !x.gone && x.attached()
	case Gateway:
		there = t.region.byID[x.ID()] == Resource(x) && x.Available(tx, t.vpc)
	}
	if there {
		return Active
	}
	return Blackhole
}

// DescribeRouteTables lists the route tables, VPC by VPC, in the order in which
// they were made.
func (r *Region) DescribeRouteTables() *ec2.DescribeRouteTablesResult {
	list := []ec2.RouteTable{}
	r.View(func(tx *Tx) {
		for _, v := range r.vpcs {
			for _, t := range v.tables {
				list = append(list, t.shape(tx))
			}
		}
	})
	return &ec2.DescribeRouteTablesResult{RouteTables: list}
}

// Describe returns the table alone in the shape of DescribeRouteTables.
func (t *RouteTable) Describe() *ec2.DescribeRouteTablesResult {
	var s ec2.RouteTable
	t.region.View(func(tx *Tx) { s = t.shape(tx) })
	return &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{s}}
}

func (t *RouteTable) shape(tx *Tx) ec2.RouteTable {
	s := ec2.RouteTable{
		RouteTableId: new(t.id), VpcId: new(t.vpc.id), OwnerId: new(t.OwnerID()), Tags: t.tagShapes(),
		Associations: []ec2.RouteTableAssociation{}, PropagatingVgws: []ec2.PropagatingVgw{}, Routes: []ec2.Route{},
	}
	for _, a := range t.links {
		s.Associations = append(s.Associations, a.shape())
	}
	for _, g := range t.learned {
		s.PropagatingVgws = append(s.PropagatingVgws, ec2.PropagatingVgw{GatewayId: new(g.ID())})
	}
	for _, r := range t.rows(tx) {
		s.Routes = append(s.Routes, r.shape())
	}
	return s
}

func (r *Route) shape() ec2.Route {
	s := ec2.Route{Origin: new(ec2.RouteOrigin(r.Origin)), State: new(ec2.RouteState(r.State))}
	switch {
	case r.PrefixList != nil:
		s.DestinationPrefixListId = new(r.PrefixList.id)
	case r.Destination.Addr().Is4():
		s.DestinationCidrBlock = new(r.Destination.String())
	default:
		s.DestinationIpv6CidrBlock = new(r.Destination.String())
	}
	switch x := r.Target.(type) {
	case *NetworkInterface:
		s.NetworkInterfaceId = new(x.id)
		if x.instance != nil {
			s.InstanceId, s.InstanceOwnerId = new(x.instance.id), new(x.instance.OwnerID())
		}
	case RouteLister:
		x.ListRoute(&s)
	default:
		s.GatewayId = new(x.ID())
	}
	return s
}
