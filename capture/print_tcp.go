package capture

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// tuple is two addresses, each 4 or 16 bytes in the first bytes of its array, so
// that the two of one packet compare as memory does.
type tuple struct{ src, dst [16]byte }

func tupleOf(src, dst []byte) (t tuple) {
	copy(t.src[:], src)
	copy(t.dst[:], dst)
	return t
}

// connection is a TCP connection, the same for both directions.
type connection struct {
	version  int
	low      tuple
	lowPort  uint16
	highPort uint16
}

// sequence is the sequence number before the first byte of each direction.
type sequence struct{ low, high uint32 }

// relative returns seq and ack as they are printed, and the two numbers that SACK
// counts from. The first segment with an ACK that is seen of a connection, and
// every SYN with one, is printed as it is; what follows counts from it.
func (l *line) relative(d *datagram, s wire.TCP) (seq, ack, sack uint32) {
	seq, ack = s.Seq(), s.Ack()
	if !s.Flags().Has(wire.ACK) {
		return seq, ack, 0
	}
	c := connection{d.version, d.addrs, s.SrcPort(), s.DstPort()}
	back := c.lowPort > c.highPort ||
		c.lowPort == c.highPort && slices.Compare(c.low.src[:], c.low.dst[:]) > 0
	if back {
		c.low.src, c.low.dst = c.low.dst, c.low.src
		c.lowPort, c.highPort = c.highPort, c.lowPort
	}
	q, known := l.t.begun[c]
	if !known || s.Flags().Has(wire.SYN) {
		q = sequence{seq, ack - 1}
		if back {
			q = sequence{ack - 1, seq}
		}
		if l.t.begun == nil {
			l.t.begun = map[connection]sequence{}
		}
		l.t.begun[c] = q
	} else if back {
		seq, ack = seq-q.high, ack-q.low
	} else {
		seq, ack = seq-q.low, ack-q.high
	}
	if back {
		return seq, ack, q.low
	}
	return seq, ack, q.high
}

// tcp prints a TCP segment (RFC 9293).
func (l *line) tcp(d *datagram) {
	if len(d.b) < 4 {
		l.printf("%s > %s:", d.src, d.dst)
		l.cut("tcp")
		return
	}
	s := wire.TCP(d.b)
	l.ends(d, wire.ProtoTCP, s.SrcPort(), s.DstPort())
	if len(d.b) < wire.TCPLen {
		l.cut("tcp")
		return
	}
	hlen := s.HeaderLen()
	if hlen < wire.TCPLen {
		l.printf(" tcp %d [bad hdr length %d - too short, < %d]", d.n-hlen, hlen, wire.TCPLen)
		return
	}
	flags := s.Flags()
	l.print("Flags " + flagText(flags))
	seq, ack, sack := l.relative(d, s)
	if hlen > d.n {
		l.printf(" [bad hdr length %d - too long, > %d]", hlen, d.n)
		return
	}
	n := d.n - hlen
	if n > 0 || flags&(wire.SYN|wire.FIN|wire.RST) != 0 {
		l.printf(", seq %d", seq)
	}
	if n > 0 {
		l.printf(":%d", seq+uint32(n))
	}
	if flags.Has(wire.ACK) {
		l.printf(", ack %d", ack)
	}
	l.printf(", win %d", s.Window())
	if flags.Has(wire.URG) {
		l.printf(", urg %d", binary.BigEndian.Uint16(s[18:]))
	}
	if hlen > wire.TCPLen && !l.tcpOptions(s, sack) {
		return
	}
	l.printf(", length %d", n)
	l.tcpPayload(s, n)
}

// flagText is wire's, with the brackets that tcpdump prints around none, too.
func flagText(f wire.TCPFlags) string {
	if f == 0 {
		return "[none]"
	}
	return f.String()
}

func (l *line) tcpPayload(s wire.TCP, n int) {
	switch {
	case n == 0:
		return
	case len(s) < s.HeaderLen():
		l.printf(" [remaining caplen(%d) < header length(%d)]", len(s), s.HeaderLen())
		l.cut("tcp")
	case isHTTP(s.SrcPort()), isHTTP(s.DstPort()):
		l.http(s[s.HeaderLen():], n)
	}
}

func isHTTP(port uint16) bool { return port == 80 || port == 8080 }

// The TCP options that are printed by name (IANA TCP option kinds).
const (
	optEnd       = 0
	optNop       = 1
	optMSS       = 2
	optScale     = 3
	optSACKOK    = 4
	optSACK      = 5
	optEcho      = 6
	optEchoReply = 7
	optTimestamp = 8
	optCC        = 11
	optCCNew     = 12
	optSCPS      = 20
	optTimeout   = 28
	optFastOpen  = 34
)

var optionNames = map[byte]string{
	optEnd: "eol", optNop: "nop", optMSS: "mss", optScale: "wscale", optSACKOK: "sackOK",
	optSACK: "sack", optEcho: "echo", optEchoReply: "echoreply", optTimestamp: "TS",
	optCC: "cc", optCCNew: "ccnew", optSCPS: "scps", optTimeout: "uto", optFastOpen: "tfo",
}

// options is a walk through the options of a segment.
type options struct {
	b    []byte // what was captured and not read yet; the payload too: a size may lie there
	left int    // what the header says is left, in bytes
	sack uint32 // what SACK counts from
}

// tcpOptions prints the options; false where they are cut short or wrong, and
// the line has ended with that.
func (l *line) tcpOptions(s wire.TCP, sack uint32) bool {
	o := options{
		b:    s[wire.TCPLen:],
		left: s.HeaderLen() - wire.TCPLen,
		sack: sack,
	}
	l.print(", options [")
	for first := true; o.left > 0; first = false {
		if !first {
			l.print(",")
		}
		kind, size, ok := o.head()
		if ok == optionCut {
			l.cut("tcp")
			return false
		}
		closing := ""
		if !first {
			closing = "]"
		}
		if ok == optionBad {
			l.print("[bad opt]" + closing)
			return false
		}
		switch read, ok := l.tcpOption(&o, kind, size); {
		case ok == optionBad:
			l.print("[bad opt]" + closing)
			return false
		case ok == optionCut:
			l.cut("tcp")
			l.print(strings.Replace(closing, "]", ">", 1))
			return false
		case read != size:
			l.printf("[len %d]", size)
		}
		if kind == optEnd {
			break
		}
	}
	l.print("]")
	return true
}

// optionState says whether an option can be read.
type optionState uint8

const (
	optionBad optionState = iota // longer than the header has room for
	optionGood
	optionCut // not captured
)

// head reads an option's kind and size, which is 1 for the two kinds without one.
func (o *options) head() (kind byte, size int, ok optionState) {
	if len(o.b) < 1 {
		return 0, 0, optionCut
	}
	kind, size = o.b[0], 1
	if kind != optEnd && kind != optNop {
		if len(o.b) < 2 {
			return 0, 0, optionCut
		}
		size = int(o.b[1])
		if size < 2 || size > o.left {
			return kind, size, optionBad
		}
		o.skip(1)
	}
	o.skip(1)
	return kind, size, optionGood
}

func (o *options) skip(n int) { o.b, o.left = o.b[n:], o.left-n }

// need reports whether n bytes of an option's data can be read.
func (o *options) need(n int) optionState {
	switch {
	case n > o.left:
		return optionBad
	case n > len(o.b):
		return optionCut
	}
	return optionGood
}

// tcpOption prints one option and returns the size that it was read with.
func (l *line) tcpOption(o *options, kind byte, size int) (read int, ok optionState) {
	name, known := optionNames[kind]
	if !known {
		name = fmt.Sprintf("unknown-%d", kind)
	}
	l.print(name)
	head, data := 2, size-2
	switch kind {
	case optEnd, optNop:
		return 1, optionGood
	case optSACKOK:
		data = 0
	case optMSS, optTimeout, optSCPS:
		data = 2
	case optScale:
		data = 1
	case optEcho, optEchoReply, optCC, optCCNew:
		data = 4
	case optTimestamp:
		data = 8
	case optSACK:
		if data%8 != 0 {
			l.print(" invalid sack")
			o.skip(min(data, len(o.b)))
			return size, optionGood
		}
		return size, l.sack(o, data/8)
	}
	if !known {
		return size, l.unknownOption(o, data)
	}
	if ok := o.need(data); ok != optionGood {
		return 0, ok
	}
	l.optionData(kind, o.b[:data])
	o.skip(data)
	return head + data, optionGood
}

// optionData prints the data of an option of a known kind.
func (l *line) optionData(kind byte, b []byte) {
	switch kind {
	case optMSS:
		l.printf(" %d", binary.BigEndian.Uint16(b))
	case optScale:
		l.printf(" %d", b[0])
	case optSCPS:
		l.printf(" cap %02x id %d", b[0], b[1])
	case optEcho, optEchoReply, optCC, optCCNew:
		l.printf(" %d", binary.BigEndian.Uint32(b))
	case optTimestamp:
		l.printf(" val %d ecr %d", binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]))
	case optTimeout: // RFC 5482: minutes or seconds by the highest bit; tcpdump takes the lowest
		v := binary.BigEndian.Uint16(b)
		seconds := int(v >> 1)
		if v&1 != 0 {
			seconds *= 60
		}
		l.printf(" 0x%x %d", v, seconds)
	case optFastOpen: // RFC 7413
		switch n := len(b); {
		case n == 0:
			l.print("  cookiereq")
		case n%2 != 0 || n < 4 || n > 16:
			l.print("  (invalid)")
		default:
			l.printf("  cookie %x", b)
		}
	}
}

// sack prints the blocks of selective acknowledgment (RFC 2018).
func (l *line) sack(o *options, blocks int) optionState {
	l.printf(" %d ", blocks)
	for i := range blocks {
		if ok := o.need(8*i + 8); ok != optionGood {
			return ok
		}
		from, to := binary.BigEndian.Uint32(o.b[8*i:]), binary.BigEndian.Uint32(o.b[8*i+4:])
		l.printf("{%d:%d}", from-o.sack, to-o.sack)
	}
	o.skip(8 * blocks)
	return optionGood
}

func (l *line) unknownOption(o *options, n int) optionState {
	if n > 0 {
		l.print(" 0x")
	}
	for i := range n {
		if ok := o.need(i + 1); ok != optionGood {
			return ok
		}
		l.printf("%02x", o.b[i])
	}
	o.skip(n)
	return optionGood
}
