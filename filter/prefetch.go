package filter

import "github.com/vpcsim/vpcsim/wire"

// HashOf returns the hash by which [Tracker.Knows] looks for a whole packet of flow f in
// direction d, for [Tracker.Touch].
func (t *Tracker) HashOf(d Direction, f *wire.Flow) uint32 { return t.seed.Hash(ends(d, f)) }

// Touch loads the flow at which a lookup of the hash begins, in round 0, and returns
// something that depends on it: see dataplane.Memory. It does not allocate.
func (t *Tracker) Touch(hash uint32, round int) uint64 {
	if b := t.flows.buckets.At(hash); b != nil && round == 0 {
		return b[hash%places].rest
	}
	return 0
}
