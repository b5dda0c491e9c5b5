// Package intent is a language for what a network shall do, one sentence a line, that
// people who run networks and people who answer for them both read:
//
//	# the application
//	web -> db tcp/5432 reachable
//	internet -> db any blocked
//	internet -> db tcp/22 blocked by IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS
//	app -> internet tcp/443 reachable via nat-a
//	app -> internet via nat-a
//
// A line is
//
//	FROM -> TO [TRAFFIC] reachable [via NAME …]
//	FROM -> TO [TRAFFIC] blocked [by CODE]
//	FROM -> TO [TRAFFIC] via NAME …
//
// FROM and TO are a Name tag, an id, an address, a CIDR, or internet. A name with
// blanks, or one that is a word of the language, stands in double quotes, in which \" and
// \\ are a quote and a backslash. A name that several things have stands for all of them.
// TRAFFIC is icmp, tcp/443, udp/53, tcp/8000-8010, tcp, udp or any, which is icmp and
// all of tcp and udp; without it the line means any. CODE is an explanation code. What follows "#" is a comment.
//
// [Parse] reads a file and [File.String] prints it; a printed file reads as the same
// file.
package intent
