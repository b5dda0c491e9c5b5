package reach_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
)

// newSite adds to an office a virtual private gateway with 192.168.0.0/16 beyond it.
func (o *office) newSite(t *testing.T) *vgw.VirtualPrivateGateway {
	t.Helper()
	g, err := vgw.Create(o.Region, vgw.Config{})
	require.NoError(t, err)
	require.NoError(t, g.Attach(o.vpc.VPC))
	o.private.Route("192.168.0.0/16", g)
	return g
}

func TestHostsBeyondAGateway(t *testing.T) {
	o := newOffice(t)
	g := o.newSite(t)
	site, err := o.Site(g, "office", netip.MustParsePrefix("192.168.0.0/16"))
	require.NoError(t, err)
	desk, err := o.At(site, host.Config{Name: "desk"}, netip.MustParseAddr("192.168.0.9"))
	require.NoError(t, err)
	walks := len(o.Engine.Log.Walks())
	p := prober(t, o.World.World, reach.Config{})

	r := p.Ask(reach.Spec{From: "app", To: "192.168.0.9", Proto: "tcp", Port: 22})
	require.Equal(t, "true open ttl <=255: answered ", line(r), "the site's own hops are not known")
	require.Equal(t, reach.NoReply, p.Ask(reach.Spec{From: "app", To: "192.168.0.10"}).Observed, "nobody has it")

	r = p.Ask(reach.Spec{From: g.ID() + "/192.168.0.9", To: "app", Proto: "tcp", Port: 22})
	require.Equal(t, "true open ttl <=255: answered ", line(r))
	require.Equal(t, o.app.Interface().ID(), r.Where)
	require.Equal(t, trace.GroupIngress, p.Ask(reach.Spec{From: g.ID() + "/192.168.0.9", To: "app", Proto: "tcp", Port: 80}).End())
	require.Equal(t, trace.ForeignDestination, p.Ask(reach.Spec{From: g.ID() + "/192.168.0.9", To: "10.0.1.99"}).End())

	require.Len(t, o.Engine.Log.Walks(), walks, "the world's own engine was not asked")
	require.NotNil(t, desk)
}
