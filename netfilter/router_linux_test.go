package netfilter_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/internal/kernel"
	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/wire"
)

// The two routers that the comparison is between: a network namespace, and this
// package's tables with a small forwarder around them. Side 0 is inside, 1 outside.

// sent is a packet that a router sent.
type sent struct {
	side   int
	packet []byte
	made   bool // by the router itself; known of the model's only
}

var (
	routerAddrs = [2][2]wire.Addr{
		{wire.MustParseAddr("10.99.0.1"), wire.MustParseAddr("198.18.0.1")},
		{wire.MustParseAddr("fd00:99::1"), wire.MustParseAddr("2001:db8:1::1")},
	}
	hostMAC = wire.MAC{2, 0, 0, 0, 0, 2}
	ifaces  = [2]string{"r0", "r1"}
	mtus    = [2]int{1500, 1400}
)

// linuxRouter is a namespace between two taps.
type linuxRouter struct {
	t    *testing.T
	ns   *kernel.Namespace
	taps [2]*kernel.Tap
	macs [2]wire.MAC
}

func newLinuxRouter(t *testing.T) *linuxRouter {
	r := &linuxRouter{t: t, ns: kernel.NewNamespace(t, "router")}
	world := kernel.NewNamespace(t, "world")
	kernel.Pin(t)
	for _, s := range [][2]string{
		{"net.ipv4.ip_forward", "1"}, {"net.ipv6.conf.all.forwarding", "1"},
		{"net.ipv4.conf.all.rp_filter", "0"}, {"net.ipv4.conf.default.rp_filter", "0"},
		{"net.ipv4.conf.all.send_redirects", "0"}, {"net.ipv4.conf.default.send_redirects", "0"},
		{"net.ipv4.icmp_ratemask", "0"}, {"net.ipv6.icmp.ratemask", "255"}, // errors without limit
		{"net.ipv6.auto_flowlabels", "0"}, {"net.netfilter.nf_conntrack_tcp_be_liberal", "1"},
		// Nothing times out while a busy machine takes its time.
		{"net.netfilter.nf_conntrack_tcp_timeout_close", "600"}, {"net.netfilter.nf_conntrack_tcp_timeout_last_ack", "600"},
		{"net.netfilter.nf_conntrack_udp_timeout", "600"}, {"net.netfilter.nf_conntrack_udp_timeout_stream", "600"},
		{"net.netfilter.nf_conntrack_icmp_timeout", "600"}, {"net.netfilter.nf_conntrack_icmpv6_timeout", "600"},
		{"net.ipv4.ipfrag_time", "600"}, {"net.netfilter.nf_conntrack_frag6_timeout", "600"},
	} {
		r.ns.Sysctl(s[0], s[1])
	}
	world.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	for i, name := range ifaces {
		r.ns.Connect(name, world, "w"+name[1:])
		r.taps[i] = world.Tap("w" + name[1:])
		r.macs[i] = wire.MAC(r.ns.Tap(name).MAC)
	}
	for _, line := range []string{
		"ip addr add 10.99.0.1/24 dev r0", "ip addr add 198.18.0.1/30 dev r1",
		"ip addr add fd00:99::1/64 dev r0 nodad", "ip addr add 2001:db8:1::1/64 dev r1 nodad",
		"ip link set r1 mtu 1400",
		"ip neigh replace 10.99.0.2 lladdr 02:00:00:00:00:02 nud permanent dev r0",
		"ip neigh replace 198.18.0.2 lladdr 02:00:00:00:00:02 nud permanent dev r1",
		"ip neigh replace fd00:99::2 lladdr 02:00:00:00:00:02 nud permanent dev r0",
		"ip neigh replace 2001:db8:1::2 lladdr 02:00:00:00:00:02 nud permanent dev r1",
		"ip route add 10.0.0.0/16 via 10.99.0.2", "ip route add default via 198.18.0.2",
		"ip -6 route add fd00:1::/64 via fd00:99::2", "ip -6 route add default via 2001:db8:1::2",
	} {
		r.ns.Run(line)
	}
	return r
}

// send throws a packet at a side and returns what came out of the router before it
// answered an ARP probe sent behind.
func (r *linuxRouter) send(side int, packet []byte) []sent {
	r.t.Helper()
	kind := wire.EtherTypeIPv4
	if packet[0]>>4 == 6 {
		kind = wire.EtherTypeIPv6
	}
	r.taps[side].Send(append(r.ethernet(side, kind), packet...))
	probe := wire.AppendARP(r.ethernet(side, wire.EtherTypeARP), wire.ARPRequest, hostMAC, wire.AddrFromV4(0), wire.MAC{}, routerAddrs[0][side])
	r.taps[side].Send(probe)
	var out []sent
	for answered := false; !answered; {
		require.True(r.t, r.taps[side].Wait(5*time.Second), "the router answers no ARP probe")
		for i := range r.taps {
			for _, f := range r.taps[i].Receive() {
				switch e := wire.Ethernet(f); {
				case e.Type() == wire.EtherTypeARP && i == side:
					answered = true
				case e.Type() == wire.EtherTypeARP || e.Dst().IsGroup(): // neighbours' chatter
				default:
					out = append(out, sent{side: i, packet: trim(e.Payload())})
				}
			}
		}
	}
	return out
}

func (r *linuxRouter) ethernet(side int, kind wire.EtherType) []byte {
	b := append(slices.Clone(r.macs[side][:]), hostMAC[:]...)
	return binary.BigEndian.AppendUint16(b, uint16(kind))
}

// trim leaves off what is behind the packet's own length.
func trim(b []byte) []byte {
	if b[0]>>4 == 4 {
		return b[:wire.IPv4(b).TotalLen()]
	}
	return b[:wire.IPv6Len+wire.IPv6(b).PayloadLen()]
}

// modelRouter is a forwarder with this package's tables, as small as can be.
type modelRouter struct {
	tables *netfilter.Tables
	queue  reasm.Queue
	now    time.Duration
	out    []sent
}

// send takes a packet at a side and returns what the router sends for it.
func (r *modelRouter) send(side int, packet []byte) []sent {
	r.now += time.Microsecond
	r.out = nil
	var p wire.Packet
	if p.Read(slices.Clone(packet)) != nil {
		return nil
	}
	var d reasm.Datagram
	if p.Fragment != wire.Whole && (r.tables.Tracks(&p) || isLocal(p.Flow.Dst)) {
		result := reasm.Kept
		if d, result = r.queue.Add(&p, r.now); result != reasm.Complete || p.Read(d.Bytes) != nil {
			return nil
		}
	}
	w := netfilter.Passage{Packet: &p, In: ifaces[side]}
	if r.tables.Prerouting(&w, r.now) != netfilter.Accept {
		return nil
	}
	if isLocal(p.Flow.Dst) {
		if r.verdict(&w, r.tables.Input(&w, r.now)) {
			r.deliver(&w)
		}
		return r.out
	}
	r.forward(&w, d)
	return r.out
}

func isLocal(a wire.Addr) bool {
	return slices.Contains(routerAddrs[0][:], a) || slices.Contains(routerAddrs[1][:], a)
}

var inside = []wire.Prefix{prefix("10.0.0.0/16"), prefix("10.99.0.0/24"), prefix("fd00:1::/64"), prefix("fd00:99::/64")}

func sideOf(a wire.Addr) int {
	if slices.ContainsFunc(inside, func(p wire.Prefix) bool { return p.Contains(a) }) {
		return 0
	}
	return 1
}

func (r *modelRouter) forward(w *netfilter.Passage, d reasm.Datagram) {
	p, side := w.Packet, sideOf(w.Packet.Flow.Dst)
	if p.TTL() <= 1 {
		r.fail(w, timeExceeded(p), 0, 0)
		return
	}
	fits := p.Len() <= mtus[side] || d.Sizes != nil && d.Largest <= mtus[side]
	switch {
	case fits || !p.DontFragment():
	case p.Is4():
		r.fail(w, wire.ICMPUnreachable, wire.FragNeeded, uint32(mtus[side]))
		return
	default:
		r.fail(w, wire.ICMPv6TooBig, 0, uint32(mtus[side]))
		return
	}
	p.DecTTL()
	w.Out, w.OutAddr = ifaces[side], routerAddrs[familyIndex(p)][side]
	if !r.verdict(w, r.tables.Forward(w, r.now)) || r.tables.Postrouting(w, r.now) != netfilter.Accept {
		return
	}
	for _, b := range reasm.Split(p, mtus[side], d.Cut) {
		r.out = append(r.out, sent{side, b, false})
	}
}

func familyIndex(p *wire.Packet) int {
	if p.Is4() {
		return 0
	}
	return 1
}

// verdict reports whether the packet goes on, and answers where it is rejected.
func (r *modelRouter) verdict(w *netfilter.Passage, v netfilter.Verdict) bool {
	if v == netfilter.Reject {
		r.fail(w, w.Rejection.Type, w.Rejection.Code, 0)
	}
	return v == netfilter.Accept
}

// deliver answers as a host without a single socket does.
func (r *modelRouter) deliver(w *netfilter.Passage) {
	p := w.Packet
	if p.VerifyChecksum() != nil {
		return
	}
	f := p.Flow
	h := wire.Header{Src: f.Dst, Dst: f.Src, TTL: 64}
	switch f.Proto {
	case wire.ProtoTCP:
		if !p.Flags.Has(wire.RST) {
			r.emit(wire.AppendTCP(nil, h, resetFor(p), nil), nil)
		}
	case wire.ProtoUDP:
		typ, code := wire.ICMPUnreachable, wire.PortUnreachable
		if !p.Is4() {
			typ, code = wire.ICMPv6Unreachable, wire.V6PortUnreachable
		}
		r.fail(w, typ, code, 0)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		m := wire.ICMP(p.Transport())
		switch p.Type {
		case wire.ICMPEcho, wire.ICMPv6Echo:
			if p.Type == wire.ICMPEcho == p.Is4() {
				r.emit(wire.AppendICMP(nil, h, echoReply(p), p.Code, m.Rest(), m.Payload()), nil)
			}
		}
	}
}

func echoReply(p *wire.Packet) uint8 {
	if p.Is4() {
		return wire.ICMPEchoReply
	}
	return wire.ICMPv6EchoReply
}

// resetFor is RFC 9293 section 3.10.7.1.
func resetFor(p *wire.Packet) wire.Segment {
	t := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: t.DstPort(), DstPort: t.SrcPort(), Flags: wire.RST}
	if p.Flags.Has(wire.ACK) {
		s.Seq = t.Ack()
		return s
	}
	s.Flags |= wire.ACK
	s.Ack = t.Seq() + uint32(len(t.Payload()))
	for _, f := range []wire.TCPFlags{wire.SYN, wire.FIN} {
		if p.Flags.Has(f) {
			s.Ack++
		}
	}
	return s
}

func timeExceeded(p *wire.Packet) uint8 {
	if p.Is4() {
		return wire.ICMPTimeExceeded
	}
	return wire.ICMPv6TimeExceeded
}

// fail sends an ICMP error about w's packet, unless that is one itself.
func (r *modelRouter) fail(w *netfilter.Passage, typ, code uint8, rest uint32) {
	p := w.Packet
	if p.IsError() || p.Flow.Proto == wire.ProtoICMP && p.Type > wire.ICMPAddressMaskBack {
		return // Linux takes unknown ICMP types for errors
	}
	quote, tos := 576-wire.IPv4Len-wire.ICMPLen, uint8(0xc0)
	if !p.Is4() {
		quote, tos = 1280-wire.IPv6Len-wire.ICMPLen, 0
	}
	src := routerAddrs[familyIndex(p)][sideOf(p.Flow.Src)]
	if isLocal(p.Flow.Dst) {
		src = p.Flow.Dst
	}
	h := wire.Header{Src: src, Dst: p.Flow.Src, TTL: 64, TOS: tos}
	r.emit(wire.AppendICMP(nil, h, typ, code, rest, p.Bytes()[:min(quote, p.Len())]), w)
}

// emit leads a packet made here past its hooks; cause, if not nil, is what it complains about.
func (r *modelRouter) emit(b []byte, cause *netfilter.Passage) {
	var p wire.Packet
	if err := p.Read(b); err != nil {
		panic(err)
	}
	w := netfilter.Passage{Packet: &p, Out: ifaces[sideOf(p.Flow.Dst)]}
	if cause != nil {
		w.Answers(cause)
	}
	if r.tables.Output(&w, r.now) != netfilter.Accept {
		return
	}
	side := sideOf(p.Flow.Dst) // may be another by now
	w.Out, w.OutAddr = ifaces[side], routerAddrs[familyIndex(&p)][side]
	if r.tables.Postrouting(&w, r.now) != netfilter.Accept {
		return
	}
	for _, b := range reasm.Split(&p, mtus[side], reasm.Cut{}) {
		r.out = append(r.out, sent{side, b, true})
	}
}
