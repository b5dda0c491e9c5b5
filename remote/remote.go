// Package remote is what private gateways and transit gateways have beyond them:
// links to sites of one's own, such as a VPN connection or a Direct Connect gateway,
// the prefixes that come by each, and which way AWS takes to one. There is no BGP: what
// a site announces is given.
package remote

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Kind is the kind of a way, the most preferred first (Site-to-Site VPN guide, "Route
// priority"; Transit Gateway guide, "Route evaluation order").
type Kind uint8

// The kinds of ways.
const (
	DirectConnect Kind = iota // announced over Direct Connect
	Connect                   // announced by a Connect peer
	VPNStatic                 // a static route of a VPN connection
	VPNBGP                    // announced over a VPN connection
)

// String returns the kind in words.
func (k Kind) String() string {
	if k > VPNBGP {
		return "no kind"
	}
	return [...]string{"Direct Connect", "Connect", "VPN static", "VPN BGP"}[k]
}

// Announcement is what a site's BGP tells of one prefix.
type Announcement struct {
	// Prefix is the destination.
	Prefix netip.Prefix
	// ASPath is the length of AS_PATH: how many autonomous systems lie between. 0 is 1.
	ASPath int
	// MED is the multi-exit discriminator: of equal ways the lowest is preferred.
	MED uint32
}

// Path is a way to a prefix by a link.
type Path struct {
	Announcement
	// Kind says where it is known from.
	Kind Kind
	// Via is which of the link's ways it is, such as a tunnel's index.
	Via int
	// Far says that the way leads by a virtual interface of another region than the
	// gateway's: those of its own are preferred, however long their AS_PATH.
	Far bool
	// Down says that nothing goes by it now, although it is known: a static route of a
	// connection without a tunnel.
	Down bool
}

// Link is a resource by which a gateway reaches a site.
type Link interface {
	vpc.Resource
	// Paths returns the ways that are known now. They are not changed.
	Paths(tx *vpc.Tx) []Path
	// Ways returns which ways are up, for routes that name the link.
	Ways(tx *vpc.Tx) []int
	// Outbound returns the node that takes packets to the site by a way.
	Outbound(c *vpc.Compiler, via int) dataplane.Node
	// Inbound returns the node at which packets from the site enter, to be handed to
	// the gateway's own.
	Inbound(c *vpc.Compiler, to Entrance) Entrance
	// Attaches says as what the link is attached to a transit gateway: the kind, and the
	// id of the resource.
	Attaches() (kind ec2.TransitGatewayAttachmentResourceType, resource string)
}

// Untold is a link that may lead to more than is known of it: a description tells of the
// link, and not of what its site announces.
type Untold interface {
	Link
	// Untold reports whether it does.
	Untold(tx *vpc.Tx) bool
}

// Learner is a link that is told, when it is restored, what propagated routes tell of it.
type Learner interface {
	Link
	// Learns reports whether what propagated routes tell of may be its: it is up and has
	// BGP.
	Learns(tx *vpc.Tx) bool
	// Learn adds a destination to those that the link knows, unless it does.
	Learn(tx *vpc.Tx, dst netip.Prefix)
}

// Entrance is where packets from a site enter.
type Entrance interface {
	dataplane.Node
	// Takes reports whether AWS has told the site of a way to dst here, and it is up. It
	// does not allocate.
	Takes(dst wire.Addr) bool
}

// Connector is a link whose site can be given.
type Connector interface {
	vpc.Resource
	Region() *vpc.Region
	// Connect says what lies beyond the link: the node that takes the site's packets.
	Connect(site dataplane.Node) error
}

// Gateway is what links end at: a virtual private gateway or a transit gateway.
type Gateway interface {
	vpc.Resource
	// ASN is the autonomous system number of Amazon's side.
	ASN() int64
	// OwnerID is the account that owns the gateway.
	OwnerID() string
	// Link has the gateway use a link, or refuses it.
	Link(tx *vpc.Tx, l Link) error
	// Unlink ends the use of a link.
	Unlink(tx *vpc.Tx, l Link)
}

// Hop is a way of a link.
type Hop struct {
	Link Link
	Path Path
}

// Route is a prefix and the ways that AWS prefers to it: more than one where they are
// alike.
type Route struct {
	Prefix netip.Prefix
	Hops   []Hop
}

// Routes returns the routes by the links, by address and length, each with the best
// ways: those that are up before those that are not, then by kind, those of the gateway's
// own region, by the length of AS_PATH, and, for two ways by BGP, by MED (Site-to-Site VPN
// guide, "Route priority"; Direct Connect guide, "Private virtual interface routing
// example"). Alike ways stand in the order of the links.
func Routes(tx *vpc.Tx, links []Link) []Route {
	var all []Hop
	for _, l := range links {
		for _, p := range l.Paths(tx) {
			all = append(all, Hop{l, p})
		}
	}
	slices.SortStableFunc(all, func(a, b Hop) int {
		return cmp.Or(ComparePrefixes(a.Path.Prefix, b.Path.Prefix), prefer(a.Path, b.Path))
	})
	var routes []Route
	for _, h := range all {
		n := len(routes) - 1
		switch {
		case n < 0 || routes[n].Prefix != h.Path.Prefix:
			routes = append(routes, Route{h.Path.Prefix, []Hop{h}})
		case prefer(routes[n].Hops[0].Path, h.Path) == 0:
			routes[n].Hops = append(routes[n].Hops, h)
		}
	}
	return routes
}

// prefer compares two ways to one prefix, the better first.
func prefer(a, b Path) int {
	number := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(number(a.Down), number(b.Down)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(number(a.Far), number(b.Far)),
		cmp.Compare(max(a.ASPath, 1), max(b.ASPath, 1)), cmp.Compare(a.MED, b.MED))
}

// ComparePrefixes orders prefixes by address and length.
func ComparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// CheckPrefixes refuses what is no CIDR and drops host bits.
func CheckPrefixes(prefixes []netip.Prefix, four bool) ([]netip.Prefix, error) {
	list := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() || p.Addr().Is4In6() || four && !p.Addr().Is4() {
			return nil, vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", p)
		}
		list[i] = p.Masked()
	}
	return list, nil
}

// CheckAnnouncements does so with what BGP tells.
func CheckAnnouncements(list []Announcement, four bool) ([]Announcement, error) {
	checked := slices.Clone(list)
	for i, a := range list {
		p, err := CheckPrefixes([]netip.Prefix{a.Prefix}, four)
		if err != nil {
			return nil, err
		}
		checked[i].Prefix = p[0]
	}
	return checked, nil
}
