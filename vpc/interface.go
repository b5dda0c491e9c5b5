package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

// InterfaceType is the kind of an interface, in AWS's words where the EC2 API has
// one (NetworkInterface.InterfaceType). Load balancers other than NLB and GWLB and
// databases have plain interfaces, told by their requester and description; the
// kinds here are what the rules ask for.
type InterfaceType string

// The kinds of interface. The zero InterfaceType is a user's own.
const (
	InterfaceUser           InterfaceType = ""
	InterfaceNATGateway     InterfaceType = "nat_gateway"
	InterfaceNLB            InterfaceType = "network_load_balancer"
	InterfaceEndpoint       InterfaceType = "vpc_endpoint"
	InterfaceTransitGateway InterfaceType = "transit_gateway"
	InterfaceALB            InterfaceType = "application_load_balancer"
	InterfaceCLB            InterfaceType = "classic_load_balancer"
	InterfaceRDS            InterfaceType = "rds"
)

// refusedAtEdge reports whether a gateway route table refuses the kind as a target
// (S000: Network Load Balancer, NAT gateway and interface endpoint).
func (t InterfaceType) refusedAtEdge() bool {
	return t == InterfaceNLB || t == InterfaceNATGateway || t == InterfaceEndpoint
}

// PrivateAddress is one private IPv4 address of an interface.
type PrivateAddress struct {
	// IP is the address.
	IP netip.Addr
	// Public is the public IPv4 address that internet gateways put in its place;
	// invalid is none.
	Public netip.Addr
	// Address is the Elastic IP address that Public belongs to, nil for one that
	// came with the instance's launch.
	Address *Address
}

// NetworkInterfaceConfig says how an interface is made. The zero value is AWS's default.
type NetworkInterfaceConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Description is free text.
	Description string
	// PrivateIP is the primary private address; invalid takes a free one.
	PrivateIP netip.Addr
	// SecondaryIPs are further private addresses.
	SecondaryIPs []netip.Addr
	// IPv6 are IPv6 addresses within the subnet's CIDR.
	IPv6 []netip.Addr
	// Prefixes are assigned prefixes: IPv4 /28, IPv6 /80.
	Prefixes []netip.Prefix
	// Groups are the security groups; none is the VPC's default group.
	Groups []*SecurityGroup
	// DisableSourceDestCheck turns source/dest check off from the start.
	DisableSourceDestCheck bool
}

// NetworkInterface is an elastic network interface.
type NetworkInterface struct {
	Base
	subnet      *Subnet
	description string
	mac         wire.MAC
	addrs       []PrivateAddress
	ipv6        []netip.Addr
	prefixes    []netip.Prefix
	groups      []*SecurityGroup
	check       bool
	kind        InterfaceType
	owner       Gateway   // of a service's interface
	instance    *Instance // that it is attached to
	noGroups    bool      // filters nothing
}

// CreateNetworkInterface makes an interface in the subnet, attached to nothing.
// It is refused where an address lies outside the subnet, is reserved or in use.
func (s *Subnet) CreateNetworkInterface(c NetworkInterfaceConfig) (*NetworkInterface, error) {
	var n *NetworkInterface
	err := s.region.Change(func(tx *Tx) (err error) {
		n, err = tx.newInterface(s, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// newInterface checks first and changes after.
func (tx *Tx) newInterface(s *Subnet, c NetworkInterfaceConfig) (*NetworkInterface, error) {
	primary, err := s.choose(c)
	if err != nil {
		return nil, err
	}
	if len(c.Groups) == 0 {
		c.Groups = s.vpc.groups[:1]
	}
	for _, g := range c.Groups {
		if g.vpc != s.vpc {
			return nil, refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", g.id)
		}
	}
	id, err := tx.NewID("eni", c.ID)
	if err != nil {
		return nil, err
	}
	n := &NetworkInterface{
		Base: Base{id: id, region: s.region}, subnet: s, description: c.Description, mac: s.region.ids.mac(),
		addrs: []PrivateAddress{{IP: primary}}, ipv6: slices.Clone(c.IPv6), prefixes: slices.Clone(c.Prefixes),
		groups: slices.Clone(c.Groups), check: !c.DisableSourceDestCheck,
	}
	for _, a := range c.SecondaryIPs {
		n.addrs = append(n.addrs, PrivateAddress{IP: a})
	}
	if c.Name != "" {
		n.setTag("Name", c.Name)
	}
	s.interfaces = append(s.interfaces, n)
	s.vpc.interfaces = append(s.vpc.interfaces, n)
	tx.Add(n)
	return n, nil
}

// choose checks the addresses that an interface is to have and returns the primary one.
func (s *Subnet) choose(c NetworkInterfaceConfig) (netip.Addr, error) {
	primary := c.PrivateIP
	if !primary.IsValid() {
		a, ok := s.free(s.cidr)
		if !ok {
			return primary, refuse("InsufficientFreeAddressesInSubnet",
				"The specified subnet does not have enough free addresses to satisfy the request.")
		}
		primary = a
	}
	if !primary.Is4() {
		return primary, s.checkFree(s.cidr, primary)
	}
	seen := map[netip.Addr]bool{}
	for _, a := range append(append([]netip.Addr{primary}, c.SecondaryIPs...), c.IPv6...) {
		in := s.cidr
		if a.Is6() {
			in = s.ipv6
		}
		if err := s.checkFree(in, a); err != nil {
			return primary, err
		}
		if seen[a] {
			return primary, refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		seen[a] = true
	}
	for _, p := range c.Prefixes {
		if err := s.checkDelegation(p); err != nil {
			return primary, err
		}
	}
	return primary, nil
}

// checkFree refuses an address that lies outside the CIDR, is reserved or in use.
// The sentences about the range are AWS's as an emulator has them.
func (s *Subnet) checkFree(in netip.Prefix, a netip.Addr) error {
	switch {
	case !in.IsValid() || !in.Contains(a):
		return refuse("InvalidParameterValue", "Address does not fall within the subnet's address range")
	case reserved(in, a):
		return refuse("InvalidParameterValue", "Address is in subnet's reserved address range")
	case s.inUse(a):
		return refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
	}
	return nil
}

// checkDelegation holds an assigned prefix to AWS's sizes and to the subnet.
func (s *Subnet) checkDelegation(p netip.Prefix) error {
	in, bits := s.cidr, 28
	if p.Addr().Is6() {
		in, bits = s.ipv6, 80
	}
	if p.Bits() != bits || !in.IsValid() || !within(p, in) || p != p.Masked() {
		return refuse("InvalidParameterValue", "Prefix %s does not fall within the subnet's address range", p)
	}
	for _, n := range s.interfaces {
		if slices.ContainsFunc(n.prefixes, p.Overlaps) || slices.ContainsFunc(n.addrs, func(a PrivateAddress) bool { return p.Contains(a.IP) }) {
			return refuse("InvalidIPAddress.InUse", "Address %s is in use.", p)
		}
	}
	return nil
}

// ManagedInterface says how a service's interface is made.
type ManagedInterface struct {
	// Type is the kind of interface.
	Type InterfaceType
	// Description is the service's text, such as "Interface for NAT Gateway nat-…".
	Description string
	// PrivateIP is the address; invalid takes a free one.
	PrivateIP netip.Addr
	// ID is the id to use; "" makes one.
	ID string
	// SourceDestCheck is on for load balancers' and databases' interfaces, off for
	// what forwards.
	SourceDestCheck bool
	// Groups are its security groups; none is an interface that filters nothing.
	Groups []*SecurityGroup
}

// NewManagedInterface makes an interface that belongs to a gateway: its user can
// neither change nor detach it.
func (tx *Tx) NewManagedInterface(s *Subnet, owner Gateway, m ManagedInterface) (*NetworkInterface, error) {
	n, err := tx.newInterface(s, NetworkInterfaceConfig{
		ID: m.ID, Description: m.Description, PrivateIP: m.PrivateIP, Groups: m.Groups,
		DisableSourceDestCheck: !m.SourceDestCheck,
	})
	if err != nil {
		return nil, err
	}
	n.kind, n.owner, n.noGroups = m.Type, owner, len(m.Groups) == 0
	if n.noGroups {
		n.groups = nil
	}
	return n, nil
}

// DeleteManagedInterface deletes a gateway's interface.
func (tx *Tx) DeleteManagedInterface(n *NetworkInterface) { tx.dropInterface(n) }

func (tx *Tx) dropInterface(n *NetworkInterface) {
	for i := range n.addrs {
		n.disassociate(&n.addrs[i])
	}
	n.subnet.interfaces = remove(n.subnet.interfaces, n)
	n.subnet.vpc.interfaces = remove(n.subnet.vpc.interfaces, n)
	tx.Remove(n)
}

// Delete deletes an interface that is attached to nothing. Routes that name it
// become black holes.
func (n *NetworkInterface) Delete() error {
	return n.region.Change(func(tx *Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if n.instance != nil {
			return refuse("InvalidParameterValue", "Network interface '%s' is currently in use.", n.id)
		}
		tx.dropInterface(n)
		return nil
	})
}

// checkOwned refuses changes to a service's interface (S000; the code is inferred).
func (n *NetworkInterface) checkOwned() error {
	if n.kind != InterfaceUser {
		return refuse("AuthFailure", "You do not have permission to access the specified resource.")
	}
	return nil
}

// SetSourceDestCheck turns source/dest check on or off
// (ModifyNetworkInterfaceAttribute). A service's interface is refused.
func (n *NetworkInterface) SetSourceDestCheck(on bool) error {
	return n.region.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		n.check = on
		return nil
	})
}

// SourceDestCheck reports whether source/dest check is on.
func (n *NetworkInterface) SourceDestCheck() bool {
	var on bool
	n.region.read(func() { on = n.check })
	return on
}

// SetGroups gives the interface other security groups (ModifyNetworkInterfaceAttribute).
func (n *NetworkInterface) SetGroups(groups ...*SecurityGroup) error {
	return n.region.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		for _, g := range groups {
			if g.vpc != n.subnet.vpc {
				return refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", g.id)
			}
		}
		n.groups = slices.Clone(groups)
		return nil
	})
}

// AssignPrivateIP gives the interface a secondary private address; the zero Addr
// takes a free one.
func (n *NetworkInterface) AssignPrivateIP(a netip.Addr) (netip.Addr, error) {
	err := n.region.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		chosen, err := n.subnet.choose(NetworkInterfaceConfig{PrivateIP: a})
		if err != nil {
			return err
		}
		a = chosen
		n.addrs = append(n.addrs, PrivateAddress{IP: a})
		return nil
	})
	return a, err
}

// Subnet returns the interface's subnet, for life.
func (n *NetworkInterface) Subnet() *Subnet { return n.subnet }

// MAC returns the interface's Ethernet address, for life.
func (n *NetworkInterface) MAC() wire.MAC { return n.mac }

// Type returns the kind of interface.
func (n *NetworkInterface) Type() InterfaceType { return n.kind }

// PrivateIP returns the primary private address, for life.
func (n *NetworkInterface) PrivateIP() netip.Addr { return n.addrs[0].IP }

// PrivateAddresses returns the private IPv4 addresses, the primary one first, with
// their public ones.
func (n *NetworkInterface) PrivateAddresses() []PrivateAddress {
	var a []PrivateAddress
	n.region.read(func() { a = slices.Clone(n.addrs) })
	return a
}

// IPv6 returns the IPv6 addresses.
func (n *NetworkInterface) IPv6() []netip.Addr {
	var a []netip.Addr
	n.region.read(func() { a = slices.Clone(n.ipv6) })
	return a
}

// PublicIP returns the public address of the primary private address, invalid
// where it has none.
func (n *NetworkInterface) PublicIP() netip.Addr {
	var a netip.Addr
	n.region.read(func() { a = n.addrs[0].Public })
	return a
}

// Groups returns the security groups.
func (n *NetworkInterface) Groups() []*SecurityGroup {
	var g []*SecurityGroup
	n.region.read(func() { g = slices.Clone(n.groups) })
	return g
}

// has reports whether the address is the interface's own.
func (n *NetworkInterface) has(a netip.Addr) bool {
	return slices.ContainsFunc(n.addrs, func(p PrivateAddress) bool { return p.IP == a }) ||
		slices.Contains(n.ipv6, a) || n.delegated(a)
}

func (n *NetworkInterface) delegated(a netip.Addr) bool {
	return slices.ContainsFunc(n.prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// attached reports whether a route that names the interface is active.
func (n *NetworkInterface) attached() bool {
	return n.owner != nil || n.kind != InterfaceUser || n.instance != nil
}
