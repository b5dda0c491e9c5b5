package capture

import (
	"encoding/binary"
	"fmt"

	"github.com/vpcsim/vpcsim/wire"
)

// icmp4 prints an ICMPv4 message (RFC 792). One that is cut short is not printed
// in part: the text is made first.
func (l *line) icmp4(d *datagram) {
	m := d.b
	if len(m) < 2 {
		l.cut("icmp")
		return
	}
	text, ok := "", true
	switch m[0] {
	case wire.ICMPUnreachable:
		text, ok = l.unreachable(m)
	case wire.ICMPRedirect:
		text, ok = l.redirect(m)
	case wire.ICMPTimeExceeded:
		text, ok = timeExceeded(m[1]), len(m) >= quotedEnd
	default:
		text, ok = query(m)
	}
	if !ok {
		l.cut("icmp")
		return
	}
	l.printf("ICMP %s, length %d", text, d.n)
}

// quotedEnd is where the destination address of a quoted IPv4 header ends.
const quotedEnd = wire.ICMPLen + wire.IPv4Len

// unreachableText says what an unreachable destination's code says; %s is the
// quoted destination (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1).
var unreachableText = map[uint8]string{
	0:  "net %s unreachable",
	1:  "host %s unreachable",
	5:  "%s unreachable - source route failed",
	6:  "net %s unreachable - unknown",
	7:  "host %s unreachable - unknown",
	8:  "%s unreachable - source host isolated",
	9:  "net %s unreachable - admin prohibited",
	10: "host %s unreachable - admin prohibited",
	11: "net %s unreachable - tos prohibited",
	12: "host %s unreachable - tos prohibited",
	13: "host %s unreachable - admin prohibited filter",
	14: "host %s unreachable - host precedence violation",
	15: "host %s unreachable - precedence cutoff",
}

func (l *line) unreachable(m wire.ICMP) (string, bool) {
	if len(m) < quotedEnd {
		return "", false
	}
	q := m.Payload()
	dst := l.addr4(q[16:20])
	if text, ok := unreachableText[m.Code()]; ok {
		return fmt.Sprintf(text, dst), true
	}
	switch m.Code() {
	case wire.ProtoUnreachable:
		return fmt.Sprintf("%s protocol %d unreachable", dst, q[9]), true
	case wire.PortUnreachable:
		return l.portUnreachable(q, dst)
	case wire.FragNeeded:
		if mtu := binary.BigEndian.Uint16(m[6:]); mtu != 0 {
			return fmt.Sprintf("%s unreachable - need to frag (mtu %d)", dst, mtu), true
		}
		return dst + " unreachable - need to frag", true
	}
	return fmt.Sprintf("%s unreachable - #%d", dst, m.Code()), true
}

func (l *line) portUnreachable(q []byte, dst string) (string, bool) {
	at := wire.IPv4(q).HeaderLen() + 2
	if len(q) < at+2 {
		return "", false
	}
	port := binary.BigEndian.Uint16(q[at:])
	switch p := wire.IPv4(q).Proto(); p {
	case wire.ProtoTCP, wire.ProtoUDP:
		return fmt.Sprintf("%s %s port %s unreachable", dst, p, l.port(p, port)), true
	default:
		return fmt.Sprintf("%s protocol %d port %d unreachable", dst, p, port), true
	}
}

func (l *line) redirect(m wire.ICMP) (string, bool) {
	if len(m) < quotedEnd {
		return "", false
	}
	dst, gateway := l.addr4(m.Payload()[16:20]), l.addr4(m[4:8])
	texts := [...]string{"redirect %s to net %s", "redirect %s to host %s", "redirect-tos %s to net %s", "redirect-tos %s to host %s"}
	if int(m.Code()) < len(texts) {
		return fmt.Sprintf(texts[m.Code()], dst, gateway), true
	}
	return fmt.Sprintf("redirect-#%d %s to %s", m.Code(), dst, gateway), true
}

func timeExceeded(code uint8) string {
	switch code {
	case 0:
		return "time exceeded in-transit"
	case 1:
		return "ip reassembly time exceeded"
	}
	return fmt.Sprintf("time exceeded-#%d", code)
}

// query returns the text of a message that quotes no packet.
func query(m wire.ICMP) (text string, ok bool) {
	whole := len(m) >= wire.ICMPLen
	switch m.Type() {
	case wire.ICMPEcho, wire.ICMPEchoReply:
		if !whole {
			return "", false
		}
		what := "request"
		if m.Type() == wire.ICMPEchoReply {
			what = "reply"
		}
		return fmt.Sprintf("echo %s, id %d, seq %d", what, m.ID(), m.Seq()), true
	case wire.ICMPTimestamp:
		if !whole {
			return "", false
		}
		return fmt.Sprintf("time stamp query id %d seq %d", m.ID(), m.Seq()), true
	case wire.ICMPTimestampReply:
		return timestampReply(m)
	case wire.ICMPAddressMaskBack:
		if len(m) < wire.ICMPLen+4 {
			return "", false
		}
		return fmt.Sprintf("address mask is 0x%08x", binary.BigEndian.Uint32(m.Payload())), true
	case wire.ICMPParameter:
		if m.Code() != 0 {
			return fmt.Sprintf("parameter problem - code %d", m.Code()), true
		}
		if len(m) < 5 {
			return "", false
		}
		return fmt.Sprintf("parameter problem - octet %d", m[4]), true
	}
	if text := queryText[m.Type()]; text != "" {
		return text, true
	}
	return fmt.Sprintf("type-#%d", m.Type()), true
}

var queryText = map[uint8]string{
	wire.ICMPSourceQuench:    "source quench",
	10:                       "router solicitation", // RFC 1256
	wire.ICMPInformation:     "information request",
	wire.ICMPInformationBack: "information reply",
	wire.ICMPAddressMask:     "address mask request",
}

func timestampReply(m wire.ICMP) (string, bool) {
	if len(m) < wire.ICMPLen+12 {
		return "", false
	}
	t := m.Payload()
	return fmt.Sprintf("time stamp reply id %d seq %d: org %s, recv %s, xmit %s", m.ID(), m.Seq(),
		midnight(t), midnight(t[4:]), midnight(t[8:])), true
}

// midnight prints the milliseconds since midnight UTC that ICMP's timestamps count.
func midnight(b []byte) string {
	ms := binary.BigEndian.Uint32(b)
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}
