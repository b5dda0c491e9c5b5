package vpc

import (
	"net/netip"
	"slices"
)

// AssignPrivateIP gives the interface a secondary private address
// (AssignPrivateIpAddresses); the zero Addr takes a free one. It returns the address.
func (n *NetworkInterface) AssignPrivateIP(a netip.Addr) (netip.Addr, error) {
	err := n.assign(func() (c choice, err error) {
		if n.private(a) != nil {
			return c, Refuse("Resource.AlreadyAssigned", "The private IP address %s is already assigned to %s", a, n.id)
		}
		c.four, err = n.subnet.choose4(one(a), 1)
		if err == nil {
			a = c.four[0]
		}
		return c, err
	})
	return a, err
}

// one returns a list of a, empty where a is invalid.
func one(a netip.Addr) []netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return []netip.Addr{a}
}

// ReassignPrivateIP moves a secondary private address here from another interface of
// the subnet (AssignPrivateIpAddresses with AllowReassignment), or takes it where it
// is free. Its Elastic IP address comes along. A primary address is refused with
// InvalidIPAddress.InUse (code and sentence are inferred).
func (n *NetworkInterface) ReassignPrivateIP(a netip.Addr) error {
	return n.Change(func(tx *Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if !a.Is4() {
			return Refuse("InvalidParameterValue", msgOutside)
		}
		from := n.subnet.holder(a)
		if from == n {
			return nil
		}
		if err := tx.Within(QuotaAddressesPerInterface, len(n.addrs)+len(n.prefixes), n.id); err != nil {
			return err
		}
		if from == nil {
			four, err := n.subnet.choose4(one(a), 1)
			if err == nil {
				n.take(choice{four: four})
			}
			return err
		}
		if from.addrs[0].IP == a || from.kind != InterfaceUser {
			return Refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		at := slices.IndexFunc(from.addrs, func(p PrivateAddress) bool { return p.IP == a })
		moved := from.addrs[at]
		from.addrs = slices.Delete(from.addrs, at, at+1)
		n.addrs = append(n.addrs, moved)
		if moved.Address != nil {
			moved.Address.to = n
		}
		return nil
	})
}

// holder returns the interface of the subnet that has the address for itself, or nil.
func (s *Subnet) holder(a netip.Addr) *NetworkInterface {
	for _, n := range s.interfaces {
		if n.private(a) != nil {
			return n
		}
	}
	return nil
}

// UnassignPrivateIP takes a secondary private address away
// (UnassignPrivateIpAddresses), and its public address with it. The primary address
// stays for life (codes and sentences are inferred).
func (n *NetworkInterface) UnassignPrivateIP(a netip.Addr) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		at := n.private(a)
		switch {
		case at == nil:
			return Refuse("InvalidParameterValue", "Some of [%s] are not assigned to interface %s", a, n.id)
		case a == n.addrs[0].IP:
			return Refuse("InvalidParameterValue", "The primary private IP address %s of interface %s cannot be unassigned", a, n.id)
		}
		n.dropPrivate(at)
		return nil
	})
}

func (n *NetworkInterface) dropPrivate(at *PrivateAddress) {
	a := at.IP
	n.disassociate(at)
	n.addrs = slices.DeleteFunc(n.addrs, func(p PrivateAddress) bool { return p.IP == a })
	n.subnet.hosts[0].Release(a)
}

// AssignIPv6 gives the interface an IPv6 address (AssignIpv6Addresses); the zero
// Addr takes a free one. It returns the address.
func (n *NetworkInterface) AssignIPv6(a netip.Addr) (netip.Addr, error) {
	err := n.assign(func() (c choice, err error) {
		c.six, err = n.subnet.choose6(one(a), 1)
		if err == nil {
			a = c.six[0]
		}
		return c, err
	})
	return a, err
}

// UnassignIPv6 takes an IPv6 address away (UnassignIpv6Addresses; code and sentence
// of the refusal are inferred).
func (n *NetworkInterface) UnassignIPv6(a netip.Addr) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if !slices.Contains(n.ipv6, a) {
			return Refuse("InvalidParameterValue", "Some of [%s] are not assigned to interface %s", a, n.id)
		}
		n.ipv6 = remove(n.ipv6, a)
		n.subnet.hosts[1].Release(a)
		return nil
	})
}

// AssignPrefix gives the interface an IPv4 /28 or an IPv6 /80 of its subnet
// (AssignPrivateIpAddresses, AssignIpv6Addresses). The zero Prefix takes a free /28,
// an invalid one of IPv6, such as netip.PrefixFrom(netip.IPv6Unspecified(), -1), a
// free /80. It returns the prefix.
func (n *NetworkInterface) AssignPrefix(p netip.Prefix) (netip.Prefix, error) {
	err := n.assign(func() (c choice, err error) {
		if !p.IsValid() {
			space := n.subnet.space(p.Addr())
			if !p.Addr().IsValid() {
				space = &n.subnet.hosts[0]
			}
			found, ok := space.FreeBlock()
			if !ok {
				return c, refuseFull()
			}
			p = found
		}
		c.prefixes, err = n.subnet.choosePrefixes([]netip.Prefix{p}, nil)
		return c, err
	})
	return p, err
}

// UnassignPrefix takes an assigned prefix away (code and sentence of the refusal
// are inferred).
func (n *NetworkInterface) UnassignPrefix(p netip.Prefix) error {
	return n.Change(func(*Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		if !slices.Contains(n.prefixes, p) {
			return Refuse("InvalidParameterValue", "Some of [%s] are not assigned to interface %s", p, n.id)
		}
		n.prefixes = remove(n.prefixes, p)
		n.subnet.space(p.Addr()).ReleaseBlock(p)
		return nil
	})
}

// assign is a change that gives a user's interface what choose has found.
func (n *NetworkInterface) assign(choose func() (choice, error)) error {
	return n.Change(func(tx *Tx) error {
		if err := n.checkOwned(); err != nil {
			return err
		}
		c, err := choose()
		if err != nil {
			return err
		}
		used := len(n.addrs) + len(n.prefixes) + len(c.four) + len(c.prefixes) - 1
		if len(c.six) > 0 {
			used = len(n.ipv6) + len(c.six) - 1
		}
		if err := tx.Within(QuotaAddressesPerInterface, used, n.id); err != nil {
			return err
		}
		n.take(c)
		return nil
	})
}

// private returns the interface's row for a private address, or nil.
func (n *NetworkInterface) private(a netip.Addr) *PrivateAddress {
	for i := range n.addrs {
		if n.addrs[i].IP == a {
			return &n.addrs[i]
		}
	}
	return nil
}
