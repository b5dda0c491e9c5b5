package vpn

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// MTU is the largest packet that a tunnel carries, in bytes (Site-to-Site VPN guide,
// "Quotas"). There is no path MTU discovery and there are no jumbo frames.
const MTU = 1446

// tunnelOut is where packets leave by a tunnel, nil site what is not modelled.
type tunnelOut struct {
	selectors
	id, name string
	down     trace.Reason // why nothing goes by it, None where it is up
	site     dataplane.Node
	abroad   func(id string) dataplane.Node // where the customer's device is an instance, else nil
}

// tunnelIn is where packets from the site enter.
type tunnelIn struct {
	selectors
	id, name string
	down     trace.Reason
	to       remote.Entrance
}

// Outbound returns the node of a tunnel.
func (v *Connection) Outbound(c *vpc.Compiler, via int) dataplane.Node {
	t := &tunnelOut{selectors: v.selectors(), id: v.ID(), name: v.tunnelName(c, via), down: v.down(via), site: v.site}
	if v.end != nil {
		t.abroad = c.Abroad()
	}
	return t
}

// Inbound returns the node at which packets from the site enter by the first tunnel
// that is up.
func (v *Connection) Inbound(c *vpc.Compiler, to remote.Entrance) remote.Entrance {
	via := 0
	if !v.tunnels[0].up && v.tunnels[1].up {
		via = 1
	}
	return &tunnelIn{selectors: v.selectors(), id: v.ID(), name: v.tunnelName(c, via) + " inbound", down: v.down(via), to: to}
}

func (v *Connection) tunnelName(c *vpc.Compiler, via int) string {
	return c.LabelOf(v) + [2]string{" tunnel 1", " tunnel 2"}[via]
}

func (v *Connection) down(via int) trace.Reason {
	switch {
	case v.untold:
		return mute
	case v.tunnels[via].up:
		return trace.None
	case v.transit():
		return trace.TransitVPNDown
	}
	return trace.VPNDown
}

// Name returns the connection's name and the tunnel's number.
func (t *tunnelOut) Name() string { return t.name }

// Resource returns the connection's id.
func (t *tunnelOut) Resource() string { return t.id }

// Forward sends a packet to the site and leaves its TTL alone (measured: labs). What
// is over the MTU is cut where it may be, else dropped, and nobody is told.
func (t *tunnelOut) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	to := t.end()
	switch {
	case t.down != trace.None:
		return dataplane.Drop(t.down)
	case !t.selects(p.Flow.Dst, p.Flow.Src):
		return dataplane.Drop(trace.VPNSelector)
	case to == nil:
		return dataplane.Drop(trace.Unmodelled)
	case p.Len() > MTU:
		return oversize(c, t, p)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(to)
}

// oversize cuts a packet that may be cut into fragments, which come to at again.
func oversize(c *dataplane.Context, at dataplane.Node, p *wire.Packet) dataplane.Next {
	if !p.Is4() || p.DontFragment() {
		return dataplane.Drop(trace.TooBig)
	}
	for _, part := range p.Split(MTU, 0) {
		c.Emit(at, part)
	}
	return dataplane.Drop(trace.Fragmented)
}

// Name returns the connection's name, the tunnel's number and "inbound".
func (t *tunnelIn) Name() string { return t.name }

// Resource returns the connection's id.
func (t *tunnelIn) Resource() string { return t.id }

// Forward hands a packet of the site's to the gateway. The customer's end cuts what is
// over the MTU as Amazon's does (Site-to-Site VPN guide, "Best practices").
func (t *tunnelIn) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case t.down != trace.None:
		return dataplane.Drop(t.down)
	case !t.carries(p):
		return dataplane.Drop(trace.VPNSelector)
	case p.Len() > MTU:
		return oversize(c, t, p)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(t.to)
}

// Takes reports whether the gateway takes packets for dst, and the tunnel is up.
func (t *tunnelIn) Takes(dst wire.Addr) bool {
	return (t.down == trace.None || t.down == mute) && t.to.Takes(dst)
}
