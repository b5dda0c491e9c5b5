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

// Has reports whether an interface has the address. It does not allocate.
func (a *Addresses) Has(addr wire.Addr) bool {
	return a.addrs.Lookup(addr) || slices.ContainsFunc(a.prefixes, func(p wire.Prefix) bool { return p.Contains(addr) })
}
