package route

import (
	"fmt"
	"net/netip"
	"testing"
)

// BenchmarkCompile is what a change costs until a lookup sees it: one insert or
// delete, and the FIB made anew.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{8, 64, 1000, 10_000} {
		for _, f := range []family{ipv4, ipv6} {
			b.Run(fmt.Sprintf("IPv%d/%d", 2+2*f, n), func(b *testing.B) {
				src := newSource(1)
				var rt Table[int]
				for rt.Len() < n {
					if p := src.prefix(); p.Addr().Is4() == (f == ipv4) && !p.Addr().Is4In6() {
						rt.Insert(p, 1)
					}
				}
				var extra []netip.Prefix
				for len(extra) < 256 {
					if p := src.prefix(); p.Addr().Is4() == (f == ipv4) && !p.Addr().Is4In6() && p.Bits() > 0 {
						if _, there := rt.Get(p); !there {
							extra = append(extra, p)
						}
					}
				}
				fib := rt.Compile()
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					if p := extra[i/2%256]; i%2 == 0 {
						rt.Insert(p, 1)
					} else {
						rt.Delete(p)
					}
					fib = rt.Compile()
					i++
				}
				h := fib.half(f)
				if h.trie != nil {
					bytes := 4*(len(h.trie.root)+cap(h.trie.slots)) + 40*cap(h.routes) + 8*cap(h.values)
					b.ReportMetric(float64(bytes)/float64(n), "bytes/route")
					b.ReportMetric(float64(len(h.trie.slots)-2*n)/256/float64(n), "nodes/route")
					b.ReportMetric(float64(cap(h.trie.slots)), "capslots")
					b.ReportMetric(float64(len(h.trie.slots)), "lenslots")
				}
			})
		}
	}
}
