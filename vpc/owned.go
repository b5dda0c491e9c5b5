package vpc

import (
	"slices"

	"github.com/vpcsim/vpcsim/internal/addrtable"
	"github.com/vpcsim/vpcsim/wire"
)

// Addresses are what the interfaces of a VPC have: private IPv4 addresses, IPv6
// addresses and delegated prefixes of both families. They are immutable.
type Addresses struct {
	addrs    addrtable.Table[bool]
	prefixes []wire.Prefix
}

// Addresses returns the addresses of a VPC's interfaces. Gateways share them.
func (c *Compiler) Addresses(v *VPC) *Addresses {
	if a := c.addresses[v]; a != nil {
		return a
	}
	a := &Addresses{}
	for _, n := range v.interfaces {
		i := c.interfaces[n]
		for _, addr := range i.Addrs {
			a.addrs.Insert(addr, true)
		}
		a.prefixes = append(a.prefixes, i.Prefixes...)
	}
	c.addresses[v] = a
	return a
}

// Denied returns the IPv6 addresses of those interfaces of a VPC that deny all traffic by
// internet gateways (EC2 API, NetworkInterface.DenyAllIgwTraffic).
func (c *Compiler) Denied(v *VPC) *Addresses {
	a := &Addresses{}
	for _, n := range v.interfaces {
		if !n.deniesInternet() {
			continue
		}
		for _, six := range n.ipv6 {
			a.addrs.Insert(wire.AddrFrom(six), true)
		}
	}
	return a
}

// deniesInternet reports whether the interface's IPv6 addresses are closed to internet
// gateways: endpoints' are, internal dual-stack load balancers' may be (NLB guide,
// "ipv6.deny_all_igw_traffic").
func (n *NetworkInterface) deniesInternet() bool {
	return n.denyIGW || n.kind == InterfaceEndpoint || n.kind == InterfaceGWLBEndpoint
}

// Has reports whether an interface has the address. It does not allocate.
func (a *Addresses) Has(addr wire.Addr) bool {
	return a.addrs.Lookup(addr) || slices.ContainsFunc(a.prefixes, func(p wire.Prefix) bool { return p.Contains(addr) })
}
