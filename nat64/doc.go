// Package nat64 translates packets between IPv6 and IPv4 as a stateful NAT64 does (RFC
// 6146), header by header (RFC 7915), with IPv4 addresses written as IPv6 ones in
// 64:ff9b::/96 (RFC 6052).
//
// It has two parts that a NAPT joins. [Clients] lends each IPv6 client an IPv4 address
// that nobody else has, of the class E range, so that IPv4's NAPT keeps the sessions of
// both families in one table, with one set of ports, timers and counters. [Clients.Out]
// and [Clients.Back] write a packet of one family as one of the other: out to the NAPT,
// and back from it. What of a packet's checksum was wrong stays wrong.
package nat64

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/wire"
)

// Prefix is the well-known prefix (RFC 6052 section 2.1), which a NAT gateway has (VPC
// guide, "DNS64 and NAT64").
var Prefix = wire.PrefixFrom(netip.MustParsePrefix("64:ff9b::/96"))

// Embed returns the IPv6 address that stands for an IPv4 address.
func Embed(a wire.Addr) wire.Addr {
	hi, _ := Prefix.Base().Words()
	return wire.AddrFromWords(hi, uint64(a.V4()))
}

// Extract returns the IPv4 address that an address within [Prefix] stands for.
func Extract(a wire.Addr) wire.Addr {
	_, lo := a.Words()
	return wire.AddrFromV4(uint32(lo))
}
