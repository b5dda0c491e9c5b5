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

			refusal := unreachable(t, c.f.Src, r)
			require.Equal(t, nat.Translated, m.Out(refusal, second))
			again(t, refusal)
			require.Equal(t, c.gateway, refusal.Flow.Src)
			quoted, ok := refusal.Inner()
			require.True(t, ok)
			require.Equal(t, out.Reverse(), quoted.Flow)
			require.Equal(t, nat.NoSession, m.Back(unreachable(t, c.f.Src, r), second), "not from this side")

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
	t.Run("segments that fit no state renew it all the same", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		p := tcp(t, flow(wire.ProtoTCP, inside, 4000, server, 443), wire.SYN)
		require.Equal(t, nat.Translated, m.Out(p, 0))
		for i := range time.Duration(5) {
			require.Equal(t, nat.Translated, m.Back(tcp(t, p.Flow.Reverse(), wire.ACK), i*349*second))
		}
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
	t.Run("an identification that is used again counts from its last use", func(t *testing.T) {
		m := masquerade(t, nat.Config{})
		for _, at := range []time.Duration{0, 20} {
			require.Equal(t, nat.Translated, m.Out(fragment(t, f, 9, 0), at*second))
		}
		require.Equal(t, nat.Translated, m.Out(fragment(t, f, 10, 0), 31*second))
		require.Equal(t, nat.Translated, m.Out(fragment(t, f, 9, 64), 49*second))
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
	t.Run("a pool that was full and never refused is free again after 350 s", func(t *testing.T) {
		for bound := 1; bound < 12; bound++ {
			m := masquerade(t, nat.Config{FlowsPerDestination: bound})
			for i := range 2 * bound {
				now := time.Duration(i/bound) * 350 * time.Second
				require.Equal(t, nat.Translated, m.Out(udp(t, client(i)), now), "%d of %d", i, bound)
			}
		}
	})
}

func TestAnAddressThatIsTakenAwayDrains(t *testing.T) {
	other := wire.MustParseAddr("10.0.1.6")
	m := masquerade(t, nat.Config{Addrs: []wire.Addr{gateway, other}})
	flows := map[wire.Addr][]wire.Flow{}
	for i := range 100 {
		p := udp(t, flow(0, inside, uint16(i), server, 53))
		require.Equal(t, nat.Translated, m.Out(p, 0))
		flows[p.Flow.Src] = append(flows[p.Flow.Src], p.Flow)
	}
	require.Greater(t, len(flows[gateway]), 20)
	require.Greater(t, len(flows[other]), 20)

	require.NoError(t, m.Configure(nat.Config{Addrs: []wire.Addr{gateway}}))
	for _, f := range flows[other] {
		require.Equal(t, nat.Translated, m.Back(udp(t, f.Reverse()), second))
	}
	p := udp(t, flow(0, inside, 1000, server, 53))
	require.Equal(t, nat.Translated, m.Out(p, second))
	require.Equal(t, gateway, p.Flow.Src)

	m.Release(other, 2*second)
	for a, list := range flows {
		for _, f := range list {
			want := nat.Translated
			if a == other {
				want = nat.NoSession
			}
			require.Equal(t, want, m.Back(udp(t, f.Reverse()), 2*second))
		}
	}
	require.Equal(t, uint64(0), m.Counters(2*second).IdleTimeoutCount)
}

func TestAChangedRangeHoldsForSessionsToCome(t *testing.T) {
	m := masquerade(t, nat.Config{FirstPort: 1000, LastPort: 1099})
	open := func(i int) nat.Verdict { return m.Out(udp(t, flow(0, inside, uint16(i), server, 53)), 0) }
	for i := range 100 {
		require.Equal(t, nat.Translated, open(i))
	}
	require.Equal(t, nat.NoPort, open(100))
	require.NoError(t, m.Configure(nat.Config{Addrs: []wire.Addr{gateway}, FirstPort: 1050, LastPort: 1149}))
	for i := range 50 {
		require.Equal(t, nat.Translated, open(100+i), "%d", i)
	}
	require.Equal(t, nat.NoPort, open(150))
	require.Equal(t, nat.Translated, open(7), "those that are stay")
}

func TestAMasqueradeRefusesWhatIsNoConfiguration(t *testing.T) {
	nine := make([]wire.Addr, 9)
	for i := range nine {
		nine[i] = wire.AddrFromV4(uint32(i + 1))
	}
	one := []wire.Addr{gateway}
	for _, c := range []struct {
		c    nat.Config
		want string
	}{
		{nat.Config{}, "masquerade: 0 outside addresses, want 1 to 8"},
		{nat.Config{Addrs: nine}, "masquerade: 9 outside addresses, want 1 to 8"},
		{nat.Config{Addrs: []wire.Addr{gateway, {}}}, "masquerade: outside address 1 is none"},
		{nat.Config{Addrs: []wire.Addr{gateway, gateway}}, "masquerade: outside address 10.0.1.5 is there twice"},
		{nat.Config{Addrs: one, FirstPort: 9, LastPort: 8}, "masquerade: ports 9 to 8 are no range of ports"},
		{nat.Config{Addrs: one, LastPort: 8}, "masquerade: ports 0 to 8 are no range of ports"},
		{nat.Config{Addrs: one, Idle: -1}, "masquerade: 0 flows a destination, idle -1ns: want no negative numbers"},
	} {
		_, err := nat.NewMasquerade(c.c)
		require.EqualError(t, err, c.want)
	}
	m := masquerade(t, nat.Config{})
	require.Error(t, m.Configure(nat.Config{}))
	require.Equal(t, nat.Translated, m.Out(udp(t, flow(0, inside, 1, server, 53)), 0), "nothing has changed")
}

func TestConnectionsAreCountedByTheirStates(t *testing.T) {
	m := masquerade(t, nat.Config{})
	f := flow(wire.ProtoTCP, inside, 4000, server, 443)
	var out wire.Flow
	var now time.Duration
	open := func(at time.Duration) {
		now = at
		p := tcp(t, f, wire.SYN)
		require.Equal(t, nat.Translated, m.Out(p, now))
		out = p.Flow
	}
	forth := func(flags wire.TCPFlags) { require.Equal(t, nat.Translated, m.Out(tcp(t, f, flags), now)) }
	back := func(flags wire.TCPFlags) {
		require.Equal(t, nat.Translated, m.Back(tcp(t, out.Reverse(), flags), now))
	}
	open(second)
	forth(wire.SYN) // repeated: the same attempt
	back(wire.SYN | wire.ACK)
	forth(wire.ACK)
	forth(wire.FIN | wire.ACK)
	back(wire.ACK)
	require.Equal(t, uint64(1), m.Counters(second).ActiveConnectionCount, "half closed")
	back(wire.FIN | wire.ACK)
	forth(wire.ACK)
	c := m.Counters(second)
	require.Equal(t, uint64(0), c.ActiveConnectionCount)
	require.Equal(t, uint64(1), c.ConnectionAttemptCount)
	require.Equal(t, uint64(1), c.ConnectionEstablishedCount)

	open(2 * second) // the same port anew
	back(wire.SYN | wire.ACK)
	forth(wire.ACK)
	back(wire.RST)
	c = m.Counters(2 * second)
	require.Equal(t, uint64(0), c.ActiveConnectionCount)
	require.Equal(t, uint64(2), c.ConnectionAttemptCount)
	require.Equal(t, uint64(2), c.ConnectionEstablishedCount)

	open(3 * second) // refused at once
	back(wire.RST | wire.ACK)
	require.Equal(t, uint64(0), m.Counters(3*second).ActiveConnectionCount)
	open(3 * second)
	require.Equal(t, uint64(1), m.Counters(3*second).ActiveConnectionCount)
	c = m.Counters(400 * second)
	require.Equal(t, uint64(0), c.ActiveConnectionCount)
	require.Equal(t, uint64(1), c.IdleTimeoutCount, "closed ones are not idle ones")
	require.Equal(t, uint64(0), c.PacketsDropCount)
	require.Equal(t, c.PacketsInFromSource, c.PacketsOutToDestination)
	require.Equal(t, c.BytesInFromDestination, c.BytesOutToSource)
	require.Equal(t, uint64(40)*c.PacketsInFromSource, c.BytesInFromSource)
}

func TestTheSameSeedMakesTheSameChoices(t *testing.T) {
	ports := func(seed uint64) (all []uint16) {
		m := masquerade(t, nat.Config{Seed: seed})
		for i := range 50 {
			p := udp(t, flow(0, inside, uint16(i), server, 53))
			require.Equal(t, nat.Translated, m.Out(p, 0))
			all = append(all, p.Flow.SrcPort)
		}
		return all
	}
	require.Equal(t, ports(1), ports(1))
	require.NotEqual(t, ports(1), ports(2))
}
