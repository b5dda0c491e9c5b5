package tgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/vpc"
)

// Untold reports whether no description tells of an attachment of the VPC.
func (g *TransitGateway) Untold(_ *vpc.Tx, v *vpc.VPC) bool {
	return !slices.ContainsFunc(g.attachments, func(a *Attachment) bool { return a.vpc == v })
}

// open says why the table may hold routes that are not known, "" where it can't: nobody
// tells what propagates to it, or something does of which nobody has told what lies
// there.
func (t *RouteTable) open(tx *vpc.Tx) string {
	if t.untold != "" {
		return t.untold
	}
	for _, a := range t.propagated {
		if l, ok := a.link.(remote.Untold); ok && l.Untold(tx) && a.available() {
			return "what " + a.ID() + " propagates to it is in no description"
		}
	}
	return ""
}

// doubt has compiled routes end packets that a route may take which nobody tells of: any,
// where the static ones are not told; else one that an attachment may propagate and that
// is narrower. Of equal destinations the static one goes before (Transit Gateway guide,
// "Route evaluation order").
func (t *RouteTable) doubt(tx *vpc.Tx, routes *route.Table[*hop]) {
	if t.unlisted != "" {
		for _, h := range routes.All() {
			h.doubt = t.unlisted
		}
		for _, all := range []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)} {
			if _, there := routes.Get(all); !there {
				routes.Insert(all, &hop{doubt: t.unlisted})
			}
		}
		return
	}
	if t.untold == "" {
		return
	}
	for _, a := range t.gateway.attachments {
		if a.peer != nil || !a.available() || slices.Contains(t.propagated, a) {
			continue
		}
		for _, dst := range a.mayPropagate(tx) {
			_, there := routes.Get(dst)
			h, ok := routes.Covering(dst)
			if !there && !(ok && h.target == a.ID()) {
				routes.Insert(dst, &hop{doubt: "whether " + a.ID() + " propagates to it: " + t.untold})
			}
		}
	}
}

// mayPropagate returns what the attachment would propagate, as far as it is known.
func (a *Attachment) mayPropagate(tx *vpc.Tx) []netip.Prefix {
	if a.vpc != nil {
		return slices.DeleteFunc(slices.Clone(tx.CIDRs(a.vpc)), func(p netip.Prefix) bool { return !a.six && p.Addr().Is6() })
	}
	var list []netip.Prefix
	for _, p := range a.link.Paths(tx) {
		list = append(list, p.Prefix)
	}
	return list
}
