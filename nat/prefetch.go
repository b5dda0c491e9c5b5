package nat

import "github.com/vpcsim/vpcsim/wire"

// HashOf returns the hash by which a packet of flow f is looked for, for
// [Masquerade.Touch].
func (m *Masquerade) HashOf(f *wire.Flow) uint32 { return m.table.hash(f) }

// Touch loads the slot of the index at which a lookup of the hash begins, in round 0,
// and the first session under the hash, in round 1, and returns something that depends
// on it: see dataplane.Memory. It does not allocate.
func (m *Masquerade) Touch(hash uint32, round int) uint64 {
	t := m.table
	if round == 0 {
		return t.index.Touch(hash)
	}
	p := t.index.Probe(hash)
	if e, ok := p.Next(); ok {
		return uint64(t.records.At(e >> 1).expires)
	}
	return 0
}
