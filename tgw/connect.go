package tgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Connect is a Connect attachment: GRE tunnels over another attachment, the transport, to
// appliances beyond it, each with a [ConnectPeer]. What is for the appliances' networks goes
// inside GRE by the transport's VPC to the interface that has a peer's address; what comes
// from there so has come by the Connect attachment. BGP is not on the wire: what peers
// announce is given.
//
// Where no interface of the transport's VPC has the address, and where the transport is
// Direct Connect, what lies there is not modelled until [Connect.Connect].
type Connect struct {
	*Attachment
	transport *Attachment
	peers     []*ConnectPeer
	told      bool           // made of a description, in which routes alone tell what is beyond
	learned   []netip.Prefix // by every peer
	site      dataplane.Node
}

// ConnectPeer is a Connect peer: a GRE tunnel with BGP inside.
type ConnectPeer struct {
	vpc.Base
	connect   *Connect
	own, peer netip.Addr // the tunnel's ends: the gateway's and the appliance's; invalid where nobody tells
	inside    []netip.Prefix
	announced []remote.Announcement
	told      ec2.TransitGatewayConnectPeer // replaced, not changed; its tags are the Base's
}

// ConnectConfig says how a Connect attachment is made.
type ConnectConfig struct {
	// ID is the attachment's id; "" makes one.
	ID string
	// Name is the attachment's Name tag.
	Name string
}

// ConnectPeerConfig says how a Connect peer is made.
type ConnectPeerConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Address is the appliance's end of the tunnel.
	Address netip.Addr
	// GatewayAddress is the gateway's end, of one of its CIDR blocks; an invalid one is the
	// first that is free.
	GatewayAddress netip.Addr
	// Inside is the /29 of 169.254.0.0/16 in which the BGP peers are; an invalid one is
	// chosen.
	Inside netip.Prefix
	// ASN is the appliance's autonomous system number; 0 is the gateway's.
	ASN int64
}

// AttachConnect makes a Connect attachment over an attachment of a VPC or of Direct
// Connect (CreateTransitGatewayConnect), without peers. Other attachments are no transport
// (the sentence is inferred).
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
		b, err := tx.NewBase("tgw-attach", c.ID, c.Name)
		if err != nil {
			return err
		}
		x = g.newConnect(tx, b, transport)
		g.add(tx, x.Attachment)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (g *TransitGateway) newConnect(tx *vpc.Tx, b vpc.Base, transport *Attachment) *Connect {
	a := &Attachment{Base: b, gateway: g, kind: ec2.TransitGatewayAttachmentResourceTypeConnect, six: true, created: tx.Region().Now()}
	x := &Connect{Attachment: a, transport: transport}
	a.link = x
	return x
}

// Delete deletes the attachment, with its peers (DeleteTransitGatewayConnectPeer,
// DeleteTransitGatewayConnect).
func (x *Connect) Delete() error {
	return x.Change(func(tx *vpc.Tx) error {
		for _, p := range x.peers {
			tx.Remove(p)
		}
		x.peers = nil
		x.gateway.Unlink(tx, x)
		return nil
	})
}

// CreatePeer makes a peer of the attachment (CreateTransitGatewayConnectPeer), which is up.
// See rules_connect.go for what is refused.
func (x *Connect) CreatePeer(c ConnectPeerConfig) (*ConnectPeer, error) {
	var p *ConnectPeer
	err := x.Change(func(tx *vpc.Tx) error {
		if err := x.checkPeer(tx, &c); err != nil {
			return err
		}
		b, err := tx.NewBase("tgw-connect-peer", c.ID, c.Name)
		if err != nil {
			return err
		}
		p = &ConnectPeer{Base: b, connect: x, own: c.GatewayAddress, peer: c.Address, inside: []netip.Prefix{c.Inside.Masked()}}
		p.told = c.shape(p, tx.Region().Now())
		x.peers = append(slices.Clone(x.peers), p)
		tx.Add(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Delete deletes the peer (DeleteTransitGatewayConnectPeer).
func (p *ConnectPeer) Delete() error {
	return p.Change(func(tx *vpc.Tx) error {
		x := p.connect
		x.peers = slices.DeleteFunc(slices.Clone(x.peers), func(o *ConnectPeer) bool { return o == p })
		tx.Remove(p)
		return nil
	})
}

// Announce says what the peer's BGP announces, in the place of what it did before.
func (p *ConnectPeer) Announce(list ...remote.Announcement) error {
	return p.Change(func(*vpc.Tx) error {
		checked, err := remote.CheckAnnouncements(list, false)
		if err != nil {
			return err
		}
		p.announced = checked
		return nil
	})
}

// SetUp brings the peer's BGP up or down. One that is being made is available once it is
// up; one that is being deleted is refused.
func (p *ConnectPeer) SetUp(up bool) error {
	return p.Change(func(*vpc.Tx) error {
		switch ec2.Value(p.told.State) {
		case ec2.TransitGatewayConnectPeerStateDeleting, ec2.TransitGatewayConnectPeerStateDeleted:
			return vpc.Refuse("IncorrectState", "%s is in invalid state", p.ID())
		}
		state := ec2.BgpStatusDown
		if up {
			state, p.told.State = ec2.BgpStatusUp, new(ec2.TransitGatewayConnectPeerStateAvailable)
		}
		told := *p.told.ConnectPeerConfiguration
		told.BgpConfigurations = slices.Clone(told.BgpConfigurations)
		if len(told.BgpConfigurations) == 0 { // a description may tell of no session
			told.BgpConfigurations = make([]ec2.TransitGatewayAttachmentBgpConfiguration, 1)
		}
		for i := range told.BgpConfigurations {
			told.BgpConfigurations[i].BgpStatus = &state
		}
		p.told.ConnectPeerConfiguration = &told
		return nil
	})
}

// Attachment returns the Connect attachment that the peer is of.
func (p *ConnectPeer) Attachment() *Connect { return p.connect }

// Address returns the gateway's end of the tunnel.
func (p *ConnectPeer) Address() netip.Addr { return p.own }

// Connect says what lies beyond: the node that takes packets for the peers' networks, past
// the appliances.
func (x *Connect) Connect(site dataplane.Node) error {
	return x.Change(func(*vpc.Tx) error {
		x.site = site
		return nil
	})
}

// Paths returns what the peers announce that are up.
func (x *Connect) Paths(tx *vpc.Tx) []remote.Path {
	var list []remote.Path
	for _, via := range x.Ways(tx) {
		known := slices.Clone(x.announced(via))
		for _, dst := range x.learned {
			if !slices.ContainsFunc(known, func(a remote.Announcement) bool { return a.Prefix == dst }) {
				known = append(known, remote.Announcement{Prefix: dst})
			}
		}
		for _, a := range known {
			list = append(list, remote.Path{Announcement: a, Kind: remote.Connect, Via: via})
		}
	}
	return list
}

func (x *Connect) announced(via int) []remote.Announcement {
	if via < len(x.peers) {
		return x.peers[via].announced
	}
	return nil
}

// Ways returns the peers that are up, where the transport is; of a restored attachment
// whose peers nobody tells of, one.
func (x *Connect) Ways(*vpc.Tx) []int {
	if !x.transport.available() {
		return nil
	}
	var ways []int
	for i, p := range x.peers {
		if !p.down() {
			ways = append(ways, i)
		}
	}
	if x.told && len(x.peers) == 0 {
		ways = append(ways, 0)
	}
	return ways
}

// Attaches says that it is a Connect attachment, whose resource is its transport.
func (x *Connect) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) {
	return ec2.TransitGatewayAttachmentResourceTypeConnect, x.transport.ID()
}

// Learns says that whatever is propagated is taken down.
func (x *Connect) Learns(*vpc.Tx) bool { return true }

// Learn adds a prefix that every peer announces: what a propagated route tells of a
// restored attachment.
func (x *Connect) Learn(_ *vpc.Tx, dst netip.Prefix) {
	if dst.IsValid() && !slices.Contains(x.learned, dst) {
		x.learned = append(slices.Clone(x.learned), dst)
	}
}

// Untold reports whether the peers may announce more than is known: of a restored
// attachment nothing tells but routes, and none does.
func (x *Connect) Untold(tx *vpc.Tx) bool {
	return x.told && len(x.Paths(tx)) == 0 && len(x.Ways(tx)) > 0
}
