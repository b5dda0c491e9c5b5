package clock

import (
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventsOfOneInstantRunInTheOrderTheyWereAskedFor(t *testing.T) {
	var c Clock
	var got []int
	for i := range 50 {
		c.Schedule(time.Second, Func(func() { got = append(got, i) }))
	}
	c.Run(time.Second)
	require.Len(t, got, 50)
	require.True(t, sort.IntsAreSorted(got))
	require.Equal(t, time.Second, c.Now())
}

// The slow twin keeps a list and always takes the earliest, first asked first.
func TestOrderEqualsTheSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	type want struct {
		at time.Duration
		id int
	}
	for range 50 {
		var c Clock
		var twin []want
		var got []int
		for id := range 200 {
			d := time.Duration(rng.IntN(40))
			c.Schedule(d, Func(func() { got = append(got, id) }))
			twin = append(twin, want{d, id})
		}
		sort.SliceStable(twin, func(i, j int) bool { return twin[i].at < twin[j].at })
		for c.Step() {
		}
		for i, w := range twin {
			require.Equal(t, w.id, got[i])
		}
	}
}

// As above, with events that run between those that are asked for, mostly in their
// order, and timers that are put off.
func TestOrderEqualsTheSlowTwinWhileTimePasses(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	type want struct {
		at time.Duration
		id int
	}
	for range 50 {
		var c Clock
		var twin, put []want // what has run, and what is to run
		var got []want
		timer := c.NewTimer(Func(func() { got = append(got, want{c.Now(), -1}) }))
		next := func() {
			sort.SliceStable(put, func(i, j int) bool { return put[i].at < put[j].at })
			if len(put) > 0 {
				twin, put = append(twin, put[0]), put[1:]
			}
		}
		for id := range 400 {
			d := time.Duration(10)
			switch rng.IntN(8) {
			case 0:
				d = time.Duration(rng.IntN(40))
			case 1:
				for i, w := range put {
					if w.id == -1 {
						put = append(put[:i:i], put[i+1:]...)
						break
					}
				}
				timer.Reset(d)
				put = append(put, want{c.Now() + d, -1})
			}
			c.Schedule(d, Func(func() { got = append(got, want{c.Now(), id}) }))
			put = append(put, want{c.Now() + d, id})
			for range rng.IntN(3) {
				next()
				c.Step()
			}
		}
		for c.Step() {
			next()
		}
		require.Equal(t, twin, got)
		require.Empty(t, put)
	}
}

func TestEventsScheduledByEventsRunInTheSameRun(t *testing.T) {
	var c Clock
	n := 0
	var again Func
	again = func() {
		if n++; n < 5 {
			c.Schedule(0, again)
		}
	}
	c.Schedule(0, again)
	c.Run(0)
	require.Equal(t, 5, n)
}

func TestAStoppedTimerNeitherRunsNorMovesTime(t *testing.T) {
	var c Clock
	ran := 0
	timer := c.NewTimer(Func(func() { ran++ }))
	timer.Reset(time.Hour)
	require.True(t, timer.Armed())
	require.True(t, timer.Stop())
	require.False(t, timer.Stop())
	_, ok := c.Next()
	require.False(t, ok)
	require.False(t, c.Step())
	require.Zero(t, c.Now())

	timer.Reset(time.Hour)
	timer.Reset(time.Second)
	c.Run(2 * time.Hour)
	require.Equal(t, 1, ran, "only the last Reset counts")
	require.False(t, timer.Armed())
}

func TestRunUntilStopsAtTheEventThatMadeItTrue(t *testing.T) {
	var c Clock
	hit := false
	c.Schedule(3*time.Second, Func(func() { hit = true }))
	c.Schedule(9*time.Second, Func(func() { t.Error("ran past the condition") }))
	require.True(t, c.RunUntil(time.Minute, func() bool { return hit }))
	require.Equal(t, 3*time.Second, c.Now())
	require.False(t, c.RunUntil(4*time.Second, func() bool { return false }))
	require.Equal(t, 3*time.Second, c.Now())
}

func TestTimeNeverGoesBack(t *testing.T) {
	var c Clock
	c.Run(time.Second)
	require.PanicsWithValue(t, "clock: event scheduled 1ns before now", func() { c.Schedule(-1, Func(func() {})) })
	require.PanicsWithValue(t, "clock: asked to run until 0s, now is 1s", func() { c.Run(0) })
}

func TestSchedulingInASteadyStateDoesNotAllocate(t *testing.T) {
	var c Clock
	n := 0
	e := Func(func() { n++ })
	c.Schedule(0, e)
	c.Step()
	var boxed Event = e
	require.Zero(t, testing.AllocsPerRun(100, func() {
		c.Schedule(1, boxed)
		c.Step()
	}))
	require.Greater(t, n, 100)
}
