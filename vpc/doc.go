// Package vpc is the control plane of a region: what a user creates (VPCs,
// subnets, route tables, interfaces, addresses, security groups, network ACLs,
// instances), what AWS refuses and in which words, the implicit router, and the
// compilation of all of it into an immutable [Snapshot] that packets walk.
//
// Gateways live in packages of their own (igw, natgw, vgw, …) and plug in as
// [Gateway]; vpc imports none of them.
//
// # Changing and walking
//
// Every change goes through [Region.Change], from any goroutine; a refused change
// has changed nothing. A [Live] is one region brought to life on one engine: the
// first packet after a change compiles a new Snapshot. Live state (NAT sessions,
// tracked flows) is no configuration: it is handed from snapshot to snapshot and
// dies with its resource.
package vpc
