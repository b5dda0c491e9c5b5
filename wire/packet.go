package wire

import "encoding/binary"

// Fragment says which part of a datagram a packet is (RFC 791 section 3.2, RFC
// 8200 section 4.5).
type Fragment uint8

// The parts. A packet that is no fragment is Whole.
const (
	Whole Fragment = iota
	FirstFragment
	LaterFragment
)

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
	b     []byte // from the first byte of the IP header
	l4    uint16 // the transport header, 0 where it can't be read
	sum   uint16 // the transport checksum, 0 where there is none
	proto Proto
	role  icmpRole
	v4    bool
}

// Read takes b, which begins with an IP header, for the packet's bytes and reads
// the facts out. Bytes behind the packet's own length are left off. It returns a
// [Fault], and then the Packet is the zero Packet. Transport checksums are not
// looked at: routers don't; see [Packet.VerifyChecksum]. It does not allocate.
func (p *Packet) Read(b []byte) error {
	*p = Packet{}
	f := p.read(b)
	if f == NoFault {
		return nil
	}
	*p = Packet{}
	return f
}

func (p *Packet) read(b []byte) Fault {
	if len(b) == 0 {
		return ShortHeader
	}
	switch b[0] >> 4 {
	case 4:
		return p.read4(b)
	case 6:
		return p.read6(b)
	}
	return NoIPVersion
}

func (p *Packet) read4(b []byte) Fault {
	h := IPv4(b)
	if err := h.Check(); err != nil {
		return err.(Fault)
	}
	b = b[:h.TotalLen():h.TotalLen()]
	p.at = place{b: b, proto: h.Proto(), v4: true}
	p.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: h.Proto()}
	f := p.readFragment(h.FragmentOffset(), h.MoreFragments(), len(b)-h.HeaderLen())
	if f != NoFault {
		return f
	}
	return p.readTransport(h.HeaderLen())
}

func (p *Packet) read6(b []byte) Fault {
	h := IPv6(b)
	if err := h.Check(); err != nil {
		return err.(Fault)
	}
	end := IPv6Len + h.PayloadLen()
	b = b[:end:end]
	p.at = place{b: b}
	l4, f := p.walkExtensions(h.NextHeader(), false)
	if f != NoFault {
		return f
	}
	p.Flow = Flow{Src: h.Src(), Dst: h.Dst(), Proto: p.at.proto}
	return p.readTransport(l4)
}

// The IPv6 extension headers that are walked (IANA protocol numbers).
const (
	extHopByHop    Proto = 0
	extRouting     Proto = 43
	extFragment    Proto = 44
	extAuth        Proto = 51
	extNone        Proto = 59
	extDestination Proto = 60
)

// walkExtensions finds the upper-layer header and, on its way, the fragment header.
// A quoted packet may end anywhere: a fragment's length says nothing there.
func (p *Packet) walkExtensions(next Proto, quoted bool) (l4 int, f Fault) {
	b, l4 := p.at.b, IPv6Len
	for range MaxExtensions + 1 {
		n := 0
		switch next {
		case extHopByHop, extRouting, extDestination, extAuth, extFragment:
			if len(b) < l4+8 {
				return 0, BadExtension
			}
			n = extensionLen(next, b[l4+1])
		default:
			p.at.proto = next
			return l4, NoFault
		}
		if len(b) < l4+n {
			return 0, BadExtension
		}
		if next == extFragment {
			word, length := binary.BigEndian.Uint16(b[l4+2:]), len(b)-l4-n
			if quoted {
				length = 0
			}
			f := p.readFragment(int(word&^7), word&1 != 0, length)
			if f != NoFault {
				return 0, f
			}
		}
		next, l4 = Proto(b[l4]), l4+n
		if p.Fragment == LaterFragment {
			p.at.proto = next
			return l4, NoFault
		}
	}
	return 0, BadExtension
}

// extensionLen returns an extension header's length in bytes from its length
// field, which counts units of 8 behind the first 8, or, for authentication
// (RFC 4302), units of 4 behind the first 8.
func extensionLen(p Proto, field byte) int {
	switch p {
	case extFragment:
		return 8
	case extAuth:
		return (int(field) + 2) * 4
	}
	return (int(field) + 1) * 8
}

func (p *Packet) readFragment(offset int, more bool, length int) Fault {
	switch {
	case offset+length > 65535, more && length%8 != 0:
		return BadFragment
	case offset > 0:
		p.Fragment = LaterFragment
	case more:
		p.Fragment = FirstFragment
	}
	return NoFault
}

// readTransport reads the ports or the ICMP type of the header at l4.
func (p *Packet) readTransport(l4 int) Fault {
	p.at.l4 = uint16(l4)
	if p.Fragment == LaterFragment {
		p.at.l4 = 0
		return NoFault
	}
	f := p.checkTransport(p.at.b[l4:])
	if f != NoFault {
		if p.Fragment == FirstFragment && f == ShortTransport {
			return TinyFragment
		}
		return f
	}
	p.at.locate(len(p.at.b))
	p.at.readPorts(&p.Flow)
	switch p.at.proto {
	case ProtoTCP:
		p.Flags = TCP(p.at.b[l4:]).Flags()
	case ProtoICMP, ProtoICMPv6:
		p.Type, p.Code = p.at.b[l4], p.at.b[l4+1]
	}
	return NoFault
}

// checkTransport says whether t holds the header that the protocol needs. The
// lengths of a first fragment speak of the whole datagram and can't be held to it.
func (p *Packet) checkTransport(t []byte) Fault {
	var err error
	switch p.at.proto {
	case ProtoTCP:
		err = TCP(t).Check()
	case ProtoUDP:
		if len(t) < UDPLen {
			return ShortTransport
		}
		if p.Fragment == Whole {
			err = UDP(t).Check()
		}
	case ProtoICMP, ProtoICMPv6:
		err = ICMP(t).Check()
	}
	if err == nil {
		return NoFault
	}
	return err.(Fault)
}

// locate finds the transport checksum and the ICMP role where n bytes of the
// packet are there (a quoted packet is cut short).
func (h *place) locate(n int) {
	at := 0
	switch h.proto {
	case ProtoTCP:
		at = int(h.l4) + 16
	case ProtoUDP:
		at = int(h.l4) + 6
	case ProtoICMP, ProtoICMPv6:
		at = int(h.l4) + 2
		h.role = roleOf(h.proto, h.b[h.l4])
	}
	if at+2 <= n {
		h.sum = uint16(at)
	}
}

// readPorts reads ports, or an ICMP query's identifier, into f.
func (h *place) readPorts(f *Flow) {
	t := h.b[h.l4:]
	switch h.proto {
	case ProtoTCP, ProtoUDP:
		f.SrcPort, f.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	case ProtoICMP, ProtoICMPv6:
		switch h.role {
		case roleRequest:
			f.SrcPort = ICMP(t).ID()
		case roleReply:
			f.DstPort = ICMP(t).ID()
		}
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

// IsRequest reports whether the packet is an ICMP query that asks, such as echo.
func (p *Packet) IsRequest() bool { return p.at.role == roleRequest }

// IsReply reports whether the packet is an ICMP query's answer, such as echo reply.
func (p *Packet) IsReply() bool { return p.at.role == roleReply }

// IsError reports whether the packet is an ICMP error, which quotes another packet.
func (p *Packet) IsError() bool { return p.at.role == roleError }

// HasPorts reports whether the packet has what a NAPT can translate: TCP or UDP
// ports or an ICMP query identifier (RFC 3022 section 2.2).
func (p *Packet) HasPorts() bool { return p.at.hasPorts() }

func (h *place) hasPorts() bool {
	if h.l4 == 0 {
		return false
	}
	return h.proto == ProtoTCP || h.proto == ProtoUDP || h.role == roleRequest || h.role == roleReply
}

// VerifyChecksum returns [BadChecksum] where a whole packet's transport checksum
// is wrong, or absent from UDP over IPv6 (RFC 8200 section 8.1). A fragment's
// can't be verified, nor that of other protocols: nil. It does not allocate.
func (p *Packet) VerifyChecksum() error {
	if p.Fragment != Whole || p.at.sum == 0 {
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
