package tgw

import (
	"cmp"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// MTU is the largest packet that a transit gateway takes from a VPC, in bytes; the MSS
// of TCP is clamped to it (Transit Gateway guide, "Maximum transmission unit").
const MTU = 8500

// door is the interface of an attachment in one zone.
type door struct {
	zone string
	out  dataplane.Node // into the VPC, by the attachment subnet's ACL and route table
	in   dataplane.Node // where the VPC's routes lead
}

// place is a compiled attachment: its doors by zone, or the way to what else is attached.
type place struct {
	id             string // the attachment's
	doors          []door
	way            dataplane.Node
	zones          *vpc.Zones // of the VPC
	onward         *table     // of what comes from here, in appliance mode
	appliance, six bool
	references     bool // to security groups
	partial        bool // there are more doors than are known
}

// table is a compiled route table.
type table struct {
	name, id string
	fib      *route.FIB[*hop]
	untold   string // why it may hold more than is known, "" where it does not
}

// hop is a compiled route: a place, or links, or a black hole where both are nil.
type hop struct {
	to                        *place
	by                        *spread // where links lead on
	text, destination, target string
	doubt                     string // why nobody can tell whether the route is taken
}

// approach is where a VPC's routes to the gateway lead: the interface in the zone
// that the packet comes from.
type approach struct {
	name, id string
	place    *place
}

// ingress is the gateway behind one interface of an attachment, or where packets come
// from what else is attached.
type ingress struct {
	name, id string
	zone     string         // "" where they come from no zone
	addrs    []wire.Addr    // the interface's own
	out      dataplane.Node // back by the interface, nil where nobody is told of what is dropped
	table    *table         // nil where the attachment has none
	untold   string         // or why nobody can tell
	place    string         // the attachment's id
	tunnels  []tunnel       // of Connect peers, whose packets come by the interface
	refers   bool           // references to security groups are supported
	six      bool
	seed     flowtable.Seed
	cross    time.Duration // from zone to zone
}

// Compile makes the places of the attachments, the tables, and puts the gateway
// behind each interface.
func (g *TransitGateway) Compile(c *vpc.Compiler) {
	places := map[*Attachment]*place{}
	for _, a := range g.attachments {
		if a.available() {
			places[a] = a.place(c)
		}
	}
	tables := map[*RouteTable]*table{}
	for _, t := range g.tables {
		tables[t] = t.compile(c, places)
	}
	for a, p := range places {
		if p.appliance {
			p.onward = tables[a.table]
		}
	}
	seed, tunnels := flowtable.NewSeed(c.Seed(g.ID())), map[*Attachment][]tunnel{}
	from := func(a *Attachment) *ingress {
		return &ingress{name: c.LabelOf(g), id: g.ID(), table: tables[a.table], untold: a.untold, place: a.ID(), six: a.six, refers: a.references(), seed: seed, cross: c.Latency().CrossZone}
	}
	for _, a := range g.attachments {
		switch {
		case !a.available():
		case a.peer != nil:
			c.EnterFromAbroad(key(a.ID(), g.ID()), from(a))
		case a.link != nil:
			in := a.link.Inbound(c, from(a))
			c.EnterFromAbroad(a.link.ID(), in)
			if x, ok := a.link.(*Connect); ok {
				tunnels[x.transport] = append(tunnels[x.transport], x.tunnels(in)...)
			}
		}
	}
	for _, a := range g.attachments {
		if !a.available() || a.vpc == nil {
			continue
		}
		c.Enter(g, a.vpc, vpc.Entry{Node: &approach{name: c.LabelOf(g) + " attachment " + c.LabelOf(a), id: a.ID(), place: places[a]}})
		for _, n := range a.nics {
			i, in := c.Interface(n), from(a)
			in.zone, in.addrs, in.out, in.tunnels = c.Zone(n), i.Addrs, i.Out(), tunnels[a]
			i.Owner = in
		}
	}
}

func (a *Attachment) place(c *vpc.Compiler) *place {
	p := &place{id: a.ID(), appliance: a.appliance, six: a.six, references: a.references(), partial: a.partial}
	switch {
	case a.peer != nil:
		p.way = a.crossing(c)
	case a.vpc != nil:
		p.zones = c.Zones(a.vpc)
	}
	for _, n := range a.nics {
		p.doors = append(p.doors, door{zone: c.Zone(n), out: c.Interface(n).Out(), in: c.Toward(n)})
	}
	slices.SortFunc(p.doors, func(a, b door) int { return cmp.Compare(a.zone, b.zone) })
	return p
}

func (t *RouteTable) compile(c *vpc.Compiler, places map[*Attachment]*place) *table {
	var routes route.Table[*hop]
	for _, r := range t.rows(c.Tx()) {
		h := &hop{destination: r.Destination.String(), text: r.Destination.String() + " -> blackhole"}
		if r.Attachment != nil {
			h.to, h.target = places[r.Attachment], r.Attachment.ID()
			if r.Attachment.link != nil && h.to != nil {
				h.by = r.spread(c, t.gateway)
			}
			h.text = h.destination + " -> " + c.LabelOf(r.Attachment)
		}
		if r.Propagated {
			h.text += " (propagated)"
		}
		routes.Insert(r.Destination, h)
	}
	t.doubt(c.Tx(), &routes)
	return &table{name: c.LabelOf(t), id: t.ID(), fib: routes.Compile(), untold: t.open(c.Tx())}
}

// Name returns the gateway's name and the attachment's.
func (a *approach) Name() string { return a.name }

// Resource returns the attachment's id.
func (a *approach) Resource() string { return a.id }

// Forward sends the packet to the interface in its zone. From a zone without one
// the gateway cannot be reached (Transit Gateway guide, "VPC attachments";
// Reachability Analyzer, TGW_ROUTE_AZ_RESTRICTION).
func (a *approach) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if c.From != nil {
		if d := a.place.door(c.From.Zone); d != nil {
			return dataplane.To(d.in)
		}
	}
	if a.place.partial {
		c.NoteUntold(p, a.id, "not all of its interfaces are in the snapshot: there may be one in the zone")
		return dataplane.Drop(trace.Unmodelled)
	}
	return dataplane.Drop(trace.TransitZone)
}

// door returns the door in the zone, or nil.
func (p *place) door(zone string) *door {
	for i := range p.doors {
		if p.doors[i].zone == zone {
			return &p.doors[i]
		}
	}
	return nil
}

// Name returns the gateway's name.
func (n *ingress) Name() string { return n.name }

// Resource returns the gateway's id.
func (n *ingress) Resource() string { return n.id }

// Forward takes a packet that has come to the interface, routes it by the table of
// the attachment and sends it out of an interface of the next one: one hop less to
// live (measured: labs), but no hop that answers (inferred).
func (n *ingress) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if p.Flow.Proto == wire.ProtoGRE {
		if next, took := n.decapsulate(c, p); took {
			return next
		}
	}
	switch {
	case slices.Contains(n.addrs, p.Flow.Dst):
		return dataplane.Drop(trace.TransitAddress)
	case !p.Is4() && !n.six:
		return dataplane.Drop(trace.NoFamily)
	case n.table == nil && n.untold != "":
		c.NoteUntold(p, n.place, n.untold)
		return dataplane.Drop(trace.Unmodelled)
	case n.table == nil:
		return dataplane.Drop(trace.TransitUnassociated)
	case p.Len() > MTU:
		return n.oversize(c, p)
	}
	h, end := n.table.lookup(c, p)
	if end != trace.None {
		return dataplane.Drop(end)
	}
	to := h.to
	switch {
	case !p.Is4() && !to.six:
		return dataplane.Drop(trace.NoFamily)
	case p.TTL() <= 1:
		return dataplane.Drop(trace.TTLExpired)
	}
	p.DecTTL()
	c.ClampMSS(p, MTU)
	if h.by != nil {
		return dataplane.To(h.by.choose(c, n.hash(p.Flow)))
	}
	if to.way != nil {
		return dataplane.To(to.way)
	}
	c.Unreferenced = c.Unreferenced || !n.refers || !to.references
	if len(to.doors) == 0 {
		c.NoteUntold(p, to.id, "its interfaces are in no description")
		return dataplane.Drop(trace.Unmodelled)
	}
	d := n.exit(c, to, p.Flow)
	if n.zone != "" && d.zone != n.zone {
		c.Latency += n.cross
	}
	return dataplane.To(d.out)
}

// Takes reports whether the attachment's table has a way to dst.
func (n *ingress) Takes(dst wire.Addr) bool {
	if n.table == nil {
		return false
	}
	h, ok := n.table.fib.LookupPacked(dst.Words())
	return ok && h.to != nil
}

// ByDefault reports whether a default route is all that leads to dst.
func (n *ingress) ByDefault(dst wire.Addr) bool {
	if n.table == nil {
		return false
	}
	h, ok := n.table.fib.LookupPacked(dst.Words())
	return ok && (h.destination == "0.0.0.0/0" || h.destination == "::/0")
}

// lookup returns the table's route, which leads somewhere, or why there is none.
func (t *table) lookup(c *dataplane.Context, p *wire.Packet) (*hop, trace.Reason) {
	h, ok := t.fib.LookupPacked(p.Flow.Dst.Words())
	why := t.untold
	if ok {
		why = h.doubt
	}
	if why != "" {
		c.NoteUntold(p, t.id, why)
		return nil, trace.Unmodelled
	}
	if c.Tracing() {
		step := trace.Step{Act: trace.Unrouted, Object: t.name, ObjectID: t.id}
		if ok {
			step.Act, step.Match, step.MatchID, step.Rule = trace.Routed, h.text, h.target, h.destination
		}
		c.Note(p, step)
	}
	switch {
	case !ok:
		return nil, trace.TransitNoRoute
	case h.to == nil:
		return nil, trace.TransitBlackhole
	}
	return h, trace.None
}

// exit chooses the interface by which a packet leaves: the one in the zone that it
// came by. Where there is none, and in appliance mode, a hash of the flow chooses,
// the same for both directions; but in appliance mode too what goes from a zone to the
// same zone stays there (Transit Gateway guide, "How transit gateways work").
func (n *ingress) exit(c *dataplane.Context, to *place, f wire.Flow) *door {
	if !to.appliance || n.zone != "" && to.leads(f.Dst) == n.zone {
		if d := to.door(n.zone); d != nil {
			return d
		}
	}
	return &to.doors[c.Choose(to.id, "zone", n.hash(f), len(to.doors), to)]
}

// Option names the zone of a door.
func (p *place) Option(i int) (id, detail string) { return p.doors[i].zone, "" }

// leads returns the zone of the VPC in which a packet ends that passes the appliances of
// this one, "" where it is not known.
func (p *place) leads(dst wire.Addr) string {
	if p.onward == nil {
		return ""
	}
	h, ok := p.onward.fib.LookupPacked(dst.Words())
	if !ok || h.to == nil || h.to.zones == nil {
		return ""
	}
	return h.to.zones.Of(dst)
}

// hash is that of a flow and its reverse alike.
func (n *ingress) hash(f wire.Flow) uint32 {
	rest := func(src, dst uint16) uint64 { return uint64(src)<<32 | uint64(dst)<<16 | uint64(f.Proto) }
	return n.seed.Hash(f.Src, f.Dst, rest(f.SrcPort, f.DstPort)) ^ n.seed.Hash(f.Dst, f.Src, rest(f.DstPort, f.SrcPort))
}

// oversize drops a packet over the MTU, whether or not it may be fragmented, and
// tells its sender where it may not (Transit Gateway guide, "Maximum transmission
// unit"; that the error comes from the interface is an inference).
func (n *ingress) oversize(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if n.out != nil {
		for _, a := range n.addrs {
			if a.Is4() == p.Is4() {
				return c.TooBig(p, n.out, a, MTU)
			}
		}
	}
	return dataplane.Drop(trace.TooBig)
}
