package vgw

import (
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// node is a compiled virtual private gateway. Its two sides are types over it. It
// leaves the TTL alone (measured: a site-to-site VPN takes one, at the customer's end).
type node struct {
	id      string
	out     string        // name of the outbound side
	cidrs   []wire.Prefix // of the VPC
	own     *vpc.Addresses
	beyond  *route.FIB[*ways]
	edge    dataplane.Node
	missing string // why there may be more links, "" where there are not
	untold  bool   // links may know of more prefixes than descriptions tell
	six     bool   // a link leads to IPv6: Direct Connect may, a VPN does not
	seed    flowtable.Seed
}

// ways are the nodes that lead to a prefix. There is no ECMP over tunnels: one of those
// that are alike is preferred, which Amazon chooses (Site-to-Site VPN guide, "Tunnel
// endpoint replacement"; re:Post, "Configure tunnel preference": at random). Over virtual
// interfaces alike flows are spread (Direct Connect guide, "Routing policies").
type ways struct {
	nodes  []dataplane.Node
	links  []string // ids, of the same index
	onward bool     // for other sites too: the way is known by BGP
	flows  bool     // a hash of each flow chooses
	hash   uint32
	text   string // prefix and link, for traces
}

type outbound node

// inbound is where packets enter from one link.
type inbound struct {
	*node
	name string
	link string // id; "" without a link, or where nothing goes on from it
}

// Compile makes the gateway's sides: its VPC's routes lead to the outbound one, links
// and the site to an inbound one each.
func (g *VirtualPrivateGateway) Compile(c *vpc.Compiler) {
	v := g.AttachedTo(c.Tx())
	if v == nil {
		return
	}
	label := c.LabelOf(g)
	n := &node{
		id: g.ID(), out: label + " outbound", own: c.Addresses(v), beyond: g.beyond(c), edge: c.Edge(v, g, false).Entry(),
		seed:    flowtable.NewSeed(c.Seed(g.ID())),
		missing: g.missing, untold: slices.ContainsFunc(g.links, func(l remote.Link) bool {
			u, ok := l.(remote.Untold)
			return ok && u.Untold(c.Tx())
		}),
	}
	n.six = slices.ContainsFunc(remote.Routes(c.Tx(), g.links), func(r remote.Route) bool { return r.Prefix.Addr().Is6() })
	for _, cidr := range c.CIDRsOf(v) {
		n.cidrs = append(n.cidrs, wire.PrefixFrom(cidr))
	}
	c.Enter(g, v, vpc.Entry{Node: (*outbound)(n)})
	c.EnterFromOutside(g, &inbound{n, label + " inbound", ""})
	for _, l := range g.links {
		from := &inbound{n, label + " inbound", l.ID()}
		if isolated(l) {
			from.link = ""
		}
		c.EnterFromAbroad(l.ID(), l.Inbound(c, from))
	}
}

// isolated reports whether packets of a link do not go on by another, nor another's by it.
func isolated(l remote.Link) bool {
	i, ok := l.(interface{ Isolated() bool })
	return ok && i.Isolated()
}

// beyond compiles the ways to all prefixes. The site that is connected without a link
// comes first, and last what is known, by a description, of no link: what becomes of
// packets for it is not modelled.
func (g *VirtualPrivateGateway) beyond(c *vpc.Compiler) *route.FIB[*ways] {
	var table route.Table[*ways]
	site := func(n dataplane.Node) {
		for _, p := range g.learned {
			table.Insert(p, &ways{nodes: []dataplane.Node{n}, links: []string{""}})
		}
	}
	if g.site == nil {
		site(c.Unmodelled(g))
	}
	for _, r := range remote.Routes(c.Tx(), g.links) {
		w := &ways{hash: uint32(c.Seed(g.ID() + r.Prefix.String())), text: r.Prefix.String() + " by " + r.Hops[0].Path.Kind.String()}
		for _, h := range r.Hops {
			w.nodes = append(w.nodes, h.Link.Outbound(c, h.Path.Via))
			w.links = append(w.links, h.Link.ID())
		}
		first := r.Hops[0]
		w.onward = first.Path.Kind != remote.VPNStatic && !isolated(first.Link)
		w.flows = first.Path.Kind == remote.DirectConnect
		table.Insert(r.Prefix, w)
	}
	if g.site != nil {
		site(g.site)
	}
	return table.Compile()
}

// Name returns the gateway's name and "outbound".
func (o *outbound) Name() string { return o.out }

// Resource returns the gateway's id.
func (o *outbound) Resource() string { return o.id }

// Forward sends a packet to the site: from a private address of an interface
// (Reachability Analyzer, VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS), to a prefix that
// the gateway knows. IPv6 goes by Direct Connect alone (Site-to-Site VPN guide,
// "Limitations"; Direct Connect guide, "Virtual interfaces").
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := (*node)(o)
	c.From = nil
	switch {
	case !p.Is4() && !n.six:
		return dataplane.Drop(trace.NoFamily)
	case !n.own.Has(p.Flow.Src):
		return dataplane.Drop(trace.ForeignSource)
	}
	w, ok := n.beyond.LookupPacked(p.Flow.Dst.Words())
	switch {
	case !ok && n.missing != "":
		c.NoteUntold(p, n.id, n.missing)
		return dataplane.Drop(trace.Unmodelled)
	case !ok && n.untold:
		return dataplane.Drop(trace.Unmodelled)
	case !ok:
		return dataplane.Drop(trace.UnknownPrefix)
	}
	k := n.choose(c, w, p.Flow)
	if c.Tracing() && w.text != "" {
		c.Note(p, trace.Step{Act: trace.Routed, Match: w.text, MatchID: w.links[k]})
	}
	return dataplane.To(w.nodes[k])
}

// Option names a way.
func (w *ways) Option(i int) (id, detail string) { return w.links[i], w.nodes[i].Name() }

// choose returns the index of the preferred way, or of the flow's.
func (n *node) choose(c *dataplane.Context, w *ways, f wire.Flow) int {
	if w.flows {
		hash := n.seed.Hash(f.Src, f.Dst, uint64(f.SrcPort)<<32|uint64(f.DstPort)<<16|uint64(f.Proto))
		return c.Choose(n.id, "virtual interface", hash, len(w.nodes), w)
	}
	return c.Choose(n.id, "tunnel", w.hash, len(w.nodes), w)
}

// Name returns the gateway's name and "inbound".
func (i *inbound) Name() string { return i.name }

// Resource returns the gateway's id.
func (i *inbound) Resource() string { return i.id }

// Forward takes a packet into the VPC: to a private address of an interface only
// (Reachability Analyzer, VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS), by the gateway
// route table. What is for another site goes on there where BGP tells of both
// (Site-to-Site VPN guide, "VPN CloudHub").
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From, c.Entered = nil, dataplane.ByPrivateGateway
	switch {
	case !p.Is4() && !i.six:
		return dataplane.Drop(trace.NoFamily)
	case i.own.Has(p.Flow.Dst):
		return dataplane.To(i.edge)
	}
	if w, ok := i.beyond.LookupPacked(p.Flow.Dst.Words()); ok && i.onward(w) {
		return dataplane.To(w.nodes[i.choose(c, w, p.Flow)])
	}
	return dataplane.Drop(trace.ForeignDestination)
}

// onward reports whether packets of this link go on by the ways.
func (i *inbound) onward(w *ways) bool {
	return i.link != "" && w.onward && !slices.Contains(w.links, i.link)
}

// Takes reports whether AWS has told the site of a way to dst: the VPC's CIDRs, and
// what other sites announce.
func (i *inbound) Takes(dst wire.Addr) bool {
	if slices.ContainsFunc(i.cidrs, func(p wire.Prefix) bool { return p.Contains(dst) }) {
		return true
	}
	w, ok := i.beyond.LookupPacked(dst.Words())
	return ok && i.onward(w)
}
