package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
)

// A FIB is what a Table held when it was compiled, in the form that packets
// are looked up in. It never changes, so any number of goroutines may look up
// in it without a lock; whoever publishes routes swaps one FIB for the next.
// The zero FIB has no routes. No lookup allocates.
//
// The lookup to use depends on what is at hand: an address ([FIB.Lookup]), the
// address in a packet of known family ([FIB.Lookup4], [FIB.Lookup16]), or one in
// the packed form that holds both ([FIB.LookupPacked]). From the packet's own
// bytes it is the fastest: taking a netip.Addr apart costs 1 to 2 ns.
//
// Each family has one of two forms. Up to 64 routes take 8 KB for every 32 bits
// of the longest prefix, and a lookup is four loads for each, all at once. More
// routes are a trie: a lookup is one load for the root and one for each eight
// bits in which routes of one part of it differ, one after the other. A trie of
// 1,000 to 10,000 routes takes 0.3 to 0.8 KB a route.
type FIB[V any] struct {
	v4, v6 half[V]
}

// half is the routes of one family, numbered from 1. Number 0 contains every
// address and stands for no route: its value is the zero V.
type half[V any] struct {
	sets   *sets // nil if the routes are in trie, or there are none
	trie   *trie // nil if they are in sets
	routes []match
	values []V
}

// match is a route as addresses are compared with it.
type match struct {
	key, mask key
	n         int32
	next      uint32 // the number of the route to try if this one does not match
}

// matches reports whether the route contains k.
func (m *match) matches(k key) bool {
	return (k.hi^m.key.hi)&m.mask.hi|(k.lo^m.key.lo)&m.mask.lo == 0
}

// lookup returns the number and the value of the longest route that contains k,
// or 0 and the zero V. Both forms are asked in place: a call costs a quarter of a
// lookup.
func (h *half[V]) lookup(k key) (i uint32, v V) {
	if t := h.trie; t != nil {
		at := k.hi >> (t.shift & 63) & t.mask
		s := t.root[at]
		if len(t.notes) != 0 {
			s = t.noted(uint32(at), s)
		}
		slots, word := t.slots, k.hi
		for n := t.steps; n != 0; n-- {
			s = slots[s>>shiftBits+slot(uint8(word>>(s&shiftMask)))]
		}
		for s&shiftMask != leafMark {
			if s&shiftMask == bridgeMark {
				s, word = slots[s>>shiftBits+4], k.lo
				continue
			}
			s = slots[s>>shiftBits+slot(uint8(word>>(s&shiftMask)))]
		}
		if s == t.all {
			i = t.all.route()
		} else {
			i = s.route()
			for !t.routes[i].matches(k) {
				i = t.routes[i].next
			}
		}
		if int(i) < len(h.values) {
			v = h.values[i]
		}
		return i, v
	}
	if h.sets == nil {
		return 0, v
	}
	b := h.sets.bytes
	set := common4((*[4][256]uint64)(b), uint32(k.hi>>32))
	if len(b) >= 8 {
		set &= common4((*[4][256]uint64)(b[4:]), uint32(k.hi))
	}
	if len(b) >= 12 {
		set &= common4((*[4][256]uint64)(b[8:]), uint32(k.lo>>32))
	}
	if len(b) >= 16 {
		set &= common4((*[4][256]uint64)(b[12:]), uint32(k.lo))
	}
	i = uint32(bits.Len64(set))
	if int(i) < len(h.values) {
		v = h.values[i]
	}
	return i, v
}

// Lookup returns the value of the route with the longest prefix that contains
// a, and whether there is one. No route contains the zero Addr.
func (f *FIB[V]) Lookup(a netip.Addr) (v V, ok bool) {
	if a.Is4() {
		b := a.As4()
		i, v := f.v4.lookup(key{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32})
		return v, i != 0
	}
	// AsSlice stays on the stack here and takes a fifth of the time of As16,
	// whose 16 bytes are stored by halves and loaded whole (Go 1.26).
	b := a.AsSlice()
	if len(b) < 16 {
		return v, false
	}
	hi, lo := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	if hi == 0 && lo>>32 == mapped {
		i, v := f.v4.lookup(key{hi: lo << 32})
		return v, i != 0
	}
	i, v := f.v6.lookup(key{hi, lo})
	return v, i != 0
}

// Lookup4 is Lookup for the IPv4 address whose four bytes, in network order,
// are the number a: 10.0.0.1 is 0x0a000001.
func (f *FIB[V]) Lookup4(a uint32) (v V, ok bool) {
	i, v := f.v4.lookup(key{hi: uint64(a) << 32})
	return v, i != 0
}

// Lookup16 is Lookup for the IPv6 address whose first eight bytes, in network
// order, are the number hi, and whose last eight are lo. The address must not
// be IPv4-mapped; such a one is for LookupPacked, and finds IPv6 routes here.
func (f *FIB[V]) Lookup16(hi, lo uint64) (v V, ok bool) {
	i, v := f.v6.lookup(key{hi, lo})
	return v, i != 0
}

// LookupPacked is Lookup for an address of either family as 16 bytes, hi and
// lo as in Lookup16. An IPv4 address is written as ::ffff:a.b.c.d.
func (f *FIB[V]) LookupPacked(hi, lo uint64) (v V, ok bool) {
	h, k := &f.v6, key{hi, lo}
	if hi == 0 && lo>>32 == mapped {
		h, k = &f.v4, key{hi: lo << 32}
	}
	i, v := h.lookup(k)
	return v, i != 0
}

// LookupPrefix is Lookup that also returns the prefix of the route, for those
// who have to say which it was. It takes a few ns longer.
func (f *FIB[V]) LookupPrefix(a netip.Addr) (dst netip.Prefix, v V, ok bool) {
	if !a.IsValid() {
		return dst, v, false
	}
	k, fam := addrKey(a)
	h := f.half(fam)
	i, v := h.lookup(k)
	if i == 0 {
		return dst, v, false
	}
	m := &h.routes[i]
	return m.key.prefix(int(m.n), fam), v, true
}

// LookupBatch looks up every address of addrs: values[i] and found[i] become
// what Lookup returns for addrs[i]. It panics if values or found is shorter than
// addrs.
func (f *FIB[V]) LookupBatch(addrs []netip.Addr, values []V, found []bool) {
	values, found = values[:len(addrs)], found[:len(addrs)]
	for i, a := range addrs {
		values[i], found[i] = f.Lookup(a)
	}
}

// half returns the routes of fam.
func (f *FIB[V]) half(fam family) *half[V] {
	if fam == ipv4 {
		return &f.v4
	}
	return &f.v6
}

// newHalf returns the routes at and below root.
func newHalf[V any](root *node[V]) half[V] {
	if root == nil {
		return half[V]{}
	}
	n := root.count()
	room := n + 1
	if n > maxSets {
		room += spare(n)
	}
	h := half[V]{routes: make([]match, 1, room), values: make([]V, 1, room)}
	h.add(root, 0)
	if n <= maxSets {
		h.sortByLength()
		h.sets = newSets(h.routes[1:])
	} else {
		h.trie = newTrie(h.routes)
	}
	return h
}

// add numbers the routes at and below n, which the route up contains, in the
// order of [Table.All].
func (h *half[V]) add(n *node[V], up uint32) {
	if n == nil {
		return
	}
	if n.set {
		up = h.number(n, up)
	}
	h.add(n.child[0], up)
	h.add(n.child[1], up)
}

// number gives the route of n the next number.
func (h *half[V]) number(n *node[V], up uint32) uint32 {
	h.routes = append(h.routes, match{key: n.key, mask: mask(n.n), n: int32(n.n), next: up})
	h.values = append(h.values, n.value)
	return uint32(len(h.routes) - 1)
}

// sortByLength renumbers the routes, of which there are at most maxSets, so
// that longer ones come after shorter ones.
func (h *half[V]) sortByLength() {
	order := make([]int, 0, maxSets+1)
	for i := range h.routes {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(h.routes[i].n - h.routes[j].n) })
	routes, values := slices.Clone(h.routes), slices.Clone(h.values)
	for to, from := range order {
		h.routes[to], h.values[to] = routes[from], values[from]
	}
}
