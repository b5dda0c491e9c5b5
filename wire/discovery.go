package wire

import (
	"encoding/binary"
	"time"
)

// DiscoveryHopLimit is the hop limit of every neighbour discovery message: what
// arrives with it no router has forwarded (RFC 4861 section 3.1). The builders set it.
const DiscoveryHopLimit = 255

// IsDiscovery reports whether p is a neighbour discovery message: router or neighbour
// solicitation or advertisement, or redirect (RFC 4861 section 4).
func (p *Packet) IsDiscovery() bool {
	return p.at.proto == ProtoICMPv6 && p.Type >= ICMPv6RouterSolicitation && p.Type <= ICMPv6Redirect
}

// CheckDiscovery says whether a receiver may act on a neighbour discovery message:
// [BadDiscovery] where RFC 4861 sections 6.1, 7.1 or 8.1 have it discarded, [BadChecksum]
// where its checksum is wrong. After nil the message's view and its options may be
// read. It panics where p is no such message. It does not allocate.
func (p *Packet) CheckDiscovery() error {
	if !p.IsDiscovery() {
		panic("wire: CheckDiscovery of a packet that is no neighbour discovery message")
	}
	if p.TTL() != DiscoveryHopLimit || p.Code != 0 || p.Fragment != Whole {
		return BadDiscovery
	}
	if err := p.VerifyChecksum(); err != nil {
		return err
	}
	return p.checkDiscovery(p.Transport()).err()
}

// checkDiscovery holds the message at m to the rules of its type.
func (p *Packet) checkDiscovery(m []byte) Fault {
	n := discoveryLen(p.Type)
	if len(m) < n || DiscoveryOptions(m[n:]).check() != NoFault {
		return BadDiscovery
	}
	src, dst := p.Flow.Src, p.Flow.Dst
	_, named := DiscoveryOptions(m[n:]).LinkAddr(SourceLinkAddr)
	ok := true
	switch p.Type {
	case ICMPv6RouterSolicitation:
		ok = src.IsValid() || !named
	case ICMPv6NeighborSolicitation:
		target := NeighborMessage(m).Target()
		ok = !target.IsMulticast() && (src.IsValid() || !named && dst == SolicitedNode(target))
	case ICMPv6NeighborAdvertisement:
		a := NeighborMessage(m)
		ok = !a.Target().IsMulticast() && !(dst.IsMulticast() && a.Flags()&Solicited != 0)
	case ICMPv6RouterAdvertisement:
		ok = src.IsLinkLocal()
	case ICMPv6Redirect:
		target, about := AddrFrom16([16]byte(m[8:24])), AddrFrom16([16]byte(m[24:40]))
		ok = src.IsLinkLocal() && !about.IsMulticast() && (target.IsLinkLocal() || target == about)
	}
	if !ok {
		return BadDiscovery
	}
	return NoFault
}

// discoveryLen returns where the options of a message begin, in bytes from its type
// (RFC 4861 sections 4.1 to 4.5).
func discoveryLen(typ uint8) int {
	switch typ {
	case ICMPv6RouterSolicitation:
		return ICMPLen
	case ICMPv6RouterAdvertisement:
		return ICMPLen + 8
	case ICMPv6Redirect:
		return ICMPLen + 32
	}
	return ICMPLen + 16
}

// SolicitedNode returns the group that a neighbour solicitation for a is sent to:
// ff02::1:ff and the last three bytes of a (RFC 4291 section 2.7.1).
func SolicitedNode(a Addr) Addr {
	return Addr{0xff02 << 48, 0x1_ff00_0000 | a.lo&0xffffff}
}

// GroupMAC returns the Ethernet address of a multicast group: 33:33 and its last four
// bytes (RFC 2464 section 7), with IPv4 01:00:5e and its last 23 bits (RFC 1112
// section 6.4). It has no meaning for an address that is no group's.
func GroupMAC(a Addr) MAC {
	v := a.V4()
	if a.Is4() {
		return MAC{0x01, 0x00, 0x5e, byte(v>>16) & 0x7f, byte(v >> 8), byte(v)}
	}
	return MAC{0x33, 0x33, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// NeighborFlags are the bits of a neighbour advertisement (RFC 4861 section 4.4).
type NeighborFlags uint8

// The bits, in their places on the wire.
const (
	// Override: what the receiver has cached is to be replaced.
	Override NeighborFlags = 0x20 << iota
	// Solicited: the advertisement answers a solicitation.
	Solicited
	// Router: the sender is a router.
	Router
)

// NeighborMessage is a view of a neighbour solicitation or advertisement from its
// ICMPv6 type (RFC 4861 sections 4.3, 4.4).
type NeighborMessage []byte

// Check reports [BadDiscovery] where the message is cut short or its options are
// none. The rules of its packet are [Packet.CheckDiscovery]'s.
func (m NeighborMessage) Check() error {
	if len(m) < ICMPLen+16 {
		return BadDiscovery
	}
	return m.Options().check().err()
}

// Flags returns the flags of an advertisement; a solicitation has none.
func (m NeighborMessage) Flags() NeighborFlags { return NeighborFlags(m[4] & 0xe0) }

// Target returns the address that is asked for or advertised.
func (m NeighborMessage) Target() Addr { return AddrFrom16([16]byte(m[8:24])) }

// Options returns the options; they share m's memory.
func (m NeighborMessage) Options() DiscoveryOptions { return DiscoveryOptions(m[24:]) }

// AppendNeighborSolicitation appends a neighbour solicitation for target in its
// packet to b, to h.Dst or, where that is the zero Addr, to target's [SolicitedNode].
// mac is h.Src's Ethernet address; it is left out where h.Src is ::, which asks
// whether target is taken (RFC 4862 section 5.4.2).
func AppendNeighborSolicitation(b []byte, h Header, target Addr, mac MAC) []byte {
	if !h.Dst.IsValid() {
		h.Dst = SolicitedNode(target)
	}
	body := appendAddr(make([]byte, 0, 24), target)
	if h.Src.IsValid() {
		body = AppendLinkAddr(body, SourceLinkAddr, mac)
	}
	h.TTL = DiscoveryHopLimit
	return AppendICMP(b, h, ICMPv6NeighborSolicitation, 0, 0, body)
}

// AppendNeighborAdvertisement appends a neighbour advertisement in its packet to b:
// target is at mac.
func AppendNeighborAdvertisement(b []byte, h Header, flags NeighborFlags, target Addr, mac MAC) []byte {
	body := AppendLinkAddr(appendAddr(make([]byte, 0, 24), target), TargetLinkAddr, mac)
	h.TTL = DiscoveryHopLimit
	return AppendICMP(b, h, ICMPv6NeighborAdvertisement, 0, uint32(flags)<<24, body)
}

// AppendRouterSolicitation appends a router solicitation in its packet to b, with
// options such as [AppendLinkAddr] makes.
func AppendRouterSolicitation(b []byte, h Header, options DiscoveryOptions) []byte {
	h.TTL = DiscoveryHopLimit
	return AppendICMP(b, h, ICMPv6RouterSolicitation, 0, 0, options)
}

// Advertisement is what a router advertisement says beside its options (RFC 4861
// section 4.2). The zero Advertisement is that of a router that is no default router.
type Advertisement struct {
	// HopLimit is what hosts are to send with; 0 leaves it to them.
	HopLimit uint8
	// Managed: addresses come by DHCPv6. Other: other configuration does.
	Managed, Other bool
	// Lifetime is how long the router is a default router, in whole seconds to
	// 65,535; 0 says that it is none.
	Lifetime time.Duration
	// Reachable and Retransmit are for neighbour unreachability detection, in whole
	// milliseconds to 2³²−1; 0 leaves them to the host.
	Reachable, Retransmit time.Duration
}

// AppendRouterAdvertisement appends a router advertisement in its packet to b, with
// options such as [AppendPrefix] makes. Durations are cut to their units and bounds.
func AppendRouterAdvertisement(b []byte, h Header, a Advertisement, options DiscoveryOptions) []byte {
	rest := uint32(a.HopLimit)<<24 | uint32(bit(a.Managed, 0x80)|bit(a.Other, 0x40))<<16
	rest |= units(a.Lifetime, time.Second, 0xffff)
	body := make([]byte, 0, 8+len(options))
	body = binary.BigEndian.AppendUint32(body, units(a.Reachable, time.Millisecond, 0xffffffff))
	body = binary.BigEndian.AppendUint32(body, units(a.Retransmit, time.Millisecond, 0xffffffff))
	h.TTL = DiscoveryHopLimit
	return AppendICMP(b, h, ICMPv6RouterAdvertisement, 0, rest, append(body, options...))
}

// units returns d in whole units, from 0 to the most that fits.
func units(d, unit time.Duration, most uint32) uint32 {
	return uint32(min(max(d/unit, 0), time.Duration(most)))
}

// RouterAdvertisement is a view of one from its ICMPv6 type (RFC 4861 section 4.2).
type RouterAdvertisement []byte

// Check reports [BadDiscovery] where the message is cut short or its options are none.
func (m RouterAdvertisement) Check() error {
	if len(m) < ICMPLen+8 {
		return BadDiscovery
	}
	return m.Options().check().err()
}

// Advertisement returns what the message says beside its options.
func (m RouterAdvertisement) Advertisement() Advertisement {
	return Advertisement{
		HopLimit:   m[4],
		Managed:    m[5]&0x80 != 0,
		Other:      m[5]&0x40 != 0,
		Lifetime:   time.Duration(binary.BigEndian.Uint16(m[6:])) * time.Second,
		Reachable:  time.Duration(binary.BigEndian.Uint32(m[8:])) * time.Millisecond,
		Retransmit: time.Duration(binary.BigEndian.Uint32(m[12:])) * time.Millisecond,
	}
}

// Options returns the options; they share m's memory.
func (m RouterAdvertisement) Options() DiscoveryOptions { return DiscoveryOptions(m[16:]) }
