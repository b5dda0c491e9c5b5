package wire

import "encoding/binary"

// Lengths of the fixed transport headers, in bytes.
const (
	UDPLen  = 8
	TCPLen  = 20
	ICMPLen = 8
)

// UDP is a view of a datagram from its source port (RFC 768).
type UDP []byte

// Check says whether the bytes hold a UDP header whose length fits.
func (u UDP) Check() error { return u.check().err() }

func (u UDP) check() Fault {
	if len(u) < UDPLen {
		return ShortTransport
	}
	if n := u.Len(); n < UDPLen || n > len(u) {
		return BadUDPLength
	}
	return NoFault
}

// SrcPort returns the source port.
func (u UDP) SrcPort() uint16 { return binary.BigEndian.Uint16(u) }

// DstPort returns the destination port.
func (u UDP) DstPort() uint16 { return binary.BigEndian.Uint16(u[2:]) }

// Len returns the length field: header and payload, in bytes.
func (u UDP) Len() int { return int(binary.BigEndian.Uint16(u[4:])) }

// Checksum returns the checksum as it stands; 0 says that there is none.
func (u UDP) Checksum() uint16 { return binary.BigEndian.Uint16(u[6:]) }

// Payload returns what follows the header, to the length field; it shares u's memory.
func (u UDP) Payload() []byte { return u[UDPLen:u.Len()] }

// TCPFlags are the control bits of a TCP header (RFC 9293 section 3.1).
type TCPFlags uint8

// The control bits, in their places on the wire.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has reports whether all of want are set.
func (f TCPFlags) Has(want TCPFlags) bool { return f&want == want }

// String returns the flags as tcpdump prints them: [S.], [P.], [R], [none].
func (f TCPFlags) String() string {
	b := []byte{'['}
	for _, l := range []struct {
		bit  TCPFlags
		mark byte
	}{{FIN, 'F'}, {SYN, 'S'}, {RST, 'R'}, {PSH, 'P'}, {ACK, '.'}, {URG, 'U'}, {ECE, 'E'}, {CWR, 'W'}} {
		if f.Has(l.bit) {
			b = append(b, l.mark)
		}
	}
	if len(b) == 1 {
		return "[none]"
	}
	return string(append(b, ']'))
}

// TCP is a view of a segment from its source port (RFC 9293 section 3.1).
type TCP []byte

// Check says whether the bytes hold a TCP header whose data offset fits.
func (t TCP) Check() error { return t.check().err() }

func (t TCP) check() Fault {
	if len(t) < TCPLen {
		return ShortTransport
	}
	if n := t.HeaderLen(); n < TCPLen || n > len(t) {
		return BadDataOffset
	}
	return NoFault
}

// SrcPort returns the source port.
func (t TCP) SrcPort() uint16 { return binary.BigEndian.Uint16(t) }

// DstPort returns the destination port.
func (t TCP) DstPort() uint16 { return binary.BigEndian.Uint16(t[2:]) }

// Seq returns the sequence number.
func (t TCP) Seq() uint32 { return binary.BigEndian.Uint32(t[4:]) }

// Ack returns the acknowledgment number.
func (t TCP) Ack() uint32 { return binary.BigEndian.Uint32(t[8:]) }

// HeaderLen returns the header's length with its options, in bytes.
func (t TCP) HeaderLen() int { return int(t[12]>>4) * 4 }

// Flags returns the control bits.
func (t TCP) Flags() TCPFlags { return TCPFlags(t[13]) }

// Window returns the window as it stands, not scaled.
func (t TCP) Window() uint16 { return binary.BigEndian.Uint16(t[14:]) }

// Checksum returns the checksum as it stands.
func (t TCP) Checksum() uint16 { return binary.BigEndian.Uint16(t[16:]) }

// Options returns the options with their padding; it shares t's memory.
func (t TCP) Options() []byte { return t[TCPLen:t.HeaderLen():t.HeaderLen()] }

// Payload returns what follows the header; it shares t's memory.
func (t TCP) Payload() []byte { return t[t.HeaderLen():] }

// ICMP is a view of an ICMPv4 (RFC 792) or ICMPv6 (RFC 4443) message from its
// type: both have type, code, checksum and four bytes whose meaning depends on the type.
type ICMP []byte

// Check says whether the eight bytes are there.
func (m ICMP) Check() error { return m.check().err() }

func (m ICMP) check() Fault {
	if len(m) < ICMPLen {
		return ShortTransport
	}
	return NoFault
}

// Type returns the type, whose numbers differ between ICMPv4 and ICMPv6.
func (m ICMP) Type() uint8 { return m[0] }

// Code returns the code.
func (m ICMP) Code() uint8 { return m[1] }

// Checksum returns the checksum as it stands.
func (m ICMP) Checksum() uint16 { return binary.BigEndian.Uint16(m[2:]) }

// ID returns the identifier of a query.
func (m ICMP) ID() uint16 { return binary.BigEndian.Uint16(m[4:]) }

// Seq returns the sequence number of a query.
func (m ICMP) Seq() uint16 { return binary.BigEndian.Uint16(m[6:]) }

// MTU returns the next hop's MTU in bytes: the lower half of the word in an ICMPv4
// unreachable (RFC 1191; RFC 4884 gives the upper half another meaning), the whole
// word in packet too big (RFC 4443 section 3.2). 0 is a router that does not tell it.
func (m ICMP) MTU() uint32 {
	w := m.Rest()
	if m.Type() == ICMPUnreachable {
		return w & 0xffff
	}
	return w
}

// Rest returns the four bytes behind the checksum, as [AppendICMP] takes them.
func (m ICMP) Rest() uint32 { return binary.BigEndian.Uint32(m[4:]) }

// Payload returns what follows the eight bytes: a query's data, the packet that
// an error quotes; it shares m's memory.
func (m ICMP) Payload() []byte { return m[ICMPLen:] }

// ICMPv4 types (RFC 792, in decimal as there).
const (
	ICMPEchoReply       uint8 = 0
	ICMPUnreachable     uint8 = 3
	ICMPSourceQuench    uint8 = 4
	ICMPRedirect        uint8 = 5
	ICMPEcho            uint8 = 8
	ICMPTimeExceeded    uint8 = 11
	ICMPParameter       uint8 = 12
	ICMPTimestamp       uint8 = 13
	ICMPTimestampReply  uint8 = 14
	ICMPInformation     uint8 = 15
	ICMPInformationBack uint8 = 16
	ICMPAddressMask     uint8 = 17
	ICMPAddressMaskBack uint8 = 18
)

// Codes of ICMPv4 destination unreachable (RFC 792, RFC 1812 section 5.2.7.1).
const (
	NetUnreachable   uint8 = 0
	HostUnreachable  uint8 = 1
	ProtoUnreachable uint8 = 2
	PortUnreachable  uint8 = 3
	FragNeeded       uint8 = 4
	AdminProhibited  uint8 = 13
)

// ICMPv6 types (RFC 4443, RFC 4861).
const (
	ICMPv6Unreachable           uint8 = 1
	ICMPv6TooBig                uint8 = 2
	ICMPv6TimeExceeded          uint8 = 3
	ICMPv6Parameter             uint8 = 4
	ICMPv6Echo                  uint8 = 128
	ICMPv6EchoReply             uint8 = 129
	ICMPv6RouterSolicitation    uint8 = 133
	ICMPv6RouterAdvertisement   uint8 = 134
	ICMPv6NeighborSolicitation  uint8 = 135
	ICMPv6NeighborAdvertisement uint8 = 136
	ICMPv6Redirect              uint8 = 137
)

// Codes of ICMPv6 destination unreachable (RFC 4443 section 3.1).
const (
	V6NoRoute            uint8 = 0
	V6AdminProhibited    uint8 = 1
	V6AddressUnreachable uint8 = 3
	V6PortUnreachable    uint8 = 4
)

// V6UnrecognizedOption is the code of an ICMPv6 parameter problem about an option,
// the one that may answer a multicast (RFC 4443 sections 3.4, 2.4(e.3)).
const V6UnrecognizedOption uint8 = 2

// icmpRole is what a type of ICMP message is to a tracker of flows.
type icmpRole uint8

const (
	roleOther icmpRole = iota
	roleRequest
	roleReply
	roleError
)

func roleOf(p Proto, t uint8) icmpRole {
	if p == ProtoICMP {
		switch t {
		case ICMPEcho, ICMPTimestamp, ICMPInformation, ICMPAddressMask:
			return roleRequest
		case ICMPEchoReply, ICMPTimestampReply, ICMPInformationBack, ICMPAddressMaskBack:
			return roleReply
		case ICMPUnreachable, ICMPSourceQuench, ICMPTimeExceeded, ICMPParameter:
			return roleError
		}
		return roleOther
	}
	switch {
	case t == ICMPv6Echo:
		return roleRequest
	case t == ICMPv6EchoReply:
		return roleReply
	case t < 128: // RFC 4443 section 2.1: errors have a zero as their first bit
		return roleError
	}
	return roleOther
}
