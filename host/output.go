package host

import (
	"fmt"
	"time"

	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// pathMTU is a path's MTU as an ICMP error told it (RFC 1191, RFC 8201).
type pathMTU struct {
	mtu   int
	until time.Duration
}

// Linux's net.ipv4.route.mtu_expires and min_pmtu; RFC 8201's least MTU of IPv6.
const (
	pathMTUExpires = 600 * time.Second
	minPathMTU     = 552
	minPathMTU6    = 1280
)

// header returns the IP header of a packet of the guest's own.
func (h *Host) header(src, dst wire.Addr) wire.Header {
	ttl := h.sys.hopLimit
	if dst.Is4() {
		ttl = h.sys.ttl
	}
	return wire.Header{Src: src, Dst: dst, TTL: uint8(ttl)}
}

// nextID returns the identification of a packet that may be fragmented. Linux
// keeps a counter for each hash of the addresses; here is one, seeded.
func (h *Host) nextID() uint16 {
	h.ipID++
	return h.ipID
}

// SendIP sends an IP packet of the guest's own as a raw socket does: it passes
// OUTPUT and POSTROUTING, is routed and, unless DF forbids, fragmented. It returns
// what became of it as far as is known at once, trace.None where it waits for a
// neighbour. It refuses bytes that are no packet. The bytes are copied.
func (h *Host) SendIP(ip []byte) (trace.Reason, error) {
	var p wire.Packet
	if err := p.Read(ip); err != nil {
		return trace.Malformed, fmt.Errorf("host %s: packet of %d bytes: %w", h.name, len(ip), err)
	}
	return h.send(append([]byte(nil), p.Bytes()...)), nil
}

// send sends a packet of the guest's own, whose bytes it takes.
func (h *Host) send(ip []byte) trace.Reason { return h.sendAbout(nil, ip) }

// sendAbout sends a packet that tells of the one of cause, if not nil: for the packet
// filter it belongs to the same connection.
func (h *Host) sendAbout(cause *passage, ip []byte) trace.Reason {
	w := h.passage()
	defer h.release(w)
	if cause != nil {
		w.hooks.Answers(&cause.hooks)
	}
	if err := w.own.Read(ip); err != nil {
		panic("host: made a packet that is none: " + err.Error())
	}
	w.p = &w.own
	next := h.lookup(w.p.Flow.Dst)
	if next == nil {
		return trace.HostNoRoute
	}
	dst := w.p.Flow.Dst
	if end := h.outputHook(w, next); end != trace.None {
		return end
	}
	if w.p.Flow.Dst != dst {
		if next = h.lookup(w.p.Flow.Dst); next == nil {
			return trace.HostNoRoute
		}
	}
	return h.leave(w, next)
}

// leave is POSTROUTING, fragmentation and the neighbour: the last of the kernel.
func (h *Host) leave(w *passage, next *hop) trace.Reason {
	if end := h.postrouting(w, next); end != trace.None {
		return end
	}
	dst := next.next(w.p.Flow.Dst)
	mtu := next.nic.mtu
	if w.in == nil {
		mtu = h.mtuTo(w.p.Flow.Dst, mtu)
	}
	if w.p.Len() <= mtu && w.cut.Sizes == nil {
		return h.toNeighbor(next.nic, dst, w.p.Bytes())
	}
	if !w.fits(mtu) {
		return trace.TooBig
	}
	if w.cut.Sizes == nil {
		w.cut.ID = h.rand.Uint32()
	}
	end := trace.TooBig
	for i, part := range reasm.Split(w.p, mtu, w.cut) {
		if e := h.toNeighbor(next.nic, dst, part); i == 0 {
			end = e
		}
	}
	return end
}

// fits reports whether the packet may leave by a link of an MTU: as it is, in
// fragments, or in those in which it came (Linux, ip_exceeds_mtu, ip6_pkt_too_big).
// Sources may fragment IPv6, routers may not (RFC 8200 section 5).
func (w *passage) fits(mtu int) bool {
	switch {
	case w.p.Len() <= mtu, !w.p.DontFragment(), w.in == nil && !w.p.Is4():
		return true
	}
	return w.cut.Sizes != nil && w.cut.Largest <= mtu
}

// mtuTo returns the MTU of the path to dst, where link is the first link's.
func (h *Host) mtuTo(dst wire.Addr, link int) int {
	known, ok := h.pmtu[dst]
	if !ok || known.until < h.clock.Now() {
		return link
	}
	return min(link, known.mtu)
}

// learnMTU takes what a fragmentation-needed or packet-too-big error says.
func (h *Host) learnMTU(dst wire.Addr, mtu int) {
	least := minPathMTU6
	if dst.Is4() {
		least = minPathMTU
	}
	h.pmtu[dst] = pathMTU{max(mtu, least), h.clock.Now() + pathMTUExpires}
}

// fits reports whether a packet of n bytes to dst leaves without being fragmented.
func (h *Host) fits(dst wire.Addr, n int) bool {
	next := h.lookup(dst)
	return next != nil && n <= h.mtuTo(dst, next.nic.mtu)
}

// defragment puts fragments together; trace.None says that w.p is whole.
func (h *Host) defragment(w *passage) trace.Reason {
	if w.p.Fragment == wire.Whole {
		return trace.None
	}
	whole, result := h.parts.Add(w.p, h.clock.Now())
	h.armFragments()
	switch result {
	case reasm.Complete:
	case reasm.Refused, reasm.Full:
		return trace.Malformed
	default:
		return trace.Reassembling
	}
	if w.whole.Read(whole.Bytes) != nil {
		return trace.Malformed
	}
	w.p, w.cut = &w.whole, whole.Cut
	return trace.None
}

func (h *Host) armFragments() {
	at, ok := h.parts.Deadline()
	if !ok {
		h.partsDue.Stop()
		return
	}
	h.partsDue.Reset(at - h.clock.Now())
}

// expireFragments gives up datagrams that stayed incomplete, and says so to those
// whose first fragment came (RFC 792; Linux, ip_expire).
func (h *Host) expireFragments() {
	h.parts.Expire(h.clock.Now(), func(first []byte) {
		w := h.passage()
		if w.p = &w.own; w.p.Read(first) == nil && h.isLocal(w.p.Flow.Dst) {
			h.icmpError(w, reassemblyTimeout, 0)
		}
		h.release(w)
	})
	h.armFragments()
}
