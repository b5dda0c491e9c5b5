package main

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/cilium/cilium/pkg/container/bitlpm"
	"github.com/gaissmai/bart"
	"github.com/k-sone/critbitgo"
	"github.com/vpcsim/vpcsim/route"
	"github.com/yl2chen/cidranger"
	"tailscale.com/net/art"
)

// table is one implementation, filled. The loops stand in each of its methods
// so that every lookup is a direct call, as its users write it.
type table interface {
	get(a netip.Addr) (v int, ok bool) // what it answers, for the check
	independent(q *queries) int        // each lookup free to overlap the next
	chained(q *queries) int            // each address known only after the last answer
}

// A chained pass reads the next address at next(i, v): one further, for no
// value has so many bits, but the processor cannot know that.
func next(i, v int) int { return (i + 1 + v>>40) & (passLen - 1) }

// peer is an implementation to compare.
type peer struct {
	name string
	make func(l []entry) table
	most int  // routes it is timed with at most, for those that take too long; 0: any number
	bart bool // one of those that the goals are stated against
}

var peers = []peer{
	{name: ours, make: newFIB},
	{name: oursRaw, make: newRaw},
	{name: "bart Fast", make: newBartFast, bart: true},
	{name: "bart Table", make: newBartTable, bart: true},
	{name: "bart Lite", make: newBartLite, bart: true},
	{name: "art", make: newART, most: 100_000},
	{name: "bitlpm", make: newBitlpm, most: 100_000},
	{name: "cidranger", make: newCidranger, most: 10_000},
	{name: "critbitgo", make: newCritbit, most: 10_000},
	{name: "gVisor", make: newGvisor, most: 1_000},
	{name: "scan", make: newScan, most: 1_000},
}

// The two ways of asking a FIB: with a netip.Addr, as all peers are asked, and
// with the bytes of the packet.
const (
	ours    = "FIB"
	oursRaw = "FIB raw"
)

type fib struct{ t *route.FIB[int] }

func newFIB(l []entry) table {
	var t route.Table[int]
	for _, e := range l {
		t.Insert(e.dst, e.v)
	}
	return fib{t.Compile()}
}

func (p fib) get(a netip.Addr) (int, bool) { return p.t.Lookup(a) }

func (p fib) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		v, _ := p.t.Lookup(a)
		sum += v
	}
	return sum
}

func (p fib) chained(q *queries) (i int) {
	for range q.addrs {
		v, _ := p.t.Lookup(q.addrs[i])
		i = next(i, v)
	}
	return i
}

// raw4 and raw16 look up the address as it stands in the packet.
type (
	raw4  struct{ t *route.FIB[int] }
	raw16 struct{ t *route.FIB[int] }
)

func newRaw(l []entry) table {
	t := newFIB(l).(fib).t
	if l[0].dst.Addr().Is4() {
		return raw4{t}
	}
	return raw16{t}
}

func (p raw4) get(a netip.Addr) (int, bool) {
	b := a.As4()
	return p.t.Lookup4(binary.BigEndian.Uint32(b[:]))
}

func (p raw4) independent(q *queries) (sum int) {
	for i := range q.raw4 {
		v, _ := p.t.Lookup4(binary.BigEndian.Uint32(q.raw4[i][:]))
		sum += v
	}
	return sum
}

func (p raw4) chained(q *queries) (i int) {
	for range q.raw4 {
		v, _ := p.t.Lookup4(binary.BigEndian.Uint32(q.raw4[i][:]))
		i = next(i, v)
	}
	return i
}

func (p raw16) get(a netip.Addr) (int, bool) {
	b := a.As16()
	return p.t.Lookup16(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
}

func (p raw16) independent(q *queries) (sum int) {
	for i := range q.raw16 {
		b := &q.raw16[i]
		v, _ := p.t.Lookup16(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
		sum += v
	}
	return sum
}

func (p raw16) chained(q *queries) (i int) {
	for range q.raw16 {
		b := &q.raw16[i]
		v, _ := p.t.Lookup16(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
		i = next(i, v)
	}
	return i
}

type bartFast struct{ t *bart.Fast[int] }

func newBartFast(l []entry) table {
	t := new(bart.Fast[int])
	for _, e := range l {
		t.Insert(e.dst, e.v)
	}
	return bartFast{t}
}

func (p bartFast) get(a netip.Addr) (int, bool) { return p.t.Lookup(a) }

func (p bartFast) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		v, _ := p.t.Lookup(a)
		sum += v
	}
	return sum
}

func (p bartFast) chained(q *queries) (i int) {
	for range q.addrs {
		v, _ := p.t.Lookup(q.addrs[i])
		i = next(i, v)
	}
	return i
}

type bartTable struct{ t *bart.Table[int] }

func newBartTable(l []entry) table {
	t := new(bart.Table[int])
	for _, e := range l {
		t.Insert(e.dst, e.v)
	}
	return bartTable{t}
}

func (p bartTable) get(a netip.Addr) (int, bool) { return p.t.Lookup(a) }

func (p bartTable) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		v, _ := p.t.Lookup(a)
		sum += v
	}
	return sum
}

func (p bartTable) chained(q *queries) (i int) {
	for range q.addrs {
		v, _ := p.t.Lookup(q.addrs[i])
		i = next(i, v)
	}
	return i
}

// bartLite has no values and answers with the prefix. Its Lookup is not asked:
// that says only whether any route contains the address, and with a default
// route it says so at once.
type bartLite struct {
	t      *bart.Lite
	values map[netip.Prefix]int // for the check
}

func newBartLite(l []entry) table {
	p := bartLite{new(bart.Lite), map[netip.Prefix]int{}}
	for _, e := range l {
		p.t.Insert(e.dst)
		p.values[e.dst] = e.v
	}
	return p
}

func (p bartLite) get(a netip.Addr) (int, bool) {
	dst, ok := p.t.LookupPrefixLPM(netip.PrefixFrom(a, a.BitLen()))
	return p.values[dst], ok
}

func (p bartLite) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		dst, _ := p.t.LookupPrefixLPM(netip.PrefixFrom(a, a.BitLen()))
		sum += dst.Bits()
	}
	return sum
}

func (p bartLite) chained(q *queries) (i int) {
	for range q.addrs {
		a := q.addrs[i]
		dst, _ := p.t.LookupPrefixLPM(netip.PrefixFrom(a, a.BitLen()))
		i = next(i, dst.Bits()&0xff)
	}
	return i
}

type artTable struct{ t *art.Table[int] }

func newART(l []entry) table {
	t := new(art.Table[int])
	for _, e := range l {
		t.Insert(e.dst, e.v)
	}
	return artTable{t}
}

func (p artTable) get(a netip.Addr) (int, bool) { return p.t.Get(a) }

func (p artTable) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		v, _ := p.t.Get(a)
		sum += v
	}
	return sum
}

func (p artTable) chained(q *queries) (i int) {
	for range q.addrs {
		v, _ := p.t.Get(q.addrs[i])
		i = next(i, v)
	}
	return i
}

// slow is a peer that takes long enough for the cost of calling it through a
// function value not to matter.
type slow func(a netip.Addr) (v int, ok bool)

func (p slow) get(a netip.Addr) (int, bool) { return p(a) }

func (p slow) independent(q *queries) (sum int) {
	for _, a := range q.addrs {
		v, _ := p(a)
		sum += v
	}
	return sum
}

func (p slow) chained(q *queries) (i int) {
	for range q.addrs {
		v, _ := p(q.addrs[i])
		i = next(i, v)
	}
	return i
}

func newBitlpm(l []entry) table {
	t := bitlpm.NewCIDRTrie[int]()
	for _, e := range l {
		t.Upsert(e.dst, e.v)
	}
	return slow(func(a netip.Addr) (int, bool) {
		_, v, ok := t.LongestPrefixMatch(a)
		return v, ok
	})
}

// ipNet is how packages older than net/netip write a prefix.
func ipNet(p netip.Prefix) net.IPNet {
	return net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

type rangerEntry struct {
	net.IPNet
	v int
}

func (e rangerEntry) Network() net.IPNet { return e.IPNet }

func newCidranger(l []entry) table {
	t := cidranger.NewPCTrieRanger()
	for _, e := range l {
		if err := t.Insert(rangerEntry{ipNet(e.dst), e.v}); err != nil {
			panic(err)
		}
	}
	return slow(func(a netip.Addr) (int, bool) {
		// It returns all networks that contain a, the longest last.
		found, err := t.ContainingNetworks(a.AsSlice())
		if err != nil || len(found) == 0 {
			return 0, false
		}
		return found[len(found)-1].(rangerEntry).v, true
	})
}

func newCritbit(l []entry) table {
	t := critbitgo.NewNet()
	for _, e := range l {
		n := ipNet(e.dst)
		if err := t.Add(&n, e.v); err != nil {
			panic(err)
		}
	}
	return slow(func(a netip.Addr) (int, bool) {
		dst, v, err := t.MatchIP(a.AsSlice())
		if err != nil || dst == nil {
			return 0, false
		}
		return v.(int), true
	})
}

// newScan looks at the routes one by one, longest first, and takes the first
// that contains the address.
func newScan(l []entry) table {
	t := longestFirst(l)
	return slow(func(a netip.Addr) (int, bool) {
		for _, e := range t {
			if e.dst.Contains(a) {
				return e.v, true
			}
		}
		return 0, false
	})
}
