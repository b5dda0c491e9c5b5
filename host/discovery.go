package host

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Neighbour discovery (RFC 4861). Its messages are carried with hop limit 255,
// which proves that no router has forwarded them.

const (
	discoveryHopLimit = 255

	sourceLinkAddr = 1 // option: the sender's Ethernet address
	targetLinkAddr = 2 // option: the target's

	flagSolicited = 1 << 30 // of an advertisement
	flagOverride  = 1 << 29
)

// solicitedNode returns the multicast group of all stations whose address ends as
// a does (RFC 4291 section 2.7.1).
func solicitedNode(a wire.Addr) wire.Addr {
	_, lo := a.Words()
	return wire.AddrFromWords(0xff02<<48, 1<<32|0xff<<24|lo&0xffffff)
}

// solicit asks for a neighbour: its group while nothing is known, then itself.
func (e *neighbor) solicit(src wire.Addr) {
	n := e.key.nic
	dst := solicitedNode(e.key.addr)
	mac := multicastMAC(dst)
	if e.state == probing {
		dst, mac = e.key.addr, e.mac
	}
	n.discover(mac, src, dst, wire.ICMPv6NeighborSolicitation, 0, e.key.addr, sourceLinkAddr)
}

// discover sends a message about target with the interface's Ethernet address.
func (n *NIC) discover(mac wire.MAC, src, dst wire.Addr, typ uint8, flags uint32, target wire.Addr, option byte) {
	body := target.Netip().As16()
	b := append(body[:], option, 1)
	b = append(b, n.mac[:]...)
	h := wire.Header{Src: src, Dst: dst, TTL: discoveryHopLimit}
	n.transmitFrame(mac, wire.EtherTypeIPv6, wire.AppendICMP(nil, h, typ, 0, flags, b))
}

// discovery takes a solicitation or an advertisement; false says that the packet
// is neither.
func (h *Host) discovery(n *NIC, p *wire.Packet) (trace.Reason, bool) {
	if p.Flow.Proto != wire.ProtoICMPv6 || p.Type != wire.ICMPv6NeighborSolicitation && p.Type != wire.ICMPv6NeighborAdvertisement {
		return trace.None, false
	}
	m := wire.ICMP(p.Transport())
	body := m.Payload()
	if n.kind != ethernet || p.TTL() != discoveryHopLimit || p.Code != 0 || len(body) < 16 {
		return trace.Malformed, true
	}
	if p.VerifyChecksum() != nil {
		return trace.BadChecksum, true
	}
	target := wire.AddrFrom16([16]byte(body))
	if p.Type == wire.ICMPv6NeighborAdvertisement {
		mac, ok := linkAddr(body[16:], targetLinkAddr)
		if e := h.neighbors[neighborKey{n, target}]; e != nil && ok {
			e.learned(mac, m.MTU()&flagSolicited != 0)
		}
		return trace.Delivered, true
	}
	h.advertise(n, p, target, body[16:])
	return trace.Delivered, true
}

// advertise answers a solicitation for one of the guest's addresses.
func (h *Host) advertise(n *NIC, p *wire.Packet, target wire.Addr, options []byte) {
	mac, ok := linkAddr(options, sourceLinkAddr)
	if !ok || !n.owns(target) || !p.Flow.Src.IsValid() {
		return
	}
	k := neighborKey{n, p.Flow.Src}
	e := h.neighbors[k]
	if e == nil {
		e = h.newNeighbor(k)
	}
	e.learned(mac, false)
	n.discover(mac, target, p.Flow.Src, wire.ICMPv6NeighborAdvertisement, flagSolicited|flagOverride, target, targetLinkAddr)
}

// linkAddr returns the Ethernet address in the option of a kind (RFC 4861 section
// 4.6.1), whose length counts units of 8 bytes.
func linkAddr(options []byte, kind byte) (wire.MAC, bool) {
	for len(options) >= 8 && options[1] > 0 {
		n := int(options[1]) * 8
		if n > len(options) {
			break
		}
		if options[0] == kind {
			return wire.MAC(options[2:8]), true
		}
		options = options[n:]
	}
	return wire.MAC{}, false
}
