package host

import (
	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// passage is a packet's way through the kernel: what Linux keeps beside its bytes.
type passage struct {
	p     *wire.Packet
	own   wire.Packet // p's place where the guest read it itself
	in    *NIC        // where it came in, nil for the guest's own packets
	hooks netfilter.Passage
	group bool        // the frame was for several stations
	whole wire.Packet // p's place where it was put together from fragments
	cut   reasm.Cut   // and how it had come
}

// passage takes a passage for one packet. Passages nest where a callback runs the
// clock, so each packet has its own.
func (h *Host) passage() *passage {
	last := len(h.free) - 1
	if last < 0 {
		return new(passage)
	}
	w := h.free[last]
	h.free = h.free[:last]
	*w = passage{}
	return w
}

func (h *Host) release(w *passage) { h.free = append(h.free, w) }

// receive is where every packet enters the kernel: PREROUTING, then for the guest
// itself or for somebody else (Linux: ip_rcv, ip_route_input).
func (h *Host) receive(w *passage) trace.Reason {
	if end, ok := h.discovery(w.in, w.p); ok {
		return end
	}
	if w.in.kind != loopback && h.isMartian(w.p.Flow.Src) {
		return trace.ReversePath
	}
	if end := h.prerouting(w); end != trace.None {
		return end
	}
	dst := w.p.Flow.Dst
	switch {
	case h.isLocal(dst):
		if !h.mayComeFrom(w.in, w.p) {
			return trace.ReversePath
		}
		return h.deliver(w)
	case dst.IsMulticast(), h.isBroadcast(w.in, dst):
		return h.deliverGroup(w)
	case w.group:
		return trace.NotForwarding // RFC 1812 section 5.3.4: came as a link-layer broadcast
	}
	return h.forward(w)
}

// isMartian reports whether no packet from outside may have the source a: nobody,
// groups, loopback, and the guest's own addresses (RFC 1812 section 5.3.7; Linux
// without accept_local).
func (h *Host) isMartian(a wire.Addr) bool {
	if a.Is4() && (a.V4() == 0xffff_ffff || a.V4() == 0) {
		return true
	}
	return a.IsMulticast() || h.isLocal(a)
}

// mayComeFrom is the reverse path filter (RFC 3704): strict, the best route to the
// source leaves by the interface that the packet came in by; loose, there is one.
func (h *Host) mayComeFrom(in *NIC, p *wire.Packet) bool {
	filter := in.rpFilter()
	if filter == 0 || !p.Is4() || in.kind == loopback {
		return true
	}
	back := h.lookup(p.Flow.Src)
	return back != nil && (filter == 2 || back.nic == in)
}

func (h *Host) isBroadcast(in *NIC, a wire.Addr) bool {
	if !a.Is4() {
		return false
	}
	if a.V4() == 0xffff_ffff {
		return true
	}
	for _, p := range in.addrs {
		if !p.Addr().Is4() || p.Bits() >= 31 {
			continue
		}
		all := uint32(1)<<(32-p.Bits()) - 1
		if a.V4() == wire.AddrFrom(p.Addr()).V4()|all {
			return true
		}
	}
	return false
}

// deliver is for the guest itself: put fragments together, INPUT, transport.
func (h *Host) deliver(w *passage) trace.Reason {
	if end := h.defragment(w); end != trace.None {
		return end
	}
	if end := h.inputHook(w); end != trace.None {
		return end
	}
	if w.p.VerifyChecksum() != nil {
		return trace.BadChecksum
	}
	switch w.p.Flow.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		return h.icmp(w.p)
	case wire.ProtoUDP:
		return h.udpInput(w)
	case wire.ProtoTCP:
		return h.tcpInput(w.p)
	}
	h.icmpError(w, protoUnreachable, 0)
	return trace.NoListener
}

// deliverGroup is for a group or broadcast address: UDP only, and no ICMP error
// tells that nobody listens (RFC 1122 section 3.2.2). Linux answers no echo to a
// group either (icmp_echo_ignore_broadcasts).
func (h *Host) deliverGroup(w *passage) trace.Reason {
	if w.p.Fragment != wire.Whole || w.p.Flow.Proto != wire.ProtoUDP {
		return trace.NoListener
	}
	if end := h.inputHook(w); end != trace.None {
		return end
	}
	if w.p.VerifyChecksum() != nil {
		return trace.BadChecksum
	}
	c := h.udpFor(w.p.Flow)
	if c == nil {
		return trace.NoListener
	}
	c.receive(w.p)
	return trace.Delivered
}
