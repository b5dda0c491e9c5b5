package lint

import (
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// balancedFlows sends to each listener from the hosts of the load balancer's VPC: what
// hairpins (LB01), and what dies at a target that allows the load balancer alone (LB03).
func (l *linter) balancedFlows() {
	for _, r := range l.regions {
		var all []*balancer.LoadBalancer
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[*balancer.LoadBalancer](tx) })
		for _, b := range all {
			for _, x := range b.Listeners() {
				protocol, port := x.Takes()
				if protocol != "TCP" && protocol != "TLS" && protocol != "TCP_UDP" {
					continue
				}
				for _, n := range b.Interfaces() {
					for _, h := range keep(l.hosts, func(h *vpc.NetworkInterface) bool { return h.Subnet().VPC() == b.VPC() }) {
						l.balanced(b, n, l.passed(l.ask(h.ID(), n.ID(), "tcp", int(port))), h)
					}
				}
			}
		}
	}
}

// balanced looks at one flow, at each of its outcomes where the load balancer chooses.
func (l *linter) balanced(b *balancer.LoadBalancer, n *vpc.NetworkInterface, a *answer, from *vpc.NetworkInterface) {
	results := []reach.Result{a.result}
	for _, o := range a.result.Outcomes {
		results = append(results, o.Result)
	}
	for _, r := range results {
		one := &answer{a.spec, r}
		if slices.Contains(r.Way, n.ID()) {
			l.halfInspected(b, one, label(from))
		}
		switch r.End() {
		case trace.FirewallMidstream, trace.NoSession:
			l.acrossZones(one, fmt.Sprintf("%s -> %s tcp/%d", label(from), label(b), a.spec.Port))
		case trace.Hairpin:
			l.callsItself(b, n, one, from)
		case trace.GroupIngress:
			target, ok := l.resource(r.Where).(*vpc.NetworkInterface)
			if ok && target != n && allowsNode(target, n) {
				l.add(finding{rule: "LB03", object: target.Groups()[0], proof: one, message: fmt.Sprintf(
					"%s lets %s of %s in; %s keeps its own address through it, and %s", label(target.Groups()[0]), n.PrivateIP(), label(b), label(from), died(one))})
			}
		}
	}
}

// callsItself is LB01; a note where no rule but one for the world says that the target calls
// the load balancer, as most do not.
func (l *linter) callsItself(b *balancer.LoadBalancer, n *vpc.NetworkInterface, a *answer, from *vpc.NetworkInterface) {
	f := finding{rule: "LB01", object: b, proof: a, fix: "turn preserve_client_ip.enabled of its target group off",
		message: fmt.Sprintf("%s is a target of %s and gets no answer from it where it is chosen itself", label(from), label(b))}
	meant := func(rules []vpc.Permission, peer *vpc.NetworkInterface) bool {
		return slices.ContainsFunc(rules, func(p vpc.Permission) bool {
			return (p.Protocol == -1 || p.Protocol == 6 && p.FromPort <= a.spec.Port && a.spec.Port <= p.ToPort) && names(p, peer)
		})
	}
	if !slices.ContainsFunc(from.Groups(), func(g *vpc.SecurityGroup) bool { return meant(g.Egress(), n) }) &&
		!slices.ContainsFunc(n.Groups(), func(g *vpc.SecurityGroup) bool { return meant(g.Ingress(), from) }) {
		f.severity = Note
		f.message += "; no rule says that it calls it"
	}
	l.add(f)
}

// names reports whether a rule is for an interface, by its group or by a CIDR narrower than
// the world.
func names(p vpc.Permission, n *vpc.NetworkInterface) bool {
	return p.Group != nil && slices.Contains(n.Groups(), p.Group) || p.CIDR.IsValid() && p.CIDR.Bits() > 0 && p.CIDR.Contains(n.PrivateIP())
}

// allowsNode reports whether an interface's groups name a load balancer's node, by its
// address alone or its subnet, or by its group.
func allowsNode(target, node *vpc.NetworkInterface) bool {
	for _, g := range target.Groups() {
		for _, p := range g.Ingress() {
			if names(p, node) {
				return true
			}
		}
	}
	return false
}
