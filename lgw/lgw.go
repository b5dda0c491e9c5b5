// Package lgw is the local gateway of an Outpost rack: it leads between subnets on the
// Outpost and the on-premises network, by route tables of its own. A table of mode
// direct-vpc-routing leaves private addresses as they are; one of mode coip puts
// customer-owned IP addresses in their place, 1:1 (Outposts guide, "Local gateway route
// tables").
//
// AWS makes the gateway with one virtual interface group, which leads to the on-premises
// network; every table is taken to be associated with it. There is no BGP: the network is
// one node, given by [LocalGateway.Connect].
package lgw

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// LocalGateway is a local gateway.
type LocalGateway struct {
	vpc.Base
	outpost string // ARN
	group   string // id of the virtual interface group
	tables  []*RouteTable
	site    dataplane.Node
}

// Config says how a local gateway is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Outpost is the ARN of the Outpost; "" makes one.
	Outpost string
}

// Create makes the local gateway of an Outpost, as AWS does when it installs the rack.
func Create(r *vpc.Region, c Config) (*LocalGateway, error) {
	var g *LocalGateway
	err := r.Change(func(tx *vpc.Tx) error {
		for _, o := range vpc.Gateways[*LocalGateway](tx) {
			if o.outpost == c.Outpost {
				return vpc.Refuse("InvalidParameterValue", "Outpost %s already has a local gateway", c.Outpost)
			}
		}
		b, err := tx.NewBase("lgw", c.ID, c.Name)
		if err != nil {
			return err
		}
		made := "arn:aws:outposts:" + r.Name() + ":" + b.OwnerID() + ":outpost/op-" + tx.NewSuffix()
		g = &LocalGateway{Base: b, outpost: cmp.Or(c.Outpost, made), group: "lgw-vif-grp-" + tx.NewSuffix()}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Outpost returns the ARN of the gateway's Outpost, which subnets name.
func (g *LocalGateway) Outpost() string { return g.outpost }

// Connect says what the on-premises network is: the node that takes its packets.
func (g *LocalGateway) Connect(site dataplane.Node) error {
	return g.Change(func(*vpc.Tx) error {
		g.site = site
		return nil
	})
}

// tableOf returns the route table that is associated with the VPC, or nil.
func (g *LocalGateway) tableOf(v *vpc.VPC) *RouteTable {
	for _, t := range g.tables {
		if t.associated(v) {
			return t
		}
	}
	return nil
}

// Available reports whether one of the gateway's tables is associated with the VPC:
// without, routes to it are black holes (inferred of other gateways).
func (g *LocalGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool { return g.tableOf(v) != nil }

// ListRoute lists a route to the gateway.
func (g *LocalGateway) ListRoute(s *ec2.Route) { s.LocalGatewayId = new(g.ID()) }

// RoutesInside says that routes to subnets of the VPC may name the gateway: those on
// another Outpost (VPC guide, "Routing to a local gateway").
func (g *LocalGateway) RoutesInside() bool { return true }

// CheckRoute refuses a table of a VPC without an association, and, where customer-owned
// IP addresses are used, a destination within the VPC (sentences as for other gateways,
// inferred).
func (g *LocalGateway) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, dst netip.Prefix) error {
	own := g.tableOf(t.VPC())
	if own == nil {
		return vpc.RefuseDifferentNetworks(t, g)
	}
	inside := func(p netip.Prefix) bool { return dst.IsValid() && p.Overlaps(dst) && p.Bits() <= dst.Bits() }
	if own.mode == ec2.LocalGatewayRouteTableModeCoip && slices.ContainsFunc(t.VPC().CIDRs(), inside) {
		return vpc.RefuseInside(dst)
	}
	return nil
}
