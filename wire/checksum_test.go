package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 1071 section 3's numerical example.
func TestTheChecksumOfRFC1071sExample(t *testing.T) {
	require.Equal(t, ^uint16(0xddf2), Checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}))
	require.Equal(t, uint16(0xffff), Checksum(nil))
}

// RFC 1624 section 4's numerical example, where the equation of RFC 1141 fails.
func TestTheUpdateOfRFC1624sExample(t *testing.T) {
	require.Equal(t, uint16(0x0000), Delta16(0x5555, 0x3285).Apply(0xdd2f))
}

func TestTheChecksumIsThatOfTheSlowTwin(t *testing.T) {
	g := newGen(10)
	for n := range 2000 {
		b := g.bytes(n)
		if g.oneIn(4) {
			b = bytesOf(0xff, n)
		}
		require.Equal(t, slowSum(b), Checksum(b), "%x", b)
		if Checksum(b) != 0xffff { // all ones are a zero in one's complement: they add nothing
			require.Equal(t, ^Checksum(b), fold(sum(b, ^uint64(0))), "%x", b)
		}
	}
}

// Deltas of 16-bit words and of addresses, added in any order, are those of the whole.
func TestDeltasAdd(t *testing.T) {
	g := newGen(11)
	for range 50_000 {
		b := g.bytes(2 * (1 + g.IntN(20)))
		b[0] |= 1 // never all zeros
		before, d := Checksum(b), Delta(0)
		for range g.IntN(5) {
			at := 2 * (g.IntN(len(b)/2) + 0)
			if at == 0 {
				continue
			}
			from, to := uint16(b[at])<<8|uint16(b[at+1]), g.port()
			b[at], b[at+1] = byte(to>>8), byte(to)
			d = Delta16(from, to).Plus(d)
		}
		require.Equal(t, Checksum(b), d.Apply(before), "%x", b)
	}
	for _, v4 := range []bool{true, false} {
		for range 10_000 {
			from, to := g.addr(v4), g.addr(v4)
			word := g.bytes(2)
			word[0] |= 1
			before := slowSum(word, addrBytes(from))
			require.Equal(t, slowSum(word, addrBytes(to)), DeltaAddr(from, to).Apply(before))
			require.Equal(t, before, DeltaAddr(from, to).Plus(DeltaAddr(to, from)).Apply(before))
		}
	}
}
