// Package elb is what the kinds of load balancer have in common: a name, and an
// interface in each of their subnets. Packages alb, clb and nlb give it its kind. What
// answers on the interfaces is a guest that the user plugs in; no listeners, targets
// or health checks are modelled.
package elb

import (
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// Kind is what tells one kind of load balancer from another.
type Kind struct {
	// Interface is the kind of its interfaces.
	Interface vpc.InterfaceType
	// Path stands before the name in ARN and descriptions, such as app/; "" is a
	// Classic Load Balancer, whose ARN ends in its name.
	Path string
	// SourceDestCheck is the switch of its interfaces.
	SourceDestCheck bool
	// DefaultGroup gives it the VPC's default group where the user names none.
	DefaultGroup bool
}

// LoadBalancer is a load balancer of any kind.
type LoadBalancer struct {
	vpc.Base
	name string
	kind Kind
	nics []*vpc.NetworkInterface // one a subnet
}

// Config says how a load balancer is made.
type Config struct {
	// Name is the Name tag.
	Name string
	// Subnets are where its nodes stand, one a zone.
	Subnets []*vpc.Subnet
	// Groups are the security groups of its interfaces. None is the VPC's default
	// group; of a Network Load Balancer none filters nothing, and stays so for life
	// (NLB guide, "Security groups").
	Groups []*vpc.SecurityGroup
}

// Create makes a load balancer of the name: an interface in each subnet, which its
// user can't change (S000). A name that is taken is refused with
// DuplicateLoadBalancerName, a subnet with fewer than eight free addresses with
// InvalidSubnet.
func Create(r *vpc.Region, k Kind, name string, c Config) (*LoadBalancer, error) {
	var l *LoadBalancer
	err := r.Change(func(tx *vpc.Tx) error {
		if err := check(tx, k, name, c); err != nil {
			return err
		}
		if len(c.Groups) == 0 && k.DefaultGroup {
			c.Groups = []*vpc.SecurityGroup{tx.DefaultGroup(c.Subnets[0].VPC())}
		}
		full := k.Path + name
		if k.Path != "" {
			full += "/" + tx.NewSuffix()
		}
		b, err := tx.NewNamed(r.ARN("elasticloadbalancing", "loadbalancer/"+full), c.Name)
		if err != nil {
			return err
		}
		l = &LoadBalancer{Base: b, name: name, kind: k}
		l.nics, err = tx.NewManagedInterfaces(c.Subnets, l, vpc.ManagedInterface{
			Type: k.Interface, Description: "ELB " + full, SourceDestCheck: k.SourceDestCheck, Groups: c.Groups,
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
func check(tx *vpc.Tx, k Kind, name string, c Config) error {
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
		if o.kind == k && o.name == name {
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

// Interfaces returns the load balancer's interfaces, one a subnet, in their order;
// none where it is deleted.
func (l *LoadBalancer) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	l.Region().View(func(*vpc.Tx) { n = slices.Clone(l.nics) })
	return n
}
