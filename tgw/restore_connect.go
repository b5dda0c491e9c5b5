package tgw

import (
	"cmp"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// RestoreConnect makes a Connect attachment as described, after the other attachments.
// Without its transport it is one that is not modelled, which is told.
func RestoreConnect(tx *vpc.Tx, s ec2.TransitGatewayConnect) (*Attachment, error) {
	g, err := vpc.Named[*TransitGateway](tx, "TransitGatewayId", s.TransitGatewayId)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("TransitGatewayAttachmentId", s.TransitGatewayAttachmentId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	transport, err := vpc.Named[*Attachment](tx, "TransportTransitGatewayAttachmentId", s.TransportTransitGatewayAttachmentId)
	if err != nil {
		return g.attachUnknown(tx, b, ec2.TransitGatewayAttachment{
			ResourceId: s.TransportTransitGatewayAttachmentId, ResourceType: new(ec2.TransitGatewayAttachmentResourceTypeConnect), State: s.State, CreationTime: s.CreationTime,
		}), err
	}
	x := g.newConnect(tx, b, transport)
	x.told, x.restored, x.Attachment.created = true, cmp.Or(ec2.Value(s.State), ec2.TransitGatewayAttachmentStateAvailable), tx.RestoreTime(s.CreationTime)
	g.attachments = append(g.attachments, x.Attachment)
	tx.Add(x.Attachment)
	return x.Attachment, nil
}

// RestoreConnectPeer makes a Connect peer as described, after its attachment. It is up where
// it is available and one of its BGP sessions is.
func RestoreConnectPeer(tx *vpc.Tx, s ec2.TransitGatewayConnectPeer) (*ConnectPeer, error) {
	a, err := vpc.Named[*Attachment](tx, "TransitGatewayAttachmentId", s.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	x, ok := a.link.(*Connect)
	if !ok {
		return nil, &vpc.ShapeError{Field: "TransitGatewayAttachmentId", Value: a.ID(), Want: "a Connect attachment that is modelled", Absent: true}
	}
	b, err := tx.RestoreBase("TransitGatewayConnectPeerId", s.TransitGatewayConnectPeerId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	if s.ConnectPeerConfiguration == nil {
		s.ConnectPeerConfiguration = &ec2.TransitGatewayConnectPeerConfiguration{}
	}
	p := &ConnectPeer{Base: b, connect: x, told: s}
	c := s.ConnectPeerConfiguration
	for _, m := range []struct {
		field string
		text  *string
		to    *netip.Addr
	}{{"TransitGatewayAddress", c.TransitGatewayAddress, &p.own}, {"PeerAddress", c.PeerAddress, &p.peer}} {
		if m.text == nil {
			continue
		}
		if *m.to, err = netip.ParseAddr(*m.text); err != nil || m.to.Is4In6() || m.to.Zone() != "" {
			return nil, &vpc.ShapeError{Field: "ConnectPeerConfiguration." + m.field, Value: *m.text, Want: "an IP address"}
		}
	}
	for _, text := range c.InsideCidrBlocks {
		if inside, err := netip.ParsePrefix(text); err == nil { // nothing but new peers' depends on it
			p.inside = append(p.inside, inside)
		}
	}
	x.peers = append(x.peers, p)
	tx.Add(p)
	return p, nil
}
