package filter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// allocates returns how many allocations f makes at the least, having seen in each
// run that f reports what it should.
func allocates(t *testing.T, f func() bool) float64 {
	t.Helper()
	least := 1e9
	for range 5 {
		least = min(least, testing.AllocsPerRun(100, func() {
			if !f() {
				panic("not the verdict that the test is about")
			}
		}))
	}
	return least
}

func TestVerdictsDoNotAllocate(t *testing.T) {
	acl := testACL(t, 20)
	groups := testGroups(5, 60, 1000)
	p := tcp(peer, 4000, me, 22, wire.SYN).read(t)
	miss := udp("10.200.0.1", 4000, me, 65535).read(t)
	query := udp(me, 4000, peer, 53).read(t)
	gone := unreachable(t, peer, udp(me, 4000, peer, 53)).read(t)
	full := filter.NewTracker(filter.TrackerConfig{Allowance: 1})
	require.True(t, full.Admit(out, query, 0))
	churn, now := filter.NewTracker(filter.TrackerConfig{}), time.Duration(0)
	for _, c := range []struct {
		name string
		f    func() bool
	}{
		{"an ACL allows", func() bool { n, ok := acl.Decide(p, p.Flow.Src); return ok && n == 2000 }},
		{"an ACL denies", func() bool { n, ok := acl.Decide(miss, miss.Flow.Src); return !ok && n == filter.ImplicitDeny }},
		{"groups allow", func() bool { m, ok := groups.Ingress(p); return ok && m.Rule.ID == "last" }},
		{"groups refuse", func() bool { _, ok := groups.Ingress(miss); return !ok }},
		{"a known flow", func() bool { return full.Knows(out, query, 0) }},
		{"an error about a known flow", func() bool { return full.Knows(in, gone, 0) }},
		{"an unknown flow", func() bool { return !full.Knows(in, p, 0) }},
		{"a flow beyond the allowance", func() bool { return !full.Admit(in, p, 0) }},
		{"a new flow in the place of a dead one", func() bool { now += time.Hour; return churn.Admit(in, p, now) }},
	} {
		require.Zero(t, allocates(t, c.f), c.name)
	}
}
