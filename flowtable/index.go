package flowtable

const (
	slots = 512           // of a bucket; a power of two
	full  = slots * 3 / 4 // a bucket with so many records is split
)

// bucket is an open-addressing table with linear probing. A slot holds the hash
// in its upper half and the record number plus one in its lower; 0 is free.
type bucket [slots]uint64

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
	hash uint32
	at   uint32
}

// Probe returns a walk over the records with hash h. It does not allocate.
func (x *Index) Probe(h uint32) Probe { return Probe{b: x.buckets.At(h), hash: h, at: h} }

// Touch loads the slot at which a walk over the records with hash h begins, and returns
// it. It does not allocate.
func (x *Index) Touch(h uint32) uint64 {
	if b := x.buckets.At(h); b != nil {
		return b[h%slots]
	}
	return 0
}

// Next returns the next record number; ok is false at the end. It does not allocate.
func (p *Probe) Next() (rec uint32, ok bool) {
	if p.b == nil {
		return 0, false
	}
	for {
		s := p.b[p.at%slots]
		p.at++
		if uint32(s>>32) == p.hash && s != 0 {
			return uint32(s) - 1, true
		}
		if s == 0 {
			return 0, false
		}
	}
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
	if *x.buckets.Used(n) == slots-1 { // one slot stays free: it ends every probe
		return false
	}
	x.add(n, uint64(h)<<32|uint64(rec+1))
	x.n++
	return true
}

func (x *Index) add(n uint32, s uint64) {
	b, i := x.buckets.Bucket(n), uint32(s>>32)
	for b[i%slots] != 0 {
		i++
	}
	b[i%slots] = s
	*x.buckets.Used(n)++
}

// split parts the bucket n of h in two by the next bit of the hash, where it can.
func (x *Index) split(n, h uint32) bool {
	twin, bit, ok := x.buckets.Split(n, h)
	if !ok {
		return false
	}
	old := *x.buckets.Bucket(n)
	*x.buckets.Bucket(n), *x.buckets.Used(n) = bucket{}, 0
	for _, s := range old {
		switch {
		case s == 0:
		case uint32(s>>32)&bit != 0:
			x.add(twin, s)
		default:
			x.add(n, s)
		}
	}
	return true
}

// Delete takes a record number out from under its hash. It reports whether it was
// there. It does not allocate.
func (x *Index) Delete(h, rec uint32) bool {
	if x.n == 0 {
		return false
	}
	n, want := x.buckets.Find(h), uint64(h)<<32|uint64(rec+1)
	b := x.buckets.Bucket(n)
	for i := h; ; i++ {
		switch b[i%slots] {
		case 0:
			return false
		case want:
			b.remove(i % slots)
			*x.buckets.Used(n)--
			x.n--
			return true
		}
	}
}

// remove frees slot i and moves up those behind it that probed past it, so that
// no probe ends too early and no slot is lost to a tombstone.
func (b *bucket) remove(i uint32) {
	for j := (i + 1) % slots; b[j] != 0; j = (j + 1) % slots {
		home := uint32(b[j]>>32) % slots
		if (j-home)%slots >= (j-i)%slots {
			b[i] = b[j]
			i = j
		}
	}
	b[i] = 0
}
