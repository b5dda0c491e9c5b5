package capture

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// Types of multicast listener discovery (RFC 2710, RFC 3810).
const (
	listenerQuery    uint8 = 130
	listenerReport   uint8 = 131
	listenerDone     uint8 = 132
	listenerReportV2 uint8 = 143
)

var icmp6Text = map[uint8]string{
	wire.ICMPv6Unreachable:           "destination unreachable",
	wire.ICMPv6TooBig:                "packet too big",
	wire.ICMPv6TimeExceeded:          "time exceeded in-transit",
	wire.ICMPv6Parameter:             "parameter problem",
	wire.ICMPv6Echo:                  "echo request",
	wire.ICMPv6EchoReply:             "echo reply",
	listenerQuery:                    "multicast listener query",
	listenerReport:                   "multicast listener report",
	listenerDone:                     "multicast listener done",
	wire.ICMPv6RouterSolicitation:    "router solicitation",
	wire.ICMPv6RouterAdvertisement:   "router advertisement",
	wire.ICMPv6NeighborSolicitation:  "neighbor solicitation",
	wire.ICMPv6NeighborAdvertisement: "neighbor advertisement",
	wire.ICMPv6Redirect:              "redirect",
	listenerReportV2:                 "multicast listener report v2",
}

// icmp6 prints an ICMPv6 message (RFC 4443, RFC 4861, RFC 2710, RFC 3810).
func (l *line) icmp6(d *datagram) {
	m := d.b
	if d.n == 0 {
		l.print("ICMP6, length 0 (invalid)")
		return
	}
	if len(m) < 1 {
		l.cut("icmp6")
		return
	}
	text, known := icmp6Text[m[0]]
	if known {
		l.print("ICMP6, " + text)
	} else {
		l.printf("ICMP6, unknown icmp6 type (%d)", m[0])
	}
	if len(m) < 2 {
		l.cut("icmp6")
		return
	}
	if !known {
		l.printf(", length %d", d.n)
		l.hex(m)
		return
	}
	switch l.icmp6Body(m, d.n) {
	case bodyCut:
		l.cut("icmp6")
	case bodyWhole:
		l.printf(", length %d", d.n)
	}
}

// body says how the text of an ICMPv6 message ended.
type body uint8

const (
	bodyCut   body = iota // the bytes are not all there
	bodyWhole             // its length is to follow
	bodyEnded             // nothing is to follow
)

func (l *line) icmp6Body(m wire.ICMP, n int) body {
	switch m.Type() {
	case wire.ICMPv6Unreachable:
		return l.unreachable6(m, n)
	case wire.ICMPv6TooBig:
		if len(m) < wire.ICMPLen {
			return bodyCut
		}
		l.printf(", mtu %d", m.MTU())
	case wire.ICMPv6TimeExceeded:
		return l.timeExceeded6(m)
	case wire.ICMPv6Parameter:
		return l.parameter6(m)
	case wire.ICMPv6Echo, wire.ICMPv6EchoReply:
		if len(m) < wire.ICMPLen {
			return bodyCut
		}
		l.printf(", id %d, seq %d", m.ID(), m.Seq())
	case wire.ICMPv6NeighborSolicitation:
		return l.target(m, ", who has ")
	case wire.ICMPv6NeighborAdvertisement:
		return l.target(m, ", tgt is ")
	case wire.ICMPv6Redirect:
		return l.redirect6(m)
	case listenerQuery, listenerReport, listenerDone, listenerReportV2:
		return l.listener(m, n)
	}
	return bodyWhole
}

// quoted6 returns the source and destination of the IPv6 header in an error.
func quoted6(m wire.ICMP) (src, dst []byte, ok bool) {
	if len(m) < wire.ICMPLen+wire.IPv6Len {
		return nil, nil, false
	}
	q := m.Payload()
	return q[8:24], q[24:40], true
}

func (l *line) unreachable6(m wire.ICMP, n int) body {
	texts := [...]string{", unreachable route", ",  unreachable prohibited", ", beyond scope", ", unreachable address", ", unreachable port"}
	if int(m.Code()) >= len(texts) {
		l.printf(", unknown unreach code (%d)", m.Code())
		l.hex(m[:min(n, len(m))])
		return bodyEnded
	}
	l.print(texts[m.Code()])
	if m.Code() == wire.V6PortUnreachable {
		return l.portUnreachable6(m)
	}
	src, dst, ok := quoted6(m)
	if !ok {
		return bodyCut
	}
	l.print(" " + l.addr6(dst))
	if m.Code() == 2 {
		l.print(", source address " + l.addr6(src))
	}
	return bodyWhole
}

func (l *line) portUnreachable6(m wire.ICMP) body {
	_, dst, ok := quoted6(m)
	if !ok {
		return bodyCut
	}
	p, t, ok := upperOf(m.Payload())
	if !ok {
		return bodyCut
	}
	port := binary.BigEndian.Uint16(t[2:])
	l.printf(", %s %s port %s", l.addr6(dst), p, l.port(p, port))
	return bodyWhole
}

// upperOf finds the TCP or UDP header in a quoted IPv6 packet; false where there
// is another protocol or not enough of it.
func upperOf(q []byte) (p wire.Proto, t []byte, ok bool) {
	d := datagram{b: q[wire.IPv6Len:]}
	p = wire.IPv6(q).NextHeader()
	for {
		n := 0
		switch p {
		case wire.ProtoTCP, wire.ProtoUDP:
			return p, d.b, len(d.b) >= 4
		case protoHopByHop, protoDestination, protoRouting:
			n, ok = d.header()
		case protoFragment:
			n, ok = 8, len(d.b) >= 8 && binary.BigEndian.Uint16(d.b[2:])&^7 == 0
		case protoAuth:
			if len(d.b) >= 2 {
				n, ok = 4*(int(d.b[1])+2), len(d.b) >= 4*(int(d.b[1])+2)
			}
		default:
			return 0, nil, false
		}
		if !ok {
			return 0, nil, false
		}
		p, d.b = wire.Proto(d.b[0]), d.b[n:]
	}
}

func (l *line) timeExceeded6(m wire.ICMP) body {
	switch m.Code() {
	case 0:
		_, dst, ok := quoted6(m)
		if !ok {
			return bodyCut
		}
		l.print(" for " + l.addr6(dst))
	case 1:
		l.print(" (reassembly)")
	default:
		l.printf(", unknown code (%d)", m.Code())
	}
	return bodyWhole
}

func (l *line) parameter6(m wire.ICMP) body {
	if _, _, ok := quoted6(m); !ok {
		return bodyCut
	}
	texts := [...]string{"erroneous", "next header", "option", "incomplete header chain"}
	if int(m.Code()) < len(texts) {
		l.printf(", %s - octet %d", texts[m.Code()], binary.BigEndian.Uint32(m[4:]))
	} else {
		l.printf(", code-#%d", m.Code())
	}
	return bodyWhole
}

// target prints the address that neighbour discovery asks or tells about.
func (l *line) target(m wire.ICMP, text string) body {
	if len(m) < wire.ICMPLen+16 {
		return bodyCut
	}
	l.print(text + l.addr6(m[8:24]))
	return bodyWhole
}

func (l *line) redirect6(m wire.ICMP) body {
	if len(m) < wire.ICMPLen+32 {
		return bodyCut
	}
	l.print(", " + l.addr6(m[24:40]) + " to " + l.addr6(m[8:24]))
	return bodyWhole
}

// listener prints multicast listener discovery.
func (l *line) listener(m wire.ICMP, n int) body {
	const size, sizeV2 = 24, 28
	switch t := m.Type(); {
	case t == listenerReportV2 && n < wire.ICMPLen:
		l.printf(" [invalid len %d]", n)
	case t == listenerReportV2:
		if len(m) < wire.ICMPLen {
			return bodyCut
		}
		l.printf(", %d group record(s)", binary.BigEndian.Uint16(m[6:]))
	case t != listenerQuery || n == size:
		if len(m) < size {
			return bodyWhole
		}
		l.printf("max resp delay: %d addr: %s", binary.BigEndian.Uint16(m[4:]), l.addr6(m[8:24]))
	case n < sizeV2:
		l.printf(" unknown-version (len %d) ", n)
	default:
		return l.listenerQueryV2(m, n)
	}
	return bodyWhole
}

func (l *line) listenerQueryV2(m wire.ICMP, n int) body {
	l.print(" v2")
	if len(m) < 24 {
		return bodyCut
	}
	l.print(" [gaddr " + l.addr6(m[8:24]))
	if len(m) < 28 {
		return bodyCut
	}
	if sources := int(binary.BigEndian.Uint16(m[26:])); n < 28+16*sources {
		l.print(" [invalid number of sources]")
	} else if sources > 0 {
		l.printf(", %d source(s)", sources)
	}
	l.print("]")
	return bodyWhole
}
