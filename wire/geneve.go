package wire

import "encoding/binary"

// GENEVE's numbers: the UDP port (RFC 8926 section 3.3) and the fixed header's length
// in bytes.
const (
	GenevePort = 6081
	GeneveLen  = 8
)

// Geneve is a view of a GENEVE header from its first byte (RFC 8926 section 3.4): what
// stands in a datagram to port 6081.
//
//	 0                   1                   2                   3
//	|Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
//	|        Virtual Network Identifier (VNI)       |    Reserved   |
//	|                    Variable-Length Options                    |
type Geneve []byte

// Check reports [BadGeneve] where the bytes hold no GENEVE header of version 0 whose
// options fit, one after the other.
func (g Geneve) Check() error { return g.check().err() }

func (g Geneve) check() Fault {
	if len(g) < GeneveLen || g[0]>>6 != 0 || GeneveLen+g.OptionsLen() > len(g) {
		return BadGeneve
	}
	for o := g.Options(); len(o) > 0; {
		if len(o) < geneveOptionLen || o.size() > len(o) {
			return BadGeneve
		}
		o = o[o.size():]
	}
	return NoFault
}

// OptionsLen returns the length of all options, in bytes.
func (g Geneve) OptionsLen() int { return int(g[0]&0x3f) * 4 }

// Control reports whether the packet is a control packet, whose payload is for the
// tunnel's end.
func (g Geneve) Control() bool { return g[1]&0x80 != 0 }

// Critical reports whether an option must be understood or the packet be dropped.
func (g Geneve) Critical() bool { return g[1]&0x40 != 0 }

// Protocol returns what the payload is: an EtherType.
func (g Geneve) Protocol() EtherType { return EtherType(binary.BigEndian.Uint16(g[2:])) }

// VNI returns the virtual network identifier, 24 bits.
func (g Geneve) VNI() uint32 { return binary.BigEndian.Uint32(g[4:]) >> 8 }

// Options returns the options; they share g's memory.
func (g Geneve) Options() GeneveOptions {
	return GeneveOptions(g[GeneveLen : GeneveLen+g.OptionsLen()])
}

// Payload returns what follows the options; it shares g's memory.
func (g Geneve) Payload() []byte { return g[GeneveLen+g.OptionsLen():] }

// GeneveOptions is a view of the options of a header that [Geneve.Check] has found
// sound (RFC 8926 section 3.5).
type GeneveOptions []byte

const geneveOptionLen = 4 // before an option's data

// size returns the first option's length with its header, in bytes.
func (o GeneveOptions) size() int { return geneveOptionLen + int(o[3]&0x1f)*4 }

// Find returns the data of the first option of a class and type, nil where there is
// none; an option may be without data. It shares o's memory and does not allocate.
func (o GeneveOptions) Find(class uint16, kind uint8) []byte {
	for len(o) > 0 {
		n := o.size()
		if binary.BigEndian.Uint16(o) == class && o[2] == kind {
			return o[geneveOptionLen:n:n]
		}
		o = o[n:]
	}
	return nil
}

// AppendGeneveOption appends an option to b. It panics where the data are no multiple
// of 4 or over 124 bytes.
func AppendGeneveOption(b []byte, class uint16, kind uint8, data []byte) []byte {
	if len(data)%4 != 0 || len(data) > 124 {
		panic("wire: a GENEVE option's data are not padded to 4 bytes or over 124")
	}
	b = binary.BigEndian.AppendUint16(b, class)
	return append(append(b, kind, uint8(len(data)/4)), data...)
}

// AppendGeneve appends a GENEVE header with options, as AppendGeneveOption makes them,
// and a payload of the EtherType to b. It panics where the options are over 252 bytes.
func AppendGeneve(b []byte, t EtherType, vni uint32, options GeneveOptions, payload []byte) []byte {
	if len(options)%4 != 0 || len(options) > 252 {
		panic("wire: GENEVE options are not padded to 4 bytes or over 252")
	}
	b = append(b, uint8(len(options)/4), 0)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	b = binary.BigEndian.AppendUint32(b, vni<<8)
	return append(append(b, options...), payload...)
}
