package balancer

import (
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// The families of a load balancer's addresses and of its targets'.

// denyIGW is the attribute that closes a load balancer's IPv6 addresses to internet
// gateways: true of an internal one, false of others (ELB API, LoadBalancerAttribute).
const denyIGW = "ipv6.deny_all_igw_traffic"

// attributes are those of a new load balancer of the kind.
func (k *Kind) attributes(internet bool) []Attribute {
	list := slices.Clone(k.Attributes)
	if k.Type == elbv2.TypeApplication || k.Type == elbv2.TypeNetwork {
		list = append(list, Attribute{denyIGW, strconv.FormatBool(!internet)})
	}
	return list
}

// deny has the interfaces follow the attribute. One without IPv6 is left open.
func (l *LoadBalancer) deny(tx *vpc.Tx) {
	for _, n := range l.nics {
		tx.DenyIGW(n, l.dualstack() && l.attribute(denyIGW) == "true")
	}
}

func (l *LoadBalancer) dualstack() bool {
	return l.families == elbv2.IPAddressTypeDualstack || l.families == elbv2.IPAddressTypeDualstackWithoutPublicIPv4
}

// six reports whether the group's targets are reached by IPv6.
func (g *TargetGroup) six() bool { return g.family == elbv2.IPAddressTypeIPv6 }

// IPAddressType returns the families of the nodes' addresses; "" of a restored load
// balancer whose description does not tell.
func (l *LoadBalancer) IPAddressType() elbv2.IPAddressType {
	var t elbv2.IPAddressType
	l.Region().View(func(*vpc.Tx) { t = l.families })
	return t
}

// IPAddressType returns the family of the targets' addresses, for life; "" of a restored
// group whose description does not tell, which is IPv4.
func (g *TargetGroup) IPAddressType() elbv2.IPAddressType { return g.family }

// SetIPAddressType changes the families (SetIpAddressType): with dualstack each node gets
// an IPv6 address, with ipv4 it loses that. Refused as [Create] refuses it, and ipv4
// while a listener forwards to a group of IPv6 targets (the latter is inferred).
func (l *LoadBalancer) SetIPAddressType(t elbv2.IPAddressType) error {
	return l.Change(func(tx *vpc.Tx) error {
		if err := checkFamilies(tx, l.kind, l.subnets, t); err != nil {
			return err
		}
		if t == elbv2.IPAddressTypeIPv4 {
			return l.dropIPv6(tx)
		}
		for i, n := range l.nics {
			if err := tx.GiveIPv6(n); err != nil {
				for _, n := range l.nics[:i] {
					if !l.dualstack() {
						tx.TakeIPv6(n)
					}
				}
				return err
			}
		}
		l.families = t
		l.deny(tx)
		return nil
	})
}

func (l *LoadBalancer) dropIPv6(tx *vpc.Tx) error {
	for _, g := range vpc.Resources[*TargetGroup](tx) {
		if g.six() && g.balancer(tx) == l {
			return vpc.Refuse("InvalidConfigurationRequest", "The IP address type of the load balancer '%s' must be 'dualstack' for the target group '%s', whose IP address type is 'ipv6'", l.ID(), g.ID())
		}
	}
	l.families = elbv2.IPAddressTypeIPv4
	for _, n := range l.nics {
		tx.TakeIPv6(n)
	}
	l.deny(tx)
	return nil
}

// checkFamilies holds a load balancer's address type to its kind and its subnets: the
// sentence about these is recorded, the others are inferred. A Classic Load Balancer in a
// VPC has IPv4 alone (CLB guide).
func checkFamilies(tx *vpc.Tx, k *Kind, subnets []*vpc.Subnet, t elbv2.IPAddressType) error {
	switch {
	case t == elbv2.IPAddressTypeIPv4:
		return nil
	case k.Classic:
		return vpc.Refuse("ValidationError", "IP address type '%s' must be one of 'ipv4'", t)
	case t != elbv2.IPAddressTypeDualstack:
		return vpc.Refuse("ValidationError", "IP address type '%s' must be one of 'ipv4, dualstack'", t)
	}
	for _, s := range subnets {
		if !tx.IPv6CIDR(s).IsValid() {
			return vpc.Refuse("ValidationError", "You must specify subnets with an associated IPv6 CIDR block.")
		}
	}
	return nil
}

// checkFamily holds a target group's address type to its targets: groups of IPv6 targets
// have instances or addresses (NLB and ALB guides, "IP address type"; GWLB guide: IPv4
// alone). The sentences are inferred.
func checkFamily(c TargetGroupConfig) error {
	switch c.IPAddressType {
	case elbv2.IPAddressTypeIPv4:
		return nil
	case elbv2.IPAddressTypeIPv6:
		if c.Type == elbv2.TargetALB || c.Protocol == elbv2.GENEVE {
			return vpc.Refuse("ValidationError", "IP address type 'ipv6' is not supported for target groups with the target type '%s' and the protocol '%s'", c.Type, c.Protocol)
		}
		return nil
	}
	return vpc.Refuse("ValidationError", "Target group IP address type '%s' must be one of 'ipv4, ipv6'", c.IPAddressType)
}
