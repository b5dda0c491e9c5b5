package host

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// problem is what an ICMP error says, in both families' numbers.
type problem struct {
	type4, code4 uint8
	type6, code6 uint8
}

var (
	netUnreachable    = problem{wire.ICMPUnreachable, wire.NetUnreachable, wire.ICMPv6Unreachable, wire.V6NoRoute}
	hostUnreachable   = problem{wire.ICMPUnreachable, wire.HostUnreachable, wire.ICMPv6Unreachable, wire.V6AddressUnreachable}
	protoUnreachable  = problem{wire.ICMPUnreachable, wire.ProtoUnreachable, wire.ICMPv6Parameter, 1}
	portUnreachable   = problem{wire.ICMPUnreachable, wire.PortUnreachable, wire.ICMPv6Unreachable, wire.V6PortUnreachable}
	tooBig            = problem{wire.ICMPUnreachable, wire.FragNeeded, wire.ICMPv6TooBig, 0}
	timeExceeded      = problem{wire.ICMPTimeExceeded, 0, wire.ICMPv6TimeExceeded, 0}
	reassemblyTimeout = problem{wire.ICMPTimeExceeded, 1, wire.ICMPv6TimeExceeded, 1}
	redirected        = problem{wire.ICMPRedirect, 1, 0, 0}
)

// controlTOS is the type of service of ICMPv4 errors: internetwork control (RFC
// 1812 section 4.3.2.5, Linux's icmp_send).
const controlTOS = 0xc0

// icmpError tells the sender of w's packet what became of it, as Linux's icmp_send
// does. word is what follows the checksum: an MTU, a gateway.
func (h *Host) icmpError(w *passage, about problem, word uint32) {
	typ, code := about.type6, about.code6
	if w.p.Is4() {
		typ, code = about.type4, about.code4
	}
	h.icmpErrorCoded(w, typ, code, word)
}

func (h *Host) icmpErrorCoded(w *passage, typ, code uint8, word uint32) {
	p, to := w.p, w.p.Flow.Src
	if w.group || !p.AllowsError(typ, code) || w.in != nil && h.isBroadcast(w.in, p.Flow.Dst) {
		return
	}
	next := h.lookup(to)
	if next == nil || !h.mayTellNow(next, to, typ, code) {
		return
	}
	src := h.errorSource(w.in, p, next)
	if !src.IsValid() {
		return
	}
	head := h.header(src, to)
	if p.Is4() {
		head.TOS, head.ID = wire.IPv4(p.Bytes()).TOS()&0x1e|controlTOS, h.nextID()
	}
	h.sendAbout(w, wire.AppendICMPError(nil, head, typ, code, word, p))
}

// errorSource chooses the address an error comes from: the one that was asked,
// where it is the guest's own; else that of the interface towards the sender, or,
// with icmp_errors_use_inbound_ifaddr, of the interface that the packet came in by.
func (h *Host) errorSource(in *NIC, p *wire.Packet, next *hop) wire.Addr {
	to := p.Flow.Src
	switch {
	case h.isLocal(p.Flow.Dst):
		return p.Flow.Dst
	case in != nil && h.sys.errorsUseInbound == 1:
		return in.pick(to, to)
	}
	return h.source(next, to)
}

// bucket holds the tokens of one destination of ICMP errors, in time.
type bucket struct {
	tokens, last time.Duration
}

// burst is how many errors in a row a destination gets (Linux,
// XRLIM_BURST_FACTOR; measured: S002).
const burst = 6

// mayTellNow is Linux's limit of ICMP errors to one destination: a burst of six,
// then one for each icmp_ratelimit; only of the types in icmp_ratemask, and never
// of what path MTU discovery needs. IPv6 errors by a route shorter than /128 come
// more often (Linux, icmpv6_xrlim_allow). The limit over all destinations
// (icmp_msgs_per_sec, 1000) is not modelled.
func (h *Host) mayTellNow(next *hop, to wire.Addr, typ, code uint8) bool {
	every := milliseconds(h.sys.rateLimit)
	if to.Is4() {
		if typ == wire.ICMPUnreachable && code == wire.FragNeeded || h.sys.rateMask>>typ&1 == 0 {
			return true
		}
	} else {
		if typ == wire.ICMPv6TooBig {
			return true
		}
		every = milliseconds(h.sys.rateLimit6) >> ((128 - next.bits) >> 5)
	}
	if next.nic == h.lo {
		return true
	}
	return h.tokens(to).take(h.clock.Now(), every, burst*every)
}

// take takes a token worth cost out of the bucket, which holds most, if there is one.
func (b *bucket) take(now, cost, most time.Duration) bool {
	b.tokens = min(b.tokens+now-b.last, most)
	b.last = now
	if b.tokens < cost {
		return false
	}
	b.tokens -= cost
	return true
}

// Linux's limit of errors for want of a route (net.ipv4.route.error_cost and
// error_burst). It takes from the same bucket as icmp_ratelimit, and comes first.
const (
	noRouteCost = time.Second
	noRouteMost = 5 * time.Second
)

// noRoute tells the sender of a packet in transit that no route leads on (Linux,
// ip_error).
func (h *Host) noRoute(w *passage) trace.Reason {
	if !w.p.Is4() || h.tokens(w.p.Flow.Src).take(h.clock.Now(), noRouteCost, noRouteMost) {
		h.icmpError(w, netUnreachable, 0)
	}
	return trace.HostNoRoute
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// maxBuckets bounds how many destinations are remembered; Linux forgets inet_peers
// in the same manner. bucketIdle is after what silence one is full again.
const (
	maxBuckets = 4096
	bucketIdle = 60 * time.Second
)

// tokens returns the bucket of a destination, a full one for a new destination.
func (h *Host) tokens(to wire.Addr) *bucket {
	if b := h.limits[to]; b != nil {
		return b
	}
	now := h.clock.Now()
	if len(h.limits) >= maxBuckets {
		for a, b := range h.limits {
			if now-b.last >= bucketIdle {
				delete(h.limits, a)
			}
		}
	}
	b := &bucket{last: now - bucketIdle}
	h.limits[to] = b
	return b
}

// icmp takes an ICMP message for the guest.
func (h *Host) icmp(p *wire.Packet) trace.Reason {
	switch {
	case p.IsError():
		return h.icmpErrorInput(p)
	case p.Type == wire.ICMPEcho && p.Is4(), p.Type == wire.ICMPv6Echo && !p.Is4():
		return h.echo(p)
	case p.IsReply():
		q := h.queries[query{p.Flow.Dst, p.Flow.DstPort}]
		if q == nil {
			return trace.NoListener
		}
		q.answered(h.arrived(p), p)
	}
	return trace.Delivered
}

// echo answers an echo request from the address that was asked (RFC 1122 section
// 3.2.2.6), with the same type of service.
func (h *Host) echo(p *wire.Packet) trace.Reason {
	if h.sys.echoIgnore == 1 {
		return trace.NoListener
	}
	m := wire.ICMP(p.Transport())
	head := h.header(p.Flow.Dst, p.Flow.Src)
	typ := wire.ICMPv6EchoReply
	if p.Is4() {
		typ = wire.ICMPEchoReply
		head.TOS, head.ID = wire.IPv4(p.Bytes()).TOS(), h.nextID()
	}
	h.send(wire.AppendICMP(nil, head, typ, 0, m.Rest(), m.Payload()))
	return trace.Delivered
}

// query names who waits for the answers to an ICMP query: an address of the
// guest's and the identifier.
type query struct {
	src wire.Addr
	id  uint16
}

// querier waits for what a packet of its own brings back.
type querier interface {
	// answered takes an answer: an echo reply, a segment to a probe.
	answered(a Arrival, p *wire.Packet)
	// failed takes an ICMP error about a packet it sent; seq is that of a quoted
	// echo request.
	failed(e ICMPError, seq uint16)
}

// Arrival says when and how a packet reached the guest.
type Arrival struct {
	// From is the packet's source.
	From netip.Addr
	// At is the instant at which it came.
	At time.Duration
	// TTL is the time to live, or hop limit, that it had left.
	TTL uint8
}

func (h *Host) arrived(p *wire.Packet) Arrival {
	return Arrival{p.Flow.Src.Netip(), h.clock.Now(), p.TTL()}
}

// ICMPError is an ICMP error about a packet that the guest had sent.
type ICMPError struct {
	Arrival
	// Type and Code are the message's, of the family of Flow.
	Type, Code uint8
	// MTU is what a fragmentation-needed or packet-too-big error gives, in bytes.
	MTU int
	// Flow is the flow of the packet quoted, as the guest sent it.
	Flow wire.Flow
}

// icmpErrorInput gives an error to whoever sent the packet that it quotes.
func (h *Host) icmpErrorInput(p *wire.Packet) trace.Reason {
	in, ok := p.Inner()
	if !ok || !h.isLocal(in.Flow.Src) {
		return trace.NoListener
	}
	e := ICMPError{Arrival: h.arrived(p), Type: p.Type, Code: p.Code, Flow: in.Flow}
	m := wire.ICMP(p.Transport())
	if e.isTooBig() {
		e.MTU = int(m.MTU())
		h.learnMTU(in.Flow.Dst, e.MTU)
	}
	return h.tellSender(e, m.Payload())
}

func (h *Host) tellSender(e ICMPError, quoted []byte) trace.Reason {
	switch e.Flow.Proto {
	case wire.ProtoUDP:
		if c := h.udpFor(e.Flow.Reverse()); c != nil {
			c.fail(e)
			return trace.Delivered
		}
	case wire.ProtoTCP:
		if q := h.probes[e.Flow]; q != nil {
			q.failed(e, 0)
			return trace.Delivered
		}
		if c := h.conns[e.Flow]; c != nil {
			c.icmpError(e)
			return trace.Delivered
		}
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if q := h.queries[query{e.Flow.Src, e.Flow.SrcPort}]; q != nil {
			q.failed(e, quotedSeq(quoted))
			return trace.Delivered
		}
	}
	return trace.NoListener
}

// quotedSeq returns the sequence number of a quoted echo request.
func quotedSeq(quoted []byte) uint16 {
	at := wire.IPv6Len
	switch {
	case quoted[0]>>4 == 4:
		at = wire.IPv4(quoted).HeaderLen()
	case wire.IPv6(quoted).NextHeader() == fragmentHeader:
		at += 8
	}
	if len(quoted) < at+wire.ICMPLen {
		return 0
	}
	return wire.ICMP(quoted[at:]).Seq()
}

// fragmentHeader is the next header number of IPv6 fragments (RFC 8200 section 4.5).
const fragmentHeader wire.Proto = 44

func (e ICMPError) isTooBig() bool {
	if e.Flow.Proto == wire.ProtoICMPv6 || !e.Flow.Src.Is4() {
		return e.Type == wire.ICMPv6TooBig
	}
	return e.Type == wire.ICMPUnreachable && e.Code == wire.FragNeeded
}
