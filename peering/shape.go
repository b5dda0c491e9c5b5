package peering

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's peering connections (DescribeVpcPeeringConnections),
// in the order in which they were requested. One that has ended stays listed: an
// expired request for two days, others for two hours.
func Describe(r *vpc.Region) *ec2.DescribeVpcPeeringConnectionsResult {
	list := []ec2.VpcPeeringConnection{}
	r.View(func(tx *vpc.Tx) {
		for _, p := range vpc.Gateways[*Connection](tx) {
			if p.listed(tx) {
				list = append(list, p.shape(tx))
			}
		}
	})
	return &ec2.DescribeVpcPeeringConnectionsResult{VpcPeeringConnections: list}
}

func (p *Connection) listed(tx *vpc.Tx) bool {
	now := tx.Region().Now()
	state := p.now(tx)
	ended := p.status.Get().ended
	switch state {
	case Active, PendingAcceptance:
		return true
	case Expired:
		return now.Before(ended.Add(listedExpired))
	}
	return now.Before(ended.Add(listed))
}

// shape leaves out the CIDRs of a connection that has ended (recorded answers of AWS).
func (p *Connection) shape(tx *vpc.Tx) ec2.VpcPeeringConnection {
	state := p.now(tx)
	s := ec2.VpcPeeringConnection{
		VpcPeeringConnectionId: new(p.ID()), Tags: tx.TagShapes(p),
		RequesterVpcInfo: p.requester.shape(state), AccepterVpcInfo: p.accepter.shape(state),
		Status: &ec2.VpcPeeringConnectionStateReason{
			Code: new(ec2.VpcPeeringConnectionStateReasonCode(state)), Message: new(p.message(state)),
		},
	}
	if state == PendingAcceptance {
		s.ExpirationTime = new(ec2.TimestampOf(p.status.Get().created.Add(expiry)))
	}
	return s
}

// message is AWS's sentence beside a state; those of active and deleted are recorded,
// the others unproven.
func (p *Connection) message(s State) string {
	if m := p.status.Get().message; m != "" {
		return m
	}
	account := p.accepter.owner
	switch s {
	case PendingAcceptance:
		return "Pending Acceptance by " + account
	case Failed:
		return "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
	case Rejected:
		return "Rejected by " + account
	case Expired:
		return "Expired"
	case Deleted:
		return "Deleted by " + account
	}
	return "Active"
}

func (e *end) shape(state State) *ec2.VpcPeeringConnectionVpcInfo {
	s := &ec2.VpcPeeringConnectionVpcInfo{VpcId: new(e.id), OwnerId: new(e.owner), Region: new(e.region)}
	if state != Active && state != PendingAcceptance {
		return s
	}
	s.PeeringOptions = e.options
	for i, c := range e.prefixes() {
		switch {
		case c.Addr().Is6():
			s.Ipv6CidrBlockSet = append(s.Ipv6CidrBlockSet, ec2.Ipv6CidrBlock{Ipv6CidrBlock: new(c.String())})
			continue
		case i == 0:
			s.CidrBlock = new(c.String())
		}
		s.CidrBlockSet = append(s.CidrBlockSet, ec2.CidrBlock{CidrBlock: new(c.String())})
	}
	return s
}
