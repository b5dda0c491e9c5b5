package directconnect

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// What virtual interfaces carry, in bytes (Direct Connect guide, "MTUs").
const (
	plainMTU   = 1500
	privateMTU = 9001 // a private one with jumbo frames
	transitMTU = 8500 // a transit one with jumbo frames
)

// out is where packets leave by a virtual interface. It leaves the TTL alone: hops are
// the routers' at either end (inferred from what a VPN does).
type out struct {
	id, name string
	mtu      int
	site     dataplane.Node
}

// in is where packets from the site enter.
type in struct {
	id, name string
	down     bool
	all      bool // allowed is no filter
	allowed  []wire.Prefix
	to       remote.Entrance
}

// Outbound returns the node that takes packets to the site.
func (a *Association) Outbound(*vpc.Compiler, int) dataplane.Node {
	o := &out{id: a.ID(), name: a.direct.id + " virtual interface", mtu: plainMTU, site: a.site}
	switch {
	case a.direct.jumbo && transit(a.gateway):
		o.mtu = transitMTU
	case a.direct.jumbo:
		o.mtu = privateMTU
	}
	return o
}

// Inbound returns the node at which packets from the site enter.
func (a *Association) Inbound(_ *vpc.Compiler, to remote.Entrance) remote.Entrance {
	i := &in{id: a.ID(), name: a.direct.id + " inbound", down: a.direct.site.Get().down, all: len(a.allowed) == 0, to: to}
	for _, p := range a.allowed {
		i.allowed = append(i.allowed, wire.PrefixFrom(p))
	}
	return i
}

// Name returns the gateway's id and "virtual interface".
func (o *out) Name() string { return o.name }

// Resource returns the association's id.
func (o *out) Resource() string { return o.id }

// Forward sends a packet to the site. What is over the MTU is dropped, and nobody is told
// (inferred).
func (o *out) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case o.site == nil:
		return dataplane.Drop(trace.Unmodelled)
	case p.Len() > o.mtu:
		return dataplane.Drop(trace.TooBig)
	}
	return dataplane.To(o.site)
}

// Name returns the gateway's id and "inbound".
func (i *in) Name() string { return i.name }

// Resource returns the association's id.
func (i *in) Resource() string { return i.id }

// Takes reports whether AWS has told the site of a way to dst.
func (i *in) Takes(dst wire.Addr) bool {
	if i.down {
		return false
	}
	for _, p := range i.allowed {
		if p.Contains(dst) {
			return i.to.Takes(dst)
		}
	}
	return i.all && i.to.Takes(dst)
}

// Forward hands a packet of the site's to the gateway, where the site has been told of a
// way to its destination; else no router of the site's would have sent it.
func (i *in) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	if !i.Takes(p.Flow.Dst) {
		return dataplane.Drop(trace.UnknownPrefix)
	}
	return dataplane.To(i.to)
}
