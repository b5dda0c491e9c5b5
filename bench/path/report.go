package main

import (
	"fmt"
	"runtime"
	"slices"
)

// printCase prints a row a path: what it takes, and how many times as fast ours is,
// round by round.
func printCase(os []*opened) {
	var us []float64
	for _, o := range os {
		if o.name == ours {
			us = o.ns
		}
	}
	fmt.Printf("| | CPU ns a packet, median | 10–90 %% | allocations | × ours, median | 10–90 %% |\n|---|---|---|---|---|---|\n")
	for _, o := range os {
		if len(o.ns) == 0 {
			continue
		}
		fmt.Printf("| %s | %.0f | %.0f–%.0f | %.1f |", o.name, quantile(o.ns, 0.5), quantile(o.ns, 0.1), quantile(o.ns, 0.9), slices.Min(o.alloc))
		if len(us) != len(o.ns) {
			fmt.Println(" | |")
			continue
		}
		var ratios []float64
		for i := range us {
			ratios = append(ratios, o.ns[i]/us[i])
		}
		fmt.Printf(" %.1f | %.1f–%.1f |\n", quantile(ratios, 0.5), quantile(ratios, 0.1), quantile(ratios, 0.9))
	}
}

// quantile returns the value that a share p of l does not exceed.
func quantile(l []float64, p float64) float64 {
	l = slices.Sorted(slices.Values(l))
	return l[int(p*float64(len(l)-1)+0.5)]
}

// mallocs returns how many objects were allocated so far.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
