package intent

import (
	"runtime"
	"sync"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/world"
)

// CheckAll asks a world about intents, on every core, each with a Prober of its own, and
// returns the outcomes in the order of the lines. They are the same whatever the number
// of cores. The world must not change meanwhile.
func CheckAll(w *world.World, lines []Line, c reach.Config) ([]Outcome, error) {
	names, ports := NewNames(w.Regions()...), NewPorts(nil, w.Regions()...)
	out := make([]Outcome, len(lines))
	workers := max(1, min(runtime.GOMAXPROCS(0), len(lines)/16))
	errs := make([]error, workers)
	var all sync.WaitGroup
	for k := range workers {
		all.Go(func() {
			p, err := reach.New(w, c)
			if err != nil {
				errs[k] = err
				return
			}
			check := NewChecker(p, names, ports)
			for i := k; i < len(lines); i += workers {
				out[i] = check.Check(lines[i])
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
