package dataplane_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

func TestAFilterLetsPassWhatTheEngineLifts(t *testing.T) {
	e := newEngine()
	home := &guest{}
	filter := &node{"filter", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		if !c.Lift(trace.ACLIngress) {
			return dataplane.Drop(trace.ACLIngress)
		}
		return dataplane.To(deliverTo(home))
	}}
	ip := udp(addrA, addrB, 1, 2, "")
	require.Equal(t, trace.ACLIngress, e.Send(filter, ip))
	var asked []trace.Reason
	e.Lift = func(end trace.Reason) bool { asked = append(asked, end); return len(asked) > 1 }
	require.Equal(t, trace.ACLIngress, e.Send(filter, ip))
	require.Equal(t, trace.Delivered, e.Send(filter, ip))
	require.Equal(t, []trace.Reason{trace.ACLIngress, trace.ACLIngress}, asked)
}

func TestTheHashChoosesUnlessTheEngineDoes(t *testing.T) {
	e := newEngine()
	of, chosen := 3, -1
	chooser := &node{"chooser", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		chosen = c.Choose("tgw-1", "zone", 7, of, nil)
		return dataplane.Drop(trace.Lost)
	}}
	ip := udp(addrA, addrB, 1, 2, "")
	e.Send(chooser, ip)
	require.Equal(t, 7%3, chosen)
	asked := 0
	e.Choose = func(at, what string, hash uint32, of int, _ dataplane.Options) int {
		asked++
		require.Equal(t, []any{"tgw-1", "zone", uint32(7), 3}, []any{at, what, hash, of})
		return 2
	}
	e.Send(chooser, ip)
	require.Equal(t, 2, chosen)
	of = 1
	e.Send(chooser, ip)
	require.Equal(t, 0, chosen, "one of one is no choice")
	require.Equal(t, 1, asked)
}

func TestAnotherGuestMayStandIn(t *testing.T) {
	e := newEngine()
	one, other := &guest{}, &guest{}
	e.Instead = func(g dataplane.Guest) dataplane.Guest {
		require.Same(t, one, g)
		return other
	}
	sent := udp(addrA, addrB, 1, 2, "hello")
	require.Equal(t, trace.Delivered, e.Send(deliverTo(one), sent))
	run(e)
	require.Empty(t, one.got)
	require.Equal(t, [][]byte{sent}, other.got)
}
