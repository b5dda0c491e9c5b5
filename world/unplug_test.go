package world_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

func TestAnInterfaceMovesFromOneGuestToAnother(t *testing.T) {
	w := world.New(world.Config{})
	v, err := w.Region(vpc.RegionConfig{}).CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	s, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})
	require.NoError(t, err)
	data, err := v.CreateSubnet("10.0.1.0/24", vpc.SubnetConfig{})
	require.NoError(t, err)
	launch := func(s *vpc.Subnet, name string) (*vpc.Instance, *host.Host) {
		i, err := s.RunInstance(vpc.InstanceConfig{Name: name})
		require.NoError(t, err)
		h, err := w.Boot(i, host.Config{})
		require.NoError(t, err)
		return i, h
	}
	one, first := launch(s, "one")
	two, second := launch(s, "two")
	_, user := launch(data, "user")
	addr := netip.MustParseAddr("10.0.1.100")
	n, err := data.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: addr})
	require.NoError(t, err)
	require.Nil(t, w.Unplug(n), "it is in no guest")

	require.NoError(t, one.Attach(n))
	require.NoError(t, w.Plug(first, n))
	require.Equal(t, 1, user.Ping(addr, host.PingConfig{}).Received)

	require.NoError(t, one.Detach(n))
	require.Same(t, first, w.Unplug(n))
	require.Nil(t, first.NIC("eth1"))
	require.False(t, w.Live(n.Region()).Port(n).Plugged())

	require.NoError(t, two.Attach(n))
	require.NoError(t, w.Plug(second, n))
	log := w.Trace()
	require.Equal(t, 1, user.Ping(addr, host.PingConfig{}).Received)
	require.Equal(t, trace.Delivered, log.Walks()[0].End())

	// Plugged in elsewhere without a word, the first guest loses it too.
	require.NoError(t, w.Plug(first, n))
	require.Nil(t, second.NIC("eth1"))
	require.NotNil(t, first.NIC("eth1"))
}
