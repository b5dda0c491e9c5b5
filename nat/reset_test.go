package nat_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

func TestAfterResetAMasqueradeChoosesAsAtFirst(t *testing.T) {
	m := masquerade(t, nat.Config{Addrs: []wire.Addr{gateway}, Seed: 7})
	out := func(port uint16) wire.Flow {
		p := of(t, flow(wire.ProtoUDP, inside, port, server, 53), 0)
		require.Equal(t, nat.Translated, m.Out(p, 0))
		return p.Flow
	}
	first, second := out(4000), out(4001)
	require.NotEqual(t, first, second)
	m.Reset()
	require.Equal(t, nat.NoSession, m.Back(of(t, first.Reverse(), 0), 0))
	require.Equal(t, 0, m.Sessions().Len())
	require.Equal(t, uint64(1), m.Counters(0).PacketsDropCount, "the counters begin anew")
	require.Equal(t, first, out(4000))
	require.Equal(t, second, out(4001))
}
