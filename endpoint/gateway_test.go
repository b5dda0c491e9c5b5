package endpoint_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// last returns why the last packet from the address ended.
func last(w *vpctest.World, from netip.Addr) trace.Reason {
	end := trace.None
	for _, walk := range w.Trace().Walks() {
		if walk.First.Src.Netip() == from {
			end = walk.End()
		}
	}
	return end
}

// bucket is a VPC with a private subnet that has a gateway endpoint's route, and the
// service's first address.
func bucket(t *testing.T, service string) (w *vpctest.World, v *vpctest.VPC, s *vpctest.Subnet, e *endpoint.Endpoint, addr netip.Addr) {
	t.Helper()
	w = vpctest.New(t)
	v = w.VPC("10.0.0.0/16")
	s = v.Subnet("10.0.0.0/24")
	s.Route("0.0.0.0/0", v.InternetGateway())
	e, err := endpoint.CreateGateway(v.VPC, service, []*vpc.RouteTable{s.RouteTable()}, endpoint.Config{Name: "endpoint"})
	require.NoError(t, err)
	return w, v, s, e, e.PrefixList().Entries()[0].Addr().Next()
}

// The service sees the private source, so an endpoint takes the place of a NAT gateway.
func TestAGatewayEndpointCarriesTCPAndEchoPastNATAndInternetGateway(t *testing.T) {
	w, _, s, _, s3 := bucket(t, s3)
	app := s.Host("app") // without a public address
	o := app.Ping(s3)
	o.OK(t)
	require.Equal(t, app.Addr, o.Walks[0].Last.Src.Netip())
	require.NotContains(t, o.Walks.String(), "internet gateway")
	c, err := app.Dial(netip.AddrPortFrom(s3, 443))
	require.NoError(t, err)
	_, err = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	w.Run(1e9)
	require.Equal(t, host.TimeWait, c.State())

	app.StartDial(netip.AddrPortFrom(s3, 22), func(*host.Conn, error) {}).Abort()
	require.Equal(t, trace.ServicePort, last(w, app.Addr))
	u, err := app.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	u.Send(netip.AddrPortFrom(s3, 443), []byte("x"))
	require.Equal(t, trace.EndpointProtocol, last(w, app.Addr))
	app.Host.Ping(s3, host.PingConfig{Size: 8600, DontFragment: true})
	require.Equal(t, trace.TooBig, last(w, app.Addr))
}

// Route priority: an exact or narrower route of the table beats the prefix list's.
func TestANarrowerRouteLeadsPastAGatewayEndpoint(t *testing.T) {
	_, v, s, _, s3 := bucket(t, s3)
	s.Route(s3.String()+"/32", v.InternetGateway())
	s.Host("app").Ping(s3).Dropped(t, trace.NoPublicAddress)
}

func TestNetworkACLsApplyToAGatewayEndpoint(t *testing.T) {
	_, v, s, e, s3 := bucket(t, s3)
	app := s.Host("app")
	a, err := v.CreateNetworkACL(vpc.NetworkACLConfig{})
	require.NoError(t, err)
	require.NoError(t, s.SetNetworkACL(a))
	app.Ping(s3).Dropped(t, trace.ACLEgress)
	all := vpc.ACLEntry{Number: 100, Allow: true, Protocol: -1, CIDR: e.PrefixList().Entries()[0]}
	require.NoError(t, a.CreateEgressEntry(all))
	app.Ping(s3).Dropped(t, trace.ACLIngress)
	require.NoError(t, a.CreateIngressEntry(all))
	app.Ping(s3).OK(t)
}

// Mistake EP02: the endpoint is not associated with the subnet's table.
func TestASubnetWhoseTableHasNoEndpointRouteGoesElsewhere(t *testing.T) {
	_, _, s, e, s3 := bucket(t, s3)
	app := s.Host("app")
	require.NoError(t, e.RemoveRouteTables(s.RouteTable()))
	app.Ping(s3).Dropped(t, trace.NoPublicAddress)
	require.NoError(t, s.RouteTable().DeleteRoute("0.0.0.0/0"))
	app.Ping(s3).Dropped(t, trace.NoRoute)
	require.NoError(t, e.AddRouteTables(s.RouteTable()))
	app.Ping(s3).OK(t)
}

// Mistake EP03: egress rules without the service's prefix list.
func TestEgressRulesNeedTheServicesPrefixList(t *testing.T) {
	_, v, s, e, s3 := bucket(t, s3)
	g, err := v.CreateSecurityGroup("tight", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, g.RevokeEgress(g.Egress()...))
	app := s.Host("app")
	require.NoError(t, app.Interface.SetGroups(g))
	app.Ping(s3).Dropped(t, trace.GroupEgress)
	require.NoError(t, g.AuthorizeEgress(vpc.Permission{Protocol: -1, PrefixList: e.PrefixList()}))
	app.Ping(s3).OK(t)
}

// Mistake EP04: an endpoint serves its own VPC, not what comes by a transit gateway.
func TestAGatewayEndpointIsOfNoUseBehindATransitGateway(t *testing.T) {
	w, v, s, e, s3 := bucket(t, s3)
	far := w.VPC("10.1.0.0/16")
	edge := far.Subnet("10.1.0.0/24")
	g, err := tgw.Create(w.Region, tgw.Config{})
	require.NoError(t, err)
	near, err := g.Attach(tgw.AttachmentConfig{}, s.Subnet)
	require.NoError(t, err)
	_, err = g.Attach(tgw.AttachmentConfig{}, edge.Subnet)
	require.NoError(t, err)
	require.NoError(t, g.DefaultRouteTable().CreateRoute("198.19.0.0/16", near))
	edge.Route("198.19.0.0/16", g)
	s.Route("10.1.0.0/16", g)
	edge.Host("guest").Ping(s3).Dropped(t, trace.EndpointForeign)
	require.True(t, e.Available(nil, v.VPC))
}

func TestFlowsToDynamoDBAreAlwaysTracked(t *testing.T) {
	for service, tracked := range map[string]int{s3: 0, "com.amazonaws.us-east-1.dynamodb": 1} {
		w, _, s, _, addr := bucket(t, service)
		app := s.Host("app")
		app.Allow(vpc.AllTraffic("0.0.0.0/0"))
		_, err := app.Dial(netip.AddrPortFrom(addr, 443))
		require.NoError(t, err)
		require.Equal(t, tracked, w.Live(w.Region).Interface(app.Interface).Flows.Len(), service)
	}
}

func TestAServersOwnNetworkMayStandBehindAGatewayEndpoint(t *testing.T) {
	w, _, s, e, s3 := bucket(t, s3)
	app := s.Host("app")
	app.Allow(vpc.AllTraffic("0.0.0.0/0"))
	n, err := w.Service(e, "storage")
	require.NoError(t, err)
	server, err := w.At(n, host.Config{Name: "server"}, s3)
	require.NoError(t, err)
	app.Ping(s3).OK(t)
	app.Ping(s3.Next()).Dropped(t, trace.NoSuchHost)

	server.StartDial(netip.AddrPortFrom(app.Addr, 80), func(*host.Conn, error) {}).Abort()
	require.Equal(t, trace.EndpointInitiates, last(w, s3))
	server.Ping(app.Addr, host.PingConfig{})
	require.Equal(t, trace.EndpointProtocol, last(w, s3))
	stranger, err := w.At(n, host.Config{Name: "stranger"}, netip.MustParseAddr("203.0.113.9"))
	require.NoError(t, err)
	stranger.Ping(app.Addr, host.PingConfig{})
	require.Equal(t, trace.EndpointSource, last(w, stranger.Addr()))

	require.NoError(t, e.Delete())
	app.Ping(s3).Dropped(t, trace.NoPublicAddress)
	refused(t, w.Region, "InvalidVpcEndpointId.NotFound", "The VpcEndPoint ID '"+e.ID()+"' does not exist", func() error { return e.Connect(nil) })
}
