// Package alb is the Application Load Balancer: its name and its
// interfaces. What answers on their ports is a guest that the user plugs in; no
// listeners, targets or health checks are modelled.
package alb

import (
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// LoadBalancer is a Application Load Balancer.
type LoadBalancer struct {
	vpc.Base
	name string
	nics []*vpc.NetworkInterface // one a subnet
}

// Config says how a load balancer is made.
type Config struct {
	// Name is the Name tag.
	Name string
	// Subnets are where its nodes stand, one a zone.
	Subnets []*vpc.Subnet
	// Groups are the security groups of its interfaces; none is the VPC's default group.
	Groups []*vpc.SecurityGroup
}

// Create makes a load balancer of the name: an interface in each subnet, which its
// user can't change (S000). A name that is taken is refused with
// DuplicateLoadBalancerName, a subnet with fewer than eight free addresses with InvalidSubnet.
func Create(r *vpc.Region, name string, c Config) (*LoadBalancer, error) {
	var l *LoadBalancer
	err := r.Change(func(tx *vpc.Tx) error {
		if err := check(tx, name, c); err != nil {
			return err
		}
		if len(c.Groups) == 0 {
			c.Groups = []*vpc.SecurityGroup{tx.DefaultGroup(c.Subnets[0].VPC())}
		}
		suffix := tx.NewSuffix()
		b, err := tx.NewNamed(r.ARN("elasticloadbalancing", "loadbalancer/app/"+name+"/"+suffix), c.Name)
		if err != nil {
			return err
		}
		l = &LoadBalancer{Base: b, name: name}
		l.nics, err = tx.NewManagedInterfaces(c.Subnets, l, vpc.ManagedInterface{
			Type: vpc.InterfaceALB, Description: "ELB app/" + name + "/" + suffix, SourceDestCheck: true, Groups: c.Groups,
		})
		if err != nil {
			return err
		}
		tx.Add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// check is what Elastic Load Balancing refuses.
func check(tx *vpc.Tx, name string, c Config) error {
	if name == "" {
		return vpc.Refuse("ValidationError", "The load balancer name must not be empty")
	}
	if err := tx.CheckPlaces(c.Subnets, c.Groups); err != nil {
		return err
	}
	for _, s := range c.Subnets {
		if tx.Free(s) < 8 {
			return vpc.Refuse("InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", s.ID())
		}
	}
	for _, o := range vpc.Resources[*LoadBalancer](tx) {
		if o.name == name {
			return vpc.Refuse("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", name)
		}
	}
	return nil
}

// Delete deletes the load balancer and its interfaces. Routes that name one of them
// become black holes.
func (l *LoadBalancer) Delete() error {
	return l.Change(func(tx *vpc.Tx) error {
		for _, n := range l.nics {
			tx.DeleteManagedInterface(n)
		}
		l.nics = nil
		tx.Remove(l)
		return nil
	})
}

// Interfaces returns the load balancer's interfaces, one a subnet, in their order.
func (l *LoadBalancer) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	l.Region().View(func(*vpc.Tx) { n = slices.Clone(l.nics) })
	return n
}
