package igw_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// street is a public host, a private one behind a NAT gateway, and a server outside.
type street struct {
	world     *vpctest.World
	vpc       *vpctest.VPC
	public    *vpctest.Subnet
	open, app *vpctest.Host
	server    *vpctest.Host
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{world: vpctest.New(t)}
	s.vpc = s.world.VPC("10.0.0.0/16")
	s.public = s.vpc.Subnet("10.0.0.0/24")
	private := s.vpc.Subnet("10.0.1.0/24")
	nat := s.public.NATGateway()
	s.public.Route("0.0.0.0/0", s.vpc.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	s.open = s.public.Launch(vpc.InstanceConfig{Name: "open", AssociatePublicIP: true}, host.Config{Name: "open"})
	s.open.Allow(vpc.AllICMP("0.0.0.0/0"))
	s.app = private.Host("app")
	s.server = s.world.OnInternet("198.51.100.7")
	return s
}

func TestBlockPublicAccess(t *testing.T) {
	const both, ingress = ec2.InternetGatewayBlockModeBlockBidirectional, ec2.InternetGatewayBlockModeBlockIngress
	t.Run("C136 ingress only: NAT gateways work, nothing else comes in", func(t *testing.T) {
		s := newStreet(t)
		require.NoError(t, s.world.Region.BlockPublicAccess(ingress))
		s.app.Ping(s.server.Addr).OK(t)
		s.server.Ping(s.open.PublicAddr()).Dropped(t, trace.PublicAccessBlocked)
		s.open.Ping(s.server.Addr).Dropped(t, trace.PublicAccessBlocked) // the reply
		s.open.Ping(s.app.Addr).OK(t)                                    // private ways are not asked
		require.Equal(t, "VPC_BLOCK_PUBLIC_ACCESS_ENABLED", trace.PublicAccessBlocked.Code())
	})
	t.Run("C136 bidirectional: nothing passes, but of what is excluded", func(t *testing.T) {
		s := newStreet(t)
		require.NoError(t, s.world.Region.BlockPublicAccess(both))
		s.app.Ping(s.server.Addr).Dropped(t, trace.PublicAccessBlocked)
		s.open.Ping(s.server.Addr).Dropped(t, trace.PublicAccessBlocked)
		x, err := s.public.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.NoError(t, err)
		s.app.Ping(s.server.Addr).OK(t)
		s.server.Ping(s.open.PublicAddr()).Dropped(t, trace.PublicAccessBlocked)
		require.NoError(t, x.Delete())
		_, err = s.vpc.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowBidirectional)
		require.NoError(t, err)
		s.app.Ping(s.server.Addr).OK(t)
		s.server.Ping(s.open.PublicAddr()).OK(t)
	})
	t.Run("off again all pass", func(t *testing.T) {
		s := newStreet(t)
		require.NoError(t, s.world.Region.BlockPublicAccess(both))
		require.NoError(t, s.world.Region.BlockPublicAccess(ec2.InternetGatewayBlockModeOff))
		s.server.Ping(s.open.PublicAddr()).OK(t)
	})
	t.Run("refused and described", func(t *testing.T) {
		s := newStreet(t)
		r := s.world.Region
		require.EqualError(t, r.BlockPublicAccess("some"), "InvalidParameterValue: Value (some) for parameter InternetGatewayBlockMode is invalid.")
		require.Equal(t, ec2.VpcBlockPublicAccessStateDefaultState, *r.DescribeVpcBlockPublicAccessOptions().VpcBlockPublicAccessOptions.State)
		require.NoError(t, r.BlockPublicAccess(both))
		require.Equal(t, both, *r.DescribeVpcBlockPublicAccessOptions().VpcBlockPublicAccessOptions.InternetGatewayBlockMode)
		_, err := s.vpc.ExcludeFromBlock("some")
		require.EqualError(t, err, "InvalidParameterValue: Value (some) for parameter InternetGatewayExclusionMode is invalid.")
		x, err := s.public.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.NoError(t, err)
		_, err = s.public.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.EqualError(t, err, "ResourceAlreadyExcluded: "+s.public.ID()+" has an exclusion already.")
		list := r.DescribeVpcBlockPublicAccessExclusions().VpcBlockPublicAccessExclusions
		require.Len(t, list, 1)
		require.Equal(t, x.ID(), *list[0].ExclusionId)
		require.Equal(t, r.ARN("ec2", "subnet/"+s.public.ID()), *list[0].ResourceArn)
		require.NoError(t, x.Delete())
		require.EqualError(t, x.Delete(), "InvalidVpcBlockPublicAccessExclusionId.NotFound: The exclusion ID '"+x.ID()+"' does not exist")
		spare := s.vpc.Subnet("10.0.99.0/24")
		_, err = spare.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.NoError(t, err)
		other := s.world.VPC("10.77.0.0/16")
		_, err = other.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.NoError(t, err)
		require.NoError(t, spare.Delete())
		require.NoError(t, other.Delete())
		require.Empty(t, r.DescribeVpcBlockPublicAccessExclusions().VpcBlockPublicAccessExclusions, "they end with what they are of")
		r.SetQuota(vpc.QuotaPublicAccessExclusions, 0)
		_, err = s.vpc.ExcludeFromBlock(ec2.InternetGatewayExclusionModeAllowEgress)
		require.EqualError(t, err, "ExclusionLimitExceeded: The maximum number of exclusions has been reached.")
	})
}
