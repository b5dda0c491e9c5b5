// Command path times a packet's whole way, from a private host behind a NAT gateway
// behind an internet gateway to a server and back: vpcsim and what one could pick
// instead, in one run, taking turns.
//
//	go run ./path                      everything that runs here: three minutes
//	go run ./path -quick               ten seconds, to see that it runs and that all packets arrive right
//	go run ./path -peers vpcsim,XDP    some, by a part of their names
//
// Every packet that a path opens its flows with is checked on arrival: addresses,
// ports, payload and checksums, by code that shares nothing with any of the paths. It
// ends with status 1 where vpcsim loses or spoils one. Rows of the Linux kernel need
// root and are left out, with a word on it, elsewhere.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	rounds := flag.Int("rounds", 15, "how often each path has its turn")
	flows := flag.Int("flows", 50_000, "how many flows are many")
	only := flag.String("peers", "", "parts of the names of paths; empty: all")
	which := flag.String("cases", "", "parts of the names of cases; empty: all")
	quick := flag.Bool("quick", false, "few flows, one round")
	flag.Parse()
	if *quick {
		*rounds, *flows = 1, 2_000
	}
	if *rounds < 1 || *flows < 100 || *flows > maxFlows {
		fmt.Fprintf(os.Stderr, "path: want at least 1 round and 100 to %d flows\n", maxFlows)
		os.Exit(2)
	}
	ps := slices.DeleteFunc(peers(), func(p peer) bool { return !named(*only, p.name) })
	failed := false
	for _, c := range cases(*flows) {
		if named(*which, c.name) {
			failed = c.run(ps, *rounds) || failed
		}
	}
	if failed {
		os.Exit(1)
	}
}

func named(parts, name string) bool {
	return slices.ContainsFunc(strings.Split(parts, ","), func(s string) bool { return strings.Contains(name, s) })
}

// peers are all paths, ours first.
func peers() []peer {
	return append([]peer{
		{name: ours, open: openSimulated},
		{name: ours + ", batches of 64", open: openBatched},
		{name: "gopacket and maps", open: openObvious},
		{name: "gVisor min", open: func(c *setting) (path, error) { return openGvisor(c, false) }},
		{name: "gVisor full", open: func(c *setting) (path, error) { return openGvisor(c, true) }},
	}, kernelPeers()...)
}
