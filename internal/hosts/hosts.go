// Package hosts keeps which addresses of a subnet's CIDR are in use: single ones and
// blocks that are assigned whole. It knows that a subnet keeps its first four
// addresses and its last (VPC guide, "Subnet sizing"), and no resource.
package hosts

import "net/netip"

// Space is the addresses of one CIDR. The zero Space has no CIDR and holds nothing. No
// call takes time that grows with the number of addresses in use; those that look for
// a free one go on where the last left off. Make one with [New].
type Space struct {
	cidr      netip.Prefix
	block     int                   // length of assigned blocks: 28 or 80
	addrs     map[netip.Addr]bool   // in use, without those in blocks
	blocks    map[netip.Prefix]bool // assigned whole
	crowded   map[netip.Prefix]int  // how many of addrs lie in a block that could be assigned
	low, last netip.Addr            // no address below low is free; the CIDR's last address
}

// New returns the addresses of a CIDR, none of them in use.
func New(cidr netip.Prefix) Space {
	s := Space{
		cidr: cidr, block: 28, addrs: map[netip.Addr]bool{}, blocks: map[netip.Prefix]bool{},
		crowded: map[netip.Prefix]int{}, last: lastAddr(cidr),
	}
	if cidr.Addr().Is6() {
		s.block = 80
	}
	s.low = cidr.Addr()
	for range 4 {
		s.low = s.low.Next()
	}
	return s
}

// lastAddr returns the CIDR's last address.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// Reserved reports whether AWS keeps the address: the first four and the last of
// the CIDR (VPC guide, "Subnet sizing").
func (s *Space) Reserved(a netip.Addr) bool {
	first := s.cidr.Addr()
	for range 4 {
		if a == first {
			return true
		}
		first = first.Next()
	}
	return a == s.last
}

// around returns the block around the address that could be assigned as a prefix.
func (s *Space) around(a netip.Addr) netip.Prefix {
	return netip.PrefixFrom(a, s.block).Masked()
}

func (s *Space) delegated(a netip.Addr) bool { return len(s.blocks) > 0 && s.blocks[s.around(a)] }

// InUse reports whether an interface has the address, itself or in a prefix.
func (s *Space) InUse(a netip.Addr) bool { return s.addrs[a] || s.delegated(a) }

// Take puts a free address into use.
func (s *Space) Take(a netip.Addr) {
	s.addrs[a] = true
	s.crowded[s.around(a)]++
}

// Release gives an address back that is in use.
func (s *Space) Release(a netip.Addr) {
	delete(s.addrs, a)
	if b := s.around(a); s.crowded[b] == 1 {
		delete(s.crowded, b)
	} else {
		s.crowded[b]--
	}
	if a.Less(s.low) && !s.Reserved(a) {
		s.low = a
	}
}

// TakeBlock assigns a block that is free.
func (s *Space) TakeBlock(p netip.Prefix) { s.blocks[p] = true }

// ReleaseBlock gives a block back that is assigned.
func (s *Space) ReleaseBlock(p netip.Prefix) {
	delete(s.blocks, p)
	for a := p.Addr(); p.Contains(a); a = a.Next() {
		if !s.Reserved(a) {
			if a.Less(s.low) {
				s.low = a
			}
			return
		}
	}
}

// Free returns the n lowest free addresses apart from those in but; fewer where
// there are fewer. AWS chooses at random; the lowest are easier to read.
func (s *Space) Free(n int, but map[netip.Addr]bool) []netip.Addr {
	var found []netip.Addr
	settled := true // everything below a is in use
	for a := s.low; n > len(found) && s.cidr.IsValid() && s.cidr.Contains(a) && a != s.last; {
		switch {
		case s.delegated(a):
			a = lastAddr(s.around(a)).Next()
			if !a.IsValid() {
				return found
			}
			if settled {
				s.low = a
			}
			continue
		case !s.addrs[a] && !but[a]:
			found, settled = append(found, a), false
		case but[a]:
			settled = false
		}
		if settled {
			s.low = a
		}
		a = a.Next()
	}
	return found
}

// FreeBlock returns the lowest block that can be assigned, and whether there is one.
func (s *Space) FreeBlock() (netip.Prefix, bool) {
	if !s.cidr.IsValid() || s.cidr.Bits() > s.block {
		return netip.Prefix{}, false
	}
	for a := s.cidr.Addr(); a.IsValid() && s.cidr.Contains(a); a = lastAddr(s.around(a)).Next() {
		if b := s.around(a); !s.BlockInUse(b) && !s.keeps(b) {
			return b, true
		}
	}
	return netip.Prefix{}, false
}

// BlockInUse reports whether the block is assigned or an address in it is in use.
func (s *Space) BlockInUse(b netip.Prefix) bool { return s.blocks[b] || s.crowded[b] > 0 }

// Assignable reports whether the block is one that could be assigned: of the right
// length, canonical, within the CIDR and without an address that AWS keeps.
func (s *Space) Assignable(b netip.Prefix) bool {
	return b.IsValid() && b == b.Masked() && b.Bits() == s.block && s.Contains(b.Addr()) && s.cidr.Bits() <= s.block && !s.keeps(b)
}

// Contains reports whether the address lies in the CIDR.
func (s *Space) Contains(a netip.Addr) bool { return s.cidr.IsValid() && s.cidr.Contains(a) }

// Empty reports whether no address is in use.
func (s *Space) Empty() bool { return len(s.addrs) == 0 && len(s.blocks) == 0 }

// keeps reports whether AWS keeps an address of the block.
func (s *Space) keeps(b netip.Prefix) bool { return b.Contains(s.cidr.Addr()) || b.Contains(s.last) }

// Available returns how many IPv4 addresses are free, which describe-subnets shows.
func (s *Space) Available() int {
	return 1<<(32-s.cidr.Bits()) - 5 - len(s.addrs) - 16*len(s.blocks)
}
