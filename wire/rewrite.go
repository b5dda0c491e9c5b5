package wire

import "encoding/binary"

// SetSrc changes the source address and, where the packet has one on this side,
// the source port: TCP's, UDP's, or the identifier of an ICMP request. A reply's
// identifier is on the other side and stays. a must be of the packet's family; it
// panics where it is not. It does not allocate.
func (p *Packet) SetSrc(a Addr, port uint16) {
	p.at.setSrc(&p.Flow, a, port)
}

// SetDst changes the destination address and, where the packet has one on this
// side, the destination port: TCP's, UDP's, or the identifier of an ICMP reply.
// a must be of the packet's family; it panics where it is not. It does not allocate.
func (p *Packet) SetDst(a Addr, port uint16) {
	p.at.setDst(&p.Flow, a, port)
}

// DecTTL takes one from the time to live and reports whether any is left. Where
// none would be left the packet stays as it came, to be quoted in the error.
func (p *Packet) DecTTL() (left bool) {
	if p.TTL() <= 1 {
		return false
	}
	p.SetTTL(p.TTL() - 1)
	return true
}

// SetTTL changes the time to live, or hop limit.
func (p *Packet) SetTTL(ttl uint8) {
	b := p.at.b
	if !p.at.v4 {
		b[7] = ttl
		return
	}
	old := binary.BigEndian.Uint16(b[8:])
	b[8] = ttl
	p.at.patch(10, Delta16(old, binary.BigEndian.Uint16(b[8:])))
}

// setSrc writes a and port as the source and returns what that did to the sum of
// all bytes, for the checksum of an ICMP error around them.
func (h *place) setSrc(f *Flow, a Addr, port uint16) Delta {
	d := h.setAddr(h.srcAt(), f.Src, a)
	f.Src = a
	if h.hasPorts() && h.role != roleReply && port != f.SrcPort {
		at := h.l4
		if h.role == roleRequest {
			at += 4
		}
		d = d.Plus(h.setPort(at, f.SrcPort, port))
		f.SrcPort = port
	}
	return d
}

// setDst is setSrc for the destination.
func (h *place) setDst(f *Flow, a Addr, port uint16) Delta {
	d := h.setAddr(h.dstAt(), f.Dst, a)
	f.Dst = a
	if h.hasPorts() && h.role != roleRequest && port != f.DstPort {
		at := h.l4 + 2
		if h.role == roleReply {
			at += 2
		}
		d = d.Plus(h.setPort(at, f.DstPort, port))
		f.DstPort = port
	}
	return d
}

func (h *place) srcAt() int {
	if h.v4 {
		return 12
	}
	return 8
}

func (h *place) dstAt() int {
	if h.v4 {
		return 16
	}
	return 24
}

func (h *place) setAddr(at int, from, to Addr) Delta {
	if from == to {
		return 0
	}
	if to.Is4() != h.v4 {
		panic("wire: " + to.String() + " is not of the packet's address family")
	}
	d := DeltaAddr(from, to)
	all := d
	if h.v4 {
		binary.BigEndian.PutUint32(h.b[at:], to.V4())
		all = all.Plus(h.patch(10, d))
	} else {
		binary.BigEndian.PutUint64(h.b[at:], to.hi)
		binary.BigEndian.PutUint64(h.b[at+8:], to.lo)
	}
	if h.proto != ProtoICMP {
		all = all.Plus(h.patchTransport(d))
	}
	return all
}

func (h *place) setPort(at uint16, from, to uint16) Delta {
	d := Delta16(from, to)
	binary.BigEndian.PutUint16(h.b[at:], to)
	return d.Plus(h.patchTransport(d))
}

// patchTransport brings the transport checksum up to date. UDP's 0 says that there
// is none, and stays; a sum that comes out as 0 is sent as all ones (RFC 768).
func (h *place) patchTransport(d Delta) Delta {
	if h.sum == 0 {
		return 0
	}
	if h.proto != ProtoUDP {
		return h.patch(int(h.sum), d)
	}
	old := binary.BigEndian.Uint16(h.b[h.sum:])
	if old == 0 {
		return 0
	}
	now := d.Apply(old)
	if now == 0 {
		now = 0xffff
	}
	binary.BigEndian.PutUint16(h.b[h.sum:], now)
	return Delta16(old, now)
}

// patch brings the checksum at an offset up to date and returns its own change.
func (h *place) patch(at int, d Delta) Delta {
	old := binary.BigEndian.Uint16(h.b[at:])
	now := d.Apply(old)
	binary.BigEndian.PutUint16(h.b[at:], now)
	return Delta16(old, now)
}

// Inner is the packet that an ICMP error quotes, as much of it as the error
// holds. Its Set methods change the quoted bytes, the checksums inside and the
// checksum of the error around them (RFC 5508 section 4.2).
type Inner struct {
	// Flow is the quoted packet's flow, as its sender sent it.
	Flow Flow
	// Fragment says whether the quoted packet was whole.
	Fragment Fragment

	at    place
	outer *Packet
}

// Inner returns the packet quoted in an ICMP error. It reports false where p is
// no error, or quotes less than an IP header and 8 bytes (RFC 792). A later
// fragment is quoted without ports. It does not allocate where p is on the heap.
func (p *Packet) Inner() (Inner, bool) {
	if !p.IsError() {
		return Inner{}, false
	}
	in := Inner{outer: p}
	q := ICMP(p.Transport()).Payload()
	if p.at.v4 {
		return in, in.read4(q)
	}
	return in, in.read6(q)
}

func (in *Inner) read4(q []byte) bool {
	h := IPv4(q)
	if len(q) < IPv4Len || q[0]>>4 != 4 || h.HeaderLen() < IPv4Len || len(q) < h.HeaderLen()+8 {
		return false
	}
	in.at = place{b: q, proto: h.Proto(), v4: true}
	in.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: h.Proto()}
	switch {
	case h.FragmentOffset() > 0:
		in.Fragment = LaterFragment
		return true
	case h.MoreFragments():
		in.Fragment = FirstFragment
	}
	in.readTransport(h.HeaderLen())
	return true
}

func (in *Inner) read6(q []byte) bool {
	if len(q) < IPv6Len+8 || q[0]>>4 != 6 {
		return false
	}
	h := IPv6(q)
	if h.Src().Is4() || h.Dst().Is4() {
		return false
	}
	var walk Packet
	walk.at = place{b: q}
	l4, f := walk.walkExtensions(h.NextHeader(), true)
	if f != NoFault {
		return false
	}
	in.at = place{b: q, proto: walk.at.proto}
	in.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: walk.at.proto}
	in.Fragment = walk.Fragment
	if in.Fragment == LaterFragment {
		return true
	}
	if len(q) < l4+8 {
		return false
	}
	in.readTransport(l4)
	return true
}

func (in *Inner) readTransport(l4 int) {
	in.at.l4 = uint16(l4)
	in.at.locate(len(in.at.b))
	in.at.readPorts(&in.Flow)
}

// SetSrc changes the quoted packet's source as [Packet.SetSrc] does a packet's.
func (in *Inner) SetSrc(a Addr, port uint16) {
	in.outer.at.patchTransport(in.at.setSrc(&in.Flow, a, port))
}

// SetDst changes the quoted packet's destination as [Packet.SetDst] does a packet's.
func (in *Inner) SetDst(a Addr, port uint16) {
	in.outer.at.patchTransport(in.at.setDst(&in.Flow, a, port))
}

// HasPorts reports whether the quoted packet has ports or a query identifier.
func (in *Inner) HasPorts() bool { return in.at.hasPorts() }
