package wire

import "encoding/binary"

// GREOverhead is the length of the GRE header that AppendGRE makes, in bytes (RFC 2784
// section 2).
const GREOverhead = 4

// GRE is a view of a GRE header from its first byte (RFC 2784 section 2, RFC 2890 section
// 2): what follows the IP header of a packet of protocol 47. Its methods may be called once
// Check has found it sound; none allocates.
//
//	 0                   1                   2                   3
//	|C| |K|S| Reserved0       | Ver |         Protocol Type         |
//	|      Checksum (optional)      |       Reserved1 (optional)    |
//	|                         Key (optional)                        |
//	|                 Sequence Number (optional)                    |
type GRE []byte

// Flags of the first byte.
const (
	greChecksum = 0x80
	greRouting  = 0x40 // RFC 1701's, which RFC 2784 has discarded
	greKey      = 0x20
	greSequence = 0x10
)

// Check reports [BadGRE] where the bytes hold no GRE header of version 0, or one that is
// cut short. The checksum is not verified.
func (g GRE) Check() error { return g.check().err() }

func (g GRE) check() Fault {
	if len(g) < GREOverhead || g[1]&7 != 0 || g[0]&greRouting != 0 || len(g) < g.headerLen() {
		return BadGRE
	}
	return NoFault
}

func (g GRE) headerLen() int {
	n := GREOverhead
	for _, flag := range [...]byte{greChecksum, greKey, greSequence} {
		if g[0]&flag != 0 {
			n += 4
		}
	}
	return n
}

// Protocol returns the EtherType of what follows.
func (g GRE) Protocol() EtherType { return EtherType(binary.BigEndian.Uint16(g[2:])) }

// Payload returns what follows the header.
func (g GRE) Payload() []byte { return g[g.headerLen():] }

// AppendGRE appends a GRE header without options, and a payload of the EtherType, to b.
func AppendGRE(b []byte, t EtherType, payload []byte) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	return append(b, payload...)
}
