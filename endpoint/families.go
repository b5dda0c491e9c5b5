package endpoint

import (
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// The families of an endpoint's addresses.

// IPAddressType returns the families; "" of a gateway endpoint, and of a restored one
// whose description does not tell.
func (e *Endpoint) IPAddressType() ec2.IpAddressType {
	var t ec2.IpAddressType
	e.Region().View(func(*vpc.Tx) { t = e.families })
	return t
}

// SetIPAddressType changes the families (ModifyVpcEndpoint): with dualstack each interface
// gets an IPv6 address, with ipv4 it loses that. Refused as [CreateInterface] refuses it.
func (e *Endpoint) SetIPAddressType(t ec2.IpAddressType) error {
	return e.Change(func(tx *vpc.Tx) error {
		if e.kind == Gateway {
			return checkKind(e, Interface)
		}
		if err := checkFamilies(tx, e, e.subnets, t); err != nil {
			return err
		}
		for i, n := range e.nics {
			if t == ec2.IpAddressTypeIpv4 {
				tx.TakeIPv6(n)
			} else if err := tx.GiveIPv6(n); err != nil {
				for _, n := range e.nics[:i] {
					if e.families != ec2.IpAddressTypeDualstack {
						tx.TakeIPv6(n)
					}
				}
				return err
			}
		}
		e.families = t
		return nil
	})
}

// checkFamilies holds an endpoint's address type to its subnets and to its service
// (PrivateLink guide, "Access an AWS service", "IP address types"; codes and sentences are
// inferred). ipv6 takes subnets that have no IPv4, which there are none of. That each
// service of AWS's own has IPv6 is taken as it comes.
func checkFamilies(tx *vpc.Tx, e *Endpoint, subnets []*vpc.Subnet, t ec2.IpAddressType) error {
	switch t {
	case ec2.IpAddressTypeIpv4:
		return nil
	case ec2.IpAddressTypeDualstack, ec2.IpAddressTypeIpv6:
	default:
		return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter ipAddressType is invalid. Expected ipv4, dualstack or ipv6.", t)
	}
	for _, s := range subnets {
		if t == ec2.IpAddressTypeIpv6 || !tx.IPv6CIDR(s).IsValid() {
			return vpc.Refuse("InvalidParameter", "The subnet %s does not support the IP address type %s.", s.ID(), t)
		}
	}
	if s := serviceOf(tx, e.service); s != nil && !slices.Contains(s.types, ec2.ServiceConnectivityTypeIpv6) {
		return vpc.Refuse("InvalidParameter", "The VPC endpoint service %s does not support the IP address type %s.", e.service, t)
	}
	return nil
}

// checkTypes holds a service's families to its load balancers (codes and sentences are
// inferred).
func checkTypes(tx *vpc.Tx, types []ec2.ServiceConnectivityType, on []Provider) error {
	for _, t := range types {
		switch t {
		case ec2.ServiceConnectivityTypeIpv4:
		case ec2.ServiceConnectivityTypeIpv6:
			for _, p := range on {
				if !p.EndpointIPv6(tx) {
					return vpc.Refuse("InvalidParameter", "The load balancer %s does not support the IP address type ipv6.", p.ID())
				}
			}
		default:
			return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter supportedIpAddressTypes is invalid. Expected ipv4 or ipv6.", t)
		}
	}
	return nil
}
