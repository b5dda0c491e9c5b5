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
type bucket [slots]uint64

// load is what is known of a bucket beside its slots.
type load struct {
	used  uint16
	depth uint8 // how many top bits of the hash its records share
}

// block is how many buckets are allocated together, 64 KB: the garbage collector's
// sweep costs by the piece. The first block begins with one and doubles.
const block = 16

// Index finds the numbers of records by hash. Different records may have the same
// hash: whoever looks up compares the records. The zero Index is empty and ready.
// It is extendible hashing (Fagin, Nievergelt, Pippenger, Strong 1979): growing
// splits one bucket at a time.
type Index struct {
	dir    []entry    // buckets, by the top bits of the hash
	blocks [][]bucket // by number
	loads  []load     // by number
	shift  uint8      // 32 - depth of the directory
	n      int
}

// entry is a bucket: where it is, for who looks up, and its number, for who changes it.
type entry struct {
	b *bucket
	n uint32
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
	return Probe{b: x.dir[uint64(h)>>(x.shift&63)].b, hash: h, at: h}
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

// find returns the number of the bucket that records with hash h are in.
func (x *Index) find(h uint32) uint32 { return x.dir[uint64(h)>>(x.shift&63)].n }

func (x *Index) bucket(n uint32) *bucket { return &x.blocks[n/block][n%block] }

// Insert adds a record number under a hash; the caller has made sure that it is
// not there yet. It reports false, and adds nothing, where hundreds of records
// have hashes so alike that splitting does not part them: with a seed nobody knows
// that does not happen. It allocates 64 KB about once in 4,300 records, and copies
// 32 KB at most.
func (x *Index) Insert(h, rec uint32) bool {
	if x.dir == nil {
		n := x.append(0)
		x.dir, x.shift = []entry{{x.bucket(n), n}}, 32
	}
	n := x.find(h)
	for x.loads[n].used >= full && x.loads[n].depth < maxDepth {
		x.split(n, h)
		n = x.find(h)
	}
	if x.loads[n].used == slots-1 { // one slot stays free: it ends every probe
		return false
	}
	x.add(n, uint64(h)<<32|uint64(rec+1))
	x.n++
	return true
}

// append makes one bucket more and returns its number.
func (x *Index) append(depth uint8) uint32 {
	n := len(x.loads)
	switch {
	case n%block == 0:
		size := block
		if n == 0 {
			size = 1
		}
		x.blocks = append(x.blocks, make([]bucket, size))
	case n == len(x.blocks[0]):
		grown := make([]bucket, 2*n)
		copy(grown, x.blocks[0])
		x.blocks[0] = grown
		for i := range x.dir {
			x.dir[i].b = x.bucket(x.dir[i].n)
		}
	}
	x.loads = append(x.loads, load{depth: depth})
	return uint32(n)
}

func (x *Index) add(n uint32, s uint64) {
	b, i := x.bucket(n), uint32(s>>32)
	for b[i%slots] != 0 {
		i++
	}
	b[i%slots] = s
	x.loads[n].used++
}

// split parts the bucket n of h in two by the next bit of the hash.
func (x *Index) split(n, h uint32) {
	depth := x.loads[n].depth
	if depth == 32-x.shift {
		x.double()
	}
	twin := x.append(depth + 1)
	old := *x.bucket(n)
	*x.bucket(n), x.loads[n] = bucket{}, load{depth: depth + 1}
	bit := uint64(1) << (63 - depth)
	for _, s := range old {
		switch {
		case s == 0:
		case s&bit != 0:
			x.add(twin, s)
		default:
			x.add(n, s)
		}
	}
	// The directory entries of the two stand together; the upper half are the twin's.
	entries := 1 << (31 - x.shift - depth)
	first := int(uint64(h)>>(31-depth)|1) * entries
	for i := range entries {
		x.dir[first+i] = entry{x.bucket(twin), twin}
	}
}

func (x *Index) double() {
	dir := make([]entry, 2*len(x.dir))
	for i, e := range x.dir {
		dir[2*i], dir[2*i+1] = e, e
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
	n, want := x.find(h), uint64(h)<<32|uint64(rec+1)
	b := x.bucket(n)
	for i := h; ; i++ {
		switch b[i%slots] {
		case 0:
			return false
		case want:
			b.remove(i % slots)
			x.loads[n].used--
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
