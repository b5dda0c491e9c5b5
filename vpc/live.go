package vpc

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/wire"
)

// Live is a region brought to life on one engine: its present snapshot and its
// live state. It belongs to the engine's goroutine. Several Lives of one region,
// each on an engine of its own, share configuration and no state.
type Live struct {
	region   *Region
	engine   *dataplane.Engine
	uplink   dataplane.Node
	abroad   func(id string) dataplane.Node
	services []servedAt
	resolver eni.Service
	snapshot *Snapshot
	age      uint64           // the region's changes when snapshot was compiled
	state    map[string]*held // by the resource's id
	parts    int              // how many parts they have together
	asked    int              // for how many of them the last compilation asked
	compiled uint64           // how often a snapshot was compiled
	seed     uint64
}

type servedAt struct {
	addr    wire.Addr
	service eni.Service
}

// StateKey names a kind of live state, such as a NAT gateway's sessions, and says
// what type it is of. Packages declare theirs as constants:
//
//	const sessions vpc.StateKey[nat.Masquerade] = "sessions"
type StateKey[T any] string

// held is the live state of one resource, of one kind or a few.
type held struct {
	parts    []part
	compiled uint64 // the last compilation that asked for it
}

type part struct {
	what     string
	value    any
	compiled uint64 // the last compilation that asked for it
}

// of returns the state of one kind, nil where there is none.
func (h *held) of(what string) *part {
	for i := range h.parts {
		if h.parts[i].what == what {
			return &h.parts[i]
		}
	}
	return nil
}

// LiveConfig says what surrounds a region.
type LiveConfig struct {
	// Uplink is the internet's node; nil is nobody there.
	Uplink dataplane.Node
	// Abroad returns the node at which the present snapshot of a region on the engine
	// takes packets that come by a connection with the given id (see
	// [Compiler.EnterFromAbroad]), nil where none does. It is asked anew for every packet:
	// between regions nothing is linked. nil is a region by itself.
	Abroad func(id string) dataplane.Node
	// Seed makes the choices of live state differ, such as the ports of NAT gateways.
	Seed uint64
}

// NewLive brings a region to life on the engine.
func NewLive(r *Region, e *dataplane.Engine, c LiveConfig) *Live {
	return &Live{region: r, engine: e, uplink: c.Uplink, abroad: c.Abroad, seed: c.Seed, state: map[string]*held{}}
}

// Serve has a service of the platform answer at an address in every subnet. It
// must be called before the first packet.
func (l *Live) Serve(a wire.Addr, s eni.Service) {
	l.services = append(l.services, servedAt{a, s})
	l.snapshot = nil
}

// Region returns the region.
func (l *Live) Region() *Region { return l.region }

// Snapshot returns the region as it is now, compiled if it has changed. Where it
// has not, it neither locks nor allocates.
func (l *Live) Snapshot() *Snapshot {
	if l.snapshot != nil && l.age == l.region.changes.Load() {
		return l.snapshot
	}
	l.region.mu.Lock()
	defer l.region.mu.Unlock()
	l.region.Advance(l.engine.Clock.Now())
	l.age = l.region.changes.Load()
	l.snapshot = compile(l)
	l.engine.ForgetFlows()
	return l.snapshot
}

// Interface returns the compiled interface in force now, nil where it is gone.
func (l *Live) Interface(n *NetworkInterface) *eni.Interface { return l.Snapshot().interfaces[n.id] }

// Port returns the port of an interface, where a guest is plugged in and frames
// are sent; nil where the interface is gone. It stays the same for the
// interface's life.
func (l *Live) Port(n *NetworkInterface) *eni.Port {
	if i := l.Interface(n); i != nil {
		return i.Port
	}
	return nil
}

// Seed returns the seed for choices of live state, such as a NAT gateway's ports.
func (l *Live) Seed() uint64 { return l.seed }

// newPort makes a port that looks its interface up once a snapshot.
func (l *Live) newPort(id string) *eni.Port {
	var in *Snapshot
	var i *eni.Interface
	return eni.NewPort(l.engine, func() *eni.Interface {
		if s := l.Snapshot(); s != in {
			in, i = s, s.interfaces[id]
		}
		return i
	})
}

// State returns a resource's live state of the given kind: what it had in the
// snapshot before, or what make makes. State that no compilation asks for is
// dropped: it dies with its resource. It panics where the resource has state of
// another type by the same name.
func State[T any](c *Compiler, id string, what StateKey[T], make func() *T) *T {
	return stateIn(c, c.live.hold(id), id, what, make)
}

// hold returns the live state of a resource, which the present compilation asks for.
func (l *Live) hold(id string) *held {
	h := l.state[id]
	if h == nil {
		h = &held{}
		l.state[id] = h
	}
	h.compiled = l.compiled
	return h
}

// stateIn is State of the resource that holds h.
func stateIn[T any](c *Compiler, h *held, id string, what StateKey[T], make func() *T) *T {
	l := c.live
	p := h.of(string(what))
	if p == nil {
		h.parts = append(h.parts, part{string(what), make(), l.compiled})
		l.parts, l.asked = l.parts+1, l.asked+1
		return h.parts[len(h.parts)-1].value.(*T)
	}
	s, ok := p.value.(*T)
	if !ok {
		panic(fmt.Sprintf("vpc: the state %q of %s is a %T, not a %T", what, id, p.value, s))
	}
	if p.compiled != l.compiled {
		p.compiled = l.compiled
		l.asked++
	}
	return s
}

// dropState drops the state that the last compilation did not ask for.
func (l *Live) dropState() {
	if l.asked == l.parts {
		return
	}
	l.parts = l.asked
	for id, h := range l.state {
		if h.compiled != l.compiled {
			delete(l.state, id)
			continue
		}
		h.parts = slices.DeleteFunc(h.parts, func(p part) bool { return p.compiled != l.compiled })
	}
}

// Forget has the resource with the given id forget the packets that it has seen:
// tracked flows, sessions, choices. It calls Reset of each of the resource's live
// states that has such a method; afterwards the resource is as it was before the first
// packet. Who asks many questions of one network has each begin alike by it. Its cost
// is that of what there is to forget.
func (l *Live) Forget(id string) {
	l.engine.ForgetFlows()
	if h := l.state[id]; h != nil {
		for _, p := range h.parts {
			if s, ok := p.value.(interface{ Reset() }); ok {
				s.Reset()
			}
		}
	}
}

// StateOf returns a resource's live state of the given kind, nil where it has none.
func StateOf[T any](l *Live, id string, what StateKey[T]) *T {
	l.Snapshot()
	if h := l.state[id]; h != nil {
		if p := h.of(string(what)); p != nil {
			s, _ := p.value.(*T)
			return s
		}
	}
	return nil
}

// Seed returns a seed for the choices of the resource with the given id: the same
// for the same world and id.
func (c *Compiler) Seed(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64() ^ c.live.seed*0x9e3779b97f4a7c15
}

// Now returns the simulated time.
func (l *Live) Now() time.Duration { return l.engine.Clock.Now() }
