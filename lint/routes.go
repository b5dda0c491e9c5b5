package lint

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// within returns an address in a prefix that is no VPC's own of the table, to send to.
func within(p netip.Prefix) string {
	if p.Bits() == 0 {
		return "internet"
	}
	a := p.Addr()
	if !p.IsSingleIP() {
		a = a.Next()
	}
	return a.String()
}

// deadRoutes are black holes (RT03), with a packet of a subnet that has the table.
func (l *linter) deadRoutes() {
	for _, t := range l.tables {
		for _, r := range t.Routes() {
			if r.State != vpc.Blackhole {
				continue
			}
			f := finding{rule: "RT03", object: t, unproven: "no running instance's subnet uses the table"}
			for _, n := range l.usersOf(t) {
				dst := ""
				if r.PrefixList == nil {
					dst = within(r.Destination)
				}
				if a := l.ask(n.ID(), dst, "tcp", 443); dst != "" && a.result.End() == trace.Blackhole {
					f.proof, f.unproven = a, ""
					break
				}
			}
			f.message = fmt.Sprintf("%s: %s -> %s is a black hole", label(t), destination(r), label(r.Target))
			l.add(f)
		}
	}
}

func destination(r vpc.Route) string {
	if r.PrefixList != nil {
		return label(r.PrefixList)
	}
	return r.Destination.String()
}

// usersOf returns the hosts in subnets that use a table.
func (l *linter) usersOf(t *vpc.RouteTable) []*vpc.NetworkInterface {
	var all []*vpc.NetworkInterface
	for _, s := range l.subnetsOf(t) {
		all = append(all, l.hostsIn(s)...)
	}
	return all
}

// mainTable is RT04: a subnet without a table of its own, of a VPC whose main table leads
// somewhere; to anywhere but the internet it may be meant.
func (l *linter) mainTable() {
	for _, s := range l.subnets {
		if l.ownTable(s) {
			continue
		}
		for _, r := range s.RouteTable().Routes() {
			if isLocal(r) {
				continue
			}
			f := finding{rule: "RT04", object: s, message: fmt.Sprintf("%s has no route table of its own; the main table %s leads %s to %s",
				label(s), label(s.RouteTable()), destination(r), label(r.Target))}
			if f.severity = Note; viaInternetGateway(r) {
				f.severity = Warning
				f.message += ", so the subnet is public"
			}
			l.add(f)
			break
		}
	}
}

// shadowedRoutes is RT06: a static route beside a propagated one of the same prefix.
func (l *linter) shadowedRoutes() {
	for _, t := range l.tables {
		routes := t.Routes()
		for _, r := range routes {
			for _, p := range routes {
				if r.PrefixList == nil && p.PrefixList == nil && r.Destination == p.Destination &&
					r.Origin == vpc.CreateRoute && p.Origin == vpc.EnableVGWRoutePropagation {
					l.add(finding{rule: "RT06", object: t, message: fmt.Sprintf("%s: the static %s -> %s hides the one propagated from %s",
						label(t), r.Destination, label(r.Target), label(p.Target))})
				}
			}
		}
	}
}

// narrowRoutes is RT07, in subnet tables, and IG09, in gateway route tables: routes that
// AWS refuses today, and that old or edited descriptions hold.
func (l *linter) narrowRoutes() {
	for _, t := range l.tables {
		edge := slices.ContainsFunc(t.Associations(), func(a vpc.RouteTableAssociation) bool { return a.Gateway != nil })
		for _, r := range t.Routes() {
			if r.PrefixList != nil || isLocal(r) || r.Origin != vpc.CreateRoute {
				continue
			}
			inside := holds(t.VPC(), r.Destination.Addr()) && slices.ContainsFunc(t.VPC().CIDRs(), func(c netip.Prefix) bool { return c.Bits() < r.Destination.Bits() })
			exact := slices.ContainsFunc(l.subnets, func(s *vpc.Subnet) bool {
				return s.VPC() == t.VPC() && (s.CIDR() == r.Destination || s.IPv6() == r.Destination)
			})
			text := fmt.Sprintf("%s: %s -> %s", label(t), r.Destination, label(r.Target))
			switch {
			case edge && (!inside || !exact):
				l.add(finding{rule: "IG09", object: t, message: text + " is the CIDR of no subnet of the VPC, and no destination for a gateway route table"})
			case edge && !edgeTarget(r.Target):
				l.add(finding{rule: "IG09", object: t, message: text + ": a gateway route table leads to interfaces and GWLB endpoints only"})
			case inside && !exact:
				l.add(finding{rule: "RT07", object: t, message: text + " is the CIDR of no subnet"})
			case inside && !insideTarget(r.Target):
				l.add(finding{rule: "RT07", object: t, message: text + ": not a target for a destination inside the VPC"})
			}
		}
	}
}

func edgeTarget(t vpc.Target) bool {
	id := t.ID()
	return strings.HasPrefix(id, "eni-") || strings.HasPrefix(id, "vpce-") || strings.HasPrefix(id, "i-")
}

func insideTarget(t vpc.Target) bool { return edgeTarget(t) || strings.HasPrefix(t.ID(), "nat-") }

// applianceRoutes are what routes to interfaces get wrong: source/dest check on (EN01),
// one direction only (RT08), the appliance's own subnet (RT09).
func (l *linter) applianceRoutes() {
	for _, t := range l.tables {
		for _, r := range t.Routes() {
			n, ok := r.Target.(*vpc.NetworkInterface)
			if !ok || n.Type() != vpc.InterfaceUser || r.PrefixList != nil {
				continue
			}
			l.checked(t, r, n)
			if slices.Contains(l.subnetsOf(t), n.Subnet()) && sendsBack(n) {
				l.loops(t, r, n)
			}
			l.oneWay(t, r, n)
		}
	}
}

// sendsBack reports whether an appliance sends on by the interface what comes to it: not
// by the first of several, where its default route leads, nor into a tunnel.
func sendsBack(n *vpc.NetworkInterface) bool {
	i := n.Instance()
	return !n.EndsTunnel() && (i == nil || i.Interface() == n)
}

func (l *linter) checked(t *vpc.RouteTable, r vpc.Route, n *vpc.NetworkInterface) {
	if !n.SourceDestCheck() {
		return
	}
	f := finding{rule: "EN01", object: n, unproven: "nothing in the network sends by the route",
		message: fmt.Sprintf("%s routes %s to %s, where source/dest check is on", label(t), r.Destination, label(n))}
	for _, h := range l.usersOf(t) {
		if a := l.ask(h.ID(), within(r.Destination), "tcp", 443); h != n && a.result.End() == trace.DestinationCheck {
			f.proof, f.unproven = a, ""
			break
		}
	}
	l.add(f)
}

// loops proves RT09 with a guest that forwards.
func (l *linter) loops(t *vpc.RouteTable, r vpc.Route, n *vpc.NetworkInterface) {
	f := finding{rule: "RT09", object: t, unproven: "no other host's packet reaches the appliance",
		message: fmt.Sprintf("%s is the table of %s, where %s stands, and leads %s back to it", label(t), label(n.Subnet()), label(n), r.Destination)}
	if a := l.forwarding(n, func(p *reach.Prober) *answer {
		for _, h := range l.usersOf(t) {
			s := reach.Spec{From: h.ID(), To: within(r.Destination), Proto: "udp", Port: 33434}
			if h == n {
				continue
			}
			if a := (&answer{s, p.Ask(s)}); a.result.End() == trace.TooManyHops || a.result.End() == trace.TTLExpired {
				return a
			}
		}
		return nil
	}); a != nil {
		f.proof, f.unproven = a, ""
	}
	l.add(f)
}

// forwarding asks with guests that send on what is for others, which the snapshot can't
// tell.
func (l *linter) forwarding(n *vpc.NetworkInterface, ask func(*reach.Prober) *answer) *answer {
	p := l.sending(n.ID())
	if p == nil {
		return nil
	}
	return ask(p)
}

// sending returns a prober of the network in which guests, by the ids of their interfaces,
// send on what is for others, unless the configuration tells otherwise; nil where that fails.
func (l *linter) sending(ids ...string) *reach.Prober {
	c := l.config.Reach
	c.Appliances = map[string]reach.Appliance{}
	for _, id := range ids {
		c.Appliances[id] = reach.Appliance{}
	}
	maps.Copy(c.Appliances, l.config.Reach.Appliances)
	p, err := reach.New(l.world, c)
	if err != nil {
		l.failed = err
		return nil
	}
	return p
}

// oneWay is RT08: subnet A reaches subnet B through an appliance, and B's table leads
// straight back.
func (l *linter) oneWay(t *vpc.RouteTable, r vpc.Route, n *vpc.NetworkInterface) {
	for _, b := range l.subnets {
		if b.VPC() != t.VPC() || b.CIDR() != r.Destination {
			continue
		}
		for _, a := range l.subnetsOf(t) {
			back, ok := routeTo(b.RouteTable(), a.CIDR())
			if a == b || a == n.Subnet() || ok && back.Target.ID() == n.ID() {
				continue
			}
			f := finding{rule: "RT08", object: b.RouteTable(), unproven: "no two hosts in the subnets exchange packets",
				message: fmt.Sprintf("%s reaches %s through %s; %s leads back without it", label(a), label(b), label(n), label(b.RouteTable()))}
			if x := l.forwarding(n, func(p *reach.Prober) *answer { return passesOnce(p, l.hostsIn(a), l.hostsIn(b), n.ID()) }); x != nil {
				f.proof, f.unproven = x, ""
			}
			l.add(f)
		}
	}
}

// passesOnce asks for a flow whose request passes an interface and whose reply does not.
func passesOnce(p *reach.Prober, from, to []*vpc.NetworkInterface, id string) *answer {
	for _, x := range from {
		for _, y := range to {
			for _, s := range []reach.Spec{{From: x.ID(), To: y.ID(), Proto: "icmp"}, {From: x.ID(), To: y.ID(), Proto: "tcp", Port: 443}} {
				r := p.Ask(s)
				if slices.Contains(r.Way, id) && len(r.WayBack) > 0 && !slices.Contains(r.WayBack, id) {
					return &answer{s, r}
				}
			}
		}
	}
	return nil
}

var (
	linkLocal = netip.MustParsePrefix("169.254.0.0/16")
	docker    = netip.MustParsePrefix("172.17.0.0/16") // Docker's bridge on each host
)

// linkLocalRoutes is RT10.
func (l *linter) linkLocalRoutes() {
	for _, t := range l.tables {
		for _, r := range t.Routes() {
			if r.PrefixList == nil && r.Destination.Bits() > 0 && r.Destination.Overlaps(linkLocal) {
				l.add(finding{rule: "RT10", object: t, message: fmt.Sprintf("%s: %s covers link-local addresses, which are never routed", label(t), r.Destination)})
			}
		}
	}
	for _, v := range l.vpcs {
		for _, c := range v.CIDRs() {
			if c.Overlaps(docker) {
				l.add(finding{rule: "RT10", object: v, severity: Note, message: fmt.Sprintf(
					"%s has %s: hosts that run Docker keep 172.17.0.0/16 for themselves and answer into it", label(v), c)})
			}
		}
	}
}

// zoneSuffix is what names of one tier's subnets differ by.
var zoneSuffix = regexp.MustCompile(`(?i)[-_ ]?(az)?[-_ ]?([a-z]{2}(-[a-z]+)+-\d)?([a-f]|\d)$|[-_ ]az\d`)

func tier(s *vpc.Subnet) string {
	name := zoneSuffix.ReplaceAllString(label(s), "")
	if name == "" || strings.HasPrefix(label(s), "subnet-") || strings.ContainsAny(name, "/.") {
		return ""
	}
	return s.VPC().ID() + " " + name
}

// drift is RT11: two subnets of one tier, of which one has a route that the other lacks.
func (l *linter) drift() {
	for _, a := range l.subnets {
		for _, b := range l.subnets {
			if a.Zone() == b.Zone() || tier(a) == "" || tier(a) != tier(b) || a.RouteTable() == b.RouteTable() {
				continue
			}
			for _, r := range a.RouteTable().Routes() {
				if r.PrefixList != nil || isLocal(r) {
					continue
				}
				if _, ok := routeTo(b.RouteTable(), r.Destination); ok {
					continue
				}
				f := finding{rule: "RT11", object: b.RouteTable(), unproven: "no host in the subnet sends there",
					fix:     fmt.Sprintf("give %s the route of %s: %s -> %s, or that of its own zone", label(b.RouteTable()), label(a.RouteTable()), r.Destination, label(r.Target)),
					message: fmt.Sprintf("%s has a route to %s, %s of the same tier has none", label(a), r.Destination, label(b))}
				for _, n := range l.hostsIn(b) {
					if x := l.ask(n.ID(), within(r.Destination), "tcp", 443); x.result.End() == trace.NoRoute {
						f.proof, f.unproven = x, ""
						break
					}
				}
				l.add(f)
			}
		}
	}
}

// isNAT reports whether a route leads to a NAT gateway, and which.
func isNAT(r vpc.Route) (*natgw.NATGateway, bool) {
	g, ok := r.Target.(*natgw.NATGateway)
	return g, ok
}
