package main

import (
	"bytes"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
)

func newLab(t *testing.T) *lab {
	t.Helper()
	l, err := build()
	require.NoError(t, err)
	require.NoError(t, l.setUp(io.Discard))
	return l
}

// ping sends one echo request and returns the walks of it and of what it caused.
func (l *lab) ping() (walks []*trace.Walk, answered bool) {
	kept := l.world.Trace()
	kept.Clear()
	r := l.vm.Ping(serverAddr, host.PingConfig{Count: 1})
	return kept.Walks(), r.Received == 1
}

// steps returns where routes matched, sources changed and the packet left, as "node: words".
func steps(walks []*trace.Walk) (all []string) {
	for _, w := range walks {
		for _, s := range w.Steps {
			if s.Act == trace.Routed || s.Act == trace.Translated || s.Act == trace.Ended {
				all = append(all, s.Node+": "+s.String())
			}
		}
	}
	return all
}

func ends(w *trace.Walk) string { return w.First.Src.String() + " > " + w.First.Dst.String() }

func TestS003(t *testing.T) {
	t.Run("C018 seven steps out, and the same way back", func(t *testing.T) {
		walks, answered := newLab(t).ping()
		require.True(t, answered)
		require.Len(t, walks, 4)
		require.Equal(t, []string{
			"vm: routes by 0.0.0.0/0 via 10.0.1.1 dev eth0",
			"private router: private table: 198.51.100.7 matches 0.0.0.0/0 -> nat",
			"nat: source 10.0.1.10 becomes 10.0.0.5",
			"nat: routes by 0.0.0.0/0 via 10.0.0.1 dev eth0",
			"public router: public table: 198.51.100.7 matches 0.0.0.0/0 -> igw",
			"igw outbound: source 10.0.0.5 becomes 203.0.113.5",
			"internet: delivers",
		}, steps(walks[:2]))
		require.Equal(t, []string{
			"10.0.1.10 > 198.51.100.7",
			"10.0.0.5 > 198.51.100.7",
			"198.51.100.7 > 203.0.113.5", // the reply, to the Elastic IP address
			"198.51.100.7 > 10.0.1.10",
		}, []string{ends(walks[0]), ends(walks[1]), ends(walks[2]), ends(walks[3])})
		require.Equal(t, "203.0.113.5", walks[1].Last.Src.String())
		require.Equal(t, trace.Forwarded, walks[0].End())
		require.Equal(t, trace.Delivered, walks[1].End())
		require.Equal(t, trace.Delivered, walks[3].End())
	})
	t.Run("C019 source/dest check on", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.nic.SetSourceDestCheck(true))
		walks, answered := l.ping()
		require.False(t, answered)
		require.Equal(t, trace.DestinationCheck, walks[0].End())
		require.Equal(t, "nat in", walks[0].Where)
	})
	t.Run("C020 no Elastic IP address", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.eip.Disassociate())
		walks, answered := l.ping()
		require.False(t, answered)
		require.Equal(t, trace.NoPublicAddress, walks[1].End())
		require.Equal(t, "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", walks[1].End().Code())
	})
	t.Run("C021 the internet gateway never masquerades", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.privateTable.ReplaceRoute("0.0.0.0/0", l.gateway))
		walks, answered := l.ping()
		require.False(t, answered)
		require.Equal(t, trace.NoPublicAddress, walks[0].End())
	})
	t.Run("C023 forwarding off", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.nat.Sysctl("net.ipv4.ip_forward", "0"))
		walks, answered := l.ping()
		require.False(t, answered)
		require.Equal(t, trace.NotForwarding, walks[0].End())
	})
	t.Run("only the first packet of a connection counts", func(t *testing.T) {
		l := newLab(t)
		for range 3 {
			require.Equal(t, 2, l.vm.Ping(serverAddr, host.PingConfig{Count: 2}).Received)
		}
		listing, err := l.nat.IPTables("-t", "nat", "-L", "-v", "-n")
		require.NoError(t, err)
		require.Regexp(t, `(?m)^    3   252 MASQUERADE  all  --  \*      eth0    10\.0\.0\.0/16          0\.0\.0\.0/0 `, listing)
		for _, chain := range []string{"Chain PREROUTING ", "Chain OUTPUT ", "Chain POSTROUTING "} {
			require.Contains(t, listing, chain)
		}
	})
}

// The report's listing shows 30 packets, 2,443 bytes at the rule: the first packets
// of 30 connections. Here they are those of 28 pings, 84 bytes each, and of two UDP
// sockets, 62 and 29 bytes; none of the packets behind them counts.
func TestTheReportsCountersAreFirstPackets(t *testing.T) {
	l := newLab(t)
	for range 28 {
		require.Equal(t, 3, l.vm.Ping(serverAddr, host.PingConfig{Count: 3}).Received)
	}
	socket, err := l.vm.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	for range 2 {
		_, err = socket.Send(netip.AddrPortFrom(serverAddr, 53), make([]byte, 62-20-8))
		require.NoError(t, err)
	}
	second, err := l.vm.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	_, err = second.Send(netip.AddrPortFrom(serverAddr, 53), make([]byte, 1))
	require.NoError(t, err)
	l.world.Run(time.Second)
	listing, err := l.nat.IPTables("-t", "nat", "-L", "-v", "-n")
	require.NoError(t, err)
	require.Equal(t, `Chain PREROUTING (policy ACCEPT 30 packets, 2443 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain INPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         

Chain POSTROUTING (policy ACCEPT 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination         
   30  2443 MASQUERADE  all  --  *      eth0    10.0.0.0/16          0.0.0.0/0           
`, listing)
}

func TestTheSetUpScriptAsksTheMetadataService(t *testing.T) {
	l, err := build()
	require.NoError(t, err)
	var out bytes.Buffer
	require.Equal(t, "10.0.0.0/16", l.vpcCIDR(&out))
	require.Contains(t, out.String(), "/vpc-ipv4-cidr-block\n10.0.0.0/16\n")
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first))
	require.NoError(t, run(&second))
	require.Equal(t, first.String(), second.String())
	require.Contains(t, first.String(), "=> ping 198.51.100.7: answered")
	require.Contains(t, first.String(), "ENI_SOURCE_DEST_CHECK_RESTRICTION")
}
