package vpc

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The live state of an interface.
const (
	flows StateKey[filter.Tracker] = "flows"
	port  StateKey[eni.Port]       = "port"
)

// Snapshot is a region compiled: nodes linked to each other, immutable.
type Snapshot struct {
	interfaces map[string]*eni.Interface
	public     map[wire.Addr]dataplane.Node
	ranges     []advertised
	outside    map[string]dataplane.Node
}

// advertised is an IPv6 range that a gateway takes packets for.
type advertised struct {
	prefix wire.Prefix
	node   dataplane.Node
}

// Interface returns the compiled interface with the given id, or nil.
func (s *Snapshot) Interface(id string) *eni.Interface { return s.interfaces[id] }

// Outside returns the node at which packets from beyond the gateway, or by the
// connection, with the given id enter, nil where there is none.
func (s *Snapshot) Outside(id string) dataplane.Node { return s.outside[id] }

// Public returns the node that takes packets from the internet for an address of
// the region, or nil where the region does not have it.
func (s *Snapshot) Public(a wire.Addr) dataplane.Node {
	if n := s.public[a]; n != nil || a.Is4() {
		return n
	}
	for _, r := range s.ranges {
		if r.prefix.Contains(a) {
			return r.node
		}
	}
	return nil
}

// Compiler makes a snapshot in three passes, because nodes point at each other:
// the shells of subnets and interfaces; the gateways; the routes. It is also what
// a gateway's Compile may ask of the rest.
type Compiler struct {
	live       *Live
	region     *Region
	snapshot   *Snapshot
	interfaces map[*NetworkInterface]*eni.Interface
	subnets    map[*Subnet]*subnet
	byID       map[string]*subnet
	networks   map[*VPC]*network
	tables     map[*RouteTable]*routes
	entries    map[entryKey]Entry
	acls       map[*NetworkACL]*compiledACL
	rules      map[string]*compiledGroups
	members    map[*SecurityGroup][]wire.Addr
	sets       map[*SecurityGroup]*filter.AddrSet
	lists      map[*PrefixList]*filter.PrefixSet
	addresses  map[*VPC]*Addresses
	once       map[stateKey]any // see Once
	watches    []func(*NetworkInterface) eni.Witness
	last       *compiledGroups // of the interface before
}

type entryKey struct {
	gateway string
	vpc     *VPC
}

type compiledACL struct {
	ingress, egress *filter.ACL
	unread          [2]map[int]string
}

// compiledGroups is the rules of an interface's groups, and of these the ones that
// name no group and those that do; nil where none does. vague is those of which nobody can
// tell whether they allow, nil where there are none.
type compiledGroups struct {
	groups                     []*SecurityGroup
	names, ids                 string // of the groups, separated by ", "
	all, literal, named, vague *filter.Groups
}

// compile makes the snapshot of a region. The region's lock is held.
func compile(l *Live) *Snapshot {
	n := 0 // interfaces
	for _, v := range l.region.vpcs {
		n += len(v.interfaces)
	}
	c := &Compiler{
		live: l, region: l.region,
		snapshot:   &Snapshot{interfaces: make(map[string]*eni.Interface, n), public: map[wire.Addr]dataplane.Node{}, outside: map[string]dataplane.Node{}},
		interfaces: make(map[*NetworkInterface]*eni.Interface, n), subnets: map[*Subnet]*subnet{}, byID: map[string]*subnet{},
		networks: map[*VPC]*network{}, tables: map[*RouteTable]*routes{}, entries: map[entryKey]Entry{},
		acls: map[*NetworkACL]*compiledACL{}, rules: map[string]*compiledGroups{},
		members: map[*SecurityGroup][]wire.Addr{}, sets: map[*SecurityGroup]*filter.AddrSet{},
		lists: map[*PrefixList]*filter.PrefixSet{}, addresses: map[*VPC]*Addresses{}, once: map[stateKey]any{},
	}
	l.compiled, l.asked = l.compiled+1, 0
	c.collectMembers()
	for _, w := range c.region.watchers {
		c.watches = append(c.watches, w.Watch(c))
	}
	for _, v := range c.region.vpcs {
		c.shells(v)
	}
	for _, v := range c.region.vpcs {
		c.tunnels(v)
	}
	for _, g := range c.region.gateways {
		g.Compile(c)
	}
	for _, v := range c.region.vpcs {
		for _, s := range v.subnets {
			c.subnets[s].routes = c.table(s.routes())
		}
	}
	for _, v := range c.region.vpcs {
		for _, t := range v.tables {
			if r := c.tables[t]; r != nil {
				c.fill(r)
			}
		}
	}
	c.unassociated()
	l.dropState()
	return c.snapshot
}

// collectMembers finds the private addresses behind each security group: what a
// rule that references the group matches (VPC guide, "Security group rules").
func (c *Compiler) collectMembers() {
	for _, v := range c.region.vpcs {
		for _, n := range v.interfaces {
			for _, g := range n.groups {
				for _, a := range n.addrs {
					c.members[g] = append(c.members[g], wire.AddrFrom(a.IP))
				}
				for _, a := range n.ipv6 {
					c.members[g] = append(c.members[g], wire.AddrFrom(a))
				}
			}
		}
	}
}

// shells makes a VPC's subnets and interfaces, without routes and owners.
func (c *Compiler) shells(v *VPC) {
	n := &network{name: v.label() + " router", id: v.id, gaps: &v.gaps}
	c.networks[v] = n
	var subnets route.Table[*subnet]
	for _, s := range v.subnets {
		acl := c.acl(s.acl)
		name := s.label()
		sub := &subnet{
			origin: dataplane.Origin{VPC: v.id, Subnet: s.id, Zone: s.zone},
			router: name + " router", arrival: name + " arrival",
			segment: &eni.Segment{Router: s.routerMAC, RouterAddrs: routerAddrs(s)},
			acl:     trace.Label{Name: s.acl.label(), ID: s.acl.id}, ingress: acl.ingress, egress: acl.egress,
			latency: c.region.latency, home: n, unread: acl.unread, unseen: s.unseen,
		}
		if s.untoldACL != "" {
			sub.ingress, sub.egress, sub.untoldACL = &filter.ACL{}, &filter.ACL{}, s.untoldACL
		}
		if s.cidr.IsValid() {
			subnets.Insert(s.cidr, sub)
			sub.segment.Prefixes = append(sub.segment.Prefixes, wire.PrefixFrom(s.cidr))
		}
		if s.ipv6.IsValid() {
			subnets.Insert(s.ipv6, sub)
			sub.segment.Prefixes = append(sub.segment.Prefixes, wire.PrefixFrom(s.ipv6))
		}
		if c.live.resolver != nil {
			sub.segment.Serve(wire.AddrFrom(v.cidrs[0].Addr().Next().Next()), c.live.resolver)
		}
		for _, service := range c.live.services {
			sub.segment.Serve(service.addr, service.service)
		}
		c.subnets[s], c.byID[s.id] = sub, sub
		c.interfacesOf(s, sub, n)
	}
	n.subnets = subnets.Compile()
}

func (c *Compiler) acl(a *NetworkACL) *compiledACL {
	if c.acls[a] == nil {
		c.acls[a] = &compiledACL{a.compile(a.ingress), a.compile(a.egress), [2]map[int]string{unread(a.ingress), unread(a.egress)}}
	}
	return c.acls[a]
}

// groups compiles the rules of several groups together; interfaces with the same
// groups share them.
func (c *Compiler) groups(groups []*SecurityGroup) *compiledGroups {
	if c.last != nil && slices.Equal(c.last.groups, groups) {
		return c.last
	}
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.label()
	}
	all := make([]string, len(groups))
	for i, g := range groups {
		all[i] = g.id
	}
	key := strings.Join(all, ", ")
	if c.rules[key] == nil {
		var ingress, egress []filter.Rule
		var vague [2][]filter.Rule
		for _, g := range groups {
			vague[0], vague[1] = append(vague[0], g.vague(false)...), append(vague[1], g.vague(true)...)
			ingress = c.appendRules(ingress, g, g.ingress, "ingress rule ")
			egress = c.appendRules(egress, g, g.egress, "egress rule ")
		}
		c.rules[key] = &compiledGroups{groups: groups, names: strings.Join(names, ", "), ids: key, all: filter.NewGroups(ingress, egress)}
		if len(vague[0])+len(vague[1]) > 0 {
			c.rules[key].vague = filter.NewGroups(vague[0], vague[1])
		}
		named := func(r filter.Rule) bool { return r.Members != nil }
		if slices.ContainsFunc(ingress, named) {
			literal := slices.DeleteFunc(slices.Clone(ingress), named)
			c.rules[key].literal = filter.NewGroups(literal, egress)
			c.rules[key].named = filter.NewGroups(slices.DeleteFunc(ingress, func(r filter.Rule) bool { return !named(r) }), nil)
		}
	}
	c.last = c.rules[key]
	return c.last
}

func (c *Compiler) appendRules(to []filter.Rule, g *SecurityGroup, list []Permission, which string) []filter.Rule {
	for _, p := range list {
		r := filter.Rule{Group: g.traceName(), GroupID: g.id, Label: which + p.brief(), ID: p.ID, Traffic: p.traffic(), Prefix: p.CIDR}
		switch {
		case p.PrefixList != nil && p.PrefixList.untold != "":
			continue // see vague
		case p.PrefixList != nil:
			r.List = c.prefixSet(p.PrefixList)
		case p.Group != nil:
			r.Members = c.memberSet(p.Group)
		}
		to = append(to, r)
	}
	return to
}

// traceName is how traces call the group: the Name tag, else the name it was created with.
func (g *SecurityGroup) traceName() string {
	if l := g.label(); l != g.id {
		return l
	}
	return g.id + " (" + g.name + ")"
}

func (c *Compiler) prefixSet(l *PrefixList) *filter.PrefixSet {
	if c.lists[l] == nil {
		c.lists[l] = filter.NewPrefixSet(l.entries)
	}
	return c.lists[l]
}

func (c *Compiler) memberSet(g *SecurityGroup) *filter.AddrSet {
	if c.sets[g] == nil {
		c.sets[g] = filter.NewAddrSet(c.members[g])
	}
	return c.sets[g]
}

// table returns the shell of a compiled route table; its routes are filled in when
// every node is there.
func (c *Compiler) table(t *RouteTable) *routes {
	if c.tables[t] == nil {
		c.tables[t] = &routes{label: trace.Label{Name: t.label(), ID: t.id}, source: t}
	}
	return c.tables[t]
}

// fill compiles a table's routes. Of equal destinations static wins over prefix
// list, prefix list over propagated; a local route wins over every propagated one,
// narrower ones too (VPC guide, "Route priority").
func (c *Compiler) fill(r *routes) {
	var table route.Table[*hop]
	t := r.source
	for k := len(t.learned) - 1; k >= 0; k-- {
		for _, dst := range t.learned[k].Learned(c.Tx()) {
			if !t.vpc.covers(dst) {
				c.insert(&table, t.vpc, dst, t.learned[k], "propagated")
			}
		}
	}
	for k := len(t.routes) - 1; k >= 0; k-- {
		if l := t.routes[k].PrefixList; l != nil && l.untold == "" {
			for _, dst := range l.entries {
				c.insert(&table, t.vpc, dst, t.routes[k].Target, l.label()).doubtBy(t.routes[k])
			}
		}
	}
	for _, dst := range t.vpc.cidrs {
		c.insert(&table, t.vpc, dst, Local, "")
	}
	for _, row := range t.routes {
		if row.PrefixList == nil {
			c.insert(&table, t.vpc, row.Destination, row.Target, "").doubtBy(row)
		}
	}
	c.doubt(&table, t)
	r.fib = table.Compile()
}

func (c *Compiler) insert(to *route.Table[*hop], v *VPC, dst netip.Prefix, target Target, by string) *hop {
	text := dst.String() + " -> " + labelOf(target)
	if by != "" {
		text += " (" + by + ")"
	}
	h := &hop{route: trace.Entry{Rule: dst.String(), Match: text, MatchID: target.ID()}, dead: trace.Blackhole, inside: v.covers(dst), static: by == ""}
	switch x := target.(type) {
	case local:
		h.node, h.dead = (*inside)(c.networks[v]), trace.None
	case *NetworkInterface:
		if i := c.interfaces[x]; i != nil && x.attached() {
			h.node, h.within, h.dead = i.Arrival, c.byID[subnetOf(x)], trace.None
			h.unpublished = x.kind == InterfaceUser && !x.published()
		}
	case Gateway:
		e, ok := c.entries[entryKey{x.ID(), v}]
		if ok && x.Available(c.Tx(), v) {
			h.node, h.within, h.dead = e.Node, c.byID[e.Subnet], trace.None
		}
	}
	to.Insert(dst, h)
	return h
}

// published reports whether the interface has a public IPv4 address.
func (n *NetworkInterface) published() bool {
	return slices.ContainsFunc(n.addrs, func(a PrivateAddress) bool { return a.Public.IsValid() })
}

// labelOf returns how traces call a target. The region's lock is held.
func labelOf(t Target) string {
	if l, ok := t.(interface{ label() string }); ok {
		return l.label()
	}
	return t.ID()
}

// Tx returns a transaction for what needs one: the region is locked while a snapshot
// is compiled, and must not be changed.
func (c *Compiler) Tx() *Tx { return &Tx{r: c.region} }

// Interface returns the compiled interface of a gateway, to set its Owner.
func (c *Compiler) Interface(n *NetworkInterface) *eni.Interface { return c.interfaces[n] }

// Toward returns the node that delivers to n whatever a packet's destination is,
// as a route that names n does.
func (c *Compiler) Toward(n *NetworkInterface) dataplane.Node { return c.interfaces[n].Arrival }

// Inside returns the node that delivers within the VPC, as a local route does.
func (c *Compiler) Inside(v *VPC) dataplane.Node { return (*inside)(c.networks[v]) }

// Edge returns how packets that enter the VPC by the gateway are routed; public
// says that they come from the internet.
func (c *Compiler) Edge(v *VPC, g Gateway, public bool) *Edge {
	e := &Edge{name: labelOf(g) + " edge", id: g.ID(), inside: (*inside)(c.networks[v]), public: public}
	if eg, ok := g.(EdgeGateway); ok {
		if t := v.edgeTable(eg); t != nil {
			e.routes = c.table(t)
		}
	}
	return e
}

// Uplink returns the internet's node, nil where there is none.
func (c *Compiler) Uplink() dataplane.Node { return c.live.uplink }

// Enter says where packets enter the gateway by a route of the VPC that names it.
func (c *Compiler) Enter(g Gateway, v *VPC, e Entry) { c.entries[entryKey{g.ID(), v}] = e }

// EnterFromOutside says where packets from beyond the gateway enter.
func (c *Compiler) EnterFromOutside(g Gateway, n dataplane.Node) { c.snapshot.outside[g.ID()] = n }

// EnterFromAbroad says where packets enter that come by a connection with another
// region, or another resource of this one: by id, on which both ends agree.
func (c *Compiler) EnterFromAbroad(id string, n dataplane.Node) { c.snapshot.outside[id] = n }

// Abroad returns the node at which packets of the connection with the given id enter
// at its other end, whatever region that lies in, nil where it is not known. It is for
// nodes to ask for each packet, and does not allocate.
func (c *Compiler) Abroad() func(id string) dataplane.Node {
	if c.live.abroad != nil {
		return c.live.abroad
	}
	l := c.live
	return func(id string) dataplane.Node { return l.Snapshot().outside[id] }
}

// Advertise has packets from the internet for a public address go to n.
func (c *Compiler) Advertise(public wire.Addr, n dataplane.Node) { c.snapshot.public[public] = n }

// AdvertiseRange has packets from the internet for an IPv6 range go to n.
func (c *Compiler) AdvertiseRange(p netip.Prefix, n dataplane.Node) {
	c.snapshot.ranges = append(c.snapshot.ranges, advertised{wire.PrefixFrom(p), n})
}

// Attached returns the gateway attached to the VPC whose id begins with the prefix,
// such as igw, or nil.
func (c *Compiler) Attached(v *VPC, prefix string) Gateway { return v.gateway(prefix) }

// Engine returns the engine that the snapshot is for.
func (c *Compiler) Engine() *dataplane.Engine { return c.live.engine }

// InterfacesOf returns the VPC's interfaces, in the order in which they were made.
func (c *Compiler) InterfacesOf(v *VPC) []*NetworkInterface { return v.interfaces }

// AddressesOf returns an interface's private IPv4 addresses with their public ones,
// the primary first. They must not be changed.
func (c *Compiler) AddressesOf(n *NetworkInterface) []PrivateAddress { return n.addrs }

// IPv6Of returns an interface's IPv6 addresses. They must not be changed.
func (c *Compiler) IPv6Of(n *NetworkInterface) []netip.Addr { return n.ipv6 }

// Now returns the simulated time.
func (c *Compiler) Now() time.Duration { return c.live.engine.Clock.Now() }

// Epoch returns the time of day at which the simulation begins.
func (c *Compiler) Epoch() time.Time { return c.region.start }

// CIDRsOf returns the VPC's CIDRs. They must not be changed.
func (c *Compiler) CIDRsOf(v *VPC) []netip.Prefix { return v.cidrs }

// EntriesOf returns a prefix list's CIDRs. They must not be changed.
func (c *Compiler) EntriesOf(l *PrefixList) []netip.Prefix { return l.entries }

// LabelOf returns how traces call a resource.
func (c *Compiler) LabelOf(r Resource) string { return labelOf(r) }

// Zone returns the zone of a subnet's interface.
func (c *Compiler) Zone(n *NetworkInterface) string { return n.subnet.zone }
