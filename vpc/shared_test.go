package vpc_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/vpc"
)

func TestUpdatesOfManyGoroutinesAreAllKept(t *testing.T) {
	var s vpc.Shared[int]
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				s.Update(func(n *int) bool { *n++; return true })
			}
		})
	}
	all.Wait()
	require.Equal(t, 4000, s.Get())
	require.False(t, s.Update(func(*int) bool { return false }))
	require.Equal(t, 4000, s.Get())
}
