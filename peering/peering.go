// Package peering is the VPC peering connection: request, acceptance and end of it,
// what AWS refuses meanwhile, and what crosses, within a region and between two. A
// connection between regions is a Connection in each: what one does the other shows.
// Within a region a NAT gateway's packets are answered where the peer VPC has no route.
package peering

import (
	"net/netip"
	"slices"
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

// Connection is a VPC peering connection, as the region of one of its ends, or of
// both, knows it.
type Connection struct {
	vpc.Base
	requester, accepter end
	status              *vpc.Shared[status]
}

// end is one of the two VPCs of a connection.
type end struct {
	vpc               *vpc.VPC // nil where a description alone tells of it
	id, owner, region string
	cidrs             []netip.Prefix                              // of the description; a VPC has its own
	options           *ec2.VpcPeeringConnectionOptionsDescription // of the description
}

// status is a connection's state and since when it has it.
type status struct {
	state          State
	message        string // of a description, "" for the state's own
	created, ended time.Time
}

// Config says how a connection is requested.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag, in the requester's region.
	Name string
}

// Create requests a connection (CreateVpcPeeringConnection) of two VPCs of one
// region or of two, whatever accounts own them. AWS answers at once and fails later:
// VPCs whose CIDRs overlap, a VPC with itself, and one of another region that does
// not exist, give a connection in the state failed. It returns the Connection of the
// requester's region; [Connection.In] has the accepter's.
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
		p = &Connection{
			Base: b, requester: endOf(requester), accepter: endOf(accepter), status: &vpc.Shared[status]{},
		}
		p.status.Join(tx.Region())
		p.status.Set(status{state: PendingAcceptance, created: tx.Region().Now()})
		if p.overlaps() {
			p.end(tx, Failed)
		}
		tx.Add(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if requester.Region() == accepter.Region() {
		return p, nil
	}
	return p.reach(accepter.Region())
}

// reach makes the Connection of the accepter's region, or takes the request back
// where its id is in use there.
func (p *Connection) reach(r *vpc.Region) (*Connection, error) {
	err := r.Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("pcx", p.ID(), "")
		if err != nil {
			return err
		}
		q := &Connection{Base: b, requester: p.requester, accepter: p.accepter, status: p.status}
		q.status.Join(r)
		if !tx.Knows(p.accepter.vpc) {
			q.end(tx, Failed)
		}
		tx.Add(q)
		return nil
	})
	if err == nil {
		return p, nil
	}
	p.Region().Change(func(tx *vpc.Tx) error {
		tx.Remove(p)
		return nil
	})
	return nil, err
}

func endOf(v *vpc.VPC) end {
	return end{vpc: v, id: v.ID(), owner: v.OwnerID(), region: v.Region().Name()}
}

// In returns the connection as the region r knows it, nil where it does not.
func (p *Connection) In(r *vpc.Region) *Connection {
	if r == nil {
		return nil
	}
	q, _ := r.Find(p.ID()).(*Connection)
	return q
}

// Accept accepts a request that is pending (AcceptVpcPeeringConnection). Between
// regions it is the accepter's Connection that does.
func (p *Connection) Accept() error {
	return p.Change(func(tx *vpc.Tx) error {
		if err := checkAccept(tx, p); err != nil {
			return err
		}
		if !p.set(Active, time.Time{}, PendingAcceptance) {
			return refuseState(p)
		}
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

// Delete ends the connection, or takes the request back, from either end
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

func (p *Connection) end(tx *vpc.Tx, s State) {
	p.set(s, tx.Region().Now(), PendingAcceptance, Active)
}

// set reports false, and changes nothing, where the connection is in none of the states
// from: the other region may have ended it meanwhile.
func (p *Connection) set(to State, ended time.Time, from ...State) bool {
	return p.status.Update(func(b *status) bool {
		if !slices.Contains(from, b.state) {
			return false
		}
		*b = status{state: to, created: b.created, ended: ended}
		return true
	})
}

// State returns the connection's state.
func (p *Connection) State() State {
	var s State
	p.Region().View(func(tx *vpc.Tx) { s = p.now(tx) })
	return s
}

// now returns the state as time and CIDRs have made it: a request expires after
// seven days, and fails when the accepter has taken a CIDR that overlaps.
func (p *Connection) now(tx *vpc.Tx) State {
	b := p.status.Get()
	switch {
	case b.state != PendingAcceptance:
		return b.state
	case !tx.Region().Now().Before(b.created.Add(expiry)):
		p.set(Expired, b.created.Add(expiry), PendingAcceptance)
		return Expired
	case p.overlaps():
		p.end(tx, Failed)
		return Failed
	}
	return b.state
}

// state is the state without what time may have made of it.
func (p *Connection) state() State { return p.status.Get().state }

// Requester returns the VPC that asked, nil where a description alone tells of it.
func (p *Connection) Requester() *vpc.VPC { return p.requester.vpc }

// Accepter returns the VPC that was asked, nil where a description alone tells of it.
func (p *Connection) Accepter() *vpc.VPC { return p.accepter.vpc }

func (p *Connection) side(v *vpc.VPC) bool {
	return v != nil && (v == p.requester.vpc || v == p.accepter.vpc)
}

// other returns the end that is not v's.
func (p *Connection) other(v *vpc.VPC) *end {
	if v == p.requester.vpc {
		return &p.accepter
	}
	return &p.requester
}

// prefixes returns the CIDRs of the end's VPC.
func (e *end) prefixes() []netip.Prefix {
	if e.vpc == nil {
		return e.cidrs
	}
	return e.vpc.CIDRs()
}

// overlaps reports whether CIDRs of the two VPCs overlap, of either family.
func (p *Connection) overlaps() bool {
	for _, a := range p.requester.prefixes() {
		for _, b := range p.accepter.prefixes() {
			if a.Overlaps(b) {
				return true
			}
		}
	}
	return false
}

// Available reports whether v is an end of the connection and it is active.
func (p *Connection) Available(_ *vpc.Tx, v *vpc.VPC) bool { return p.state() == Active && p.side(v) }

// ListRoute lists a route to the connection.
func (p *Connection) ListRoute(s *ec2.Route) { s.VpcPeeringConnectionId = new(p.ID()) }

// Joins reports whether the connection is active between the two VPCs of one region:
// rules do not name groups of another region's (VPC guide, "Security group rules").
func (p *Connection) Joins(_ *vpc.Tx, v, w *vpc.VPC) bool {
	return p.state() == Active && v != w && p.side(v) && p.side(w) && v.Region() == w.Region()
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
	if s == PendingAcceptance && v == p.requester.vpc {
		return vpc.Refuse("InvalidVpcState", "The VPC %s has a pending VPC peering connection %s.", v.ID(), p.ID())
	}
	if s != Active {
		return nil
	}
	peer := p.other(v)
	for _, own := range peer.prefixes() {
		if own.Overlaps(cidr) {
			return vpc.Refuse("InvalidVpc.Range", "The CIDR '%s' conflicts with a CIDR of the peer VPC %s.", cidr, peer.id)
		}
	}
	return nil
}
