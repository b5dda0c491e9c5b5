package vpctest_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpctest"
)

func TestPrivateSubnetReachesInternet(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	nat := public.NATGateway()
	public.Route("0.0.0.0/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	app, server := private.Host("app"), w.OnInternet("198.51.100.7")

	o := app.Ping(server.Addr)

	o.OK(t)
	require.Equal(t, nat.PublicAddr, o.Walks[0].Last.Src.Netip(), "the server sees the NAT gateway's address")
}

// recorder is a testing.TB that keeps what fails instead of failing.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Errorf(f string, a ...any) { r.text += fmt.Sprintf(f, a...) }
func (r *recorder) Fatalf(f string, a ...any) { r.text += fmt.Sprintf(f, a...) }

func TestAFailureSaysWhereThePacketDied(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	private.Route("0.0.0.0/0", public.NATGateway()) // the public subnet has no route to the internet gateway
	app, server := private.Host("app"), w.OnInternet("198.51.100.7")

	var failed recorder
	o := app.Ping(server.Addr)
	o.OK(&failed)

	require.True(t, strings.HasPrefix(failed.text, "app pings 198.51.100.7: no answer: no route\n"), failed.text)
	require.Contains(t, failed.text, "has no route to 198.51.100.7")
	require.Contains(t, failed.text, "dropped: no route (NO_ROUTE_TO_DESTINATION)")
	o.Dropped(t, trace.NoRoute)
}

func TestAPingToNoAddressEndsTheTest(t *testing.T) {
	app := vpctest.New(t).VPC("10.0.0.0/16").Subnet("10.0.0.0/24").Host("app")
	require.False(t, app.PublicAddr().IsValid())

	var failed recorder
	w := vpctest.New(&failed)
	w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24").Host("app").Ping(netip.Addr{})
	require.Equal(t, `app pings "invalid IP", expected an address`, failed.text)
}

func TestAPacketThatTheGuestDoesNotSendHasAnEndToo(t *testing.T) {
	app := vpctest.New(t).VPC("10.0.0.0/16").Subnet("10.0.0.0/24").Host("app")
	require.True(t, app.RemoveRoute(netip.MustParsePrefix("0.0.0.0/0"), "eth0"))

	o := app.Ping(netip.MustParseAddr("198.51.100.7"))
	o.Dropped(t, trace.HostNoRoute)
	var failed recorder
	o.OK(&failed)
	require.Equal(t, "app pings 198.51.100.7: no answer: guest has no route\n", failed.text)
}

func TestDroppedFailsWhereThePacketIsAnswered(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	a, b := s.Host("a"), s.Host("b")
	var failed recorder
	a.Ping(b.Addr).Dropped(&failed, trace.GroupIngress)
	require.True(t, strings.HasPrefix(failed.text, "a pings 10.0.0.5: answered, expected a drop"), failed.text)
}
