package flowtable

import (
	"math/bits"

	"github.com/vpcsim/vpcsim/wire"
)

// Seed makes the hash of one table unlike that of any other, so that nobody who
// picks addresses and ports can pick their places in the table. The zero Seed
// works and is as good as public; use [NewSeed].
type Seed struct{ k [6]uint64 }

// NewSeed returns the Seed that belongs to n: the same for the same n.
func NewSeed(n uint64) Seed {
	var s Seed
	for i := range s.k {
		n += 0x9e3779b97f4a7c15 // splitmix64: spreads even small n over all bits
		z := n
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s.k[i] = z ^ z>>31
	}
	s.k[5] |= 1
	return s
}

// Hash returns the hash of two addresses, in this order, and 64 bits of anything
// else, such as ports and protocol. It does not allocate.
//
// It is four multiplications of 64 by 64 bits whose halves are folded together.
// The first three run side by side, which is why it is not a loop. Both factors of
// the last depend on rest: were one constant, ports that count up would clump.
func (s *Seed) Hash(a, b wire.Addr, rest uint64) uint32 { return s.HashOf(s.Pair(a, b), rest) }

// Pair is what two addresses, in this order, are in the hashes of all flows between them.
type Pair struct{ x, y uint64 }

// Pair returns the Pair of two addresses: the first half of [Seed.Hash]. It does not allocate.
func (s *Seed) Pair(a, b wire.Addr) Pair {
	ahi, alo := a.Words()
	bhi, blo := b.Words()
	return Pair{fold(ahi^s.k[0], alo^s.k[1]), fold(bhi^s.k[2], blo^s.k[3])}
}

// HashOf returns the hash of a pair of addresses and the rest, which [Seed.Hash] returns
// of the addresses: for who needs several of one pair. It does not allocate.
func (s *Seed) HashOf(p Pair, rest uint64) uint32 {
	r := fold(rest^s.k[4], s.k[5])
	z := fold(p.x^r, p.y^bits.RotateLeft64(r, 29))
	return uint32(z ^ z>>32)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
