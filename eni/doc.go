// Package eni is the elastic network interface: what a guest plugs into. Its two
// sides are nodes of the dataplane, and the order of AWS's checks is one function
// a side, read from top to bottom:
//
//	guest ─ frame ─► Port ─► Out: source check, security groups ──► subnet router
//	guest ◄─ frame ─ Port ◄─ In:  security groups, dest. check  ◄── subnet router
//
// Ethernet exists between the guest and its [Port] only: the port answers ARP and
// neighbour discovery as the VPC does, takes the header off on the way out and
// puts one on on the way in. Behind it everything is IP.
//
// Packets for the platform's own addresses (metadata, DNS, time) leave the way out
// behind the source check: no group and no ACL filters them ([Service]).
//
// Flows that AWS always tracks, whatever the rules, are known by the nodes that they
// pass; see dataplane.Context.Track.
//
// Directions are seen from the guest: Out leaves it, In reaches it. Security
// groups keep AWS's words, Ingress and Egress, for the same two.
//
// An [Interface] is compiled configuration, immutable but for its tracker; the
// resource that people create and change is vpc.NetworkInterface.
package eni
