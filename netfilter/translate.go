package netfilter

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// manip is the end of a packet that a hook translates.
type manip uint8

const (
	noManip manip = iota
	manipSrc
	manipDst
)

func (h hook) manip() manip {
	if h == postrouting || h == input {
		return manipSrc
	}
	return manipDst
}

// translate does what the table nat does at a hook: it asks its rules about the first
// packet of a connection, and gives all others what was decided then.
func (t *Tables) translate(w *Passage, h hook, in, out string, now time.Duration) Verdict {
	k := &w.track
	switch {
	case k.id != 0 && h.manip() == manipSrc:
		t.sessions.TranslateSrc(w.Packet, k.id, k.dir)
	case k.id != 0:
		t.sessions.TranslateDst(w.Packet, k.id, k.dir)
	case k.fresh:
		return t.decide(w, h, in, out, now)
	}
	return Accept
}

// decide asks the rules of a hook what becomes of a new connection. Where none
// translates it, it keeps its address, but its port only if the answers are still
// told apart (Linux's null binding).
func (t *Tables) decide(w *Passage, h hook, in, out string, now time.Duration) Verdict {
	k, p := &w.track, w.Packet
	m := h.manip()
	var s span
	s.ask(&k.translated, m)
	if r := t.rules(familyOf(p)).nat.chains[h].decide(t, w, in, out); r != nil {
		s = r.target.span(&k.translated, m, w.OutAddr)
	}
	if !s.lo.IsValid() {
		return Drop // MASQUERADE without an address on the way out
	}
	k.translated = t.pick(k.translated, s, m, now)
	if m == manipSrc {
		p.SetSrc(k.translated.Src, k.translated.SrcPort)
	} else {
		p.SetDst(k.translated.Dst, k.translated.DstPort)
	}
	return Accept
}

// span is what a translation may choose from.
type span struct {
	lo, hi     wire.Addr
	ports      portRange // not given: whatever keeps the answers apart
	random     bool      // don't try to keep the port
	persistent bool      // the address by the source alone
}

func (s *span) ask(f *wire.Flow, m manip) {
	s.lo = f.Src
	if m == manipDst {
		s.lo = f.Dst
	}
	s.hi = s.lo
}

// span returns what the target lets a flow be translated to; an ACCEPT rule, nothing
// but what it is.
func (t *target) span(f *wire.Flow, m manip, out wire.Addr) span {
	var s span
	s.ask(f, m)
	switch t.kind {
	case masquerade:
		s.lo, s.hi = out, out
	case snat, dnat:
		if t.lo.IsValid() {
			s.lo, s.hi = wire.AddrFrom(t.lo), wire.AddrFrom(t.hi)
		}
	case netmap:
		s.lo = mapped(s.lo, t.prefix)
		s.hi = s.lo
	}
	s.ports, s.persistent = t.ports, t.persistent
	s.random = t.random || t.fully
	return s
}

// mapped returns a with the network of a prefix and its own host bits.
func mapped(a wire.Addr, to netip.Prefix) wire.Addr {
	bits := to.Bits()
	if to.Addr().Is4() {
		bits += 96
	}
	maskHi, maskLo := ^uint64(0), ^uint64(0)
	if bits <= 64 {
		maskHi, maskLo = maskHi<<(64-bits), 0
	} else {
		maskLo <<= 128 - bits
	}
	hostHi, hostLo := a.Words()
	netHi, netLo := wire.AddrFrom(to.Addr()).Words()
	return wire.AddrFromWords(netHi&maskHi|hostHi&^maskHi, netLo&maskLo|hostLo&^maskLo)
}

// pick chooses what a flow becomes out of a span, in Linux's order: as it is; as the
// same socket's other connections are; an address of the span and the port it has;
// another port. It is the caller who finds that nothing was free.
func (t *Tables) pick(f wire.Flow, s span, m manip, now time.Duration) wire.Flow {
	if m == manipSrc && !s.random {
		if s.holds(&f, m) {
			if !t.taken(f, now) {
				return f
			}
		} else if g, ok := t.sibling(f, s, now); ok && !t.taken(g, now) {
			return g
		}
	}
	f = t.pickAddr(f, s, m)
	if !s.random && s.portHolds(&f, m) {
		if s.ports.given && s.ports.lo == s.ports.hi || !t.taken(f, now) {
			return f
		}
	}
	return t.pickPort(f, s, m, now)
}

// taken reports whether the answers to f would be those of another connection.
func (t *Tables) taken(f wire.Flow, now time.Duration) bool {
	return t.sessions.Taken(f.Reverse(), now)
}

func (s *span) holds(f *wire.Flow, m manip) bool {
	a := f.Src
	if m == manipDst {
		a = f.Dst
	}
	return a.Compare(s.lo) >= 0 && a.Compare(s.hi) <= 0 && s.portHolds(f, m)
}

func (s *span) portHolds(f *wire.Flow, m manip) bool {
	if m == manipDst {
		return s.ports.holds(f.DstPort)
	}
	return s.ports.holds(f.SrcPort)
}

// sibling returns f with the translation that the newest other connection of its
// socket has, out of those that the span holds.
func (t *Tables) sibling(f wire.Flow, s span, now time.Duration) (wire.Flow, bool) {
	for id := t.origins.newest[originOf(&f)]; id != 0; id = t.origins.links[id].older {
		other := t.sessions.Session(id)
		g := f
		g.Src, g.SrcPort = other.Translated.Src, other.Translated.SrcPort
		if other.Expires > now && s.holds(&g, manipSrc) {
			return g, true
		}
	}
	return f, false
}

// pickAddr gives f an address of the span, the same to every connection of a pair
// of hosts, or with --persistent of one host.
func (t *Tables) pickAddr(f wire.Flow, s span, m manip) wire.Flow {
	a := s.lo
	if s.lo != s.hi {
		peer := f.Dst
		if s.persistent {
			peer = wire.Addr{}
		}
		a = s.at(t.seed.Hash(f.Src, peer, uint64(m)))
	}
	if m == manipSrc {
		f.Src = a
	} else {
		f.Dst = a
	}
	return f
}

// at returns the address that is n behind the span's first, going round at its end.
func (s *span) at(n uint32) wire.Addr {
	hi, lo := s.lo.Words()
	lastHi, lastLo := s.hi.Words()
	if hi != lastHi { // wider than any count: the low words are all there
		return wire.AddrFromWords(hi, max(lo, ^uint64(0)-uint64(n)))
	}
	if size := lastLo - lo + 1; size != 0 {
		return wire.AddrFromWords(hi, lo+uint64(n)%size)
	}
	return wire.AddrFromWords(hi, uint64(n))
}

// maxAttempts is how many ports are tried in a row before starting anew elsewhere,
// then half as many, down to 16 (Linux's NF_NAT_MAX_ATTEMPTS).
const maxAttempts = 128

// pickPort gives f a port whose answers are told apart, out of the span's ports, or
// else out of the class of its own: below 512, 600 to 1023, 1024 and up. A
// destination's port never changes without ports given. Where nothing is free after
// all attempts it returns the last one tried.
func (t *Tables) pickPort(f wire.Flow, s span, m manip, now time.Duration) wire.Flow {
	lo, size, ok := classOf(&f, s, m)
	if !ok {
		return f
	}
	from := uint32(0)
	if m == manipSrc || s.random {
		from = t.random.below(size)
	}
	for attempts := min(size, maxAttempts); ; attempts /= 2 {
		for i := range attempts {
			port := uint16(lo + (from+i)%size)
			if m == manipSrc {
				f.SrcPort = port
			} else {
				f.DstPort = port
			}
			if !t.taken(f, now) {
				return f
			}
		}
		if attempts >= size || attempts < 16 {
			return f
		}
		from = t.random.below(size)
	}
}

// classOf returns the first of the ports to pick from and how many they are.
func classOf(f *wire.Flow, s span, m manip) (lo, size uint32, ok bool) {
	switch f.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if s.ports.given || m == manipDst {
			return 0, 0, false
		}
		return 0, 65536, true
	case wire.ProtoTCP, wire.ProtoUDP:
	default:
		return 0, 0, false
	}
	switch {
	case s.ports.given:
		return uint32(s.ports.lo), uint32(s.ports.hi-s.ports.lo) + 1, true
	case m == manipDst:
		return 0, 0, false
	case f.SrcPort < 512:
		return 1, 511, true
	case f.SrcPort < 1024:
		return 600, 1023 - 600 + 1, true
	}
	return 1024, 65536 - 1024, true
}

// random is a stream of numbers that nothing but its seed decides: a PCG step.
type random uint64

func (r *random) below(n uint32) uint32 {
	*r = *r*6364136223846793005 + 1442695040888963407
	return uint32(uint64(uint32(*r>>32)) * uint64(n) >> 32)
}
