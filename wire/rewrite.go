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
	b := p.at.b[:IPv4Len]
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
	sum := uint32(binary.BigEndian.Uint16(b[10:])) + 0x100 // the word with the TTL is less by that
	binary.BigEndian.PutUint16(b[10:], uint16(sum+(sum+1)>>16))
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

// Rewrite is SetSrc and SetDst with the ends of f, and DecTTL as many times as there are
// hops, in one go: the same bytes come out. p must be plain, f's addresses IPv4 and
// the TTL over hops. It does not allocate.
func (p *Packet) Rewrite(f *Flow, hops uint8) {
	const hop = 0xffff - 0x100 // what a TTL less by one adds to the checksum's sum (RFC 1624)
	be, h := binary.BigEndian, p.at.b[:IPv4Len+UDPLen]
	var d, ports uint64
	if from, to := p.Flow.Src.V4(), f.Src.V4(); from != to {
		d = uint64(^from) + uint64(to)
		be.PutUint32(h[12:], to)
	}
	if from, to := p.Flow.Dst.V4(), f.Dst.V4(); from != to {
		d += uint64(^from) + uint64(to)
		be.PutUint32(h[16:], to)
	}
	if from, to := p.Flow.SrcPort, f.SrcPort; from != to {
		ports = uint64(^from) + uint64(to)
		be.PutUint16(h[IPv4Len:], to)
	}
	if from, to := p.Flow.DstPort, f.DstPort; from != to {
		ports += uint64(^from) + uint64(to)
		be.PutUint16(h[IPv4Len+2:], to)
	}
	p.Flow.Src, p.Flow.Dst, p.Flow.SrcPort, p.Flow.DstPort = AddrFromV4(f.Src.V4()), AddrFromV4(f.Dst.V4()), f.SrcPort, f.DstPort
	h[8] -= hops
	if all := d + uint64(hops)*hop; all != 0 {
		patch(h[10:12:12], all)
	}
	p.at.patchTransport(d + ports)
}

// setSrc writes a and, where there is one on this side, port as the source.
func (h *place) setSrc(f *Flow, a Addr, port uint16) {
	h.setEnd(&f.Src, &f.SrcPort, a, port, h.srcPort, 12, 8)
}

// setDst is setSrc for the destination.
func (h *place) setDst(f *Flow, a Addr, port uint16) {
	h.setEnd(&f.Dst, &f.DstPort, a, port, h.dstPort, 16, 24)
}

// setEnd writes the address and the port of one end in place of those that the facts
// say, and brings facts and checksums up to date. The port stands at portAt, 0 where
// there is none, the address at one offset in an IPv4 header and at another in an IPv6
// header. What changed is the sum ~m + m' of RFC 1624, below 2^35.
func (h *place) setEnd(addr *Addr, at *uint16, a Addr, port, portAt uint16, at4, at6 int) {
	var d uint64
	if from := *addr; a != from {
		if a.Is4() != h.v4 {
			panic("wire: " + a.String() + " is not of the packet's address family")
		}
		*addr = a
		if h.v4 {
			ip := h.b[:IPv4Len]
			d = uint64(^from.V4()) + uint64(a.V4())
			binary.BigEndian.PutUint32(h.b[at4:at4+4:at4+4], a.V4())
			patch(ip[10:12:12], d)
			if h.proto == ProtoICMP { // whose checksum does not hold addresses
				d = 0
			}
		} else {
			d = h.setAddr6(at6, from, a)
		}
	}
	if i := int(portAt); i != 0 && port != *at {
		d += uint64(^*at) + uint64(port)
		*at = port
		binary.BigEndian.PutUint16(h.b[i:i+2:i+2], port)
		if port == 0 {
			h.patchTransport(d)
			h.sumZeros()
			return
		}
	}
	h.patchTransport(d)
}

// setAddr6 writes an IPv6 address. A destination that is not the final one is not in
// the pseudo-header (RFC 8200 section 8.1).
func (h *place) setAddr6(at int, from, to Addr) uint64 {
	binary.BigEndian.PutUint64(h.b[at:], to.hi)
	binary.BigEndian.PutUint64(h.b[at+8:], to.lo)
	if at == 24 && h.routed {
		return 0
	}
	return uint64(fold(sum2(sum2(0, ^from.hi, ^from.lo), to.hi, to.lo)))
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
	i := int(h.sum)
	if d == 0 || i == 0 {
		return
	}
	b := h.b[i : i+2 : i+2]
	old := binary.BigEndian.Uint16(b)
	fresh := ^fold(d + uint64(^old))
	if h.proto == ProtoUDP {
		if old == 0 {
			return
		}
		if fresh == 0 {
			fresh = 0xffff
		}
	}
	binary.BigEndian.PutUint16(b, fresh)
}

// patch brings the checksum b up to date with the sum ~m + m' of what changed:
// HC' = ~(~HC + ~m + m') (RFC 1624 equation 3). Two bytes of capacity two cost the
// fewest instructions: no empty slice is to be kept from pointing behind its array (Go 1.26).
func patch(b []byte, d uint64) {
	old := binary.BigEndian.Uint16(b)
	binary.BigEndian.PutUint16(b, ^fold(d+uint64(^old)))
}
