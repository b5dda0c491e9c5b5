package netfilter

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Verdict is what the hooks say of a packet. The zero Verdict is none.
type Verdict uint8

// The verdicts.
const (
	_ Verdict = iota
	// Accept: the packet goes on.
	Accept
	// Drop: the packet ends here and nobody is told.
	Drop
	// Reject: the packet ends here; the caller sends the answer that
	// [Passage.Rejection] describes.
	Reject
)

// String returns the verdict in iptables' words.
func (v Verdict) String() string {
	switch v {
	case Accept:
		return "ACCEPT"
	case Drop:
		return "DROP"
	case Reject:
		return "REJECT"
	}
	return "no verdict"
}

// Rejection describes the answer of a REJECT rule. The zero Rejection is none.
type Rejection struct {
	// Reset asks for a TCP RST; Type and Code have no meaning then.
	Reset bool
	// Type and Code are those of the ICMP error, of the packet's family.
	Type, Code uint8
}

// Passage is a packet's way through the hooks of one guest: what Linux keeps with the
// packet's buffer. The caller fills in the packet and, before the hook that asks for
// them, the interfaces, and hands the same Passage to every hook on the way. Each
// packet begins with a zero Passage.
type Passage struct {
	// Packet is the packet, whole: its fragments have been put together.
	Packet *wire.Packet
	// In names the interface it came in by, empty for what is made here.
	In string
	// Out names the interface it leaves by, from the routing decision on.
	Out string
	// OutAddr is the primary address of Out, which MASQUERADE gives it.
	OutAddr wire.Addr
	// Rejection is set where a verdict is Reject.
	Rejection Rejection

	track track
}

// Prerouting leads a received packet past connection tracking and the chain
// PREROUTING of the table nat, ahead of routing: afterwards the destination may be
// another. now must not go back. It does not allocate for established connections.
func (t *Tables) Prerouting(w *Passage, now time.Duration) Verdict {
	t.begin(w, now, true)
	return t.translate(w, prerouting, w.In, "", now)
}

// Input leads a packet that is for the guest itself past the chains INPUT of filter
// and nat. Accepted, its connection is known from now on.
func (t *Tables) Input(w *Passage, now time.Duration) Verdict {
	v := t.filter(w, input, w.In, "")
	if v == Accept {
		v = t.translate(w, input, w.In, "", now)
	}
	return t.end(w, v, now)
}

// Forward leads a packet that is routed on past the chain FORWARD of filter. Linux
// takes one from the TTL and looks at the MTU ahead of it.
func (t *Tables) Forward(w *Passage, now time.Duration) Verdict {
	return t.filter(w, forward, w.In, w.Out)
}

// Output leads a packet made here past connection tracking and the chains OUTPUT of
// nat and filter. Where the destination became another, the caller routes it again.
func (t *Tables) Output(w *Passage, now time.Duration) Verdict {
	t.begin(w, now, false)
	v := t.translate(w, output, "", w.Out, now)
	if v == Accept {
		v = t.filter(w, output, "", w.Out)
	}
	return v
}

// Postrouting leads a packet that is about to leave past the chain POSTROUTING of
// nat. Accepted, its connection is known from now on.
func (t *Tables) Postrouting(w *Passage, now time.Duration) Verdict {
	return t.end(w, t.translate(w, postrouting, "", w.Out, now), now)
}

// filter asks a chain of the table filter.
func (t *Tables) filter(w *Passage, h hook, in, out string) Verdict {
	ch := t.rules(familyOf(w.Packet)).filter.chains[h]
	r := ch.decide(t, w, in, out)
	if r == nil {
		return ch.policy
	}
	switch r.target.kind {
	case acceptTarget:
		return Accept
	case rejectTarget:
		w.Rejection = r.target.reject.answers
		return Reject
	}
	return Drop
}

// decide returns the rule that decides over the packet, nil where the policy does,
// and counts: each rule that matches, or the policy.
func (ch *chain) decide(t *Tables, w *Passage, in, out string) *rule {
	for _, r := range ch.rules {
		if !r.holds(t, w, in, out) {
			continue
		}
		r.count.add(w.Packet.Len())
		if r.target.kind == returnTarget {
			break
		}
		if r.target.kind != onlyCount {
			return r
		}
	}
	ch.count.add(w.Packet.Len())
	return nil
}

func familyOf(p *wire.Packet) family {
	if p.Flow.Src.Is4() {
		return ipv4
	}
	return ipv6
}
