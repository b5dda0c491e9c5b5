// Package netfilter is the packet filter of a simulated Linux guest: its tables nat
// and filter, given and listed in iptables' own words, and the connection tracking
// under them. It imports nothing of the running kernel: same rules and same packets
// at the same instants give the same result.
//
// # The way through
//
// A guest leads each packet past the hooks in Linux's order, with one [Passage]:
//
//	received   Prerouting ─► route ─► Input   ─► deliver
//	                           └────► Forward ─► Postrouting ─► send
//	made here  Output ─► Postrouting ─► send
//
// Packets come whole: the caller puts fragments together first (package reasm), as
// Linux does in front of its connection tracking.
//
// # What it follows
//
// Connection tracking and translation are Linux's (kernel documentation,
// nf_conntrack-sysctl; compared in this package's tests with a real kernel): only
// the first packet of a connection passes the table nat and counts there, answers
// are translated back without a rule, ICMP errors go the way of the packet they
// quote, and what is INVALID passes untranslated. The clash of two connections is
// solved by another source port out of the same class of ports.
//
// # What it is not
//
// User-defined chains, the tables mangle, raw and security, names in place of
// addresses and ports, TCP window tracking (Linux with nf_conntrack_tcp_be_liberal=1)
// and the matches not listed at [Tables.Run] are not modelled, and refused.
//
// Where it differs from Linux in silence:
//
//   - A connection that MASQUERADE translated keeps its address when the interface
//     loses it, and when the connection begins to leave by another one. Linux ends the
//     one and drops the other's packets. See [Tables.Forget].
//   - An ICMP redirect that is received is INVALID; in Linux it is RELATED to the
//     connection that it quotes. Those made here are dropped past a translation, as in Linux.
//   - A REJECT's RST about a connection that is not known yet asks no rule of the chain
//     POSTROUTING; in Linux it does, in the connection's name, and counts there.
//   - Node information queries of ICMPv6 (RFC 4620) are INVALID; Linux tracks them.
//   - A packet whose transport header is cut or makes no sense never comes here, as
//     wire.Packet does not read it; Linux has it pass INVALID.
package netfilter
