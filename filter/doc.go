// Package filter decides which packets pass: [ACL] (ordered rules, allow and
// deny, stateless), [Groups] (rules that only allow, all of one interface
// together) and [Tracker] (the flows that were let through, so that their answers
// are too).
//
// It is mechanism: numbers, prefixes, ports, flows, time. What a security group or
// a network ACL is, who owns it and what the API refuses stands in package vpc,
// which compiles its resources into the types here.
//
// # An interface asks
//
//	if flows.Knows(filter.Ingress, p, now) {
//		pass
//	}
//	m, ok := groups.Ingress(p)
//	if !ok {
//		drop: no rule
//	}
//	if !m.Untracked && !flows.Admit(filter.Ingress, p, now) {
//		drop: conntrack_allowance_exceeded
//	}
//	pass
//
// # Directions
//
// [Ingress] and [Egress] are always the interface's: into it and out of it. The
// same bytes passing first in and then out, as through an appliance, are two flows.
//
// # Later fragments
//
// A fragment after the first has no ports, and AWS does not document what becomes
// of it. Modelled (an inference, after RFC 1858 section 3 and common routers):
// a rule that allows matches it by addresses and protocol alone, a rule that denies
// certain ports or ICMP types does not match it; without its first fragment it is of no use
// to anybody. A Tracker lets it follow a first fragment that it knew or admitted, for 30 seconds.
package filter
