// Package vpcsim is the tour of a packet-level simulator of the AWS VPC dataplane;
// it holds no code. Frames go hop by hop through elastic network interfaces with
// source/dest check, security groups, network ACLs, route tables, NAT gateways, NAT
// instances and internet gateways, and every packet's end is a reason.
//
// Start with [github.com/vpcsim/vpcsim/world]: it holds regions, an internet, one
// clock and one engine. Networks are built with [github.com/vpcsim/vpcsim/vpc] and
// a package for each gateway (igw, natgw, tgw and so on); Linux guests are
// [github.com/vpcsim/vpcsim/host]. In tests, [github.com/vpcsim/vpcsim/vpctest]
// says the same in fewer words. A real network is read by
// [github.com/vpcsim/vpcsim/load] of what the aws CLI printed of it, and asked by
// [github.com/vpcsim/vpcsim/reach], [github.com/vpcsim/vpcsim/intent],
// [github.com/vpcsim/vpcsim/lint] and the command cmd/vpcsim.
//
// Floors, lowest first; a package imports only lower ones (tidy_test.go holds it, and
// docs/architecture.md has a sentence about each):
//
//	0  wire, clock, dns                            bytes and time
//	1  route, flowtable, nat, nat64, filter,
//	   reasm, trace                                mechanisms: longest-prefix match, translation, rules, reasons
//	2  dataplane, eni, netfilter                   the walk of a packet from node to node
//	3  vpc, igw, natgw, vgw, peering, tgw,
//	   remote, vpn, directconnect, cagw, lgw,
//	   endpoint, firewall,
//	   balancer, nlb, alb, clb, gwlb, rds          AWS: what a user creates, what it refuses, what it compiles to
//	   ec2, elb, elbv2, awscli, flowlog            how AWS describes and logs it
//	   host, metadata, resolver                    what is plugged into it
//	4  world, internet, capture, health, appliance around AWS
//	5  netstack, proxy, checker, fault             real sockets, health checks, what goes wrong
//	   load, reach, picture                        real networks: read, asked, drawn
//	6  intent, report, lint                        sentences, verdicts, mistakes
//	7  vpctest, examples, cmd/vpcsim               doors
//
// Package fidelity holds no code; its tests hold all of these to docs/fidelity.md.
package vpcsim
