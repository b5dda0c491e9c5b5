package main

import (
	"math/rand/v2"
	"net/netip"
)

// entry is a route: its value is its place in the table, counted from 1.
type entry struct {
	dst netip.Prefix
	v   int
}

// family is what differs between the tables of IPv4 and IPv6.
type family struct {
	name    string
	bits    int
	dflt    netip.Prefix
	full    int            // routes in the full table of the default-free zone
	lengths []share        // of its prefixes
	blocks  []netip.Prefix // that it announces from
	private []netip.Prefix // that a VPC's routes are taken from
	vpc     []share        // lengths of a VPC's routes
}

// share is how many prefixes of a table have so many bits.
type share struct{ bits, count int }

// The lengths are those that route collectors saw in 2024 (IPv4) and 2025
// (IPv6), rounded; the full tables have about a million and 220,000 routes.
var families = []family{{
	name: "IPv4", bits: 32, full: 970_000, dflt: netip.MustParsePrefix("0.0.0.0/0"),
	lengths: []share{{8, 16}, {9, 13}, {10, 38}, {11, 100}, {12, 300}, {13, 580}, {14, 1200}, {15, 2100}, {16, 13500}, {17, 8300},
		{18, 14000}, {19, 25500}, {20, 44500}, {21, 51000}, {22, 110000}, {23, 99000}, {24, 600000}},
	blocks:  prefixes("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/3", "96.0.0.0/4", "128.0.0.0/3", "160.0.0.0/5", "170.0.0.0/7", "173.0.0.0/8", "174.0.0.0/7", "176.0.0.0/4", "193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6", "200.0.0.0/5", "208.0.0.0/4"),
	private: prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "52.92.0.0/14"),
	vpc:     []share{{16, 30}, {20, 20}, {22, 10}, {24, 25}, {28, 10}, {32, 5}},
}, {
	name: "IPv6", bits: 128, full: 220_000, dflt: netip.MustParsePrefix("::/0"),
	lengths: []share{{20, 20}, {24, 60}, {28, 250}, {29, 6000}, {30, 900}, {31, 500}, {32, 25000}, {33, 3800}, {34, 2600}, {35, 1500}, {36, 11000},
		{37, 800}, {38, 2200}, {39, 900}, {40, 18500}, {41, 900}, {42, 4000}, {43, 900}, {44, 19500}, {45, 1800}, {46, 5500}, {47, 4200}, {48, 108000}},
	blocks:  prefixes("2001::/16", "2400::/12", "2600::/12", "2800::/12", "2a00::/12", "2a00::/12", "2c00::/12"),
	private: prefixes("2600:1f00::/24", "2600:1f00::/24", "2a05:d000::/25", "fd00::/8"),
	vpc:     []share{{56, 50}, {64, 30}, {48, 10}, {60, 5}, {128, 5}},
}}

func prefixes(s ...string) []netip.Prefix {
	var l []netip.Prefix
	for _, p := range s {
		l = append(l, netip.MustParsePrefix(p))
	}
	return l
}

// newTable returns n routes of f, the default route last, in random order: of
// a VPC up to 64, above that a sample of the full table.
func (f *family) newTable(n int, rng *rand.Rand) []entry {
	lengths, blocks, near := f.lengths, f.blocks, 12
	if n <= 64 {
		lengths, blocks, near = f.vpc, f.private, 8
	}
	var total int
	for _, s := range lengths {
		total += s.count
	}
	seen := map[netip.Prefix]bool{f.dflt: true}
	var l []entry
	for len(l) < n-1 {
		// Half of the routes lie near one that is there: announcements
		// crowd in what one network holds.
		block := blocks[rng.IntN(len(blocks))]
		if len(l) > 0 && rng.IntN(2) == 0 {
			at := l[rng.IntN(len(l))].dst
			block = netip.PrefixFrom(at.Addr(), max(block.Bits(), at.Bits()-rng.IntN(near)-1))
		}
		p := netip.PrefixFrom(inside(block, rng), length(lengths, rng.IntN(total))).Masked()
		if !seen[p] && p.Bits() >= 8 {
			seen[p] = true
			l = append(l, entry{p, len(l) + 1})
		}
	}
	return append(l, entry{f.dflt, n})
}

// length returns the length of the i-th prefix of a table.
func length(lengths []share, i int) int {
	for _, s := range lengths {
		if i -= s.count; i < 0 {
			return s.bits
		}
	}
	panic("bench: more prefixes than there are lengths for")
}

// inside returns a random address in p.
func inside(p netip.Prefix, rng *rand.Rand) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		keep := byte(0xff) << max(0, min(8, 8*i+8-p.Bits()))
		b[i] = b[i]&keep | byte(rng.Uint32())&^keep
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// twin answers by asking for every length, the longest first.
type twin struct {
	routes map[netip.Prefix]int
	bits   int
}

func newTwin(f *family, l []entry) twin {
	t := twin{map[netip.Prefix]int{}, f.bits}
	for _, e := range l {
		t.routes[e.dst] = e.v
	}
	return t
}

func (t twin) lookup(a netip.Addr) (int, bool) {
	for n := t.bits; n >= 0; n-- {
		if v, ok := t.routes[netip.PrefixFrom(a, n).Masked()]; ok {
			return v, true
		}
	}
	return 0, false
}
