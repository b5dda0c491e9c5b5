package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

func lab2026(t *testing.T) *lab {
	t.Helper()
	l, err := newLab(false)
	require.NoError(t, err)
	return l
}

func TestS000TableRowByRow(t *testing.T) {
	l := lab2026(t)
	rows, err := l.table()
	require.NoError(t, err)
	require.Len(t, rows, 7)
	for i, want := range []struct {
		kind, cases   string
		groups, check bool
		stored        string // prefix of what the subnet's table stores
		state         vpc.RouteState
		edge          bool // accepted in the gateway's table
		push          trace.Reason
		where         string // where a packet pushed by the subnet's table ends
		edgeWhere     string
	}{
		{"Classic LB", "C032 C042", true, true, "eni-", vpc.Active, true, trace.DestinationCheck, "Classic LB in", "Classic LB in"},
		{"Application LB", "C032 C042", true, true, "eni-", vpc.Active, true, trace.DestinationCheck, "Application LB in", "Application LB in"},
		{"Network LB", "C042 C044", false, false, "eni-", vpc.Active, false, trace.BalancerForeign, "net in us-east-1a", ""},
		{"RDS instance", "C032 C042", true, true, "eni-", vpc.Active, true, trace.DestinationCheck, "RDS instance in", "RDS instance in"},
		{"NAT gateway", "C040 C044", false, false, "nat-", vpc.Active, false, trace.Delivered, "", ""},
		{"nothing", "C041", true, false, "eni-", vpc.Blackhole, true, trace.Blackhole, "app router", "igw edge"},
		{"interface endpoint", "C042 C044", true, true, "eni-", vpc.Active, false, trace.DestinationCheck, "interface endpoint in", ""},
	} {
		t.Run(want.cases+" "+want.kind, func(t *testing.T) {
			r, n := rows[i], l.kinds[i].nic
			require.Equal(t, want.kind, r.kind)
			require.Equal(t, want.groups, r.groups)
			require.Equal(t, want.check, r.check)
			require.Nil(t, r.subnet.refusal)
			require.True(t, strings.HasPrefix(r.subnet.target.ID(), want.stored), r.subnet.target.ID())
			require.Equal(t, want.state, r.subnet.state)
			require.Equal(t, want.push, r.subnetPush.end)
			require.Equal(t, want.where, r.subnetPush.where)
			if !want.edge {
				require.Equal(t, &vpc.Error{Code: "RouteNotSupported", Message: "Route table contains routes targeting unsupported network interface " + n.ID()}, r.gateway.refusal)
				return
			}
			require.Nil(t, r.gateway.refusal)
			require.Same(t, n, r.gateway.target)
			require.Equal(t, want.state, r.gateway.state)
			require.Equal(t, want.push, r.gatewayPush.end)
			require.Equal(t, want.edgeWhere, r.gatewayPush.where)
		})
	}
	require.Same(t, l.nat, rows[4].subnet.target)
}

func TestWhatIsBehindAServicesInterfaceAnswersOnItsPort(t *testing.T) {
	l := lab2026(t)
	rows, err := l.table()
	require.NoError(t, err)
	var answering []string
	for _, r := range rows {
		if r.own == "answers" {
			answering = append(answering, r.kind)
		}
	}
	require.Equal(t, []string{"Classic LB", "Application LB", "Network LB", "RDS instance", "interface endpoint"}, answering)
}

func TestTheTraceSaysWhyAnAcceptedTargetIsOfNoUse(t *testing.T) {
	l := lab2026(t)
	rows, err := l.table()
	require.NoError(t, err)
	for i, why := range map[int]string{
		0: "source/dest check is on, and destination 198.51.100.7 is not its own\n     dropped: source/dest check: destination is not the interface's (ENI_SOURCE_DEST_CHECK_RESTRICTION)\n",
		2: "dropped: load balancer forwards nothing that is not addressed to it (SIM_BALANCER_NOT_FORWARDING)\n",
		5: "-> unattached\n     dropped: route is a black hole (BAD_STATE_ROUTE)\n",
	} {
		require.Contains(t, rows[i].subnetPush.story.String(), why)
	}
	require.Contains(t, rows[3].gatewayPush.story.String(), "gateway table: 10.0.1.4 matches 10.0.1.0/24 -> RDS instance\n")
}

func TestAnUnattachedInterfaceIsAcceptedWithTheCheckOnToo(t *testing.T) {
	r, err := lab2026(t).checked()
	require.NoError(t, err)
	require.True(t, r.check)
	require.Equal(t, "accepted, blackhole", r.subnet.String())
	require.Equal(t, "accepted, blackhole", r.gateway.String())
}

func TestS000AndS001RefusalsByWholeText(t *testing.T) {
	l := lab2026(t)
	list, err := l.refusals()
	require.NoError(t, err)
	want := []string{
		"RouteNotSupported: Route table contains routes that do not target a network interface",
		"RouteConflict: Route table has a conflicting association with the gateway " + l.gateway.ID(),
		"RouteNotSupported: Route table contains unsupported route destination. The unsupported route destination is less specific or non-overlapping than VPC local CIDR.",
		"InvalidParameterValue: Route destination doesn't match any subnet CIDR blocks.",
		"RouteNotSupported: Route table contains routes that do not target a network interface",
		"RouteNotSupported: Route table contains propagated routes, which a gateway route table does not support.",
		"AuthFailure: You do not have permission to access the specified resource.",
	}
	require.Len(t, list, len(want))
	for i, r := range list {
		require.EqualError(t, r.err, want[i], r.what)
	}
	require.Len(t, l.edge.Routes(), 1, "a refused call has changed nothing")
}

func TestUntilAugust2021NoRouteWasNarrowerThanTheVPC(t *testing.T) {
	require.NoError(t, lab2026(t).narrow())
	old, err := newLab(true)
	require.NoError(t, err)
	require.EqualError(t, old.narrow(), "InvalidParameterValue: This route table is used by a subnet, and doesn't support route destination which are more specific than VPC local CIDR.")
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first))
	require.NoError(t, run(&second))
	require.Equal(t, first.String(), second.String())
	for _, want := range []string{
		"   5  NAT gateway         none    false  accepted as nat-",
		"   6  nothing             yes     false  accepted, blackhole       accepted, blackhole\n",
		"   The sixth with its source/dest check on: accepted, blackhole; accepted, blackhole.\n",
		"   5  NAT gateway         subnet's table      passes: delivered\n",
	} {
		require.Contains(t, first.String(), want)
	}
}
