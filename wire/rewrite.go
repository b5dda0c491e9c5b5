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
	b := p.at.b
	if !p.at.v4 {
		if b[7] <= 1 {
			return false
		}
		b[7]--
		return true
	}
	if b[8] <= 1 {
		return false
	}
	b[8]--
	patch(b[10:12:12], uint64(^uint16(0x0100))) // the word with the TTL is less by 256
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
	patch(b[10:12:12], uint64(^old)+uint64(binary.BigEndian.Uint16(b[8:])))
}

// setSrc writes a and, where there is one on this side, port as the source.
func (h *place) setSrc(f *Flow, a Addr, port uint16) {
	var d uint64
	if a != f.Src {
		d = h.setAddr(12, 8, f.Src, a)
		f.Src = a
	}
	if h.srcPort != 0 && port != f.SrcPort {
		d += h.setPort(h.srcPort, f.SrcPort, port)
		f.SrcPort = port
	}
	h.patchTransport(d)
}

// setDst is setSrc for the destination. Where it is not the final one the
// pseudo-header does not hold it (RFC 8200 section 8.1).
func (h *place) setDst(f *Flow, a Addr, port uint16) {
	var d uint64
	if a != f.Dst {
		d = h.setAddr(16, 24, f.Dst, a)
		f.Dst = a
		if h.routed {
			d = 0
		}
	}
	if h.dstPort == 0 || port == f.DstPort {
		h.patchTransport(d)
		return
	}
	d += h.setPort(h.dstPort, f.DstPort, port)
	f.DstPort = port
	h.patchTransport(d)
	if port == 0 {
		h.sumZeros()
	}
}

// setAddr writes an address, which stands at one offset in an IPv4 header and at
// another in an IPv6 header, and brings the IPv4 header's checksum up to date. It
// returns the sum ~m + m' of RFC 1624 for the transport checksum, below 2^34: that of
// ICMPv4 does not hold addresses.
func (h *place) setAddr(at4, at6 int, from, to Addr) uint64 {
	if to.Is4() != h.v4 {
		panic("wire: " + to.String() + " is not of the packet's address family")
	}
	if !h.v4 {
		binary.BigEndian.PutUint64(h.b[at6:], to.hi)
		binary.BigEndian.PutUint64(h.b[at6+8:], to.lo)
		return uint64(fold(sum2(sum2(0, ^from.hi, ^from.lo), to.hi, to.lo)))
	}
	binary.BigEndian.PutUint32(h.b[at4:at4+4:at4+4], to.V4())
	d := uint64(^from.V4()) + uint64(to.V4())
	patch(h.b[10:12:12], d)
	if h.proto == ProtoICMP {
		return 0
	}
	return d
}

// setPort writes a port or an identifier and returns its ~m + m'.
func (h *place) setPort(at uint16, from, to uint16) uint64 {
	i := int(at)
	binary.BigEndian.PutUint16(h.b[i:i+2:i+2], to)
	return uint64(^from) + uint64(to)
}

// sumZeros sets the one checksum that RFC 1624 can't bring up to date: that of an
// ICMPv4 echo reply whose every byte became 0. Its sum is all zeros, which only a
// checksum of all ones makes verifiable; in one's complement the two are the same,
// so a Delta knows no difference.
func (h *place) sumZeros() {
	if h.proto == ProtoICMP && h.sum != 0 && sum(h.b[h.l4:], 0) == 0 {
		binary.BigEndian.PutUint16(h.b[h.sum:], 0xffff)
	}
}

// patchTransport brings the transport checksum up to date. UDP's 0 says that there
// is none, and stays; a sum that comes out as 0 is sent as all ones (RFC 768).
func (h *place) patchTransport(d uint64) {
	if d == 0 || h.sum == 0 {
		return
	}
	i := int(h.sum)
	b := h.b[i : i+2 : i+2]
	if h.proto != ProtoUDP {
		patch(b, d)
	} else if binary.BigEndian.Uint16(b) != 0 {
		if patch(b, d); binary.BigEndian.Uint16(b) == 0 {
			binary.BigEndian.PutUint16(b, 0xffff)
		}
	}
}

// patch brings the checksum b up to date with the sum ~m + m' of what changed:
// HC' = ~(~HC + ~m + m') (RFC 1624 equation 3). Two bytes of capacity two cost the
// fewest instructions: no empty slice is to be kept from pointing behind its array (Go 1.26).
func patch(b []byte, d uint64) {
	old := binary.BigEndian.Uint16(b)
	binary.BigEndian.PutUint16(b, ^fold(d+uint64(^old)))
}
