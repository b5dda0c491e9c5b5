package vpctest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Network is a network that tests ask questions: loaded by [Load], or built ([World.Network]).
// It must not change meanwhile; [Network.With] makes another with changes. Its methods may be
// called from any goroutine, so that subtests may run in parallel: each question is asked on a
// life of the network of its own.
type Network struct {
	regions []*vpc.Region
	world   *world.World
	loaded  *load.Network // nil of a world that a test built
	dir     string
	changes []string
	config  reach.Config
	names   *intent.Names
	ports   *intent.Ports

	mu   sync.Mutex
	free []*reach.Prober // those that nobody is asking
}

// Load loads a folder of what the aws CLI printed of a network, or a Terraform plan; see
// package load. What can't be read fails the test.
func Load(t TB, path string) *Network {
	t.Helper()
	n, err := LoadNetwork(path, nil)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	return n
}

// LoadNetwork is Load for a network with changes to try ([reach.Overlay]): routes, rules,
// flags. It returns an error where the folder can't be read or AWS would refuse a change.
func LoadNetwork(path string, changes reach.Overlay) (*Network, error) {
	l, err := load.Open(path, load.Config{})
	if err != nil {
		return nil, err
	}
	if len(changes) > 0 {
		if l, err = l.With(changes); err != nil {
			return nil, err
		}
	}
	n := Of(l)
	n.dir = path
	for _, c := range changes {
		n.changes = append(n.changes, c.String())
	}
	return n, nil
}

// Of returns a loaded network as one to ask: of files that the test embeds (load.FS), say.
func Of(l *load.Network) *Network {
	n := newNetwork(l.World, reach.Config{LeftOut: l.Lacks})
	n.loaded = l
	return n
}

// Network returns the world as it is now as a network to ask. Guests that were booted
// in the world take no part in it: every running instance answers.
func (w *World) Network() *Network { return newNetwork(w.World, reach.Config{}) }

func newNetwork(w *world.World, c reach.Config) *Network {
	regions := w.Regions()
	return &Network{regions: regions, world: w, config: c, names: intent.NewNames(regions...), ports: intent.NewPorts(nil, regions...)}
}

// Assume returns the network with other assumptions about what no snapshot holds: open
// ports, what appliances do, the seed of random choices.
func (n *Network) Assume(c reach.Config) *Network {
	if c.LeftOut == nil {
		c.LeftOut = n.config.LeftOut
	}
	m := newNetwork(n.world, c)
	m.loaded, m.dir, m.changes = n.loaded, n.dir, n.changes
	return m
}

// With returns the network with changes made, each as [reach.Overlay] says, such as
// "rtb-1/0.0.0.0/0=none" or a call of the aws CLI. n stays as it is, and may be asked
// meanwhile. What AWS would refuse, or names nothing, fails the test; so does a world that a
// test built and that holds what no description tells (load.Of).
func (n *Network) With(t TB, changes ...string) *Network {
	t.Helper()
	m, err := n.with(changes)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	return m
}

func (n *Network) with(changes []string) (*Network, error) {
	o, err := reach.ParseOverlay(changes...)
	if err != nil {
		return nil, err
	}
	l := n.loaded
	if l == nil {
		if l, err = load.Of(n.world, load.Config{}); err != nil {
			return nil, err
		}
	}
	if l, err = l.With(o); err != nil {
		return nil, err
	}
	c := n.config
	c.LeftOut = l.Lacks
	m := newNetwork(l.World, c)
	m.loaded, m.dir, m.changes = l, n.dir, append(slices.Clone(n.changes), changes...)
	return m, nil
}

// Diff says what two networks answer differently about the traffic (each as in
// [Network.Ask]), from each running instance to each other interface, to the internet and
// from there: paths that are lost, gained, that pass other resources, that are seen as coming
// from another address. The text is a line a path, as of vpcsim diff, "" where nothing is
// different; it is good for [Golden].
func (n *Network) Diff(t TB, after *Network, traffic ...string) string {
	t.Helper()
	var questions []reach.Spec
	for _, what := range traffic {
		p, err := portOf(what)
		if err != nil {
			t.Fatalf("%v", err)
			return ""
		}
		for _, w := range []*world.World{n.world, after.world} {
			questions = append(append(questions, reach.AllPairs(w, p)...), reach.AcrossTheBorder(w, p)...)
		}
	}
	c, err := reach.Diff(reach.Side{World: n.world, Config: n.config}, reach.Side{World: after.world, Config: after.config}, questions)
	if err != nil {
		t.Fatalf("%v", err)
		return ""
	}
	return c.String()
}

// portOf reads icmp, tcp/443 or udp/53.
func portOf(traffic string) (reach.Port, error) {
	i, err := intent.ParseLine(fmt.Sprintf("a -> b %s reachable", traffic))
	if err != nil || i.Traffic.First != i.Traffic.Last || i.Traffic.Protocol == intent.Any || i.Traffic.Protocol != intent.ICMP && i.Traffic.Last == 0 {
		return reach.Port{}, fmt.Errorf("traffic %q: expected icmp, or a port such as tcp/443", traffic)
	}
	return reach.Port{Proto: string(i.Traffic.Protocol), Number: i.Traffic.First}, nil
}

// prober takes a prober to ask with; the caller gives it back.
func (n *Network) prober(t TB) *reach.Prober {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if last := len(n.free) - 1; last >= 0 {
		p := n.free[last]
		n.free = n.free[:last]
		return p
	}
	c := n.config
	c.Packets = true // for the capture of a failure
	p, err := reach.New(n.world, c)
	if err != nil {
		t.Fatalf("network: %v", err)
	}
	return p
}

func (n *Network) giveBack(p *reach.Prober) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = append(n.free, p)
}

// Ask says what ping (traffic "icmp"), nmap or curl ("tcp/443") or a datagram ("udp/53")
// from one end to the other would see, and all that stands in the way. A question that
// can't be asked fails the test.
func (n *Network) Ask(t TB, from, to, traffic string) reach.Verdict {
	t.Helper()
	port, err := portOf(traffic)
	if err != nil {
		t.Fatalf("%v", err)
		return reach.Verdict{}
	}
	p := n.prober(t)
	defer n.giveBack(p)
	q, err := p.Question(reach.Spec{From: from, To: to, Proto: port.Proto, Port: int(port.Number)})
	if err != nil {
		t.Fatalf("%v", err)
		return reach.Verdict{}
	}
	return p.Verdict(q)
}

// Where tells where a resource lies, for pictures.
func (n *Network) Where() func(id string) (picture.Place, bool) { return picture.Places(n.regions...) }

var _ TB = (testing.TB)(nil) // what tests have is what this package needs
