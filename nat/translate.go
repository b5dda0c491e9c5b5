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
	from, to := t.ends(id, d)
	if p.IsError() {
		in, ok := p.Inner()
		if ok {
			in.SetDst(to.Src, to.SrcPort)
		}
		if from.Src != to.Src {
			p.SetSrc(to.Src, 0)
		}
		return
	}
	p.SetSrc(to.Src, to.SrcPort)
}

// TranslateDst rewrites the destination alone, as Linux does at PREROUTING; of an
// ICMP error also the source of the packet that it quotes.
func (t *Table) TranslateDst(p *wire.Packet, id ID, d Direction) {
	from, to := t.ends(id, d)
	if p.IsError() {
		in, ok := p.Inner()
		if ok {
			in.SetSrc(to.Dst, to.DstPort)
		}
		if from.Dst != to.Dst {
			p.SetDst(to.Dst, 0)
		}
		return
	}
	p.SetDst(to.Dst, to.DstPort)
}

// ends returns the flow of the session's packets in direction d before and after.
func (t *Table) ends(id ID, d Direction) (from, to wire.Flow) {
	r := t.records.At(uint32(id - 1))
	w := t.wides.At(r.wide)
	i := side(d)
	from, to = r.tuple(i, w), r.tuple(1-i, w)
	return from, to.Reverse()
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
	back := in.Flow.Reverse()
	return t.find(&back, now)
}
