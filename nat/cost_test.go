package nat

import (
	"math"
	"reflect"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

// hasPointer reports whether the garbage collector has to look into values of type t.
func hasPointer(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return hasPointer(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointer(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return false
	}
	return true
}

func TestWhatASessionIsMadeOfHoldsNoPointer(t *testing.T) {
	for _, v := range []any{record{}, wide{}, link{}, passage{}, arrival{}, wire.FragmentKey{}} {
		require.False(t, hasPointer(reflect.TypeOf(v)), "%T", v)
	}
	require.True(t, hasPointer(reflect.TypeOf(bitmap{})), "the check finds pointers")
	require.Equal(t, uintptr(64), unsafe.Sizeof(record{}), "a record is one cache line")
}

var (
	costInside  = wire.MustParseAddr("10.0.0.11")
	costGateway = wire.MustParseAddr("10.0.1.5")
)

func newCosted(t *testing.T) *Masquerade {
	m, err := NewMasquerade(Config{Addrs: []wire.Addr{costGateway}})
	require.NoError(t, err)
	return m
}

// flowOf is flow i of many, 50,000 to a destination.
func flowOf(i int) wire.Flow {
	return wire.Flow{Src: wire.AddrFromV4(10<<24 | uint32(i%50_000)), Dst: wire.AddrFromV4(198<<24 | uint32(i/50_000)),
		SrcPort: 4000, DstPort: 53, Proto: wire.ProtoUDP}
}

// bytesPerFlow returns what a million flows take of the heap, each.
func bytesPerFlow(t *testing.T, flow func(i int) wire.Flow) float64 {
	const n = 1_000_000
	heap := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	m := newCosted(t)
	var p wire.Packet
	b := wire.AppendUDP(nil, wire.Header{Src: costInside, Dst: costInside, TTL: 64}, 1, 2, nil)
	for i := range n {
		require.NoError(t, p.Read(b))
		f := flow(i)
		p.SetSrc(f.Src, f.SrcPort)
		p.SetDst(f.Dst, f.DstPort)
		if m.Out(&p, 0) != Translated {
			require.Fail(t, "not translated", "%d", i)
		}
	}
	used := heap() - before
	require.Equal(t, n, m.Sessions().Len())
	return float64(used) / n
}

func TestAFlowTakesAtMostAHundredAndTenBytes(t *testing.T) {
	full := bytesPerFlow(t, flowOf)
	t.Logf("%.1f bytes a flow, 50,000 flows to a destination", full)
	require.LessOrEqual(t, full, 110.0)
	lonely := bytesPerFlow(t, func(i int) wire.Flow {
		f := flowOf(i)
		f.Dst = wire.AddrFromV4(uint32(i) * 2654435761)
		return f
	})
	t.Logf("%.1f bytes a flow, a destination each", lonely)
	require.LessOrEqual(t, lonely, 110.0)
}

func TestANewMasqueradeIsSmall(t *testing.T) {
	var kept []*Masquerade
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		kept = append(kept, newCosted(t))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / 100
	t.Logf("%d bytes", each)
	require.Less(t, each, uint64(8<<10))
	runtime.KeepAlive(kept)
}

// leastAllocs returns the allocations of the run that has the fewest: others are the
// test machine's.
func leastAllocs(f func()) float64 {
	least := math.Inf(1)
	for range 5 {
		least = min(least, testing.AllocsPerRun(100, f))
	}
	return least
}

func TestPacketsOfKnownSessionsAndRefusalsAllocateNothing(t *testing.T) {
	m := newCosted(t)
	var p wire.Packet
	b := make([]byte, 0, 64)
	send := func(f wire.Flow) Verdict {
		h := wire.Header{Src: f.Src, Dst: f.Dst, TTL: 64}
		if f.Proto == wire.ProtoTCP {
			b = wire.AppendTCP(b[:0], h, wire.Segment{SrcPort: f.SrcPort, DstPort: f.DstPort, Flags: wire.ACK}, nil)
		} else {
			b = wire.AppendUDP(b[:0], h, f.SrcPort, f.DstPort, nil)
		}
		if p.Read(b) != nil {
			panic("the packet is broken")
		}
		if f.Dst == costGateway {
			return m.Back(&p, 0)
		}
		return m.Out(&p, 0)
	}
	f := flowOf(1)
	require.Equal(t, Translated, send(f))
	out := p.Flow
	require.Zero(t, leastAllocs(func() {
		if send(f) != Translated || p.Flow != out {
			panic("not translated")
		}
	}), "established")
	require.Zero(t, leastAllocs(func() {
		if send(out.Reverse()) != Translated || p.Flow != f.Reverse() {
			panic("not translated")
		}
	}), "return")
	late := f
	late.Proto = wire.ProtoTCP
	require.Zero(t, leastAllocs(func() {
		if send(late) != IdleReset {
			panic("known")
		}
	}), "idle")
	require.Zero(t, leastAllocs(func() {
		if send(wire.Flow{Src: f.Dst, Dst: costGateway, SrcPort: 1, DstPort: 2, Proto: wire.ProtoUDP}) != NoSession {
			panic("known")
		}
	}), "from outside")

	for i := range 54_999 {
		g := f
		g.SrcPort, g.Src = uint16(5000+i), costInside
		require.Equal(t, Translated, send(g))
	}
	f.SrcPort = 1
	require.Zero(t, leastAllocs(func() {
		if send(f) != NoPort {
			panic("there was a port")
		}
	}), "no port")
}

func TestNewSessionsInSteadyChurnAllocateNothing(t *testing.T) {
	m := newCosted(t)
	var p wire.Packet
	b := wire.AppendUDP(nil, wire.Header{Src: costInside, Dst: costInside, TTL: 64}, 1, 2, nil)
	i := 0
	open := func() {
		if p.Read(b) != nil {
			panic("the packet is broken")
		}
		f := flowOf(i)
		p.SetSrc(f.Src, f.SrcPort)
		p.SetDst(f.Dst, f.DstPort)
		if m.Out(&p, time.Duration(i)*DefaultIdle/10_000) != Translated || p.Flow.Src != costGateway {
			panic("not translated")
		}
		i++
	}
	for range 200_000 {
		open()
	}
	require.Zero(t, leastAllocs(open))
	require.InDelta(t, 10_000, m.Sessions().Len(), 100, "the oldest go as the new ones come")
}

// An attacker picks flows so that they meet in a table whose seed is 1. In a table
// whose seed it does not know they are spread like any others.
func TestNobodyPicksTheirPlaceInTheTable(t *testing.T) {
	known, secret := NewTable(TableConfig{Seed: 1}), NewTable(TableConfig{Seed: 2})
	places := map[uint32]int{}
	picked, worst := 0, 0
	for i := 0; picked < 2000; i++ {
		f := wire.Flow{Src: wire.AddrFromV4(10<<24 | uint32(i>>16)), Dst: costGateway, SrcPort: uint16(i), DstPort: 53, Proto: wire.ProtoUDP}
		if known.hash(&f)%512 != 7 { // the line of a bucket, and its tags
			continue
		}
		picked++
		place := secret.hash(&f) % 512
		places[place]++
		worst = max(worst, places[place])
	}
	require.Greater(t, len(places), 450)
	require.Less(t, worst, 20)
}
