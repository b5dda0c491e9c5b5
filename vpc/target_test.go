package vpc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/vpc"
)

func TestWhatIsNoGatewayIsNoTarget(t *testing.T) {
	l := newLab(t)
	list := got(l.region.CreatePrefixList(vpc.PrefixListConfig{Name: "l", MaxEntries: 1, Entries: []netip.Prefix{cidr("9.0.0.0/8")}})).or(t)
	require.NoError(t, l.table.CreateRoute("8.0.0.0/8", l.igw))
	before := l.table.Routes()
	for _, x := range []vpc.Target{l.vpc, l.a, l.table, l.vpc.DefaultNetworkACL(), l.vpc.DefaultSecurityGroup(), list} {
		want := "InvalidGatewayID.NotFound: The gateway ID '" + x.ID() + "' does not exist"
		require.EqualError(t, l.table.CreateRoute("9.0.0.0/8", x), want)
		require.EqualError(t, l.table.ReplaceRoute("8.0.0.0/8", x), want)
		require.EqualError(t, l.table.CreatePrefixListRoute(list, x), want)
	}
	require.Equal(t, before, l.table.Routes())
}
