// Package nlb is the Network Load Balancer: its name and its interfaces. What
// answers on their ports is a guest that the user plugs in; no listeners, targets or
// health checks are modelled.
package nlb

import (
	"github.com/vpcsim/vpcsim/internal/elb"
	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is a Network Load Balancer.
type LoadBalancer = elb.LoadBalancer

// Config says how a load balancer is made.
type Config = elb.Config

var kind = elb.Kind{Interface: vpc.InterfaceNLB, Path: "net/"}

// Create makes a load balancer of the name: an interface in each of its subnets, which
// its user can't change (S000). A name that another Network Load Balancer has is
// refused with DuplicateLoadBalancerName, a subnet with fewer than eight free
// addresses with InvalidSubnet.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	return elb.Create(r, kind, name, c)
}
