package directconnect

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Association is what associates a gateway with a Direct Connect gateway. That of a
// private virtual interface which ends at a virtual private gateway without a Direct
// Connect gateway is one too ([VirtualInterface.Association]).
type Association struct {
	vpc.Base
	direct  *Gateway
	gateway remote.Gateway
	vpc     *vpc.VPC // of the gateway when it was associated, or nil
	allowed []netip.Prefix
	state   string
	owner   string // of the Direct Connect gateway, "" where it is the region's account
	told    bool   // made of a description, in which routes alone tell what is beyond
	learned []netip.Prefix
	site    dataplane.Node
}

// end is a gateway of a region.
type end interface {
	remote.Gateway
	Region() *vpc.Region
}

// Associate associates a virtual private gateway or a transit gateway
// (CreateDirectConnectGatewayAssociation). Of a virtual private gateway the site is told
// of the VPC's CIDRs that lie in the allowed prefixes, which are the CIDRs that the VPC has
// where none are given; of a transit gateway, of the allowed prefixes, which are needed.
// See rules.go for what is refused.
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
		a = &Association{Base: b, direct: g, gateway: with, vpc: vpcOf(tx, with), allowed: prefixes, state: shape.Associated}
		if len(prefixes) == 0 && a.vpc != nil {
			a.allowed = a.vpc.CIDRs()
		}
		if err := with.Link(tx, a); err != nil {
			return err
		}
		a.join(tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// join makes the association known to its region and to the Direct Connect gateway.
func (a *Association) join(tx *vpc.Tx) {
	tx.Add(a)
	a.direct.know(tx)
	a.direct.site.Update(func(s *site) bool {
		s.associations = append(slices.Clone(s.associations), a)
		return true
	})
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

// Gateway returns the Direct Connect gateway.
func (a *Association) Gateway() *Gateway { return a.direct }

// EndsAt returns the virtual private gateway or the transit gateway.
func (a *Association) EndsAt() remote.Gateway { return a.gateway }

// carries reports whether packets go by the association: one that is being updated does
// (Direct Connect guide, "Allowed prefixes interactions").
func (a *Association) carries() bool { return a.state == shape.Associated || a.state == shape.Updating }

// Paths returns what the site announces by the virtual interfaces that are up. Those of
// another region than the gateway's come after those of its own (Direct Connect guide,
// "Private virtual interface routing example").
func (a *Association) Paths(*vpc.Tx) []remote.Path {
	s := a.direct.site.Get()
	var list []remote.Path
	for _, via := range a.ways(&s) {
		own, far := []remote.Announcement(nil), false
		if len(s.lines) > 0 {
			l := &s.lines[via]
			own, far = l.announced, l.vif.Region().Name() != a.Region().Name()
		}
		for _, n := range a.known(&s, own) {
			six := n.Prefix.Addr().Is6()
			if len(s.lines) > 0 && !s.lines[via].up(six) {
				continue
			}
			list = append(list, remote.Path{Announcement: n, Kind: remote.DirectConnect, Via: via, Far: far})
		}
	}
	return list
}

// known is what the site announces by a virtual interface: by it, by all of them, and
// what routes tell of it; the first of a prefix.
func (a *Association) known(s *site, own []remote.Announcement) []remote.Announcement {
	list := slices.Clone(own)
	add := func(n remote.Announcement) {
		if !slices.ContainsFunc(list, func(o remote.Announcement) bool { return o.Prefix == n.Prefix }) {
			list = append(list, n)
		}
	}
	for _, n := range s.announced {
		add(n)
	}
	for _, p := range a.learned {
		add(remote.Announcement{Prefix: p})
	}
	return list
}

// Ways returns the virtual interfaces that are up, by their number.
func (a *Association) Ways(*vpc.Tx) []int {
	s := a.direct.site.Get()
	return a.ways(&s)
}

func (a *Association) ways(s *site) []int {
	switch {
	case !a.carries():
		return nil
	case len(s.lines) == 0 && !s.down:
		return []int{0}
	}
	var list []int
	for i := range s.lines {
		l := &s.lines[i]
		if l.vif.transit() == transit(a.gateway) && (l.up(false) || l.up(true)) {
			list = append(list, i)
		}
	}
	return list
}

// Attaches says that it is a Direct Connect gateway that is attached.
func (a *Association) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) {
	return ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway, a.direct.id
}

// Owner returns the account of the Direct Connect gateway.
func (a *Association) Owner() string { return cmp.Or(a.owner, a.OwnerID()) }

// Learns reports whether the association may be what propagated routes tell of.
func (a *Association) Learns(tx *vpc.Tx) bool { return len(a.Ways(tx)) > 0 }

// Learn adds a prefix that the site announces by every virtual interface: what a
// propagated route tells of a restored association.
func (a *Association) Learn(_ *vpc.Tx, dst netip.Prefix) {
	if dst.IsValid() && !slices.Contains(a.learned, dst) {
		a.learned = append(slices.Clone(a.learned), dst)
	}
}

// Untold reports whether the site may announce more than is known: of a restored
// association that is up nothing tells but routes, and none does.
func (a *Association) Untold(tx *vpc.Tx) bool {
	return a.told && len(a.Paths(tx)) == 0 && len(a.Ways(tx)) > 0
}

// Isolated reports whether packets of other links of the gateway stay out, and its own do
// not go on by them: through a Direct Connect gateway there is no way between a virtual
// interface and a VPN connection (Direct Connect guide, "Direct Connect gateways").
func (a *Association) Isolated() bool { return !a.direct.own }
