package wire

import "strconv"

// Proto is an IP protocol number (IANA; IPv4's Protocol, IPv6's last Next Header).
type Proto uint8

// The protocols that vpcsim reads beyond the IP header.
const (
	ProtoICMP   Proto = 1
	ProtoTCP    Proto = 6
	ProtoUDP    Proto = 17
	ProtoGRE    Proto = 47
	ProtoICMPv6 Proto = 58
)

// String returns the protocol's usual name, or its number.
func (p Proto) String() string {
	switch p {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoGRE:
		return "gre"
	case ProtoICMPv6:
		return "icmpv6"
	}
	return strconv.Itoa(int(p))
}

// Flow is what identifies one direction of a conversation. It is comparable and
// holds no pointer, so it is its own map key, for IPv4 and IPv6 alike.
//
// The ports are TCP's and UDP's. The identifier of an ICMP query (RFC 792 echo
// and timestamp, RFC 4443 echo) stands as SrcPort in a request and as DstPort in
// its reply, so that the reply's flow is the request's Reverse. Other protocols,
// ICMP errors and fragments after the first have no ports: both are 0.
type Flow struct {
	Src, Dst         Addr
	SrcPort, DstPort uint16
	Proto            Proto
}

// Reverse returns the flow of the answers to f.
func (f Flow) Reverse() Flow {
	return Flow{f.Dst, f.Src, f.DstPort, f.SrcPort, f.Proto}
}

// String returns "10.0.0.11:4000 > 10.0.1.55:53 udp", without ports where there
// are none, IPv6 addresses in brackets before a port. It allocates.
func (f Flow) String() string {
	var b []byte
	b = appendEnd(b, f.Src, f.SrcPort, f.hasPorts())
	b = append(b, " > "...)
	b = appendEnd(b, f.Dst, f.DstPort, f.hasPorts())
	b = append(b, ' ')
	return string(append(b, f.Proto.String()...))
}

func (f Flow) hasPorts() bool { return f.Proto == ProtoTCP || f.Proto == ProtoUDP }

func appendEnd(b []byte, a Addr, port uint16, show bool) []byte {
	switch {
	case !show:
		if f := a.Netip(); f.IsValid() {
			return f.AppendTo(b)
		}
		return append(b, "invalid IP"...)
	case a.Is4():
		b = a.Netip().AppendTo(b)
	default:
		b = append(b, '[')
		b = append(b, a.String()...)
		b = append(b, ']')
	}
	b = append(b, ':')
	return strconv.AppendUint(b, uint64(port), 10)
}
