package nlb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
)

// A probe tries every target, and tells how many of the flows it stands for.
func TestAProbeTriesEveryTarget(t *testing.T) {
	n := newNet(t, options{})
	for _, name := range []string{"t2", "t3"} {
		n.register(n.server(name, n.targets[0], all), balancer.Healthy)
	}
	n.register(n.server("closed", n.targets[0], vpc.TCPPort(22, "192.0.2.1/32")), balancer.Healthy)
	p, err := reach.New(n.World.World, reach.Config{})
	n.must(err)
	r := p.Ask(reach.Spec{From: "client", To: n.node(0).String(), Proto: "tcp", Port: 80})
	shares := map[string]float64{}
	for _, o := range r.Outcomes {
		shares[string(o.Observed)] += o.Share
	}
	require.InDelta(t, 0.75, shares["open"], 1e-9, "%+v", r.Outcomes)
	require.InDelta(t, 0.25, shares["filtered"], 1e-9)
}
