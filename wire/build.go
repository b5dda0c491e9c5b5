package wire

import (
	"encoding/binary"
	"strconv"
)

// Header is what a builder needs for an IP header; Src decides the family. The
// zero TTL is sent as it is. With MF or Offset an IPv6 packet gets a fragment header.
type Header struct {
	Src, Dst Addr
	TTL      uint8
	TOS      uint8  // or traffic class
	ID       uint16 // identification; with a fragment of IPv6, that of its fragment header
	DF       bool   // don't fragment (IPv4 only)
	MF       bool   // more fragments follow
	Offset   int    // of a fragment, in bytes, a multiple of 8
	Proto    Proto  // set by the builders of transports
}

// AppendIP appends an IP packet with the given payload to b. It panics where Src
// and Dst are of different families, where the length would not fit its field (65,535
// bytes, with IPv4 for header and payload, with IPv6 for what follows the 40 bytes)
// and where Offset is no multiple of 8 from 0 to 65,528. The other builders do as it does.
// Like every builder it allocates only where b has no room.
func AppendIP(b []byte, h Header, payload []byte) []byte {
	return append(appendHeader(b, h, len(payload)), payload...)
}

func appendHeader(b []byte, h Header, length int) []byte {
	if h.Src.Is4() != h.Dst.Is4() {
		panic("wire: " + h.Src.String() + " and " + h.Dst.String() + " are of different address families")
	}
	if h.Offset&^0xfff8 != 0 {
		panic("wire: fragment offset " + strconv.Itoa(h.Offset) + " is no multiple of 8 from 0 to 65,528")
	}
	if h.Src.Is4() {
		return appendHeader4(b, h, length)
	}
	return appendHeader6(b, h, length)
}

func appendHeader6(b []byte, h Header, length int) []byte {
	next, extra := h.Proto, 0
	if h.MF || h.Offset > 0 {
		next, extra = extFragment, fragmentLen
	}
	checkLength(length + extra)
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TOS)<<20)
	b = binary.BigEndian.AppendUint16(b, uint16(length+extra))
	b = append(b, byte(next), h.TTL)
	b = appendAddr(appendAddr(b, h.Src), h.Dst)
	if extra == 0 {
		return b
	}
	b = append(b, byte(h.Proto), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Offset)|bit(h.MF, 1))
	return binary.BigEndian.AppendUint32(b, uint32(h.ID))
}

// checkLength panics where n does not fit the length field of an IP header.
func checkLength(n int) {
	if n > maxLength {
		panic("wire: IP packet over 65,535 bytes")
	}
}

func appendHeader4(b []byte, h Header, length int) []byte {
	checkLength(IPv4Len + length)
	start := len(b)
	b = append(b, 0x45, h.TOS)
	b = binary.BigEndian.AppendUint16(b, uint16(IPv4Len+length))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, uint16(h.Offset/8)|bit(h.DF, 0x4000)|bit(h.MF, 0x2000))
	b = append(b, h.TTL, byte(h.Proto), 0, 0)
	b = binary.BigEndian.AppendUint32(b, h.Src.V4())
	b = binary.BigEndian.AppendUint32(b, h.Dst.V4())
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:]))
	return b
}

func bit(set bool, b uint16) uint16 {
	if set {
		return b
	}
	return 0
}

// AppendUDP appends a UDP datagram in its IP packet to b, checksum included. For a
// fragment use [AppendIP]: the checksum here is that of a whole datagram.
func AppendUDP(b []byte, h Header, src, dst uint16, payload []byte) []byte {
	h.Proto = ProtoUDP
	n := UDPLen + len(payload)
	b = appendHeader(b, h, n)
	l4 := len(b)
	b = binary.BigEndian.AppendUint16(b, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(append(b, 0, 0), payload...)
	c := transportChecksum(b[l4:], h)
	if c == 0 {
		c = 0xffff
	}
	binary.BigEndian.PutUint16(b[l4+6:], c)
	return b
}

// Segment is what [AppendTCP] needs for a TCP header.
type Segment struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            TCPFlags
	Window           uint16
	Options          []byte // padded to a multiple of 4 by the caller, 40 bytes at most
}

// AppendTCP appends a TCP segment in its IP packet to b, checksum included. It
// panics where the options are no multiple of 4 or over 40 bytes.
func AppendTCP(b []byte, h Header, s Segment, payload []byte) []byte {
	if len(s.Options)%4 != 0 || len(s.Options) > 40 {
		panic("wire: TCP options are not padded to 4 bytes or over 40")
	}
	h.Proto = ProtoTCP
	b = appendHeader(b, h, TCPLen+len(s.Options)+len(payload))
	l4 := len(b)
	b = binary.BigEndian.AppendUint16(b, s.SrcPort)
	b = binary.BigEndian.AppendUint16(b, s.DstPort)
	b = binary.BigEndian.AppendUint32(b, s.Seq)
	b = binary.BigEndian.AppendUint32(b, s.Ack)
	b = append(b, byte(5+len(s.Options)/4)<<4, byte(s.Flags))
	b = binary.BigEndian.AppendUint16(b, s.Window)
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, s.Options...), payload...)
	binary.BigEndian.PutUint16(b[l4+16:], transportChecksum(b[l4:], h))
	return b
}

// AppendICMP appends an ICMP message in its IP packet to b, ICMPv4 or ICMPv6 by
// the header's family, checksum included. rest is the four bytes behind the
// checksum: identifier and sequence number, or an MTU.
func AppendICMP(b []byte, h Header, typ, code uint8, rest uint32, payload []byte) []byte {
	h.Proto = ProtoICMP
	if !h.Src.Is4() {
		h.Proto = ProtoICMPv6
	}
	b = appendHeader(b, h, ICMPLen+len(payload))
	l4 := len(b)
	b = append(b, typ, code, 0, 0)
	b = binary.BigEndian.AppendUint32(b, rest)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[l4+2:], transportChecksum(b[l4:], h))
	return b
}

func transportChecksum(t []byte, h Header) uint16 {
	var acc uint64
	if h.Proto != ProtoICMP {
		acc = pseudo(h.Src, h.Dst, h.Proto, len(t))
	}
	return ^fold(sum(t, acc))
}
