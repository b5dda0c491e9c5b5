package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

// SubnetConfig says how a subnet is made. The zero value is AWS's default.
type SubnetConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Zone is the availability zone's name; "" is the region's first. AWS chooses
	// at random.
	Zone string
	// IPv6 is the subnet's IPv6 CIDR within the VPC's; invalid is none.
	IPv6 netip.Prefix
	// MapPublicIPOnLaunch gives instances launched here a public IPv4 address.
	MapPublicIPOnLaunch bool
}

// Subnet is a range of a VPC's addresses in one availability zone.
type Subnet struct {
	Base
	vpc        *VPC
	cidr, ipv6 netip.Prefix
	zone       string
	mapPublic  bool
	table      *RouteTable // nil: the VPC's main table
	acl        *NetworkACL
	interfaces []*NetworkInterface
	routerMAC  wire.MAC
}

// CreateSubnet makes a subnet. It is refused with InvalidSubnet.Range where the
// CIDR is not /16 to /28 or not within one of the VPC's, and with
// InvalidSubnet.Conflict where it overlaps another subnet's (VPC guide, "Subnet sizing").
func (v *VPC) CreateSubnet(cidr string, c SubnetConfig) (*Subnet, error) {
	var s *Subnet
	err := v.region.Change(func(tx *Tx) error {
		p, err := parseCIDR(cidr, "cidrBlock")
		if err != nil {
			return err
		}
		if c.Zone == "" {
			c.Zone = v.region.zones[0]
		}
		if err := checkSubnet(v, p, c); err != nil {
			return err
		}
		id, err := tx.NewID("subnet", c.ID)
		if err != nil {
			return err
		}
		s = &Subnet{
			Base: Base{id: id, region: v.region}, vpc: v, cidr: p, zone: c.Zone,
			mapPublic: c.MapPublicIPOnLaunch, acl: v.acls[0], routerMAC: v.region.ids.mac(),
		}
		if c.IPv6.IsValid() {
			s.ipv6 = c.IPv6.Masked()
		}
		if c.Name != "" {
			s.setTag("Name", c.Name)
		}
		v.subnets = append(v.subnets, s)
		tx.Add(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkSubnet holds a subnet to AWS's rules of size, place and overlap.
func checkSubnet(v *VPC, p netip.Prefix, c SubnetConfig) error {
	if !p.Addr().Is4() || p.Bits() < 16 || p.Bits() > 28 || !v.covers(p) {
		return refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", p)
	}
	if c.IPv6.IsValid() && (!c.IPv6.Addr().Is6() || c.IPv6.Bits() < 44 || c.IPv6.Bits() > 64 || !v.covers(c.IPv6.Masked())) {
		return refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", c.IPv6)
	}
	for _, s := range v.subnets {
		if s.cidr.Overlaps(p) {
			return refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", p)
		}
		if c.IPv6.IsValid() && s.ipv6.IsValid() && s.ipv6.Overlaps(c.IPv6) {
			return refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", c.IPv6)
		}
	}
	if !slices.Contains(v.region.zones, c.Zone) {
		return refuse("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. "+
			"Subnets can currently only be created in the following availability zones: %s.", c.Zone, joinWords(v.region.zones))
	}
	return nil
}

func joinWords(words []string) string {
	s := ""
	for i, w := range words {
		if i > 0 {
			s += ", "
		}
		s += w
	}
	return s
}

// VPC returns the VPC that holds the subnet.
func (s *Subnet) VPC() *VPC { return s.vpc }

// CIDR returns the subnet's IPv4 CIDR.
func (s *Subnet) CIDR() netip.Prefix { return s.cidr }

// IPv6 returns the subnet's IPv6 CIDR, invalid where it has none.
func (s *Subnet) IPv6() netip.Prefix { return s.ipv6 }

// Zone returns the availability zone's name.
func (s *Subnet) Zone() string { return s.zone }

// RouteTable returns the table that the subnet uses: its own or the main one.
func (s *Subnet) RouteTable() *RouteTable {
	var t *RouteTable
	s.region.read(func() { t = s.routes() })
	return t
}

func (s *Subnet) routes() *RouteTable {
	if s.table != nil {
		return s.table
	}
	return s.vpc.main
}

// Gateway4 returns the router's IPv4 address, base+1 (VPC guide, "Subnet sizing").
func (s *Subnet) Gateway4() netip.Addr { return s.cidr.Addr().Next() }

// reserved reports whether AWS keeps the address: the first four and the last of
// the CIDR (VPC guide, "Subnet sizing").
func reserved(p netip.Prefix, a netip.Addr) bool {
	first := p.Addr()
	for range 4 {
		if a == first {
			return true
		}
		first = first.Next()
	}
	next := a.Next()
	return !next.IsValid() || !p.Contains(next)
}

// inUse reports whether an interface of the VPC has the address. Subnets don't
// overlap, so those of the subnet suffice.
func (s *Subnet) inUse(a netip.Addr) bool {
	return slices.ContainsFunc(s.interfaces, func(n *NetworkInterface) bool { return n.has(a) })
}

// free returns the lowest address of p that is neither reserved nor in use. AWS
// chooses at random; the lowest is easier to read.
func (s *Subnet) free(p netip.Prefix) (netip.Addr, bool) {
	taken := map[netip.Addr]bool{}
	for _, n := range s.interfaces {
		for _, a := range n.addrs {
			taken[a.IP] = true
		}
		for _, a := range n.ipv6 {
			taken[a] = true
		}
	}
	a := p.Addr()
	for range 4 {
		a = a.Next()
	}
	for ; p.Contains(a); a = a.Next() {
		if !taken[a] && !reserved(p, a) && !slices.ContainsFunc(s.interfaces, func(n *NetworkInterface) bool { return n.delegated(a) }) {
			return a, true
		}
	}
	return netip.Addr{}, false
}
