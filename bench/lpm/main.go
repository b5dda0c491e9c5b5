// Command lpm times longest-prefix match: the route package of vpcsim and the
// packages that one could use in its place, in one run.
//
//	go run ./lpm                     everything: two minutes
//	go run ./lpm -quick              ten seconds, to see that it runs and the answers are right
//	go run ./lpm -peers FIB,bart     some peers, by a part of their names
//	go run ./lpm -sizes 1000,full    some tables
//
// It checks every answer of every peer against a twin that asks for each length
// in turn, says which are wrong, and ends with status 1 if one of ours is.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func main() {
	sizes := flag.String("sizes", "8,50,1000,10000,100000,full", "numbers of routes; full is that of the Internet")
	rounds := flag.Int("rounds", 15, "passes of each peer for each figure")
	only := flag.String("peers", "", "parts of the names of peers; empty: all")
	family := flag.String("family", "", "IPv4 or IPv6; empty: both")
	quick := flag.Bool("quick", false, "small tables, one pass each")
	flag.Parse()
	if *quick {
		*sizes, *rounds = "8,50,1000", 1
	}
	r := report{rounds: *rounds, quick: *quick}
	for i := range families {
		f := &families[i]
		if *family != "" && *family != f.name {
			continue
		}
		fmt.Printf("\n# %s\n", f.name)
		for s := range strings.SplitSeq(*sizes, ",") {
			n := f.full
			if s != "full" {
				var err error
				if n, err = strconv.Atoi(s); err != nil || n < 2 {
					fmt.Fprintf(os.Stderr, "lpm: -sizes: %q is not a number of at least 2 routes\n", s)
					os.Exit(2)
				}
			}
			r.table(f, n, chosen(*only, n))
		}
	}
	r.summary()
	if r.wrong {
		os.Exit(1)
	}
}

// chosen returns the peers that are timed with n routes.
func chosen(only string, n int) []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool {
		named := slices.ContainsFunc(strings.Split(only, ","), func(s string) bool { return strings.Contains(p.name, s) })
		return !named || p.most > 0 && n > p.most
	})
}
