package wire

import "encoding/binary"

// Packet is one IP packet and the facts a dataplane steers by, read out once by
// [Packet.Read]. Facts are to be read; what changes them are the Set methods,
// which change bytes, checksums (RFC 1624) and facts together. A Packet shares
// the memory of the bytes it was read from. The zero Packet is no packet.
type Packet struct {
	// Flow is the packet's flow. See Flow for what has no ports.
	Flow Flow
	// Fragment says whether the packet is whole.
	Fragment Fragment
	// Flags are TCP's control bits, 0 for what is not TCP or a later fragment.
	Flags TCPFlags
	// Type and Code are ICMP's, 0 for what is not ICMP or a later fragment.
	Type, Code uint8

	at place
}

// place says where in the bytes the parts of a packet stand, so that one code
// rewrites IPv4 and IPv6, TCP, UDP and ICMP, and packets quoted in ICMP errors.
type place struct {
	b       []byte // from the first byte of the IP header
	l4      uint16 // the transport header, 0 where it can't be read
	sum     uint16 // the transport checksum, 0 where there is none
	srcPort uint16 // the source port, or the identifier of a request; 0 where there is none
	dstPort uint16 // the destination port, or the identifier of a reply; 0 where there is none
	frag    uint16 // the word with a fragment's offset, 0 where there is none
	proto   Proto  // what is read: extNone for the ICMP of the other family
	role    icmpRole
	v4      bool
	routed  bool // Dst is not the final one: the pseudo-header has another
	plain   bool // see Packet.IsPlain
}

// Read takes b, which begins with an IP header, for the packet's bytes and reads
// the facts out. Bytes behind the packet's own length are left off. It returns a
// [Fault], and then the Packet is the zero Packet. Transport checksums are not
// looked at: routers don't; see [Packet.VerifyChecksum]. It does not allocate.
func (p *Packet) Read(b []byte) error {
	if p.readUsual(b) {
		return nil
	}
	*p = Packet{}
	f := ShortHeader
	if len(b) > 0 {
		switch b[0] >> 4 {
		case 4:
			f = p.read4(b)
		case 6:
			f = p.read6(b)
		default:
			f = NoIPVersion
		}
	}
	if f == NoFault {
		return nil
	}
	*p = Packet{}
	return f
}

// readUsual reads in one go what most packets are: IPv4 without options, whole, UDP or
// TCP. It reports false for any other packet and for one with a fault, which are to be
// read part by part.
func (p *Packet) readUsual(b []byte) bool {
	const least = IPv4Len + UDPLen
	if len(b) < least || b[0] != 4<<4|IPv4Len/4 {
		return false
	}
	h, be := b[:least], binary.BigEndian
	n, proto, flags, sum := int(be.Uint16(h[2:])), Proto(h[9]), TCPFlags(0), uint16(IPv4Len+6)
	if n > len(b) || be.Uint16(h[fragmentWord4:])&0x3fff != 0 || !IPv4(h).sumsUp(IPv4Len) {
		return false
	}
	switch length := int(be.Uint16(h[IPv4Len+4:])); {
	case proto == ProtoUDP && length >= UDPLen && length <= n-IPv4Len:
	case proto == ProtoTCP && n >= IPv4Len+TCPLen && TCP(b[IPv4Len:n]).check() == NoFault:
		flags, sum = TCP(b[IPv4Len:n]).Flags(), IPv4Len+16
	default:
		return false
	}
	p.Flow.Src, p.Flow.Dst = AddrFromV4(be.Uint32(h[12:])), AddrFromV4(be.Uint32(h[16:]))
	p.Flow.SrcPort, p.Flow.DstPort, p.Flow.Proto = be.Uint16(h[IPv4Len:]), be.Uint16(h[IPv4Len+2:]), proto
	p.Fragment, p.Flags, p.Type, p.Code = Whole, flags, 0, 0
	p.at = place{
		b: b[:n:n], l4: IPv4Len, sum: sum, srcPort: IPv4Len, dstPort: IPv4Len + 2, frag: fragmentWord4,
		proto: proto, v4: true, plain: true,
	}
	return true
}

func (p *Packet) read4(b []byte) Fault {
	h := IPv4(b)
	if f := h.check(); f != NoFault {
		return f
	}
	_ = h[IPv4Len-1] // Check has seen them; now the compiler knows
	n := h.TotalLen()
	p.at.b, p.at.l4, p.at.frag = b[:n:n], uint16(h.HeaderLen()), fragmentWord4
	p.at.proto, p.at.v4 = h.Proto(), true
	p.Flow.Src, p.Flow.Dst, p.Flow.Proto = h.Src(), h.Dst(), h.Proto()
	if h.isFragment() {
		p.Fragment = p.at.part()
		if p.at.badFragment(h.HeaderLen(), 0) {
			return BadFragment
		}
	}
	return p.readTransport()
}

func (p *Packet) read6(b []byte) Fault {
	h := IPv6(b)
	if f := h.check(); f != NoFault {
		return f
	}
	end := IPv6Len + h.PayloadLen()
	p.at = place{b: b[:end:end]}
	part, f := p.at.walkExtensions(h.NextHeader())
	if f != NoFault {
		return f
	}
	p.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: p.at.proto}
	p.Fragment = part
	if part != Whole && p.at.badFragment(int(p.at.frag)-2+fragmentLen, IPv6Len+fragmentLen) {
		return BadFragment
	}
	return p.readTransport()
}

// readTransport reads the ports or the ICMP type of the header at l4. It does not read
// the ICMP of the other family: that has another pseudo-header and other numbers, and
// no host understands it.
func (p *Packet) readTransport() (f Fault) {
	h := &p.at
	if p.Fragment == LaterFragment {
		h.l4 = 0
		return NoFault
	}
	h.leaveForeignICMP()
	t := h.b[h.l4:]
	switch h.proto {
	case ProtoUDP:
		f = UDP(t).check()
	case ProtoTCP:
		if f = TCP(t).check(); f == NoFault {
			p.Flags = TCP(t).Flags()
		}
	case ProtoICMP, ProtoICMPv6:
		if f = ICMP(t).check(); f == NoFault {
			p.Type, p.Code = t[0], t[1]
		}
	}
	if f != NoFault {
		if f = p.checkFirst(f, t); f != NoFault {
			return f
		}
	}
	h.locate(&p.Flow)
	return NoFault
}

// checkFirst returns what is wrong with the transport header t, which has the fault f,
// where p may be a first fragment. UDP's length speaks of the whole datagram then, and
// can't be held to the fragment.
func (p *Packet) checkFirst(f Fault, t []byte) Fault {
	switch {
	case p.Fragment != FirstFragment:
		return f
	case f == BadUDPLength && UDP(t).Len() >= UDPLen:
		return NoFault
	case f == ShortTransport, f == BadDataOffset && TCP(t).HeaderLen() >= TCPLen:
		return TinyFragment
	}
	return f
}

// leaveForeignICMP takes the ICMP of the other family for no transport at all.
func (h *place) leaveForeignICMP() {
	if h.proto == ProtoICMP && !h.v4 || h.proto == ProtoICMPv6 && h.v4 {
		h.proto = extNone
	}
}

// locate finds the transport checksum, the ICMP role, and ports or an ICMP query's
// identifier, which it reads into f. Of a quoted packet, which is cut short, the
// checksum may not be there.
func (h *place) locate(f *Flow) {
	l4, t := h.l4, h.b[h.l4:]
	switch h.proto {
	case ProtoUDP, ProtoTCP:
		h.sum = l4 + 6
		if h.proto == ProtoTCP {
			h.sum = l4 + 16
		}
		h.srcPort, h.dstPort = l4, l4+2
		f.SrcPort, f.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	case ProtoICMP, ProtoICMPv6:
		h.sum = l4 + 2
		switch h.role = roleOf(h.proto, t[0]); h.role {
		case roleRequest:
			h.srcPort, f.SrcPort = l4+4, ICMP(t).ID()
		case roleReply:
			h.dstPort, f.DstPort = l4+4, ICMP(t).ID()
		}
	}
	if int(h.sum)+2 > len(h.b) {
		h.sum = 0
	}
}

// Bytes returns the packet from its first header byte to its last byte. They are
// the Packet's own: valid until the Packet is read anew.
func (p *Packet) Bytes() []byte { return p.at.b }

// Len returns the packet's length with its IP header, in bytes.
func (p *Packet) Len() int { return len(p.at.b) }

// Is4 reports whether the packet is IPv4.
func (p *Packet) Is4() bool { return p.at.v4 }

// TTL returns the time to live, or hop limit, in hops.
func (p *Packet) TTL() uint8 {
	if p.at.v4 {
		return p.at.b[8]
	}
	return p.at.b[7]
}

// Transport returns the bytes from the transport header on; nil for a later
// fragment. They are the Packet's own.
func (p *Packet) Transport() []byte {
	if p.at.l4 == 0 {
		return nil
	}
	return p.at.b[p.at.l4:]
}

// IsPlain reports whether the packet is what most are: IPv4 without options, whole, UDP
// or TCP.
func (p *Packet) IsPlain() bool { return p.at.plain }

// IsRequest reports whether the packet is an ICMP query that asks, such as echo.
func (p *Packet) IsRequest() bool { return p.at.role == roleRequest }

// IsReply reports whether the packet is an ICMP query's answer, such as echo reply.
func (p *Packet) IsReply() bool { return p.at.role == roleReply }

// IsError reports whether the packet is an ICMP error, which quotes another packet.
func (p *Packet) IsError() bool { return p.at.role == roleError }

// HasPorts reports whether the packet has what a NAPT can translate: TCP or UDP
// ports or an ICMP query identifier (RFC 3022 section 2.2).
func (p *Packet) HasPorts() bool { return p.at.hasPorts() }

func (h *place) hasPorts() bool { return h.srcPort|h.dstPort != 0 }

// VerifyChecksum returns [BadChecksum] where a whole packet's transport checksum
// is wrong, or absent from UDP over IPv6 (RFC 8200 section 8.1). A fragment's
// can't be verified, nor that of other protocols, nor that of a packet whose
// routing header has segments left, for its final destination is not Dst: nil.
// It does not allocate.
func (p *Packet) VerifyChecksum() error {
	if p.Fragment != Whole || p.at.sum == 0 || p.at.routed {
		return nil
	}
	t := p.at.b[p.at.l4:]
	var acc uint64
	if p.at.proto != ProtoICMP {
		acc = pseudo(p.Flow.Src, p.Flow.Dst, p.at.proto, len(t))
	}
	if p.at.proto == ProtoUDP {
		u := UDP(t)
		if u.Checksum() == 0 && p.at.v4 {
			return nil
		}
		if u.Checksum() == 0 {
			return BadChecksum
		}
		t = t[:u.Len()]
		acc = pseudo(p.Flow.Src, p.Flow.Dst, p.at.proto, len(t))
	}
	if fold(sum(t, acc)) != 0xffff {
		return BadChecksum
	}
	return nil
}
