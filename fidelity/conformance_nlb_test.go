package fidelity_test

import (
	"testing"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// newNLBCrossing is a UDP flow by a Network Load Balancer, whose target sees its client.
func newNLBCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	a := n.inside(n.subnet("clients", "10.0.0.0/24"), "a", machine{})
	b := n.inside(n.subnet("targets", "10.0.1.0/24"), "b", machine{})
	l, err := nlb.Create(n.region, "web", balancer.Config{Name: "nlb", Subnets: []*vpc.Subnet{n.subnet("nodes", "10.0.2.0/24").Subnet}})
	n.must(err)
	g, err := balancer.CreateTargetGroup(n.region, "web", balancer.TargetGroupConfig{VPC: n.vpc, Type: elbv2.TargetIP, Protocol: elbv2.UDP, Port: 53})
	n.must(err, g.RegisterTargets(balancer.Target{ID: b.addr.String()}))
	x, err := l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.UDP, Port: 53, Actions: []balancer.Action{balancer.Forward(g)}})
	n.must(err)
	nic, live := l.Interfaces()[0], n.Live(n.region)
	return &crossing{
		net: n, a: a, b: b, to: nic.PrivateIP(), passes: []string{"nlb in ap-northeast-3a"},
		delete: l.Delete, deleted: trace.NoSuchAddress,
		state: func() any {
			if f := nlb.FlowsAt(live, x, nic); f != nil {
				return f
			}
			return nil
		},
	}
}
