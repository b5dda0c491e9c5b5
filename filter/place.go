package filter

import (
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// Place returns the number of the flow of whole packets like f that go in direction d, for
// [Tracker.Holds] and [Tracker.Renew]; false where no such flow is tracked. It may be
// another flow's after the next Admit.
func (t *Tracker) Place(d Direction, f *wire.Flow) (number uint32, ok bool) {
	local, remote, rest := ends(d, f)
	h := t.seed.Hash(local, remote, rest)
	known := t.flows.find(h, local, remote, rest)
	if known == nil {
		return 0, false
	}
	return t.flows.number(known, h)<<1 | uint32(d-Ingress), true
}

// Find is [Tracker.Place] and [Tracker.Holds] for packets on egress, and returns the room
// that their flow has for who looks it up; nil where the flow is not known.
func (t *Tracker) Find(f *wire.Flow, flags wire.TCPFlags, now time.Duration) (number uint32, memo *flowtable.Memo) {
	local, remote, rest := ends(Egress, f)
	h := t.seed.Hash(local, remote, rest)
	known := t.flows.find(h, local, remote, rest)
	if !known.alive(now) || known.state.next(flags, known.opener == Egress) == noFlow {
		return 0, nil
	}
	return t.flows.number(known, h)<<1 | uint32(Egress-Ingress), &known.memo
}

// Ahead loads what Find looks at first, and returns something that depends on it.
func (t *Tracker) Ahead(f *wire.Flow) uint64 {
	h := t.seed.Hash(ends(Egress, f))
	if b := t.flows.buckets.At(h); b != nil {
		return b[h%places].rest
	}
	return 0
}

// placed returns the flow, or none, at a number, and the direction.
func (t *Tracker) placed(number uint32) (f *flow, d Direction) {
	return t.flows.at(number >> 1), Ingress + Direction(number&1)
}

// Holds reports whether [Tracker.Knows] would know a whole packet of flow f with these TCP
// flags, by the number that [Tracker.Place] returned once. It changes nothing.
func (t *Tracker) Holds(number uint32, f *wire.Flow, flags wire.TCPFlags, now time.Duration) bool {
	known, d := t.placed(number)
	return known.is(ends(d, f)) && known.expires > now && known.state.next(flags, d == known.opener) != noFlow
}

// Renew does what [Tracker.Knows] does with such a packet, where [Tracker.Holds].
func (t *Tracker) Renew(number uint32, flags wire.TCPFlags, _ int, now time.Duration) {
	f, d := t.placed(number)
	f.state = f.state.next(flags, d == f.opener)
	f.expires = now + t.timeouts[f.state]
}

// Load loads what Holds looks at, and returns something that depends on it.
func (t *Tracker) Load(number uint32) uint64 { return t.flows.at(number >> 1).rest }
