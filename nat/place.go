package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Place returns the number of the IPv4 session that packets of flow f in direction d
// belong to, for [Masquerade.Holds] and [Masquerade.Renew]; false where none lives. It may
// be another session's one day.
func (m *Masquerade) Place(d Direction, f *wire.Flow, now time.Duration) (number uint32, ok bool) {
	r, n, i := m.table.lookup(f, m.table.hash(f))
	if r == nil || r.expires <= now || r.wide != 0 || i != side(d) {
		return 0, false
	}
	return n<<1 | uint32(i), true
}

// Holds reports whether a packet of the IPv4 flow f with these TCP flags, which belongs to
// no fragment, would be translated by the session with the number, and makes f what it
// would become. It changes nothing else.
func (m *Masquerade) Holds(number uint32, f *wire.Flow, flags wire.TCPFlags, now time.Duration) bool {
	r, i := m.table.records.At(number>>1), int(number&1)
	_, src := f.Src.Words()
	_, dst := f.Dst.Words()
	switch {
	case r.expires <= now || r.state == noState || r.wide != 0 || !r.is(i, src, dst, packPorts(f), f.Proto):
		return false
	case i == 1:
		f.Dst, f.DstPort = wire.AddrFromWords(0, r.addr[0][0]), uint16(r.port[0]>>16)
	case closed(r.state) && segmentOf(flags) == segSYN:
		return false
	default:
		f.Src, f.SrcPort = wire.AddrFromWords(0, r.addr[1][1]), uint16(r.port[1])
	}
	return true
}

// Renew does what [Masquerade.Out] and [Masquerade.Back] do with such a packet of size
// bytes, where [Masquerade.Holds], but for translating it.
func (m *Masquerade) Renew(number uint32, flags wire.TCPFlags, size int, now time.Duration) {
	c, n := &m.counters, uint64(size)
	d := Original + Direction(number&1)
	if d == Original {
		c.PacketsInFromSource++
		c.BytesInFromSource += n
		c.PacketsOutToDestination++
		c.BytesOutToDestination += n
	} else {
		c.PacketsInFromDestination++
		c.BytesInFromDestination += n
		c.PacketsOutToSource++
		c.BytesOutToSource += n
	}
	m.track(number>>1, m.table.records.At(number>>1), d, flags, now)
}

// Load loads what Holds looks at, and returns something that depends on it.
func (m *Masquerade) Load(number uint32) uint64 {
	return uint64(m.table.records.At(number >> 1).expires)
}
