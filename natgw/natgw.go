// Package natgw is the NAT gateway, public and private: a guest of its own
// interface that masquerades. What it does to packets is in node.go, what AWS
// refuses in rules.go.
package natgw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/vpc"
)

// State is a NAT gateway's state, in AWS's words.
type State string

// The states of a NAT gateway that it stays in.
const (
	Available State = "available"
	Failed    State = "failed"
	Deleted   State = "deleted"
)

// NATGateway is a NAT gateway.
type NATGateway struct {
	vpc.Base
	subnet         *vpc.Subnet
	nic            *vpc.NetworkInterface
	private        bool
	state          State
	failureCode    string
	failureMessage string
	eip            *vpc.Address
}

// Config says how a NAT gateway is made. The zero Config is public, with an
// Elastic IP address of its own.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Private makes a private NAT gateway, which has no Elastic IP address.
	Private bool
	// Address is a public gateway's Elastic IP address; nil allocates one.
	Address *vpc.Address
	// PrivateIP is the private address; invalid takes a free one.
	PrivateIP netip.Addr
	// InterfaceID is the id of its interface; "" makes one.
	InterfaceID string
}

// Create makes a NAT gateway in a subnet (CreateNatGateway). AWS answers at once
// and fails later: a public gateway in a VPC without internet gateway, and an
// address that is in use, give a gateway in the state failed (VPC guide,
// "Troubleshoot NAT gateways").
func Create(s *vpc.Subnet, c Config) (*NATGateway, error) {
	var g *NATGateway
	err := s.Region().Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("nat", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &NATGateway{Base: b, subnet: s, private: c.Private, state: Available}
		if !c.Private && tx.Attached(s.VPC(), "igw") == nil {
			g.fail("Gateway.NotAttached", "Network "+s.VPC().ID()+" has no Internet gateway attached")
			tx.Add(g)
			return nil
		}
		g.nic, err = tx.NewManagedInterface(s, g, vpc.ManagedInterface{
			Type: vpc.InterfaceNATGateway, Description: "Interface for NAT Gateway " + b.ID(),
			PrivateIP: c.PrivateIP, ID: c.InterfaceID,
		})
		if err != nil {
			return err
		}
		if !c.Private {
			if err := g.takeAddress(tx, c.Address); err != nil {
				tx.DeleteManagedInterface(g.nic)
				return err
			}
		}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *NATGateway) fail(code, message string) {
	g.state, g.failureCode, g.failureMessage = Failed, code, message
}

// takeAddress gives the gateway its Elastic IP address. One that is in use fails
// the gateway, as AWS does later.
func (g *NATGateway) takeAddress(tx *vpc.Tx, e *vpc.Address) (err error) {
	if e == nil {
		if e, err = tx.AllocateAddress(vpc.AddressConfig{}); err != nil {
			return err
		}
	}
	if err := tx.AssociateAddress(e, g.nic, netip.Addr{}, false); err != nil {
		tx.DeleteManagedInterface(g.nic)
		g.nic = nil
		g.fail("Resource.AlreadyAssociated", "Elastic IP address "+e.ID()+" is already associated")
		return nil
	}
	g.eip = e
	return nil
}

// Delete deletes the gateway: its interface goes, its address stays allocated,
// routes that name it become black holes.
func (g *NATGateway) Delete() error {
	return g.Region().Change(func(tx *vpc.Tx) error {
		if g.state == Deleted {
			return refuse("NatGatewayNotFound", "NatGateway %s was not found", g.ID())
		}
		g.state = Deleted
		if g.nic != nil {
			tx.DeleteManagedInterface(g.nic)
		}
		tx.Remove(g)
		return nil
	})
}

// Interface returns the gateway's interface, nil where the gateway failed.
func (g *NATGateway) Interface() *vpc.NetworkInterface { return g.nic }

// PrivateIP returns the private address, invalid where the gateway failed.
func (g *NATGateway) PrivateIP() netip.Addr {
	if g.nic == nil {
		return netip.Addr{}
	}
	return g.nic.PrivateIP()
}

// PublicIP returns the Elastic IP address, invalid of a private gateway.
func (g *NATGateway) PublicIP() netip.Addr {
	if g.eip == nil {
		return netip.Addr{}
	}
	return g.eip.PublicIP()
}

// State returns the gateway's state and, where it failed, AWS's code and message.
func (g *NATGateway) State() (s State, code, message string) {
	g.Region().View(func(*vpc.Tx) { s, code, message = g.state, g.failureCode, g.failureMessage })
	return s, code, message
}

// Available reports whether routes of v to the gateway are active.
func (g *NATGateway) Available(v *vpc.VPC) bool { return g.state == Available && g.subnet.VPC() == v }

// RoutesInside reports that a route to a destination inside the VPC may name it.
func (g *NATGateway) RoutesInside() bool { return true }

// CheckRoute refuses a table of another VPC, for which the gateway does not exist.
func (g *NATGateway) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if g.subnet.VPC() != t.VPC() {
		return refuse("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", g.ID())
	}
	return nil
}
