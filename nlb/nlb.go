// Package nlb is the Network Load Balancer: a node in each of its subnets, which sends
// flows on to targets. What it is made of (listeners, target groups, health) is package
// balancer's, what its nodes do to packets is in node.go.
package nlb

import (
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is a Network Load Balancer.
type LoadBalancer = balancer.LoadBalancer

// Config says how a load balancer is made.
type Config = balancer.Config

var kind = &balancer.Kind{
	Type: elbv2.TypeNetwork, Interface: vpc.InterfaceNLB, Path: "net/",
	Protocols: []elbv2.Protocol{elbv2.TLS, elbv2.TCP, elbv2.TCPUDP, elbv2.UDP}, Compile: compile, Endpoint: "Interface", Link: connect,
	Attributes: []balancer.Attribute{
		{Key: "load_balancing.cross_zone.enabled", Value: "false"},
		{Key: "deletion_protection.enabled", Value: "false"},
		{Key: "access_logs.s3.enabled", Value: "false"},
		{Key: "access_logs.s3.bucket", Value: ""},
		{Key: "access_logs.s3.prefix", Value: ""},
		{Key: "dns_record.client_routing_policy", Value: "any_availability_zone"},
	},
}

// Create makes a load balancer of the name: an interface in each of its subnets, which
// its user can't change (S000). A name that another load balancer has is refused with
// DuplicateLoadBalancerName, a subnet with fewer than eight free addresses with
// InvalidSubnet.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	return balancer.Create(r, kind, name, c)
}

// Restore makes a load balancer as DescribeLoadBalancers tells of it, on the interfaces
// that are there: see [balancer.Restore].
func Restore(tx *vpc.Tx, s elbv2.LoadBalancer) (*LoadBalancer, error) {
	return balancer.Restore(tx, kind, s)
}
