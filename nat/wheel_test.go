package nat

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

func udpFlow(i int) wire.Flow {
	f := flowOf(i)
	f.DstPort = 99
	return f
}

func TestNoNewSessionPaysForMoreThanAFewOldOnes(t *testing.T) {
	table := NewTable(TableConfig{})
	const n = 20_000
	for i := range n {
		f := udpFlow(i)
		require.NotZero(t, table.Create(f, f, 0, 0))
	}
	now := time.Hour
	for i := range n / (workPerSession - 1) {
		before, f := table.Len(), udpFlow(n+i)
		require.NotZero(t, table.Create(f, f, 0, now))
		require.GreaterOrEqual(t, table.Len(), before+1-workPerSession)
	}
	require.Less(t, table.Len(), n/2, "but they go sooner than new ones come")
	live := 0
	for range table.All(now) {
		live++
	}
	require.Equal(t, n/(workPerSession-1), live)
	table.Expire(now)
	require.Equal(t, live, table.Len())
}

func TestMemoryIsReused(t *testing.T) {
	table := NewTable(TableConfig{})
	v6 := func(i int) wire.Flow {
		f := udpFlow(i)
		f.Src, f.Dst = wire.AddrFromWords(0x20010db8<<32, uint64(i)), wire.AddrFromWords(0x20010db8<<32|1, 1)
		return f
	}
	for round := range 20 {
		now := time.Duration(round) * time.Hour
		table.Expire(now)
		require.Zero(t, table.Len())
		for i := range 1000 {
			f, g := udpFlow(i), v6(i)
			require.NotZero(t, table.Create(f, f, 0, now))
			id := table.Create(g, g, 0, now)
			require.NotZero(t, id)
			require.Equal(t, g, table.Session(id).Original)
		}
	}
	require.Equal(t, 2000, table.records.Len())
	require.Equal(t, 1001, table.wides.Len())
	require.Equal(t, wide{}, *table.wides.At(0))
	require.Equal(t, wide{}, narrow)
}

func TestASessionOfDaysIsFoundExpiredToTheNanosecond(t *testing.T) {
	table := NewTable(TableConfig{})
	f := flowOf(1)
	f.Proto = wire.ProtoTCP
	id := table.Create(f, f, wire.SYN, 0)
	reply := &wire.Packet{Flow: f.Reverse(), Flags: wire.SYN | wire.ACK}
	require.Equal(t, Tracked, table.Track(id, Reply, reply, 0))
	last := 7 * time.Second
	require.Equal(t, Tracked, table.Track(id, Original, &wire.Packet{Flow: f, Flags: wire.ACK}, last))
	for _, at := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 432_000*time.Second - 1} {
		table.Expire(last + at)
		require.Equal(t, 1, table.Len(), "%v", at)
	}
	table.Expire(last + 432_000*time.Second)
	require.Zero(t, table.Len())
}

func TestPoolsThatEmptyLeaveNothingBehind(t *testing.T) {
	m := newCosted(t)
	var p wire.Packet
	for i := range 15_000 { // to one destination, and to a few others of 10 each
		f := wire.Flow{Src: wire.AddrFromV4(10<<24 | uint32(i)), Dst: costInside, SrcPort: 1, DstPort: 53, Proto: wire.ProtoUDP}
		if i%10 == 0 {
			f.DstPort = uint16(i / 100)
		}
		require.NoError(t, p.Read(wire.AppendUDP(nil, wire.Header{Src: f.Src, Dst: f.Dst, TTL: 9}, 1, f.DstPort, nil)))
		require.Equal(t, Translated, m.Out(&p, time.Duration(i)))
	}
	require.Equal(t, 1, countBitmaps(m))
	m.Counters(time.Hour)
	require.Zero(t, countBitmaps(m))
	require.Equal(t, [poolCounts]poolCount{}, *m.pools.counts)
}

// countBitmaps returns how many pools have one.
func countBitmaps(m *Masquerade) (n int) {
	for i := range m.pools.counts {
		for b := m.pools.counts[i].bitmaps; b != nil; b = b.next {
			n++
		}
	}
	return n
}

func TestPoolsThatShareACountKeepTheirPortsApart(t *testing.T) {
	const limit = 5000
	m, err := NewMasquerade(Config{Addrs: []wire.Addr{costInside}, FlowsPerDestination: limit, Seed: 1})
	require.NoError(t, err)
	pool := wire.Flow{Src: wire.AddrFromV4(0xc6336407), Dst: costInside, Proto: wire.ProtoUDP}
	var ports []uint16
	var shared *poolCount
	for port := uint16(1); len(ports) < 3; port++ {
		pool.SrcPort = port
		c := m.pools.countOf(m.table.seed.Pair(pool.Src, pool.Dst), pool.Proto, packPorts(&pool))
		if shared == nil || c == shared {
			shared = c
			ports = append(ports, port)
		}
	}
	var p wire.Packet
	open := func(port uint16, i int) Verdict {
		h := wire.Header{Src: wire.AddrFromV4(10<<24 | uint32(i)), Dst: pool.Src, TTL: 9}
		require.NoError(t, p.Read(wire.AppendUDP(nil, h, 1, port, nil)))
		return m.Out(&p, 0)
	}
	for i := range limit {
		for _, port := range ports {
			require.Equal(t, Translated, open(port, i))
		}
	}
	require.Equal(t, len(ports), countBitmaps(m))
	for _, port := range ports {
		require.Equal(t, NoPort, open(port, limit))
	}
	m.Release(costInside, 0)
	require.Zero(t, countBitmaps(m))
	require.Equal(t, poolCount{}, *shared)
}
