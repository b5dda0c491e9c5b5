package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// path returns the nodes of the last ping, requests and answers one after another.
func (l *lab) path() (nodes []string, answered bool) {
	walks := l.world.Trace()
	walks.Clear()
	r := l.user.Ping(l.public, host.PingConfig{Count: 1})
	for _, w := range walks.Walks() {
		for _, s := range w.Steps {
			if len(nodes) == 0 || nodes[len(nodes)-1] != s.Node {
				nodes = append(nodes, s.Node)
			}
		}
	}
	return nodes, r.Received == 1
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l, err := build()
	require.NoError(t, err)
	return l
}

func TestS001(t *testing.T) {
	t.Run("C026 without a gateway route table the server is reached directly", func(t *testing.T) {
		l := newLab(t)
		nodes, answered := l.path()
		require.True(t, answered)
		request := nodes[:indexOf(nodes, "server out")]
		require.Contains(t, request, "igw inbound")
		require.NotContains(t, request, "firewall in")
	})
	t.Run("C027 the gateway route table sends the private destination to the appliance", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.redirect())
		nodes, answered := l.path()
		require.True(t, answered)
		require.Less(t, indexOf(nodes, "igw inbound"), indexOf(nodes, "igw edge"), "translation comes first")
		require.Less(t, indexOf(nodes, "igw edge"), indexOf(nodes, "firewall in"))
		require.Less(t, indexOf(nodes, "firewall in"), indexOf(nodes, "server in"))
	})
	t.Run("C028 with source/dest check on the packet dies at the appliance's interface", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.redirect())
		require.NoError(t, l.nic.SetSourceDestCheck(true))
		_, answered := l.path()
		require.False(t, answered)
		require.Equal(t, trace.DestinationCheck, verdict(l.world.Trace()))
		require.Equal(t, "ENI_SOURCE_DEST_CHECK_RESTRICTION", verdict(l.world.Trace()).Code())
		require.Equal(t, "firewall in", l.world.Trace().Walks()[0].Where)
	})
	t.Run("C029 with forwarding off the packet dies in the appliance", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.redirect())
		require.NoError(t, l.appliance.Sysctl("net.ipv4.ip_forward", "0"))
		_, answered := l.path()
		require.False(t, answered)
		require.Equal(t, trace.NotForwarding, verdict(l.world.Trace()))
	})
	t.Run("C030 the answer leaves by the appliance with the server's public address", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.redirect())
		nodes, answered := l.path()
		require.True(t, answered)
		back := nodes[indexOf(nodes, "server out"):]
		require.Less(t, indexOf(back, "firewall out"), indexOf(back, "igw outbound"))
		walks := l.world.Trace().Walks()
		require.Equal(t, "203.0.113.10", walks[len(walks)-1].Last.Src.String())
	})
}

func TestS001OutboundGoesByTheAppliance(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.redirect())
	var out bytes.Buffer
	l.outbound(&out)
	require.Contains(t, out.String(), "=> ping 198.51.100.7 from the server: 1 received")
	story := out.String()
	require.Equal(t, 2, strings.Count(story, " firewall in "), "out and back")
	require.Contains(t, story, "source 10.0.1.10 becomes 203.0.113.10", "the server's own public address")
}

func TestS001RefusalsOfAGatewayRouteTable(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.redirect())
	refusal := func(code, message string) *vpc.Error { return &vpc.Error{Code: code, Message: message} }
	require.Equal(t, refusal("RouteNotSupported", "Route table contains routes that do not target a network interface"),
		l.edge.CreateRoute("10.0.2.0/24", l.nat))
	require.Equal(t, refusal("RouteConflict", "Route table has a conflicting association with the gateway "+l.gateway.ID()),
		l.edge.CreateRoute("10.0.2.0/24", l.gateway))
	require.Error(t, l.edge.EnablePropagation(l.vpn))
	t.Run("C052 a table that holds such a route cannot be associated", func(t *testing.T) {
		l := newLab(t)
		table, err := l.vpc.CreateRouteTable(vpc.RouteTableConfig{})
		require.NoError(t, err)
		require.NoError(t, table.CreateRoute("0.0.0.0/0", l.nat))
		require.Equal(t, refusal("RouteNotSupported", "Route table contains routes that do not target a network interface"),
			table.AssociateGateway(l.gateway))
	})
}

func indexOf(list []string, x string) int {
	for i, s := range list {
		if s == x {
			return i
		}
	}
	return -1
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first))
	require.NoError(t, run(&second))
	require.Equal(t, first.String(), second.String())
	for _, want := range []string{
		"Route table contains unsupported route destination. The unsupported route destination is less specific or non-overlapping than VPC local CIDR.",
		"Route destination doesn't match any subnet CIDR blocks.",
		"Route table has a conflicting association with the gateway igw-",
		"IP forwarding is off in the guest",
		"=> ping 203.0.113.10 from the internet: answered",
		"=> ping 203.0.113.10 from the internet: no answer",
	} {
		require.Contains(t, first.String(), want)
	}
}
