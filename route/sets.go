package route

// maxSets is the most routes that sets can hold: a set is one machine word.
const maxSets = 64

// sets is the form of up to 64 routes. For each byte of an address and each
// value of that byte there is the set of the routes that allow the value; the
// routes that contain an address are what the sets of its bytes have in common.
// The routes stand in a set by length, so the longest is the highest bit.
//
// A lookup loads one word for each byte, none of them dependent on another, and
// has no branch that depends on the address. Bytes beyond the longest prefix
// have no sets, in steps of four bytes.
type sets struct {
	bytes [][256]uint64
}

// newSets returns the sets of routes, of which there are from 1 to maxSets,
// longer ones after shorter ones. The number of routes[i] is i+1.
func newSets(routes []match) *sets {
	longest := int(routes[len(routes)-1].n)
	s := &sets{make([][256]uint64, max(4, (longest+31)/32*4))}
	for i := range s.bytes {
		fillSets(&s.bytes[i], routes, 8*i)
	}
	return s
}

// fillSets makes the sets for the eight bits of an address from bit at on.
func fillSets(sets *[256]uint64, routes []match, at int) {
	var all uint64 // the routes that end before this byte and allow any value
	for i, r := range routes {
		if int(r.n) <= at {
			all |= 1 << i
			continue
		}
		first := r.key.window(at, 8)
		for v := range 1 << max(0, at+8-int(r.n)) {
			sets[first+v] |= 1 << i
		}
	}
	if all == 0 {
		return
	}
	for v := range sets {
		sets[v] |= all
	}
}

// common4 returns the routes that allow all four bytes of v.
func common4(sets *[4][256]uint64, v uint32) uint64 {
	return sets[0][v>>24] & sets[1][uint8(v>>16)] & sets[2][uint8(v>>8)] & sets[3][uint8(v)]
}
