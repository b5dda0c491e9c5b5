package nat64

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// Protocol numbers of IPv6 that IPv4 has not.
const nextFragment wire.Proto = 44

// mustFragment is the longest IPv4 packet that leaves without DF (RFC 7915 section 5.1):
// it fits every IPv6 link's minimum when it comes back.
const mustFragment = 1260

// longest is the longest payload that fits behind the other family's headers.
const longest = 65535 - wire.IPv4Len

// head is what both families' headers have.
type head struct {
	src, dst wire.Addr
	tos, ttl uint8
	proto    wire.Proto
	payload  []byte
	length   int // of the payload as the header says: a quoted packet has less
	fragment bool
	id       uint32
	offset   int
	more     bool
}

// read6 reads an IPv6 header with a fragment header at most. Other extension headers are
// not carried.
func read6(b []byte) (h head, ok bool) {
	if len(b) < wire.IPv6Len {
		return h, false
	}
	v := wire.IPv6(b)
	h = head{src: v.Src(), dst: v.Dst(), tos: v.TrafficClass(), ttl: v.HopLimit(), proto: v.NextHeader(), payload: b[wire.IPv6Len:], length: v.PayloadLen()}
	if h.proto == nextFragment {
		if len(h.payload) < 8 {
			return h, false
		}
		f := h.payload
		word := binary.BigEndian.Uint16(f[2:])
		h.fragment, h.id, h.offset, h.more = true, binary.BigEndian.Uint32(f[4:]), int(word&^7), word&1 != 0
		h.proto, h.payload, h.length = wire.Proto(f[0]), f[8:], h.length-8
	}
	return h, carried(h.proto, wire.ProtoICMPv6) && h.length >= 0 && len(h.payload) <= longest
}

// read4 reads an IPv4 header. Its options are left out (RFC 7915 section 4.1).
func read4(b []byte) (h head, ok bool) {
	v := wire.IPv4(b)
	if len(b) < wire.IPv4Len || v.HeaderLen() > len(b) || v.HeaderLen() < wire.IPv4Len {
		return h, false
	}
	h = head{
		src: v.Src(), dst: v.Dst(), tos: v.TOS(), ttl: v.TTL(), proto: v.Proto(), payload: b[v.HeaderLen():], length: v.TotalLen() - v.HeaderLen(),
		id: uint32(v.ID()), offset: v.FragmentOffset(), more: v.MoreFragments(),
	}
	h.fragment = h.more || h.offset > 0
	return h, carried(h.proto, wire.ProtoICMP) && h.length >= 0 && len(h.payload) <= longest
}

func carried(p, icmp wire.Proto) bool {
	return p == wire.ProtoTCP || p == wire.ProtoUDP || p == icmp
}

// Out appends to b what IPv4 has for the IPv6 packet p of a client: from the address lent
// to the client, to the one that p's destination stands for, which lies in [Prefix]. It
// reports false of what is not translated: other protocols than TCP, UDP and ICMP, ICMPv6
// messages that IPv4 has not, extension headers other than a fragment's. It does not
// allocate for a known client where b has room, but for ICMP errors.
func (c *Clients) Out(b []byte, p *wire.Packet) ([]byte, bool) {
	h, ok := read6(p.Bytes())
	if !ok {
		return b, false
	}
	lent, ok := c.Lend(h.src)
	if !ok {
		return b, false
	}
	if p.IsError() {
		return c.outError(b, h, lent, Extract(h.dst))
	}
	return c.writer.write4(b, h, lent, Extract(h.dst))
}

// Back appends to b what IPv6 has for the IPv4 packet p to an address that is lent: from
// the address that stands for p's source, to the client. It reports false as Out does,
// and of an address that is not lent.
func (c *Clients) Back(b []byte, p *wire.Packet) ([]byte, bool) {
	h, ok := read4(p.Bytes())
	client, known := c.Client(h.dst)
	if !ok || !known {
		return b, false
	}
	if p.IsError() {
		return c.backError(b, h, Embed(h.src), client)
	}
	return write6(b, h, Embed(h.src), client)
}

// write4 appends the header and the payload as IPv4.
func (w *Writer) write4(b []byte, h head, src, dst wire.Addr) ([]byte, bool) {
	n := wire.Header{Src: src, Dst: dst, TTL: h.ttl, TOS: h.tos, Proto: h.proto, ID: uint16(h.id), Offset: h.offset, MF: h.more}
	if h.proto == wire.ProtoICMPv6 {
		n.Proto = wire.ProtoICMP
	}
	if !h.fragment {
		if n.DF = h.length+wire.IPv4Len > mustFragment; !n.DF {
			w.id++
			n.ID = w.id
		}
	}
	start := len(b)
	b = wire.AppendIP(b, n, h.payload)
	ok := h.offset > 0 || patch(b[start+wire.IPv4Len:], h, src, dst)
	return b, ok
}

// write6 appends the header and the payload as IPv6.
func write6(b []byte, h head, src, dst wire.Addr) ([]byte, bool) {
	n := wire.Header{Src: src, Dst: dst, TTL: h.ttl, TOS: h.tos, Proto: h.proto}
	if h.proto == wire.ProtoICMP {
		n.Proto = wire.ProtoICMPv6
	}
	at := len(b) + wire.IPv6Len
	if h.fragment {
		n.ID, n.Offset, n.MF = uint16(h.id), h.offset, h.more
		at += 8
	}
	b = wire.AppendIP(b, n, h.payload)
	return b, h.offset > 0 || patch(b[at:], h, src, dst)
}

// patch brings the transport header t, which came with h, to its new addresses, and an
// ICMP query to its new family's number. It reports false where that can't be.
func patch(t []byte, h head, src, dst wire.Addr) bool {
	d := addresses(src, dst) + uint32(^fold(addresses(h.src, h.dst)))
	switch h.proto {
	case wire.ProtoTCP:
		if len(t) >= 18 {
			update(t[16:], d)
		}
		return true
	case wire.ProtoUDP:
		return patchUDP(t, h, d, src, dst)
	}
	return patchQuery(t, h, src, dst)
}

// patchUDP knows UDP's two zeros: IPv4's that says that there is no checksum, which IPv6
// must have (RFC 7915 section 4.5), and the sum that comes out as 0 and is sent as all ones.
func patchUDP(t []byte, h head, d uint32, src, dst wire.Addr) bool {
	if len(t) < 8 {
		return true
	}
	if binary.BigEndian.Uint16(t[6:]) == 0 {
		if src.Is4() {
			return true // of no IPv6 sender that keeps to the rules
		}
		if h.fragment || len(t) < h.length {
			return false
		}
		n := min(int(binary.BigEndian.Uint16(t[4:])), len(t))
		sum := addresses(src, dst) + uint32(n) + uint32(wire.ProtoUDP) + uint32(^wire.Checksum(t[:n]))
		binary.BigEndian.PutUint16(t[6:], ^fold(sum))
	} else {
		update(t[6:], d)
	}
	if binary.BigEndian.Uint16(t[6:]) == 0 {
		binary.BigEndian.PutUint16(t[6:], 0xffff)
	}
	return true
}

// patchQuery turns echo request and reply into those of the other family. ICMPv6's
// checksum counts addresses, length and protocol; ICMPv4's does not.
func patchQuery(t []byte, h head, src, dst wire.Addr) bool {
	if len(t) < 4 {
		return false
	}
	var to uint8
	six := h.proto == wire.ProtoICMPv6
	switch {
	case six && t[0] == wire.ICMPv6Echo:
		to = wire.ICMPEcho
	case six && t[0] == wire.ICMPv6EchoReply:
		to = wire.ICMPEchoReply
	case !six && t[0] == wire.ICMPEcho:
		to = wire.ICMPv6Echo
	case !six && t[0] == wire.ICMPEchoReply:
		to = wire.ICMPv6EchoReply
	default:
		return false
	}
	d := uint32(^(uint16(t[0]) << 8)) + uint32(to)<<8
	if six {
		d += uint32(^fold(addresses(h.src, h.dst) + uint32(h.length) + uint32(wire.ProtoICMPv6)))
	} else {
		d += addresses(src, dst) + uint32(h.length) + uint32(wire.ProtoICMPv6)
	}
	t[0] = to
	update(t[2:], d)
	return true
}

// addresses is the one's complement sum of two addresses, below 2^20.
func addresses(a, b wire.Addr) uint32 { return address(a) + address(b) }

func address(a wire.Addr) uint32 {
	if a.Is4() {
		return a.V4()>>16 + a.V4()&0xffff
	}
	hi, lo := a.Words()
	words := func(w uint64) uint32 { return uint32(w>>48 + w>>32&0xffff + w>>16&0xffff + w&0xffff) }
	return uint32(fold(words(hi) + words(lo)))
}

func fold(s uint32) uint16 {
	s = s>>16 + s&0xffff
	return uint16(s>>16 + s&0xffff)
}

// update brings a checksum up to date with what changed (RFC 1624 equation 3).
func update(b []byte, d uint32) {
	binary.BigEndian.PutUint16(b, ^fold(uint32(^binary.BigEndian.Uint16(b))+uint32(fold(d))))
}
