package vpc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestGatewayRouteTablesRefuseWhatAWSRefuses(t *testing.T) {
	l := newLab(t)
	nat, nic := l.nat(), l.nic()
	pcx := got(peering.Create(l.vpc, l.newVPC("10.1.0.0/16"), peering.Config{})).or(t)
	tgw := newFake(t, l.region, "tgw", fake{attachTo: l.vpc})
	vpn := got(vgw.Create(l.region, vgw.Config{})).or(t)
	require.NoError(t, vpn.Attach(l.vpc))
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 1})).or(t)
	create := func(destination string, target vpc.Target) func() error {
		return func() error { return l.edge.CreateRoute(destination, target) }
	}
	l.all([]step{
		{"C045 a NAT gateway", "RouteNotSupported", noInterface, create("10.0.1.0/24", nat)},
		{"C045 a transit gateway", "RouteNotSupported", noInterface, create("10.0.1.0/24", tgw)},
		{"C045 a peering", "RouteNotSupported", noInterface, create("10.0.1.0/24", pcx)},
		{"C045 another gateway", "RouteNotSupported", noInterface, create("10.0.1.0/24", vpn)},
		{"C046 the associated gateway", "RouteConflict", "Route table has a conflicting association with the gateway " + l.igw.ID(), create("10.0.1.0/24", l.igw)},
		{"C047 the default route", "RouteNotSupported", outside, create("0.0.0.0/0", nic)},
		{"C047 a range outside", "RouteNotSupported", outside, create("192.168.0.0/16", nic)},
		{"C047 a wider range", "RouteNotSupported", outside, create("10.0.0.0/15", nic)},
		{"C048 no subnet's CIDR", "InvalidParameterValue", noSubnet, create("10.0.9.0/24", nic)},
		{"an address", "InvalidParameterValue", noSubnet, create("10.0.1.7/32", nic)},
		{"a prefix list", "RouteNotSupported", outside, func() error { return l.edge.CreatePrefixListRoute(list, nic) }},
		{"local by a NAT gateway", "RouteNotSupported", noInterface, func() error { return l.edge.ReplaceRoute("10.0.0.0/16", nat) }},
		{"propagation", "RouteNotSupported", "Route table contains propagated routes, which a gateway route table does not support.", func() error { return l.edge.EnablePropagation(vpn) }},
	})
	gwlbe := got(endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", l.a, endpoint.Config{})).or(t)
	for _, target := range []vpc.Target{nic, gwlbe} {
		require.NoError(t, l.edge.CreateRoute("10.0.1.0/24", target))
		require.NoError(t, l.edge.ReplaceRoute("10.0.0.0/16", target))
		require.NoError(t, l.edge.DeleteRoute("10.0.1.0/24"))
	}
	l.refused("DependencyViolation", "The vpcEndpoint '"+gwlbe.ID()+"' has dependencies and cannot be deleted.", gwlbe.Delete)
}

// What a table may not become it may not be when it is associated.
func TestATableThatIsNoGatewayRouteTableIsNotAssociated(t *testing.T) {
	for name, row := range map[string]struct {
		code, message string
		fill          func(l *lab, t *vpc.RouteTable) error
	}{
		"C052 a default route by a NAT gateway": {"RouteNotSupported", noInterface, func(l *lab, t *vpc.RouteTable) error { return t.CreateRoute("0.0.0.0/0", l.nat()) }},
		"C052 a destination outside":            {"RouteNotSupported", outside, func(l *lab, t *vpc.RouteTable) error { return t.CreateRoute("0.0.0.0/0", l.nic()) }},
		"C052 the gateway itself": {"RouteConflict", "Route table has a conflicting association with the gateway ", func(l *lab, t *vpc.RouteTable) error {
			return t.CreateRoute("0.0.0.0/0", l.igw)
		}},
		"a prefix list": {"RouteNotSupported", outside, func(l *lab, t *vpc.RouteTable) error {
			return t.CreatePrefixListRoute(got(l.region.CreatePrefixList(vpc.PrefixListConfig{MaxEntries: 1})).or(l.t), l.nic())
		}},
		"C052 propagation": {"RouteNotSupported", "Route table contains propagated routes, which a gateway route table does not support.", func(l *lab, t *vpc.RouteTable) error {
			g := got(vgw.Create(l.region, vgw.Config{})).or(l.t)
			require.NoError(l.t, g.Attach(l.vpc))
			return t.EnablePropagation(g)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			require.NoError(t, l.region.DisassociateRouteTable(l.edge.Associations()[0].ID))
			require.NoError(t, row.fill(l, l.table))
			if row.code == "RouteConflict" {
				row.message += l.igw.ID()
			}
			l.refused(row.code, row.message, func() error { return l.table.AssociateGateway(l.igw) })
		})
	}
}

func TestOneTableMayServeASubnetAndAGateway(t *testing.T) {
	l := newLab(t)
	t.Run("C031", func(t *testing.T) {
		require.NoError(t, l.edge.Associate(l.a))
		require.NoError(t, l.edge.CreateRoute("10.0.1.0/24", l.nic()))
	})
	t.Run("C053 describe shows both associations", func(t *testing.T) {
		list := l.edge.Describe().RouteTables[0].Associations
		require.Len(t, list, 2)
		require.Equal(t, l.igw.ID(), *list[0].GatewayId)
		require.Nil(t, list[0].SubnetId)
		require.False(t, *list[0].Main)
		require.Equal(t, l.a.ID(), *list[1].SubnetId)
		require.Equal(t, "associated", string(*list[1].AssociationState.State))
	})
}

func TestAssociationsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.table.Associate(l.a))
	second := got(l.vpc.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
	other := l.newVPC("10.1.0.0/16")
	foreign := got(other.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
	loose := got(igw.Create(l.region, igw.Config{})).or(t)
	main := l.vpc.MainRouteTable()
	mainID := main.Associations()[0].ID
	conflict := "the specified association for route table " + second.ID() + " conflicts with an existing association"
	l.all([]step{
		{"C071 a subnet with a table of its own", "Resource.AlreadyAssociated", conflict, func() error { return second.Associate(l.a) }},
		{"C071 a gateway with a table", "Resource.AlreadyAssociated", conflict, func() error { return second.AssociateGateway(l.igw) }},
		{"C072 deleting the main table", "DependencyViolation", "The routeTable '" + main.ID() + "' has dependencies and cannot be deleted.", main.Delete},
		{"C072 deleting an associated table", "DependencyViolation", "The routeTable '" + l.table.ID() + "' has dependencies and cannot be deleted.", l.table.Delete},
		{"C072 deleting a gateway's table", "DependencyViolation", "The routeTable '" + l.edge.ID() + "' has dependencies and cannot be deleted.", l.edge.Delete},
		{"the main association", "InvalidParameterValue", "cannot disassociate the main route table association " + mainID, func() error { return l.region.DisassociateRouteTable(mainID) }},
		{"no association", "InvalidAssociationID.NotFound", "The association ID 'rtbassoc-1' does not exist", func() error { return l.region.DisassociateRouteTable("rtbassoc-1") }},
		{"replacing no association", "InvalidAssociationID.NotFound", "The association ID 'rtbassoc-1' does not exist", func() error { return only(l.region.ReplaceRouteTableAssociation("rtbassoc-1", second)) }},
		{"another VPC's subnet", "InvalidParameterValue", "route table " + foreign.ID() + " and subnet " + l.b.ID() + " belong to different networks", func() error { return foreign.Associate(l.b) }},
		{"another VPC's gateway", "InvalidParameterValue", "route table " + foreign.ID() + " and network gateway " + l.igw.ID() + " belong to different networks", func() error { return foreign.AssociateGateway(l.igw) }},
		{"an unattached gateway", "InvalidParameterValue", "route table " + second.ID() + " and network gateway " + loose.ID() + " belong to different networks", func() error { return second.AssociateGateway(loose) }},
		{"a gateway table as the main one", "InvalidParameterValue", "Route table " + l.edge.ID() + " is the main route table, which can't be associated with a gateway.", func() error { return only(l.region.ReplaceRouteTableAssociation(mainID, l.edge)) }},
		{"no subnet", "MissingParameter", "The request must contain the parameter subnetId", func() error { return second.Associate(nil) }},
	})
	made := got(l.region.ReplaceRouteTableAssociation(mainID, second)).or(t)
	require.NotEqual(t, mainID, made)
	require.Same(t, second, l.vpc.MainRouteTable())
	require.Same(t, second, l.b.RouteTable())
	require.True(t, *second.Describe().RouteTables[0].Associations[0].Main)
	require.NoError(t, main.Delete(), "it is main no more")
	require.NoError(t, l.region.DisassociateRouteTable(l.table.Associations()[0].ID))
	require.Same(t, second, l.a.RouteTable())
	l.refused("InvalidRouteTableID.NotFound", "The routeTable ID '"+main.ID()+"' does not exist", func() error { return main.CreateRoute("0.0.0.0/0", l.igw) })
}
