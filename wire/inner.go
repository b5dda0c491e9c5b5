package wire

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
// fragment is quoted without ports. The quoted lengths and the quoted header's
// checksum are not looked at: the packet may have come cut or changed. What a
// first fragment of an error quotes may go on in the next fragment, where no Set
// method reaches. It does not allocate.
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
	in.at = place{b: q, l4: uint16(h.HeaderLen()), frag: fragmentWord4, proto: h.Proto(), v4: true}
	in.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: h.Proto()}
	in.Fragment = in.at.part()
	in.readTransport()
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
	in.at = place{b: q}
	part, f := in.at.walkExtensions(h.NextHeader())
	if f != NoFault || part != LaterFragment && len(q) < int(in.at.l4)+8 {
		return false
	}
	in.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: in.at.proto}
	in.Fragment = part
	in.readTransport()
	return true
}

func (in *Inner) readTransport() {
	if in.Fragment == LaterFragment {
		in.at.l4 = 0
		return
	}
	in.at.leaveForeignICMP()
	in.at.locate(&in.Flow)
}

// SetSrc changes the quoted packet's source as [Packet.SetSrc] does a packet's.
func (in *Inner) SetSrc(a Addr, port uint16) {
	before := fold(sum(in.at.b, 0))
	in.at.setSrc(&in.Flow, a, port)
	in.patchOuter(before)
}

// SetDst changes the quoted packet's destination as [Packet.SetDst] does a packet's.
func (in *Inner) SetDst(a Addr, port uint16) {
	before := fold(sum(in.at.b, 0))
	in.at.setDst(&in.Flow, a, port)
	in.patchOuter(before)
}

// patchOuter brings the checksum of the error up to date, before being the sum of the
// quoted bytes as they were.
func (in *Inner) patchOuter(before uint16) {
	in.outer.at.patchTransport(uint64(Delta16(before, fold(sum(in.at.b, 0)))))
}

// HasPorts reports whether the quoted packet has ports or a query identifier.
func (in *Inner) HasPorts() bool { return in.at.hasPorts() }
