package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// path is one implementation of the network, with one way of time.
type path interface {
	// send walks the packets in their order, out or back, hands each that arrives to
	// got where that is not nil, and returns how many arrived and the CPU time taken.
	// Flows live on or idle out as the setting asks.
	send(packets [][]byte, back bool, got func(ip []byte)) (arrived int, cpu time.Duration, err error)
	close()
}

// setting is what a path has to be opened for.
type setting struct {
	flows int  // that live at once
	churn bool // each packet begins a flow, and the oldest idles out
}

// peer is an implementation to compare.
type peer struct {
	name string
	open func(*setting) (path, error)
}

// ours is the name of what the ratios are about.
const ours = "vpcsim"

// errLeftOut is why a path does not have a case, or not on this machine.
var errLeftOut = errors.New("left out")

// How many packets one turn walks, before it is timed and timed: all flows once, and at
// least so many of one flow.
const (
	warmUp        = 2_000
	packetsOfOne  = 20_000
	newInOneRound = 10_000
)

// benchCase is one table of the report.
type benchCase struct {
	name string
	setting
	back bool
}

func cases(many int) []benchCase {
	n := thousands(many)
	return []benchCase{
		{name: "established, 1 flow", setting: setting{flows: 1}},
		{name: "established, " + n + " flows", setting: setting{flows: many}},
		{name: "return, 1 flow", setting: setting{flows: 1}, back: true},
		{name: "return, " + n + " flows", setting: setting{flows: many}, back: true},
		{name: "new flow, steady churn at " + n + " live", setting: setting{flows: many, churn: true}},
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// opened is a path at work.
type opened struct {
	name string
	path
	packets [][]byte // what it is timed with; nil for churn
	next    int      // number of the next new flow
	ns      []float64
	alloc   []float64 // allocations a packet
}

// run opens the paths, gives them their turns and prints the case's table. It reports
// whether ours failed.
func (c *benchCase) run(ps []peer, rounds int) (failed bool) {
	fmt.Printf("\n## %s\n\n", c.name)
	var os []*opened
	for _, p := range ps {
		o, err := c.open(p)
		if err != nil {
			fmt.Printf("%s: %v\n\n", p.name, err)
			failed = failed || p.name == ours
			continue
		}
		defer o.close()
		os = append(os, o)
	}
	rng := rand.New(rand.NewPCG(1, uint64(c.flows)))
	for round := range rounds {
		for k := range os {
			o := os[(k+round)%len(os)]
			if err := c.turn(o, rng); err != nil {
				fmt.Printf("**%s: %v**\n\n", o.name, err)
				failed = failed || o.name == ours
			}
		}
	}
	printCase(os)
	return failed
}

// open opens a path with its flows, checking each packet that arrives.
func (c *benchCase) open(p peer) (o *opened, err error) {
	s := c.setting
	o = &opened{name: p.name}
	if o.path, err = p.open(&s); err != nil {
		return nil, err
	}
	var requests [][]byte
	for range c.flows {
		requests = append(requests, request(o.next))
		o.next++
	}
	answers, err := checkOut(o.path, requests)
	if err == nil && !c.churn {
		err = checkBack(o.path, answers)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	switch {
	case c.churn:
	case c.back:
		o.packets = answers
	default:
		o.packets = requests
	}
	return o, nil
}

// turn times one pass over the flows, each time in another order: a branch predictor
// learns even a long list by heart. A short pass before it brings the path's code and
// what it knows back into the caches.
func (c *benchCase) turn(o *opened, rng *rand.Rand) error {
	rng.Shuffle(len(o.packets), func(i, j int) { o.packets[i], o.packets[j] = o.packets[j], o.packets[i] })
	packets := inARow(o.packets)
	switch {
	case c.churn:
		packets = nil
		for range warmUp + min(newInOneRound, c.flows) {
			packets = append(packets, request(o.next))
			o.next++
		}
		if err := c.pass(o, packets[:warmUp], false); err != nil {
			return err
		}
		packets = inARow(packets[warmUp:])
	default:
		if c.flows == 1 {
			packets = slices.Repeat(packets, packetsOfOne)
		}
		if err := c.pass(o, packets[:min(warmUp, len(packets))], false); err != nil {
			return err
		}
	}
	return c.pass(o, packets, true)
}

// pass sends packets and keeps what it took where that is asked.
func (c *benchCase) pass(o *opened, packets [][]byte, keep bool) error {
	before := mallocs()
	arrived, cpu, err := o.send(packets, c.back, nil)
	if err != nil {
		return err
	}
	if arrived != len(packets) {
		return fmt.Errorf("%d of %d packets arrived", arrived, len(packets))
	}
	if keep {
		o.alloc = append(o.alloc, float64(mallocs()-before)/float64(arrived))
		o.ns = append(o.ns, float64(cpu.Nanoseconds())/float64(arrived))
	}
	return nil
}

// inARow returns copies of packets, in memory one behind the other, as a network card
// leaves them: what is timed is the paths' memory, not ours.
func inARow(packets [][]byte) [][]byte {
	all := slices.Concat(packets...)
	row := make([][]byte, len(packets))
	for i := range packets {
		row[i], all = all[:len(packets[i]):len(packets[i])], all[len(packets[i]):]
	}
	return row
}
