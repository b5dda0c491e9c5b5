package vpc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

func TestWhatAResourceForgetsIsItsOwn(t *testing.T) {
	l := newLab(t)
	a, b := l.instance().Interface(), l.instance().Interface()
	live := vpc.NewLive(l.region, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{})
	var p wire.Packet
	require.NoError(t, p.Read(wire.AppendUDP(nil, wire.Header{Src: wire.MustParseAddr("10.0.0.4"), Dst: wire.MustParseAddr("10.0.0.5"), TTL: 9}, 1, 2, nil)))
	for _, n := range []*vpc.NetworkInterface{a, b} {
		require.True(t, live.Interface(n).Flows.Admit(filter.Egress, &p, 0))
	}
	port := live.Port(a)
	live.Forget(a.ID())
	require.False(t, live.Interface(a).Flows.Knows(filter.Egress, &p, 0))
	require.True(t, live.Interface(b).Flows.Knows(filter.Egress, &p, 0))
	require.Same(t, port, live.Port(a), "what has nothing to forget stays")
	live.Forget("eni-00000000000000000")
}
