package endpoint

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// MTU is the largest packet that an endpoint carries, in bytes. Larger ones are dropped
// without a word to their sender, and the MSS of TCP is clamped to it both ways
// (PrivateLink guide, "Quotas"), but not of what a Gateway Load Balancer inspects.
const MTU = 8500

// gateway is a compiled gateway endpoint. Its two sides are types over it. It touches
// neither addresses nor the TTL: the service sees the private source (PrivateLink
// guide, "Gateway endpoints"; that the TTL stays is inferred).
type gateway struct {
	id      string
	out, in string // names of the sides
	own     *vpc.Addresses
	ranges  []wire.Prefix  // the service's, of the prefix list
	remote  dataplane.Node // the service
	tracked bool           // flows to the service are always tracked
	inside  dataplane.Node
}

type (
	outbound gateway
	inbound  gateway
)

// compileGateway makes the sides: the routes to the service's prefix list lead to the
// outbound one, the service to the inbound one.
func (e *Endpoint) compileGateway(c *vpc.Compiler) {
	if e.list == nil { // restored, of a service that has none
		c.Enter(e, e.vpc, vpc.Entry{Node: c.Unmodelled(e)})
		return
	}
	label := c.LabelOf(e)
	short, _ := shortName(e.Region(), e.service)
	g := &gateway{
		id: e.ID(), out: label + " outbound", in: label + " inbound", own: c.Addresses(e.vpc),
		tracked: short == "dynamodb", inside: c.Inside(e.vpc), remote: e.remote,
	}
	for _, p := range c.EntriesOf(e.list) {
		g.ranges = append(g.ranges, wire.PrefixFrom(p))
	}
	if g.remote == nil {
		g.remote = newService(c, e.service, short, func(*wire.Packet) dataplane.Node { return (*inbound)(g) })
	}
	c.Enter(e, e.vpc, vpc.Entry{Node: (*outbound)(g)})
	c.EnterFromOutside(e, (*inbound)(g))
}

// Name returns the endpoint's name and "outbound".
func (o *outbound) Name() string { return o.out }

// Resource returns the endpoint's id.
func (o *outbound) Resource() string { return o.id }

// Forward sends a packet to the service: TCP and echo requests of the VPC's own
// interfaces (Reachability Analyzer, VPCE_GATEWAY_PROTOCOL_RESTRICTION; PrivateLink
// guide, "Gateway endpoints": not from a peer, a VPN or a transit gateway). Flows to
// DynamoDB are always tracked (EC2 guide, "Security group connection tracking").
func (o *outbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	g, entered := (*gateway)(o), c.Entered
	c.From = nil
	switch {
	case !p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case entered != dataplane.ByInterface || !g.own.Has(p.Flow.Src):
		return dataplane.Drop(trace.EndpointForeign)
	case !carries(p, wire.ICMPEcho):
		return dataplane.Drop(trace.EndpointProtocol)
	case p.Len() > MTU:
		return dataplane.Drop(trace.TooBig)
	case g.tracked && !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(g.remote)
}

// carries reports whether a gateway endpoint carries the packet in a direction: TCP, or
// the ICMP message that belongs to it. A later fragment has no type to tell by.
func carries(p *wire.Packet, echo uint8) bool {
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		return true
	case wire.ProtoICMP:
		return p.Fragment == wire.LaterFragment || p.Type == echo
	}
	return false
}

// Name returns the endpoint's name and "inbound".
func (i *inbound) Name() string { return i.in }

// Resource returns the endpoint's id.
func (i *inbound) Resource() string { return i.id }

// Forward takes what the service answers back into the VPC: by local, past every route
// table. What the service begins is dropped (Reachability Analyzer,
// VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION, VPCE_INTRA_VPC_TRAFFIC).
func (i *inbound) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	g := (*gateway)(i)
	c.From, c.Entered = nil, dataplane.ByPrivateGateway
	switch {
	case !within(g.ranges, p.Flow.Src):
		return dataplane.Drop(trace.EndpointSource)
	case !carries(p, wire.ICMPEchoReply):
		return dataplane.Drop(trace.EndpointProtocol)
	case p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK):
		return dataplane.Drop(trace.EndpointInitiates)
	case g.tracked && !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(g.inside)
}

func within(ranges []wire.Prefix, a wire.Addr) bool {
	for _, r := range ranges {
		if r.Contains(a) {
			return true
		}
	}
	return false
}
