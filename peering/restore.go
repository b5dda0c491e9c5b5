package peering

import (
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a connection as it stands in a description of the region's, whatever
// AWS would say to a request for it. An end that is no VPC of the region's is known by
// the description alone: [Join] finds it in another region. Time that an ended
// connection has been listed begins anew.
func Restore(tx *vpc.Tx, s ec2.VpcPeeringConnection) (*Connection, error) {
	if s.VpcPeeringConnectionId == nil || s.Status == nil || s.Status.Code == nil {
		return nil, fmt.Errorf("peering: a connection without VpcPeeringConnectionId or Status.Code")
	}
	id := *s.VpcPeeringConnectionId
	b, err := tx.RestoreBase("VpcPeeringConnectionId", s.VpcPeeringConnectionId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	p, now := &Connection{Base: b, status: &vpc.Shared[status]{}}, status{state: State(*s.Status.Code), created: tx.Region().Now()}
	switch now.state {
	case PendingAcceptance:
		if s.ExpirationTime != nil {
			at, err := s.ExpirationTime.Time()
			if err != nil {
				return nil, fmt.Errorf("peering: %s: ExpirationTime: %w", id, err)
			}
			now.created = at.Add(-expiry)
		}
	case Active:
	case Failed, Rejected, Expired, Deleted:
		now.ended = tx.Region().Now()
	default:
		return nil, fmt.Errorf("peering: %s: Status.Code %q: expected a state that a connection stays in, such as active", id, now.state)
	}
	if s.Status.Message != nil {
		now.message = *s.Status.Message
	}
	if p.requester, err = restoreEnd(tx, s.RequesterVpcInfo); err != nil {
		return nil, fmt.Errorf("peering: %s: RequesterVpcInfo: %w", id, err)
	}
	if p.accepter, err = restoreEnd(tx, s.AccepterVpcInfo); err != nil {
		return nil, fmt.Errorf("peering: %s: AccepterVpcInfo: %w", id, err)
	}
	p.status.Join(tx.Region())
	p.status.Set(now)
	tx.Add(p)
	return p, nil
}

func restoreEnd(tx *vpc.Tx, s *ec2.VpcPeeringConnectionVpcInfo) (end, error) {
	if s == nil || s.VpcId == nil {
		return end{}, fmt.Errorf("expected a VpcId")
	}
	e := end{id: *s.VpcId, owner: tx.Region().Account(), region: tx.Region().Name()}
	if s.OwnerId != nil {
		e.owner = *s.OwnerId
	}
	if s.Region != nil {
		e.region = *s.Region
	}
	e.options = s.PeeringOptions
	e.vpc, _ = tx.Find(e.id).(*vpc.VPC)
	if e.vpc != nil && e.region != tx.Region().Name() {
		return e, fmt.Errorf("%s is of %s, and described as one of %s", e.id, tx.Region().Name(), e.region)
	}
	for _, b := range s.CidrBlockSet {
		if err := e.add(b.CidrBlock); err != nil {
			return e, err
		}
	}
	for _, b := range s.Ipv6CidrBlockSet {
		if err := e.add(b.Ipv6CidrBlock); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (e *end) add(cidr *string) error {
	if cidr == nil {
		return nil
	}
	p, err := netip.ParsePrefix(*cidr)
	if err != nil {
		return fmt.Errorf("CIDR %q: expected one such as 10.0.0.0/16", *cidr)
	}
	e.cidrs = append(e.cidrs, p)
	return nil
}

// Join makes one what was restored in two regions: connections of the same id, so that
// what either end does the other shows. The regions must not be used meanwhile.
func Join(regions ...*vpc.Region) {
	known := map[string]*Connection{}
	for _, r := range regions {
		r.Change(func(tx *vpc.Tx) error {
			for _, p := range vpc.Gateways[*Connection](tx) {
				q := known[p.ID()]
				if q == nil {
					known[p.ID()] = p
					continue
				}
				p.status = q.status
				p.status.Join(r)
				meet(&p.requester, &q.requester)
				meet(&p.accepter, &q.accepter)
			}
			return nil
		})
	}
}

// meet has both descriptions of one end know its VPC.
func meet(a, b *end) {
	if a.vpc == nil {
		a.vpc = b.vpc
	}
	b.vpc = a.vpc
}
