package peering

import (
	"github.com/vpcsim/vpcsim/vpc"
)

// checkCreate refuses a second connection of two VPCs, and one beyond the quotas
// (the sentence of the former is inferred).
func checkCreate(tx *vpc.Tx, requester, accepter *vpc.VPC) error {
	if err := tx.Needs("peerVpcId", accepter); err != nil {
		return err
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

// checkAccept refuses a request that is not pending, and one that would give the
// accepter more connections than its quota.
func checkAccept(tx *vpc.Tx, p *Connection) error {
	if p.now(tx) != PendingAcceptance {
		return refuseState(p)
	}
	active := 0
	for _, o := range vpc.Gateways[*Connection](tx) {
		if o.Available(tx, p.accepter) {
			active++
		}
	}
	return tx.Within(vpc.QuotaPeerings, active, p.accepter.ID())
}

// refuseState is AWS's answer as an emulator has it.
func refuseState(p *Connection) error {
	return vpc.Refuse("InvalidStateTransition", "VpcPeeringConnectionID %s is not in the correct state for the request.", p.ID())
}
