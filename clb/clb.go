// Package clb is the Classic Load Balancer: its name and its interfaces. What
// answers on their ports is a guest that the user plugs in; no listeners, targets or
// health checks are modelled.
package clb

import (
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is a Classic Load Balancer.
type LoadBalancer = balancer.LoadBalancer

// Config says how a load balancer is made.
type Config = balancer.Config

var kind = &balancer.Kind{Interface: vpc.InterfaceCLB, SourceDestCheck: true, DefaultGroup: true}

// Create makes a load balancer of the name: an interface in each of its subnets, which
// its user can't change (S000). A name that another Classic Load Balancer has is
// refused with DuplicateLoadBalancerName, a subnet with fewer than eight free
// addresses with InvalidSubnet.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	return balancer.Create(r, kind, name, c)
}
