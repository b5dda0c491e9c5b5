package lgw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// outbound is the side that a VPC's routes lead to. A local gateway takes one from the
// TTL on either way, as a router between two networks does (inferred).
type outbound struct {
	id, name string
	table    string // label of the route table
	tableID  string
	subnets  map[string]bool // ids of those on the Outpost
	routes   *route.FIB[*target]
	static   *nat.Static // nil without customer-owned IP addresses
	bare     *route.FIB[bool]
}

// target is what a route of a local gateway's table leads to; without a node it is a
// black hole.
type target struct {
	node   dataplane.Node
	text   string // the route in words
	dst    string
	target string // id
}

// inbound is where packets of the on-premises network enter.
type inbound struct {
	id, name string
	routes   *route.FIB[*entrance]
}

// entrance is the way in for a prefix.
type entrance struct {
	to     dataplane.Node   // nil is a black hole
	hosts  *route.FIB[bool] // the instances' addresses; nil is any
	static *nat.Static      // the translation back, or nil
}

// Compile makes a side for each VPC and one for the on-premises network.
func (g *LocalGateway) Compile(c *vpc.Compiler) {
	site := g.site
	if site == nil {
		site = c.Unmodelled(g)
	}
	var in route.Table[*entrance]
	for _, t := range g.tables {
		static := map[netip.Prefix]bool{}
		for _, r := range t.routes {
			if r.nic != nil {
				static[r.dst] = true
				in.Insert(r.dst, &entrance{to: t.toward(c, r.nic)})
			}
		}
		for _, a := range t.associations {
			o := t.side(c, a.vpc, site)
			t.admit(c, a.vpc, o, &in, static)
			c.Enter(g, a.vpc, vpc.Entry{Node: o})
		}
	}
	c.EnterFromOutside(g, &inbound{g.ID(), c.LabelOf(g) + " inbound", in.Compile()})
}

// toward returns the interface's node while it is attached to an instance that runs
// (Outposts guide, "Local gateway route table routes"), else nil.
func (t *RouteTable) toward(c *vpc.Compiler, n *vpc.NetworkInterface) dataplane.Node {
	if c.Interface(n) == nil || !c.Tx().Runs(n) {
		return nil
	}
	return c.Toward(n)
}

// side compiles the way out of a VPC.
func (t *RouteTable) side(c *vpc.Compiler, v *vpc.VPC, site dataplane.Node) *outbound {
	o := &outbound{id: t.gateway.ID(), name: c.LabelOf(t.gateway) + " outbound", table: c.LabelOf(t), tableID: t.ID(), subnets: map[string]bool{}}
	var routes route.Table[*target]
	var bare route.Table[bool]
	if t.untold {
		routes.Insert(netip.MustParsePrefix("0.0.0.0/0"), &target{node: c.Unmodelled(t.gateway), text: "routes of " + t.ID() + " are not known"})
	}
	for _, r := range t.routes {
		to := &target{node: site, text: r.dst.String() + " -> " + t.gateway.group, dst: r.dst.String(), target: t.gateway.group}
		if r.nic != nil {
			to.node, to.text, to.target = t.toward(c, r.nic), to.dst+" -> "+c.LabelOf(r.nic), r.nic.ID()
			bare.Insert(r.dst, true)
		}
		routes.Insert(r.dst, to)
	}
	var pairs []nat.Pair
	taken := map[netip.Addr]bool{} // descriptions may tell of one address twice: it is the first's
	for _, s := range c.Tx().OutpostSubnets(v, t.gateway.outpost) {
		o.subnets[s.ID()] = true
	}
	for _, n := range c.InterfacesOf(v) {
		for _, a := range c.AddressesOf(n) {
			if a.CustomerOwned.IsValid() && !taken[a.CustomerOwned] && o.subnets[n.Subnet().ID()] {
				taken[a.CustomerOwned] = true
				pairs = append(pairs, nat.Pair{Inside: wire.AddrFrom(a.IP), Outside: wire.AddrFrom(a.CustomerOwned)})
			}
		}
	}
	o.routes, o.bare = routes.Compile(), bare.Compile()
	if t.mode == ec2.LocalGatewayRouteTableModeCoip {
		static, err := nat.NewStatic(pairs)
		if err != nil {
			panic("lgw: " + t.ID() + ": two have one address: " + err.Error())
		}
		o.static = static
	}
	return o
}

// admit adds the ways into a VPC: with customer-owned IP addresses those, else the
// subnets on the Outpost whose tables lead to the gateway (Outposts guide, "Local gateway
// route table routes": others are not announced). Only instances are reached, not what
// AWS manages. A static route goes before one of the same prefix.
func (t *RouteTable) admit(c *vpc.Compiler, v *vpc.VPC, o *outbound, in *route.Table[*entrance], static map[netip.Prefix]bool) {
	insert := func(p netip.Prefix, e *entrance) {
		if !static[p] {
			in.Insert(p, e)
		}
	}
	var hosts route.Table[bool]
	for _, n := range c.InterfacesOf(v) {
		if n.Type() != vpc.InterfaceUser || !o.subnets[n.Subnet().ID()] {
			continue
		}
		for _, a := range c.AddressesOf(n) {
			hosts.Insert(netip.PrefixFrom(a.IP, 32), true)
			if o.static != nil && a.CustomerOwned.IsValid() {
				insert(netip.PrefixFrom(a.CustomerOwned, 32), &entrance{to: c.Inside(v), static: o.static})
			}
		}
	}
	if o.static != nil {
		return
	}
	all := hosts.Compile()
	for _, s := range c.Tx().OutpostSubnets(v, t.gateway.outpost) {
		if c.Tx().Leads(s, t.gateway) && s.CIDR().IsValid() {
			insert(s.CIDR(), &entrance{to: c.Inside(v), hosts: all})
		}
	}
}

// Name returns the gateway's name and "outbound".
func (o *outbound) Name() string { return o.name }

// Resource returns the gateway's id.
func (o *outbound) Resource() string { return o.id }

// Forward sends a packet of a subnet on the Outpost by the gateway's table. What another
// subnet sends does not pass (Outposts guide, "Local gateway route table routes").
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	from := c.From
	c.From = nil
	switch {
	case !p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case from == nil || !o.subnets[from.Subnet]:
		return dataplane.Drop(trace.ForeignSource)
	}
	to, ok := o.routes.LookupPacked(p.Flow.Dst.Words())
	if c.Tracing() {
		step := trace.Step{Act: trace.Unrouted, Object: o.table, ObjectID: o.tableID}
		if ok {
			step.Act, step.Match, step.MatchID, step.Rule = trace.Routed, to.text, to.target, to.dst
		}
		c.Note(p, step)
	}
	switch {
	case !ok:
		return dataplane.Drop(trace.NoRoute)
	case to.node == nil:
		return dataplane.Drop(trace.Blackhole)
	}
	if o.static != nil {
		if end := o.translate(c, p); end != trace.None {
			return dataplane.Drop(end)
		}
	}
	if !p.DecTTL() {
		return dataplane.Drop(trace.TTLExpired)
	}
	return dataplane.To(to.node)
}

// translate puts the customer-owned IP address in the place of the private one. Sources
// that an interface route leads to stay as they are (Outposts guide, "Local gateway route
// table routes": no NAT on such traffic).
func (o *outbound) translate(c *dataplane.Context, p *wire.Packet) trace.Reason {
	outside, ok := o.static.Outside(p.Flow.Src)
	if !ok {
		if _, routed := o.bare.LookupPacked(p.Flow.Src.Words()); routed {
			return trace.None
		}
		return trace.NoPublicAddress
	}
	if !c.Track(p) {
		return trace.TrackingFull
	}
	before := p.Flow
	o.static.OutTo(p, outside)
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Translated, Before: before})
	}
	return trace.None
}

// Name returns the gateway's name and "inbound".
func (i *inbound) Name() string { return i.name }

// Resource returns the gateway's id.
func (i *inbound) Resource() string { return i.id }

// Takes reports whether the on-premises network has been told of a way to dst. It does
// not allocate.
func (i *inbound) Takes(dst wire.Addr) bool {
	_, ok := i.routes.LookupPacked(dst.Words())
	return ok
}

// Forward takes a packet of the on-premises network in.
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From, c.Entered = nil, dataplane.ByPrivateGateway
	if !p.Is4() {
		return dataplane.Drop(trace.NoFamily)
	}
	e, ok := i.routes.LookupPacked(p.Flow.Dst.Words())
	switch {
	case !ok:
		return dataplane.Drop(trace.UnknownPrefix)
	case e.to == nil:
		return dataplane.Drop(trace.Blackhole)
	}
	if e.hosts != nil {
		if _, ok := e.hosts.LookupPacked(p.Flow.Dst.Words()); !ok {
			return dataplane.Drop(trace.ForeignDestination)
		}
	}
	if !p.DecTTL() {
		return dataplane.Drop(trace.TTLExpired)
	}
	if before := p.Flow; e.static != nil {
		if !e.static.Back(p) {
			return dataplane.Drop(trace.NoPrivateAddress)
		}
		if c.Tracing() {
			c.Note(p, trace.Step{Act: trace.Translated, Before: before})
		}
	}
	return dataplane.To(e.to)
}
