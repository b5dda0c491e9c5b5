package intent

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// span is a run of ports of a protocol that every rule of the network treats alike.
type span struct {
	proto       wire.Proto
	first, last uint16
}

// Ports are the ports at which rules of a network begin or end: between two of them no
// rule of a group, an ACL or a firewall and no listener tells ports apart, and so one probe
// speaks for all.
type Ports struct {
	cuts map[wire.Proto][]int // where a run begins, sorted
}

// served are ports that services of AWS behind endpoints serve, or that people ask for:
// they are asked for by themselves whatever the rules say.
var served = []uint16{21, 22, 25, 53, 80, 110, 123, 143, 389, 443, 465, 514, 587, 636, 993, 995, 1433, 1521, 2049, 2587, 3306, 3389, 5432, 5439, 6379, 8080,
	8443, 8883, 9092, 9094, 9096, 9098, 11211, 27017}

// listeners are the ports that load balancers listen on.
func listeners(r *vpc.Region) []uint16 {
	var ports []uint16
	r.View(func(tx *vpc.Tx) {
		for _, b := range vpc.Resources[*balancer.LoadBalancer](tx) {
			for _, x := range b.Listening() {
				_, port := x.Takes()
				ports = append(ports, port)
			}
			if c := b.Classic(tx); c != nil {
				for _, x := range c.Listeners(tx) {
					ports = append(ports, x.Port)
				}
			}
		}
	})
	return ports
}

// number is a port in a rule of Suricata's.
var number = regexp.MustCompile(`\d+`)

// firewalls cuts where rules of Network Firewalls begin or end: at each number that stands
// for a port in them.
func (p *Ports) firewalls(r *vpc.Region) {
	var all []*firewall.Firewall
	r.View(func(tx *vpc.Tx) { all = vpc.Resources[*firewall.Firewall](tx) })
	for _, f := range all {
		policy := f.Policy()
		for _, g := range policy.Stateless {
			for _, rule := range g.Rules {
				for _, x := range append(rule.DestinationPorts, rule.SourcePorts...) {
					p.cut(-1, int(x.From), int(x.To))
				}
			}
		}
		for _, g := range policy.Stateful {
			texts := []string{g.RulesString}
			for _, rule := range g.Rules {
				texts = append(texts, rule.DestinationPort, rule.SourcePort)
			}
			for _, set := range g.PortSets {
				texts = append(texts, set...)
			}
			for _, text := range texts {
				for _, n := range number.FindAllString(text, -1) {
					if port, err := strconv.Atoi(n); err == nil {
						p.cut(-1, port, port)
					}
				}
			}
		}
	}
}

// NewPorts reads the rules of the regions' security groups, network ACLs and firewalls and
// the listeners of their load balancers. extra are further destination ports that
// something tells apart.
func NewPorts(extra []uint16, regions ...*vpc.Region) *Ports {
	p := &Ports{cuts: map[wire.Proto][]int{wire.ProtoTCP: {1}, wire.ProtoUDP: {1}}}
	for _, r := range regions {
		var groups []*vpc.SecurityGroup
		var acls []*vpc.NetworkACL
		r.View(func(tx *vpc.Tx) {
			groups, acls = vpc.Resources[*vpc.SecurityGroup](tx), vpc.Resources[*vpc.NetworkACL](tx)
		})
		for _, g := range groups {
			for _, rule := range append(g.Ingress(), g.Egress()...) {
				p.cut(rule.Protocol, rule.FromPort, rule.ToPort)
			}
		}
		for _, a := range acls {
			for _, rule := range append(a.Ingress(), a.Egress()...) {
				p.cut(rule.Protocol, rule.FromPort, rule.ToPort)
			}
		}
	}
	for _, r := range regions {
		extra = append(extra, listeners(r)...)
		p.firewalls(r)
	}
	for _, port := range append(extra, served...) {
		p.cut(-1, int(port), int(port))
	}
	for proto, cuts := range p.cuts {
		slices.Sort(cuts)
		p.cuts[proto] = slices.Compact(cuts)
	}
	return p
}

func (p *Ports) cut(proto, from, to int) {
	for _, of := range []wire.Proto{wire.ProtoTCP, wire.ProtoUDP} {
		if proto != int(of) && proto != -1 {
			continue
		}
		for _, at := range []int{from, to + 1} {
			if at > 1 && at <= 65535 {
				p.cuts[of] = append(p.cuts[of], at)
			}
		}
	}
}

// spans returns the runs that together are the traffic.
func (p *Ports) spans(t Traffic) []span {
	switch t.Protocol {
	case ICMP:
		return []span{{proto: wire.ProtoICMP}}
	case TCP:
		return p.of(wire.ProtoTCP, t)
	case UDP:
		return p.of(wire.ProtoUDP, t)
	}
	all := []span{{proto: wire.ProtoICMP}}
	all = append(all, p.of(wire.ProtoTCP, t)...)
	return append(all, p.of(wire.ProtoUDP, t)...)
}

func (p *Ports) of(proto wire.Proto, t Traffic) []span {
	first, last := int(t.First), int(t.Last)
	if last == 0 {
		first, last = 1, 65535
	}
	var out []span
	cuts := p.cuts[proto]
	for i, from := range cuts {
		to := 65535
		if i+1 < len(cuts) {
			to = cuts[i+1] - 1
		}
		if a, b := max(from, first), min(to, last); a <= b {
			out = append(out, span{proto, uint16(a), uint16(b)})
		}
	}
	return out
}
