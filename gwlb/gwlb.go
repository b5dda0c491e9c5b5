// Package gwlb is the Gateway Load Balancer: a node in each of its subnets, which hands
// what comes by Gateway Load Balancer endpoints to a fleet of appliances, in GENEVE on
// UDP port 6081, and gives back to the endpoint what an appliance sends back. What it
// is made of (target group, targets, health) is package balancer's; the endpoints, and
// the endpoint service between the two, are package endpoint's; a guest that is such an
// appliance is package appliance's.
//
//	host ─► route ─► endpoint ═► node ─GENEVE─► appliance
//	host ◄─ route ◄─ endpoint ◄═ node ◄─GENEVE─┘
//
// The packet inside is not touched: no address, no port, no TTL.
package gwlb

import (
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// LoadBalancer is a Gateway Load Balancer.
type LoadBalancer = balancer.LoadBalancer

// Config says how a load balancer is made.
type Config = balancer.Config

var kind = &balancer.Kind{
	Type: elbv2.TypeGateway, Interface: vpc.InterfaceGWLB, Path: "gwy/", Protocols: []elbv2.Protocol{elbv2.GENEVE},
	Attributes: []balancer.Attribute{
		{Key: "load_balancing.cross_zone.enabled", Value: "false"},
		{Key: "deletion_protection.enabled", Value: "false"},
	},
	Compile: compile, Endpoint: "GatewayLoadBalancer", Link: link,
}

// Create makes a load balancer of the name: an interface in each of its subnets. It has
// no security group. What it refuses is as for other load balancers.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	if len(c.Groups) > 0 {
		return nil, vpc.Refuse("InvalidConfigurationRequest", "Security groups are not supported for load balancers with type 'gateway'")
	}
	return balancer.Create(r, kind, name, c)
}

// Restore makes a load balancer as DescribeLoadBalancers tells of it, on the interfaces
// that are there: see [balancer.Restore].
func Restore(tx *vpc.Tx, s elbv2.LoadBalancer) (*LoadBalancer, error) {
	return balancer.Restore(tx, kind, s)
}

// CreateTargetGroup makes a target group of appliances, instances or addresses, that are
// checked as the Config says; its zero value is TCP on port 80 every 10 s.
func CreateTargetGroup(v *vpc.VPC, name string, t elbv2.TargetType, h balancer.HealthCheck) (*balancer.TargetGroup, error) {
	if h.Port == 0 {
		h.Port = 80
	}
	return balancer.CreateTargetGroup(v.Region(), name, balancer.TargetGroupConfig{VPC: v, Type: t, Protocol: elbv2.GENEVE, HealthCheck: h})
}

// Listen has the load balancer hand packets to the group: its one listener, which takes
// every packet of every protocol and port.
func Listen(l *LoadBalancer, g *balancer.TargetGroup) (*balancer.Listener, error) {
	return l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.GENEVE, Port: wire.GenevePort, Actions: []balancer.Action{balancer.Forward(g)}})
}
