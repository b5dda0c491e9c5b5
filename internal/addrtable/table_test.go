package addrtable_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/internal/addrtable"
	"github.com/vpcsim/vpcsim/wire"
)

// address returns an address of either family out of a few thousand, so that many
// come twice and many differ in few bits.
func address(rng *rand.Rand) wire.Addr {
	n := rng.Uint32N(3000)
	switch rng.IntN(4) {
	case 0:
		return wire.AddrFromV4(0x0a000000 + n)
	case 1:
		return wire.AddrFromV4(0x0a000000 + n<<16)
	case 2:
		return wire.AddrFromWords(0x2600_0000_0000_0000, uint64(n))
	}
	return wire.AddrFromWords(0x2600_0000_0000_0000|uint64(n)<<16, 1)
}

func TestTableHoldsWhatAMapHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var table addrtable.Table[int]
	twin := map[wire.Addr]int{}
	for i := range 20_000 {
		a := address(rng)
		_, had := twin[a]
		require.Equal(t, !had, table.Insert(a, i+1))
		if !had {
			twin[a] = i + 1
		}
		b := address(rng)
		require.Equal(t, twin[b], table.Lookup(b))
	}
	require.Equal(t, len(twin), table.Len())
	for a, v := range twin {
		require.Equal(t, v, table.Lookup(a))
	}
}

func TestNothingBelongsToNoAddress(t *testing.T) {
	var table addrtable.Table[int]
	require.Zero(t, table.Lookup(wire.MustParseAddr("10.0.0.1")))
	require.False(t, table.Insert(wire.Addr{}, 1))
	require.True(t, table.Insert(wire.MustParseAddr("10.0.0.1"), 1))
	require.Zero(t, table.Lookup(wire.Addr{}))
	require.Equal(t, 1, table.Len())
}

func TestLookingUpDoesNotAllocate(t *testing.T) {
	var table addrtable.Table[*int]
	v := new(int)
	for i := range uint32(100) {
		require.True(t, table.Insert(wire.AddrFromV4(0x0a000001+i), v))
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if table.Lookup(wire.AddrFromV4(0x0a000001)) != v || table.Lookup(wire.AddrFromV4(1)) != nil {
			panic("looked up wrongly")
		}
	}))
}

func BenchmarkLookup(b *testing.B) {
	var table addrtable.Table[*int]
	twin := map[wire.Addr]*int{}
	var addrs []wire.Addr
	for i := range uint32(200) {
		a := wire.AddrFromV4(0x0a000004 + i)
		addrs = append(addrs, a)
		table.Insert(a, new(int))
		twin[a] = new(int)
	}
	each := func(b *testing.B, look func(wire.Addr) *int) {
		for i := 0; b.Loop(); i++ {
			if look(addrs[i%len(addrs)]) == nil {
				b.Fatal("not found")
			}
		}
	}
	b.Run("table", func(b *testing.B) { each(b, table.Lookup) })
	b.Run("peer=map", func(b *testing.B) { each(b, func(a wire.Addr) *int { return twin[a] }) })
}
