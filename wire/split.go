package wire

import "encoding/binary"

// Split cuts p into fragments of at most mtu bytes and returns them in order, each
// in memory of its own: a router's work for IPv4 (RFC 791 section 3.2), where a
// fragment may be cut again, a source's alone for IPv6 (RFC 8200 section 4.5), where
// id is the fragment header's identification; IPv4 has its own. Options without the
// copied flag stand in the first fragment only (RFC 791 section 3.1), replaced by
// no-operations in the others as Linux does.
//
// A packet that fits comes back alone, a copy. The result is nil where it does not and
// mtu leaves no room for 8 bytes of payload, or p is a fragment of IPv6. [Packet.DontFragment]
// is not looked at.
func (p *Packet) Split(mtu int, id uint32) [][]byte {
	if p.Len() <= mtu {
		return [][]byte{append([]byte(nil), p.at.b...)}
	}
	s, ok := p.splitter(id)
	room := (mtu - s.overhead) &^ 7
	if !ok || room < 8 {
		return nil
	}
	var parts [][]byte
	for left := len(p.at.b) - s.header; left > 0; left -= room {
		parts = append(parts, s.part(min(room, left)))
	}
	return parts
}

// SplitInto cuts p as [Packet.Split] does, but into fragments whose payloads have the
// given lengths in bytes: those in which a datagram came to whoever put it together.
// The result is nil where they are not p's payload, where one ahead of the last is no
// multiple of 8 or none is left of it, and where one makes a fragment of over mtu bytes.
func (p *Packet) SplitInto(lengths []int, mtu int, id uint32) [][]byte {
	s, ok := p.splitter(id)
	if !ok {
		return nil
	}
	left := len(p.at.b) - s.header
	for _, n := range lengths {
		left -= n
		if n <= 0 || left < 0 || n > mtu-s.overhead || n%8 != 0 && left > 0 {
			return nil
		}
	}
	if left != 0 {
		return nil
	}
	parts := make([][]byte, len(lengths))
	for i, n := range lengths {
		parts[i] = s.part(n)
	}
	return parts
}

// splitter cuts one packet, part by part.
type splitter struct {
	packet   []byte
	header   int    // length of the headers that each part repeats
	overhead int    // and with them a fragment header
	next     int    // IPv6: where the number of the header behind them stands, else 0
	base     int    // IPv4: offset of the packet, itself a fragment
	more     bool   // and whether parts of its datagram follow it
	id       uint32 // IPv6
	at       int    // where in the payload the next part begins
}

// splitter reports false where p is a fragment of IPv6.
func (p *Packet) splitter(id uint32) (splitter, bool) {
	b := p.at.b
	if p.at.v4 {
		n := IPv4(b).HeaderLen()
		return splitter{packet: b, header: n, overhead: n, base: p.FragmentOffset(), more: p.MoreFragments()}, true
	}
	if p.Fragment != Whole || p.at.frag != 0 {
		return splitter{}, false
	}
	header, next := perFragment(b)
	return splitter{packet: b, header: header, overhead: header + fragmentLen, next: next, id: id}, true
}

// part cuts the next n bytes of the payload off.
func (s *splitter) part(n int) []byte {
	start, at := s.header+s.at, s.at
	s.at += n
	payload, more := s.packet[start:start+n], s.more || start+n < len(s.packet)
	b := make([]byte, 0, s.overhead+n)
	b = append(b, s.packet[:s.header]...)
	if s.next != 0 {
		next := b[s.next]
		b[s.next] = byte(extFragment)
		b = append(b, next, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(at)|bit(more, 1))
		b = binary.BigEndian.AppendUint32(b, s.id)
		b = append(b, payload...)
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-IPv6Len))
		return b
	}
	if at > 0 {
		dropOptions(b)
	}
	b = append(b, payload...)
	flags := binary.BigEndian.Uint16(b[fragmentWord4:]) & 0xc000
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[fragmentWord4:], flags|bit(more, 0x2000)|uint16((s.base+at)/8))
	b[10], b[11] = 0, 0
	binary.BigEndian.PutUint16(b[10:], Checksum(b[:s.header]))
	return b
}

// perFragment returns the length of what every IPv6 fragment repeats: the header and,
// where they are there, the headers up to a routing header, or hop-by-hop options
// (RFC 8200 section 4.5); and where the number of the next header stands. The
// packet's headers have been walked before.
func perFragment(b []byte) (header, next int) {
	header, next = IPv6Len, 6
	for at, number := IPv6Len, 6; isExtension(Proto(b[number])); {
		p := Proto(b[number])
		at, number = at+extensionLen(p, b[at+1]), at
		if p == extHopByHop || p == extRouting {
			header, next = at, number
		}
	}
	return header, next
}

// IPv4 options of one byte (RFC 791 section 3.1), and the flag of those that every
// fragment carries.
const (
	optionEnd    = 0
	optionNop    = 1
	optionCopied = 0x80
)

// dropOptions replaces the options that later fragments don't carry by no-operations.
// It stops at the first one that makes no sense.
func dropOptions(header []byte) {
	o := header[IPv4Len:]
	for len(o) > 0 && o[0] != optionEnd {
		if o[0] == optionNop {
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return
		}
		n := int(o[1])
		if o[0]&optionCopied == 0 {
			for i := range o[:n] {
				o[i] = optionNop
			}
		}
		o = o[n:]
	}
}
