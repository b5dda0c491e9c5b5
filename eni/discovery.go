package eni

import (
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The parts of neighbour discovery (RFC 4861) that the VPC takes part in.

// mayBeDiscovery reports whether ip is worth reading as neighbour discovery: IPv6
// that does not say at once that it is TCP or UDP.
func mayBeDiscovery(ip []byte) bool {
	if len(ip) < wire.IPv6Len || ip[0]>>4 != 6 {
		return false
	}
	next := wire.IPv6(ip).NextHeader()
	return next != wire.ProtoTCP && next != wire.ProtoUDP
}

// answerDiscovery answers neighbour and router solicitations as the VPC does; it
// reports whether the packet was neighbour discovery at all, which never leaves the
// port. A guest's own claims, advertisements and redirects, count for nothing.
func (p *Port) answerDiscovery(i *Interface, e wire.Ethernet) (trace.Reason, bool) {
	var q wire.Packet
	if q.Read(e.Payload()) != nil || !q.IsDiscovery() {
		return trace.None, false
	}
	if err := q.CheckDiscovery(); err != nil {
		return p.refuse(i, e, trace.Malformed, err.Error()), true
	}
	switch q.Type {
	case wire.ICMPv6NeighborSolicitation:
		target := wire.NeighborMessage(q.Transport()).Target()
		if i.Owns(target) { // asked by its owner: nobody else has it
			return trace.Answered, true
		}
		if !p.answerNeighbor(i, q.Flow.Src, target) {
			return p.refuse(i, e, trace.NoNeighbor, p.words(target.String)), true
		}
	case wire.ICMPv6RouterSolicitation:
		p.answerRouter(i, q.Flow.Src)
	}
	return trace.Answered, true
}

// allNodes is where answers go that ask from no address (RFC 4861 sections 6.2.6, 7.2.4).
var allNodes = wire.MustParseAddr("ff02::1")

// answerNeighbor advertises target to who asked, and reports whether it is anybody's.
func (p *Port) answerNeighbor(i *Interface, who, target wire.Addr) bool {
	mac, ok := i.Segment.resolve(target)
	if !ok {
		return false
	}
	flags := wire.Override | wire.Solicited
	if !who.IsValid() { // is it taken? It is.
		who, flags = allNodes, wire.Override
	}
	if mac == i.Segment.Router {
		flags |= wire.Router
	}
	h := wire.Header{Src: target, Dst: who}
	p.later(wire.AppendNeighborAdvertisement(i.frameFrom(mac), h, flags, target, mac))
	return true
}

// answerRouter advertises the router: its address and MAC address, no prefixes, and
// that addresses come by DHCPv6 (EC2 guide, "Configure IPv6 on your instances"). A
// subnet without IPv6 has no such router.
func (p *Port) answerRouter(i *Interface, who wire.Addr) {
	router, ok := i.Segment.linkLocalRouter()
	if !ok {
		return
	}
	if !who.IsValid() {
		who = allNodes
	}
	a := wire.Advertisement{HopLimit: 64, Managed: true, Lifetime: 30 * time.Minute}
	options := wire.AppendLinkAddr(nil, wire.SourceLinkAddr, i.Segment.Router)
	h := wire.Header{Src: router, Dst: who}
	p.later(wire.AppendRouterAdvertisement(i.frameFrom(i.Segment.Router), h, a, options))
}

// frameFrom returns the header of an IPv6 frame to the interface.
func (i *Interface) frameFrom(mac wire.MAC) []byte {
	frame := make([]byte, wire.EthernetLen, 128)
	wire.PutEthernet(frame, i.MAC, mac, wire.EtherTypeIPv6)
	return frame
}

// linkLocalRouter returns the router's link-local address, where the subnet has IPv6.
func (s *Segment) linkLocalRouter() (wire.Addr, bool) {
	for _, a := range s.RouterAddrs {
		if !a.Is4() && a.IsLinkLocal() {
			return a, true
		}
	}
	return wire.Addr{}, false
}
