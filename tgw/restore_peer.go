package tgw

import (
	"cmp"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// RestorePeering makes the region's end of a peering attachment as described,
// associated with no route table, after the transit gateway. An end in another region
// is known by the description alone: [Join] finds it. See the Restore methods of
// [vpc.Tx].
func RestorePeering(tx *vpc.Tx, s ec2.TransitGatewayPeeringAttachment) (*Attachment, error) {
	b, err := tx.RestoreBase("TransitGatewayAttachmentId", s.TransitGatewayAttachmentId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	p, own := &pact{}, -1
	for i, info := range []*ec2.PeeringTgwInfo{s.RequesterTgwInfo, s.AccepterTgwInfo} {
		if info == nil {
			return nil, vpc.Absent([]string{"RequesterTgwInfo", "AccepterTgwInfo"}[i], "")
		}
		e := &p.ends[i]
		*e = gatewayEnd{
			attachment: b.ID(), id: ec2.Value(info.TransitGatewayId), owner: cmp.Or(ec2.Value(info.OwnerId), tx.Region().Account()),
			region: cmp.Or(ec2.Value(info.Region), tx.Region().Name()),
		}
		if second := s.AccepterTransitGatewayAttachmentId; i == 1 && second != nil {
			e.attachment = *second
		}
		if e.gateway, _ = tx.Find(e.id).(*TransitGateway); e.gateway != nil && (own < 0 || p.ends[0].attachment == p.ends[1].attachment) {
			own = i
		}
	}
	if own < 0 {
		return nil, vpc.Absent("RequesterTgwInfo.TransitGatewayId", p.ends[0].id)
	}
	a := p.ends[own].gateway.join(tx, b, p, own)
	a.created = tx.RestoreTime(s.CreationTime)
	p.restore(tx, s.State)
	return a, nil
}

// restore gives the attachment the state of a description.
func (p *pact) restore(tx *vpc.Tx, state *ec2.TransitGatewayAttachmentState) {
	now := peerStatus{state: cmp.Or(ec2.Value(state), ec2.TransitGatewayAttachmentStateAvailable)}
	switch now.state {
	case ec2.TransitGatewayAttachmentStateDeleted, ec2.TransitGatewayAttachmentStateRejected, ec2.TransitGatewayAttachmentStateFailed:
		now.ended = tx.Region().Now()
	}
	p.status.Set(now)
}

// RestoreOther makes an attachment that is no VPC's from the description that all
// kinds have: of a VPN connection, which has to be there; of an association with a Direct
// Connect gateway, where it is there; of a peering attachment, whose other gateway is known
// by its id, where [RestorePeering]'s description is missing; and of a resource that is not
// modelled, which takes part in tables.
func RestoreOther(tx *vpc.Tx, s ec2.TransitGatewayAttachment) (*Attachment, error) {
	g, err := vpc.Named[*TransitGateway](tx, "TransitGatewayId", s.TransitGatewayId)
	if err != nil {
		return nil, err
	}
	kind := ec2.Value(s.ResourceType)
	var link remote.Link
	switch kind {
	case ec2.TransitGatewayAttachmentResourceTypePeering:
	case ec2.TransitGatewayAttachmentResourceTypeVpn:
		if link, err = vpc.Named[remote.Link](tx, "ResourceId", s.ResourceId); err != nil {
			return nil, err
		}
	default:
		link = g.linkOf(tx, kind, ec2.Value(s.ResourceId))
	}
	b, err := tx.RestoreBase("TransitGatewayAttachmentId", s.TransitGatewayAttachmentId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	switch {
	case link == nil && kind != ec2.TransitGatewayAttachmentResourceTypePeering:
		return g.attachUnknown(tx, b, s), nil
	case link != nil:
		return g.attachLink(tx, b, link, s), nil
	}
	far := gatewayEnd{attachment: b.ID(), id: ec2.Value(s.ResourceId), owner: ec2.Value(s.ResourceOwnerId)}
	p := &pact{ends: [2]gatewayEnd{endOf(g, b.ID()), far}}
	a := g.join(tx, b, p, 0)
	a.created = tx.RestoreTime(s.CreationTime)
	p.restore(tx, s.State)
	return a, nil
}

// linkOf returns the link of a kind that ends at the gateway and by which a resource is
// attached, or nil.
func (g *TransitGateway) linkOf(tx *vpc.Tx, kind ec2.TransitGatewayAttachmentResourceType, resource string) remote.Link {
	for _, l := range vpc.Resources[remote.Link](tx) {
		k, id := l.Attaches()
		if e, ok := l.(interface{ EndsAt() remote.Gateway }); ok && k == kind && id == resource && e.EndsAt() == remote.Gateway(g) {
			return l
		}
	}
	return nil
}

// attachLink makes the attachment of a link as it is described.
func (g *TransitGateway) attachLink(tx *vpc.Tx, b vpc.Base, link remote.Link, s ec2.TransitGatewayAttachment) *Attachment {
	a := &Attachment{
		Base: b, gateway: g, kind: ec2.Value(s.ResourceType), link: link, six: true, restored: ec2.Value(s.State), created: tx.RestoreTime(s.CreationTime),
		owner: ec2.Value(s.ResourceOwnerId),
	}
	g.attachments = append(g.attachments, a)
	tx.Add(a)
	return a
}

// attachUnknown makes the attachment of what is not modelled, or of a VPC that is not
// there.
func (g *TransitGateway) attachUnknown(tx *vpc.Tx, b vpc.Base, s ec2.TransitGatewayAttachment) *Attachment {
	return g.attachLink(tx, b, &unknown{id: ec2.Value(s.ResourceId), kind: ec2.Value(s.ResourceType)}, s)
}

// Join makes one what was restored as two: the ends of a peering attachment, in two
// regions or in one. The regions must not be used meanwhile.
func Join(regions ...*vpc.Region) {
	known := map[[2]string]*Attachment{}
	for _, r := range regions {
		r.Change(func(tx *vpc.Tx) error {
			for _, g := range vpc.Gateways[*TransitGateway](tx) {
				for _, a := range g.attachments {
					if over, _ := a.over(); a.peer == nil || over {
						continue
					}
					x, y := a.peer.ends[0].id, a.peer.ends[1].id
					pair := [2]string{min(x, y), max(x, y)}
					if o := known[pair]; o != nil && o.gateway != a.gateway {
						o.meet(a)
					} else {
						known[pair] = a
					}
				}
			}
			return nil
		})
	}
}

// meet has both ends know each other.
func (a *Attachment) meet(b *Attachment) {
	if a.peer.pact == b.peer.pact {
		return
	}
	b.peer = &peer{a.peer.pact, 1 - a.peer.own}
	b.peer.ends[b.peer.own] = endOf(b.gateway, b.ID())
	b.peer.status.Join(b.Region())
}
