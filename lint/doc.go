// Package lint finds the classic mistakes of AWS networks, and proves them: a finding
// about packets comes with a packet, the hops that it passed and where it died or where it
// should not have got. A suspicion that no packet bears out is no finding.
//
// Where a network does not say what it is for, its own rules do: a security group rule
// that names who may come in expects them, a default route expects a way out, a rule that
// is open to the world expects the world. Each such flow is sent; what becomes of it is
// matched with the mistakes. Mistakes of configuration alone (a route that is a black
// hole, a zone that the NAT gateway is not in) are read from the configuration, and say
// that no packet was needed, or that none could prove them.
//
// The rules have the ids of the catalogue in docs/lint.md: RT routes, IG internet
// gateways, EN interfaces, NG NAT gateways, AC network ACLs, SG security groups, PX
// peering, TG transit gateways, GL Gateway Load Balancers, LB load balancers, EP
// endpoints, DN DNS, V6 IPv6, OV overlaps, CO cost.
package lint
