package directconnect

import (
	"slices"

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

// siteASN is the site's autonomous system number where none is given.
const siteASN = 65000

// out is where packets leave by a virtual interface. It leaves the TTL alone: hops are
// the routers' at either end (inferred from what a VPN does).
type out struct {
	id, name string
	mtu      int
	down     bool
	site     dataplane.Node // nil where what lies beyond is not modelled
}

// in is where packets from the site enter by an association.
type in struct {
	id, name string
	down     bool
	any      bool // the site is told of all that the gateway takes
	narrow   bool // or of what it takes in allowed
	allowed  []prefix
	to       remote.Entrance
}

// prefix is one that the site is told of, and its length.
type prefix struct {
	wire.Prefix
	bits int
}

// arrival is where packets from the site enter by a virtual interface: by the association
// whose gateway has told of a way to the destination.
type arrival struct {
	id, name string
	ids      []string // of the gateway's associations
	abroad   func(id string) dataplane.Node
}

// Outbound returns the node that takes packets to the site by a virtual interface.
func (a *Association) Outbound(_ *vpc.Compiler, via int) dataplane.Node {
	s := a.direct.site.Get()
	o := &out{id: a.ID(), name: a.direct.Label() + " virtual interface", mtu: plainMTU, down: !slices.Contains(a.ways(&s), via), site: a.site}
	switch {
	case via < len(s.lines):
		l := &s.lines[via]
		o.id, o.name, o.mtu = l.vif.ID(), l.vif.label(), l.vif.mtu
		if l.unknown() {
			o.site = nil
		}
	case a.direct.jumbo && transit(a.gateway):
		o.mtu = transitMTU
	case a.direct.jumbo:
		o.mtu = privateMTU
	}
	return o
}

// Inbound returns the node at which packets from the site enter, and has them enter by the
// virtual interfaces too.
func (a *Association) Inbound(c *vpc.Compiler, to remote.Entrance) remote.Entrance {
	s := a.direct.site.Get()
	i := &in{id: a.ID(), name: a.direct.Label() + " inbound", down: len(a.ways(&s)) == 0, to: to}
	i.tell(a, c)
	var ids []string
	for _, o := range s.associations {
		ids = append(ids, o.ID())
	}
	for k := range s.lines {
		v := s.lines[k].vif
		if s.lines[k].up(false) || s.lines[k].up(true) {
			c.EnterFromAbroad(v.ID(), &arrival{id: v.ID(), name: v.label() + " inbound", ids: ids, abroad: c.Abroad()})
		}
	}
	return i
}

// tell works out what the site is told of: of a transit gateway, the allowed prefixes as
// they are; of a virtual private gateway those CIDRs of its VPC that lie in one (Direct Connect guide, "Allowed prefixes interactions"). Without a Direct
// Connect gateway between them nothing is filtered.
func (i *in) tell(a *Association, c *vpc.Compiler) {
	if transit(a.gateway) {
		for _, p := range a.allowed {
			i.allowed = append(i.allowed, prefix{wire.PrefixFrom(p), p.Bits()})
		}
		return
	}
	i.any, i.narrow = a.direct.own, true
	v := vpcOf(c.Tx(), a.gateway)
	if v == nil {
		return
	}
	for _, cidr := range c.CIDRsOf(v) {
		for _, p := range a.allowed {
			if p.Bits() <= cidr.Bits() && p.Contains(cidr.Addr()) {
				i.allowed = append(i.allowed, prefix{wire.PrefixFrom(cidr), cidr.Bits()})
			}
		}
	}
}

// Name returns the interface's name and what it lies on, or the gateway's name and
// "virtual interface".
func (o *out) Name() string { return o.name }

// Resource returns the virtual interface's id, the association's where none is known.
func (o *out) Resource() string { return o.id }

// Forward sends a packet to the site. What is over the MTU is dropped, and nobody is told
// (inferred).
func (o *out) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case o.down:
		return dataplane.Drop(trace.DirectConnectDown)
	case o.site == nil:
		return dataplane.Drop(trace.Unmodelled)
	case p.Len() > o.mtu:
		return dataplane.Drop(trace.TooBig)
	}
	return dataplane.To(o.site)
}

// Name returns the gateway's name and "inbound".
func (i *in) Name() string { return i.name }

// Resource returns the association's id.
func (i *in) Resource() string { return i.id }

// Takes reports whether AWS has told the site of a way to dst.
func (i *in) Takes(dst wire.Addr) bool { return i.told(dst) >= 0 }

// told returns the length of the longest prefix to dst that AWS has told the site of, below
// 0 where there is none; 0 where nothing is filtered.
func (i *in) told(dst wire.Addr) int {
	longest := -1
	switch {
	case i.down:
		return longest
	case i.any && i.to.Takes(dst):
		return 0
	case i.any:
		return longest
	}
	for _, p := range i.allowed {
		if p.Contains(dst) {
			longest = max(longest, p.bits)
		}
	}
	if i.narrow && longest >= 0 && !i.to.Takes(dst) {
		return -1
	}
	return longest
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

// Name returns the virtual interface's name and "inbound".
func (r *arrival) Name() string { return r.name }

// Resource returns the virtual interface's id.
func (r *arrival) Resource() string { return r.id }

// Takes reports whether the site has been told of a way to dst by the virtual interface.
func (r *arrival) Takes(dst wire.Addr) bool { return r.toward(dst) != nil }

// toward returns where packets for dst enter, or nil: of associations whose prefixes have
// dst, that of the longest.
func (r *arrival) toward(dst wire.Addr) (to dataplane.Node) {
	longest := -1
	for _, id := range r.ids {
		if i, ok := r.abroad(id).(*in); ok {
			if n := i.told(dst); n > longest {
				to, longest = i, n
			}
		}
	}
	return to
}

// Forward hands a packet on to the association that leads to its destination.
func (r *arrival) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	if to := r.toward(p.Flow.Dst); to != nil {
		return dataplane.To(to)
	}
	return dataplane.Drop(trace.UnknownPrefix)
}
