package vpc

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The implicit router: what AWS calls "the VPC router" has a side for packets that
// leave a subnet ([departure]), one for packets that enter it ([arrival]) and, in
// between, delivery inside the VPC ([inside]). None of them touches the TTL
// (measured: S002).

// network is a compiled VPC.
type network struct {
	name    string // of the router
	id      string
	subnets *route.FIB[*subnet]
	returns map[wire.Addr]dataplane.Node // ways back that need no route: see Compiler.AnswerBy
	gaps    *gaps
}

// subnet is a compiled subnet.
type subnet struct {
	origin          dataplane.Origin
	router, arrival string // names of its sides
	segment         *eni.Segment
	routes          *routes
	acl             trace.Label
	ingress, egress *filter.ACL
	latency         Latency
	home            *network
	unread          [2]map[int]string // why nobody can tell what a rule does, by number, of ingress and egress
	unseen          gap               // an interface whose address nobody knows
	untoldACL       string            // why nobody can tell what the network ACL does
}

// routes is a compiled route table.
type routes struct {
	label  trace.Label
	source *RouteTable
	fib    *route.FIB[*hop]
}

// hop is a compiled route: local, an interface, a gateway or a black hole differ
// only by the node.
type hop struct {
	node   dataplane.Node
	within *subnet // that the node lies in, nil for none
	inside bool    // its destination lies in the VPC, as those of all its subnets do
	static bool    // neither propagated nor of a prefix list
	dead   trace.Reason
	// route is the destination, "10.0.1.0/24 -> nat-…" and the target's id.
	route trace.Entry
	// unpublished is an instance's interface without a public IPv4 address.
	unpublished bool
	// doubt is why nobody can tell where the route leads, where dead is Unmodelled.
	doubt gap
}

// Latency says how long packets take. AWS promises no figure; the zero value of a
// field is the default that stands beside it.
type Latency struct {
	// SameZone is one delivery within an availability zone; 0 is 100 µs.
	SameZone time.Duration
	// CrossZone is one delivery to another zone of the region; 0 is 500 µs.
	CrossZone time.Duration
	// CrossRegion is one way to another region; 0 is 30 ms.
	CrossRegion time.Duration
}

func (l Latency) orDefault() Latency {
	if l.SameZone == 0 {
		l.SameZone = 100 * time.Microsecond
	}
	if l.CrossZone == 0 {
		l.CrossZone = 500 * time.Microsecond
	}
	if l.CrossRegion == 0 {
		l.CrossRegion = 30 * time.Millisecond
	}
	return l
}

// between returns the latency of a delivery into zone.
func (l Latency) between(from *dataplane.Origin, zone string) time.Duration {
	if from == nil || from.Zone == zone {
		return l.SameZone
	}
	return l.CrossZone
}

// departure is the side of the router that a subnet's interfaces send to.
type departure subnet

// Name returns the subnet's name and "router".
func (d *departure) Name() string { return d.router }

// Resource returns the subnet's id.
func (d *departure) Resource() string { return d.origin.Subnet }

// Forward takes a packet out of the subnet: neighbours first, past table and ACL;
// then the network ACL outbound and the subnet's route table (order: Reachability
// Analyzer). An ACL is asked only where the next hop lies outside the subnet.
func (d *departure) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	s, dst := (*subnet)(d), p.Flow.Dst
	c.From, c.Entered = &s.origin, dataplane.ByInterface
	c.Fixed(d)
	var h *hop
	if p.Is4() {
		h, _ = s.routes.fib.Lookup4(dst.V4())
	} else {
		h, _ = s.routes.fib.LookupPacked(dst.Words())
	}
	if c.Link != nil || h != nil && h.inside && s.segment.Contains(dst) || !dst.IsForwardable() {
		to, end := s.neighbor(c, dst)
		if end != trace.None {
			return s.home.nobody(c, p, s, end)
		}
		if c.Tracing() {
			c.Step(p, trace.Resolved)
		}
		c.Latency += s.latency.SameZone
		return dataplane.To(to)
	}
	if h == nil || h.within != s {
		number, allow := s.egress.Decide(p, dst)
		if c.Tracing() {
			s.noteACL(c, p, number, allow, &outboundRule)
		}
		if !allow {
			if end := s.deny(c, p, number, &outboundRule, trace.ACLEgress); end != trace.None {
				return dataplane.Drop(end)
			}
		}
	}
	if h == nil {
		if back := s.home.returns[dst]; back != nil {
			return dataplane.To(back)
		}
	}
	if h == nil || h.dead != trace.None || c.Tracing() {
		return s.routes.follow(c, p, h)
	}
	return dataplane.To(h.node)
}

// neighbor returns the interface of the subnet that a packet is for, which no route
// leads to its destination: the one that its frame was addressed to, else the one that
// has its destination; or it says why there is none.
func (s *subnet) neighbor(c *dataplane.Context, dst wire.Addr) (dataplane.Node, trace.Reason) {
	if l := c.Link; l != nil {
		c.Link = nil
		return l, trace.None
	}
	switch {
	case s.segment.Contains(dst):
		if i := s.segment.Lookup(dst); i != nil {
			return i.In(), trace.None
		}
		return nil, trace.NoSuchAddress
	case dst.IsLinkLocal():
		return nil, trace.LinkLocal
	}
	return nil, trace.Multicast
}

// The directions of a network ACL, in traces.
var inboundRule, outboundRule = trace.Entry{Rule: "inbound rule"}, trace.Entry{Rule: "outbound rule"}

// noteACL keeps the step of one direction of the subnet's network ACL.
func (s *subnet) noteACL(c *dataplane.Context, p *wire.Packet, number int, allow bool, which *trace.Entry) {
	if !allow && s.untold(number, which).there() {
		return
	}
	step := c.Step(p, trace.Allowed)
	step.Object, step.Entry, step.Number = &s.acl, which, int32(number)
	if !allow {
		step.Act = trace.Denied
	}
}

// lookup returns the longest match, or false.
func (r *routes) lookup(dst wire.Addr) (*hop, bool) {
	if dst.Is4() {
		return r.fib.Lookup4(dst.V4())
	}
	return r.fib.LookupPacked(dst.Words())
}

// note keeps a step of the table.
func (r *routes) note(c *dataplane.Context, p *wire.Packet, a trace.Act) *trace.Mark {
	step := c.Step(p, a)
	step.Object = &r.label
	return step
}

// follow sends the packet where the route says; a nil hop is no route.
func (r *routes) follow(c *dataplane.Context, p *wire.Packet, h *hop) dataplane.Next {
	if h == nil {
		if c.Tracing() {
			r.note(c, p, trace.Unrouted)
		}
		return dataplane.Drop(trace.NoRoute)
	}
	if c.Tracing() && !h.doubt.there() {
		r.note(c, p, trace.Routed).Entry = &h.route
	}
	if h.doubt.there() {
		return h.doubt.drop(c, p)
	}
	if h.dead != trace.None {
		return dataplane.Drop(h.dead)
	}
	return dataplane.To(h.node)
}

// inside is the target of local routes: delivery to whoever in the VPC has the address.
type inside network

// Name returns the VPC's name and "router".
func (n *inside) Name() string { return n.name }

// Resource returns the VPC's id.
func (n *inside) Resource() string { return n.id }

var delivers = trace.Entry{Match: "delivers inside the VPC"}

// Forward finds the destination's subnet and interface.
func (n *inside) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Fixed(n)
	s, ok := n.subnets.LookupPacked(p.Flow.Dst.Words())
	if !ok {
		return (*network)(n).nobody(c, p, nil, trace.NotInSubnet)
	}
	to := s.segment.Lookup(p.Flow.Dst)
	if to == nil {
		return (*network)(n).nobody(c, p, s, trace.NoSuchAddress)
	}
	if c.Tracing() {
		c.Step(p, trace.Did).Entry = &delivers
	}
	return dataplane.To(to.Arrival)
}

// arrival is the side of the router that delivers to one interface, by a local
// route or because a route names the interface.
type arrival struct {
	*subnet
	to *eni.Interface
}

// Name returns the subnet's name and "arrival".
func (a *arrival) Name() string { return a.arrival }

// Resource returns the subnet's id.
func (a *arrival) Resource() string { return a.origin.Subnet }

// Forward takes a packet into the subnet: the network ACL inbound, unless the
// packet has not left the subnet.
func (a *arrival) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Fixed(a)
	if c.From == &a.origin {
		c.Latency += a.latency.SameZone
	} else {
		c.Latency += a.latency.between(c.From, a.origin.Zone)
		number, allow := a.ingress.Decide(p, p.Flow.Src)
		if c.Tracing() {
			a.noteACL(c, p, number, allow, &inboundRule)
		}
		if !allow {
			if end := a.deny(c, p, number, &inboundRule, trace.ACLIngress); end != trace.None {
				return dataplane.Drop(end)
			}
		}
	}
	return dataplane.To(a.to.In())
}

// Edge is how packets that enter the VPC by a gateway are routed, with their
// private destination: by the gateway's route table, or by the implied one, VPC
// CIDR to local (VPC guide, "Gateway route tables"; S001).
type Edge struct {
	name   string
	id     string  // the gateway's
	routes *routes // nil is the implied table
	inside *inside
	public bool // packets come from the internet
}

// Entry returns the node to which the gateway sends what comes in: the Edge, or
// delivery inside the VPC where the table is the implied one.
func (e *Edge) Entry() dataplane.Node {
	if e.routes == nil {
		return e.inside
	}
	return e
}

// Name returns the gateway's name and "edge".
func (e *Edge) Name() string { return e.name }

// Resource returns the gateway's id.
func (e *Edge) Resource() string { return e.id }

// Forward looks the private destination up in the gateway's table. An appliance that is to see what comes
// from the internet needs a public IPv4 address (VPC guide, "Gateway route tables";
// Reachability Analyzer, INGRESS_RTB_NO_PUBLIC_IP).
func (e *Edge) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Fixed(e)
	h, _ := e.routes.lookup(p.Flow.Dst)
	if h != nil && h.unpublished && e.public && p.Is4() {
		if c.Tracing() {
			e.routes.note(c, p, trace.Routed).Entry = &h.route
		}
		return dataplane.Drop(trace.ApplianceNotPublic)
	}
	return e.routes.follow(c, p, h)
}

// PassesBy reports whether a packet from src that last left from goes past an
// appliance: the gateway's route table leads what comes in for src to another
// subnet, but the packet comes straight out of src's own (Reachability Analyzer,
// INGRESS_RTB_TRAFFIC_REDIRECTION). It does not allocate.
func (e *Edge) PassesBy(src wire.Addr, from *dataplane.Origin) bool {
	if e.routes == nil || from == nil {
		return false
	}
	own, ok := e.inside.subnets.LookupPacked(src.Words())
	if !ok || &own.origin != from {
		return false
	}
	h, ok := e.routes.lookup(src)
	return ok && h.within != nil && h.within != own
}

// Inside returns the node that delivers within the VPC past the gateway's table: for
// errors of the gateway's own.
func (e *Edge) Inside() dataplane.Node { return e.inside }

// Router returns the address of the router in the subnet that holds a, base+1 of a's
// family; the zero Addr where no subnet holds it. It does not allocate.
func (e *Edge) Router(a wire.Addr) wire.Addr {
	if s, ok := e.inside.subnets.LookupPacked(a.Words()); ok {
		for _, r := range s.segment.RouterAddrs {
			if r.Is4() == a.Is4() {
				return r
			}
		}
	}
	return wire.Addr{}
}

// Exit returns the node to which the subnet that holds src sends packets for dst,
// nil where no route or a black hole takes them. It does not allocate.
func (e *Edge) Exit(src, dst wire.Addr) dataplane.Node {
	s, ok := e.inside.subnets.LookupPacked(src.Words())
	if !ok {
		return nil
	}
	h, ok := s.routes.lookup(dst)
	if !ok || h.dead != trace.None {
		return nil
	}
	return h.node
}

// unassociated has packets for public addresses that no gateway takes come to the region
// and die there: Elastic IP addresses that no interface has, addresses of interfaces
// whose VPC has no internet gateway, and those of resources that were deleted. Nobody
// else on the internet has them.
func (c *Compiler) unassociated() {
	n := unassociated{c.region.name + " border"}
	claim := func(a wire.Addr) {
		if c.snapshot.public[a] == nil {
			c.Advertise(a, n)
		}
	}
	for a, g := range c.region.absent {
		if x := wire.AddrFrom(a); c.snapshot.public[x] == nil {
			c.Advertise(x, &absence{n.name, g})
		}
	}
	for _, a := range c.region.released {
		claim(a)
	}
	for _, e := range c.region.eips {
		claim(wire.AddrFrom(e.public))
	}
	for _, v := range c.region.vpcs {
		for _, i := range v.interfaces {
			for _, a := range i.addrs {
				if a.Public.IsValid() {
					claim(wire.AddrFrom(a.Public))
				}
			}
		}
	}
}

// unassociated is where public addresses lead that no gateway takes.
type unassociated struct{ name string }

// Name returns the region's name and "border".
func (u unassociated) Name() string { return u.name }

// Forward drops the packet.
func (u unassociated) Forward(*dataplane.Context, *wire.Packet) dataplane.Next {
	return dataplane.Drop(trace.NoPrivateAddress)
}

// routerAddrs returns the addresses at which a subnet's router answers.
func routerAddrs(s *Subnet) []wire.Addr {
	var addrs []wire.Addr
	if s.cidr.IsValid() {
		addrs = append(addrs, wire.AddrFrom(s.cidr.Addr().Next()))
	}
	if s.ipv6.IsValid() {
		addrs = append(addrs, wire.AddrFrom(s.ipv6.Addr().Next()), routerLinkLocal)
	}
	return addrs
}

// routerLinkLocal is the router's fixed link-local address (VPC guide, "Subnet sizing").
var routerLinkLocal = wire.AddrFrom(netip.MustParseAddr("fe80:ec2::1"))
