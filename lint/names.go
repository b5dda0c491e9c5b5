package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/vpc"
)

// dns is DN01.
func (l *linter) dns() {
	for _, v := range l.vpcs {
		a := v.Attributes()
		private := slices.ContainsFunc(l.endpoints, func(e *endpoint.Endpoint) bool {
			return e.VPC() == v && slices.ContainsFunc(e.Names(), func(n endpoint.Name) bool { return n.Private })
		})
		switch {
		case !a.EnableDNSSupport:
			l.add(finding{rule: "DN01", object: v, message: label(v) + ": enableDnsSupport is off, so the VPC's resolver does not answer",
				fix: "aws ec2 modify-vpc-attribute --vpc-id " + v.ID() + " --enable-dns-support"})
		case private && !a.EnableDNSHostnames:
			l.add(finding{rule: "DN01", object: v, message: label(v) + ": enableDnsHostnames is off, so the private names of its interface endpoints do not resolve",
				fix: "aws ec2 modify-vpc-attribute --vpc-id " + v.ID() + " --enable-dns-hostnames"})
		}
	}
}

// prefix64 is where DNS64 puts IPv4 addresses (RFC 6052; VPC guide, "DNS64 and NAT64"), and
// internet64 the host on the internet there.
var prefix64 = netip.MustParsePrefix("64:ff9b::/96")

const internet64 = "64:ff9b::c000:271"

// synthesized is DN02: a subnet with DNS64, whose names lead to addresses that no NAT
// gateway takes.
func (l *linter) synthesized() {
	for _, s := range l.subnets {
		if !s.Names().DNS64 {
			continue
		}
		f := finding{rule: "DN02", object: s.RouteTable(), unproven: "no running instance in the subnet has an IPv6 address",
			message: fmt.Sprintf("%s has DNS64, and %s does not lead %s to a NAT gateway", label(s), label(s.RouteTable()), prefix64)}
		if to, ok := routeTo(s.RouteTable(), prefix64); ok {
			if _, is := to.Target.(*natgw.NATGateway); is {
				continue
			}
		}
		hosts := keep(l.hostsIn(s), func(n *vpc.NetworkInterface) bool { return len(n.IPv6()) > 0 })
		if len(hosts) > 0 {
			a := l.ask(hosts[0].ID(), internet64, "tcp", 443)
			if !a.dead() {
				continue
			}
			f.proof, f.unproven = a, ""
			f.message += "; " + died(a)
		}
		l.add(f)
	}
}

// publicNames is PX05: hosts of peered VPCs that are to talk, of which one has a public
// name that leads the other past the connection.
func (l *linter) publicNames() {
	for _, n := range l.hosts {
		v, public := n.Subnet().VPC(), publicOf(n)
		if !public.IsValid() || !v.Attributes().EnableDNSHostnames {
			continue
		}
		for _, g := range n.Groups() {
			for _, rule := range g.Ingress() {
				for _, from := range l.peers(rule, n) {
					if p := l.hides(v, from.Subnet().VPC()); p != nil {
						l.publicName(p, from, n, public, rule)
					}
				}
			}
		}
	}
}

// hides returns the active peering connection of two VPCs that has public names of the one
// lead to public addresses in the other, or nil.
func (l *linter) hides(of, with *vpc.VPC) *peering.Connection {
	for _, p := range l.peerings {
		if p.State() != "active" || !(p.Requester() == of && p.Accepter() == with || p.Requester() == with && p.Accepter() == of) {
			continue
		}
		shared := false
		p.Region().View(func(tx *vpc.Tx) { shared = p.SharesNames(tx, of, with) })
		if !shared {
			return p
		}
	}
	return nil
}

func (l *linter) publicName(p *peering.Connection, from, n *vpc.NetworkInterface, public netip.Addr, rule vpc.Permission) {
	proto, port, ok := packetOf(rule)
	if !ok || !l.ask(from.ID(), n.ID(), proto, port).result.Reachable() {
		return
	}
	a := l.ask(from.ID(), public.String(), proto, port)
	if !a.dead() {
		return
	}
	side := "accepter"
	if n.Subnet().VPC() == p.Requester() {
		side = "requester"
	}
	l.add(finding{rule: "PX05", object: p, proof: a,
		fix: fmt.Sprintf("aws ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id %s --%s-peering-connection-options AllowDnsResolutionFromRemoteVpc=true", p.ID(), side),
		message: fmt.Sprintf("%s: in %s the public name of %s leads to %s, and %s gets no answer there, which it does at %s; %s",
			label(p), label(from.Subnet().VPC()), label(n), public, label(from), n.PrivateIP(), died(a))})
}
