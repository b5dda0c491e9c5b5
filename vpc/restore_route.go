package vpc

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// RestoreRouteTable makes a route table and gives it to the subnets that are
// associated with it, or makes it the main one. Routes, propagation and edge
// associations name gateways and follow by [Tx.RestoreRoutes].
func (tx *Tx) RestoreRouteTable(s ec2.RouteTable) (*RouteTable, error) {
	b, err := tx.RestoreBase("RouteTableId", s.RouteTableId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := Named[*VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	t := tx.newRouteTable(v, b)
	var absent []error
	for i, link := range s.Associations {
		a := &association{id: ec2.Value(link.RouteTableAssociationId)}
		switch state := link.AssociationState; {
		case state != nil && !associated(ec2.Value(state.State)), link.GatewayId != nil:
			continue
		case ec2.Value(link.Main):
			a.main, v.main = true, t
		default:
			sub, err := Named[*Subnet](tx, member("Associations", i, "SubnetId"), link.SubnetId)
			if err == nil && (sub.vpc != v || sub.own != nil) {
				err = Absent(member("Associations", i, "SubnetId"), sub.id)
			}
			if err != nil {
				absent = append(absent, err)
				continue
			}
			a.subnet = sub
		}
		tx.restoreLink(t, a)
	}
	return t, errors.Join(absent...)
}

// restoreLink puts an association in force under the id that it was described with.
func (tx *Tx) restoreLink(t *RouteTable, a *association) {
	id := a.id
	tx.link(t, a)
	if id != "" {
		delete(tx.r.links, a.id)
		a.id = id
		tx.r.links[id] = a
	}
}

// Learner is a gateway that is told, when it is restored, which routes it propagated.
type Learner interface {
	Propagator
	// Learn adds a destination to those that the gateway knows, unless it does.
	Learn(tx *Tx, dst netip.Prefix)
}

// RestoreRoutes gives a restored table its rows, propagation and edge associations. A
// target that is not there becomes an [UnknownGateway], and is told. Local routes are
// the VPC's and only kept where their target was replaced.
func (tx *Tx) RestoreRoutes(t *RouteTable, s ec2.RouteTable) error {
	var absent []error
	for i, p := range s.PropagatingVgws {
		g, err := Named[Propagator](tx, member("PropagatingVgws", i, "GatewayId"), p.GatewayId)
		if err != nil {
			absent = append(absent, err)
			continue
		}
		if !slices.Contains(t.learned, g) {
			t.learned = append(t.learned, g)
		}
	}
	for i, link := range s.Associations {
		if link.GatewayId == nil || link.AssociationState != nil && !associated(ec2.Value(link.AssociationState.State)) {
			continue
		}
		g, err := Named[EdgeGateway](tx, member("Associations", i, "GatewayId"), link.GatewayId)
		if err != nil {
			absent = append(absent, err)
			continue
		}
		tx.restoreLink(t, &association{id: ec2.Value(link.RouteTableAssociationId), edge: g})
	}
	for i, r := range s.Routes {
		if err := tx.restoreRoute(t, r); err != nil {
			absent = append(absent, inEntry("Routes", i, err))
		}
	}
	return errors.Join(absent...)
}

func (tx *Tx) restoreRoute(t *RouteTable, s ec2.Route) error {
	r := &Route{Origin: Origin(ec2.Value(s.Origin))}
	if r.Origin == "" {
		r.Origin = CreateRoute
	}
	unknown := tx.restoredDestination(r, s)
	if unknown != nil && r.PrefixList == nil {
		return unknown
	}
	if ec2.Value(s.GatewayId) == "local" {
		if r.PrefixList == nil && slices.Contains(t.vpc.cidrs, r.Destination) {
			return nil
		}
		r.Target = Local
		t.routes = append(t.routes, r)
		return nil
	}
	field, id := targetOf(s)
	if id == "" {
		r.Target = tx.nameless(t, r, ec2.Value(s.State) != ec2.RouteStateBlackhole)
		t.routes = append(t.routes, r)
		return instead(malformedShape("GatewayId", "", "a target"), "what takes this route ends as not modelled")
	}
	target, absent := tx.restoredTarget(t, field, id, ec2.Value(s.State) != ec2.RouteStateBlackhole)
	absent = errors.Join(unknown, absent)
	if target == nil {
		return absent
	}
	r.Target, r.active = target, ec2.Value(s.State) == ec2.RouteStateActive
	if l := r.PrefixList; l != nil && l.untold != "" && hasPrefix(id, "vpce") {
		l.public = true // of a gateway endpoint: nobody else routes lists to endpoints
		if own := t.untoldService(target); own != nil && own.PrefixList != l {
			return absent // the endpoint's own row, whose list it had no name for
		}
	}
	if l, ok := target.(Learner); ok && r.Origin == EnableVGWRoutePropagation && r.PrefixList == nil {
		l.Learn(tx, r.Destination)
		if !slices.Contains(t.learned, Propagator(l)) {
			t.learned = append(t.learned, l)
		}
		return absent
	}
	if r.PrefixList != nil && t.findList(r.PrefixList) != nil {
		return absent // a gateway endpoint's own route, which it has put there
	}
	t.routes = append(t.routes, r)
	return absent
}

// untoldService returns the row of a gateway endpoint whose list nobody has told, or nil.
func (t *RouteTable) untoldService(g Target) *Route {
	for _, r := range t.routes {
		if r.Target == g && r.service() && r.PrefixList.untold != "" {
			return r
		}
	}
	return nil
}

// Untellable is a gateway that a VPC is tied to by a resource of its own, which
// descriptions may lack.
type Untellable interface {
	// Untold reports whether no description tells of what ties the VPC to the gateway.
	Untold(tx *Tx, v *VPC) bool
}

// RestoreStates has routes that were described as active end packets as trace.Unmodelled
// where no description tells what makes them so. It is called when all else is restored.
func (tx *Tx) RestoreStates() {
	for _, v := range tx.r.vpcs {
		for _, t := range v.tables {
			for _, r := range t.routes {
				if u, ok := r.Target.(Untellable); ok && r.active && t.state(tx, r.Target) == Blackhole && u.Untold(tx, v) {
					r.doubt = gap{r.Target.ID(), "what ties it to " + v.id + " is in no description, though AWS calls the route active"}
				}
			}
		}
	}
}

// nameless is the target of a route that names none of a kind that is known.
func (tx *Tx) nameless(t *RouteTable, r *Route, active bool) *UnknownGateway {
	id := t.id + "/" + r.Destination.String()
	if r.PrefixList != nil {
		id = t.id + "/" + r.PrefixList.id
	}
	g, ok := tx.r.byID[id].(*UnknownGateway)
	if !ok {
		g = &UnknownGateway{Base: Base{id: id, region: tx.r}, active: map[*VPC]bool{}}
		tx.Add(g)
	}
	g.open(t.vpc, active)
	return g
}

// restoredDestination reads a route's destination.
func (tx *Tx) restoredDestination(r *Route, s ec2.Route) (err error) {
	switch {
	case s.DestinationPrefixListId != nil:
		if r.PrefixList, err = tx.untoldList("DestinationPrefixListId", s.DestinationPrefixListId); err != nil {
			err = instead(err, "what the route may take ends as not modelled")
		}
	case s.DestinationIpv6CidrBlock != nil:
		r.Destination, err = shapePrefix("DestinationIpv6CidrBlock", s.DestinationIpv6CidrBlock, true)
	default:
		r.Destination, err = shapePrefix("DestinationCidrBlock", s.DestinationCidrBlock, false)
	}
	return err
}

// targetOf returns the member that a route's target stands in, and the target's id. An
// interface comes before the instance that it is attached to.
func targetOf(s ec2.Route) (field, id string) {
	for _, m := range []struct {
		field string
		id    *string
	}{
		{"NetworkInterfaceId", s.NetworkInterfaceId}, {"NatGatewayId", s.NatGatewayId}, {"TransitGatewayId", s.TransitGatewayId},
		{"VpcPeeringConnectionId", s.VpcPeeringConnectionId}, {"EgressOnlyInternetGatewayId", s.EgressOnlyInternetGatewayId},
		{"LocalGatewayId", s.LocalGatewayId}, {"CarrierGatewayId", s.CarrierGatewayId}, {"CoreNetworkArn", s.CoreNetworkArn},
		{"OdbNetworkArn", s.OdbNetworkArn}, {"GatewayId", s.GatewayId}, {"InstanceId", s.InstanceId},
	} {
		if ec2.Value(m.id) != "" {
			return m.field, *m.id
		}
	}
	return "", ""
}

// restoredTarget returns a route's target. One that is not there becomes an unknown
// gateway, which is a black hole where the route was one.
func (tx *Tx) restoredTarget(t *RouteTable, field, id string, active bool) (Target, error) {
	switch x := tx.r.byID[id].(type) {
	case *UnknownGateway:
		x.open(t.vpc, active)
		return x, nil
	case *Instance:
		if len(x.interfaces) > 0 {
			return x.interfaces[0], nil
		}
	case Gateway:
		return x, nil
	case *NetworkInterface:
		return x, nil
	case nil:
		g := &UnknownGateway{Base: Base{id: id, region: tx.r}, field: field, active: map[*VPC]bool{}, missing: tx.Missing(id)}
		g.open(t.vpc, active)
		tx.Add(g)
		instead := "what takes this route ends as not modelled"
		if !active {
			instead = "the route is a black hole"
		}
		return g, absentBut(field, id, instead)
	}
	return nil, Absent(field, id)
}
