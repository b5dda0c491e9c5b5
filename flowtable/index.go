package flowtable

import "math/bits"

const (
	lines = 64                    // of a bucket; a power of two
	slots = 7                     // of a line
	full  = lines * slots * 6 / 7 // a bucket with so many records is split
)

// line is seven records and what tells of them, in one cache line: a lookup compares
// seven tags at once, and what it does not find costs no branch that could go either way.
type line struct {
	// tags has a byte for each slot, seven bits of the hash behind a bit that says that the
	// slot is taken. Its top byte counts the records that belong here and in lines before
	// and stand in lines behind, since there was no slot for them.
	tags uint64
	slot [slots]uint64 // hash<<32 | record number
}

const (
	taken  = 0x0080_8080_8080_8080 // the bit of each slot
	lowest = 0x0001_0101_0101_0101
	passed = 1 << 56 // one record that stands behind
	most   = 255     // of those
)

func tagOf(h uint32) uint64 { return uint64(h/lines%128 | 128) }

// match marks, in the bits of taken, every slot whose tag is h's and few others: one in
// 128, and now and then what stands above one of them.
func (l *line) match(h uint32) uint64 {
	x := l.tags ^ tagOf(h)*lowest
	return (x - lowest) &^ x & taken
}

// bucket is a table of lines with linear probing.
type bucket [lines]line

// Index finds the numbers of records by hash. Different records may have the same
// hash: whoever looks up compares the records. The zero Index is empty and ready.
type Index struct {
	buckets Directory[bucket]
	n       int
}

// Len returns how many records the index holds.
func (x *Index) Len() int { return x.n }

// Probe walks the records that have one hash. It is valid until the index changes.
type Probe struct {
	b    *bucket
	left uint64 // slots of the present line that are to be looked at
	hash uint32
	at   uint32 // the line, modulo lines
}

// Probe returns a walk over the records with hash h. It does not allocate.
func (x *Index) Probe(h uint32) Probe {
	p := Probe{b: x.buckets.At(h), hash: h, at: h}
	if p.b != nil {
		p.left = p.b[h%lines].match(h)
	}
	return p
}

// Touch loads the line at which a walk over the records with hash h begins, and returns
// something of it. It does not allocate.
func (x *Index) Touch(h uint32) uint64 {
	if b := x.buckets.At(h); b != nil {
		return b[h%lines].tags
	}
	return 0
}

// Next returns the next record number; ok is false at the end. It does not allocate.
func (p *Probe) Next() (rec uint32, ok bool) {
	for p.b != nil {
		l := &p.b[p.at%lines]
		for p.left != 0 {
			i := bits.TrailingZeros64(p.left) / 8 % 8
			p.left &= p.left - 1
			if s := l.slot[i]; uint32(s>>32) == p.hash {
				return uint32(s), true
			}
		}
		p.at++
		if l.tags < passed || p.at-p.hash == lines {
			p.b = nil
			break
		}
		p.left = p.b[p.at%lines].match(p.hash)
	}
	return 0, false
}

// Insert adds a record number under a hash; the caller has made sure that it is
// not there yet. It reports false, and adds nothing, where hundreds of records
// have hashes so alike that splitting does not part them: with a seed nobody knows
// that does not happen. It allocates 64 KB about once in 4,300 records, and copies
// 32 KB at most.
func (x *Index) Insert(h, rec uint32) bool {
	x.buckets.Begin()
	n := x.buckets.Find(h)
	for *x.buckets.Used(n) >= full && x.split(n, h) {
		n = x.buckets.Find(h)
	}
	for !x.add(n, h, rec) {
		if !x.split(n, h) {
			return false
		}
		n = x.buckets.Find(h)
	}
	x.n++
	return true
}

// add puts a record into the bucket n, and reports false where there is no place for it.
func (x *Index) add(n, h, rec uint32) bool {
	b := x.buckets.Bucket(n)
	if l := &b[h%lines]; l.tags&taken != taken {
		l.put(h, rec)
	} else if !b.putBehind(h, rec) {
		return false
	}
	*x.buckets.Used(n)++
	return true
}

// put takes a free slot, of which there must be one.
func (l *line) put(h, rec uint32) {
	i := bits.TrailingZeros64(^l.tags&taken) &^ 7
	l.tags |= tagOf(h) << i
	l.slot[i/8] = uint64(h)<<32 | uint64(rec)
}

// putBehind takes a slot in the lines behind that of h, which is full.
func (b *bucket) putBehind(h, rec uint32) bool {
	for at := h; at-h < lines; at++ {
		l := &b[at%lines]
		if l.tags&taken != taken {
			l.put(h, rec)
			b.pass(h, at, passed)
			return true
		}
		if l.tags/passed == most {
			break
		}
	}
	return false
}

// pass counts a record of hash h that stands in the line at: by passed, or by its negative
// where it is taken out.
func (b *bucket) pass(h, at uint32, by uint64) {
	for ; h != at; h++ {
		b[h%lines].tags += by
	}
}

// split parts the bucket n of h in two by the next bit of the hash, where it can.
func (x *Index) split(n, h uint32) bool {
	twin, bit, ok := x.buckets.Split(n, h)
	if !ok {
		return false
	}
	old := *x.buckets.Bucket(n)
	*x.buckets.Bucket(n), *x.buckets.Used(n) = bucket{}, 0
	for i := range old {
		l := &old[i]
		for left := l.tags & taken; left != 0; left &= left - 1 {
			s, to := l.slot[bits.TrailingZeros64(left)/8%8], n
			if uint32(s>>32)&bit != 0 {
				to = twin
			}
			x.add(to, uint32(s>>32), uint32(s)) // there is room: fewer pass a line than did
		}
	}
	return true
}

// Delete takes a record number out from under its hash. It reports whether it was
// there. It does not allocate.
func (x *Index) Delete(h, rec uint32) bool {
	b := x.buckets.At(h)
	if b == nil {
		return false
	}
	want := uint64(h)<<32 | uint64(rec)
	for at := h; at-h < lines; at++ {
		l := &b[at%lines]
		for left := l.match(h); left != 0; left &= left - 1 {
			i := bits.TrailingZeros64(left) &^ 7
			if l.slot[i/8%8] != want {
				continue
			}
			l.tags &^= 255 << i
			if at != h {
				b.pass(h, at, -passed&(1<<64-1))
			}
			*x.buckets.Used(x.buckets.Find(h))--
			x.n--
			return true
		}
		if l.tags < passed {
			return false
		}
	}
	return false
}
