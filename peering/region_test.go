package peering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// far is two VPCs in two regions of two accounts that are peered.
type far struct {
	world      *vpctest.World
	east, west *vpc.Region
	a, b       *site
	pcx        *peering.Connection // in the east, which asked
	there      *peering.Connection // in the west
}

func newSiteIn(w *vpctest.World, r *vpc.Region, cidr, subnet, name string) *site {
	s := &site{VPC: w.VPCIn(r, cidr)}
	s.subnet = s.Subnet(subnet)
	s.host = s.subnet.Host(name)
	s.host.Allow(vpc.AllICMP("0.0.0.0/0"))
	return s
}

func requestFar(t *testing.T) *far {
	t.Helper()
	f := &far{world: vpctest.New(t)}
	f.east = f.world.Region
	f.west = f.world.World.Region(vpc.RegionConfig{Name: "us-west-1", Account: "210987654321"})
	f.a = newSiteIn(f.world, f.east, "10.1.0.0/16", "10.1.0.0/24", "a")
	f.b = newSiteIn(f.world, f.west, "10.2.0.0/16", "10.2.0.0/24", "b")
	var err error
	f.pcx, err = peering.Create(f.a.VPC.VPC, f.b.VPC.VPC, peering.Config{Name: "pcx"})
	require.NoError(t, err)
	f.there = f.pcx.In(f.west)
	require.NotNil(t, f.there)
	return f
}

func newFar(t *testing.T) *far {
	t.Helper()
	f := requestFar(t)
	require.NoError(t, f.there.Accept())
	f.a.subnet.Route("10.2.0.0/16", f.pcx)
	f.b.subnet.Route("10.1.0.0/16", f.there)
	return f
}

// last is the walk that began last.
func last(w *vpctest.World) *trace.Walk {
	walks := w.Trace().Walks()
	return walks[len(walks)-1]
}

func TestAConnectionBetweenRegions(t *testing.T) {
	t.Run("C141 carries packets, after a while, and leaves the TTL alone", func(t *testing.T) {
		f := newFar(t)
		r := f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1})
		require.Len(t, r.Replies, 1)
		require.Equal(t, uint8(255), r.Replies[0].TTL)
		require.Greater(t, r.Replies[0].RTT, 60*time.Millisecond)
		f.b.host.Ping(f.a.host.Addr).OK(t)
	})
	t.Run("over 8,500 bytes nothing crosses, and nobody is told", func(t *testing.T) {
		f := newFar(t)
		ping := func(size int) int {
			return f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1, Size: size - 28, DontFragment: true}).Received
		}
		require.Equal(t, 1, ping(peering.MTU))
		require.Equal(t, 0, ping(peering.MTU+1))
		require.Equal(t, trace.TooBig, last(f.world).Reason)
	})
	t.Run("C142 leads to no third VPC and no gateway of the other region", func(t *testing.T) {
		f := newFar(t)
		third := newSiteIn(f.world, f.west, "10.3.0.0/16", "10.3.0.0/24", "c")
		bc, err := peering.Create(f.b.VPC.VPC, third.VPC.VPC, peering.Config{})
		require.NoError(t, err)
		require.NoError(t, bc.Accept())
		f.b.subnet.Route("10.3.0.0/16", bc)
		f.b.subnet.Route("0.0.0.0/0", f.b.InternetGateway())
		f.a.subnet.Route("0.0.0.0/0", f.pcx)
		f.a.host.Ping(third.host.Addr).Dropped(t, trace.OutsidePeer)
		f.a.host.Ping(f.world.OnInternet("198.51.100.7").Addr).Dropped(t, trace.OutsidePeer)
	})
	t.Run("a change of either region holds from the next packet on", func(t *testing.T) {
		f := newFar(t)
		f.a.host.Ping(f.b.host.Addr).OK(t)
		require.NoError(t, f.b.AssociateCIDR("10.9.0.0/16"))
		s := f.b.Subnet("10.9.0.0/24")
		s.Route("10.1.0.0/16", f.there)
		h := s.Host("new")
		f.a.subnet.Route("10.9.0.0/16", f.pcx)
		f.a.host.Ping(h.Addr).OK(t)
		require.NoError(t, f.there.Delete())
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.Blackhole)
		require.Equal(t, peering.Deleted, f.pcx.State())
	})
	t.Run("ACLs of both regions are asked", func(t *testing.T) {
		f := newFar(t)
		acl, err := f.b.CreateNetworkACL(vpc.NetworkACLConfig{})
		require.NoError(t, err)
		require.NoError(t, f.b.subnet.SetNetworkACL(acl))
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.ACLIngress)
	})
	t.Run("pending it is a black hole at both ends", func(t *testing.T) {
		f := requestFar(t)
		f.a.subnet.Route("10.2.0.0/16", f.pcx)
		f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.Blackhole)
	})
}

func TestWhatAWSRefusesBetweenRegions(t *testing.T) {
	f := requestFar(t)
	id := f.pcx.ID()
	refused(t, f.east, "OperationNotPermitted", "Incorrect region (us-east-1) specified for this request. VPC peering connection "+id+
		" must be accepted in region us-west-1", f.pcx.Accept)
	refused(t, f.east, "VpcPeeringConnectionAlreadyExists", "A VPC peering connection between "+f.a.VPC.ID()+" and "+f.b.VPC.ID()+" already exists.", func() error {
		_, err := peering.Create(f.a.VPC.VPC, f.b.VPC.VPC, peering.Config{})
		return err
	})
	require.NoError(t, f.there.Accept())
	refused(t, f.east, "InvalidVpc.Range", "The CIDR '10.2.0.0/17' conflicts with a CIDR of the peer VPC "+f.b.VPC.ID()+".", func() error { return f.a.AssociateCIDR("10.2.0.0/17") })
	// The handle of the other region is no resource of this one.
	refused(t, f.east, "InvalidVpcPeeringConnectionID.NotFound", "VpcPeeringConnectionID "+id+" does not exist.", func() error {
		return f.a.MainRouteTable().CreateRoute("10.2.0.0/16", f.there)
	})
	group, err := f.b.CreateSecurityGroup("theirs", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	refused(t, f.east, "InvalidGroup.NotFound", "The security group '"+group.ID()+"' does not exist", func() error {
		return f.a.DefaultSecurityGroup().AuthorizeIngress(vpc.Permission{Protocol: -1, Group: group})
	})
}

func TestOfTwoRegionsEachDescribesTheConnection(t *testing.T) {
	f := requestFar(t)
	one := func(r *vpc.Region) ec2.VpcPeeringConnection {
		list := peering.Describe(r).VpcPeeringConnections
		require.Len(t, list, 1)
		return list[0]
	}
	here, there := one(f.east), one(f.west)
	require.Equal(t, "pending-acceptance", string(*here.Status.Code))
	require.Equal(t, "Pending Acceptance by 210987654321", *there.Status.Message)
	require.Equal(t, "us-west-1", *here.AccepterVpcInfo.Region)
	require.Equal(t, "10.2.0.0/16", *here.AccepterVpcInfo.CidrBlock)
	require.Equal(t, "210987654321", *here.AccepterVpcInfo.OwnerId)
	require.NotEmpty(t, here.Tags)
	require.Empty(t, there.Tags)
	here.Tags, there.Tags = nil, nil
	require.Equal(t, here, there)
	require.NoError(t, f.there.Accept())
	require.Equal(t, "active", string(*one(f.east).Status.Code))
}

func TestARequestToAnotherRegionFails(t *testing.T) {
	t.Run("C143 where CIDRs overlap", func(t *testing.T) {
		f := requestFar(t)
		v := f.world.VPCIn(f.west, "10.1.128.0/17")
		p, err := peering.Create(f.a.VPC.VPC, v.VPC, peering.Config{})
		require.NoError(t, err)
		require.Equal(t, peering.Failed, p.State())
		require.Equal(t, peering.Failed, p.In(f.west).State())
	})
	t.Run("where the accepter takes a CIDR that overlaps", func(t *testing.T) {
		f := requestFar(t)
		require.NoError(t, f.b.AssociateCIDR("10.1.0.0/20"))
		require.Equal(t, peering.Failed, f.pcx.State())
	})
	t.Run("where the VPC is gone", func(t *testing.T) {
		f := requestFar(t)
		gone := f.world.VPCIn(f.west, "10.7.0.0/16")
		require.NoError(t, gone.Delete())
		p, err := peering.Create(f.a.VPC.VPC, gone.VPC, peering.Config{})
		require.NoError(t, err)
		require.Equal(t, peering.Failed, p.State())
	})
	t.Run("and ends with either VPC", func(t *testing.T) {
		f := requestFar(t)
		v := f.world.VPCIn(f.west, "10.7.0.0/16")
		p, err := peering.Create(f.a.VPC.VPC, v.VPC, peering.Config{})
		require.NoError(t, err)
		require.NoError(t, v.Delete())
		require.Equal(t, peering.Deleted, p.State())
	})
	t.Run("an id that is in use there is an error, and nothing has changed", func(t *testing.T) {
		f := newFar(t)
		v, w := f.world.VPCIn(f.west, "10.7.0.0/16"), f.world.VPCIn(f.west, "10.8.0.0/16")
		q, err := peering.Create(v.VPC, w.VPC, peering.Config{})
		require.NoError(t, err)
		_, err = peering.Create(f.a.VPC.VPC, v.VPC, peering.Config{ID: q.ID()})
		require.ErrorContains(t, err, "is in use")
		require.Len(t, peering.Describe(f.east).VpcPeeringConnections, 1)
	})
}

// restored makes what two regions described anew, in VPCs of the same ids.
func restored(t *testing.T, f *far, r *vpc.Region) *vpc.Region {
	t.Helper()
	again := f.world.World.Region(vpc.RegionConfig{Name: r.Name(), Account: r.Account()})
	for _, v := range r.DescribeVpcs().Vpcs {
		_, err := again.CreateVPC(*v.CidrBlock, vpc.VPCConfig{ID: *v.VpcId})
		require.NoError(t, err)
	}
	require.NoError(t, again.Change(func(tx *vpc.Tx) error {
		for _, s := range peering.Describe(r).VpcPeeringConnections {
			if _, err := peering.Restore(tx, s); err != nil {
				return err
			}
		}
		return nil
	}))
	return again
}

func TestConnectionsAreRestored(t *testing.T) {
	f := newFar(t)
	east, west := restored(t, f, f.east), restored(t, f, f.west)
	find := func(r *vpc.Region) *peering.Connection { return r.Find(f.pcx.ID()).(*peering.Connection) }
	untagged := func(r *vpc.Region) []ec2.VpcPeeringConnection {
		list := peering.Describe(r).VpcPeeringConnections
		for i := range list {
			list[i].Tags = nil
		}
		return list
	}
	require.Equal(t, untagged(f.east), untagged(east))
	require.Nil(t, find(east).Accepter())
	peering.Join(east, west)
	require.NotNil(t, find(east).Accepter())
	require.Equal(t, untagged(f.west), untagged(west))
	require.NoError(t, find(west).Delete())
	require.Equal(t, peering.Deleted, find(east).State())

	for _, bad := range []ec2.VpcPeeringConnection{
		{},
		{VpcPeeringConnectionId: new("pcx-1")},
		{VpcPeeringConnectionId: new("pcx-1"), Status: &ec2.VpcPeeringConnectionStateReason{Code: new(ec2.VpcPeeringConnectionStateReasonCode("odd"))}},
		{VpcPeeringConnectionId: new("pcx-1"), Status: &ec2.VpcPeeringConnectionStateReason{Code: new(ec2.VpcPeeringConnectionStateReasonCode("active"))}},
	} {
		require.Error(t, east.Change(func(tx *vpc.Tx) error {
			_, err := peering.Restore(tx, bad)
			return err
		}))
	}
}

// An end that no region of the world has is unknown, and so is what becomes of packets for it.
func TestAnEndThatNobodyKnowsIsNotModelled(t *testing.T) {
	f := requestFar(t)
	require.NoError(t, f.there.Accept())
	east := restored(t, f, f.east)
	v := east.Find(f.a.VPC.ID()).(*vpc.VPC)
	s, err := v.CreateSubnet("10.1.0.0/24", vpc.SubnetConfig{})
	require.NoError(t, err)
	p := east.Find(f.pcx.ID()).(*peering.Connection)
	require.NoError(t, v.MainRouteTable().CreateRoute("10.2.0.0/16", p))
	i, err := s.RunInstance(vpc.InstanceConfig{})
	require.NoError(t, err)
	// The west of this world takes the packet by the id that both ends agree on: put it out of the way.
	require.NoError(t, f.there.Delete())
	h, err := f.world.Boot(i, host.Config{Name: "alone"})
	require.NoError(t, err)
	h.Ping(f.b.host.Addr, host.PingConfig{Count: 1})
	require.Equal(t, trace.Unmodelled, last(f.world).Reason)
}
