package tgw_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func TestAttachmentsAndZones(t *testing.T) {
	t.Run("C140 from a zone without an interface the gateway is out of reach", func(t *testing.T) {
		n, a, b := newPair(t)
		s := a.SubnetIn(zoneB, "10.1.1.0/24")
		s.Route("0.0.0.0/0", n.g)
		far := s.Host("far")
		far.Ping(b.host.Addr).Dropped(t, trace.TransitZone)
		require.Equal(t, "TGW_ROUTE_AZ_RESTRICTION", trace.TransitZone.Code())
		door := a.SubnetIn(zoneB, "10.1.254.0/28")
		n.must(a.attach.AddSubnets(door.Subnet))
		far.Ping(b.host.Addr).OK(t) // b has no interface there: any will do
		n.must(a.attach.RemoveSubnet(door.Subnet))
		far.Ping(b.host.Addr).Dropped(t, trace.TransitZone)
	})
	t.Run("packets stay in their zone where they can", func(t *testing.T) {
		n, a, b := newPair(t)
		n.must(b.attach.AddSubnets(b.SubnetIn(zoneB, "10.2.254.0/28").Subnet))
		n.must(a.attach.AddSubnets(a.SubnetIn(zoneB, "10.1.254.0/28").Subnet))
		walks := a.host.Ping(b.host.Addr).Walks.String()
		require.Contains(t, walks, "10.2.255.0/28 router")
		require.NotContains(t, walks, "254.0/28")
		require.Contains(t, farHost(n, a, "10.1.9.0/24").Ping(b.host.Addr).Walks.String(), "10.2.254.0/28 router")
	})
	t.Run("from zone to zone takes longer", func(t *testing.T) {
		n, a, b := newPair(t)
		near := a.host.Host.Ping(b.host.Addr, host.PingConfig{Count: 1}).Replies[0].RTT
		n.must(a.attach.AddSubnets(a.SubnetIn(zoneB, "10.1.254.0/28").Subnet))
		far := farHost(n, a, "10.1.9.0/24").Host.Ping(b.host.Addr, host.PingConfig{Count: 1}).Replies[0].RTT
		require.Greater(t, far, near)
	})
}

// farHost is a host in a new subnet of the second zone, routed to the gateway.
func farHost(n *net, b *branch, cidr string) *vpctest.Host {
	s := b.SubnetIn(zoneB, cidr)
	s.Route("0.0.0.0/0", n.g)
	return s.Host("far host of " + b.name)
}

// inspection is two VPCs and between them a third with an appliance in each of two
// zones, to which everything is sent.
type inspection struct {
	*net
	a, b   *branch
	attach *tgw.Attachment
	far    *vpctest.Host // b's, in the second zone
}

func newInspection(t *testing.T, appliance bool) *inspection {
	t.Helper()
	n := newNet(t, tgw.Config{NoDefaultAssociation: true})
	f := &inspection{net: n, a: n.branch("a", "10.1"), b: n.branch("b", "10.2")}
	n.must(f.a.attach.AddSubnets(f.a.SubnetIn(zoneB, "10.1.254.0/28").Subnet))
	n.must(f.b.attach.AddSubnets(f.b.SubnetIn(zoneB, "10.2.254.0/28").Subnet))
	f.far = farHost(n, f.b, "10.2.9.0/24")
	v := n.VPC("10.3.0.0/16")
	n.must(v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	zones := []string{zoneA, zoneB}
	doors := []*vpctest.Subnet{v.SubnetIn(zoneA, "10.3.250.0/28"), v.SubnetIn(zoneB, "10.3.251.0/28")}
	f.attach = n.attach(tgw.AttachmentConfig{Name: "inspection", ApplianceMode: appliance}, doors...)
	for i, zone := range zones {
		inner := v.SubnetIn(zone, fmt.Sprintf("10.3.%d.0/24", i))
		inner.Route("0.0.0.0/0", n.g)
		doors[i].Route("0.0.0.0/0", inner.Launch(
			vpc.InstanceConfig{Name: "appliance " + zone, Interface: vpc.NetworkInterfaceConfig{DisableSourceDestCheck: true}},
			host.Config{Name: "appliance " + zone, Forwarding: true}))
	}
	spokes, err := n.g.CreateRouteTable(tgw.RouteTableConfig{Name: "spokes"})
	n.must(err, spokes.Associate(f.a.attach), spokes.Associate(f.b.attach), spokes.CreateRoute("0.0.0.0/0", f.attach))
	n.must(n.table().Associate(f.attach))
	return f
}

// seen says which appliances the request and its reply passed.
func (f *inspection) seen(walks trace.Story) [2]bool {
	text := walks.String()
	return [2]bool{strings.Contains(text, "appliance "+zoneA+" in"), strings.Contains(text, "appliance "+zoneB+" in")}
}

func TestApplianceMode(t *testing.T) {
	t.Run("C139 off: the reply comes by the appliance of the other zone", func(t *testing.T) {
		f := newInspection(t, false)
		o := f.a.host.Ping(f.far.Addr)
		o.OK(t)
		require.Equal(t, [2]bool{true, true}, f.seen(o.Walks), o.Walks)
	})
	t.Run("C139 on: one appliance sees both directions of each flow, and each has its share", func(t *testing.T) {
		f := newInspection(t, true)
		count := map[[2]bool]int{}
		for range 40 {
			o := f.a.host.Ping(f.far.Addr)
			o.OK(t)
			count[f.seen(o.Walks)]++
		}
		require.Zero(t, count[[2]bool{true, true}])
		require.Greater(t, count[[2]bool{true, false}], 5)
		require.Greater(t, count[[2]bool{false, true}], 5)
	})
	t.Run("C139 on: between hosts of one zone the appliance of that zone sees all", func(t *testing.T) {
		f := newInspection(t, true)
		for range 20 {
			o := f.a.host.Ping(f.b.host.Addr)
			o.OK(t)
			require.Equal(t, [2]bool{true, false}, f.seen(o.Walks))
		}
	})
	t.Run("C139 on: in a zone without an appliance any will do", func(t *testing.T) {
		f := newInspection(t, true)
		f.must(f.attach.RemoveSubnet(f.attach.Interfaces()[0].Subnet()))
		o := f.a.host.Ping(f.b.host.Addr)
		o.OK(t)
		require.Equal(t, [2]bool{false, true}, f.seen(o.Walks))
	})
	t.Run("it can be switched", func(t *testing.T) {
		f := newInspection(t, false)
		f.must(f.attach.SetApplianceMode(true))
		require.NotEqual(t, [2]bool{true, true}, f.seen(f.a.host.Ping(f.far.Addr).Walks))
	})
}
