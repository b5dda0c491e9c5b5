package gwlb

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

const (
	flowsOf vpc.StateKey[Flows] = "appliance flows"
	nodesOf vpc.StateKey[nodes] = "nodes"
)

// nodes are a load balancer's while a snapshot is compiled: it and the endpoints of its
// service make them together.
type nodes struct{ byZone map[string]*node }

// nodesIn returns the nodes, made at the first call.
func nodesIn(c *vpc.Compiler, l *balancer.LoadBalancer) *nodes {
	return vpc.Once(c, l.ID(), nodesOf, func() *nodes {
		all := &nodes{map[string]*node{}}
		for _, nic := range l.Nodes(c.Tx()) {
			all.byZone[c.Zone(nic)] = newNode(c, l, nic)
		}
		return all
	})
}

func compile(c *vpc.Compiler, l *balancer.LoadBalancer) {
	all := nodesIn(c, l)
	for _, nic := range l.Nodes(c.Tx()) {
		c.Interface(nic).Owner = all.byZone[c.Zone(nic)]
	}
}

// link puts the node of an endpoint's zone behind the endpoint's interface.
func link(c *vpc.Compiler, l *balancer.LoadBalancer, e vpc.EndpointLink) dataplane.Node {
	n := nodesIn(c, l).byZone[e.Zone]
	x := &approach{
		node: n, name: e.Label + " to " + n.name, id: l.ID(), endpoint: number(e.Endpoint), attachment: number(e.Endpoint + e.Zone), out: e.Out,
	}
	x.exit = &exit{x, e.Label + " returns", e.Endpoint}
	n.approaches[x.endpoint] = x
	return x
}

// number is the number of an id in the options: its last sixteen hexadecimal digits,
// else a hash of it. What AWS makes of an id it does not say.
func number(id string) uint64 {
	if len(id) > 16 {
		if n, err := strconv.ParseUint(id[len(id)-16:], 16, 64); err == nil {
			return n
		}
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

func newNode(c *vpc.Compiler, l *balancer.LoadBalancer, nic *vpc.NetworkInterface) *node {
	i, zone := c.Interface(nic), c.Zone(nic)
	n := &node{
		name: c.LabelOf(l) + " in " + zone, balancer: l.ID(), addr: i.Addrs[0], out: i.Out(), guest: i.Port,
		seed: flowtable.NewSeed(c.Seed(l.ID())), empty: trace.BalancerNoGroup, idle: IdleTCP,
		flows:      vpc.State(c, nic.ID(), flowsOf, func() *Flows { return &Flows{} }),
		approaches: map[uint64]*approach{},
	}
	if c.LabelOf(l) == l.ID() {
		n.name = l.LoadBalancerName() + " in " + zone
	}
	if len(l.Listening()) == 0 {
		n.untold, n.object = l.Unlisted(), l.ID()
	}
	for _, x := range l.Listening() {
		if s, err := strconv.Atoi(x.AttributeOf("tcp.idle_timeout.seconds")); err == nil {
			n.idle = time.Duration(s) * time.Second
		}
		for _, w := range x.Default().Groups {
			n.group(c, l, w.Group, zone)
		}
	}
	return n
}

// group sees the target group from the node.
func (n *node) group(c *vpc.Compiler, l *balancer.LoadBalancer, g *balancer.TargetGroup, zone string) {
	if g.AttributeOf("stickiness.enabled") == "true" {
		n.tuple = map[string]tuple{"source_ip_dest_ip_proto": three, "source_ip_dest_ip": two}[g.AttributeOf("stickiness.type")]
	}
	s := g.Eligible(c.Tx(), l, zone)
	if s.Untold != "" {
		n.untold, n.object = s.Untold, g.ID()
	}
	n.empty = trace.BalancerNoTarget
	if s.Other {
		n.empty = trace.BalancerZone
	}
	for _, e := range s.Targets {
		t := target{addr: wire.AddrFrom(e.Addr), id: e.ID, text: fmt.Sprintf("hands to appliance %s (%s, %s)", e.ID, e.Addr, e.Health.State)}
		if s.FailOpen {
			t.text = fmt.Sprintf("fails open to appliance %s (%s, %s)", e.ID, e.Addr, e.Health.State)
		}
		n.targets = append(n.targets, t)
	}
	n.rebalance(g, s, g.Registered(c.Tx()), g.Leaving(c.Tx()))
}

// rebalance finds the targets whose flows are to move to another (GWLB guide, "Target
// failover"): unhealthy ones and deregistered ones, where the group's attributes say so.
func (n *node) rebalance(g *balancer.TargetGroup, s balancer.Selection, registered, leaving []balancer.Endpoint) {
	if g.AttributeOf("target_failover.on_unhealthy") == "rebalance" && !s.FailOpen {
		for _, e := range registered {
			fit := slices.ContainsFunc(s.Targets, func(o balancer.Endpoint) bool { return o.Addr == e.Addr })
			if !fit {
				n.left = append(n.left, wire.AddrFrom(e.Addr))
			}
		}
	}
	if g.AttributeOf("target_failover.on_deregistration") == "rebalance" {
		for _, e := range leaving {
			n.left = append(n.left, wire.AddrFrom(e.Addr))
		}
	}
}
