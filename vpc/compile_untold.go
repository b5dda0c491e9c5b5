package vpc

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
)

// doubt has a compiled table end what nobody can tell the way of: all, where no
// description tells the table's rows; else what a prefix list may hold whose entries are
// in no description, since a narrower one of these would win.
func (c *Compiler) doubt(table *route.Table[*hop], t *RouteTable) {
	if t.untold != "" {
		for _, all := range everywhere {
			c.doubtful(table, t.vpc, all, gap{t.vpc.id, t.untold}, func(*hop) bool { return false })
		}
		return
	}
	for _, r := range t.routes {
		if l := r.PrefixList; l != nil && l.untold != "" {
			target := r.Target.ID()
			decided := func(h *hop) bool {
				return h.route.MatchID == target || h.route.MatchID == Local.ID() || h.inside && !insider(r.Target)
			}
			for _, p := range l.mayHold() {
				c.doubtful(table, t.vpc, p, gap{l.id, l.untold}, decided)
			}
		}
	}
}

// doubtBy has a black hole end packets as nobody can tell what its row does with them.
func (h *hop) doubtBy(r *Route) {
	if h.dead == trace.Blackhole && r.doubt.there() {
		h.dead, h.doubt = trace.Unmodelled, r.doubt
	}
}

// insider reports whether a route to a part of the VPC may name the target (VPC guide,
// "Subnet route tables").
func insider(t Target) bool {
	switch x := t.(type) {
	case *NetworkInterface, *UnknownGateway:
		return true
	case Insider:
		return x.RoutesInside()
	}
	return false
}

// doubtful puts a gap in the place of the routes within a prefix, and beside the wider
// ones, but for those that are decided and for a static route to one address, which goes
// before a list's (VPC guide, "Route priority").
func (c *Compiler) doubtful(table *route.Table[*hop], v *VPC, within netip.Prefix, g gap, decided func(*hop) bool) {
	type row struct {
		dst netip.Prefix
		hop *hop
	}
	var rows []row
	exact := false
	for dst, h := range table.All() {
		if dst.Addr().Is4() != within.Addr().Is4() || !within.Overlaps(dst) || dst.Bits() < within.Bits() {
			continue
		}
		exact = exact || dst == within
		if !decided(h) && !(dst.IsSingleIP() && h.static) {
			rows = append(rows, row{dst, &hop{route: h.route, inside: h.inside, dead: trace.Unmodelled, doubt: g}})
		}
	}
	if _, h, ok := table.Lookup(within.Addr()); !exact && !(ok && decided(h)) {
		rows = append(rows, row{within, &hop{route: trace.Entry{Rule: within.String()}, inside: v.covers(within), dead: trace.Unmodelled, doubt: g}})
	}
	for _, r := range rows {
		table.Insert(r.dst, r.hop)
	}
}

// mayHold returns prefixes that hold all that the list may, whose entries nobody knows:
// the internet, for a service with public addresses alone.
func (l *PrefixList) mayHold() []netip.Prefix {
	if l.public {
		return internet
	}
	return everywhere
}

// internet is IPv4 but for what is nobody's on the internet: private networks (RFC 1918,
// RFC 6598), documentation (RFC 5737), and the ranges of RFC 6890 that are not forwarded.
var internet = without(netip.MustParsePrefix("0.0.0.0/0"),
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24", "192.168.0.0/16",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3")

// without returns prefixes that hold what p does but for the others.
func without(p netip.Prefix, others ...string) []netip.Prefix {
	for _, text := range others {
		o := netip.MustParsePrefix(text)
		switch {
		case o.Bits() <= p.Bits() && o.Contains(p.Addr()):
			return nil
		case p.Overlaps(o):
			low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
			b := p.Addr().As4()
			b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
			return append(without(low, others...), without(netip.PrefixFrom(netip.AddrFrom4(b), p.Bits()+1), others...)...)
		}
	}
	return []netip.Prefix{p}
}
