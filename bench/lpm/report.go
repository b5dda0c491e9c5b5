package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// report runs the cells and prints them.
type report struct {
	rounds int
	quick  bool
	wrong  bool                     // one of ours gave a wrong answer
	perFam map[string]*[3][]float64 // the ratios for each goal, by family
	order  []string                 // of the families
}

// modes of a pass, and the goals that each is held to.
var (
	modes     = [...]string{"independent", "chained"}
	goalNames = [...]string{"independent", "chained", "from packet bytes"}
)

const (
	goalIndependent = iota
	goalChained
	goalRaw
)

// sink keeps the compiler from dropping the lookups.
var sink int

// built is a peer with its table.
type built struct {
	peer
	table
}

func build(ps []peer, l []entry) []built {
	var bs []built
	for _, p := range ps {
		bs = append(bs, built{p, p.make(l)})
	}
	return bs
}

// table runs all cells of one table.
func (r *report) table(f *family, n int, ps []peer) {
	rng := newRand(uint64(n))
	l := f.newTable(n, rng)
	t := &traffic{f: f, l: l, twin: newTwin(f, l), rng: rng}
	fmt.Printf("\n## %s, %d routes\n\n", f.name, n)
	if !r.quick {
		r.costs(f, l, ps)
	}
	fmt.Printf("| ns a lookup | |")
	for _, p := range ps {
		fmt.Printf(" %s |", p.name)
	}
	fmt.Printf(" × best bart [10–90 %%] | raw × |\n|%s\n", strings.Repeat("---|", len(ps)+4))

	bs := build(ps, l)
	for _, kind := range kinds {
		if kind == "miss" { // a table without the default route
			l = l[:len(l)-1]
			t.twin = newTwin(f, l)
			bs = build(ps, l)
		}
		q := t.queries(kind)
		r.check(f, n, kind, t.twin, q, bs)
		for m := range modes {
			r.cell(f, n, kind, m, r.time(kind, m, q, bs, rng), bs)
		}
		if kind == "miss" {
			break
		}
	}
}

// check compares the answers of each peer with the twin's.
func (r *report) check(f *family, n int, kind string, t twin, q *queries, bs []built) {
	for _, b := range bs {
		wrong := 0
		for _, a := range q.addrs {
			want, wantOK := t.lookup(a)
			if v, ok := b.get(a); v != want || ok != wantOK {
				wrong++
			}
		}
		if wrong > 0 {
			fmt.Printf("\n**wrong: %s, %s, %d routes, %s: %d of %d answers**\n\n", b.name, f.name, n, kind, wrong, len(q.addrs))
			r.wrong = r.wrong || b.name == ours || b.name == oursRaw
		}
	}
}

// time returns, for each peer, the ns a lookup of each round. The peers take
// turns, each round begins with another, and before a pass is timed another in
// different order brings the peer's memory back into the caches.
func (r *report) time(kind string, mode int, q *queries, bs []built, rng *rand.Rand) [][]float64 {
	ns := make([][]float64, len(bs))
	for round := range r.rounds {
		for k := range bs {
			i := (k + round) % len(bs)
			if _, is := bs[i].table.(slow); is && round > r.rounds/5 {
				continue
			}
			pass := bs[i].independent
			if mode == 1 {
				pass = bs[i].chained
			}
			q.reorder(kind, rng)
			sink += pass(q)
			q.reorder(kind, rng)
			start := time.Now()
			sink += pass(q)
			ns[i] = append(ns[i], float64(time.Since(start).Nanoseconds())/passLen)
		}
	}
	return ns
}

// cell prints one row and notes what the goals are about.
func (r *report) cell(f *family, n int, kind string, mode int, ns [][]float64, bs []built) {
	fmt.Printf("| %s | %s |", kind, modes[mode])
	median := map[string]float64{}
	rounds := map[string][]float64{}
	best := ""
	for i, b := range bs {
		median[b.name], rounds[b.name] = quantile(ns[i], 0.5), ns[i]
		fmt.Printf(" %.1f |", median[b.name])
		if b.bart && (best == "" || median[b.name] < median[best]) {
			best = b.name
		}
	}
	if best == "" || median[ours] == 0 || median[oursRaw] == 0 {
		fmt.Println(" | |")
		return
	}
	var paired []float64
	for i, x := range rounds[ours] {
		paired = append(paired, rounds[best][i]/x)
	}
	ratio, raw := median[best]/median[ours], median[best]/median[oursRaw]
	fmt.Printf(" %.2f [%.2f–%.2f] | %.2f |\n", ratio, quantile(paired, 0.1), quantile(paired, 0.9), raw)
	if kind == "miss" || n > 10_000 {
		return
	}
	g := r.goalsOf(f)
	if mode == 0 {
		g[goalIndependent] = append(g[goalIndependent], ratio)
		g[goalRaw] = append(g[goalRaw], raw)
	} else {
		g[goalChained] = append(g[goalChained], ratio)
	}
}

func (r *report) goalsOf(f *family) *[3][]float64 {
	if r.perFam == nil {
		r.perFam = map[string]*[3][]float64{}
	}
	if r.perFam[f.name] == nil {
		r.perFam[f.name] = new([3][]float64)
		r.order = append(r.order, f.name)
	}
	return r.perFam[f.name]
}

// summary prints the mean and the worst ratio for each goal.
func (r *report) summary() {
	if len(r.order) == 0 {
		return
	}
	fmt.Printf("\n## × the best of bart v0.30.0, up to 10,000 routes, hit, default, mix and flow\n\n")
	fmt.Printf("| | | geometric mean | worst cell |\n|---|---|---|---|\n")
	for _, name := range r.order {
		for i, g := range r.perFam[name] {
			var logs float64
			for _, x := range g {
				logs += math.Log(x)
			}
			fmt.Printf("| %s | %s | %.2f | %.2f |\n", name, goalNames[i], math.Exp(logs/float64(len(g))), slices.Min(g))
		}
	}
}

// quantile returns the value that a share p of l does not exceed.
func quantile(l []float64, p float64) float64 {
	l = slices.Sorted(slices.Values(l))
	return l[int(p*float64(len(l)-1)+0.5)]
}
