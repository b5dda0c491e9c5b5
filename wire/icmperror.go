package wire

// The longest ICMP errors, with their IP header, in bytes. An error quotes as much
// of the packet as it holds (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4(c));
// Linux sends the same.
const (
	MaxICMPError   = 576
	MaxICMPv6Error = 1280
)

// AppendICMPError appends to b the ICMP error about p, of p's family, that goes back
// to p's source from h.Src; h.Dst is not looked at. It quotes p from its IP header
// on, as it stands now, up to [MaxICMPError] or [MaxICMPv6Error]. rest is the four
// bytes behind the checksum: an MTU, a pointer, or 0. Whether an error may be sent is
// for [Packet.AllowsError] to say. It panics where h.Src is not of p's family.
func AppendICMPError(b []byte, h Header, typ, code uint8, rest uint32, p *Packet) []byte {
	h.Dst = p.Flow.Src
	room := MaxICMPv6Error - IPv6Len - ICMPLen
	if p.at.v4 {
		room = MaxICMPError - IPv4Len - ICMPLen
	}
	quote := p.Bytes()
	return AppendICMP(b, h, typ, code, rest, quote[:min(room, len(quote))])
}

// AllowsError reports whether an ICMP error of the given type and code may be sent
// about p: not about ICMP errors, redirects, group addresses, sources that are no
// single host and, with IPv4, later fragments (RFC 1122 section 3.2.2, RFC 1812
// section 4.3.2.7, RFC 4443 section 2.4(e)). An ICMPv4 message that is no query may be
// an error, so none is sent about it; and sources of class E and of 0/8 but 0.0.0.0
// are hosts, which RFC 1122 did not expect them to be: both as Linux has it. What bytes
// don't tell the caller has to: broadcasts of a subnet, frames to a group, anycast
// sources, rate limits (RFC 4443 section 2.4(f)). It does not allocate.
func (p *Packet) AllowsError(typ, code uint8) bool {
	if p.at.v4 {
		return p.allowsError4()
	}
	tellsGroup := typ == ICMPv6TooBig || typ == ICMPv6Parameter && code == V6UnrecognizedOption
	switch {
	case p.IsError(), p.at.proto == ProtoICMPv6 && p.Type == ICMPv6Redirect:
		return false
	case p.Flow.Dst.IsMulticast() && !tellsGroup:
		return false
	}
	return p.Flow.Src.IsValid() && !p.Flow.Src.IsMulticast()
}

func (p *Packet) allowsError4() bool {
	switch {
	case p.Fragment == LaterFragment, p.at.proto == ProtoICMP && !p.IsRequest() && !p.IsReply():
		return false
	case p.Flow.Dst.IsMulticast(), p.Flow.Dst.V4() == 0xffffffff:
		return false
	}
	return isHost4(p.Flow.Src.V4())
}

// isHost4 reports whether an IPv4 address can be one host's: neither 0.0.0.0, nor
// loopback, nor a group's, nor the broadcast.
func isHost4(v uint32) bool {
	return v != 0 && v != 0xffffffff && v>>24 != 127 && v>>28 != 0xe
}
