package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnErrorQuotesAsMuchAsItHolds(t *testing.T) {
	for _, c := range []struct {
		h        Header
		n, total int
	}{
		{Header{Src: host4, Dst: peer4, TTL: 1}, 100, 20 + 8 + 128},
		{Header{Src: host4, Dst: peer4, TTL: 1}, 1400, 576},
		{Header{Src: host6, Dst: peer6, TTL: 1}, 100, 40 + 8 + 148},
		{Header{Src: host6, Dst: peer6, TTL: 1}, 1400, 1280},
	} {
		var about, e Packet
		require.NoError(t, about.Read(AppendUDP(nil, c.h, 40000, 33434, make([]byte, c.n))))
		router := Header{Src: Addr{c.h.Src.hi, c.h.Src.lo + 100}, TTL: 64, TOS: 0xc0}
		typ, code := ICMPTimeExceeded, uint8(0)
		if !about.Is4() {
			typ = ICMPv6TimeExceeded
		}
		b := AppendICMPError(dirty(), router, typ, code, 0, &about)
		require.Len(t, b, c.total)
		require.NoError(t, e.Read(b))
		require.NoError(t, e.VerifyChecksum())
		require.True(t, e.IsError())
		require.Equal(t, router.Src, e.Flow.Src)
		require.Equal(t, c.h.Src, e.Flow.Dst)
		require.Equal(t, about.Bytes()[:min(c.total-ICMPLen-len(b)+len(e.Transport()), about.Len())], ICMP(e.Transport()).Payload())
		in, ok := e.Inner()
		require.True(t, ok)
		require.Equal(t, about.Flow, in.Flow)
		require.True(t, in.HasPorts())
	}
}

// ask builds a UDP datagram with the given addresses.
func ask(src, dst string) []byte {
	return AppendUDP(nil, Header{Src: MustParseAddr(src), Dst: MustParseAddr(dst), TTL: 9}, 1, 2, nil)
}

func icmp(src string, typ uint8) []byte {
	h := Header{Src: MustParseAddr(src), Dst: MustParseAddr(src), TTL: 9}
	return AppendICMP(nil, h, typ, 0, 0, udp4Bytes)
}

var errorRules = []struct {
	name  string
	about []byte
	sent  bool
}{
	// RFC 1122 section 3.2.2
	{"UDP", udp4Bytes, true},
	{"an echo", icmp("10.0.0.1", ICMPEcho), true},
	{"an ICMP error", icmp("10.0.0.1", ICMPUnreachable), false},
	{"a redirect", icmp("10.0.0.1", ICMPRedirect), false},
	{"an unknown type", icmp("10.0.0.1", 42), false},
	{"a router advertisement, no query", icmp("10.0.0.1", 9), false},
	{"the address mask reply, the last that is known", icmp("10.0.0.1", ICMPAddressMaskBack), true},
	{"a first fragment", packet4(47, true, 0, 8), true},
	{"a later fragment", packet4(47, false, 8, 8), false},
	{"a multicast", ask("10.0.0.1", "224.0.0.5"), false},
	{"a broadcast", ask("10.0.0.1", "255.255.255.255"), false},
	{"a source of 0.0.0.0", ask("0.0.0.0", "10.0.0.1"), false},
	{"a source of 0/8", ask("0.1.2.3", "10.0.0.1"), true},
	{"a loopback source", ask("127.0.0.1", "10.0.0.1"), false},
	{"a multicast source", ask("239.1.1.1", "10.0.0.1"), false},
	{"a class E source", ask("240.0.0.1", "10.0.0.1"), true},
	{"a broadcast source", ask("255.255.255.255", "10.0.0.1"), false},
	{"the last class C source", ask("223.255.255.254", "10.0.0.1"), true},
	{"ICMPv6 over IPv4, which is none", packet4(ProtoICMPv6, false, 0, 8), true},
	// RFC 4443 section 2.4(e)
	{"TCP over IPv6", tcp6Bytes, true},
	{"an ICMPv6 echo", icmp("2600::1", ICMPv6Echo), true},
	{"an ICMPv6 error", icmp("2600::1", ICMPv6TimeExceeded), false},
	{"an unknown ICMPv6 error", icmp("2600::1", 127), false},
	{"an unknown informational message", icmp("2600::1", 200), true},
	{"an ICMPv6 redirect", icmp("2600::1", ICMPv6Redirect), false},
	{"a later fragment of IPv6, which RFC 4443 does not exclude", fragment6Bytes, true},
	{"an IPv6 multicast", ask("2600::1", "ff02::1"), false},
	{"a source of ::", ask("::", "2600::1"), false},
	{"an IPv6 multicast source", ask("ff02::1", "2600::1"), false},
}

func TestErrorsAreSentAboutWhatTheRFCsAllow(t *testing.T) {
	for _, c := range errorRules {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			require.NoError(t, p.Read(c.about))
			typ := ICMPTimeExceeded
			if !p.Is4() {
				typ = ICMPv6TimeExceeded
			}
			require.Equal(t, c.sent, p.AllowsError(typ, 0))
		})
	}
}

// RFC 4443 section 2.4(e.3).
func TestTwoErrorsMayAnswerAMulticast(t *testing.T) {
	var p Packet
	require.NoError(t, p.Read(ask("2600::1", "ff0e::1")))
	require.True(t, p.AllowsError(ICMPv6TooBig, 0))
	require.True(t, p.AllowsError(ICMPv6Parameter, V6UnrecognizedOption))
	require.False(t, p.AllowsError(ICMPv6Parameter, 1))
	require.NoError(t, p.Read(ask("10.0.0.1", "239.0.0.1")))
	require.False(t, p.AllowsError(ICMPv6TooBig, 0))
}

func TestAnErrorThatQuotesTooLittleHasNoInner(t *testing.T) {
	h4, h6 := Header{Src: host4, Dst: peer4, TTL: 1}, Header{Src: host6, Dst: peer6, TTL: 1}
	for _, c := range []struct {
		name  string
		h     Header
		quote []byte
		ok    bool
	}{
		{"header and 8 bytes", h4, udp4Bytes[:28], true},
		{"header and 7 bytes", h4, udp4Bytes[:27], false},
		{"nothing", h4, nil, false},
		{"IPv6 in IPv4's", h4, tcp6Bytes, false},
		{"a header of 16 bytes", h4, with(udp4Bytes, put(0, 0x44)), false},
		{"a header with a wrong checksum", h4, append(append([]byte(nil), udp4Bytes[:10]...), make([]byte, 20)...), true},
		{"IPv6 header and 8 bytes", h6, tcp6Bytes[:48], true},
		{"IPv6 header and 7 bytes", h6, tcp6Bytes[:47], false},
		{"IPv4 in IPv6's", h6, append(append([]byte(nil), udp4Bytes...), make([]byte, 40)...), false},
		{"a later fragment of IPv6", h6, fragment6Bytes[:48], true},
		{"a first fragment of IPv6, cut at no multiple of 8", h6, packet6(ProtoUDP, true, 0, 64)[:59], true},
		{"a first fragment of IPv6, cut in the UDP header", h6, packet6(ProtoUDP, true, 0, 64)[:55], false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			typ := ICMPUnreachable
			if c.h.Src == host6 {
				typ = ICMPv6Unreachable
			}
			require.NoError(t, p.Read(AppendICMP(nil, c.h, typ, 0, 0, c.quote)))
			in, ok := p.Inner()
			require.Equal(t, c.ok, ok)
			if ok {
				require.NotZero(t, in.Flow.Proto)
			}
		})
	}
}
