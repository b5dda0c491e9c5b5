package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// dirty returns an empty slice over bytes that are not zero, so that a builder that
// leaves a byte unwritten shows.
func dirty() []byte { return bytesOf(0xa5, 2048)[:0] }

var (
	macA  = MAC{0x02, 0, 0, 0, 0, 0x0a}
	macB  = MAC{0x02, 0, 0, 0, 0, 0x0b}
	host4 = MustParseAddr("10.0.0.11")
	peer4 = MustParseAddr("10.0.1.55")
	host6 = MustParseAddr("2600::11")
	peer6 = MustParseAddr("2600::55")
)

// arpBytes: 10.0.0.11 asks for 10.0.1.55.
var arpBytes = []byte{
	0x00, 0x01, 0x08, 0x00, 0x06, 0x04, // Ethernet, IPv4, 6, 4
	0x00, 0x01, // request
	0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 10, 0, 0, 11,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 10, 0, 1, 55,
}

func TestARPIsBuiltAndRead(t *testing.T) {
	require.Equal(t, arpBytes, AppendARP(dirty(), ARPRequest, macA, host4, MAC{}, peer4))
	a := ARP(arpBytes)
	require.NoError(t, a.Check())
	require.Equal(t, ARPRequest, a.Op())
	require.Equal(t, macA, a.SenderMAC())
	require.Equal(t, host4, a.Sender())
	require.Equal(t, MAC{}, a.TargetMAC())
	require.Equal(t, peer4, a.Target())
	probe := ARP(AppendARP(dirty(), ARPRequest, macA, Addr{}, MAC{}, peer4))
	require.Equal(t, MustParseAddr("0.0.0.0"), probe.Sender())
	require.PanicsWithValue(t, "wire: ARP between 2600::11 and 10.0.1.55, which are not IPv4", func() {
		AppendARP(nil, ARPRequest, macA, host6, MAC{}, peer4)
	})
}

func TestEthernetIsBuiltAndRead(t *testing.T) {
	want := []byte{0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a, 0x86, 0xdd, 0xa5}
	b := bytesOf(0xa5, 15)
	PutEthernet(b, macB, macA, EtherTypeIPv6)
	require.Equal(t, want, b)
	e := Ethernet(want)
	require.NoError(t, e.Check())
	require.Equal(t, macB, e.Dst())
	require.Equal(t, macA, e.Src())
	require.Equal(t, EtherTypeIPv6, e.Type())
	require.Equal(t, []byte{0xa5}, e.Payload())
	require.Equal(t, "02:00:00:00:00:0a", macA.String())
	require.True(t, Broadcast.IsGroup())
	require.False(t, macA.IsGroup())
}

// udp4Bytes carries "hi" with DSCP EF, ECT(0) and DF.
var udp4Bytes = []byte{
	0x45, 0xba, 0x00, 0x1e, // version 4, header 20, TOS, 30 bytes
	0xbe, 0xef, 0x40, 0x00, // identification, DF
	0x40, 0x11, 0x65, 0xe4, // TTL 64, UDP, checksum
	10, 0, 0, 11,
	10, 0, 1, 55,
	0x0f, 0xa0, 0x00, 0x35, // 4000 to 53
	0x00, 0x0a, 0x72, 0x5a, // 10 bytes, checksum
	'h', 'i',
}

func TestUDPOverIPv4IsBuiltAndRead(t *testing.T) {
	h := Header{Src: host4, Dst: peer4, TTL: 64, TOS: 0xba, ID: 0xbeef, DF: true}
	require.Equal(t, udp4Bytes, AppendUDP(dirty(), h, 4000, 53, []byte("hi")))
	v := IPv4(udp4Bytes)
	require.NoError(t, v.Check())
	require.Equal(t, IPv4Len, v.HeaderLen())
	require.Equal(t, uint8(0xba), v.TOS())
	require.Equal(t, 30, v.TotalLen())
	require.Equal(t, uint16(0xbeef), v.ID())
	require.True(t, v.DontFragment())
	require.False(t, v.MoreFragments())
	require.Zero(t, v.FragmentOffset())
	require.Equal(t, uint8(64), v.TTL())
	require.Equal(t, ProtoUDP, v.Proto())
	require.Equal(t, uint16(0x65e4), v.Checksum())
	require.Equal(t, host4, v.Src())
	require.Equal(t, peer4, v.Dst())
	require.Empty(t, v.Options())
	u := UDP(v.Payload())
	require.NoError(t, u.Check())
	require.Equal(t, uint16(4000), u.SrcPort())
	require.Equal(t, uint16(53), u.DstPort())
	require.Equal(t, 10, u.Len())
	require.Equal(t, uint16(0x725a), u.Checksum())
	require.Equal(t, "hi", string(u.Payload()))
}

// tcp6Bytes is a SYN with an MSS of 1460 and traffic class 0xb8.
var tcp6Bytes = []byte{
	0x6b, 0x80, 0x00, 0x00, 0x00, 0x18, 0x06, 0x40, // 24 bytes of TCP, hop limit 64
	0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
	0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x55,
	0x9c, 0x40, 0x00, 0x50, // 40000 to 80
	0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x05, // sequence, acknowledgment
	0x60, 0x02, 0xf5, 0x07, // 24 bytes of header, SYN, window
	0xb6, 0x1d, 0x00, 0x00, // checksum, urgent
	0x02, 0x04, 0x05, 0xb4, // MSS
}

func TestTCPOverIPv6IsBuiltAndRead(t *testing.T) {
	h := Header{Src: host6, Dst: peer6, TTL: 64, TOS: 0xb8}
	s := Segment{SrcPort: 40000, DstPort: 80, Seq: 0x01020304, Ack: 5, Flags: SYN, Window: 0xf507, Options: []byte{2, 4, 5, 0xb4}}
	require.Equal(t, tcp6Bytes, AppendTCP(dirty(), h, s, nil))
	v := IPv6(tcp6Bytes)
	require.NoError(t, v.Check())
	require.Equal(t, uint8(0xb8), v.TrafficClass())
	require.Zero(t, v.FlowLabel())
	require.Equal(t, 24, v.PayloadLen())
	require.Equal(t, ProtoTCP, v.NextHeader())
	require.Equal(t, uint8(64), v.HopLimit())
	require.Equal(t, host6, v.Src())
	require.Equal(t, peer6, v.Dst())
	c := TCP(v.Payload())
	require.NoError(t, c.Check())
	require.Equal(t, uint16(40000), c.SrcPort())
	require.Equal(t, uint16(80), c.DstPort())
	require.Equal(t, uint32(0x01020304), c.Seq())
	require.Equal(t, uint32(5), c.Ack())
	require.Equal(t, 24, c.HeaderLen())
	require.Equal(t, SYN, c.Flags())
	require.Equal(t, uint16(0xf507), c.Window())
	require.Equal(t, uint16(0xb61d), c.Checksum())
	require.Equal(t, []byte{2, 4, 5, 0xb4}, c.Options())
	require.Empty(t, c.Payload())
	for _, bad := range [][]byte{make([]byte, 3), make([]byte, 44)} {
		s.Options = bad
		require.PanicsWithValue(t, "wire: TCP options are not padded to 4 bytes or over 40", func() { AppendTCP(nil, h, s, nil) })
	}
}

// fragment6Bytes is the last fragment of a datagram of 24 bytes of protocol 47.
var fragment6Bytes = []byte{
	0x60, 0x00, 0x00, 0x00, 0x00, 0x10, 0x2c, 0x07, // 16 bytes behind, fragment header, hop limit 7
	0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
	0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x55,
	0x2f, 0x00, 0x00, 0x10, 0x00, 0x00, 0xbe, 0xef, // 47, offset 16, last
	1, 2, 3, 4, 5, 6, 7, 8,
}

func TestAFragmentOfIPv6IsBuiltAndRead(t *testing.T) {
	h := Header{Src: host6, Dst: peer6, TTL: 7, Proto: 47, Offset: 16, ID: 0xbeef}
	require.Equal(t, fragment6Bytes, AppendIP(dirty(), h, []byte{1, 2, 3, 4, 5, 6, 7, 8}))
	var p Packet
	require.NoError(t, p.Read(fragment6Bytes))
	require.Equal(t, LaterFragment, p.Fragment)
	require.Equal(t, 16, p.FragmentOffset())
	require.False(t, p.MoreFragments())
	require.True(t, p.DontFragment())
	require.Nil(t, p.Transport())
	key, ok := p.FragmentKey()
	require.True(t, ok)
	require.Equal(t, FragmentKey{Src: host6, Dst: peer6, ID: 0xbeef}, key)
}

func TestAPacketThatCanNotBeIsNotBuilt(t *testing.T) {
	h4, h6 := Header{Src: host4, Dst: peer4, TTL: 1}, Header{Src: host6, Dst: peer6, TTL: 1}
	long := make([]byte, 65536)
	require.Len(t, AppendIP(nil, h4, long[:65515]), 65535)
	require.Len(t, AppendIP(nil, h6, long[:65535]), 65575)
	const over = "wire: IP packet over 65,535 bytes"
	require.PanicsWithValue(t, over, func() { AppendIP(nil, h4, long[:65516]) })
	require.PanicsWithValue(t, over, func() { AppendIP(nil, h6, long) })
	h6.MF = true
	require.PanicsWithValue(t, over, func() { AppendIP(nil, h6, long[:65528]) })
	h4.Dst = peer6
	require.PanicsWithValue(t, "wire: 10.0.0.11 and 2600::55 are of different address families", func() { AppendIP(nil, h4, nil) })
	for offset, text := range map[int]string{4: "4", -8: "-8", 65536: "65536"} {
		h6.Offset = offset
		want := "wire: fragment offset " + text + " is no multiple of 8 from 0 to 65,528"
		require.PanicsWithValue(t, want, func() { AppendIP(nil, h6, nil) })
	}
}

func TestTheLongestPacketsAreReadAndRewritten(t *testing.T) {
	for _, h := range []Header{{Src: host4, Dst: peer4, TTL: 9}, {Src: host6, Dst: peer6, TTL: 9}} {
		n := 65535 - UDPLen
		if h.Src.Is4() {
			n -= IPv4Len
		}
		payload := newGen(6).bytes(n)
		b := AppendUDP(nil, h, 1, 2, payload)
		var p Packet
		require.NoError(t, p.Read(b))
		require.NoError(t, p.VerifyChecksum())
		p.SetSrc(h.Dst, 7)
		h.Src = h.Dst
		require.Equal(t, AppendUDP(nil, h, 7, 2, payload), b)
	}
}

// Eight headers of the longest kind stand ahead of a UDP header at byte 16,424.
func TestTheLongestExtensionsAreWalked(t *testing.T) {
	d := datagram{src: host6, dst: peer6, ttl: 9, payload: transport{proto: ProtoUDP, srcPort: 5, data: []byte("x")}}
	for range MaxExtensions {
		d.ext = append(d.ext, append([]byte{byte(extDestination), 0, 255}, make([]byte, 2046)...))
	}
	b := d.bytes()
	var p Packet
	require.NoError(t, p.Read(b))
	require.Equal(t, d.flow(), p.Flow)
	p.SetSrc(peer6, 6)
	d.setSrc(peer6, 6)
	require.Equal(t, d.bytes(), b)
	d.ext = append(d.ext, d.ext[0])
	require.Equal(t, BadExtension, p.Read(d.bytes()))
}

func TestBytesBehindAPacketAreLeftOff(t *testing.T) {
	for _, b := range [][]byte{udp4Bytes, tcp6Bytes, fragment6Bytes} {
		var p Packet
		require.NoError(t, p.Read(append(append([]byte(nil), b...), bytesOf(0xa5, 18)...)))
		require.Equal(t, b, p.Bytes())
		require.Equal(t, len(b), cap(p.Bytes()), "an append would write behind the packet")
		require.Equal(t, len(b), p.Len())
	}
}

// RFC 768: what is behind the datagram's own length is not summed.
func TestUDPsOwnLengthEndsItsChecksum(t *testing.T) {
	for _, v4 := range []bool{true, false} {
		g := newGen(7)
		d := datagram{src: g.addr(v4), dst: g.addr(v4), ttl: 3, payload: transport{proto: ProtoUDP, data: []byte("own"), trailer: []byte{9, 9, 9}}}
		b := d.bytes()
		var p Packet
		require.NoError(t, p.Read(b))
		require.NoError(t, p.VerifyChecksum())
		require.Equal(t, "own", string(UDP(p.Transport()).Payload()))
		b[len(b)-1] = 0
		require.NoError(t, p.VerifyChecksum())
		a := g.addr(v4)
		p.SetSrc(a, 77)
		d.setSrc(a, 77)
		d.payload.trailer = []byte{9, 9, 0}
		require.Equal(t, d.bytes(), b)
	}
}

// RFC 791 section 3.2: the protocol is part of the key, whatever is read of it.
func TestTheFragmentsOfAnIPv4DatagramShareAKey(t *testing.T) {
	for _, proto := range []Proto{ProtoUDP, ProtoICMP, ProtoICMPv6, 47} {
		want := FragmentKey{Src: host4, Dst: peer4, ID: 0xbeef, Proto: proto}
		for _, h := range []Header{{MF: true}, {MF: true, Offset: 16}, {Offset: 32}} {
			h.Src, h.Dst, h.ID, h.Proto = host4, peer4, 0xbeef, proto
			var p Packet
			require.NoError(t, p.Read(AppendIP(nil, h, []byte{0, 0, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})))
			key, ok := p.FragmentKey()
			require.True(t, ok)
			require.Equal(t, want, key)
		}
	}
}

// RFC 6946.
func TestAnAtomicFragmentIsWhole(t *testing.T) {
	d := datagram{src: host6, dst: peer6, ttl: 9, id: 7, atomic: true, payload: transport{proto: ProtoUDP, srcPort: 5, data: []byte("x")}}
	var p Packet
	require.NoError(t, p.Read(d.bytes()))
	require.Equal(t, Whole, p.Fragment)
	require.Equal(t, d.flow(), p.Flow)
	require.NoError(t, p.VerifyChecksum())
	_, ok := p.FragmentKey()
	require.False(t, ok)
}

// The other family's ICMP has no meaning here: it is carried and not read.
func TestICMPOfTheOtherFamilyIsNotRead(t *testing.T) {
	for _, c := range []struct {
		src   Addr
		proto Proto
		typ   uint8
	}{{host4, ProtoICMPv6, ICMPv6Echo}, {host4, ProtoICMPv6, ICMPv6Unreachable}, {host6, ProtoICMP, ICMPEcho}, {host6, ProtoICMP, ICMPUnreachable}} {
		body := append([]byte{c.typ, 1, 0xa5, 0xa5, 0, 9, 0, 1}, udp4Bytes...)
		b := AppendIP(nil, Header{Src: c.src, Dst: c.src, TTL: 2, Proto: c.proto}, body)
		var p Packet
		require.NoError(t, p.Read(b))
		require.Equal(t, Flow{Src: c.src, Dst: c.src, Proto: c.proto}, p.Flow)
		require.False(t, p.HasPorts() || p.IsRequest() || p.IsError())
		require.Zero(t, p.Type)
		require.NoError(t, p.VerifyChecksum(), "can't be verified")
		to := Addr{c.src.hi, c.src.lo + 1}
		p.SetSrc(to, 5)
		require.Equal(t, AppendIP(nil, Header{Src: to, Dst: c.src, TTL: 2, Proto: c.proto}, body), p.Bytes())
	}
}

func TestAFailedReadLeavesTheZeroPacket(t *testing.T) {
	var p Packet
	require.NoError(t, p.Read(udp4Bytes))
	require.Equal(t, TinyFragment, p.Read(AppendIP(nil, Header{Src: host4, Dst: peer4, MF: true, Proto: ProtoTCP}, make([]byte, 8))))
	require.Equal(t, Packet{}, p)
}

func TestTheMTUOfAnErrorIsReadByItsFamily(t *testing.T) {
	// RFC 4884's length stands in the upper half of an ICMPv4 unreachable.
	require.Equal(t, uint32(1500), ICMP{ICMPUnreachable, FragNeeded, 0, 0, 0, 32, 0x05, 0xdc}.MTU())
	require.Equal(t, uint32(0x10000), ICMP{ICMPv6TooBig, 0, 0, 0, 0, 1, 0, 0}.MTU())
}

func TestFlagsAndFlowsReadAsTheyArePrinted(t *testing.T) {
	require.Equal(t, "[S.]", (SYN | ACK).String())
	require.Equal(t, "[FSRP.UEW]", TCPFlags(0xff).String())
	require.Equal(t, "[none]", TCPFlags(0).String())
	f := Flow{Src: host6, Dst: peer6, SrcPort: 1, DstPort: 2, Proto: ProtoTCP}
	require.Equal(t, "[2600::11]:1 > [2600::55]:2 tcp", f.String())
	require.Equal(t, "[2600::55]:2 > [2600::11]:1 tcp", f.Reverse().String())
	require.Equal(t, "10.0.0.11 > 10.0.1.55 icmp", Flow{Src: host4, Dst: peer4, SrcPort: 7, Proto: ProtoICMP}.String())
	require.Equal(t, "invalid IP > invalid IP 0", Flow{}.String())
}
