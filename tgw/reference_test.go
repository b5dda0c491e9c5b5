package tgw_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// members gives a's host a group of its own and b's another, which is to name it.
func (n *net) members(a, b *branch) (clients, servers *vpc.SecurityGroup) {
	n.t.Helper()
	clients, err := a.CreateSecurityGroup("clients", vpc.SecurityGroupConfig{})
	n.must(err, a.host.Interface.SetGroups(clients))
	servers, err = b.CreateSecurityGroup("servers", vpc.SecurityGroupConfig{})
	n.must(err, b.host.Interface.SetGroups(servers))
	return clients, servers
}

func TestGroupReferencesAcrossATransitGateway(t *testing.T) {
	t.Run("are refused where the gateway does not support them", func(t *testing.T) {
		n, a, b := newPair(t)
		clients, servers := n.members(a, b)
		require.EqualError(t, servers.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: clients}),
			"InvalidGroup.NotFound: You have specified two resources that belong to different networks.")
	})
	t.Run("hold in ingress rules where it does", func(t *testing.T) {
		n := newNet(t, tgw.Config{SecurityGroupReferencing: true})
		a, b := n.branch("a", "10.1"), n.branch("b", "10.2")
		clients, servers := n.members(a, b)
		n.must(servers.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: clients}))
		a.host.Ping(b.host.Addr).OK(t)
		require.EqualError(t, clients.AuthorizeEgress(vpc.Permission{Protocol: -1, Group: servers}),
			"InvalidGroup.NotFound: You have specified two resources that belong to different networks.")
		n.must(n.g.SetSecurityGroupReferencing(false))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitReference)
		require.Equal(t, "SG_REFERENCING_SUPPORT", trace.TransitReference.Code())
	})
	t.Run("not where an attachment does not", func(t *testing.T) {
		n := newNet(t, tgw.Config{SecurityGroupReferencing: true})
		a := n.branch("a", "10.1")
		v := n.VPC("10.2.0.0/16")
		s := v.Subnet("10.2.0.0/24")
		n.attach(tgw.AttachmentConfig{NoSecurityGroupReferencing: true}, s)
		group, err := v.CreateSecurityGroup("servers", vpc.SecurityGroupConfig{})
		n.must(err)
		require.ErrorContains(t, group.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: a.DefaultSecurityGroup()}), "different networks")
	})
	t.Run("not by the gateway where a peering lets the rule stand", func(t *testing.T) {
		n, a, b := newPair(t)
		clients, servers := n.members(a, b)
		pcx, err := peering.Create(a.VPC.VPC, b.VPC.VPC, peering.Config{})
		n.must(err, pcx.Accept(), servers.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: clients}))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitReference)
		a.subnet.Route("10.2.0.0/16", pcx)
		b.subnet.Route("10.1.0.0/16", pcx)
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("not past an appliance", func(t *testing.T) {
		f := newInspection(t, true)
		f.must(f.g.SetSecurityGroupReferencing(true))
		clients, servers := f.members(f.a, f.b)
		f.must(servers.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: clients}))
		o := f.a.host.Ping(f.b.host.Addr)
		require.False(t, o.Answered)
		require.Contains(t, o.Walks.String(), trace.GroupReference.String())
	})
}

func TestPrefixListReferences(t *testing.T) {
	n, a, b := newPair(t)
	table := n.table()
	l, err := n.Region.CreatePrefixList(vpc.PrefixListConfig{Name: "sites", MaxEntries: 3, Entries: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")}})
	n.must(err)
	t.Run("C093 before a propagated route, behind a static one", func(t *testing.T) {
		n.must(table.CreatePrefixListReference(l, nil))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitBlackhole)
		n.must(table.CreateRoute("10.2.0.0/16", b.attach))
		a.host.Ping(b.host.Addr).OK(t)
		n.must(table.DeleteRoute("10.2.0.0/16"), table.ReplacePrefixListReference(l, b.attach))
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("the table follows the list", func(t *testing.T) {
		n.must(table.DisablePropagation(b.attach), l.SetEntries(nil))
		a.host.Ping(b.host.Addr).Dropped(t, trace.TransitNoRoute)
		n.must(l.SetEntries([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}))
		a.host.Ping(b.host.Addr).OK(t)
	})
	t.Run("described", func(t *testing.T) {
		s := table.PrefixListReferences().TransitGatewayPrefixListReferences[0]
		require.Equal(t, l.ID(), *s.PrefixListId)
		require.Equal(t, b.attach.ID(), *s.TransitGatewayAttachment.TransitGatewayAttachmentId)
		require.False(t, *s.Blackhole)
		var found bool
		for _, r := range table.Search().Routes {
			if *r.DestinationCidrBlock == "10.0.0.0/8" {
				found = *r.PrefixListId == l.ID() && *r.Type == ec2.TransitGatewayRouteTypeStatic
			}
		}
		require.True(t, found)
	})
	t.Run("refused", func(t *testing.T) {
		require.EqualError(t, table.CreatePrefixListReference(l, a.attach), "PrefixListReferenceAlreadyExists: Prefix list "+l.ID()+" already exists in Transit Gateway Route Table "+table.ID()+".")
		require.EqualError(t, table.CreatePrefixListReference(nil, a.attach), "MissingParameter: The request must contain the parameter prefixListId")
		require.EqualError(t, l.Delete(), "DependencyViolation: The prefix list '"+l.ID()+"' has dependencies and cannot be deleted.")
		n.must(table.DeletePrefixListReference(l))
		require.EqualError(t, table.DeletePrefixListReference(l), "InvalidPrefixListID.NotFound: Prefix list "+l.ID()+" does not exist in Transit Gateway Route Table "+table.ID()+".")
		n.Region.SetQuota(vpc.QuotaTransitGatewayRoutes, 2)
		require.EqualError(t, table.CreatePrefixListReference(l, a.attach), "TransitGatewayRouteLimitExceeded: The maximum number of transit gateway routes has been reached.")
		n.must(l.Delete())
	})
}

func TestARefusedReferenceIsLoggedAsRejected(t *testing.T) {
	n := newNet(t, tgw.Config{SecurityGroupReferencing: true})
	a, b := n.branch("a", "10.1"), n.branch("b", "10.2")
	clients, servers := n.members(a, b)
	n.must(servers.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: clients}), n.g.SetSecurityGroupReferencing(false))
	l, err := flowlog.Create(b.host.Interface, flowlog.Config{Format: "${flow-direction} ${action}"})
	n.must(err)
	a.host.Ping(b.host.Addr).Dropped(t, trace.TransitReference)
	n.Run(time.Minute)
	require.Equal(t, "ingress REJECT\n", l.Text(n.Live(n.Region)))
}
