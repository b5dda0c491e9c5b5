package host

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

func iptables(t testing.TB, h *Host, line string) string {
	t.Helper()
	out, err := h.IPTables(strings.Fields(line)...)
	require.NoError(t, err)
	return out
}

// frameTo returns a frame with an IP packet for a NIC.
func frameTo(n *NIC, ip []byte) []byte {
	b := append(make([]byte, wire.EthernetLen), ip...)
	wire.PutEthernet(b, n.MAC(), wire.MAC{2, 9, 9, 9, 9, 9}, wire.EtherTypeIPv4)
	return b
}

func udp(src, dst string, ttl uint8) []byte {
	h := wire.Header{Src: wire.MustParseAddr(src), Dst: wire.MustParseAddr(dst), TTL: ttl}
	return wire.AppendUDP(nil, h, 4000, 53, []byte("hello"))
}

func TestForwardingEndsForAReason(t *testing.T) {
	n := newLine(t)
	eth0 := n.router.NIC("eth0")
	for _, c := range []struct {
		name     string
		src, dst string
		ttl      uint8
		set      string
		value    string
		want     trace.Reason
	}{
		{"C023 forwarding off", "10.0.0.11", "10.0.1.55", 9, "net.ipv4.ip_forward", "0", trace.NotForwarding},
		{"forwarding on", "10.0.0.11", "10.0.1.55", 9, "net.ipv4.ip_forward", "1", trace.Forwarded},
		{"no TTL left", "10.0.0.11", "10.0.1.55", 1, "", "", trace.TTLExpired},
		{"no route", "10.0.0.11", "10.7.0.1", 9, "", "", trace.HostNoRoute},
		{"strict filter, source of the other side", "10.0.1.55", "10.0.1.9", 9, "", "", trace.ReversePath},
		{"strict filter, source of no side", "10.7.0.1", "10.0.1.55", 9, "", "", trace.ReversePath},
		{"loose filter, source of the other side", "10.0.1.55", "10.0.1.9", 9, "net.ipv4.conf.all.rp_filter", "2", trace.Forwarded},
		{"loose filter, source of no side", "10.7.0.1", "10.0.1.55", 9, "", "", trace.ReversePath},
		{"the interface's filter does not weaken all's", "10.7.0.1", "10.0.1.55", 9, "net.ipv4.conf.eth0.rp_filter", "0", trace.ReversePath},
		{"all's filter off, the interface's still", "10.7.0.1", "10.0.1.55", 9, "net.ipv4.conf.all.rp_filter", "0", trace.Forwarded},
	} {
		if c.set != "" {
			require.NoError(t, n.router.Sysctl(c.set, c.value))
		}
		require.Equal(t, c.want, eth0.Frame(frameTo(eth0, udp(c.src, c.dst, c.ttl))), c.name)
	}
}

func TestForwardedPacketsAreToldOfAPathTooNarrow(t *testing.T) {
	n := newLine(t)
	require.NoError(t, n.router.NIC("eth1").SetMTU(1400))
	r := n.a.Ping(addrB, PingConfig{Count: 2, Size: 2000, DontFragment: true})
	require.Equal(t, `PING 10.0.1.55 (10.0.1.55) 2000(2028) bytes of data.
From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)
ping: local error: message too long, mtu=1400

--- 10.0.1.55 ping statistics ---
2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1000ms

`, r.Text)
	require.Equal(t, 1, n.a.Ping(addrB, PingConfig{Size: 2000}).Received, "fragmented at home since")
	n.engine.Clock.Run(n.engine.Now() + 11*time.Minute)
	require.Equal(t, 1400, n.a.Ping(addrB, PingConfig{Size: 2000}).Errors[0].MTU, "forgotten after ten minutes")
}

func TestRoutersFragmentWhatTheyMay(t *testing.T) {
	n := newLine(t)
	require.NoError(t, n.router.NIC("eth1").SetMTU(1400))
	s, err := n.b.ListenUDP(at(addrB, 53))
	require.NoError(t, err)
	payload := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	head := wire.Header{Src: wire.AddrFrom(addrA), Dst: wire.AddrFrom(addrB), TTL: 9, ID: 7}
	whole := wire.AppendUDP(nil, head, 4000, 53, payload)
	require.NoError(t, n.a.NIC("eth0").SetMTU(3000)) // fragments that are fragmented again
	_, err = n.a.SendIP(whole)
	require.NoError(t, err)
	d, ok := s.Read(time.Second)
	require.True(t, ok)
	require.Equal(t, payload, d.Payload)
	require.Equal(t, uint8(8), d.TTL)
	require.Empty(t, n.right.packets(func(p *wire.Packet) bool { return p.Len() > 1400 }))
}

// A router that tracks connections puts datagrams together, and sends fragments that
// fit on as they came, DF and IPv6 among them (Linux, ip_exceeds_mtu, ip6_pkt_too_big).
func TestFragmentsThatFitPassARouterThatTracksConnections(t *testing.T) {
	for _, c := range []struct {
		name     string
		src, dst netip.Addr
		df       bool
		largest  int
		told     bool
	}{
		{"IPv4", addrA, addrB, false, 1500, false},
		{"IPv4 with DF", addrA, addrB, true, 1400, false},
		{"IPv4 with DF, too long", addrA, addrB, true, 1404, true},
		{"IPv6", addrA6, addrB6, false, 1400, false},
		{"IPv6, too long", addrA6, addrB6, false, 1416, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := natInstance(t)
			_, err := n.router.Netfilter().Command("ip6tables -t nat -A POSTROUTING -o eth1 -j MASQUERADE")
			require.NoError(t, err)
			require.NoError(t, n.router.NIC("eth1").SetMTU(1400))
			s, err := n.b.ListenUDP(at(c.dst, 53))
			require.NoError(t, err)
			h := wire.Header{Src: wire.AddrFrom(c.src), Dst: wire.AddrFrom(c.dst), TTL: 9, ID: 7, DF: c.df}
			var p wire.Packet
			require.NoError(t, p.Read(wire.AppendUDP(nil, h, 4000, 53, make([]byte, 3000))))
			eth0 := n.router.NIC("eth0")
			for _, part := range p.Split(c.largest, 9) {
				eth0.packet(part, false)
			}
			n.settle()
			_, passed := s.Read(time.Second)
			require.Equal(t, !c.told, passed)
			require.Len(t, n.left.packets(isError), map[bool]int{true: 1}[c.told])
		})
	}
}

// oneLegged is a network of a and gw on the left LAN, and gw's way out over it: all
// that a sends leaves by the interface it came in by.
func oneLegged(t *testing.T) *line {
	n := newLine(t)
	require.NoError(t, n.a.AddRoute(Route{Dst: netip.MustParsePrefix("10.9.0.0/16"), Via: netip.MustParseAddr("10.0.0.1"), Dev: "eth0"}))
	require.NoError(t, n.router.AddRoute(Route{Dst: netip.MustParsePrefix("10.9.0.0/16"), Via: netip.MustParseAddr("10.0.0.99"), Dev: "eth0"}))
	return n
}

func isRedirect(p *wire.Packet) bool {
	return p.Flow.Proto == wire.ProtoICMP && p.Type == wire.ICMPRedirect
}

func TestRedirectsAreSentUntilBothSwitchesAreOff(t *testing.T) {
	n := oneLegged(t)
	eth0 := n.router.NIC("eth0")
	redirects := func() int {
		before := len(n.left.packets(isRedirect))
		n.engine.Clock.Run(n.engine.Now() + time.Minute)
		require.Equal(t, trace.Forwarded, eth0.Frame(frameTo(eth0, udp("10.0.0.11", "10.9.0.1", 9))))
		n.engine.Clock.Run(n.engine.Now() + time.Second)
		return len(n.left.packets(isRedirect)) - before
	}
	require.Equal(t, 1, redirects())
	require.NoError(t, n.router.Sysctl("net.ipv4.conf.eth0.send_redirects", "0"))
	require.Equal(t, 1, redirects(), "conf.all still says so")
	require.NoError(t, n.router.Sysctl("net.ipv4.conf.all.send_redirects", "0"))
	require.Equal(t, 0, redirects())

	p := n.left.packets(isRedirect)[0]
	require.Equal(t, wire.MustParseAddr("10.0.0.99").V4(), wire.ICMP(p.Transport()).Rest(), "the shorter way")
}

func TestRedirectsSlowDownAndStopAtNine(t *testing.T) {
	n := oneLegged(t)
	eth0 := n.router.NIC("eth0")
	require.NoError(t, n.router.Sysctl("net.ipv4.icmp_ratelimit", "0"))
	for range 4000 {
		eth0.Frame(frameTo(eth0, udp("10.0.0.11", "10.9.0.1", 9)))
		n.engine.Clock.Run(n.engine.Now() + 10*time.Millisecond)
	}
	require.Len(t, n.left.packets(isRedirect), 9)
}

// natInstance masquerades what comes from the left behind 10.0.1.1.
func natInstance(t *testing.T) *line {
	n := newLine(t)
	iptables(t, n.router, "-t nat -A POSTROUTING -o eth1 -s 10.0.0.0/16 -j MASQUERADE")
	return n
}

func TestMasqueradeShowsTheNATInstanceAlone(t *testing.T) {
	n := natInstance(t)
	r := n.a.Ping(addrB, PingConfig{Count: 3})
	require.Equal(t, 3, r.Received)
	require.Equal(t, uint8(254), r.Replies[0].TTL)
	require.Equal(t, 1, n.a.Ping(addrB, PingConfig{Size: 20000}).Received, "fragments pass")
	r2 := n.a.Traceroute(addrB, TracerouteConfig{})
	require.Len(t, r2.Hops, 2)
	require.Equal(t, addrB, r2.Hops[1].Probes[0].Addr)
	require.Empty(t, n.right.packets(func(p *wire.Packet) bool {
		return p.Flow.Src == wire.AddrFrom(addrA) || p.Flow.Dst == wire.AddrFrom(addrA)
	}))
	require.Contains(t, iptables(t, n.router, "-t nat -L POSTROUTING -v -n"), "   18 ")

	steps := n.log.Walks()
	require.Empty(t, steps, "no walks on a switch")
}

func TestErrorsOfTheNATInstanceReachWhoSent(t *testing.T) {
	n := natInstance(t)
	n.engine.Log = nil
	r := n.a.Ping(netip.MustParseAddr("10.0.1.77"), PingConfig{})
	require.Equal(t, `PING 10.0.1.77 (10.0.1.77) 56(84) bytes of data.
From 10.0.1.1 icmp_seq=1 Destination Host Unreachable

--- 10.0.1.77 ping statistics ---
1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms

`, r.Text)
}

func TestFilterDropsAndRejects(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	iptables(t, n.router, "-A FORWARD -p tcp --dport 7 -j REJECT --reject-with tcp-reset")
	_, err := n.a.Dial(at(addrB, 7))
	require.ErrorIs(t, err, ErrRefused)
	iptables(t, n.router, "-F FORWARD")
	iptables(t, n.b, "-A INPUT -p tcp --dport 7 -j REJECT")
	_, err = n.a.Dial(at(addrB, 7))
	require.ErrorIs(t, err, ErrRefused, "by port unreachable")
	iptables(t, n.b, "-F INPUT")
	iptables(t, n.a, "-P OUTPUT DROP")
	require.Equal(t, trace.HostFilter, n.a.Ping(addrB, PingConfig{Wait: time.Second}).Sent)
	eth0 := n.router.NIC("eth0")
	iptables(t, n.router, "-P FORWARD DROP")
	require.Equal(t, trace.HostFilter, eth0.Frame(frameTo(eth0, udp("10.0.0.11", "10.0.1.55", 9))))
}

func TestDestinationTranslationOfOwnPacketsIsRoutedAgain(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	iptables(t, n.a, "-t nat -A OUTPUT -d 10.9.9.9 -p tcp -j DNAT --to-destination 10.0.1.55:7")
	iptables(t, n.router, "-t nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 8080 -j DNAT --to-destination 10.0.1.55:7")
	for _, to := range []string{"10.9.9.9:80", "10.0.0.1:8080"} {
		c, err := n.a.Dial(netip.MustParseAddrPort(to))
		require.NoError(t, err, to)
		c.Write([]byte("x"))
		c.CloseWrite()
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "x", string(got))
	}
}

func TestNATInstanceThatForgetsItsConnections(t *testing.T) {
	open := func(t *testing.T) (*line, *Conn, *Conn) {
		n := natInstance(t)
		l, err := n.b.ListenTCP(at(netip.Addr{}, 80), nil)
		require.NoError(t, err)
		inside, err := n.a.Dial(at(addrB, 80))
		require.NoError(t, err)
		outside, err := l.Accept(time.Second)
		require.NoError(t, err)
		n.router.ForgetConnections()
		return n, inside, outside
	}
	t.Run("C128 data from inside first: the flow recovers", func(t *testing.T) {
		n, inside, outside := open(t)
		inside.Write([]byte("still here"))
		n.settle()
		require.Equal(t, "still here", string(outside.Next()))
	})
	t.Run("C128 data from outside first: RST to the outside, the client hangs", func(t *testing.T) {
		n, inside, outside := open(t)
		outside.Write([]byte("anybody?"))
		n.settle()
		require.ErrorIs(t, outside.Err(), ErrReset)
		require.Equal(t, Established, inside.State())
		require.NoError(t, inside.Err())
	})
}

func TestForwardingOfAKnownFlowDoesNotAllocate(t *testing.T) {
	n := natInstance(t)
	n.engine.Log = nil
	count := 0
	n.a.Ping(addrB, PingConfig{})
	for _, name := range []string{"eth0", "eth1"} {
		n.router.NIC(name).link = LinkFunc(func([]byte) trace.Reason { count++; return trace.Delivered })
	}
	eth0 := n.router.NIC("eth0")
	fresh := frameTo(eth0, udp("10.0.0.11", "10.0.1.55", 64))
	frame := make([]byte, len(fresh))
	allocs := testing.AllocsPerRun(1000, func() {
		copy(frame, fresh)
		if eth0.Frame(frame) != trace.Forwarded {
			panic("not forwarded")
		}
	})
	require.Equal(t, 1001, count)
	require.Zero(t, allocs)
}

func TestTracedPacketsTellWhatTheKernelDid(t *testing.T) {
	e := &dataplane.Engine{Clock: &clock.Clock{}, Log: &trace.Log{}}
	h := New(e, Config{Name: "nat", Forwarding: true})
	nic, err := h.AddNIC(NICConfig{
		PointToPoint: true, Link: LinkFunc(func([]byte) trace.Reason { return trace.Delivered }),
		Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")}, Gateway: netip.MustParseAddr("10.0.0.1"),
	})
	require.NoError(t, err)
	iptables(t, h, "-t nat -A POSTROUTING -s 10.0.0.0/16 -j MASQUERADE")
	e.Send(to{nic}, udp("10.0.1.7", "198.51.100.1", 9))
	e.Clock.Run(time.Second)
	w := e.Log.Walks()[0]
	require.Equal(t, trace.Forwarded, w.End())
	did, translated := w.Steps[len(w.Steps)-2], w.Steps[len(w.Steps)-1]
	require.Equal(t, trace.Did, did.Act)
	require.Equal(t, "forwards by eth0", did.Match)
	require.Equal(t, trace.Translated, translated.Act)
	require.Equal(t, "nat", translated.Node)
	require.Equal(t, wire.MustParseAddr("10.0.1.7"), translated.Before.Src)
	require.Equal(t, wire.MustParseAddr("10.0.0.5"), translated.Flow.Src)
}

func TestTracedPacketsBeginWithTheGuestsRoute(t *testing.T) {
	e := &dataplane.Engine{Clock: &clock.Clock{}, Log: &trace.Log{}}
	h := New(e, Config{Name: "vm"})
	dead := false
	var nic *NIC
	nic, err := h.AddNIC(NICConfig{
		PointToPoint: true, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24"), netip.MustParsePrefix("fd00::5/64")},
		Gateway: netip.MustParseAddr("10.0.0.1"),
		Link: LinkFunc(func(b []byte) trace.Reason {
			if dead {
				return trace.Lost
			}
			return e.Send(to{nic}, b)
		}),
	})
	require.NoError(t, err)
	require.NoError(t, h.AddRoute(Route{Dst: netip.MustParsePrefix("198.51.100.0/24"), Via: netip.MustParseAddr("10.0.0.9"), Dev: "eth0"}))
	last := func(dst string) string {
		_, err := h.SendIP(udp(map[bool]string{true: "10.0.0.5", false: "fd00::5"}[wire.MustParseAddr(dst).Is4()], dst, 9))
		require.NoError(t, err)
		w := e.Log.Walks()[len(e.Log.Walks())-1]
		require.Equal(t, w.First, w.Steps[0].Flow)
		require.Equal(t, w.TTL, w.Steps[0].TTL)
		return w.Steps[0].Node + " " + w.Steps[0].Rule + ": " + w.Steps[0].String()
	}
	require.Equal(t, "vm 0.0.0.0/0: routes by 0.0.0.0/0 dev eth0", last("203.0.113.1"), "a link without Ethernet has no next hop")
	require.Equal(t, "vm 198.51.100.0/24: routes by 198.51.100.0/24 via 10.0.0.9 dev eth0", last("198.51.100.1"))
	require.Equal(t, "vm fd00::/64: routes by fd00::/64 dev eth0", last("fd00::9"))

	dead = true
	last("203.0.113.1")
	e.Send(to{nic}, udp("10.0.0.5", "10.0.0.6", 9))
	w := e.Log.Walks()
	require.Equal(t, "wire", w[len(w)-1].Steps[0].Node, "what was not sent leaves nothing for the next walk")
}

// to is a node that delivers to a guest.
type to struct{ guest dataplane.Guest }

func (to) Name() string { return "wire" }

func (t to) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next { return c.Deliver(t.guest) }

// BenchmarkForward is one packet of a known flow through a NAT instance.
func BenchmarkForward(b *testing.B) {
	e := &dataplane.Engine{Clock: &clock.Clock{}}
	h := New(e, Config{Name: "nat", Forwarding: true})
	count := 0
	nic, err := h.AddNIC(NICConfig{
		PointToPoint: true, Link: LinkFunc(func([]byte) trace.Reason { count++; return trace.Delivered }),
		Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")}, Gateway: netip.MustParseAddr("10.0.0.1"),
	})
	require.NoError(b, err)
	_, err = h.IPTables("-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE")
	require.NoError(b, err)
	fresh := udp("10.0.1.7", "198.51.100.1", 9)
	ip := make([]byte, len(fresh))
	var p wire.Packet
	b.ReportAllocs()
	for b.Loop() {
		copy(ip, fresh)
		p.Read(ip)
		nic.Receive(&p)
	}
	require.Equal(b, b.N, count)
}
