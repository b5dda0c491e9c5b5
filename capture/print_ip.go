package capture

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// The protocols that are printed beyond those of wire (IANA protocol numbers).
const (
	protoHopByHop    wire.Proto = 0
	protoIPv4        wire.Proto = 4
	protoDCCP        wire.Proto = 33
	protoIPv6        wire.Proto = 41
	protoRouting     wire.Proto = 43
	protoFragment    wire.Proto = 44
	protoESP         wire.Proto = 50
	protoNone        wire.Proto = 59
	protoDestination wire.Proto = 60
	protoSCTP        wire.Proto = 132
)

// hasPorts reports whether a protocol prints the addresses itself, with its ports.
func hasPorts(p wire.Proto) bool {
	return p == wire.ProtoTCP || p == wire.ProtoUDP || p == protoSCTP || p == protoDCCP
}

// datagram is what stands behind an IP header, and what printing it needs to know
// of that header.
type datagram struct {
	src, dst   string
	addrs      tuple      // src and dst as bytes, for TCP's connections
	next       wire.Proto // the protocol that the IP header itself names
	version    int
	fragmented bool
	b          []byte // as far as it was captured
	n          int    // as long as the headers say
	spare      int    // of that, what an IPv6 payload length of 0 leaves unsaid
}

// ends prints the addresses, with ports where there are any. With extension
// headers between IPv6 and the ports the addresses are printed already.
func (l *line) ends(d *datagram, p wire.Proto, src, dst uint16) {
	if d.next == p {
		l.printf("%s.%s > %s.%s: ", d.src, l.port(p, src), d.dst, l.port(p, dst))
		return
	}
	l.printf("%s > %s: ", l.port(p, src), l.port(p, dst))
}

// ip4 prints an IPv4 packet of n bytes of which b was captured.
func (l *line) ip4(b []byte, n int) {
	if len(b) == 0 {
		l.cut("ip")
		return
	}
	switch v := b[0] >> 4; {
	case v == 6:
		l.print("IP6, wrong link-layer encapsulation (invalid)")
		return
	case v != 4:
		l.printf("IP%d (invalid)", v)
		return
	}
	l.print("IP ")
	if len(b) < wire.IPv4Len {
		l.cut("ip")
		return
	}
	h := wire.IPv4(b)
	hlen, total := h.HeaderLen(), h.TotalLen()
	if hlen < wire.IPv4Len {
		l.printf("bad-hlen %d", hlen)
		return
	}
	if n < total {
		l.printf("truncated-ip - %d bytes missing! ", total-n)
	}
	if total < hlen {
		l.printf("bad-len %d", total)
		return
	}
	b = b[:min(total, len(b))]
	d := datagram{
		src: l.addr4(b[12:16]), dst: l.addr4(b[16:20]), addrs: tupleOf(b[12:16], b[16:20]),
		next: h.Proto(), version: 4, fragmented: h.MoreFragments(), n: total - hlen,
	}
	l.ip4Payload(h, d, b, hlen)
}

func (l *line) ip4Payload(h wire.IPv4, d datagram, b []byte, hlen int) {
	if h.FragmentOffset() != 0 {
		l.printf("%s > %s:%s", d.src, d.dst, l.protocol(d.next))
		return
	}
	if !hasPorts(d.next) {
		l.printf("%s > %s: ", d.src, d.dst)
	}
	if len(b) < hlen {
		l.printf(" [remaining caplen(%d) < header length(%d)]", len(b), hlen)
		l.cut("ip")
		return
	}
	d.b = b[hlen:]
	l.upper(&d, d.next)
}

// upper prints an upper-layer protocol.
func (l *line) upper(d *datagram, p wire.Proto) {
	switch p {
	case wire.ProtoTCP:
		l.tcp(d)
	case wire.ProtoUDP:
		l.udp(d)
	case wire.ProtoICMP:
		if d.version != 4 {
			l.print("[ICMP requires IPv4] (invalid)")
			return
		}
		l.icmp4(d)
	case wire.ProtoICMPv6:
		if d.version != 6 {
			l.print("[ICMPv6 requires IPv6] (invalid)")
			return
		}
		l.icmp6(d)
	case protoIPv4:
		l.ip4(d.b, d.n)
	case protoIPv6:
		l.ip6(d.b, d.n)
	case protoESP:
		l.esp(d)
	case protoNone:
		l.print("no next header")
	default:
		l.print(l.protocol(p))
		l.printf(" %d", d.n)
	}
}

// esp prints what is in the clear of IPsec's packets (RFC 4303).
func (l *line) esp(d *datagram) {
	if len(d.b) <= 8 { // nothing behind the two numbers
		l.cut("esp")
		return
	}
	spi, seq := binary.BigEndian.Uint32(d.b), binary.BigEndian.Uint32(d.b[4:])
	l.printf("ESP(spi=0x%08x,seq=0x%x), length %d", spi, seq, d.n)
}

// udp prints a UDP datagram (RFC 768).
func (l *line) udp(d *datagram) {
	if len(d.b) < 4 {
		if d.next == wire.ProtoUDP {
			l.printf("%s > %s: ", d.src, d.dst)
		}
		l.cut("udp")
		return
	}
	u := wire.UDP(d.b)
	l.ends(d, wire.ProtoUDP, u.SrcPort(), u.DstPort())
	switch {
	case d.n < wire.UDPLen:
		l.printf("truncated-udp %d", d.n)
		return
	case len(d.b) < 6:
		l.cut("udp")
		return
	case u.Len() < wire.UDPLen:
		l.printf("truncated-udplength %d", u.Len())
		return
	case len(d.b) < wire.UDPLen:
		l.cut("udp")
		return
	}
	said := u.Len() - wire.UDPLen
	if have := d.n - wire.UDPLen; said > have && !d.fragmented {
		l.printf("UDP, bad length %d > %d", said, have)
		return
	}
	l.printf("UDP, length %d", said)
}
