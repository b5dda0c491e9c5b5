package tgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// checkAttach refuses a VPC that is attached, subnets that may not stand together,
// and what exceeds the quotas.
func checkAttach(tx *vpc.Tx, g *TransitGateway, subnets []*vpc.Subnet) error {
	if err := tx.CheckPlaces(subnets, nil); err != nil {
		return err
	}
	v := subnets[0].VPC()
	if g.at(v) != nil {
		return vpc.Refuse("DuplicateTransitGatewayAttachment", "%s has non-deleted Transit Gateway Attachments with same VPC ID.", g.ID())
	}
	ofGateway, ofVPC := 0, 0
	for _, a := range g.attachments {
		if a.available() {
			ofGateway++
		}
	}
	for _, o := range vpc.Gateways[*TransitGateway](tx) {
		if o.at(v) != nil {
			ofVPC++
		}
	}
	if err := tx.Within(vpc.QuotaTransitGatewayAttachments, ofGateway, g.ID()); err != nil {
		return err
	}
	return tx.Within(vpc.QuotaTransitGatewaysPerVPC, ofVPC, v.ID())
}

// checkRemove refuses a subnet that the attachment does not have, i below 0, and its
// last one (both sentences are inferred).
func checkRemove(tx *vpc.Tx, a *Attachment, s *vpc.Subnet, i int) error {
	if err := tx.Needs("subnetId", s); err != nil {
		return err
	}
	if i < 0 {
		return vpc.Refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", s.ID())
	}
	if len(a.nics) == 1 {
		return vpc.Refuse("InvalidParameterValue", "Transit Gateway Attachment %s must have at least one subnet.", a.ID())
	}
	return nil
}

// needs refuses an attachment that is none of the gateway's, and one by which nothing
// goes yet or any more (seen).
func (t *RouteTable) needs(tx *vpc.Tx, a *Attachment) error {
	if err := tx.Needs("transitGatewayAttachmentId", a); err != nil {
		return err
	}
	if a.gateway != t.gateway {
		return vpc.Refuse("InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway Attachment %s was deleted or does not exist.", a.ID())
	}
	if !a.available() {
		return refuseState(a)
	}
	return nil
}

// refuseState is AWS's answer where an attachment's state does not allow the call
// (seen).
func refuseState(a *Attachment) error {
	return vpc.Refuse("IncorrectState", "%s is in invalid state", a.ID())
}

// checkKind refuses an attachment of another kind than the call is for, as one that
// does not exist (inferred).
func checkKind(a *Attachment, kind ec2.TransitGatewayAttachmentResourceType) error {
	if a.kind != kind {
		return vpc.Refuse("InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway Attachment %s was deleted or does not exist.", a.ID())
	}
	return nil
}

// checkPropagates refuses what is known by static routes alone (code and sentence are
// inferred).
func checkPropagates(a *Attachment) error {
	if !a.propagates() {
		return vpc.Refuse("UnsupportedOperation", "Propagation is not supported for the peering attachment %s.", a.ID())
	}
	return nil
}

// checkPeer refuses a gateway with itself, a second attachment of two gateways, and
// what exceeds the quotas (Transit Gateway guide, "Quotas"; the sentences are inferred,
// that of the second from VPC attachments').
func checkPeer(tx *vpc.Tx, requester, accepter *TransitGateway) error {
	if accepter == nil || accepter.Region() == tx.Region() {
		if err := tx.Needs("peerTransitGatewayId", accepter); err != nil {
			return err
		}
	}
	if requester == accepter {
		return vpc.Refuse("InvalidParameterValue", "%s cannot be peered with itself.", requester.ID())
	}
	peers, pending := 0, 0
	for _, a := range requester.attachments {
		s := a.state()
		waits := s == ec2.TransitGatewayAttachmentStatePendingAcceptance
		if a.peer == nil || !waits && s != ec2.TransitGatewayAttachmentStateAvailable {
			continue
		}
		if a.peer.far().gateway == accepter {
			return vpc.Refuse("DuplicateTransitGatewayAttachment", "%s has non-deleted Transit Gateway Attachments with same Transit Gateway ID.", requester.ID())
		}
		peers++
		if waits {
			pending++
		}
	}
	if err := tx.Within(vpc.QuotaPendingTransitGatewayPeerings, pending, requester.ID()); err != nil {
		return err
	}
	return tx.Within(vpc.QuotaTransitGatewayPeerings, peers, requester.ID())
}

// checkCreate refuses a second static route to a destination (seen), and one beyond
// the quota.
func (t *RouteTable) checkCreate(tx *vpc.Tx, dst netip.Prefix) error {
	if t.find(dst) >= 0 {
		return vpc.Refuse("RouteAlreadyExists", "Route %s already exists in Transit Gateway Route Table %s.", dst, t.ID())
	}
	return tx.Within(vpc.QuotaTransitGatewayRoutes, t.gateway.used(tx), t.gateway.ID())
}

// refuseNoRoute follows RouteAlreadyExists.
func (t *RouteTable) refuseNoRoute(dst netip.Prefix) error {
	return vpc.Refuse("InvalidRoute.NotFound", "Route %s does not exist in Transit Gateway Route Table %s.", dst, t.ID())
}

// checkDelete refuses a gateway to which something is attached (seen).
func checkDelete(g *TransitGateway) error {
	for _, a := range g.attachments {
		if over, _ := a.over(); over {
			continue
		}
		if a.peer != nil {
			return vpc.Refuse("IncorrectState", "%s has non-deleted Transit Gateway Cross Region Peering Attachments: %s.", g.ID(), a.ID())
		}
		if a.kind == ec2.TransitGatewayAttachmentResourceTypeVpn {
			return vpc.Refuse("IncorrectState", "%s has non-deleted VPN Attachments: %s.", g.ID(), a.ID())
		}
		return vpc.Refuse("IncorrectState", "%s has non-deleted Transit Gateway Attachments", g.ID())
	}
	return nil
}

// checkDelete refuses a table that attachments are associated with, and the
// gateway's default one (the sentences are inferred).
func (t *RouteTable) checkDelete() error {
	if t == t.gateway.associates || t == t.gateway.propagates {
		return vpc.Refuse("IncorrectState", "%s is the default Transit Gateway Route Table of %s and cannot be deleted.", t.ID(), t.gateway.ID())
	}
	if slices.ContainsFunc(t.gateway.attachments, func(a *Attachment) bool { return a.table == t && a.available() }) {
		return vpc.Refuse("IncorrectState", "%s has non-deleted associations", t.ID())
	}
	return nil
}
