package route

import (
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// list is the slow twin of Table: every question is answered by asking every
// route. It shares no code with the package.
type list[V any] []listed[V]

type listed[V any] struct {
	dst netip.Prefix
	v   V
}

// unmapped is the address that a is looked up as.
func unmapped(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// canonical is the prefix that p is stored as.
func canonical(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func (l *list[V]) index(p netip.Prefix) int {
	p = canonical(p)
	return slices.IndexFunc(*l, func(r listed[V]) bool { return r.dst == p })
}

func (l *list[V]) Insert(p netip.Prefix, v V) {
	if i := l.index(p); i >= 0 {
		(*l)[i].v = v
		return
	}
	*l = append(*l, listed[V]{canonical(p), v})
}

func (l *list[V]) Delete(p netip.Prefix) bool {
	i := l.index(p)
	if i >= 0 {
		*l = slices.Delete(*l, i, i+1)
	}
	return i >= 0
}

func (l *list[V]) Get(p netip.Prefix) (v V, ok bool) {
	if i := l.index(p); i >= 0 {
		return (*l)[i].v, true
	}
	return v, false
}

func (l *list[V]) Lookup(a netip.Addr) (dst netip.Prefix, v V, ok bool) {
	for _, r := range *l {
		if r.dst.Contains(unmapped(a)) && (!ok || r.dst.Bits() > dst.Bits()) {
			dst, v, ok = r.dst, r.v, true
		}
	}
	return dst, v, ok
}

// All yields in the order that Table documents: IPv4 first, then by address,
// then the shorter prefix.
func (l *list[V]) All() iter.Seq2[netip.Prefix, V] {
	sorted := slices.SortedFunc(slices.Values(*l), func(a, b listed[V]) int {
		if c := a.dst.Addr().Compare(b.dst.Addr()); c != 0 {
			return c
		}
		return a.dst.Bits() - b.dst.Bits()
	})
	return func(yield func(netip.Prefix, V) bool) {
		for _, r := range sorted {
			if !yield(r.dst, r.v) {
				return
			}
		}
	}
}

// Lengths of prefixes as routers see them, commonest first: how often one comes,
// out of a hundred. What is left over is spread over all lengths.
var (
	lengths4 = []struct{ bits, percent int }{{24, 55}, {22, 11}, {23, 10}, {20, 5}, {21, 5}, {19, 3}, {16, 3}, {32, 2}, {28, 2}}
	lengths6 = []struct{ bits, percent int }{{48, 42}, {32, 12}, {64, 12}, {44, 8}, {40, 7}, {36, 4}, {56, 4}, {128, 3}, {29, 2}}
)

// source makes prefixes and addresses of the shape that routing tables have:
// they crowd into a few wide blocks and contain each other.
type source struct {
	*rand.Rand
	blocks []netip.Prefix
}

func newSource(seed uint64) *source {
	s := &source{Rand: rand.New(rand.NewPCG(seed, 17))}
	for range 4 {
		s.blocks = append(s.blocks, netip.PrefixFrom(s.random4(), 4+s.IntN(16)))
		s.blocks = append(s.blocks, netip.PrefixFrom(s.random6(), 8+s.IntN(60)))
	}
	return s
}

func (s *source) random4() netip.Addr {
	var b [4]byte
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return netip.AddrFrom4(b)
}

func (s *source) random6() netip.Addr {
	var b [16]byte
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	b[0] = 0x20 | b[0]&0x0f
	return netip.AddrFrom16(b)
}

// inside returns an address in p, random below its length. Often the random
// bits are all zero or all one, where ranges begin and end.
func (s *source) inside(p netip.Prefix) netip.Addr {
	b, random := p.Addr().AsSlice(), s.random6().AsSlice()
	edge := s.IntN(4)
	for i := range b {
		r := random[15-i]
		if edge < 2 {
			r = byte(-edge)
		}
		keep := byte(0xff) << max(0, min(8, 8*i+8-p.Bits()))
		b[i] = b[i]&keep | r&^keep
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// prefix returns a prefix inside a block, host bits and all; one in eight is
// IPv4 written as IPv6 or anywhere at all.
func (s *source) prefix() netip.Prefix {
	block := s.blocks[s.IntN(len(s.blocks))]
	a, lengths := s.inside(block), lengths6
	if a.Is4() {
		lengths = lengths4
	}
	n := s.IntN(a.BitLen() + 1)
	roll := s.IntN(100)
	for _, l := range lengths {
		if roll -= l.percent; roll < 0 {
			n = l.bits
			break
		}
	}
	switch s.IntN(16) {
	case 0:
		if a.Is4() {
			return netip.PrefixFrom(netip.AddrFrom16(a.As16()), n+96-s.IntN(2)*s.IntN(40))
		}
	case 1:
		return netip.PrefixFrom(a, s.IntN(a.BitLen()+1))
	}
	return netip.PrefixFrom(a, n)
}

// addr returns an address to look up: inside a route of l, beside one, or
// anywhere.
func (s *source) addr(l list[int]) netip.Addr {
	a := s.random6()
	switch s.IntN(8) {
	case 0:
	case 1:
		a = s.random4()
	case 2, 3:
		a = s.inside(s.blocks[s.IntN(len(s.blocks))])
	default:
		if len(l) > 0 {
			a = s.inside(l[s.IntN(len(l))].dst)
		}
	}
	switch s.IntN(8) {
	case 0:
		return netip.AddrFrom16(a.As16())
	case 1:
		return a.WithZone("eth0")
	case 2: // the neighbour above
		if up := a.Next(); up.IsValid() {
			return up
		}
	}
	return a
}
