package endpoint

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// hatch is a compiled endpoint behind one of its interfaces, of an interface endpoint
// or a Gateway Load Balancer endpoint: what the consumer's VPC delivers there goes to
// the service.
type hatch struct {
	name, id string
	kind     Kind
	port     *eni.Port // a guest that stands for the service may be plugged in
	next     dataplane.Node
	end      trace.Reason // why there is no next
}

// compileInterface makes the endpoint behind one of its interfaces.
func (e *Endpoint) compileInterface(c *vpc.Compiler, n *vpc.NetworkInterface) dataplane.Node {
	i := c.Interface(n)
	h, out := &hatch{name: c.LabelOf(e), id: e.ID(), kind: e.kind, port: i.Port}, i.Out()
	if e.kind == Interface {
		out = &answers{h.name, h.id, out}
	}
	short, amazon := shortName(e.Region(), e.service)
	s := serviceOf(c.Tx(), e.service)
	link := vpc.EndpointLink{Endpoint: e.ID(), Label: c.LabelOf(e), Zone: c.Zone(n), Addrs: i.Addrs, Out: out}
	switch {
	case e.manager != nil:
		h.next = e.manager.LinkEndpoint(c, link)
	case e.state != available:
		h.end = trace.EndpointPending
	case s != nil:
		p := s.provider(c.Tx(), c.Zone(n))
		if p == nil {
			h.end = trace.EndpointZone
			if s.partial || s.incomplete(c.Tx()) {
				h.end = trace.Unmodelled
			}
			break
		}
		h.next = p.LinkEndpoint(c, link)
	case amazon && e.kind == Interface:
		h.next = newService(c, e.service, short, func(*wire.Packet) dataplane.Node { return out })
	default: // a service of an account that the region does not hold
		h.end = trace.Unmodelled
	}
	return h
}

// Name returns the endpoint's name.
func (h *hatch) Name() string { return h.name }

// Resource returns the endpoint's id.
func (h *hatch) Resource() string { return h.id }

// Forward hands a packet to the service. An interface endpoint carries TCP and UDP
// (PrivateLink guide, "Access an AWS service"; that it answers no ping is inferred),
// and flows by it are always tracked (EC2 guide, "Security group connection
// tracking"); a Gateway Load Balancer endpoint carries every packet. Neither tells the
// sender of one that is too big.
func (h *hatch) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if h.kind == Interface && h.port.Plugged() {
		return c.Deliver(h.port)
	}
	switch {
	case h.end != trace.None:
		return dataplane.Drop(h.end)
	case p.Len() > MTU:
		return dataplane.Drop(trace.TooBig)
	case h.kind == GatewayLoadBalancer:
		return dataplane.To(h.next)
	case p.Flow.Proto != wire.ProtoTCP && p.Flow.Proto != wire.ProtoUDP:
		return dataplane.Drop(trace.ProtocolNotSupported)
	case !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(h.next)
}

// answers is the way back out of an interface endpoint: a service's packets enter the
// consumer's VPC there.
type answers struct {
	name, id string
	out      dataplane.Node
}

// Name returns the endpoint's name.
func (a *answers) Name() string { return a.name }

// Resource returns the endpoint's id.
func (a *answers) Resource() string { return a.id }

// Forward has the service announce segments that the endpoint carries.
func (a *answers) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if p.Len() > MTU {
		return dataplane.Drop(trace.TooBig)
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(a.out)
}
