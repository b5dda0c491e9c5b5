package nat_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// mapNAT is a NAPT as one writes it with Go's maps, for comparison: UDP only, no
// errors, fragments, counters nor bound, and the next port that is free.
type mapNAT struct {
	out  map[wire.Flow]*mapSession
	back map[wire.Flow]*mapSession
	next uint16
}

type mapSession struct {
	inside, outside wire.Flow
	last            time.Duration
}

func newMapNAT() *mapNAT {
	return &mapNAT{map[wire.Flow]*mapSession{}, map[wire.Flow]*mapSession{}, 1024}
}

func (m *mapNAT) Out(p *wire.Packet, now time.Duration) nat.Verdict {
	s := m.out[p.Flow]
	if s != nil && now-s.last >= nat.DefaultIdle {
		delete(m.out, s.inside)
		delete(m.back, s.outside.Reverse())
		s = nil
	}
	if s == nil {
		s = &mapSession{inside: p.Flow, outside: p.Flow}
		s.outside.Src = gateway
		for {
			m.next = max(m.next+1, 1024)
			s.outside.SrcPort = m.next
			old := m.back[s.outside.Reverse()]
			if old == nil {
				break
			}
			if now-old.last >= nat.DefaultIdle {
				delete(m.out, old.inside)
				break
			}
		}
		m.out[s.inside], m.back[s.outside.Reverse()] = s, s
	}
	s.last = now
	p.SetSrc(s.outside.Src, s.outside.SrcPort)
	return nat.Translated
}

func (m *mapNAT) Back(p *wire.Packet, now time.Duration) nat.Verdict {
	s := m.back[p.Flow]
	if s == nil || now-s.last >= nat.DefaultIdle {
		return nat.NoSession
	}
	s.last = now
	p.SetDst(s.inside.Src, s.inside.SrcPort)
	return nat.Translated
}

type napt interface {
	Out(*wire.Packet, time.Duration) nat.Verdict
	Back(*wire.Packet, time.Duration) nat.Verdict
}

func eachNAPT(b *testing.B, f func(b *testing.B, m napt)) {
	b.Run("nat", func(b *testing.B) { f(b, masquerade(b, nat.Config{})) })
	b.Run("maps", func(b *testing.B) { f(b, newMapNAT()) })
}

// client is flow i of many: 40,000 to each destination.
func client(i int) wire.Flow {
	return flow(wire.ProtoUDP, wire.AddrFromV4(10<<24|uint32(i%40000)/1000), uint16(20000+i%1000),
		wire.AddrFromV4(198<<24|51<<16|uint32(i/40000)), 53)
}

// bytesOf is a 64-byte UDP packet of a flow; set makes it again what it was.
type bytesOf struct {
	b    []byte
	p    wire.Packet
	orig []byte
}

func newBytes(tb testing.TB) *bytesOf {
	f := client(0)
	u := &bytesOf{b: wire.AppendUDP(nil, header(f), 1, 2, make([]byte, 36))}
	u.orig = append([]byte(nil), u.b...)
	require.Len(tb, u.b, 64)
	return u
}

// set makes the packet one of flow f. Reading and rewriting it are a part of what is
// measured, the same for all.
func (u *bytesOf) set(f *wire.Flow) *wire.Packet {
	copy(u.b, u.orig[:28])
	if u.p.Read(u.b) != nil {
		panic("the packet is broken")
	}
	u.p.SetSrc(f.Src, f.SrcPort)
	u.p.SetDst(f.Dst, f.DstPort)
	return &u.p
}

func BenchmarkPacketAlone(b *testing.B) {
	u, f := newBytes(b), client(1)
	for b.Loop() {
		u.set(&f)
	}
}

func BenchmarkEstablished(b *testing.B) {
	for _, n := range []int{1, 50_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachNAPT(b, func(b *testing.B, m napt) {
				u := newBytes(b)
				for i := range n {
					f := client(i)
					require.Equal(b, nat.Translated, m.Out(u.set(&f), 0))
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					i = (i + 514229) % n // a stride that no prefetcher follows
					f := client(i)
					if m.Out(u.set(&f), second) != nat.Translated {
						b.Fatal("not translated")
					}
				}
			})
		})
	}
}

func BenchmarkReturn(b *testing.B) {
	for _, n := range []int{1, 50_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachNAPT(b, func(b *testing.B, m napt) {
				u, back := newBytes(b), make([]wire.Flow, n)
				for i := range n {
					f := client(i)
					p := u.set(&f)
					require.Equal(b, nat.Translated, m.Out(p, 0))
					back[i] = p.Flow.Reverse()
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					i = (i + 514229) % n
					if m.Back(u.set(&back[i]), second) != nat.Translated {
						b.Fatal("not translated")
					}
				}
			})
		})
	}
}

// BenchmarkNew opens a session with every packet while the oldest of 50,000 expire.
func BenchmarkNew(b *testing.B) {
	eachNAPT(b, func(b *testing.B, m napt) {
		u, i := newBytes(b), 0
		open := func() {
			f := client(i % 4_000_000)
			if m.Out(u.set(&f), time.Duration(i)*nat.DefaultIdle/50_000) != nat.Translated {
				b.Fatal("not translated")
			}
			i++
		}
		for range 200_000 {
			open()
		}
		b.ReportAllocs()
		for b.Loop() {
			open()
		}
	})
}

// BenchmarkNewToOneDestination opens a session toward a destination that has so many,
// while the oldest expires.
func BenchmarkNewToOneDestination(b *testing.B) {
	for _, n := range []int{1000, 54_999} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, u, i := masquerade(b, nat.Config{}), newBytes(b), 0
			open := func() {
				f := client(0)
				f.Src, f.SrcPort = wire.AddrFromV4(10<<24|uint32(i/60000%1000)), uint16(i%60000)
				if m.Out(u.set(&f), time.Duration(i)*nat.DefaultIdle/time.Duration(n)) != nat.Translated {
					b.Fatal("not translated")
				}
				i++
			}
			for range 3 * n {
				open()
			}
			b.ReportAllocs()
			for b.Loop() {
				open()
			}
		})
	}
}

func BenchmarkNoPort(b *testing.B) {
	m, u := masquerade(b, nat.Config{}), newBytes(b)
	f := client(0)
	for i := range 55_000 {
		f.Src, f.SrcPort = wire.AddrFromV4(10<<24|uint32(i/10000)), uint16(1+i%10000)
		require.Equal(b, nat.Translated, m.Out(u.set(&f), 0))
	}
	f.SrcPort = 20_000
	b.ReportAllocs()
	for b.Loop() {
		if m.Out(u.set(&f), second) != nat.NoPort {
			b.Fatal("translated")
		}
	}
}
