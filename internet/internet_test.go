package internet_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/internet"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	here, there, third = wire.MustParseAddr("198.51.100.1"), wire.MustParseAddr("198.51.100.2"), wire.MustParseAddr("2001:db8::3")
	region             = wire.MustParseAddr("203.0.113.9")
)

// inbox is a guest that keeps copies of what it receives, and when.
type inbox struct {
	clock   *clock.Clock
	packets [][]byte
	at      []time.Duration
}

func (i *inbox) Receive(p *wire.Packet) trace.Reason {
	i.packets, i.at = append(i.packets, bytes.Clone(p.Bytes())), append(i.at, i.clock.Now())
	return trace.Delivered
}

func network() (*internet.Network, *inbox) {
	e := &dataplane.Engine{Clock: &clock.Clock{}}
	return internet.New(e, "internet"), &inbox{clock: e.Clock}
}

func ping(from, to wire.Addr) []byte {
	return wire.AppendICMP(nil, wire.Header{Src: from, Dst: to, TTL: 64}, wire.ICMPEcho, 0, 1<<16|1, nil)
}

func TestAStationsPacketsReachTheHostThatHasTheAddress(t *testing.T) {
	n, guest := network()
	a, ok := n.Join(here)
	require.True(t, ok)
	b, ok := n.Join(there, third)
	require.True(t, ok)
	sent := ping(here, there)
	require.Equal(t, trace.NotAttached, a.Send(sent), "nobody is plugged in")
	b.Plug(guest)
	require.Equal(t, trace.Delivered, a.Send(sent))
	require.Empty(t, guest.packets, "delivery takes time")
	guest.clock.Run(time.Second)
	require.Equal(t, [][]byte{sent}, guest.packets)
	require.Equal(t, trace.NoSuchHost, a.Send(ping(here, region)))
	b.Plug(nil)
	require.Equal(t, trace.NotAttached, a.Send(sent))
	require.Equal(t, trace.NotAttached, b.Receive(nil), "pulled out while a packet was on its way")
	require.Len(t, guest.packets, 1)
}

func TestJoiningTakesAllAddressesOrNone(t *testing.T) {
	n, guest := network()
	_, ok := n.Join(here)
	require.True(t, ok)
	s, ok := n.Join(there, here)
	require.False(t, ok)
	require.Nil(t, s)
	s, ok = n.Join(there)
	require.True(t, ok, "the refused call has taken no address")
	s.Plug(guest)
	require.Equal(t, trace.Delivered, s.Send(ping(there, there)))
}

// A packet of a station crosses to the gateway, and on from there to the other host.
func TestLatencyIsPaidOnceEachWay(t *testing.T) {
	for name, row := range map[string]struct{ configured, want time.Duration }{
		"default": {0, 2 * internet.DefaultLatency}, "configured": {3 * time.Millisecond, 6 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			n, guest := network()
			n.Latency = row.configured
			a, _ := n.Join(here)
			gate := &gateway{}
			n.Regions = func(d wire.Addr) dataplane.Node {
				if d == region {
					return gate
				}
				return nil
			}
			gate.back = n
			a.Plug(guest)
			require.Equal(t, trace.Delivered, a.Send(ping(here, region)))
			guest.clock.Run(time.Second)
			require.Equal(t, []time.Duration{row.want}, guest.at)
		})
	}
}

// gateway turns packets around.
type gateway struct{ back dataplane.Node }

func (*gateway) Name() string { return "gateway" }

func (g *gateway) Forward(_ *dataplane.Context, p *wire.Packet) dataplane.Next {
	f := p.Flow
	p.SetSrc(f.Dst, f.SrcPort)
	p.SetDst(f.Src, f.DstPort)
	return dataplane.To(g.back)
}

func TestTapsSeeBothWays(t *testing.T) {
	n, guest := network()
	a, _ := n.Join(here)
	b, _ := n.Join(there)
	b.Plug(guest)
	type sight struct {
		at  time.Duration
		out bool
		ip  string
	}
	var seen []sight
	for _, s := range []*internet.Station{a, b} {
		s.Tap(func(now time.Duration, out bool, ip []byte) { seen = append(seen, sight{now, out, string(ip)}) })
	}
	sent := ping(here, there)
	a.Send(sent)
	guest.clock.Run(time.Second)
	require.Len(t, seen, 2)
	require.Equal(t, sight{0, true, string(sent)}, seen[0])
	require.Equal(t, sight{guest.at[0], false, string(sent)}, seen[1])
}

func TestAnyoneHasTheAddressesThatNobodyHas(t *testing.T) {
	n, guest := network()
	a, _ := n.Join(here)
	a.Plug(&inbox{clock: guest.clock})
	n.Anyone = guest
	sent := ping(here, region)
	require.Equal(t, trace.Delivered, a.Send(sent))
	require.Equal(t, trace.Delivered, n.Send(ping(region, here)), "and may send")
	guest.clock.Run(time.Second)
	require.Equal(t, [][]byte{sent}, guest.packets)
	require.Equal(t, []time.Duration{internet.DefaultLatency}, guest.at)
}
