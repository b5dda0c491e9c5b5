package fault_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpctest"
)

// stream sends n numbered datagrams from a to b, a gap apart, and returns the numbers
// in the order in which they came, and when they came.
func stream(t *testing.T, w *vpctest.World, a, b *vpctest.Host, n int, gap time.Duration) (order []int, at []time.Duration) {
	t.Helper()
	a.Host.Ping(b.Addr, host.PingConfig{Count: 20}) // until both have met
	in, err := b.ListenUDP(netip.AddrPortFrom(b.Addr, 0))
	require.NoError(t, err)
	out, err := a.ListenUDP(netip.AddrPortFrom(a.Addr, 0))
	require.NoError(t, err)
	start := w.Clock.Now()
	in.OnDatagram(func(_ *host.UDPConn, d host.Datagram) {
		order = append(order, int(binary.BigEndian.Uint32(d.Payload)))
		at = append(at, d.At-start)
	})
	for i := range n {
		w.Clock.Schedule(time.Duration(i)*gap, clock.Func(func() {
			out.Send(netip.AddrPortFrom(b.Addr, in.LocalPort()), binary.BigEndian.AppendUint32(nil, uint32(i)))
		}))
	}
	w.Run(time.Duration(n)*gap + time.Minute)
	return order, at
}

func TestALinkLosesItsShareAndTheSeedSaysWhich(t *testing.T) {
	run := func(seed uint64, d fault.Direction) []int {
		w, a, b := pair(t)
		begin(t, w, fault.Link{Interface: b.Interface, Loses: 0.1, Direction: d, Seed: seed})
		order, _ := stream(t, w, a, b, 2000, time.Millisecond)
		return order
	}
	one := run(1, fault.Both)
	require.InDelta(t, 1800, len(one), 60)
	require.True(t, slices.IsSorted(one))
	require.Equal(t, one, run(1, fault.Both))
	require.NotEqual(t, one, run(2, fault.Both))
	require.Len(t, run(1, fault.Outbound), 2000, "b sends no datagram")
	require.InDelta(t, 1800, len(run(1, fault.Inbound)), 60)
}

func TestALostPacketsLastStepNamesTheLink(t *testing.T) {
	w, a, b := pair(t)
	a.Ping(b.Addr).OK(t)
	begin(t, w, fault.Link{Interface: a.Interface, Loses: 1, Direction: fault.Inbound})
	w.Trace().Clear()
	a.Ping(b.Addr).Dropped(t, trace.Lost)
	walks := w.Trace().Walks()
	require.Len(t, walks, 2)
	require.Equal(t, trace.Delivered, walks[0].End(), "the request is outbound")
	require.Equal(t, "a in: lost by a fault: link of a ("+a.Interface.ID()+") loses 100 % of packets, inbound", last(w))
}

func TestDelaysKeepTheOrder(t *testing.T) {
	w, a, b := pair(t)
	begin(t, w, fault.Link{Interface: a.Interface, Delays: 0.05, Delay: 30 * time.Millisecond, Direction: fault.Outbound, Seed: 3})
	const gap = time.Millisecond
	order, at := stream(t, w, a, b, 1000, gap)
	require.Len(t, order, 1000)
	require.True(t, slices.IsSorted(order))
	late := 0
	for i, n := range order {
		extra := at[i] - time.Duration(n)*gap - 100*time.Microsecond
		require.GreaterOrEqual(t, extra, time.Duration(0))
		require.LessOrEqual(t, extra, 30*time.Millisecond)
		if extra > 0 {
			late++
		}
	}
	require.Greater(t, late, 50*10, "those behind a delayed packet wait for it")
}

func TestADelayOfAllPacketsIsTwoMoreDelaysOfARoundTrip(t *testing.T) {
	w, a, b := pair(t)
	before := a.Host.Ping(b.Addr, host.PingConfig{Count: 2}).Min
	begin(t, w, fault.Link{Interface: a.Interface, Delays: 1, Delay: 30 * time.Millisecond})
	require.Equal(t, before+60*time.Millisecond, a.Host.Ping(b.Addr, host.PingConfig{}).Min)
}

func TestReorderedPacketsAreOvertakenAndNoneIsLost(t *testing.T) {
	w, a, b := pair(t)
	begin(t, w, fault.Link{Interface: b.Interface, Reorders: 0.1, Seed: 3})
	order, at := stream(t, w, a, b, 1000, 3*time.Millisecond)
	require.Len(t, order, 1000)
	require.False(t, slices.IsSorted(order))
	held := 0
	for i, n := range order {
		if at[i]-time.Duration(n)*3*time.Millisecond > fault.DefaultHold {
			held++
		}
	}
	require.InDelta(t, 100, held, 30)
	slices.Sort(order)
	for i, n := range order {
		require.Equal(t, i, n)
	}
}

func TestTCPGetsThroughALinkThatLosesAndReorders(t *testing.T) {
	w, a, b := pair(t)
	begin(t, w, fault.Link{Interface: b.Interface, Loses: 0.05, Reorders: 0.1, Delays: 0.1, Delay: 5 * time.Millisecond, Seed: 9})
	var got []byte
	_, err := b.ListenTCP(netip.AddrPortFrom(b.Addr, 80), func(c *host.Conn) {
		c.OnReadable(func(c *host.Conn) { got = append(got, c.Next()...) })
	})
	require.NoError(t, err)
	c, err := a.Dial(netip.AddrPortFrom(b.Addr, 80))
	require.NoError(t, err)
	want := make([]byte, 400_000)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range want {
		want[i] = byte(rng.Uint32())
	}
	_, err = c.Write(want)
	require.NoError(t, err)
	w.Run(10 * time.Minute)
	require.Equal(t, want, got)
}

func TestFaultsOfOneLinkAddUp(t *testing.T) {
	w, a, b := pair(t)
	before := a.Host.Ping(b.Addr, host.PingConfig{Count: 2}).Min
	slow := fault.Link{Interface: b.Interface, Delays: 1, Delay: 10 * time.Millisecond}
	one := begin(t, w, slow)
	two := begin(t, w, slow)
	dark := begin(t, w, fault.ZoneCutOff{Region: w.Region, Zone: "us-east-1a"})
	a.Ping(b.Addr).Dropped(t, trace.Lost)
	require.NoError(t, dark.Heal())
	require.Equal(t, before+40*time.Millisecond, a.Host.Ping(b.Addr, host.PingConfig{}).Min)
	require.NoError(t, one.Heal())
	require.NoError(t, one.Heal(), "it is over")
	require.Equal(t, before+20*time.Millisecond, a.Host.Ping(b.Addr, host.PingConfig{}).Min)
	require.NoError(t, two.Heal())
	require.Equal(t, before, a.Host.Ping(b.Addr, host.PingConfig{}).Min)
}

func TestALinkSaysWhatItDoes(t *testing.T) {
	_, a, _ := pair(t)
	require.Equal(t, "link of a ("+a.Interface.ID()+") loses 2.5 % of packets and delays 50 % of packets by 20ms and reorders 1 % of packets, outbound",
		fault.Link{Interface: a.Interface, Loses: 0.025, Delays: 0.5, Delay: 20 * time.Millisecond, Reorders: 0.01, Direction: fault.Outbound}.String())
}
