package flowtable

const chunk = 128 // records; a power of two

// Slab holds records by number, 0 and up. A record never moves, so a pointer to
// it stays good while the slab lives. T should hold no pointers and fill whole
// cache lines (64 bytes). The zero Slab is empty and ready.
type Slab[T any] struct {
	chunks []*[chunk]T
	n      uint32
}

// Len returns how many records there are.
func (s *Slab[T]) Len() int { return int(s.n) }

// At returns record n, which must be below Len. It does not allocate.
func (s *Slab[T]) At(n uint32) *T { return &s.chunks[n/chunk][n%chunk] }

// Append adds a zero record and returns its number. It allocates once in 128 records.
func (s *Slab[T]) Append() uint32 {
	if s.n%chunk == 0 {
		s.chunks = append(s.chunks, new([chunk]T))
	}
	s.n++
	return s.n - 1
}
