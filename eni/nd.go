package eni

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The parts of neighbour discovery (RFC 4861) that the VPC takes part in.
const (
	ndTarget        = 8       // offset of the target in a solicitation
	ndTargetEnd     = 24      //
	ndOptionTarget  = 2       // target link-layer address
	ndOptionSource  = 1       // source link-layer address
	ndFlagRouter    = 1 << 31 // of an advertisement
	ndFlagSolicited = 1 << 30
	ndFlagOverride  = 1 << 29
	raManaged       = 1 << 7 // of a router advertisement: addresses come by DHCPv6
)

// answerND answers neighbour and router solicitations as the VPC does; it reports
// whether the packet was neighbour discovery at all, which never leaves the port.
func (p *Port) answerND(i *Interface, ip []byte) (trace.Reason, bool) {
	var q wire.Packet
	if q.Read(ip) != nil || q.Flow.Proto != wire.ProtoICMPv6 {
		return trace.None, false
	}
	switch q.Type {
	case wire.ICMPv6NeighborSolicitation:
		return p.answerNS(i, &q), true
	case wire.ICMPv6RouterSolicitation:
		return p.answerRS(i, &q), true
	case wire.ICMPv6NeighborAdvertisement, wire.ICMPv6RouterAdvertisement, wire.ICMPv6Redirect:
		return trace.Answered, true // a guest's own claims count for nothing
	}
	return trace.None, false
}

func (p *Port) answerNS(i *Interface, q *wire.Packet) trace.Reason {
	m := q.Transport()
	if len(m) < ndTargetEnd || q.VerifyChecksum() != nil {
		return p.refuse(trace.Malformed)
	}
	target := wire.AddrFrom16([16]byte(m[ndTarget:ndTargetEnd]))
	if i.Owns(target) || !q.Flow.Src.IsValid() { // duplicate address detection: nobody else has it
		return trace.Answered
	}
	mac, ok := i.Segment.resolve(target)
	if !ok {
		return p.refuse(trace.NoNeighbor)
	}
	flags := uint32(ndFlagSolicited | ndFlagOverride)
	if mac == i.Segment.Router {
		flags |= ndFlagRouter
	}
	payload := appendAddr(nil, target)
	payload = appendLinkAddr(payload, ndOptionTarget, mac)
	p.advertise(i, mac, wire.Header{Src: target, Dst: q.Flow.Src, TTL: 255}, wire.ICMPv6NeighborAdvertisement, flags, payload)
	return trace.Answered
}

// answerRS answers with the router's address and MAC address, without prefixes, and
// with the word that addresses come by DHCPv6
// (EC2 guide, "Configure IPv6 on your instances").
func (p *Port) answerRS(i *Interface, q *wire.Packet) trace.Reason {
	router, ok := i.Segment.linkLocalRouter()
	if !ok || q.VerifyChecksum() != nil {
		return trace.Answered
	}
	payload := make([]byte, 8, 48) // reachable and retransmission timers: unspecified
	payload = appendLinkAddr(payload, ndOptionSource, i.Segment.Router)
	const hopLimit, lifetime = 64, 1800
	dst := q.Flow.Src
	if !dst.IsValid() {
		dst = wire.MustParseAddr("ff02::1")
	}
	p.advertise(i, i.Segment.Router, wire.Header{Src: router, Dst: dst, TTL: 255},
		wire.ICMPv6RouterAdvertisement, hopLimit<<24|raManaged<<16|lifetime, payload)
	return trace.Answered
}

func (p *Port) advertise(i *Interface, from wire.MAC, h wire.Header, typ uint8, rest uint32, payload []byte) {
	frame := make([]byte, wire.EthernetLen, wire.EthernetLen+wire.IPv6Len+wire.ICMPLen+len(payload))
	wire.PutEthernet(frame, i.MAC, from, wire.EtherTypeIPv6)
	p.later(wire.AppendICMP(frame, h, typ, 0, rest, payload))
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

func appendAddr(b []byte, a wire.Addr) []byte {
	hi, lo := a.Words()
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, hi), lo)
}

// appendLinkAddr appends a link-layer address option: type, length in units of 8
// bytes, address (RFC 4861 section 4.6.1).
func appendLinkAddr(b []byte, option byte, mac wire.MAC) []byte {
	return append(append(b, option, 1), mac[:]...)
}
