package flowtable_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// records returns what the index finds under a hash, sorted.
func records(x *flowtable.Index, h uint32) []uint32 {
	var found []uint32
	for p := x.Probe(h); ; {
		n, ok := p.Next()
		if !ok {
			slices.Sort(found)
			return found
		}
		found = append(found, n)
	}
}

func TestIndexFindsWhatAMapOfListsFinds(t *testing.T) {
	for _, c := range []struct {
		name string
		hash func(rng *rand.Rand) uint32
	}{
		{"hashes all over", func(rng *rand.Rand) uint32 { return rng.Uint32() }},
		{"hashes that meet", func(rng *rand.Rand) uint32 { return rng.Uint32() &^ 0xffff00 }},
		{"hashes that probe around the end of a bucket", func(rng *rand.Rand) uint32 { return rng.Uint32() | 0x1f0 }},
		{"hashes of one line", func(rng *rand.Rand) uint32 { return rng.Uint32() | 0x3f }},
		{"hashes of one line and one tag", func(rng *rand.Rand) uint32 { return rng.Uint32() | 0x1fff }},
		{"hashes alike in their upper bits", func(rng *rand.Rand) uint32 { return rng.Uint32() >> 14 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			var x flowtable.Index
			twin := map[uint32][]uint32{}
			var held [][2]uint32
			for rec := range uint32(30_000) {
				h := c.hash(rng)
				require.True(t, x.Insert(h, rec))
				twin[h] = append(twin[h], rec)
				held = append(held, [2]uint32{h, rec})
				if rng.IntN(5) < 2 {
					i := rng.IntN(len(held))
					h, rec := held[i][0], held[i][1]
					held[i] = held[len(held)-1]
					held = held[:len(held)-1]
					require.True(t, x.Delete(h, rec))
					require.False(t, x.Delete(h, rec), "only once")
					at := slices.Index(twin[h], rec)
					twin[h] = slices.Delete(twin[h], at, at+1)
				}
			}
			require.Equal(t, len(held), x.Len())
			require.Greater(t, x.Len(), 10_000)
			for h, want := range twin {
				got := records(&x, h)
				require.True(t, slices.Equal(want, got), "%#x: %v, not %v", h, got, want)
			}
			for range 1000 {
				h := rng.Uint32()
				require.Len(t, records(&x, h), len(twin[h]))
			}
		})
	}
}

func TestTheZeroIndexIsEmpty(t *testing.T) {
	var x flowtable.Index
	require.Empty(t, records(&x, 7))
	require.False(t, x.Delete(7, 0))
	require.Zero(t, x.Len())
}

func TestIndexRefusesWhatItCanNotPart(t *testing.T) {
	var x flowtable.Index
	n := uint32(0)
	for x.Insert(0xdecade, n) {
		n++
	}
	require.EqualValues(t, 7+255, n, "a line, and as many as it counts behind it")
	require.Len(t, records(&x, 0xdecade), 7+255)
	require.Empty(t, records(&x, 0xdecadf))
	require.True(t, x.Delete(0xdecade, 3))
	require.True(t, x.Insert(0xdecade, 3))
}

func TestSlabHoldsWhatASliceHolds(t *testing.T) {
	var s flowtable.Slab[[8]uint64]
	var twin [][8]uint64
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range uint32(5000) {
		require.Equal(t, i, s.Append())
		twin = append(twin, [8]uint64{})
		require.Equal(t, len(twin), s.Len())
		require.Equal(t, twin[i], *s.At(i), "a new record is zero")
		for range 3 {
			n := rng.Uint32N(i + 1)
			twin[n][7] += uint64(i)
			s.At(n)[7] += uint64(i)
		}
	}
	for i := range twin {
		require.Equal(t, twin[i], *s.At(uint32(i)))
	}
}

// An attacker who knows the program but not the seed picks what a weak hash would
// put together: counters in every field, single bits, multiples of powers of two.
func TestNoChoiceOfPortsAndAddressesCrowdsTheHash(t *testing.T) {
	const n = 1 << 16
	v4 := wire.AddrFromV4
	for _, c := range []struct {
		name string
		key  func(i uint64) (a, b wire.Addr, rest uint64)
	}{
		{"source ports", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(1), v4(2), i << 32 }},
		{"destination ports", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(1), v4(2), i << 16 }},
		{"both ports the same", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(1), v4(2), i<<32 | i<<16 }},
		{"IPv4 hosts", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(uint32(i)), v4(2), 6 }},
		{"IPv4 networks", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(1), v4(uint32(i) << 16), 6 }},
		{"both hosts the same", func(i uint64) (wire.Addr, wire.Addr, uint64) { return v4(uint32(i)), v4(uint32(i)), 6 }},
		{"IPv6 networks", func(i uint64) (wire.Addr, wire.Addr, uint64) {
			return wire.AddrFromWords(i<<40, 1), wire.AddrFromWords(1, 1), 6
		}},
		{"IPv6 hosts", func(i uint64) (wire.Addr, wire.Addr, uint64) {
			return wire.AddrFromWords(1, i<<48), wire.AddrFromWords(1, i), 6
		}},
	} {
		for _, seed := range []uint64{0, 1, 1 << 63} {
			t.Run(fmt.Sprint(c.name, "/", seed), func(t *testing.T) {
				s := flowtable.NewSeed(seed)
				low, high := make([]int, 1<<12), make([]int, 1<<12)
				for i := range uint64(n) {
					h := s.Hash(c.key(i))
					low[h%(1<<12)]++
					high[h>>20]++
				}
				// 16 are expected in each; by chance more than 50 come once in 10^11.
				require.Less(t, slices.Max(low), 50)
				require.Less(t, slices.Max(high), 50)
			})
		}
	}
}

func TestHashDependsOnSeedAndOrder(t *testing.T) {
	one, two := flowtable.NewSeed(1), flowtable.NewSeed(2)
	a, b := wire.AddrFromV4(1), wire.AddrFromV4(2)
	require.Equal(t, one.Hash(a, b, 3), one.Hash(a, b, 3))
	require.NotEqual(t, one.Hash(a, b, 3), two.Hash(a, b, 3))
	require.NotEqual(t, one.Hash(a, b, 3), one.Hash(b, a, 3))
	require.NotEqual(t, one.Hash(a, b, 3), one.Hash(a, b, 4))
}

func TestLookingUpDoesNotAllocate(t *testing.T) {
	var x flowtable.Index
	for i := range uint32(10_000) {
		require.True(t, x.Insert(i*0x9e3779b1, i))
	}
	s, h := flowtable.NewSeed(1), uint32(77)
	h *= 0x9e3779b1
	require.Zero(t, testing.AllocsPerRun(100, func() {
		p := x.Probe(h)
		if n, ok := p.Next(); !ok || n != 77 || s.Hash(wire.Addr{}, wire.Addr{}, 0) == 0 {
			panic("not found")
		}
		if !x.Delete(h, 77) || !x.Insert(h, 77) {
			panic("not deleted and inserted")
		}
	}))
}

func BenchmarkIndex(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []uint32{1, 50_000, 1_000_000} {
		hashes := make([]uint32, n)
		var x flowtable.Index
		twin := map[uint32]uint32{}
		for i := range hashes {
			hashes[i] = rng.Uint32()
			x.Insert(hashes[i], uint32(i))
			twin[hashes[i]] = uint32(i)
		}
		rng.Shuffle(len(hashes), func(i, j int) { hashes[i], hashes[j] = hashes[j], hashes[i] })
		each := func(b *testing.B, look func(h uint32) bool) {
			i := uint32(0)
			for b.Loop() {
				if i++; i >= n {
					i = 0
				}
				if !look(hashes[i]) {
					b.Fatal("not found")
				}
			}
		}
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			each(b, func(h uint32) bool { p := x.Probe(h); _, ok := p.Next(); return ok })
		})
		b.Run(fmt.Sprint("peer=map/records=", n), func(b *testing.B) {
			each(b, func(h uint32) bool { _, ok := twin[h]; return ok })
		})
	}
}

// BenchmarkInsert grows an index to a million records, over and over.
func BenchmarkInsert(b *testing.B) {
	b.ReportAllocs()
	var x flowtable.Index
	rng := rand.New(rand.NewPCG(1, 1))
	i := uint32(0)
	for b.Loop() {
		if x.Len() == 1<<20 {
			x = flowtable.Index{}
		}
		x.Insert(rng.Uint32(), i)
		i++
	}
}

// BenchmarkChurn is a record's way through an index: looked for and not there, put in;
// and the oldest is taken out.
func BenchmarkChurn(b *testing.B) {
	for _, n := range []uint32{2000, 100_000} {
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			var x flowtable.Index
			hash := func(i uint32) uint32 { return uint32(uint64(i*0x9e3779b1) * 0xbf58476d1ce4e5b9 >> 32) }
			i := uint32(0)
			for ; i < n; i++ {
				x.Insert(hash(i), i)
			}
			for ; b.Loop(); i++ {
				p := x.Probe(hash(i))
				p.Next()
				x.Insert(hash(i), i)
				x.Delete(hash(i-n), i-n)
			}
		})
	}
}
