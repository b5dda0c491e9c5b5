package main

import (
	"math/rand/v2"
	"net/netip"
)

// queries are the addresses of one pass, in the form that each lookup takes.
type queries struct {
	addrs []netip.Addr
	raw4  [][4]byte  // as they stand in an IPv4 header
	raw16 [][16]byte // as they stand in an IPv6 header, or IPv4 mapped
}

// passLen is how many addresses a pass looks up. It is a power of two: a
// chained pass masks its place.
const passLen = 1 << 13

// burst is how often a flow's address comes in a row.
const burst = 256

// kinds of traffic, in the order they are printed.
var kinds = []string{"hit", "default", "mix", "flow", "miss"}

// traffic makes the addresses of each kind.
type traffic struct {
	f    *family
	l    []entry
	twin twin
	rng  *rand.Rand
}

// hit returns an address inside a random route other than the default.
func (t *traffic) hit() netip.Addr {
	return inside(t.l[t.rng.IntN(len(t.l)-1)].dst, t.rng)
}

// unrouted returns an address that only the default route contains.
func (t *traffic) unrouted() netip.Addr {
	for {
		a := inside(t.f.blocks[t.rng.IntN(len(t.f.blocks))], t.rng)
		if v, ok := t.twin.lookup(a); !ok || v == len(t.l) {
			return a
		}
	}
}

func (t *traffic) mix() netip.Addr {
	if t.rng.IntN(2) == 0 {
		return t.hit()
	}
	return t.unrouted()
}

// queries returns a pass of traffic of a kind.
func (t *traffic) queries(kind string) *queries {
	q := &queries{}
	for i := range passLen {
		switch {
		case kind == "hit":
			q.addrs = append(q.addrs, t.hit())
		case kind == "default", kind == "miss":
			q.addrs = append(q.addrs, t.unrouted())
		case kind == "mix", i%burst == 0:
			q.addrs = append(q.addrs, t.mix())
		default:
			q.addrs = append(q.addrs, q.addrs[i-1])
		}
	}
	q.raw4, q.raw16 = make([][4]byte, passLen), make([][16]byte, passLen)
	q.fill()
	return q
}

// fill writes the raw forms anew.
func (q *queries) fill() {
	for i, a := range q.addrs {
		q.raw16[i] = a.As16()
		if a.Is4() {
			q.raw4[i] = a.As4()
		}
	}
}

// reorder shuffles the pass, by bursts if the traffic is flows, so that no
// branch predictor learns it by heart.
func (q *queries) reorder(kind string, rng *rand.Rand) {
	size := 1
	if kind == "flow" {
		size = burst
	}
	rng.Shuffle(passLen/size, func(i, j int) {
		for k := range size {
			a, b := &q.addrs[i*size+k], &q.addrs[j*size+k]
			*a, *b = *b, *a
		}
	})
	q.fill()
}
