// Package vgw is the virtual private gateway: the VPC's end of a VPN or of Direct
// Connect. It knows prefixes beyond it, which route tables may take over
// (propagation), and it may have a gateway route table (edge association).
//
// What lies beyond is a node that the caller connects, such as an
// internet.Network of the site's hosts. Tunnels, BGP and their failures are not
// modelled here.
//
// inbound and outbound are seen from the VPC: outbound packets leave it.
package vgw

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/vpc"
)

// VirtualPrivateGateway is a virtual private gateway.
type VirtualPrivateGateway struct {
	vpc.Base
	vpc.Attachment
	site    dataplane.Node
	learned []netip.Prefix
}

// Config says how a virtual private gateway is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
}

// Create makes a virtual private gateway, attached to nothing (CreateVpnGateway).
func Create(r *vpc.Region, c Config) (*VirtualPrivateGateway, error) {
	var g *VirtualPrivateGateway
	err := r.Change(func(tx *vpc.Tx) error {
		if err := tx.Within(vpc.QuotaVPNGateways, len(vpc.Gateways[*VirtualPrivateGateway](tx)), r.Name()); err != nil {
			return err
		}
		b, err := tx.NewBase("vgw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &VirtualPrivateGateway{Base: b}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Attach attaches the gateway to a VPC, which has one at most (AttachVpnGateway).
func (g *VirtualPrivateGateway) Attach(v *vpc.VPC) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkAttach(tx, g, v); err != nil {
			return err
		}
		tx.Attach(v, g)
		return nil
	})
}

// Detach detaches the gateway: routes that name it become black holes, its edge
// association and its propagation end (DetachVpnGateway).
func (g *VirtualPrivateGateway) Detach(v *vpc.VPC) error {
	return g.Change(func(tx *vpc.Tx) error {
		if err := checkDetach(tx, g, v); err != nil {
			return err
		}
		tx.Detach(v, g)
		return nil
	})
}

// Delete deletes a gateway that is attached to nothing (DeleteVpnGateway).
func (g *VirtualPrivateGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if g.AttachedTo(tx) != nil {
			return vpc.Refuse("IncorrectState", "The vpnGateway '%s' has dependencies and cannot be deleted.", g.ID())
		}
		tx.Remove(g)
		return nil
	})
}

// Connect says what lies beyond the gateway: the node that takes packets for the
// given IPv4 prefixes. It takes the place of what was connected before; no prefixes
// disconnect.
func (g *VirtualPrivateGateway) Connect(site dataplane.Node, prefixes ...netip.Prefix) error {
	return g.Change(func(*vpc.Tx) error {
		learned := make([]netip.Prefix, len(prefixes))
		for i, p := range prefixes {
			if !p.IsValid() || !p.Addr().Is4() {
				return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", p)
			}
			learned[i] = p.Masked()
		}
		g.site, g.learned = site, learned
		return nil
	})
}

// Learned returns the prefixes beyond the gateway. They must not be changed.
func (g *VirtualPrivateGateway) Learned(*vpc.Tx) []netip.Prefix { return g.learned }

// CheckRoute refuses a route in a table of a VPC that the gateway is not attached to.
func (g *VirtualPrivateGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.RefuseDifferentNetworks(t, g)
	}
	return nil
}
