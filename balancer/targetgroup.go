package balancer

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// TargetGroup is a target group: targets that requests are routed to, and how their
// health is checked. One load balancer at most routes to it.
type TargetGroup struct {
	vpc.Base
	name       string
	vpc        *vpc.VPC
	kind       elbv2.TargetType
	protocol   elbv2.Protocol
	port       uint16
	check      HealthCheck
	targets    []*registered
	attributes []Attribute
	restored   *elbv2.TargetGroup
	family     elbv2.IPAddressType // ipv4 or ipv6
	classic    bool                // of a Classic Load Balancer: not listed, and never fails open
	untold     string              // why nobody can tell its targets, "" where one can
	absent     bool                // only actions name it: not listed
}

// registered is a target that is, or was, registered.
type registered struct {
	Target
	health   Health
	draining bool
	until    time.Time // when it has drained
}

// Target names a target of a group.
type Target struct {
	// ID is the id of an instance, an IP address, or the ARN of an Application Load
	// Balancer, as the group's type has it.
	ID string
	// Port is the target's port; 0 is the group's.
	Port uint16
	// Zone is the zone of an ip target: "" for an address inside the VPC, whose subnet
	// tells, "all" for one outside of it.
	Zone string
}

// HealthCheck is how targets are checked. The zero fields are the defaults of the
// group's protocol (ELB API, CreateTargetGroup).
type HealthCheck struct {
	// Disabled is no health check at all.
	Disabled bool
	// Protocol is HTTP, HTTPS or TCP; "" is HTTP for HTTP and HTTPS groups, else TCP.
	Protocol elbv2.Protocol
	// Port is the port; 0 is the target's own (traffic-port).
	Port uint16
	// Path is what HTTP asks for; "" is "/".
	Path string
	// Codes is what it accepts, such as "200" or "200-299"; "" is 200, and 200-399 of a
	// Network Load Balancer's group.
	Codes string
	// Interval and Timeout are those of package health; 0 are 30 s, and 5 s for HTTP and
	// HTTPS groups, 6 s for HTTP checks of others, 10 s for TCP checks.
	Interval, Timeout time.Duration
	// Healthy and Unhealthy are the thresholds; 0 are 5 and 2.
	Healthy, Unhealthy int
}

// TargetGroupConfig says how a target group is made.
type TargetGroupConfig struct {
	// Name is the Name tag.
	Name string
	// VPC is the targets' VPC.
	VPC *vpc.VPC
	// Type is what targets are; "" is instance.
	Type elbv2.TargetType
	// Protocol and Port are what targets are reached by; port 0 of HTTP is 80, of HTTPS 443.
	Protocol elbv2.Protocol
	Port     uint16
	// HealthCheck is how they are checked.
	HealthCheck HealthCheck
	// IPAddressType is the family of the targets' addresses, ipv4 or ipv6; "" is ipv4.
	IPAddressType elbv2.IPAddressType
}

// CreateTargetGroup makes a target group of the name (CreateTargetGroup).
func CreateTargetGroup(r *vpc.Region, name string, c TargetGroupConfig) (*TargetGroup, error) {
	if c.Type == "" {
		c.Type = elbv2.TargetInstance
	}
	if c.IPAddressType == "" {
		c.IPAddressType = elbv2.IPAddressTypeIPv4
	}
	if c.Port == 0 {
		c.Port = map[elbv2.Protocol]uint16{elbv2.HTTP: 80, elbv2.HTTPS: 443, elbv2.GENEVE: 6081}[c.Protocol]
	}
	var g *TargetGroup
	err := r.Change(func(tx *vpc.Tx) error {
		if err := checkGroup(tx, name, c); err != nil {
			return err
		}
		b, err := tx.NewNamed(r.ARN("elasticloadbalancing", "targetgroup/"+name+"/"+tx.NewSuffix()), c.Name)
		if err != nil {
			return err
		}
		g = &TargetGroup{
			Base: b, name: name, vpc: c.VPC, kind: c.Type, protocol: c.Protocol, port: c.Port, family: c.IPAddressType,
			check: c.HealthCheck.withDefaults(c.Protocol), attributes: groupAttributes(c.Protocol, c.Type),
		}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// web reports whether a group of the protocol is an Application Load Balancer's.
func web(p elbv2.Protocol) bool { return p == elbv2.HTTP || p == elbv2.HTTPS }

func (h HealthCheck) withDefaults(p elbv2.Protocol) HealthCheck {
	if h.Protocol == "" {
		h.Protocol = elbv2.TCP
		if web(p) {
			h.Protocol = p
		}
	}
	if web(h.Protocol) && h.Path == "" {
		h.Path = "/"
	}
	if web(h.Protocol) && h.Codes == "" {
		h.Codes = "200-399"
		if web(p) {
			h.Codes = "200"
		}
	}
	if h.Interval == 0 {
		h.Interval = 30 * time.Second
		if p == elbv2.GENEVE {
			h.Interval = 10 * time.Second
		}
	}
	if h.Timeout == 0 {
		switch {
		case web(p) || p == elbv2.GENEVE:
			h.Timeout = 5 * time.Second
		case web(h.Protocol):
			h.Timeout = 6 * time.Second
		default:
			h.Timeout = 10 * time.Second
		}
	}
	if h.Healthy == 0 {
		h.Healthy = 5
	}
	if h.Unhealthy == 0 {
		h.Unhealthy = 2
	}
	return h
}

// groupAttributes are the attributes of a new group (ELB API, TargetGroupAttribute;
// NLB guide, "Client IP preservation"; GWLB guide, "Target group attributes").
func groupAttributes(p elbv2.Protocol, t elbv2.TargetType) []Attribute {
	list := []Attribute{
		{"deregistration_delay.timeout_seconds", "300"},
		{"stickiness.enabled", "false"},
		{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration"},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"},
		{"target_group_health.dns_failover.minimum_healthy_targets.count", "1"},
		{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"},
	}
	if p == elbv2.GENEVE {
		return append(list, Attribute{"stickiness.type", "source_ip_dest_ip_proto"},
			Attribute{"target_failover.on_deregistration", "no_rebalance"}, Attribute{"target_failover.on_unhealthy", "no_rebalance"})
	}
	if web(p) {
		return append(list, Attribute{"stickiness.type", "lb_cookie"}, Attribute{"stickiness.lb_cookie.duration_seconds", "86400"},
			Attribute{"load_balancing.algorithm.type", "round_robin"}, Attribute{"slow_start.duration_seconds", "0"})
	}
	preserve := t == elbv2.TargetInstance || t == elbv2.TargetALB || p == elbv2.UDP || p == elbv2.TCPUDP
	return append(list, Attribute{"stickiness.type", "source_ip"}, Attribute{"preserve_client_ip.enabled", strconv.FormatBool(preserve)},
		Attribute{"proxy_protocol_v2.enabled", "false"}, Attribute{"deregistration_delay.connection_termination.enabled", "false"},
		Attribute{"target_health_state.unhealthy.connection_termination.enabled", "true"},
		Attribute{"target_health_state.unhealthy.draining_interval_seconds", "0"})
}

// Delete deletes the group. One that a listener or a rule forwards to is refused with
// ResourceInUse.
func (g *TargetGroup) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		if g.balancer(tx) != nil {
			return vpc.Refuse("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.ID())
		}
		tx.Remove(g)
		return nil
	})
}

// balancer returns the load balancer that routes to the group, or nil.
func (g *TargetGroup) balancer(tx *vpc.Tx) *LoadBalancer {
	for _, l := range vpc.Gateways[*LoadBalancer](tx) {
		for _, x := range l.listeners {
			if x.forwardsTo(g) {
				return l
			}
		}
	}
	return nil
}

// RegisterTargets registers targets (RegisterTargets). One that is registered already
// changes nothing; one that is draining is registered anew. New ones are in the state
// initial until [TargetGroup.SetHealth] says otherwise.
func (g *TargetGroup) RegisterTargets(targets ...Target) error {
	return g.Change(func(tx *vpc.Tx) error {
		if len(targets) == 0 {
			return vpc.Refuse("ValidationError", "At least one target must be specified")
		}
		for _, t := range targets {
			if err := checkTarget(tx, g, t); err != nil {
				return err
			}
		}
		for _, t := range targets {
			g.register(t)
		}
		return nil
	})
}

func (g *TargetGroup) register(t Target) *registered {
	if r := g.find(t); r != nil {
		if r.draining {
			r.draining, r.until, r.health = false, time.Time{}, initial
		}
		return r
	}
	if t.Port == 0 {
		t.Port = g.port
	}
	r := &registered{Target: t, health: initial}
	g.targets = append(g.targets, r)
	return r
}

func (g *TargetGroup) find(t Target) *registered {
	if t.Port == 0 {
		t.Port = g.port
	}
	for _, r := range g.targets {
		if r.ID == t.ID && r.Port == t.Port {
			return r
		}
	}
	return nil
}

// DeregisterTargets deregisters targets (DeregisterTargets). They get no new
// connection; existing ones go on for the deregistration delay, 300 seconds by
// default, and the targets are draining so long.
func (g *TargetGroup) DeregisterTargets(targets ...Target) error {
	return g.Change(func(tx *vpc.Tx) error {
		for _, t := range targets {
			if r := g.find(t); r == nil || r.drained(tx.Region().Now()) {
				return vpc.Refuse("InvalidTarget", "The following targets are not registered: '%s'", t.ID)
			}
		}
		g.targets = slices.DeleteFunc(slices.Clone(g.targets), func(r *registered) bool { return r.drained(tx.Region().Now()) })
		delay, _ := strconv.Atoi(value(g.attributes, "deregistration_delay.timeout_seconds"))
		for _, t := range targets {
			r := g.find(t)
			r.draining, r.until = true, tx.Region().Now().Add(time.Duration(delay)*time.Second)
		}
		return nil
	})
}

// drained reports whether the target has been deregistered and its delay is over.
func (r *registered) drained(now time.Time) bool { return r.draining && !now.Before(r.until) }

// GroupName returns the name that it was created with.
func (g *TargetGroup) GroupName() string { return g.name }

// VPC returns the VPC of the targets, for life; nil of a restored group without one.
func (g *TargetGroup) VPC() *vpc.VPC { return g.vpc }

// TargetType returns what targets are.
func (g *TargetGroup) TargetType() elbv2.TargetType { return g.kind }

// Protocol returns the protocol by which targets are reached, Port the port where a
// target has none of its own.
func (g *TargetGroup) Protocol() elbv2.Protocol { return g.protocol }

// Port returns the port of targets that have none of their own.
func (g *TargetGroup) Port() uint16 { return g.port }

// HealthCheck returns how targets are checked, all fields set.
func (g *TargetGroup) HealthCheck() HealthCheck { return g.check }

// Attribute returns the value of an attribute; "" where there is none of the key.
func (g *TargetGroup) Attribute(key string) string {
	var s string
	g.Region().View(func(*vpc.Tx) { s = value(g.attributes, key) })
	return s
}

// AttributeOf is Attribute for who has the region locked.
func (g *TargetGroup) AttributeOf(key string) string { return value(g.attributes, key) }

// SetAttribute changes an attribute (ModifyTargetGroupAttributes). A key that the group
// does not have is refused, and so is turning client address preservation off where
// AWS always has it on (the sentences are inferred).
func (g *TargetGroup) SetAttribute(key, v string) error {
	return g.Change(func(*vpc.Tx) error {
		if key == "preserve_client_ip.enabled" && v != "true" && (g.protocol == elbv2.UDP || g.protocol == elbv2.TCPUDP) {
			return vpc.Refuse("InvalidConfigurationRequest", "Client IP preservation cannot be disabled for target groups with the protocol '%s'", g.protocol)
		}
		if !set(&g.attributes, key, v) {
			return vpc.Refuse("ValidationError", "Target group attribute key '%s' is not recognized", key)
		}
		return nil
	})
}

// crossZone reports whether nodes of l send to targets of every zone.
func (g *TargetGroup) crossZone(l *LoadBalancer) bool {
	switch value(g.attributes, "load_balancing.cross_zone.enabled") {
	case "true":
		return true
	case "false":
		return false
	}
	return l.attribute("load_balancing.cross_zone.enabled") == "true"
}

// Endpoint is a target as a node sees it.
type Endpoint struct {
	Target
	// Addr is the address that the node sends to.
	Addr netip.Addr
	// NIC is the interface that has the address, nil where the region's VPCs have none
	// that the group could mean.
	NIC *vpc.NetworkInterface
	// Zone is the zone's name, "all" of a target outside the VPC.
	Zone string
	// Health is the state that it is in.
	Health Health
	// Until is when a target that is deregistered has drained, zero of others.
	Until time.Time
}

// Selection is the targets that a node may send new connections to.
type Selection struct {
	Targets []Endpoint
	// FailOpen says that too few targets are healthy, so that Targets are all that are
	// registered and within reach, whatever their state.
	FailOpen bool
	// Other says that there are targets, but none within reach of the zone.
	Other bool
	// Untold says why nobody can tell which targets these are, "" where one can.
	Untold string
}

// Eligible returns the targets that a node of l in the zone sends new connections to:
// the healthy ones of its zone or, with cross-zone load balancing, of all; all of them
// where fewer are healthy than unhealthy_state_routing asks for, one by default (NLB
// and ALB guides, "Target group health"; measured: unhealthy targets alone are sent to).
func (g *TargetGroup) Eligible(tx *vpc.Tx, l *LoadBalancer, zone string) Selection {
	s := g.choose(tx, l, zone, g.crossZone(l))
	s.Untold = g.doubts(tx, l, zone, s)
	return s
}

func (g *TargetGroup) choose(tx *vpc.Tx, l *LoadBalancer, zone string, cross bool) Selection {
	var all, healthy []Endpoint
	total := 0
	for _, r := range g.targets {
		if r.draining {
			continue
		}
		for _, e := range g.endpoints(tx, r) {
			total++
			if !cross && e.Zone != zone && e.Zone != "all" || e.Health.State == elbv2.StateUnused || !l.enabled(e.Zone) {
				continue
			}
			all = append(all, e)
			if e.Health.State == elbv2.StateHealthy {
				healthy = append(healthy, e)
			}
		}
	}
	if g.classic || g.enough(len(healthy), len(all)) {
		return Selection{Targets: healthy, Other: g.classic && len(all) == 0 && total > 0}
	}
	return Selection{Targets: all, FailOpen: len(all) > 0, Other: len(all) == 0 && total > 0}
}

// Reach returns the registered targets that a node of l in the zone may send to or
// check, whatever their state.
func (g *TargetGroup) Reach(tx *vpc.Tx, l *LoadBalancer, zone string) []Endpoint {
	return slices.DeleteFunc(g.Registered(tx), func(e Endpoint) bool {
		return !g.crossZone(l) && e.Zone != zone && e.Zone != "all"
	})
}

// Registered returns where the registered targets are, whatever their state and zone.
func (g *TargetGroup) Registered(tx *vpc.Tx) []Endpoint { return g.list(tx, false) }

// Leaving returns where the targets are that are deregistered; those that have drained
// too, until one of the next is.
func (g *TargetGroup) Leaving(tx *vpc.Tx) []Endpoint { return g.list(tx, true) }

func (g *TargetGroup) list(tx *vpc.Tx, leaving bool) []Endpoint {
	var list []Endpoint
	for _, r := range g.targets {
		if r.draining == leaving {
			list = append(list, g.endpoints(tx, r)...)
		}
	}
	return list
}

// enough reports whether as many targets are healthy as unhealthy_state_routing asks for.
func (g *TargetGroup) enough(healthy, all int) bool {
	count, err := strconv.Atoi(value(g.attributes, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"))
	if err != nil {
		count = 1
	}
	percent, err := strconv.Atoi(value(g.attributes, "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"))
	return healthy >= max(count, 1) && (err != nil || healthy*100 >= percent*all)
}

// endpoints returns where a target's packets go: nowhere for an instance that is gone,
// one address a node for an Application Load Balancer.
func (g *TargetGroup) endpoints(tx *vpc.Tx, r *registered) []Endpoint {
	e := Endpoint{Target: r.Target, Health: r.state(tx, g), Until: r.until}
	switch x := tx.Find(r.ID).(type) {
	case *vpc.Instance:
		if e.NIC = tx.PrimaryOf(x); e.NIC == nil {
			return nil
		}
		four := tx.PrivateAddresses(e.NIC)
		if len(four) == 0 && !g.six() {
			return nil
		}
		e.Zone = e.NIC.Subnet().Zone()
		if len(four) > 0 {
			e.Addr = four[0].IP
		}
		if g.six() {
			six := tx.IPv6Addresses(e.NIC)
			if len(six) == 0 {
				return nil
			}
			e.Addr = six[0]
		}
		return []Endpoint{e}
	case *LoadBalancer:
		var list []Endpoint
		for _, n := range x.nics {
			e.NIC, e.Addr, e.Zone = n, tx.PrivateAddresses(n)[0].IP, n.Subnet().Zone()
			list = append(list, e)
		}
		return list
	}
	a, err := netip.ParseAddr(r.ID)
	if err != nil {
		return nil
	}
	e.Addr, e.Zone = a, "all"
	if g.vpc != nil && r.Zone != "all" {
		if s := tx.SubnetWith(g.vpc, a); s != nil {
			e.NIC, e.Zone = tx.InterfaceWith(g.vpc, a), s.Zone()
		}
	}
	return []Endpoint{e}
}
