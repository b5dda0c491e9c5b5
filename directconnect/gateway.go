// Package directconnect is the Direct Connect gateway: what virtual private gateways
// and transit gateways, of any region, are associated with to reach a site of one's own
// over virtual interfaces, each on a connection to a location. Interfaces and connections
// are up or down, and what the site announces over them is given; lines and BGP sessions
// are not on the wire. Public virtual interfaces are described and carry nothing.
//
// Package directconnect/shape has the API's shapes.
package directconnect

import (
	"cmp"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// DefaultASN is the autonomous system number of Amazon's side by default (Direct Connect
// API, CreateDirectConnectGateway).
const DefaultASN = 64512

// Gateway is a Direct Connect gateway. It belongs to no region, and every region that has
// to do with it knows it by its id. Its calls may be made from any goroutine.
type Gateway struct {
	id    string
	jumbo bool
	own   bool // it is no gateway, but a private virtual interface without one
	site  vpc.Shared[site]
}

// site is what lies beyond, and what is associated. Slices are replaced, not changed.
type site struct {
	told         *shape.DirectConnectGateway // nil where nothing but others' descriptions tell of the gateway
	down         bool
	announced    []remote.Announcement
	associations []*Association
	lines        []line
}

// Config says how a Direct Connect gateway is made.
type Config struct {
	// ID is its id, a UUID in AWS.
	ID string
	// Name is its name.
	Name string
	// ASN is the autonomous system number of Amazon's side; 0 is DefaultASN.
	ASN int64
	// Jumbo has the virtual interface that a gateway without others has carry jumbo frames.
	Jumbo bool
}

// New makes a Direct Connect gateway (CreateDirectConnectGateway). As long as it has no
// virtual interface of its own it has one that is up and of which nothing else is known.
func New(c Config) *Gateway {
	g := &Gateway{id: c.ID, jumbo: c.Jumbo}
	told := &shape.DirectConnectGateway{
		DirectConnectGatewayID: new(c.ID), AmazonSideASN: new(cmp.Or(c.ASN, DefaultASN)),
		DirectConnectGatewayState: new(shape.Available), Tags: []shape.Tag{},
	}
	if c.Name != "" {
		told.DirectConnectGatewayName = new(c.Name)
	}
	g.site.Set(site{told: told})
	return g
}

// ID returns the gateway's id.
func (g *Gateway) ID() string { return g.id }

// Name returns the gateway's name, "" where it has none or nobody has told.
func (g *Gateway) Name() string {
	if s := g.site.Get(); s.told != nil {
		return ec2.Value(s.told.DirectConnectGatewayName)
	}
	return ""
}

// Label returns how traces call the gateway: its name, else its id.
func (g *Gateway) Label() string { return cmp.Or(g.Name(), g.id) }

// ASN returns the autonomous system number of Amazon's side.
func (g *Gateway) ASN() int64 {
	if s := g.site.Get(); s.told != nil {
		return cmp.Or(ec2.Value(s.told.AmazonSideASN), DefaultASN)
	}
	return DefaultASN
}

// know has the region know the gateway, and see what changes.
func (g *Gateway) know(tx *vpc.Tx) {
	if tx.Find(g.id) == nil {
		tx.Add(g)
	}
	g.site.Join(tx.Region())
}

// Announce says what the site announces by every virtual interface, in the place of what
// it did before. What is no CIDR is refused.
func (g *Gateway) Announce(list ...remote.Announcement) error {
	checked, err := remote.CheckAnnouncements(list, false)
	if err != nil {
		return err
	}
	g.site.Update(func(s *site) bool { s.announced = checked; return true })
	return nil
}

// SetUp brings all virtual interfaces up or down. While they are down nothing is known
// of the site.
func (g *Gateway) SetUp(up bool) {
	g.site.Update(func(s *site) bool {
		s.down, s.lines = !up, slices.Clone(s.lines)
		for i := range s.lines {
			s.lines[i].set(up)
		}
		return true
	})
}

// Connect says what lies beyond, for every association that there is now: the node that
// takes the site's packets.
func (g *Gateway) Connect(site dataplane.Node) error {
	for _, a := range g.site.Get().associations {
		if err := a.Connect(site); err != nil {
			return err
		}
	}
	return nil
}
