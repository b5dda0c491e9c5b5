// Package cagw is the carrier gateway of AWS Wavelength: static 1:1 NAT between a VPC's
// private addresses and carrier IP addresses, toward the carrier's network and the
// internet. From the carrier's network anything may begin, from the internet only
// answers come in.
//
// Subnets of a Wavelength zone are those whose zone is named so, such as
// us-east-1-wl1-bos-wlz-1. Routes of all subnets may name the gateway.
package cagw

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// CarrierGateway is a carrier gateway.
type CarrierGateway struct {
	vpc.Base
	vpc     *vpc.VPC
	network dataplane.Node // the carrier's, or nil
	beyond  []netip.Prefix // its addresses
}

// carrierOf returns the carrier IP address of a private one.
func carrierOf(p vpc.PrivateAddress) netip.Addr { return p.Carrier }

// Config says how a carrier gateway is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// Create makes the carrier gateway of a VPC, which has one at most
// (CreateCarrierGateway; code and sentence of the refusal are inferred).
func Create(v *vpc.VPC, c Config) (*CarrierGateway, error) {
	var g *CarrierGateway
	err := v.Change(func(tx *vpc.Tx) error {
		for _, o := range vpc.Gateways[*CarrierGateway](tx) {
			if o.vpc == v {
				return vpc.Refuse("CarrierGatewayAlreadyExists", "Network %s already has a carrier gateway", v.ID())
			}
		}
		b, err := tx.NewBase("cagw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &CarrierGateway{Base: b, vpc: v}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Delete deletes the gateway (DeleteCarrierGateway): routes that name it are black holes.
func (g *CarrierGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		tx.Remove(g)
		return nil
	})
}

// Associate gives an interface's primary private address a carrier IP address
// (AllocateAddress with a network border group, AssociateAddress). An address that is
// taken, on either side, an interface of another VPC, and one outside of a Wavelength zone
// are refused (the sentences of the latter two are inferred).
func (g *CarrierGateway) Associate(n *vpc.NetworkInterface, carrier netip.Addr) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := g.needs(tx, n); err != nil {
			return err
		}
		switch {
		case !wavelength(n.Subnet().Zone()):
			return vpc.Refuse("InvalidParameterValue", "The network border group of the address %s and that of the interface %s in %s are different.", carrier, n.ID(), n.Subnet().Zone())
		case !carrier.Is4():
			return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter carrierIp is invalid. Invalid IPv4 address.", carrier)
		case holder(tx, carrier) != nil || carrierOf(tx.PrivateAddresses(n)[0]).IsValid():
			return vpc.Refuse("Resource.AlreadyAssociated", "resource %s is already associated with %s", carrier, n.ID())
		}
		tx.SetCarrier(n, carrier)
		return nil
	})
}

// Disassociate takes an interface's carrier IP address away (DisassociateAddress). One
// that has none is refused (the sentence is inferred).
func (g *CarrierGateway) Disassociate(n *vpc.NetworkInterface) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := g.needs(tx, n); err != nil {
			return err
		}
		if !carrierOf(tx.PrivateAddresses(n)[0]).IsValid() {
			return vpc.Refuse("InvalidAssociationID.NotFound", "The interface %s has no carrier IP address", n.ID())
		}
		tx.SetCarrier(n, netip.Addr{})
		return nil
	})
}

// needs refuses an interface that is not there, one of another VPC, and one of IPv6 alone
// (the sentence is inferred).
func (g *CarrierGateway) needs(tx *vpc.Tx, n *vpc.NetworkInterface) error {
	if err := tx.Needs("networkInterfaceId", n); err != nil {
		return err
	}
	if n.Subnet().VPC() != g.vpc {
		return vpc.Refuse("InvalidParameterValue", "interface %s and carrier gateway %s belong to different networks", n.ID(), g.ID())
	}
	if len(tx.PrivateAddresses(n)) == 0 {
		return vpc.Refuse("InvalidParameterValue", "The interface %s has no private IPv4 address", n.ID())
	}
	return nil
}

// wavelength reports whether a zone is one of Wavelength (Wavelength guide, "Available
// Wavelength Zones").
func wavelength(zone string) bool { return strings.Contains(zone, "-wlz-") }

// holder returns the interface of any VPC of the region that has a carrier IP address, or
// nil: also of one whose gateway is deleted, since its addresses stay.
func holder(tx *vpc.Tx, carrier netip.Addr) *vpc.NetworkInterface {
	for _, v := range vpc.Resources[*vpc.VPC](tx) {
		if n := tx.Holder(v, carrier, carrierOf); n != nil {
			return n
		}
	}
	return nil
}

// Connect says what the carrier's network is: the node that takes packets for the given
// prefixes. All else is the internet.
func (g *CarrierGateway) Connect(network dataplane.Node, prefixes ...netip.Prefix) error {
	return g.Change(func(*vpc.Tx) error {
		for _, p := range prefixes {
			if !p.IsValid() || !p.Addr().Is4() {
				return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", p)
			}
		}
		g.network, g.beyond = network, slices.Clone(prefixes)
		return nil
	})
}

// Available reports whether the gateway is the VPC's.
func (g *CarrierGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool { return g.vpc == v }

// ListRoute lists a route to the gateway.
func (g *CarrierGateway) ListRoute(s *ec2.Route) { s.CarrierGatewayId = new(g.ID()) }

// CheckRoute refuses a table of another VPC.
func (g *CarrierGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.RefuseDifferentNetworks(t, g)
	}
	return nil
}

// Describe lists the region's carrier gateways (DescribeCarrierGateways), in the order
// in which they were made.
func Describe(r *vpc.Region) *ec2.DescribeCarrierGatewaysResult {
	list := []ec2.CarrierGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*CarrierGateway](tx) {
			list = append(list, ec2.CarrierGateway{
				CarrierGatewayId: new(g.ID()), VpcId: new(g.vpc.ID()), OwnerId: new(g.OwnerID()),
				State: new(ec2.CarrierGatewayStateAvailable), Tags: tx.TagShapes(g),
			})
		}
	})
	return &ec2.DescribeCarrierGatewaysResult{CarrierGateways: list}
}
