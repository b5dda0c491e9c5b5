package tgw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
)

func TestConnectAttachments(t *testing.T) {
	n, a, b := newPair(t)
	x, err := n.g.AttachConnect(b.attach, tgw.ConnectConfig{Name: "sd-wan"})
	n.must(err, x.Announce(remote.Announcement{Prefix: netip.MustParsePrefix("172.16.0.0/12")}))
	branch := netip.MustParseAddr("172.16.0.9")
	a.host.Ping(branch).Dropped(t, trace.Unmodelled)
	site, err := n.Behind("branches", x)
	n.must(err)
	desk, err := n.At(site, host.Config{Name: "desk"}, branch)
	n.must(err)
	a.host.Ping(branch).OK(t)
	require.Equal(t, 1, desk.Ping(a.host.Addr, host.PingConfig{Count: 1}).Received)
	s := tgw.DescribeAttachments(n.Region).TransitGatewayAttachments[2]
	require.Equal(t, ec2.TransitGatewayAttachmentResourceTypeConnect, *s.ResourceType)
	require.Equal(t, b.attach.ID(), *s.ResourceId)

	n.must(x.SetUp(false))
	a.host.Ping(branch).Dropped(t, trace.TransitNoRoute)
	n.must(n.table().CreateRoute("172.16.0.0/12", n.g.Linked(x)))
	a.host.Ping(branch).Dropped(t, trace.TransitBlackhole)
	n.must(x.SetUp(true))
	a.host.Ping(branch).OK(t)

	_, err = n.g.AttachConnect(n.g.Linked(x), tgw.ConnectConfig{})
	require.EqualError(t, err, "InvalidParameterValue: "+n.g.Linked(x).ID()+" can't be the transport of a Connect attachment.")
	_, err = n.g.AttachConnect(nil, tgw.ConnectConfig{})
	require.EqualError(t, err, "MissingParameter: The request must contain the parameter transportTransitGatewayAttachmentId")
	n.must(b.attach.Delete()) // the transport
	a.host.Ping(branch).Dropped(t, trace.TransitBlackhole)
	n.must(x.Delete())
	a.host.Ping(branch).Dropped(t, trace.TransitBlackhole)
}
