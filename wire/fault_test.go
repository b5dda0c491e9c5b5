package wire

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// with returns a copy of b, changed, with the checksum of an IPv4 header right again.
func with(b []byte, change func(b []byte)) []byte {
	b = append([]byte(nil), b...)
	change(b)
	if n := 20; len(b) >= n && b[0]>>4 == 4 {
		n = min(max(int(b[0]&15)*4, 20), len(b))
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], slowSum(b[:n]))
	}
	return b
}

func put16(at int, v uint16) func([]byte) {
	return func(b []byte) { binary.BigEndian.PutUint16(b[at:], v) }
}

func put(at int, v byte) func([]byte) { return func(b []byte) { b[at] = v } }

// packet4 and packet6 return a packet of a protocol, a fragment where more or offset say so.
func packet4(p Proto, more bool, offset, n int) []byte {
	return AppendIP(nil, Header{Src: host4, Dst: peer4, TTL: 9, Proto: p, MF: more, Offset: offset}, make([]byte, n))
}

func packet6(p Proto, more bool, offset, n int) []byte {
	return AppendIP(nil, Header{Src: host6, Dst: peer6, TTL: 9, Proto: p, MF: more, Offset: offset}, make([]byte, n))
}

var packetFaults = []struct {
	name  string
	b     []byte
	fault Fault
}{
	{"nothing", nil, ShortHeader},
	{"version 0", []byte{0x05}, NoIPVersion},
	{"version 5", with(udp4Bytes, put(0, 0x55)), NoIPVersion},
	{"IPv4 of 19 bytes", udp4Bytes[:19], ShortHeader},
	{"IPv6 of 39 bytes", tcp6Bytes[:39], ShortHeader},
	{"IHL 4", with(udp4Bytes, put(0, 0x44)), BadHeaderLength},
	{"IHL beyond the bytes", with(udp4Bytes, put(0, 0x48)), BadHeaderLength},
	{"total length below the header's", with(udp4Bytes, put16(2, 19)), BadTotalLength},
	{"total length beyond the bytes", with(udp4Bytes, put16(2, 31)), BadTotalLength},
	{"IPv6 payload beyond the bytes", with(tcp6Bytes, put16(4, 25)), BadTotalLength},
	{"IPv4 header checksum", append(append([]byte(nil), udp4Bytes[:19]...), append([]byte{56}, udp4Bytes[20:]...)...), BadHeaderChecksum},
	{"IPv4 fragment that ends at byte 65,536", packet4(47, false, 65512, 4), BadFragment},
	{"IPv4 fragment that ends at byte 65,535", packet4(47, false, 65512, 3), NoFault},
	{"IPv6 fragment that ends at byte 65,536", packet6(47, false, 65528, 8), BadFragment},
	{"IPv6 fragment that ends at byte 65,535", packet6(47, false, 65528, 7), NoFault},
	{"IPv4 fragment of 12 bytes with more to come", packet4(47, true, 0, 12), BadFragment},
	{"IPv6 fragment of 12 bytes with more to come", packet6(47, true, 0, 12), BadFragment},
	{"last fragment of 12 bytes", packet6(47, false, 8, 12), NoFault},
	{"first fragment with 16 bytes of TCP", packet4(ProtoTCP, true, 0, 16), TinyFragment},
	{"first fragment with 16 bytes of TCP over IPv6", packet6(ProtoTCP, true, 0, 16), TinyFragment},
	{"first fragment with half of TCP's options", with(packet4(ProtoTCP, true, 0, 24), put(20+12, 0x70)), TinyFragment},
	{"first fragment with a TCP header of 4 words", with(packet4(ProtoTCP, true, 0, 24), put(20+12, 0x40)), BadDataOffset},
	{"first fragment without a UDP header", packet4(ProtoUDP, true, 0, 0), TinyFragment},
	{"first fragment whose UDP length is the datagram's", with(packet4(ProtoUDP, true, 0, 8), put16(24, 900)), NoFault},
	{"first fragment whose UDP length is 7", with(packet4(ProtoUDP, true, 0, 8), put16(24, 7)), BadUDPLength},
	{"first fragment without an ICMPv6 header", packet6(ProtoICMPv6, true, 0, 0), TinyFragment},
	{"IPv6 without its extension header", with(packet6(extHopByHop, false, 0, 0), put(6, 0)), BadExtension},
	{"IPv6 with half of an extension header", with(packet6(extDestination, false, 0, 8), put(41, 1)), BadExtension},
	{"jumbogram", packet6(extHopByHop, false, 0, 0), BadExtension},
	{"two fragment headers", with(packet6(extFragment, true, 0, 16), put(48, byte(ProtoUDP))), BadExtension},
	{"IPv4-mapped source", with(tcp6Bytes, func(b []byte) { copy(b[8:], append(make([]byte, 10), 0xff, 0xff)) }), MappedAddress},
	{"IPv4-mapped destination", with(tcp6Bytes, func(b []byte) { copy(b[24:], append(make([]byte, 10), 0xff, 0xff)) }), MappedAddress},
	{"TCP of 19 bytes", packet4(ProtoTCP, false, 0, 19), ShortTransport},
	{"UDP of 7 bytes", packet6(ProtoUDP, false, 0, 7), ShortTransport},
	{"ICMP of 7 bytes", packet4(ProtoICMP, false, 0, 7), ShortTransport},
	{"TCP header of 4 words", with(tcp6Bytes, put(52, 0x40)), BadDataOffset},
	{"TCP header beyond the segment", with(tcp6Bytes, put(52, 0x70)), BadDataOffset},
	{"UDP length 7", with(udp4Bytes, put16(24, 7)), BadUDPLength},
	{"UDP length beyond the packet", with(udp4Bytes, put16(24, 11)), BadUDPLength},
	{"no next header, and none needed", packet6(extNone, false, 0, 0), NoFault},
	{"IPv4 without a payload", packet4(47, false, 0, 0), NoFault},
}

func TestBytesThatAreNoPacketGetTheirReason(t *testing.T) {
	seen := map[Fault]bool{}
	for _, c := range packetFaults {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			err := p.Read(c.b)
			if c.fault == NoFault {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.fault, err)
			require.Equal(t, Packet{}, p)
		})
		seen[c.fault] = true
	}
	elsewhere := map[Fault]bool{ShortFrame: true, BadARP: true, BadChecksum: true, BadDiscovery: true, BadGeneve: true, BadGRE: true}
	for f := range Fault(len(faultText)) {
		require.True(t, seen[f] != elsewhere[f], f)
	}
}

func TestFramesAndARPPacketsGetTheirReason(t *testing.T) {
	require.Equal(t, ShortFrame, Ethernet(make([]byte, 13)).Check())
	require.NoError(t, Ethernet(make([]byte, 14)).Check())
	require.Equal(t, BadARP, ARP(arpBytes[:27]).Check())
	for at := range 6 {
		require.Equal(t, BadARP, ARP(with(arpBytes, put(at, 0x77))).Check(), "byte %d", at)
	}
}

func TestEveryFaultSaysWhatIsWrong(t *testing.T) {
	said := map[string]bool{}
	for f := range Fault(len(faultText)) {
		require.NotEmpty(t, f.Error())
		require.False(t, said[f.Error()], f)
		said[f.Error()] = true
	}
	require.Equal(t, "unknown fault", Fault(255).Error())
	require.Equal(t, "UDP length is below 8 bytes or beyond the packet", BadUDPLength.Error())
}
