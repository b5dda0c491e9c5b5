package tgw

import (
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// peer is what a peering attachment has beside. Between regions both ends have an
// Attachment of the same id, within a region the accepter's has an id of its own.
type peer struct {
	*pact
	own int // which of the ends is the attachment's gateway
}

// pact is what both ends have in common. The ends don't change once both are there.
type pact struct {
	ends   [2]gatewayEnd // requester, accepter
	status vpc.Shared[peerStatus]
}

// gatewayEnd is one of the two gateways of a peering attachment.
type gatewayEnd struct {
	gateway           *TransitGateway // nil where a description alone tells of it
	attachment        string          // its id at this end
	id, owner, region string
}

type peerStatus struct {
	state ec2.TransitGatewayAttachmentState
	ended time.Time // zero until it is deleted, rejected or failed
}

// PeeringConfig says how two gateways are peered.
type PeeringConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag, in the requester's region.
	Name string
}

// Peer requests a peering attachment between two gateways, of one region or of two,
// whatever accounts own them (CreateTransitGatewayPeeringAttachment). It returns the
// requester's; [Attachment.Other] has the accepter's, which is to accept. Routes to it
// are static: nothing is propagated.
func Peer(requester, accepter *TransitGateway, c PeeringConfig) (*Attachment, error) {
	var a *Attachment
	err := requester.Change(func(tx *vpc.Tx) error {
		if err := checkPeer(tx, requester, accepter); err != nil {
			return err
		}
		b, err := tx.NewBase("tgw-attach", c.ID, c.Name)
		if err != nil {
			return err
		}
		p := &pact{ends: [2]gatewayEnd{endOf(requester, b.ID()), endOf(accepter, b.ID())}}
		p.status.Set(peerStatus{state: ec2.TransitGatewayAttachmentStatePendingAcceptance})
		if requester.Region() == accepter.Region() {
			second, err := tx.NewBase("tgw-attach", "", "")
			if err != nil {
				return err
			}
			p.ends[1].attachment = second.ID()
			accepter.join(tx, second, p, 1)
		}
		a = requester.join(tx, b, p, 0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if requester.Region() == accepter.Region() {
		return a, nil
	}
	return a.reach(accepter)
}

// reach makes the accepter's Attachment in its region. Where the gateway is gone the
// request fails; where the id is in use there it is taken back.
func (a *Attachment) reach(accepter *TransitGateway) (*Attachment, error) {
	err := accepter.Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("tgw-attach", a.ID(), "")
		if err == nil {
			accepter.join(tx, b, a.peer.pact, 1)
		}
		return err
	})
	switch {
	case err == nil:
		return a, nil
	case !accepter.Exists():
		a.peer.end(a.Region(), ec2.TransitGatewayAttachmentStateFailed)
		return a, nil
	}
	a.Change(func(tx *vpc.Tx) error {
		g := a.gateway
		g.attachments = slices.DeleteFunc(slices.Clone(g.attachments), func(o *Attachment) bool { return o == a })
		tx.Remove(a)
		return nil
	})
	return nil, err
}

func endOf(g *TransitGateway, attachment string) gatewayEnd {
	return gatewayEnd{gateway: g, attachment: attachment, id: g.ID(), owner: g.OwnerID(), region: g.Region().Name()}
}

// join makes one end's Attachment, which has no table until it is accepted.
func (g *TransitGateway) join(tx *vpc.Tx, b vpc.Base, p *pact, own int) *Attachment {
	p.status.Join(tx.Region())
	a := &Attachment{
		Base: b, gateway: g, kind: ec2.TransitGatewayAttachmentResourceTypePeering, six: true,
		peer: &peer{p, own}, created: tx.Region().Now(),
	}
	g.attachments = append(g.attachments, a)
	tx.Add(a)
	return a
}

// Other returns the attachment at the other end of a peering, nil where no region is
// known that has it, and of another kind of attachment.
func (a *Attachment) Other() *Attachment {
	if a.peer == nil {
		return nil
	}
	far := a.peer.far()
	if far.gateway == nil {
		return nil
	}
	o, _ := far.gateway.Region().Find(far.attachment).(*Attachment)
	return o
}

func (p *peer) far() *gatewayEnd { return &p.ends[1-p.own] }

// end gives the attachment a state that it stays in, where it is available or waits.
func (p *pact) end(r *vpc.Region, s ec2.TransitGatewayAttachmentState) bool {
	return p.move(peerStatus{state: s, ended: r.Now()}, ec2.TransitGatewayAttachmentStatePendingAcceptance, ec2.TransitGatewayAttachmentStateAvailable)
}

// move reports false, and changes nothing, where the attachment is in none of the states
// from: the other region may have ended it meanwhile.
func (p *pact) move(to peerStatus, from ...ec2.TransitGatewayAttachmentState) bool {
	return p.status.Update(func(s *peerStatus) bool {
		if !slices.Contains(from, s.state) {
			return false
		}
		*s = to
		return true
	})
}

// Accept accepts a request that waits for it (AcceptTransitGatewayPeeringAttachment):
// the accepter's Attachment does. Both ends are associated with their gateways' default
// route tables (inferred from attachments of VPCs).
func (a *Attachment) Accept() error {
	err := a.answer(peerStatus{state: ec2.TransitGatewayAttachmentStateAvailable}, func() { a.table = a.gateway.associates })
	if err != nil {
		return err
	}
	if o := a.Other(); o != nil {
		return o.Change(func(*vpc.Tx) error {
			if o.available() && o.table == nil {
				o.table = o.gateway.associates
			}
			return nil
		})
	}
	return nil
}

// Reject rejects a request that waits for acceptance
// (RejectTransitGatewayPeeringAttachment): the accepter's Attachment does.
func (a *Attachment) Reject() error {
	return a.answer(peerStatus{state: ec2.TransitGatewayAttachmentStateRejected, ended: a.Region().Now()}, func() {})
}

// answer moves the attachment on and calls f, where it is the accepter's and waits.
func (a *Attachment) answer(to peerStatus, f func()) error {
	return a.Change(func(*vpc.Tx) error {
		if a.peer == nil || a.peer.own != 1 || !a.peer.move(to, ec2.TransitGatewayAttachmentStatePendingAcceptance) {
			return refuseState(a)
		}
		f()
		return nil
	})
}

// unpeer ends a peering attachment that is available or waits.
func (a *Attachment) unpeer(tx *vpc.Tx, to ec2.TransitGatewayAttachmentState) error {
	if !a.peer.end(tx.Region(), to) {
		return refuseState(a)
	}
	return nil
}
