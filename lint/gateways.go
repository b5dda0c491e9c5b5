package lint

import (
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// gateways is IG03: an internet gateway of no VPC, and routes to those of others.
func (l *linter) gateways() {
	for _, g := range l.igws {
		var of *vpc.VPC
		g.Region().View(func(tx *vpc.Tx) { of = g.AttachedTo(tx) })
		if of == nil {
			l.add(finding{rule: "IG03", object: g, message: label(g) + " is attached to no VPC"})
		}
		for _, t := range l.tables {
			for _, r := range t.Routes() {
				if r.Target == vpc.Target(g) && of != t.VPC() {
					l.add(finding{rule: "IG03", object: t, severity: Error, message: fmt.Sprintf("%s: %s -> %s, which is not attached to %s", label(t), destination(r), label(g), label(t.VPC()))})
				}
			}
		}
	}
	for _, a := range l.addresses {
		n := a.Interface()
		if n == nil || n.Type() != vpc.InterfaceUser {
			continue
		}
		if i := n.Instance(); i != nil && i.State() == vpc.Running {
			continue
		}
		x := l.ask("internet", a.PublicIP().String(), "tcp", 443)
		if end := x.result.End(); end == trace.NotAttached || end == trace.InstanceStopped {
			l.add(finding{rule: "IG02", object: a, proof: x, message: fmt.Sprintf("%s leads to %s: %s", a.PublicIP(), label(n), end)})
		}
	}
}

// edgeTables are what gateway route tables get wrong: subnets that they leave out (IG08),
// ways past the appliance in either direction (IG06, IG07), an appliance without a public
// address (IG10).
func (l *linter) edgeTables() {
	for _, t := range l.tables {
		edge := slices.ContainsFunc(t.Associations(), func(a vpc.RouteTableAssociation) bool { return a.Gateway != nil })
		if !edge {
			continue
		}
		var appliance vpc.Target
		covered := map[*vpc.Subnet]bool{}
		for _, r := range t.Routes() {
			for _, s := range l.subnets {
				if s.VPC() == t.VPC() && r.Destination == s.CIDR() && !isLocal(r) {
					covered[s], appliance = true, r.Target
				}
			}
		}
		for _, s := range l.subnets {
			if s.VPC() != t.VPC() || appliance == nil || s == l.subnetOf(appliance) {
				continue
			}
			l.inspected(t, s, appliance, covered[s])
		}
	}
	for _, s := range l.subnets {
		l.uninspected(s)
	}
}

// subnetOf returns the subnet that a route's target stands in, or nil.
func (l *linter) subnetOf(t vpc.Target) *vpc.Subnet {
	switch x := t.(type) {
	case *vpc.NetworkInterface:
		return x.Subnet()
	case interface {
		Interfaces() []*vpc.NetworkInterface
	}:
		if all := x.Interfaces(); len(all) > 0 {
			return all[0].Subnet()
		}
	}
	return nil
}

// idsOf are the ids that a way has of what passes a route's target.
func idsOf(t vpc.Target) []string {
	ids := []string{t.ID()}
	if x, ok := t.(interface {
		Interfaces() []*vpc.NetworkInterface
	}); ok {
		for _, n := range x.Interfaces() {
			ids = append(ids, n.ID())
		}
	}
	return ids
}

func passes(way []string, t vpc.Target) bool {
	return slices.ContainsFunc(idsOf(t), func(id string) bool { return slices.Contains(way, id) })
}

// inspected looks at a subnet of a VPC with a gateway route table.
func (l *linter) inspected(t *vpc.RouteTable, s *vpc.Subnet, appliance vpc.Target, covered bool) {
	out, ok := routeTo(s.RouteTable(), all4)
	for _, n := range l.hostsIn(s) {
		public := publicOf(n)
		if !public.IsValid() {
			continue
		}
		a := l.ask("internet", public.String(), "tcp", 443)
		switch {
		case !covered && ok && !passes(a.result.Way, appliance) && slices.Contains(a.result.Way, n.ID()):
			l.add(finding{rule: "IG08", object: s, proof: a, message: fmt.Sprintf("%s leads what comes in through %s, and leaves out %s: %s is reached past it",
				label(t), label(appliance), label(s), label(n))})
		case covered && a.result.End() == trace.ApplianceNotPublic:
			l.add(finding{rule: "IG10", object: t, proof: a, message: fmt.Sprintf("%s leads to %s, which has no public address", label(t), label(appliance))})
		case covered && ok && viaInternetGateway(out):
			// The way out is what the rule is about: it is asked for itself, whatever
			// becomes of what comes in.
			back := l.ask(n.ID(), "internet", "tcp", 443)
			if back.result.End() == trace.PastAppliance {
				l.add(finding{rule: "IG07", object: s.RouteTable(), proof: back, fix: fixes["IG07"], message: fmt.Sprintf("what comes in for %s passes %s, and %s leads out past it",
					label(s), label(appliance), label(s.RouteTable()))})
			}
		}
	}
}

// uninspected is IG06: a subnet's way out leads to an appliance, and what comes in for
// its public addresses does not pass it.
func (l *linter) uninspected(s *vpc.Subnet) {
	r, ok := routeTo(s.RouteTable(), all4)
	if !ok || !edgeTarget(r.Target) {
		return
	}
	for _, n := range l.hostsIn(s) {
		public := publicOf(n)
		if !public.IsValid() || n == r.Target {
			continue
		}
		a := l.ask("internet", public.String(), "tcp", 443)
		if !passes(a.result.Way, r.Target) && slices.Contains(a.result.Way, n.ID()) {
			l.add(finding{rule: "IG06", object: s, proof: a, message: fmt.Sprintf("%s leads out through %s; what comes in for %s (%s) goes past it",
				label(s.RouteTable()), label(r.Target), label(n), public)})
		}
	}
}

// interfaces is EN07: an instance that forwards by its first interface and not by the
// others.
func (l *linter) interfaces() {
	for _, i := range l.instances {
		all := i.Interfaces()
		for _, n := range all {
			if !all[0].SourceDestCheck() && n.SourceDestCheck() {
				l.add(finding{rule: "EN07", object: n, message: fmt.Sprintf("source/dest check of %s is off at %s and on at %s", label(i), all[0].ID(), n.ID())})
			}
		}
	}
}

// natGateways are what NAT gateways' subnets get wrong (NG01, NG02, NG12) and what they do
// not carry (NG08).
func (l *linter) natGateways() {
	for _, g := range l.nats {
		if state, _, _ := g.State(); state != "available" {
			continue
		}
		r, ok := routeTo(g.Subnet().RouteTable(), all4)
		if own, is := isNAT(r); ok && is && own == g {
			l.natOfItself(g)
		}
		l.fragmentsThroughNAT(g)
		if g.PublicIP().IsValid() && (!ok || !viaInternetGateway(r)) && !toItself(r, g) {
			f := finding{rule: "NG01", object: g, unproven: "nothing in the network sends through it",
				message: fmt.Sprintf("%s is public, and its subnet %s has no route to an internet gateway", label(g), label(g.Subnet()))}
			for _, n := range l.throughDefault(g) {
				if a := l.ask(n.ID(), "internet", "tcp", 443); a.dead() && slices.Contains(a.result.Way, g.ID()) {
					f.proof, f.unproven = a, ""
					break
				}
			}
			l.add(f)
		}
	}
	for _, s := range l.usedFirst() {
		r, ok := routeTo(s.RouteTable(), all4)
		g, is := isNAT(r)
		if !ok || !is {
			continue
		}
		if g.Subnet().Zone() != s.Zone() {
			l.add(finding{rule: "NG12", object: s.RouteTable(), message: fmt.Sprintf("%s is in %s and uses %s in %s: an outage there takes it along, and traffic between zones is paid for",
				label(s), s.Zone(), label(g), g.Subnet().Zone())})
		}
		l.otherProtocols(s, g)
	}
}

func toItself(r vpc.Route, g vpc.Resource) bool { return r.Target != nil && r.Target.ID() == g.ID() }

// throughDefault are the hosts whose default route leads to a gateway.
func (l *linter) throughDefault(g vpc.Resource) []*vpc.NetworkInterface {
	return keep(l.hosts, func(n *vpc.NetworkInterface) bool {
		r, ok := routeTo(n.Subnet().RouteTable(), all4)
		return ok && r.Target.ID() == g.ID()
	})
}

func (l *linter) natOfItself(g interface {
	vpc.Target
	Subnet() *vpc.Subnet
}) {
	f := finding{rule: "NG02", object: g, fix: "give it a subnet of its own, whose table leads to the internet gateway", unproven: "nothing in the network sends through it",
		message: fmt.Sprintf("%s stands in %s, whose table leads 0.0.0.0/0 back to it", label(g), label(g.Subnet()))}
	for _, n := range l.throughDefault(g) {
		if a := l.ask(n.ID(), "internet", "tcp", 443); a.dead() {
			f.proof, f.unproven = a, ""
			break
		}
	}
	l.add(f)
}

// otherProtocols is NG08, of groups that allow a protocol by its number.
func (l *linter) otherProtocols(s *vpc.Subnet, g vpc.Resource) {
	for _, n := range l.hostsIn(s) {
		for _, group := range n.Groups() {
			for _, p := range group.Egress() {
				if p.Protocol <= 0 || slices.Contains([]int{1, 6, 17, 58}, p.Protocol) || p.CIDR != all4 {
					continue
				}
				if a := l.ask(n.ID(), "internet", fmt.Sprint(p.Protocol), 0); a.result.End() == trace.ProtocolNotSupported {
					l.add(finding{rule: "NG08", object: n, proof: a, message: fmt.Sprintf("%s lets protocol %d out to the world, and its way is %s", label(group), p.Protocol, label(g))})
				}
			}
		}
	}
}
