package directconnect

import (
	"cmp"
	"slices"

	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// VirtualInterface is a virtual interface: a VLAN on a connection, by which a Direct
// Connect gateway reaches the site. It is of the region that its connection is of.
type VirtualInterface struct {
	vpc.Base
	name, kind string
	mtu        int
	on         string                  // what it lies on, as names say
	direct     *Gateway                // nil of a public one; its own where it ends at a virtual private gateway
	own        *Association            // in that case
	told       *shape.VirtualInterface // of one that nothing leads to; others' is their line's
}

// line is a virtual interface of a gateway and what changes of it. The shape is replaced,
// not changed.
type line struct {
	vif       *VirtualInterface
	told      *shape.VirtualInterface // nil where an attachment alone tells of it
	cut       bool                    // the connection is down
	down      bool                    // of one without a shape
	announced []remote.Announcement
}

// InterfaceConfig says how a virtual interface is made.
type InterfaceConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is its name.
	Name string
	// Transit has it reach transit gateways, in place of virtual private gateways.
	Transit bool
	// Jumbo has it carry jumbo frames: 9,001 bytes, or 8,500 of a transit one.
	Jumbo bool
	// IPv6 gives it a BGP peer of IPv6 beside that of IPv4.
	IPv6 bool
	// VLAN is its number, 1 to 4094; 0 is 101.
	VLAN int
	// ASN is the autonomous system number of the site's router; 0 is 65000.
	ASN int64
}

// CreateInterface makes a virtual interface of the gateway on a connection
// (CreatePrivateVirtualInterface, CreateTransitVirtualInterface), which is up. See
// rules.go for what is refused.
func (g *Gateway) CreateInterface(on *Connection, c InterfaceConfig) (*VirtualInterface, error) {
	if on == nil {
		return nil, vpc.Refuse("DirectConnectClientException", "A connection is required.")
	}
	var v *VirtualInterface
	err := on.Change(func(tx *vpc.Tx) error {
		if err := g.checkInterface(c); err != nil {
			return err
		}
		b, err := tx.NewBase("dxvif", c.ID, "")
		if err != nil {
			return err
		}
		told := c.shape(&b, on, g)
		v = newInterface(b, told)
		v.on, v.direct = on.label(), g
		tx.Add(v)
		g.know(tx)
		v.join(line{vif: v, told: told, cut: on.down()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// shape is what AWS says of a virtual interface that is up.
func (c *InterfaceConfig) shape(b *vpc.Base, on *Connection, g *Gateway) *shape.VirtualInterface {
	kind, mtu := shape.Private, plainMTU
	switch {
	case c.Transit && c.Jumbo:
		kind, mtu = shape.Transit, transitMTU
	case c.Transit:
		kind = shape.Transit
	case c.Jumbo:
		mtu = privateMTU
	}
	asn := cmp.Or(c.ASN, siteASN)
	s := &shape.VirtualInterface{
		OwnerAccount: new(b.OwnerID()), VirtualInterfaceID: new(b.ID()), Location: on.location(), ConnectionID: new(on.ID()),
		VirtualInterfaceType: new(kind), VirtualInterfaceName: new(c.Name), VLAN: new(int32(cmp.Or(c.VLAN, 101))), ASN: new(asn),
		AmazonSideASN: new(g.ASN()), VirtualInterfaceState: new(shape.Available), MTU: new(int32(mtu)), JumboFrameCapable: new(true),
		VirtualGatewayID: new(""), DirectConnectGatewayID: new(g.id), RouteFilterPrefixes: []shape.RouteFilterPrefix{},
		Region: new(on.Region().Name()), Tags: []shape.Tag{}, SiteLinkEnabled: new(false),
	}
	families := []string{shape.IPv4}
	if c.IPv6 {
		families = append(families, shape.IPv6)
	}
	for _, f := range families {
		s.BGPPeers = append(s.BGPPeers, shape.BGPPeer{
			BGPPeerID: new("dxpeer-" + b.ID()[len("dxvif-"):] + f[len("ip"):]), ASN: new(asn), AddressFamily: new(f),
			BGPPeerState: new(shape.Available), BGPStatus: new(shape.Up),
		})
	}
	return s
}

// newInterface is the virtual interface of a shape.
func newInterface(b vpc.Base, s *shape.VirtualInterface) *VirtualInterface {
	return &VirtualInterface{
		Base: b, name: ec2.Value(s.VirtualInterfaceName), kind: ec2.Value(s.VirtualInterfaceType),
		mtu: int(cmp.Or(ec2.Value(s.MTU), plainMTU)),
	}
}

// join makes the virtual interface one of its gateway's.
func (v *VirtualInterface) join(l line) {
	v.direct.site.Update(func(s *site) bool {
		s.lines = append(slices.Clone(s.lines), l)
		return true
	})
}

// Name returns the virtual interface's name.
func (v *VirtualInterface) Name() string { return v.name }

// Label returns how traces call the virtual interface: its name, else its id.
func (v *VirtualInterface) Label() string { return cmp.Or(v.name, v.ID()) }

// label is its name, or its id where it has none, and what it lies on.
func (v *VirtualInterface) label() string {
	text := cmp.Or(v.name, v.ID()) + " virtual interface"
	if v.on != "" {
		text += " on " + v.on
	}
	return text
}

func (v *VirtualInterface) transit() bool { return v.kind == shape.Transit }

// Gateway returns the Direct Connect gateway that it reaches, nil where there is none.
func (v *VirtualInterface) Gateway() *Gateway {
	if v.own != nil {
		return nil
	}
	return v.direct
}

// Association returns what ties a private virtual interface to the virtual private gateway
// at which it ends without a Direct Connect gateway, nil of others.
func (v *VirtualInterface) Association() *Association { return v.own }

// Announce says what the site announces by this virtual interface, in the place of what it
// did before. What is no CIDR is refused. Of a public one nothing is known.
func (v *VirtualInterface) Announce(list ...remote.Announcement) error {
	checked, err := remote.CheckAnnouncements(list, false)
	if err != nil {
		return err
	}
	v.change(func(l *line) { l.announced = checked })
	return nil
}

// SetUp brings the virtual interface, with its BGP peers, up or down. On a connection that
// is down it stays so.
func (v *VirtualInterface) SetUp(up bool) { v.change(func(l *line) { l.set(up) }) }

// Up reports whether packets go by the virtual interface: its state, that of a BGP peer and
// that of the connection allow it.
func (v *VirtualInterface) Up() bool {
	l := v.line()
	return l != nil && (l.up(false) || l.up(true))
}

// change has f change the virtual interface's line.
func (v *VirtualInterface) change(f func(l *line)) {
	if v.direct == nil {
		return
	}
	v.direct.site.Update(func(s *site) bool {
		s.lines = slices.Clone(s.lines)
		for i := range s.lines {
			if s.lines[i].vif == v {
				f(&s.lines[i])
			}
		}
		return true
	})
}

// line returns a copy of the virtual interface's line, nil where it has none.
func (v *VirtualInterface) line() *line {
	if v.direct == nil {
		return nil
	}
	s := v.direct.site.Get()
	for i := range s.lines {
		if s.lines[i].vif == v {
			return new(s.lines[i])
		}
	}
	return nil
}

// set gives a virtual interface and its peers a state.
func (l *line) set(up bool) {
	l.down = !up
	if l.told == nil {
		return
	}
	state, status := shape.Down, shape.Down
	if up {
		state, status = shape.Available, shape.Up
	}
	told := *l.told
	told.VirtualInterfaceState, told.BGPPeers = &state, slices.Clone(told.BGPPeers)
	for i := range told.BGPPeers {
		told.BGPPeers[i].BGPStatus = &status
		if up {
			told.BGPPeers[i].BGPPeerState = new(shape.Available)
		}
	}
	l.told = &told
}

// up reports whether packets of a family go by the virtual interface. What is not known to
// be down is not.
func (l *line) up(six bool) bool {
	if l.told == nil {
		return !l.down && !l.cut
	}
	switch ec2.Value(l.told.VirtualInterfaceState) {
	case shape.Available, shape.Unknown, "":
	default:
		return false
	}
	return !l.cut && (l.told.BGPPeers == nil || slices.ContainsFunc(l.told.BGPPeers, func(p shape.BGPPeer) bool {
		state, status := cmp.Or(ec2.Value(p.BGPPeerState), shape.Available), cmp.Or(ec2.Value(p.BGPStatus), shape.Up)
		return (ec2.Value(p.AddressFamily) == shape.IPv6) == six && state == shape.Available && status != shape.Down
	}))
}

// unknown reports whether AWS could not tell the state of the virtual interface, or of
// each of its peers that is not down.
func (l *line) unknown() bool {
	if l.told == nil {
		return false
	}
	return ec2.Value(l.told.VirtualInterfaceState) == shape.Unknown ||
		!slices.ContainsFunc(l.told.BGPPeers, func(p shape.BGPPeer) bool { return cmp.Or(ec2.Value(p.BGPStatus), shape.Up) == shape.Up }) && len(l.told.BGPPeers) > 0
}
