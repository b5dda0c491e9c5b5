package vpc

import "slices"

// CreatePrefixListRoute adds a static route whose destination is a prefix list
// (CreateRoute; VPC guide, "Prefix lists and routes"). It counts as many routes as
// the list may have entries.
func (t *RouteTable) CreatePrefixListRoute(l *PrefixList, target Target) error {
	return t.Change(func(tx *Tx) error {
		target, err := t.resolveListRoute(tx, l, target, msgExactlyOne)
		if err != nil {
			return err
		}
		if old := t.findList(l); old != nil {
			if sameTarget(old.Target, target) {
				return nil
			}
			return Refuse("RouteAlreadyExists", "The route identified by %s already exists.", l.id)
		}
		if err := t.checkRoom(tx, l.four, l.max); err != nil {
			return err
		}
		t.routes = append(t.routes, &Route{PrefixList: l, Target: target, Origin: CreateRoute})
		return nil
	})
}

// ReplacePrefixListRoute changes the target of a route whose destination is a
// prefix list (ReplaceRoute).
func (t *RouteTable) ReplacePrefixListRoute(l *PrefixList, target Target) error {
	return t.Change(func(tx *Tx) error {
		target, err := t.resolveListRoute(tx, l, target, msgExactlyOne+", or must have localTarget set to true")
		if err != nil {
			return err
		}
		old := t.findList(l)
		if old == nil {
			return Refuse("InvalidParameterValue", "There is no route defined for '%s' in the route table. Use CreateRoute instead.", l.id)
		}
		if old.service() {
			return Refuse("InvalidParameterValue", msgServiceRoute)
		}
		old.Target, old.doubt = target, gap{}
		return nil
	})
}

// DeletePrefixListRoute deletes a route whose destination is a prefix list. One
// that a gateway endpoint has put there is refused (the sentence is unproven).
func (t *RouteTable) DeletePrefixListRoute(l *PrefixList) error {
	return t.Change(func(tx *Tx) error {
		if err := tx.Needs("destinationPrefixListId", l); err != nil {
			return err
		}
		old := t.findList(l)
		if old == nil {
			return Refuse("InvalidRoute.NotFound", "no route with destination-prefix-list-id %s in route table %s", l.id, t.id)
		}
		if old.service() {
			return Refuse("InvalidParameterValue", "cannot remove VPC endpoint route %s in route table %s", l.id, t.id)
		}
		t.routes = remove(t.routes, old)
		return nil
	})
}

// resolveListRoute holds a prefix list's route to the rules and returns its target.
func (t *RouteTable) resolveListRoute(tx *Tx, l *PrefixList, target Target, missing string) (Target, error) {
	if err := tx.Needs("destinationPrefixListId", l); err != nil {
		return nil, err
	}
	target, err := t.resolve(tx, target, missing)
	if err != nil {
		return nil, err
	}
	if len(t.edges()) > 0 {
		return nil, Refuse("RouteNotSupported", msgUnsupportedDestination)
	}
	if g, ok := target.(Gateway); ok {
		return target, g.CheckRoute(tx, t, noDestination)
	}
	return target, nil
}

// findList returns the row of the prefix list, or nil.
func (t *RouteTable) findList(l *PrefixList) *Route {
	for _, r := range t.routes {
		if r.PrefixList == l {
			return r
		}
	}
	return nil
}

// service reports whether a gateway endpoint has put the route there.
func (r *Route) service() bool {
	s, ok := r.Target.(interface{ ServiceRoutes() bool })
	return ok && s.ServiceRoutes()
}

// AddServiceRoute puts the route of a gateway endpoint into a table: one a service
// and table (the sentence of the refusal is unproven).
func (tx *Tx) AddServiceRoute(t *RouteTable, l *PrefixList, g Gateway) error {
	if t.findList(l) != nil {
		return Refuse("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", t.id, l.id)
	}
	t.routes = append(t.routes, &Route{PrefixList: l, Target: g, Origin: CreateRoute})
	return nil
}

// DropServiceRoutes takes the routes of a gateway endpoint away: from one table, or
// from all where t is nil.
func (tx *Tx) DropServiceRoutes(t *RouteTable, g Gateway) {
	for _, v := range tx.r.vpcs {
		for _, x := range v.tables {
			if t == nil || x == t {
				x.routes = slices.DeleteFunc(x.routes, func(r *Route) bool { return r.Target == Target(g) })
			}
		}
	}
}

// RoutesTo reports whether a route of the region names the target.
func (tx *Tx) RoutesTo(target Target) bool {
	for _, v := range tx.r.vpcs {
		for _, t := range v.tables {
			if slices.ContainsFunc(t.routes, func(r *Route) bool { return r.Target == target }) {
				return true
			}
		}
	}
	return false
}
