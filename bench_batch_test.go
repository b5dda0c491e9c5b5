package vpcsim_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// story returns everything that a world's log holds, as text.
func story(t *testing.T, log *trace.Log) string {
	t.Helper()
	var b strings.Builder
	for _, w := range log.Walks() {
		require.NoError(t, log.WriteStory(&b, w.ID))
	}
	return b.String()
}

// TestABatchIsWhatItsPacketsAreOneByOne sends known flows, new ones, answers, and
// packets that end in every way that the path knows, once in batches and once each alone.
func TestABatchIsWhatItsPacketsAreOneByOne(t *testing.T) {
	alone, together := newPath(t), newPath(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range []*path{alone, together} {
		p.world.Trace()
		p.sent.check, p.got.check = true, true
	}
	known, answers := alone.open(t, 100)
	knownToo, answersToo := together.open(t, 100)
	require.Equal(t, known, knownToo)
	require.Equal(t, answers, answersToo, "the same seed, the same ports")
	packet := func() (ip []byte, back bool) {
		switch n := rng.IntN(10); {
		case n < 4:
			return known.at(rng.IntN(100)), false
		case n < 6:
			return answers.at(rng.IntN(100)), true
		case n < 8:
			return request(nil, rng.IntN(1_000_000)), false
		case n == 8:
			return known.at(0)[:rng.IntN(packetLen)], false // malformed
		case rng.IntN(2) == 0: // of which the sender is told
			return wire.AppendUDP(nil, wire.Header{Src: hostAddr, Dst: server(0), TTL: 1}, 1, 2, payload[:]), false
		}
		d := drops[rng.IntN(4)]
		at, ip := d.packet(t, newPath(t))
		return ip, strings.Contains(at.Name(), "inbound")
	}
	for range 100 {
		way := map[bool][][]byte{}
		for range 1 + rng.IntN(40) {
			ip, back := packet()
			way[back] = append(way[back], ip)
		}
		for _, back := range []bool{false, true} {
			at := func(p *path) dataplane.Node {
				if back {
					return p.back
				}
				return p.host
			}
			ends := make([]trace.Reason, len(way[back]))
			together.world.Engine.SendBatch(at(together), way[back], ends)
			for i, ip := range way[back] {
				require.Equal(t, alone.world.Engine.Send(at(alone), ip), ends[i])
			}
			for alone.world.Clock.Step() {
				require.True(t, together.world.Clock.Step())
			}
		}
	}
	require.Equal(t, story(t, alone.world.Trace()), story(t, together.world.Trace()))
	require.Equal(t, alone.sent, together.sent)
	require.Equal(t, alone.got, together.got)
	require.Greater(t, alone.got.n, 100)
	require.Zero(t, alone.sent.bad+alone.got.bad)
}
