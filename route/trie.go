package route

import (
	"fmt"
	"math/bits"
	"slices"
)

// trie is the form of more than 64 routes: a multibit trie with skipped bits
// (an LC-trie of fixed width) in one array, and in front of it a root as wide as
// the number of routes asks for.
//
// A node is 256 slots, for the values of a window of eight bits. Routes that end
// inside the window are written to every slot they cover (leaf pushing). Bits in
// which all routes below a slot agree have no window, and where one route is left
// the slot is a leaf whatever its length. So the route that a walk ends at may
// not contain the address; then the answer is one of the routes around it, which
// match.next leads to, the longest first.
//
// A load whose address depends on the one before costs 1.4 ns from the first
// cache and 4 to 13 from the second; a mispredicted branch costs 5. Two things
// keep those few that are guessed wrong. A leaf leads to itself, so that as many
// windows as most routes need are walked without asking whether the end is
// reached. And a walk that ends at the default route is told from the others by
// one comparison: where traffic is all of one kind, the processor guesses it right
// and goes on without waiting for the loads. (Without it a chain of default-route
// answers takes twice as long, and a mix of both kinds three quarters.)
type trie struct {
	mask   uint64 // as many bits as the root's window has
	shift  uint8  // what brings that window to the end of an address's first word
	steps  uint8  // windows below the root to walk before asking for the end
	all    slot   // the leaf of the route that contains every address, or of none
	root   []slot // a slot for each value of the root's window
	slots  []slot // leaves, then nodes and bridges
	routes []match
	notes  []note // slots in place of those in root, the last of one place counts
	leaves int    // slots that are leaves
	most   int    // slots to have before all is made anew
}

// slot is an index into trie.slots and, in the last six bits, the shift that
// brings a node's window to the end of the word. Two shifts that no window has
// mark what is not a node.
//
//   - A leaf of route i is the index 2i. Both slots there hold the leaf itself.
//   - A bridge leads to the windows of an address's second word. The four slots
//     at its index hold the bridge itself, the fifth what is across.
type slot uint32

const (
	shiftBits       = 6
	shiftMask  slot = 1<<shiftBits - 1
	leafMark   slot = 63
	bridgeMark slot = 62

	// maxSlots is how many slots an index can tell apart. Routes that no node is
	// left for are searched one by one.
	maxSlots = 1 << (32 - shiftBits)

	// maxRoutes is how many leaves there can be, 33 million: a table of that
	// size takes gigabytes, and the Internet's has one million.
	maxRoutes = maxSlots / 2

	// maxDepth is one window for each byte of an address and a bridge.
	maxDepth = 17
)

func leaf(route uint32) slot { return slot(route)<<(shiftBits+1) | leafMark }

// route is the route of the leaf s.
func (s slot) route() uint32 { return uint32(s >> (shiftBits + 1)) }

// window returns the w bits of k from bit at on, which lie in one word.
func (k key) window(at, w int) int {
	if at < 64 {
		return int(k.hi << at >> (64 - w))
	}
	return int(k.lo << (at - 64) >> (64 - w))
}

// newTrie returns the trie of routes, which are in the order of [Table.All]. The
// first, number 0, is none. There are leaves for as many routes as routes has
// capacity for.
func newTrie(routes []match) *trie { return newTrieWithin(routes, maxSlots) }

// newTrieWithin is newTrie with at most so many slots.
func newTrieWithin(routes []match, slots int) *trie {
	n := len(routes) - 1
	if cap(routes) > maxRoutes {
		panic(fmt.Sprintf("route: %d routes of one family, more than %d", n, maxRoutes))
	}
	// Routes that contain the rest are below no window.
	s := span{1, n + 1, 0}
	for s.from < n && int(routes[s.from].n) <= routes[s.from].key.common(routes[n].key) {
		s.up = uint32(s.from)
		s.from++
	}
	width := rootWidth(n)
	skip := min(routes[s.from].key.common(routes[n].key), 64-width)
	t := &trie{
		mask:   1<<width - 1,
		shift:  uint8(64 - skip - width),
		all:    leaf(0),
		root:   make([]slot, 1<<width),
		routes: routes,
		leaves: 2 * cap(routes),
	}
	if routes[s.up].n == 0 {
		t.all = leaf(s.up)
	}
	t.slots = make([]slot, 0, t.leaves+usualNodes(n)*nodeSize+spareSlots)
	for i := range cap(routes) {
		t.slots = append(t.slots, leaf(uint32(i)), leaf(uint32(i)))
	}
	b := builder{trie: t, limit: slots}
	b.fill(t.root, s, skip, width, 0)
	t.steps = b.usual()
	t.most = len(t.slots) + spareSlots
	return t
}

// nodeSize is the number of slots in a node.
const nodeSize = 256

// usualNodes returns how many nodes to have room for from the start, so that
// small tries are seldom moved: one for three routes.
func usualNodes(n int) int { return min(n, 4096) / 3 }

// rootWidth returns how many bits the root's window has in a trie of n routes:
// two to eight slots a route, up to 256 KB.
func rootWidth(n int) int { return min(bits.Len(uint(n))+2, 16) }

// builder fills a trie.
type builder struct {
	*trie
	limit int               // slots to have at most
	depth [maxDepth + 1]int // how many routes have their leaf so many nodes below the root
}

// span is routes[from:to], which are all below one slot, and the longest route
// that covers the slot.
type span struct {
	from, to int
	up       uint32
}

// fill makes the slots of a node whose window is the w bits from bit at on.
// None of the routes covers the node, and all agree in the bits before it.
func (b *builder) fill(node []slot, s span, at, w, depth int) {
	for i := range node {
		node[i] = leaf(s.up)
	}
	for i := s.from; i < s.to; {
		r := &b.routes[i]
		first, end := r.key.window(at, w), at+w
		if int(r.n) < end {
			covered := node[first : first+1<<(end-int(r.n))]
			for j := range covered {
				covered[j] = leaf(uint32(i))
			}
			b.depth[depth]++
			i++
			continue
		}
		below := span{i, i + 1, node[first].route()}
		for below.to < s.to && b.routes[below.to].key.common(r.key) >= end {
			below.to++
		}
		node[first] = b.below(below, end, depth)
		i = below.to
	}
}

// below returns the slot for a span whose routes agree in the bits before at.
func (b *builder) below(s span, at, depth int) slot {
	for s.to-s.from > 1 {
		r := &b.routes[s.from]
		fork := r.key.common(b.routes[s.to-1].key)
		if int(r.n) > fork {
			return b.fork(s, at, fork, depth+1)
		}
		// The first contains the rest.
		s.up = uint32(s.from)
		s.from++
		b.depth[depth]++
	}
	if s.from == s.to {
		return leaf(s.up)
	}
	b.depth[depth]++
	return leaf(uint32(s.from))
}

// fork returns the slot for a span whose routes agree in the bits before fork
// and no further; the slot itself is for the bits before at.
func (b *builder) fork(s span, at, fork, depth int) slot {
	if len(b.slots)+nodeSize+5 > b.limit {
		return b.chain(s)
	}
	if at > 64 || fork < 64 {
		return b.node(s, fork, depth)
	}
	return b.bridge(b.node(s, fork, depth+1))
}

// bridge returns the slot of a new bridge to s.
func (b *builder) bridge(s slot) slot {
	bridge := slot(len(b.slots))<<shiftBits | bridgeMark
	b.slots = append(b.slots, bridge, bridge, bridge, bridge, s)
	return bridge
}

// node returns the slot of a new node for a span whose routes agree in the bits
// before fork.
func (b *builder) node(s span, fork, depth int) slot {
	// The window does not reach across the words, nor past the end.
	last := fork&64 + 64 - 8
	window := min(fork, last)
	i := len(b.slots)
	var node [nodeSize]slot // for b.slots may move while it is filled
	b.slots = append(b.slots, node[:]...)
	b.fill(node[:], s, window, 8, depth)
	copy(b.slots[i:], node[:])
	return slot(i)<<shiftBits | slot(last-window)
}

// chain returns a leaf that leads through all routes of s, the longest first.
func (b *builder) chain(s span) slot {
	order := make([]uint32, 0, s.to-s.from)
	for i := s.from; i < s.to; i++ {
		order = append(order, uint32(i))
	}
	slices.SortStableFunc(order, func(i, j uint32) int { return int(b.routes[i].n - b.routes[j].n) })
	next := s.up
	for _, i := range order {
		b.routes[i].next = next
		next = i
	}
	return leaf(next)
}

// usual returns the depth that seven in ten routes do not exceed. Asking for the
// end after that is guessed right more often than not, and walking on from a
// leaf wastes little.
func (b *builder) usual() uint8 {
	var seen int
	for depth, n := range b.depth {
		if seen += n; 10*seen >= 7*(len(b.routes)-1) {
			return uint8(depth)
		}
	}
	return maxDepth
}
