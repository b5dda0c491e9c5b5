package nat64_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/nat64"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	client = wire.MustParseAddr("2001:db8::10")
	server = wire.MustParseAddr("198.51.100.7")
	six    = wire.MustParseAddr("64:ff9b::c633:6407")
	lent   = wire.MustParseAddr("240.0.0.1")
)

func TestAddresses(t *testing.T) {
	require.Equal(t, six, nat64.Embed(server))
	require.Equal(t, server, nat64.Extract(six))
	require.True(t, nat64.Prefix.Contains(six))
	var c nat64.Clients
	a, ok := c.Lend(client)
	require.True(t, ok)
	require.Equal(t, lent, a)
	b, _ := c.Lend(wire.MustParseAddr("2001:db8::11"))
	require.NotEqual(t, a, b)
	again, _ := c.Lend(client)
	require.Equal(t, a, again)
	back, ok := c.Client(a)
	require.True(t, ok)
	require.Equal(t, client, back)
	for _, none := range []string{"240.0.0.3", "10.0.0.1", "255.255.255.255", "0.0.0.0", "2001:db8::10"} {
		_, ok = c.Client(wire.MustParseAddr(none))
		require.False(t, ok, none)
	}
}

// segment builds one packet from scratch: the twin, which knows one family as the other.
func segment(kind int, src, dst wire.Addr, ttl, tos uint8, id uint16, payload []byte) []byte {
	h := wire.Header{Src: src, Dst: dst, TTL: ttl, TOS: tos}
	four := src.Is4()
	if four {
		length := map[int]int{0: 20, 1: 8, 2: 8, 3: 8}[kind] + len(payload) + 20
		if h.DF = length > 1260; !h.DF {
			h.ID = id
		}
	}
	switch kind {
	case 0:
		return wire.AppendTCP(nil, h, wire.Segment{SrcPort: 40000, DstPort: 443, Seq: 7, Flags: wire.ACK}, payload)
	case 1:
		return wire.AppendUDP(nil, h, 40000, 53, payload)
	}
	typ := map[bool][2]uint8{true: {wire.ICMPEcho, wire.ICMPEchoReply}, false: {wire.ICMPv6Echo, wire.ICMPv6EchoReply}}[four][kind-2]
	return wire.AppendICMP(nil, h, typ, 0, 0x12340001, payload)
}

func TestPacketsEqualThoseBuiltFromScratch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 4000 {
		var c nat64.Clients
		kind, ttl, tos := rng.IntN(4), uint8(1+rng.IntN(255)), uint8(rng.Uint32())
		payload := make([]byte, []int{rng.IntN(8), rng.IntN(1300), 1400}[rng.IntN(3)])
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		from := wire.AddrFromWords(0x20010db800000000|uint64(rng.Uint32()), rng.Uint64())
		far := wire.AddrFromV4(rng.Uint32())

		var p wire.Packet
		require.NoError(t, p.Read(segment(kind, from, nat64.Embed(far), ttl, tos, 0, payload)))
		got, ok := c.Out(nil, &p)
		require.True(t, ok)
		require.Equal(t, segment(kind, lent, far, ttl, tos, 1, payload), got, "out, packet %d", n)

		require.NoError(t, p.Read(segment(kind, far, lent, ttl, tos, 9, payload)))
		got, ok = c.Back(nil, &p)
		require.True(t, ok)
		require.Equal(t, segment(kind, nat64.Embed(far), from, ttl, tos, 0, payload), got, "back, packet %d", n)
	}
}

func TestAWrongChecksumStaysWrong(t *testing.T) {
	for kind, at := range map[int]int{0: 16, 1: 6, 2: 2} {
		var c nat64.Clients
		ip := segment(kind, client, six, 64, 0, 0, []byte("payload"))
		ip[wire.IPv6Len+at] ^= 0x5a
		var p wire.Packet
		require.NoError(t, p.Read(ip))
		require.Error(t, p.VerifyChecksum())
		four, ok := c.Out(nil, &p)
		require.True(t, ok)
		require.NoError(t, p.Read(four))
		require.Error(t, p.VerifyChecksum())
	}
}

func TestUDPWithoutChecksumGetsOne(t *testing.T) {
	var c nat64.Clients
	c.Lend(client)
	ip := segment(1, server, lent, 64, 0, 1, []byte("odd"))
	binary.BigEndian.PutUint16(ip[26:], 0)
	var p wire.Packet
	require.NoError(t, p.Read(ip))
	got, ok := c.Back(nil, &p)
	require.True(t, ok)
	require.Equal(t, segment(1, six, client, 64, 0, 0, []byte("odd")), got)
	parts := p.Split(28, 0)
	require.NoError(t, p.Read(parts[0]))
	_, ok = c.Back(nil, &p)
	require.False(t, ok, "a fragment can't have one made")
}

func TestFragments(t *testing.T) {
	var c nat64.Clients
	payload := make([]byte, 3000)
	var whole wire.Packet
	require.NoError(t, whole.Read(segment(1, client, six, 64, 0, 0, payload)))
	parts := whole.Split(1280, 77)
	var four [][]byte
	for _, part := range parts {
		var p wire.Packet
		require.NoError(t, p.Read(part))
		b, ok := c.Out(nil, &p)
		require.True(t, ok)
		four = append(four, b)
	}
	var twin wire.Packet
	h := wire.Header{Src: lent, Dst: server, TTL: 64, ID: 77}
	require.NoError(t, twin.Read(wire.AppendUDP(nil, h, 40000, 53, payload)))
	require.Equal(t, twin.Split(1280-40-8+20, 0), four)

	for k, b := range four { // and the same back
		var p wire.Packet
		require.NoError(t, p.Read(b))
		p.SetDst(lent, p.Flow.DstPort)
		p.SetSrc(server, p.Flow.SrcPort)
		got, ok := c.Back(nil, &p)
		require.True(t, ok)
		var q wire.Packet
		require.NoError(t, q.Read(got))
		want := wire.Packet{}
		require.NoError(t, want.Read(parts[k]))
		require.Equal(t, want.FragmentOffset(), q.FragmentOffset())
		require.Equal(t, want.MoreFragments(), q.MoreFragments())
		require.Equal(t, len(parts[k]), len(got))
	}
}

func TestErrorsComeBackAboutThePacketAsItWasSent(t *testing.T) {
	sent := segment(1, client, six, 63, 0, 0, []byte("question"))
	for _, row := range []struct {
		name      string
		typ, code uint8
		rest      uint32
		want      [2]uint8
		word      uint32
	}{
		{"host unreachable", wire.ICMPUnreachable, wire.HostUnreachable, 0, [2]uint8{wire.ICMPv6Unreachable, wire.V6NoRoute}, 0},
		{"port unreachable", wire.ICMPUnreachable, wire.PortUnreachable, 0, [2]uint8{wire.ICMPv6Unreachable, wire.V6PortUnreachable}, 0},
		{"protocol unreachable", wire.ICMPUnreachable, wire.ProtoUnreachable, 0, [2]uint8{wire.ICMPv6Parameter, 1}, 6},
		{"prohibited", wire.ICMPUnreachable, wire.AdminProhibited, 0, [2]uint8{wire.ICMPv6Unreachable, wire.V6AdminProhibited}, 0},
		{"fragmentation needed", wire.ICMPUnreachable, wire.FragNeeded, 1500, [2]uint8{wire.ICMPv6TooBig, 0}, 1520},
		{"fragmentation needed, a narrow link", wire.ICMPUnreachable, wire.FragNeeded, 576, [2]uint8{wire.ICMPv6TooBig, 0}, 1280},
		{"time exceeded", wire.ICMPTimeExceeded, 0, 0, [2]uint8{wire.ICMPv6TimeExceeded, 0}, 0},
		{"parameter problem", wire.ICMPParameter, 0, 9 << 24, [2]uint8{wire.ICMPv6Parameter, 0}, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c nat64.Clients
			var p, e wire.Packet
			require.NoError(t, p.Read(sent))
			four, _ := c.Out(nil, &p)
			router := wire.MustParseAddr("192.0.2.1")
			h := wire.Header{Src: router, Dst: lent, TTL: 200}
			require.NoError(t, e.Read(wire.AppendICMP(nil, h, row.typ, row.code, row.rest, four)))
			b, ok := c.Back(nil, &e)
			require.True(t, ok)
			require.NoError(t, e.Read(b))
			require.NoError(t, e.VerifyChecksum())
			require.Equal(t, row.want, [2]uint8{e.Type, e.Code})
			require.Equal(t, row.word, wire.ICMP(e.Transport()).Rest())
			require.Equal(t, nat64.Embed(router), e.Flow.Src)
			require.Equal(t, client, e.Flow.Dst)
			require.Equal(t, sent, wire.ICMP(e.Transport()).Payload(), "the quoted packet, as it was sent")
		})
	}
	var c nat64.Clients
	c.Lend(client)
	var e wire.Packet
	h := wire.Header{Src: server, Dst: lent, TTL: 64}
	require.NoError(t, e.Read(wire.AppendICMP(nil, h, wire.ICMPSourceQuench, 0, 0, segment(1, lent, server, 1, 0, 1, nil))))
	_, ok := c.Back(nil, &e)
	require.False(t, ok, "IPv6 has no source quench")
}

func TestTheClientsErrorsGoOutAboutThePacketAsItCame(t *testing.T) {
	var c nat64.Clients
	c.Lend(client)
	came := segment(1, server, lent, 63, 0, 5, []byte("answer"))
	var p, e wire.Packet
	require.NoError(t, p.Read(came))
	v6, _ := c.Back(nil, &p)
	for want, m := range map[[2]uint8][2]uint8{
		{wire.ICMPUnreachable, wire.PortUnreachable}: {wire.ICMPv6Unreachable, wire.V6PortUnreachable},
		{wire.ICMPUnreachable, 10}:                   {wire.ICMPv6Unreachable, wire.V6AdminProhibited},
		{wire.ICMPTimeExceeded, 1}:                   {wire.ICMPv6TimeExceeded, 1},
		{wire.ICMPUnreachable, wire.FragNeeded}:      {wire.ICMPv6TooBig, 0},
	} {
		h := wire.Header{Src: client, Dst: six, TTL: 64}
		require.NoError(t, e.Read(wire.AppendICMP(nil, h, m[0], m[1], 1400, v6)))
		b, ok := c.Out(nil, &e)
		require.True(t, ok)
		require.NoError(t, e.Read(b))
		require.NoError(t, e.VerifyChecksum())
		require.Equal(t, want, [2]uint8{e.Type, e.Code})
		in, ok := e.Inner()
		require.True(t, ok)
		require.Equal(t, p.Flow, in.Flow)
		require.Zero(t, wire.Checksum(wire.ICMP(e.Transport()).Payload()[:20]), "the quoted header's checksum")
	}
	require.NoError(t, e.Read(wire.AppendICMP(nil, wire.Header{Src: client, Dst: six, TTL: 64}, wire.ICMPv6Unreachable, 4, 0, segment(1, client, client, 1, 0, 0, nil))))
	_, ok := c.Out(nil, &e)
	require.False(t, ok, "about a packet that did not come by here")
}

func TestWhatIsNotTranslated(t *testing.T) {
	var c nat64.Clients
	var p wire.Packet
	esp := wire.AppendIP(nil, wire.Header{Src: client, Dst: six, TTL: 64, Proto: 50}, make([]byte, 16))
	hop := wire.AppendIP(nil, wire.Header{Src: client, Dst: six, TTL: 64, Proto: 0}, append([]byte{17, 0, 1, 4, 0, 0, 0, 0}, make([]byte, 8)...))
	binary.BigEndian.PutUint16(hop[40+8+4:], 8)
	for _, ip := range [][]byte{esp, hop} {
		require.NoError(t, p.Read(ip))
		_, ok := c.Out(nil, &p)
		require.False(t, ok)
	}
	require.NoError(t, p.Read(segment(0, server, wire.MustParseAddr("240.0.0.9"), 64, 0, 1, nil)))
	_, ok := c.Back(nil, &p)
	require.False(t, ok, "nobody has the address")
}

func TestAKnownClientDoesNotAllocate(t *testing.T) {
	for kind := range 4 {
		var c nat64.Clients
		var out, back wire.Packet
		require.NoError(t, out.Read(segment(kind, client, six, 64, 0, 0, make([]byte, 100))))
		require.NoError(t, back.Read(segment(kind, server, lent, 64, 0, 1, make([]byte, 100))))
		b := make([]byte, 0, 2000)
		_, ok := c.Out(b, &out)
		require.True(t, ok)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, ok := c.Out(b, &out); !ok {
				panic("out")
			}
			if _, ok := c.Back(b, &back); !ok {
				panic("back")
			}
		}))
	}
}

// Whatever comes, what is translated is a packet.
func FuzzTranslate(f *testing.F) {
	f.Add(segment(0, client, six, 64, 0, 0, []byte("x")))
	f.Add(segment(1, server, lent, 64, 0, 1, []byte("x")))
	f.Fuzz(func(t *testing.T, ip []byte) {
		var c nat64.Clients
		c.Lend(client)
		var p, q wire.Packet
		if p.Read(ip) != nil {
			return
		}
		translate := c.Back
		if !p.Is4() {
			translate = c.Out
		}
		b, ok := translate(nil, &p)
		if ok && len(b) <= 65535 && q.Read(b) != nil {
			t.Fatalf("% x became % x: %v", ip, b, q.Read(b))
		}
	})
}

// A Writer's packets equal those built from scratch, both ways, but for errors, which it
// does not carry.
func TestAWriterWritesBetweenAnyAddresses(t *testing.T) {
	var w nat64.Writer
	host := wire.MustParseAddr("2001:db8:9::9")
	for kind := range 4 {
		for i := range 40 {
			payload := make([]byte, i*50)
			var p wire.Packet
			require.NoError(t, p.Read(segment(kind, client, host, 61, 3, 0, payload)))
			got, ok := w.Write(nil, &p, lent, server)
			require.True(t, ok)
			id := binary.BigEndian.Uint16(got[4:])
			require.Equal(t, segment(kind, lent, server, 61, 3, id, payload), got)
			require.NoError(t, p.Read(got))
			got, ok = w.Write(nil, &p, client, host)
			require.True(t, ok)
			require.Equal(t, segment(kind, client, host, 61, 3, 0, payload), got)
		}
	}
	var p wire.Packet
	require.NoError(t, p.Read(segment(1, server, lent, 61, 0, 0, nil)))
	e := wire.AppendICMPError(nil, wire.Header{Src: lent, TTL: 64}, wire.ICMPTimeExceeded, 0, 0, &p)
	require.NoError(t, p.Read(e))
	_, ok := w.Write(nil, &p, client, host)
	require.False(t, ok)
}
