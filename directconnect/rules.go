package directconnect

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Direct Connect's quotas (Direct Connect guide, "Quotas").
const (
	mostPrivate  = 20  // virtual private gateways a Direct Connect gateway
	mostTransit  = 6   // transit gateways
	mostPrefixes = 200 // allowed ones an association with a transit gateway
	mostLines    = 30  // virtual interfaces a Direct Connect gateway
)

// attached is a gateway that has one VPC: a virtual private gateway.
type attached interface{ AttachedTo(tx *vpc.Tx) *vpc.VPC }

func transit(g remote.Gateway) bool { return strings.HasPrefix(g.ID(), "tgw-") }

// checkAssociate refuses a second association of a gateway, virtual private gateways and
// transit gateways at one Direct Connect gateway, a transit gateway of the same number,
// one without allowed prefixes, and VPCs whose CIDRs overlap (Direct Connect guide,
// "Direct Connect gateways"). The code is the API's; all sentences are inferred.
func (g *Gateway) checkAssociate(tx *vpc.Tx, with remote.Gateway, allowed []netip.Prefix) ([]netip.Prefix, error) {
	if err := tx.Needs("gatewayId", with); err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) ([]netip.Prefix, error) {
		return nil, vpc.Refuse("DirectConnectClientException", format, args...)
	}
	prefixes, err := remote.CheckPrefixes(allowed, false)
	switch {
	case err != nil:
		return nil, err
	case transit(with) && len(prefixes) == 0:
		return refuse("Allowed prefixes are required for an association with the transit gateway %s.", with.ID())
	case transit(with) && len(prefixes) > mostPrefixes:
		return refuse("An association with a transit gateway has at most %d allowed prefixes.", mostPrefixes)
	case transit(with) && with.ASN() == g.ASN():
		return refuse("The ASN of the Direct Connect gateway %s and of the transit gateway %s must differ.", g.id, with.ID())
	}
	now := g.site.Get()
	if slices.ContainsFunc(now.lines, func(l line) bool { return l.vif.transit() != transit(with) }) {
		return refuse("The virtual interfaces of the Direct Connect gateway %s don't lead to %s.", g.id, with.ID())
	}
	others := now.associations
	most := mostPrivate
	if transit(with) {
		most = mostTransit
	}
	if len(others) >= most {
		return refuse("The Direct Connect gateway %s has its most associations: %d.", g.id, most)
	}
	for _, o := range others {
		switch {
		case o.gateway.ID() == with.ID():
			return refuse("%s is associated with the Direct Connect gateway %s already.", with.ID(), g.id)
		case transit(o.gateway) != transit(with):
			return refuse("The Direct Connect gateway %s can't be associated with virtual private gateways and transit gateways.", g.id)
		}
		if overlap(o.vpc, vpcOf(tx, with)) {
			return refuse("The CIDRs of the VPCs of %s and %s overlap.", o.gateway.ID(), with.ID())
		}
	}
	return prefixes, nil
}

// checkInterface refuses a virtual interface of the other type than what is associated or
// attached, a VLAN that is none, and one too many (Direct Connect guide, "Direct Connect
// gateways", "Quotas"; all sentences are inferred).
func (g *Gateway) checkInterface(c InterfaceConfig) error {
	refuse := func(format string, args ...any) error {
		return vpc.Refuse("DirectConnectClientException", format, args...)
	}
	now := g.site.Get()
	switch {
	case c.VLAN < 0 || c.VLAN > 4094:
		return refuse("The VLAN %d is not between 1 and 4094.", c.VLAN)
	case len(now.lines) >= mostLines:
		return refuse("The Direct Connect gateway %s has its most virtual interfaces: %d.", g.id, mostLines)
	case slices.ContainsFunc(now.lines, func(l line) bool { return l.vif.transit() != c.Transit }),
		slices.ContainsFunc(now.associations, func(a *Association) bool { return transit(a.gateway) != c.Transit }):
		return refuse("The Direct Connect gateway %s can't have private and transit virtual interfaces.", g.id)
	}
	return nil
}

// vpcOf returns the VPC of a virtual private gateway, nil of another.
func vpcOf(tx *vpc.Tx, g remote.Gateway) *vpc.VPC {
	if a, ok := g.(attached); ok {
		return a.AttachedTo(tx)
	}
	return nil
}

// overlap reports whether the CIDRs of two VPCs overlap.
func overlap(v, w *vpc.VPC) bool {
	if v == nil || w == nil || v == w {
		return false
	}
	for _, p := range v.CIDRs() {
		for _, q := range w.CIDRs() {
			if p.Overlaps(q) {
				return true
			}
		}
	}
	return false
}
