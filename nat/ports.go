package nat

import (
	"math/bits"
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// pools hands out ports. A pool is what one outside address has toward one
// destination address, port and protocol: the flow of the answers, with 0 as the port
// that they come to.
//
// A pool with few sessions needs no memory: a random port is free but for one in
// sixteen, and the table knows. What must be known is that they are few: counts are
// kept by a hash of the pool, so a count is of the pool's sessions or more. A pool
// whose count says many gets a bitmap of its ports and an exact number.
type pools struct {
	table       *Table
	first, last uint16
	limit       uint32
	few         uint32 // a pool with less is sparse
	counts      *[poolCounts]poolCount
	spare       []*bitmap
	epoch       uint32 // of the range: a bitmap of an older one is made anew
}

// poolCount is what is known of the pools of one hash.
type poolCount struct {
	sessions uint32  // but for those of complete bitmaps
	bitmaps  *bitmap // the first of the pools' that have one
}

const (
	poolCounts = 2048
	probes     = 64  // of a sparse pool; that all fail has a chance of 16^-64
	scanStep   = 128 // ports that a new session adds to a bitmap in the making
)

// configure changes the range and the bound.
func (s *pools) configure(first, last uint16, limit uint32) {
	s.first, s.last, s.limit = first, last, limit
	s.few = min(s.size()/16, limit)
	s.epoch++
}

// size returns how many ports there are.
func (s *pools) size() uint32 { return uint32(s.last-s.first) + 1 }

// countOf returns the count that the pool of an answers' flow is in; pair is its
// addresses.
func (s *pools) countOf(pair flowtable.Pair, proto wire.Proto, ports uint32) *poolCount {
	if s.counts == nil {
		s.counts = new([poolCounts]poolCount)
	}
	return &s.counts[s.table.seed.HashOf(pair, restOf(proto, ports&^0xffff))%poolCounts]
}

// pick takes a port of a pool, of whose answers' flow back is all but the destination
// port, which it sets; and returns back's hash. It reports false where as many are taken
// as may be. Who can't use the port gives it back.
func (s *pools) pick(back *wire.Flow, now time.Duration) (reply uint32, ok bool) {
	pair := s.table.seed.Pair(back.Src, back.Dst)
	c := s.countOf(pair, back.Proto, packPorts(back))
	if c.bitmaps == nil && c.sessions < s.few {
		if reply, ok = s.probe(back, pair); ok {
			c.sessions++
			return reply, true
		}
	}
	return s.pickDense(back, pair, c, now)
}

// pickDense is pick for a pool that may have a bitmap, or need one.
func (s *pools) pickDense(back *wire.Flow, pair flowtable.Pair, c *poolCount, now time.Duration) (reply uint32, ok bool) {
	pool := *back
	pool.DstPort = 0
	b := s.prepare(&pool, c)
	if s.full(b) {
		if !s.vacate(&pool, c, now) {
			return 0, false
		}
		b = s.bitmapOf(&pool, c)
	}
	switch {
	case b != nil && b.complete():
		back.DstPort = b.choose(s.table.random.next())
		reply = s.table.hash(back)
	default:
		if reply, ok = s.probe(back, pair); !ok { // as good as never: dozens of ports were all taken
			if b == nil {
				b = s.add(&pool, c)
			}
			s.scan(b, &pool, s.size())
			back.DstPort = b.choose(s.table.random.next())
			reply = s.table.hash(back)
		}
	}
	if b != nil {
		b.take(back.DstPort)
	}
	if b == nil || !b.complete() {
		c.sessions++
	}
	return reply, true
}

// prepare returns the bitmap of a pool that needs one, complete where the pool may
// be full, and nil for a sparse pool, whose counter is c.
func (s *pools) prepare(pool *wire.Flow, c *poolCount) *bitmap {
	b := s.bitmapOf(pool, c)
	if b == nil {
		if c.sessions < s.few {
			return nil
		}
		b = s.add(pool, c)
	}
	if !b.complete() {
		s.scan(b, pool, scanStep)
	}
	if !b.complete() && c.sessions >= s.limit { // only with a bound far below AWS's
		s.scan(b, pool, s.size())
	}
	return b
}

// full reports whether a pool has as many sessions as it may have.
func (s *pools) full(b *bitmap) bool { return b != nil && b.complete() && b.n >= s.limit }

// probe tries random ports until no session, not even an expired one, has one.
func (s *pools) probe(back *wire.Flow, pair flowtable.Pair) (reply uint32, ok bool) {
	for range probes {
		back.DstPort = s.first + uint16(s.table.random.below(s.size()))
		h := s.table.seed.HashOf(pair, restOf(back.Proto, packPorts(back)))
		if r, _, _ := s.table.lookup(back, h); r == nil {
			return h, true
		}
	}
	return 0, false
}

// vacate ends expired sessions until a pool is no longer full, and reports whether
// that was to be had.
func (s *pools) vacate(pool *wire.Flow, c *poolCount, now time.Duration) bool {
	for more := true; more; {
		before := s.table.n
		more = s.table.expireSome(now)
		if s.table.n != before && !s.full(s.bitmapOf(pool, c)) {
			return true
		}
	}
	return false
}

// gave notes that a session is ending whose answers are of flow back.
func (s *pools) gave(back wire.Flow) {
	c := s.countOf(s.table.seed.Pair(back.Src, back.Dst), back.Proto, packPorts(&back))
	if c.bitmaps == nil {
		c.sessions--
		return
	}
	s.gaveDense(back, c)
}

// gaveDense is gave for a pool that may have a bitmap.
func (s *pools) gaveDense(back wire.Flow, c *poolCount) {
	port := back.DstPort
	back.DstPort = 0
	b := s.bitmapOf(&back, c)
	if b == nil {
		c.sessions--
		return
	}
	b.give(port)
	if !b.complete() {
		c.sessions--
	}
	if c.sessions+b.n < s.few/4 || b.n == 0 {
		s.drop(b)
	}
}

// bitmapOf returns a pool's bitmap, nil where it has none.
func (s *pools) bitmapOf(pool *wire.Flow, c *poolCount) *bitmap {
	for b := c.bitmaps; b != nil; b = b.next {
		if b.pool != *pool {
			continue
		}
		if b.epoch != s.epoch {
			s.drop(b)
			return nil
		}
		return b
	}
	return nil
}

// add gives a pool an empty bitmap, to be made complete by scanning.
func (s *pools) add(pool *wire.Flow, c *poolCount) *bitmap {
	b := &bitmap{}
	if last := len(s.spare) - 1; last >= 0 {
		b, s.spare = s.spare[last], s.spare[:last]
	}
	*b = bitmap{pool: *pool, count: c, next: c.bitmaps, epoch: s.epoch, scanned: uint32(s.first), end: uint32(s.last) + 1}
	b.limitTo(s.first, s.last)
	c.bitmaps = b
	return b
}

// drop takes a pool's bitmap away; its sessions are in the count again.
func (s *pools) drop(b *bitmap) {
	if b.complete() {
		b.count.sessions += b.n
	}
	at := &b.count.bitmaps
	for *at != b {
		at = &(*at).next
	}
	*at = b.next
	s.spare = append(s.spare, b)
}

// scan looks for sessions on the next ports of a bitmap in the making. Those of a
// complete one are in its own number and no longer in the count.
func (s *pools) scan(b *bitmap, pool *wire.Flow, ports uint32) {
	f := *pool
	for range min(ports, b.end-b.scanned) {
		f.DstPort = uint16(b.scanned)
		b.scanned++
		if r, _, _ := s.table.lookup(&f, s.table.hash(&f)); r != nil {
			b.take(f.DstPort)
		}
	}
	if b.complete() {
		b.count.sessions -= b.n
	}
}

// bitmap is the ports of one pool: a bit each, and a bit for each word that is full.
type bitmap struct {
	pool    wire.Flow
	count   *poolCount // where its sessions are counted until it is complete
	next    *bitmap    // of another pool of the same count
	n       uint32     // ports taken, as far as scanned
	scanned uint32     // ports below are scanned
	end     uint32     // one more than the last port
	epoch   uint32
	full    [16]uint64
	taken   [1024]uint64
}

func (b *bitmap) complete() bool { return b.scanned == b.end }

// limitTo marks the ports outside a range as taken, without counting them.
func (b *bitmap) limitTo(first, last uint16) {
	for w := range b.taken {
		low, high := w*64, w*64+63
		if low >= int(first) && high <= int(last) {
			continue
		}
		for port := low; port <= high; port++ {
			if port < int(first) || port > int(last) {
				b.mark(uint16(port))
			}
		}
	}
}

func (b *bitmap) mark(port uint16) {
	w := &b.taken[port/64]
	*w |= 1 << (port % 64)
	if *w == ^uint64(0) {
		b.full[port/4096] |= 1 << (port / 64 % 64)
	}
}

func (b *bitmap) take(port uint16) {
	if b.taken[port/64]&(1<<(port%64)) == 0 {
		b.n++
		b.mark(port)
	}
}

func (b *bitmap) give(port uint16) {
	if w := &b.taken[port/64]; *w&(1<<(port%64)) != 0 {
		b.n--
		*w &^= 1 << (port % 64)
		b.full[port/4096] &^= 1 << (port / 64 % 64)
	}
}

// choose returns a free port near a random one; there must be one.
func (b *bitmap) choose(random uint64) uint16 {
	word := uint16(random) % 1024
	if b.taken[word] == ^uint64(0) {
		word = b.wordAfter(word)
	}
	turn := int(random >> 32 % 64)
	free := bits.RotateLeft64(^b.taken[word], -turn)
	return word*64 + uint16(bits.TrailingZeros64(free)+turn)%64
}

// wordAfter returns the first word behind another, around the end, that is not full.
func (b *bitmap) wordAfter(word uint16) uint16 {
	group := word / 64
	open := ^b.full[group] &^ (1<<(word%64) - 1)
	for range len(b.full) {
		if open != 0 {
			return group*64 + uint16(bits.TrailingZeros64(open))
		}
		group = (group + 1) % 16
		open = ^b.full[group]
	}
	if open != 0 {
		return group*64 + uint16(bits.TrailingZeros64(open))
	}
	panic("nat: a pool of ports that is not full has no free port")
}
