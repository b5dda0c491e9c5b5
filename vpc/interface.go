package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

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
	// Carrier is the carrier IP address that the carrier gateway puts in its place;
	// invalid is none.
	Carrier netip.Addr
	// CustomerOwned is the customer-owned IP address that a local gateway puts in its
	// place; invalid is none.
	CustomerOwned netip.Addr
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
	// SecondaryIPs are further private addresses, SecondaryCount how many more free
	// ones to take.
	SecondaryIPs   []netip.Addr
	SecondaryCount int
	// IPv6 are IPv6 addresses within the subnet's CIDR, IPv6Count how many more free
	// ones to take.
	IPv6      []netip.Addr
	IPv6Count int
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
	owner       Resource      // of a service's interface
	instance    *Instance     // that it is attached to
	link        *attachment   // to the instance, or to the service
	noGroups    bool          // filters nothing
	denyIGW     bool          // see deniesInternet
	tunnels     []TunnelEnd   // that end at it
	told        *serviceFacts // what a restored interface was described with; nil: its kind's
}

// CreateNetworkInterface makes an interface in the subnet, attached to nothing.
// It is refused where an address lies outside the subnet, is reserved or in use.
func (s *Subnet) CreateNetworkInterface(c NetworkInterfaceConfig) (*NetworkInterface, error) {
	var n *NetworkInterface
	err := s.Change(func(tx *Tx) (err error) {
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
	if err := tx.Within(QuotaInterfaces, tx.r.interfaces, s.id); err != nil {
		return nil, err
	}
	a, err := s.choose(tx, c)
	if err != nil {
		return nil, err
	}
	if len(c.Groups) == 0 {
		c.Groups = s.vpc.groups[:1]
	}
	if err := checkGroups(tx, s.vpc, c.Groups); err != nil {
		return nil, err
	}
	b, err := tx.NewBase("eni", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	n := &NetworkInterface{
		Base: b, subnet: s, description: c.Description, mac: tx.r.ids.mac(),
		groups: slices.Clone(c.Groups), check: !c.DisableSourceDestCheck,
	}
	n.take(a)
	s.interfaces = append(s.interfaces, n)
	s.vpc.interfaces = append(s.vpc.interfaces, n)
	tx.r.interfaces++
	tx.Add(n)
	return n, nil
}

// take gives the interface addresses that were chosen.
func (n *NetworkInterface) take(c choice) {
	s := n.subnet
	for _, a := range c.four {
		n.addrs = append(n.addrs, PrivateAddress{IP: a})
		s.hosts[0].Take(a)
	}
	for _, a := range c.six {
		n.ipv6 = append(n.ipv6, a)
		s.hosts[1].Take(a)
	}
	for _, p := range c.prefixes {
		n.prefixes = append(n.prefixes, p)
		s.space(p.Addr()).TakeBlock(p)
	}
}

func (tx *Tx) dropInterface(n *NetworkInterface) {
	s := n.subnet
	for i := range n.addrs {
		n.disassociate(&n.addrs[i])
		s.hosts[0].Release(n.addrs[i].IP)
	}
	for _, a := range n.ipv6 {
		s.hosts[1].Release(a)
	}
	for _, p := range n.prefixes {
		s.space(p.Addr()).ReleaseBlock(p)
	}
	s.interfaces = remove(s.interfaces, n)
	s.vpc.interfaces = remove(s.vpc.interfaces, n)
	tx.r.described[n.description] = remove(tx.r.described[n.description], n)
	if n.link != nil {
		delete(tx.r.links, n.link.id)
	}
	tx.r.interfaces--
	tx.Remove(n)
}

// Delete deletes an interface that is attached to nothing. Routes that name it
// become black holes. One that is attached is refused with InvalidParameterValue
// (the sentence is unproven).
func (n *NetworkInterface) Delete() error {
	return n.Change(func(tx *Tx) error {
		if n.link != nil {
			return Refuse("InvalidParameterValue", "Network interface '%s' is currently in use.", n.id)
		}
		tx.dropInterface(n)
		return nil
	})
}

// SetSourceDestCheck turns source/dest check on or off
// (ModifyNetworkInterfaceAttribute). A service's interface is refused.
func (n *NetworkInterface) SetSourceDestCheck(on bool) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		n.check = on
		return nil
	})
}

// SetDescription changes the description (ModifyNetworkInterfaceAttribute). A
// service's interface is refused.
func (n *NetworkInterface) SetDescription(text string) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		n.description = text
		return nil
	})
}

// SetGroups gives the interface other security groups
// (ModifyNetworkInterfaceAttribute). A service's interface is refused.
func (n *NetworkInterface) SetGroups(groups ...*SecurityGroup) error {
	return n.Change(func(tx *Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if len(groups) == 0 {
			return Refuse("MissingParameter", "The request must contain the parameter groups")
		}
		if err := checkGroups(tx, n.subnet.vpc, groups); err != nil {
			return err
		}
		n.groups = slices.Clone(groups)
		return nil
	})
}

// checkGroups holds an interface's groups to their number and VPC.
func checkGroups(tx *Tx, v *VPC, groups []*SecurityGroup) error {
	for i, g := range groups {
		if err := tx.Needs("groupId", g); err != nil {
			return err
		}
		if g.vpc != v {
			return Refuse("InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", g.id, v.id)
		}
		if slices.Contains(groups[:i], g) {
			return Refuse("InvalidParameterValue", "The same security group may not be specified multiple times")
		}
	}
	return tx.Within(QuotaGroupsPerInterface, len(groups)-1, "")
}

// Subnet returns the interface's subnet, for life.
func (n *NetworkInterface) Subnet() *Subnet { return n.subnet }

// MAC returns the interface's Ethernet address, for life.
func (n *NetworkInterface) MAC() wire.MAC { return n.mac }

// Type returns the kind of interface.
func (n *NetworkInterface) Type() InterfaceType { return n.kind }

// Description returns the interface's free text; a service's tells what it is for.
func (n *NetworkInterface) Description() string {
	var text string
	n.region.read(func() { text = n.description })
	return text
}

// PrivateIP returns the primary private address, for life; invalid in a subnet with IPv6
// alone.
func (n *NetworkInterface) PrivateIP() netip.Addr { return first(n.PrivateAddresses()).IP }

// first returns the primary one of addresses, the zero one where there is none.
func first(of []PrivateAddress) PrivateAddress {
	if len(of) == 0 {
		return PrivateAddress{}
	}
	return of[0]
}

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

// Prefixes returns the assigned prefixes.
func (n *NetworkInterface) Prefixes() []netip.Prefix {
	var p []netip.Prefix
	n.region.read(func() { p = slices.Clone(n.prefixes) })
	return p
}

// PublicIP returns the public address of the primary private address, invalid
// where it has none.
func (n *NetworkInterface) PublicIP() netip.Addr { return first(n.PrivateAddresses()).Public }

// Groups returns the security groups.
func (n *NetworkInterface) Groups() []*SecurityGroup {
	var g []*SecurityGroup
	n.region.read(func() { g = slices.Clone(n.groups) })
	return g
}

// SourceDestCheck reports whether source/dest check is on.
func (n *NetworkInterface) SourceDestCheck() bool {
	var on bool
	n.region.read(func() { on = n.check })
	return on
}

// Instance returns the instance that the interface is attached to, or nil.
func (n *NetworkInterface) Instance() *Instance {
	var i *Instance
	n.region.read(func() { i = n.instance })
	return i
}

// attached reports whether a route that names the interface is active.
func (n *NetworkInterface) attached() bool { return n.link != nil }
