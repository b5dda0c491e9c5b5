package nlb

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The ways to a node that are not by its interface's address: answers of targets that
// have seen their client, and the endpoints of services that stand on the load balancer.

// claim takes the answers of one target's interface to one node, for flows that have
// kept their client's address.
type claim struct {
	node *node
	way  dataplane.Node
}

// Intercept returns the way back to the node, where p is an answer of a flow by it.
func (x *claim) Intercept(c *dataplane.Context, p *wire.Packet) dataplane.Node {
	if x.node.owns(p.Flow.Dst) {
		return nil // of a flow that has not kept it
	}
	for i := range x.node.listeners {
		l := &x.node.listeners[i]
		if p.Fragment == wire.LaterFragment {
			if l.flows.followers.Knows(p, c.Now) {
				return x.way
			}
			continue
		}
		id, d := l.find(p, c.Now)
		if id != 0 && d == nat.Reply {
			return x.way
		}
	}
	return nil
}

// link is an interface of an endpoint that leads to the load balancer's service. Each
// has flows of its own: consumers may have the same addresses. Targets see the node,
// whatever their group preserves (NLB guide, "Client IP preservation").
type link struct {
	node      *node
	name      string
	in        dataplane.Node // the node's interface
	listeners []listener
}

// Name returns the load balancer's name and the node's zone.
func (x *link) Name() string { return x.name }

// Resource returns the load balancer's id.
func (x *link) Resource() string { return x.node.balancer }

// Forward takes what a consumer sends to the endpoint's address to the node's interface,
// whose security groups see the consumer's address (NLB guide, "Security groups":
// inbound rules are enforced on PrivateLink traffic unless that is switched off, which
// is not modelled).
func (x *link) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next {
	c.From, c.Behind = nil, x
	return dataplane.To(x.in)
}

// accept takes a packet that has come by the link.
func (x *link) accept(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Behind = nil
	if p.Fragment != wire.Whole {
		return dataplane.Drop(trace.FragmentNotSupported)
	}
	for i := range x.listeners {
		if l := &x.listeners[i]; l.takes(&p.Flow) {
			return x.node.accept(c, p, l)
		}
	}
	return x.node.unheard(c, p)
}
