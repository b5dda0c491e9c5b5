package capture

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// ip6 prints an IPv6 packet of n bytes of which b was captured.
func (l *line) ip6(b []byte, n int) {
	if len(b) < wire.IPv6Len {
		l.cut("ip6")
		return
	}
	l.print("IP6 ")
	h := wire.IPv6(b)
	if v := b[0] >> 4; v != 6 {
		l.printf("version error: %d != 6", v)
		return
	}
	total, spare := wire.IPv6Len+h.PayloadLen(), 0
	switch {
	case h.PayloadLen() == 0:
		spare = n // a jumbogram's length, were there any; the bytes' end is the end
	case n < total:
		l.printf("truncated-ip6 - %d bytes missing!", total-n)
	}
	total += spare
	d := datagram{
		src: l.addr6(b[8:24]), dst: l.addr6(b[24:40]), addrs: tupleOf(b[8:24], b[24:40]),
		next: h.NextHeader(), version: 6, n: total - wire.IPv6Len, spare: spare,
		b: b[wire.IPv6Len:min(total, len(b))],
	}
	if !hasPorts(d.next) {
		l.printf("%s > %s: ", d.src, d.dst)
	}
	l.extensions(&d, h.PayloadLen())
}

// extensions prints the extension headers (RFC 8200 section 4) and what follows.
func (l *line) extensions(d *datagram, payload int) {
	p, found := d.next, false // of the options that must come first, and only once
	for any := false; ; any = true {
		n, more := 0, true
		switch p {
		case protoHopByHop:
			n, more = l.hopByHop(d, payload, found, any)
			found = true
		case protoDestination:
			n, more = l.destination(d)
		case protoFragment:
			n, more = l.fragment6(d)
		case protoRouting:
			n, more = l.routing(d)
		default:
			if payload == 0 {
				if any {
					l.cut("ip6")
					return
				}
				d.b, d.n = nil, 0
			}
			l.upper(d, p)
			return
		}
		if !more {
			return
		}
		if d.n < n {
			l.cut("ip6")
			return
		}
		p = wire.Proto(d.b[0])
		d.b, d.n = d.b[n:], d.n-n
	}
}

// header returns the length of an extension header that gives it in units of 8
// bytes; false where it was not captured whole.
func (d *datagram) header() (n int, ok bool) {
	if len(d.b) < 2 {
		return 0, false
	}
	n = 8 * (int(d.b[1]) + 1)
	return n, n <= len(d.b)
}

func (l *line) hopByHop(d *datagram, payload int, found, late bool) (n int, more bool) {
	switch {
	case found:
		l.print("[The Hop-by-Hop Options header was already found] (invalid)")
		return 0, false
	case late:
		l.print("[The Hop-by-Hop Options header don't follow the IPv6 header] (invalid)")
		return 0, false
	case len(d.b) < 2:
		l.cut("hbhopt")
		return 0, false
	}
	n, ok := d.header()
	if ok {
		l.print("HBH ")
		ok = optionsFit(d.b[2:n])
	}
	if !ok {
		l.cut("hbhopt")
	}
	if payload == 0 {
		l.print("[No valid Jumbo Payload Hop-by-Hop option found] (invalid)")
	}
	return n, ok && payload != 0
}

// optionsFit reports whether the options of RFC 8200 section 4.2 end where their
// header does.
func optionsFit(b []byte) bool {
	for len(b) > 0 {
		switch {
		case b[0] == 0: // Pad1
			b = b[1:]
		case len(b) < 2 || len(b) < 2+int(b[1]):
			return false
		default:
			b = b[2+int(b[1]):]
		}
	}
	return true
}

func (l *line) destination(d *datagram) (n int, more bool) {
	n, ok := d.header()
	if !ok {
		l.cut("dstopt")
		return 0, false
	}
	l.print("DSTOPT ")
	return n, true
}

// fragment6 prints a fragment header. Behind that of a later fragment there is
// nothing to print.
func (l *line) fragment6(d *datagram) (n int, more bool) {
	if len(d.b) < 4 {
		l.cut("frag6")
		return 0, false
	}
	const size = 8
	offset := binary.BigEndian.Uint16(d.b[2:]) &^ 7
	l.printf("frag (%d|%d)", offset, uint64(d.n-d.spare-size))
	if offset != 0 {
		return 0, false
	}
	l.print(" ")
	d.fragmented = true
	return size, len(d.b) > size
}

// routing prints a routing header field by field, as far as it was captured: types
// 0 (RFC 5095 deprecates it), 2 (RFC 6275) and 4 (RFC 8754).
func (l *line) routing(d *datagram) (n int, more bool) {
	if len(d.b) == 0 {
		l.cut("ip6")
		return 0, false
	}
	l.print("RT6")
	have := func(n int) bool {
		if len(d.b) < n {
			l.cut("rt6")
		}
		return len(d.b) >= n
	}
	if !have(2) {
		return 0, false
	}
	units := int(d.b[1])
	l.printf(" (len=%d", units)
	if !have(3) {
		return 0, false
	}
	kind := d.b[2]
	l.printf(", type=%d", kind)
	if kind == 0 {
		l.print(" [Deprecated]")
	}
	if !have(4) {
		return 0, false
	}
	l.printf(", segleft=%d", d.b[3])
	switch kind {
	case 0, 2:
		if !have(8) {
			return 0, false
		}
		if r := binary.BigEndian.Uint32(d.b[4:]); r != 0 {
			l.printf(", rsv=0x%x", r)
		}
	case 4:
		if !have(5) {
			return 0, false
		}
		l.printf(", last-entry=%d", d.b[4])
		if !have(6) {
			return 0, false
		}
		if d.b[5] != 0 {
			l.printf(", flags=0x%x", d.b[5])
		}
		if !have(8) {
			return 0, false
		}
		l.printf(", tag=%x", binary.BigEndian.Uint16(d.b[6:]))
	default:
		l.print(" (unknown type) (invalid)")
		return 0, false
	}
	return l.segments(d, units)
}

// segments prints the addresses that a routing header lists.
func (l *line) segments(d *datagram, units int) (n int, more bool) {
	if units%2 == 1 {
		l.printf(" (invalid length %d) (invalid)", units)
		return 0, false
	}
	for i := range units / 2 {
		at := 8 + 16*i
		if len(d.b) < at+16 {
			l.cut("rt6")
			return 0, false
		}
		l.printf(", [%d]%s", i, l.addr6(d.b[at:at+16]))
	}
	l.print(") ")
	return 8 * (units + 1), true
}
