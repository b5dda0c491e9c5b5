package host

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/internal/kernel"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The two routers of this file have one interface to the left, where frames are
// thrown at them, and one to the right; behind both there is the same station.
var (
	stationMAC = wire.MAC{2, 0, 0, 0, 0, 2}
	errorNet   = []struct{ dev, addr, station string }{
		{"eth0", "10.0.0.1/24", "10.0.0.2"}, {"eth0", "fd00::1/64", "fd00::2"},
		{"eth1", "10.0.1.1/24", "10.0.1.2"}, {"eth1", "fd00:1::1/64", "fd00:1::2"},
	}
	errorRoutes = []Route{
		{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("10.0.0.2"), Dev: "eth0"}, {Dst: netip.MustParsePrefix("::/0"), Via: netip.MustParseAddr("fd00::2"), Dev: "eth0"},
		{Dst: netip.MustParsePrefix("10.9.0.0/16"), Via: netip.MustParseAddr("10.0.1.2"), Dev: "eth1"}, {Dst: netip.MustParsePrefix("fd09::/16"), Via: netip.MustParseAddr("fd00:1::2"), Dev: "eth1"},
	}
	errorSysctls = [][2]string{
		{"net.ipv4.ip_forward", "1"}, {"net.ipv6.conf.all.forwarding", "1"}, {"net.ipv4.ip_default_ttl", "64"},
		{"net.ipv4.icmp_ratelimit", "0"}, {"net.ipv6.icmp.ratelimit", "0"},
		{"net.ipv4.conf.all.rp_filter", "0"}, {"net.ipv4.conf.eth0.rp_filter", "0"}, {"net.ipv4.conf.eth1.rp_filter", "0"},
	}
)

// errorRouters is a real kernel and a guest that are to say the same.
type errorRouters struct {
	t    *testing.T
	real *kernel.Namespace
	taps [2]*kernel.Tap
	mac  wire.MAC

	model *Host
	said  []string
}

func newErrorRouters(t *testing.T) *errorRouters {
	r := &errorRouters{t: t, real: kernel.NewNamespace(t, "router")}
	world := kernel.NewNamespace(t, "world")
	kernel.Pin(t)
	world.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	r.model = New(&dataplane.Engine{Clock: &clock.Clock{}}, GenericLinux("router"))
	for i, dev := range []string{"eth0", "eth1"} {
		r.real.Connect(dev, world, "w"+dev)
		r.taps[i] = world.Tap("w" + dev)
		r.real.Run("ip link set " + dev + " mtu 1400")
		_, err := r.model.AddNIC(NICConfig{Name: dev, MAC: wire.MAC{2, 1, byte(i)}, MTU: 1400, Link: LinkFunc(func(b []byte) trace.Reason {
			r.said = append(r.said, telling(dev, b)...)
			return trace.Delivered
		})})
		require.NoError(t, err)
	}
	r.mac = r.real.Tap("eth0").MAC
	for _, c := range errorNet {
		r.real.Run("ip addr add " + c.addr + " dev " + c.dev)
		r.real.Run("ip neigh replace " + c.station + " lladdr " + stationMAC.String() + " nud permanent dev " + c.dev)
		nic := r.model.NIC(c.dev)
		require.NoError(t, nic.AddAddr(netip.MustParsePrefix(c.addr)))
		r.model.newNeighbor(neighborKey{nic, wire.MustParseAddr(c.station)}).learned(stationMAC, true)
	}
	for _, to := range errorRoutes {
		r.real.Run(fmt.Sprintf("ip route add %s via %s dev %s", to.Dst, to.Via, to.Dev))
		require.NoError(t, r.model.AddRoute(to))
	}
	for _, s := range errorSysctls {
		r.real.Sysctl(s[0], s[1])
		require.NoError(t, r.model.Sysctl(s[0], s[1]))
	}
	return r
}

// rule gives both a rule of the packet filter.
func (r *errorRouters) rule(line string) {
	r.real.Run(line)
	_, err := r.model.Netfilter().Command(line)
	require.NoError(r.t, err)
}

// send throws a packet from the left at both, its frame at the router or at all
// stations, and returns what either sends before it answers what is sent behind.
func (r *errorRouters) send(ip []byte, group bool) (real, model []string) {
	r.t.Helper()
	frame := func(to, router wire.MAC) []byte {
		b := make([]byte, wire.EthernetLen)
		wire.PutEthernet(b, to, stationMAC, wire.EtherTypeIPv6)
		if ip[0]>>4 == 4 {
			wire.PutEthernet(b, to, stationMAC, wire.EtherTypeIPv4)
		}
		if group {
			copy(b, wire.Broadcast[:])
		}
		return append(b, ip...)
	}
	r.taps[0].Send(frame(r.mac, r.mac))
	probe := make([]byte, wire.EthernetLen)
	wire.PutEthernet(probe, r.mac, stationMAC, wire.EtherTypeARP)
	r.taps[0].Send(wire.AppendARP(probe, wire.ARPRequest, stationMAC, wire.AddrFromV4(0), wire.MAC{}, wire.MustParseAddr("10.0.0.1")))
	for answered := false; !answered; {
		require.True(r.t, r.taps[0].Wait(5*time.Second), "the router answers no ARP probe")
		for i, dev := range []string{"eth0", "eth1"} {
			for _, b := range r.taps[i].Receive() {
				answered = answered || wire.Ethernet(b).Type() == wire.EtherTypeARP
				real = append(real, telling(dev, b)...)
			}
		}
	}
	r.said = nil
	nic := r.model.NIC("eth0")
	nic.Frame(frame(nic.mac, nic.mac))
	r.model.clock.Run(r.model.clock.Now() + time.Millisecond)
	return real, r.said
}

// telling says what a frame holds, and nothing of what keeps neighbours going.
func telling(dev string, frame []byte) []string {
	e, p := wire.Ethernet(frame), wire.Packet{}
	if e.Type() == wire.EtherTypeARP || e.Dst().IsGroup() || p.Read(e.Payload()) != nil {
		return nil
	}
	words := fmt.Sprintf("%s %v ttl %d, %d bytes, type %d code %d", dev, p.Flow, p.TTL(), p.Len(), p.Type, p.Code)
	if t := p.Transport(); p.Flow.Proto == wire.ProtoTCP {
		words += fmt.Sprintf(" %v seq %d ack %d", p.Flags, wire.TCP(t).Seq(), wire.TCP(t).Ack())
	}
	if in, ok := p.Inner(); ok {
		words += fmt.Sprintf(" about %v, rest %d", in.Flow, wire.ICMP(p.Transport()).Rest())
	}
	if p.VerifyChecksum() != nil {
		words += ", wrong checksum"
	}
	return []string{words}
}

func header(src, dst string, ttl uint8) wire.Header {
	return wire.Header{Src: wire.MustParseAddr(src), Dst: wire.MustParseAddr(dst), TTL: ttl, ID: 7}
}

func TestErrorsAreSentAboutWhatTheRealKernelSendsThemAbout(t *testing.T) {
	udp := func(h wire.Header) []byte { return wire.AppendUDP(nil, h, 4000, 53, []byte("hello")) }
	icmp := func(h wire.Header, typ uint8) []byte {
		return wire.AppendICMP(nil, h, typ, 0, 0, udp(wire.Header{Src: h.Dst, Dst: h.Src, TTL: 9}))
	}
	part := func(offset int, h wire.Header) []byte {
		h.Proto, h.Offset, h.MF = 47, offset, true
		return wire.AppendIP(nil, h, make([]byte, 8))
	}
	const a, b, a6, b6 = "10.0.0.2", "10.9.0.1", "fd00::2", "fd09::1"
	r := newErrorRouters(t)
	for _, c := range []struct {
		name string
		ip   []byte
		sent int
	}{
		{"UDP", udp(header(a, b, 1)), 1},
		{"UDP for the router", udp(header(a, "10.0.0.1", 1)), 1},
		{"an echo", icmp(header(a, b, 1), wire.ICMPEcho), 1},
		{"an error", icmp(header(a, b, 1), wire.ICMPUnreachable), 0},
		{"a source quench", icmp(header(a, b, 1), wire.ICMPSourceQuench), 0},
		{"a redirect", icmp(header(a, b, 1), wire.ICMPRedirect), 0},
		{"the last type that is known", icmp(header(a, b, 1), wire.ICMPAddressMaskBack), 1},
		{"a type that is not known", icmp(header(a, b, 1), 42), 0},
		{"a router advertisement", icmp(header(a, b, 1), 9), 0},
		{"a first fragment", part(0, header(a, b, 1)), 1},
		{"a later fragment", part(8, header(a, b, 1)), 0},
		{"a class E source", udp(header("240.0.0.1", b, 1)), 1},
		{"a class E source, for the router", udp(header("240.0.0.1", "10.0.0.1", 1)), 1},
		{"a loopback source", udp(header("127.0.0.1", b, 1)), 0},
		{"a source of 0/8", udp(header("0.1.2.3", b, 1)), 1},
		{"a multicast source", udp(header("224.0.0.5", b, 1)), 0},
		{"a broadcast", udp(header(a, "10.0.0.255", 1)), 0},
		{"UDP over IPv6", udp(header(a6, b6, 1)), 1},
		{"UDP over IPv6 for the router", udp(header(a6, "fd00::1", 1)), 1},
		{"an ICMPv6 echo", icmp(header(a6, b6, 1), wire.ICMPv6Echo), 1},
		{"an ICMPv6 error", icmp(header(a6, b6, 1), wire.ICMPv6Unreachable), 0},
		{"an ICMPv6 error that is not known", icmp(header(a6, b6, 1), 127), 0},
		{"informational ICMPv6 that is not known", icmp(header(a6, b6, 1), 200), 1},
		// Left out: about an ICMPv6 redirect Linux tells, which RFC 4443 section 2.4(e.2)
		// forbids and the guest does not.
		{"a later fragment of IPv6", part(8, header(a6, b6, 1)), 1},
		{"a source of ::", udp(header("::", b6, 1)), 0},
		{"an IPv6 loopback source", udp(header("::1", b6, 1)), 0},
		{"an IPv6 multicast source", udp(header("ff02::1", b6, 1)), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			real, model := r.send(c.ip, false)
			require.Equal(t, strings.Join(real, "\n"), strings.Join(model, "\n"))
			require.Len(t, real, c.sent)
		})
	}
}

func TestFramesToAllStationsBringNoErrors(t *testing.T) {
	r := newErrorRouters(t)
	for _, h := range []wire.Header{header("10.0.0.2", "10.0.0.1", 9), header("10.0.0.2", "10.9.0.1", 1), header("fd00::2", "fd00::1", 9)} {
		real, model := r.send(wire.AppendUDP(nil, h, 4000, 53, nil), true)
		require.Empty(t, real)
		require.Empty(t, model)
	}
}

// What answers the first packet of a connection belongs to it, though it never becomes
// known: it quotes and comes from the addresses that its sender knows.
func TestAnswersToTranslatedPacketsAreTheRealKernels(t *testing.T) {
	r := newErrorRouters(t)
	for _, rule := range []string{
		"iptables -t nat -A PREROUTING -d 10.0.0.1 -p udp --dport 1000:1999 -j DNAT --to-destination 10.9.0.1",
		"iptables -t nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 1000 -j DNAT --to-destination 10.9.0.1:80",
		"iptables -t nat -A PREROUTING -d 10.0.0.1 -p tcp --dport 1001 -j DNAT --to-destination 10.9.0.1:81",
		"iptables -t nat -A PREROUTING -d 10.9.0.0/16 -p udp --dport 3000 -j DNAT --to-destination :3001",
		"iptables -t nat -A PREROUTING -d 10.9.0.0/16 -p udp --dport 4000 -j DNAT --to-destination 10.0.0.1:4001",
		"iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE",
		"iptables -A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset",
		"iptables -A FORWARD -p udp --dport 1001 -j REJECT --reject-with icmp-admin-prohibited",
		"iptables -A INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset",
		"ip6tables -t nat -A PREROUTING -d fd00::1 -p udp --dport 1000:1999 -j DNAT --to-destination fd09::1",
		"ip6tables -A FORWARD -p udp --dport 1001 -j REJECT",
	} {
		r.rule(rule)
	}
	udp := func(h wire.Header, port uint16, n int) []byte {
		return wire.AppendUDP(nil, h, 4000, port, make([]byte, n))
	}
	syn := func(h wire.Header, port uint16) []byte {
		return wire.AppendTCP(nil, h, wire.Segment{SrcPort: 4000, DstPort: port, Seq: 7, Flags: wire.SYN, Window: 500}, nil)
	}
	long := header("10.0.0.2", "10.0.0.1", 9)
	long.DF = true
	const src, nat, behind, src6, nat6 = "10.0.0.2", "10.0.0.1", "10.9.0.1", "fd00::2", "fd00::1"
	for _, c := range []struct {
		name string
		ip   []byte
	}{
		{"no TTL left, address translated", udp(header(src, nat, 1), 1000, 9)},
		{"no TTL left, address and port translated", syn(header(src, nat, 1), 1000)},
		{"no TTL left, port translated", udp(header(src, behind, 1), 3000, 9)},
		{"too long", udp(long, 1002, 1373)},
		{"rejected with a reset", syn(header(src, nat, 9), 1001)},
		{"rejected with an error", udp(header(src, nat, 9), 1001, 9)},
		{"redirected to nobody", udp(header(src, behind, 9), 4000, 9)},
		{"rejected on the way in", syn(header(src, nat, 9), 22)},
		{"forwarded", udp(header(src, nat, 9), 1003, 9)},
		{"no TTL left, connection known", udp(header(src, nat, 1), 1003, 9)},
		{"masqueraded, no TTL left", udp(header(src, behind, 1), 53, 9)},
		{"masqueraded", udp(header(src, behind, 9), 53, 9)},
		{"masqueraded, no TTL left, connection known", udp(header(src, behind, 1), 53, 9)},
		{"IPv6, no TTL left", udp(header(src6, nat6, 1), 1000, 9)},
		{"IPv6, rejected", udp(header(src6, nat6, 9), 1001, 9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			real, model := r.send(c.ip, false)
			require.Equal(t, strings.Join(real, "\n"), strings.Join(model, "\n"))
			require.NotEmpty(t, real)
		})
	}
}

// A redirect that would tell of an address behind a translation is dropped, and so is
// one about a connection of which it is not known yet (Linux, nf_nat_icmp_reply_translation).
func TestRedirectsPastATranslationAreTheRealKernels(t *testing.T) {
	r := newErrorRouters(t)
	r.rule("iptables -t nat -A POSTROUTING -d 198.51.101.0/24 -j MASQUERADE")
	for _, c := range []struct {
		name  string
		pause time.Duration // redirects are 40 ms apart, 80 ms, 160 ms
		dst   string
		sent  int
	}{
		{"a first packet", 0, "198.51.100.1", 0},
		{"a packet of a known connection", 60 * time.Millisecond, "198.51.100.1", 1},
		{"a first packet, translated", 100 * time.Millisecond, "198.51.101.1", 0},
		{"a packet of a known connection, translated", 200 * time.Millisecond, "198.51.101.1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			time.Sleep(c.pause)
			r.model.clock.Run(r.model.clock.Now() + c.pause)
			real, model := r.send(wire.AppendUDP(nil, header("10.0.0.2", c.dst, 9), 4000, 53, nil), false)
			require.Equal(t, strings.Join(real, "\n"), strings.Join(model, "\n"))
			require.Len(t, real, c.sent+1)
		})
	}
}
