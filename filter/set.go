package filter

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"github.com/vpcsim/vpcsim/wire"
)

// AddrSet is an immutable set of addresses: the private addresses of the
// interfaces in a security group, as a rule that names the group sees them. The
// zero AddrSet, and nil, are empty. Any number of rules may share one.
type AddrSet struct {
	slots []wire.Addr // open addressing, half full at most; the zero Addr is free
	n     int
}

// NewAddrSet returns the set of the addresses; invalid ones are left out. It costs
// 32 to 64 bytes an address.
func NewAddrSet(addrs []wire.Addr) *AddrSet {
	if len(addrs) == 0 {
		return &AddrSet{}
	}
	s := &AddrSet{slots: make([]wire.Addr, 1<<bits.Len(uint(2*len(addrs)-1)))}
	for _, a := range addrs {
		if i, found := s.find(a); !found && a.IsValid() {
			s.slots[i] = a
			s.n++
		}
	}
	return s
}

// Len returns how many addresses the set holds.
func (s *AddrSet) Len() int {
	if s == nil {
		return 0
	}
	return s.n
}

// Contains reports whether a is in the set. It does not allocate.
func (s *AddrSet) Contains(a wire.Addr) bool {
	if s == nil || s.n == 0 || !a.IsValid() {
		return false
	}
	_, found := s.find(a)
	return found
}

// find returns a's slot, or the free slot where it would stand. The hash needs no
// seed: members are what the user configured, not what packets bring.
func (s *AddrSet) find(a wire.Addr) (i int, found bool) {
	hi, lo := a.Words()
	h, l := bits.Mul64(hi^0x9e3779b97f4a7c15, lo^0xbf58476d1ce4e5b9)
	mask := len(s.slots) - 1
	for i = int(h^l) & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case a:
			return i, true
		case wire.Addr{}:
			return i, false
		}
	}
}

// PrefixSet is an immutable set of the addresses in some prefixes: a prefix list,
// as a rule that names it sees it. The zero PrefixSet, and nil, are empty. Any
// number of rules may share one.
type PrefixSet struct{ v4, v6 []span }

// span is a range of addresses, both ends included. Spans are sorted and disjoint.
type span struct{ first, last wire.Addr }

// NewPrefixSet returns the set of the prefixes; invalid ones are left out. IPv4
// and IPv6 prefixes never hold each other's addresses.
func NewPrefixSet(prefixes []netip.Prefix) *PrefixSet {
	s := &PrefixSet{}
	for _, p := range prefixes {
		switch {
		case !p.IsValid():
		case p.Addr().Is4():
			s.v4 = append(s.v4, spanOf(p))
		default:
			s.v6 = append(s.v6, spanOf(p))
		}
	}
	s.v4, s.v6 = merge(s.v4), merge(s.v6)
	return s
}

func spanOf(p netip.Prefix) span {
	p = p.Masked()
	first, free := wire.AddrFrom(p.Addr()), p.Addr().BitLen()-p.Bits()
	hi, lo := first.Words()
	if free > 64 {
		hi |= ^uint64(0) >> (128 - free)
		free = 64
	}
	return span{first, wire.AddrFromWords(hi, lo|(1<<free-1))}
}

// merge sorts spans and drops those inside others; prefixes never overlap in part.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(a.first.Compare(b.first), b.last.Compare(a.last))
	})
	out := spans[:0]
	for _, s := range spans {
		if len(out) == 0 || s.first.Compare(out[len(out)-1].last) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Contains reports whether a lies in one of the prefixes. It does not allocate.
func (s *PrefixSet) Contains(a wire.Addr) bool {
	if s == nil {
		return false
	}
	spans := s.v6
	if a.Is4() {
		spans = s.v4
	}
	i := sort.Search(len(spans), func(i int) bool { return spans[i].first.Compare(a) > 0 })
	return i > 0 && a.Compare(spans[i-1].last) <= 0
}
