package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Translate rewrites both ends of p, a packet of a session in direction d or an
// ICMP error about it that [Table.FindError] found. It does not allocate.
func (t *Table) Translate(p *wire.Packet, id ID, d Direction) {
	t.TranslateDst(p, id, d)
	t.TranslateSrc(p, id, d)
}

// TranslateSrc rewrites the source alone, as Linux does at POSTROUTING; of an ICMP
// error also the destination of the packet that it quotes.
func (t *Table) TranslateSrc(p *wire.Packet, id ID, d Direction) {
	r := t.records.At(uint32(id - 1))
	i, w := side(d), t.wideOf(r)
	if !p.IsError() {
		r.setSrc(p, i, w)
		return
	}
	RelateSrc(p, r.tuple(i, w), r.tuple(1-i, w).Reverse())
}

// TranslateDst rewrites the destination alone, as Linux does at PREROUTING; of an
// ICMP error also the source of the packet that it quotes.
func (t *Table) TranslateDst(p *wire.Packet, id ID, d Direction) {
	r := t.records.At(uint32(id - 1))
	i, w := side(d), t.wideOf(r)
	if !p.IsError() {
		r.setDst(p, i, w)
		return
	}
	RelateDst(p, r.tuple(i, w), r.tuple(1-i, w).Reverse())
}

// RelateSrc translates the source of p, which belongs to a flow without being of it:
// an ICMP error about it, a reset in its name. from and to are the flow in p's
// direction before and after translation. Where they differ in their source, be it in
// the port alone, p gets to's, whoever sent it, and so does the destination of the
// packet that an error quotes (RFC 5508 section 4.2; Linux, nf_nat_icmp_reply_translation).
// It does not allocate.
func RelateSrc(p *wire.Packet, from, to wire.Flow) {
	if from.Src == to.Src && from.SrcPort == to.SrcPort {
		return
	}
	if in, ok := p.Inner(); ok {
		in.SetDst(to.Src, to.SrcPort)
	}
	p.SetSrc(to.Src, to.SrcPort)
}

// RelateDst is [RelateSrc] for the destination, and the source of a quoted packet.
func RelateDst(p *wire.Packet, from, to wire.Flow) {
	if from.Dst == to.Dst && from.DstPort == to.DstPort {
		return
	}
	if in, ok := p.Inner(); ok {
		in.SetSrc(to.Dst, to.DstPort)
	}
	p.SetDst(to.Dst, to.DstPort)
}

// setSrc gives p, which matches tuple i, the source that the other tuple has as its
// destination.
func (r *record) setSrc(p *wire.Packet, i int, w *wide) {
	j := 1 - i&1
	p.SetSrc(wire.AddrFromWords(w[j][1], r.addr[j][1]), uint16(r.port[j]))
}

// setDst gives p, which matches tuple i, the destination that the other tuple has as
// its source.
func (r *record) setDst(p *wire.Packet, i int, w *wide) {
	j := 1 - i&1
	p.SetDst(wire.AddrFromWords(w[j][0], r.addr[j][0]), uint16(r.port[j]>>16))
}

// FindError returns the session that an ICMP error is about, by the packet that it
// quotes (RFC 5508 section 4), and the direction that the error goes: against the
// quoted packet's. The ID is 0 where there is none, or the error is not for whom the
// quoted packet came from. An error does not renew its
// session (RFC 5508 REQ-4). It does not allocate where p is on the heap.
func (t *Table) FindError(p *wire.Packet, now time.Duration) (ID, Direction) {
	in, ok := p.Inner()
	if !ok || in.Fragment == wire.LaterFragment || in.Flow.Src != p.Flow.Dst {
		return 0, noDirection
	}
	return t.Find(in.Flow.Reverse(), now)
}
