// Package wire knows bytes: views over header bytes (Ethernet, ARP, IPv4, IPv6,
// UDP, TCP, ICMPv4, ICMPv6), the [Packet] with the facts a dataplane steers by,
// rewriting in place with incremental checksums, builders of packets, of ICMP errors
// and of neighbour discovery, and the cutting of packets into fragments.
//
// It knows RFCs and nothing of AWS; it imports the standard library only. It keeps no
// state: fragments are put together, addresses resolved and connections followed by
// those above it.
//
// # Two forms of a header
//
// A view ([IPv4], [UDP], …) is a []byte with a method for each field. Its Check
// method says whether the bytes hold such a header; once Check has returned nil,
// no accessor of the view panics. Views own nothing and never allocate; what is in a
// buffer that no Check has seen is not safe to look at.
//
// A [Packet] is one IP packet read once: its [Flow], its fragment position, its
// ICMP type, its TCP flags. Whoever rewrites it goes through its Set methods,
// which change the bytes, the checksums and the facts together. An ICMP error's
// [Packet.Inner] is the packet that it quotes, rewritten in the same way.
//
// # Addresses
//
// [Addr] holds an IPv4 or IPv6 address in two words without a pointer, so that a
// [Flow] is its own map key, of one type for both families, and tables of flows
// cost the garbage collector nothing. [net/netip] is the language of
// configuration; Addr is the language of packets.
package wire
