package capture

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/wire"
)

// Rewrite moves frames from the addresses that they were captured with to others,
// so that a capture from anywhere can be replayed in a simulated network. It
// rewrites IP and Ethernet addresses in link headers, in IP headers, in the
// packets that ICMP errors quote, in ARP, and in the targets and link-layer
// address options of neighbour solicitations and advertisements; checksums are
// kept as right, or as wrong, as they were. The zero Rewrite changes nothing.
type Rewrite struct {
	addrs map[wire.Addr]wire.Addr
	macs  map[wire.MAC]wire.MAC
	// FillChecksums computes the checksums of TCP, UDP and ICMP anew: a capture at the
	// sender shows them before the network card has filled them in. Not in fragments,
	// nor where a routing header has segments left.
	FillChecksums bool
}

// NewRewrite returns a Rewrite from old to new addresses. Either map may be nil.
// An error names an address that would change its family.
func NewRewrite(addrs map[netip.Addr]netip.Addr, macs map[wire.MAC]wire.MAC) (Rewrite, error) {
	r := Rewrite{addrs: map[wire.Addr]wire.Addr{}, macs: map[wire.MAC]wire.MAC{}}
	for from, to := range addrs {
		a, b := wire.AddrFrom(from), wire.AddrFrom(to)
		if !from.IsValid() || !to.IsValid() || a.Is4() != b.Is4() {
			return Rewrite{}, fmt.Errorf("capture: %s can't become %s: expected two addresses of one family", from, to)
		}
		r.addrs[a] = b
	}
	for from, to := range macs {
		r.macs[from] = to
	}
	return r, nil
}

// Frame rewrites f in place. An error is a [wire.Fault]: the packet in f, or its
// ARP, is malformed or was not captured whole, and only the link header was
// rewritten.
func (r Rewrite) Frame(f Frame) error {
	r.link(f)
	t, b, ok := f.Payload()
	if !ok {
		return wire.ShortFrame
	}
	switch t {
	case wire.EtherTypeARP:
		return r.arp(b)
	case wire.EtherTypeIPv4, wire.EtherTypeIPv6:
		return r.packet(b)
	}
	return nil
}

// link rewrites the addresses before the payload.
func (r Rewrite) link(f Frame) {
	b := f.Bytes
	switch f.Link.known() {
	case LinkEthernet:
		if len(b) >= wire.EthernetLen {
			r.mac(b)
			r.mac(b[6:])
		}
	case LinkLinuxSLL:
		if len(b) >= sllLen && binary.BigEndian.Uint16(b[4:]) == 6 {
			r.mac(b[6:])
		}
	case LinkLinuxSLL2:
		if len(b) >= sll2Len && b[11] == 6 {
			r.mac(b[12:])
		}
	}
}

// mac rewrites the Ethernet address that b begins with and reports what it did to
// the sum of all bytes.
func (r Rewrite) mac(b []byte) (d wire.Delta) {
	to, ok := r.macs[wire.MAC(b)]
	if !ok {
		return 0
	}
	for i := 0; i < len(to); i += 2 {
		d = d.Plus(wire.Delta16(binary.BigEndian.Uint16(b[i:]), binary.BigEndian.Uint16(to[i:])))
	}
	copy(b, to[:])
	return d
}

// addr returns what a becomes: itself, where nothing else is asked.
func (r Rewrite) addr(a wire.Addr) wire.Addr {
	if to, ok := r.addrs[a]; ok {
		return to
	}
	return a
}

func (r Rewrite) arp(b []byte) error {
	a := wire.ARP(b)
	if err := a.Check(); err != nil {
		return err
	}
	sender, target := r.addr(a.Sender()), r.addr(a.Target())
	r.mac(b[8:])
	r.mac(b[18:])
	binary.BigEndian.PutUint32(b[14:], sender.V4())
	binary.BigEndian.PutUint32(b[24:], target.V4())
	return nil
}

func (r Rewrite) packet(b []byte) error {
	var p wire.Packet
	if err := p.Read(b); err != nil {
		return err
	}
	if in, ok := p.Inner(); ok {
		in.SetSrc(r.addr(in.Flow.Src), in.Flow.SrcPort)
		in.SetDst(r.addr(in.Flow.Dst), in.Flow.DstPort)
	}
	p.SetSrc(r.addr(p.Flow.Src), p.Flow.SrcPort)
	p.SetDst(r.addr(p.Flow.Dst), p.Flow.DstPort)
	if p.Flow.Proto == wire.ProtoICMPv6 && p.Fragment == wire.Whole {
		r.neighbor(p.Transport(), p.Type)
	}
	if r.FillChecksums && p.Fragment == wire.Whole {
		fillChecksum(&p)
	}
	return nil
}

// neighbor rewrites what neighbour discovery says of addresses (RFC 4861 sections
// 4.3, 4.4 and 4.6.1).
func (r Rewrite) neighbor(m []byte, typ uint8) {
	const fixed = wire.ICMPLen + 16
	if typ != wire.ICMPv6NeighborSolicitation && typ != wire.ICMPv6NeighborAdvertisement || len(m) < fixed {
		return
	}
	target := wire.AddrFrom16([16]byte(m[wire.ICMPLen:fixed]))
	d := wire.DeltaAddr(target, r.addr(target))
	to := r.addr(target).Netip().As16()
	copy(m[wire.ICMPLen:], to[:])
	for o := m[fixed:]; len(o) >= 8; {
		n := 8 * int(o[1])
		if n == 0 || n > len(o) {
			break
		}
		const source, target = 1, 2
		if n == 8 && (o[0] == source || o[0] == target) {
			d = d.Plus(r.mac(o[2:]))
		}
		o = o[n:]
	}
	binary.BigEndian.PutUint16(m[2:], d.Apply(binary.BigEndian.Uint16(m[2:])))
}

// fillChecksum computes a whole packet's transport checksum over all its bytes.
func fillChecksum(p *wire.Packet) {
	t, at := p.Transport(), 0
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		at = 16
	case wire.ProtoUDP:
		at = 6
		t = t[:wire.UDP(t).Len()]
	case wire.ProtoICMP, wire.ProtoICMPv6:
		at = 2
	}
	if at == 0 || segmentsLeft(p) || p.Is4() && p.Flow.Proto == wire.ProtoICMPv6 || !p.Is4() && p.Flow.Proto == wire.ProtoICMP {
		return
	}
	binary.BigEndian.PutUint16(t[at:], 0)
	var covered []byte
	if p.Flow.Proto != wire.ProtoICMP {
		covered = pseudoHeader(p.Flow, len(t))
	}
	sum := wire.Checksum(append(covered, t...))
	if sum == 0 && p.Flow.Proto == wire.ProtoUDP {
		sum = 0xffff // RFC 768: 0 says that there is none
	}
	binary.BigEndian.PutUint16(t[at:], sum)
}

// segmentsLeft reports whether a routing header will change the destination, which
// then is not the one that the checksum covers (RFC 8200 section 8.1).
func segmentsLeft(p *wire.Packet) bool {
	b, l4 := p.Bytes(), p.Len()-len(p.Transport())
	if p.Is4() {
		return false
	}
	next := wire.IPv6(b).NextHeader()
	for at := wire.IPv6Len; at+4 <= l4; {
		if next == protoRouting && b[at+3] != 0 {
			return true
		}
		n := 8 * (int(b[at+1]) + 1)
		switch next {
		case protoFragment:
			n = 8
		case protoAuth:
			n = 4 * (int(b[at+1]) + 2)
		}
		next, at = wire.Proto(b[at]), at+n
	}
	return false
}

// pseudoHeader is what a transport's checksum covers besides its own bytes (RFC
// 8200 section 8.1). IPv4's (RFC 9293 section 3.1) sums to the same: ::ffff:0:0/96
// adds 0xffff, which is zero in one's complement.
func pseudoHeader(f wire.Flow, length int) []byte {
	var b []byte
	for _, a := range []wire.Addr{f.Src, f.Dst} {
		hi, lo := a.Words()
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, hi), lo)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, byte(f.Proto))
}
