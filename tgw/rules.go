package tgw

import (
	"net/netip"
	"slices"

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

// needs refuses an attachment that is none of the gateway's.
func (t *RouteTable) needs(tx *vpc.Tx, a *Attachment) error {
	if err := tx.Needs("transitGatewayAttachmentId", a); err != nil {
		return err
	}
	if a.gateway != t.gateway {
		return vpc.Refuse("InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway Attachment %s was deleted or does not exist.", a.ID())
	}
	return nil
}

// checkCreate refuses a second static route to a destination (seen), and one beyond
// the quota.
func (t *RouteTable) checkCreate(tx *vpc.Tx, dst netip.Prefix) error {
	if t.find(dst) >= 0 {
		return vpc.Refuse("RouteAlreadyExists", "Route %s already exists in Transit Gateway Route Table %s.", dst, t.ID())
	}
	used := 0
	for _, o := range t.gateway.tables {
		used += len(o.static)
	}
	return tx.Within(vpc.QuotaTransitGatewayRoutes, used, t.gateway.ID())
}

// refuseNoRoute follows RouteAlreadyExists.
func (t *RouteTable) refuseNoRoute(dst netip.Prefix) error {
	return vpc.Refuse("InvalidRoute.NotFound", "Route %s does not exist in Transit Gateway Route Table %s.", dst, t.ID())
}

// checkDelete refuses a table that attachments are associated with, and the
// gateway's default one (the sentences are inferred).
func (t *RouteTable) checkDelete() error {
	if t == t.gateway.associates || t == t.gateway.propagates {
		return vpc.Refuse("IncorrectState", "%s is the default Transit Gateway Route Table of %s and cannot be deleted.", t.ID(), t.gateway.ID())
	}
	if slices.ContainsFunc(t.gateway.attachments, func(a *Attachment) bool { return a.table == t }) {
		return vpc.Refuse("IncorrectState", "%s has non-deleted associations", t.ID())
	}
	return nil
}
