// Package route matches an IP address with the most specific of the routes
// that contain it: longest-prefix match (RFC 1812, section 5.2.4.3).
//
// There are two forms of one table. [Table] is what people build and change, a
// binary trie. [FIB] is what packets are looked up in, a read-only form made
// from a Table by [Table.Compile]; RFC 3222, section 5.3, calls it a forwarding
// information base.
//
//	var t route.Table[string]
//	t.Insert(netip.MustParsePrefix("10.0.0.0/16"), "local")
//	t.Insert(netip.MustParsePrefix("0.0.0.0/0"), "igw")
//	fib := t.Compile()
//	target, ok := fib.Lookup(netip.MustParseAddr("10.0.1.9")) // "local", true
//
// IPv4 and IPv6 routes live in one table and never match each other's
// addresses. An IPv4-mapped IPv6 address (::ffff:10.0.0.1) is the IPv4 address
// it maps, and so is a prefix of 96 bits or more below ::ffff:0:0/96. Zones are
// ignored: fe80::1%eth0 is fe80::1.
//
// The package knows nothing of targets, of route priority between equal
// prefixes or of AWS; those are the business of whoever inserts.
package route
