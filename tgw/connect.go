package tgw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Connect is a Connect attachment with its peer: an appliance beyond another attachment,
// the transport, to which GRE leads. Neither GRE nor BGP is on the wire: the peer is up
// or down, what it announces is given, and its network is one of hosts.
type Connect struct {
	vpc.Base
	gateway   *TransitGateway
	transport *Attachment
	down      bool
	announced []remote.Announcement
	site      dataplane.Node
}

// ConnectConfig says how a Connect attachment is made.
type ConnectConfig struct {
	// ID is the peer's id; "" makes one.
	ID string
	// Name is the peer's Name tag.
	Name string
}

// AttachConnect makes a Connect attachment over an attachment of a VPC or of Direct
// Connect (CreateTransitGatewayConnect), with one peer (CreateTransitGatewayConnectPeer),
// which is up. Other attachments are no transport (the sentence is inferred).
func (g *TransitGateway) AttachConnect(transport *Attachment, c ConnectConfig) (*Connect, error) {
	var x *Connect
	err := g.Change(func(tx *vpc.Tx) error {
		if err := tx.Needs("transportTransitGatewayAttachmentId", transport); err != nil {
			return err
		}
		kind := transport.kind
		if transport.gateway != g || kind != ec2.TransitGatewayAttachmentResourceTypeVpc && kind != ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway {
			return vpc.Refuse("InvalidParameterValue", "%s can't be the transport of a Connect attachment.", transport.ID())
		}
		b, err := tx.NewBase("tgw-connect-peer", c.ID, c.Name)
		if err != nil {
			return err
		}
		x = &Connect{Base: b, gateway: g, transport: transport}
		tx.Add(x)
		return g.Link(tx, x)
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Delete deletes the attachment and its peer.
func (x *Connect) Delete() error {
	return x.Change(func(tx *vpc.Tx) error {
		x.gateway.Unlink(tx, x)
		tx.Remove(x)
		return nil
	})
}

// Announce says what the peer's BGP announces, in the place of what it did before.
func (x *Connect) Announce(list ...remote.Announcement) error {
	return x.Change(func(*vpc.Tx) error {
		checked, err := remote.CheckAnnouncements(list, false)
		if err != nil {
			return err
		}
		x.announced = checked
		return nil
	})
}

// SetUp brings the peer up or down.
func (x *Connect) SetUp(up bool) error {
	return x.Change(func(*vpc.Tx) error {
		x.down = !up
		return nil
	})
}

// Connect says what lies beyond: the node that takes packets for the peer's network.
func (x *Connect) Connect(site dataplane.Node) error {
	return x.Change(func(*vpc.Tx) error {
		x.site = site
		return nil
	})
}

// Paths returns what the peer announces while it is up.
func (x *Connect) Paths(tx *vpc.Tx) []remote.Path {
	if len(x.Ways(tx)) == 0 {
		return nil
	}
	list := make([]remote.Path, len(x.announced))
	for i, a := range x.announced {
		list[i] = remote.Path{Announcement: a, Kind: remote.Connect}
	}
	return list
}

// Ways returns the one way, where peer and transport are up.
func (x *Connect) Ways(*vpc.Tx) []int {
	if x.down || !x.transport.available() {
		return nil
	}
	return []int{0}
}

// Outbound returns the node that takes packets to the peer.
func (x *Connect) Outbound(c *vpc.Compiler, _ int) dataplane.Node {
	return &peerEnd{id: x.ID(), name: c.LabelOf(x), down: len(x.Ways(c.Tx())) == 0, site: x.site}
}

// Inbound returns the node at which the peer's packets enter.
func (x *Connect) Inbound(c *vpc.Compiler, to remote.Entrance) remote.Entrance {
	return &peerEnd{id: x.ID(), name: c.LabelOf(x) + " inbound", down: len(x.Ways(c.Tx())) == 0, site: to, in: to}
}

// Attaches says that it is a Connect attachment, whose resource is its transport.
func (x *Connect) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) {
	return ec2.TransitGatewayAttachmentResourceTypeConnect, x.transport.ID()
}

// peerEnd is where packets leave for a Connect peer, or where they come from it.
type peerEnd struct {
	id, name string
	down     bool
	site     dataplane.Node
	in       remote.Entrance // nil of the way out
}

// Name returns the peer's name.
func (e *peerEnd) Name() string { return e.name }

// Resource returns the peer's id.
func (e *peerEnd) Resource() string { return e.id }

// Takes reports whether the gateway takes packets of the peer's for dst.
func (e *peerEnd) Takes(dst wire.Addr) bool { return !e.down && e.in.Takes(dst) }

// Forward hands the packet on.
func (e *peerEnd) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From = nil
	switch {
	case e.down:
		return dataplane.Drop(trace.TransitBlackhole)
	case e.site == nil:
		return dataplane.Drop(trace.Unmodelled)
	case p.Len() > MTU:
		return dataplane.Drop(trace.TooBig)
	}
	return dataplane.To(e.site)
}
