package dataplane

import (
	"math"
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// flowCache holds what became of packets of known flows on the nodes that said that they
// are Fixed, as the flow caches of routers do (Open vSwitch's exact match cache, Linux's
// nf_flowtable): a packet for which that still holds passes them all in one step. It
// decides nothing: what is in it was walked, and is walked again wherever there is doubt.
//
// Of a flow it holds 32 bytes without a pointer; what many flows have in common, their
// course, it holds once. The zero flowCache is empty and ready, and takes no memory.
type flowCache struct {
	buckets flowtable.Directory[bucket]
	seed    flowtable.Seed
	courses []course
	numbers map[course]uint32 // of courses, base included
	base    uint32            // the first course's number; what is below is void
	refused int               // courses for which there was no room
	flow    wire.Flow         // that is followed; here, so that it is not on the heap anew
	found   knownFlow         // by an Indexed node
	unseen  uint64            // packets for which nodes were not asked
}

const (
	places     = 128     // of a bucket of 4 KB
	window     = 16      // a flow is in one of so many places, the first of them by its hash
	maxBuckets = 1 << 16 // 256 MB
	maxCourses = 1 << 14 // some 10 MB
	maxRefused = 1 << 20 // then all are forgotten, for other courses may be in use by now
	maxStates  = 3       // that one packet may need
)

type bucket [places]knownFlow

// knownFlow is what is known of an IPv4 flow: its ends as it comes, and its ports as it
// goes on, its course, and its numbers in the states of that.
type knownFlow struct {
	ends
	course  uint32 // 0: the place is free
	toPorts uint32
	number  [maxStates]uint32
}

// ends are the addresses and ports of an IPv4 flow. They are read and written word by word:
// a processor waits where it reads at once what it has just written in parts.
type ends struct{ src, dst, ports uint32 }

func endsOf(f *wire.Flow) ends { return ends{f.Src.V4(), f.Dst.V4(), pack(f.SrcPort, f.DstPort)} }

// setFlow sets the flow that is followed.
func (k *flowCache) setFlow(x ends, proto wire.Proto) {
	f := &k.flow
	f.Src, f.Dst = wire.AddrFromV4(x.src), wire.AddrFromV4(x.dst)
	f.SrcPort, f.DstPort, f.Proto = uint16(x.ports>>16), uint16(x.ports), proto
}

// course is what packets of many flows meet, from a node on.
type course struct {
	entry  Node
	proto  wire.Proto
	nodes  int   // that are passed
	hops   uint8 // that are taken from the TTL
	mtu    int   // packets may have so many bytes
	states [maxStates]FlowState
	edits  [maxStates + 1]edit // what nodes do before each of the states, and behind the last
	src    uint32              // the flow's source as it goes on, 0 where that is as it came
	dst    uint32              // and its destination
	port   end                 // whose port changes, where that is told in a Memo
	after  Context             // as the last node left it; node is the next one, or guest gets the packet
}

// end is one of the two ends of a flow, or none.
type end uint8

const (
	source end = iota + 1
	destination
)

// edit is an address in the place of another, for source and destination; the zero edit
// leaves them alone.
type edit struct{ src, srcTo, dst, dstTo uint32 }

func pack(src, dst uint16) uint32 { return uint32(src)<<16 | uint32(dst) }

// apply edits a flow. It reports false where that is not what is to be edited.
func (d *edit) apply(f *wire.Flow) bool {
	if *d == (edit{}) {
		return true
	}
	if d.src != d.srcTo {
		if f.Src.V4() != d.src {
			return false
		}
		f.Src = wire.AddrFromV4(d.srcTo)
	}
	if d.dst != d.dstTo {
		if f.Dst.V4() != d.dst {
			return false
		}
		f.Dst = wire.AddrFromV4(d.dstTo)
	}
	return true
}

// editOf returns the edit that makes one flow of another; false where there is none.
func editOf(from, to ends) (d edit, ok bool) {
	if from.src != to.src {
		d.src, d.srcTo = from.src, to.src
	}
	if from.dst != to.dst {
		d.dst, d.dstTo = from.dst, to.dst
	}
	return d, from.ports == to.ports
}

// follow has k.flow, which comes with these flags, go the course. It reports whether it
// comes out as it is known to, all states holding; so many do already.
func (k *flowCache) follow(r *knownFlow, w *course, held int, flags wire.TCPFlags, now time.Duration) bool {
	f, src, dst := &k.flow, r.src, r.dst
	for i, s := range w.states {
		if !w.edits[i].apply(f) {
			return false
		}
		if s == nil {
			break
		}
		if i >= held && !s.Holds(r.number[i], f, flags, now) {
			return false
		}
	}
	if w.states[maxStates-1] != nil && !w.edits[maxStates].apply(f) {
		return false
	}
	if w.src != 0 {
		src = w.src
	}
	if w.dst != 0 {
		dst = w.dst
	}
	return f.Src.V4() == src && f.Dst.V4() == dst && pack(f.SrcPort, f.DstPort) == r.toPorts
}

func (k *flowCache) hash(f *wire.Flow) uint32 {
	return k.hashOf(f.Src, f.Dst, pack(f.SrcPort, f.DstPort), f.Proto)
}

func (k *flowCache) hashOf(src, dst wire.Addr, ports uint32, proto wire.Proto) uint32 {
	return k.seed.Hash(src, dst, uint64(ports)<<8|uint64(proto))
}

// courseOf returns a known flow's course, nil where that is void.
func (k *flowCache) courseOf(r *knownFlow) *course {
	if n := r.course - k.base; n < uint32(len(k.courses)) {
		return &k.courses[n]
	}
	return nil
}

// load loads the place at which find begins, and returns something that depends on it.
func (k *flowCache) load(h uint32) uint64 {
	if b := k.buckets.At(h); b != nil {
		return uint64(b[h%places].course)
	}
	return 0
}

// find returns what is known of flow f, of this hash, from node at on; nil is nothing.
func (k *flowCache) find(at Node, f *wire.Flow, h uint32) (*knownFlow, *course) {
	b := k.buckets.At(h)
	if b == nil {
		return nil, nil
	}
	x := endsOf(f)
	for i := range uint32(window) {
		r := &b[(h+i)%places]
		if r.course == 0 {
			break
		}
		if r.ends == x {
			if w := k.courseOf(r); w != nil && w.proto == f.Proto && w.entry == at {
				return r, w
			}
		}
	}
	return nil, nil
}

// unknown is in the place of a number of states where a flow is not even to be recorded:
// it is new.
const unknown = -1

// lookUp returns what is known of k.flow from node at on, and how many of the course's
// states hold; the course is nil where nothing is known.
func (k *flowCache) lookUp(at Node, flags wire.TCPFlags, l *flight, now time.Duration) (*knownFlow, *course, int) {
	f := &k.flow
	if x, ok := at.(Indexed); ok {
		if number, memo, ok := x.Find(l.engine, f, flags, now); ok {
			if memo == nil {
				return nil, nil, unknown
			}
			return k.open(at, number, memo)
		}
	}
	if l.hash == 0 {
		l.hash = k.hash(f)
	}
	r, w := k.find(at, f, l.hash)
	return r, w, 0
}

// open returns what the memo says of k.flow, which has the number in the node's table.
func (k *flowCache) open(at Node, number uint32, memo *flowtable.Memo) (*knownFlow, *course, int) {
	f, r := &k.flow, &k.found
	r.ends = endsOf(f)
	var port uint16
	r.course, r.number[1], port = memo.Get()
	r.number[0] = number
	w := k.courseOf(r)
	if w == nil || w.entry != at || w.proto != f.Proto {
		return nil, nil, 0
	}
	switch w.port {
	case source:
		r.toPorts = pack(port, f.DstPort)
	case destination:
		r.toPorts = pack(f.SrcPort, port)
	default:
		r.toPorts = r.ports
	}
	return r, w, 1
}

// keep keeps what is known of k.flow, which has a record in so many states: where the
// first node has its own, there, as far as there is room.
func (k *flowCache) keep(r *knownFlow, w *course, states int, e *Engine) {
	now := e.ctx.Now
	f := &k.flow
	x, ok := w.entry.(Indexed)
	var number uint32
	var memo *flowtable.Memo
	if ok {
		number, memo, ok = x.Find(e, f, 0, now)
	}
	port := uint16(0)
	switch from, to := r.ports, r.toPorts; {
	case !ok || from == to:
	case uint16(from) == uint16(to):
		w.port, port = source, uint16(to>>16)
	case from>>16 == to>>16:
		w.port, port = destination, uint16(to)
	default:
		return
	}
	if ok && (memo == nil || states > 2 || r.number[0] != number) {
		return
	}
	n, room := k.number(w)
	switch {
	case !room:
	case ok:
		memo.Set(n, r.number[1], port)
	default:
		r.course = n
		k.add(r, k.hash(f), now)
	}
}

// number returns a course's number, and false where there is no room for it.
func (k *flowCache) number(w *course) (n uint32, ok bool) {
	if n, ok = k.numbers[*w]; ok {
		return n, true
	}
	if len(k.courses) == maxCourses || k.base > math.MaxUint32-maxCourses { // or all numbers are used up
		if k.refused++; k.refused == maxRefused {
			k.clear()
		}
		return 0, false
	}
	if k.numbers == nil {
		k.numbers = map[course]uint32{}
	}
	n = k.base + uint32(len(k.courses))
	k.courses = append(k.courses, *w)
	k.numbers[*w] = n
	return n, true
}

// clear makes all courses void. The places of their flows are there for others.
func (k *flowCache) clear() {
	k.base += uint32(len(k.courses))
	k.courses, k.numbers, k.refused = nil, nil, 0
}

// add puts r into the place of its flow's hash, a free one or that of a flow which is over.
func (k *flowCache) add(r *knownFlow, h uint32, now time.Duration) {
	k.buckets.Begin()
	for {
		b := k.buckets.At(h)
		for i := range uint32(window) {
			if old := &b[(h+i)%places]; old.course == 0 || k.over(old, now) {
				*old = *r
				return
			}
		}
		if k.buckets.Len() == maxBuckets || !k.split(h) {
			b[h%places] = *r
			return
		}
	}
}

// over reports whether what is known of a flow is void.
func (k *flowCache) over(r *knownFlow, now time.Duration) bool {
	w := k.courseOf(r)
	if w == nil {
		return true
	}
	k.setFlow(r.ends, w.proto)
	return !k.follow(r, w, 0, 0, now)
}

// split parts the bucket of a hash in two, where it can. A flow that finds no place then
// is dropped.
func (k *flowCache) split(h uint32) bool {
	n := k.buckets.Find(h)
	twin, bit, ok := k.buckets.Split(n, h)
	if !ok {
		return false
	}
	old := *k.buckets.Bucket(n)
	*k.buckets.Bucket(n) = bucket{}
	for i := range old {
		r := &old[i]
		w := k.courseOf(r)
		if w == nil {
			continue
		}
		h, to := k.hashOf(wire.AddrFromV4(r.src), wire.AddrFromV4(r.dst), r.ports, w.proto), n
		if h&bit != 0 {
			to = twin
		}
		k.buckets.Bucket(to).put(r, h)
	}
	return true
}

// put puts r into a free place of its window.
func (b *bucket) put(r *knownFlow, h uint32) {
	for i := range uint32(window) {
		if free := &b[(h+i)%places]; free.course == 0 {
			*free = *r
			return
		}
	}
}
