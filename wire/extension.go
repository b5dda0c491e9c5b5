package wire

// The IPv6 extension headers that are walked (IANA protocol numbers). They are those
// that Linux walks; ESP hides what follows, and so is a transport here.
const (
	extHopByHop    Proto = 0
	extRouting     Proto = 43
	extFragment    Proto = 44
	extAuth        Proto = 51
	extNone        Proto = 59
	extDestination Proto = 60
)

// walkExtensions finds the upper-layer header behind the IPv6 header, and on its way
// the fragment header and whether the packet has yet to visit other nodes (RFC 8200
// section 4.4). In a later fragment there is nothing to walk behind its header.
func (h *place) walkExtensions(next Proto) (part Fragment, f Fault) {
	at := IPv6Len
	for range MaxExtensions + 1 {
		if !isExtension(next) || part == LaterFragment {
			h.proto, h.l4 = next, uint16(at)
			return part, NoFault
		}
		if len(h.b) < at+8 {
			return 0, BadExtension
		}
		n := extensionLen(next, h.b[at+1])
		if len(h.b) < at+n || next == extFragment && h.frag != 0 {
			return 0, BadExtension
		}
		switch next {
		case extFragment:
			h.frag = uint16(at + 2)
			part = h.part()
		case extRouting:
			h.routed = h.routed || h.b[at+3] != 0
		}
		next, at = Proto(h.b[at]), at+n
	}
	return 0, BadExtension
}

func isExtension(p Proto) bool {
	switch p {
	case extHopByHop, extRouting, extFragment, extAuth, extDestination:
		return true
	}
	return false
}

// extensionLen returns an extension header's length in bytes from its length
// field, which counts units of 8 behind the first 8, or, for authentication
// (RFC 4302 section 2.2), units of 4 behind the first 8.
func extensionLen(p Proto, field byte) int {
	switch p {
	case extFragment:
		return fragmentLen
	case extAuth:
		return (int(field) + 2) * 4
	}
	return (int(field) + 1) * 8
}
