package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// rewrites is how many random packets are rewritten and compared.
const rewrites = 250_000

func TestRewritingGivesTheBytesThatAreBuiltAnew(t *testing.T) {
	g := newGen(1)
	n := rewrites
	if testing.Short() {
		n /= 20
	}
	var p Packet
	seen := map[string]int{}
	for range n {
		v4 := g.oneIn(2)
		d := g.datagram(v4, 0)
		b := d.bytes()
		require.NoError(t, p.Read(b), "%x", b)
		require.Equal(t, d.flow(), p.Flow, "%x", b)
		before := append([]byte(nil), b...)
		g.rewriteBoth(&d, &p, v4, seen)
		want := d.bytes()
		if string(want) != string(b) {
			require.Equal(t, want, b, "rewriting %x", before)
		}
		var again Packet
		require.NoError(t, again.Read(b))
		require.Equal(t, again, p)
		require.NoError(t, p.VerifyChecksum(), "%x", b)
	}
	for _, kind := range []string{"icmp quoted", "icmpv6 quoted", "tcp", "udp", "icmp", "icmpv6", "gre", "first", "later"} {
		require.Greater(t, seen[kind], n/200, kind)
	}
}

// rewriteBoth does the same to the packet and to its twin.
func (g gen) rewriteBoth(d *datagram, p *Packet, v4 bool, seen map[string]int) {
	seen[d.payload.proto.String()]++
	switch p.Fragment {
	case FirstFragment:
		seen["first"]++
	case LaterFragment:
		seen["later"]++
	}
	if g.oneIn(2) {
		a, port := g.addr(v4), g.port()
		p.SetSrc(a, port)
		d.setSrc(a, port)
	}
	if g.oneIn(2) {
		a, port := g.addr(v4), g.port()
		p.SetDst(a, port)
		d.setDst(a, port)
	}
	if g.oneIn(2) {
		d.ttl = byte(g.Uint32())
		p.SetTTL(d.ttl)
	}
	q := d.payload.quoted
	in, ok := p.Inner()
	if q == nil || !ok || p.Fragment != Whole {
		return // what a first fragment quotes goes on in the next, out of reach
	}
	seen[d.payload.proto.String()+" quoted"]++
	a, b, port := g.addr(v4), g.addr(v4), g.port()
	in.SetSrc(a, port)
	in.SetDst(b, port)
	q.setSrc(a, port)
	q.setDst(b, port)
}

func TestRewritingInOneGoIsRewritingStepByStep(t *testing.T) {
	g := newGen(6)
	plain := map[Proto]int{}
	for range rewrites / 10 {
		d := g.datagram(g.oneIn(2), 0)
		b := d.bytes()
		var p, q Packet
		require.NoError(t, p.Read(b))
		usual := p.Is4() && d.options == nil && p.Fragment == Whole && (p.Flow.Proto == ProtoUDP || p.Flow.Proto == ProtoTCP)
		require.Equal(t, usual, p.IsPlain(), "%x", b)
		if !usual || p.TTL() < 5 {
			continue
		}
		plain[p.Flow.Proto]++
		if g.oneIn(4) { // a checksum that is none, or that may be wrong
			sum := b[p.at.sum : p.at.sum+2]
			sum[0] = byte(-g.IntN(2))
			sum[1] = sum[0]
		}
		twin := append([]byte(nil), b...)
		require.NoError(t, q.Read(twin))
		for range g.IntN(4) {
			require.True(t, p.DecTTL())
		}
		for range g.IntN(4) {
			if g.oneIn(2) {
				p.SetSrc(g.addr(true), g.port())
			} else {
				p.SetDst(g.addr(true), g.port())
			}
		}
		q.Rewrite(&p.Flow, q.TTL()-p.TTL())
		require.Equal(t, b, twin)
		require.Equal(t, p.Flow, q.Flow)
		require.Equal(t, p.TTL(), q.TTL())
	}
	require.Greater(t, min(plain[ProtoUDP], plain[ProtoTCP]), 1000)
}

func TestAWrongChecksumStaysWrong(t *testing.T) {
	g := newGen(2)
	wrong := 0
	for range 20_000 {
		v4 := g.oneIn(2)
		d := g.datagram(v4, 0)
		b := d.bytes()
		var p Packet
		require.NoError(t, p.Read(b))
		if p.at.sum == 0 || p.Fragment != Whole || d.payload.noSum {
			continue
		}
		// Another sum in one's complement: neither the same nor the other zero.
		b[p.at.sum] ^= byte(1 + g.IntN(254))
		if p.VerifyChecksum() == nil || d.payload.proto == ProtoUDP && b[p.at.sum] == 0 && b[p.at.sum+1] == 0 {
			continue
		}
		g.rewriteBoth(&d, &p, v4, map[string]int{})
		require.Equal(t, BadChecksum, p.VerifyChecksum(), "%x", b)
		wrong++
	}
	require.Greater(t, wrong, 10_000)
}

// RFC 768: a computed checksum of zero is sent as all ones; zero says there is none.
func TestUDPsZeroChecksumHasTwoHalves(t *testing.T) {
	for _, v4 := range []bool{true, false} {
		g := newGen(3)
		src, dst, to := g.addr(v4), g.addr(v4), g.addr(v4)
		zero := 0
		for port := range 0x10000 {
			b := AppendUDP(nil, Header{Src: src, Dst: dst, TTL: 1}, 7, uint16(port), nil)
			var p Packet
			require.NoError(t, p.Read(b))
			p.SetSrc(to, 7)
			sum := UDP(p.Transport()).Checksum()
			require.NotZero(t, sum)
			require.NoError(t, p.VerifyChecksum())
			if sum == 0xffff {
				zero++
			}
		}
		require.Positive(t, zero, "no port makes the sum zero")
	}
	h := Header{Src: MustParseAddr("10.0.0.1"), Dst: MustParseAddr("10.0.0.2"), TTL: 64}
	b := AppendUDP(nil, h, 1, 2, []byte("none"))
	b[26], b[27] = 0, 0
	var p Packet
	require.NoError(t, p.Read(b))
	p.SetSrc(MustParseAddr("192.0.2.1"), 9)
	require.Zero(t, UDP(p.Transport()).Checksum(), "none stays none")
	require.NoError(t, p.VerifyChecksum())
}

// RFC 8200 section 8.1 allows no absent checksum.
func TestUDPOverIPv6NeedsAChecksum(t *testing.T) {
	h := Header{Src: MustParseAddr("2600::1"), Dst: MustParseAddr("2600::2"), TTL: 64}
	b := AppendUDP(nil, h, 1, 2, []byte("none"))
	b[46], b[47] = 0, 0
	var p Packet
	require.NoError(t, p.Read(b))
	require.Equal(t, BadChecksum, p.VerifyChecksum())
}

// The one sum that RFC 1624's equation can't bring up to date.
func TestAnEchoReplyThatBecomesAllZerosKeepsAVerifiableChecksum(t *testing.T) {
	h := Header{Src: MustParseAddr("10.0.0.1"), Dst: MustParseAddr("10.0.0.2"), TTL: 64}
	for _, n := range []int{0, 1, 56} {
		b := AppendICMP(nil, h, ICMPEchoReply, 0, 5<<16, make([]byte, n))
		var p Packet
		require.NoError(t, p.Read(b))
		p.SetDst(h.Dst, 0)
		require.Equal(t, uint16(0xffff), ICMP(p.Transport()).Checksum())
		require.NoError(t, p.VerifyChecksum())
		p.SetDst(h.Dst, 6)
		require.Equal(t, AppendICMP(nil, h, ICMPEchoReply, 0, 6<<16, make([]byte, n)), p.Bytes())
	}
}

// RFC 8200 section 8.1: the pseudo-header has the final destination.
func TestADestinationOnTheWayIsNotInThePseudoHeader(t *testing.T) {
	g := newGen(4)
	final, via, to := g.addr(false), g.addr(false), g.addr(false)
	routing := append([]byte{byte(extRouting), 0, 2, 0, 1, 0, 0, 0, 0}, addrBytes(final)...)
	d := datagram{src: g.addr(false), dst: final, ttl: 9, ext: [][]byte{routing}, payload: transport{proto: ProtoUDP, data: []byte("x")}}
	b := d.bytes()
	copy(b[24:], addrBytes(via))
	var p Packet
	require.NoError(t, p.Read(b))
	p.SetDst(to, 0)
	require.NoError(t, p.VerifyChecksum(), "can't be verified")
	copy(b[24:], addrBytes(final))
	require.Equal(t, d.bytes(), b)
	src := g.addr(false)
	p.SetSrc(src, 0)
	d.setSrc(src, 0)
	copy(b[24:], addrBytes(final))
	require.Equal(t, d.bytes(), b)
}

func TestDecTTLLeavesTheLastHopForTheError(t *testing.T) {
	for _, v4 := range []bool{true, false} {
		d := newGen(5).datagram(v4, 0)
		for ttl := range 256 {
			d.ttl = byte(ttl)
			b := d.bytes()
			var p Packet
			require.NoError(t, p.Read(b))
			left := p.DecTTL()
			require.Equal(t, ttl > 1, left)
			if left {
				d.ttl--
			}
			require.Equal(t, d.bytes(), b)
			require.Equal(t, d.ttl, p.TTL())
		}
	}
}

func TestAnAddressOfTheOtherFamilyPanicsByName(t *testing.T) {
	v4, v6 := MustParseAddr("10.0.0.1"), MustParseAddr("2600::1")
	for _, c := range []struct{ own, other Addr }{{v4, v6}, {v6, v4}} {
		var p Packet
		require.NoError(t, p.Read(AppendUDP(nil, Header{Src: c.own, Dst: c.own, TTL: 1}, 1, 2, nil)))
		want := "wire: " + c.other.String() + " is not of the packet's address family"
		require.PanicsWithValue(t, want, func() { p.SetSrc(c.other, 1) })
		require.PanicsWithValue(t, want, func() { p.SetDst(c.other, 1) })
	}
}
