package flowtable

const (
	slots = 512           // of a bucket; a power of two
	full  = slots * 3 / 4 // a bucket with so many records is split

	// maxDepth bounds the directory at 1,048,576 buckets, 400 million records. It
	// also ends the splitting of a bucket whose hashes are all alike.
	maxDepth = 20
)

// bucket is an open-addressing table with linear probing. A slot holds the hash
// in its upper half and the record number plus one in its lower; 0 is free.
type bucket struct {
	slot  [slots]uint64
	used  uint16
	depth uint8 // how many top bits of the hash its records share
}

// Index finds the numbers of records by hash. Different records may have the same
// hash: whoever looks up compares the records. The zero Index is empty and ready.
// It is extendible hashing (Fagin, Nievergelt, Pippenger, Strong 1979): growing
// splits one bucket at a time.
type Index struct {
	dir   []*bucket // by the top bits of the hash
	shift uint8     // 32 - depth of the directory
	n     int
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
func (x *Index) Probe(h uint32) Probe {
	if len(x.dir) == 0 {
		return Probe{}
	}
	return Probe{b: x.bucketOf(h), hash: h, at: h}
}

// Next returns the next record number; ok is false at the end. It does not allocate.
func (p *Probe) Next() (rec uint32, ok bool) {
	if p.b == nil {
		return 0, false
	}
	for {
		s := p.b.slot[p.at%slots]
		p.at++
		if uint32(s>>32) == p.hash && s != 0 {
			return uint32(s) - 1, true
		}
		if s == 0 {
			return 0, false
		}
	}
}

func (x *Index) bucketOf(h uint32) *bucket { return x.dir[uint64(h)>>(x.shift&63)] }

// Insert adds a record number under a hash; the caller has made sure that it is
// not there yet. It reports false, and adds nothing, where hundreds of records
// have hashes so alike that splitting does not part them: with a seed nobody knows
// that does not happen. It allocates 4.75 KB about once in 270 records.
func (x *Index) Insert(h, rec uint32) bool {
	if x.dir == nil {
		x.dir, x.shift = []*bucket{{}}, 32
	}
	b := x.bucketOf(h)
	for b.used >= full && b.depth < maxDepth {
		x.split(b, h)
		b = x.bucketOf(h)
	}
	if b.used == slots-1 { // one slot stays free: it ends every probe
		return false
	}
	b.add(uint64(h)<<32 | uint64(rec+1))
	x.n++
	return true
}

func (b *bucket) add(s uint64) {
	i := uint32(s >> 32)
	for b.slot[i%slots] != 0 {
		i++
	}
	b.slot[i%slots] = s
	b.used++
}

// split parts the bucket of h in two by the next bit of the hash.
func (x *Index) split(b *bucket, h uint32) {
	if b.depth == 32-x.shift {
		x.double()
	}
	old := b.slot
	twin := &bucket{depth: b.depth + 1}
	*b = bucket{depth: b.depth + 1}
	bit := uint64(1) << (64 - b.depth)
	for _, s := range old {
		switch {
		case s == 0:
		case s&bit != 0:
			twin.add(s)
		default:
			b.add(s)
		}
	}
	// The directory entries of b stand together; the upper half are the twin's.
	n := 1 << (32 - x.shift - b.depth)
	first := int(uint64(h)>>(32-b.depth)|1) * n
	for i := range n {
		x.dir[first+i] = twin
	}
}

func (x *Index) double() {
	dir := make([]*bucket, 2*len(x.dir))
	for i, b := range x.dir {
		dir[2*i], dir[2*i+1] = b, b
	}
	x.dir = dir
	x.shift--
}

// Delete takes a record number out from under its hash. It reports whether it was
// there. It does not allocate.
func (x *Index) Delete(h, rec uint32) bool {
	if x.dir == nil {
		return false
	}
	b, want := x.bucketOf(h), uint64(h)<<32|uint64(rec+1)
	for i := h; ; i++ {
		switch b.slot[i%slots] {
		case 0:
			return false
		case want:
			b.remove(i % slots)
			x.n--
			return true
		}
	}
}

// remove frees slot i and moves up those behind it that probed past it, so that
// no probe ends too early and no slot is lost to a tombstone.
func (b *bucket) remove(i uint32) {
	for j := (i + 1) % slots; b.slot[j] != 0; j = (j + 1) % slots {
		home := uint32(b.slot[j]>>32) % slots
		if (j-home)%slots >= (j-i)%slots {
			b.slot[i] = b.slot[j]
			i = j
		}
	}
	b.slot[i] = 0
	b.used--
}
