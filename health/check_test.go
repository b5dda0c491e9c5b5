package health_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/health"
)

var errDown = errors.New("down")

// script is a target whose answers are known beforehand; beyond them it is silent.
type script struct {
	clock   *clock.Clock
	answers []error
	asked   []time.Duration
	stopped int
}

func (s *script) probe(_ time.Duration, done func(error)) func() {
	s.asked = append(s.asked, s.clock.Now())
	if len(s.answers) > 0 {
		err := s.answers[0]
		s.answers = s.answers[1:]
		s.clock.Schedule(time.Millisecond, clock.Func(func() { done(err) }))
	}
	return func() { s.stopped++ }
}

func TestThresholdsAreOfResultsInARow(t *testing.T) {
	k := &clock.Clock{}
	s := &script{clock: k, answers: []error{nil, errDown, nil, errDown, errDown, nil, nil, errDown, nil, nil, nil}}
	var told []string
	c, err := health.Start(k, s.probe, health.Config{
		Interval: time.Second, HealthyThreshold: 3, UnhealthyThreshold: 2,
		OnHealthy:   func() { told = append(told, k.Now().String()+" healthy") },
		OnUnhealthy: func(why error) { told = append(told, k.Now().String()+" "+why.Error()) },
	})
	require.NoError(t, err)
	require.Equal(t, health.Initial, c.State())
	k.Run(10500 * time.Millisecond)
	require.Equal(t, []string{"1ms healthy", "4.001s down", "10.001s healthy"}, told)
	done, failed := c.Counts()
	require.Equal(t, [2]int{11, 4}, [2]int{done, failed})
	require.NoError(t, c.Last())
	require.Equal(t, health.Healthy, c.State())
}

// The slow twin counts the last results anew each time.
func TestTheVerdictEqualsTheSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		k := &clock.Clock{}
		up, down := 1+rng.IntN(4), 1+rng.IntN(4)
		s := &script{clock: k}
		for range 60 {
			s.answers = append(s.answers, []error{nil, errDown}[rng.IntN(2)])
		}
		all := s.answers
		c, err := health.Start(k, s.probe, health.Config{Interval: time.Second, HealthyThreshold: up, UnhealthyThreshold: down})
		require.NoError(t, err)
		want := health.Initial
		for n := 1; n <= len(all); n++ {
			k.Run(time.Duration(n)*time.Second - time.Microsecond)
			tail := func(length int, err error) bool {
				for i := n - length; i < n; i++ {
					if i < 0 || all[i] != err {
						return false
					}
				}
				return true
			}
			switch {
			case want == health.Initial && all[n-1] == nil, want == health.Unhealthy && tail(up, nil):
				want = health.Healthy
			case want != health.Unhealthy && tail(down, errDown):
				want = health.Unhealthy
			}
			require.Equal(t, want, c.State(), "thresholds %d and %d, after %v", up, down, all[:n])
		}
	}
}

func TestSilenceIsAFailureAfterTheTimeout(t *testing.T) {
	k := &clock.Clock{}
	s := &script{clock: k}
	var at time.Duration
	c, err := health.Start(k, s.probe, health.Config{OnUnhealthy: func(why error) {
		at = k.Now()
		require.ErrorIs(t, why, health.ErrTimeout)
	}})
	require.NoError(t, err)
	k.Run(time.Minute)
	require.Equal(t, 35*time.Second, at, "the second check of an Application Load Balancer's defaults")
	require.Equal(t, []time.Duration{0, 30 * time.Second, time.Minute}, s.asked)
	require.Equal(t, 2, s.stopped, "an attempt is given up at its timeout")
	require.Equal(t, health.Unhealthy, c.State())
}

func TestAnAnswerBehindTheTimeoutDoesNotCount(t *testing.T) {
	k := &clock.Clock{}
	late := func(_ time.Duration, done func(error)) func() {
		k.Schedule(1500*time.Millisecond, clock.Func(func() { done(nil) }))
		return func() {}
	}
	c, err := health.Start(k, late, health.Config{Interval: time.Second, Timeout: time.Second, UnhealthyThreshold: 3})
	require.NoError(t, err)
	k.Run(10 * time.Second)
	done, failed := c.Counts()
	require.Equal(t, done, failed)
	require.Equal(t, health.Unhealthy, c.State())
}

func TestAStoppedCheckAsksNoMoreAndTellsNothing(t *testing.T) {
	k := &clock.Clock{}
	s := &script{clock: k, answers: []error{nil}}
	c, err := health.Start(k, s.probe, health.Config{Interval: time.Second, UnhealthyThreshold: 1, OnUnhealthy: func(error) { t.Fatal("told") }})
	require.NoError(t, err)
	k.Run(1200 * time.Millisecond) // the second attempt is under way
	c.Stop()
	require.Equal(t, 1, s.stopped)
	k.Run(time.Minute)
	require.Len(t, s.asked, 2)
	require.Equal(t, health.Healthy, c.State())
}

func TestACallbackMayStopTheCheck(t *testing.T) {
	k := &clock.Clock{}
	s := &script{clock: k, answers: []error{errDown}}
	var c *health.Check
	c, err := health.Start(k, s.probe, health.Config{UnhealthyThreshold: 1, OnUnhealthy: func(error) { c.Stop() }})
	require.NoError(t, err)
	k.Run(time.Hour)
	require.Len(t, s.asked, 1)
}

func TestDefaultsAreElasticLoadBalancings(t *testing.T) {
	for name, c := range map[string]struct {
		health.Config
		interval, timeout time.Duration
		up, down          int
	}{
		"alb":  {health.ALB(), 30 * time.Second, 5 * time.Second, 5, 2},
		"nlb":  {health.NLB(), 30 * time.Second, 10 * time.Second, 5, 2},
		"gwlb": {health.GWLB(), 10 * time.Second, 5 * time.Second, 5, 2},
		"clb":  {health.CLB(), 30 * time.Second, 5 * time.Second, 10, 2},
	} {
		t.Run(name, func(t *testing.T) {
			k := &clock.Clock{}
			answers := []error{nil}
			for range c.down {
				answers = append(answers, errDown)
			}
			s := &script{clock: k, answers: append(answers, make([]error, c.up)...)}
			var unhealthy, healthy time.Duration
			c.OnUnhealthy, c.OnHealthy = func(error) { unhealthy = k.Now() }, func() { healthy = k.Now() }
			_, err := health.Start(k, s.probe, c.Config)
			require.NoError(t, err)
			k.Run(time.Duration(c.down+c.up)*c.interval + time.Second)
			require.Equal(t, time.Duration(c.down)*c.interval+time.Millisecond, unhealthy)
			require.Equal(t, time.Duration(c.down+c.up)*c.interval+time.Millisecond, healthy)
			require.Equal(t, c.timeout, c.Timeout)
		})
	}
}

func TestConfigsOfNoSenseAreRefused(t *testing.T) {
	for want, c := range map[string]health.Config{
		"health: interval -1s is negative":                     {Interval: -time.Second},
		"health: timeout 2s is not in 0 to the interval, 1s":   {Interval: time.Second, Timeout: 2 * time.Second},
		"health: thresholds -1 and 2: expected none below 0":   {HealthyThreshold: -1},
		"health: thresholds 5 and -3: expected none below 0":   {UnhealthyThreshold: -3},
		"health: timeout -1s is not in 0 to the interval, 30s": {Timeout: -time.Second},
	} {
		_, err := health.Start(&clock.Clock{}, nil, c)
		require.EqualError(t, err, want)
	}
}

func TestStatesHaveElasticLoadBalancingsWords(t *testing.T) {
	require.Equal(t, "initial healthy unhealthy none State(9)",
		health.Initial.String()+" "+health.Healthy.String()+" "+health.Unhealthy.String()+" "+health.State(0).String()+" "+health.State(9).String())
}
