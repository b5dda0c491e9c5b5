package wire

import "encoding/binary"

// Lengths of the fixed IP headers, in bytes.
const (
	IPv4Len = 20
	IPv6Len = 40
)

// maxLength is the most that an IP header's length field can say (RFC 791, RFC 8200).
// Jumbograms (RFC 2675) are not read: their payload length of 0 leaves no room for
// the option that tells the true one.
const maxLength = 65535

// MaxExtensions is how many IPv6 extension headers a packet may have here.
const MaxExtensions = 8

// IPv4 is a view of a packet from its first header byte (RFC 791):
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	|Version|  IHL  |Type of Service|          Total Length         |
//	|         Identification        |Flags|      Fragment Offset    |
//	|  Time to Live |    Protocol   |         Header Checksum       |
//	|                       Source Address                          |
//	|                    Destination Address                        |
//	|                    Options                    |    Padding    |
type IPv4 []byte

// Check says whether the bytes hold an IPv4 header whose lengths fit and whose
// checksum is right. Bytes behind the total length (Ethernet padding) are no fault.
func (h IPv4) Check() error { return h.check().err() }

func (h IPv4) check() Fault {
	if len(h) < IPv4Len {
		return ShortHeader
	}
	if h[0]>>4 != 4 {
		return NoIPVersion
	}
	n := h.HeaderLen()
	if n < IPv4Len || n > len(h) {
		return BadHeaderLength
	}
	if t := h.TotalLen(); t < n || t > len(h) {
		return BadTotalLength
	}
	if !h.sumsUp(n) {
		return BadHeaderChecksum
	}
	return NoFault
}

// sumsUp reports whether a header of n bytes sums to all ones, as it does with its
// right checksum, in either byte order and by words of any length (RFC 1071). Headers
// without options, nearly all, are summed without a loop; their sum is not 0.
func (h IPv4) sumsUp(n int) bool {
	if n != IPv4Len {
		return Checksum(h[:n]) == 0
	}
	le, h := binary.LittleEndian, h[:IPv4Len]
	s := uint64(le.Uint32(h)) + uint64(le.Uint32(h[4:])) + uint64(le.Uint32(h[8:])) +
		uint64(le.Uint32(h[12:])) + uint64(le.Uint32(h[16:]))
	return s%0xffff == 0
}

// HeaderLen returns the header's length with its options, in bytes.
func (h IPv4) HeaderLen() int { return int(h[0]&15) * 4 }

// TOS returns the type of service: six bits DSCP, two ECN (RFC 2474, RFC 3168).
func (h IPv4) TOS() uint8 { return h[1] }

// TotalLen returns the length of header and payload, in bytes.
func (h IPv4) TotalLen() int { return int(binary.BigEndian.Uint16(h[2:])) }

// ID returns the identification that the fragments of one datagram share.
func (h IPv4) ID() uint16 { return binary.BigEndian.Uint16(h[4:]) }

// DontFragment reports whether DF is set.
func (h IPv4) DontFragment() bool { return h[6]&0x40 != 0 }

// MoreFragments reports whether MF is set.
func (h IPv4) MoreFragments() bool { return h[6]&0x20 != 0 }

// FragmentOffset returns the place of this fragment in its datagram, in bytes.
func (h IPv4) FragmentOffset() int { return int(binary.BigEndian.Uint16(h[6:])&0x1fff) * 8 }

// isFragment reports whether MF is set or the offset is not 0.
func (h IPv4) isFragment() bool { return binary.BigEndian.Uint16(h[6:])&0x3fff != 0 }

// TTL returns the time to live, in hops.
func (h IPv4) TTL() uint8 { return h[8] }

// Proto returns the protocol of the payload.
func (h IPv4) Proto() Proto { return Proto(h[9]) }

// Checksum returns the header checksum as it stands.
func (h IPv4) Checksum() uint16 { return binary.BigEndian.Uint16(h[10:]) }

// Src returns the source address.
func (h IPv4) Src() Addr { return AddrFromV4(binary.BigEndian.Uint32(h[12:])) }

// Dst returns the destination address.
func (h IPv4) Dst() Addr { return AddrFromV4(binary.BigEndian.Uint32(h[16:])) }

// Options returns the options with their padding; it shares h's memory.
func (h IPv4) Options() []byte { return h[IPv4Len:h.HeaderLen():h.HeaderLen()] }

// Payload returns what follows the header, to the total length; it shares h's memory.
func (h IPv4) Payload() []byte { return h[h.HeaderLen():h.TotalLen()] }

// IPv6 is a view of a packet from its first header byte (RFC 8200 section 3).
type IPv6 []byte

// Check says whether the bytes hold an IPv6 header whose payload length fits and
// whose addresses are not IPv4-mapped. It does not walk extension headers: [Packet.Read] does.
func (h IPv6) Check() error { return h.check().err() }

func (h IPv6) check() Fault {
	if len(h) < IPv6Len {
		return ShortHeader
	}
	if h[0]>>4 != 6 {
		return NoIPVersion
	}
	if IPv6Len+h.PayloadLen() > len(h) {
		return BadTotalLength
	}
	if h.Src().Is4() || h.Dst().Is4() {
		return MappedAddress
	}
	return NoFault
}

// TrafficClass returns six bits DSCP and two ECN.
func (h IPv6) TrafficClass() uint8 { return h[0]<<4 | h[1]>>4 }

// FlowLabel returns the 20 bits of the flow label (RFC 6437).
func (h IPv6) FlowLabel() uint32 { return binary.BigEndian.Uint32(h) & 0xfffff }

// PayloadLen returns the length of what follows the 40 bytes, in bytes.
func (h IPv6) PayloadLen() int { return int(binary.BigEndian.Uint16(h[4:])) }

// NextHeader returns the protocol of the first header behind this one.
func (h IPv6) NextHeader() Proto { return Proto(h[6]) }

// HopLimit returns what IPv4 calls time to live.
func (h IPv6) HopLimit() uint8 { return h[7] }

// Src returns the source address.
func (h IPv6) Src() Addr { return AddrFrom16([16]byte(h[8:24])) }

// Dst returns the destination address.
func (h IPv6) Dst() Addr { return AddrFrom16([16]byte(h[24:40])) }

// Payload returns what follows the 40 bytes, to the payload length; it shares h's memory.
func (h IPv6) Payload() []byte { return h[IPv6Len : IPv6Len+h.PayloadLen()] }
