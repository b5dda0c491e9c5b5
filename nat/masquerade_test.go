package nat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

func TestAPacketGoesOutFromTheGatewayAndItsAnswerComesBack(t *testing.T) {
	v6 := wire.MustParseAddr("2001:db8::11")
	for _, c := range []struct {
		name            string
		f               wire.Flow
		gateway, server wire.Addr
	}{
		{"UDP", flow(wire.ProtoUDP, inside, 4000, server, 53), gateway, server},
		{"TCP", flow(wire.ProtoTCP, inside, 4000, server, 443), gateway, server},
		{"ICMP", flow(wire.ProtoICMP, inside, 31391, server, 0), gateway, server},
		{"UDP over IPv6", flow(wire.ProtoUDP, v6, 4000, wire.MustParseAddr("2001:db8:1::7"), 53),
			wire.MustParseAddr("2001:db8::5"), wire.MustParseAddr("2001:db8:1::7")},
		{"ICMPv6", flow(wire.ProtoICMPv6, v6, 7, wire.MustParseAddr("2001:db8:1::7"), 0),
			wire.MustParseAddr("2001:db8::5"), wire.MustParseAddr("2001:db8:1::7")},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := masquerade(t, nat.Config{Addrs: []wire.Addr{c.gateway}})
			p := of(t, c.f, wire.SYN)
			require.Equal(t, nat.Translated, m.Out(p, 0))
			again(t, p)
			require.Equal(t, c.gateway, p.Flow.Src)
			require.Equal(t, c.server, p.Flow.Dst)
			require.Equal(t, c.f.DstPort, p.Flow.DstPort)
			require.GreaterOrEqual(t, p.Flow.SrcPort, uint16(1024))
			out := p.Flow

			q := of(t, c.f, wire.SYN)
			require.Equal(t, nat.Translated, m.Out(q, second))
			require.Equal(t, out, q.Flow, "one session, one port")

			r := of(t, out.Reverse(), wire.SYN|wire.ACK)
			require.Equal(t, nat.Translated, m.Back(r, second))
			again(t, r)
			require.Equal(t, c.f.Reverse(), r.Flow)

			e := unreachable(t, c.server, p)
			require.Equal(t, nat.Translated, m.Back(e, second))
			again(t, e)
			require.Equal(t, c.f.Src, e.Flow.Dst)
			in, ok := e.Inner()
			require.True(t, ok)
			require.Equal(t, c.f, in.Flow)
		})
	}
}

func TestIdleForThreeHundredAndFiftySeconds(t *testing.T) {
	t.Run("C116 a TCP mapping is gone after 350 s: RST for the inside, nothing for the outside", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		f := flow(wire.ProtoTCP, inside, 4000, server, 443)
		p := tcp(t, f, wire.SYN)
		require.Equal(t, nat.Translated, m.Out(p, 0))
		out := p.Flow
		require.Equal(t, nat.Translated, m.Back(tcp(t, out.Reverse(), wire.SYN|wire.ACK), second))
		require.Equal(t, nat.Translated, m.Out(tcp(t, f, wire.ACK), 2*second))

		last := 2*second + 350*second - 1
		require.Equal(t, nat.Translated, m.Back(tcp(t, out.Reverse(), wire.ACK), last), "not yet idle for 350 s")
		last += 350 * second
		require.Equal(t, uint64(1), m.Counters(last-1).ActiveConnectionCount)
		require.Equal(t, nat.NoSession, m.Back(tcp(t, out.Reverse(), wire.ACK), last))
		late := tcp(t, f, wire.ACK)
		require.Equal(t, nat.IdleReset, m.Out(late, last))
		require.Equal(t, f, late.Flow, "what is not translated is not changed")

		c := m.Counters(last)
		require.Equal(t, uint64(0), c.ActiveConnectionCount)
		require.Equal(t, uint64(1), c.IdleTimeoutCount)
		require.Equal(t, uint64(1), c.ConnectionAttemptCount)
		require.Equal(t, uint64(1), c.ConnectionEstablishedCount)
		require.Equal(t, uint64(2), c.PacketsDropCount)
	})
	t.Run("a RST from inside is due no RST", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		f := flow(wire.ProtoTCP, inside, 4000, server, 443)
		require.Equal(t, nat.NoSession, m.Out(tcp(t, f, wire.RST), 0))
		require.Equal(t, nat.NoSession, m.Out(tcp(t, f, wire.SYN|wire.ACK), 0))
		require.Equal(t, nat.IdleReset, m.Out(tcp(t, f, wire.FIN|wire.ACK), 0))
	})
	t.Run("UDP and ICMP begin anew", func(t *testing.T) {
		for _, f := range []wire.Flow{
			flow(wire.ProtoUDP, inside, 4000, server, 53), flow(wire.ProtoICMP, inside, 77, server, 0),
		} {
			m := masquerade(t, nat.Config{})
			p := of(t, f, 0)
			require.Equal(t, nat.Translated, m.Out(p, 0))
			out := p.Flow
			require.Equal(t, nat.NoSession, m.Back(of(t, out.Reverse(), 0), 350*second))
			p = of(t, f, 0)
			require.Equal(t, nat.Translated, m.Out(p, 350*second))
			require.NotEqual(t, out, p.Flow)
		}
	})
}

func TestFragments(t *testing.T) {
	f := flow(wire.ProtoUDP, inside, 4000, server, 53)
	t.Run("C117 UDP fragments pass, in both directions", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		first := fragment(t, f, 9, 0)
		require.Equal(t, nat.Translated, m.Out(first, 0))
		out := first.Flow
		require.NotZero(t, out.SrcPort)
		for _, offset := range []int{64, 1480} {
			p := fragment(t, f, 9, offset)
			require.Equal(t, nat.Translated, m.Out(p, 29*second))
			require.Equal(t, flow(wire.ProtoUDP, gateway, 0, server, 0), p.Flow)
		}
		require.Equal(t, nat.FragmentBeforeFirst, m.Out(fragment(t, f, 9, 64), 30*second), "too late")

		back := fragment(t, out.Reverse(), 10, 0)
		require.Equal(t, nat.FragmentBeforeFirst, m.Back(fragment(t, out.Reverse(), 10, 64), second), "overtook its first")
		require.Equal(t, nat.Translated, m.Back(back, second))
		require.Equal(t, f.Reverse(), back.Flow)
		later := fragment(t, out.Reverse(), 10, 64)
		require.Equal(t, nat.Translated, m.Back(later, second))
		require.Equal(t, flow(wire.ProtoUDP, server, 0, inside, 0), later.Flow)
	})
	t.Run("C117 TCP and ICMP fragments are dropped", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		for _, proto := range []wire.Proto{wire.ProtoTCP, wire.ProtoICMP} {
			f := flow(proto, inside, 4000, server, 0)
			require.Equal(t, nat.FragmentNotSupported, m.Out(fragment(t, f, 1, 0), 0))
			require.Equal(t, nat.FragmentNotSupported, m.Out(fragment(t, f, 1, 64), 0))
			require.Equal(t, nat.FragmentNotSupported, m.Back(fragment(t, f.Reverse(), 1, 64), 0))
		}
		require.Equal(t, uint64(6), m.Counters(0).PacketsDropCount)
		require.Zero(t, m.Sessions().Len())
	})
	t.Run("of very many datagrams the oldest are forgotten", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		for id := range 5000 {
			require.Equal(t, nat.Translated, m.Out(fragment(t, f, uint16(id), 0), time.Duration(id)))
		}
		require.Equal(t, nat.FragmentBeforeFirst, m.Out(fragment(t, f, 903, 64), 5000))
		require.Equal(t, nat.Translated, m.Out(fragment(t, f, 904, 64), 5000))
	})
}

func TestOtherProtocolsHaveNoPorts(t *testing.T) {
	m := masquerade(t, nat.Config{})
	for _, proto := range []wire.Proto{47, 50} {
		f := flow(proto, inside, 0, server, 0)
		require.Equal(t, nat.ProtocolNotSupported, m.Out(of(t, f, 0), 0), "C122 GRE and ESP")
		require.Equal(t, nat.ProtocolNotSupported, m.Back(of(t, f.Reverse(), 0), 0))
	}
	require.Equal(t, "protocol not supported", nat.ProtocolNotSupported.String())
}

func TestPortsPerDestination(t *testing.T) {
	client := func(i int) wire.Flow {
		return flow(wire.ProtoUDP, wire.AddrFromV4(10<<24|uint32(i>>14)), uint16(1024+i&0x3fff), server, 53)
	}
	t.Run("C118 55,000 for each address, exactly; the next is refused and counted", func(t *testing.T) {
		second := wire.MustParseAddr("10.0.1.6")
		m := masquerade(t, nat.Config{Addrs: []wire.Addr{gateway, second}})
		seen := map[wire.Flow]bool{}
		for i := range 110_000 {
			p := udp(t, client(i))
			require.Equal(t, nat.Translated, m.Out(p, time.Duration(i)), "flow %d", i)
			require.False(t, seen[p.Flow], "%v is given twice", p.Flow)
			seen[p.Flow] = true
		}
		for i := range 3 {
			require.Equal(t, nat.NoPort, m.Out(udp(t, client(110_000+i)), 110_000))
		}
		require.Equal(t, uint64(3), m.Counters(110_000).ErrorPortAllocation)
		other := client(110_000)
		other.DstPort = 54
		require.Equal(t, nat.Translated, m.Out(udp(t, other), 110_000), "another port is another destination")

		require.Equal(t, nat.Translated, m.Out(udp(t, client(7)), 350*time.Second), "the others are idle since")
		for i := range 54_999*2 + 1 {
			f := client(200_000 + i)
			require.Equal(t, nat.Translated, m.Out(udp(t, f), 350*time.Second+110_000), "flow %d", i)
		}
		require.Equal(t, nat.NoPort, m.Out(udp(t, client(110_000)), 351*time.Second))
	})
	t.Run("a bound of few, and a range of few, are exact too", func(t *testing.T) {
		for _, bound := range []int{1, 2, 7, 100} {
			m := masquerade(t, nat.Config{FirstPort: 2000, LastPort: 2099, FlowsPerDestination: bound})
			for round := range 3 {
				now := time.Duration(round) * 350 * time.Second
				for i := range bound {
					require.Equal(t, nat.Translated, m.Out(udp(t, client(round*1000+i)), now), "%d of %d", i, bound)
				}
				require.Equal(t, nat.NoPort, m.Out(udp(t, client(5000)), now), "bound %d round %d", bound, round)
				require.Equal(t, nat.NoPort, m.Out(udp(t, client(5000)), now+350*time.Second-1), "bound %d round %d", bound, round)
			}
		}
	})
}
