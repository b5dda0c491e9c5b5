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
func newNLBCrossing(t *testing.T) *crossing { return nlbCrossing(t, "", false) }

// newNLBCrossing6 is newNLBCrossing of IPv6.
func newNLBCrossing6(t *testing.T) *crossing {
	return nlbCrossing(t, elbv2.IPAddressTypeIPv6, true)
}

// newNLBCrossing64 is a UDP flow of an IPv6 client to an IPv4 target.
func newNLBCrossing64(t *testing.T) *crossing {
	return nlbCrossing(t, elbv2.IPAddressTypeIPv4, true)
}

// newNLBCrossing46 is a UDP flow of an IPv4 client to an IPv6 target.
func newNLBCrossing46(t *testing.T) *crossing {
	return nlbCrossing(t, elbv2.IPAddressTypeIPv6, false)
}

// nlbCrossing is a UDP flow by a node, of IPv6 or IPv4, to a target of a family; "" has no IPv6 at all.
func nlbCrossing(t *testing.T, target elbv2.IPAddressType, six bool) *crossing {
	block, config := "", balancer.Config{Name: "nlb"}
	var a6, b6 string
	if target != "" {
		block, config.IPAddressType, a6, b6 = vpc6, elbv2.IPAddressTypeDualstack, "2001:db8:0:1a00::10", "2001:db8:0:1a01::10"
	}
	n := newNet(t, block)
	a := n.inside(n.subnet("clients", "10.0.0.0/24"), "a", machine{addr6: a6})
	b := n.inside(n.subnet("targets", "10.0.1.0/24"), "b", machine{addr6: b6})
	config.Subnets = []*vpc.Subnet{n.subnet("nodes", "10.0.2.0/24").Subnet}
	l, err := nlb.Create(n.region, "web", config)
	n.must(err)
	g, err := balancer.CreateTargetGroup(n.region, "web", balancer.TargetGroupConfig{VPC: n.vpc, Type: elbv2.TargetIP, Protocol: elbv2.UDP, Port: 53, IPAddressType: target})
	n.must(err, g.RegisterTargets(balancer.Target{ID: b.at(target == elbv2.IPAddressTypeIPv6).String()}))
	x, err := l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.UDP, Port: 53, Actions: []balancer.Action{balancer.Forward(g)}})
	n.must(err)
	nic, live := l.Interfaces()[0], n.Live(n.region)
	to := nic.PrivateIP()
	if six {
		to = nic.IPv6()[0]
	}
	return &crossing{
		net: n, six: six, a: a, b: b, to: to, passes: []string{"nlb in ap-northeast-3a"},
		delete: l.Delete, deleted: trace.NoSuchAddress,
		state: func() any {
			if f := nlb.FlowsAt(live, x, nic); f != nil {
				return f
			}
			return nil
		},
	}
}
