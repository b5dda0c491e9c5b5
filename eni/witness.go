package eni

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Witness is told of the packets at an interface that its security groups and its
// subnet's network ACL have judged: a flow log. What neither judges it does not see:
// what the platform answers, what fails source/dest check, what a fault takes, what is
// for an interface that is down. It must not change the packets, nor send.
type Witness interface {
	// Leaves tells of a packet that the guest sent: end is trace.None where groups and
	// ACL let it pass, else which of them refused it. w says where it went.
	Leaves(at time.Duration, p *wire.Packet, end trace.Reason, w Way)
	// Arrives is Leaves for a packet for the guest.
	Arrives(at time.Duration, p *wire.Packet, end trace.Reason)
}

// Way is where a packet that left an interface went.
type Way struct {
	// Target is the id of what the route names, such as igw-…, "local" of a neighbour
	// and of a local route; "" where there is no route.
	Target string
	// Hop is the interface that takes the packet next, nil where that is none.
	Hop *Interface
}

// watchedOut and watchedIn are the sides of an interface that has a Witness. Those
// that have none pay nothing for it.
type (
	watchedOut Interface
	watchedIn  Interface
)

// Name returns the interface's name and "out".
func (o *watchedOut) Name() string { return o.outName }

// Resource returns the interface's id.
func (o *watchedOut) Resource() string { return o.ID }

// Sender returns the interface's name.
func (o *watchedOut) Sender() string { return o.Label }

// Forward does what the interface does, and tells of what its groups refuse. Of the
// rest the router's side tells, which knows what the ACL says.
func (o *watchedOut) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	next := (*out)(o).Forward(c, p)
	if next.End() == trace.GroupEgress {
		o.Witness.Leaves(c.Now+c.Latency, p, trace.GroupEgress, Way{})
	}
	return next
}

// Name returns the interface's name and "in".
func (n *watchedIn) Name() string { return n.inName }

// Resource returns the interface's id.
func (n *watchedIn) Resource() string { return n.ID }

// Forward does what the interface does, and tells of what its groups let pass and
// what they refuse.
func (n *watchedIn) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	next := (*in)(n).Forward(c, p)
	switch end := next.End(); end {
	case trace.GroupIngress, trace.GroupReference, trace.TransitReference:
		n.Witness.Arrives(c.Now+c.Latency, p, end)
	case trace.InstanceStopped, trace.NotAttached, trace.Lost, trace.DestinationCheck, trace.TrackingFull:
	default:
		n.Witness.Arrives(c.Now+c.Latency, p, trace.None)
	}
	return next
}
