package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
}
