package vgw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// node is a compiled virtual private gateway. Its two sides are types over it. It
// leaves the TTL alone (measured: a site-to-site VPN takes one, at the customer's end).
type node struct {
	id      string
	out, in string // names of the sides
	own     *vpc.Addresses
	beyond  []wire.Prefix
	site    dataplane.Node
	edge    dataplane.Node
}

type (
	outbound node
	inbound  node
)

// Compile makes the gateway's sides: its VPC's routes lead to the outbound one, the
// site to the inbound one.
func (g *VirtualPrivateGateway) Compile(c *vpc.Compiler) {
	v := g.AttachedTo(c.Tx())
	if v == nil {
		return
	}
	label := c.LabelOf(g)
	n := &node{
		id: g.ID(), out: label + " outbound", in: label + " inbound", own: c.Addresses(v), site: g.site,
		edge: c.Edge(v, g, false).Entry(),
	}
	for _, p := range g.learned {
		n.beyond = append(n.beyond, wire.PrefixFrom(p))
	}
	c.Enter(g, v, vpc.Entry{Node: (*outbound)(n)})
	c.EnterFromOutside(g, (*inbound)(n))
}

// Name returns the gateway's name and "outbound".
func (o *outbound) Name() string { return o.out }

// Resource returns the gateway's id.
func (o *outbound) Resource() string { return o.id }

// Forward sends a packet to the site: IPv4, from a private address of an interface
// (Reachability Analyzer, VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS), to a prefix that
// the gateway knows.
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(o)
	c.From = nil
	switch {
	case !p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case !n.own.Has(p.Flow.Src):
		return dataplane.Drop(trace.ForeignSource)
	case n.site == nil || !n.knows(p.Flow.Dst):
		return dataplane.Drop(trace.UnknownPrefix)
	}
	return dataplane.To(n.site)
}

func (n *node) knows(a wire.Addr) bool {
	for _, p := range n.beyond {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Name returns the gateway's name and "inbound".
func (i *inbound) Name() string { return i.in }

// Resource returns the gateway's id.
func (i *inbound) Resource() string { return i.id }

// Forward takes a packet into the VPC: to a private address of an interface only
// (Reachability Analyzer, VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS), by the gateway
// route table.
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(i)
	c.From, c.Entered = nil, dataplane.ByPrivateGateway
	switch {
	case !p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case !n.own.Has(p.Flow.Dst):
		return dataplane.Drop(trace.ForeignDestination)
	}
	return dataplane.To(n.edge)
}
