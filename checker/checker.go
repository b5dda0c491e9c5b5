// Package checker runs the health checks of Network Load Balancers: at each node a Linux
// guest that connects to the targets of the node's listeners from the node's address, as
// their target groups say, and tells the groups what it finds.
//
//	c, err := checker.Start(w, nlb)
//
// Its packets are real: security groups, route tables and faults see them. (Load
// balancers that end connections are checked by package proxy.)
package checker

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/health"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// look is how often a checker looks for targets that have come or gone.
const look = time.Second

// Checker is the health checks of one load balancer. It belongs to the engine's goroutine.
type Checker struct {
	world    *world.World
	balancer *balancer.LoadBalancer
	nodes    []*node
	timer    *clock.Timer
	verdicts map[verdictKey]map[*node]health.State
}

type node struct {
	nic    *vpc.NetworkInterface
	guest  *host.Host
	checks map[verdictKey]*health.Check
	order  []verdictKey // of checks, in which they began
}

// verdictKey names a target of a group as it is checked.
type verdictKey struct {
	group  *balancer.TargetGroup
	target balancer.Target
	addr   netip.Addr
}

// Start plugs a guest into each node's interface and begins to check. Targets that are
// registered or deregistered later are seen within a second. A target is healthy where a
// node of its own zone finds it so, any node's where cross-zone load balancing is on.
func Start(w *world.World, l *balancer.LoadBalancer) (*Checker, error) {
	c := &Checker{world: w, balancer: l, verdicts: map[verdictKey]map[*node]health.State{}}
	for _, nic := range l.Interfaces() {
		n := &node{nic: nic, guest: host.New(w.Engine, host.Config{Name: "checker of " + l.LoadBalancerName() + " in " + nic.Subnet().Zone()}), checks: map[verdictKey]*health.Check{}}
		if err := w.Plug(n.guest, nic); err != nil {
			c.Stop()
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	c.timer = w.Clock.NewTimer(clock.Func(c.sync))
	c.timer.Reset(0)
	return c, nil
}

// Stop ends the checks and takes the guests away. Targets keep their states.
func (c *Checker) Stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, n := range c.nodes {
		for _, k := range n.order {
			n.checks[k].Stop()
		}
		c.world.Unplug(n.nic)
	}
	c.nodes = nil
}

// sync begins the checks of targets that have come, and ends those of targets that have gone.
func (c *Checker) sync() {
	c.timer.Reset(look)
	for _, n := range c.nodes {
		found := map[verdictKey]bool{}
		for _, x := range c.balancer.Listeners() {
			for _, g := range x.TargetGroups() {
				for _, k := range c.targets(n, g) {
					found[k] = true
					if n.checks[k] == nil {
						c.begin(n, k)
					}
				}
			}
		}
		n.order = slices.DeleteFunc(n.order, func(k verdictKey) bool {
			if !found[k] {
				n.checks[k].Stop()
				delete(n.checks, k)
				delete(c.verdicts[k], n)
			}
			return !found[k]
		})
	}
}

// targets returns the targets that a node checks: those that it may send to.
func (c *Checker) targets(n *node, g *balancer.TargetGroup) []verdictKey {
	if g.HealthCheck().Disabled {
		return nil
	}
	var list []verdictKey
	c.balancer.Region().View(func(tx *vpc.Tx) {
		for _, e := range g.Reach(tx, c.balancer, n.nic.Subnet().Zone()) {
			list = append(list, verdictKey{g, e.Target, e.Addr})
		}
	})
	return list
}

func (c *Checker) begin(n *node, k verdictKey) {
	h := k.group.HealthCheck()
	port := h.Port
	if port == 0 {
		port = k.target.Port
	}
	at := netip.AddrPortFrom(k.addr, port)
	p := health.TCP(n.guest, at)
	if h.Protocol == elbv2.HTTP {
		first, last := codes(h.Codes)
		if asks, err := health.HTTP(n.guest, at, health.HTTPConfig{Path: h.Path, First: first, Last: last}); err == nil {
			p = asks
		}
	}
	check, err := health.Start(c.world.Clock, p, health.Config{
		Interval: h.Interval, Timeout: h.Timeout, HealthyThreshold: h.Healthy, UnhealthyThreshold: h.Unhealthy,
		OnHealthy:   func() { c.found(n, k, health.Healthy) },
		OnUnhealthy: func(error) { c.found(n, k, health.Unhealthy) },
	})
	if err == nil {
		n.checks[k], n.order = check, append(n.order, k)
	}
}

// found tells the group: a target that one node finds healthy is.
func (c *Checker) found(n *node, k verdictKey, s health.State) {
	if c.verdicts[k] == nil {
		c.verdicts[k] = map[*node]health.State{}
	}
	c.verdicts[k][n] = s
	h := balancer.Unhealthy
	for _, other := range c.verdicts[k] {
		if other == health.Healthy {
			h = balancer.Healthy
		}
	}
	k.group.SetHealth(k.target, h) // refused where it is deregistered meanwhile
}

// codes reads the first range of a list such as "200-399".
func codes(list string) (first, last int) {
	part, _, _ := strings.Cut(list, ",")
	a, b, ok := strings.Cut(part, "-")
	if !ok {
		b = a
	}
	first, err1 := strconv.Atoi(strings.TrimSpace(a))
	last, err2 := strconv.Atoi(strings.TrimSpace(b))
	if errors.Join(err1, err2) != nil {
		return 200, 399
	}
	return first, last
}
