package vpc

import (
	"net/netip"
	"slices"
)

// The sentences of S000 and S001. Codes: RouteNotSupported and RouteConflict have
// been seen for the destination and for the conflict; for the two about targets,
// and for propagation and the main table (sentences too), they are inferred.
const (
	msgNotInterface           = "Route table contains routes that do not target a network interface"
	msgUnsupportedInterface   = "Route table contains routes targeting unsupported network interface %s"
	msgConflictingGateway     = "Route table has a conflicting association with the gateway %s"
	msgUnsupportedDestination = "Route table contains unsupported route destination. The unsupported route destination is less specific or non-overlapping than VPC local CIDR."
	msgNoSubnetCIDR           = "Route destination doesn't match any subnet CIDR blocks."
	msgNarrowerThanLocal      = "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
	msgBefore2021             = "This route table is used by a subnet, and doesn't support route destination which are more specific than VPC local CIDR."
	msgPropagation            = "Route table contains propagated routes, which a gateway route table does not support."
	msgMainEdge               = "Route table %s is the main route table, which can't be associated with a gateway."
	msgSeveralInterfaces      = "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead."
	msgNoGateway              = "The gateway ID '%s' does not exist"
	msgServiceRoute           = "Cannot create or replace a prefix list route targeting a VPC Endpoint."
	msgExactlyOne             = "The request must contain exactly one of gatewayId, localGatewayId, carrierGatewayId, natGatewayId, " +
		"networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, vpcEndpointId, coreNetworkArn or instanceId"
)

// RefuseServiceRoute is AWS's answer to a route that names a gateway endpoint, which
// makes its routes itself (the code is inferred).
func RefuseServiceRoute() error { return Refuse("InvalidParameterValue", msgServiceRoute) }

// RefuseInside is AWS's answer to a route to a destination within the VPC whose
// target may not stand there.
func RefuseInside(dst netip.Prefix) error {
	return Refuse("InvalidParameterValue", msgNarrowerThanLocal, dst)
}

// RefuseDifferentNetworks is AWS's answer to a route that names a gateway of
// another VPC.
func RefuseDifferentNetworks(t *RouteTable, g Gateway) error {
	return Refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", t.id, g.ID())
}

// noDestination is what a gateway is asked about where the destination is a prefix list.
var noDestination netip.Prefix

// linkLocal are the ranges that no route may name: the platform's own services
// (VPC guide, "Subnet route tables").
var linkLocal = []netip.Prefix{netip.MustParsePrefix("169.254.168.0/22"), netip.MustParsePrefix("fd00:ec2::/32")}

// resolve turns what the caller named into what the table stores: an instance into
// its interface, a NAT gateway's own interface into the NAT gateway (S000). What is
// neither of these nor a gateway, such as a network ACL, is no gateway's id (the answer
// to local, C059; for others it is inferred). missing is the sentence for no target at all.
func (t *RouteTable) resolve(tx *Tx, target Target, missing string) (Target, error) {
	switch {
	case isNil(target):
		return nil, Refuse("MissingParameter", "%s", missing)
	case target == Local:
		return nil, Refuse("InvalidGatewayID.NotFound", msgNoGateway, target.ID())
	case tx.r.byID[target.ID()] != Resource(target):
		return nil, TargetNotFound(target.ID())
	}
	switch x := target.(type) {
	case *Instance:
		if len(x.interfaces) > 1 {
			return nil, Refuse("InvalidInstanceID", msgSeveralInterfaces, x.id)
		}
		if len(x.interfaces) == 0 {
			return nil, notFound(x.id)
		}
		return t.checkNetwork(x.interfaces[0])
	case *NetworkInterface:
		if g, ok := x.owner.(Gateway); ok && x.kind == InterfaceNATGateway && len(t.edges()) == 0 {
			return g, nil
		}
		return t.checkNetwork(x)
	case Gateway:
		return x, nil
	}
	return nil, Refuse("InvalidGatewayID.NotFound", msgNoGateway, target.ID())
}

// checkNetwork refuses an interface of another VPC (the sentence follows the
// gateways').
func (t *RouteTable) checkNetwork(n *NetworkInterface) (Target, error) {
	if n.subnet.vpc != t.vpc {
		return nil, Refuse("InvalidParameterValue", "route table %s and interface %s belong to different networks", t.id, n.id)
	}
	return n, nil
}

// checkRoute holds a route to the rules of the tables that t is: a subnet's (as
// every table may become one) and, where it has an edge association, a gateway's.
func checkRoute(tx *Tx, t *RouteTable, dst netip.Prefix, target Target) error {
	for _, g := range t.edges() {
		if err := checkEdgeRoute(t.vpc, g, dst, target); err != nil {
			return err
		}
	}
	for _, p := range linkLocal {
		if within(dst, p) {
			return Refuse("InvalidParameterValue", "The destination CIDR block %s is reserved and cannot be routed.", dst)
		}
	}
	if t.vpc.covers(dst) {
		if err := checkInside(t, dst, target); err != nil {
			return err
		}
	}
	if g, ok := target.(Gateway); ok {
		return g.CheckRoute(tx, t, dst)
	}
	return nil
}

// checkInside holds a destination within the VPC to the rules for routes that are
// more specific than local: exactly a subnet's CIDR (or a local route, which is
// replaced), and a target that may stand inside (VPC guide, "Subnet route tables").
func checkInside(t *RouteTable, dst netip.Prefix, target Target) error {
	if t.region.before2021 && (len(t.edges()) == 0 || t.serves()) {
		return Refuse("InvalidParameterValue", msgBefore2021)
	}
	if g, ok := target.(Gateway); ok {
		if in, ok := g.(Insider); !ok || !in.RoutesInside() {
			return RefuseInside(dst)
		}
	}
	return checkSubnetCIDR(t.vpc, dst)
}

// checkSubnetCIDR refuses a destination that is neither a CIDR of the VPC nor one
// of a subnet.
func checkSubnetCIDR(v *VPC, dst netip.Prefix) error {
	if slices.Contains(v.cidrs, dst) || v.subnetWith(dst) != nil {
		return nil
	}
	return Refuse("InvalidParameterValue", msgNoSubnetCIDR)
}

// checkEdgeTable holds a whole table to the rules of gateway route tables.
func checkEdgeTable(t *RouteTable, g EdgeGateway) error {
	if t == t.vpc.main {
		return Refuse("InvalidParameterValue", msgMainEdge, t.id)
	}
	if len(t.learned) > 0 {
		return Refuse("RouteNotSupported", msgPropagation)
	}
	for _, r := range t.routes {
		if r.PrefixList != nil {
			return Refuse("RouteNotSupported", msgUnsupportedDestination)
		}
		if err := checkEdgeRoute(t.vpc, g, r.Destination, r.Target); err != nil {
			return err
		}
	}
	return nil
}

// checkEdgeRoute holds one route to the rules of gateway route tables (S000, S001;
// VPC guide, "Gateway route tables"): first what it names, then where it leads.
func checkEdgeRoute(v *VPC, g EdgeGateway, dst netip.Prefix, target Target) error {
	switch x := target.(type) {
	case *NetworkInterface:
		if !x.facts().edge {
			return Refuse("RouteNotSupported", msgUnsupportedInterface, x.id)
		}
	case Gateway:
		if x == Gateway(g) {
			return Refuse("RouteConflict", msgConflictingGateway, g.ID())
		}
		if e, ok := x.(EdgeTarget); !ok || !e.RoutesAtEdge() {
			return Refuse("RouteNotSupported", msgNotInterface)
		}
	}
	if !v.covers(dst) {
		return Refuse("RouteNotSupported", msgUnsupportedDestination)
	}
	return checkSubnetCIDR(v, dst)
}

// checkRoom holds a table to its quota, which counts IPv4 and IPv6 apart and a
// prefix list as many as it may have entries (VPC guide, "Amazon VPC quotas"). more
// is how many the new route counts.
func (t *RouteTable) checkRoom(tx *Tx, four bool, more int) error {
	used := more - 1
	for _, r := range t.routes {
		switch {
		case r.PrefixList != nil && r.PrefixList.four == four:
			used += r.PrefixList.max
		case r.PrefixList == nil && r.Origin == CreateRoute && r.Destination.Addr().Is4() == four:
			used++
		}
	}
	return tx.Within(QuotaRoutes, used, t.id)
}
