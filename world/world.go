// Package world puts the parts together: regions, the internet, one clock and one
// engine. It is what a test, an example or a tool holds.
//
//	w := world.New(world.Config{})
//	r := w.Region(vpc.RegionConfig{Name: "ap-northeast-3"})
//	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
//	…
//	a, err := w.Boot(instance, host.Config{Name: "a"})
//	fmt.Print(a.Ping(b.Addr(), host.PingConfig{Count: 3}))
package world

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/internet"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/resolver"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Config says what a world is like. The zero value will do.
type Config struct {
	// Seed makes everything that is chosen at random (ids, ports, identifiers)
	// differ; the same seed and calls give the same run, byte for byte.
	Seed uint64
	// InternetLatency is the one-way latency to a host on the internet; 0 is
	// internet.DefaultLatency.
	InternetLatency time.Duration
}

// World is regions and an internet on one clock and one engine. It belongs to one
// goroutine; the control plane of its regions may be called from any.
type World struct {
	// Clock is the simulated time, Engine what carries packets.
	Clock  *clock.Clock
	Engine *dataplane.Engine
	// Internet is what lies beyond the internet gateways.
	Internet *internet.Network
	// Resolver knows the names of the regions and of the internet.
	Resolver *resolver.Resolver

	seed   uint64
	lives  []*vpc.Live
	guests map[*vpc.NetworkInterface]*host.Host // where Boot and Plug put each
}

// New returns a world with an empty internet and no region.
func New(c Config) *World {
	w := &World{Clock: &clock.Clock{}, seed: c.Seed, guests: map[*vpc.NetworkInterface]*host.Host{}}
	w.Engine = &dataplane.Engine{Clock: w.Clock, Seed: c.Seed}
	w.Internet = internet.New(w.Engine, "internet")
	w.Internet.Latency = c.InternetLatency
	w.Internet.Regions = w.public
	w.Resolver = resolver.New(func() []*vpc.Live { return w.lives })
	return w
}

// public finds the gateway that takes packets for an address of a region.
func (w *World) public(a wire.Addr) dataplane.Node {
	for _, l := range w.lives {
		if n := l.Snapshot().Public(a); n != nil {
			return n
		}
	}
	return nil
}

// abroad finds where packets of a connection between regions enter at its other end.
func (w *World) abroad(id string) dataplane.Node {
	for _, l := range w.lives {
		if n := l.Snapshot().Outside(id); n != nil {
			return n
		}
	}
	return nil
}

// Region makes a region and brings it to life.
func (w *World) Region(c vpc.RegionConfig) *vpc.Region {
	if c.Seed == 0 {
		c.Seed = w.seed<<8 + uint64(len(w.lives)) + 1
	}
	r := vpc.NewRegion(c)
	w.Add(r)
	return r
}

// Add brings a region that exists to life in this world and returns its life.
func (w *World) Add(r *vpc.Region) *vpc.Live {
	l := vpc.NewLive(r, w.Engine, vpc.LiveConfig{Uplink: w.Internet, Abroad: w.abroad, Seed: w.seed})
	w.lives = append(w.lives, l)
	w.serveMetadata(l)
	w.Resolver.Serve(l, w.Engine)
	return l
}

// Regions returns the regions of the world, in the order in which they came to it.
func (w *World) Regions() []*vpc.Region {
	regions := make([]*vpc.Region, len(w.lives))
	for i, l := range w.lives {
		regions[i] = l.Region()
	}
	return regions
}

// Live returns the region's life in this world, nil where it has none.
func (w *World) Live(r *vpc.Region) *vpc.Live {
	for _, l := range w.lives {
		if l.Region() == r {
			return l
		}
	}
	return nil
}

// Boot starts a Linux guest on an instance: one interface of the guest for each of
// the instance's, configured as DHCP and the metadata service would.
func (w *World) Boot(i *vpc.Instance, c host.Config) (*host.Host, error) {
	if w.Live(i.Region()) == nil {
		return nil, fmt.Errorf("world: instance %s is in a region of another world", i.ID())
	}
	if c.Name == "" {
		c.Name = i.Label()
	}
	h := host.New(w.Engine, c)
	for _, n := range i.Interfaces() {
		if err := w.Plug(h, n); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Plug puts an interface into a guest, as attaching it to the running instance does.
// A guest that it was in before loses it.
func (w *World) Plug(h *host.Host, n *vpc.NetworkInterface) error {
	port, c, err := w.NIC(n)
	if err != nil {
		return err
	}
	w.Unplug(n)
	nic, err := h.AddNIC(c)
	if err != nil {
		return err
	}
	port.Plug(nic)
	w.guests[n] = h
	return nil
}

// Unplug takes an interface out of the guest behind it, as detaching it from the
// running instance does. A Linux guest that Boot or Plug put it into loses its
// addresses and routes with it and is returned; else Unplug returns nil.
func (w *World) Unplug(n *vpc.NetworkInterface) *host.Host {
	if l := w.Live(n.Region()); l != nil {
		if port := l.Port(n); port != nil {
			port.Plug(nil)
		}
	}
	h := w.guests[n]
	if h == nil {
		return nil
	}
	delete(w.guests, n)
	for _, nic := range h.NICs() {
		if nic.MAC() == n.MAC() {
			h.RemoveNIC(nic)
		}
	}
	return h
}

// NIC returns the port of an interface, for a guest to be plugged into, and what
// DHCP and the metadata service tell that guest.
func (w *World) NIC(n *vpc.NetworkInterface) (*eni.Port, host.NICConfig, error) {
	l := w.Live(n.Region())
	if l == nil {
		return nil, host.NICConfig{}, fmt.Errorf("world: interface %s is in a region of another world", n.ID())
	}
	port := l.Port(n)
	if port == nil {
		return nil, host.NICConfig{}, fmt.Errorf("world: interface %s does not exist", n.ID())
	}
	s := n.Subnet()
	c := host.NICConfig{Link: port, MAC: n.MAC(), Gateway: s.Gateway4()}
	for _, a := range n.PrivateAddresses() {
		c.Addrs = append(c.Addrs, netip.PrefixFrom(a.IP, s.CIDR().Bits()))
	}
	for _, a := range n.IPv6() {
		c.Addrs = append(c.Addrs, netip.PrefixFrom(a, s.IPv6().Bits()))
		c.Gateway6 = s.IPv6().Addr().Next()
	}
	c.Nameservers, c.Search = nameservers(s.VPC())
	return port, c, nil
}

// OnInternet starts a Linux guest on the internet with the given public addresses.
func (w *World) OnInternet(c host.Config, addrs ...netip.Addr) (*host.Host, error) {
	return w.At(w.Internet, c, addrs...)
}

// outsideMTU is the MTU of hosts outside of VPCs, Ethernet's, in bytes.
const outsideMTU = 1500

// Site puts a network of hosts, such as a company's own, beyond a virtual private
// gateway and returns it; the gateway learns the prefixes.
func (w *World) Site(g *vgw.VirtualPrivateGateway, label string, prefixes ...netip.Prefix) (*internet.Network, error) {
	n, err := w.beyond(g.Region(), g.ID(), label)
	if err != nil {
		return nil, err
	}
	in := n.Regions
	n.Onward = func(dst wire.Addr) dataplane.Node { return taking(in(dst), dst) }
	return n, g.Connect(n, prefixes...)
}

// Service puts a network of hosts beyond a gateway endpoint, in the place of the
// service that is built in, and returns it. Its hosts have addresses of the endpoint's
// prefix list; see [World.At].
func (w *World) Service(e *endpoint.Endpoint, label string) (*internet.Network, error) {
	n, err := w.beyond(e.Region(), e.ID(), label)
	if err != nil {
		return nil, err
	}
	if err := e.Connect(n); err != nil {
		return nil, err
	}
	var own []wire.Prefix
	for _, p := range e.PrefixList().Entries() {
		own = append(own, wire.PrefixFrom(p))
	}
	back := n.Regions
	n.Regions = func(a wire.Addr) dataplane.Node {
		if slices.ContainsFunc(own, func(p wire.Prefix) bool { return p.Contains(a) }) {
			return nil // a host of the service's that is not there
		}
		return back(a)
	}
	return n, nil
}

// beyond returns a network whose packets enter a region by the gateway with the id.
func (w *World) beyond(r *vpc.Region, id, label string) (*internet.Network, error) {
	l := w.Live(r)
	if l == nil {
		return nil, fmt.Errorf("world: gateway %s is in a region of another world", id)
	}
	n := internet.New(w.Engine, label)
	n.Regions = func(wire.Addr) dataplane.Node { return l.Snapshot().Outside(id) }
	return n, nil
}

// taking returns the entrance where AWS has told of a way to dst there, else nil: a site
// sends nothing back where it has come from.
func taking(in dataplane.Node, dst wire.Addr) dataplane.Node {
	if e, ok := in.(remote.Entrance); ok && e.Takes(dst) {
		return e
	}
	return nil
}

// Behind puts a network of hosts, a site of one's own, beyond links such as VPN
// connections and Direct Connect associations, of any of the world's regions, and
// returns it. It sends by the first link by which AWS has told it of a way to the
// destination.
func (w *World) Behind(label string, links ...remote.Connector) (*internet.Network, error) {
	n := internet.New(w.Engine, label)
	lives := make([]*vpc.Live, len(links))
	for i, l := range links {
		if lives[i] = w.Live(l.Region()); lives[i] == nil {
			return nil, fmt.Errorf("world: link %s is in a region of another world", l.ID())
		}
	}
	for _, l := range links {
		if err := l.Connect(n); err != nil {
			return nil, err
		}
	}
	n.Onward = func(dst wire.Addr) dataplane.Node {
		for i, l := range links {
			if in := taking(lives[i].Snapshot().Outside(l.ID()), dst); in != nil {
				return in
			}
		}
		return nil
	}
	n.Regions = func(dst wire.Addr) dataplane.Node {
		if in := n.Onward(dst); in != nil {
			return in
		}
		for i, l := range links {
			if in := lives[i].Snapshot().Outside(l.ID()); in != nil {
				return in
			}
		}
		return nil
	}
	return n, nil
}

// At starts a Linux guest at a site with the given addresses.
func (w *World) At(site *internet.Network, c host.Config, addrs ...netip.Addr) (*host.Host, error) {
	station, nc, err := w.Join(site, addrs...)
	if err != nil {
		return nil, err
	}
	h := host.New(w.Engine, c)
	nic, err := h.AddNIC(nc)
	if err != nil {
		return nil, err
	}
	station.Plug(nic)
	return h, nil
}

// Join takes addresses at a site, or on the internet, for a host, and returns the
// station, for a guest to be plugged into, and what that guest is configured with.
func (w *World) Join(site *internet.Network, addrs ...netip.Addr) (*internet.Station, host.NICConfig, error) {
	station, err := w.join(site, addrs)
	if err != nil {
		return nil, host.NICConfig{}, err
	}
	c := host.NICConfig{Link: station, PointToPoint: true, MTU: outsideMTU}
	for _, a := range addrs {
		c.Addrs = append(c.Addrs, netip.PrefixFrom(a, a.BitLen()))
		if a.Is4() {
			c.Gateway = a
		} else {
			c.Gateway6 = a
		}
	}
	return station, c, nil
}

func (w *World) join(network *internet.Network, addrs []netip.Addr) (*internet.Station, error) {
	packed := make([]wire.Addr, len(addrs))
	for i, a := range addrs {
		packed[i] = wire.AddrFrom(a)
		if !a.IsValid() || network == w.Internet && w.public(packed[i]) != nil {
			return nil, fmt.Errorf("world: address %v is no address of a host of %s: invalid, or a region's", a, network.Label)
		}
	}
	station, ok := network.Join(packed...)
	if !ok || len(addrs) == 0 {
		return nil, fmt.Errorf("world: addresses %v: expected at least one, none of them taken", addrs)
	}
	return station, nil
}

// Trace has every walk kept from now on and returns the log.
func (w *World) Trace() *trace.Log {
	if w.Engine.Log == nil {
		w.Engine.Log = &trace.Log{}
	}
	return w.Engine.Log
}

// Run lets d of simulated time pass.
func (w *World) Run(d time.Duration) {
	w.Clock.Run(w.Clock.Now() + d)
	for _, l := range w.lives {
		l.Region().Advance(w.Clock.Now())
	}
}
