package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// peeringStates is PX04.
func (l *linter) peeringStates() {
	for _, p := range l.peerings {
		switch p.State() {
		case "pending-acceptance", "expired", "failed", "rejected":
			fix := "aws ec2 delete-vpc-peering-connection --vpc-peering-connection-id " + p.ID()
			if p.State() == "pending-acceptance" {
				fix = "aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id " + p.ID()
			}
			l.add(finding{rule: "PX04", object: p, fix: fix, message: fmt.Sprintf("%s between %s and %s is %s", label(p), name(p.Requester()), name(p.Accepter()), p.State())})
		}
	}
}

// name is the label of a VPC that may be another account's, and unknown.
func name(v *vpc.VPC) string {
	if v == nil {
		return "a VPC that is not in the network"
	}
	return label(v)
}

// peerRoutes sends by routes to peering connections that are not for the peer: to a third
// VPC (PX01) or to the peer's gateways (PX02).
func (l *linter) peerRoutes() {
	for _, t := range l.tables {
		for _, r := range t.Routes() {
			p, ok := r.Target.(*peering.Connection)
			if !ok || r.PrefixList != nil || p.State() != "active" {
				continue
			}
			rule := l.beyondPeer(r)
			to := within(r.Destination)
			for _, h := range l.hosts {
				v := h.Subnet().VPC()
				if r.Destination.Contains(h.PrivateIP()) && r.Destination.Bits() > 0 && v != p.Requester() && v != p.Accepter() {
					rule, to = "PX01", v.ID()+"/"+h.PrivateIP().String()
					break
				}
			}
			for _, n := range l.usersOf(t) {
				if a := l.ask(n.ID(), to, "tcp", 443); a.result.End() == trace.OutsidePeer || a.result.End() == trace.SourceNotInVPC {
					l.add(finding{rule: rule, object: t, proof: a, fix: fixes[rule], message: fmt.Sprintf("%s: %s -> %s leads beyond the peer; %s", label(t), r.Destination, label(p), died(a))})
					break
				}
			}
		}
	}
}

// beyondPeer tells the use of a peer's NAT gateway (NG03) from that of its other gateways
// (PX02).
func (l *linter) beyondPeer(r vpc.Route) string {
	p, ok := r.Target.(*peering.Connection)
	if ok && slices.ContainsFunc(l.nats, func(g *natgw.NATGateway) bool {
		v := g.Subnet().VPC()
		return v == p.Requester() || v == p.Accepter()
	}) {
		return "NG03"
	}
	return "PX02"
}

// transitGateways are zones without an attachment (TG01), attachments without a table
// (TG02) and CIDRs that two propagate (TG04).
func (l *linter) transitGateways() {
	for _, x := range l.attachments {
		if x.State() != "available" || x.VPC() == nil {
			continue
		}
		associated := false
		for _, t := range l.transit {
			for _, a := range t.Associations().Associations {
				associated = associated || a.TransitGatewayAttachmentId != nil && *a.TransitGatewayAttachmentId == x.ID()
			}
		}
		if !associated {
			l.add(finding{rule: "TG02", object: x, fix: "aws ec2 associate-transit-gateway-route-table --transit-gateway-attachment-id " + x.ID() + " --transit-gateway-route-table-id <tgw-rtb>", message: fmt.Sprintf("%s of %s is associated with no route table: what comes from it is dropped", label(x), label(x.VPC()))})
		}
	}
	for _, t := range l.transit {
		from := map[string]*tgw.Attachment{}
		for _, r := range t.Routes() {
			key := r.Destination.String()
			if was := from[key]; r.Propagated && was != nil && was != r.Attachment {
				l.add(finding{rule: "TG04", object: t, message: fmt.Sprintf("%s: %s comes from %s and from %s", label(t), key, label(was), label(r.Attachment))})
			}
			if r.Propagated {
				from[key] = r.Attachment
			}
		}
	}
	l.sameCIDR()
	l.zonesWithoutAttachment()
}

// sameCIDR finds CIDRs that two attachments propagate into one table, of which the table
// lists but one.
func (l *linter) sameCIDR() {
	for _, t := range l.transit {
		var of []*tgw.Attachment
		for _, p := range t.Propagations().TransitGatewayRouteTablePropagations {
			for _, a := range l.attachments {
				if p.TransitGatewayAttachmentId != nil && *p.TransitGatewayAttachmentId == a.ID() && a.VPC() != nil {
					of = append(of, a)
				}
			}
		}
		for i, a := range of {
			for _, b := range of[:i] {
				for _, c := range a.VPC().CIDRs() {
					if slices.Contains(b.VPC().CIDRs(), c) {
						l.add(finding{rule: "TG04", object: t, message: fmt.Sprintf("%s: %s is propagated by %s and by %s", label(t), c, label(b), label(a))})
					}
				}
			}
		}
	}
}

func (l *linter) zonesWithoutAttachment() {
	for _, s := range l.subnets {
		for _, r := range s.RouteTable().Routes() {
			g, ok := r.Target.(*tgw.TransitGateway)
			if !ok || r.PrefixList != nil {
				continue
			}
			for _, x := range l.attachments {
				if x.VPC() != s.VPC() || x.Gateway() != g || x.State() != "available" {
					continue
				}
				if slices.ContainsFunc(x.Interfaces(), func(n *vpc.NetworkInterface) bool { return n.Subnet().Zone() == s.Zone() }) {
					continue
				}
				f := finding{rule: "TG01", object: x, unproven: "no running instance in the subnet sends there", fix: "add a subnet of " + s.Zone() + " to " + label(x),
					message: fmt.Sprintf("%s in %s routes %s to %s, which is not attached in that zone", label(s), s.Zone(), r.Destination, label(g))}
				for _, n := range l.hostsIn(s) {
					if a := l.ask(n.ID(), within(r.Destination), "tcp", 443); a.result.End() == trace.TransitZone {
						f.proof, f.unproven = a, ""
						break
					}
				}
				l.add(f)
			}
		}
	}
}

// applianceMode is TG05: an inspection VPC with an appliance in each zone behind one
// attachment without appliance mode. The proof is a flow between zones whose request and
// reply pass different appliances, if they forward.
func (l *linter) applianceMode() {
	for _, x := range l.attachments {
		if x.VPC() == nil || x.State() != "available" {
			continue
		}
		var appliances []*vpc.NetworkInterface
		zones := map[string]bool{}
		for _, n := range x.Interfaces() {
			for _, r := range n.Subnet().RouteTable().Routes() {
				if to, ok := r.Target.(*vpc.NetworkInterface); ok && !slices.Contains(appliances, to) {
					appliances, zones[n.Subnet().Zone()] = append(appliances, to), true
				}
			}
		}
		if len(zones) > 1 && len(appliances) > 1 {
			l.asymmetric(x, appliances)
		}
	}
}

func (l *linter) asymmetric(x *tgw.Attachment, appliances []*vpc.NetworkInterface) {
	var ids []string
	for _, n := range appliances {
		ids = append(ids, n.ID())
	}
	p := l.sending(ids...)
	if p == nil {
		return
	}
	for _, from := range l.hosts {
		for _, to := range l.hosts {
			if from.Subnet().Zone() == to.Subnet().Zone() || from.Subnet().VPC() == to.Subnet().VPC() {
				continue
			}
			s := reach.Spec{From: from.ID(), To: to.ID(), Proto: "icmp"}
			r := p.Ask(s)
			there, back := passed(r.Way, appliances), passed(r.WayBack, appliances)
			if there != nil && back != nil && there != back {
				l.add(finding{rule: "TG05", object: x, proof: &answer{s, r}, fix: "aws ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id " + x.ID() + " --options ApplianceModeSupport=enable",
					message: fmt.Sprintf("%s: the request from %s to %s passes %s, the reply %s; a stateful appliance drops it", label(x), label(from), label(to), label(there), label(back))})
				return
			}
		}
	}
}

func passed(way []string, of []*vpc.NetworkInterface) *vpc.NetworkInterface {
	for _, n := range of {
		if slices.Contains(way, n.ID()) {
			return n
		}
	}
	return nil
}

// environments is TG07: VPCs whose names say that one is for production and the other is
// not, and a packet that gets from the one to the other.
func (l *linter) environments() {
	for _, from := range l.hosts {
		for _, to := range l.hosts {
			if environment(from) != "other" || environment(to) != "production" || l.joined(from.Subnet().VPC(), to.Subnet().VPC()) == "" {
				continue
			}
			for _, g := range to.Groups() {
				for _, p := range g.Ingress() {
					proto, port, ok := packetOf(p)
					if !ok {
						continue
					}
					if a := l.ask(from.ID(), to.ID(), proto, port); a.result.Reachable() {
						l.add(finding{rule: "TG07", object: to.Subnet().VPC(), proof: a, message: fmt.Sprintf("%s of %s reaches %s of %s by %s",
							label(from), label(from.Subnet().VPC()), label(to), label(to.Subnet().VPC()), traffic(proto, port))})
					}
				}
			}
		}
	}
}

// environment reads what a VPC is for off its name or its Environment tag.
func environment(n *vpc.NetworkInterface) string {
	v := n.Subnet().VPC()
	words := []string{label(v)}
	for _, t := range v.Tags() {
		if k := strings.ToLower(t.Key); k == "env" || k == "environment" || k == "stage" {
			words = append(words, t.Value)
		}
	}
	for _, w := range words {
		for part := range strings.FieldsFuncSeq(strings.ToLower(w), func(r rune) bool { return strings.ContainsRune("-_ ./", r) }) {
			switch part {
			case "prod", "production", "prd", "live":
				return "production"
			case "dev", "development", "test", "staging", "stage", "qa", "sandbox":
				return "other"
			}
		}
	}
	return ""
}

// foreignEndpoints sends, from hosts whose routes lead the addresses of a gateway endpoint
// to a transit gateway or a peering connection, to the service (EP04).
func (l *linter) foreignEndpoints() {
	for _, e := range l.endpoints {
		list := e.PrefixList()
		if list == nil {
			continue
		}
		for _, h := range l.hosts {
			if h.Subnet().VPC() == e.VPC() {
				continue
			}
			for _, p := range list.Entries() {
				if a := l.ask(h.ID(), within(p), "tcp", 443); a.result.End() == trace.EndpointForeign || a.result.End() == trace.EndpointSource {
					l.add(finding{rule: "EP04", object: e, proof: a, message: fmt.Sprintf("%s of %s -> %s (%s) through %s: %s", label(h), label(h.Subnet().VPC()), p, e.Service(), label(e), died(a))})
				}
			}
		}
	}
}
