package vpc

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Watcher is a resource that is told of packets at interfaces: a flow log.
type Watcher interface {
	Resource
	// Watch is called at each compilation. It returns who is told of an interface's
	// packets, nil where the resource does not cover the interface. Neither may call
	// what locks the region.
	Watch(c *Compiler) func(n *NetworkInterface) eni.Witness
}

// watch puts the witnesses of an interface around it. An interface that nobody watches
// has the nodes that it would have without any of this.
func (c *Compiler) watch(n *NetworkInterface, i *eni.Interface, s *subnet, v *network) {
	var all witnesses
	for _, watch := range c.watches {
		if w := watch(n); w != nil {
			all = append(all, w)
		}
	}
	switch len(all) {
	case 0:
		return
	case 1:
		i.Witness = all[0]
	default:
		i.Witness = all
	}
	i.Router = &watchedDeparture{(*departure)(s), v, i.Witness, c.PublicAccess(n.subnet.vpc)}
	i.Arrival = &watchedArrival{i.Arrival.(subnetNode), i.Witness}
}

// witnesses are several, told in the order in which they were made.
type witnesses []eni.Witness

// Leaves tells all.
func (w witnesses) Leaves(at time.Duration, p *wire.Packet, end trace.Reason, way eni.Way) {
	for _, each := range w {
		each.Leaves(at, p, end, way)
	}
}

// Arrives tells all.
func (w witnesses) Arrives(at time.Duration, p *wire.Packet, end trace.Reason) {
	for _, each := range w {
		each.Arrives(at, p, end)
	}
}

// subnetNode is a node that is a part of a subnet.
type subnetNode interface {
	dataplane.Node
	dataplane.Part
}

// watchedDeparture is the router's side that one watched interface sends to.
type watchedDeparture struct {
	*departure
	network *network
	witness eni.Witness
	access  *PublicAccess
}

// Forward does what the router does, and tells of it: what the ACL refuses was
// refused, and all else was accepted, though it die of its route. Packets for the
// router itself and for the platform's link-local addresses are nobody's to log (VPC
// guide, "Flow log limitations").
func (d *watchedDeparture) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	s, near := (*subnet)(d.departure), c.Link != nil || d.segment.Contains(p.Flow.Dst)
	at := c.Now + c.Latency
	next := d.departure.Forward(c, p)
	switch end := next.End(); {
	case end == trace.LinkLocal, end == trace.Multicast, end == trace.NoSuchAddress && s.isRouter(p.Flow.Dst):
	case end == trace.ACLEgress:
		d.witness.Leaves(at, p, end, eni.Way{})
	case near:
		d.witness.Leaves(at, p, trace.None, eni.Way{Target: Local.ID(), Hop: d.segment.Lookup(p.Flow.Dst)})
	default:
		w := s.way(d.network, p.Flow.Dst)
		d.witness.Leaves(at, p, d.blocked(p, w), w)
	}
	return next
}

// watchedReturning is the way past the route table from one watched interface.
type watchedReturning struct {
	*returning
	witness eni.Witness
	way     eni.Way
}

// Forward does what the way does, and tells of it.
func (r *watchedReturning) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	at := c.Now + c.Latency
	next := r.returning.Forward(c, p)
	w := r.way
	if next.End() != trace.None {
		w = eni.Way{}
	}
	r.witness.Leaves(at, p, next.End(), w)
	return next
}

// blocked returns trace.PublicAccessBlocked of what Block Public Access will refuse at the
// gateway that the packet goes to, which flow logs count as refused at the interface (VPC
// guide, "VPC BPA", flow logs).
func (d *watchedDeparture) blocked(p *wire.Packet, w eni.Way) trace.Reason {
	if strings.HasPrefix(w.Target, "igw-") || strings.HasPrefix(w.Target, "eigw-") {
		if !d.access.Out(p.Flow.Src) {
			return trace.PublicAccessBlocked
		}
	}
	return trace.None
}

// Refused tells the witness of the interface that a packet from the gateway is for that
// it came no further: p has its private destination.
func (e *Edge) Refused(c *dataplane.Context, p *wire.Packet, end trace.Reason) {
	s, ok := e.inside.subnets.LookupPacked(p.Flow.Dst.Words())
	if !ok {
		return
	}
	if to := s.segment.Lookup(p.Flow.Dst); to != nil && to.Witness != nil {
		to.Witness.Arrives(c.Now+c.Latency, p, end)
	}
}

func (s *subnet) isRouter(a wire.Addr) bool {
	for _, r := range s.segment.RouterAddrs {
		if r == a {
			return true
		}
	}
	return false
}

// way says where the subnet's table leads.
func (s *subnet) way(v *network, dst wire.Addr) eni.Way {
	h, ok := s.routes.lookup(dst)
	if !ok {
		return eni.Way{}
	}
	w := eni.Way{Target: h.route.MatchID}
	switch n := h.node.(type) {
	case *inside:
		if to, ok := v.subnets.LookupPacked(dst.Words()); ok {
			w.Hop = to.segment.Lookup(dst)
		}
	case *arrival:
		w.Hop = n.to
	case *border:
		w.Hop = n.to
	case *watchedArrival:
		w.Hop = n.to()
	}
	return w
}

// watchedArrival is the router's side that delivers to one watched interface.
type watchedArrival struct {
	subnetNode
	witness eni.Witness
}

// Forward does what the router does, and tells of what the ACL refuses; of the rest
// the interface tells.
func (a *watchedArrival) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	next := a.subnetNode.Forward(c, p)
	if next.End() == trace.ACLIngress {
		a.witness.Arrives(c.Now+c.Latency, p, trace.ACLIngress)
	}
	return next
}

// to returns the interface that the side delivers to.
func (a *watchedArrival) to() *eni.Interface {
	if b, ok := a.subnetNode.(*border); ok {
		return b.to
	}
	return a.subnetNode.(*arrival).to
}

// WatchedInterface is what a Watcher may say of an interface.
type WatchedInterface struct {
	// Type is the interface's type as the EC2 API has it.
	Type string
	// Service says that it is a service's.
	Service bool
	// Instance is the id of the instance that it is attached to; "" is none.
	Instance string
	// Account is the owner's, Region the region's code, ZoneID the zone's id.
	Account, Region, ZoneID string
	// Tags are the interface's, InstanceTags those of its instance.
	Tags, InstanceTags []Tag
}

// Watched returns what a Watcher may say of an interface.
func (c *Compiler) Watched(n *NetworkInterface) WatchedInterface {
	w := WatchedInterface{
		Type: string(n.kind.facts().api), Service: n.kind != InterfaceUser, Account: c.region.account, Region: c.region.name,
		ZoneID: c.region.ZoneID(n.subnet.zone), Tags: slices.Clone(n.tags),
	}
	if n.instance != nil {
		w.Instance, w.InstanceTags = n.instance.id, slices.Clone(n.instance.tags)
	}
	return w
}

// ServiceRange is addresses of an AWS service.
type ServiceRange struct {
	// Name is the service's as flow logs have it, such as S3.
	Name string
	// Prefix holds the addresses.
	Prefix netip.Prefix
}

// ServiceRanges returns the addresses of the services that have prefix lists of AWS's
// in the region, list by list.
func (c *Compiler) ServiceRanges() []ServiceRange {
	var all []ServiceRange
	for _, l := range c.region.lists {
		if !l.aws {
			continue
		}
		for _, p := range l.entries {
			all = append(all, ServiceRange{strings.ToUpper(l.name[strings.LastIndexByte(l.name, '.')+1:]), p})
		}
	}
	return all
}
