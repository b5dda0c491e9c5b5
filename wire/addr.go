package wire

import (
	"encoding/binary"
	"net/netip"
)

// Addr is an IPv4 or IPv6 address as packets carry it: 16 bytes, comparable, no
// pointer, no zone. An IPv4 address is held as ::ffff:a.b.c.d (RFC 4291 section
// 2.5.5.2), which no IPv6 packet may carry ([MappedAddress]), so the family of
// an Addr is never in doubt. The zero Addr is no address; it is also ::, which
// nothing is ever routed from or to.
type Addr struct{ hi, lo uint64 }

const (
	mapped     = 0xffff_0000_0000 // low word's upper half of an IPv4 address
	mappedMask = 0xffff_ffff_0000_0000
)

// AddrFrom returns a as an Addr, its zone dropped and IPv4-mapped IPv6 taken for
// IPv4. The zero netip.Addr gives the zero Addr. It does not allocate.
func AddrFrom(a netip.Addr) Addr {
	if !a.IsValid() {
		return Addr{}
	}
	return AddrFrom16(a.As16())
}

// MustParseAddr parses an address and panics where [netip.ParseAddr] fails. It is
// for tests and examples with hard-coded strings.
func MustParseAddr(s string) Addr { return AddrFrom(netip.MustParseAddr(s)) }

// AddrFrom4 returns the IPv4 address a.b.c.d of four bytes.
func AddrFrom4(b [4]byte) Addr { return AddrFromV4(binary.BigEndian.Uint32(b[:])) }

// AddrFromV4 returns the IPv4 address whose 32 bits, first octet highest, are v.
func AddrFromV4(v uint32) Addr { return Addr{0, mapped | uint64(v)} }

// AddrFrom16 returns the address of sixteen bytes in network order.
func AddrFrom16(b [16]byte) Addr {
	return Addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// AddrFromWords returns the address whose 128 bits, in network order, are hi and lo.
func AddrFromWords(hi, lo uint64) Addr { return Addr{hi, lo} }

// IsValid reports whether a is an address at all.
func (a Addr) IsValid() bool { return a != Addr{} }

// Is4 reports whether a is an IPv4 address. The zero Addr is not.
func (a Addr) Is4() bool { return a.hi == 0 && a.lo&mappedMask == mapped }

// V4 returns the 32 bits of an IPv4 address, first octet highest. It has no
// meaning where Is4 is false.
func (a Addr) V4() uint32 { return uint32(a.lo) }

// Words returns the 128 bits of a in network order, IPv4 as ::ffff:a.b.c.d.
func (a Addr) Words() (hi, lo uint64) { return a.hi, a.lo }

// Netip returns a as a netip.Addr, IPv4 in its own form. The zero Addr gives the
// zero netip.Addr. It does not allocate.
func (a Addr) Netip() netip.Addr {
	switch {
	case !a.IsValid():
		return netip.Addr{}
	case a.Is4():
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], a.V4())
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

// Compare orders addresses as unsigned integers, so IPv4 sorts among ::ffff:0:0/96.
func (a Addr) Compare(b Addr) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	}
	return 1
}

// IsMulticast reports whether a is in 224.0.0.0/4 (RFC 1112) or ff00::/8 (RFC 4291).
func (a Addr) IsMulticast() bool {
	if a.Is4() {
		return a.V4()>>28 == 0xe
	}
	return a.hi>>56 == 0xff
}

// IsLinkLocal reports whether a is in 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291).
func (a Addr) IsLinkLocal() bool {
	if a.Is4() {
		return a.V4()>>16 == 169<<8|254
	}
	return a.hi>>54 == 0xfe80>>6
}

// IsForwardable reports whether routers send on what is for a: it is neither link-local
// (RFC 3927, RFC 4291) nor multicast.
func (a Addr) IsForwardable() bool {
	if a.Is4() {
		v := a.V4()
		return v>>28 != 0xe && v>>16 != 169<<8|254
	}
	return a.hi>>56 != 0xff && a.hi>>54 != 0xfe80>>6
}

// String returns a in netip's form; the zero Addr is "invalid IP".
func (a Addr) String() string { return a.Netip().String() }

// Prefix is a set of addresses that share their first bits: a CIDR in the form
// that packets are compared with. The zero Prefix contains nothing.
//
// It is four words, no more, so that the compiler keeps it in registers (Go 1.26). So
// its family is not told: an IPv4 prefix is one whose mask has 96 bits at least and
// whose addresses are IPv4. An IPv6 prefix of 0 bits has a bit in addr that is not in
// mask, to be another than the zero Prefix.
type Prefix struct{ addr, mask Addr }

// PrefixFrom returns p for comparing with packets, its host bits dropped. An
// invalid p gives the zero Prefix, and so does an IPv6 prefix of IPv4-mapped addresses
// alone, which no packet has.
func PrefixFrom(p netip.Prefix) Prefix {
	bits, a := p.Bits(), AddrFrom(p.Addr())
	switch {
	case !p.IsValid(), p.Addr().Is4In6() && bits >= 96:
		return Prefix{}
	case p.Addr().Is4():
		bits += 96
	case bits == 0:
		return Prefix{addr: Addr{0, 1}}
	}
	mask := Addr{^uint64(0), ^uint64(0)}
	if bits <= 64 {
		mask = Addr{^uint64(0) << (64 - bits), 0}
	} else {
		mask.lo <<= 128 - bits
	}
	return Prefix{Addr{a.hi & mask.hi, a.lo & mask.lo}, mask}
}

// Contains reports whether a lies in p. IPv4 and IPv6 never contain each other:
// ::/0 holds no IPv4 address. It does not allocate.
func (p Prefix) Contains(a Addr) bool {
	if (a.hi^p.addr.hi)&p.mask.hi|(a.lo^p.addr.lo)&p.mask.lo != 0 {
		return false
	}
	if a.Is4() {
		return p.mask.lo >= mappedMask
	}
	return p.mask.hi|p.addr.lo != 0
}

// Base returns the prefix's first address; the zero Addr of the zero Prefix.
func (p Prefix) Base() Addr { return p.Truncate(p.addr) }

// Truncate returns a with the bits behind the prefix's length cleared: Base, where p
// contains a. It does not allocate.
func (p Prefix) Truncate(a Addr) Addr { return Addr{a.hi & p.mask.hi, a.lo & p.mask.lo} }
