package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/internal/hosts"
)

// choice is the addresses that an interface is to have, checked and free.
type choice struct {
	four, six []netip.Addr
	prefixes  []netip.Prefix
}

// Sentences about addresses outside a subnet, as an emulator has them; AWS's own
// are thought to name the address.
const (
	msgOutside  = "Address does not fall within the subnet's address range"
	msgReserved = "Address is in subnet's reserved address range"
)

func refuseFull() error {
	return Refuse("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
}

// choose finds and checks the addresses of a new interface, the primary one first.
func (s *Subnet) choose(tx *Tx, c NetworkInterfaceConfig) (choice, error) {
	var got choice
	if c.SecondaryCount < 0 || c.IPv6Count < 0 {
		return got, Refuse("InvalidParameterValue", "Value (%d) for parameter count is invalid. Expected none or more.", min(c.SecondaryCount, c.IPv6Count))
	}
	count := 1 + len(c.SecondaryIPs) + c.SecondaryCount
	if err := tx.Within(QuotaAddressesPerInterface, count+len(c.Prefixes)-1, ""); err != nil {
		return got, err
	}
	if err := tx.Within(QuotaAddressesPerInterface, len(c.IPv6)+c.IPv6Count-1, ""); err != nil {
		return got, err
	}
	if s.assignIPv6 && len(c.IPv6)+c.IPv6Count == 0 {
		c.IPv6Count = 1
	}
	var err error
	if got.four, err = s.choose4(append(one(c.PrivateIP), c.SecondaryIPs...), count); err != nil {
		return got, err
	}
	if !c.PrivateIP.IsValid() { // the primary is the one that was found
		n := len(c.SecondaryIPs)
		got.four[0], got.four[n] = got.four[n], got.four[0]
		copyBack(got.four[:n+1], c.SecondaryIPs)
	}
	if got.six, err = s.choose6(c.IPv6, len(c.IPv6)+c.IPv6Count); err != nil {
		return got, err
	}
	got.prefixes, err = s.choosePrefixes(c.Prefixes, append(append([]netip.Addr{}, got.four...), got.six...))
	return got, err
}

// copyBack puts the wanted secondary addresses behind the primary one in their order.
func copyBack(to, secondary []netip.Addr) { copy(to[1:], secondary) }

// choose4 returns count IPv4 addresses: those wanted, checked, then free ones.
func (s *Subnet) choose4(want []netip.Addr, count int) ([]netip.Addr, error) {
	return chooseIn(&s.hosts[0], want, count, true)
}

// choose6 is choose4 for IPv6.
func (s *Subnet) choose6(want []netip.Addr, count int) ([]netip.Addr, error) {
	return chooseIn(&s.hosts[1], want, count, false)
}

func chooseIn(space *hosts.Space, want []netip.Addr, count int, four bool) ([]netip.Addr, error) {
	if count == 0 {
		return nil, nil
	}
	seen := map[netip.Addr]bool{}
	for _, a := range want {
		switch {
		case a.Is4() != four || !space.Contains(a):
			return nil, Refuse("InvalidParameterValue", msgOutside)
		case space.Reserved(a):
			return nil, Refuse("InvalidParameterValue", msgReserved)
		case space.InUse(a) || seen[a]:
			return nil, Refuse("InvalidIPAddress.InUse", "Address %s is in use.", a)
		}
		seen[a] = true
	}
	free := space.Free(count-len(want), seen)
	if len(want)+len(free) < count {
		return nil, refuseFull()
	}
	return append(append([]netip.Addr{}, want...), free...), nil
}

// choosePrefixes holds assigned prefixes to AWS's sizes, to the subnet and to the
// addresses in use, but among them (codes and sentences are inferred).
func (s *Subnet) choosePrefixes(want []netip.Prefix, but []netip.Addr) ([]netip.Prefix, error) {
	var got []netip.Prefix
	for _, p := range want {
		space := s.space(p.Addr())
		if !space.Assignable(p) {
			return nil, Refuse("InvalidParameterValue", "Prefix %s does not fall within the subnet's address range", p)
		}
		if space.BlockInUse(p) || slices.Contains(got, p) || slices.ContainsFunc(but, p.Contains) {
			return nil, Refuse("InvalidIPAddress.InUse", "Address %s is in use.", p)
		}
		got = append(got, p)
	}
	return got, nil
}
