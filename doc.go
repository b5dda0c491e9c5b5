// Package vpcsim is the tour of a packet-level simulator of the AWS VPC dataplane;
// it holds no code. Frames go hop by hop through elastic network interfaces with
// source/dest check, security groups, network ACLs, route tables, NAT gateways, NAT
// instances and internet gateways, and every packet's end is a reason.
//
// Start with [github.com/vpcsim/vpcsim/world]: it holds regions, an internet, one
// clock and one engine. Networks are built with [github.com/vpcsim/vpcsim/vpc] and
// a package for each gateway (igw, natgw, vgw); Linux guests are
// [github.com/vpcsim/vpcsim/host]. In tests, [github.com/vpcsim/vpcsim/vpctest]
// says the same in fewer words.
//
// Floors, lowest first; a package imports only lower ones (tidy_test.go holds it):
//
//	0  wire, clock               bytes and time
//	1  route, nat, filter, trace mechanisms: longest-prefix match, translation, rules, reasons
//	2  dataplane, eni, netfilter the walk of a packet from node to node
//	3  vpc, igw, natgw, vgw      AWS: what a user creates, what it refuses, what it compiles to
//	   host, metadata            what is plugged into it
//	4  world, internet, capture  around AWS
//	5  vpctest, examples         doors
package vpcsim
