package route

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireFIB compares every way of asking a FIB with the list.
func requireFIB(t *testing.T, fib *FIB[int], twin list[int], a netip.Addr, where string) {
	t.Helper()
	wantDst, want, wantOK := twin.Lookup(a)
	dst, v, ok := fib.LookupPrefix(a)
	require.Equal(t, wantOK, ok, "%s: LookupPrefix(%v)", where, a)
	require.Equal(t, wantDst, dst, "%s: LookupPrefix(%v)", where, a)
	require.Equal(t, want, v, "%s: LookupPrefix(%v)", where, a)
	v, ok = fib.Lookup(a)
	require.Equal(t, wantOK, ok, "%s: Lookup(%v)", where, a)
	require.Equal(t, want, v, "%s: Lookup(%v)", where, a)

	b := a.As16()
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	v, ok = fib.LookupPacked(hi, lo)
	require.Equal(t, wantOK, ok, "%s: LookupPacked(%v)", where, a)
	require.Equal(t, want, v, "%s: LookupPacked(%v)", where, a)
	if unmapped(a).Is4() {
		v, ok = fib.Lookup4(uint32(lo))
	} else {
		v, ok = fib.Lookup16(hi, lo)
	}
	require.Equal(t, wantOK, ok, "%s: by family: %v", where, a)
	require.Equal(t, want, v, "%s: by family: %v", where, a)
}

func TestTheZeroFIBHasNoRoutes(t *testing.T) {
	var fib FIB[int]
	for _, a := range []netip.Addr{addr("10.0.0.1"), addr("2001:db8::1"), addr("::ffff:10.0.0.1")} {
		requireFIB(t, &fib, nil, a, "zero FIB")
	}
	requireFIB(t, new(Table[int]).Compile(), nil, addr("10.0.0.1"), "empty table")
}

func TestNoRouteContainsTheZeroAddr(t *testing.T) {
	var rt Table[int]
	rt.Insert(pfx("0.0.0.0/0"), 4)
	rt.Insert(pfx("::/0"), 6)
	fib := rt.Compile()
	_, ok := fib.Lookup(netip.Addr{})
	require.False(t, ok)
	_, _, ok = fib.LookupPrefix(netip.Addr{})
	require.False(t, ok)
}

func TestFIBAnswersAsTheList(t *testing.T) {
	for _, n := range []int{1, 2, 10, 64, 128, 140, 300, 1000, 3000} {
		for seed := range uint64(12) {
			src := newSource(seed)
			var rt Table[int]
			var twin list[int]
			for i := range n {
				p := src.prefix()
				rt.Insert(p, i)
				twin.Insert(p, i)
			}
			fib := rt.Compile()
			for range 1000 {
				requireFIB(t, fib, twin, src.addr(twin), fmt.Sprintf("%d routes, seed %d", n, seed))
			}
		}
	}
}

// A batch gives each address the answer it gets alone, and writes nothing else.
func TestABatchAnswersAsSingleLookups(t *testing.T) {
	src := newSource(9)
	var rt Table[int]
	var twin list[int]
	for i := range 200 {
		p := src.prefix()
		rt.Insert(p, i)
		twin.Insert(p, i)
	}
	fib := rt.Compile()
	addrs := make([]netip.Addr, 99)
	for i := range addrs {
		addrs[i] = src.addr(twin)
	}
	addrs[7] = netip.Addr{}
	values := slices.Repeat([]int{0xa5}, 100)
	found := slices.Repeat([]bool{true}, 100)
	fib.LookupBatch(addrs, values, found)
	for i, a := range addrs {
		v, ok := fib.Lookup(a)
		require.Equal(t, v, values[i])
		require.Equal(t, ok, found[i])
	}
	require.Equal(t, 0xa5, values[99])
	require.True(t, found[99])
	require.Panics(t, func() { fib.LookupBatch(addrs, values[:98:98], found) })
}

// Each change is seen in the next FIB, and by none made before.
func TestAFIBShowsTheTableAsItWasCompiled(t *testing.T) {
	for _, start := range []int{0, 100, 1000} {
		for seed := range uint64(6) {
			requireChangesShow(t, start, seed)
		}
	}
}

func requireChangesShow(t *testing.T, start int, seed uint64) {
	src := newSource(seed)
	var rt Table[int]
	var twin list[int]
	for i := range start {
		p := src.prefix()
		rt.Insert(p, i)
		twin.Insert(p, i)
	}
	type made struct {
		fib  *FIB[int]
		twin list[int]
	}
	var old []made
	for i := range 600 {
		where := fmt.Sprintf("%d routes at first, seed %d, step %d", start, seed, i)
		changed := make([]netip.Prefix, 1+src.IntN(src.IntN(12)+1))
		for j := range changed {
			p := src.prefix()
			if len(twin) > 0 && src.IntN(2) == 0 {
				p = twin[src.IntN(len(twin))].dst
			}
			changed[j] = p
			if src.IntN(5) < 2 {
				require.Equal(t, twin.Delete(p), rt.Delete(p))
				continue
			}
			rt.Insert(p, -i*16-j)
			twin.Insert(p, -i*16-j)
		}
		fib := rt.Compile()
		for _, p := range changed {
			for range 3 {
				requireFIB(t, fib, twin, src.inside(p), where)
			}
		}
		for range 12 {
			requireFIB(t, fib, twin, src.addr(twin), where)
		}
		old = append(old, made{fib, slices.Clone(twin)})
		m := old[src.IntN(len(old))]
		for range 4 {
			requireFIB(t, m.fib, m.twin, src.addr(m.twin), where+", an older FIB")
		}
	}
}

// A clone and what it was cloned from compile apart from each other.
func TestCompilingACloneLeavesTheOriginalAlone(t *testing.T) {
	src := newSource(21)
	var rt Table[int]
	var twin list[int]
	for i := range 500 {
		p := src.prefix()
		rt.Insert(p, i)
		twin.Insert(p, i)
	}
	rt.Compile()
	c, twinOfC := rt.Clone(), slices.Clone(twin)
	for i := range 200 {
		p, q := src.prefix(), src.prefix()
		rt.Insert(p, i)
		twin.Insert(p, i)
		c.Insert(q, -i)
		twinOfC.Insert(q, -i)
		a, b := rt.Compile(), c.Compile()
		for range 5 {
			requireFIB(t, a, twin, src.addr(twin), "original")
			requireFIB(t, b, twinOfC, src.addr(twinOfC), "clone")
		}
	}
}

// Readers of a FIB are not disturbed by the next being compiled, though the two
// share memory. The race detector watches.
func TestReadersNeedNoLock(t *testing.T) {
	src := newSource(41)
	var rt Table[int]
	for i := range 500 {
		rt.Insert(src.prefix(), i)
	}
	// Every table has these two, so a reader knows what to expect.
	rt.Insert(pfx("203.0.113.0/24"), -4)
	rt.Insert(pfx("3fff::/20"), -6)
	var current atomic.Pointer[FIB[int]]
	current.Store(rt.Compile())
	done, stopped := make(chan struct{}), make(chan int)
	go func() {
		wrong := 0
		for {
			select {
			case <-done:
				stopped <- wrong
				return
			default:
			}
			fib := current.Load()
			v4, _ := fib.Lookup(addr("203.0.113.9"))
			v6, _ := fib.Lookup(addr("3fff::9"))
			if v4 != -4 || v6 != -6 {
				wrong++
			}
		}
	}()
	for i := range 2000 {
		p := netip.PrefixFrom(src.inside(pfx("203.0.112.0/20")), 28)
		if i%3 == 0 {
			p = netip.PrefixFrom(src.inside(pfx("3ffe::/15")), 40)
		}
		if p.Overlaps(pfx("203.0.113.9/32")) || p.Overlaps(pfx("3fff::9/128")) {
			continue
		}
		rt.Insert(p, i)
		current.Store(rt.Compile())
		if i%2 == 0 {
			rt.Delete(p)
		}
	}
	close(done)
	require.Zero(t, <-stopped)
}

func TestLookupsDoNotAllocate(t *testing.T) {
	src := newSource(5)
	for _, n := range []int{50, 1000} {
		var rt Table[int]
		for i := range n {
			rt.Insert(src.prefix(), i)
		}
		rt.Insert(pfx("10.0.1.0/24"), -4)
		rt.Insert(pfx("2001:db8::/32"), -6)
		fib := rt.Compile()
		addrs := []netip.Addr{addr("10.0.1.7"), addr("2001:db8::7"), addr("::ffff:10.0.1.7")}
		values, found := make([]int, 3), make([]bool, 3)
		var v4, v6, packed, prefixed int
		require.Zero(t, testing.AllocsPerRun(100, func() {
			fib.LookupBatch(addrs, values, found)
			v4, _ = fib.Lookup4(0x0a000107)
			v6, _ = fib.Lookup16(0x20010db8<<32, 7)
			packed, _ = fib.LookupPacked(0, mapped<<32|0x0a000107)
			_, prefixed, _ = fib.LookupPrefix(addrs[0])
		}))
		require.Equal(t, []int{-4, -6, -4}, values)
		require.Equal(t, []int{-4, -6, -4, -4}, []int{v4, v6, packed, prefixed})
	}
}

// A trie that has no place for more nodes goes through what is left route by
// route.
func TestATrieWithoutRoomStillAnswers(t *testing.T) {
	src := newSource(31)
	var rt Table[int]
	var twin list[int]
	for i := range 800 {
		p := src.prefix()
		rt.Insert(p, i)
		twin.Insert(p, i)
	}
	for _, nodes := range []int{0, 1, 10} {
		h := [2]half[int]{}
		for i, root := range []*node[int]{rt.v4.root, rt.v6.root} {
			h[i] = half[int]{routes: make([]match, 1), values: make([]int, 1)}
			h[i].add(root, 0)
			h[i].trie = newTrieWithin(h[i].routes, 2*cap(h[i].routes)+nodes*nodeSize)
		}
		fib := &FIB[int]{h[0], h[1]}
		for range 3000 {
			requireFIB(t, fib, twin, src.addr(twin), fmt.Sprintf("%d nodes", nodes))
		}
	}
}

// FuzzCompile reads operations as FuzzTable does and compiles between them.
func FuzzCompile(f *testing.F) {
	src := newSource(2)
	var seed []byte
	for range 50 {
		p := src.prefix()
		b := p.Addr().As16()
		seed = append(append(seed, byte(src.IntN(8)), byte(p.Bits())), b[:]...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, ops []byte) {
		var rt Table[int]
		var twin list[int]
		// Enough routes for a trie, where the operations do not go.
		for i := range 70 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i)}), 24)
			rt.Insert(p, -i)
			twin.Insert(p, -i)
			p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x3f, 0xff, byte(i)}), 24)
			rt.Insert(p, -i)
			twin.Insert(p, -i)
		}
		for i := 0; i+18 <= len(ops) && i < 18*80; i += 18 {
			op, a := ops[i], netip.AddrFrom16([16]byte(ops[i+2:i+18]))
			if op&1 != 0 {
				a = netip.AddrFrom4([4]byte(ops[i+2 : i+6]))
			}
			p := netip.PrefixFrom(a, int(ops[i+1])%(a.BitLen()+1))
			if op&6 != 0 {
				rt.Insert(p, i)
				twin.Insert(p, i)
			} else {
				rt.Delete(p)
				twin.Delete(p)
			}
			if op&24 == 0 {
				requireFIB(t, rt.Compile(), twin, a, "after the change")
			}
		}
		fib := rt.Compile()
		for _, r := range twin {
			requireFIB(t, fib, twin, r.dst.Addr(), "at the end")
		}
	})
}
