package wire

import (
	"encoding/binary"
	"math/rand/v2"
)

// datagram is the slow twin of a packet: what it is to say, field by field. Its bytes
// are written anew each time, every checksum summed in full.
type datagram struct {
	src, dst Addr
	ttl, tos uint8
	id       uint32
	df       bool
	options  []byte   // IPv4, a multiple of 4
	ext      [][]byte // IPv6: number of the header, then its bytes with next header 0
	atomic   bool     // IPv6: a fragment header though it is whole
	payload  transport
	from, to int // the part of the payload that is there; to 0: all
}

// transport is the payload of a datagram.
type transport struct {
	proto            Proto
	srcPort, dstPort uint16
	typ, code        uint8
	rest             uint32 // of an ICMP message
	noSum            bool   // of UDP
	options          []byte // of TCP, a multiple of 4
	data             []byte
	quoted           *datagram // an ICMP error's; cut to data's length
	trailer          []byte    // of UDP: bytes beyond its length field
}

// slowSum is RFC 1071 as its section 1 tells it: word by word.
func slowSum(parts ...[]byte) uint16 {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	if len(all)%2 == 1 {
		all = append(all, 0)
	}
	var acc uint32
	for i := 0; i < len(all); i += 2 {
		acc += uint32(all[i])<<8 | uint32(all[i+1])
		if acc > 0xffff {
			acc -= 0xffff
		}
	}
	return ^uint16(acc)
}

func addrBytes(a Addr) []byte { return a.Netip().AsSlice() }

func slowPseudo(src, dst Addr, proto Proto, n int) []byte {
	if src.IsValid() && src.Is4() {
		return append(append(append([]byte{}, addrBytes(src)...), addrBytes(dst)...), 0, byte(proto), byte(n>>8), byte(n))
	}
	hi, lo := src.Words()
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, hi), lo)
	b = append(b, addrBytes(dst)...)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return append(b, 0, 0, 0, byte(proto))
}

func (t transport) isICMP() bool { return t.proto == ProtoICMP || t.proto == ProtoICMPv6 }

// bytes writes the whole payload.
func (t transport) bytes(src, dst Addr) []byte {
	be := binary.BigEndian
	var b []byte
	data := t.data
	if t.quoted != nil {
		data = t.quoted.bytes()[:len(t.data)]
	}
	switch {
	case t.proto == ProtoTCP:
		b = be.AppendUint16(be.AppendUint16(nil, t.srcPort), t.dstPort)
		b = be.AppendUint32(append(b, 1, 2, 3, 4), t.rest)
		b = append(b, byte(5+len(t.options)/4)<<4, t.code, 0x72, 0x10, 0, 0, 0, 0)
		b = append(append(b, t.options...), data...)
		be.PutUint16(b[16:], slowSum(slowPseudo(src, dst, t.proto, len(b)), b))
	case t.proto == ProtoUDP:
		b = be.AppendUint16(be.AppendUint16(nil, t.srcPort), t.dstPort)
		b = be.AppendUint16(b, uint16(8+len(data)))
		b = append(append(b, 0, 0), data...)
		if !t.noSum {
			be.PutUint16(b[6:], slowSum(slowPseudo(src, dst, t.proto, len(b)), b))
			if be.Uint16(b[6:]) == 0 {
				be.PutUint16(b[6:], 0xffff)
			}
		}
		b = append(b, t.trailer...)
	case t.isICMP():
		b = be.AppendUint32([]byte{t.typ, t.code, 0, 0}, t.rest)
		b = append(b, data...)
		var pseudo []byte
		if t.proto == ProtoICMPv6 {
			pseudo = slowPseudo(src, dst, t.proto, len(b))
		}
		be.PutUint16(b[2:], slowSum(pseudo, b))
	default:
		b = append(b, data...)
	}
	return b
}

// bytes writes the packet.
func (d *datagram) bytes() []byte {
	be := binary.BigEndian
	whole := d.payload.bytes(d.src, d.dst)
	to := d.to
	if to == 0 {
		to = len(whole)
	}
	body := whole[d.from:to]
	more := to < len(whole)
	if d.dst.Is4() {
		word := uint16(d.from / 8)
		if more {
			word |= 0x2000
		}
		if d.df {
			word |= 0x4000
		}
		b := []byte{0x40 | byte(5+len(d.options)/4), d.tos}
		b = be.AppendUint16(b, uint16(20+len(d.options)+len(body)))
		b = be.AppendUint16(be.AppendUint16(b, uint16(d.id)), word)
		b = append(b, d.ttl, byte(d.payload.proto), 0, 0)
		b = append(append(append(b, addrBytes(d.src)...), addrBytes(d.dst)...), d.options...)
		be.PutUint16(b[10:], slowSum(b))
		return append(b, body...)
	}
	return d.bytes6(body, more)
}

func (d *datagram) bytes6(body []byte, more bool) []byte {
	be := binary.BigEndian
	b := be.AppendUint32(nil, 6<<28|uint32(d.tos)<<20|d.id&0xfffff)
	b = append(b, 0, 0, 0, d.ttl)
	hi, lo := d.src.Words()
	b = append(be.AppendUint64(be.AppendUint64(b, hi), lo), addrBytes(d.dst)...)
	next := 6
	for _, e := range d.ext {
		b[next], next = e[0], len(b)
		b = append(b, e[1:]...)
	}
	if d.from > 0 || more || d.atomic {
		b[next], next = 44, len(b)
		word := uint16(d.from)
		if more {
			word |= 1
		}
		b = be.AppendUint32(be.AppendUint16(append(b, 0, 0), word), d.id)
	}
	b[next] = byte(d.payload.proto)
	b = append(b, body...)
	be.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

// query returns where a query's identifier stands in the Flow.
func (t *transport) query() icmpRole {
	if !t.isICMP() {
		return roleOther
	}
	return roleOf(t.proto, t.typ)
}

// flow returns what a reader is to find.
func (d *datagram) flow() Flow {
	f := Flow{Src: d.src, Dst: d.dst, Proto: d.payload.proto}
	if d.from > 0 {
		return f
	}
	t := &d.payload
	switch {
	case t.proto == ProtoTCP, t.proto == ProtoUDP:
		f.SrcPort, f.DstPort = t.srcPort, t.dstPort
	case t.query() == roleRequest:
		f.SrcPort = uint16(t.rest >> 16)
	case t.query() == roleReply:
		f.DstPort = uint16(t.rest >> 16)
	}
	return f
}

// setSrc and setDst change the packet as the Set methods are to.
func (d *datagram) setSrc(a Addr, port uint16) {
	d.src = a
	switch t := &d.payload; {
	case d.from > 0:
	case t.query() == roleRequest:
		t.rest = uint32(port)<<16 | t.rest&0xffff
	default:
		t.srcPort = port
	}
}

func (d *datagram) setDst(a Addr, port uint16) {
	d.dst = a
	switch t := &d.payload; {
	case d.from > 0:
	case t.query() == roleReply:
		t.rest = uint32(port)<<16 | t.rest&0xffff
	default:
		t.dstPort = port
	}
}

// gen draws packets from a seed.
type gen struct{ *rand.Rand }

func newGen(seed uint64) gen { return gen{rand.New(rand.NewPCG(seed, 0x5eed))} }

func (g gen) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g gen) oneIn(n int) bool { return g.IntN(n) == 0 }

func (g gen) addr(v4 bool) Addr {
	if v4 {
		return AddrFromV4(g.Uint32())
	}
	return AddrFromWords(0x2600<<48|g.Uint64()>>16, g.Uint64())
}

// port favours the ends of the range.
func (g gen) port() uint16 {
	if g.oneIn(16) {
		return [...]uint16{0, 1, 0xfffe, 0xffff}[g.IntN(4)]
	}
	return uint16(g.Uint32())
}

var queryTypes = map[bool][]uint8{
	true:  {ICMPEcho, ICMPEchoReply, ICMPTimestamp, ICMPTimestampReply, ICMPInformation, ICMPInformationBack, ICMPAddressMask, ICMPAddressMaskBack},
	false: {ICMPv6Echo, ICMPv6EchoReply},
}

var errorTypes = map[bool][]uint8{
	true:  {ICMPUnreachable, ICMPSourceQuench, ICMPTimeExceeded, ICMPParameter},
	false: {ICMPv6Unreachable, ICMPv6TooBig, ICMPv6TimeExceeded, ICMPv6Parameter, 100},
}

// transport draws a payload; depth bounds errors about errors.
func (g gen) transport(v4 bool, depth int) transport {
	t := transport{srcPort: g.port(), dstPort: g.port(), rest: g.Uint32(), data: g.bytes(g.IntN(70))}
	if g.oneIn(8) {
		clear(t.data)
	}
	icmp := ProtoICMPv6
	if v4 {
		icmp = ProtoICMP
	}
	switch g.IntN(10) {
	case 0, 1, 2:
		t.proto, t.code, t.options = ProtoTCP, byte(g.Uint32()), bytesOf(1, g.IntN(11)*4)
	case 3, 4, 5:
		t.proto, t.noSum = ProtoUDP, v4 && g.oneIn(3)
	case 6, 7:
		types := queryTypes[v4]
		t.proto, t.typ = icmp, types[g.IntN(len(types))]
	case 8:
		t.proto, t.data = 47, append(t.data, g.bytes(8)...)
	case 9:
		if depth > 0 {
			return g.transport(v4, depth)
		}
		types := errorTypes[v4]
		q := g.datagram(v4, depth+1)
		t.proto, t.typ, t.code, t.quoted = icmp, types[g.IntN(len(types))], byte(g.IntN(5)), &q
		t.data = q.bytes()
		least := len(t.data) - len(q.payload.bytes(q.src, q.dst)[q.from:]) + 8
		if q.to != 0 {
			least = len(t.data) - (q.to - q.from) + 8
		}
		if n := len(t.data); n > least && g.oneIn(2) {
			cut := g.IntN(n - least)
			if cut == 9 {
				cut = 8 // half of TCP's checksum can't be kept right
			}
			t.data = t.data[:least+cut]
		}
	}
	return t
}

// bytesOf returns n bytes of value v: no-operations, as options want them.
func bytesOf(v byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = v
	}
	return b
}

func (g gen) datagram(v4 bool, depth int) datagram {
	d := datagram{
		src: g.addr(v4), dst: g.addr(v4), ttl: byte(g.Uint32()), tos: byte(g.Uint32()), id: g.Uint32(),
		payload: g.transport(v4, depth),
	}
	if v4 {
		d.id, d.df = d.id&0xffff, g.oneIn(2)
	}
	if g.oneIn(4) && v4 {
		d.options = bytesOf(1, 4*(1+g.IntN(10)))
	}
	if g.oneIn(4) && !v4 {
		d.ext = g.extensions()
	}
	d.atomic = !v4 && g.oneIn(8)
	if g.oneIn(4) {
		g.fragment(&d)
	}
	return d
}

// extensions draws headers in RFC 8200's order. Options are Pad1 and PadN.
func (g gen) extensions() (all [][]byte) {
	for _, kind := range []Proto{extHopByHop, extDestination, extRouting, extAuth} {
		if g.oneIn(2) {
			continue
		}
		units := g.IntN(4)
		n := 8 * (1 + units)
		body := append([]byte{byte(kind), 0, byte(units)}, make([]byte, n-2)...)
		switch kind {
		case extRouting:
			body[3] = 253 // RFC 4727's type for experiments; no segments left
		case extAuth:
			body[2] = byte(2 + 2*units) // 8 more bytes than the others with this units
			body = append(body, make([]byte, 8)...)
		default:
			body[3], body[4] = 1, byte(n-4) // PadN
		}
		all = append(all, body)
	}
	return all
}

// fragment makes a first, a middle or a last fragment of d, with the whole transport
// header in the first.
func (g gen) fragment(d *datagram) {
	n := len(d.payload.bytes(d.src, d.dst))
	head := (n - len(d.payload.data) + 15) &^ 7
	if n < head+16 {
		return
	}
	cut := head + g.IntN((n-head)/8)*8
	switch g.IntN(3) {
	case 0:
		d.to = cut
	case 1:
		d.from = cut
	case 2:
		d.from, d.to = head, cut
	}
	if d.to >= n {
		d.to = 0
	}
	if d.from >= d.to && d.to != 0 {
		d.from = 0
	}
}
