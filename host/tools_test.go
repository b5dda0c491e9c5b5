package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The same commands of the real tools are compared in tools_linux_test.go; here are
// their figures too.

func TestPingPrintsWhatIputilsPrints(t *testing.T) {
	n := newLine(t)
	require.Equal(t, `PING 10.0.1.55 (10.0.1.55) 56(84) bytes of data.
64 bytes from 10.0.1.55: icmp_seq=1 ttl=254 time=0.920 ms
64 bytes from 10.0.1.55: icmp_seq=2 ttl=254 time=0.460 ms
64 bytes from 10.0.1.55: icmp_seq=3 ttl=254 time=0.460 ms

--- 10.0.1.55 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 2000ms
rtt min/avg/max/mdev = 0.460/0.613/0.920/0.217 ms
`, n.a.Ping(addrB, PingConfig{Count: 3}).Text)

	n.right.drop = func(count int, _ []byte) bool { return count%3 == 1 }
	n.right.count = 0
	r := n.a.Ping(addrB, PingConfig{Count: 3, Size: 8})
	require.Equal(t, `PING 10.0.1.55 (10.0.1.55) 8(36) bytes of data.
16 bytes from 10.0.1.55: icmp_seq=2 ttl=254

--- 10.0.1.55 ping statistics ---
3 packets transmitted, 1 received, 66.6667% packet loss, time 2000ms

`, r.Text)
	require.InDelta(t, 66.67, r.Loss(), 0.01)

	n.right.drop = nil
	n.left.latency = 60 * time.Millisecond
	require.Contains(t, n.a.Ping(addrB, PingConfig{TTL: 1}).Text, "From 10.0.0.1 icmp_seq=1 Time to live exceeded\n")
	require.Contains(t, n.a.Ping(addrB, PingConfig{}).Text, "icmp_seq=1 ttl=254 time=120 ms\n")
	n.left.latency = 6 * time.Millisecond
	require.Contains(t, n.a.Ping(addrB, PingConfig{}).Text, "icmp_seq=1 ttl=254 time=12.3 ms\n")
	n.left.latency = 600 * time.Microsecond
	require.Contains(t, n.a.Ping(addrB, PingConfig{}).Text, "icmp_seq=1 ttl=254 time=1.46 ms\n")
}

func TestPingWaitsAsLongAsIputilsDoes(t *testing.T) {
	n := newLine(t)
	n.right.drop = isIPv4
	for _, c := range []struct {
		config PingConfig
		want   time.Duration
	}{
		{PingConfig{Count: 2}, 11 * time.Second},
		{PingConfig{Count: 2, Wait: time.Second}, 2 * time.Second},
	} {
		start := n.engine.Now()
		require.Equal(t, 0, n.a.Ping(addrB, c.config).Received)
		require.Equal(t, c.want, n.engine.Now()-start)
	}
	n.right.drop = nil
	n.a.Ping(addrB, PingConfig{})
	n.right.drop = func(int, []byte) bool { return n.right.count > 4 }
	n.right.count = 0
	start := n.engine.Now()
	r := n.a.Ping(addrB, PingConfig{Count: 3})
	require.Equal(t, 2, r.Received)
	require.Equal(t, 3*time.Second, n.engine.Now()-start, "a second behind the last, as something came back")
}

func TestTraceroutePrintsWhatLinuxsPrints(t *testing.T) {
	n := newLine(t)
	n.a.Ping(addrB, PingConfig{})
	require.Equal(t, `traceroute to 10.0.1.55 (10.0.1.55), 30 hops max, 60 byte packets
 1  10.0.0.1 (10.0.0.1)  0.200 ms  0.200 ms  0.200 ms
 2  10.0.1.55 (10.0.1.55)  0.460 ms  0.460 ms  0.460 ms
`, n.a.Traceroute(addrB, TracerouteConfig{}).Text)

	n.settle()
	require.NoError(t, n.router.Sysctl("net.ipv4.icmp_ratelimit", "0"))
	absent := netip.MustParseAddr("10.0.1.77")
	require.Equal(t, `traceroute to 10.0.1.77 (10.0.1.77), 30 hops max, 60 byte packets
 1  10.0.0.1  0.200 ms  0.200 ms  0.200 ms
 2  10.0.0.1  3000.200 ms !H  3000.200 ms !H  3000.200 ms !H
`, n.a.Traceroute(absent, TracerouteConfig{Numeric: true}).Text)

	names := func(a netip.Addr) string {
		if a == addrB {
			return "b.example"
		}
		return ""
	}
	n.right.drop = func(_ int, frame []byte) bool { return isIPv4(0, frame) && n.right.count%2 == 0 }
	n.right.count = 0
	n.engine.Clock.Run(n.engine.Now() + time.Minute)
	r := n.a.Traceroute(addrB, TracerouteConfig{Name: names, Queries: 2, Simultaneous: 2, MaxHops: 3})
	require.Equal(t, `traceroute to b.example (10.0.1.55), 3 hops max, 60 byte packets
 1  10.0.0.1 (10.0.0.1)  0.200 ms  0.200 ms
 2  b.example (10.0.1.55)  0.460 ms *
`, r.Text)
	require.Equal(t, Probe{}, r.Hops[1].Probes[1])
}

func TestTracerouteGivesUpAfterItsHops(t *testing.T) {
	n := newLine(t)
	n.left.drop = isIPv4
	start := n.engine.Now()
	r := n.a.Traceroute(addrB, TracerouteConfig{MaxHops: 2, Wait: time.Second})
	require.Equal(t, `traceroute to 10.0.1.55 (10.0.1.55), 2 hops max, 60 byte packets
 1  * * *
 2  * * *
`, r.Text)
	require.False(t, r.Reached)
	require.Equal(t, 6, r.Sent)
	require.Equal(t, time.Second, n.engine.Now()-start)
	require.Empty(t, n.a.udp)
}
