package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/gaissmai/bart"
	"github.com/vpcsim/vpcsim/route"
)

// changes is how many routes are inserted and deleted again, one by one.
const changes = 500

// changer is a table that can be changed; each change is seen by the next
// lookup.
type changer interface {
	insert(dst netip.Prefix, v int)
	remove(dst netip.Prefix)
}

// compiled is a Table that is compiled after each change.
type compiled struct {
	t   route.Table[int]
	fib *route.FIB[int]
}

func (c *compiled) insert(dst netip.Prefix, v int) { c.t.Insert(dst, v); c.fib = c.t.Compile() }
func (c *compiled) remove(dst netip.Prefix)        { c.t.Delete(dst); c.fib = c.t.Compile() }

// persisted is a bart.Fast whose changes leave those who read it alone.
type persisted struct{ t *bart.Fast[int] }

func (c *persisted) insert(dst netip.Prefix, v int) { c.t = c.t.InsertPersist(dst, v) }
func (c *persisted) remove(dst netip.Prefix)        { c.t = c.t.DeletePersist(dst) }

// inPlace is a bart.Fast that nobody reads meanwhile.
type inPlace struct{ t bart.Fast[int] }

func (c *inPlace) insert(dst netip.Prefix, v int) { c.t.Insert(dst, v) }
func (c *inPlace) remove(dst netip.Prefix)        { c.t.Delete(dst) }

// costs prints what a table takes to build, to hold and to change.
func (r *report) costs(f *family, l []entry, ps []peer) {
	fmt.Printf("| | build, ms | bytes a route |\n|---|---|---|\n")
	for _, p := range ps {
		if p.name == oursRaw {
			continue
		}
		before := heap()
		start := time.Now()
		t := p.make(l)
		took := time.Since(start)
		fmt.Printf("| %s | %.3f | %.0f |\n", p.name, took.Seconds()*1e3, float64(heap()-before)/float64(len(l)))
		runtime.KeepAlive(t)
	}
	fmt.Printf("\n| ns a change | insert | 90 %% | delete | 90 %% | mean of both |\n|---|---|---|---|---|---|\n")
	c := &compiled{}
	p, q := &persisted{new(bart.Fast[int])}, &inPlace{}
	for _, e := range l {
		c.t.Insert(e.dst, e.v)
		q.t.Insert(e.dst, e.v)
		p.t.Insert(e.dst, e.v)
	}
	c.fib = c.t.Compile()
	extra := f.extra(l)
	timeChanges("Table.Compile", c, extra)
	timeChanges("bart Fast persistent", p, extra)
	timeChanges("bart Fast in place", q, extra)
	fmt.Println()
}

// extra returns routes like those of l that are not in it.
func (f *family) extra(l []entry) []entry {
	there := map[netip.Prefix]bool{}
	for _, e := range l {
		there[e.dst] = true
	}
	var extra []entry
	for _, e := range f.newTable(len(l)+2*changes, newRand(uint64(len(l)))) {
		if !there[e.dst] && len(extra) < changes {
			extra = append(extra, e)
		}
	}
	return extra
}

func timeChanges(name string, c changer, extra []entry) {
	var inserts, deletes []float64
	var total float64
	for range 3 {
		for _, e := range extra {
			start := time.Now()
			c.insert(e.dst, e.v)
			middle := time.Now()
			c.remove(e.dst)
			end := time.Now()
			inserts = append(inserts, float64(middle.Sub(start).Nanoseconds()))
			deletes = append(deletes, float64(end.Sub(middle).Nanoseconds()))
			total += float64(end.Sub(start).Nanoseconds())
		}
	}
	fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f | %.0f |\n", name, quantile(inserts, 0.5), quantile(inserts, 0.9),
		quantile(deletes, 0.5), quantile(deletes, 0.9), total/float64(len(inserts)+len(deletes)))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
