package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// serviceEndpoints are what endpoints get wrong: groups (EP01, EP03), ACLs (AC04), tables
// (EP02), and that there is none (CO01).
func (l *linter) serviceEndpoints() {
	for _, e := range l.endpoints {
		switch e.Kind() {
		case endpoint.Interface:
			l.interfaceEndpoint(e)
		case endpoint.Gateway:
			l.gatewayEndpoint(e)
		}
	}
	for _, v := range l.vpcs {
		has := slices.ContainsFunc(l.endpoints, func(e *endpoint.Endpoint) bool { return e.VPC() == v && strings.HasSuffix(e.Service(), ".s3") })
		for _, s := range l.usedFirst() {
			if r, ok := routeTo(s.RouteTable(), all4); ok && !has && s.VPC() == v {
				if g, is := isNAT(r); is {
					l.add(finding{rule: "CO01", object: v, fix: "aws ec2 create-vpc-endpoint --vpc-id " + v.ID() + " --service-name com.amazonaws." + v.Region().Name() + ".s3 --route-table-ids " + s.RouteTable().ID(), message: fmt.Sprintf("%s has no gateway endpoint for S3, and %s sends through %s", label(v), label(s), label(g))})
				}
			}
		}
	}
}

// usedFirst are the subnets, those with running instances first: of one object the first
// finding is kept, and these are what it is about.
func (l *linter) usedFirst() []*vpc.Subnet {
	used := func(s *vpc.Subnet) bool { return len(l.hostsIn(s)) > 0 }
	return slices.Concat(keep(l.subnets, used), keep(l.subnets, func(s *vpc.Subnet) bool { return !used(s) }))
}

func (l *linter) interfaceEndpoint(e *endpoint.Endpoint) {
	for _, n := range e.Interfaces() {
		for _, h := range l.hosts {
			if h.Subnet().VPC() != e.VPC() {
				continue
			}
			if a := l.ask(h.ID(), n.ID(), "tcp", 443); a.result.End() == trace.GroupIngress {
				l.add(finding{rule: "EP01", object: e, proof: a, message: fmt.Sprintf("%s -> %s (%s) tcp/443: %s", label(h), label(e), e.Service(), died(a))})
			}
		}
	}
}

func (l *linter) gatewayEndpoint(e *endpoint.Endpoint) {
	list := e.PrefixList()
	if list == nil {
		return
	}
	for _, s := range l.subnets {
		if s.VPC() != e.VPC() || len(l.hostsIn(s)) == 0 {
			continue
		}
		has := slices.ContainsFunc(s.RouteTable().Routes(), func(r vpc.Route) bool { return r.PrefixList == list })
		if !has {
			l.withoutEndpoint(e, s, list)
			continue
		}
		for _, p := range list.Entries() {
			for _, h := range l.hostsIn(s) {
				a := l.ask(h.ID(), within(p), "tcp", 443)
				message := fmt.Sprintf("%s -> %s (%s) tcp/443: %s", label(h), p, e.Service(), died(a))
				switch a.result.End() {
				case trace.GroupEgress:
					l.add(finding{rule: "EP03", object: l.objectOf(a, h), proof: a, message: message, fix: fmt.Sprintf("aws ec2 authorize-security-group-egress --group-id %s "+
						"--ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,PrefixListIds=[{PrefixListId=%s}]'", l.objectOf(a, h).ID(), list.ID())})
				case trace.ACLEgress, trace.ACLIngress:
					l.add(finding{rule: "AC04", object: l.objectOf(a, s.NetworkACL()), proof: a, message: message})
				}
			}
		}
	}
}

// withoutEndpoint is EP02, with a packet where it gets lost: elsewhere it goes by a NAT
// gateway or the internet.
func (l *linter) withoutEndpoint(e *endpoint.Endpoint, s *vpc.Subnet, list *vpc.PrefixList) {
	f := finding{rule: "EP02", object: s.RouteTable(), message: fmt.Sprintf("%s of %s has no route to %s (%s)", label(s.RouteTable()), label(s), label(e), e.Service()),
		fix: "aws ec2 modify-vpc-endpoint --vpc-endpoint-id " + e.ID() + " --add-route-table-ids " + s.RouteTable().ID()}
	if all := list.Entries(); len(all) > 0 {
		if a := l.ask(l.hostsIn(s)[0].ID(), within(all[0]), "tcp", 443); a.result.End() == trace.NoRoute {
			f.proof = a
		}
	}
	l.add(f)
}

// sixRoutes is V601: hosts with IPv6 addresses and no way out by them.
func (l *linter) sixRoutes() {
	for _, s := range l.subnets {
		if !s.IPv6().IsValid() {
			continue
		}
		if _, ok := routeTo(s.RouteTable(), all6); ok {
			continue
		}
		if _, four := routeTo(s.RouteTable(), all4); !four { // it is not meant to get out
			continue
		}
		for _, n := range l.hostsIn(s) {
			if len(n.IPv6()) == 0 {
				continue
			}
			if a := l.ask(n.ID(), internet6, "tcp", 443); a.result.End() == trace.NoRoute {
				l.add(finding{rule: "V601", object: s.RouteTable(), proof: a, message: fmt.Sprintf("%s leads IPv4 out and no IPv6; %s", label(s.RouteTable()), died(a))})
			}
		}
	}
}

// overlaps is OV01: VPCs that a peering connection or a transit gateway is to join.
func (l *linter) overlaps() {
	for i, v := range l.vpcs {
		for _, w := range l.vpcs[:i] {
			together := l.joined(v, w) != "" || slices.ContainsFunc(l.peerings, func(p *peering.Connection) bool {
				return p.Requester() == v && p.Accepter() == w || p.Requester() == w && p.Accepter() == v
			})
			if !together {
				continue
			}
			for _, c := range v.CIDRs() {
				for _, d := range w.CIDRs() {
					if c.Overlaps(d) {
						l.add(finding{rule: "OV01", object: v, message: fmt.Sprintf("%s of %s and %s of %s overlap", c, label(v), d, label(w))})
					}
				}
			}
		}
	}
}

// hairpins is IG05: a group reference that holds by the private address and not by the
// public one.
func (l *linter) hairpins() {
	for _, n := range l.hosts {
		public := publicOf(n)
		if !public.IsValid() {
			continue
		}
		for _, g := range n.Groups() {
			for _, p := range g.Ingress() {
				proto, port, ok := packetOf(p)
				if p.Group == nil || !ok {
					continue
				}
				for _, from := range l.peers(p, n) {
					if from.Subnet().VPC() != n.Subnet().VPC() || !l.ask(from.ID(), n.ID(), proto, port).result.Reachable() {
						continue
					}
					if a := l.ask(from.ID(), public.String(), proto, port); a.result.End() == trace.GroupIngress && a.result.Where == n.ID() {
						l.add(finding{rule: "IG05", object: n, proof: a, message: fmt.Sprintf("%s lets %s in; by the public address %s the packet comes from outside, and %s",
							label(g), label(p.Group), public, died(a))})
					}
				}
			}
		}
	}
}

// balancers are load balancers without healthy targets (LB04), in a zone without any
// (LB05), and internet-facing ones in subnets that are not public (LB06).
func (l *linter) balancers() {
	for _, r := range l.regions {
		var all []*balancer.LoadBalancer
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[*balancer.LoadBalancer](tx) })
		for _, b := range all {
			l.balancer(b)
		}
	}
}

func (l *linter) balancer(b *balancer.LoadBalancer) {
	for _, n := range b.Interfaces() {
		if b.InternetFacing() && !isPublic(n.Subnet()) {
			l.facing(b, n)
		}
	}
	for _, x := range b.Listeners() {
		for _, w := range x.Default().Groups {
			l.targets(b, w.Group)
		}
	}
}

// checkedIn reports whether the groups of all targets that are instances let health checks
// in from each node; their network ACLs are not asked.
func (l *linter) checkedIn(b *balancer.LoadBalancer, g *balancer.TargetGroup) bool {
	asked := false
	for _, t := range g.DescribeTargetHealth().TargetHealthDescriptions {
		i, ok := l.resource(*t.Target.Id).(*vpc.Instance)
		port, err := strconv.Atoi(*t.HealthCheckPort)
		if !ok || i.Interface() == nil || err != nil {
			return false
		}
		for _, n := range b.Interfaces() {
			in := slices.ContainsFunc(i.Interface().Groups(), func(s *vpc.SecurityGroup) bool {
				return slices.ContainsFunc(s.Ingress(), func(p vpc.Permission) bool {
					ported := p.Protocol == -1 || p.Protocol == 6 && p.FromPort <= port && port <= p.ToPort
					return ported && (p.CIDR == all4 || names(p, n))
				})
			})
			if asked = true; !in {
				return false
			}
		}
	}
	return asked
}

// facing is LB06, of a node whose subnet has no route to an internet gateway: it may
// have one past a firewall.
func (l *linter) facing(b *balancer.LoadBalancer, n *vpc.NetworkInterface) {
	f := finding{rule: "LB06", object: b, unproven: "its node has no public address to send to",
		message: fmt.Sprintf("%s is internet-facing, and its subnet %s has no route to an internet gateway", label(b), label(n.Subnet()))}
	if r, ok := routeTo(n.Subnet().RouteTable(), all4); ok && edgeTarget(r.Target) && !publicOf(n).IsValid() {
		return
	}
	if public := publicOf(n); public.IsValid() && len(b.Listeners()) > 0 {
		_, port := b.Listeners()[0].Takes()
		a := l.passed(l.ask("internet", public.String(), "tcp", int(port)))
		if !a.dead() {
			return
		}
		f.proof, f.unproven = a, ""
	}
	l.add(f)
}

func (l *linter) targets(b *balancer.LoadBalancer, g *balancer.TargetGroup) {
	all := g.Targets()
	bad := keep(all, func(t balancer.TargetHealth) bool { return t.State == "unhealthy" })
	if len(all) > 0 && len(bad) == len(all) {
		f := finding{rule: "LB04", object: g, message: fmt.Sprintf("%s: %d of %d targets of %s are unhealthy", label(b), len(bad), len(all), g.GroupName())}
		if bad[0].Reason != "" {
			f.message += " (" + bad[0].Reason + ")"
		}
		if l.checkedIn(b, g) {
			f.message += "; their groups let the load balancer in"
			f.fix = fmt.Sprintf("see that the targets listen on port %s and answer the check as the target group expects", *g.DescribeTargetHealth().TargetHealthDescriptions[0].HealthCheckPort)
		}
		l.add(f)
	}
	for _, n := range b.Interfaces() {
		var s balancer.Selection
		b.Region().View(func(tx *vpc.Tx) { s = g.Eligible(tx, b, n.Subnet().Zone()) })
		if s.Other {
			l.add(finding{rule: "LB05", object: g, message: fmt.Sprintf("%s stands in %s, %s has no target there, and cross-zone is off", label(b), n.Subnet().Zone(), g.GroupName())})
		}
	}
}
