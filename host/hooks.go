package host

import (
	"time"

	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// IPTables runs an iptables command and returns what it prints, for example
//
//	h.IPTables("-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE")
//
// An error says what is wrong, and nothing has changed. See [netfilter.Tables.Run]
// for what is known.
func (h *Host) IPTables(args ...string) (string, error) {
	return h.filter.Run(append([]string{"iptables"}, args...))
}

// Netfilter returns the guest's packet filter: for whole command lines, ip6tables
// and the connections it tracks.
func (h *Host) Netfilter() *netfilter.Tables { return h.filter }

// ForgetConnections ends all connections that the packet filter tracks, as
// "conntrack -F" does.
func (h *Host) ForgetConnections() { h.filter.Forget(h.clock.Now()) }

// prerouting leads a received packet past PREROUTING, its fragments put together
// before where connections are tracked.
func (h *Host) prerouting(w *passage) trace.Reason {
	if h.filter.Tracks(w.p) {
		if end := h.defragment(w); end != trace.None {
			return end
		}
	}
	w.hooks.Packet, w.hooks.In = w.p, w.in.name
	return h.hook(w, h.filter.Prerouting)
}

// inputHook leads a packet for the guest itself past INPUT.
func (h *Host) inputHook(w *passage) trace.Reason {
	w.hooks.Packet = w.p
	return h.hook(w, h.filter.Input)
}

// forwardHook leads a packet for somebody else past FORWARD.
func (h *Host) forwardHook(w *passage, next *hop) trace.Reason {
	w.leaves(next)
	return h.hook(w, h.filter.Forward)
}

// outputHook leads a packet of the guest's own past OUTPUT.
func (h *Host) outputHook(w *passage, next *hop) trace.Reason {
	w.hooks.Packet = w.p
	w.leaves(next)
	return h.hook(w, h.filter.Output)
}

// postrouting leads a packet that leaves past POSTROUTING.
func (h *Host) postrouting(w *passage, next *hop) trace.Reason {
	w.leaves(next)
	return h.hook(w, h.filter.Postrouting)
}

// leaves tells the hooks by which interface the packet leaves, and the address that
// MASQUERADE takes there.
func (w *passage) leaves(next *hop) {
	w.hooks.Out = next.nic.name
	w.hooks.OutAddr = next.nic.pick(next.next(w.p.Flow.Dst), w.p.Flow.Dst)
}

// hook asks one of the packet filter's hooks; trace.None says that the packet goes on.
func (h *Host) hook(w *passage, ask func(*netfilter.Passage, time.Duration) netfilter.Verdict) trace.Reason {
	before := w.p.Flow
	verdict := ask(&w.hooks, h.clock.Now())
	if w.p.Flow != before && h.engine.Tracing() {
		h.engine.Note(h.name, w.p, trace.Step{Act: trace.Translated, Before: before})
	}
	switch verdict {
	case netfilter.Accept:
		return trace.None
	case netfilter.Reject:
		h.reject(w)
	}
	return trace.HostFilter
}

// reject sends the answer that a REJECT rule asks for.
func (h *Host) reject(w *passage) {
	r := w.hooks.Rejection
	if !r.Reset {
		h.icmpErrorCoded(w, r.Type, r.Code, 0)
		return
	}
	if w.p.Flow.Proto == wire.ProtoTCP && w.p.Fragment == wire.Whole {
		h.reset(w, w.p)
	}
}
