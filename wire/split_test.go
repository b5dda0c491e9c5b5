package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// join puts parts of one packet together, slowly: each to its place.
func join(t *testing.T, parts [][]byte) (payload []byte, more bool) {
	for _, b := range parts {
		var p Packet
		require.NoError(t, p.Read(b))
		require.Equal(t, len(payload), p.FragmentOffset()-firstOffset(t, parts))
		start := IPv4(b).HeaderLen()
		if !p.Is4() {
			start = int(p.at.frag) - 2 + fragmentLen
		}
		payload, more = append(payload, b[start:]...), p.MoreFragments()
	}
	return payload, more
}

func firstOffset(t *testing.T, parts [][]byte) int {
	var p Packet
	require.NoError(t, p.Read(parts[0]))
	return p.FragmentOffset()
}

func TestCuttingLosesNothing(t *testing.T) {
	g := newGen(20)
	cut := 0
	for range 5000 {
		v4 := g.oneIn(2)
		d := g.datagram(v4, 0)
		d.payload.data = g.bytes(200 + g.IntN(1200))
		d.payload.quoted, d.atomic = nil, false
		d.from, d.to = 0, 0
		if v4 && g.oneIn(4) {
			g.fragment(&d)
		}
		b := d.bytes()
		var p Packet
		require.NoError(t, p.Read(b))
		header := IPv6Len + extensionsKept(d.ext)
		if v4 {
			header = IPv4(b).HeaderLen()
		}
		whole := b[header:]
		mtu := 300 + g.IntN(400)
		parts := p.Split(mtu, 0xdeadbeef)
		require.NotNil(t, parts)
		if len(parts) == 1 {
			require.Equal(t, b, parts[0])
			continue
		}
		cut++
		for i, part := range parts {
			require.LessOrEqual(t, len(part), mtu)
			if i < len(parts)-1 {
				require.Greater(t, len(part), mtu-8, "part %d leaves room for more", i)
			}
		}
		got, more := join(t, parts)
		require.Equal(t, whole, got)
		require.Equal(t, p.MoreFragments(), more)
		holdKey(t, &p, parts)
	}
	require.Greater(t, cut, 3000)
}

func TestCuttingKeepsTheLengthsOfAnEarlierCut(t *testing.T) {
	for _, c := range []struct {
		name    string
		about   []byte
		lengths []int
		mtu     int
		want    bool
	}{
		{"IPv4, of any lengths", packet4(47, false, 0, 100), []int{8, 64, 16, 12}, 84, true},
		{"IPv4, in one", packet4(47, false, 0, 100), []int{100}, 120, true},
		{"the middle of a datagram", packet4(47, true, 80, 96), []int{8, 88}, 108, true},
		{"the end of a datagram", packet4(47, false, 80, 100), []int{8, 92}, 112, true},
		{"one too long", packet4(47, false, 0, 100), []int{8, 64, 16, 12}, 83, false},
		{"too few bytes", packet4(47, false, 0, 100), []int{8, 88}, 1500, false},
		{"too many bytes", packet4(47, false, 0, 100), []int{8, 93}, 1500, false},
		{"no multiple of 8", packet4(47, false, 0, 100), []int{60, 40}, 1500, false},
		{"nothing in one", packet4(47, false, 0, 100), []int{8, 0, 92}, 1500, false},
		{"less than nothing in one", packet4(47, false, 0, 100), []int{104, -8, 4}, 1500, false},
		{"none", packet4(47, false, 0, 100), nil, 1500, false},
		{"a fragment of IPv6", fragment6Bytes, []int{8}, 1500, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p, part Packet
			require.NoError(t, p.Read(c.about))
			parts := p.SplitInto(c.lengths, c.mtu, 7)
			require.Equal(t, c.want, parts != nil)
			at := p.FragmentOffset()
			for i, b := range parts {
				require.NoError(t, part.Read(b))
				require.Equal(t, at, part.FragmentOffset())
				require.Len(t, b, IPv4Len+c.lengths[i])
				at += c.lengths[i]
			}
			if c.want {
				payload, more := join(t, parts)
				require.Equal(t, c.about[IPv4Len:], payload)
				require.Equal(t, p.MoreFragments(), more)
			}
		})
	}
	var p Packet
	six := packet6(47, false, 0, 100)
	require.NoError(t, p.Read(six))
	parts := p.SplitInto([]int{8, 92}, IPv6Len+fragmentLen+92, 0xdeadbeef)
	require.Len(t, parts, 2)
	payload, _ := join(t, parts)
	require.Equal(t, six[IPv6Len:], payload)
	holdKey(t, &p, parts)
	require.Nil(t, p.SplitInto([]int{8, 92}, IPv6Len+fragmentLen+91, 0))
}

// extensionsKept is how many bytes of extension headers each fragment repeats.
func extensionsKept(ext [][]byte) (kept int) {
	n := 0
	for _, e := range ext {
		n += len(e) - 1
		if Proto(e[0]) == extHopByHop || Proto(e[0]) == extRouting {
			kept = n
		}
	}
	return kept
}

// holdKey says that the parts are of one datagram and carry its header.
func holdKey(t *testing.T, p *Packet, parts [][]byte) {
	want, _ := p.FragmentKey()
	for i, b := range parts {
		var q Packet
		require.NoError(t, q.Read(b))
		key, ok := q.FragmentKey()
		require.True(t, ok)
		if p.Fragment == Whole && i == 0 {
			want = key
		}
		require.Equal(t, want, key)
		require.Equal(t, p.TTL(), q.TTL())
		require.Equal(t, p.DontFragment(), q.DontFragment())
	}
	if !p.Is4() {
		require.Equal(t, uint32(0xdeadbeef), want.ID)
	}
}

// RFC 791 section 3.1: record route (7) has no copied flag, loose source route (131) has.
func TestOptionsWithoutTheCopiedFlagStayInTheFirstFragment(t *testing.T) {
	d := datagram{src: host4, dst: peer4, ttl: 9, payload: transport{proto: 47, data: make([]byte, 64)},
		options: []byte{7, 7, 4, 0, 0, 0, 0, 131, 3, 4, 1, 0}}
	var p Packet
	require.NoError(t, p.Read(d.bytes()))
	parts := p.Split(64, 0)
	require.Len(t, parts, 2)
	require.Equal(t, d.options, IPv4(parts[0]).Options())
	require.Equal(t, []byte{1, 1, 1, 1, 1, 1, 1, 131, 3, 4, 1, 0}, IPv4(parts[1]).Options())
	for _, broken := range [][]byte{{7, 1, 0, 0}, {7, 5, 0, 0}, {1, 1, 1, 7}} {
		d.options = broken
		require.NoError(t, p.Read(d.bytes()))
		require.Equal(t, broken, IPv4(p.Split(64, 0)[1]).Options())
	}
}

func TestWhatCanNotBeCutIsNot(t *testing.T) {
	var p Packet
	require.NoError(t, p.Read(fragment6Bytes))
	require.Nil(t, p.Split(55, 1), "routers don't cut IPv6 again")
	require.Equal(t, [][]byte{fragment6Bytes}, p.Split(56, 1))
	require.NoError(t, p.Read(udp4Bytes))
	require.Nil(t, p.Split(27, 0), "no room for 8 bytes")
	require.Len(t, p.Split(28, 0), 2)
	require.NoError(t, p.Read(tcp6Bytes))
	require.Nil(t, p.Split(55, 0))
	require.Len(t, p.Split(56, 0), 3)
}
