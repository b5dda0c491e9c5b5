package wire

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// reading is what a parser made of bytes: ours or a peer's.
type reading struct {
	ok       bool
	flow     Flow
	part     Fragment
	offset   int
	ttl      uint8
	flags    TCPFlags
	typ      uint8
	code     uint8
	checksum bool // of the transport of a whole packet: right, or not to be judged
}

// ourReading reads b with [Packet.Read].
func ourReading(b []byte) (reading, error) {
	var p Packet
	if err := p.Read(b); err != nil {
		return reading{}, err
	}
	return reading{
		ok: true, flow: p.Flow, part: p.Fragment, offset: p.FragmentOffset(), ttl: p.TTL(),
		flags: p.Flags, typ: p.Type, code: p.Code, checksum: p.VerifyChecksum() == nil,
	}, nil
}

func (r *reading) setPart(offset int, more bool) {
	r.offset = offset
	switch {
	case offset > 0:
		r.part = LaterFragment
	case more:
		r.part = FirstFragment
	}
}

// setQuery puts an ICMP identifier where Flow has it; which types have one is ours to say.
func (r *reading) setQuery(t []byte) {
	r.typ, r.code = t[0], t[1]
	switch id := uint16(t[4])<<8 | uint16(t[5]); roleOf(r.flow.Proto, r.typ) {
	case roleRequest:
		r.flow.SrcPort = id
	case roleReply:
		r.flow.DstPort = id
	}
}

// gvisorReading reads b with gVisor's header package, in the way its stack does.
func gvisorReading(b []byte) reading {
	switch header.IPVersion(b) {
	case header.IPv4Version:
		return gvisorIPv4(b)
	case header.IPv6Version:
		return gvisorIPv6(b)
	}
	return reading{}
}

func gvisorIPv4(b []byte) (r reading) {
	h := header.IPv4(b)
	if !h.IsValid(len(b)) || !h.IsChecksumValid() {
		return r
	}
	src, dst := h.SourceAddress(), h.DestinationAddress()
	r.flow = Flow{Src: AddrFrom4(src.As4()), Dst: AddrFrom4(dst.As4()), Proto: Proto(h.Protocol())}
	r.ttl = h.TTL()
	r.setPart(int(h.FragmentOffset()), h.More())
	r.gvisorTransport(h.Payload(), src, dst, header.IPv4ProtocolNumber)
	return r
}

func gvisorIPv6(b []byte) (r reading) {
	h := header.IPv6(b)
	if !h.IsValid(len(b)) {
		return r
	}
	src, dst := h.SourceAddress(), h.DestinationAddress()
	r.flow = Flow{Src: AddrFrom16(src.As16()), Dst: AddrFrom16(dst.As16())}
	r.ttl = h.HopLimit()
	payload := b[40 : 40+int(h.PayloadLength())]
	it := header.MakeIPv6PayloadIterator(header.IPv6ExtensionHeaderIdentifier(h.NextHeader()), buffer.MakeWithData(payload))
	defer it.Release()
	for {
		next, done, err := it.Next()
		if err != nil {
			return r
		}
		if done { // only "no next header" ends the headers so
			r.flow.Proto, r.ok, r.checksum = extNone, true, true
			return r
		}
		switch e := next.(type) {
		case header.IPv6FragmentExtHdr:
			r.setPart(int(e.FragmentOffset())*8, e.More())
		case header.IPv6RawPayloadHeader:
			r.flow.Proto = Proto(e.Identifier)
			r.gvisorTransport(e.Buf.Flatten(), src, dst, header.IPv6ProtocolNumber)
			e.Release()
			return r
		}
		next.Release()
	}
}

// gvisorTransport reads the transport header as gVisor's transport layers do, which
// see whole packets only: of a first fragment it asks for the header.
func (r *reading) gvisorTransport(t []byte, src, dst tcpip.Address, net tcpip.NetworkProtocolNumber) {
	r.ok, r.checksum = true, true
	if r.part == LaterFragment {
		return
	}
	whole := r.part == Whole
	switch {
	case r.flow.Proto == ProtoTCP:
		if r.ok = len(t) >= header.TCPMinimumSize; !r.ok {
			return
		}
		h := header.TCP(t)
		sum := func() uint16 { return checksum.Checksum(t[h.DataOffset():], 0) }
		size := uint16(len(t) - int(h.DataOffset()))
		_, right, ok := header.TCPValid(h, sum, size, src, dst, false)
		r.ok, r.checksum = ok, right || !whole
		r.flow.SrcPort, r.flow.DstPort, r.flags = h.SourcePort(), h.DestinationPort(), TCPFlags(h.Flags())
	case r.flow.Proto == ProtoUDP:
		if r.ok = len(t) >= header.UDPMinimumSize; !r.ok {
			return
		}
		h := header.UDP(t)
		sum := func() uint16 { return checksum.Checksum(t[8:h.Length()], 0) }
		ok, right := header.UDPValid(h, sum, uint16(len(t)-8), net, src, dst, !whole)
		r.ok, r.checksum = ok || !whole && h.Length() >= 8, right || !whole
		r.flow.SrcPort, r.flow.DstPort = h.SourcePort(), h.DestinationPort()
	case r.flow.Proto == ProtoICMP && net == header.IPv4ProtocolNumber:
		if r.ok = len(t) >= header.ICMPv4MinimumSize; !r.ok {
			return
		}
		h := header.ICMPv4(t[:8])
		r.checksum = !whole || h.Checksum() == header.ICMPv4Checksum(h, checksum.Checksum(t[8:], 0))
		r.setQuery(t)
	case r.flow.Proto == ProtoICMPv6 && net == header.IPv6ProtocolNumber:
		if r.ok = len(t) >= header.ICMPv6MinimumSize; !r.ok {
			return
		}
		h := header.ICMPv6(t[:8])
		r.checksum = !whole || h.Checksum() == header.ICMPv6Checksum(header.ICMPv6ChecksumParams{
			Header: h, Src: src, Dst: dst, PayloadCsum: checksum.Checksum(t[8:], 0), PayloadLen: len(t) - 8,
		})
		r.setQuery(t)
	}
}

// truncation takes note where gopacket finds bytes missing.
type truncation bool

func (t *truncation) SetTruncated() { *t = true }

// gopacketReading reads b with gopacket's layers, one by one. It judges no checksum.
func gopacketReading(b []byte) (r reading) {
	var cut truncation
	r.checksum = true
	if len(b) == 0 {
		return r
	}
	switch b[0] >> 4 {
	case 4:
		var h layers.IPv4
		if h.DecodeFromBytes(b, &cut) != nil {
			return r
		}
		r.flow = Flow{Src: AddrFrom4([4]byte(h.SrcIP)), Dst: AddrFrom4([4]byte(h.DstIP)), Proto: Proto(h.Protocol)}
		r.ttl = h.TTL
		r.setPart(int(h.FragOffset)*8, h.Flags&layers.IPv4MoreFragments != 0)
		r.gopacketTransport(h.Payload, &cut, layers.IPProtocolICMPv4)
	case 6:
		var h layers.IPv6
		if h.DecodeFromBytes(b, &cut) != nil {
			return r
		}
		r.flow = Flow{Src: AddrFrom16([16]byte(h.SrcIP)), Dst: AddrFrom16([16]byte(h.DstIP)), Proto: Proto(h.NextHeader)}
		r.ttl = h.HopLimit
		if h.HopByHop != nil {
			r.flow.Proto = Proto(h.HopByHop.NextHeader)
		}
		payload, ok := r.gopacketExtensions(h.Payload, &cut)
		if !ok {
			return r
		}
		r.gopacketTransport(payload, &cut, layers.IPProtocolICMPv6)
	}
	r.ok = r.ok && !bool(cut)
	return r
}

// gopacketExtensions walks to the upper layer.
func (r *reading) gopacketExtensions(t []byte, cut *truncation) ([]byte, bool) {
	for r.part != LaterFragment {
		switch layers.IPProtocol(r.flow.Proto) {
		case layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Destination:
			var e layers.IPv6ExtensionSkipper
			if e.DecodeFromBytes(t, cut) != nil {
				return nil, false
			}
			r.flow.Proto, t = Proto(e.NextHeader), e.Payload
		case layers.IPProtocolIPv6Fragment:
			f, ok := gopacket.NewPacket(t, layers.LayerTypeIPv6Fragment, gopacket.NoCopy).Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment)
			if !ok {
				return nil, false
			}
			r.flow.Proto, t = Proto(f.NextHeader), f.Payload
			r.setPart(int(f.FragmentOffset)*8, f.MoreFragments)
		case layers.IPProtocolAH:
			a, ok := gopacket.NewPacket(t, layers.LayerTypeIPSecAH, gopacket.NoCopy).Layer(layers.LayerTypeIPSecAH).(*layers.IPSecAH)
			if !ok {
				return nil, false
			}
			r.flow.Proto, t = Proto(a.NextHeader), a.Payload
		default:
			return t, true
		}
	}
	return t, true
}

// gopacketTransport reads the transport header. Of a first fragment gopacket's UDP
// finds bytes missing, as it must.
func (r *reading) gopacketTransport(t []byte, cut *truncation, icmp layers.IPProtocol) {
	r.ok = true
	if r.part == LaterFragment {
		return
	}
	switch layers.IPProtocol(r.flow.Proto) {
	case layers.IPProtocolTCP:
		var h layers.TCP
		r.ok = h.DecodeFromBytes(t, cut) == nil
		r.flow.SrcPort, r.flow.DstPort = uint16(h.SrcPort), uint16(h.DstPort)
		for i, set := range []bool{h.FIN, h.SYN, h.RST, h.PSH, h.ACK, h.URG, h.ECE, h.CWR} {
			if set {
				r.flags |= 1 << i
			}
		}
	case layers.IPProtocolUDP:
		var h layers.UDP
		before := *cut
		r.ok = h.DecodeFromBytes(t, cut) == nil
		if r.part == FirstFragment && len(t) >= 8 {
			*cut = before
		}
		r.flow.SrcPort, r.flow.DstPort = uint16(h.SrcPort), uint16(h.DstPort)
	case icmp:
		var v4 layers.ICMPv4
		var v6 layers.ICMPv6
		if icmp == layers.IPProtocolICMPv4 {
			r.ok = v4.DecodeFromBytes(t, cut) == nil
		} else {
			r.ok = v6.DecodeFromBytes(t, cut) == nil
		}
		if r.ok && len(t) >= 8 {
			r.setQuery(t)
		}
	}
}
