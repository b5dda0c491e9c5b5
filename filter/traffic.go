package filter

import (
	"strconv"

	"github.com/vpcsim/vpcsim/wire"
)

// Direction is a packet's way through an interface or over a subnet's border. The
// zero Direction is none.
type Direction uint8

// The two directions, as seen from the interface or the subnet.
const (
	_ Direction = iota
	// Ingress is into the interface: the peer is the packet's source.
	Ingress
	// Egress is out of the interface: the peer is the packet's destination.
	Egress
)

// Reverse returns the other direction.
func (d Direction) Reverse() Direction { return d ^ (Ingress ^ Egress) }

// String returns "ingress" or "egress".
func (d Direction) String() string {
	switch d {
	case Ingress:
		return "ingress"
	case Egress:
		return "egress"
	}
	return "no direction"
}

// Traffic is what a rule speaks of apart from addresses: a protocol, and with it
// ports or ICMP types. It is comparable. The zero Traffic matches no packet.
type Traffic struct {
	kind        trafficKind
	proto       wire.Proto
	first, span uint16 // of selector
}

type trafficKind uint8

const (
	_ trafficKind = iota
	allTraffic
	oneProtocol
)

const allPorts = 65535 // the span of a rule for every port

// AllTraffic returns the Traffic of every protocol, AWS's protocol -1.
func AllTraffic() Traffic { return Traffic{kind: allTraffic} }

// Protocol returns the Traffic of one IP protocol with all its ports and types.
func Protocol(p wire.Proto) Traffic {
	return Traffic{kind: oneProtocol, proto: p, span: allPorts}
}

// Ports returns the Traffic of TCP or UDP toward destination ports first to last,
// both included. Of another protocol it returns all: its ports count for nothing
// (AWS API, CreateNetworkAclEntry). Where first is above last it matches no packet.
func Ports(p wire.Proto, first, last uint16) Traffic {
	switch {
	case p != wire.ProtoTCP && p != wire.ProtoUDP:
		return Protocol(p)
	case first > last:
		return Traffic{}
	}
	return Traffic{oneProtocol, p, first, last - first}
}

// ICMP returns the Traffic of one ICMP type and code, p being [wire.ProtoICMP] or
// [wire.ProtoICMPv6]. A type of -1 is every type and code, a code of -1 every code
// of the type, as in AWS's API. Where a number is no byte it matches no packet.
func ICMP(p wire.Proto, typ, code int) Traffic {
	switch {
	case typ == -1:
		return Protocol(p)
	case typ < 0 || typ > 255 || code < -1 || code > 255:
		return Traffic{}
	case code == -1:
		return Traffic{oneProtocol, p, uint16(typ) << 8, 255}
	}
	return Traffic{oneProtocol, p, uint16(typ)<<8 | uint16(code), 0}
}

// String returns "all", "tcp 22", "udp 1024-65535", "icmp type 8 code 0", "47",
// or "none" of the zero Traffic. It allocates.
func (t Traffic) String() string {
	switch {
	case t.kind == allTraffic:
		return "all"
	case t.kind != oneProtocol:
		return "none"
	case t.span == allPorts:
		return t.proto.String()
	case t.proto == wire.ProtoICMP || t.proto == wire.ProtoICMPv6:
		s := t.proto.String() + " type " + strconv.Itoa(int(t.first>>8))
		if t.span == 0 {
			s += " code " + strconv.Itoa(int(t.first&255))
		}
		return s
	}
	s := t.proto.String() + " " + strconv.Itoa(int(t.first))
	if t.span > 0 {
		s += "-" + strconv.Itoa(int(t.first)+int(t.span))
	}
	return s
}

// everyPort reports whether t takes every packet of a protocol.
func (t Traffic) everyPort(p wire.Proto) bool {
	return t.kind == allTraffic || t.kind == oneProtocol && t.proto == p && t.span == allPorts
}

// probe is what a packet is held against rules by: read once, compared often.
type probe struct {
	proto    wire.Proto
	later    bool   // a fragment without ports
	selector uint16 // the destination port; an ICMP type, then code
}

func probeOf(p *wire.Packet) probe {
	return flowProbe(&p.Flow, p.Fragment, uint16(p.Type)<<8|uint16(p.Code))
}

func flowProbe(f *wire.Flow, part wire.Fragment, icmp uint16) probe {
	q := probe{proto: f.Proto, later: part == wire.LaterFragment}
	switch f.Proto {
	case wire.ProtoTCP, wire.ProtoUDP:
		q.selector = f.DstPort
	case wire.ProtoICMP, wire.ProtoICMPv6:
		q.selector = icmp
	}
	return q
}

// allows reports whether t, as the traffic of a rule that allows, takes q.
func (t Traffic) allows(q probe) bool {
	return t.kind == allTraffic ||
		t.kind == oneProtocol && t.proto == q.proto && (q.later || q.selector-t.first <= t.span)
}

// denies reports whether t, as the traffic of a rule that denies, takes q, which
// it takes as that of a rule that allows.
func (t Traffic) denies(q probe) bool { return !q.later || t.everyPort(q.proto) }
