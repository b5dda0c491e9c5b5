package netfilter

import (
	"time"

	"github.com/vpcsim/vpcsim/nat"
)

// Restore makes a connection of another guest known here, translation and state, as
// conntrackd does on a firewall's standby; s is one of that guest's [Tables.Sessions].
// One that is known already is brought up to date. It reports false, and changes
// nothing, where s has expired or its packets are another connection's. Rules are not
// handed over: the standby has its own.
func (t *Tables) Restore(s nat.Session, now time.Duration) bool {
	known, _ := t.sessions.Find(s.Original, now)
	id := t.sessions.Restore(s, now)
	if id != 0 && known == 0 {
		t.origins.add(originOf(&s.Original), id)
	}
	return id != 0
}
