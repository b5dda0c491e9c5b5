package reasm

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// Split takes a whole packet apart into fragments that fit an MTU, in bytes, and
// returns them in order. sizes, if not nil, are the lengths of the payloads in which
// the datagram came: where all of them fit they are kept, as Linux does. id is the
// identification of IPv6's fragment header; IPv4 has its own in the packet. A packet
// that fits and has no sizes comes back alone and untouched. Fragments are fresh memory.
//
// DF is not looked at: the caller knows whether the packet may be taken apart. It
// returns nil where the MTU has no room for 8 bytes of payload, or the bytes are no
// IP header.
func Split(packet []byte, mtu int, sizes []int, id uint32) [][]byte {
	if len(sizes) < 2 && len(packet) <= mtu {
		return [][]byte{packet}
	}
	s, ok := splitterOf(packet, id)
	if !ok {
		return nil
	}
	room := mtu - s.overhead()
	if room < 8 {
		return nil
	}
	if keep(sizes, room, len(packet)-s.header) {
		return s.split(sizes, room)
	}
	if largest := maxOf(sizes); largest > 8 {
		room = min(room, largest)
	}
	return s.split(nil, room)
}

// keep reports whether the sizes fit the room of a fragment and are those of a
// payload of total bytes.
func keep(sizes []int, room, total int) bool {
	sum := 0
	for i, n := range sizes {
		if n > room || n%8 != 0 && i < len(sizes)-1 {
			return false
		}
		sum += n
	}
	return sum == total
}

func maxOf(sizes []int) int {
	largest := 0
	for _, n := range sizes {
		largest = max(largest, n)
	}
	return largest
}

// splitter cuts one packet.
type splitter struct {
	packet []byte
	header int  // length of what is repeated in each fragment
	next   int  // IPv6: where the number of the first header behind it stands
	v6     bool // with a fragment header
	id     uint32
}

func splitterOf(packet []byte, id uint32) (splitter, bool) {
	if wire.IPv4(packet).Check() == nil {
		return splitter{packet: packet, header: wire.IPv4(packet).HeaderLen()}, true
	}
	if wire.IPv6(packet).Check() != nil {
		return splitter{}, false
	}
	at, next := perFragment(packet)
	return splitter{packet, at, next, true, id}, true
}

// perFragment returns the length of the headers that every fragment repeats: the IPv6
// header and those up to a routing header (RFC 8200 section 4.5).
func perFragment(b []byte) (at, fix int) {
	at, fix = wire.IPv6Len, 6
	walk, walkFix := at, fix
	for len(b) >= walk+8 {
		switch b[walkFix] {
		case 0, 43, 60: // hop-by-hop, routing, destination options
		default:
			return at, fix
		}
		number := b[walkFix]
		n := (int(b[walk+1]) + 1) * 8
		walk, walkFix = walk+n, walk
		if number != 60 {
			at, fix = walk, walkFix
		}
	}
	return at, fix
}

func (s *splitter) overhead() int {
	if s.v6 {
		return s.header + 8
	}
	return s.header
}

func (s *splitter) split(sizes []int, room int) [][]byte {
	var all [][]byte
	rest, offset := s.packet[s.header:], 0
	for i := 0; len(rest) > 0; i++ {
		n := len(rest)
		switch {
		case sizes != nil:
			n = sizes[i]
		case n > room:
			n = room &^ 7 // the last fragment alone may be any length
		}
		all = append(all, s.fragment(rest[:n], offset, n < len(rest)))
		rest, offset = rest[n:], offset+n
	}
	return all
}

func (s *splitter) fragment(payload []byte, offset int, more bool) []byte {
	b := make([]byte, 0, s.overhead()+len(payload))
	b = append(b, s.packet[:s.header]...)
	if s.v6 {
		next := b[s.next]
		b[s.next] = nextFragment
		word := uint16(offset)
		if more {
			word |= 1
		}
		b = append(b, next, 0)
		b = binary.BigEndian.AppendUint16(b, word)
		b = binary.BigEndian.AppendUint32(b, s.id)
		b = append(b, payload...)
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-wire.IPv6Len))
		return b
	}
	if offset > 0 {
		dropOptions(b)
	}
	word := binary.BigEndian.Uint16(b[6:])&0xc000 | uint16(offset/8)
	if more {
		word |= 0x2000
	}
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint16(b[6:], word)
	seal(b[:s.header])
	return b
}

// dropOptions makes no-operations of the options that only the first fragment
// carries: those without the copied flag (RFC 791 section 3.1).
func dropOptions(h []byte) {
	for i := wire.IPv4Len; i < len(h); {
		switch kind := h[i]; {
		case kind == 0:
			return
		case kind == 1:
			i++
			continue
		case i+1 >= len(h) || h[i+1] < 2 || i+int(h[i+1]) > len(h):
			return
		default:
			n := int(h[i+1])
			if kind&0x80 == 0 {
				for j := i; j < i+n; j++ {
					h[j] = 1
				}
			}
			i += n
		}
	}
}
