package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// forge sends a segment as if the peer of c had sent it.
func (n *line) forge(c *Conn, seq uint32, flags wire.TCPFlags, data string) {
	head := wire.Header{Src: c.flow.Dst, Dst: c.flow.Src, TTL: 9}
	s := wire.Segment{SrcPort: c.flow.DstPort, DstPort: c.flow.SrcPort, Seq: seq, Ack: c.una, Flags: flags, Window: 500}
	nic := c.host.NIC("eth0")
	nic.Frame(frameTo(nic, wire.AppendTCP(nil, head, s, []byte(data))))
}

func TestForgedSegmentsAreChallenged(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	n.settle()
	acks := func(f func()) int {
		before := len(n.left.frames)
		f()
		return len(n.left.frames) - before
	}
	for name, f := range map[string]func(){
		"RST in the window, not at its edge": func() { n.forge(c, c.rcvNxt+1, wire.RST, "") },
		"SYN in the window":                  func() { n.forge(c, c.rcvNxt, wire.SYN|wire.ACK, "") },
		"data behind the window":             func() { n.forge(c, c.rcvNxt+1<<30, wire.ACK, "x") },
		"data that came before":              func() { n.forge(c, c.rcvNxt-5, wire.ACK, "x") },
	} {
		require.Equal(t, 1, acks(f), name)
		require.Equal(t, Established, c.State(), name)
		require.Empty(t, c.Next(), name)
	}
	require.Equal(t, 0, acks(func() { n.forge(c, c.rcvNxt-9, wire.RST, "") }), "RST outside the window")
	n.forge(c, c.rcvNxt, wire.RST, "")
	require.ErrorIs(t, c.Err(), ErrReset)
}

func TestSegmentsOutOfOrderArePutInOrder(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	first := c.rcvNxt
	n.forge(c, first+6, wire.ACK, "world")
	n.forge(c, first+3, wire.ACK, "lo wor")
	require.Empty(t, c.Next())
	n.forge(c, first+11, wire.ACK|wire.FIN, "")
	require.False(t, c.Ended())
	n.forge(c, first, wire.ACK, "hello ")
	require.Equal(t, "hello world", string(c.Next()))
	require.True(t, c.Ended())
	require.Equal(t, CloseWait, c.State())
}

func TestBothSidesCloseAtOnce(t *testing.T) {
	n := newLine(t)
	l, err := n.b.ListenTCP(at(addrB, 0), nil)
	require.NoError(t, err)
	a, err := n.a.Dial(at(addrB, l.Port()))
	require.NoError(t, err)
	b, err := l.Accept(time.Second)
	require.NoError(t, err)
	require.Equal(t, a.Local(), b.Remote())
	l.Close()
	a.Close()
	b.Close()
	require.Equal(t, "FIN-WAIT-1", a.State().String())
	n.settle()
	require.Equal(t, TimeWait, a.State())
	require.Equal(t, TimeWait, b.State())
	_, err = n.a.Dial(at(addrB, l.Port()))
	require.ErrorIs(t, err, ErrRefused, "nobody listens any more")
	n.engine.Clock.Run(n.engine.Now() + 2*time.Minute)
	require.Empty(t, n.a.conns)
	require.Empty(t, n.b.conns)
}

func TestListenersAreRefusedInWords(t *testing.T) {
	n := newLine(t)
	_, err := n.b.ListenTCP(at(addrA, 80), nil)
	require.EqualError(t, err, "host b: listen tcp 10.0.0.11:80: cannot assign requested address")
	echoServer(t, n.b, 80)
	_, err = n.b.ListenTCP(at(addrB, 80), nil)
	require.EqualError(t, err, "host b: listen tcp 10.0.1.55:80: address already in use")
	require.NoError(t, n.a.Sysctl("net.ipv4.ip_local_port_range", "40000 40001"))
	for range 2 {
		_, err := n.a.Dial(at(addrB, 80))
		require.NoError(t, err)
	}
	_, err = n.a.Dial(at(addrB, 80))
	require.EqualError(t, err, "host a: dial tcp 10.0.1.55:80: connect: cannot assign requested address")
}

func TestGroupsAndBroadcastsReachSocketsAndNobodyElse(t *testing.T) {
	n := newLine(t)
	s, err := n.b.ListenUDP(netip.MustParseAddrPort("0.0.0.0:5353"))
	require.NoError(t, err)
	nic := n.b.NIC("eth0")
	send := func(dst string, port uint16) trace.Reason {
		h := wire.Header{Src: wire.MustParseAddr("10.0.1.1"), Dst: wire.MustParseAddr(dst), TTL: 9}
		return nic.Frame(frameTo(nic, wire.AppendUDP(nil, h, 9, port, nil)))
	}
	for _, dst := range []string{"224.0.0.251", "255.255.255.255", "10.0.1.255"} {
		require.Equal(t, trace.Delivered, send(dst, 5353), dst)
		require.Equal(t, trace.NoListener, send(dst, 99), dst)
	}
	require.Len(t, s.Received(), 3)
	n.settle()
	require.Empty(t, n.right.packets(isError))
	r := n.router.Ping(netip.MustParseAddr("10.0.1.255"), PingConfig{Wait: time.Second})
	require.Equal(t, 0, r.Received, "Linux answers no broadcast echo")
}

func TestAMovedInterfaceTakesItsTablesWithIt(t *testing.T) {
	n := newLine(t)
	require.Equal(t, 1, n.a.Ping(addrB, PingConfig{}).Received)
	eth1 := n.router.NIC("eth1")
	require.Equal(t, DefaultMTU, eth1.MTU())
	require.Len(t, eth1.Addrs(), 2)
	require.True(t, n.router.RemoveNIC(eth1))
	require.False(t, n.router.RemoveNIC(eth1))
	require.Nil(t, n.router.NIC("eth1"))
	require.Len(t, n.router.neighbors, 1)
	errors := n.a.Ping(addrB, PingConfig{}).Errors
	require.Len(t, errors, 1)
	require.Equal(t, "Destination Net Unreachable", errors[0].String())
}

func TestIPv6ToolsAndErrors(t *testing.T) {
	n := newLine(t)
	require.Equal(t, `PING fd00:1::55(fd00:1::55) 56 data bytes
64 bytes from fd00:1::55: icmp_seq=1 ttl=63 time=0.920 ms

--- fd00:1::55 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 0.920/0.920/0.920/0.000 ms
`, n.a.Ping(addrB6, PingConfig{}).Text)
	for _, m := range []Method{UDPProbes, ICMPProbes, TCPProbes} {
		n.settle()
		require.Equal(t, `traceroute to fd00:1::55 (fd00:1::55), 30 hops max, 80 byte packets
 1  fd00::1  0.200 ms  0.200 ms  0.200 ms
 2  fd00:1::55  0.460 ms  0.460 ms  0.460 ms
`, n.a.Traceroute(addrB6, TracerouteConfig{Method: m, Numeric: true}).Text)
	}
	n.settle()
	require.Contains(t, n.a.Ping(addrB6, PingConfig{TTL: 1}).Text, "From fd00::1 icmp_seq=1 Time exceeded: Hop limit\n")
	absent := netip.MustParseAddr("fd00:1::77")
	require.Contains(t, n.a.Ping(absent, PingConfig{}).Text, "From fd00::1 icmp_seq=1 Destination unreachable: Address unreachable\n")
	require.NoError(t, n.router.NIC("eth1").SetMTU(1300))
	require.Contains(t, n.a.Ping(addrB6, PingConfig{Size: 5000}).Text, "From fd00::1 icmp_seq=1 Packet too big: mtu=1300\n")
	require.Equal(t, 1, n.a.Ping(addrB6, PingConfig{Size: 5000}).Received, "smaller fragments now")
	require.NoError(t, n.router.Sysctl("net.ipv6.conf.all.forwarding", "0"))
	require.Equal(t, 0, n.a.Ping(addrB6, PingConfig{}).Received)
}
