package host

import (
	"time"

	"github.com/vpcsim/vpcsim/trace"
)

// forward is for somebody else, in Linux's order (ip_route_input_slow, ip_forward):
// is forwarding on, is there a route, did it come by the right way, is TTL left,
// does it fit, FORWARD, POSTROUTING, out.
func (h *Host) forward(w *passage) trace.Reason {
	p := w.p
	if !w.in.forwards(p.Is4()) || w.in.kind == loopback || p.Flow.Dst.IsLinkLocal() && !p.Is4() {
		return trace.NotForwarding
	}
	next := h.lookup(p.Flow.Dst)
	if next == nil {
		return h.noRoute(w)
	}
	if !h.mayComeFrom(w.in, p) {
		return trace.ReversePath
	}
	if p.TTL() <= 1 {
		h.icmpError(w, timeExceeded, 0)
		return trace.TTLExpired
	}
	if mtu := next.nic.mtu; !w.fits(mtu) {
		h.icmpError(w, tooBig, uint32(mtu))
		return trace.TooBig
	}
	p.DecTTL()
	h.redirect(w, next)
	if end := h.forwardHook(w, next); end != trace.None {
		return end
	}
	if h.engine.Tracing() {
		h.did(p, next.nic.note)
	}
	end := h.leave(w, next)
	if end == trace.HostFilter || end == trace.NoPort {
		return end
	}
	return trace.Forwarded
}

// Linux's limit of redirects to one source (redirect_load, redirect_number,
// redirect_silence): each takes twice the time of the one before, and after nine
// there is silence until the source has been quiet.
const (
	redirectLoad    = 20 * time.Millisecond
	redirectNumber  = 9
	redirectSilence = redirectLoad << (redirectNumber + 1)
)

// backoff is what is remembered of the redirects sent to one source.
type backoff struct {
	last time.Duration
	sent int
}

// redirect tells the source of a packet that leaves by the interface it came in by
// of the shorter way (RFC 792, RFC 1812 section 4.3.3.2), unless send_redirects is
// off, as a NAT instance's set-up has it.
func (h *Host) redirect(w *passage, next *hop) {
	in, p := w.in, w.p
	if next.nic != in || in.kind != ethernet || !p.Is4() || !in.sendsRedirects() {
		return
	}
	now := h.clock.Now()
	b := h.redirects[p.Flow.Src]
	if b == nil {
		b = &backoff{}
		h.redirects[p.Flow.Src] = b
	}
	if now > b.last+redirectSilence {
		b.sent = 0
	}
	if b.sent >= redirectNumber {
		b.last = now
		return
	}
	if b.sent > 0 && now <= b.last+redirectLoad<<b.sent {
		return
	}
	b.sent, b.last = b.sent+1, now
	h.icmpError(w, redirected, next.next(p.Flow.Dst).V4())
}
