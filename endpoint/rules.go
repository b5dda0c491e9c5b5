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

// checkService holds a service's name to AWS's form: com.amazonaws.… or, of other
// accounts, com.amazonaws.vpce.….
func checkService(service string) error {
	if !strings.HasPrefix(service, "com.amazonaws.") || strings.HasSuffix(service, ".") {
		return refuseService(service)
	}
	return nil
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
