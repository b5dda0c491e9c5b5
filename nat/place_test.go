package nat_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// A packet that is told of by the number of its session becomes what it becomes as a
// packet, and leaves everything as that does, whatever has become of the session.
func TestRenewingIsTranslating(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := nat.Config{Seed: 1, Addrs: []wire.Addr{gateway, wire.MustParseAddr("2001:db8::5")}, FirstPort: 1024, LastPort: 1100}
	told, twin := masquerade(t, c), masquerade(t, c)
	flags := []wire.TCPFlags{wire.SYN, wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.RST}
	numbers := map[wire.Flow]uint32{} // those of packets from outside are told by their own flows
	var outside []wire.Flow
	renewed, stale := 0, 0
	now := time.Duration(0)
	for range 60_000 {
		now += time.Duration(rng.Int64N(int64(4 * second)))
		f, d := randomFlow(rng), nat.Original
		translate, twinTranslate := told.Out, twin.Out
		if len(outside) > 0 && rng.IntN(3) == 0 {
			f, d = outside[rng.IntN(len(outside))].Reverse(), nat.Reply
			translate, twinTranslate = told.Back, twin.Back
		}
		flag := flags[rng.IntN(len(flags))]
		p, q := of(t, f, flag), of(t, f, flag)
		number, kept := numbers[p.Flow]
		if rng.IntN(20) == 0 && told.Sessions().Len() > 0 {
			number, kept = rng.Uint32N(uint32(told.Sessions().Len()))<<1, true // another's, most likely
		}
		became := p.Flow
		switch {
		case kept && told.Holds(number, &became, p.Flags, now):
			told.Renew(number, p.Flags, p.Len(), now)
			require.Equal(t, nat.Translated, twinTranslate(q, now))
			require.Equal(t, q.Flow, became)
			renewed++
			continue
		case kept:
			stale++
		}
		require.Equal(t, twinTranslate(q, now), translate(p, now))
		require.Equal(t, q.Bytes(), p.Bytes())
		if p.Flow != f && d == nat.Original {
			outside = append(outside, p.Flow)
		}
		if number, ok := told.Place(d, &f, now); ok {
			numbers[f] = number
		}
	}
	require.Greater(t, renewed, 1500)
	require.Greater(t, stale, 1500)
	require.Equal(t, listed(twin.Sessions(), now), listed(told.Sessions(), now))
	require.Equal(t, twin.Counters(now), told.Counters(now))
}

func TestASessionHoldsForItsFlowAlone(t *testing.T) {
	m := masquerade(t, nat.Config{Addrs: []wire.Addr{gateway}})
	f := flow(wire.ProtoUDP, inside, 4000, server, 53)
	_, ok := m.Place(nat.Original, &f, 0)
	require.False(t, ok, "not known")
	p := of(t, f, 0)
	require.Equal(t, nat.Translated, m.Out(p, 0))
	number, ok := m.Place(nat.Original, &f, 0)
	require.True(t, ok)
	require.EqualValues(t, nat.DefaultIdle, m.Load(number))
	back := p.Flow.Reverse()
	_, ok = m.Place(nat.Original, &back, 0)
	require.False(t, ok, "it goes the other way")
	answer, ok := m.Place(nat.Reply, &back, 0)
	require.True(t, ok)
	for _, c := range []struct {
		number   uint32
		is, want wire.Flow
	}{{number, f, p.Flow}, {answer, back, f.Reverse()}} {
		is := c.is
		require.True(t, m.Holds(c.number, &is, 0, nat.DefaultIdle-1))
		require.Equal(t, c.want, is)
		is = c.is
		require.False(t, m.Holds(c.number^1, &is, 0, 0))
		require.False(t, m.Holds(c.number, &is, 0, nat.DefaultIdle), "it is over")
		is.SrcPort++
		require.False(t, m.Holds(c.number, &is, 0, 0))
	}
}
