package tgw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// tunnelTTL is what the outer header of a packet in GRE begins with (inferred).
const tunnelTTL = 64

// tunnel is a Connect peer at the transport: which packets have come by it, and where what
// is inside goes on.
type tunnel struct {
	own, peer wire.Addr
	in        dataplane.Node
}

// tunnelOut is where packets leave for a Connect peer.
type tunnelOut struct {
	id, name string
	down     bool
	site     dataplane.Node // what lies beyond, past the appliance
	h        wire.Header    // around the packet; invalid addresses where no appliance is known
	out      dataplane.Node // into the transport's VPC
	buf      []byte         // the engine's goroutine's
}

// Outbound returns the node that takes packets to a peer.
func (x *Connect) Outbound(c *vpc.Compiler, via int) dataplane.Node {
	if via >= len(x.peers) {
		return &tunnelOut{id: x.ID(), name: c.LabelOf(x), down: !x.told || !x.transport.available(), site: x.site}
	}
	p := x.peers[via]
	t := &tunnelOut{id: p.ID(), name: c.LabelOf(p), down: p.down() || !x.transport.available(), site: x.site}
	if t.site == nil && x.transport.vpc != nil && p.terminates(c) {
		t.h = wire.Header{Src: addrOf(p.own), Dst: addrOf(p.peer), TTL: tunnelTTL, Proto: wire.ProtoGRE}
		place := x.transport.place(c)
		if d := place.door(place.zones.Of(t.h.Dst)); d != nil {
			t.out = d.out
		} else if len(place.doors) > 0 {
			t.out = place.doors[0].out
		}
	}
	return t
}

// terminates reports whether an interface of the transport's VPC has the peer's address.
func (p *ConnectPeer) terminates(c *vpc.Compiler) bool {
	return p.own.IsValid() && p.own.Is4() == p.peer.Is4() && c.Addresses(p.connect.transport.vpc).Has(addrOf(p.peer))
}

// Inbound returns the node at which the packets from beyond enter.
func (x *Connect) Inbound(c *vpc.Compiler, to remote.Entrance) remote.Entrance {
	return &connectIn{id: x.ID(), name: c.LabelOf(x) + " inbound", down: len(x.Ways(c.Tx())) == 0, to: to}
}

// tunnels are those of the peers that are up, by which packets come to in.
func (x *Connect) tunnels(in dataplane.Node) []tunnel {
	var list []tunnel
	for _, p := range x.peers {
		if !p.down() && p.own.IsValid() && p.peer.IsValid() {
			list = append(list, tunnel{own: addrOf(p.own), peer: addrOf(p.peer), in: in})
		}
	}
	return list
}

func addrOf(a netip.Addr) wire.Addr { return wire.AddrFrom(a) }

// Name returns the peer's name.
func (t *tunnelOut) Name() string { return t.name }

// Resource returns the peer's id.
func (t *tunnelOut) Resource() string { return t.id }

// Forward sends the packet to the appliance: inside another, which walks by itself from the
// interface of the transport in the appliance's zone (Transit Gateway guide, "Connect
// attachments"; the zone is inferred).
func (t *tunnelOut) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case t.down:
		return dataplane.Drop(trace.TransitBlackhole)
	case p.Len() > MTU:
		return dataplane.Drop(trace.TooBig)
	case t.site != nil:
		return dataplane.To(t.site)
	case t.out == nil:
		return dataplane.Drop(trace.Unmodelled)
	}
	inside := wire.EtherTypeIPv4
	if !p.Is4() {
		inside = wire.EtherTypeIPv6
	}
	t.buf = wire.AppendGRE(t.buf[:0], inside, p.Bytes())
	n := len(t.buf)
	t.buf = wire.AppendIP(t.buf, t.h, t.buf[:n])
	c.Emit(t.out, t.buf[n:])
	return dataplane.Drop(trace.Encapsulated)
}

// decapsulate takes a packet of a Connect peer's out of GRE. Whatever is not one, also GRE
// of other addresses, is traffic of the transport (Transit Gateway guide, "Connect
// attachments"); what is cut short is dropped.
func (n *ingress) decapsulate(c *dataplane.Context, p *wire.Packet) (dataplane.Next, bool) {
	for i := range n.tunnels {
		t := &n.tunnels[i]
		if p.Flow.Dst != t.own || p.Flow.Src != t.peer || p.Fragment != wire.Whole {
			continue
		}
		g := wire.GRE(p.Transport())
		if g.Check() != nil || g.Protocol() != wire.EtherTypeIPv4 && g.Protocol() != wire.EtherTypeIPv6 {
			return dataplane.Drop(trace.Malformed), true
		}
		c.Emit(t.in, g.Payload())
		return dataplane.Drop(trace.Decapsulated), true
	}
	return dataplane.Next{}, false
}

// connectIn is where packets come out of the tunnels, or from a site that is given.
type connectIn struct {
	id, name string
	down     bool
	to       remote.Entrance
}

// Name returns the attachment's name and "inbound".
func (i *connectIn) Name() string { return i.name }

// Resource returns the attachment's id.
func (i *connectIn) Resource() string { return i.id }

// Takes reports whether the gateway takes packets of the peers' for dst.
func (i *connectIn) Takes(dst wire.Addr) bool { return !i.down && i.to.Takes(dst) }

// Forward hands the packet on.
func (i *connectIn) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case i.down:
		return dataplane.Drop(trace.TransitBlackhole)
	case p.Len() > MTU:
		return dataplane.Drop(trace.TooBig)
	}
	return dataplane.To(i.to)
}
