package flowtable

// A chunk holds 1,024 records: large, because the garbage collector's sweep costs some
// 200 ns a chunk. The first begins with 16 and doubles: most tables stay small.
const (
	chunk = 1024 // a power of two
	small = 16
)

// Slab holds records by number, 0 and up. T should hold no pointers and fill whole
// cache lines (64 bytes). The zero Slab is empty and ready.
type Slab[T any] struct {
	chunks [][]T
	n      uint32
}

// Len returns how many records there are.
func (s *Slab[T]) Len() int { return int(s.n) }

// At returns record n, which must be below Len. The pointer is good until the next
// Append. It does not allocate.
func (s *Slab[T]) At(n uint32) *T { return &s.chunks[n/chunk][n%chunk] }

// Append adds a zero record and returns its number. It allocates once in 1,024
// records, and copies 512 records at most.
func (s *Slab[T]) Append() uint32 {
	n := s.n
	switch {
	case n == 0:
		s.chunks = [][]T{make([]T, small)}
	case n%chunk == 0:
		s.chunks = append(s.chunks, make([]T, chunk))
	case n == uint32(len(s.chunks[0])):
		grown := make([]T, 2*n)
		copy(grown, s.chunks[0])
		s.chunks[0] = grown
	}
	s.n++
	return n
}
