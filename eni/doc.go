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
// Directions are seen from the guest: Out leaves it, In reaches it. Security
// groups keep AWS's words, Ingress and Egress, for the same two.
//
// An [Interface] is compiled configuration, immutable but for its tracker; the
// resource that people create and change is vpc.NetworkInterface.
package eni
