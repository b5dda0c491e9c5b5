package route

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFIBAnswersAsTheList(t *testing.T) {
	for seed := range uint64(60) {
		src := newSource(seed)
		var rt Table[int]
		var twin list[int]
		for i := range []int{10, 64, 300, 1000}[seed%4] {
			p := src.prefix()
			rt.Insert(p, i)
			twin.Insert(p, i)
		}
		fib := rt.Compile()
		for range 2000 {
			a := src.addr(twin)
			_, want, wantOK := twin.Lookup(a)
			v, ok := fib.Lookup(a)
			require.Equal(t, wantOK, ok, "seed %d: Lookup(%v)", seed, a)
			require.Equal(t, want, v, "seed %d: Lookup(%v)", seed, a)
		}
	}
}
