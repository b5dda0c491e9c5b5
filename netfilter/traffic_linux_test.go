package netfilter_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/wire"
)

// The traffic that both routers get: few hosts and few ports, so that they clash.

func addrs(words ...string) []wire.Addr {
	all := make([]wire.Addr, len(words))
	for i, w := range words {
		all[i] = wire.MustParseAddr(w)
	}
	return all
}

// hosts inside, hosts outside and what outside calls the inside, by family.
var (
	insiders = [2][]wire.Addr{
		addrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.80", "10.0.0.53", "10.0.5.4", "10.0.5.5", "10.0.6.6", "10.0.6.7", "10.0.7.7"),
		addrs("fd00:1::1", "fd00:1::2", "fd00:1::3", "fd00:1::80"),
	}
	outsiders = [2][]wire.Addr{
		addrs("203.0.113.1", "203.0.113.2", "198.51.100.7"),
		addrs("2001:db8:2::1", "2001:db8:2::2"),
	}
	targets = [2][]wire.Addr{
		addrs("198.18.0.1", "198.18.0.1", "198.18.5.4", "198.18.5.5", "198.18.0.6", "198.18.0.7", "10.0.0.1", "10.99.0.1"),
		addrs("2001:db8:1::1", "2001:db8:1::1", "fd00:1::1", "fd00:99::1"),
	}
	between = [2][2]wire.Addr{
		{wire.MustParseAddr("10.0.255.254"), wire.MustParseAddr("203.0.113.254")},
		{wire.MustParseAddr("fd00:1::ffff"), wire.MustParseAddr("2001:db8:2::ffff")},
	}
	// Of the ports below 1024 none is ever picked but where it is taken, so that chance
	// on one side alone does not make two connections clash.
	clientPorts = []uint16{4000, 4000, 4000, 500, 512, 520, 1024}
	serverPorts = []uint16{530, 530, 540, 550, 8080, 5353, 513, 521}
	flagSets    = []wire.TCPFlags{
		wire.SYN, wire.SYN, wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.ACK, wire.ACK | wire.PSH, wire.FIN | wire.ACK, wire.RST,
		wire.RST | wire.ACK, 0, wire.FIN, wire.SYN | wire.FIN, wire.SYN | wire.RST, 0xff, wire.SYN | wire.ECE | wire.CWR, wire.ACK | wire.URG,
	}
	ttls = []uint8{64, 64, 64, 64, 255, 2, 1, 3}
)

func choose[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// one in n.
func (c *comparison) one(n int) bool { return c.rng.IntN(n) == 0 }

// next makes the next packet and says at which side it arrives and what kind it is.
func (c *comparison) next() (side int, p pair, kind string) {
	if len(c.pending) > 0 {
		next := c.pending[0]
		c.pending = c.pending[1:]
		return next.side, next.pair, "fragments"
	}
	side = c.rng.IntN(2)
	known := c.seen[side]
	switch roll := c.rng.IntN(20); {
	case roll < 9 && len(known) > 0:
		if base := choose(c.rng, known); c.answer(base, &p) {
			return side, p, "answer"
		}
	case roll < 12 && len(known) > 0:
		if base := choose(c.rng, known); c.complain(side, base, &p) {
			return side, p, "complaint"
		}
	case roll < 13:
		if c.fragment(side) {
			return c.next()
		}
	}
	if c.one(3) {
		side = 1
	} else {
		side = 0
	}
	b := c.fresh(side, c.rng.IntN(120))
	return side, pair{b, slices.Clone(b)}, "fresh"
}

// fresh makes a packet from one of the hosts of a side.
func (c *comparison) fresh(side, length int) []byte {
	rng, family := c.rng, 0
	if c.one(5) {
		family = 1
	}
	h := wire.Header{Src: choose(rng, insiders[family]), Dst: choose(rng, outsiders[family]), TTL: choose(rng, ttls)}
	h.ID, h.DF = uint16(rng.Uint32()), c.one(3)
	if side == 1 {
		h.Src, h.Dst = h.Dst, choose(rng, targets[family])
	}
	if c.one(40) {
		h.Dst = routerAddrs[family][side]
	}
	if c.one(30) {
		length = mtus[side] - 150 + rng.IntN(90)
	}
	payload := make([]byte, length)
	for i := range payload {
		payload[i] = byte(rng.Uint32())
	}
	src, dst := choose(rng, clientPorts), choose(rng, serverPorts)
	var b []byte
	switch rng.IntN(4) {
	case 0, 1:
		b = appendSegment(h, src, dst, choose(rng, flagSets), payload)
	case 2:
		b = wire.AppendUDP(nil, h, src, dst, payload)
		if family == 0 && c.one(8) {
			binary.BigEndian.PutUint16(b[wire.IPv4Len+6:], 0)
		}
	default:
		typ := choose(rng, []uint8{wire.ICMPEcho, wire.ICMPEcho, wire.ICMPEcho, wire.ICMPEchoReply, 40})
		if family == 1 {
			typ = choose(rng, []uint8{wire.ICMPv6Echo, wire.ICMPv6Echo, wire.ICMPv6EchoReply, 200})
		}
		b = wire.AppendICMP(nil, h, typ, 0, uint32(31391+rng.IntN(2))<<16|rng.Uint32N(9), payload)
	}
	if c.one(25) {
		b[len(b)-1] ^= 0x10 // a bad checksum, where there is a payload or a checksum to spoil
	}
	return b
}

// appendSegment makes a segment whose numbers fit to every other one's: windows are
// not what is compared here. So a SYN has no payload.
func appendSegment(h wire.Header, src, dst uint16, flags wire.TCPFlags, payload []byte) []byte {
	s := wire.Segment{SrcPort: src, DstPort: dst, Seq: 1000, Ack: 1000, Flags: flags, Window: 5000}
	if flags.Has(wire.SYN) {
		s.Seq, payload = 999, nil
	}
	return wire.AppendTCP(nil, h, s, payload)
}

// both makes the kernel's and the model's packet out of those that came out of them,
// with the same random numbers.
func (c *comparison) both(base pair, p *pair, build func(rng *rand.Rand, b []byte) []byte) bool {
	a, b := c.rng.Uint64(), c.rng.Uint64()
	p.kernel = build(rand.New(rand.NewPCG(a, b)), base.kernel)
	p.model = build(rand.New(rand.NewPCG(a, b)), base.model)
	return p.kernel != nil && p.model != nil
}

// answer makes a packet that goes back the way a packet came.
func (c *comparison) answer(base pair, p *pair) bool {
	return c.both(base, p, func(rng *rand.Rand, b []byte) []byte {
		var q wire.Packet
		if q.Read(b) != nil {
			return nil
		}
		f := q.Flow
		h := wire.Header{Src: f.Dst, Dst: f.Src, TTL: choose(rng, ttls), ID: uint16(rng.Uint32())}
		payload := make([]byte, rng.IntN(60))
		switch f.Proto {
		case wire.ProtoTCP:
			flags := choose(rng, flagSets)
			if q.Flags == wire.SYN && rng.IntN(3) > 0 {
				flags = wire.SYN | wire.ACK
			}
			return appendSegment(h, f.DstPort, f.SrcPort, flags, payload)
		case wire.ProtoUDP:
			return wire.AppendUDP(nil, h, f.DstPort, f.SrcPort, payload)
		case wire.ProtoICMP, wire.ProtoICMPv6:
			m := wire.ICMP(q.Transport())
			if !q.IsRequest() {
				return nil
			}
			return wire.AppendICMP(nil, h, echoReply(&q), 0, m.Rest(), m.Payload())
		}
		return nil
	})
}

// complain makes an ICMP error about a packet, from its receiver or on the way to it.
func (c *comparison) complain(side int, base pair, p *pair) bool {
	return c.both(base, p, func(rng *rand.Rand, b []byte) []byte {
		var q wire.Packet
		if q.Read(b) != nil || isLocal(q.Flow.Src) && q.Flow.Proto == 0 {
			return nil
		}
		f := q.Flow
		h := wire.Header{Src: f.Dst, Dst: f.Src, TTL: choose(rng, ttls), ID: uint16(rng.Uint32())}
		if rng.IntN(2) == 0 {
			h.Src = between[familyIndex(&q)][side]
		}
		if rng.IntN(15) == 0 {
			h.Dst = choose(rng, targets[familyIndex(&q)])
		}
		quote := slices.Clone(b[:min(len(b), 1200)])
		if rng.IntN(2) == 0 {
			quote = quote[:min(len(quote), len(b)-len(q.Transport())+8)]
		}
		kinds := [][2]uint8{{3, 1}, {3, 3}, {3, 4}, {3, 13}, {11, 0}, {12, 0}}
		if !q.Is4() {
			kinds = [][2]uint8{{1, 0}, {1, 4}, {2, 0}, {3, 0}, {4, 0}}
		}
		kind, rest := choose(rng, kinds), uint32(0)
		if kind == [2]uint8{3, 4} && q.Is4() || kind[0] == 2 {
			rest = uint32(mtus[1]) // no news to the routers
		}
		e := wire.AppendICMP(nil, h, kind[0], kind[1], rest, quote)
		if rng.IntN(20) == 0 {
			e[len(e)-len(quote)-1] ^= 1
		}
		return e
	})
}

// pendingFragment is a fragment that is still to be sent.
type pendingFragment struct {
	side int
	pair pair
}

// fragment takes a long packet apart and has its fragments sent, mostly in order,
// sometimes not, sometimes one twice, one missing or one over the others.
func (c *comparison) fragment(side int) bool {
	b := c.fresh(side, 600+c.rng.IntN(3000))
	if b[0]>>4 == 4 {
		b[6] = b[6]&^0x40 | byte(c.rng.IntN(3)/2)<<6
		h := b[:wire.IPv4Len]
		h[10], h[11] = 0, 0
		binary.BigEndian.PutUint16(h[10:], wire.Checksum(h))
	}
	var sizes []int // of any lengths
	for left := len(b) - headerLen(b); left > 0; left -= sizes[len(sizes)-1] {
		sizes = append(sizes, min(left, 8*(20+c.rng.IntN(160))))
	}
	var p wire.Packet
	if err := p.Read(b); err != nil {
		panic(err)
	}
	parts := reasm.Split(&p, mtus[side], reasm.Cut{Sizes: sizes, ID: c.rng.Uint32()})
	if len(parts) < 2 {
		return false
	}
	switch c.rng.IntN(6) {
	case 0:
		c.rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	case 1:
		parts = slices.Insert(parts, c.rng.IntN(len(parts)), choose(c.rng, parts))
	case 2:
		if c.one(3) {
			parts = slices.Delete(parts, 0, 1)
		}
	case 3:
		if over := overlapping(b, c.rng); over != nil {
			parts = slices.Insert(parts, c.rng.IntN(len(parts)), over)
		}
	}
	for _, f := range parts {
		c.pending = append(c.pending, pendingFragment{side, pair{f, slices.Clone(f)}})
	}
	return true
}

// overlapping returns a fragment out of the middle of a datagram.
func overlapping(b []byte, rng *rand.Rand) []byte {
	var p wire.Packet
	if err := p.Read(b); err != nil {
		panic(err)
	}
	parts := reasm.Split(&p, 200+rng.IntN(300), reasm.Cut{})
	if !p.Is4() || len(parts) < 3 {
		return nil // IPv6's identification is drawn elsewhere
	}
	return parts[1+rng.IntN(len(parts)-2)]
}

func headerLen(b []byte) int {
	if b[0]>>4 == 6 {
		return wire.IPv6Len
	}
	return wire.IPv4(b).HeaderLen()
}
