package balancer

import (
	"slices"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// SSL is the protocol of a Classic Load Balancer's listener that ends TLS over TCP.
const SSL elbv2.Protocol = "SSL"

// Classic is what a Classic Load Balancer has: listeners to ports of instances, and the
// instances, registered once for all listeners. Each listener has a target group that
// nobody sees, so that health and choice are those of every kind.
type Classic struct {
	balancer *LoadBalancer
	ports    []ClassicListener
	groups   []*TargetGroup // one a listener
	check    HealthCheck
}

// ClassicListener is a port of a Classic Load Balancer and the port of the instances
// that it leads to.
type ClassicListener struct {
	// Protocol is HTTP, HTTPS, TCP or SSL; InstanceProtocol is the same where it is "".
	Protocol, InstanceProtocol elbv2.Protocol
	// Port is the load balancer's, InstancePort the instances'.
	Port, InstancePort uint16
}

// NewClassic returns the part of a Classic Load Balancer, empty, for the load balancer.
func NewClassic(l *LoadBalancer) *Classic {
	return &Classic{balancer: l, check: HealthCheck{Protocol: elbv2.TCP, Port: 80, Healthy: 10}.withDefaults(elbv2.HTTP)}
}

// Listeners returns the listeners in the order in which they were made.
func (k *Classic) Listeners(*vpc.Tx) []ClassicListener { return slices.Clone(k.ports) }

// Add makes a listener, unchecked: its kind checks.
func (k *Classic) Add(tx *vpc.Tx, c ClassicListener) error {
	if c.InstanceProtocol == "" {
		c.InstanceProtocol = c.Protocol
	}
	l := k.balancer
	b, err := tx.NewNamed(l.ID()+"/listener/"+tx.NewSuffix(), "")
	if err != nil {
		return err
	}
	g := &TargetGroup{
		Base: b, name: l.name, vpc: l.vpc, kind: elbv2.TargetInstance, protocol: c.InstanceProtocol, port: c.InstancePort,
		check: k.check, attributes: groupAttributes(elbv2.HTTP, elbv2.TargetInstance), classic: true,
	}
	if len(k.groups) > 0 {
		for _, r := range k.groups[0].targets {
			t := g.register(Target{ID: r.ID})
			t.health = r.health
		}
	}
	x := &Listener{Base: b, balancer: l, protocol: c.Protocol, port: c.Port, actions: []Action{Forward(g)}}
	l.listeners = append(l.listeners, x)
	k.ports, k.groups = append(k.ports, c), append(k.groups, g)
	return nil
}

// Remove deletes the listener of a port.
func (k *Classic) Remove(_ *vpc.Tx, port uint16) {
	i := slices.IndexFunc(k.ports, func(c ClassicListener) bool { return c.Port == port })
	if i < 0 {
		return
	}
	l := k.balancer
	l.listeners = slices.DeleteFunc(slices.Clone(l.listeners), func(x *Listener) bool { return x.port == port })
	k.ports, k.groups = slices.Delete(slices.Clone(k.ports), i, i+1), slices.Delete(slices.Clone(k.groups), i, i+1)
}

// Register registers an instance for all listeners; it is out of service until
// [Classic.SetHealth] says otherwise.
func (k *Classic) Register(_ *vpc.Tx, id string) {
	for _, g := range k.groups {
		g.register(Target{ID: id})
	}
}

// Deregister takes an instance from all listeners at once.
func (k *Classic) Deregister(_ *vpc.Tx, id string) {
	for _, g := range k.groups {
		g.targets = slices.DeleteFunc(slices.Clone(g.targets), func(r *registered) bool { return r.ID == id })
	}
}

// SetHealth says what health checks have found of an instance; false where it is not
// registered.
func (k *Classic) SetHealth(_ *vpc.Tx, id string, h Health) bool {
	found := false
	for _, g := range k.groups {
		if r := g.find(Target{ID: id}); r != nil {
			r.health, found = h, true
		}
	}
	return found
}

// Instances returns the registered instances and what checks have found of them, in the
// order in which they were registered.
func (k *Classic) Instances(tx *vpc.Tx) []TargetHealth {
	var list []TargetHealth
	if len(k.groups) > 0 {
		for _, r := range k.groups[0].targets {
			list = append(list, TargetHealth{r.Target, r.state(tx, k.groups[0])})
		}
	}
	return list
}

// Check returns how instances are checked; SetCheck changes it for all listeners.
func (k *Classic) Check(*vpc.Tx) HealthCheck { return k.check }

// SetCheck changes how instances are checked.
func (k *Classic) SetCheck(_ *vpc.Tx, h HealthCheck) {
	k.check = h.withDefaults(elbv2.HTTP)
	for _, g := range k.groups {
		g.check = k.check
	}
}
