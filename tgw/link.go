package tgw

import (
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// ASN returns the autonomous system number of Amazon's side.
func (g *TransitGateway) ASN() int64 { return g.asn }

// Link attaches a link: package vpn and others call it for their resources. The
// attachment is associated with the gateway's default route table and propagates to it,
// unless the gateway was made otherwise.
func (g *TransitGateway) Link(tx *vpc.Tx, l remote.Link) error {
	if l == nil {
		return nil
	}
	b, err := tx.NewBase("tgw-attach", "", "")
	if err != nil {
		return err
	}
	kind, _ := l.Attaches()
	g.add(tx, &Attachment{Base: b, gateway: g, kind: kind, link: l, six: true, created: tx.Region().Now()})
	return nil
}

// Unlink ends a link's attachment.
func (g *TransitGateway) Unlink(tx *vpc.Tx, l remote.Link) {
	for _, a := range g.attachments {
		if a.link != nil && a.link == l && a.ended.IsZero() {
			a.drop(tx)
			a.ended = tx.Region().Now()
			tx.Remove(a)
		}
	}
}

// Linked returns the attachment of a link, such as a VPN connection, nil where it is
// not attached.
func (g *TransitGateway) Linked(l remote.Link) *Attachment {
	var at *Attachment
	g.Region().View(func(*vpc.Tx) {
		for _, a := range g.attachments {
			if a.link != nil && a.link == l && a.available() {
				at = a
			}
		}
	})
	return at
}

// linked returns the routes by the links that propagate to the table, of attachments that
// are available. Links are told apart by themselves: several may have the id of one
// resource.
func (t *RouteTable) linked(tx *vpc.Tx) []Route {
	var links []remote.Link
	of := map[remote.Link]*Attachment{}
	for _, a := range t.propagated {
		if a.link != nil && a.available() {
			links = append(links, a.link)
			of[a.link] = a
		}
	}
	var list []Route
	for _, r := range remote.Routes(tx, links) {
		row := Route{Destination: r.Prefix, Attachment: of[r.Hops[0].Link], Propagated: true, hops: r.Hops}
		if !t.gateway.spreads(r.Hops[0].Path.Kind) {
			list = append(list, row)
			continue
		}
		for _, h := range r.Hops {
			if a := of[h.Link]; a != row.Attachment && !slices.Contains(row.More, a) {
				row.More = append(row.More, a)
			}
		}
		list = append(list, row)
	}
	return list
}

// spreads reports whether flows are spread over ways alike: those by BGP, of a VPN's unless
// ECMP is off (Transit Gateway guide, "Equal Cost Multipath routing": not for static
// routes).
func (g *TransitGateway) spreads(k remote.Kind) bool {
	return k != remote.VPNStatic && (k != remote.VPNBGP || !g.noECMP)
}

// spread is a compiled route by links.
type spread struct {
	id    string // the attachment's
	ways  []dataplane.Node
	what  string // a way is called, where one is chosen
	hash  uint32 // of the route, where the ways are not for each flow
	flows bool   // ECMP: a hash of each flow chooses
}

// Option names a way, such as a tunnel.
func (s *spread) Option(i int) (id, detail string) { return s.ways[i].Name(), "" }

// choose returns the way of a packet, whose flow's hash is given.
func (s *spread) choose(c *dataplane.Context, flow uint32) dataplane.Node {
	hash := s.hash
	if s.flows {
		hash = flow
	}
	return s.ways[c.Choose(s.id, s.what, hash, len(s.ways), s)]
}

// spread compiles the ways of a route by links: those that its hops name, or those of
// the attachment that are up.
func (r *Route) spread(c *vpc.Compiler, g *TransitGateway) *spread {
	s := &spread{id: r.Attachment.ID(), what: "tunnel", hash: uint32(c.Seed(r.Attachment.ID() + r.Destination.String()))}
	if r.Attachment.kind == ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway {
		s.what = "virtual interface"
	}
	for _, h := range r.hops {
		s.ways = append(s.ways, h.Link.Outbound(c, h.Path.Via))
		s.flows = g.spreads(h.Path.Kind)
	}
	if len(r.hops) > 0 {
		return s
	}
	l := r.Attachment.link
	for _, via := range l.Ways(c.Tx()) {
		s.ways = append(s.ways, l.Outbound(c, via))
	}
	if len(s.ways) == 0 {
		s.ways = append(s.ways, l.Outbound(c, 0))
	}
	s.flows = g.spreads(wayKind(r.Attachment.kind)) && !slices.ContainsFunc(l.Paths(c.Tx()), func(p remote.Path) bool { return p.Kind == remote.VPNStatic })
	return s
}

// wayKind is the kind of the ways by an attachment's BGP.
func wayKind(k ec2.TransitGatewayAttachmentResourceType) remote.Kind {
	switch k {
	case ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway:
		return remote.DirectConnect
	case ec2.TransitGatewayAttachmentResourceTypeConnect:
		return remote.Connect
	}
	return remote.VPNBGP
}
