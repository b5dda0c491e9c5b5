// Package natgw is the NAT gateway, public and private: a guest of its own
// interface that masquerades. What it does to packets is in node.go, what AWS
// refuses in rules.go.
package natgw

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// State is a NAT gateway's state, in AWS's words.
type State string

// The states of a NAT gateway that it stays in. What AWS does within a minute or two
// (pending, deleting) is done at once here.
const (
	Available State = "available"
	Failed    State = "failed"
	Deleted   State = "deleted"
)

// NATGateway is a NAT gateway. A failed or deleted one stays known, and is listed,
// for about an hour (VPC guide, "Troubleshoot NAT gateways").
type NATGateway struct {
	vpc.Base
	subnet         *vpc.Subnet
	nic            *vpc.NetworkInterface // nil where the gateway failed or is deleted
	private        bool
	state          State
	failureCode    string
	failureMessage string
	created, ended time.Time
	addresses      []address // primary first
}

// address is one address pair of the gateway.
type address struct {
	private netip.Addr
	eip     *vpc.Address // nil of a private gateway
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
// and fails later: a public gateway in a VPC without internet gateway, a subnet that
// is full, and an Elastic IP address that is in use, give a gateway in the state
// failed, with AWS's code and message (VPC guide, "Troubleshoot NAT gateways").
func Create(s *vpc.Subnet, c Config) (*NATGateway, error) {
	var g *NATGateway
	err := s.Change(func(tx *vpc.Tx) error {
		if err := checkCreate(tx, s, c); err != nil {
			return err
		}
		b, err := tx.NewBase("nat", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &NATGateway{Base: b, subnet: s, private: c.Private, state: Available, created: tx.Region().Now()}
		if code, message := checkLater(tx, s, c); code != "" {
			g.fail(tx, code, message)
		} else if err := g.start(tx, c); err != nil {
			return err
		}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// start makes the gateway's interface and gives it its Elastic IP address.
func (g *NATGateway) start(tx *vpc.Tx, c Config) (err error) {
	g.nic, err = tx.NewManagedInterface(g.subnet, g, vpc.ManagedInterface{
		Type: vpc.InterfaceNATGateway, Description: "Interface for NAT Gateway " + g.ID(),
		PrivateIP: c.PrivateIP, ID: c.InterfaceID,
	})
	if err != nil {
		return err
	}
	g.addresses = []address{{private: tx.PrivateAddresses(g.nic)[0].IP}}
	if c.Private {
		return nil
	}
	if c.Address == nil {
		if c.Address, err = tx.AllocateAddress(vpc.AddressConfig{}); err != nil {
			tx.DeleteManagedInterface(g.nic)
			return err
		}
	}
	g.addresses[0].eip = c.Address
	return tx.AssociateAddress(c.Address, g.nic, netip.Addr{}, false) // checked: an internet gateway is there, the address is free
}

func (g *NATGateway) fail(tx *vpc.Tx, code, message string) {
	g.state, g.failureCode, g.failureMessage, g.ended = Failed, code, message, tx.Region().Now()
}

// Delete deletes the gateway: its interface goes, its addresses stay allocated,
// routes that name it become black holes.
func (g *NATGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if g.state == Deleted {
			return vpc.Refuse("NatGatewayNotFound", "NatGateway %s was not found", g.ID())
		}
		g.state, g.ended = Deleted, tx.Region().Now()
		if g.nic != nil {
			tx.DeleteManagedInterface(g.nic)
			g.nic = nil
		}
		return nil
	})
}

// Subnet returns the gateway's subnet, for life.
func (g *NATGateway) Subnet() *vpc.Subnet { return g.subnet }

// Interface returns the gateway's interface, nil where the gateway failed or is deleted.
func (g *NATGateway) Interface() *vpc.NetworkInterface {
	var n *vpc.NetworkInterface
	g.Region().View(func(*vpc.Tx) { n = g.nic })
	return n
}

// PrivateIP returns the primary private address, invalid where the gateway failed.
func (g *NATGateway) PrivateIP() netip.Addr { return g.primary().private }

// PublicIP returns the primary Elastic IP address, invalid of a private gateway.
func (g *NATGateway) PublicIP() netip.Addr {
	if e := g.primary().eip; e != nil {
		return e.PublicIP()
	}
	return netip.Addr{}
}

func (g *NATGateway) primary() address {
	var a address
	g.Region().View(func(*vpc.Tx) {
		if len(g.addresses) > 0 {
			a = g.addresses[0]
		}
	})
	return a
}

// PrivateIPs returns the private addresses, the primary one first.
func (g *NATGateway) PrivateIPs() []netip.Addr {
	var list []netip.Addr
	g.Region().View(func(*vpc.Tx) {
		for _, a := range g.addresses {
			list = append(list, a.private)
		}
	})
	return list
}

// State returns the gateway's state and, where it failed, AWS's code and message.
func (g *NATGateway) State() (s State, code, message string) {
	g.Region().View(func(*vpc.Tx) { s, code, message = g.state, g.failureCode, g.failureMessage })
	return s, code, message
}

// Available reports whether routes of v to the gateway are active.
func (g *NATGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool {
	return g.state == Available && g.subnet.VPC() == v
}

// ListRoute lists a route to the gateway.
func (g *NATGateway) ListRoute(s *ec2.Route) { s.NatGatewayId = new(g.ID()) }

// RoutesInside reports that a route to a destination inside the VPC may name it.
func (g *NATGateway) RoutesInside() bool { return true }

// CheckRoute refuses a table of another VPC, for which the gateway does not exist,
// as a failed or deleted gateway does not.
func (g *NATGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.TargetNotFound(g.ID())
	}
	return nil
}

// AssociateAddress gives a public gateway a further Elastic IP address, on a new
// private address of its subnet (AssociateNatGatewayAddress); the zero Addr takes a
// free one. With each address 55,000 flows more go to one destination.
func (g *NATGateway) AssociateAddress(e *vpc.Address, private netip.Addr) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkAssociate(tx, g, e); err != nil {
			return err
		}
		a, err := tx.AddPrivateAddress(g.nic, private)
		if err != nil {
			return err
		}
		if err := tx.AssociateAddress(e, g.nic, a, false); err != nil {
			tx.RemovePrivateAddress(g.nic, a)
			return err
		}
		g.addresses = append(g.addresses, address{private: a, eip: e})
		return nil
	})
}

// AssignPrivateIP gives a private gateway a further private address
// (AssignPrivateNatGatewayAddress); the zero Addr takes a free one. It returns the
// address.
func (g *NATGateway) AssignPrivateIP(private netip.Addr) (netip.Addr, error) {
	err := g.Change(func(tx *vpc.Tx) (err error) {
		if err := checkAssign(tx, g); err != nil {
			return err
		}
		if private, err = tx.AddPrivateAddress(g.nic, private); err != nil {
			return err
		}
		g.addresses = append(g.addresses, address{private: private})
		return nil
	})
	return private, err
}

// RemoveAddress takes a private address that is not the primary one from the gateway,
// with its Elastic IP address (DisassociateNatGatewayAddress,
// UnassignPrivateNatGatewayAddress). AWS drains its connections for 350 seconds
// first; here they end at once.
func (g *NATGateway) RemoveAddress(private netip.Addr) error {
	return g.Change(func(tx *vpc.Tx) error {
		i, err := checkRemove(g, private)
		if err != nil {
			return err
		}
		g.addresses = slices.Delete(slices.Clone(g.addresses), i, i+1)
		tx.RemovePrivateAddress(g.nic, private)
		return nil
	})
}
