package vpn_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// branch is a second VPC whose router, a Linux guest with a public address, is the
// customer's device of the office's VPN connection.
type branch struct {
	*office
	connection *vpn.Connection
	router     *host.Host
	nic        *vpc.NetworkInterface
	desk       *host.Host
}

func newBranch(t *testing.T, forwarding bool, c vpn.Config) *branch {
	t.Helper()
	o := byVGW(t)
	b := &branch{office: o}
	v := o.VPC("192.168.0.0/16")
	v.InternetGateway()
	dmz, inside := v.Subnet("192.168.0.0/24"), v.Subnet("192.168.1.0/24")
	dmz.Route("0.0.0.0/0", v.InternetGateway())
	router := dmz.Launch(vpc.InstanceConfig{Name: "router", AssociatePublicIP: true}, host.Config{Forwarding: forwarding, RPFilter: host.RPOff})
	router.Allow(vpc.AllTraffic("192.168.0.0/16"))
	b.router, b.nic = router.Host, router.Interface
	o.must(b.nic.SetSourceDestCheck(false))
	inside.Route("10.0.0.0/16", b.nic)
	desk := inside.Host("desk")
	desk.Allow(vpc.AllTraffic("0.0.0.0/0"))
	b.desk = desk.Host
	var err error
	o.customer, err = vpn.CreateCustomerGateway(o.Region, router.PublicAddr(), vpn.CustomerGatewayConfig{})
	o.must(err)
	b.connection, err = vpn.Create(o.customer, o.gateway(), c)
	o.must(err, b.connection.SetTunnel(0, true))
	return b
}

func TestTheCustomersDeviceIsAnInstance(t *testing.T) {
	b := newBranch(t, true, vpn.Config{Static: true})
	b.must(b.connection.CreateRoute("192.168.0.0/16"))
	desk, router := addr("192.168.1.4"), b.nic.PrivateIP()
	ok, last := b.ping(desk.String(), 0)
	require.False(t, ok)
	require.Equal(t, trace.Unmodelled, last.End(), "nobody has said what lies beyond")

	err := b.connection.EndAt(b.app.Interface)
	require.EqualError(t, err, "InvalidParameterValue: The interface "+b.app.Interface.ID()+" does not have the address "+b.customer.Address().String()+" of the customer gateway "+b.customer.ID())
	require.Nil(t, b.connection.Device())
	b.must(b.connection.EndAt(b.nic))
	require.Same(t, b.nic, b.connection.Device())

	for to, ttl := range map[netip.Addr]uint8{desk: 254, router: 255} {
		r := b.app.Host.Ping(to, host.PingConfig{Count: 1})
		require.Equal(t, 1, r.Received, to)
		require.Equal(t, ttl, r.Replies[0].TTL, "of what it forwards the device alone takes one (measured: labs)")
	}
	for _, from := range []*host.Host{b.desk, b.router} {
		r := from.Ping(b.app.Interface.PrivateIP(), host.PingConfig{Count: 1})
		require.Equal(t, 1, r.Received, from.Name())
	}
	r := b.router.Ping(desk, host.PingConfig{Count: 1})
	require.Equal(t, 1, r.Received, "what is for its own VPC does not go by the tunnel")

	b.must(b.connection.EndAt(b.nic))
	require.Equal(t, 1, b.router.Ping(b.app.Interface.PrivateIP(), host.PingConfig{Count: 1}).Received, "once more is no other")

	b.must(b.nic.SetSourceDestCheck(true))
	ok, last = b.ping(desk.String(), 0)
	require.False(t, ok)
	require.Equal(t, trace.SourceCheck, last.End(), "what came out of the tunnel is for others")
	ok, _ = b.ping(router.String(), 0)
	require.True(t, ok, "of the tunnel itself the check sees IPsec alone")

	b.must(b.connection.SetTunnel(0, false))
	r = b.router.Ping(b.app.Interface.PrivateIP(), host.PingConfig{Count: 1})
	require.Zero(t, r.Received)
}

func TestADeviceThatDoesNotForward(t *testing.T) {
	b := newBranch(t, false, vpn.Config{Static: true})
	b.must(b.connection.CreateRoute("192.168.0.0/16"), b.connection.EndAt(b.nic))
	ok, last := b.ping("192.168.1.4", 0)
	require.False(t, ok)
	require.Equal(t, trace.NotForwarding, last.End())
}

func TestWhatBGPTellsADeviceGoesByTheTunnel(t *testing.T) {
	b := newBranch(t, true, vpn.Config{})
	b.must(b.connection.Announce(0, announce("192.168.1.0/24")...), b.connection.EndAt(b.nic))
	r := b.app.Host.Ping(addr("192.168.1.4"), host.PingConfig{Count: 1})
	require.Equal(t, 1, r.Received)
	ok, last := b.ping(b.nic.PrivateIP().String(), 0)
	require.False(t, ok)
	require.Equal(t, trace.NoRoute, last.End(), "of the device's own subnet nobody was told")
}

func TestADeletedConnectionEndsNowhere(t *testing.T) {
	b := newBranch(t, true, vpn.Config{Static: true})
	b.must(b.connection.EndAt(b.nic))
	require.True(t, b.nic.EndsTunnel())
	b.must(b.connection.Delete())
	require.False(t, b.nic.EndsTunnel())
	require.Nil(t, b.connection.Device())
	require.EqualError(t, b.connection.EndAt(b.nic), "InvalidVpnConnectionID.NotFound: The vpnConnection ID '"+b.connection.ID()+"' does not exist")
	require.False(t, b.nic.EndsTunnel())
	require.Nil(t, b.connection.Device())
}
