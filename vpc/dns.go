package vpc

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/eni"
)

// DNSName is a name in the domain name system that belongs to a resource: a load
// balancer's, an endpoint's, a database's, one of a private hosted zone.
type DNSName struct {
	// Name is the name in lower case, without a dot at its end; one that begins with "*."
	// stands for all names one or more labels below it.
	Name string
	// Addrs are its addresses, of both families. Those asked for are handed out from one
	// after the other on.
	Addrs []netip.Addr
	// Alias is the name that it stands for; "" where it has addresses.
	Alias string
	// TTL is how long the answer may be kept; 0 is a minute.
	TTL time.Duration
	// Within are the VPCs whose resolver knows it; none is everywhere.
	Within []*VPC
}

// Namer is a resource that has names in the domain name system. What it says of health
// or zones it says by the addresses that it leaves out.
type Namer interface {
	Resource
	// DNSNames returns the names as they are now. It is called with the region locked.
	DNSNames(tx *Tx) []DNSName
}

// NameSharer is a gateway by which a VPC may have another resolve the public names of
// its instances to private addresses: a peering connection.
type NameSharer interface {
	// SharesNames reports whether the names of instances in of resolve to private
	// addresses for those in with. It is called with the region locked.
	SharesNames(tx *Tx, of, with *VPC) bool
}

// SubnetNames are the switches of a subnet for names (ModifySubnetAttribute). AWS keeps
// those of resource names with each instance, from its launch on; here the subnet's hold.
type SubnetNames struct {
	// DNS64 has the resolver make AAAA records of A records where there are none.
	DNS64 bool
	// ResourceA and ResourceAAAA give instances names of their ids, i-….
	ResourceA, ResourceAAAA bool
}

// SetNames changes the subnet's switches for names (ModifySubnetAttribute).
func (s *Subnet) SetNames(n SubnetNames) error {
	return s.Change(func(*Tx) error {
		s.names = n
		return nil
	})
}

// Names returns the subnet's switches for names.
func (s *Subnet) Names() SubnetNames {
	var n SubnetNames
	s.region.read(func() { n = s.names })
	return n
}

// NamesOf is Subnet.Names inside a change.
func (tx *Tx) NamesOf(s *Subnet) SubnetNames { return s.names }

// InstancesOf returns a VPC's instances that have an interface in it, in the order in
// which the interfaces were made.
func (tx *Tx) InstancesOf(v *VPC) []*Instance {
	var all []*Instance
	for _, n := range v.interfaces {
		if i := n.instance; i != nil && len(i.interfaces) > 0 && i.interfaces[0] == n {
			all = append(all, i)
		}
	}
	return all
}

// InterfacesOf returns a VPC's interfaces, in the order in which they were made. The list
// must not be changed.
func (tx *Tx) InterfacesOf(v *VPC) []*NetworkInterface { return v.interfaces }

// IPv6Addresses is NetworkInterface.IPv6 inside a change. The list must not be changed.
func (tx *Tx) IPv6Addresses(n *NetworkInterface) []netip.Addr { return n.ipv6 }

// SharesNames reports whether the names of instances in of resolve to private addresses
// for those in with: those of one VPC do, and those that a connection shares.
func (tx *Tx) SharesNames(of, with *VPC) bool {
	if of == with {
		return true
	}
	for _, g := range tx.r.gateways {
		if s, ok := g.(NameSharer); ok && s.SharesNames(tx, of, with) {
			return true
		}
	}
	return false
}

// ServeResolver has a service of the platform answer in every subnet at the addresses of
// the VPC's resolver: at base+2 of the VPC's primary CIDR, and at others that Serve names.
// It must be called before the first packet.
func (l *Live) ServeResolver(s eni.Service) {
	l.resolver = s
	l.snapshot = nil
}

// ResolverAddr returns the address of the VPC's resolver within it, base+2 of its primary
// CIDR (VPC guide, "Amazon DNS server").
func (v *VPC) ResolverAddr() netip.Addr { return v.CIDRs()[0].Addr().Next().Next() }
