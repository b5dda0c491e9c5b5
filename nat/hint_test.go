package nat_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// What is found by a hint is what is found by searching, whatever the hint says: right,
// another session's, one that has ended, or no number at all.
func TestAHintChangesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := nat.Config{Seed: 1, Addrs: []wire.Addr{gateway, wire.MustParseAddr("2001:db8::5")}, FirstPort: 1024, LastPort: 1100}
	hinted, twin := masquerade(t, c), masquerade(t, c)
	flags := []wire.TCPFlags{wire.SYN, wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.RST}
	hints := map[wire.Flow]*uint32{}
	var outside []wire.Flow
	translated := 0
	now := time.Duration(0)
	for range 30_000 {
		now += time.Duration(rng.Int64N(int64(4 * second)))
		if len(outside) > 0 && rng.IntN(4) == 0 {
			f, flag := outside[rng.IntN(len(outside))].Reverse(), flags[rng.IntN(len(flags))]
			p, q := of(t, f, flag), of(t, f, flag)
			require.Equal(t, twin.Back(q, now), hinted.Back(p, now))
			require.Equal(t, q.Bytes(), p.Bytes())
			continue
		}
		f, flag := randomFlow(rng), flags[rng.IntN(len(flags))]
		hint, known := hints[f]
		if !known {
			hint = new(uint32)
			hints[f] = hint
		}
		switch rng.IntN(4) {
		case 0:
			*hint = rng.Uint32N(600) // another's, most likely, or one that has ended
		case 1:
			*hint = rng.Uint32()
		}
		p, q := of(t, f, flag), of(t, f, flag)
		require.Equal(t, twin.Out(q, now), hinted.OutBy(hint, p, now))
		require.Equal(t, q.Bytes(), p.Bytes())
		if p.Flow != f {
			translated++
			outside = append(outside, p.Flow)
		}
	}
	require.Greater(t, translated, 5000)
	require.Equal(t, listed(twin.Sessions(), now), listed(hinted.Sessions(), now))
	require.Equal(t, twin.Counters(now), hinted.Counters(now))
}

func TestASearchLeavesItsHint(t *testing.T) {
	m := masquerade(t, nat.Config{})
	f, g := flow(wire.ProtoUDP, inside, 4000, server, 53), flow(wire.ProtoUDP, inside, 4001, server, 53)
	var hint, other uint32
	out := func(hint *uint32, f wire.Flow, now time.Duration) uint16 {
		p := udp(t, f)
		require.Equal(t, nat.Translated, m.OutBy(hint, p, now))
		require.Equal(t, inside == f.Src, p.Flow.Src == gateway)
		return p.Flow.SrcPort
	}
	first, second0 := out(&hint, f, 0), out(&other, g, 0)
	require.Equal(t, first, out(&hint, f, second))
	require.Equal(t, second0, out(&other, g, second))
	require.NotZero(t, hint)
	require.NotEqual(t, hint, other)

	hint, other = other, hint
	require.Equal(t, first, out(&hint, f, second), "not the session that the hint names")
	require.Equal(t, second0, out(&other, g, second))

	// The session ends, and another flow gets its record.
	stale := hint
	for id := range m.Sessions().All(second) {
		m.Sessions().Delete(id)
	}
	require.True(t, slices.Contains([]uint32{hint, other}, stale))
	h := flow(wire.ProtoUDP, inside, 4002, server, 53)
	port := out(nil, h, 2*second)
	require.Equal(t, port, out(&stale, h, 2*second))
	again := out(&hint, f, 2*second)
	require.NotEqual(t, port, again, "a session of its own")
	require.Equal(t, 2, m.Sessions().Len())
}
