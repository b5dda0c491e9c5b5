package vpc

import (
	"net/netip"
	"slices"
)

// What packages of services that have targets in a VPC ask inside a change.

// StateOf is Instance.State inside a change.
func (tx *Tx) StateOf(i *Instance) InstanceState { return i.state }

// VPCOf returns the VPC of an instance.
func (tx *Tx) VPCOf(i *Instance) *VPC { return i.subnet.vpc }

// PrimaryOf is Instance.Interface inside a change.
func (tx *Tx) PrimaryOf(i *Instance) *NetworkInterface {
	if len(i.interfaces) == 0 {
		return nil
	}
	return i.interfaces[0]
}

// InterfaceWith returns the interface of the VPC that has the private IPv4 address or the
// IPv6 address, or nil. It looks at each.
func (tx *Tx) InterfaceWith(v *VPC, a netip.Addr) *NetworkInterface {
	for _, n := range v.interfaces {
		if n.private(a) != nil || slices.Contains(n.ipv6, a) {
			return n
		}
	}
	return nil
}

// SubnetWith returns the subnet of the VPC that holds the address, or nil.
func (tx *Tx) SubnetWith(v *VPC, a netip.Addr) *Subnet {
	for _, s := range v.subnets {
		if s.cidr.Contains(a) || s.ipv6.IsValid() && s.ipv6.Contains(a) {
			return s
		}
	}
	return nil
}

// ReleaseAddress gives an Elastic IP address back that no interface has.
func (tx *Tx) ReleaseAddress(e *Address) {
	if e.to == nil {
		tx.r.public.release(e.public)
		tx.r.eips = remove(tx.r.eips, e)
		tx.Remove(e)
	}
}
