package reach

import (
	"runtime"
	"sync"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Sweep asks many questions of a network, on every core, each with a Prober of its own,
// and returns the answers in the order of the questions, without their Stories. The
// network must not change meanwhile. Answers are the same whatever the number of cores.
func Sweep(w *world.World, questions []Spec, c Config) ([]Result, error) {
	results := make([]Result, len(questions))
	workers := max(1, min(runtime.GOMAXPROCS(0), len(questions)))
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for k := range workers {
		wait.Go(func() {
			p, err := New(w, c)
			if err != nil {
				errs[k] = err
				return
			}
			for i := len(questions) * k / workers; i < len(questions)*(k+1)/workers; i++ {
				r := p.Ask(questions[i])
				r.Story, r.Request, r.Return = nil, nil, nil
				results[i] = r
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// AllPairs returns the questions from each interface of a running instance to each
// other interface that has an address, by their ids: one for each port, and ping where
// ports is empty.
func AllPairs(w *world.World, ports ...Port) []Spec {
	var from, to []string
	for _, r := range w.Regions() {
		var all []*vpc.NetworkInterface
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[*vpc.NetworkInterface](tx) })
		for _, n := range all {
			to = append(to, n.ID())
			if i := n.Instance(); i != nil && i.State() == vpc.Running {
				from = append(from, n.ID())
			}
		}
	}
	if len(ports) == 0 {
		ports = []Port{{Proto: "icmp"}}
	}
	all := make([]Spec, 0, len(from)*len(to)*len(ports))
	for _, a := range from {
		for _, b := range to {
			for _, p := range ports {
				if a != b {
					all = append(all, Spec{From: a, To: b, Proto: p.Proto, Port: int(p.Number)})
				}
			}
		}
	}
	return all
}
