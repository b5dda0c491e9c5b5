package endpoint

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// CheckRoute is what AWS refuses about routes that name an endpoint: an interface
// endpoint is no target, a gateway endpoint makes its routes itself, a Gateway Load
// Balancer endpoint is one within its VPC only.
func (e *Endpoint) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	switch {
	case e.kind == Interface:
		return vpc.Refuse("RouteNotSupported", "Route table contains unsupported route target: %s. VPC Endpoints of this type cannot be used as route targets.", e.ID())
	case e.kind == Gateway:
		return vpc.RefuseServiceRoute()
	case e.vpc != t.VPC():
		return vpc.TargetNotFound(e.ID())
	}
	return nil
}

// checkGatewayService returns the short name of a service that has gateway endpoints
// in the region.
func checkGatewayService(r *vpc.Region, service string) (string, error) {
	short, ok := shortName(r, service)
	if _, there := ranges[short]; !ok || !there {
		return "", refuseService(service)
	}
	return short, nil
}

// shortName returns a service's name without com.amazonaws and the region, false of what
// is no AWS service of the region.
func shortName(r *vpc.Region, service string) (string, bool) {
	return strings.CutPrefix(service, "com.amazonaws."+r.Name()+".")
}

// checkService holds an endpoint in subnets to its service: a name of AWS's form,
// com.amazonaws.… or, of other accounts, com.amazonaws.vpce.…; where the region knows
// the service, its kind, its principals and its zones (the code of the kind is
// inferred). What AWS offers, and services of accounts that the region does not hold,
// are taken as they come. It sets whether the endpoint waits to be accepted.
func checkService(tx *vpc.Tx, e *Endpoint, subnets []*vpc.Subnet) error {
	if !strings.HasPrefix(e.service, "com.amazonaws.") || strings.HasSuffix(e.service, ".") {
		return refuseService(e.service)
	}
	s := serviceOf(tx, e.service)
	if s == nil {
		return nil
	}
	if !s.allows(e.account) {
		return refuseService(e.service)
	}
	if s.kind != e.kind {
		return vpc.Refuse("InvalidParameter", "The VPC endpoint service %s does not support endpoints of the type %s.", e.service, e.kind)
	}
	zones := s.zones(tx)
	for _, sub := range subnets {
		if !slices.Contains(zones, sub.Zone()) {
			return vpc.Refuse("InvalidParameter", "The VPC endpoint service %s does not support the availability zone of the subnet: %s.", e.service, sub.ID())
		}
	}
	if s.acceptance {
		e.state = pending
	}
	return nil
}

// checkPrivateDNS holds private names to the VPC's switches.
func checkPrivateDNS(tx *vpc.Tx, e *Endpoint) error {
	if a := tx.Attributes(e.vpc); e.private && !(a.EnableDNSSupport && a.EnableDNSHostnames) {
		return vpc.Refuse("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", e.vpc.ID())
	}
	return nil
}

// checkProviders returns the kind of a service on the load balancers.
func checkProviders(tx *vpc.Tx, on []Provider) (Kind, error) {
	if len(on) == 0 {
		return "", vpc.Refuse("MissingParameter", "The request must contain at least one load balancer ARN")
	}
	kind := Kind(on[0].EndpointKind())
	for _, p := range on {
		if err := tx.Needs("loadBalancerArn", p); err != nil {
			return "", err
		}
		if k := Kind(p.EndpointKind()); k != Interface && k != GatewayLoadBalancer {
			return "", vpc.Refuse("InvalidParameter", "The load balancer %s is neither a Network Load Balancer nor a Gateway Load Balancer.", p.ID())
		}
		if Kind(p.EndpointKind()) != kind {
			return "", vpc.Refuse("InvalidParameter", "A VPC endpoint service cannot have both Network Load Balancers and Gateway Load Balancers.")
		}
	}
	return kind, nil
}

// refuseEndpoint is AWS's answer about an endpoint that is not there, or not a service's.
func refuseEndpoint(id string) error {
	return vpc.Refuse("InvalidVpcEndpointId.NotFound", "The VpcEndPoint ID '%s' does not exist", id)
}

func refuseService(service string) error {
	return vpc.Refuse("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", service)
}

// checkTables holds route tables to the endpoint's VPC (the sentence for another VPC
// is inferred).
func checkTables(tx *vpc.Tx, v *vpc.VPC, tables []*vpc.RouteTable) error {
	for i, t := range tables {
		if err := tx.Needs("routeTableId", t); err != nil {
			return err
		}
		if t.VPC() != v {
			return vpc.Refuse("InvalidParameter", "Route table %s does not belong to VPC %s", t.ID(), v.ID())
		}
		if slices.Contains(tables[:i], t) {
			return vpc.Refuse("InvalidParameter", "Duplicate route table %s", t.ID())
		}
	}
	return nil
}

// checkKind refuses a call that another kind of endpoint has (code and sentence are
// inferred).
func checkKind(e *Endpoint, kind Kind) error {
	if e.kind != kind {
		return vpc.Refuse("InvalidParameter", "Endpoint %s is of the type %s, not %s", e.ID(), e.kind, kind)
	}
	return nil
}

func checkQuota(tx *vpc.Tx, v *vpc.VPC, kind Kind) error {
	gateways, inVPC := 0, 0
	for _, e := range vpc.Gateways[*Endpoint](tx) {
		if e.kind == Gateway {
			gateways++
		} else if e.vpc == v {
			inVPC++
		}
	}
	if kind == Gateway {
		return tx.Within(vpc.QuotaGatewayEndpoints, gateways, v.ID())
	}
	return tx.Within(vpc.QuotaInterfaceEndpoints, inVPC, v.ID())
}
