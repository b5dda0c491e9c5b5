package nat

import "time"

// Restore makes a session of another table known here, as a standby does with what
// the active tells it: s is what [Table.Session] returned there. A session that has
// the same tuples already is brought up to date. It returns 0, and changes nothing,
// where a tuple is another session's, s has expired or is none, or the table is full.
//
// What comes over is what Linux hands over (ctnetlink, conntrackd): tuples, state,
// timeout and whether it is answered and assured; not its age, nor the last segment.
// It allocates as [Table.Create] does.
func (t *Table) Restore(s Session, now time.Duration) ID {
	if s.State == noState || s.State >= states || s.Expires <= now {
		return 0
	}
	t.advance(now, workPerSession)
	id, d := t.Find(s.Original, now)
	switch {
	case id != 0 && (d != Original || t.Session(id).Translated != s.Translated):
		return 0
	case id == 0:
		reply := s.Translated.Reverse()
		if t.Taken(reply, now) || t.full(now) || !t.vacate(&s.Original, now) || !t.vacate(&reply, now) {
			return 0
		}
		if id = t.insert(&s.Original, &reply, t.hash(&s.Original), t.hash(&reply), s.State, now); id == 0 {
			return 0
		}
	}
	n := uint32(id - 1)
	r := t.records.At(n)
	r.state = s.State
	r.marks &^= replied | assured
	if s.Replied {
		r.marks |= replied
	}
	if s.Assured {
		r.marks |= assured
	}
	t.renew(n, r, s.Expires)
	return id
}
