package route

import (
	"fmt"
	"iter"
	"net/netip"
)

// A Table holds routes: prefixes, each with a value of type V. The zero Table
// is empty and ready to use.
//
// A Table is to be used by one goroutine at a time, except that any number may
// read while none changes it. It must not be copied after its first use: see
// [Table.Clone].
//
// It is a binary trie with its one-way branches removed (PATRICIA), one for
// each family, so an operation visits at most 33 nodes for IPv4 and 129 for
// IPv6, and about log2(Len) of them in practice.
type Table[V any] struct {
	v4, v6 tree[V]
	n      int
}

// node is a prefix of n bits. Below it are only longer prefixes that it
// contains: child[b] has those whose next bit is b. A node without a value has
// two children; it stands where two routes part.
type node[V any] struct {
	key   key
	n     int
	child [2]*node[V]
	value V
	set   bool
}

// tree returns the routes of f.
func (t *Table[V]) tree(f family) *tree[V] {
	if f == ipv4 {
		return &t.v4
	}
	return &t.v6
}

// Insert adds the route to dst, or replaces the value of the one that is there.
// Host bits of dst are ignored: 10.0.0.1/8 is 10.0.0.0/8. An invalid dst, such
// as the zero Prefix, is a mistake in the calling code and panics; what a user
// typed is refused by netip.ParsePrefix before it gets here.
//
// It allocates up to two nodes, of 64 bytes and a V each.
func (t *Table[V]) Insert(dst netip.Prefix, v V) {
	k, n, f, ok := prefixKey(dst)
	if !ok {
		panic(fmt.Sprintf("route: Insert of the invalid prefix %q", dst))
	}
	tree := t.tree(f)
	at := place(&tree.root, k, n)
	if !at.set {
		t.n++
	}
	at.value, at.set = v, true
	tree.changed(k, n)
}

// place returns the node of k/n below p, which it makes if there is none.
func place[V any](p **node[V], k key, n int) *node[V] {
	for *p != nil {
		at := *p
		c := min(k.common(at.key), n, at.n)
		switch {
		case c < at.n: // k/n parts from at, or contains it
			fork := &node[V]{key: k.masked(c), n: c}
			fork.child[at.key.bit(c)] = at
			*p = fork
		case at.n == n:
			return at
		default:
			p = &at.child[k.bit(at.n)]
		}
	}
	*p = &node[V]{key: k, n: n}
	return *p
}

// Delete removes the route to dst and reports whether there was one. Host bits
// of dst are ignored, and there is no route to an invalid dst. It does not
// allocate.
func (t *Table[V]) Delete(dst netip.Prefix) bool {
	k, n, f, ok := prefixKey(dst)
	if !ok {
		return false
	}
	tree := t.tree(f)
	p := &tree.root
	up := p // the link to the node that p is a child of
	for *p != nil && (*p).n < n && k.within((*p).key, (*p).n) {
		up, p = p, &(*p).child[k.bit((*p).n)]
	}
	at := *p
	if at == nil || !at.set || at.n != n || at.key != k {
		return false
	}
	var none V
	at.value, at.set = none, false
	t.n--
	prune(p)
	prune(up)
	tree.changed(k, n)
	return true
}

// prune takes the node at p out of the trie if it has no value and does not
// part two children.
func prune[V any](p **node[V]) {
	at := *p
	switch {
	case at == nil || at.set:
	case at.child[0] == nil:
		*p = at.child[1]
	case at.child[1] == nil:
		*p = at.child[0]
	}
}

// Get returns the value of the route to exactly dst, and whether there is one.
// Host bits of dst are ignored, and there is no route to an invalid dst. It does
// not allocate.
func (t *Table[V]) Get(dst netip.Prefix) (v V, ok bool) {
	k, n, f, ok := prefixKey(dst)
	if !ok {
		return v, false
	}
	if at := t.longest(k, n, f); at != nil && at.n == n {
		return at.value, true
	}
	return v, false
}

// Lookup returns the route with the longest prefix that contains a, and whether
// there is one. No route contains the zero Addr. It does not allocate.
func (t *Table[V]) Lookup(a netip.Addr) (dst netip.Prefix, v V, ok bool) {
	if !a.IsValid() {
		return dst, v, false
	}
	k, f := addrKey(a)
	at := t.longest(k, f.width(), f)
	if at == nil {
		return dst, v, false
	}
	return at.key.prefix(at.n, f), at.value, true
}

// Covering returns the value of the route with the longest prefix that contains all of
// dst, and whether there is one. Host bits of dst are ignored, and no route contains an
// invalid dst. It does not allocate.
func (t *Table[V]) Covering(dst netip.Prefix) (v V, ok bool) {
	k, n, f, ok := prefixKey(dst)
	if !ok {
		return v, false
	}
	if at := t.longest(k, n, f); at != nil {
		return at.value, true
	}
	return v, false
}

// longest returns the longest route of at most n bits that contains k, or nil.
func (t *Table[V]) longest(k key, n int, f family) (found *node[V]) {
	at := t.tree(f).root
	for at != nil && at.n <= n && k.within(at.key, at.n) {
		if at.set {
			found = at
		}
		if at.n == f.width() {
			break
		}
		at = at.child[k.bit(at.n)]
	}
	return found
}

// Len returns the number of routes.
func (t *Table[V]) Len() int { return t.n }

// All returns the routes in order: IPv4 before IPv6, then by address, then the
// shorter prefix first, so that a route comes before those it contains. The
// table must not be changed during the iteration.
func (t *Table[V]) All() iter.Seq2[netip.Prefix, V] {
	return func(yield func(netip.Prefix, V) bool) {
		for _, f := range [...]family{ipv4, ipv6} {
			ok := t.tree(f).root.walk(func(at *node[V]) bool {
				return yield(at.key.prefix(at.n, f), at.value)
			})
			if !ok {
				return
			}
		}
	}
}

// walk calls visit for each route at or below n in the order of All, until
// visit returns false; it reports whether none did. Its depth is at most one
// more than the bits of an address.
func (n *node[V]) walk(visit func(*node[V]) bool) bool {
	if n == nil {
		return true
	}
	if n.set && !visit(n) {
		return false
	}
	return n.child[0].walk(visit) && n.child[1].walk(visit)
}

// Clone returns a copy of t that shares nothing with it but what the values
// themselves point to. It takes time and memory in proportion to Len.
func (t *Table[V]) Clone() *Table[V] {
	return &Table[V]{
		v4: tree[V]{root: t.v4.root.clone()},
		v6: tree[V]{root: t.v6.root.clone()},
		n:  t.n,
	}
}

// count returns the number of routes at and below n.
func (n *node[V]) count() int {
	var i int
	n.walk(func(*node[V]) bool { i++; return true })
	return i
}

func (n *node[V]) clone() *node[V] {
	if n == nil {
		return nil
	}
	c := *n
	c.child[0], c.child[1] = n.child[0].clone(), n.child[1].clone()
	return &c
}
