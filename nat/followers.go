package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Followers has later fragments, which have no ports, become what the first fragment of
// their datagram became. It remembers 4,096 datagrams at most, for 30 seconds each. The
// zero Followers is empty and ready.
type Followers struct{ fragments fragments }

// Remember notes what a first fragment became: p, whose key was k before. It allocates.
func (f *Followers) Remember(k wire.FragmentKey, p *wire.Packet, now time.Duration) {
	f.fragments.remember(k, p, now)
}

// Follow translates a later fragment as its first one was; false says that that one has
// not passed. It does not allocate.
func (f *Followers) Follow(p *wire.Packet, now time.Duration) bool {
	return f.fragments.follow(p, now) == Translated
}

// Knows reports whether the first fragment of a later one's datagram has passed. It
// does not allocate.
func (f *Followers) Knows(p *wire.Packet, now time.Duration) bool {
	k, ok := p.FragmentKey()
	to, known := f.fragments.known[k]
	return ok && known && to.until > now
}
