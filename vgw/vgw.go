// Package vgw is the virtual private gateway: the VPC's end of VPN connections and of
// Direct Connect. It knows prefixes beyond it, which route tables may take over
// (propagation), takes one way to each, hands packets from one site to another
// (CloudHub), and may have a gateway route table (edge association).
//
// What lies beyond are the links of packages vpn and directconnect; or, where links do
// not matter, a node that the caller connects, such as an internet.Network of the
// site's hosts.
//
// inbound and outbound are seen from the VPC: outbound packets leave it.
package vgw

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// VirtualPrivateGateway is a virtual private gateway.
type VirtualPrivateGateway struct {
	vpc.Base
	vpc.Attachment
	asn     int64
	links   []remote.Link
	site    dataplane.Node // beyond it without a link
	learned []netip.Prefix // by which prefixes
	missing string         // why there may be more links, "" where there are not
}

// Config says how a virtual private gateway is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// ASN is the autonomous system number of Amazon's side; 0 is DefaultASN.
	ASN int64
}

// DefaultASN is the autonomous system number of Amazon's side by default (EC2 API,
// CreateVpnGateway).
const DefaultASN = 64512

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
		g = &VirtualPrivateGateway{Base: b, asn: cmp.Or(c.ASN, DefaultASN)}
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

// Delete deletes a gateway that is attached to nothing and has no link
// (DeleteVpnGateway).
func (g *VirtualPrivateGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if g.AttachedTo(tx) != nil || len(g.links) > 0 {
			return vpc.Refuse("IncorrectState", "The vpnGateway '%s' has dependencies and cannot be deleted.", g.ID())
		}
		tx.Remove(g)
		return nil
	})
}

// Connect says what lies beyond the gateway without a link: the node that takes
// packets for the given IPv4 prefixes. It takes the place of what was connected before;
// no prefixes disconnect.
func (g *VirtualPrivateGateway) Connect(site dataplane.Node, prefixes ...netip.Prefix) error {
	return g.Change(func(*vpc.Tx) error {
		learned, err := remote.CheckPrefixes(prefixes, true)
		if err != nil {
			return err
		}
		g.site, g.learned = site, learned
		return nil
	})
}

// ASN returns the autonomous system number of Amazon's side.
func (g *VirtualPrivateGateway) ASN() int64 { return g.asn }

// Link has the gateway use a link: package vpn and others call it for their resources.
func (g *VirtualPrivateGateway) Link(_ *vpc.Tx, l remote.Link) error {
	if l != nil {
		g.links = append(slices.Clone(g.links), l)
	}
	return nil
}

// Unlink ends the use of a link.
func (g *VirtualPrivateGateway) Unlink(_ *vpc.Tx, l remote.Link) {
	g.links = slices.DeleteFunc(slices.Clone(g.links), func(o remote.Link) bool { return o == l })
}

// Learned returns the prefixes beyond the gateway: those that are connected without a
// link, in their order, and then those of the links, by address and length. What no
// link that is up leads to is not among them: a static route of a VPN whose tunnels are
// down is propagated to no table (measured: a lab).
func (g *VirtualPrivateGateway) Learned(tx *vpc.Tx) []netip.Prefix {
	list := slices.Clone(g.learned)
	for _, r := range remote.Routes(tx, g.links) {
		if !r.Hops[0].Path.Down && !slices.Contains(list, r.Prefix) {
			list = append(list, r.Prefix)
		}
	}
	return list
}

// CheckRoute refuses a route in a table of a VPC that the gateway is not attached to.
func (g *VirtualPrivateGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.RefuseDifferentNetworks(t, g)
	}
	return nil
}
