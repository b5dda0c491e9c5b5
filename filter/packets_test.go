package filter_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

// spec is a packet in words. end returns the bytes' facts.
type spec struct {
	src, dst     string
	proto        wire.Proto
	sport, dport uint16 // or, of ICMP, the identifier in sport
	flags        wire.TCPFlags
	typ, code    uint8
	part         wire.Fragment
	quotes       []byte
}

// read builds the packet into a buffer full of 0xa5 and reads it.
func (s spec) read(t testing.TB) *wire.Packet {
	t.Helper()
	b := s.append(bytes.Repeat([]byte{0xa5}, 2048)[:0])
	p := new(wire.Packet)
	require.NoError(t, p.Read(b))
	return p
}

func (s spec) append(b []byte) []byte {
	h := wire.Header{Src: wire.MustParseAddr(s.src), Dst: wire.MustParseAddr(s.dst), TTL: 64, Proto: s.proto}
	payload := []byte("four") // with 20 or 8 bytes of header a multiple of 8 after the padding below
	if s.proto != wire.ProtoTCP {
		payload = []byte("eight by")
	}
	switch s.part {
	case wire.LaterFragment:
		h.Offset = 1480
		return wire.AppendIP(b, h, payload)
	case wire.FirstFragment:
		h.MF = true
	}
	switch s.proto {
	case wire.ProtoTCP:
		return wire.AppendTCP(b, h, wire.Segment{SrcPort: s.sport, DstPort: s.dport, Flags: s.flags}, payload)
	case wire.ProtoUDP:
		return wire.AppendUDP(b, h, s.sport, s.dport, payload)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if s.quotes != nil {
			return wire.AppendICMP(b, h, s.typ, s.code, 0, s.quotes)
		}
		return wire.AppendICMP(b, h, s.typ, s.code, uint32(s.sport)<<16|1, payload)
	}
	return wire.AppendIP(b, h, payload)
}

func tcp(src string, sport uint16, dst string, dport uint16, f wire.TCPFlags) spec {
	return spec{src: src, sport: sport, dst: dst, dport: dport, flags: f, proto: wire.ProtoTCP}
}

func udp(src string, sport uint16, dst string, dport uint16) spec {
	return spec{src: src, sport: sport, dst: dst, dport: dport, proto: wire.ProtoUDP}
}

func echo(src, dst string, id uint16) spec {
	return spec{src: src, dst: dst, sport: id, proto: wire.ProtoICMP, typ: wire.ICMPEcho}
}

func echoReply(src, dst string, id uint16) spec {
	return spec{src: src, dst: dst, sport: id, proto: wire.ProtoICMP, typ: wire.ICMPEchoReply}
}

// unreachable is the ICMP error of code 3 (IPv4: port) from src about q.
func unreachable(t testing.TB, src string, q spec) spec {
	return spec{src: src, dst: q.src, proto: wire.ProtoICMP, typ: 3, code: 3, quotes: q.read(t).Bytes()}
}

// part returns s as a fragment.
func part(s spec, f wire.Fragment) spec {
	s.part = f
	return s
}

// back returns the packet that answers s with the given TCP flags.
func back(s spec, f wire.TCPFlags) spec {
	s.src, s.dst, s.sport, s.dport, s.flags = s.dst, s.src, s.dport, s.sport, f
	return s
}

// The random packets come from few addresses and ports, so that they meet.
var (
	addrs4 = []string{"10.0.0.1", "10.0.0.2", "10.0.1.1", "203.0.113.9", "172.16.5.5"}
	addrs6 = []string{"2001:db8::1", "2001:db8::2", "2001:db8:1::1", "fd00::9", "2001:db8:ffff::5"}
	ports  = []uint16{22, 53, 80, 1024, 40000, 65535}
)

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// randomSpec returns a packet of any protocol, whole or a fragment.
func randomSpec(rng *rand.Rand) spec {
	addrs, icmp := addrs4, wire.ProtoICMP
	types := []uint8{0, 8, 8, 0, 5, 13, 14}
	if rng.IntN(2) == 0 {
		addrs, icmp = addrs6, wire.ProtoICMPv6
		types = []uint8{128, 129, 128, 129, 133, 137}
	}
	s := spec{
		src: pick(rng, addrs...), dst: pick(rng, addrs...),
		proto: pick(rng, wire.ProtoTCP, wire.ProtoUDP, icmp, wire.ProtoTCP, wire.ProtoUDP, icmp, 47, 50),
		sport: pick(rng, ports...), dport: pick(rng, ports...),
		flags: pick(rng, wire.SYN, wire.SYN|wire.ACK, wire.ACK, wire.ACK, wire.ACK|wire.PSH, wire.FIN|wire.ACK, wire.RST, wire.RST|wire.ACK),
		part:  pick(rng, wire.Whole, wire.Whole, wire.Whole, wire.Whole, wire.FirstFragment, wire.LaterFragment),
	}
	if s.proto == icmp {
		s.typ, s.code = pick(rng, types...), uint8(rng.IntN(3))
	}
	return s
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) wire.Addr { return wire.MustParseAddr(s) }
