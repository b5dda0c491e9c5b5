// Package peering is the VPC peering connection: request, acceptance and end of it,
// what AWS refuses meanwhile, and what crosses. Both VPCs are of one region and
// account; connections between regions are not modelled, nor is the way back that
// AWS gives a NAT gateway's packets where the peer VPC has no route.
package peering

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// State is a connection's state, in AWS's words.
type State string

// The states of a connection that it stays in (Peering guide, "VPC peering
// connection lifecycle").
const (
	PendingAcceptance State = "pending-acceptance"
	Active            State = "active"
	Failed            State = "failed"
	Rejected          State = "rejected"
	Expired           State = "expired"
	Deleted           State = "deleted"
)

// How long a request stands, and how long a connection that has ended stays listed
// (Peering guide, "VPC peering connection lifecycle").
const (
	expiry        = 7 * 24 * time.Hour
	listed        = 2 * time.Hour
	listedExpired = 48 * time.Hour
)

// Connection is a VPC peering connection.
type Connection struct {
	vpc.Base
	requester, accepter *vpc.VPC
	state               State
	created, ended      time.Time
}

// Config says how a connection is requested.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// Create requests a connection (CreateVpcPeeringConnection). AWS answers at once
// and fails later: VPCs whose CIDRs overlap, and a VPC with itself, give a
// connection in the state failed.
func Create(requester, accepter *vpc.VPC, c Config) (*Connection, error) {
	var p *Connection
	err := requester.Change(func(tx *vpc.Tx) error {
		if err := checkCreate(tx, requester, accepter); err != nil {
			return err
		}
		b, err := tx.NewBase("pcx", c.ID, c.Name)
		if err != nil {
			return err
		}
		p = &Connection{Base: b, requester: requester, accepter: accepter, state: PendingAcceptance, created: tx.Region().Now()}
		if p.overlaps(tx) {
			p.end(tx, Failed)
		}
		tx.Add(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Accept accepts a request that is pending (AcceptVpcPeeringConnection).
func (p *Connection) Accept() error {
	return p.Change(func(tx *vpc.Tx) error {
		if err := checkAccept(tx, p); err != nil {
			return err
		}
		p.state = Active
		return nil
	})
}

// Reject rejects a request that is pending (RejectVpcPeeringConnection).
func (p *Connection) Reject() error {
	return p.Change(func(tx *vpc.Tx) error {
		if p.now(tx) != PendingAcceptance {
			return refuseState(p)
		}
		p.end(tx, Rejected)
		return nil
	})
}

// Delete ends the connection, or takes the request back
// (DeleteVpcPeeringConnection). Routes that name it become black holes.
func (p *Connection) Delete() error {
	return p.Change(func(tx *vpc.Tx) error {
		if s := p.now(tx); s != Active && s != PendingAcceptance {
			return refuseState(p)
		}
		p.end(tx, Deleted)
		return nil
	})
}

// VPCDeleted ends the connection with one of its VPCs.
func (p *Connection) VPCDeleted(tx *vpc.Tx, v *vpc.VPC) {
	if s := p.now(tx); p.side(v) && (s == Active || s == PendingAcceptance) {
		p.end(tx, Deleted)
	}
}

func (p *Connection) end(tx *vpc.Tx, s State) { p.state, p.ended = s, tx.Region().Now() }

// State returns the connection's state.
func (p *Connection) State() State {
	var s State
	p.Region().View(func(tx *vpc.Tx) { s = p.now(tx) })
	return s
}

// now returns the state as time and CIDRs have made it: a request expires after
// seven days, and fails when the accepter has taken a CIDR that overlaps.
func (p *Connection) now(tx *vpc.Tx) State {
	switch {
	case p.state != PendingAcceptance:
		return p.state
	case !tx.Region().Now().Before(p.created.Add(expiry)):
		p.state, p.ended = Expired, p.created.Add(expiry)
	case p.overlaps(tx):
		p.end(tx, Failed)
	}
	return p.state
}

// Requester returns the VPC that asked.
func (p *Connection) Requester() *vpc.VPC { return p.requester }

// Accepter returns the VPC that was asked.
func (p *Connection) Accepter() *vpc.VPC { return p.accepter }

func (p *Connection) side(v *vpc.VPC) bool { return v == p.requester || v == p.accepter }

// other returns the VPC at the other end.
func (p *Connection) other(v *vpc.VPC) *vpc.VPC {
	if v == p.requester {
		return p.accepter
	}
	return p.requester
}

// overlaps reports whether CIDRs of the two VPCs overlap, of either family.
func (p *Connection) overlaps(tx *vpc.Tx) bool {
	for _, a := range tx.CIDRs(p.requester) {
		for _, b := range tx.CIDRs(p.accepter) {
			if a.Overlaps(b) {
				return true
			}
		}
	}
	return false
}

// Available reports whether v is an end of the connection and it is active.
func (p *Connection) Available(_ *vpc.Tx, v *vpc.VPC) bool { return p.state == Active && p.side(v) }

// ListRoute lists a route to the connection.
func (p *Connection) ListRoute(s *ec2.Route) { s.VpcPeeringConnectionId = new(p.ID()) }

// Joins reports whether the connection is active between the two VPCs.
func (p *Connection) Joins(_ *vpc.Tx, v, w *vpc.VPC) bool {
	return p.state == Active && v != w && p.side(v) && p.side(w)
}

// CheckRoute refuses a table of a VPC that is no end, and a connection that is
// neither active nor pending, as one that does not exist.
func (p *Connection) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if s := p.now(tx); !p.side(t.VPC()) || s != Active && s != PendingAcceptance {
		return vpc.TargetNotFound(p.ID())
	}
	return nil
}

// CheckCIDR refuses a further CIDR of a VPC: one that overlaps the peer's where the
// connection is active, any of the requester while the request is pending (VPC
// guide, "VPC CIDR blocks"; code and sentences are inferred).
func (p *Connection) CheckCIDR(tx *vpc.Tx, v *vpc.VPC, cidr netip.Prefix) error {
	s := p.now(tx)
	if !p.side(v) {
		return nil
	}
	if s == PendingAcceptance && v == p.requester {
		return vpc.Refuse("InvalidVpcState", "The VPC %s has a pending VPC peering connection %s.", v.ID(), p.ID())
	}
	if s != Active {
		return nil
	}
	for _, own := range tx.CIDRs(p.other(v)) {
		if own.Overlaps(cidr) {
			return vpc.Refuse("InvalidVpc.Range", "The CIDR '%s' conflicts with a CIDR of the peer VPC %s.", cidr, p.other(v).ID())
		}
	}
	return nil
}
