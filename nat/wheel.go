package nat

import "time"

// The wheel finds sessions that have expired without looking at those that have
// not: a ring of slots, each a list of the sessions to be looked at in one tick. A
// packet renews its session without touching the wheel; when the slot fires, the
// session is put into the slot of the instant it has by then. A session is never in
// a slot after that instant (Varghese and Lauck, "Hashed and Hierarchical Timing
// Wheels", scheme 4 with lazy deletion).
const (
	tickBits   = 30 // a tick is 2^30 ns, about 1.07 s
	wheelSlots = 512

	// workPerSession is how many sessions of past slots one new session looks at. Each
	// session is looked at once in 9 minutes or its timeout, whichever is shorter, so
	// the wheel keeps up, and no packet pays for a slot full of sessions.
	workPerSession = 8
)

type wheel struct {
	slot [wheelSlots]uint32 // first record of each list, plus one
	tick int64              // the tick of the slot to fire next; those before have
	next time.Duration      // no session of slot tick expires earlier
}

// link chains the sessions of one slot; record numbers plus one. The prev of a
// list's first is its slot, marked.
type link struct{ prev, next uint32 }

const slotMark = 1 << 31

func tickOf(at time.Duration) int64 { return int64(at >> tickBits) }

// arm puts a record into the slot of the instant at which it is to be looked at:
// the tick's that is going on, at the earliest, the last one's, at the latest.
func (t *Table) arm(n uint32, at time.Duration) {
	w := &t.wheel
	tick := min(max(tickOf(at), w.tick), w.tick+wheelSlots-1)
	if tick == w.tick {
		w.next = min(w.next, at)
	}
	s := uint32(tick) % wheelSlots
	first := w.slot[s]
	*t.links.At(n) = link{prev: slotMark | s, next: first}
	if first != 0 {
		t.links.At(first - 1).prev = n + 1
	}
	w.slot[s] = n + 1
}

// disarm takes a record out of its slot.
func (t *Table) disarm(n uint32) {
	l := t.links.At(n)
	if l.prev&slotMark != 0 {
		t.wheel.slot[l.prev%wheelSlots] = l.next
	} else {
		t.links.At(l.prev - 1).next = l.next
	}
	if l.next != 0 {
		t.links.At(l.next - 1).prev = l.prev
	}
}

func (t *Table) rearm(n uint32, at time.Duration) {
	t.disarm(n)
	t.arm(n, at)
}

// advance fires the slots of past ticks, looking at work sessions at most. It
// reports whether all of them have fired.
func (t *Table) advance(now time.Duration, work int) bool {
	w, tick := &t.wheel, tickOf(now)
	w.tick = max(w.tick, tick-wheelSlots) // then each slot fires once
	for w.tick < tick {
		first := w.slot[w.tick%wheelSlots]
		switch {
		case first == 0:
			w.tick++
		case work <= 0:
			return false
		default:
			work -= t.fire(first, min(work, workPerSession), now)
		}
	}
	return true
}

// fire looks at the first of a slot's sessions, so many at most, and returns how many
// it were. It looks up where all of them are before it ends the first, so that the
// processor waits for all of them at once.
func (t *Table) fire(first uint32, most int, now time.Duration) (looked int) {
	var row [workPerSession]uint32
	for at := first; at != 0 && looked < most; looked++ {
		row[looked] = at - 1
		t.touched += uint64(t.records.At(at - 1).expires)
		at = t.links.At(at - 1).next
	}
	var over [workPerSession]ending
	n := 0
	for _, rec := range row[:looked] {
		if at := t.records.At(rec).expires; at > now {
			t.rearm(rec, at) // into a later slot: at is after now
			continue
		}
		over[n%workPerSession] = t.look(rec)
		n++
	}
	for i := range over[:n] {
		t.touched += t.index.Touch(over[i].hash[0]) + t.index.Touch(over[i].hash[1])
	}
	for i := range over[:n] {
		t.take(&over[i], Expired)
	}
	return looked
}

// Expire ends every session that has expired. It is for whoever must know exactly
// (counters, listings, a full pool of ports); packets need not call it. It costs as
// much as there is to end; called again at the same instant, next to nothing.
func (t *Table) Expire(now time.Duration) {
	for t.expireSome(now) {
	}
}

// expireSome does a part of Expire and reports whether there is more.
func (t *Table) expireSome(now time.Duration) (more bool) {
	if !t.advance(now, workPerSession) {
		return true
	}
	w := &t.wheel
	if w.next > now {
		return false
	}
	w.next = time.Duration(w.tick+1) << tickBits
	for at := w.slot[w.tick%wheelSlots]; at != 0; {
		n := at - 1
		at = t.links.At(n).next
		if e := t.records.At(n).expires; e <= now {
			t.end(n, Expired)
		} else {
			w.next = min(w.next, e)
		}
	}
	return false
}
