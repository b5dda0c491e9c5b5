package vpctest

import (
	"fmt"
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
// It must not change meanwhile. Its methods may be called from any goroutine, so that
// subtests may run in parallel: each question is asked on a life of the network of its own.
type Network struct {
	regions []*vpc.Region
	world   *world.World
	dir     string
	config  reach.Config
	names   *intent.Names
	ports   *intent.Ports

	mu   sync.Mutex
	free []*reach.Prober // those that nobody is asking
}

// Load loads a folder of what the aws CLI printed of a network, or a Terraform plan as JSON;
// see package load. What
// can't be read fails the test.
func Load(t TB, dir string) *Network {
	t.Helper()
	n, err := LoadNetwork(dir, nil)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	return n
}

// LoadNetwork is Load for a network with changes to try ([reach.Overlay]): routes, rules,
// flags. It returns an error where the folder or plan can't be read or AWS would refuse a change.
func LoadNetwork(dir string, changes reach.Overlay) (*Network, error) {
	l, err := load.Open(dir, load.Config{})
	if err != nil {
		return nil, err
	}
	if err := changes.Apply(l.World); err != nil {
		return nil, err
	}
	return newNetwork(l.World, dir, reach.Config{}), nil
}

// Network returns the world as it is now as a network to ask. Guests that were booted
// in the world take no part in it: every running instance answers.
func (w *World) Network() *Network { return newNetwork(w.World, "", reach.Config{}) }

func newNetwork(w *world.World, dir string, c reach.Config) *Network {
	regions := w.Regions()
	return &Network{
		regions: regions, world: w, dir: dir, config: c, names: intent.NewNames(regions...), ports: intent.NewPorts(nil, regions...),
	}
}

// Assume returns the network with other assumptions about what no snapshot holds: open
// ports, what appliances do, the seed of random choices.
func (n *Network) Assume(c reach.Config) *Network { return newNetwork(n.world, n.dir, c) }

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
	i, err := intent.ParseLine(fmt.Sprintf("a -> b %s reachable", traffic))
	if err != nil || i.Traffic.First != i.Traffic.Last || i.Traffic.Protocol == intent.Any || i.Traffic.Protocol != intent.ICMP && i.Traffic.Last == 0 {
		t.Fatalf("traffic %q: expected icmp, or a port such as tcp/443", traffic)
		return reach.Verdict{}
	}
	p := n.prober(t)
	defer n.giveBack(p)
	q, err := p.Question(reach.Spec{From: from, To: to, Proto: string(i.Traffic.Protocol), Port: int(i.Traffic.First)})
	if err != nil {
		t.Fatalf("%v", err)
		return reach.Verdict{}
	}
	return p.Verdict(q)
}

// Where tells where a resource lies, for pictures.
func (n *Network) Where() func(id string) (picture.Place, bool) { return picture.Places(n.regions...) }

var _ TB = (testing.TB)(nil) // what tests have is what this package needs
