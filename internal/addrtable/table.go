// Package addrtable finds what belongs to an address. It is for addresses that are
// configured: interfaces of a subnet, hosts of a network. It is no longest-prefix
// match (package route), and no table of flows (package flowtable): its hash has no
// seed, so whoever chooses the addresses that it holds can make it slow.
package addrtable

import (
	"math/bits"

	"github.com/vpcsim/vpcsim/wire"
)

// Table is a map from addresses of either family: open addressing, at most half
// full, so that a question costs one or two looks. Lookups may run side by side
// where nobody inserts. The zero Table is empty and ready.
type Table[V any] struct {
	slots []slot[V] // a power of two of them
	ends  uint64    // a bit for each last six bits of an address that is there
	shift uint8     // of a hash, to the number of a slot
	count int
}

type slot[V any] struct {
	addr wire.Addr // the zero Addr where the slot is free; nobody has it
	v    V
}

// hash spreads addresses that differ in few bits (Fibonacci hashing).
func (t *Table[V]) hash(a wire.Addr) uint64 {
	hi, lo := a.Words()
	return (hi*0xbf58476d1ce4e5b9 ^ lo) * 0x9e3779b97f4a7c15 >> (t.shift & 63)
}

// Len returns how many addresses the table holds.
func (t *Table[V]) Len() int { return t.count }

// Lookup returns what belongs to a, the zero V where nothing does. It does not
// allocate.
//
// Few addresses, such as those of the platform's services, are mostly asked for in
// vain: then their last bits tell, where this is inlined.
func (t *Table[V]) Lookup(a wire.Addr) (v V) {
	if _, lo := a.Words(); t.ends>>(lo&63)&1 == 0 {
		return v
	}
	return t.place(a).v
}

// place returns the slot that holds a, or the free one where it belongs.
func (t *Table[V]) place(a wire.Addr) *slot[V] {
	slots := t.slots
	for i := t.hash(a); ; i++ {
		s := &slots[i&uint64(len(slots)-1)]
		if s.addr == a || !s.addr.IsValid() {
			return s
		}
	}
}

// Insert adds v at a and reports whether it did: not where something is there, nor at
// the zero Addr.
func (t *Table[V]) Insert(a wire.Addr, v V) bool {
	if !a.IsValid() {
		return false
	}
	t.Reserve(1)
	s := t.place(a)
	if s.addr == a {
		return false
	}
	*s = slot[V]{a, v}
	_, lo := a.Words()
	t.ends |= 1 << (lo & 63)
	t.count++
	return true
}

// Reserve makes room for n addresses more, so that they are inserted without moving
// those that are there.
func (t *Table[V]) Reserve(n int) {
	if n *= 2; n+2*t.count > len(t.slots) {
		t.grow(max(4, 2*len(t.slots), 1<<bits.Len(uint(n+2*t.count-1))))
	}
}

func (t *Table[V]) grow(size int) {
	old := t.slots
	t.slots = make([]slot[V], size)
	t.shift = uint8(64 - bits.Len(uint(len(t.slots)-1)))
	for _, s := range old {
		if s.addr.IsValid() {
			*t.place(s.addr) = s
		}
	}
}
