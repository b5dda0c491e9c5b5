package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// Outpost returns the ARN of the Outpost that the subnet lies on, "" where it lies in
// the region itself.
func (s *Subnet) Outpost() string { return s.outpost }

// OutpostSubnets returns the VPC's subnets on the Outpost with the ARN, in the order in
// which they were made.
func (tx *Tx) OutpostSubnets(v *VPC, arn string) []*Subnet {
	return slices.DeleteFunc(slices.Clone(v.subnets), func(s *Subnet) bool { return s.outpost != arn })
}

// Leads reports whether a route of the subnet's table names the target.
func (tx *Tx) Leads(s *Subnet, target Target) bool {
	return slices.ContainsFunc(s.routes().routes, func(r *Route) bool { return r.Target == target })
}

// Runs reports whether the interface is attached to an instance that runs.
func (tx *Tx) Runs(n *NetworkInterface) bool {
	return n.instance != nil && n.instance.state == Running
}

// Holder returns the interface of the VPC that has an address in the place of a private
// one, as which says, and nil where none has.
func (tx *Tx) Holder(v *VPC, a netip.Addr, which func(PrivateAddress) netip.Addr) *NetworkInterface {
	for _, n := range v.interfaces {
		if slices.ContainsFunc(n.addrs, func(p PrivateAddress) bool { return which(p) == a }) {
			return n
		}
	}
	return nil
}

// SetCarrier has carrier gateways put an address in the place of the interface's primary
// private one; the zero Addr takes it away.
func (tx *Tx) SetCarrier(n *NetworkInterface, a netip.Addr) { n.addrs[0].Carrier = a }

// SetCustomerOwned has local gateways put an address in the place of the interface's
// primary private one; the zero Addr takes it away.
func (tx *Tx) SetCustomerOwned(n *NetworkInterface, a netip.Addr) { n.addrs[0].CustomerOwned = a }

// restoreOutposts takes the carrier and customer-owned IP addresses of a description.
func (p *PrivateAddress) restoreOutposts(field string, as *ec2.NetworkInterfaceAssociation) (bad []error) {
	for _, m := range []struct {
		name string
		text *string
		to   *netip.Addr
	}{{".CarrierIp", as.CarrierIp, &p.Carrier}, {".CustomerOwnedIp", as.CustomerOwnedIp, &p.CustomerOwned}} {
		if ec2.Value(m.text) == "" {
			continue
		}
		a, err := shapeAddr(field+m.name, m.text, false)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		*m.to = a
	}
	return bad
}
