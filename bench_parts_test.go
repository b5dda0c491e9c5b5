package vpcsim_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/wire"
)

// BenchmarkLookup is longest-prefix match in tables of AWS's sizes.
func BenchmarkLookup(b *testing.B) {
	for _, family := range []int{4, 6} {
		for _, n := range []int{8, 50, 1000} {
			fib, hits, misses := randomFIB(family, n)
			for name, queries := range map[string][]netip.Addr{"hit": hits, "miss": misses} {
				b.Run(fmt.Sprintf("v%d/routes=%d/%s", family, n, name), func(b *testing.B) {
					found := 0
					for i := 0; b.Loop(); i++ {
						if _, ok := fib.Lookup(queries[i%len(queries)]); ok {
							found++
						}
					}
					if (found > 0) != (name == "hit") {
						b.Fatalf("%d found", found)
					}
				})
			}
		}
	}
}

func randomFIB(family, n int) (fib *route.FIB[int], hits, misses []netip.Addr) {
	rng := rand.New(rand.NewPCG(uint64(family), uint64(n)))
	var table route.Table[int]
	address := func(first byte) netip.Addr {
		var a [16]byte
		for i := range a {
			a[i] = byte(rng.Uint32())
		}
		a[0] = first
		if family == 4 {
			return netip.AddrFrom4([4]byte(a[:4]))
		}
		return netip.AddrFrom16(a)
	}
	for i := range n {
		a := address(10)
		bits := 16 + rng.IntN(13)
		if family == 6 {
			bits *= 2
		}
		p := netip.PrefixFrom(a, bits)
		table.Insert(p, i)
		hits = append(hits, a)
	}
	for range 1024 {
		hits = append(hits, hits[rng.IntN(n)])
		misses = append(misses, address(11))
	}
	return table.Compile(), hits[n:], misses
}

// BenchmarkNAT is the translation alone: a NAT gateway's table.
func BenchmarkNAT(b *testing.B) {
	newTable := func() *nat.Masquerade {
		m, err := nat.NewMasquerade(nat.Config{Addrs: []wire.Addr{wire.MustParseAddr("10.0.0.5")}, Seed: 1})
		require.NoError(b, err)
		return m
	}
	for _, n := range []int{1, 50000} {
		b.Run(fmt.Sprintf("established/flows=%d", n), func(b *testing.B) {
			m := newTable()
			packets := make([][]byte, n)
			var p wire.Packet
			buf := make([]byte, 64)
			for i := range packets {
				packets[i] = request(nil, i)
				copy(buf, packets[i])
				require.NoError(b, p.Read(buf))
				require.Equal(b, nat.Translated, m.Out(&p, 0))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				copy(buf, packets[i%n])
				if p.Read(buf) != nil || m.Out(&p, 0) != nat.Translated {
					b.Fatal("not translated")
				}
			}
		})
	}
	b.Run("new", func(b *testing.B) {
		m := newTable()
		var p wire.Packet
		buf := make([]byte, 64)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			h := wire.Header{Src: hostAddr, Dst: wire.AddrFromV4(0xc6336400 + uint32(i/40000)), TTL: 64}
			buf = wire.AppendUDP(buf[:0], h, uint16(1024+i%40000), 53, nil)
			if p.Read(buf) != nil || m.Out(&p, 0) != nat.Translated {
				b.Fatal("not translated")
			}
		}
	})
}
