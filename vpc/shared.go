package vpc

import (
	"slices"
	"sync"
)

// Shared is what a resource has in common with one of another region, such as the
// state of a connection of two. The zero Shared holds the zero T and is no region's.
// Its lock is taken with a region's held and never the other way round: any goroutine
// may call it, in a change or outside.
type Shared[T any] struct {
	mu      sync.Mutex
	value   T
	regions []*Region
}

// Join makes the region one of those that a change is for.
func (s *Shared[T]) Join(r *Region) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.regions, r) {
		s.regions = append(s.regions, r)
	}
}

// Get returns a copy of the value.
func (s *Shared[T]) Get() T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

// Set changes the value, for the next packet of every region that has joined.
func (s *Shared[T]) Set(value T) { s.Update(func(v *T) bool { *v = value; return true }) }

// Update has f change the value, as Set does, with nobody between what f reads and what
// it writes. It reports what f returns: false says that f left the value as it was. f
// must not call the Shared.
func (s *Shared[T]) Update(f func(v *T) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !f(&s.value) {
		return false
	}
	for _, r := range s.regions {
		r.changes.Add(1)
	}
	return true
}
