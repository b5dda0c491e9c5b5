package trace_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
)

func begin(l *trace.Log, cause int) *trace.Walk { return l.Begin(0, cause, "x", nil) }

func ids(walks []*trace.Walk) (all []int) {
	for _, w := range walks {
		all = append(all, w.ID)
	}
	return all
}

// The slow twin keeps every id and counts back.
func TestALogWithALimitEqualsTheSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var l trace.Log
		count, kept := 0, 0
		for range 100 {
			switch rng.IntN(40) {
			case 0:
				l.Clear()
				kept = 0
			case 1:
				l.Limit = rng.IntN(9)
			default:
				begin(&l, 0)
				count++
				kept++
				if l.Limit > 0 {
					kept = min(kept, l.Limit)
				}
			}
			var want []int
			for id := count - kept + 1; id <= count; id++ {
				want = append(want, id)
			}
			require.Equal(t, want, ids(l.Walks()))
			for id := -1; id < count+2; id++ {
				w := l.Find(id)
				require.Equal(t, id > count-kept && id <= count && id > 0, w != nil, "walk %d of %d, %d kept", id, count, kept)
				if w != nil {
					require.Equal(t, id, w.ID)
				}
			}
		}
	}
}

func TestAWalkThatFellOutOfTheLogIsUsedAgain(t *testing.T) {
	l := trace.Log{Limit: 2}
	first := begin(&l, 7)
	first.Steps = append(first.Steps, trace.Step{Act: trace.Did, Match: "old"})
	begin(&l, 0)
	third := begin(&l, 0)
	require.Same(t, first, third)
	fresh := (&trace.Log{Limit: 2}).Begin(0, 0, "x", nil)
	fresh.ID, fresh.Steps = 3, third.Steps[:0]
	require.Equal(t, fresh, third)
}

func TestANilLogKeepsNoneAndFindsNone(t *testing.T) {
	var l *trace.Log
	require.Empty(t, l.Walks())
	require.Nil(t, l.Find(1))
	require.Nil(t, l.Story(1))
	l.Clear()
	require.EqualError(t, l.WriteStory(nil, 1), "trace: walk 1 is not in the log, which keeps none")
}

// The slow twin follows causes back to the root.
func TestAStoryIsAWalkAndAllThatItCaused(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		l := trace.Log{Limit: rng.IntN(2) * 20}
		cause := map[int]int{}
		for id := 1; id <= 40; id++ {
			cause[id] = max(0, rng.IntN(id+4)-4)
			begin(&l, cause[id])
		}
		for id := range 42 {
			var want []int
			for _, w := range l.Walks() {
				at := w.ID
				for at > id && l.Find(cause[at]) != nil {
					at = cause[at]
				}
				if at == id && l.Find(id) != nil {
					want = append(want, w.ID)
				}
			}
			require.Equal(t, want, ids(l.Story(id)), "story of %d", id)
		}
	}
}

func TestAStoryEndsWithItsFirstDrop(t *testing.T) {
	var l trace.Log
	begin(&l, 0).Guest = trace.Forwarded
	begin(&l, 1).Reason = trace.Delivered
	require.Equal(t, trace.Delivered, l.Story(1).End())
	l.Walks()[0].Guest = trace.NoListener
	require.Equal(t, trace.NoListener, l.Story(1).End())
	require.Equal(t, trace.None, l.Story(9).End())
}

// broken is a writer that fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteStorySaysWhatIsWrong(t *testing.T) {
	l := trace.Log{Limit: 3}
	for range 5 {
		begin(&l, 0)
	}
	require.EqualError(t, l.WriteStory(broken{}, 2), "trace: walk 2 is not in the log, which keeps 3 to 5")
	require.EqualError(t, l.WriteStory(broken{}, 6), "trace: walk 6 is not in the log, which keeps 3 to 5")
	require.EqualError(t, l.WriteStory(broken{}, 4), "disk full")
}
