package vpc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// The sentences of gateway route tables, whole (S000, S001).
const (
	noInterface  = "Route table contains routes that do not target a network interface"
	outside      = "Route table contains unsupported route destination. The unsupported route destination is less specific or non-overlapping than VPC local CIDR."
	noSubnet     = "Route destination doesn't match any subnet CIDR blocks."
	exactlyOne   = "The request must contain exactly one of gatewayId, localGatewayId, carrierGatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, vpcEndpointId, coreNetworkArn or instanceId"
	serviceRoute = "Cannot create or replace a prefix list route targeting a VPC Endpoint."
)

func insideOnly(cidr string) string {
	return "The destination CIDR block " + cidr + " is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
}

// step is a numbered case: a call and AWS's refusal of it.
type step struct {
	name, code, message string
	call                func() error
}

func (l *lab) all(steps []step) {
	t := l.t
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			l.t = t
			l.refused(s.code, s.message, s.call)
		})
	}
	l.t = t
}

func TestSubnetRouteTablesRefuseWhatAWSRefuses(t *testing.T) {
	l := newLab(t)
	rtb := l.table.ID()
	other := l.newVPC("10.1.0.0/16")
	foreignIGW := got(igw.Create(l.region, igw.Config{})).or(t)
	require.NoError(t, foreignIGW.Attach(other))
	foreignSubnet := got(other.CreateSubnet("10.1.0.0/24", vpc.SubnetConfig{})).or(t)
	foreignNIC := got(foreignSubnet.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(t)
	foreignNAT := got(natgw.Create(foreignSubnet, natgw.Config{Private: true})).or(t)
	loose := got(igw.Create(l.region, igw.Config{})).or(t)
	deletedNAT := l.nat()
	require.NoError(t, deletedNAT.Delete())
	deletedNIC := l.nic()
	require.NoError(t, deletedNIC.Delete())
	deletedIGW := got(igw.Create(l.region, igw.Config{})).or(t)
	require.NoError(t, deletedIGW.Delete())
	deletedTGW := newFake(t, l.region, "tgw", fake{attachTo: l.vpc})
	tgw := newFake(t, l.region, "tgw", fake{attachTo: l.vpc})
	foreignTGW := newFake(t, l.region, "tgw", fake{attachTo: other})
	require.NoError(t, deletedTGW.delete())
	pcx := got(peering.Create(l.vpc, other, peering.Config{})).or(t)
	require.NoError(t, pcx.Accept())
	eigw := got(igw.CreateEgressOnly(l.vpc, igw.EgressOnlyConfig{})).or(t)
	vpn := got(vgw.Create(l.region, vgw.Config{})).or(t)
	require.NoError(t, vpn.Attach(l.vpc))
	two := l.instance()
	require.NoError(t, two.Attach(l.nic()))
	iface := got(endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", []*vpc.Subnet{l.a}, endpoint.Config{})).or(t)
	s3 := got(endpoint.CreateGateway(l.vpc, "com.amazonaws.us-east-1.s3", []*vpc.RouteTable{l.table}, endpoint.Config{})).or(t)
	require.NoError(t, l.table.CreateRoute("0.0.0.0/0", l.igw))
	create := func(destination string, target vpc.Target) func() error {
		return func() error { return l.table.CreateRoute(destination, target) }
	}
	l.all([]step{
		{"C055 another target", "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists.", create("0.0.0.0/0", l.nat())},
		{"C057 the VPC's CIDR", "RouteAlreadyExists", "The route identified by 10.0.0.0/16 already exists.", create("10.0.0.0/16", l.nic())},
		{"C058 another VPC's gateway", "InvalidParameterValue", "route table " + rtb + " and network gateway " + foreignIGW.ID() + " belong to different networks", create("9.0.0.0/8", foreignIGW)},
		{"C058 a gateway of no VPC", "InvalidParameterValue", "route table " + rtb + " and network gateway " + loose.ID() + " belong to different networks", create("9.0.0.0/8", loose)},
		{"C059 local", "InvalidGatewayID.NotFound", "The gateway ID 'local' does not exist", create("9.0.0.0/8", vpc.Local)},
		{"an unknown internet gateway", "InvalidGatewayID.NotFound", "The gateway ID '" + deletedIGW.ID() + "' does not exist", create("9.0.0.0/8", deletedIGW)},
		{"C060 an unknown NAT gateway", "InvalidNatGatewayID.NotFound", "The natGateway ID '" + deletedNAT.ID() + "' does not exist", create("9.0.0.0/8", deletedNAT)},
		{"another VPC's NAT gateway", "InvalidNatGatewayID.NotFound", "The natGateway ID '" + foreignNAT.ID() + "' does not exist", create("9.0.0.0/8", foreignNAT)},
		{"C061 a transit gateway without attachment", "InvalidTransitGatewayID.NotFound", "The transitGateway ID '" + foreignTGW.ID() + "' does not exist", create("9.0.0.0/8", foreignTGW)},
		{"C061 an unknown transit gateway", "InvalidTransitGatewayID.NotFound", "The transitGateway ID '" + deletedTGW.ID() + "' does not exist", create("9.0.0.0/8", deletedTGW)},
		{"an unknown interface", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + deletedNIC.ID() + "' does not exist", create("9.0.0.0/8", deletedNIC)},
		{"another VPC's interface", "InvalidParameterValue", "route table " + rtb + " and interface " + foreignNIC.ID() + " belong to different networks", create("9.0.0.0/8", foreignNIC)},
		{"C062 an instance with two interfaces", "InvalidInstanceID", "There are multiple interfaces attached to instance '" + two.ID() + "'. Please specify an interface ID for the operation instead.", create("9.0.0.0/8", two)},
		{"C054 a transit gateway inside the VPC", "InvalidParameterValue", insideOnly("10.0.1.0/24"), create("10.0.1.0/24", tgw)},
		{"C054 an internet gateway inside the VPC", "InvalidParameterValue", insideOnly("10.0.1.0/24"), create("10.0.1.0/24", l.igw)},
		{"C054 a peering inside the VPC", "InvalidParameterValue", insideOnly("10.0.1.0/24"), create("10.0.1.0/24", pcx)},
		{"C054 a virtual private gateway inside the VPC", "InvalidParameterValue", insideOnly("10.0.1.0/24"), create("10.0.1.0/24", vpn)},
		{"C054 any CIDR inside the VPC", "InvalidParameterValue", insideOnly("10.0.9.0/25"), create("10.0.9.0/25", l.igw)},
		{"no subnet's CIDR", "InvalidParameterValue", noSubnet, create("10.0.9.0/24", l.nic())},
		{"half a subnet", "InvalidParameterValue", noSubnet, create("10.0.1.0/25", l.nic())},
		{"two subnets", "InvalidParameterValue", noSubnet, create("10.0.0.0/23", l.nic())},
		{"C063 an interface endpoint", "RouteNotSupported", "Route table contains unsupported route target: " + iface.ID() + ". VPC Endpoints of this type cannot be used as route targets.", create("9.0.0.0/8", iface)},
		{"a gateway endpoint", "InvalidParameterValue", serviceRoute, create("9.0.0.0/8", s3)},
		{"C064 no CIDR", "InvalidParameterValue", "Value (10.0.0.0/33) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", create("10.0.0.0/33", l.igw)},
		{"C064 an IPv4 address in IPv6", "InvalidParameterValue", "Value (::ffff:10.0.0.0/104) for parameter destinationIpv6CidrBlock is invalid. This is not a valid CIDR block.", create("::ffff:10.0.0.0/104", l.igw)},
		{"C088 no target", "MissingParameter", exactlyOne, create("9.0.0.0/8", nil)},
		{"C088 no target either", "MissingParameter", exactlyOne, create("9.0.0.0/8", (*vpc.NetworkInterface)(nil))},
		{"C074 the platform's own addresses", "InvalidParameterValue", "The destination CIDR block 169.254.169.0/24 is reserved and cannot be routed.", create("169.254.169.0/24", l.igw)},
		{"C074 and their whole range", "InvalidParameterValue", "The destination CIDR block 169.254.168.0/22 is reserved and cannot be routed.", create("169.254.168.0/22", l.igw)},
		{"the platform's own addresses of IPv6", "InvalidParameterValue", "The destination CIDR block fd00:ec2::253/128 is reserved and cannot be routed.", create("fd00:ec2::253/128", l.igw)},
		{"IPv4 by an egress-only gateway", "InvalidParameterValue", "The destination CIDR block 9.0.0.0/8 is IPv4. An egress only internet gateway takes IPv6 alone.", create("9.0.0.0/8", eigw)},
		{"C066 replacing none", "InvalidParameterValue", "There is no route defined for '10.9.0.0/16' in the route table. Use CreateRoute instead.", func() error { return l.table.ReplaceRoute("10.9.0.0/16", l.igw) }},
		{"replacing by nothing", "MissingParameter", exactlyOne + ", or must have localTarget set to true", func() error { return l.table.ReplaceRoute("0.0.0.0/0", nil) }},
		{"C068 the local target elsewhere", "InvalidParameterValue", "local-target only allowed with network local destination CIDRs", func() error { return l.table.ReplaceRoute("0.0.0.0/0", vpc.Local) }},
		{"replacing local by an internet gateway", "InvalidParameterValue", insideOnly("10.0.0.0/16"), func() error { return l.table.ReplaceRoute("10.0.0.0/16", l.igw) }},
		{"C069 deleting none", "InvalidRoute.NotFound", "no route with destination-cidr-block 10.9.0.0/16 in route table " + rtb, func() error { return l.table.DeleteRoute("10.9.0.0/16") }},
		{"C070 deleting local", "InvalidParameterValue", "cannot remove local route 10.0.0.0/16 in route table " + rtb, func() error { return l.table.DeleteRoute("10.0.0.0/16") }},
		{"deleting an endpoint's route", "InvalidParameterValue", "cannot remove VPC endpoint route " + s3.PrefixList().ID() + " in route table " + rtb, func() error { return l.table.DeletePrefixListRoute(s3.PrefixList()) }},
		{"replacing an endpoint's route", "InvalidParameterValue", serviceRoute, func() error { return l.table.ReplacePrefixListRoute(s3.PrefixList(), l.igw) }},
		{"a prefix list by a gateway endpoint", "InvalidParameterValue", serviceRoute, func() error { return l.table.CreatePrefixListRoute(s3.PrefixList(), s3) }},
		{"the endpoint's list again", "RouteAlreadyExists", "The route identified by " + s3.PrefixList().ID() + " already exists.", func() error { return l.table.CreatePrefixListRoute(s3.PrefixList(), l.igw) }},
		{"a second endpoint of the service", "RouteAlreadyExists", "route table " + rtb + " already has a route with destination-prefix-list-id " + s3.PrefixList().ID(), func() error {
			return only(endpoint.CreateGateway(l.vpc, "com.amazonaws.us-east-1.s3", []*vpc.RouteTable{l.edge, l.table}, endpoint.Config{}))
		}},
	})
}

func TestSubnetRouteTablesAcceptWhatAWSAccepts(t *testing.T) {
	l := newLab(t)
	nat := l.nat()
	t.Run("C040 a NAT gateway's interface becomes the NAT gateway", func(t *testing.T) {
		require.NoError(t, l.table.CreateRoute("9.0.0.0/8", nat.Interface()))
		require.Equal(t, nat.ID(), *l.table.Describe().RouteTables[0].Routes[1].NatGatewayId)
		require.Nil(t, l.table.Describe().RouteTables[0].Routes[1].NetworkInterfaceId)
	})
	t.Run("C041 C043 an unattached interface is a black hole until it is attached", func(t *testing.T) {
		n, i := l.nic(), l.instance()
		require.NoError(t, l.table.CreateRoute("11.0.0.0/8", n))
		require.Equal(t, vpc.Blackhole, l.route(l.table, "11.0.0.0/8").State)
		require.NoError(t, i.Attach(n))
		require.Equal(t, vpc.Active, l.route(l.table, "11.0.0.0/8").State)
		require.NoError(t, i.Detach(n))
		require.Equal(t, vpc.Blackhole, l.route(l.table, "11.0.0.0/8").State)
		require.NoError(t, n.Delete())
		require.Equal(t, vpc.Blackhole, l.route(l.table, "11.0.0.0/8").State)
		require.Equal(t, n.ID(), l.route(l.table, "11.0.0.0/8").Target.ID())
	})
	t.Run("C054 a subnet's CIDR by what may stand inside", func(t *testing.T) {
		gwlbe := got(endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", l.a, endpoint.Config{})).or(t)
		for _, target := range []vpc.Target{nat, l.nic(), gwlbe} {
			require.NoError(t, l.table.CreateRoute("10.0.1.0/24", target))
			require.NoError(t, l.table.DeleteRoute("10.0.1.0/24"))
		}
	})
	t.Run("C056 the same again", func(t *testing.T) {
		require.NoError(t, l.table.CreateRoute("0.0.0.0/0", l.igw))
		before := everything(t, l.region)
		require.NoError(t, l.table.CreateRoute("0.0.0.0/0", l.igw))
		require.Equal(t, before, everything(t, l.region))
	})
	t.Run("C065 host bits are dropped", func(t *testing.T) {
		require.NoError(t, l.table.CreateRoute("100.68.0.18/18", l.igw))
		require.Equal(t, vpc.Active, l.route(l.table, "100.68.0.0/18").State)
		v := l.newVPC("100.68.0.18/18")
		require.Equal(t, cidr("100.68.0.0/18"), v.CIDRs()[0])
		require.NoError(t, v.Delete())
	})
	t.Run("C067 the local route's target is replaced and restored", func(t *testing.T) {
		i := l.instance()
		require.NoError(t, l.table.ReplaceRoute("10.0.0.0/16", i))
		r := l.route(l.table, "10.0.0.0/16")
		require.Equal(t, i.Interface().ID(), r.Target.ID())
		require.Equal(t, vpc.CreateRouteTable, r.Origin)
		require.NoError(t, l.table.ReplaceRoute("10.0.0.0/16", nat))
		require.NoError(t, l.table.ReplaceRoute("10.0.0.0/16", vpc.Local))
		require.Equal(t, vpc.Local, l.route(l.table, "10.0.0.0/16").Target)
		require.NoError(t, l.table.ReplaceRoute("10.0.0.0/16", vpc.Local), "it is local already")
	})
	t.Run("C074 a wider range than the platform's", func(t *testing.T) {
		require.NoError(t, l.table.CreateRoute("169.254.0.0/16", l.igw))
	})
	t.Run("an instance is stored as its interface", func(t *testing.T) {
		i := l.instance()
		require.NoError(t, l.table.CreateRoute("12.0.0.0/8", i))
		for _, r := range l.table.Describe().RouteTables[0].Routes {
			if *r.DestinationCidrBlock == "12.0.0.0/8" {
				require.Equal(t, []string{i.ID(), "123456789012", i.Interface().ID()}, []string{*r.InstanceId, *r.InstanceOwnerId, *r.NetworkInterfaceId})
			}
		}
	})
}

func TestBlackHolesFollowTheLifeOfTheTarget(t *testing.T) {
	l := newLab(t)
	other := l.newVPC("10.1.0.0/16")
	nat, i := l.nat(), l.instance()
	pcx := got(peering.Create(l.vpc, other, peering.Config{})).or(t)
	vpn := got(vgw.Create(l.region, vgw.Config{})).or(t)
	require.NoError(t, vpn.Attach(l.vpc))
	eigw := got(igw.CreateEgressOnly(l.vpc, igw.EgressOnlyConfig{})).or(t)
	tgw := newFake(t, l.region, "tgw", fake{attachTo: l.vpc})
	routes := map[string]vpc.Target{"1.0.0.0/8": nat, "2.0.0.0/8": i, "3.0.0.0/8": pcx, "4.0.0.0/8": vpn, "2001:db8::/32": eigw, "5.0.0.0/8": tgw, "6.0.0.0/8": l.igw}
	for dst, target := range routes {
		require.NoError(t, l.table.CreateRoute(dst, target))
	}
	require.Equal(t, vpc.Blackhole, l.route(l.table, "3.0.0.0/8").State, "a request that is pending")
	require.NoError(t, pcx.Accept())
	for dst := range routes {
		require.Equal(t, vpc.Active, l.route(l.table, dst).State, dst)
	}
	require.NoError(t, l.edge.ReplaceRoute("10.0.0.0/16", i))
	t.Run("C073", func(t *testing.T) { require.NoError(t, nat.Delete()) })
	require.NoError(t, i.Terminate())
	require.NoError(t, pcx.Delete())
	require.NoError(t, vpn.Detach(l.vpc))
	require.NoError(t, eigw.Delete())
	require.NoError(t, tgw.delete())
	require.NoError(t, l.igw.Detach(l.vpc))
	for dst, target := range routes {
		r := l.route(l.table, dst)
		require.Equal(t, vpc.Blackhole, r.State, dst)
		if target != vpc.Target(i) {
			require.Equal(t, target.ID(), r.Target.ID())
		}
	}
	require.NoError(t, l.igw.Attach(l.vpc))
	require.NoError(t, vpn.Attach(l.vpc))
	require.Equal(t, vpc.Active, l.route(l.table, "6.0.0.0/8").State)
	require.Equal(t, vpc.Active, l.route(l.table, "4.0.0.0/8").State)
	require.Nil(t, l.vpc.GatewayRouteTable(l.igw), "the edge association went with the attachment")
}
