// Package igw is the internet gateway: static 1:1 NAT between a VPC's private
// addresses and their public ones, the gateway route table behind it, and the
// egress-only gateway for IPv6.
//
// inbound and outbound are seen from the VPC: outbound packets leave it.
package igw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/vpc"
)

// InternetGateway is an internet gateway.
type InternetGateway struct {
	vpc.Base
	vpc.Attachment
}

// Config says how an internet gateway is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// Create makes an internet gateway, attached to nothing (CreateInternetGateway).
func Create(r *vpc.Region, c Config) (*InternetGateway, error) {
	var g *InternetGateway
	err := r.Change(func(tx *vpc.Tx) error {
		if err := tx.Within(vpc.QuotaInternetGateways, len(vpc.Gateways[*InternetGateway](tx)), r.Name()); err != nil {
			return err
		}
		b, err := tx.NewBase("igw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &InternetGateway{Base: b}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Attach attaches the gateway to a VPC. A VPC has one at most.
func (g *InternetGateway) Attach(v *vpc.VPC) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkAttach(tx, g, v); err != nil {
			return err
		}
		tx.Attach(v, g)
		return nil
	})
}

// Detach detaches the gateway: routes that name it become black holes, its edge
// association ends. A VPC with mapped public addresses is refused.
func (g *InternetGateway) Detach(v *vpc.VPC) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkDetach(tx, g, v); err != nil {
			return err
		}
		tx.Detach(v, g)
		return nil
	})
}

// Delete deletes a gateway that is attached to nothing (the sentence of the refusal
// is unproven).
func (g *InternetGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if g.AttachedTo(tx) != nil {
			return vpc.Refuse("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", g.ID())
		}
		tx.Remove(g)
		return nil
	})
}

// CheckRoute refuses a route in a table of a VPC that the gateway is not attached to.
func (g *InternetGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.RefuseDifferentNetworks(t, g)
	}
	return nil
}
