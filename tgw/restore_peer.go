package tgw

import (
	"fmt"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// RestorePeering makes the region's end of a peering attachment as it stands in a
// description, associated with no route table. The transit gateway has to be there.
// An end in another region is known by the description alone: [Join] finds it.
func RestorePeering(tx *vpc.Tx, s ec2.TransitGatewayPeeringAttachment) (*Attachment, error) {
	if s.TransitGatewayAttachmentId == nil || s.State == nil {
		return nil, fmt.Errorf("tgw: a peering attachment without TransitGatewayAttachmentId or State")
	}
	id := *s.TransitGatewayAttachmentId
	p, own := &pact{}, -1
	for i, info := range []*ec2.PeeringTgwInfo{s.RequesterTgwInfo, s.AccepterTgwInfo} {
		if info == nil || info.TransitGatewayId == nil {
			return nil, fmt.Errorf("tgw: %s: expected RequesterTgwInfo and AccepterTgwInfo, each with a TransitGatewayId", id)
		}
		e := &p.ends[i]
		e.id, e.owner, e.region, e.attachment = *info.TransitGatewayId, tx.Region().Account(), tx.Region().Name(), id
		if info.OwnerId != nil {
			e.owner = *info.OwnerId
		}
		if info.Region != nil {
			e.region = *info.Region
		}
		if i == 1 && s.AccepterTransitGatewayAttachmentId != nil {
			e.attachment = *s.AccepterTransitGatewayAttachmentId
		}
		if e.gateway, _ = tx.Find(e.id).(*TransitGateway); e.gateway != nil && (own < 0 || e.attachment == id) {
			own = i
		}
	}
	if own < 0 {
		return nil, fmt.Errorf("tgw: %s: neither %s nor %s is a transit gateway of %s", id, p.ends[0].id, p.ends[1].id, tx.Region().Name())
	}
	if p.ends[1].attachment != id && p.ends[1].gateway != nil {
		own = 0 // both gateways are here, and this is the requester's end
	}
	b, err := tx.NewBase("tgw-attach", id, "")
	if err != nil {
		return nil, err
	}
	a := p.ends[own].gateway.join(tx, b, p, own)
	if s.CreationTime != nil {
		if a.created, err = s.CreationTime.Time(); err != nil {
			return nil, fmt.Errorf("tgw: %s: CreationTime: %w", id, err)
		}
	}
	now := peerStatus{state: *s.State}
	switch now.state {
	case ec2.TransitGatewayAttachmentStateDeleted, ec2.TransitGatewayAttachmentStateRejected, ec2.TransitGatewayAttachmentStateFailed:
		now.ended = tx.Region().Now()
	}
	p.status.Set(now)
	return a, nil
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
					pair := [2]string{a.peer.ends[0].id, a.peer.ends[1].id}
					if known[pair] == nil {
						known[pair] = a
						continue
					}
					known[pair].meet(a)
				}
			}
			return nil
		})
	}
}

// meet has both ends know each other.
func (a *Attachment) meet(b *Attachment) {
	if a.peer.pact == b.peer.pact || a.peer.own == b.peer.own {
		return
	}
	a.peer.ends[b.peer.own] = endOf(b.gateway, b.ID())
	b.peer.pact = a.peer.pact
	a.peer.status.Join(b.Region())
}
