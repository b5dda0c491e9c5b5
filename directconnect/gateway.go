// Package directconnect is the Direct Connect gateway: what virtual private gateways
// and transit gateways, of any region, are associated with to reach a site of one's own
// over Direct Connect. Virtual interfaces are up or down together, and what the site
// announces over them is given; lines, locations and BGP sessions are not modelled.
package directconnect

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// DefaultASN is the autonomous system number of Amazon's side by default (Direct Connect
// API, CreateDirectConnectGateway).
const DefaultASN = 64512

// Gateway is a Direct Connect gateway. It belongs to no region. Its calls may be made
// from any goroutine.
type Gateway struct {
	id    string
	asn   int64
	jumbo bool
	site  vpc.Shared[site]
}

// site is what lies beyond, and what is associated.
type site struct {
	down         bool
	announced    []remote.Announcement
	associations []*Association
}

// Config says how a Direct Connect gateway is made.
type Config struct {
	// ID is its id, a UUID in AWS.
	ID string
	// ASN is the autonomous system number of Amazon's side; 0 is DefaultASN.
	ASN int64
	// Jumbo has virtual interfaces carry jumbo frames.
	Jumbo bool
}

// New makes a Direct Connect gateway whose virtual interfaces are up.
func New(c Config) *Gateway {
	return &Gateway{id: c.ID, asn: cmp.Or(c.ASN, DefaultASN), jumbo: c.Jumbo}
}

// ID returns the gateway's id.
func (g *Gateway) ID() string { return g.id }

// ASN returns the autonomous system number of Amazon's side.
func (g *Gateway) ASN() int64 { return g.asn }

// Announce says what the site announces, in the place of what it did before. What is no
// CIDR is refused.
func (g *Gateway) Announce(list ...remote.Announcement) error {
	checked, err := remote.CheckAnnouncements(list, false)
	if err != nil {
		return err
	}
	g.site.Update(func(s *site) bool { s.announced = checked; return true })
	return nil
}

// SetUp brings the virtual interfaces up or down. While they are down nothing is known
// of the site.
func (g *Gateway) SetUp(up bool) {
	g.site.Update(func(s *site) bool { s.down = !up; return true })
}

// Association is what associates a gateway with a Direct Connect gateway.
type Association struct {
	vpc.Base
	direct  *Gateway
	gateway remote.Gateway
	vpc     *vpc.VPC // of the gateway when it was associated, or nil
	allowed []netip.Prefix
	site    dataplane.Node
}

// end is a gateway of a region.
type end interface {
	remote.Gateway
	Region() *vpc.Region
}

// Associate associates a virtual private gateway or a transit gateway
// (CreateDirectConnectGatewayAssociation). Of a virtual private gateway the site is told
// of the VPC's CIDRs that lie in the allowed prefixes, without any of all; of a transit
// gateway, of the allowed prefixes, which are needed. See rules.go for what is refused.
func (g *Gateway) Associate(with end, allowed ...netip.Prefix) (*Association, error) {
	if with == nil {
		return nil, vpc.Refuse("DirectConnectClientException", "A gateway is required.")
	}
	var a *Association
	err := with.Region().Change(func(tx *vpc.Tx) error {
		prefixes, err := g.checkAssociate(tx, with, allowed)
		if err != nil {
			return err
		}
		b, err := tx.NewNamed(tx.NewSuffix()+"-"+tx.NewSuffix(), "")
		if err != nil {
			return err
		}
		a = &Association{Base: b, direct: g, gateway: with, vpc: vpcOf(tx, with), allowed: prefixes}
		if err := with.Link(tx, a); err != nil {
			return err
		}
		tx.Add(a)
		g.site.Join(tx.Region())
		g.site.Update(func(s *site) bool {
			s.associations = append(slices.Clone(s.associations), a)
			return true
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Delete ends the association (DeleteDirectConnectGatewayAssociation).
func (a *Association) Delete() error {
	return a.Change(func(tx *vpc.Tx) error {
		a.gateway.Unlink(tx, a)
		a.direct.site.Update(func(s *site) bool {
			s.associations = slices.DeleteFunc(slices.Clone(s.associations), func(o *Association) bool { return o == a })
			return true
		})
		tx.Remove(a)
		return nil
	})
}

// Connect says what lies beyond: the node that takes the site's packets.
func (a *Association) Connect(site dataplane.Node) error {
	return a.Change(func(*vpc.Tx) error {
		a.site = site
		return nil
	})
}

// Paths returns what the site announces.
func (a *Association) Paths(*vpc.Tx) []remote.Path {
	s := a.direct.site.Get()
	if s.down {
		return nil
	}
	var list []remote.Path
	for _, n := range s.announced {
		if n.Prefix.Addr().Is4() || transit(a.gateway) {
			list = append(list, remote.Path{Announcement: n, Kind: remote.DirectConnect})
		}
	}
	return list
}

// Ways returns the one way, where it is up.
func (a *Association) Ways(*vpc.Tx) []int {
	if a.direct.site.Get().down {
		return nil
	}
	return []int{0}
}

// Attaches says that it is a Direct Connect gateway that is attached.
func (a *Association) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) {
	return ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway, a.direct.id
}
