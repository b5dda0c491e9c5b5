package peering

import (
	"github.com/vpcsim/vpcsim/vpc"
)

// checkCreate refuses a second connection of two VPCs, and one beyond the quotas
// (the sentence of the former is inferred).
func checkCreate(tx *vpc.Tx, requester, accepter *vpc.VPC) error {
	if accepter == nil || accepter.Region() == tx.Region() {
		if err := tx.Needs("peerVpcId", accepter); err != nil {
			return err
		}
	}
	pending, active := 0, 0
	for _, p := range vpc.Gateways[*Connection](tx) {
		s := p.now(tx)
		if s != Active && s != PendingAcceptance {
			continue
		}
		if p.side(requester) && p.side(accepter) && requester != accepter {
			return vpc.Refuse("VpcPeeringConnectionAlreadyExists", "A VPC peering connection between %s and %s already exists.", requester.ID(), accepter.ID())
		}
		if s == PendingAcceptance {
			pending++
		}
		if s == Active && p.side(requester) {
			active++
		}
	}
	if err := tx.Within(vpc.QuotaPendingPeerings, pending, requester.ID()); err != nil {
		return err
	}
	return tx.Within(vpc.QuotaPeerings, active, requester.ID())
}

// checkAccept refuses a request that is not pending, one that another region has to
// accept (an emulator's sentence), and one that would give the accepter more
// connections than its quota.
func checkAccept(tx *vpc.Tx, p *Connection) error {
	if p.accepter.vpc == nil || p.accepter.vpc.Region() != tx.Region() {
		return vpc.Refuse("OperationNotPermitted",
			"Incorrect region (%s) specified for this request. VPC peering connection %s must be accepted in region %s",
			tx.Region().Name(), p.ID(), p.accepter.region)
	}
	if p.now(tx) != PendingAcceptance {
		return refuseState(p)
	}
	active := 0
	for _, o := range vpc.Gateways[*Connection](tx) {
		if o.Available(tx, p.accepter.vpc) {
			active++
		}
	}
	return tx.Within(vpc.QuotaPeerings, active, p.accepter.id)
}

// refuseState is AWS's answer as an emulator has it.
func refuseState(p *Connection) error {
	return vpc.Refuse("InvalidStateTransition", "VpcPeeringConnectionID %s is not in the correct state for the request.", p.ID())
}
