package netfilter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

func TestAStandbyGoesOnWithAConnectionThatItWasHanded(t *testing.T) {
	client, server := wire.MustParseAddr("10.0.1.10"), wire.MustParseAddr("198.51.100.7")
	active, cold, warm := natInstance(t), natInstance(t), natInstance(t)
	rival := wire.MustParseAddr("10.0.1.11")
	// The port is taken, so that the connection gets another.
	active.forward(tcp(rival, server, 4000, 80, wire.SYN))
	out := active.forward(tcp(client, server, 4000, 80, wire.SYN)).Flow
	require.Equal(t, guestAddr, out.Src)
	require.NotEqual(t, uint16(4000), out.SrcPort)
	active.forward(tcp(out.Dst, out.Src, out.DstPort, out.SrcPort, wire.SYN|wire.ACK))
	require.Equal(t, out, active.forward(tcp(client, server, 4000, 80, wire.ACK)).Flow)

	for _, s := range active.tables.Sessions().All(active.now) {
		require.True(t, warm.tables.Restore(s, active.now))
		require.True(t, warm.tables.Restore(s, active.now), "once more is once")
	}
	cold.now, warm.now = active.now, active.now
	require.Equal(t, out, warm.forward(tcp(client, server, 4000, 80, wire.ACK)).Flow)
	require.Equal(t, client, warm.forward(tcp(out.Dst, out.Src, out.DstPort, out.SrcPort, wire.ACK)).Flow.Dst)
	require.NotEqual(t, out, cold.forward(tcp(client, server, 4000, 80, wire.ACK)).Flow, "picked up in its middle, with a port of its own")

	// The socket keeps its translation towards another peer: its origin came over too.
	peer := wire.MustParseAddr("198.51.100.8")
	require.Equal(t, out.SrcPort, warm.forward(tcp(client, peer, 4000, 80, wire.SYN)).Flow.SrcPort)

	warm.tables.Forget(warm.now)
	require.Zero(t, warm.tables.Sessions().Len())
	for _, s := range active.tables.Sessions().All(active.now) {
		require.False(t, warm.tables.Restore(s, s.Expires+time.Second), "it has expired")
	}
	require.Zero(t, warm.tables.Sessions().Len())
}
