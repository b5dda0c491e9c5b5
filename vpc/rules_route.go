package vpc

import (
	"net/netip"
)

// The sentences of S000 and S001. Codes: RouteNotSupported and RouteConflict have
// been seen for the destination and for the conflict; for the two about targets,
// and for propagation (text too), they are inferred.
const (
	msgNotInterface           = "Route table contains routes that do not target a network interface"
	msgUnsupportedInterface   = "Route table contains routes targeting unsupported network interface %s"
	msgConflictingGateway     = "Route table has a conflicting association with the gateway %s"
	msgUnsupportedDestination = "Route table contains unsupported route destination. The unsupported route destination is less specific or non-overlapping than VPC local CIDR."
	msgNoSubnetCIDR           = "Route destination doesn't match any subnet CIDR blocks."
	msgNarrowerThanLocal      = "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
	msgBefore2021             = "This route table is used by a subnet, and doesn't support route destination which are more specific than VPC local CIDR."
	msgPropagation            = "Route table contains propagated routes, which a gateway route table does not support."
	msgSeveralInterfaces      = "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead."
)

// linkLocal are the ranges that no route may name: the platform's own services
// (VPC guide, "Subnet route tables").
var linkLocal = []netip.Prefix{netip.MustParsePrefix("169.254.168.0/22"), netip.MustParsePrefix("fd00:ec2::/32")}

// resolve turns what the caller named into what the table stores: an instance into
// its interface, a NAT gateway's own interface into the NAT gateway (S000).
func (t *RouteTable) resolve(tx *Tx, target Target) (Target, error) {
	switch x := target.(type) {
	case nil:
		return nil, refuse("MissingParameter", "The request must contain exactly one of gatewayId, localGatewayId, "+
			"carrierGatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, "+
			"transitGatewayId, vpcEndpointId, coreNetworkArn or instanceId")
	case local:
		return nil, refuse("InvalidGatewayID.NotFound", "The gateway ID 'local' does not exist")
	case *Instance:
		if len(x.interfaces) != 1 {
			return nil, refuse("InvalidInstanceID", msgSeveralInterfaces, x.id)
		}
		return x.interfaces[0], nil
	case *NetworkInterface:
		if tx.r.byID[x.id] != Resource(x) {
			return nil, refuse("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", x.id)
		}
		if x.kind == InterfaceNATGateway && x.owner != nil && t.edge == nil {
			return x.owner, nil
		}
		return x, nil
	case Gateway:
		if tx.r.byID[x.ID()] != Resource(x) {
			return nil, refuse(notFoundCode(x.ID()), "The %s ID '%s' does not exist", notFoundNoun(x.ID()), x.ID())
		}
	}
	return target, nil
}

// gatewayWords are the codes and nouns of AWS's answers about gateways it doesn't know.
var gatewayWords = map[string][2]string{
	"nat": {"InvalidNatGatewayID.NotFound", "natGateway"},
	"tgw": {"InvalidTransitGatewayID.NotFound", "transitGateway"},
}

func notFoundCode(id string) string { return gatewayWord(id, 0, "InvalidGatewayID.NotFound") }
func notFoundNoun(id string) string { return gatewayWord(id, 1, "gateway") }

func gatewayWord(id string, i int, otherwise string) string {
	for prefix, words := range gatewayWords {
		if hasPrefix(id, prefix) {
			return words[i]
		}
	}
	return otherwise
}

// checkRoute holds a route to the rules of the tables that t is: a subnet's (as
// every table may become one) and, where it has an edge association, a gateway's.
func checkRoute(tx *Tx, t *RouteTable, dst netip.Prefix, target Target) error {
	if t.edge != nil {
		if err := checkEdgeRoute(t.vpc, t.edge, dst, target); err != nil {
			return err
		}
		return nil
	}
	for _, p := range linkLocal {
		if within(dst, p) {
			return refuse("InvalidParameterValue", "The destination CIDR block %s is reserved and cannot be routed.", dst)
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
	if t.region.before2021 {
		return refuse("InvalidParameterValue", msgBefore2021)
	}
	if g, ok := target.(Gateway); ok {
		if in, ok := g.(Insider); !ok || !in.RoutesInside() {
			return refuse("InvalidParameterValue", msgNarrowerThanLocal, dst)
		}
	}
	for _, c := range t.vpc.cidrs {
		if c == dst {
			return nil
		}
	}
	if t.vpc.subnetWith(dst) == nil {
		return refuse("InvalidParameterValue", msgNoSubnetCIDR)
	}
	return nil
}

// checkEdgeTable holds a whole table to the rules of gateway route tables.
func checkEdgeTable(t *RouteTable, g EdgeGateway) error {
	if len(t.learned) > 0 {
		return refuse("RouteNotSupported", msgPropagation)
	}
	for _, r := range t.routes {
		if r.PrefixList != nil {
			return refuse("RouteNotSupported", msgUnsupportedDestination)
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
		if x.kind.refusedAtEdge() {
			return refuse("RouteNotSupported", msgUnsupportedInterface, x.id)
		}
	case Gateway:
		if x == Gateway(g) {
			return refuse("RouteConflict", msgConflictingGateway, g.ID())
		}
		if in, ok := x.(Insider); !ok || !in.RoutesInside() || hasPrefix(x.ID(), "nat") {
			return refuse("RouteNotSupported", msgNotInterface)
		}
	}
	if !v.covers(dst) {
		return refuse("RouteNotSupported", msgUnsupportedDestination)
	}
	for _, c := range v.cidrs {
		if c == dst {
			return nil
		}
	}
	if v.subnetWith(dst) == nil {
		return refuse("InvalidParameterValue", msgNoSubnetCIDR)
	}
	return nil
}
