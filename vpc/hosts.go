package vpc

import "net/netip"

// hosts keeps which addresses of one of a subnet's CIDRs are in use. The zero hosts
// has no CIDR and holds nothing. All its methods take time that does not grow with
// the number of interfaces.
type hosts struct {
	cidr      netip.Prefix
	delegate  int                   // length of assigned prefixes: 28 or 80
	addrs     map[netip.Addr]bool   // of interfaces, without those in prefixes
	prefixes  map[netip.Prefix]bool // assigned to interfaces
	crowded   map[netip.Prefix]int  // how many of addrs lie in a block that could be assigned
	low, last netip.Addr            // no address below low is free; the CIDR's last address
}

func newHosts(cidr netip.Prefix) hosts {
	h := hosts{
		cidr: cidr, delegate: 28, addrs: map[netip.Addr]bool{}, prefixes: map[netip.Prefix]bool{},
		crowded: map[netip.Prefix]int{}, last: lastAddr(cidr),
	}
	if cidr.Addr().Is6() {
		h.delegate = 80
	}
	h.low = cidr.Addr()
	for range 4 {
		h.low = h.low.Next()
	}
	return h
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

// reserved reports whether AWS keeps the address: the first four and the last of
// the CIDR (VPC guide, "Subnet sizing").
func (h *hosts) reserved(a netip.Addr) bool {
	first := h.cidr.Addr()
	for range 4 {
		if a == first {
			return true
		}
		first = first.Next()
	}
	return a == h.last
}

// block returns the block around the address that could be assigned as a prefix.
func (h *hosts) block(a netip.Addr) netip.Prefix {
	return netip.PrefixFrom(a, h.delegate).Masked()
}

func (h *hosts) delegated(a netip.Addr) bool { return len(h.prefixes) > 0 && h.prefixes[h.block(a)] }

// inUse reports whether an interface has the address, itself or in a prefix.
func (h *hosts) inUse(a netip.Addr) bool { return h.addrs[a] || h.delegated(a) }

func (h *hosts) take(a netip.Addr) {
	h.addrs[a] = true
	h.crowded[h.block(a)]++
}

func (h *hosts) release(a netip.Addr) {
	delete(h.addrs, a)
	if b := h.block(a); h.crowded[b] == 1 {
		delete(h.crowded, b)
	} else {
		h.crowded[b]--
	}
	if a.Less(h.low) && !h.reserved(a) {
		h.low = a
	}
}

func (h *hosts) takePrefix(p netip.Prefix) { h.prefixes[p] = true }

func (h *hosts) releasePrefix(p netip.Prefix) {
	delete(h.prefixes, p)
	for a := p.Addr(); p.Contains(a); a = a.Next() {
		if !h.reserved(a) {
			if a.Less(h.low) {
				h.low = a
			}
			return
		}
	}
}

// free returns the n lowest free addresses apart from those in but; fewer where
// there are fewer. AWS chooses at random; the lowest are easier to read.
func (h *hosts) free(n int, but map[netip.Addr]bool) []netip.Addr {
	var found []netip.Addr
	settled := true // everything below a is in use
	for a := h.low; n > len(found) && h.cidr.IsValid() && h.cidr.Contains(a) && a != h.last; {
		switch {
		case h.delegated(a):
			a = lastAddr(h.block(a)).Next()
			if !a.IsValid() {
				return found
			}
			if settled {
				h.low = a
			}
			continue
		case !h.addrs[a] && !but[a]:
			found, settled = append(found, a), false
		case but[a]:
			settled = false
		}
		if settled {
			h.low = a
		}
		a = a.Next()
	}
	return found
}

// freePrefix returns the lowest block without an address in use that can be
// assigned and is not in but.
func (h *hosts) freePrefix(but map[netip.Prefix]bool) (netip.Prefix, bool) {
	if !h.cidr.IsValid() || h.cidr.Bits() > h.delegate {
		return netip.Prefix{}, false
	}
	for a := h.cidr.Addr(); a.IsValid() && h.cidr.Contains(a); a = lastAddr(h.block(a)).Next() {
		b := h.block(a)
		if !h.prefixes[b] && h.crowded[b] == 0 && !but[b] && !h.keeps(b) {
			return b, true
		}
	}
	return netip.Prefix{}, false
}

// keeps reports whether AWS keeps an address of the block.
func (h *hosts) keeps(b netip.Prefix) bool { return b.Contains(h.cidr.Addr()) || b.Contains(h.last) }

// available returns how many IPv4 addresses are free, which describe-subnets shows.
func (h *hosts) available() int {
	return 1<<(32-h.cidr.Bits()) - 5 - len(h.addrs) - 16*len(h.prefixes)
}
