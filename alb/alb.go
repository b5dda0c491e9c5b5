// Package alb is the Application Load Balancer: a node in each of its subnets, which
// ends connections and opens its own to targets. What it is made of (listeners, rules,
// target groups, health) and what its nodes do to packets is package balancer's; package
// proxy runs them on a TCP/IP stack.
package alb

import (
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is an Application Load Balancer.
type LoadBalancer = balancer.LoadBalancer

// Config says how a load balancer is made.
type Config = balancer.Config

var kind = &balancer.Kind{
	Type: elbv2.TypeApplication, Interface: vpc.InterfaceALB, Path: "app/", SourceDestCheck: true, DefaultGroup: true,
	Protocols: []elbv2.Protocol{elbv2.HTTP, elbv2.HTTPS}, Compile: balancer.CompileProxy,
	Attributes: []balancer.Attribute{
		{Key: "load_balancing.cross_zone.enabled", Value: "true"},
		{Key: "deletion_protection.enabled", Value: "false"},
		{Key: "idle_timeout.timeout_seconds", Value: "60"},
		{Key: "routing.http.xff_header_processing.mode", Value: "append"},
		{Key: "routing.http.xff_client_port.enabled", Value: "false"},
		{Key: "routing.http.preserve_host_header.enabled", Value: "false"},
		{Key: "routing.http.drop_invalid_header_fields.enabled", Value: "false"},
		{Key: "client_keep_alive.seconds", Value: "3600"},
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
