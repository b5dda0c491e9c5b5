package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// settle lets a second pass.
func (n *line) settle() { n.engine.Clock.Run(n.engine.Now() + time.Second) }

func isProbe(p *wire.Packet) bool { return p.Flow.Proto == wire.ProtoUDP }
func isError(p *wire.Packet) bool { return p.IsError() }

func TestTracerouteOfS002(t *testing.T) {
	n := newLine(t)
	n.a.Ping(addrB, PingConfig{})
	r := n.a.Traceroute(addrB, TracerouteConfig{})
	probes, answers := n.right.packets(isProbe), n.right.packets(isError)

	t.Run("C001 the hops are the router and the destination", func(t *testing.T) {
		require.True(t, r.Reached)
		require.Len(t, r.Hops, 2)
		require.Equal(t, "10.0.0.1", r.Hops[0].Probes[0].Addr.String())
		require.Equal(t, addrB, r.Hops[1].Probes[2].Addr)
	})
	t.Run("C002 the destination sees 16 probes, to ports 33437 to 33452", func(t *testing.T) {
		var ports []uint16
		for _, p := range probes {
			ports = append(ports, p.Flow.DstPort)
		}
		require.Equal(t, []uint16{
			33437, 33438, 33439, 33440, 33441, 33442, 33443, 33444,
			33445, 33446, 33447, 33448, 33449, 33450, 33451, 33452,
		}, ports)
	})
	t.Run("C003 every probe has a port of its own", func(t *testing.T) {
		seen := map[uint16]bool{}
		for _, p := range probes {
			seen[p.Flow.SrcPort] = true
		}
		require.Len(t, seen, 16)
	})
	t.Run("C004 probes are 60 bytes, errors 68 bytes of ICMP", func(t *testing.T) {
		for _, p := range probes {
			require.Equal(t, 60, p.Len())
			require.False(t, wire.IPv4(p.Bytes()).DontFragment())
		}
		for _, p := range answers {
			require.Len(t, p.Transport(), 68)
			require.Equal(t, wire.PortUnreachable, p.Code)
			require.Equal(t, uint8(0xc0), wire.IPv4(p.Bytes()).TOS())
		}
	})
	t.Run("C005 the destination emits exactly 6 port unreachables", func(t *testing.T) {
		require.Len(t, answers, 6)
	})
	t.Run("C127 the first hop is the ingress address, which answers ping too", func(t *testing.T) {
		require.Equal(t, 1, n.a.Ping(netip.MustParseAddr("10.0.0.1"), PingConfig{}).Received)
	})
}

func TestErrorsToOneDestinationAreSixAndThenOneASecond(t *testing.T) {
	n := newLine(t)
	c, err := n.a.ListenUDP(at(addrA, 4000))
	require.NoError(t, err)
	burst := func(count int) int {
		before := len(c.Errors())
		for range count {
			_, err := c.Send(at(addrB, 9), []byte("x"))
			require.NoError(t, err)
		}
		n.engine.Clock.Run(n.engine.Now() + 10*time.Millisecond)
		return len(c.Errors()) - before
	}
	require.Equal(t, 6, burst(13))
	require.Equal(t, 0, burst(5))
	n.engine.Clock.Run(n.engine.Now() + time.Second)
	require.Equal(t, 1, burst(5))
	n.engine.Clock.Run(n.engine.Now() + 2*time.Second)
	require.Equal(t, 2, burst(5))
	n.engine.Clock.Run(n.engine.Now() + time.Hour)
	require.Equal(t, 6, burst(13))

	require.NoError(t, n.b.Sysctl("net.ipv4.icmp_ratemask", "0"))
	require.Equal(t, 13, burst(13))
}

func TestErrorsQuoteUpTo576BytesAndComeFromTheAddressAsked(t *testing.T) {
	n := newLine(t)
	require.NoError(t, n.b.NIC("eth0").AddAddr(netip.MustParsePrefix("10.0.1.56/24")))
	c, err := n.a.ListenUDP(at(netip.Addr{}, 0))
	require.NoError(t, err)
	second := netip.MustParseAddr("10.0.1.56")
	c.Send(at(second, 9), make([]byte, 2000))
	n.settle()
	require.Len(t, c.Errors(), 1)
	e := c.Errors()[0]
	require.Equal(t, second, e.From)
	require.Equal(t, "Destination Port Unreachable", e.String())
	require.Equal(t, 576, n.right.packets(isError)[0].Len())
	require.Equal(t, addrA, e.Flow.Src.Netip())
}

func TestErrorsAreNotSentAboutWhatRFC1122Excludes(t *testing.T) {
	n := newLine(t)
	a, b := wire.AddrFrom(addrA), wire.AddrFrom(addrB)
	quoted := wire.AppendUDP(nil, wire.Header{Src: b, Dst: a, TTL: 9}, 1, 2, nil)
	for name, ip := range map[string][]byte{
		"an ICMP error":    wire.AppendICMP(nil, wire.Header{Src: a, Dst: b, TTL: 1}, wire.ICMPUnreachable, 3, 0, quoted),
		"a redirect":       wire.AppendICMP(nil, wire.Header{Src: a, Dst: b, TTL: 1}, wire.ICMPRedirect, 1, 0, quoted),
		"a later fragment": wire.AppendIP(nil, wire.Header{Src: a, Dst: b, TTL: 1, Offset: 8, Proto: wire.ProtoUDP}, make([]byte, 16)),
		"a multicast":      wire.AppendUDP(nil, wire.Header{Src: a, Dst: wire.MustParseAddr("224.0.0.9"), TTL: 9}, 1, 2, nil),
	} {
		before := len(n.left.packets(isError))
		_, err := n.a.SendIP(ip)
		require.NoError(t, err)
		n.settle()
		after := n.left.packets(func(p *wire.Packet) bool { return p.IsError() && p.Flow.Dst == a })
		require.LessOrEqual(t, len(after), before, name)
	}
}

func TestPacketsForTheGuestEndForAReason(t *testing.T) {
	n := newLine(t)
	a, b := wire.AddrFrom(addrA), wire.AddrFrom(addrB)
	_, err := n.b.ListenUDP(at(netip.Addr{}, 53))
	require.NoError(t, err)
	nic := n.b.NIC("eth0")
	head := wire.Header{Src: a, Dst: b, TTL: 9}
	bad := wire.AppendUDP(nil, head, 1, 53, []byte("x"))
	bad[len(bad)-1] ^= 1
	first := wire.AppendUDP(nil, head, 1, 53, make([]byte, 64))[wire.IPv4Len:][:24]
	for _, c := range []struct {
		name string
		ip   []byte
		want trace.Reason
	}{
		{"a datagram for a socket", wire.AppendUDP(nil, head, 1, 53, nil), trace.Delivered},
		{"a datagram for nobody", wire.AppendUDP(nil, head, 1, 54, nil), trace.NoListener},
		{"a wrong checksum", bad, trace.BadChecksum},
		{"a segment for nobody", wire.AppendTCP(nil, head, wire.Segment{SrcPort: 1, DstPort: 2, Flags: wire.SYN}, nil), trace.NoListener},
		{"a protocol that nobody speaks", wire.AppendIP(nil, wire.Header{Src: a, Dst: b, TTL: 9, Proto: 132}, []byte("sctp")), trace.NoListener},
		{"an echo request", wire.AppendICMP(nil, head, wire.ICMPEcho, 0, 1, nil), trace.Delivered},
		{"an echo reply to nothing", wire.AppendICMP(nil, head, wire.ICMPEchoReply, 0, 1, nil), trace.NoListener},
		{"a first fragment", wire.AppendIP(nil, wire.Header{Src: a, Dst: b, TTL: 9, MF: true, Proto: wire.ProtoUDP}, first), trace.Reassembling},
		{"a packet for another", wire.AppendUDP(nil, wire.Header{Src: a, Dst: wire.MustParseAddr("10.0.9.9"), TTL: 9}, 1, 53, nil), trace.NotForwarding},
		{"a source of its own", wire.AppendUDP(nil, wire.Header{Src: b, Dst: b, TTL: 9}, 1, 53, nil), trace.ReversePath},
		{"a loopback source", wire.AppendUDP(nil, wire.Header{Src: wire.MustParseAddr("127.0.0.1"), Dst: b, TTL: 9}, 1, 53, nil), trace.ReversePath},
		{"a cut packet", bad[:19], trace.Malformed},
	} {
		frame := append(make([]byte, wire.EthernetLen), c.ip...)
		wire.PutEthernet(frame, nic.MAC(), wire.MAC{2, 9, 9, 9, 9, 9}, wire.EtherTypeIPv4)
		require.Equal(t, c.want, nic.Frame(frame), c.name)
	}
	other := make([]byte, 60)
	wire.PutEthernet(other, wire.MAC{2, 8, 8, 8, 8, 8}, wire.MAC{2, 9, 9, 9, 9, 9}, wire.EtherTypeIPv4)
	require.Equal(t, trace.UnknownMAC, nic.Frame(other))
	wire.PutEthernet(other, nic.MAC(), wire.MAC{2, 9, 9, 9, 9, 9}, 0x88cc)
	require.Equal(t, trace.UnknownEtherType, nic.Frame(other))
	require.Equal(t, trace.Malformed, nic.Frame(other[:13]))
}

func TestAnIncompleteDatagramIsGivenUpAfter30Seconds(t *testing.T) {
	n := newLine(t)
	c, err := n.a.ListenUDP(at(addrA, 4000))
	require.NoError(t, err)
	whole := wire.AppendUDP(nil, wire.Header{Src: wire.AddrFrom(addrA), Dst: wire.AddrFrom(addrB), TTL: 9}, 4000, 53, make([]byte, 64))
	_, err = n.a.SendIP(wire.AppendIP(nil, wire.Header{
		Src: wire.AddrFrom(addrA), Dst: wire.AddrFrom(addrB), TTL: 9, MF: true, Proto: wire.ProtoUDP,
	}, whole[wire.IPv4Len:wire.IPv4Len+16]))
	require.NoError(t, err)
	n.engine.Clock.Run(29 * time.Second)
	require.Empty(t, c.Errors())
	n.engine.Clock.Run(31 * time.Second)
	require.Len(t, c.Errors(), 1)
	require.Equal(t, "Frag reassembly time exceeded", c.Errors()[0].String())
}

// FuzzFrame throws bytes at a guest that has something to answer with: nothing
// panics, and what it sends is sound.
func FuzzFrame(f *testing.F) {
	n := newLine(f)
	n.a.Ping(addrB, PingConfig{Count: 1})
	n.a.Ping(addrB6, PingConfig{Count: 1})
	echoServer(f, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(f, err)
	c.Write([]byte("seed"))
	n.a.Traceroute(addrB, TracerouteConfig{Method: TCPProbes})
	for _, l := range []*lan{n.left, n.right} {
		for _, frame := range l.frames {
			f.Add(frame)
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		n := newLine(t)
		n.engine.Log = nil
		echoServer(t, n.router, 7)
		_, err := n.router.ListenUDP(at(netip.Addr{}, 53))
		require.NoError(t, err)
		c, err := n.router.Dial(at(addrA, 9))
		require.ErrorIs(t, err, ErrRefused)
		require.Nil(t, c)
		nic := n.router.NIC("eth0")
		b := append([]byte(nil), frame...)
		if len(b) >= wire.EthernetLen {
			mac := nic.MAC()
			copy(b, mac[:])
		}
		require.NotEqual(t, trace.None, nic.Frame(b))
		n.engine.Clock.Run(n.engine.Now() + time.Minute)
		for _, l := range []*lan{n.left, n.right} {
			for _, sent := range l.frames {
				var p wire.Packet
				if e := wire.Ethernet(sent); e.Type() != wire.EtherTypeARP {
					require.NoError(t, p.Read(e.Payload()))
				}
			}
		}
	})
}
