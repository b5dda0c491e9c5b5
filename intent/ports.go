package intent

import (
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// span is a run of ports of a protocol that every rule of the network treats alike.
type span struct {
	proto       wire.Proto
	first, last uint16
}

// Ports are the ports at which rules of a network begin or end: between two of them no
// rule of a group or an ACL tells ports apart, and so one probe speaks for all.
type Ports struct {
	cuts map[wire.Proto][]int // where a run begins, sorted
}

// NewPorts reads the rules of the regions' security groups and network ACLs. extra are
// further destination ports that something tells apart, such as those of listeners.
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
	for _, port := range extra {
		p.cut(int(wire.ProtoTCP), int(port), int(port))
		p.cut(int(wire.ProtoUDP), int(port), int(port))
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
