package filter

import (
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// flow is one tracked flow: 64 bytes, a cache line, without a pointer. Addresses and
// ports are as the flow's packets have them on egress, in both directions the same.
type flow struct {
	local, remote wire.Addr
	rest          uint64        // 16 bits local port, 16 remote, 8 direction of fragments, 8 protocol
	expires       time.Duration // dead from this instant on
	hash          uint32
	memo          flowtable.Memo // of packets on egress
	state         state          // noFlow: the place is free
	opener        Direction
}

func (f *flow) alive(now time.Duration) bool { return f != nil && f.expires > now }

func (f *flow) is(local, remote wire.Addr, rest uint64) bool {
	return f.rest == rest && f.local == local && f.remote == remote
}

// flows holds flows where they are looked for: in buckets of open addressing with
// linear probing. A flow's place is good until the next one is added or removed.
type flows struct {
	buckets flowtable.Directory[bucket]
	n       int
	hand    uint32 // the bucket where the search for dead flows goes on
}

// A bucket with so many flows is rid of the dead ones; it is split where more than five
// eighths of the places would remain taken.
const (
	places = 128 // of a bucket; a power of two
	full   = places * 3 / 4
)

type bucket [places]flow

// find returns the flow with this hash and these ends, nil where there is none.
func (t *flows) find(hash uint32, local, remote wire.Addr, rest uint64) *flow {
	b := t.buckets.At(hash)
	if b == nil {
		return nil
	}
	for i := hash; ; i++ {
		f := &b[i%places]
		if f.is(local, remote, rest) && f.state != noFlow {
			return f
		}
		if f.state == noFlow {
			return nil
		}
	}
}

// number returns the number of the place of a flow with this hash, which at finds again.
func (t *flows) number(f *flow, hash uint32) uint32 {
	n := t.buckets.Find(hash)
	b, i := t.buckets.Bucket(n), hash
	for &b[i%places] != f {
		i++
	}
	return n*places + i%places
}

// at returns the place with a number, be there a flow or not.
func (t *flows) at(number uint32) *flow { return &t.buckets.Bucket(number / places)[number%places] }

// dead returns a flow that has died and was passed in looking for the hash, nil where
// there is none: a new flow may take its place.
func (t *flows) dead(hash uint32, now time.Duration) *flow {
	b := t.buckets.At(hash)
	if b == nil {
		return nil
	}
	for i := hash; ; i++ {
		switch f := &b[i%places]; {
		case f.state == noFlow:
			return nil
		case f.expires <= now:
			return f
		}
	}
}

// add returns a free place for a flow with this hash, to be filled at once; nil where
// there is none, for too many hashes are alike. It allocates 64 KB once in 16 buckets,
// and moves 4 KB at most.
func (t *flows) add(hash uint32, now time.Duration) *flow {
	t.buckets.Begin()
	n := t.buckets.Find(hash)
	for *t.buckets.Used(n) >= full {
		t.sweep(n, now)
		if *t.buckets.Used(n) <= places*5/8 || !t.split(n, hash) {
			break
		}
		n = t.buckets.Find(hash)
	}
	if *t.buckets.Used(n) == places-1 { // one place stays free: it ends every search
		return nil
	}
	t.n++
	return t.place(n, hash)
}

// place returns the first free place of a bucket for a hash, and counts it as taken.
func (t *flows) place(n, hash uint32) *flow {
	*t.buckets.Used(n)++
	b, i := t.buckets.Bucket(n), hash
	for b[i%places].state != noFlow {
		i++
	}
	return &b[i%places]
}

// split parts the bucket n of a hash in two, where it can.
func (t *flows) split(n, hash uint32) bool {
	twin, bit, ok := t.buckets.Split(n, hash)
	if !ok {
		return false
	}
	old := *t.buckets.Bucket(n)
	*t.buckets.Bucket(n), *t.buckets.Used(n) = bucket{}, 0
	for i := range old {
		switch f := &old[i]; {
		case f.state == noFlow:
		case f.hash&bit != 0:
			*t.place(twin, f.hash) = *f
		default:
			*t.place(n, f.hash) = *f
		}
	}
	return true
}

// sweep removes the dead flows of a bucket.
func (t *flows) sweep(n uint32, now time.Duration) {
	b := t.buckets.Bucket(n)
	for i := uint32(0); i < places; {
		if f := &b[i]; f.state == noFlow || f.expires > now {
			i++
			continue
		}
		b.remove(i) // another may have come to i
		*t.buckets.Used(n)--
		t.n--
	}
}

// sweepMore sweeps on where the last call stopped, so many buckets at most, and reports
// whether that removed a flow.
func (t *flows) sweepMore(buckets int, now time.Duration) bool {
	before := t.n
	for range min(buckets, t.buckets.Len()) {
		t.hand = (t.hand + 1) % uint32(t.buckets.Len())
		t.sweep(t.hand, now)
	}
	return t.n < before
}

// clear removes all flows. Their memory stays.
func (t *flows) clear() {
	for n := range uint32(t.buckets.Len()) {
		*t.buckets.Bucket(n), *t.buckets.Used(n) = bucket{}, 0
	}
	t.n, t.hand = 0, 0
}

// remove frees place i and moves up those behind it that were put past it, so that no
// search ends too early.
func (b *bucket) remove(i uint32) {
	for j := (i + 1) % places; b[j].state != noFlow; j = (j + 1) % places {
		home := b[j].hash % places
		if (j-home)%places >= (j-i)%places {
			b[i] = b[j]
			i = j
		}
	}
	b[i] = flow{}
}
