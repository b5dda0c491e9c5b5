// Package internet is what lies beyond a region's gateways: hosts known by their
// addresses, reached after a latency. The internet is one [Network]; a site behind
// a virtual private gateway is another. There are no routers inside it: what it is
// made of, nobody in a VPC can know.
package internet

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/internal/addrtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// DefaultLatency is the one-way latency of a Network whose Latency is 0.
const DefaultLatency = 10 * time.Millisecond

// Network is hosts beyond a gateway, and the way back to the gateways of regions.
// It belongs to the engine's goroutine.
type Network struct {
	// Label is how traces call it; it must be set before the first packet.
	Label string
	// Latency is the one-way latency between a gateway and any host; 0 is DefaultLatency.
	Latency time.Duration
	// Regions returns the node that takes packets for an address of a region, nil
	// for an address that none has. It is asked anew for every packet, so that a
	// change of a region compiles that region alone.
	Regions func(wire.Addr) dataplane.Node
	// Onward is Regions for packets that come from a gateway: what a site sends from one
	// gateway to another. nil is Regions: the internet.
	Onward func(wire.Addr) dataplane.Node
	// Anyone takes the packets for addresses that neither a station nor a region has,
	// as if there were a host at each; nil has them end as trace.NoSuchHost.
	Anyone dataplane.Guest

	engine   *dataplane.Engine
	stations addrtable.Table[*Station]
}

// New returns a network without hosts.
func New(e *dataplane.Engine, label string) *Network {
	return &Network{Label: label, engine: e}
}

// Name returns the network's label.
func (n *Network) Name() string { return n.Label }

// Forward takes a packet from a gateway: it delivers to the host that has the
// destination, or sends to the region that has it.
func (n *Network) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if n.Onward != nil {
		return n.forward(c, p, n.Onward)
	}
	return n.forward(c, p, n.Regions)
}

// forward is Forward with one of the ways to regions, which may be nil.
func (n *Network) forward(c *dataplane.Context, p *wire.Packet, regions func(wire.Addr) dataplane.Node) dataplane.Next {
	c.From = nil
	if s := n.stations.Lookup(p.Flow.Dst); s != nil {
		c.Latency += n.latency()
		if s.guest == nil {
			return dataplane.Drop(trace.NotAttached)
		}
		return c.Deliver(s)
	}
	if regions != nil {
		if in := regions(p.Flow.Dst); in != nil {
			return dataplane.To(in)
		}
	}
	if n.Anyone != nil {
		c.Latency += n.latency()
		return c.Deliver(n.Anyone)
	}
	return dataplane.Drop(trace.NoSuchHost)
}

func (n *Network) latency() time.Duration {
	if n.Latency == 0 {
		return DefaultLatency
	}
	return n.Latency
}

// Send walks an IP packet of a host that has no station: Anyone's. The bytes are copied.
func (n *Network) Send(ip []byte) trace.Reason { return n.engine.Send(outside{n}, ip) }

// Station is where one host is plugged in. Its link carries IP packets: no Ethernet.
type Station struct {
	network *Network
	guest   dataplane.Guest
	taps    []Tap
}

// Tap sees a station's packets, as tcpdump in the host would: out says whether the
// host sent it. The bytes are the tap's until it returns.
type Tap func(now time.Duration, out bool, ip []byte)

// Join takes addresses for a host and returns its station, into which the host is
// to be plugged. It reports false where an address is taken, and then nothing has
// changed.
func (n *Network) Join(addrs ...wire.Addr) (*Station, bool) {
	for _, a := range addrs {
		if n.stations.Lookup(a) != nil {
			return nil, false
		}
	}
	s := &Station{network: n}
	for _, a := range addrs {
		n.stations.Insert(a, s)
	}
	return s, true
}

// Plug puts a guest behind the station, nil pulls it out. Without one, packets for
// its addresses end as trace.NotAttached.
func (s *Station) Plug(g dataplane.Guest) { s.guest = g }

// Tap adds a listener to all packets of the station, both ways.
func (s *Station) Tap(t Tap) { s.taps = append(s.taps, t) }

// Send takes an IP packet from the host and walks it. The bytes are copied.
func (s *Station) Send(ip []byte) trace.Reason {
	s.tap(true, ip)
	return s.network.engine.Send(outside{s.network}, ip)
}

// Receive hands a delivered packet to the host.
func (s *Station) Receive(p *wire.Packet) trace.Reason {
	if s.guest == nil {
		return trace.NotAttached
	}
	s.tap(false, p.Bytes())
	return s.guest.Receive(p)
}

func (s *Station) tap(out bool, ip []byte) {
	for _, t := range s.taps {
		t(s.network.engine.Clock.Now(), out, ip)
	}
}

// outside is where a station's packets begin: the latency to the gateway is theirs too.
type outside struct{ *Network }

// Forward is the Network's own for hosts, after the latency.
func (o outside) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	next := o.forward(c, p, o.Regions)
	if next.Node() != nil {
		c.Latency += o.latency()
		c.Outset()
	}
	return next
}
