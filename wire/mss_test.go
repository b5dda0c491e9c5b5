package wire_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

var (
	mssA, mssB = wire.MustParseAddr("10.0.0.1"), wire.MustParseAddr("10.0.0.2")
	mssC, mssD = wire.MustParseAddr("2001:db8::1"), wire.MustParseAddr("2001:db8::2")
)

// slowClamp is the twin: it reads the options byte by byte and builds the segment anew.
func slowClamp(six bool, s wire.Segment, payload []byte, mtu int) []byte {
	h := wire.Header{Src: mssA, Dst: mssB, TTL: 64}
	most := mtu - 40
	if six {
		h.Src, h.Dst, most = mssC, mssD, mtu-60
	}
	options := append([]byte(nil), s.Options...)
	for i := 0; s.Flags.Has(wire.SYN) && i < len(options); {
		kind := options[i]
		if kind == 0 {
			break
		}
		if kind == 1 {
			i++
			continue
		}
		if i+1 >= len(options) {
			break
		}
		n := int(options[i+1])
		if n < 2 || i+n > len(options) {
			break
		}
		if kind == 2 && n == 4 {
			if v := int(binary.BigEndian.Uint16(options[i+2:])); v > most {
				binary.BigEndian.PutUint16(options[i+2:], uint16(most))
			}
			break
		}
		i += n
	}
	s.Options = options
	return wire.AppendTCP(nil, h, s, payload)
}

func TestClampMSSEqualsTheSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	clamped := 0
	for range 20000 {
		six, mtu := rng.IntN(2) == 0, []int{1280, 1446, 1500, 8500, 9001}[rng.IntN(5)]
		s := wire.Segment{SrcPort: 1, DstPort: 2, Seq: rng.Uint32(), Flags: wire.TCPFlags(rng.IntN(256)), Options: randomOptions(rng)}
		payload := make([]byte, rng.IntN(4))
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		h := wire.Header{Src: mssA, Dst: mssB, TTL: 64}
		if six {
			h.Src, h.Dst = mssC, mssD
		}
		ip := wire.AppendTCP(nil, h, s, payload)
		want := slowClamp(six, s, payload, mtu)
		var p wire.Packet
		require.NoError(t, p.Read(ip))
		changed := p.ClampMSS(mtu)
		require.NoError(t, p.VerifyChecksum())
		require.Equal(t, want, p.Bytes())
		require.False(t, p.ClampMSS(mtu), "a second time changes nothing")
		if changed {
			clamped++
		}
	}
	require.Greater(t, clamped, 500)
}

// randomOptions are options of a SYN, odd offsets and broken ones among them.
func randomOptions(rng *rand.Rand) []byte {
	var o []byte
	for range rng.IntN(4) {
		switch rng.IntN(6) {
		case 0:
			o = append(o, 1)
		case 1:
			o = append(o, 4, 2)
		case 2:
			o = append(o, 3, 3, byte(rng.IntN(15)))
		case 3:
			o = append(o, byte(rng.IntN(5)), byte(rng.IntN(6)))
		default:
			o = append(o, 2, 4, byte(rng.IntN(256)), byte(rng.IntN(256)))
		}
	}
	for len(o)%4 != 0 {
		o = append(o, byte(rng.IntN(2)))
	}
	return o
}

func TestClampMSSDoesNotAllocate(t *testing.T) {
	ip := wire.AppendTCP(nil, wire.Header{Src: mssA, Dst: mssB, TTL: 64}, wire.Segment{Flags: wire.SYN, Options: []byte{2, 4, 0x23, 1}}, nil)
	b := append([]byte(nil), ip...)
	var p wire.Packet
	require.Zero(t, testing.AllocsPerRun(100, func() {
		copy(b, ip)
		if p.Read(b) != nil || !p.ClampMSS(1500) {
			panic("not clamped")
		}
	}))
	require.Equal(t, []byte{2, 4, 0x05, 0xb4}, wire.TCP(p.Transport()).Options())
}

func TestAFragmentOfASYNIsClampedWithoutItsChecksumVerified(t *testing.T) {
	h := wire.Header{Src: mssA, Dst: mssB, TTL: 64}
	whole := wire.AppendTCP(nil, h, wire.Segment{Flags: wire.SYN, Options: []byte{2, 4, 0x23, 1}}, make([]byte, 100))
	var p wire.Packet
	require.NoError(t, p.Read(whole))
	want := slowClamp(false, wire.Segment{Flags: wire.SYN, Options: []byte{2, 4, 0x23, 1}}, make([]byte, 100), 1500)
	parts := p.Split(68, 0)
	var first wire.Packet
	require.NoError(t, first.Read(parts[0]))
	require.True(t, first.ClampMSS(1500))
	require.Equal(t, want[20:44], first.Transport()[:24], "the whole segment's checksum")
	var later wire.Packet
	require.NoError(t, later.Read(parts[1]))
	require.False(t, later.ClampMSS(1500))
}

func TestTooBig(t *testing.T) {
	df := wire.Header{Src: mssA, Dst: mssB, TTL: 64, DF: true}
	may := wire.Header{Src: mssA, Dst: mssB, TTL: 64}
	six := wire.Header{Src: mssC, Dst: mssD, TTL: 64}
	for _, row := range []struct {
		name string
		ip   []byte
		from wire.Addr
		typ  uint8
		told bool
	}{
		{"IPv4, DF", wire.AppendUDP(nil, df, 1, 2, make([]byte, 2000)), mssB, wire.ICMPUnreachable, true},
		{"IPv4, may be fragmented", wire.AppendUDP(nil, may, 1, 2, make([]byte, 2000)), mssB, 0, false},
		{"IPv6", wire.AppendUDP(nil, six, 1, 2, make([]byte, 2000)), mssD, wire.ICMPv6TooBig, true},
		{"an error", wire.AppendICMP(nil, df, wire.ICMPUnreachable, 0, 0, make([]byte, 2000)), mssB, 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var p, e wire.Packet
			require.NoError(t, p.Read(row.ip))
			b := wire.AppendTooBig(nil, wire.Header{Src: row.from, TTL: 255}, 1400, &p)
			require.Equal(t, row.told, b != nil)
			if b == nil {
				return
			}
			require.NoError(t, e.Read(b))
			require.NoError(t, e.VerifyChecksum())
			require.Equal(t, row.typ, e.Type)
			require.Equal(t, uint32(1400), wire.ICMP(e.Transport()).MTU())
			require.Equal(t, p.Flow.Src, e.Flow.Dst)
		})
	}
}

func TestMSS(t *testing.T) {
	read := func(s wire.Segment, payload []byte) *wire.Packet {
		var p wire.Packet
		h := wire.Header{Src: mssA, Dst: mssB, TTL: 64}
		require.NoError(t, p.Read(wire.AppendTCP(nil, h, s, payload)))
		return &p
	}
	options := wire.AppendMSS(nil, 8961)
	require.Equal(t, 8961, read(wire.Segment{Flags: wire.SYN, Options: options}, nil).MSS())
	require.Equal(t, 8961, read(wire.Segment{Flags: wire.SYN, Options: append([]byte{1, 1, 1, 1}, options...)}, nil).MSS())
	require.Zero(t, read(wire.Segment{Flags: wire.SYN}, nil).MSS())
	require.Zero(t, read(wire.Segment{Flags: wire.ACK, Options: options}, nil).MSS())
	p := read(wire.Segment{Flags: wire.SYN, Options: options}, nil)
	require.True(t, p.ClampMSS(1500))
	require.Equal(t, 1460, p.MSS())
}
