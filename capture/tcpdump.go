package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Tcpdump prints frames as tcpdump 4.99.3 does at its default verbosity, byte for
// byte, without the line's end. It remembers the sequence numbers that a TCP
// connection began with, to print relative ones as tcpdump does: one Tcpdump for
// one capture. The zero Tcpdump is ready to use.
//
// Printed in full: ARP, IPv4 and IPv6 with their fragments and extension headers,
// packets within packets, TCP with its options, UDP, ICMPv4, ICMPv6 with
// neighbour and listener discovery, ESP, the request or status line of HTTP,
// unknown EtherTypes and protocols (with tcpdump's hex dump), truncated and
// malformed packets.
//
// Not dissected, where tcpdump does: the payload of UDP and TCP other than HTTP
// (the line ends at the length); the TCP options MPTCP, MD5, TCP-AO, CC echo
// and experimental ones (printed as unknown); the ICMPv4 router advertisement and
// ICMPv6 beyond RFC 4443, 4861, 2710 and 3810; IP protocols such as GRE, SCTP, AH
// and IGMP (printed as unknown ones are); LLC (likewise). VLAN tags are passed over
// in silence, in Linux's cooked captures too, and the interface of a cooked capture
// v2 is always "?".
type Tcpdump struct {
	// Base is the time of simulated time 0, printed in its own location. The zero
	// time is taken for 1970-01-01 00:00:00 UTC.
	Base time.Time
	// Stamp is how the time is printed.
	Stamp Stamp
	// Numeric is -n: addresses, ports and protocols are printed as numbers.
	Numeric bool
	// Names returns the name of an address, or "" where it has none: what tcpdump
	// asks the DNS. Nil is a resolver that knows no name.
	Names func(netip.Addr) string

	begun map[connection]sequence
}

// Stamp is a way to print a frame's time.
type Stamp uint8

// The ways to print the time.
const (
	StampClock Stamp = iota // HH:MM:SS.ffffff, tcpdump's default
	StampNone               // nothing: -t
	StampDate               // YYYY-MM-DD HH:MM:SS.ffffff: -tttt
)

// Line returns the line that tcpdump prints for f: several lines with a hex dump
// where f holds a protocol that nobody knows.
func (t *Tcpdump) Line(f Frame) string {
	switch {
	case f.wireLen() == 0:
		return "[Invalid header: caplen==0, len==0]"
	case len(f.Bytes) == 0:
		return "[Invalid header: caplen==0]"
	}
	l := line{t: t}
	at := base(t.Base).Add(f.At)
	switch t.Stamp {
	case StampClock:
		l.b = at.AppendFormat(l.b, "15:04:05.000000 ")
	case StampDate:
		l.b = at.AppendFormat(l.b, "2006-01-02 15:04:05.000000 ")
	}
	l.frame(f)
	return string(l.b)
}

// line is one line in the making.
type line struct {
	t *Tcpdump
	b []byte
}

func (l *line) print(s string) { l.b = append(l.b, s...) }

func (l *line) printf(format string, args ...any) { l.b = fmt.Appendf(l.b, format, args...) }

// cut ends a line where a protocol's bytes are not all there.
func (l *line) cut(protocol string) { l.printf(" [|%s]", protocol) }

// frame prints what stands behind the link header.
func (l *line) frame(f Frame) {
	b, n := f.Bytes, f.wireLen()
	switch f.Link.known() {
	case LinkEthernet:
		l.ethernet(b, n)
	case LinkLinuxSLL:
		l.cooked(b, n)
	case LinkLinuxSLL2:
		l.cooked2(b, n)
	case LinkRaw, LinkIPv4, LinkIPv6:
		l.raw(b, n)
	default:
		l.printf("[link type %s]", f.Link)
	}
}

func (l *line) raw(b []byte, n int) {
	switch rawType(b) {
	case wire.EtherTypeIPv4:
		l.ip4(b, n)
	case wire.EtherTypeIPv6:
		l.ip6(b, n)
	default:
		l.printf("unknown ip %d", b[0]>>4)
	}
}

func (l *line) ethernet(b []byte, n int) {
	if len(b) < wire.EthernetLen {
		l.cut("ether")
		return
	}
	e := wire.Ethernet(b)
	if !l.typed(e.Type(), e.Payload(), n-wire.EthernetLen) {
		l.printf("%s > %s, ", l.mac(e.Src()), l.mac(e.Dst()))
		l.unknown(Frame{Bytes: b}, n)
	}
}

// cooked prints a frame of Linux's cooked capture.
func (l *line) cooked(b []byte, n int) {
	if len(b) < sllLen {
		l.cut("sll")
		return
	}
	if l.typed(etherType(b[14:]), b[sllLen:], n-sllLen) {
		return
	}
	l.printf("%3s ", direction(binary.BigEndian.Uint16(b)))
	l.cookedMAC(int(binary.BigEndian.Uint16(b[4:])), b[6:])
	l.unknown(Frame{Link: LinkLinuxSLL, Bytes: b}, n)
}

// cooked2 prints a frame of Linux's cooked capture v2. It holds the number of an
// interface of the capturing machine, whose name only that machine knows.
func (l *line) cooked2(b []byte, n int) {
	if len(b) < sll2Len {
		l.cut("sll2")
		return
	}
	l.printf("%-5s %-3s ", "?", direction(uint16(b[10])))
	if l.typed(etherType(b), b[sll2Len:], n-sll2Len) {
		return
	}
	l.printf("ifindex %d ", binary.BigEndian.Uint32(b[4:]))
	l.cookedMAC(int(b[11]), b[12:])
	l.unknown(Frame{Link: LinkLinuxSLL2, Bytes: b}, n)
}

func (l *line) cookedMAC(length int, b []byte) {
	if length == len(wire.MAC{}) {
		l.print(l.mac(wire.MAC(b)) + " ")
	}
}

// direction names the packet type of Linux's cooked captures.
func direction(t uint16) string {
	names := [...]string{"In", "B", "M", "P", "Out"}
	if int(t) < len(names) {
		return names[t]
	}
	return "?"
}

// typed prints a payload of an EtherType, past VLAN tags; false where the type is
// not printed.
func (l *line) typed(t wire.EtherType, b []byte, n int) bool {
	for isVLAN(t) {
		if len(b) < vlanLen {
			l.cut("vlan")
			return true
		}
		t, b, n = etherType(b[2:]), b[vlanLen:], n-vlanLen
	}
	switch t {
	case wire.EtherTypeIPv4:
		l.ip4(b, n)
	case wire.EtherTypeIPv6:
		l.ip6(b, n)
	case wire.EtherTypeARP:
		l.arp(b, n)
	default:
		return false
	}
	return true
}

// unknown prints a frame that holds nothing known: its type, length and bytes.
func (l *line) unknown(f Frame, n int) {
	t, b, _ := f.Payload()
	l.printf("ethertype Unknown (0x%04x), length %d: ", uint16(t), n)
	l.dump(b)
}

// dump prints b in hexadecimal and ASCII, 16 bytes a line.
func (l *line) dump(b []byte) {
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		var hex, ascii []byte
		for i, c := range row {
			if i%2 == 0 {
				hex = append(hex, ' ')
			}
			hex = fmt.Appendf(hex, "%02x", c)
			if c <= ' ' || c > '~' {
				c = '.'
			}
			ascii = append(ascii, c)
		}
		l.printf("\n\t0x%04x: %-40s  %s", at, hex, ascii)
	}
}

// hex prints b in hexadecimal, 16 bytes a line.
func (l *line) hex(b []byte) {
	for i, c := range b {
		if i%16 == 0 {
			l.printf("\n\t0x%04x: ", i)
		}
		if i%2 == 0 {
			l.print(" ")
		}
		l.printf("%02x", c)
	}
}

// host returns an address as it is printed: its name, or its number.
func (l *line) host(a netip.Addr) string {
	if !l.t.Numeric && l.t.Names != nil {
		if s := l.t.Names(a); s != "" {
			return s
		}
	}
	return number(a)
}

func (l *line) addr4(b []byte) string { return l.host(netip.AddrFrom4([4]byte(b))) }

func (l *line) addr6(b []byte) string { return l.host(netip.AddrFrom16([16]byte(b))) }

// number returns an address as tcpdump writes it: as netip does, but an
// IPv4-compatible address (RFC 4291 section 2.5.5.1) ends in an IPv4 address.
func number(a netip.Addr) string {
	b := a.As16()
	if a.Is4() || b[12] == 0 && b[13] == 0 || [12]byte(b[:12]) != [12]byte{} {
		return a.String()
	}
	return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
}

// port returns a port as it is printed: its service's name, or its number.
func (l *line) port(p wire.Proto, n uint16) string {
	if !l.t.Numeric {
		if s := service(p, n); s != "" {
			return s
		}
	}
	return strconv.Itoa(int(n))
}

// protocol returns a protocol's name with its blank before it, or "ip-proto-" and
// its number.
func (l *line) protocol(p wire.Proto) string {
	if !l.t.Numeric && protocolNames[p] != "" {
		return " " + protocolNames[p]
	}
	return " ip-proto-" + strconv.Itoa(int(p))
}

// mac returns an Ethernet address as it is printed: with the maker's name, which
// is unknown for the locally administered addresses of ENIs, unless -n is on.
func (l *line) mac(m wire.MAC) string {
	switch {
	case l.t.Numeric:
		return m.String()
	case m[0] == 0 && m[1] == 0 && m[2] == 0:
		return m.String() + " (oui Ethernet)"
	}
	return m.String() + " (oui Unknown)"
}
