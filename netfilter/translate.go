package netfilter

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/nat"
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
	case k.fresh:
		return t.decide(w, h, in, out, now)
	case k.state == stateRelated && t.misleads(w):
		return Drop
	case k.state == stateRelated:
		t.translateRelated(w, h.manip())
	case k.id != 0 && h.manip() == manipSrc:
		t.sessions.TranslateSrc(w.Packet, k.id, k.dir)
	case k.id != 0:
		t.sessions.TranslateDst(w.Packet, k.id, k.dir)
	}
	return Accept
}

// misleads reports whether w's packet is an ICMP redirect made here that knows nothing
// of a translation: its connection is translated, or may be yet (Linux,
// nf_nat_icmp_reply_translation).
func (t *Tables) misleads(w *Passage) bool {
	if w.Packet.Flow.Proto != wire.ProtoICMP || w.Packet.Type != wire.ICMPRedirect {
		return false
	}
	if w.track.id == 0 {
		return true
	}
	s := t.sessions.Session(w.track.id)
	return s.Original != s.Translated
}

// translateRelated gives an ICMP error the address that its end of the connection is
// known by, and the packet that it quotes too; likewise a RST that is an answer.
func (t *Tables) translateRelated(w *Passage, m manip) {
	k := &w.track
	from, to := k.original, k.translated
	if k.id != 0 {
		s := t.sessions.Session(k.id)
		from, to = s.Original, s.Translated
	}
	if k.dir == nat.Reply {
		from, to = to.Reverse(), from.Reverse()
	}
	if m == manipSrc {
		nat.RelateSrc(w.Packet, from, to)
		return
	}
	nat.RelateDst(w.Packet, from, to)
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
	if m == manipDst {
		k.translated = t.pickDst(k.translated, s, now)
		p.SetDst(k.translated.Dst, k.translated.DstPort)
		return Accept
	}
	var ok bool
	if k.translated, ok = t.pickSrc(k.translated, s, now); !ok {
		return Drop
	}
	p.SetSrc(k.translated.Src, k.translated.SrcPort)
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

// pickSrc chooses a source out of a span, in Linux's order: as it is; as the same
// socket's other connections have it; an address of the span with the port it has;
// another port. Where nothing is free it reports false.
func (t *Tables) pickSrc(f wire.Flow, s span, now time.Duration) (wire.Flow, bool) {
	if !s.random {
		if s.holds(&f) {
			if !t.taken(f, now) {
				return f, true
			}
		} else if g, ok := t.sibling(f, s, now); ok && !t.taken(g, now) {
			return g, true
		}
	}
	return t.sessions.PickSource(f, nat.SourceRange{
		First: s.lo, Last: s.hi, FirstPort: s.ports.lo, LastPort: s.ports.hi,
		Random: s.random, Persistent: s.persistent,
	}, now)
}

// pickDst chooses a destination out of a span: its address, the same to every
// connection of a pair of hosts, or with --persistent of one host, and the port it
// has. Only out of ports that were given does it choose, the first one that is free.
func (t *Tables) pickDst(f wire.Flow, s span, now time.Duration) wire.Flow {
	peer := f.Dst
	if s.persistent {
		peer = wire.Addr{}
	}
	f.Dst = s.at(t.seed.Hash(f.Src, peer, 0))
	if !s.ports.given || !s.random && s.ports.holds(f.DstPort) && !t.taken(f, now) {
		return f
	}
	size, from := uint32(s.ports.hi-s.ports.lo)+1, uint32(0)
	if s.random {
		from = t.random.below(size)
	}
	for i := range size {
		f.DstPort = s.ports.lo + uint16((from+i)%size)
		if !t.taken(f, now) {
			break
		}
	}
	return f
}

// taken reports whether the answers to f would be those of another connection.
func (t *Tables) taken(f wire.Flow, now time.Duration) bool {
	return t.sessions.Taken(f.Reverse(), now)
}

// holds reports whether a flow's source lies in the span.
func (s *span) holds(f *wire.Flow) bool {
	return f.Src.Compare(s.lo) >= 0 && f.Src.Compare(s.hi) <= 0 && s.ports.holds(f.SrcPort)
}

// sibling returns f with the translation that the newest other connection of its
// socket has, out of those that the span holds.
func (t *Tables) sibling(f wire.Flow, s span, now time.Duration) (wire.Flow, bool) {
	for id := t.origins.newest[originOf(&f)]; id != 0; id = t.origins.links[id].older {
		other := t.sessions.Session(id)
		g := f
		g.Src, g.SrcPort = other.Translated.Src, other.Translated.SrcPort
		if other.Expires > now && s.holds(&g) {
			return g, true
		}
	}
	return f, false
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

// random is a stream of numbers that nothing but its seed decides: a PCG step.
type random uint64

func (r *random) below(n uint32) uint32 {
	*r = *r*6364136223846793005 + 1442695040888963407
	return uint32(uint64(uint32(*r>>32)) * uint64(n) >> 32)
}
