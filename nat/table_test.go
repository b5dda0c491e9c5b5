package nat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// linux opens a session as MASQUERADE does and returns it.
func linux(t *testing.T, table *nat.Table, f wire.Flow, r nat.SourceRange, now time.Duration) (nat.ID, wire.Flow) {
	to, ok := table.PickSource(f, r, now)
	require.True(t, ok, "%v", f)
	id := table.Create(f, to, wire.SYN, now)
	require.NotZero(t, id, "%v as %v", f, to)
	return id, to
}

func TestLinuxKeepsTheSourcePortWhereItIsFree(t *testing.T) {
	masq := nat.SourceRange{First: gateway}
	second := wire.MustParseAddr("10.0.0.12")
	for _, c := range []struct {
		port      uint16
		low, high uint16
	}{{40000, 1024, 65535}, {1024, 1024, 65535}, {700, 600, 1023}, {1023, 600, 1023}, {512, 600, 1023}, {511, 1, 511}, {500, 1, 511}} {
		for _, proto := range []wire.Proto{wire.ProtoTCP, wire.ProtoUDP} {
			table := nat.NewTable(nat.TableConfig{})
			_, first := linux(t, table, flow(proto, inside, c.port, server, 80), masq, 0)
			require.Equal(t, flow(proto, gateway, c.port, server, 80), first, "C125 the first keeps its port")
			_, other := linux(t, table, flow(proto, second, c.port, server, 80), masq, 0)
			require.Equal(t, gateway, other.Src)
			require.NotEqual(t, c.port, other.SrcPort)
			require.True(t, other.SrcPort >= c.low && other.SrcPort <= c.high, "C125 %d became %d", c.port, other.SrcPort)
			_, elsewhere := linux(t, table, flow(proto, second, c.port, router, 80), masq, 0)
			require.Equal(t, c.port, elsewhere.SrcPort, "uniqueness is of the whole tuple")
		}
	}
}

func TestLinuxStaysInTheOriginalPortsRange(t *testing.T) {
	for _, c := range []struct{ port, low, high uint16 }{{700, 600, 1023}, {80, 1, 511}, {30000, 1024, 65535}} {
		table := nat.NewTable(nat.TableConfig{})
		for i := range uint32(200) {
			f := flow(wire.ProtoUDP, wire.AddrFromV4(10<<24|i), c.port, server, 53)
			_, to := linux(t, table, f, nat.SourceRange{First: gateway}, 0)
			require.True(t, to.SrcPort >= c.low && to.SrcPort <= c.high, "C125 %d became %d", c.port, to.SrcPort)
		}
	}
}

func TestLinuxKeepsTheIdentifierOfAPing(t *testing.T) {
	masq := nat.SourceRange{First: gateway}
	table := nat.NewTable(nat.TableConfig{})
	a, b := flow(wire.ProtoICMP, inside, 31391, server, 0), flow(wire.ProtoICMP, router, 31391, server, 0)
	ida, outA := linux(t, table, a, masq, 0)
	idb, outB := linux(t, table, b, masq, 0)
	require.Equal(t, uint16(31391), outA.SrcPort, "C126 the first keeps it")
	require.NotEqual(t, uint16(31391), outB.SrcPort, "C126 the second gets another")
	for _, x := range []struct {
		id       nat.ID
		out, was wire.Flow
	}{{ida, outA, a}, {idb, outB, b}} {
		reply := echo(t, x.out.Reverse())
		id, d := table.Find(reply.Flow, second)
		require.Equal(t, x.id, id)
		require.Equal(t, nat.Reply, d)
		table.Translate(reply, id, d)
		again(t, reply)
		require.Equal(t, x.was.Reverse(), reply.Flow, "C126 both get their replies")
	}
}

func TestLinuxPicksFromTheRangeItIsGiven(t *testing.T) {
	r := nat.SourceRange{First: gateway, FirstPort: 5000, LastPort: 5009}
	table := nat.NewTable(nat.TableConfig{})
	seen := map[uint16]bool{}
	for i := range 10 {
		_, to := linux(t, table, flow(wire.ProtoUDP, inside, uint16(5004+i), server, 53), r, 0)
		require.True(t, to.SrcPort >= 5000 && to.SrcPort <= 5009)
		if i <= 5 && !seen[uint16(5004+i)] {
			require.Equal(t, uint16(5004+i), to.SrcPort, "in the range and free: kept")
		}
		seen[to.SrcPort] = true
	}
	require.Len(t, seen, 10)
	_, ok := table.PickSource(flow(wire.ProtoUDP, inside, 1, server, 53), r, 0)
	require.False(t, ok)
	_, ok = table.PickSource(flow(wire.ProtoUDP, inside, 1, server, 53), r, 30*second)
	require.True(t, ok, "the others have expired")

	t.Run("protocols without ports have one session to a destination", func(t *testing.T) {
		gre := flow(47, inside, 0, server, 0)
		linux(t, table, gre, nat.SourceRange{First: gateway}, 0)
		gre.Src = router
		_, ok := table.PickSource(gre, nat.SourceRange{First: gateway}, 0)
		require.False(t, ok)
	})
	t.Run("of a range of addresses a source keeps one toward a destination", func(t *testing.T) {
		r := nat.SourceRange{First: wire.MustParseAddr("10.9.0.1"), Last: wire.MustParseAddr("10.9.0.4")}
		used := map[wire.Addr]int{}
		for i := range uint32(400) {
			f := flow(wire.ProtoUDP, wire.AddrFromV4(10<<24|i), 4000, server, 53)
			_, to := linux(t, table, f, r, 0)
			used[to.Src]++
			f.SrcPort++
			_, too := linux(t, table, f, r, 0)
			require.Equal(t, to.Src, too.Src)
			p := r
			p.Persistent = true
			here, _ := table.PickSource(f, p, 0)
			f.Dst = router
			there, _ := table.PickSource(f, p, 0)
			require.Equal(t, here.Src, there.Src)
		}
		require.Len(t, used, 4)
		for _, n := range used {
			require.Greater(t, n, 50)
		}
	})
}

// A session that changes both ends, as DNAT and then MASQUERADE do.
func TestErrorsAreTranslatedInBothHeadersAndDirections(t *testing.T) {
	addr := wire.MustParseAddr
	for _, c := range []struct{ client, front, nat, server, hop wire.Addr }{
		{inside, addr("10.0.0.1"), gateway, server, router},
		{addr("fd00::11"), addr("fd00::1"), addr("2001:db8::5"), addr("2001:db8:1::7"), addr("2001:db8:2::1")},
	} {
		for _, proto := range []wire.Proto{wire.ProtoTCP, wire.ProtoUDP, wire.ProtoICMP} {
			f := flow(proto, c.client, 4000, c.front, 80)
			if proto == wire.ProtoICMP {
				f.DstPort = 0
				if !c.client.Is4() {
					f.Proto = wire.ProtoICMPv6
				}
			}
			g := f
			g.Src, g.Dst, g.SrcPort = c.nat, c.server, 5000
			if f.DstPort != 0 {
				g.DstPort = 8080
			}
			table := nat.NewTable(nat.TableConfig{})
			id := table.Create(f, g, wire.SYN, 0)
			p := of(t, f, wire.SYN)
			table.Translate(p, id, nat.Original)
			again(t, p)
			require.Equal(t, g, p.Flow)

			for _, from := range []wire.Addr{c.server, c.hop} {
				e := unreachable(t, from, p)
				found, d := table.FindError(e, 0)
				require.Equal(t, id, found)
				require.Equal(t, nat.Reply, d)
				table.Translate(e, found, d)
				again(t, e)
				in, _ := e.Inner()
				require.Equal(t, f, in.Flow)
				require.Equal(t, c.client, e.Flow.Dst)
				require.Equal(t, c.front, e.Flow.Src, "whoever sent it: the outside is not to be seen from inside")
				var quoted wire.Packet
				require.NoError(t, quoted.Read(wire.ICMP(e.Transport()).Payload()))
				require.NoError(t, quoted.VerifyChecksum(), "the quoted packet is as the client sent it")
			}

			back := of(t, g.Reverse(), wire.SYN|wire.ACK)
			table.Translate(back, id, nat.Reply)
			require.Equal(t, f.Reverse(), back.Flow)
			e := unreachable(t, c.client, back)
			found, d := table.FindError(e, 0)
			require.Equal(t, id, found)
			require.Equal(t, nat.Original, d)
			table.TranslateDst(e, found, d)
			require.Equal(t, c.server, e.Flow.Dst)
			require.Equal(t, c.client, e.Flow.Src)
			table.TranslateSrc(e, found, d)
			again(t, e)
			in, _ := e.Inner()
			require.Equal(t, g.Reverse(), in.Flow)
			require.Equal(t, c.nat, e.Flow.Src)
		}
	}
}

// Of a session that changes a port and no address a router on the way is hidden too, as
// behind Linux; where that side is not changed it is seen.
func TestAnErrorAboutATranslatedPortComesFromItsEnd(t *testing.T) {
	table := nat.NewTable(nat.TableConfig{})
	f := flow(wire.ProtoUDP, inside, 4000, server, 80)
	g := f
	g.DstPort = 8080
	id := table.Create(f, g, 0, 0)
	for _, c := range []struct {
		about wire.Flow
		d     nat.Direction
		want  wire.Flow
		from  wire.Addr
	}{
		{g, nat.Reply, f, server},
		{f.Reverse(), nat.Original, g.Reverse(), router},
	} {
		e := unreachable(t, router, udp(t, c.about))
		found, d := table.FindError(e, 0)
		require.Equal(t, id, found)
		require.Equal(t, c.d, d)
		table.Translate(e, id, d)
		again(t, e)
		in, _ := e.Inner()
		require.Equal(t, c.want, in.Flow)
		require.Equal(t, c.from, e.Flow.Src)
	}
}

func TestAnErrorAboutNothingIsNoOnes(t *testing.T) {
	table := nat.NewTable(nat.TableConfig{})
	f := flow(wire.ProtoUDP, inside, 4000, server, 53)
	g := flow(wire.ProtoUDP, gateway, 5000, server, 53)
	require.NotZero(t, table.Create(f, g, 0, 0))
	for name, e := range map[string]*wire.Packet{
		"another port":         unreachable(t, router, udp(t, flow(0, gateway, 5001, server, 53))),
		"a later fragment":     unreachable(t, router, fragment(t, g, 1, 64)),
		"the inside flow":      unreachable(t, router, udp(t, flow(0, inside, 4000, router, 53))),
		"for somebody else":    misdirected(t, udp(t, g)),
		"no error but an echo": echo(t, flow(wire.ProtoICMP, router, 5000, gateway, 0)),
	} {
		id, _ := table.FindError(e, 0)
		require.Zero(t, id, name)
	}
	id, d := table.FindError(unreachable(t, router, udp(t, g)), 0)
	require.NotZero(t, id)
	require.Equal(t, nat.Reply, d)
	id, _ = table.FindError(unreachable(t, router, udp(t, g)), 30*second)
	require.Zero(t, id, "expired")
}

// misdirected is an error that is not sent to the source of the packet it quotes.
func misdirected(t *testing.T, p *wire.Packet) *wire.Packet {
	e := unreachable(t, router, p)
	e.SetDst(wire.MustParseAddr("10.0.1.99"), 0)
	return e
}

func TestWhatMayOpenASession(t *testing.T) {
	loose, strict := nat.NewTable(nat.TableConfig{}), nat.NewTable(nat.TableConfig{Strict: true})
	segment := func(flags wire.TCPFlags) *wire.Packet {
		return tcp(t, flow(wire.ProtoTCP, inside, 1, server, 2), flags)
	}
	for _, c := range []struct {
		name          string
		p             *wire.Packet
		loose, strict bool
	}{
		{"SYN", segment(wire.SYN), true, true},
		{"ACK in the middle", segment(wire.ACK | wire.PSH), true, false},
		{"SYN and ACK", segment(wire.SYN | wire.ACK), false, false},
		{"FIN", segment(wire.FIN | wire.ACK), false, false},
		{"RST", segment(wire.RST), false, false},
		{"no flag", segment(0), false, false},
		{"UDP", udp(t, flow(0, inside, 1, server, 2)), true, true},
		{"a later fragment", fragment(t, flow(wire.ProtoUDP, inside, 1, server, 2), 1, 64), false, false},
		{"echo", echo(t, flow(wire.ProtoICMP, inside, 1, server, 0)), true, true},
		{"echo reply", echo(t, flow(wire.ProtoICMP, inside, 0, server, 1)), false, false},
		{"ICMP error", unreachable(t, router, udp(t, flow(0, inside, 1, server, 2))), false, false},
		{"GRE", of(t, flow(47, inside, 0, server, 0), 0), true, true},
	} {
		require.Equal(t, c.loose, loose.Opens(c.p), c.name)
		require.Equal(t, c.strict, strict.Opens(c.p), c.name)
	}
}

func TestAFullTableRefuses(t *testing.T) {
	table := nat.NewTable(nat.TableConfig{Max: 3})
	f := flow(wire.ProtoUDP, inside, 0, server, 53)
	for i := range 3 {
		f.SrcPort = uint16(i)
		require.NotZero(t, table.Create(f, f, 0, time.Duration(i)))
	}
	f.SrcPort = 3
	require.Zero(t, table.Create(f, f, 0, 30*second-1))
	require.NotZero(t, table.Create(f, f, 0, 30*second), "the first has expired")
	f.SrcPort = 4
	require.Zero(t, table.Create(f, f, 0, 30*second))
}

func TestStatesHaveLinuxsNames(t *testing.T) {
	require.Equal(t, "SYN_SENT", nat.SynSent.String())
	require.Equal(t, "SYN_RECV", nat.SynReceived.String())
	require.Equal(t, "ESTABLISHED", nat.Established.String())
	require.Equal(t, "LAST_ACK", nat.LastAck.String())
	require.Equal(t, "unknown", nat.State(200).String())
	require.Equal(t, nat.Reply, nat.Original.Reverse())
	require.Equal(t, nat.Original, nat.Reply.Reverse())
}
