package reach_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// codes returns the explanation codes of a verdict.
func codes(v reach.Verdict) (all []string) {
	for _, b := range v.Blockers {
		all = append(all, b.Code)
	}
	return all
}

// What Reachability Analyzer says of small networks.
func TestPathAnalysis(t *testing.T) {
	t.Run("C163 from the internet to an instance and back", func(t *testing.T) {
		o := newOffice(t)
		r := prober(t, o.World.World, reach.Config{}).Ask(reach.Spec{From: "8.8.8.8", To: "web", Proto: "tcp", Port: 22})
		require.True(t, r.Reachable())
		igw, eni, subnet := o.vpc.InternetGateway().ID(), o.web.Interface().ID(), o.public.ID()
		require.Equal(t, []string{igw, o.vpc.ID(), subnet, eni}, r.Way)
		require.Equal(t, []string{eni, subnet, igw}, r.WayBack)
	})
	t.Run("C164 each code", func(t *testing.T) {
		o := newOffice(t)
		ask := func(from, to string, port int) []string {
			return codes(prober(t, o.World.World, reach.Config{}).Explain(reach.Spec{From: from, To: to, Proto: "tcp", Port: port}))
		}
		require.Empty(t, ask("8.8.8.8", "web", 22))
		require.Equal(t, []string{"ENI_SG_RULES_MISMATCH"}, ask("8.8.8.8", "web", 80))
		require.Equal(t, []string{"IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"}, ask("8.8.8.8", "app", 22))
		require.NoError(t, o.group.RevokeIngress(o.group.Ingress()...))
		require.Equal(t, []string{"SG_HAS_NO_RULES"}, ask("8.8.8.8", "web", 22))
		require.NoError(t, o.vpc.DefaultNetworkACL().CreateIngressEntry(vpc.ACLEntry{Number: 1, Protocol: -1, CIDR: netip.MustParsePrefix("8.8.8.8/32")}))
		require.Equal(t, []string{"SUBNET_ACL_RESTRICTION", "SG_HAS_NO_RULES"}, ask("8.8.8.8", "web", 22), "and the other, too")
		require.NoError(t, o.public.RouteTable().DeleteRoute("0.0.0.0/0"))
		require.Equal(t, []string{"SUBNET_ACL_RESTRICTION", "SG_HAS_NO_RULES", "NO_ROUTE_TO_DESTINATION"}, ask("8.8.8.8", "web", 22), "and of the reply")
	})
	t.Run("C165 AWS's tool finds no path by public addresses where packets do; VPCs that are not connected", func(t *testing.T) {
		o := newOffice(t)
		far := o.branch(t)
		p := prober(t, o.World.World, reach.Config{})
		require.True(t, p.Ask(reach.Spec{From: "web", To: o.web.Interface().PublicIP().String(), Proto: "tcp", Port: 22}).Reachable(), "measured: labs")
		v := p.Explain(reach.Spec{From: "far", To: "app"})
		require.Equal(t, []string{"NO_ROUTE_TO_DESTINATION"}, codes(v)[:1])
		require.Contains(t, v.Blockers[0].Fix, "DISCONNECTED_VPCS")
		require.NotNil(t, far)
	})
	t.Run("C166 from the interface of a transit gateway", func(t *testing.T) {
		o := newOffice(t)
		g, err := tgw.Create(o.Region, tgw.Config{})
		require.NoError(t, err)
		a, err := g.Attach(tgw.AttachmentConfig{}, o.private.Subnet)
		require.NoError(t, err)
		p := prober(t, o.World.World, reach.Config{})
		door := a.Interfaces()[0]
		r := p.Ask(reach.Spec{From: door.ID(), To: "web", Proto: "tcp", Port: 22})
		require.True(t, r.Delivered)
		require.Nil(t, r.RoundTrip)
		require.Equal(t, door.ID()+": the request was delivered; nobody behind the interface of a transit gateway takes answers", r.Unknown)
		require.Equal(t, trace.GroupIngress, p.Ask(reach.Spec{From: door.ID(), To: "web", Proto: "tcp", Port: 80}).End())
	})
	t.Run("a service that is not modelled may ask, and what it takes is unknown", func(t *testing.T) {
		o := newOffice(t)
		d, err := rds.Create(o.private.Subnet, "db", rds.Config{Name: "db"})
		require.NoError(t, err)
		require.NoError(t, o.vpc.DefaultSecurityGroup().AuthorizeIngress(vpc.TCPPort(5432, "10.0.0.0/16")))
		p := prober(t, o.World.World, reach.Config{})
		require.Equal(t, reach.Open, p.Ask(reach.Spec{From: d.ID(), To: "web", Proto: "tcp", Port: 22}).Observed)
		r := p.Ask(reach.Spec{From: "web", To: d.ID(), Proto: "tcp", Port: 5432})
		require.Equal(t, reach.Unknown, r.Observed)
		require.Contains(t, r.Unknown, "what it does with this packet is not modelled")
		require.Equal(t, trace.GroupIngress, p.Ask(reach.Spec{From: "web", To: d.ID(), Proto: "tcp", Port: 22}).End(), "its groups are known")
		told := reach.Config{Ports: map[string][]reach.Port{d.Interface().ID(): {{Proto: "tcp", Number: 5432}}}}
		require.Equal(t, reach.Open, prober(t, o.World.World, told).Ask(reach.Spec{From: "web", To: d.ID(), Proto: "tcp", Port: 5432}).Observed)
	})
}
