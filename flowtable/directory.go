package flowtable

// maxDepth bounds a directory at 1,048,576 buckets. It also ends the splitting of a
// bucket whose hashes are all alike.
const maxDepth = 20

// block is how many buckets are allocated together, of 4 KB each 64 KB: the garbage
// collector's sweep costs by the piece. The first block begins with one and doubles.
const block = 16

// Directory is what extendible hashing (Fagin, Nievergelt, Pippenger, Strong 1979)
// leads to its buckets by, each an open-addressing table of type B: by the top bits of
// a hash. Growing splits one bucket at a time. B should be 4 KB and hold no pointers.
// The zero Directory has no bucket.
type Directory[B any] struct {
	dir     []*B     // by the top bits of the hash
	numbers []uint32 // of the buckets in dir, for who changes them
	blocks  [][]B    // the buckets, by number
	loads   []load   // by number
	shift   uint8    // 32 - depth of the directory
}

// load is what is known of a bucket beside what is in it.
type load struct {
	used  uint32
	depth uint8 // how many top bits of the hash its records share
}

// At returns the bucket of hash h, nil where there is none at all. It does not allocate.
func (d *Directory[B]) At(h uint32) *B {
	if i := uint64(h) >> (d.shift & 63); i < uint64(len(d.dir)) {
		return d.dir[i]
	}
	return nil
}

// Find returns the number of the bucket of hash h, of which there must be one.
func (d *Directory[B]) Find(h uint32) uint32 { return d.numbers[uint64(h)>>(d.shift&63)] }

// Bucket returns a bucket by its number.
func (d *Directory[B]) Bucket(n uint32) *B { return &d.blocks[n/block][n%block] }

// Used returns the count of records in a bucket, which is the caller's to keep.
func (d *Directory[B]) Used(n uint32) *uint32 { return &d.loads[n].used }

// Len returns how many buckets there are, numbered from 0.
func (d *Directory[B]) Len() int { return len(d.loads) }

// Begin makes the first bucket where there is none.
func (d *Directory[B]) Begin() {
	if d.dir == nil {
		n := d.append(0)
		d.dir, d.numbers, d.shift = []*B{d.Bucket(n)}, []uint32{n}, 32
	}
}

// append makes one bucket more and returns its number.
func (d *Directory[B]) append(depth uint8) uint32 {
	n := len(d.loads)
	switch {
	case n%block == 0:
		size := block
		if n == 0 {
			size = 1
		}
		d.blocks = append(d.blocks, make([]B, size))
	case n == len(d.blocks[0]):
		grown := make([]B, 2*n)
		copy(grown, d.blocks[0])
		d.blocks[0] = grown
		for i := range d.dir {
			d.dir[i] = d.Bucket(d.numbers[i])
		}
	}
	d.loads = append(d.loads, load{depth: depth})
	return uint32(n)
}

// Split makes a twin of the bucket n of h, to which those of its records belong whose
// hash has the given bit: the caller moves them, and counts anew. It reports false, and
// does nothing, where the bucket has been split as often as may be. It allocates 64 KB
// once in 16 times.
func (d *Directory[B]) Split(n, h uint32) (twin, bit uint32, ok bool) {
	depth := d.loads[n].depth
	if depth == maxDepth {
		return 0, 0, false
	}
	if depth == 32-d.shift {
		d.double()
	}
	twin = d.append(depth + 1)
	d.loads[n].depth++
	// The directory entries of the two stand together; the upper half are the twin's.
	entries := 1 << (31 - d.shift - depth)
	first := int(uint64(h)>>(31-depth)|1) * entries
	for i := range entries {
		d.dir[first+i], d.numbers[first+i] = d.Bucket(twin), twin
	}
	return twin, 1 << (31 - depth), true
}

func (d *Directory[B]) double() {
	dir, numbers := make([]*B, 2*len(d.dir)), make([]uint32, 2*len(d.dir))
	for i, b := range d.dir {
		dir[2*i], dir[2*i+1] = b, b
		numbers[2*i], numbers[2*i+1] = d.numbers[i], d.numbers[i]
	}
	d.dir, d.numbers = dir, numbers
	d.shift--
}
