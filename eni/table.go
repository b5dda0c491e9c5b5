package eni

import (
	"math/bits"

	"github.com/vpcsim/vpcsim/wire"
)

// table finds what belongs to an address, of either family: open addressing, at
// most half full, so that a question costs one or two looks. It is filled when a
// snapshot is compiled and read by packets. The zero table is empty.
type table[V any] struct {
	slots []slot[V] // a power of two of them
	shift uint8     // of a hash, to the number of a slot
	count int
}

type slot[V any] struct {
	addr wire.Addr // the zero Addr where the slot is free; nobody has it
	v    V
}

// hash spreads addresses that differ in few bits (Fibonacci hashing). Who configures
// a subnet chooses its addresses, and can make but their own simulation slow.
func (t *table[V]) hash(a wire.Addr) uint64 {
	hi, lo := a.Words()
	return (hi*0xbf58476d1ce4e5b9 ^ lo) * 0x9e3779b97f4a7c15 >> t.shift
}

// lookup returns what belongs to a, the zero V where nothing does. It does not
// allocate.
func (t *table[V]) lookup(a wire.Addr) (v V) {
	if t.count == 0 {
		return v
	}
	return t.place(a).v
}

// place returns the slot that holds a, or the free one where it belongs.
func (t *table[V]) place(a wire.Addr) *slot[V] {
	for i, last := t.hash(a), uint64(len(t.slots)-1); ; i++ {
		s := &t.slots[i&last]
		if s.addr == a || !s.addr.IsValid() {
			return s
		}
	}
}

// insert adds v at a and reports whether nothing was there; of two the first stays.
func (t *table[V]) insert(a wire.Addr, v V) bool {
	if !a.IsValid() {
		return false
	}
	if 2*(t.count+1) > len(t.slots) {
		t.grow()
	}
	s := t.place(a)
	if s.addr == a {
		return false
	}
	*s = slot[V]{a, v}
	t.count++
	return true
}

func (t *table[V]) grow() {
	old := t.slots
	t.slots = make([]slot[V], max(4, 2*len(old)))
	t.shift = uint8(64 - bits.Len(uint(len(t.slots)-1)))
	for _, s := range old {
		if s.addr.IsValid() {
			*t.place(s.addr) = s
		}
	}
}
