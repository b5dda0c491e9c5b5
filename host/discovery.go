package host

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Neighbour discovery (RFC 4861), as much of it as takes the place of ARP.

// solicit asks for a neighbour: its group while nothing is known, then itself.
func (e *neighbor) solicit(src wire.Addr) {
	n, head := e.key.nic, wire.Header{Src: src, Dst: wire.SolicitedNode(e.key.addr)}
	mac := wire.GroupMAC(head.Dst)
	if e.state == probing {
		head.Dst, mac = e.key.addr, e.mac
	}
	n.transmit(mac, wire.AppendNeighborSolicitation(nil, head, e.key.addr, n.mac))
}

// discovery takes a solicitation or an advertisement; false says that the packet
// is neither.
func (h *Host) discovery(n *NIC, p *wire.Packet) (trace.Reason, bool) {
	if p.Flow.Proto != wire.ProtoICMPv6 || p.Type != wire.ICMPv6NeighborSolicitation && p.Type != wire.ICMPv6NeighborAdvertisement {
		return trace.None, false
	}
	if n.kind != ethernet {
		return trace.Malformed, true
	}
	switch p.CheckDiscovery() {
	case nil:
	case wire.BadChecksum:
		return trace.BadChecksum, true
	default:
		return trace.Malformed, true
	}
	m := wire.NeighborMessage(p.Transport())
	if p.Type == wire.ICMPv6NeighborSolicitation {
		h.advertise(n, p, m)
		return trace.Delivered, true
	}
	mac, ok := m.Options().LinkAddr(wire.TargetLinkAddr)
	if e := h.neighbors[neighborKey{n, m.Target()}]; e != nil && ok {
		e.learned(mac, m.Flags()&wire.Solicited != 0)
	}
	return trace.Delivered, true
}

// advertise answers a solicitation for one of the guest's addresses.
func (h *Host) advertise(n *NIC, p *wire.Packet, m wire.NeighborMessage) {
	mac, ok := m.Options().LinkAddr(wire.SourceLinkAddr)
	if !ok || !n.owns(m.Target()) {
		return
	}
	k := neighborKey{n, p.Flow.Src}
	e := h.neighbors[k]
	if e == nil {
		e = h.newNeighbor(k)
	}
	e.learned(mac, false)
	flags := wire.Solicited | wire.Override
	if n.forwards(false) {
		flags |= wire.Router
	}
	head := wire.Header{Src: m.Target(), Dst: k.addr}
	n.transmit(mac, wire.AppendNeighborAdvertisement(nil, head, flags, m.Target(), n.mac))
}
