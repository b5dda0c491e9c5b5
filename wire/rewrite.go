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
	d := h.setAddr(h.srcAt(), f.Src, a, true)
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

// setDst is setSrc for the destination. Where it is not the final one the
// pseudo-header does not hold it (RFC 8200 section 8.1).
func (h *place) setDst(f *Flow, a Addr, port uint16) Delta {
	d := h.setAddr(h.dstAt(), f.Dst, a, !h.routed)
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

// setAddr writes an address; summed says that the pseudo-header holds it.
func (h *place) setAddr(at int, from, to Addr, summed bool) Delta {
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
	if summed && h.proto != ProtoICMP {
		all = all.Plus(h.patchTransport(d))
	}
	return all
}

func (h *place) setPort(at uint16, from, to uint16) Delta {
	d := Delta16(from, to)
	binary.BigEndian.PutUint16(h.b[at:], to)
	d = d.Plus(h.patchTransport(d))
	if to == 0 && h.role == roleReply {
		h.sumZeros()
	}
	return d
}

// sumZeros sets the one checksum that RFC 1624 can't bring up to date: that of an
// ICMPv4 echo reply whose every byte became 0. Its sum is all zeros, which only a
// checksum of all ones makes verifiable; in one's complement the two are the same,
// so a Delta knows no difference.
func (h *place) sumZeros() {
	if h.proto == ProtoICMP && sum(h.b[h.l4:], 0) == 0 {
		binary.BigEndian.PutUint16(h.b[h.sum:], 0xffff)
	}
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
