package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/health"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// checkTargets starts the health checks of the targets that the node's listeners may
// send to: connections from the node's address, on simulated time.
func (n *node) checkTargets(p *netstack.Pump, w *world.World) error {
	seen := map[*balancer.TargetGroup]bool{}
	for _, x := range n.balancer.Listeners() {
		for _, g := range x.TargetGroups() {
			if seen[g] || g.HealthCheck().Disabled {
				continue
			}
			seen[g] = true
			var targets []balancer.Endpoint
			n.balancer.Region().View(func(tx *vpc.Tx) { targets = g.Registered(tx) })
			for _, t := range targets {
				if err := n.check(p, w, g, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (n *node) check(p *netstack.Pump, w *world.World, g *balancer.TargetGroup, t balancer.Endpoint) (err error) {
	h := g.HealthCheck()
	port := h.Port
	if port == 0 {
		port = t.Port
	}
	at := netip.AddrPortFrom(t.Addr, port)
	c := health.Config{
		Interval: h.Interval, Timeout: h.Timeout, HealthyThreshold: h.Healthy, UnhealthyThreshold: h.Unhealthy,
		OnHealthy:   func() { g.SetHealth(t.Target, balancer.Healthy) },
		OnUnhealthy: func(error) { g.SetHealth(t.Target, balancer.Unhealthy) },
	}
	p.Do(func() {
		var k *health.Check
		if k, err = health.Start(w.Clock, n.probe(p, h, at), c); err == nil {
			n.checks = append(n.checks, func() { p.Do(k.Stop) })
		}
	})
	return err
}

// probe asks a target on a goroutine of its own; the verdict is the engine's to take.
func (n *node) probe(p *netstack.Pump, h balancer.HealthCheck, at netip.AddrPort) health.Probe {
	return func(timeout time.Duration, done func(error)) func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		n.working.Add(1)
		p.Go(func() {
			defer n.working.Done()
			defer cancel()
			err := n.ask(ctx, h, at)
			p.Do(func() { done(err) })
		})
		return cancel
	}
}

func (n *node) ask(ctx context.Context, h balancer.HealthCheck, at netip.AddrPort) error {
	if h.Protocol != elbv2.HTTP {
		c, err := n.guest.DialContext(ctx, "tcp", at.String())
		if err != nil {
			return err
		}
		return c.Close()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.String()+h.Path, nil)
	if err != nil {
		return err
	}
	r.Close = true
	r.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	res, err := n.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if !accepts(h.Codes, res.StatusCode) {
		return fmt.Errorf("the answer is %s", res.Status)
	}
	return nil
}

// accepts reports whether a list such as "200,202" or "200-299" has the code.
func accepts(list string, code int) bool {
	for _, part := range strings.Split(list, ",") {
		first, last, ok := strings.Cut(strings.TrimSpace(part), "-")
		if !ok {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 == nil && err2 == nil && code >= a && code <= b {
			return true
		}
	}
	return false
}
