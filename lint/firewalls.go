package lint

import (
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// inspector returns the endpoint of a Gateway Load Balancer or of a firewall that has an
// id, or the interface with that id; nil for all else.
func (l *linter) inspector(id string) *endpoint.Endpoint {
	for _, e := range l.endpoints {
		if e.Kind() != endpoint.GatewayLoadBalancer || len(e.Interfaces()) == 0 {
			continue
		}
		if e.ID() == id || slices.ContainsFunc(e.Interfaces(), func(n *vpc.NetworkInterface) bool { return n.ID() == id }) {
			return e
		}
	}
	return nil
}

// inspectors are the endpoints on a way, in order.
func (l *linter) inspectors(way []string) []*endpoint.Endpoint {
	var all []*endpoint.Endpoint
	for _, id := range way {
		if e := l.inspector(id); e != nil && !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}

// zoneOf is an endpoint's zone.
func zoneOf(e *endpoint.Endpoint) string { return e.Interfaces()[0].Subnet().Zone() }

// sendOn returns a prober of the network whose appliances behind Gateway Load Balancers
// send back what they are handed, which the network can't tell and their protocol demands;
// nil where there are none.
func (l *linter) sendOn() *reach.Prober {
	if l.fleeted {
		return l.fleet
	}
	l.fleeted = true
	if ids := l.appliances(); len(ids) > 0 {
		l.fleet = l.sending(ids...)
	}
	return l.fleet
}

// appliances are the interfaces of the targets of Gateway Load Balancers.
func (l *linter) appliances() []string {
	var ids []string
	for _, r := range l.regions {
		var groups []*balancer.TargetGroup
		r.View(func(tx *vpc.Tx) { groups = vpc.Resources[*balancer.TargetGroup](tx) })
		for _, g := range groups {
			if g.Protocol() != "GENEVE" {
				continue
			}
			for _, t := range g.Targets() {
				for _, n := range l.hosts {
					if n.Instance().ID() == t.Target.ID || n.PrivateIP().String() == t.Target.ID && n.Subnet().VPC() == g.VPC() {
						ids = append(ids, n.ID())
					}
				}
			}
		}
	}
	return ids
}

// firewallZones is GL01.
func (l *linter) firewallZones() {
	for _, s := range l.subnets {
		for _, r := range s.RouteTable().Routes() {
			if e := l.inspector(r.Target.ID()); e != nil && zoneOf(e) != s.Zone() {
				l.add(finding{rule: "GL01", object: s.RouteTable(), message: fmt.Sprintf("%s in %s routes %s to %s in %s", label(s), s.Zone(), destination(r), label(e), zoneOf(e))})
			}
		}
	}
}

// firewallWays sends, from hosts whose subnets route to an endpoint, by that route: what
// the endpoint's subnet does not lead on (GL02), and what it leads back into the endpoint
// (GL03).
func (l *linter) firewallWays() {
	for _, h := range l.hosts {
		for _, r := range h.Subnet().RouteTable().Routes() {
			e := l.inspector(r.Target.ID())
			if e == nil || r.PrefixList != nil {
				continue
			}
			to := within(r.Destination)
			if i := slices.IndexFunc(l.hosts, func(n *vpc.NetworkInterface) bool {
				return r.Destination.Bits() > 0 && r.Destination.Contains(n.PrivateIP())
			}); i >= 0 {
				to = l.hosts[i].ID()
			}
			l.firewallWay(l.passed(l.ask(h.ID(), to, "tcp", 443)), h, r, e)
		}
	}
}

func (l *linter) firewallWay(a *answer, h *vpc.NetworkInterface, r vpc.Route, e *endpoint.Endpoint) {
	switch a.result.End() {
	case trace.TooManyHops, trace.TTLExpired:
		if at := e.Interfaces()[0].Subnet(); at == h.Subnet() {
			l.add(finding{rule: "GL03", object: h, proof: a, fix: "give the endpoint a subnet of its own, whose table leads on", message: fmt.Sprintf("%s stands in %s, the subnet of %s, whose table %s leads %s to that endpoint: packets go round",
				label(h), label(at), label(e), label(at.RouteTable()), destination(r))})
		}
	case trace.NoRoute:
		l.noRouteBehind(a, fmt.Sprintf("%s leads %s to %s", label(h.Subnet().RouteTable()), destination(r), label(e)))
	}
}

// noRouteBehind is GL02, of a packet that died for want of a route in the subnet of an
// endpoint; it reports whether it was one.
func (l *linter) noRouteBehind(a *answer, why string) bool {
	for _, e := range l.inspectors(slices.Concat(a.result.Way, a.result.WayBack)) {
		if at := e.Interfaces()[0].Subnet(); at.ID() == a.result.Where {
			l.add(finding{rule: "GL02", object: at.RouteTable(), proof: a, message: fmt.Sprintf("%s; the firewall's subnet %s does not lead on: %s", why, label(at), died(a))})
			return true
		}
	}
	return false
}

// passed asks once more where it hung on an appliance behind a Gateway Load Balancer.
func (l *linter) passed(a *answer) *answer {
	n, ok := l.resource(a.result.Where).(*vpc.NetworkInterface)
	if a.result.RoundTrip != nil || !ok || !slices.Contains(l.appliances(), n.ID()) {
		return a
	}
	if p := l.sendOn(); p != nil {
		return &answer{a.spec, p.Ask(a.spec)}
	}
	return a
}

// acrossZones is GL04 where the request passed one endpoint and the reply another, which
// does not know the flow.
func (l *linter) acrossZones(a *answer, why string) {
	there, back := l.inspectors(a.result.Way), l.inspectors(a.result.WayBack)
	if len(there) == 0 || len(back) == 0 || there[len(there)-1] == back[0] || slices.Contains(there, back[0]) {
		return
	}
	x, y := there[len(there)-1], back[0]
	l.add(finding{rule: "GL04", object: y, proof: a, message: fmt.Sprintf("%s; the request passes %s in %s, the reply %s in %s, which has not seen the flow begin: %s",
		why, label(x), zoneOf(x), label(y), zoneOf(y), died(a))})
}

// halfInspected is LB02: requests pass an endpoint on the way to a target, replies do not.
func (l *linter) halfInspected(b *balancer.LoadBalancer, a *answer, from string) {
	there, back := l.inspectors(a.result.Way), l.inspectors(a.result.WayBack)
	if len(there) == 0 || len(back) > 0 || !a.result.Reachable() || a.result.SeenAs != "" {
		return
	}
	l.add(finding{rule: "LB02", object: b, proof: a, message: fmt.Sprintf("%s -> %s passes %s on its way to the target, and the reply returns by the load balancer past it, since the client's address is preserved",
		from, label(b), label(there[0]))})
}
