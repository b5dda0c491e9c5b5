package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// expectedFlows sends what security group rules expect: a rule that names a CIDR or a
// group narrower than the world expects them to come, or to be reached. One pair for each
// rule and pair of subnets speaks for all.
func (l *linter) expectedFlows() {
	done := map[string]bool{}
	once := func(g *vpc.SecurityGroup, k int, direction string, a, b *vpc.NetworkInterface) bool {
		key := fmt.Sprint(g.ID(), k, direction, a.Subnet().ID(), b.Subnet().ID())
		was := done[key]
		done[key] = true
		return !was
	}
	for _, n := range l.hosts {
		for _, g := range n.Groups() {
			for k, rule := range g.Ingress() {
				for _, from := range l.peers(rule, n) {
					if once(g, k, "in", from, n) {
						l.expect(from, n, rule, g, "ingress")
					}
				}
			}
			for k, rule := range g.Egress() {
				for _, to := range l.peers(rule, n) {
					if once(g, k, "out", n, to) {
						l.expect(n, to, rule, g, "egress")
					}
				}
			}
		}
	}
}

// peers are the hosts that a rule names, in VPCs that are joined with that of n.
func (l *linter) peers(p vpc.Permission, n *vpc.NetworkInterface) []*vpc.NetworkInterface {
	if p.Group == nil && (!p.CIDR.IsValid() || p.CIDR.Bits() == 0) {
		return nil
	}
	v := n.Subnet().VPC()
	return keep(l.hosts, func(x *vpc.NetworkInterface) bool {
		w := x.Subnet().VPC()
		if x == n || w != v && l.joined(v, w) == "" {
			return false
		}
		return names(p, x)
	})
}

// packetOf is what a rule lets pass.
func packetOf(p vpc.Permission) (proto string, port int, ok bool) {
	switch p.Protocol {
	case 6:
		return "tcp", max(p.FromPort, 1), true
	case 17:
		return "udp", max(p.FromPort, 1), true
	case 1:
		return "icmp", 0, p.FromPort == -1 || p.FromPort == 8
	case -1, 0:
		return "icmp", 0, true
	}
	return "", 0, false
}

func (l *linter) expect(from, to *vpc.NetworkInterface, p vpc.Permission, g *vpc.SecurityGroup, direction string) {
	proto, port, ok := packetOf(p)
	if !ok {
		return
	}
	a := l.passed(l.ask(from.ID(), to.ID(), proto, port))
	if p.Group != nil && a.result.RoundTrip == nil { // what would it be, if the appliance on the way sends it on?
		a = l.sentOn(a)
	}
	l.large(a, jumbo)
	if !a.dead() {
		return
	}
	why := fmt.Sprintf("%s %s rule expects %s -> %s %s", label(g), direction, label(from), label(to), traffic(proto, port))
	l.classify(a, from, to, why, direction)
	if l.weak(p, from, to, direction) {
		l.soften(a)
	}
}

// weak reports whether a rule is too wide to tell that it means a host of another VPC:
// 10.0.0.0/8 of a network that keeps its VPCs apart.
func (l *linter) weak(p vpc.Permission, from, to *vpc.NetworkInterface, direction string) bool {
	other, own := from.Subnet().VPC(), to.Subnet().VPC()
	if direction == "egress" {
		other, own = own, other
	}
	return other != own && p.CIDR.IsValid() && !slices.ContainsFunc(other.CIDRs(), func(c netip.Prefix) bool {
		return c.Bits() <= p.CIDR.Bits() && c.Contains(p.CIDR.Addr())
	})
}

// soften makes a note of a finding that no route leads to, which a wide rule alone expects.
func (l *linter) soften(a *answer) {
	for i := range l.found {
		f := &l.found[i]
		if f.Proof != nil && f.Proof.Question == a.spec && f.Proof.Result.Direction == "request" && slices.Contains([]string{"RT01", "PX03", "TG03"}, f.Rule) {
			f.Severity = Note
			f.Message += "; the rule names more than that VPC, and may not mean it"
		}
	}
}

// sentOn asks once more, with the guest that the network can't tell of sending packets on.
func (l *linter) sentOn(a *answer) *answer {
	n, ok := l.resource(a.result.Where).(*vpc.NetworkInterface)
	if !ok || n.SourceDestCheck() {
		return a
	}
	return l.forwarding(n, func(p *reach.Prober) *answer { return &answer{a.spec, p.Ask(a.spec)} })
}

func traffic(proto string, port int) string {
	if port == 0 {
		return proto
	}
	return fmt.Sprintf("%s/%d", proto, port)
}

// classify finds the mistake that a dead packet shows, by where it died and of what.
func (l *linter) classify(a *answer, from, to *vpc.NetworkInterface, why, direction string) {
	r := &a.result
	reply := r.Direction == "reply"
	rule := ""
	switch r.End() {
	case trace.NoRoute:
		if l.noRouteBehind(a, why) {
			return
		}
		rule = l.noRoute(from, to, reply)
	case trace.FirewallMidstream, trace.NoSession:
		l.acrossZones(a, why)
	case trace.Blackhole:
		rule = "RT03"
	case trace.ACLIngress, trace.ACLEgress:
		rule = l.aclRule(r.Where, reply)
	case trace.GroupEgress:
		rule = "SG02"
	case trace.GroupIngress:
		rule = l.groupRule(a, to, direction)
	default:
		rule = simpleRules[r.End()]
	}
	if rule == "" {
		return
	}
	object := l.objectOf(a, from)
	l.add(finding{rule: rule, object: object, message: why + "; " + died(a), proof: a, fix: fixes[rule]})
	l.longerPrefix(a, why)
}

// fixes are those of rules whose packet alone does not tell what is wrong.
var fixes = map[string]string{
	"NG03": "use a transit gateway, or a NAT gateway in the VPC", "PX02": "use a gateway of the VPC's own",
	"IG07": "route the subnet's 0.0.0.0/0 to the appliance that the gateway route table names",
}

// simpleRules are the reasons that name their mistake by themselves.
var simpleRules = map[trace.Reason]string{
	trace.TransitZone: "TG01", trace.TransitUnassociated: "TG02", trace.TransitNoRoute: "TG03", trace.TransitBlackhole: "RT03",
	trace.TransitReference: "SG03", trace.SourceCheck: "EN01", trace.DestinationCheck: "EN01", trace.GroupReference: "SG04", trace.OutsidePeer: "PX01",
	trace.SourceNotInVPC: "NG03", trace.PrivateDestination: "IG04", trace.SharedDestination: "IG04", trace.PastAppliance: "IG07",
	trace.ApplianceNotPublic: "IG10", trace.NoPublicAddress: "IG01",
	trace.EndpointForeign: "EP04", trace.EndpointSource: "EP04", trace.PublicAccessBlocked: "IG11",
}

func (l *linter) noRoute(from, to *vpc.NetworkInterface, reply bool) string {
	if to != nil && l.joined(from.Subnet().VPC(), to.Subnet().VPC()) == "peering" {
		return "PX03"
	}
	if reply {
		return "RT02"
	}
	return "RT01"
}

// aclRule tells the ACL of a transit gateway's subnet from others, and a lost reply from
// a lost request.
func (l *linter) aclRule(subnet string, reply bool) string {
	transit := slices.ContainsFunc(l.nics, func(n *vpc.NetworkInterface) bool {
		return n.Subnet().ID() == subnet && n.Type() == vpc.InterfaceTransitGateway
	})
	switch {
	case transit && len(keep(l.hosts, func(n *vpc.NetworkInterface) bool { return n.Subnet().ID() == subnet })) == 0, transit && !reply:
		return "AC06"
	case reply:
		return "AC01"
	}
	return "AC07"
}

// groupRule tells why a group that was to let the packet in did not.
func (l *linter) groupRule(a *answer, to *vpc.NetworkInterface, direction string) string {
	translated := slices.ContainsFunc(a.result.Way, func(id string) bool { return strings.HasPrefix(id, "nat-") })
	switch {
	case to != nil && a.result.Where != to.ID():
		return "EN05" // an appliance's own group
	case translated:
		return "NG09"
	case direction == "egress":
		return "SG01"
	}
	return ""
}

// objectOf is what is to be changed: the table that has no route, the ACL or the groups
// that have no rule, else what the packet died at, else the sender.
func (l *linter) objectOf(a *answer, from vpc.Resource) vpc.Resource {
	for _, w := range a.result.Story {
		if !w.End().IsDrop() || len(w.Steps) == 0 {
			continue
		}
		if t := l.ledBy(w); t != nil && slices.Contains(ledAstray, w.End()) {
			return t
		}
		s := &w.Steps[len(w.Steps)-1]
		id, _, _ := strings.Cut(s.ObjectID, ", ")
		for _, id := range []string{id, w.WhereID} {
			if x := l.resource(id); x != nil {
				return x
			}
		}
	}
	return from
}

// ledAstray are the reasons for which the table is to be changed that led the packet there.
var ledAstray = []trace.Reason{trace.PrivateDestination, trace.SharedDestination, trace.PastAppliance, trace.OutsidePeer}

// ledBy returns the route table that a packet's last route was of, or nil.
func (l *linter) ledBy(w *trace.Walk) vpc.Resource {
	for i := range slices.Backward(w.Steps) {
		if t, ok := l.resource(w.Steps[i].ObjectID).(*vpc.RouteTable); ok && w.Steps[i].Act == trace.Routed {
			return t
		}
	}
	return nil
}

func (l *linter) resource(id string) vpc.Resource {
	if id == "" {
		return nil
	}
	for _, r := range l.regions {
		if x := r.Find(id); x != nil {
			return x
		}
	}
	return nil
}

// died says where the packet of an answer died, and of what.
func died(a *answer) string {
	what := "the packet"
	if a.result.Direction == "reply" {
		what = "the packet arrives, and its reply"
	}
	return fmt.Sprintf("%s dies at %s: %s", what, a.result.Where, a.result.Reason)
}

// longerPrefix adds RT05 where a dead packet's last route hid another that leads
// elsewhere.
func (l *linter) longerPrefix(a *answer, why string) {
	for _, w := range a.result.Story {
		if !w.End().IsDrop() {
			continue
		}
		for i := len(w.Steps) - 1; i >= 0; i-- {
			s := &w.Steps[i]
			t, ok := l.resource(s.ObjectID).(*vpc.RouteTable)
			if s.Act != trace.Routed || !ok {
				continue
			}
			used, err := netip.ParsePrefix(s.Rule)
			if err != nil {
				return
			}
			for _, r := range t.Routes() {
				wider := r.PrefixList == nil && r.Destination.Bits() < used.Bits() && r.Destination.Bits() > 0 && r.Destination.Contains(s.Flow.Dst.Netip())
				if wider && !isLocal(r) && r.Target.ID() != s.MatchID {
					l.add(finding{rule: "RT05", object: t, proof: a, message: fmt.Sprintf(
						"%s; %s beats %s -> %s, and %s", why, s.Match, r.Destination, label(r.Target), died(a)),
						fix: fmt.Sprintf("aws ec2 delete-route --route-table-id %s --destination-cidr-block %s", t.ID(), used)})
				}
			}
			return
		}
	}
}

// waysOut sends a packet to the internet from each subnet that has a default route.
func (l *linter) waysOut() {
	for _, s := range l.subnets {
		r, ok := routeTo(s.RouteTable(), all4)
		if !ok {
			continue
		}
		for _, n := range l.hostsIn(s) {
			l.large(l.ask(n.ID(), "internet", "udp", 53), overEther)
			if a := l.ask(n.ID(), "internet", "tcp", 443); a.dead() {
				l.wayOut(a, n, s, r)
			}
		}
	}
}

// wayOut names the mistake that keeps an interface from the internet.
func (l *linter) wayOut(a *answer, n *vpc.NetworkInterface, s *vpc.Subnet, r vpc.Route) {
	why := fmt.Sprintf("%s routes 0.0.0.0/0 to %s, and %s -> internet tcp/443 gets no answer", label(s.RouteTable()), label(r.Target), label(n))
	message := why + "; " + died(a)
	switch end := a.result.End(); {
	case end == trace.NoPublicAddress && l.throughNAT(a) != nil:
		l.add(finding{rule: "NG04", object: l.throughNAT(a), message: message, proof: a, fix: "use a public NAT gateway"})
	case end == trace.NoPublicAddress && r.Target.ID() == a.result.Where:
		l.add(finding{rule: "IG01", object: n, message: message, proof: a})
	case end == trace.NoRoute && a.result.Direction != "reply" && l.throughNAT(a) != nil:
		l.add(finding{rule: "NG01", object: l.throughNAT(a), message: message, proof: a})
	case a.result.Direction == "reply" && (end == trace.NoRoute || end == trace.PrivateDestination || end == trace.SharedDestination):
		l.add(finding{rule: "TG06", object: l.objectOf(a, n), message: message, proof: a})
	case end == trace.OutsidePeer:
		l.add(finding{rule: l.beyondPeer(r), object: s.RouteTable(), message: message, proof: a, fix: fixes[l.beyondPeer(r)]})
	case end == trace.GroupIngress && a.result.Where != n.ID():
		l.add(finding{rule: "EN05", object: l.objectOf(a, n), message: message, proof: a})
	case end == trace.GroupEgress && a.result.Where == n.ID(): // it is not meant to
	case end == trace.TooManyHops || end == trace.TTLExpired:
		l.goesRound(a, n, s, message)
	default:
		l.classify(a, n, nil, why, "")
	}
}

// goesRound names the mistake that has a packet go round: the NAT gateway's own subnet
// (NG02), the firewall's (GL03, which is looked for by itself), an appliance's.
func (l *linter) goesRound(a *answer, n *vpc.NetworkInterface, s *vpc.Subnet, message string) {
	if g := l.throughNAT(a); g != nil {
		l.add(finding{rule: "NG02", object: g, message: message, proof: a, fix: "give it a subnet of its own, whose table leads to the internet gateway"})
		return
	}
	if len(l.inspectors(a.result.Way)) == 0 {
		l.add(finding{rule: "RT09", object: s.RouteTable(), message: message, proof: a, fix: "give the appliance's subnet a table of its own"})
	}
}

// throughNAT returns the last NAT gateway that a request passed, or nil.
func (l *linter) throughNAT(a *answer) vpc.Resource {
	for _, id := range slices.Backward(a.result.Way) {
		if g, ok := l.resource(id).(*natgw.NATGateway); ok {
			return g
		}
	}
	return nil
}

// sensitive are ports that nobody means to open to the world: remote shells, desktops and
// databases.
var sensitive = []int{22, 23, 135, 139, 445, 1433, 1521, 2375, 3306, 3389, 5432, 5900, 6379, 9200, 11211, 27017}

// waysIn sends a packet from the internet for each rule that is open to the world.
func (l *linter) waysIn() {
	for _, n := range l.nics {
		public := publicOf(n)
		if !public.IsValid() {
			continue
		}
		for _, g := range n.Groups() {
			for _, rule := range g.Ingress() {
				if rule.CIDR == all4 {
					l.open(n, public, g, rule)
				}
			}
		}
	}
}

func (l *linter) open(n *vpc.NetworkInterface, public netip.Addr, g *vpc.SecurityGroup, p vpc.Permission) {
	proto, port, ok := packetOf(p)
	if !ok {
		return
	}
	bad := slices.ContainsFunc(sensitive, func(x int) bool { return p.Protocol == 6 && p.FromPort <= x && x <= p.ToPort })
	if p.Protocol == -1 || bad {
		proto = "tcp"
		for _, x := range sensitive {
			if port = x; p.Protocol == -1 || p.FromPort <= x && x <= p.ToPort {
				break
			}
		}
	}
	a := l.ask("internet", public.String(), proto, port)
	why := fmt.Sprintf("%s lets %s in from 0.0.0.0/0 to %s (%s)", label(g), traffic(proto, port), label(n), public)
	switch {
	case a.result.Reachable() && (bad || p.Protocol == -1):
		l.add(finding{rule: "SG08", object: n, message: why + "; an internet host gets an answer", proof: a})
	case a.dead():
		if end := a.result.End(); a.result.Direction == "reply" || end != trace.ACLIngress && end != trace.ACLEgress {
			l.classify(a, n, nil, why, "") // an ACL in front of an open group may be meant
		}
		l.add(finding{rule: "SG08", object: n, severity: Note, message: why + ", yet nothing gets through: " + died(a), proof: a,
			fix: "remove the rule, or mend the path"})
	}
}

// viaInternetGateway reports whether a route leads to an internet gateway.
func viaInternetGateway(r vpc.Route) bool {
	_, ok := r.Target.(*igw.InternetGateway)
	return ok
}
