// Package resolver is the DNS of VPCs: the resolver at base+2 of a VPC's primary CIDR,
// at 169.254.169.253 and at fd00:ec2::253 (VPC guide, "Amazon DNS server"), private
// hosted zones, and what the rest of the internet is answered.
//
// The answer depends on who asks. A name is looked for, in this order,
//
//   - in the private hosted zones of the VPC, the longest one first: what such a zone
//     does not have does not exist (Route 53 guide, "Private hosted zones");
//   - among the names that lead to interface endpoints in this VPC alone;
//   - among private names of instances: ip-10-0-1-55.<region>.compute.internal and, where
//     the subnet has them, i-….<region>.compute.internal; reverse names of the VPC's CIDRs;
//   - among public names of instances, ec2-203-0-113-25.<region>.compute.amazonaws.com,
//     which lead to the private address inside the VPC and to the public one elsewhere;
//   - among the names of load balancers, endpoints and databases;
//   - among the names that the user gave the internet ([Resolver.SetPublic]).
//
// Groups and network ACLs filter none of it; a VPC without DNS support has no resolver,
// and no other network reaches it. The limit of 1,024 packets a second is not modelled.
package resolver

import "net/netip"

// The resolver's addresses beside base+2.
var (
	Addr4 = netip.MustParseAddr("169.254.169.253")
	Addr6 = netip.MustParseAddr("fd00:ec2::253")
)

// Prefix64 is where DNS64 puts IPv4 addresses (RFC 6052 section 2.1; VPC guide, "DNS64
// and NAT64").
var Prefix64 = netip.MustParsePrefix("64:ff9b::/96")
