package vpc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

const (
	outsideSubnet = "Address does not fall within the subnet's address range"
	inReserved    = "Address is in subnet's reserved address range"
)

func TestInterfacesAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	n, i := l.nic(), l.instance()
	second := l.nic()
	require.NoError(t, i.Attach(second))
	far := got(l.vpc.CreateSubnet("10.0.7.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})).or(t)
	elsewhere := got(far.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(t)
	other := l.newVPC("10.1.0.0/16")
	ended := l.instance()
	require.NoError(t, ended.Terminate())
	create := func(c vpc.NetworkInterfaceConfig) func() error {
		return func() error { return only(l.a.CreateNetworkInterface(c)) }
	}
	taken := n.PrivateIP()
	l.all([]step{
		{"outside the subnet", "InvalidParameterValue", outsideSubnet, create(vpc.NetworkInterfaceConfig{PrivateIP: ip("10.0.1.9")})},
		{"IPv6 as the primary", "InvalidParameterValue", outsideSubnet, create(vpc.NetworkInterfaceConfig{PrivateIP: ip("2001:db8::9")})},
		{"IPv6 without a CIDR", "InvalidParameterValue", outsideSubnet, create(vpc.NetworkInterfaceConfig{IPv6: []netip.Addr{ip("2001:db8::9")}})},
		{"reserved", "InvalidParameterValue", inReserved, create(vpc.NetworkInterfaceConfig{PrivateIP: ip("10.0.0.1")})},
		{"in use", "InvalidIPAddress.InUse", "Address " + taken.String() + " is in use.", create(vpc.NetworkInterfaceConfig{PrivateIP: taken})},
		{"twice", "InvalidIPAddress.InUse", "Address 10.0.0.50 is in use.", create(vpc.NetworkInterfaceConfig{PrivateIP: ip("10.0.0.50"), SecondaryIPs: []netip.Addr{ip("10.0.0.50")}})},
		{"a prefix of a wrong size", "InvalidParameterValue", "Prefix 10.0.0.64/27 does not fall within the subnet's address range", create(vpc.NetworkInterfaceConfig{Prefixes: []netip.Prefix{cidr("10.0.0.64/27")}})},
		{"a prefix in use", "InvalidIPAddress.InUse", "Address 10.0.0.64/28 is in use.", create(vpc.NetworkInterfaceConfig{PrivateIP: ip("10.0.0.70"), Prefixes: []netip.Prefix{cidr("10.0.0.64/28")}})},
		{"a prefix with a reserved address", "InvalidParameterValue", "Prefix 10.0.0.240/28 does not fall within the subnet's address range", create(vpc.NetworkInterfaceConfig{Prefixes: []netip.Prefix{cidr("10.0.0.240/28")}})},
		{"too many addresses", "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.", create(vpc.NetworkInterfaceConfig{SecondaryCount: 50})},
		{"a negative count", "InvalidParameterValue", "Value (-1) for parameter count is invalid. Expected none or more.", create(vpc.NetworkInterfaceConfig{SecondaryCount: -1})},
		{"another VPC's group", "InvalidGroup.NotFound", "The security group '" + other.DefaultSecurityGroup().ID() + "' does not exist in VPC '" + l.vpc.ID() + "'", create(vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{other.DefaultSecurityGroup()}})},
		{"a group twice", "InvalidParameterValue", "The same security group may not be specified multiple times", func() error {
			return n.SetGroups(l.vpc.DefaultSecurityGroup(), l.vpc.DefaultSecurityGroup())
		}},
		{"no group", "MissingParameter", "The request must contain the parameter groups", func() error { return n.SetGroups() }},
		{"C084 detaching the primary one", "OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.", func() error { return i.Detach(i.Interface()) }},
		{"C084 detaching it by its attachment", "OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.", func() error { return l.region.DetachNetworkInterface(i.Interface().AttachmentID()) }},
		{"no attachment", "InvalidAttachmentID.NotFound", "The network interface attachment ID 'eni-attach-1' does not exist", func() error { return l.region.DetachNetworkInterface("eni-attach-1") }},
		{"detaching what is not attached", "InvalidAttachmentID.NotFound", "The network interface attachment ID '" + n.ID() + "' does not exist", func() error { return i.Detach(n) }},
		{"a device index that is taken", "InvalidParameterValue", "Instance '" + i.ID() + "' already has an interface attached at device index '1'.", func() error { return only(i.AttachAt(n, 1)) }},
		{"attached already", "InvalidNetworkInterface.InUse", "Interface: [" + second.ID() + "] in use.", func() error { return i.Attach(second) }},
		{"another zone", "InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone", func() error { return i.Attach(elsewhere) }},
		{"a terminated instance", "IncorrectInstanceState", "Instance '" + ended.ID() + "' is not 'running' or 'stopped'.", func() error { return ended.Attach(n) }},
		{"deleting an attached one", "InvalidParameterValue", "Network interface '" + second.ID() + "' is currently in use.", second.Delete},
		{"deleting an instance's", "InvalidParameterValue", "Network interface '" + i.Interface().ID() + "' is currently in use.", i.Interface().Delete},
		{"source/dest check of an instance with two", "InvalidInstanceID", "There are multiple interfaces attached to instance '" + i.ID() + "'. Please specify an interface ID for the operation instead.", func() error { return i.SetSourceDestCheck(false) }},
		{"starting a terminated instance", "IncorrectInstanceState", "The instance '" + ended.ID() + "' is not in a state from which it can be started.", ended.Start},
		{"its own address again", "Resource.AlreadyAssigned", "The private IP address " + taken.String() + " is already assigned to " + n.ID(), func() error { return only(n.AssignPrivateIP(taken)) }},
		{"another's address", "InvalidIPAddress.InUse", "Address " + taken.String() + " is in use.", func() error { return only(second.AssignPrivateIP(taken)) }},
		{"another's primary address, by reassignment", "InvalidIPAddress.InUse", "Address " + taken.String() + " is in use.", func() error { return second.ReassignPrivateIP(taken) }},
		{"unassigning the primary address", "InvalidParameterValue", "The primary private IP address " + taken.String() + " of interface " + n.ID() + " cannot be unassigned", func() error { return n.UnassignPrivateIP(taken) }},
		{"unassigning none", "InvalidParameterValue", "Some of [10.0.0.200] are not assigned to interface " + n.ID(), func() error { return n.UnassignPrivateIP(ip("10.0.0.200")) }},
	})
	require.NoError(t, n.Delete())
	l.refused("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '"+n.ID()+"' does not exist", n.Delete)
}

func TestASecondaryInterfaceMovesToAStandby(t *testing.T) {
	l := newLab(t)
	a, b, n := l.instance(), l.instance(), l.nic()
	id := got(a.AttachAt(n, 3)).or(t)
	require.Equal(t, int32(3), *l.describe(n).Attachment.DeviceIndex)
	require.Equal(t, []*vpc.NetworkInterface{a.Interface(), n}, a.Interfaces())
	require.NoError(t, l.region.DetachNetworkInterface(id))
	require.Nil(t, n.Instance())
	require.NoError(t, b.Attach(n))
	require.Equal(t, int32(1), *l.describe(n).Attachment.DeviceIndex)
	require.Same(t, b, n.Instance())
	require.NoError(t, n.SetDeleteOnTermination(true))
	require.NoError(t, b.Terminate())
	require.False(t, n.Exists())
}

func TestASecondaryAddressMovesWithItsElasticIP(t *testing.T) {
	l := newLab(t)
	a, b, e := l.nic(), l.nic(), l.eip()
	moving := got(a.AssignPrivateIP(netip.Addr{})).or(t)
	require.NoError(t, e.AssociatePrivateIP(a, moving, false))
	require.NoError(t, b.ReassignPrivateIP(moving))
	require.Len(t, a.PrivateAddresses(), 1)
	require.Equal(t, vpc.PrivateAddress{IP: moving, Public: e.PublicIP(), Address: e}, b.PrivateAddresses()[1])
	require.Same(t, b, e.Interface())
	require.NoError(t, b.ReassignPrivateIP(moving), "it is there already")
	require.NoError(t, b.UnassignPrivateIP(moving))
	require.Nil(t, e.Interface())
	require.NoError(t, a.ReassignPrivateIP(moving), "it is free")
}

func TestPrefixesTakeTheirAddresses(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.vpc.AssociateCIDR("2001:db8:0:1a00::/56"))
	require.NoError(t, l.a.AssociateIPv6("2001:db8:0:1a00::/64"))
	n := l.nic()
	p := got(n.AssignPrefix(netip.Prefix{})).or(t)
	require.Equal(t, cidr("10.0.0.16/28"), p)
	require.Equal(t, 251-1-16, l.a.AvailableAddresses())
	six := got(n.AssignPrefix(netip.PrefixFrom(netip.IPv6Unspecified(), -1))).or(t)
	require.Equal(t, cidr("2001:db8:0:1a00:1::/80"), six)
	l.refused("InvalidIPAddress.InUse", "Address 10.0.0.17 is in use.", func() error {
		return only(l.a.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: ip("10.0.0.17")}))
	})
	for range 20 {
		require.False(t, p.Contains(l.nic().PrivateIP()))
	}
	s := l.describe(n)
	require.Equal(t, []ec2.Ipv4PrefixSpecification{{Ipv4Prefix: new("10.0.0.16/28")}}, []ec2.Ipv4PrefixSpecification(s.Ipv4Prefixes))
	require.NoError(t, n.UnassignPrefix(p))
	require.NoError(t, n.UnassignPrefix(six))
	require.Equal(t, ip("10.0.0.16"), l.nic().PrivateIP(), "the lowest free address again")
}

func TestElasticIPsAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	e, i, n := l.eip(), l.instance(), l.nic()
	second := l.nic()
	dry := l.newVPC("10.1.0.0/16")
	drySubnet := got(dry.CreateSubnet("10.1.0.0/24", vpc.SubnetConfig{})).or(t)
	dryNIC := got(drySubnet.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(t)
	require.NoError(t, e.AssociateInstance(i))
	require.NoError(t, i.Attach(second))
	spare := l.eip()
	another := got(igw.Create(l.region, igw.Config{})).or(t)
	l.all([]step{
		{"C081 a VPC without internet gateway", "Gateway.NotAttached", "Network " + dry.ID() + " is not attached to any internet gateway", func() error { return spare.Associate(dryNIC) }},
		{"C081 associated already", "Resource.AlreadyAssociated", "resource " + e.ID() + " is already associated with associate-id " + e.AssociationID(), func() error { return e.Associate(n) }},
		{"an instance with two interfaces", "InvalidInstanceID", "There are multiple interfaces attached to instance '" + i.ID() + "'. Please specify an interface ID for the operation instead.", func() error { return spare.AssociateInstance(i) }},
		{"an address that the interface does not have", "InvalidParameterValue", "Address 10.0.0.99 is not assigned to interface " + n.ID(), func() error { return spare.AssociatePrivateIP(n, ip("10.0.0.99"), false) }},
		{"releasing while associated", "InvalidIPAddress.InUse", "Address " + e.PublicIP().String() + " is in use.", e.Release},
		{"disassociating none", "InvalidAssociationID.NotFound", "The association ID '" + spare.ID() + "' does not exist", spare.Disassociate},
		{"an address of somebody's", "InvalidAddress.Unavailable", "Address " + e.PublicIP().String() + " is not available.", func() error {
			return only(l.region.AllocateAddress(vpc.AddressConfig{PublicIP: e.PublicIP()}))
		}},
		{"no interface", "MissingParameter", "The request must contain the parameter networkInterfaceId", func() error { return spare.Associate(nil) }},
		{"C080 a second internet gateway", "InvalidParameterValue", "Network " + l.vpc.ID() + " already has an internet gateway attached", func() error { return another.Attach(l.vpc) }},
		{"C080 detaching with mapped addresses", "DependencyViolation", "Network " + l.vpc.ID() + " has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", func() error { return l.igw.Detach(l.vpc) }},
		{"a gateway that is attached", "Resource.AlreadyAssociated", "resource " + l.igw.ID() + " is already attached to network " + l.vpc.ID(), func() error { return l.igw.Attach(dry) }},
		{"detaching from another VPC", "Gateway.NotAttached", "resource " + l.igw.ID() + " is not attached to network " + dry.ID(), func() error { return l.igw.Detach(dry) }},
		{"deleting an attached gateway", "DependencyViolation", "The internetGateway '" + l.igw.ID() + "' has dependencies and cannot be deleted.", l.igw.Delete},
	})
	t.Run("C081 with AllowReassociation it moves", func(t *testing.T) {
		was := e.AssociationID()
		require.NoError(t, e.AssociatePrivateIP(n, netip.Addr{}, true))
		require.NotEqual(t, was, e.AssociationID())
		require.Equal(t, e.PublicIP(), n.PublicIP())
		require.False(t, i.Interface().PublicIP().IsValid())
	})
	require.NoError(t, e.Disassociate())
	require.NoError(t, e.Release())
	l.refused("InvalidAllocationID.NotFound", "The allocation ID '"+e.ID()+"' does not exist", func() error { return e.Associate(n) })
}

func TestAPublicAddressOfTheLaunchComesAndGoes(t *testing.T) {
	l := newLab(t)
	i := got(l.a.RunInstance(vpc.InstanceConfig{AssociatePublicIP: true})).or(t)
	first := i.Interface().PublicIP()
	require.True(t, first.IsValid())
	require.NoError(t, i.Stop())
	require.False(t, i.Interface().PublicIP().IsValid())
	require.NoError(t, i.Start())
	require.True(t, i.Interface().PublicIP().IsValid())
	require.NotEqual(t, first, i.Interface().PublicIP())
	e := l.eip()
	require.NoError(t, e.AssociateInstance(i))
	require.NoError(t, i.Stop())
	require.Equal(t, e.PublicIP(), i.Interface().PublicIP(), "an Elastic IP stays")
	require.NoError(t, i.Start())
	require.NoError(t, i.Terminate())
	require.NoError(t, i.Terminate())
	require.Nil(t, i.Interface())
	require.Nil(t, e.Interface())
	require.Equal(t, "terminated", string(*l.region.DescribeInstances().Reservations[0].Instances[0].State.Name))
	l.region.Advance(3600e9)
	require.Empty(t, l.region.DescribeInstances().Reservations)
}

func TestNATGatewaysFailAsAWSsDo(t *testing.T) {
	l := newLab(t)
	dry := l.newVPC("10.1.0.0/16")
	drySubnet := got(dry.CreateSubnet("10.1.0.0/24", vpc.SubnetConfig{})).or(t)
	used := l.eip()
	require.NoError(t, used.Associate(l.nic()))
	full := got(l.vpc.CreateSubnet("10.0.3.0/28", vpc.SubnetConfig{})).or(t)
	for range 11 {
		got(full.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})).or(t)
	}
	for name, row := range map[string]struct {
		in            *vpc.Subnet
		c             natgw.Config
		code, message string
	}{
		"C082 no internet gateway": {drySubnet, natgw.Config{}, "Gateway.NotAttached", "Network " + dry.ID() + " has no Internet gateway attached"},
		"an address in use":        {l.a, natgw.Config{Address: used}, "Resource.AlreadyAssociated", "Elastic IP address " + used.ID() + " is already associated"},
		"a full subnet":            {full, natgw.Config{Private: true}, "InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses to create this NAT gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			g := got(natgw.Create(row.in, row.c)).or(t)
			state, code, message := g.State()
			require.Equal(t, []string{"failed", row.code, row.message}, []string{string(state), code, message})
			require.Nil(t, g.Interface())
			require.False(t, g.PrivateIP().IsValid())
			require.NoError(t, g.Delete())
		})
	}
	t.Run("C082 a private one needs no internet gateway", func(t *testing.T) {
		state, _, _ := got(natgw.Create(drySubnet, natgw.Config{Private: true})).or(t).State()
		require.Equal(t, natgw.Available, state)
	})
}

func TestNATGatewaysAreRefusedAsAWSRefusesThem(t *testing.T) {
	l := newLab(t)
	private := l.nat()
	public := got(natgw.Create(l.a, natgw.Config{})).or(t)
	e, third := l.eip(), l.eip()
	released := l.eip()
	require.NoError(t, released.Release())
	require.NoError(t, public.AssociateAddress(e, netip.Addr{}))
	second, own := public.PrivateIPs()[1], l.nic()
	l.all([]step{
		{"an unknown address", "InvalidAllocationID.NotFound", "The allocation ID '" + released.ID() + "' does not exist", func() error {
			return only(natgw.Create(l.a, natgw.Config{Address: released}))
		}},
		{"an address of a private one", "InvalidParameterValue", "AllocationId cannot be specified for a private NAT gateway.", func() error {
			return only(natgw.Create(l.a, natgw.Config{Private: true, Address: third}))
		}},
		{"a private address in use", "InvalidIPAddress.InUse", "Address " + private.PrivateIP().String() + " is in use.", func() error {
			return only(natgw.Create(l.a, natgw.Config{PrivateIP: private.PrivateIP()}))
		}},
		{"its address, taken away", "AuthFailure", "You do not have permission to access the specified resource.", e.Disassociate},
		{"its address, moved", "AuthFailure", "You do not have permission to access the specified resource.", func() error { return e.AssociatePrivateIP(own, netip.Addr{}, true) }},
		{"a third address", "InvalidParameterValue", "The maximum number of Elastic IP addresses for NAT gateway " + public.ID() + " has been reached.", func() error { return public.AssociateAddress(third, netip.Addr{}) }},
		{"an address for a private one", "InvalidParameterValue", "NatGateway " + private.ID() + " is private and can't have Elastic IP addresses", func() error { return private.AssociateAddress(third, netip.Addr{}) }},
		{"the primary address", "InvalidParameterValue", "The primary private IP address " + public.PrivateIP().String() + " of NatGateway " + public.ID() + " cannot be removed", func() error { return public.RemoveAddress(public.PrivateIP()) }},
		{"deleting its subnet", "DependencyViolation", "The subnet '" + l.a.ID() + "' has dependencies and cannot be deleted.", l.a.Delete},
	})
	require.NoError(t, public.RemoveAddress(second))
	require.Nil(t, e.Interface())
	require.Len(t, public.PrivateIPs(), 1)
	for range 7 {
		got(private.AssignPrivateIP(netip.Addr{})).or(t)
	}
	l.refused("PrivateIpAddressLimitExceeded", "The maximum number of private IP addresses for NAT gateway "+private.ID()+" has been reached.", func() error {
		return only(private.AssignPrivateIP(netip.Addr{}))
	})
	for range 3 {
		l.nat()
	}
	t.Run("C083 the sixth of a zone", func(t *testing.T) {
		l.t = t
		l.refused("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of 5 NAT gateways", func() error {
			return only(natgw.Create(l.a, natgw.Config{Private: true}))
		})
	})
	l.t = t
	require.NoError(t, private.Delete())
	l.refused("NatGatewayNotFound", "NatGateway "+private.ID()+" was not found", private.Delete)
	require.NoError(t, public.Delete())
	require.NoError(t, third.Release())
	require.NoError(t, l.igw.Detach(l.vpc), "its addresses are mapped no more")
}
