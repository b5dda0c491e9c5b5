// Package nat is network address translation as mechanism: [Static] is basic NAT,
// one address for one (RFC 3022 section 2.1); [Table] remembers sessions and what
// becomes of their packets (RFC 4787, RFC 5382, RFC 5508); [Masquerade] is a NAPT as
// a NAT gateway does it, on top of a Table.
//
// Directions are a session's: [Original] is the way its opener sends, [Reply] the way
// back. A session is two tuples, as in Linux's conntrack:
//
//	10.0.0.11:4000 > 198.51.100.7:53      Original: as the opener sends
//	198.51.100.7:53 > 10.0.0.5:25340      Reply: as the answers come
//
// A packet that matches one tuple leaves as the other one reversed; so one code
// translates source and destination, forth and back, IPv4 and IPv6.
//
// The package decides what a packet becomes. It sends nothing, builds no ICMP error
// and no RST, routes nothing and knows no resource of AWS: those are its callers'.
// Time is an argument and never goes back; randomness is the configuration's seed.
// Nothing here may be used by two goroutines at once.
package nat
