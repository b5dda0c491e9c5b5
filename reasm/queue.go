package reasm

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// How long a datagram may stay in pieces, from its first fragment on.
const (
	// Timeout4 is Linux's net.ipv4.ipfrag_time.
	Timeout4 = 30 * time.Second
	// Timeout6 is that of RFC 8200 section 4.5, and Linux's ip6frag_time.
	Timeout6 = 60 * time.Second
)

// MaxBytes is how many bytes of fragments one Queue keeps (Linux's ipfrag_high_thresh,
// 4 MiB; Linux counts its buffers' overhead too).
const MaxBytes = 4 << 20

// Result says what became of a fragment. The zero Result is none.
type Result uint8

// The results.
const (
	_ Result = iota
	// Kept: the fragment waits for the others.
	Kept
	// Complete: it was the last one missing.
	Complete
	// Repeated: its bytes were there already; it was left out.
	Repeated
	// Refused: it lies over others, contradicts the datagram's length or is empty.
	// All that had come of its datagram is gone too.
	Refused
	// Full: there is no room for another datagram.
	Full
)

// String returns the result in words.
func (r Result) String() string {
	switch r {
	case Kept:
		return "kept"
	case Complete:
		return "complete"
	case Repeated:
		return "repeated"
	case Refused:
		return "refused"
	case Full:
		return "full"
	}
	return "no result"
}

// Datagram is what was put together.
type Datagram struct {
	// Bytes are the packet's from its IP header on, without a trace of fragments.
	// They are the receiver's.
	Bytes []byte
	// Cut is how it came, for who sends it on.
	Cut
}

// Queue keeps datagrams in pieces. The zero Queue is empty and ready. It belongs to
// one host, which Linux keeps one for (and one more for its connection tracking of IPv6).
type Queue struct {
	partial map[wire.FragmentKey]*partial
	oldest  []*partial // all of partial, in the order of their first fragment
	bytes   int
}

// partial is a datagram of which pieces are missing.
type partial struct {
	key      wire.FragmentKey
	deadline time.Duration
	pieces   []piece // by offset, none over another
	length   int     // of the payload, as far as is known
	last     bool    // the last fragment is there, so length is final
	have     int     // bytes of payload that are there
	maxSize  int     // of a fragment with its header
	maxDF    int     // of a fragment that had DF
	runs     int
}

// piece is a fragment: its packet's bytes, where its payload begins in them and in
// the datagram, and the run of pieces, each behind the other, that it came in.
type piece struct {
	packet  []byte
	header  int // length of the IP header, the fragment header left out
	unit    int // where in packet the payload begins
	offset  int
	run     int
	nextFix int // IPv6: where the number of the next header stands
}

func (p *piece) payload() []byte { return p.packet[p.unit:] }
func (p *piece) end() int        { return p.offset + len(p.packet) - p.unit }

// Len returns how many datagrams are in pieces.
func (q *Queue) Len() int { return len(q.partial) }

// Add takes a fragment that arrived at now, and returns the datagram where it was
// complete with it. The bytes of p are copied. p must be a fragment: it panics where
// p is whole. now must not go back.
//
// What is overdue at now is given up before, silently; a host that owes its senders
// an ICMP time exceeded calls [Queue.Expire] at [Queue.Deadline].
func (q *Queue) Add(p *wire.Packet, now time.Duration) (Datagram, Result) {
	if p.Fragment == wire.Whole {
		panic("reasm: Add of a packet that is no fragment")
	}
	q.Expire(now, nil)
	f, k := readFragment(p)
	d := q.partial[k]
	if d == nil {
		if q.bytes >= MaxBytes {
			return Datagram{}, Full
		}
		d = q.begin(k, now, p.Is4())
	}
	size := len(f.packet)
	switch r := d.add(f, p.MoreFragments()); r {
	case Kept:
	case Refused:
		q.drop(d)
		return Datagram{}, r
	default:
		return Datagram{}, r
	}
	q.bytes += size
	d.maxSize = max(d.maxSize, size)
	if p.Is4() && p.DontFragment() {
		d.maxDF = max(d.maxDF, size)
	}
	if !d.last || d.have != d.length {
		return Datagram{}, Kept
	}
	q.drop(d)
	return d.assemble()
}

func (q *Queue) begin(k wire.FragmentKey, now time.Duration, is4 bool) *partial {
	if q.partial == nil {
		q.partial = make(map[wire.FragmentKey]*partial)
	}
	timeout := Timeout6
	if is4 {
		timeout = Timeout4
	}
	d := &partial{key: k, deadline: now + timeout}
	q.partial[k] = d
	at, _ := slices.BinarySearchFunc(q.oldest, d.deadline+1, func(d *partial, t time.Duration) int {
		return int(min(max(d.deadline-t, -1), 1))
	})
	q.oldest = slices.Insert(q.oldest, at, d)
	return d
}

func (q *Queue) drop(d *partial) {
	delete(q.partial, d.key)
	q.oldest = slices.DeleteFunc(q.oldest, func(e *partial) bool { return e == d })
	for _, p := range d.pieces {
		q.bytes -= len(p.packet)
	}
}

// Deadline returns the instant at which the next datagram is given up, and false
// where nothing is in pieces.
func (q *Queue) Deadline() (time.Duration, bool) {
	if len(q.oldest) == 0 {
		return 0, false
	}
	return q.oldest[0].deadline, true
}

// Expire gives up what is not complete at now, oldest first. For each datagram whose
// first fragment had come, it calls tell, if not nil, with that fragment's packet: the
// one that an ICMP "fragment reassembly time exceeded" quotes (RFC 792, RFC 4443).
func (q *Queue) Expire(now time.Duration, tell func(first []byte)) {
	for len(q.oldest) > 0 && q.oldest[0].deadline <= now {
		d := q.oldest[0]
		q.drop(d)
		if tell != nil && len(d.pieces) > 0 && d.pieces[0].offset == 0 {
			tell(d.pieces[0].packet)
		}
	}
}

// readFragment reads out of p what reassembly needs, its bytes copied.
func readFragment(p *wire.Packet) (f piece, k wire.FragmentKey) {
	k, _ = p.FragmentKey()
	f.packet, f.offset = slices.Clone(p.Bytes()), p.FragmentOffset()
	if p.Is4() {
		f.header = wire.IPv4(f.packet).HeaderLen()
		f.unit = f.header
		return f, k
	}
	f.header, f.nextFix = fragmentHeader(f.packet)
	f.unit = f.header + 8
	return f, k
}

// fragmentHeader returns where in an IPv6 packet the fragment header stands, and
// where the number that names it. wire.Packet has walked the headers before.
func fragmentHeader(b []byte) (at, fix int) {
	at, fix = wire.IPv6Len, 6
	for b[fix] != nextFragment {
		n := (int(b[at+1]) + 1) * 8
		if b[fix] == nextAuth {
			n = (int(b[at+1]) + 2) * 4
		}
		at, fix = at+n, at
	}
	return at, fix
}

// Numbers of IPv6 extension headers (IANA).
const (
	nextFragment = 44
	nextAuth     = 51
)

// add puts a piece in its place.
func (d *partial) add(f piece, more bool) Result {
	end := f.end()
	switch {
	case end == f.offset,
		!more && (end < d.length || d.last && end != d.length),
		more && end > d.length && d.last:
		return Refused
	}
	at, r := d.place(&f)
	if r != Kept {
		return r
	}
	d.length = max(d.length, end)
	d.last = d.last || !more
	d.have += end - f.offset
	d.pieces = slices.Insert(d.pieces, at, f)
	return Kept
}

// place finds where a piece goes. A run is what came in order, piece upon piece: a
// piece within one run is repeated, one over a run's edge is an overlap (Linux,
// inet_frag_queue_insert).
func (d *partial) place(f *piece) (at int, r Result) {
	end := f.end()
	at, _ = slices.BinarySearchFunc(d.pieces, f.offset, func(p piece, offset int) int { return p.offset - offset })
	lo, hi := at, at
	for lo > 0 && d.pieces[lo-1].end() > f.offset {
		lo--
	}
	for hi < len(d.pieces) && d.pieces[hi].offset < end {
		hi++
	}
	if lo < hi {
		return 0, d.overlap(f, d.pieces[lo:hi])
	}
	if n := len(d.pieces); at == n && n > 0 && d.pieces[n-1].end() == f.offset {
		f.run = d.pieces[n-1].run
	} else {
		d.runs++
		f.run = d.runs
	}
	return at, Kept
}

// overlap says whether a piece that lies over others is a repetition.
func (d *partial) overlap(f *piece, over []piece) Result {
	first, last := over[0], over[len(over)-1]
	if first.run == last.run && f.offset >= first.offset && f.end() <= last.end() {
		return Repeated
	}
	return Refused
}

// assemble puts the pieces, which leave no gap, into one packet.
func (d *partial) assemble() (Datagram, Result) {
	first := d.pieces[0]
	if first.header+d.length > 65535+wire.IPv6Len || first.nextFix == 0 && first.header+d.length > 65535 {
		return Datagram{}, Refused
	}
	g := Datagram{make([]byte, 0, first.header+d.length), Cut{Largest: d.maxSize, ID: d.key.ID}}
	g.Bytes = append(g.Bytes, first.packet[:first.header]...)
	for _, p := range d.pieces {
		g.Bytes = append(g.Bytes, p.payload()...)
		g.Sizes = append(g.Sizes, len(p.payload()))
	}
	if first.nextFix != 0 {
		g.Bytes[first.nextFix] = first.packet[first.header]
		binary.BigEndian.PutUint16(g.Bytes[4:], uint16(len(g.Bytes)-wire.IPv6Len))
		return g, Complete
	}
	flags := uint16(0)
	if d.maxDF == d.maxSize {
		flags = 0x4000
	}
	binary.BigEndian.PutUint16(g.Bytes[2:], uint16(len(g.Bytes)))
	binary.BigEndian.PutUint16(g.Bytes[6:], flags)
	seal(g.Bytes[:first.header])
	return g, Complete
}

// seal writes the checksum of an IPv4 header.
func seal(h []byte) {
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], wire.Checksum(h))
}
