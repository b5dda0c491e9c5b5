package directconnect

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Gateways are the Direct Connect gateways of a network, by id: they belong to no region,
// so the regions that are restored share them. The Restore functions of this package add
// to it. In order: [Restore], [RestoreConnection] and [RestoreLag], [RestoreInterface],
// [RestoreAttachment] for interfaces that nothing else tells of, and, after the gateways of
// the region, [RestoreAssociation].
type Gateways map[string]*Gateway

// of returns the gateway with an id, which it makes where it is new, and has the region
// know it.
func (all Gateways) of(tx *vpc.Tx, field string, id *string) (*Gateway, error) {
	key := ec2.Value(id)
	if key == "" {
		return nil, &vpc.ShapeError{Field: field, Want: "an id"}
	}
	g := all[key]
	if g == nil {
		g = &Gateway{id: key}
	}
	if x := tx.Find(key); x != nil && x != vpc.Resource(g) {
		return nil, &vpc.ShapeError{Field: field, Value: key, Want: "an id that no other resource has", Absent: true}
	}
	all[key] = g
	g.know(tx)
	return g, nil
}

// Restore makes a Direct Connect gateway as described, or has the region know the one that
// others do. See the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, all Gateways, s shape.DirectConnectGateway) (*Gateway, error) {
	g, err := all.of(tx, "directConnectGatewayId", s.DirectConnectGatewayID)
	if err != nil {
		return nil, err
	}
	g.site.Update(func(now *site) bool {
		if now.told == nil {
			now.told = &s
		}
		return true
	})
	return g, nil
}

// RestoreConnection makes a connection as described.
func RestoreConnection(tx *vpc.Tx, s shape.Connection) (*Connection, error) {
	b, err := tx.RestoreBase("connectionId", s.ConnectionID, s.OwnerAccount, nil)
	if err != nil {
		return nil, err
	}
	x := &Connection{Base: b, name: ec2.Value(s.ConnectionName), told: &s}
	tx.Add(x)
	return x, nil
}

// RestoreLag makes a link aggregation group as described.
func RestoreLag(tx *vpc.Tx, s shape.Lag) (*Connection, error) {
	b, err := tx.RestoreBase("lagId", s.LagID, s.OwnerAccount, nil)
	if err != nil {
		return nil, err
	}
	x := &Connection{Base: b, name: ec2.Value(s.LagName), lag: &s}
	tx.Add(x)
	return x, nil
}

// RestoreInterface makes a virtual interface as described, after its connection and the
// gateways of the region. It is up where its state, a BGP peer's and the connection's say
// so. A public one leads nowhere.
func RestoreInterface(tx *vpc.Tx, all Gateways, s shape.VirtualInterface) (*VirtualInterface, error) {
	b, err := tx.RestoreBase("virtualInterfaceId", s.VirtualInterfaceID, s.OwnerAccount, nil)
	if err != nil {
		return nil, err
	}
	v := newInterface(b, &s)
	v.on = ec2.Value(s.ConnectionID)
	x, _ := vpc.Named[*Connection](tx, "connectionId", s.ConnectionID)
	if x != nil {
		v.on = x.label()
	}
	switch {
	case v.kind == shape.Public:
		v.told = &s
	case ec2.Value(s.DirectConnectGatewayID) != "":
		v.direct, err = all.of(tx, "directConnectGatewayId", s.DirectConnectGatewayID)
	case ec2.Value(s.VirtualGatewayID) != "":
		err = v.end(tx, s.VirtualGatewayID)
	default:
		v.told = &s
	}
	if err != nil {
		v.told, v.direct = &s, nil
	}
	tx.Add(v)
	if v.direct != nil {
		v.join(line{vif: v, told: &s, cut: x != nil && x.down()})
	}
	return v, err
}

// end has a private virtual interface end at a virtual private gateway, without a Direct
// Connect gateway between them.
func (v *VirtualInterface) end(tx *vpc.Tx, id *string) error {
	with, err := vpc.Named[remote.Gateway](tx, "virtualGatewayId", id)
	if err != nil {
		return err
	}
	b, err := tx.NewNamed(v.ID()+"/"+with.ID(), "")
	if err != nil {
		return err
	}
	v.direct = &Gateway{id: v.ID(), own: true}
	v.own = &Association{Base: b, direct: v.direct, gateway: with, vpc: vpcOf(tx, with), state: shape.Associated, told: true}
	tx.Add(v.own)
	v.direct.site.Join(tx.Region())
	v.direct.site.Update(func(s *site) bool { s.associations = []*Association{v.own}; return true })
	return with.Link(tx, v.own)
}

// RestoreAttachment makes the virtual interface of which nothing but its attachment to a
// gateway tells, such as another account's: it is taken to be up, since a gateway that it is
// attached to may know of what lies beyond. One that is known is returned as it is.
func RestoreAttachment(tx *vpc.Tx, all Gateways, s shape.DirectConnectGatewayAttachment) (*VirtualInterface, error) {
	g, err := all.of(tx, "directConnectGatewayId", s.DirectConnectGatewayID)
	if err != nil {
		return nil, err
	}
	for _, l := range g.site.Get().lines {
		if l.vif.ID() == ec2.Value(s.VirtualInterfaceID) {
			return l.vif, nil
		}
	}
	b, err := tx.RestoreBase("virtualInterfaceId", s.VirtualInterfaceID, s.VirtualInterfaceOwnerAccount, nil)
	if err != nil {
		return nil, err
	}
	v := &VirtualInterface{Base: b, kind: shape.Private, mtu: plainMTU, direct: g}
	if ec2.Value(s.AttachmentType) == shape.TransitVirtualInterface {
		v.kind = shape.Transit
	}
	tx.Add(v)
	v.join(line{vif: v, down: cmp.Or(ec2.Value(s.AttachmentState), shape.Attached) != shape.Attached})
	return v, nil
}

// RestoreAssociation makes an association as described, after the gateway of the region. A
// virtual private gateway uses it from then on; a transit gateway's attachment is restored
// after it, by itself. What the site announces is told by the routes that it propagated
// ([Association.Learn]), and it is not modelled until [Association.Connect].
func RestoreAssociation(tx *vpc.Tx, all Gateways, s shape.DirectConnectGatewayAssociation) (*Association, error) {
	field, id := "virtualGatewayId", s.VirtualGatewayID
	if s.AssociatedGateway != nil {
		field, id = "associatedGateway.id", s.AssociatedGateway.ID
	}
	with, err := vpc.Named[remote.Gateway](tx, field, id)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("associationId", s.AssociationID, nil, nil)
	if err != nil {
		return nil, err
	}
	g, err := all.of(tx, "directConnectGatewayId", s.DirectConnectGatewayID)
	if err != nil {
		return nil, err
	}
	a := &Association{
		Base: b, direct: g, gateway: with, vpc: vpcOf(tx, with), state: cmp.Or(ec2.Value(s.AssociationState), shape.Associated),
		owner: ec2.Value(s.DirectConnectGatewayOwnerAccount), told: true,
	}
	var bad error
	for i, p := range s.AllowedPrefixes {
		prefix, err := netip.ParsePrefix(ec2.Value(p.CIDR))
		if err != nil || prefix.Addr().Is4In6() {
			bad = &vpc.ShapeError{Field: fmt.Sprintf("allowedPrefixesToDirectConnectGateway[%d].cidr", i), Value: ec2.Value(p.CIDR), Want: "a CIDR"}
			continue
		}
		if !slices.Contains(a.allowed, prefix.Masked()) {
			a.allowed = append(a.allowed, prefix.Masked())
		}
	}
	if transit(with) {
		a.join(tx)
		return a, bad
	}
	if err := with.Link(tx, a); err != nil {
		return nil, err
	}
	a.join(tx)
	return a, bad
}
