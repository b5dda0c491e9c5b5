package nlb

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// nodes are a load balancer's nodes of one compilation, in the order of its interfaces.
type nodes []*node

// compile makes a node behind each interface of the load balancer, and has the targets'
// interfaces give back what answers to flows by it.
func compile(c *vpc.Compiler, l *balancer.LoadBalancer) { nodesOf(c, l) }

// nodesOf returns the nodes, made at the first call of a compilation: the endpoints of a
// service may come before their load balancer.
func nodesOf(c *vpc.Compiler, l *balancer.LoadBalancer) nodes {
	return *vpc.Once(c, l.ID(), vpc.StateKey[nodes]("nodes"), func() *nodes {
		all := nodes{}
		for _, nic := range l.Nodes(c.Tx()) {
			i := c.Interface(nic)
			n := &node{
				id: nic.ID(), name: l.TraceName(c) + " in " + c.Zone(nic), balancer: l.ID(), addrs: addresses(c, nic), out: i.Out(), guest: i.Port,
				seed: flowtable.NewSeed(c.Seed(l.ID())), unlisted: l.Unlisted(),
			}
			k := compiler{c, l, nic, n, map[string]bool{}}
			n.listeners = k.listeners(nic.ID(), "", n.out, true)
			i.Owner = n
			all = append(all, n)
		}
		return &all
	})
}

// addresses returns a node's addresses of both families.
func addresses(c *vpc.Compiler, nic *vpc.NetworkInterface) (a [2]wire.Addr) {
	a[0] = c.Interface(nic).Addrs[0]
	if six := c.IPv6Of(nic); len(six) > 0 {
		a[1] = wire.AddrFrom(six[0])
	}
	return a
}

// connect makes the way from one interface of an endpoint to the node of its zone, to
// another where the load balancer has none there.
func connect(c *vpc.Compiler, l *balancer.LoadBalancer, e vpc.EndpointLink) dataplane.Node {
	all := nodesOf(c, l)
	if len(all) == 0 {
		return c.Unmodelled(l)
	}
	at := 0
	for i, nic := range l.Nodes(c.Tx()) {
		if c.Zone(nic) == e.Zone {
			at = i
		}
	}
	n := all[at]
	k := compiler{c, l, l.Nodes(c.Tx())[at], n, map[string]bool{}}
	x := &link{node: n, name: n.name + " for " + e.Label, in: c.Interface(l.Nodes(c.Tx())[at]).In(), listeners: k.listeners(e.Endpoint, " from "+e.Zone, e.Out, false)}
	n.links = append(n.links, x)
	return x
}

// compiler makes one node.
type compiler struct {
	*vpc.Compiler
	balancer *balancer.LoadBalancer
	nic      *vpc.NetworkInterface
	node     *node
	claimed  map[string]bool // interfaces that the node has a claim at
}

// listeners makes the listeners for one kind of client, whose flows are live state of
// the resource with the given id and who are answered by back.
func (k *compiler) listeners(id, from string, back dataplane.Node, preserve bool) []listener {
	var list []listener
	for _, x := range k.balancer.Listening() {
		list = append(list, k.listener(x, id, from, back, preserve))
	}
	return list
}

func (k *compiler) listener(x *balancer.Listener, id, from string, back dataplane.Node, preserve bool) listener {
	p, port := x.Takes()
	l := listener{port: port, idle: IdleTCP, back: back}
	l.protocols(p)
	if s, err := strconv.Atoi(x.AttributeOf("tcp.idle_timeout.seconds")); err == nil {
		l.idle = time.Duration(s) * time.Second
	}
	l.flows = vpc.State(k.Compiler, id, flowsOf(x)+vpc.StateKey[Flows](from), func() *Flows { return newFlows(k.Seed(id+x.ID()+from), l.idle) })
	l.flows.configure(l.idle)
	for _, w := range x.Default().Groups {
		l.weight += w.Weight
		l.groups = append(l.groups, k.group(&l, w, preserve))
	}
	l.reduce()
	return l
}

// reduce divides the weights by what they have in common: 500 to 500 are two outcomes
// for who tries all, not a thousand.
func (l *listener) reduce() {
	common := 0
	for i := range l.groups {
		for a, b := common, l.groups[i].weight; ; a, b = b, a%b {
			if b == 0 {
				common = a
				break
			}
		}
	}
	if common < 2 {
		return
	}
	l.weight /= common
	for i := range l.groups {
		l.groups[i].weight /= common
	}
}

// group sees a target group from the node.
func (k *compiler) group(l *listener, w balancer.Weighted, preserve bool) group {
	g := group{
		id: w.Group.ID(), weight: w.Weight, empty: trace.BalancerNoTarget,
		preserve: preserve && w.Group.AttributeOf("preserve_client_ip.enabled") == "true", sticky: w.Group.AttributeOf("stickiness.enabled") == "true",
	}
	s := w.Group.Eligible(k.Tx(), k.balancer, k.Zone(k.nic))
	if s.Other {
		g.empty = trace.BalancerZone
	}
	g.untold = s.Untold
	for _, e := range s.Targets {
		t := target{addr: wire.AddrFrom(e.Addr), port: e.Port, id: e.ID, text: fmt.Sprintf("sends to target %s (%s:%d, %s)", e.ID, e.Addr, e.Port, e.Health.State)}
		if s.FailOpen {
			t.text = fmt.Sprintf("fails open to target %s (%s:%d, %s)", e.ID, e.Addr, e.Port, e.Health.State)
		}
		g.targets = append(g.targets, t)
	}
	leaving := w.Group.Leaving(k.Tx())
	if g.preserve {
		for _, e := range append(w.Group.Registered(k.Tx()), leaving...) {
			k.claim(e)
		}
	}
	k.terminate(l, w.Group, s, leaving)
	return g
}

// claim puts the node's claim at the interface of a target: that of the address in the
// group's VPC or, of one outside of it, in the other VPCs of the region, as peered ones
// are.
func (k *compiler) claim(e balancer.Endpoint) {
	at := func(n *vpc.NetworkInterface) {
		if i := k.Interface(n); i != nil && !k.claimed[n.ID()] {
			k.claimed[n.ID()] = true
			i.Interceptors = append(i.Interceptors, &claim{k.node, k.Return(n, k.nic)})
		}
	}
	if e.NIC != nil {
		at(e.NIC)
		return
	}
	for _, v := range k.Tx().VPCs() {
		if v != k.balancer.VPC() {
			if n := k.Tx().InterfaceWith(v, e.Addr); n != nil {
				at(n)
			}
		}
	}
}

// terminate ends connections to targets that have turned unhealthy, unless the group
// fails open, and those to targets that have drained, where the group's attributes say
// so (NLB guide, "Target group attributes"; that RST answers what comes later is inferred).
func (k *compiler) terminate(l *listener, g *balancer.TargetGroup, s balancer.Selection, leaving []balancer.Endpoint) {
	now := k.Engine().Clock.Now()
	gone := map[wire.Flow]bool{}
	key := func(e balancer.Endpoint) wire.Flow {
		return wire.Flow{Dst: wire.AddrFrom(e.Addr), DstPort: e.Port}
	}
	if !s.FailOpen && g.AttributeOf("target_health_state.unhealthy.connection_termination.enabled") == "true" {
		for _, e := range g.Registered(k.Tx()) {
			if e.Health.State == elbv2.StateUnhealthy {
				gone[key(e)] = true
			}
		}
	}
	if g.AttributeOf("deregistration_delay.connection_termination.enabled") == "true" {
		for _, e := range leaving {
			left := e.Until.Sub(k.Tx().Region().Now())
			l.ending = append(l.ending, ending{wire.AddrFrom(e.Addr), e.Port, now + left})
		}
	}
	if len(gone) == 0 {
		return
	}
	for id, session := range l.flows.table.All(now) {
		if session.Translated.Proto == wire.ProtoTCP && gone[wire.Flow{Dst: session.Translated.Dst, DstPort: session.Translated.DstPort}] {
			l.flows.table.Delete(id)
		}
	}
}
