package reach_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// An outcome of a random choice names what was chosen, and has the share of its weight.
func TestChoicesAreNamed(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	s.Card("client")
	l, err := nlb.Create(w.Region, "front", balancer.Config{Name: "front", Subnets: []*vpc.Subnet{s.Subnet}})
	require.NoError(t, err)
	var groups []balancer.Weighted
	ids := map[string]string{}
	for name, weight := range map[string]int{"new": 90, "old": 10} {
		g, err := balancer.CreateTargetGroup(w.Region, name, balancer.TargetGroupConfig{VPC: v.VPC, Protocol: elbv2.TCP, Port: 80})
		require.NoError(t, err)
		c := s.Card(name)
		ids[name] = c.Instance.ID()
		if name == "new" {
			c.Allow(vpc.TCPPort(80, "10.0.0.0/8"))
		}
		target := balancer.Target{ID: c.Instance.ID()}
		require.NoError(t, g.RegisterTargets(target))
		require.NoError(t, g.SetHealth(target, balancer.Healthy))
		groups = append(groups, balancer.Weighted{Group: g, Weight: weight})
	}
	if groups[0].Weight != 90 {
		groups[0], groups[1] = groups[1], groups[0]
	}
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{{Type: elbv2.ActionForward, Groups: groups}}})
	require.NoError(t, err)
	p := prober(t, w.World, reach.Config{})
	r := p.Ask(reach.Spec{From: "client", To: "front", Proto: "tcp", Port: 80})
	require.Len(t, r.Outcomes, 2)
	require.InDelta(t, 0.9, r.Outcomes[0].Share, 1e-9)
	require.Equal(t, reach.Open, r.Outcomes[0].Observed)
	require.Equal(t, []string{"target group " + name(groups[0].Group.ID()) + " (weight 9 of 10) at " + name(l.ID())}, r.Outcomes[0].Choices)
	require.Contains(t, r.Reason, "depends on the target group at "+name(l.ID())+": 9 of 10 ("+name(groups[0].Group.ID())+"): open (answered); 1 of 10 (")

	third := s.Card("third")
	target := balancer.Target{ID: third.Instance.ID()}
	require.NoError(t, groups[0].Group.RegisterTargets(target))
	require.NoError(t, groups[0].Group.SetHealth(target, balancer.Healthy))
	r = p.Ask(reach.Spec{From: "client", To: "front", Proto: "tcp", Port: 80})
	require.InDelta(t, 0.45, r.Outcomes[0].Share, 1e-9)
	require.Equal(t, []string{
		"target group " + name(groups[0].Group.ID()) + " (weight 9 of 10) at " + name(l.ID()) +
			" and target " + "new (" + ids["new"] + ") " + addrPort(t, w, ids["new"]) + " (1 of 2) at " + name(l.ID()),
	}, r.Outcomes[0].Choices)
}

// name is an ARN's part for the resource.
func name(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// addrPort is an instance's address with port 80.
func addrPort(t *testing.T, w *vpctest.World, id string) string {
	t.Helper()
	return w.Region.Find(id).(*vpc.Instance).Interface().PrivateIP().String() + ":80"
}
