package nat_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

const second = time.Second

var (
	inside  = wire.MustParseAddr("10.0.0.11")
	gateway = wire.MustParseAddr("10.0.1.5")
	server  = wire.MustParseAddr("198.51.100.7")
	router  = wire.MustParseAddr("192.0.2.1")
)

// packet returns bytes, put between others, as a Packet whose checksum is right.
func packet(t testing.TB, b []byte) *wire.Packet {
	t.Helper()
	framed := make([]byte, 0, len(b)+64)
	for range 16 {
		framed = append(framed, 0xa5)
	}
	framed = append(framed, b...)
	for range 16 {
		framed = append(framed, 0xa5)
	}
	p := &wire.Packet{}
	require.NoError(t, p.Read(framed[16:]))
	require.NoError(t, p.VerifyChecksum())
	return p
}

// again reads p's bytes anew and requires that its facts and checksums are those of
// the bytes.
func again(t testing.TB, p *wire.Packet) {
	t.Helper()
	var q wire.Packet
	require.NoError(t, q.Read(p.Bytes()), "%v", p.Flow)
	require.Equal(t, q.Flow, p.Flow)
	require.NoError(t, q.VerifyChecksum(), "%v", p.Flow)
}

func header(f wire.Flow) wire.Header { return wire.Header{Src: f.Src, Dst: f.Dst, TTL: 64} }

func flow(proto wire.Proto, src wire.Addr, sport uint16, dst wire.Addr, dport uint16) wire.Flow {
	return wire.Flow{Src: src, Dst: dst, SrcPort: sport, DstPort: dport, Proto: proto}
}

// udp, tcp and echo are packets of a flow; the flow of an echo reply has its
// identifier as DstPort.
func udp(t testing.TB, f wire.Flow) *wire.Packet {
	f.Proto = wire.ProtoUDP
	return packet(t, wire.AppendUDP(nil, header(f), f.SrcPort, f.DstPort, []byte("payload")))
}

func tcp(t testing.TB, f wire.Flow, flags wire.TCPFlags) *wire.Packet {
	s := wire.Segment{SrcPort: f.SrcPort, DstPort: f.DstPort, Seq: 1, Ack: 2, Flags: flags, Window: 100}
	return packet(t, wire.AppendTCP(nil, header(f), s, nil))
}

func echo(t testing.TB, f wire.Flow) *wire.Packet {
	typ, id := wire.ICMPEcho, f.SrcPort
	if f.SrcPort == 0 {
		typ, id = wire.ICMPEchoReply, f.DstPort
	}
	if !f.Src.Is4() {
		typ += wire.ICMPv6Echo - wire.ICMPEcho
		if f.SrcPort == 0 {
			typ = wire.ICMPv6EchoReply
		}
	}
	return packet(t, wire.AppendICMP(nil, header(f), typ, 0, uint32(id)<<16|1, []byte("abcdefgh")))
}

// of returns a packet of a flow, TCP with the given flags.
func of(t testing.TB, f wire.Flow, flags wire.TCPFlags) *wire.Packet {
	switch f.Proto {
	case wire.ProtoTCP:
		return tcp(t, f, flags)
	case wire.ProtoUDP:
		return udp(t, f)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		return echo(t, f)
	}
	h := header(f)
	h.Proto = f.Proto
	return packet(t, wire.AppendIP(nil, h, make([]byte, 24)))
}

// unreachable is the ICMP error about p that from sends to p's source.
func unreachable(t testing.TB, from wire.Addr, p *wire.Packet) *wire.Packet {
	h := wire.Header{Src: from, Dst: p.Flow.Src, TTL: 64}
	typ, code := wire.ICMPUnreachable, wire.PortUnreachable
	if !from.Is4() {
		typ, code = wire.ICMPv6Unreachable, wire.V6PortUnreachable
	}
	return packet(t, wire.AppendICMP(nil, h, typ, code, 0, p.Bytes()))
}

// fragment is a part of a UDP datagram: the first one with its ports, or a later one.
func fragment(t testing.TB, f wire.Flow, id uint16, offset int) *wire.Packet {
	h := header(f)
	h.ID, h.Proto, h.Offset, h.MF = id, f.Proto, offset, offset == 0
	payload := make([]byte, 64)
	if offset == 0 {
		var whole wire.Packet
		require.NoError(t, whole.Read(of(t, f, wire.SYN).Bytes()))
		copy(payload, whole.Transport())
	}
	p := &wire.Packet{}
	require.NoError(t, p.Read(wire.AppendIP(nil, h, payload)))
	return p
}

func masquerade(t testing.TB, c nat.Config) *nat.Masquerade {
	if c.Addrs == nil {
		c.Addrs = []wire.Addr{gateway}
	}
	m, err := nat.NewMasquerade(c)
	require.NoError(t, err)
	return m
}
