package filter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

// TestNoChoiceOfFlowsMakesTheTableSlow is an attacker who knows the program but not the
// seed, and picks flows that a weak hash would put together. What counts is how far
// from where it is looked for a flow stands, and how much memory is taken for it.
func TestNoChoiceOfFlowsMakesTheTableSlow(t *testing.T) {
	const n = 40_000
	me, peer := uint32(0x0a000001), uint32(0xc6336401)
	for name, flowOf := range map[string]func(i uint32) wire.Flow{
		"ports that count up":            func(i uint32) wire.Flow { return udpFlow(me, peer, i, 53) },
		"both ports alike":               func(i uint32) wire.Flow { return udpFlow(me, peer, i, i) },
		"addresses that count up":        func(i uint32) wire.Flow { return udpFlow(me, peer+i, 53, 53) },
		"multiples of a bucket's size":   func(i uint32) wire.Flow { return udpFlow(me, peer+i*places, 53, i*places) },
		"high bits alone":                func(i uint32) wire.Flow { return udpFlow(me, i<<16|i>>16, 53, 53) },
		"addresses that undo each other": func(i uint32) wire.Flow { return udpFlow(me^i, peer^i, 53, 53) },
	} {
		tr := NewTracker(TrackerConfig{Seed: 7})
		for i := range uint32(n) {
			var p wire.Packet
			f := flowOf(i)
			require.NoError(t, p.Read(wire.AppendUDP(nil, wire.Header{Src: f.Src, Dst: f.Dst, TTL: 64}, f.SrcPort, f.DstPort, nil)))
			require.True(t, tr.Admit(Egress, &p, time.Duration(0)))
		}
		far, furthest, held := 0, uint32(0), 0
		for b := range uint32(tr.flows.buckets.Len()) {
			for i, f := range tr.flows.buckets.Bucket(b) {
				if f.state != noFlow {
					d := (uint32(i) - f.hash) % places
					far, furthest, held = far+int(d), max(furthest, d), held+1
				}
			}
		}
		require.Equal(t, tr.Len(), held, name)
		require.Greater(t, held, n/2, name)
		require.Less(t, float64(far)/float64(held), 1.5, "%s: the mean way to a flow", name)
		require.Less(t, furthest, uint32(places/2), "%s: the longest way to a flow", name)
		require.Less(t, tr.flows.buckets.Len()*places, 4*held, "%s: places", name)
	}
}

func udpFlow(src, dst, srcPort, dstPort uint32) wire.Flow {
	return wire.Flow{Src: wire.AddrFromV4(src), Dst: wire.AddrFromV4(dst), SrcPort: uint16(srcPort), DstPort: uint16(dstPort), Proto: wire.ProtoUDP}
}
