package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestS000AvailabilityByPlan(t *testing.T) {
	const never = 0
	for _, c := range []struct {
		plan             plan
		pingsLost        int
		silence          time.Duration // in tenths of a second
		upload, download string
		lost             int // packets that the dead instance took
		dropped          []drops
	}{
		{plan{forwarder, moveInterface, false}, 20, 40, "stalls 4.6 s", "stalls 4.6 s", 71, nil},
		{plan{forwarder, replaceRoutes, false}, 20, 40, "stalls 4.6 s", "stalls 4.6 s", 71, nil},
		{plan{firewall, moveInterface, false}, 20, 40, "times out", "times out", 71, []drops{{trace.HostFilter, 482}}},
		{plan{firewall, moveInterface, true}, 20, 40, "stalls 4.6 s", "stalls 4.6 s", 71, nil},
		{plan{firewall, replaceRoutes, false}, 20, 40, "times out", "times out", 71, []drops{{trace.HostFilter, 482}}},
		{plan{firewall, replaceRoutes, true}, 20, 40, "stalls 4.6 s", "stalls 4.6 s", 71, nil},
		{plan{translator, moveInterface, false}, 20, 40, "stalls 4.6 s", "reset", 71, []drops{{trace.NoListener, 1}}},
		{plan{translator, moveInterface, true}, 20, 40, "stalls 4.6 s", "stalls 4.6 s", 71, nil},
		{plan{translator, replaceRoutes, false}, 20, 40, "reset", "times out", 312, []drops{{trace.NoListener, 1}}},
		{plan{translator, replaceRoutes, true}, 250, never, "times out", "times out", 783, nil},
	} {
		name := string(c.plan.appliance) + " " + string(c.plan.repair)
		if c.plan.handover {
			name += " and is told of connections"
		}
		t.Run(name, func(t *testing.T) {
			r, err := play(t, c.plan)
			require.NoError(t, err)
			require.Equal(t, 300, r.pings)
			require.Equal(t, c.pingsLost, r.pingsLost)
			require.Equal(t, c.silence, r.silence.Round(100*time.Millisecond)/(100*time.Millisecond))
			require.Equal(t, 4*time.Second, r.noticed.Round(100*time.Millisecond), "up to a second to the next check, and three timeouts")
			require.Equal(t, c.upload, r.upload)
			require.Equal(t, c.download, r.download)
			require.Equal(t, [2]bool{c.upload == "stalls 4.6 s", c.download == "stalls 4.6 s"}, r.alive)
			require.Equal(t, c.lost, r.lost)
			require.Equal(t, c.dropped, r.dropped)
		})
	}
}

func TestTheSamePlanLosesTheSamePacketsTwice(t *testing.T) {
	p := plan{translator, moveInterface, false}
	one, err := play(t, p)
	require.NoError(t, err)
	two, err := play(t, p)
	require.NoError(t, err)
	require.Equal(t, one, two)
}

func TestWithoutAControllerTheAPIKnowsOfNothing(t *testing.T) {
	l, err := newLab(t, plan{forwarder, replaceRoutes, false})
	require.NoError(t, err)
	l.client.Ping(l.server.Addr).OK(t)
	l.check.Stop()
	_, err = fault.Begin(l.world.World, fault.InstanceDies{Instance: l.active.Instance})
	require.NoError(t, err)
	l.client.Ping(l.server.Addr).Dropped(t, trace.Lost)
	r := l.tables[0].Routes()[0]
	require.Equal(t, serverNet, r.Destination.String())
	require.Equal(t, vpc.Active, r.State)
	require.Same(t, l.service, r.Target)
	require.Equal(t, vpc.Running, l.active.Instance.State())
}

func TestEveryPacketOfTheGapNamesTheFault(t *testing.T) {
	l, err := newLab(t, plan{forwarder, moveInterface, false})
	require.NoError(t, err)
	require.NoError(t, l.live())
	n := 0
	for _, w := range l.world.Trace().Walks() {
		if w.End() == trace.Lost {
			n++
			require.Contains(t, w.Steps[len(w.Steps)-1].String(), "lost by a fault: instance active (i-")
			require.GreaterOrEqual(t, w.Start, l.died)
			require.LessOrEqual(t, w.Start, l.repaired)
		}
	}
	require.Greater(t, n, 20)
	require.Same(t, l.standby.Instance, l.service.Instance(), "S000 repair (a): the interface has moved")
	require.Equal(t, "10.0.2.20", l.service.PrivateIP().String())
}

func TestReplacedRoutesLeadToTheStandbysInterface(t *testing.T) {
	l, err := newLab(t, plan{forwarder, replaceRoutes, false})
	require.NoError(t, err)
	require.NoError(t, l.live())
	for i, destination := range []string{serverNet, clientNet} {
		found := false
		for _, r := range l.tables[i].Routes() {
			if r.Destination.String() == destination {
				found = true
				require.Same(t, l.spare, r.Target, "S000 repair (b)")
				require.Equal(t, vpc.Active, r.State)
			}
		}
		require.True(t, found)
	}
	require.Same(t, l.active.Instance, l.service.Instance(), "the dead instance keeps its interface")
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first, t))
	require.NoError(t, run(&second, t))
	require.Equal(t, first.String(), second.String())
	for _, want := range []string{
		"NAT         replaces routes   handed on  250 of 300     for good",
		"dropped by the guest's own filter (SIM_GUEST_FILTER)",
		"no listener on the guest (SIM_NO_LISTENER)",
		") is dead\n",
	} {
		require.Contains(t, first.String(), want)
	}
}
