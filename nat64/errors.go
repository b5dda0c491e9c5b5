package nat64

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// meaning is an ICMP error's type, code and the word behind its checksum.
type meaning struct {
	typ, code uint8
	rest      uint32
}

// outError is Out for an ICMP error: about a packet that came back to the client.
func (c *Clients) outError(b []byte, h head, src, dst wire.Addr) ([]byte, bool) {
	m, quote, ok := errorOf(h)
	if !ok {
		return b, false
	}
	if m, ok = meaning4(m); !ok {
		return b, false
	}
	q, ok := read6(quote)
	if !ok {
		return b, false
	}
	lent, known := c.lent[q.dst]
	if !known || !Prefix.Contains(q.src) {
		return b, false
	}
	quoted, ok := c.writer.write4(nil, q, Extract(q.src), wire.AddrFromV4(lentFirst+lent))
	if !ok {
		return b, false
	}
	binary.BigEndian.PutUint16(quoted[2:], uint16(q.length+wire.IPv4Len)) // the quote is cut short, its packet was not
	quoted[10], quoted[11] = 0, 0
	binary.BigEndian.PutUint16(quoted[10:], wire.Checksum(quoted[:wire.IPv4Len]))
	n := wire.Header{Src: src, Dst: dst, TTL: h.ttl, TOS: h.tos}
	room := min(len(quoted), wire.MaxICMPError-wire.IPv4Len-wire.ICMPLen)
	return wire.AppendICMP(b, n, m.typ, m.code, m.rest, quoted[:room]), true
}

// backError is Back for an ICMP error: about a packet that the client sent.
func (c *Clients) backError(b []byte, h head, src, dst wire.Addr) ([]byte, bool) {
	m, quote, ok := errorOf(h)
	if !ok {
		return b, false
	}
	if m, ok = meaning6(m); !ok {
		return b, false
	}
	q, ok := read4(quote)
	if !ok {
		return b, false
	}
	client, known := c.Client(q.src)
	if !known {
		return b, false
	}
	quoted, ok := write6(nil, q, client, Embed(q.dst))
	if !ok {
		return b, false
	}
	length := q.length
	if q.fragment {
		length += 8
	}
	binary.BigEndian.PutUint16(quoted[4:], uint16(length))
	n := wire.Header{Src: src, Dst: dst, TTL: h.ttl, TOS: h.tos}
	return wire.AppendICMP(b, n, m.typ, m.code, m.rest, quoted), true
}

// errorOf reads an ICMP error and returns what it quotes.
func errorOf(h head) (m meaning, quote []byte, ok bool) {
	t := h.payload
	if h.fragment || len(t) < wire.ICMPLen {
		return m, nil, false
	}
	return meaning{t[0], t[1], binary.BigEndian.Uint32(t[4:])}, t[wire.ICMPLen:], true
}

// meaning4 is what IPv4 has for an ICMPv6 error (RFC 7915 section 5.2).
func meaning4(m meaning) (meaning, bool) {
	switch m.typ {
	case wire.ICMPv6Unreachable:
		switch m.code {
		case wire.V6NoRoute, 2, wire.V6AddressUnreachable:
			return meaning{wire.ICMPUnreachable, wire.HostUnreachable, 0}, true
		case wire.V6AdminProhibited:
			return meaning{wire.ICMPUnreachable, 10, 0}, true
		case wire.V6PortUnreachable:
			return meaning{wire.ICMPUnreachable, wire.PortUnreachable, 0}, true
		}
	case wire.ICMPv6TooBig:
		return meaning{wire.ICMPUnreachable, wire.FragNeeded, max(m.rest, 1280) - 20}, true
	case wire.ICMPv6TimeExceeded:
		return meaning{wire.ICMPTimeExceeded, m.code, 0}, true
	case wire.ICMPv6Parameter:
		if m.code == 1 {
			return meaning{wire.ICMPUnreachable, wire.ProtoUnreachable, 0}, true
		}
		if p, ok := pointer4(m.rest); ok && m.code == 0 {
			return meaning{wire.ICMPParameter, 0, uint32(p) << 24}, true
		}
	}
	return meaning{}, false
}

// meaning6 is what IPv6 has for an ICMPv4 error (RFC 7915 section 4.2).
func meaning6(m meaning) (meaning, bool) {
	switch m.typ {
	case wire.ICMPUnreachable:
		switch m.code {
		case 0, 1, 5, 6, 7, 8, 11, 12:
			return meaning{wire.ICMPv6Unreachable, wire.V6NoRoute, 0}, true
		case wire.ProtoUnreachable:
			return meaning{wire.ICMPv6Parameter, 1, 6}, true
		case wire.PortUnreachable:
			return meaning{wire.ICMPv6Unreachable, wire.V6PortUnreachable, 0}, true
		case wire.FragNeeded:
			return meaning{wire.ICMPv6TooBig, 0, max(m.rest&0xffff+20, 1280)}, true
		case 9, 10, wire.AdminProhibited, 15:
			return meaning{wire.ICMPv6Unreachable, wire.V6AdminProhibited, 0}, true
		}
	case wire.ICMPTimeExceeded:
		return meaning{wire.ICMPv6TimeExceeded, m.code, 0}, true
	case wire.ICMPParameter:
		if p, ok := pointer6(uint8(m.rest >> 24)); ok && (m.code == 0 || m.code == 2) {
			return meaning{wire.ICMPv6Parameter, 0, uint32(p)}, true
		}
	}
	return meaning{}, false
}

// pointer4 is where IPv4 has the field that a parameter problem of IPv6 points at (RFC
// 7915, figure 6).
func pointer4(p uint32) (uint8, bool) {
	switch {
	case p <= 1:
		return uint8(p), true
	case p == 4, p == 5:
		return 2, true
	case p == 6:
		return 9, true
	case p == 7:
		return 8, true
	case p >= 8 && p <= 23:
		return 12, true
	case p >= 24 && p <= 39:
		return 16, true
	}
	return 0, false
}

// pointer6 is where IPv6 has the field that a parameter problem of IPv4 points at (RFC
// 7915, figure 3).
func pointer6(p uint8) (uint8, bool) {
	switch {
	case p <= 1:
		return p, true
	case p == 2, p == 3:
		return 4, true
	case p == 8:
		return 7, true
	case p == 9:
		return 6, true
	case p >= 12 && p <= 15:
		return 8, true
	case p >= 16 && p <= 19:
		return 24, true
	}
	return 0, false
}
