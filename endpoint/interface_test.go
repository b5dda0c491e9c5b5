package endpoint_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// balancer stands for a load balancer: it answers every datagram itself.
type balancer struct {
	vpc.Base
	kind  endpoint.Kind
	zones []string
	links []vpc.EndpointLink
}

func newBalancer(t *testing.T, r *vpc.Region, kind endpoint.Kind, zones ...string) *balancer {
	t.Helper()
	b := &balancer{kind: kind, zones: zones}
	require.NoError(t, r.Change(func(tx *vpc.Tx) (err error) {
		b.Base, err = tx.NewBase("balancer", "", "")
		tx.Add(b)
		return err
	}))
	return b
}

func (b *balancer) EndpointKind() string           { return string(b.kind) }
func (b *balancer) EndpointZones(*vpc.Tx) []string { return b.zones }
func (b *balancer) EndpointIPv6(*vpc.Tx) bool      { return false }
func (b *balancer) LinkEndpoint(c *vpc.Compiler, l vpc.EndpointLink) dataplane.Node {
	b.links = append(b.links, l)
	return &echo{engine: c.Engine(), out: l.Out}
}

type echo struct {
	engine *dataplane.Engine
	out    dataplane.Node
}

func (e *echo) Name() string { return "balancer" }

func (e *echo) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next { return c.Deliver(e) }

func (e *echo) Receive(p *wire.Packet) trace.Reason {
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 64}
	e.engine.Send(e.out, wire.AppendUDP(nil, h, p.Flow.DstPort, p.Flow.SrcPort, []byte("answer")))
	return trace.Delivered
}

// asks sends a datagram and reports whether an answer came, and why the datagram ended.
func asks(t *testing.T, w *vpctest.World, h *vpctest.Host, to netip.Addr, port uint16) (bool, trace.Reason) {
	t.Helper()
	u, err := h.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	defer u.Close()
	_, err = u.Send(netip.AddrPortFrom(to, port), []byte("question"))
	require.NoError(t, err)
	_, ok := u.Read(1e9)
	return ok, last(w, h.Addr)
}

// consumer is a VPC with an app in one subnet and an endpoint's interface in another.
type consumer struct {
	*vpctest.World
	v    *vpctest.VPC
	a, b *vpctest.Subnet
	app  *vpctest.Host
	open *vpc.SecurityGroup
}

func newConsumer(t *testing.T) *consumer {
	t.Helper()
	w := vpctest.New(t)
	c := &consumer{World: w, v: w.VPC("10.0.0.0/16")}
	c.a, c.b = c.v.Subnet("10.0.0.0/24"), c.v.Subnet("10.0.1.0/24")
	c.app = c.a.Host("app")
	var err error
	c.open, err = c.v.CreateSecurityGroup("https", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, c.open.AuthorizeIngress(vpc.TCPPort(443, "10.0.0.0/16"), vpc.UDPPort(53, "10.0.0.0/16")))
	return c
}

func (c *consumer) endpoint(t *testing.T, service string, groups ...*vpc.SecurityGroup) (*endpoint.Endpoint, netip.Addr) {
	t.Helper()
	e, err := endpoint.CreateInterface(service, []*vpc.Subnet{c.b.Subnet}, endpoint.Config{Name: "endpoint", Groups: groups})
	require.NoError(t, err)
	return e, e.Interfaces()[0].PrivateIP()
}

// Mistake EP01: the endpoint's group does not let the clients in.
func TestAWSServicesAnswerAtAnInterfaceEndpointWhereGroupsLetThem(t *testing.T) {
	c := newConsumer(t)
	shut, err := c.v.CreateSecurityGroup("shut", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	_, closed := c.endpoint(t, sqs, shut)
	_, err = c.app.Dial(netip.AddrPortFrom(closed, 443))
	require.ErrorIs(t, err, host.ErrTimeout)
	require.Equal(t, trace.GroupIngress, last(c.World, c.app.Addr))

	_, addr := c.endpoint(t, sqs, c.open)
	conn, err := c.app.Dial(netip.AddrPortFrom(addr, 443))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, c.open.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/16")))
	c.app.StartDial(netip.AddrPortFrom(addr, 80), func(*host.Conn, error) {}).Abort()
	require.Equal(t, trace.ServicePort, last(c.World, c.app.Addr))
	c.app.Ping(addr).Dropped(t, trace.ProtocolNotSupported)
	_, end := asks(t, c.World, c.app, addr, 443)
	require.Equal(t, trace.ServicePort, end)
}

func TestAGuestMayStandForAnAWSService(t *testing.T) {
	c := newConsumer(t)
	e, addr := c.endpoint(t, sqs, c.open)
	server := host.New(c.Engine, host.Config{Name: "queue"})
	require.NoError(t, c.Plug(server, e.Interfaces()[0]))
	_, err := server.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 443), nil)
	require.NoError(t, err)
	_, err = c.app.Dial(netip.AddrPortFrom(addr, 443))
	require.NoError(t, err)
}

func TestFlowsByAnInterfaceEndpointAreAlwaysTracked(t *testing.T) {
	c := newConsumer(t)
	c.app.Allow(vpc.AllTraffic("0.0.0.0/0"))
	_, addr := c.endpoint(t, sqs, c.open)
	_, err := c.app.Dial(netip.AddrPortFrom(addr, 443))
	require.NoError(t, err)
	require.Equal(t, 1, c.Live(c.Region).Interface(c.app.Interface).Flows.Len())
}

// Unlike a gateway endpoint it is an address of the VPC, which peers reach.
func TestAPeerReachesAnInterfaceEndpoint(t *testing.T) {
	c := newConsumer(t)
	_, addr := c.endpoint(t, sqs, c.open)
	require.NoError(t, c.open.AuthorizeIngress(vpc.TCPPort(443, "10.1.0.0/16")))
	peer := c.VPC("10.1.0.0/16")
	far := peer.Subnet("10.1.0.0/24")
	pcx, err := peering.Create(peer.VPC, c.v.VPC, peering.Config{})
	require.NoError(t, err)
	require.NoError(t, pcx.Accept())
	far.Route("10.0.0.0/16", pcx)
	c.b.Route("10.1.0.0/16", pcx)
	_, err = far.Host("guest").Dial(netip.AddrPortFrom(addr, 443))
	require.NoError(t, err)
}

func TestAnEndpointServiceStandsOnALoadBalancer(t *testing.T) {
	c := newConsumer(t)
	b := newBalancer(t, c.Region, endpoint.Interface, "us-east-1a", "us-east-1b")
	s, err := endpoint.CreateService(c.Region, endpoint.ServiceConfig{AcceptanceRequired: true}, b)
	require.NoError(t, err)
	require.Equal(t, "com.amazonaws.vpce.us-east-1."+s.ID(), s.ServiceName())
	e, addr := c.endpoint(t, s.ServiceName(), c.open)

	ok, end := asks(t, c.World, c.app, addr, 53)
	require.False(t, ok)
	require.Equal(t, trace.EndpointPending, end)
	require.Equal(t, "pendingAcceptance", string(*endpoint.Describe(c.Region).VpcEndpoints[0].State))

	require.NoError(t, s.Accept(e))
	ok, _ = asks(t, c.World, c.app, addr, 53)
	require.True(t, ok)
	require.Equal(t, e.ID(), b.links[0].Endpoint)
	require.Equal(t, "us-east-1a", b.links[0].Zone)
	big := make([]byte, 8600)
	u, err := c.app.ListenUDP(netip.AddrPort{})
	require.NoError(t, err)
	end, err = u.Send(netip.AddrPortFrom(addr, 53), big)
	require.NoError(t, err)
	require.Equal(t, trace.TooBig, end)
	require.Empty(t, u.Errors(), "an endpoint tells nobody")

	require.NoError(t, s.Reject(e))
	_, end = asks(t, c.World, c.app, addr, 53)
	require.Equal(t, trace.EndpointPending, end)
	require.NoError(t, s.Accept(e))

	b.zones = []string{"us-east-1b"} // the load balancer has left the zone
	require.NoError(t, c.open.Tag("Name", "changed"))
	_, end = asks(t, c.World, c.app, addr, 53)
	require.Equal(t, trace.EndpointZone, end)
	require.Equal(t, "VPCE_SERVICE_NOT_INSTALLED_IN_AZ", end.Code())
}

func TestEndpointServicesRefuseWhatAWSRefuses(t *testing.T) {
	c := newConsumer(t)
	nlb, gwlb := newBalancer(t, c.Region, endpoint.Interface, "us-east-1b"), newBalancer(t, c.Region, endpoint.GatewayLoadBalancer, "us-east-1a")
	s, err := endpoint.CreateService(c.Region, endpoint.ServiceConfig{}, nlb)
	require.NoError(t, err)
	create := func(config endpoint.Config, subnets ...*vpc.Subnet) func() error {
		return func() error {
			_, err := endpoint.CreateInterface(s.ServiceName(), subnets, config)
			return err
		}
	}
	refused(t, c.Region, "MissingParameter", "The request must contain at least one load balancer ARN", func() error {
		_, err := endpoint.CreateService(c.Region, endpoint.ServiceConfig{})
		return err
	})
	refused(t, c.Region, "InvalidParameter", "A VPC endpoint service cannot have both Network Load Balancers and Gateway Load Balancers.", func() error {
		_, err := endpoint.CreateService(c.Region, endpoint.ServiceConfig{}, nlb, gwlb)
		return err
	})
	refused(t, c.Region, "InvalidParameter", "The VPC endpoint service "+s.ServiceName()+" does not support the availability zone of the subnet: "+c.b.ID()+".", create(endpoint.Config{}, c.b.Subnet))
	refused(t, c.Region, "InvalidParameter", "The VPC endpoint service "+s.ServiceName()+" does not support endpoints of the type GatewayLoadBalancer.", func() error {
		_, err := endpoint.CreateGatewayLoadBalancer(s.ServiceName(), c.b.Subnet, endpoint.Config{})
		return err
	})
	refused(t, c.Region, "InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "+c.v.ID(), func() error {
		_, err := endpoint.CreateInterface(sqs, []*vpc.Subnet{c.b.Subnet}, endpoint.Config{PrivateDNS: true})
		return err
	})
	other, err := c.v.CreateSubnet("10.0.2.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})
	require.NoError(t, err)
	stranger := endpoint.Config{Account: "210987654321"}
	refused(t, c.Region, "InvalidServiceName", "The Vpc Endpoint Service '"+s.ServiceName()+"' does not exist", create(stranger, other))
	require.NoError(t, s.SetPrincipals("arn:aws:iam::210987654321:root"))
	e, err := endpoint.CreateInterface(s.ServiceName(), []*vpc.Subnet{other}, stranger)
	require.NoError(t, err)
	require.Equal(t, "210987654321", *endpoint.Describe(c.Region).VpcEndpoints[0].OwnerId)

	refused(t, c.Region, "ExistingVpcEndpointConnections", "Service has existing active VPC Endpoint connections!", s.Delete)
	away, _ := c.endpoint(t, sqs)
	refused(t, c.Region, "InvalidVpcEndpointId.NotFound", "The VpcEndPoint ID '"+away.ID()+"' does not exist", func() error { return s.Accept(away) })
	require.NoError(t, s.Reject(e))
	require.NoError(t, s.Delete())
	refused(t, c.Region, "InvalidVpcEndpointServiceId.NotFound", "The VpcEndpointService Id '"+s.ID()+"' does not exist", s.Delete)
}

func TestNamesLeadToInterfaces(t *testing.T) {
	c := newConsumer(t)
	require.NoError(t, c.v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
	second, err := c.v.CreateSubnet("10.0.2.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})
	require.NoError(t, err)
	names := func(service string) []endpoint.Name {
		e, err := endpoint.CreateInterface(service, []*vpc.Subnet{c.b.Subnet, second}, endpoint.Config{ID: "vpce-0123456789abcdef0", PrivateDNS: true})
		require.NoError(t, err)
		n := e.Names()
		require.Equal(t, n, endpoint.NamesIn(c.v.VPC))
		require.NoError(t, e.Delete())
		return n
	}
	addr := netip.MustParseAddr
	both := []netip.Addr{addr("10.0.1.4"), addr("10.0.2.4")}
	require.Equal(t, []endpoint.Name{
		{Name: "vpce-0123456789abcdef0-5y05z6oy.sqs.us-east-1.vpce.amazonaws.com", Addrs: both},
		{Name: "vpce-0123456789abcdef0-5y05z6oy-us-east-1a.sqs.us-east-1.vpce.amazonaws.com", Zone: "us-east-1a", Addrs: both[:1]},
		{Name: "vpce-0123456789abcdef0-5y05z6oy-us-east-1b.sqs.us-east-1.vpce.amazonaws.com", Zone: "us-east-1b", Addrs: both[1:]},
		{Name: "sqs.us-east-1.amazonaws.com", Addrs: both, Private: true},
	}, names(sqs))
	n := names("com.amazonaws.us-east-1.ecr.dkr")
	require.Equal(t, "dkr.ecr.us-east-1.amazonaws.com", n[3].Name)
	require.Equal(t, "*.dkr.ecr.us-east-1.amazonaws.com", n[4].Name)

	s, err := endpoint.CreateService(c.Region, endpoint.ServiceConfig{PrivateDNSName: "api.example.com"}, newBalancer(t, c.Region, endpoint.Interface, "us-east-1a", "us-east-1b"))
	require.NoError(t, err)
	n = names(s.ServiceName())
	require.Equal(t, "vpce-0123456789abcdef0-5y05z6oy."+s.ID()+".us-east-1.vpce.amazonaws.com", n[0].Name)
	require.Equal(t, endpoint.Name{Name: "api.example.com", Addrs: both, Private: true}, n[3])
}
