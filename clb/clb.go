// Package clb is the Classic Load Balancer: a node in each of its subnets, which ends
// connections and opens its own to instances that are in service. What its nodes do to
// packets is package balancer's; package proxy runs them on a TCP/IP stack.
package clb

import (
	"slices"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is a Classic Load Balancer. The calls of this package are for it.
type LoadBalancer = balancer.LoadBalancer

// Config says how a load balancer is made.
type Config = balancer.Config

// Listener is a port of a load balancer and the port of the instances it leads to.
type Listener = balancer.ClassicListener

var kind = &balancer.Kind{
	Interface: vpc.InterfaceCLB, SourceDestCheck: true, DefaultGroup: true, Compile: balancer.CompileProxy, Classic: true,
	Protocols: []elbv2.Protocol{elbv2.HTTP, elbv2.HTTPS, elbv2.TCP, balancer.SSL},
	Attributes: []balancer.Attribute{
		{Key: "load_balancing.cross_zone.enabled", Value: "false"},
		{Key: "idle_timeout.timeout_seconds", Value: "60"},
	},
}

// Create makes a load balancer of the name: an interface in each of its subnets, which
// its user can't change (S000). A name that another Classic Load Balancer has is
// refused with DuplicateLoadBalancerName, a subnet with fewer than eight free
// addresses with InvalidSubnet. Cross-zone load balancing is off, as by the API.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	return balancer.Create(r, kind, name, c)
}

// change runs a call on a Classic Load Balancer; for others there is none of the name.
func change(l *LoadBalancer, f func(tx *vpc.Tx, k *balancer.Classic) error) error {
	return l.Change(func(tx *vpc.Tx) error {
		k := l.Classic(tx)
		if k == nil {
			return vpc.Refuse("LoadBalancerNotFound", "There is no ACTIVE Load Balancer named '%s'", l.LoadBalancerName())
		}
		return f(tx, k)
	})
}

// CreateListeners makes listeners (CreateLoadBalancerListeners). A port that has one of
// other settings is refused with DuplicateListener; one alike changes nothing.
func CreateListeners(l *LoadBalancer, list ...Listener) error {
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		for _, c := range list {
			if err := check(tx, l, k, c); err != nil {
				return err
			}
		}
		for _, c := range list {
			if !slices.ContainsFunc(k.Listeners(tx), func(o Listener) bool { return o.Port == c.Port }) {
				if err := k.Add(tx, c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// check is what a listener is held to.
func check(tx *vpc.Tx, l *LoadBalancer, k *balancer.Classic, c Listener) error {
	if c.InstanceProtocol == "" {
		c.InstanceProtocol = c.Protocol
	}
	web := func(p elbv2.Protocol) bool { return p == elbv2.HTTP || p == elbv2.HTTPS }
	switch {
	case !slices.Contains(kind.Protocols, c.Protocol) || !slices.Contains(kind.Protocols, c.InstanceProtocol):
		return vpc.Refuse("UnsupportedProtocol", "Listener protocol must be one of HTTP, HTTPS, TCP, SSL")
	case web(c.Protocol) != web(c.InstanceProtocol):
		return vpc.Refuse("ValidationError", "Protocol and InstanceProtocol must be at the same Internet protocol layer")
	case c.Port == 0 || c.InstancePort == 0:
		return vpc.Refuse("ValidationError", "LoadBalancerPort and InstancePort must be between 1 and 65535")
	}
	for _, o := range k.Listeners(tx) {
		if o.Port == c.Port && o != c {
			return vpc.Refuse("DuplicateListener", "A listener already exists for %s with LoadBalancerPort %d, but with a different InstancePort, Protocol, or SSLCertificateId", l.LoadBalancerName(), c.Port)
		}
	}
	return nil
}

// DeleteListeners deletes the listeners of ports (DeleteLoadBalancerListeners); ports
// that have none change nothing.
func DeleteListeners(l *LoadBalancer, ports ...uint16) error {
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		for _, p := range ports {
			k.Remove(tx, p)
		}
		return nil
	})
}

// RegisterInstances registers instances of the load balancer's VPC for all listeners,
// which it must have (RegisterInstancesWithLoadBalancer). They are out of service until
// health checks say otherwise: see [SetHealth].
func RegisterInstances(l *LoadBalancer, ids ...string) error {
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		for _, id := range ids {
			if i, ok := tx.Find(id).(*vpc.Instance); !ok || tx.VPCOf(i) != l.VPC() || tx.StateOf(i) == vpc.Terminated {
				return vpc.Refuse("InvalidInstance", "EC2 instance ID is not valid")
			}
		}
		if len(k.Listeners(tx)) == 0 {
			return vpc.Refuse("ValidationError", "At least one listener must be specified")
		}
		for _, id := range ids {
			k.Register(tx, id)
		}
		return nil
	})
}

// DeregisterInstances takes instances out (DeregisterInstancesFromLoadBalancer), at
// once: connection draining is off by default.
func DeregisterInstances(l *LoadBalancer, ids ...string) error {
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		for _, id := range ids {
			if !slices.ContainsFunc(k.Instances(tx), func(t balancer.TargetHealth) bool { return t.ID == id }) {
				return vpc.Refuse("InvalidInstance", "Could not find EC2 instance %s.", id)
			}
		}
		for _, id := range ids {
			k.Deregister(tx, id)
		}
		return nil
	})
}

// SetHealth says what health checks have found of an instance: balancer.Healthy is in
// service, everything else is not. An instance that is not registered is refused.
func SetHealth(l *LoadBalancer, id string, h balancer.Health) error {
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		if !k.SetHealth(tx, id, h) {
			return vpc.Refuse("InvalidInstance", "Could not find EC2 instance %s.", id)
		}
		return nil
	})
}

// ConfigureHealthCheck changes how instances are checked (ConfigureHealthCheck). The
// zero fields are those of a new load balancer: TCP on port 80, 30 s, 5 s, 10 and 2.
func ConfigureHealthCheck(l *LoadBalancer, h balancer.HealthCheck) error {
	if h.Protocol == "" {
		h.Protocol = elbv2.TCP
	}
	if h.Port == 0 {
		h.Port = 80
	}
	if h.Healthy == 0 {
		h.Healthy = 10
	}
	return change(l, func(tx *vpc.Tx, k *balancer.Classic) error {
		k.SetCheck(tx, h)
		return nil
	})
}
