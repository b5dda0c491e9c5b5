package nat_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

func static(t *testing.T, pairs ...string) *nat.Static {
	var list []nat.Pair
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, nat.Pair{Inside: wire.MustParseAddr(pairs[i]), Outside: wire.MustParseAddr(pairs[i+1])})
	}
	s, err := nat.NewStatic(list)
	require.NoError(t, err)
	return s
}

func TestStaticTranslatesAddressesAndNothingElse(t *testing.T) {
	outside := wire.MustParseAddr("203.0.113.9")
	s := static(t, "10.0.0.11", "203.0.113.9", "10.0.0.12", "203.0.113.10", "fd00::11", "2001:db8::11")
	for _, f := range []wire.Flow{
		flow(wire.ProtoUDP, inside, 4000, server, 53), flow(wire.ProtoTCP, inside, 4000, server, 443),
		flow(wire.ProtoICMP, inside, 31391, server, 0), flow(47, inside, 0, server, 0),
	} {
		p, want := of(t, f, wire.SYN), f
		want.Src = outside
		require.True(t, s.Out(p))
		again(t, p)
		require.Equal(t, want, p.Flow, "C129 ports are untouched")

		back := of(t, want.Reverse(), wire.ACK)
		require.True(t, s.Back(back))
		again(t, back)
		require.Equal(t, f.Reverse(), back.Flow)
	}
	t.Run("a later fragment has its addresses alone", func(t *testing.T) {
		p := fragment(t, flow(wire.ProtoUDP, inside, 1, server, 2), 7, 64)
		require.True(t, s.Out(p))
		require.Equal(t, flow(wire.ProtoUDP, outside, 0, server, 0), p.Flow)
		again(t, p)
	})
	t.Run("what is in no pair is left alone", func(t *testing.T) {
		p := udp(t, flow(0, router, 1, server, 2))
		before := append([]byte(nil), p.Bytes()...)
		require.False(t, s.Out(p))
		require.False(t, s.Back(p))
		require.Equal(t, before, p.Bytes())
		require.False(t, new(nat.Static).Out(p), "the zero Static")
	})
	t.Run("IPv6 is the same", func(t *testing.T) {
		f := flow(wire.ProtoUDP, wire.MustParseAddr("fd00::11"), 1, wire.MustParseAddr("2001:db8:1::1"), 2)
		p := udp(t, f)
		require.True(t, s.Out(p))
		again(t, p)
		require.Equal(t, wire.MustParseAddr("2001:db8::11"), p.Flow.Src)
	})
}

func TestStaticTranslatesWhatAnICMPErrorQuotes(t *testing.T) {
	s := static(t, "10.0.0.11", "203.0.113.9")
	f := flow(wire.ProtoUDP, inside, 4000, server, 53)
	p := udp(t, f)
	require.True(t, s.Out(p))
	e := unreachable(t, router, p)
	require.True(t, s.Back(e))
	again(t, e)
	require.Equal(t, inside, e.Flow.Dst)
	in, _ := e.Inner()
	require.Equal(t, f, in.Flow)

	// And outbound: the instance refuses a packet that came in.
	request := udp(t, flow(0, server, 9, wire.MustParseAddr("203.0.113.9"), 99))
	asSent := request.Flow
	require.True(t, s.Back(request))
	e = unreachable(t, inside, request)
	require.True(t, s.Out(e))
	again(t, e)
	require.Equal(t, wire.MustParseAddr("203.0.113.9"), e.Flow.Src)
	in, _ = e.Inner()
	require.Equal(t, asSent, in.Flow)
}

func TestStaticRefusesPairsThatAreNone(t *testing.T) {
	a, b, c := wire.MustParseAddr("10.0.0.1"), wire.MustParseAddr("203.0.113.1"), wire.MustParseAddr("2001:db8::1")
	for _, x := range []struct {
		pairs []nat.Pair
		want  string
	}{
		{[]nat.Pair{{a, c}}, "static NAT, pair 0: 10.0.0.1 and 2001:db8::1 are not two addresses of one family"},
		{[]nat.Pair{{a, wire.Addr{}}}, "static NAT, pair 0: 10.0.0.1 and invalid IP are not two addresses of one family"},
		{[]nat.Pair{{a, b}, {a, a}}, "static NAT, pair 1: inside address 10.0.0.1 has 203.0.113.1 outside already"},
		{[]nat.Pair{{a, b}, {b, b}}, "static NAT, pair 1: outside address 203.0.113.1 has 10.0.0.1 inside already"},
	} {
		_, err := nat.NewStatic(x.pairs)
		require.EqualError(t, err, x.want)
	}
}

func TestStaticKnowsAsManyAddressesAsItWasGiven(t *testing.T) {
	var pairs []nat.Pair
	for i := range uint32(5000) {
		pairs = append(pairs, nat.Pair{Inside: wire.AddrFromV4(10<<24 | i*i), Outside: wire.AddrFromV4(203<<24 | i)})
	}
	s, err := nat.NewStatic(pairs)
	require.NoError(t, err)
	for i, p := range pairs {
		out, ok := s.Outside(p.Inside)
		require.True(t, ok)
		require.Equal(t, p.Outside, out)
		in, ok := s.Inside(p.Outside)
		require.True(t, ok)
		require.Equal(t, p.Inside, in)
		_, ok = s.Outside(wire.AddrFromV4(172<<24 | uint32(i)))
		require.False(t, ok)
	}
	_, ok := s.Outside(wire.Addr{})
	require.False(t, ok)
}
