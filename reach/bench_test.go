package reach_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
)

func BenchmarkProbe(b *testing.B) {
	o := newOffice(b)
	p := prober(b, o.World.World, reach.Config{})
	for name, s := range map[string]reach.Spec{
		"between subnets": {From: "app", To: "web", Proto: "tcp", Port: 22}, "dropped": {From: "app", To: "web", Proto: "tcp", Port: 80},
		"by NAT and internet gateways": {From: "app", To: "8.8.8.8"},
	} {
		b.Run(name, func(b *testing.B) {
			q, err := p.Question(s)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				p.Probe(q)
			}
		})
	}
}
