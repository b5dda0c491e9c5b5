package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// maker makes seeded frames of every kind that is printed.
type maker struct {
	*rand.Rand
	moved bool // the addresses of homeAddrs and homeMACs are what those become
	sound bool // nothing is damaged
}

func newMaker(seed uint64) maker { return maker{Rand: rand.New(rand.NewPCG(seed, 0xa5a5))} }

// homeAddrs and homeMACs are addresses that frames are made with, and what they
// become when a capture is moved.
var (
	homeAddrs = map[wire.Addr]wire.Addr{
		wire.MustParseAddr("10.0.0.11"):       wire.MustParseAddr("192.168.7.1"),
		wire.MustParseAddr("10.0.1.55"):       wire.MustParseAddr("10.0.0.11"), // a swap of sorts
		wire.MustParseAddr("fd00::11"):        wire.MustParseAddr("2600:1f18::55"),
		wire.MustParseAddr("2600:1f18::55"):   wire.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
		wire.MustParseAddr("ff02::1:ff00:55"): wire.MustParseAddr("ff02::1:ff00:11"),
	}
	homeMACs = map[wire.MAC]wire.MAC{{2, 1, 2, 3, 4, 5}: {6, 0xff, 0xee, 0xdd, 0xcc, 0xbb}}
)

// at returns a where it is now.
func (m maker) at(a wire.Addr) wire.Addr {
	if to, ok := homeAddrs[a]; ok && m.moved {
		return to
	}
	return a
}

func pick[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

// port returns one of a few, so that connections meet again, none of which is
// dissected by tcpdump.
func (m maker) port() uint16 {
	return pick(m, 22222, 22222, 33333, 33434, 40000, 443, uint16(33434+m.IntN(100)), uint16(49152+m.IntN(16000)))
}

func (m maker) addr4() wire.Addr {
	return m.at(wire.AddrFromV4(pick(m, 0x0a00000b, 0x0a000137, 0x0a000295, m.Uint32())))
}

func (m maker) addr6() wire.Addr {
	return m.at(pick(m,
		wire.MustParseAddr("fd00::11"), wire.MustParseAddr("2600:1f18::55"), wire.MustParseAddr("fe80::c:0:0:1"),
		wire.MustParseAddr("ff02::1:ff00:55"), wire.AddrFromWords(0, 0x01020304), wire.AddrFromWords(0, 1),
		wire.AddrFromWords(m.Uint64(), m.Uint64()), wire.AddrFromWords(m.Uint64()&0xffff_0000_ffff_0000, m.Uint64()&0xffff)))
}

// header returns a header of either family, now and then of a fragment.
func (m maker) header() wire.Header {
	h := wire.Header{TTL: byte(m.Uint32()), TOS: byte(m.Uint32()), ID: uint16(m.Uint32()), DF: m.IntN(2) == 0}
	if m.IntN(2) == 0 {
		h.Src, h.Dst = m.addr4(), m.addr4()
	} else {
		h.Src, h.Dst = m.addr6(), m.addr6()
	}
	if m.IntN(8) == 0 {
		h.MF, h.Offset = m.IntN(2) == 0, 8*pick(m, 0, 0, 1, 185, m.IntN(8000))
	}
	return h
}

func (m maker) payload() []byte { return m.bytes(pick(m, 0, 1, 32, 40, m.IntN(200))) }

func (m maker) udp() []byte {
	return wire.AppendUDP(nil, m.header(), m.port(), m.port(), m.payload())
}

func (m maker) tcpOption() []byte {
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	switch m.IntN(12) {
	case 0:
		return u16([]byte{2, 4}, uint16(m.Uint32()))
	case 1:
		return []byte{4, 2, 3, 3, byte(m.IntN(15))}
	case 2:
		return u32(u32([]byte{8, 10}, m.Uint32()), m.Uint32())
	case 3:
		return u32(u32([]byte{1, 1, 5, 10}, m.Uint32()), m.Uint32())
	case 4:
		return u32([]byte{pick[byte](m, 6, 7, 11, 12), 6}, m.Uint32())
	case 5:
		n := pick(m, 0, 4, 8, 3)
		return append([]byte{34, byte(2 + n)}, m.bytes(n)...)
	case 6:
		return u16([]byte{pick[byte](m, 28, 20), 4}, uint16(m.Uint32()))
	case 7:
		n := m.IntN(6)
		return append([]byte{pick[byte](m, 66, 253, 100), byte(2 + n)}, m.bytes(n)...)
	case 8: // wrong sizes
		return []byte{pick[byte](m, 2, 3, 4, 5, 8, 34), byte(m.IntN(12)), 1, 2}
	case 9:
		return []byte{0}
	}
	return []byte{1}
}

func (m maker) tcpOptions() (b []byte) {
	for range m.IntN(5) {
		b = append(b, m.tcpOption()...)
	}
	for len(b)%4 != 0 {
		b = append(b, 1)
	}
	return b[:min(len(b), 40)]
}

func (m maker) tcp() []byte {
	s := wire.Segment{
		SrcPort: m.port(), DstPort: m.port(), Seq: m.Uint32(), Ack: m.Uint32(), Window: uint16(m.Uint32()),
		Flags: pick(m, wire.SYN, wire.SYN|wire.ACK, wire.ACK, wire.ACK|wire.PSH, wire.FIN|wire.ACK, wire.RST, wire.TCPFlags(m.Uint32())),
	}
	if m.IntN(2) == 0 {
		s.Options = m.tcpOptions()
	}
	return wire.AppendTCP(nil, m.header(), s, m.payload())
}

func (m maker) http() []byte {
	text := pick(m, "GET / HTTP/1.1\r\nHost: 10.0.1.55\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200",
		"get  /a\tb\nx", "POST /x HTTP/1.1\rx", "GET / \xff\r\n", "body of a file", " GET /", "", "GET", "HTTP/1.1 20x no\r\n",
		"OPTIONS * HTTP/1.1\r", "HTTP/1.1\r\n")
	s := wire.Segment{SrcPort: 22222, DstPort: pick[uint16](m, 80, 8080), Seq: m.Uint32(), Ack: m.Uint32(), Flags: wire.ACK | wire.PSH}
	return wire.AppendTCP(nil, m.header(), s, []byte(text))
}

// quote returns what an ICMP error quotes: a packet, or as much as fits, but not
// half a checksum.
func (m maker) quote(v4 bool) []byte {
	for {
		q := pick(m, m.udp, m.tcp, m.other)()
		if !m.sound && m.IntN(4) == 0 {
			q = m.extended()
		}
		if v4 == (q[0]>>4 == 4) {
			return q[:min(len(q), pick(m, 28, 48, 60, 548, 2*m.IntN(30)))]
		}
	}
}

func (m maker) icmp() []byte {
	h := m.header()
	rest, v4 := m.Uint32()&pick[uint32](m, 0xffffffff, 0xffff, 0), h.Src.Is4()
	typ := pick[uint8](m, 0, 8, 8, 3, 3, 3, 5, 11, 11, 12, 13, 14, 4, 10, 15, 16, 17, 18, 40)
	if !v4 {
		typ = pick[uint8](m, 128, 129, 1, 1, 1, 2, 3, 4, 130, 131, 132, 133, 134, 135, 136, 137, 143, 250)
	}
	body := m.payload()
	if roleIsError := v4 && (typ == 3 || typ == 5 || typ == 11) || !v4 && typ < 128; roleIsError {
		body = m.quote(v4)
	}
	if !v4 && (typ == 135 || typ == 136) {
		body = m.neighbor()
	}
	return wire.AppendICMP(nil, h, typ, byte(pick(m, 0, 0, 3, 4, m.IntN(17))), rest, body)
}

// neighbor returns the target and an option of neighbour discovery: an address, or
// one that holds none or has a wrong size.
func (m maker) neighbor() []byte {
	target, mac := m.addr6().Netip().As16(), m.mac()
	b := append(append(target[:], pick[byte](m, 1, 2), 1), mac[:]...)
	if m.IntN(4) == 0 {
		head := pick(m, []byte{14, 1}, []byte{1, 0}, []byte{1, 3})
		b = append(append(target[:], head...), m.bytes(6)...)
	}
	return append(b, m.bytes(pick(m, 0, 8))...)
}

// other returns a packet of a protocol with no printer, or with one of few words.
func (m maker) other() []byte {
	h := m.header()
	h.Proto = wire.Proto(pick[uint8](m, 50, 59, 27, 115, 136, 61, 63, 253))
	if m.IntN(10) == 0 {
		h.Proto = wire.ProtoICMPv6 // in the other family's packet
		if !h.Src.Is4() {
			h.Proto = wire.ProtoICMP
		}
	}
	if m.IntN(8) == 0 {
		h.Proto, h.MF, h.Offset = pick[wire.Proto](m, 4, 41), false, 0
		return wire.AppendIP(nil, h, m.udp())
	}
	return wire.AppendIP(nil, h, m.payload())
}

// extended returns an IPv6 packet with extension headers.
func (m maker) extended() []byte {
	h := wire.Header{Src: m.addr6(), Dst: m.addr6()}
	next, body := byte(17), wire.AppendUDP(nil, h, m.port(), m.port(), m.payload())[wire.IPv6Len:]
	if m.IntN(3) == 0 {
		next, body = 58, wire.AppendICMP(nil, h, 128, 0, 7, nil)[wire.IPv6Len:]
	}
	for range 1 + m.IntN(3) {
		kind := pick[byte](m, 0, 60, 43, 44)
		var x []byte
		switch kind {
		case 43:
			n := pick(m, 0, 2, 4, 1)
			x = append([]byte{next, byte(n), pick[byte](m, 0, 2, 4, 3), byte(m.IntN(3))}, m.bytes(4+8*n)...)
			if m.IntN(2) == 0 {
				copy(x[4:8], []byte{0, 0, 0, 0})
			}
		case 44:
			x = append([]byte{next, 0}, m.bytes(6)...)
			if m.IntN(2) == 0 {
				x[2], x[3] = 0, x[3]&7
			}
		default:
			x = append([]byte{next, 0, 1, 4}, 0, 0, 0, 0)
			if m.IntN(4) == 0 {
				x[3] = 9
			}
		}
		next, body = kind, append(x, body...)
	}
	h.Proto = wire.Proto(next)
	return wire.AppendIP(nil, h, body)
}

func (m maker) mac() wire.MAC {
	home := wire.MAC{2, 1, 2, 3, 4, 5}
	if m.moved {
		home = homeMACs[home]
	}
	return pick(m, home, wire.MAC(append([]byte{2}, m.bytes(5)...)))
}

func (m maker) arp() []byte {
	op := pick[uint16](m, 1, 1, 2, 2, 3, 4, 8, 9, 10, 77)
	b := wire.AppendARP(nil, op, m.mac(), m.addr4(), pick(m, wire.MAC{}, m.mac()), m.addr4())
	if m.IntN(4) == 0 { // other hardware, other protocols
		b[1] = pick[byte](m, 1, 6, 7, 23, 24, 32, 99)
		copy(b[2:], pick(m, []byte{8, 0}, []byte{0x86, 0xdd}, []byte{8, 6}, []byte{0x10, 0}, []byte{0x12, 0x34}))
		b[4], b[5] = pick[byte](m, 6, 6, 5, 0, 8), pick[byte](m, 4, 4, 4, 16, 0)
	}
	return b
}

// optioned returns an IPv4 packet with options, which are not printed.
func (m maker) optioned() []byte {
	b := wire.AppendUDP(nil, wire.Header{Src: m.addr4(), Dst: m.addr4()}, m.port(), m.port(), m.payload())
	n := 4 * (1 + m.IntN(10))
	b = slices.Insert(b, wire.IPv4Len, m.bytes(n)...)
	b[0] += byte(n / 4)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// extensions are IPv6's extension headers, behind which anything may stand.
var extensions = map[wire.Proto]bool{0: true, 43: true, 44: true, 60: true}

// damage cuts or changes a packet, leaving alone what would turn it into one that
// tcpdump dissects further: ports and protocols.
func (m maker) damage(b []byte) []byte {
	switch m.IntN(3) {
	case 0:
		return b[:m.IntN(len(b)+1)]
	case 1:
		at := pick(m, 0, 2, 3, 4, 5)
		b[at] = pick(m, byte(m.Uint32()), b[at]^4, 0)
	case 2:
		at := m.IntN(len(b))
		extended := b[0]>>4 == 6 && extensions[wire.Proto(b[6])]
		if !extended && (at > 44 || at == 32 || at == 33) {
			b[at] ^= byte(1 + m.IntN(255))
		}
	}
	return b
}

// packet returns a packet of any kind and its EtherType.
func (m maker) packet() ([]byte, wire.EtherType) {
	b := pick(m, m.udp, m.tcp, m.tcp, m.icmp, m.icmp, m.other, m.extended, m.http, m.optioned)()
	t := wire.EtherTypeIPv6
	if b[0]>>4 == 4 {
		t = wire.EtherTypeIPv4
	}
	if m.IntN(5) == 0 && !m.sound {
		b = m.damage(b)
	}
	return b, t
}

// frame returns a frame of any kind of a link type.
func (m maker) frame(link LinkType) []byte {
	b, t := m.packet()
	switch link {
	case LinkRaw:
		return append(b, m.bytes(m.IntN(2))...)
	case LinkIPv4, LinkIPv6:
		return append(b, 0)
	}
	switch m.IntN(20) {
	case 0:
		b, t = m.arp(), wire.EtherTypeARP
	case 1:
		t = pick[wire.EtherType](m, 0x1234, 0x0801, 0xffff)
	}
	u16 := binary.BigEndian.AppendUint16
	switch link {
	case LinkLinuxSLL:
		f := u16(u16(u16(nil, uint16(m.IntN(6))), 1), pick[uint16](m, 6, 6, 0, 8))
		return append(u16(append(f, m.bytes(8)...), uint16(t)), b...)
	case LinkLinuxSLL2:
		f := append(u16(nil, uint16(t)), 0, 0, 0xff, 0, 0, byte(m.Uint32()), 0, 1, byte(m.IntN(6)), pick[byte](m, 6, 6, 0, 8))
		return append(append(f, m.bytes(8)...), b...)
	}
	if m.IntN(20) == 0 {
		b, t = append(u16([]byte{0, 7}, uint16(t)), b...), 0x8100
	}
	f := make([]byte, wire.EthernetLen)
	wire.PutEthernet(f, m.mac(), m.mac(), t)
	f = append(f, b...)
	if m.IntN(2) == 0 {
		f = append(f, make([]byte, max(0, 60-len(f)))...) // padded to the least that a wire carries
	}
	return f
}

// frames returns n frames, some milliseconds apart, one in ten not captured whole.
func (m maker) frames(link LinkType, n int) []Frame {
	frames := make([]Frame, n)
	at := time.Duration(0)
	for i := range frames {
		at += time.Duration(m.IntN(5_000_000))
		b := m.frame(link)
		f := Frame{At: at, Link: link, Bytes: b, Len: len(b)}
		if m.IntN(10) == 0 {
			f.Bytes = b[:m.IntN(len(b)+1)]
		}
		frames[i] = f
	}
	return frames
}
