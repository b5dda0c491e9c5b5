// Package tgw is the transit gateway: attachments of VPCs with an interface in a
// subnet of each zone, peering attachments to other transit gateways within a region
// and between two, route tables with association and propagation, static routes
// and black holes, affinity to zones and appliance mode; and links to sites of one's
// own, such as the connections of package vpn, over which flows are spread (ECMP).
//
// Multicast is not modelled.
package tgw

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// DefaultASN is the autonomous system number of a gateway that is given none (EC2
// API, CreateTransitGateway).
const DefaultASN = 64512

// TransitGateway is a transit gateway. A route of a VPC that names it is active
// where the VPC is attached.
type TransitGateway struct {
	vpc.Base
	asn         int64
	cidrs       []netip.Prefix // of which Connect peers have addresses
	noECMP      bool
	references  bool // to security groups between attached VPCs
	description string
	associates  *RouteTable   // what new attachments are associated with, or nil
	propagates  *RouteTable   // what new attachments propagate to, or nil
	attachments []*Attachment // deleted ones too, for as long as they are listed
	tables      []*RouteTable
	created     time.Time
}

// Config says how a transit gateway is made. The zero Config has a default route
// table, with which attachments are associated and to which they propagate.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Description is free text.
	Description string
	// ASN is the autonomous system number; 0 is DefaultASN.
	ASN int64
	// CIDRs are the gateway's CIDR blocks, of which Connect peers have addresses.
	CIDRs []netip.Prefix
	// NoVPNECMP has each prefix behind VPNs reached by one way, where else flows are spread
	// over ways alike (VpnEcmpSupport).
	NoVPNECMP bool
	// SecurityGroupReferencing lets ingress rules of one attached VPC name groups of
	// another.
	SecurityGroupReferencing bool
	// NoDefaultAssociation leaves new attachments without a route table.
	NoDefaultAssociation bool
	// NoDefaultPropagation has new attachments propagate to no route table.
	NoDefaultPropagation bool
}

// Create makes a transit gateway (CreateTransitGateway), and its default route table
// unless neither association nor propagation uses one.
func Create(r *vpc.Region, c Config) (*TransitGateway, error) {
	var g *TransitGateway
	err := r.Change(func(tx *vpc.Tx) error {
		if err := tx.Within(vpc.QuotaTransitGateways, len(vpc.Gateways[*TransitGateway](tx)), r.Name()); err != nil {
			return err
		}
		blocks, err := checkCIDRs(c.CIDRs)
		if err != nil {
			return err
		}
		b, err := tx.NewBase("tgw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &TransitGateway{Base: b, asn: c.ASN, cidrs: blocks, noECMP: c.NoVPNECMP, references: c.SecurityGroupReferencing, description: c.Description, created: r.Now()}
		if g.asn == 0 {
			g.asn = DefaultASN
		}
		if c.NoDefaultAssociation && c.NoDefaultPropagation {
			tx.Add(g)
			return nil
		}
		t, err := g.newTable(tx, RouteTableConfig{})
		if err != nil {
			return err
		}
		if !c.NoDefaultAssociation {
			g.associates = t
		}
		if !c.NoDefaultPropagation {
			g.propagates = t
		}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Delete deletes a gateway to which nothing is attached, with its route tables
// (DeleteTransitGateway). Routes that name it are black holes by then.
func (g *TransitGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkDelete(g); err != nil {
			return err
		}
		for _, t := range g.tables {
			tx.Remove(t)
		}
		tx.Remove(g)
		return nil
	})
}

// DefaultRouteTable returns the table that the gateway was made with, nil where it
// has none.
func (g *TransitGateway) DefaultRouteTable() *RouteTable {
	var t *RouteTable
	g.Region().View(func(*vpc.Tx) {
		if t = g.associates; t == nil {
			t = g.propagates
		}
	})
	return t
}

// at returns the VPC's attachment, or nil.
func (g *TransitGateway) at(v *vpc.VPC) *Attachment {
	for _, a := range g.attachments {
		if a.vpc == v && v != nil && a.available() {
			return a
		}
	}
	return nil
}

// Available reports whether the VPC is attached.
func (g *TransitGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool { return g.at(v) != nil }

// SetSecurityGroupReferencing changes Config.SecurityGroupReferencing
// (ModifyTransitGateway).
func (g *TransitGateway) SetSecurityGroupReferencing(on bool) error {
	return g.Change(func(*vpc.Tx) error {
		g.references = on
		return nil
	})
}

// JoinsInbound reports whether ingress rules of one VPC may name groups of the other.
func (g *TransitGateway) JoinsInbound(_ *vpc.Tx, v, w *vpc.VPC) bool {
	a, b := g.at(v), g.at(w)
	return v != w && a != nil && b != nil && a.references() && b.references()
}

// RefersTo reports whether a route table of the gateway refers to the prefix list.
func (g *TransitGateway) RefersTo(_ *vpc.Tx, l *vpc.PrefixList) bool {
	for _, t := range g.tables {
		if t.reference(l) >= 0 {
			return true
		}
	}
	return false
}

// ListRoute lists a route to the gateway.
func (g *TransitGateway) ListRoute(s *ec2.Route) { s.TransitGatewayId = new(g.ID()) }

// CheckRoute refuses a table of a VPC that is not attached, for which the gateway
// does not exist (seen).
func (g *TransitGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.TargetNotFound(g.ID())
	}
	return nil
}
