package vpc

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// border is the arrival at an interface by which packets leave the VPC, a transit
// gateway's or a Gateway Load Balancer endpoint's. They leave the subnet there, so its
// network ACLs are asked of those of the subnet's own hosts too (Transit Gateway guide,
// "Network ACLs for transit gateways"; PrivateLink guide, "Access virtual appliances").
type border arrival

// Name returns the subnet's name and "arrival".
func (b *border) Name() string { return b.arrival }

// Resource returns the subnet's id.
func (b *border) Resource() string { return b.origin.Subnet }

// Forward puts the packet to the subnet's network ACL inbound, wherever it is from.
func (b *border) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Latency += b.latency.between(c.From, b.origin.Zone)
	number, allow := b.ingress.Decide(p, p.Flow.Src)
	if c.Tracing() {
		b.noteACL(c, p, number, allow, &inboundRule)
	}
	if !allow {
		if end := b.deny(c, p, number, &inboundRule, trace.ACLIngress); end != trace.None {
			return dataplane.Drop(end)
		}
	}
	return dataplane.To(b.to.In())
}

// subnetOf returns the subnet that a route to the interface stays in: none where it
// is one that leads out of every subnet.
func subnetOf(n *NetworkInterface) string {
	if n.leadsOut() {
		return ""
	}
	return n.subnet.id
}

// leadsOut reports whether packets leave the VPC by the interface, whatever subnet they
// come from.
func (n *NetworkInterface) leadsOut() bool {
	return n.kind == InterfaceTransitGateway || n.kind == InterfaceGWLBEndpoint
}

// Zones says in which zone of a VPC an address lies.
type Zones network

// Zones returns the zones of a VPC's subnets.
func (c *Compiler) Zones(v *VPC) *Zones { return (*Zones)(c.networks[v]) }

// Of returns the zone of the subnet that holds a, "" where none does. It does not
// allocate.
func (z *Zones) Of(a wire.Addr) string {
	if s, ok := z.subnets.LookupPacked(a.Words()); ok {
		return s.origin.Zone
	}
	return ""
}

// AnswerBy has packets of the VPC for an address of a NAT gateway beyond a peering
// connection go to n where no route takes them: what a NAT gateway sends by a peering
// connection is answered without a route (VPC guide, "NAT gateway basics").
func (c *Compiler) AnswerBy(v *VPC, a wire.Addr, n dataplane.Node) {
	if c.networks[v].returns == nil {
		c.networks[v].returns = map[wire.Addr]dataplane.Node{}
	}
	c.networks[v].returns[a] = n
}

// Latency returns how long packets take inside the region.
func (c *Compiler) Latency() Latency { return c.region.latency }
