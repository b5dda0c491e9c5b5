package vpc

import (
	"net/netip"
	"slices"
)

// ParseCIDR reads a CIDR and drops its host bits, as EC2 does (100.68.0.18/18 is
// stored as 100.68.0.0/18). An IPv4-mapped IPv6 prefix is no CIDR. What is none is
// refused with InvalidParameterValue, which names the parameter.
func ParseCIDR(s, parameter string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, Refuse("InvalidParameterValue",
			"Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", s, parameter)
	}
	return p.Masked(), nil
}

// checkVPCRange holds an IPv4 CIDR to /16../28 (VPC guide, "VPC CIDR blocks").
func checkVPCRange(p netip.Prefix) error {
	if !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 {
		return Refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", p)
	}
	return nil
}

// checkIPv6Range holds a VPC's IPv6 CIDR to /44../60 (VPC guide, "VPC CIDR blocks").
func checkIPv6Range(p netip.Prefix) error {
	if !p.Addr().Is6() || p.Addr().Is4In6() || p.Bits() < 44 || p.Bits() > 60 {
		return Refuse("InvalidVpc.Range", "The CIDR '%s' is invalid.", p)
	}
	return nil
}

const restricted = "The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, " +
	"or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"

var (
	net10      = netip.MustParsePrefix("10.0.0.0/8")
	net10low   = netip.MustParsePrefix("10.0.0.0/15")
	net10zero  = netip.MustParsePrefix("10.0.0.0/16")
	net172     = netip.MustParsePrefix("172.16.0.0/12")
	net172last = netip.MustParsePrefix("172.31.0.0/16")
	net192     = netip.MustParsePrefix("192.168.0.0/16")
	net19819   = netip.MustParsePrefix("198.19.0.0/16")
	net169     = netip.MustParsePrefix("169.254.0.0/16")
)

// checkSecondary holds a further CIDR to the table of restricted ranges, to the
// VPC's own CIDRs, to its peers and to its routes (VPC guide, "VPC CIDR blocks").
// The codes of the overlap refusals and their sentences are inferred.
func checkSecondary(tx *Tx, v *VPC, p netip.Prefix) error {
	if err := checkSecondaryRange(v, p); err != nil {
		return err
	}
	if err := tx.Within(familyQuota(p, QuotaIPv4CIDRs, QuotaIPv6CIDRs), sameFamily(v.cidrs, p), v.id); err != nil {
		return err
	}
	for _, own := range v.cidrs {
		if own.Overlaps(p) {
			return Refuse("InvalidVpc.Range", "The CIDR '%s' conflicts with another CIDR of the VPC.", p)
		}
	}
	for _, t := range v.tables {
		for _, rt := range t.routes {
			if rt.Destination.IsValid() && within(rt.Destination, p) {
				return Refuse("InvalidVpc.Range", "The CIDR '%s' is equal to or wider than the route destination %s.", p, rt.Destination)
			}
		}
	}
	for _, g := range tx.r.gateways {
		if x, ok := g.(CIDRGuard); ok {
			if err := x.CheckCIDR(tx, v, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// CIDRGuard is a gateway that has a say in what CIDRs a VPC may take: a peering
// connection.
type CIDRGuard interface {
	// CheckCIDR returns AWS's refusal of a further CIDR of v, or nil.
	CheckCIDR(tx *Tx, v *VPC, p netip.Prefix) error
}

func checkSecondaryRange(v *VPC, p netip.Prefix) error {
	if p.Addr().Is6() {
		return checkIPv6Range(p)
	}
	if err := checkVPCRange(p); err != nil {
		return err
	}
	if slices.ContainsFunc(v.cidrs, func(own netip.Prefix) bool { return rangeForbids(own, p) }) || p.Overlaps(net169) {
		return Refuse("InvalidVpc.Range", restricted, p)
	}
	return nil
}

// familyQuota returns the quota of p's family.
func familyQuota(p netip.Prefix, four, six Quota) Quota {
	if p.Addr().Is6() {
		return six
	}
	return four
}

// sameFamily counts the CIDRs of p's family.
func sameFamily(list []netip.Prefix, p netip.Prefix) int {
	n := 0
	for _, q := range list {
		if q.Addr().Is4() == p.Addr().Is4() {
			n++
		}
	}
	return n
}

// rangeForbids is the table of AWS's guide: own is a CIDR that the VPC has.
func rangeForbids(own, p netip.Prefix) bool {
	private := p.Overlaps(net10) || p.Overlaps(net172) || p.Overlaps(net192)
	switch {
	case !own.Addr().Is4():
		return false
	case within(own, net10):
		return p.Overlaps(net172) || p.Overlaps(net192) || p.Overlaps(net19819) || within(own, net10low) && p == net10zero
	case within(own, net172):
		return p.Overlaps(net10) || p.Overlaps(net192) || p.Overlaps(net19819) || p.Overlaps(net172last)
	case within(own, net192):
		return p.Overlaps(net10) || p.Overlaps(net172) || p.Overlaps(net19819)
	case within(own, net19819):
		return private
	}
	return private || p.Overlaps(net19819)
}
