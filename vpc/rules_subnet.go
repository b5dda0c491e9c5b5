package vpc

import (
	"net/netip"
	"strings"
)

// checkSubnet holds a subnet to AWS's rules of size, place and overlap (VPC guide,
// "Subnet sizing"). An invalid six is no IPv6 CIDR.
func checkSubnet(v *VPC, p, six netip.Prefix) error {
	if !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 || !v.covers(p) {
		return Refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
	}
	for _, s := range v.subnets {
		if s.cidr.Overlaps(p) {
			return Refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p)
		}
	}
	if six.IsValid() {
		return checkSubnetIPv6(v, six)
	}
	return nil
}

func checkSubnetIPv6(v *VPC, p netip.Prefix) error {
	if !p.Addr().Is6() || p.Addr().Is4In6() || p.Bits() < 44 || p.Bits() > 64 || !v.covers(p) {
		return Refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
	}
	for _, s := range v.subnets {
		if s.ipv6.IsValid() && s.ipv6.Overlaps(p) {
			return Refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p)
		}
	}
	return nil
}

func refuseZone(r *Region, name string) error {
	return Refuse("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. "+
		"Subnets can currently only be created in the following availability zones: %s.", name, strings.Join(r.Zones(), ", "))
}
