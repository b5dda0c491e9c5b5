package wire

import "encoding/binary"

// Fragment says which part of a datagram a packet is (RFC 791 section 3.2, RFC
// 8200 section 4.5).
type Fragment uint8

// The parts. A packet that is no fragment is Whole, and so is an atomic fragment
// of IPv6, which has the header but no other part (RFC 6946).
const (
	Whole Fragment = iota
	FirstFragment
	LaterFragment
)

// FragmentKey is what the fragments of one datagram have in common: addresses,
// identification, and for IPv4 the protocol (RFC 791 section 3.2), which RFC 8200
// section 4.5 leaves out for IPv6, where it is 0. It is its own map key.
type FragmentKey struct {
	Src, Dst Addr
	ID       uint32
	Proto    Proto
}

// FragmentKey returns the key of the datagram that p is a fragment of, and false
// where p is whole. It does not allocate.
func (p *Packet) FragmentKey() (FragmentKey, bool) {
	if p.Fragment == Whole {
		return FragmentKey{}, false
	}
	k := FragmentKey{Src: p.Flow.Src, Dst: p.Flow.Dst}
	if p.at.v4 {
		k.ID, k.Proto = uint32(IPv4(p.at.b).ID()), p.Flow.Proto
		return k, true
	}
	k.ID = binary.BigEndian.Uint32(p.at.b[p.at.frag+2:])
	return k, true
}

// FragmentOffset returns where in its datagram's payload p's begins, in bytes: a
// multiple of 8, 0 for a whole packet.
func (p *Packet) FragmentOffset() int { return p.at.fragmentOffset() }

// MoreFragments reports whether parts of the datagram follow p's.
func (p *Packet) MoreFragments() bool { return p.at.moreFragments() }

// DontFragment reports whether no router may cut p: IPv4's DF, always for IPv6
// (RFC 8200 section 5).
func (p *Packet) DontFragment() bool { return !p.at.v4 || IPv4(p.at.b).DontFragment() }

// Place of the fragment word in an IPv4 header, and length of IPv6's fragment
// header, whose word stands at its byte 2, in bytes.
const (
	fragmentWord4 = 6
	fragmentLen   = 8
)

func (h *place) fragmentOffset() int {
	if h.frag == 0 {
		return 0
	}
	word := binary.BigEndian.Uint16(h.b[h.frag:])
	if h.v4 {
		return int(word&0x1fff) * 8
	}
	return int(word &^ 7)
}

func (h *place) moreFragments() bool {
	if h.frag == 0 {
		return false
	}
	more := byte(0x01)
	at := h.frag + 1
	if h.v4 {
		more, at = 0x20, h.frag
	}
	return h.b[at]&more != 0
}

func (h *place) part() Fragment {
	switch {
	case h.fragmentOffset() > 0:
		return LaterFragment
	case h.moreFragments():
		return FirstFragment
	}
	return Whole
}

// badFragment reports whether the fragment can be part of no datagram. Its payload
// begins at start; uncounted is how many bytes ahead of it the datagram's length
// field will not count.
func (h *place) badFragment(start, uncounted int) bool {
	n := len(h.b) - start
	return h.fragmentOffset()+len(h.b)-uncounted > maxLength || h.moreFragments() && n%8 != 0
}
