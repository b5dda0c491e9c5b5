package nat

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// TableConfig is what a [Table] may differ in. The zero TableConfig is Linux's
// conntrack with its default timeouts and no bound.
type TableConfig struct {
	// Timeouts say how long sessions live without a packet; zero fields are Linux's.
	Timeouts Timeouts
	// Strict refuses TCP connections that the table did not see opening:
	// nf_conntrack_tcp_loose=0.
	Strict bool
	// Max is how many sessions there may be at once (nf_conntrack_max); 0 is no bound.
	Max int
	// Seed makes the hash and the choice of ports the table's own; the same seed,
	// the same behaviour.
	Seed uint64
	// Ended, if not nil, is called when a session ends, while it can still be asked
	// about. It must not change the table.
	Ended func(ID, End)
}

// End is why a session ended.
type End uint8

// The reasons. The zero End is none.
const (
	_ End = iota
	// Expired is a session that no packet came for in time.
	Expired
	// Deleted is one that was ended by [Table.Delete].
	Deleted
)

// String returns the reason in lower case.
func (e End) String() string { return [...]string{"none", "expired", "deleted"}[e%3] }

// Table remembers sessions and finds them by the packets of either direction. It
// is what NAT gateways and Linux's netfilter are built on; policy (which packet
// opens a session, and what it is translated to) is theirs. Make one with [NewTable].
//
// A session that has expired is never found, whenever its memory is reclaimed. An
// IPv4 session takes about 100 bytes, indexes included, an IPv6 session 32 more.
// Nothing is ever moved or copied whole, so no packet pays for growth; memory is
// reused, not given back.
type Table struct {
	index    flowtable.Index // of both tuples: record number<<1 | tuple
	records  flowtable.Slab[record]
	wides    flowtable.Slab[wide]
	links    flowtable.Slab[link] // of the same numbers as records
	free     uint32               // first free record's number plus one; the next is its link's
	freeWide uint32               // first free wide's number; the next is in it
	wheel    wheel
	seed     flowtable.Seed
	timeouts [states]time.Duration
	config   TableConfig
	random   random
	last     time.Duration // when the youngest session began
	owner    *Masquerade   // that is told of ends, nil for a table of its own
	touched  uint64        // what was loaded ahead of its use: see look
	n        int
}

// NewTable returns an empty Table. It takes some 3 KB, and 6 KB more with its first session.
func NewTable(c TableConfig) *Table {
	t := &Table{
		seed:     flowtable.NewSeed(c.Seed),
		timeouts: c.Timeouts.byState(),
		config:   c,
		random:   random{c.Seed},
		last:     -1,
	}
	t.wides.Append() // number 0: the high halves of all IPv4 sessions
	return t
}

// Len returns how many sessions the table holds. Some of them may have expired in
// the last second or two, or later if no session began since: see [Table.Expire].
func (t *Table) Len() int { return t.n }

// Configure changes timeouts, strictness and bound. Each session keeps the timeout
// it has until its next packet; none ends for a smaller bound. Seed and Ended stay.
func (t *Table) Configure(c TableConfig) {
	c.Seed, c.Ended = t.config.Seed, t.config.Ended
	t.config, t.timeouts = c, c.Timeouts.byState()
}

// Find returns the session that a packet of flow f belongs to, and the packet's
// direction in it; the ID is 0 where there is none or it has expired. It changes
// nothing; [Table.Track] renews the session. An ICMP error is found by
// [Table.FindError]. It does not allocate.
func (t *Table) Find(f wire.Flow, now time.Duration) (ID, Direction) {
	r, n, i := t.lookup(&f, t.hash(&f))
	if r == nil || r.expires <= now {
		return 0, noDirection
	}
	return ID(n + 1), Direction(i) + Original
}

// lookup returns the record that flow f of hash h is a tuple of, be the session expired
// or not, with its number, and the tuple's; nil where there is none.
func (t *Table) lookup(f *wire.Flow, h uint32) (r *record, n uint32, tuple int) {
	_, src := f.Src.Words()
	_, dst := f.Dst.Words()
	ports, proto := packPorts(f), f.Proto
	for p := t.index.Probe(h); ; {
		e, ok := p.Next()
		if !ok {
			return nil, 0, 0
		}
		n, tuple = e>>1, int(e&1)
		if r = t.records.At(n); r.is(tuple, src, dst, ports, proto) && t.wideOf(r).is(f, tuple) {
			return r, n, tuple
		}
	}
}

// wideOf returns the high halves of a record's addresses.
func (t *Table) wideOf(r *record) *wide {
	if r.wide == 0 {
		return &narrow
	}
	return t.wides.At(r.wide)
}

// Taken reports whether a session's tuple, of whichever direction, is f: no other
// session may have it. It does not allocate.
func (t *Table) Taken(f wire.Flow, now time.Duration) bool {
	r, _, _ := t.lookup(&f, t.hash(&f))
	return r != nil && r.expires > now
}

func (t *Table) hash(f *wire.Flow) uint32 {
	return t.seed.Hash(f.Src, f.Dst, restOf(f.Proto, packPorts(f)))
}

// restOf is what the hash of a flow is of beside its addresses.
func restOf(proto wire.Proto, ports uint32) uint64 { return uint64(proto)<<32 | uint64(ports) }

// ending is a session that is about to end: where the indexes have it.
type ending struct {
	record uint32
	hash   [2]uint32
	pair   flowtable.Pair // the addresses of the second tuple
}

// look returns where the indexes have a session.
func (t *Table) look(n uint32) ending {
	r := t.records.At(n)
	w := t.wideOf(r)
	forth := t.seed.Pair(wire.AddrFromWords(w[0][0], r.addr[0][0]), wire.AddrFromWords(w[0][1], r.addr[0][1]))
	back := t.seed.Pair(wire.AddrFromWords(w[1][0], r.addr[1][0]), wire.AddrFromWords(w[1][1], r.addr[1][1]))
	return ending{n, [2]uint32{
		t.seed.HashOf(forth, restOf(r.proto[0], r.port[0])),
		t.seed.HashOf(back, restOf(r.proto[1], r.port[1])),
	}, back}
}

// Opens reports whether p may open a session: a TCP SYN, or an ACK where the table
// is not strict; an ICMP query that asks; UDP and any other protocol always; an
// ICMP message of another kind and a later fragment never.
func (t *Table) Opens(p *wire.Packet) bool {
	if p.Fragment == wire.LaterFragment {
		return false
	}
	switch opening(p.Flow.Proto, p.Flags) {
	case noState:
		return false
	case Established:
		return !t.config.Strict
	case ICMPQuery:
		return p.IsRequest()
	}
	return true
}

// Create begins a session whose opener sends original, which leaves the translator
// as translated; flags are those of the packet that opens it. It returns 0 where
// either tuple is taken, the packet can't open a session, or the table is full. It
// allocates 64 KB at a time, some 110 bytes a session, and only while the table grows.
func (t *Table) Create(original, translated wire.Flow, flags wire.TCPFlags, now time.Duration) ID {
	t.advance(now, workPerSession)
	s := opening(original.Proto, flags)
	reply := translated.Reverse()
	if s == noState || t.full(now) || !t.vacate(&original, now) || !t.vacate(&reply, now) {
		return 0
	}
	return t.insert(&original, &reply, t.hash(&original), t.hash(&reply), s, now)
}

// insert begins a session whose tuples, of these hashes, are in no record.
func (t *Table) insert(original, reply *wire.Flow, h0, h1 uint32, s State, now time.Duration) ID {
	n := t.allocate()
	r := t.records.At(n)
	var w wide
	if high := r.set(original, 0, &w); r.set(reply, 1, &w) || high {
		r.wide = t.allocateWide()
		*t.wides.At(r.wide) = w
	}
	if !t.index.Insert(h0, n<<1) {
		t.release(n)
		return 0
	}
	if !t.index.Insert(h1, n<<1|1) {
		t.index.Delete(h0, n<<1)
		t.release(n)
		return 0
	}
	t.last = max(t.last+1, now)
	r.created, r.state, r.marks = t.last, s, 0
	r.expires = now + t.timeouts[s]
	if s == Established {
		r.expires = now + min(t.timeouts[s], t.timeouts[noState])
	}
	t.n++
	t.arm(n, r.expires)
	return ID(n + 1)
}

// full reports whether there is no place for one session more.
func (t *Table) full(now time.Duration) bool {
	if t.config.Max == 0 || t.n < t.config.Max {
		return false
	}
	t.Expire(now)
	return t.n >= t.config.Max
}

// vacate reports whether tuple f is free, and ends an expired session that has it.
func (t *Table) vacate(f *wire.Flow, now time.Duration) bool {
	r, n, _ := t.lookup(f, t.hash(f))
	if r == nil {
		return true
	}
	if r.expires > now {
		return false
	}
	t.end(n, Expired)
	return true
}

// Track says what p, a packet in direction d, is to a session, moves the session's
// state and renews its life. The session must be living. A connection whose opening
// is answered by RST dies at once: it is not found any more, while its ID is good
// until the next session is created. It does not allocate.
func (t *Table) Track(id ID, d Direction, p *wire.Packet, now time.Duration) Tracking {
	n := uint32(id - 1)
	return t.track(n, t.records.At(n), d, p.Flags, now)
}

func (t *Table) track(n uint32, r *record, d Direction, flags wire.TCPFlags, now time.Duration) Tracking {
	word, timeout := Tracked, noRenewal
	switch r.state {
	case UDP:
		timeout = t.trackUDP(r, now)
	case UDPStream, ICMPQuery, Generic:
		timeout = t.timeouts[r.state]
	default:
		word, timeout = t.trackTCP(r, d, flags)
	}
	if d == Reply && word != Invalid {
		r.marks |= replied
	}
	if timeout != noRenewal {
		t.renew(n, r, now+timeout)
	}
	return word
}

// noRenewal is the timeout of a packet that leaves the session's life as it is.
const noRenewal time.Duration = -1

// udpStreamAfter is how old a UDP session must be for an answer to make it a stream
// (Linux: two seconds).
const udpStreamAfter = 2 * time.Second

func (t *Table) trackUDP(r *record, now time.Duration) time.Duration {
	if r.marks&replied != 0 && now > r.created+udpStreamAfter {
		r.state = UDPStream
		r.marks |= assured
	}
	return t.timeouts[r.state]
}

// trackTCP returns the timeout to renew with, or noRenewal.
func (t *Table) trackTCP(r *record, d Direction, flags wire.TCPFlags) (Tracking, time.Duration) {
	seg, before := segmentOf(flags), r.state
	next, word := r.reconsider(seg, d)
	if word == Tracked || word == Ignored {
		r.note(seg, d)
	}
	if word != Tracked {
		return word, noRenewal
	}
	if next == FinWait && before != FinWait {
		r.marks |= closing
	}
	r.state = next
	timeout := t.timeouts[next]
	switch {
	case r.marks&replied != 0:
		if next == Established && (before == SynReceived || before == Established) {
			r.marks |= assured
		}
	case seg == segRST:
		return Tracked, 0 // only ever answered by RST: dead at once
	case seg == segSYN && before == SynSent:
		return Tracked, noRenewal // a repeated SYN does not prolong
	case next == Established:
		timeout = min(timeout, t.timeouts[noState])
	}
	return Tracked, timeout
}

// reconsider is nextTCP with what the table of states can't know. A SYN opens a closed
// connection again only where a FIN had closed it, or its own sender's RST right
// before. A SYN and ACK that follows a SYN which was ignored shows that the two ends
// are in step and the table is not. After SYNs that crossed, either side's ACK
// completes the opening. And an ACK upon a SYN is a challenge (RFC 5961), not the
// last FIN's (Linux, nf_conntrack_tcp_packet).
func (r *record) reconsider(seg segment, d Direction) (State, Tracking) {
	next, word := nextTCP(r.state, seg, d)
	switch {
	case word == Reopening && r.marks&(closing|resetForth<<side(d)) == 0:
		return next, Ignored
	case word == Ignored && seg == segSYNACK && r.marks&openForth != 0:
		r.marks &^= closing
		return SynReceived, Tracked
	case r.state == LastAck && seg == segACK && d == Reply && r.marks&openForth != 0:
		return LastAck, Ignored
	case next == SynSent2:
		r.marks |= crossed
	case next == SynReceived && seg == segACK && r.marks&crossed != 0:
		return Established, Tracked
	case word == Ignored && seg == segSYN:
		r.marks &^= crossed
	}
	return next, word
}

// note remembers the last segment, as far as a later one asks for it.
func (r *record) note(seg segment, d Direction) {
	r.marks &^= resetForth | resetBack | openForth
	switch {
	case seg == segRST:
		r.marks |= resetForth << side(d)
	case seg == segSYN && d == Original:
		r.marks |= openForth
	}
}

// renew lets a session live until the instant expires.
func (t *Table) renew(n uint32, r *record, expires time.Duration) {
	sooner := expires < r.expires
	r.expires = expires
	if sooner {
		t.rearm(n, expires)
	}
}

// Delete ends a session. It does not allocate.
func (t *Table) Delete(id ID) { t.end(uint32(id-1), Deleted) }

// end takes a session out of everything.
func (t *Table) end(n uint32, why End) {
	e := t.look(n)
	t.take(&e, why)
}

// take is end for a session that has been looked at.
func (t *Table) take(e *ending, why End) {
	n := e.record
	switch {
	case t.owner != nil:
		t.owner.ended(t.records.At(n), e.pair, why)
	case t.config.Ended != nil:
		t.config.Ended(ID(n+1), why)
	}
	t.index.Delete(e.hash[0], n<<1)
	t.index.Delete(e.hash[1], n<<1|1)
	t.disarm(n)
	t.n--
	t.release(n)
}

// Session returns what the table knows of a session that has not ended.
func (t *Table) Session(id ID) Session {
	r := t.records.At(uint32(id - 1))
	w := t.wideOf(r)
	reply := r.tuple(1, w)
	return Session{
		Original:   r.tuple(0, w),
		Translated: reply.Reverse(),
		State:      r.state,
		Replied:    r.marks&replied != 0,
		Assured:    r.marks&assured != 0,
		Created:    r.created,
		Expires:    r.expires,
	}
}

// All returns the sessions living at an instant in the order in which they began.
// The table must not change meanwhile, except that a session may be deleted once it
// has been yielded. It allocates 16 bytes a session.
func (t *Table) All(now time.Duration) iter.Seq2[ID, Session] {
	return func(yield func(ID, Session) bool) {
		type entry struct {
			created time.Duration
			id      ID
		}
		order := make([]entry, 0, t.n)
		for n := range uint32(t.records.Len()) {
			if r := t.records.At(n); r.state != noState && r.expires > now {
				order = append(order, entry{r.created, ID(n + 1)})
			}
		}
		slices.SortFunc(order, func(a, b entry) int { return cmp.Compare(a.created, b.created) })
		for _, e := range order {
			if !yield(e.id, t.Session(e.id)) {
				return
			}
		}
	}
}

// reset ends all sessions and begins the choices anew.
func (t *Table) reset() {
	for n := range uint32(t.records.Len()) {
		if t.records.At(n).state != noState {
			t.end(n, Deleted)
		}
	}
	t.random, t.last = random{t.config.Seed}, -1
}

func (t *Table) allocate() uint32 {
	if t.free != 0 {
		n := t.free - 1
		t.free = t.links.At(n).next
		return n
	}
	t.links.Append()
	return t.records.Append()
}

func (t *Table) allocateWide() uint32 {
	if n := t.freeWide; n != 0 {
		t.freeWide = uint32(t.wides.At(n)[0][0])
		return n
	}
	return t.wides.Append()
}

// release gives back the memory of a record, which is in no slot of the wheel, and of
// its high halves.
func (t *Table) release(n uint32) {
	r := t.records.At(n)
	if r.wide != 0 {
		t.wides.At(r.wide)[0][0] = uint64(t.freeWide)
		t.freeWide = r.wide
	}
	*r = record{}
	t.links.At(n).next = t.free
	t.free = n + 1
}
