package fidelity_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// sendUDP sends a datagram and returns why it ended.
func sendUDP(t *testing.T, h *vpctest.Host, dst netip.Addr, port uint16) trace.Reason {
	t.Helper()
	u, err := h.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	defer u.Close()
	end, err := u.Send(netip.AddrPortFrom(dst, port), []byte("datagram"))
	require.NoError(t, err)
	return end
}

func TestGatewayEndpoints(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	s.Route("203.0.113.0/24", v.InternetGateway())
	e, err := endpoint.CreateGateway(v.VPC, "com.amazonaws.us-east-1.s3", []*vpc.RouteTable{s.RouteTable()}, endpoint.Config{})
	require.NoError(t, err)
	s3 := e.PrefixList().Entries()[0].Addr().Next()
	app := s.Host("app")

	t.Run("C145 TCP 443 to S3 passes, with the private source", func(t *testing.T) {
		c, err := app.Dial(netip.AddrPortFrom(s3, 443))
		require.NoError(t, err)
		require.Equal(t, app.Addr, c.Local().Addr())
		require.Equal(t, app.Addr, w.Trace().Walks()[0].Last.Src.Netip())
		require.NoError(t, c.Close())
	})
	t.Run("C145 UDP does not", func(t *testing.T) {
		end := sendUDP(t, app, s3, 443)
		require.Equal(t, trace.EndpointProtocol, end)
		require.Equal(t, "VPCE_GATEWAY_PROTOCOL_RESTRICTION", end.Code())
	})
	t.Run("C145 from a peered VPC it is not reachable", func(t *testing.T) {
		peer := w.VPC("10.1.0.0/16")
		far := peer.Subnet("10.1.0.0/24")
		pcx, err := peering.Create(peer.VPC, v.VPC, peering.Config{})
		require.NoError(t, err)
		require.NoError(t, pcx.Accept())
		far.Route("198.19.0.0/16", pcx)
		guest := far.Host("guest")
		guest.Ping(s3).Dropped(t, trace.OutsidePeer)
		require.Equal(t, 0, guest.Host.Ping(s3, host.PingConfig{}).Received)
	})
}
