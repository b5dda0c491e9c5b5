package directconnect_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/vpn"
)

var desk = netip.MustParseAddr("192.168.0.9")

func announce(prefix string) remote.Announcement {
	return remote.Announcement{Prefix: netip.MustParsePrefix(prefix)}
}

// branch is a VPC with a host and a virtual private gateway.
type branch struct {
	app     *vpctest.Host
	vpc     *vpctest.VPC
	gateway *vgw.VirtualPrivateGateway
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func newBranch(t *testing.T, w *vpctest.World, r *vpc.Region, of string) *branch {
	t.Helper()
	b := &branch{vpc: w.VPCIn(r, of+".0.0/16")}
	b.app = b.vpc.Subnet(of + ".0.0/24").Host("app " + of)
	b.app.Allow(vpc.AllTraffic("0.0.0.0/0"))
	var err error
	b.gateway, err = vgw.Create(r, vgw.Config{Name: "vgw " + of})
	must(t, err, b.gateway.Attach(b.vpc.VPC), b.vpc.MainRouteTable().EnablePropagation(b.gateway))
	return b
}

func TestOneSiteReachesVPCsOfSeveralRegions(t *testing.T) {
	w := vpctest.New(t)
	far := w.World.Region(vpc.RegionConfig{Name: "eu-west-1"})
	a, b := newBranch(t, w, w.Region, "10.1"), newBranch(t, w, far, "10.2")
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	x, err := dx.Associate(a.gateway)
	must(t, err)
	y, err := dx.Associate(b.gateway, netip.MustParsePrefix("10.2.0.0/16"))
	must(t, err, dx.Announce(announce("192.168.0.0/16")))
	a.app.Ping(desk).Dropped(t, trace.Unmodelled)
	site, err := w.Behind("site", x, y)
	must(t, err)
	h, err := w.At(site, host.Config{Name: "desk"}, desk)
	must(t, err)
	for _, app := range []*vpctest.Host{a.app, b.app} {
		app.Ping(desk).OK(t)
		r := h.Ping(app.Addr, host.PingConfig{Count: 1})
		require.Equal(t, uint8(255), r.Replies[0].TTL)
	}
	a.app.Ping(desk.Next()).Dropped(t, trace.NoSuchHost)
	// There is no way from one to the other.
	a.app.Ping(b.app.Addr).Dropped(t, trace.NoRoute)
	r := a.app.Host.Ping(desk, host.PingConfig{Count: 1, Size: 1500, DontFragment: true})
	require.Zero(t, r.Received)
	require.Empty(t, r.Errors)
	dx.SetUp(false)
	a.app.Ping(desk).Dropped(t, trace.NoRoute)
	require.Zero(t, h.Ping(a.app.Addr, host.PingConfig{Count: 1}).Received)
	dx.SetUp(true)
	must(t, y.Delete())
	a.app.Ping(desk).OK(t)
	b.app.Ping(desk).Dropped(t, trace.NoRoute)
}

func TestTheSiteIsToldOfAllowedPrefixesAlone(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	x, err := dx.Associate(a.gateway, netip.MustParsePrefix("10.9.0.0/16"))
	must(t, err, dx.Announce(announce("192.168.0.0/16")))
	site, err := w.Behind("site", x)
	must(t, err)
	h, err := w.At(site, host.Config{Name: "desk"}, desk)
	must(t, err)
	a.app.Ping(desk).Dropped(t, trace.UnknownPrefix) // the reply
	require.Zero(t, h.Ping(a.app.Addr, host.PingConfig{Count: 1}).Received)
}

func TestDirectConnectGoesBeforeVPN(t *testing.T) {
	t.Run("C144 Direct Connect, then a static route, then BGP", func(t *testing.T) {
		w := vpctest.New(t)
		a := newBranch(t, w, w.Region, "10.1")
		customer, err := vpn.CreateCustomerGateway(w.Region, netip.MustParseAddr("198.51.100.1"), vpn.CustomerGatewayConfig{})
		must(t, err)
		bgp, err := vpn.Create(customer, a.gateway, vpn.Config{Name: "bgp"})
		must(t, err, bgp.SetTunnel(0, true), bgp.Announce(0, announce("192.168.0.0/16")))
		static, err := vpn.Create(customer, a.gateway, vpn.Config{Name: "static", Static: true})
		must(t, err, static.SetTunnel(0, true), static.CreateRoute("192.168.0.0/16"))
		dx := directconnect.New(directconnect.Config{ID: "dx"})
		x, err := dx.Associate(a.gateway)
		must(t, err, dx.Announce(announce("192.168.0.0/16")))
		site, err := w.Behind("site", x, bgp, static)
		must(t, err)
		_, err = w.At(site, host.Config{Name: "desk"}, desk)
		must(t, err)
		by := func(name string) {
			t.Helper()
			o := a.app.Ping(desk)
			o.OK(t)
			require.Contains(t, o.Walks[0].Steps[len(o.Walks[0].Steps)-2].Node, name)
		}
		by("dx virtual interface")
		dx.SetUp(false)
		by("static tunnel 1")
		must(t, static.Delete())
		by("bgp tunnel 1")
	})
	t.Run("at a transit gateway too", func(t *testing.T) {
		w := vpctest.New(t)
		v := w.VPC("10.1.0.0/16")
		s := v.Subnet("10.1.0.0/24")
		app := s.Host("app")
		app.Allow(vpc.AllTraffic("0.0.0.0/0"))
		g, err := tgw.Create(w.Region, tgw.Config{Name: "tgw", ASN: 64600})
		must(t, err)
		_, err = g.Attach(tgw.AttachmentConfig{}, s.Subnet)
		must(t, err)
		s.Route("192.168.0.0/16", g)
		customer, err := vpn.CreateCustomerGateway(w.Region, netip.MustParseAddr("198.51.100.1"), vpn.CustomerGatewayConfig{})
		must(t, err)
		bgp, err := vpn.Create(customer, g, vpn.Config{Name: "bgp"})
		must(t, err, bgp.SetTunnel(0, true), bgp.Announce(0, announce("192.168.0.0/16")))
		dx := directconnect.New(directconnect.Config{ID: "dx", Jumbo: true})
		x, err := dx.Associate(g, netip.MustParsePrefix("10.1.0.0/16"))
		must(t, err, dx.Announce(announce("192.168.0.0/16")))
		site, err := w.Behind("site", x, bgp)
		must(t, err)
		_, err = w.At(site, host.Config{Name: "desk"}, desk)
		must(t, err)
		o := app.Ping(desk)
		o.OK(t)
		require.Contains(t, o.Walks.String(), "dx virtual interface")
		require.False(t, strings.Contains(o.Walks.String(), "bgp tunnel"))
		routes := g.DefaultRouteTable().Search().Routes
		require.Equal(t, ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway, *routes[1].TransitGatewayAttachments[0].ResourceType)
		require.Equal(t, "dx", *routes[1].TransitGatewayAttachments[0].ResourceId)
		dx.SetUp(false)
		o = app.Ping(desk)
		o.OK(t)
		require.Contains(t, o.Walks.String(), "bgp tunnel 1")
	})
}

func TestAssociationsAreRefused(t *testing.T) {
	w := vpctest.New(t)
	a := newBranch(t, w, w.Region, "10.1")
	far := w.World.Region(vpc.RegionConfig{Name: "eu-west-1"})
	same := newBranch(t, w, far, "10.1")
	g, err := tgw.Create(w.Region, tgw.Config{})
	must(t, err)
	const code = "DirectConnectClientException: "
	dx := directconnect.New(directconnect.Config{ID: "dx"})
	refused := func(want string, call func() (*directconnect.Association, error)) {
		t.Helper()
		_, err := call()
		require.EqualError(t, err, want)
	}
	refused(code+"A gateway is required.", func() (*directconnect.Association, error) { return dx.Associate(nil) })
	refused(code+"Allowed prefixes are required for an association with the transit gateway "+g.ID()+".", func() (*directconnect.Association, error) { return dx.Associate(g) })
	refused(code+"The ASN of the Direct Connect gateway dx and of the transit gateway "+g.ID()+" must differ.",
		func() (*directconnect.Association, error) {
			return dx.Associate(g, netip.MustParsePrefix("10.0.0.0/8"))
		})
	refused("InvalidParameterValue: Value (invalid Prefix) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.",
		func() (*directconnect.Association, error) { return dx.Associate(a.gateway, netip.Prefix{}) })
	_, err = dx.Associate(a.gateway)
	must(t, err)
	refused(code+a.gateway.ID()+" is associated with the Direct Connect gateway dx already.", func() (*directconnect.Association, error) { return dx.Associate(a.gateway) })
	refused(code+"The CIDRs of the VPCs of "+a.gateway.ID()+" and "+same.gateway.ID()+" overlap.", func() (*directconnect.Association, error) { return dx.Associate(same.gateway) })
	other, err := tgw.Create(w.Region, tgw.Config{ASN: 64700})
	must(t, err)
	refused(code+"The Direct Connect gateway dx can't be associated with virtual private gateways and transit gateways.",
		func() (*directconnect.Association, error) {
			return dx.Associate(other, netip.MustParsePrefix("10.0.0.0/8"))
		})
}
