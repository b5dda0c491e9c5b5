package host

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// story runs a little of everything and returns every frame with its time, and what
// the tools printed.
func story(t *testing.T) string {
	n := natInstance(t)
	echoServer(t, n.b, 7)
	drops := 0
	n.right.drop = func(count int, _ []byte) bool { drops++; return count%17 == 0 }
	var b bytes.Buffer
	b.WriteString(n.a.Traceroute(addrB, TracerouteConfig{}).Text)
	b.WriteString(n.a.Ping(addrB, PingConfig{Count: 5, Size: 4000}).Text)
	b.WriteString(n.a.Ping(addrB6, PingConfig{Count: 5}).Text)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	c.Write(make([]byte, 100_000))
	n.engine.Clock.Run(n.engine.Now() + time.Minute)
	c.Close()
	n.engine.Clock.Run(n.engine.Now() + time.Hour)
	for _, l := range []*lan{n.left, n.right} {
		for i, frame := range l.frames {
			fmt.Fprintf(&b, "%v %x\n", l.times[i], frame)
		}
	}
	require.NotZero(t, drops)
	return b.String()
}

func TestTwoRunsAreEqualByteForByte(t *testing.T) {
	first := story(t)
	require.Greater(t, len(first), 100_000)
	require.True(t, first == story(t))
}

func TestNothingIsLeftToDoOnceEverythingIsDone(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	n.a.Traceroute(addrB, TracerouteConfig{})
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	c.Close()
	n.engine.Clock.Run(n.engine.Now() + time.Hour)
	_, ok := n.engine.Clock.Next()
	require.False(t, ok)
	require.Empty(t, n.a.conns)
	require.Empty(t, n.a.udp)
	require.Empty(t, n.a.probes)
	require.Empty(t, n.a.queries)
}

func TestInterfacesAndRoutesAreRefusedInWords(t *testing.T) {
	h := New(&dataplane.Engine{Clock: &clock.Clock{}}, Config{Name: "a"})
	link := LinkFunc(func([]byte) trace.Reason { return trace.Delivered })
	mac := wire.MAC{2, 0, 0, 0, 0, 1}
	addr := netip.MustParsePrefix("10.0.0.5/24")
	_, err := h.AddNIC(NICConfig{Link: link, MAC: mac, Addrs: []netip.Prefix{addr}, Gateway: netip.MustParseAddr("10.0.0.1")})
	require.NoError(t, err)
	for want, c := range map[string]NICConfig{
		`host a: interface "eth1": Link is not set`:                                     {MAC: mac},
		`host a: interface "eth0" exists`:                                               {Name: "eth0", Link: link, MAC: mac},
		`host a: interface "eth1": MAC "00:00:00:00:00:00" is not a station's`:          {Link: link},
		`host a: interface "eth1": MAC "01:00:00:00:00:00" is not a station's`:          {Link: link, MAC: wire.MAC{1}},
		`host a: interface "eth1": MTU 1279 is not in 1280-65535`:                       {Link: link, MAC: mac, MTU: 1279},
		`host a: interface "eth1": address "10.0.0.5" is in use on this host`:           {Link: link, MAC: mac, Addrs: []netip.Prefix{addr}},
		`host a: interface "eth1": "invalid Prefix" is no address with a prefix length`: {Link: link, MAC: mac, Addrs: []netip.Prefix{{}}},
		`host a: interface "eth1": "224.0.0.5/24" is no address with a prefix length`: {
			Link: link, MAC: mac, Addrs: []netip.Prefix{netip.MustParsePrefix("224.0.0.5/24")},
		},
	} {
		_, err := h.AddNIC(c)
		require.EqualError(t, err, want)
	}
	require.Len(t, h.NICs(), 1)
	to := netip.MustParsePrefix("10.7.0.0/16")
	for want, r := range map[string]Route{
		`host a: route to "invalid Prefix": no prefix`:                                   {Dev: "eth0"},
		`host a: route to 10.7.0.0/16: no interface "eth7"`:                              {Dst: to, Dev: "eth7"},
		`host a: route to 10.7.0.0/16: next hop "fd00::1" is of another address family`:  {Dst: to, Dev: "eth0", Via: netip.MustParseAddr("fd00::1")},
		`host a: route to 10.7.0.0/16: source "10.7.0.1" is not an address of this host`: {Dst: to, Dev: "eth0", Src: netip.MustParseAddr("10.7.0.1")},
		`host a: route to 0.0.0.0/0 with metric 0 exists`:                                {Dst: netip.MustParsePrefix("0.0.0.0/0"), Dev: "eth0"},
	} {
		require.EqualError(t, h.AddRoute(r), want)
	}
	require.Len(t, h.Routes(), 2)
	require.ErrorContains(t, h.NIC("eth0").SetMTU(100), "MTU 100")
	require.False(t, h.RemoveNIC(h.lo))
}

func TestSysctlsAreLinuxs(t *testing.T) {
	h := New(&dataplane.Engine{Clock: &clock.Clock{}}, Config{Name: "a"})
	_, err := h.AddNIC(NICConfig{Link: LinkFunc(nil), MAC: wire.MAC{2, 0, 0, 0, 0, 1}})
	require.NoError(t, err)
	read := func(name string) string {
		v, err := h.SysctlValue(name)
		require.NoError(t, err)
		return v
	}
	for name, want := range map[string]string{
		"net.ipv4.ip_forward": "0", "net/ipv4/ip_default_ttl": "255", "net.ipv4.icmp_ratelimit": "1000",
		"net.ipv4.icmp_ratemask": "6168", "net.ipv4.ip_local_port_range": "32768\t60999",
		"net.ipv4.conf.eth0.rp_filter": "1", "net.ipv4.conf.all.send_redirects": "1", "net.ipv4.tcp_syn_retries": "6",
	} {
		require.Equal(t, want, read(name), name)
	}
	require.NoError(t, h.Sysctl("net.ipv4.ip_forward", "1"))
	require.Equal(t, "1", read("net.ipv4.conf.eth0.forwarding"))
	require.NoError(t, h.Sysctl("net/ipv4/conf/eth0/forwarding", "0"))
	require.Equal(t, "1", read("net.ipv4.ip_forward"), "the interface's own changes no other's")
	require.NoError(t, h.Sysctl("net.ipv4.ip_local_port_range", "1024 1030"))
	require.Equal(t, "1024\t1030", read("net.ipv4.ip_local_port_range"))

	require.EqualError(t, h.Sysctl("net.ipv4.ip_forward", "2"), `sysctl: setting key "net.ipv4.ip_forward": "2" is not a number in 0-1`)
	require.EqualError(t, h.Sysctl("net.ipv4.ip_forward", "on"), `sysctl: setting key "net.ipv4.ip_forward": "on" is not a number in 0-1`)
	require.EqualError(t, h.Sysctl("net.ipv4.conf.eth9.rp_filter", "1"), `sysctl: cannot stat "net.ipv4.conf.eth9.rp_filter": no such parameter is modelled`)
	require.EqualError(t, h.Sysctl("net.ipv4.ip_local_port_range", "9 1"), `sysctl: setting key "net.ipv4.ip_local_port_range": "9 1" is not two ports in order`)
	_, err = h.SysctlValue("vm.swappiness")
	require.EqualError(t, err, `sysctl: cannot stat "vm.swappiness": no such parameter is modelled`)
}

func TestPacketsStartAtTheDistributionsTTL(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   uint8
	}{{Config{}, 255}, {AmazonLinux2023("b"), 127}, {GenericLinux("b"), 64}} {
		e := &dataplane.Engine{Clock: &clock.Clock{}}
		l := newLAN(e, time.Microsecond)
		a, b := New(e, Config{Name: "a"}), New(e, c.config)
		l.attach(t, a, NICConfig{}, "10.0.0.1/24")
		l.attach(t, b, NICConfig{}, "10.0.0.2/24")
		require.Equal(t, c.want, a.Ping(b.Addr(), PingConfig{}).Replies[0].TTL)
	}
}

func TestUDPSocketsTakeWhatIsForThem(t *testing.T) {
	n := newLine(t)
	everywhere, err := n.b.ListenUDP(at(netip.IPv4Unspecified(), 53))
	require.NoError(t, err)
	everywhere.OnDatagram(func(c *UDPConn, d Datagram) { c.Send(d.Src, append([]byte("re: "), d.Payload...)) })
	_, err = n.b.ListenUDP(at(addrB, 53))
	require.EqualError(t, err, "host b: listen udp 10.0.1.55:53: address already in use")
	_, err = n.b.ListenUDP(at(addrA, 54))
	require.EqualError(t, err, "host b: listen udp 10.0.0.11:54: cannot assign requested address")

	c, err := n.a.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	require.GreaterOrEqual(t, c.LocalPort(), uint16(32768))
	for _, dst := range []netip.Addr{addrB, addrB6} {
		_, err = c.Send(at(dst, 53), []byte("who?"))
		require.NoError(t, err)
		d, ok := c.Read(time.Second)
		require.True(t, ok)
		require.Equal(t, "re: who?", string(d.Payload))
		require.Equal(t, at(dst, 53), d.Src)
	}
	_, ok := c.Read(time.Second)
	require.False(t, ok)

	_, err = c.Send(at(netip.MustParseAddr("10.0.1.55"), 0), nil)
	require.EqualError(t, err, "host a: send udp 10.0.1.55:0: no address and port")
	_, err = c.Send(at(addrB, 1), make([]byte, 65508))
	require.EqualError(t, err, "host a: send udp 10.0.1.55:1: payload of 65508 bytes is over 65507")
	c.DontFragment = true
	end, err := c.Send(at(addrB, 1), make([]byte, 9000))
	require.Equal(t, trace.TooBig, end)
	require.EqualError(t, err, "host a: send udp 10.0.1.55:1: message of 9028 bytes too long")

	everywhere.Close()
	_, err = c.Send(at(addrB, 53), nil)
	require.NoError(t, err)
	n.settle()
	require.Equal(t, "Destination Port Unreachable", c.Errors()[0].String())
}

func TestDefaultRoutesOfTwoInterfacesGoByMetric(t *testing.T) {
	e := &dataplane.Engine{Clock: &clock.Clock{}}
	h := New(e, Config{Name: "a"})
	var by []string
	add := func(metric int, addr string) *NIC {
		name := addr
		n, err := h.AddNIC(NICConfig{
			PointToPoint: true, Metric: metric, Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}, Gateway: netip.MustParseAddr("10.0.0.1"),
			Link: LinkFunc(func([]byte) trace.Reason { by = append(by, name); return trace.Delivered }),
		})
		require.NoError(t, err)
		return n
	}
	add(100, "10.0.0.2/24")
	second := add(10, "10.0.1.2/24")
	send := func() {
		c, err := h.ListenUDP(netip.AddrPort{})
		require.NoError(t, err)
		_, err = c.Send(netip.MustParseAddrPort("198.51.100.1:9"), nil)
		require.NoError(t, err)
	}
	send()
	require.True(t, h.RemoveNIC(second))
	send()
	require.Equal(t, []string{"10.0.1.2/24", "10.0.0.2/24"}, by)
	require.True(t, h.RemoveRoute(netip.MustParsePrefix("0.0.0.0/0"), ""))
	c, err := h.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	_, err = c.Send(netip.MustParseAddrPort("198.51.100.1:9"), nil)
	require.EqualError(t, err, "host a: send udp 198.51.100.1:9: network is unreachable")
	require.Equal(t, "ping: connect: Network is unreachable\n", h.Ping(netip.MustParseAddr("198.51.100.1"), PingConfig{}).Text)
	require.Equal(t, "connect: Network is unreachable\n", h.Traceroute(netip.MustParseAddr("198.51.100.1"), TracerouteConfig{}).Text)
}

func TestSecondaryAddressesComeAndGo(t *testing.T) {
	n := newLine(t)
	moved := netip.MustParseAddr("10.0.1.200")
	eth0 := n.b.NIC("eth0")
	require.NoError(t, eth0.AddAddr(netip.PrefixFrom(moved, 24)))
	require.Equal(t, 1, n.a.Ping(moved, PingConfig{}).Received)
	require.True(t, eth0.RemoveAddr(moved))
	require.False(t, eth0.RemoveAddr(moved))
	r := n.a.Ping(moved, PingConfig{Wait: time.Second})
	require.Equal(t, 0, r.Received)
	require.Equal(t, 1, n.a.Ping(addrB, PingConfig{}).Received, "the subnet's route stays for the other address")
}
