package reasm

import "github.com/vpcsim/vpcsim/wire"

// Cut says how a datagram was taken apart when it came. The zero Cut is of one that
// came whole.
type Cut struct {
	// Sizes are the lengths of the fragments' payloads in the datagram's order, in
	// bytes. The last may be any, the others are multiples of 8.
	Sizes []int
	// Largest is the length of the longest fragment with its headers, in bytes (Linux's
	// frag_max_size).
	Largest int
	// ID is the identification that the fragments shared.
	ID uint32
}

// Split takes a packet apart into fragments that fit an MTU, in bytes, and returns
// them in order, in fresh memory: none longer than those in which it came, and as they
// were cut then where each of them fits, as in Linux. IPv6's fragment headers have the
// identification of c; IPv4 has its own in the packet. A packet that fits and came
// whole stays alone. See [wire.Packet.Split] for what can't be taken apart: nil.
//
// DF does not hinder it: the caller knows whether the packet may be taken apart. As
// Linux has it, fragments cut as they came go on without DF, others with the packet's.
func Split(p *wire.Packet, mtu int, c Cut) [][]byte {
	if c.Largest > 0 {
		mtu = min(mtu, c.Largest)
	}
	parts := p.SplitInto(c.Sizes, mtu, c.ID)
	if parts == nil {
		return p.Split(mtu, c.ID)
	}
	if p.Is4() && p.DontFragment() {
		mayFragment(parts)
	}
	return parts
}

// mayFragment takes DF from IPv4 packets.
func mayFragment(parts [][]byte) {
	for _, b := range parts {
		b[6] &^= 0x40
		seal(b[:wire.IPv4(b).HeaderLen()])
	}
}
