package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// covers reports whether an ACL's rule matches all that another does.
func covers(a, b vpc.ACLEntry) bool {
	if a.CIDR.Addr().Is4() != b.CIDR.Addr().Is4() || a.CIDR.Bits() > b.CIDR.Bits() || !a.CIDR.Contains(b.CIDR.Addr()) {
		return false
	}
	if a.Protocol == -1 || a.Protocol == 0 {
		return true
	}
	if a.Protocol != b.Protocol {
		return false
	}
	ported := a.Protocol == 6 || a.Protocol == 17
	if ported {
		return a.FromPort <= b.FromPort && b.ToPort <= a.ToPort
	}
	return a.FromPort == -1 || a.FromPort == b.FromPort && (a.ToPort == -1 || a.ToPort == b.ToPort)
}

// direction is the rules of one direction of an ACL.
type direction struct {
	name  string
	rules []vpc.ACLEntry
}

func directions(a *vpc.NetworkACL) []direction {
	return []direction{{"inbound", a.Ingress()}, {"outbound", a.Egress()}}
}

// listOrder is AC02: a rule behind one that decides all of its packets otherwise.
func (l *linter) listOrder() {
	for _, a := range l.acls {
		for _, d := range directions(a) {
			direction, rules := d.name, d.rules
			for i, late := range rules {
				for _, early := range rules[:i] {
					if early.Allow != late.Allow && late.Number < 32767 && covers(early, late) {
						l.add(finding{rule: "AC02", object: a, message: fmt.Sprintf("%s %s: rule %d never decides, rule %d takes all of its packets before",
							label(a), direction, late.Number, early.Number)})
					}
				}
			}
		}
	}
}

// withinSubnets is AC05: a rule that denies what a subnet's own hosts send each other,
// which no ACL is asked of.
func (l *linter) withinSubnets() {
	for _, y := range l.hosts {
		s := y.Subnet()
		for _, e := range s.NetworkACL().Ingress() {
			if e.Allow || e.Number >= 32767 || e.CIDR.Bits() < s.CIDR().Bits() || !s.CIDR().Contains(e.CIDR.Addr()) {
				continue
			}
			for _, x := range l.hostsIn(s) {
				if x != y && e.CIDR.Contains(x.PrivateIP()) {
					l.unfiltered(e, x, y)
				}
			}
		}
	}
}

func (l *linter) unfiltered(e vpc.ACLEntry, x, y *vpc.NetworkInterface) {
	for _, g := range y.Groups() {
		for _, p := range g.Ingress() {
			proto, port, ok := packetOf(p)
			if !ok || !denies(e, proto, port) {
				continue
			}
			if a := l.ask(x.ID(), y.ID(), proto, port); a.result.Reachable() {
				acl := y.Subnet().NetworkACL()
				l.add(finding{rule: "AC05", object: acl, proof: a, message: fmt.Sprintf("%s inbound: rule %d denies %s, and %s of the same subnet reaches %s by %s: ACLs are asked at the subnet's border alone, which the packet does not cross",
					label(acl), e.Number, e.CIDR, label(x), label(y), traffic(proto, port))})
			}
		}
	}
}

// denies reports whether a rule is about a packet's protocol and port.
func denies(e vpc.ACLEntry, proto string, port int) bool {
	number := map[string]int{"icmp": 1, "tcp": 6, "udp": 17}[proto]
	switch e.Protocol {
	case -1, 0:
		return true
	case 1:
		return number == 1 && (e.FromPort == -1 || e.FromPort == 8)
	case 6, 17:
		return number == e.Protocol && e.FromPort <= port && port <= e.ToPort
	}
	return false
}

// ephemeralPorts is AC03: an ACL that allows the upper ephemeral ports and no lower ones.
// Clients of Linux have 32768-60999, of Windows 49152 and up; NAT gateways, load balancers and
// Lambda functions take ports from 1024 on (VPC guide, "Ephemeral ports"). Inbound come the
// answers to clients of the ACL's own subnets, of whom it is known who they are.
func (l *linter) ephemeralPorts() {
	for _, a := range l.acls {
		for _, d := range directions(a) {
			direction, rules := d.name, d.rules
			if direction == "inbound" && !slices.ContainsFunc(l.nics, func(n *vpc.NetworkInterface) bool {
				return n.Subnet().NetworkACL() == a && slices.Contains(takesAnyPort, n.Type())
			}) {
				continue
			}
			narrow, wide := 0, false
			for _, r := range rules {
				if !r.Allow || r.Protocol != 6 && r.Protocol != -1 && r.Protocol != 0 {
					continue
				}
				wide = wide || r.Protocol != 6 || r.FromPort <= 1024 && r.ToPort == 65535
				if r.FromPort > 1024 && r.FromPort >= 30000 && r.ToPort >= 60999 {
					narrow = r.Number
				}
			}
			if narrow != 0 && !wide {
				l.add(finding{rule: "AC03", object: a, unproven: "read from the configuration: which port a client takes is its own choice",
					message: fmt.Sprintf("%s %s: rule %d is for ephemeral ports and leaves out those from 1024 on, which NAT gateways and load balancers take", label(a), direction, narrow)})
			}
		}
	}
}

// takesAnyPort are the interfaces behind which are clients that take ports from 1024 on.
var takesAnyPort = []vpc.InterfaceType{vpc.InterfaceNATGateway, vpc.InterfaceNLB, vpc.InterfaceALB, vpc.InterfaceCLB, vpc.InterfaceLambda}

// sixIsOpen is SG09: a rule for ::/0 where the same port has a narrower IPv4 rule.
func (l *linter) sixIsOpen() {
	for _, n := range l.hosts {
		six := n.IPv6()
		if len(six) == 0 {
			continue
		}
		for _, g := range n.Groups() {
			for _, p := range g.Ingress() {
				if p.CIDR == all6 && !openTo4(n, p) {
					l.sixOpen(n, g, p, six[0])
				}
			}
		}
	}
}

// internet6 is a host on the internet by IPv6, of a range that is nobody's (RFC 3849).
const internet6 = "2001:db8:ffff::71"

func (l *linter) sixOpen(n *vpc.NetworkInterface, g *vpc.SecurityGroup, p vpc.Permission, a netip.Addr) {
	proto, port, ok := packetOf(p)
	if !ok && p.Protocol != 58 {
		return
	}
	if p.Protocol == 58 {
		proto = "icmp"
	}
	x := l.ask(internet6, a.String(), proto, port)
	switch {
	case x.result.Reachable():
		l.add(finding{rule: "SG09", object: n, proof: x, message: fmt.Sprintf("%s lets %s in from ::/0, and from no such part of the IPv4 world", label(g), traffic(proto, port))})
	case x.dead() && x.result.Code == "SIM_EGRESS_ONLY":
		l.add(finding{rule: "V602", object: n, proof: x, message: fmt.Sprintf("%s lets %s in from ::/0; %s", label(g), traffic(proto, port), died(x))})
	}
}

// openTo4 reports whether IPv4 rules of the interface's groups let the same in from
// everywhere.
func openTo4(n *vpc.NetworkInterface, p vpc.Permission) bool {
	for _, g := range n.Groups() {
		for _, q := range g.Ingress() {
			same := q.Protocol == -1 || q.Protocol == p.Protocol && q.FromPort <= p.FromPort && p.ToPort <= q.ToPort || p.Protocol == 58 && q.Protocol == 1
			if q.CIDR == all4 && same {
				return true
			}
		}
	}
	return false
}

// staleReferences is SG05: a rule that names a group of a VPC that is no longer joined.
func (l *linter) staleReferences() {
	for _, g := range l.groups {
		for _, p := range append(g.Ingress(), g.Egress()...) {
			if p.Group == nil || p.Group.VPC() == g.VPC() && p.Group.Exists() {
				continue
			}
			if !p.Group.Exists() || l.joined(p.Group.VPC(), g.VPC()) != "peering" {
				l.add(finding{rule: "SG05", object: g, message: fmt.Sprintf("%s names %s of %s, which is not peered with %s any more", label(g), p.Group.ID(), label(p.Group.VPC()), label(g.VPC()))})
			}
		}
	}
}
