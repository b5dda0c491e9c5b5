package route

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// key is an address, or the address of a prefix, as 128 bits that start at the
// highest. An IPv4 address takes the first 32 bits and the rest are zero, so
// that bit i means the same for both families.
type key struct{ hi, lo uint64 }

// family tells whose addresses a key's bits are.
type family uint8

const (
	ipv4 family = iota + 1
	ipv6
)

// width is the number of bits in an address of f.
func (f family) width() int {
	if f == ipv4 {
		return 32
	}
	return 128
}

// mapped is the upper half of lo in ::ffff:0:0/96 (RFC 4291, section 2.5.5.2).
const mapped = 0xffff

// unpack returns the key of the address whose 16 bytes are hi and lo, IPv4
// written as ::ffff:a.b.c.d.
func unpack(hi, lo uint64) (key, family) {
	if hi == 0 && lo>>32 == mapped {
		return key{lo << 32, 0}, ipv4
	}
	return key{hi, lo}, ipv6
}

// addrKey returns the key of a, which must be valid.
func addrKey(a netip.Addr) (key, family) {
	if a.Is4() {
		b := a.As4()
		return key{hi: uint64(binary.BigEndian.Uint32(b[:])) << 32}, ipv4
	}
	b := a.AsSlice() // on the stack, and faster than As16: see FIB.Lookup
	return unpack(binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]))
}

// prefixKey returns the key and length of p without its host bits; ok is false
// if p is invalid.
func prefixKey(p netip.Prefix) (k key, n int, f family, ok bool) {
	if !p.IsValid() {
		return key{}, 0, 0, false
	}
	n = p.Bits()
	k, f = addrKey(p.Addr())
	switch {
	case p.Addr().Is4() || f == ipv6:
	case n >= 96:
		n -= 96
	default: // a prefix that is wider than ::ffff:0:0/96 is IPv6
		k, f = key{0, uint64(mapped)<<32 | k.hi>>32}, ipv6
	}
	return k.masked(n), n, f, true
}

// prefix is the inverse of prefixKey.
func (k key) prefix(n int, f family) netip.Prefix {
	if f == ipv4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(k.hi>>32))
		return netip.PrefixFrom(netip.AddrFrom4(b), n)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	return netip.PrefixFrom(netip.AddrFrom16(b), n)
}

// mask returns a key whose first n bits are set.
func mask(n int) key {
	// A shift by 64 or more gives zero in Go, which is what is wanted here.
	return key{^(^uint64(0) >> min(n, 64)), ^(^uint64(0) >> max(n-64, 0))}
}

// masked returns k with all but its first n bits cleared.
func (k key) masked(n int) key {
	m := mask(n)
	return key{k.hi & m.hi, k.lo & m.lo}
}

// bit returns bit i of k, 0 or 1; bit 0 is the first.
func (k key) bit(i int) int {
	if i < 64 {
		return int(k.hi >> (63 - i) & 1)
	}
	return int(k.lo >> (127 - i) & 1)
}

// common returns the number of leading bits that k and o share.
func (k key) common(o key) int {
	if d := k.hi ^ o.hi; d != 0 {
		return bits.LeadingZeros64(d)
	}
	return 64 + bits.LeadingZeros64(k.lo^o.lo)
}

// within reports whether k starts with the first n bits of o.
func (k key) within(o key, n int) bool {
	m := mask(n)
	return (k.hi^o.hi)&m.hi|(k.lo^o.lo)&m.lo == 0
}
