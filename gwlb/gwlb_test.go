package gwlb_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/appliance"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// net is a VPC whose app subnet is behind a Gateway Load Balancer endpoint at the
// internet gateway, and a security VPC with the load balancer and appliances.
type net struct {
	*vpctest.World
	t          *testing.T
	v          *vpctest.VPC
	edge, app  *vpctest.Subnet
	web        *vpctest.Host
	server     *vpctest.Host
	security   *vpctest.VPC
	fleet      map[string]*vpctest.Subnet // by zone
	l          *gwlb.LoadBalancer
	group      *balancer.TargetGroup
	service    *endpoint.Service
	endpoint   *endpoint.Endpoint
	appliances []*box
}

// box is an appliance.
type box struct {
	*vpctest.Host
	*appliance.Appliance
	target  balancer.Target
	tunnels []appliance.Tunnel
	seen    []wire.Flow
	deny    bool
}

func newNet(t *testing.T, boxes int) *net {
	t.Helper()
	w := vpctest.New(t)
	n := &net{World: w, t: t, v: w.VPC("10.0.0.0/16"), security: w.VPC("10.9.0.0/16"), fleet: map[string]*vpctest.Subnet{}}
	n.edge, n.app = n.v.Subnet("10.0.0.0/24"), n.v.Subnet("10.0.1.0/24")
	var subnets []*vpc.Subnet
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		n.fleet[zone] = n.security.SubnetIn(zone, fmt.Sprintf("10.9.%d.0/24", i))
		subnets = append(subnets, n.fleet[zone].Subnet)
	}
	var err error
	n.l, err = gwlb.Create(w.Region, "wall", gwlb.Config{Subnets: subnets})
	require.NoError(t, err)
	n.group, err = gwlb.CreateTargetGroup(n.security.VPC, "fleet", elbv2.TargetInstance, balancer.HealthCheck{})
	require.NoError(t, err)
	_, err = gwlb.Listen(n.l, n.group)
	require.NoError(t, err)
	require.NoError(t, n.security.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.9.0.0/16")))
	for range boxes {
		n.box("us-east-1a")
	}
	n.service, err = endpoint.CreateService(w.Region, endpoint.ServiceConfig{}, n.l)
	require.NoError(t, err)
	n.endpoint = n.newEndpoint(n.edge)
	n.edge.Route("0.0.0.0/0", n.v.InternetGateway())
	n.app.Route("0.0.0.0/0", n.endpoint)
	n.v.EdgeRoute("10.0.1.0/24", n.endpoint)
	n.web, n.server = n.app.PublicHost("web"), w.OnInternet("198.51.100.7")
	n.web.Allow(vpc.AllTraffic("0.0.0.0/0"))
	for _, h := range []*vpctest.Host{n.web, n.server} {
		_, err := h.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), nil)
		require.NoError(t, err)
	}
	return n
}

func (n *net) newEndpoint(s *vpctest.Subnet) *endpoint.Endpoint {
	n.t.Helper()
	e, err := endpoint.CreateGatewayLoadBalancer(n.service.ServiceName(), s.Subnet, endpoint.Config{Name: "endpoint"})
	require.NoError(n.t, err)
	return e
}

// box starts a healthy appliance in a zone.
func (n *net) box(zone string) *box {
	n.t.Helper()
	b := &box{Host: n.fleet[zone].Host(fmt.Sprintf("box%d", len(n.appliances)+1))}
	var err error
	b.Appliance, err = appliance.Start(n.Engine, b.Host.Host, appliance.Config{Inspect: func(p *wire.Packet, t appliance.Tunnel) bool {
		b.tunnels, b.seen = append(b.tunnels, t), append(b.seen, p.Flow)
		return !b.deny
	}})
	require.NoError(n.t, err)
	b.target = balancer.Target{ID: b.Instance.ID()}
	require.NoError(n.t, n.group.RegisterTargets(b.target))
	require.NoError(n.t, n.group.SetHealth(b.target, balancer.Healthy))
	n.appliances = append(n.appliances, b)
	return b
}

func (n *net) dial() (*host.Conn, error) {
	n.t.Helper()
	var conn *host.Conn
	var fail error = host.ErrTimeout
	c := n.web.StartDial(netip.AddrPortFrom(n.server.Addr, 80), func(c *host.Conn, err error) { conn, fail = c, err })
	n.Run(500 * time.Millisecond)
	if fail == host.ErrTimeout {
		c.Abort()
	}
	return conn, fail
}

// end returns why the last packet from the address ended.
func (n *net) end(from netip.Addr) trace.Reason {
	end := trace.None
	for _, w := range n.Trace().Walks() {
		if w.First.Src.Netip() == from && w.First.Proto != wire.ProtoUDP {
			end = w.End()
		}
	}
	return end
}

func TestTheWayThroughAnAppliance(t *testing.T) {
	n := newNet(t, 1)
	o := n.web.Ping(n.server.Addr)
	o.OK(t)
	require.Equal(t, 2, len(n.appliances[0].seen), "both directions pass the appliance")
	require.Equal(t, n.web.Addr, n.appliances[0].seen[0].Src.Netip(), "which sees the hosts' addresses")
	require.Equal(t, n.server.Addr, n.appliances[0].seen[1].Src.Netip())
	r := n.web.Host.Ping(n.server.Addr, host.PingConfig{})
	require.EqualValues(t, 255, r.Replies[0].TTL, "nothing on the way is a hop but the internet gateway, outward")
	require.Equal(t, 1, n.server.Host.Ping(n.web.PublicAddr(), host.PingConfig{}).Received)

	var ends []string
	for _, w := range o.Walks[:3] {
		ends = append(ends, w.First.String()+": "+w.End().String())
	}
	node := n.l.Interfaces()[0].PrivateIP().String()
	require.Equal(t, n.web.Addr.String()+" > 198.51.100.7 icmp: goes on inside another packet", strings.ReplaceAll(ends[0], ":"+fmt.Sprint(o.Walks[0].First.SrcPort), ""))
	require.Contains(t, ends[1], node+":49153 > "+n.appliances[0].Addr.String()+":6081 udp")
	require.Contains(t, ends[2], n.appliances[0].Addr.String()+":49153 > "+node+":6081 udp: the packet inside goes on")
	require.Equal(t, o.Walks[0].Size+gwlb.Overhead, o.Walks[1].Size)
	require.Equal(t, 68, gwlb.Overhead)
}

// What is on the wire between node and appliance.
func TestGeneveOnTheWire(t *testing.T) {
	t.Run("C151 options of class 0x0108, and what comes back with another cookie is dropped", geneveOnTheWire)
}

func geneveOnTheWire(t *testing.T) {
	n := newNet(t, 0)
	card := n.fleet["us-east-1a"].Card("card")
	card.Allow(vpc.AllTraffic("10.9.0.0/16"))
	target := balancer.Target{ID: card.Instance.ID()}
	require.NoError(t, n.group.RegisterTargets(target))
	require.NoError(t, n.group.SetHealth(target, balancer.Healthy))
	var out []byte
	card.Tap(func(_ time.Duration, sent bool, frame []byte) {
		if !sent {
			out = append([]byte(nil), wire.Ethernet(frame).Payload()...)
		}
	})
	n.web.Host.Ping(n.server.Addr, host.PingConfig{Wait: time.Second})
	var p wire.Packet
	require.NoError(t, p.Read(out))
	require.NoError(t, p.VerifyChecksum())
	require.True(t, p.Is4())
	require.Equal(t, uint16(6081), p.Flow.DstPort)
	g := wire.Geneve(wire.UDP(p.Transport()).Payload())
	require.NoError(t, g.Check())
	require.Equal(t, wire.EtherTypeIPv4, g.Protocol())
	require.Len(t, g.Options().Find(0x0108, 1), 8)
	require.Len(t, g.Options().Find(0x0108, 2), 8)
	require.Len(t, g.Options().Find(0x0108, 3), 4)
	require.Equal(t, 68, len(out)-len(g.Payload()))

	back := func(change func(payload []byte)) trace.Reason {
		payload := append([]byte(nil), g...)
		if change != nil {
			change(payload)
		}
		h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 64}
		return card.SendIP(wire.AppendUDP(nil, h, p.Flow.SrcPort, 6081, payload))
	}
	require.Equal(t, trace.Decapsulated, back(nil))
	require.Equal(t, trace.GeneveUnknown, back(func(b []byte) { b[39]++ }), "another cookie")
	require.Equal(t, trace.GeneveUnknown, back(func(b []byte) { b[19]++ }), "another endpoint")
	require.Equal(t, trace.GeneveUnknown, back(func(b []byte) { b[31]++ }), "another attachment")
	require.Equal(t, trace.GeneveUnknown, back(func(b []byte) { b[0] = 0 }), "no options")
	require.Equal(t, trace.GeneveUnknown, back(func(b []byte) { b[0] = 0x40 }), "another version")
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 64}
	require.Equal(t, trace.GenevePort, card.SendIP(wire.AppendUDP(nil, h, 1, 6082, g)))
	require.Equal(t, trace.GeneveProtocol, card.SendIP(wire.AppendICMP(nil, h, wire.ICMPEcho, 0, 0, nil)))
}

func TestMiddleboxChain(t *testing.T) {
	t.Run("C152 edge table, appliance, endpoint subnet's table; and back", func(t *testing.T) {
		n := newNet(t, 1)
		_, err := n.dial()
		require.NoError(t, err)
		require.NoError(t, n.edge.RouteTable().DeleteRoute("0.0.0.0/0"))
		n.web.Ping(n.server.Addr).Dropped(t, trace.NoRoute)
	})
}

func TestAnApplianceDrops(t *testing.T) {
	n := newNet(t, 1)
	n.appliances[0].deny = true
	n.web.Ping(n.server.Addr).Dropped(t, trace.HostFilter)
	passed, dropped := n.appliances[0].Counts()
	require.Equal(t, []int{0, 1}, []int{passed, dropped})
	n.appliances[0].Stop()
	n.web.Ping(n.server.Addr).Dropped(t, trace.NoListener)
}

func TestBothDirectionsOfAFlowMeetOneAppliance(t *testing.T) {
	n := newNet(t, 3)
	for range 60 {
		c, err := n.dial()
		require.NoError(t, err)
		_, err = c.Write([]byte("x"))
		require.NoError(t, err)
		n.Run(time.Second)
	}
	used := 0
	where := map[wire.Flow]*box{}
	for _, b := range n.appliances {
		if len(b.seen) > 0 {
			used++
		}
		for _, f := range b.seen {
			for _, k := range []wire.Flow{f, f.Reverse()} {
				require.True(t, where[k] == nil || where[k] == b, "%v is with two appliances", f)
				where[k] = b
			}
		}
		require.Equal(t, b.tunnels[0].Endpoint, n.appliances[0].tunnels[0].Endpoint)
	}
	require.Equal(t, 3, used)
}

func TestStickinessByAddresses(t *testing.T) {
	for kind, want := range map[string]int{"source_ip_dest_ip": 1, "source_ip_dest_ip_proto": 1, "": 3} {
		n := newNet(t, 3)
		if kind != "" {
			require.NoError(t, n.group.SetAttribute("stickiness.enabled", "true"))
			require.NoError(t, n.group.SetAttribute("stickiness.type", kind))
		}
		for range 30 {
			_, err := n.dial()
			require.NoError(t, err)
		}
		used := map[*box]bool{}
		for _, b := range n.appliances {
			if len(b.seen) > 0 {
				used[b] = true
			}
		}
		require.Len(t, used, want, kind)
		if kind == "source_ip_dest_ip" {
			n.web.Ping(n.server.Addr).OK(t)
			for b := range used {
				require.EqualValues(t, wire.ProtoICMP, b.seen[len(b.seen)-1].Proto, "another protocol goes the same way")
			}
		}
	}
}

func TestTheChoiceOfAnApplianceCanBeMade(t *testing.T) {
	n := newNet(t, 3)
	for want := range 3 {
		n.Engine.Choose = func(at, what string, _ uint32, of int, _ dataplane.Options) int {
			require.Equal(t, []any{n.l.ID(), "appliance", 3}, []any{at, what, of})
			return want
		}
		before := len(n.appliances[want].seen)
		n.web.Ping(n.server.Addr).OK(t)
		require.Greater(t, len(n.appliances[want].seen), before)
	}
}

func TestFailover(t *testing.T) {
	t.Run("C153 flows stay with a target that turns unhealthy, new ones do not; all unhealthy: any", failover)
}

func failover(t *testing.T) {
	n := newNet(t, 2)
	c, err := n.dial()
	require.NoError(t, err)
	first, second := n.appliances[0], n.appliances[1]
	if len(first.seen) == 0 {
		first, second = second, first
	}
	write := func() (at *box) {
		a, b := len(first.seen), len(second.seen)
		_, err := c.Write([]byte("x"))
		require.NoError(t, err)
		n.Run(time.Second)
		switch {
		case len(first.seen) > a:
			return first
		case len(second.seen) > b:
			return second
		}
		return nil
	}
	require.NoError(t, n.group.SetHealth(first.target, balancer.Unhealthy))
	require.Equal(t, first, write(), "no_rebalance")
	for range 20 {
		was := len(first.seen)
		_, err := n.dial()
		require.NoError(t, err)
		require.Len(t, first.seen, was, "new flows go to the healthy one")
	}
	require.NoError(t, n.group.SetAttribute("target_failover.on_unhealthy", "rebalance"))
	require.Equal(t, second, write(), "rebalance")

	require.NoError(t, n.group.SetHealth(second.target, balancer.Unhealthy))
	require.Equal(t, second, write(), "all are unhealthy: nothing moves")
	a, b := len(first.seen), len(second.seen)
	for range 20 {
		_, err := n.dial()
		require.NoError(t, err)
	}
	require.Greater(t, len(first.seen), a, "fails open")
	require.Greater(t, len(second.seen), b, "to all")

	require.NoError(t, n.group.SetHealth(first.target, balancer.Healthy))
	require.NoError(t, n.group.SetHealth(second.target, balancer.Healthy))
	require.NoError(t, n.group.DeregisterTargets(second.target))
	require.Equal(t, second, write(), "no_rebalance on deregistration")
	require.NoError(t, n.group.SetAttribute("target_failover.on_deregistration", "rebalance"))
	require.Equal(t, first, write())
}

func TestIdleFlows(t *testing.T) {
	n := newNet(t, 1)
	c, err := n.dial()
	require.NoError(t, err)
	n.Run(349 * time.Second)
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	n.Run(time.Second)
	require.Equal(t, trace.Delivered, n.end(n.web.Addr))
	n.Run(350 * time.Second)
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	n.Run(100 * time.Millisecond)
	require.Equal(t, trace.NoSession, n.end(n.web.Addr), "idle for 350 s")
	_, err = n.dial()
	require.NoError(t, err, "a SYN begins anew")

	require.NoError(t, n.l.Listeners()[0].SetAttribute("tcp.idle_timeout.seconds", "60"))
	c, err = n.dial()
	require.NoError(t, err)
	n.Run(61 * time.Second)
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	n.Run(100 * time.Millisecond)
	require.Equal(t, trace.NoSession, n.end(n.web.Addr))
}

// Asymmetric ways: what begins may pass alone; what answers alone is dropped.
func TestAsymmetricWays(t *testing.T) {
	n := newNet(t, 1)
	edge := n.v.GatewayRouteTable(n.v.InternetGateway())
	require.NoError(t, edge.DeleteRoute("10.0.1.0/24"))
	_, err := n.dial()
	require.NoError(t, err, "the answers come past the endpoint")
	var fail error
	c := n.server.StartDial(netip.AddrPortFrom(n.web.PublicAddr(), 80), func(_ *host.Conn, err error) { fail = err })
	n.Run(500 * time.Millisecond)
	require.NoError(t, fail)
	c.Abort()
	require.Equal(t, trace.NoSession, n.end(n.web.Addr), "the SYN came past it, so the SYN and ACK are dropped")
}

// Mistake GL04: what begins by the endpoint of one zone and is answered by that of another.
func TestZonesOfEndpointsKnowNothingOfEachOther(t *testing.T) {
	n := newNet(t, 1)
	n.box("us-east-1b")
	farEdge, far := n.v.SubnetIn("us-east-1b", "10.0.2.0/24"), n.v.SubnetIn("us-east-1b", "10.0.3.0/24")
	e := n.newEndpoint(farEdge)
	n.app.Route("10.0.3.0/24", n.endpoint)
	far.Route("10.0.1.0/24", e)
	db := far.Host("db")
	db.Allow(vpc.AllTraffic("10.0.0.0/16"))
	_, err := db.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), nil)
	require.NoError(t, err)
	done := false
	n.web.StartDial(netip.AddrPortFrom(db.Addr, 80), func(*host.Conn, error) { done = true })
	n.Run(500 * time.Millisecond)
	require.False(t, done)
	require.Equal(t, trace.NoSession, n.end(db.Addr))
	require.NoError(t, far.RouteTable().ReplaceRoute("10.0.1.0/24", n.endpoint))
	n.Run(5 * time.Second)
	require.True(t, done)
}

func TestAZoneWithoutAppliances(t *testing.T) {
	n := newNet(t, 0)
	n.web.Ping(n.server.Addr).Dropped(t, trace.BalancerNoTarget)
	n.box("us-east-1b")
	n.web.Ping(n.server.Addr).Dropped(t, trace.BalancerZone)
	require.NoError(t, n.l.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	n.web.Ping(n.server.Addr).OK(t)
	require.NoError(t, n.l.Listeners()[0].Delete())
	n.web.Ping(n.server.Addr).Dropped(t, trace.BalancerNoGroup)
}

// The appliances' groups must let GENEVE in from the nodes.
func TestAppliancesHaveGroupsAndSubnetsHaveACLs(t *testing.T) {
	n := newNet(t, 1)
	g := n.appliances[0].Interface.Groups()[0]
	require.NoError(t, g.RevokeIngress(g.Ingress()...))
	n.web.Ping(n.server.Addr).Dropped(t, trace.GroupIngress)
	require.NoError(t, g.AuthorizeIngress(vpc.UDPPort(6081, "10.9.0.0/16")))
	n.web.Ping(n.server.Addr).OK(t)
}

// The endpoint subnet's ACL is asked of hosts of that subnet too.
func TestTheEndpointsACLIsAskedWithinItsSubnet(t *testing.T) {
	n := newNet(t, 1)
	a, err := n.v.CreateNetworkACL(vpc.NetworkACLConfig{})
	require.NoError(t, err)
	neighbor := n.edge.PublicHost("neighbor")
	n.edge.RouteTable()
	require.NoError(t, n.edge.RouteTable().CreateRoute("203.0.113.0/24", n.endpoint))
	require.NoError(t, n.edge.SetNetworkACL(a))
	neighbor.Ping(netip.MustParseAddr("203.0.113.1")).Dropped(t, trace.ACLEgress)
	all := vpc.ACLEntry{Number: 100, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	require.NoError(t, a.CreateEgressEntry(all))
	neighbor.Ping(netip.MustParseAddr("203.0.113.1")).Dropped(t, trace.ACLIngress)
}

// Mistake GL03.
func TestAHostInTheEndpointsOwnSubnetLoops(t *testing.T) {
	n := newNet(t, 1)
	require.NoError(t, n.edge.RouteTable().ReplaceRoute("0.0.0.0/0", n.endpoint))
	n.edge.PublicHost("neighbor").Ping(n.server.Addr).Dropped(t, trace.TooManyHops)
}

func TestWhatIsTooBigIsDroppedInSilence(t *testing.T) {
	n := newNet(t, 1)
	r := n.web.Host.Ping(netip.MustParseAddr("10.0.0.99"), host.PingConfig{Size: 8600, DontFragment: true, Wait: time.Second})
	require.Equal(t, 0, r.Received)
	n.app.Route("10.0.0.0/24", n.endpoint)
	r = n.web.Host.Ping(netip.MustParseAddr("10.0.0.99"), host.PingConfig{Size: 8600, DontFragment: true, Wait: time.Second})
	require.Empty(t, r.Errors)
	require.Equal(t, trace.TooBig, n.end(n.web.Addr))
	far := n.v.Subnet("10.0.4.0/24")
	neighbor := far.Host("neighbor")
	neighbor.Allow(vpc.AllTraffic("10.0.0.0/16"))
	n.app.Route("10.0.4.0/24", n.endpoint)
	far.Route("10.0.1.0/24", n.endpoint)
	require.Equal(t, 1, n.web.Host.Ping(neighbor.Addr, host.PingConfig{Size: 8400, DontFragment: true}).Received)
}

func TestRefusals(t *testing.T) {
	n := newNet(t, 0)
	_, err := gwlb.Create(n.Region, "x", gwlb.Config{Subnets: []*vpc.Subnet{n.edge.Subnet}, Groups: []*vpc.SecurityGroup{n.v.DefaultSecurityGroup()}})
	require.EqualError(t, err, "InvalidConfigurationRequest: Security groups are not supported for load balancers with type 'gateway'")
	_, err = n.l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(n.group)}})
	require.EqualError(t, err, "ValidationError: Listener protocol 'TCP' must be one of 'GENEVE'")
	_, err = gwlb.Listen(n.l, n.group)
	require.EqualError(t, err, "DuplicateListener: A listener already exists on this port for this load balancer '"+n.l.ID()+"'")
}

func TestStateSurvivesAChangeAndDiesWithTheLoadBalancer(t *testing.T) {
	n := newNet(t, 2)
	c, err := n.dial()
	require.NoError(t, err)
	require.NoError(t, n.edge.Tag("Name", "changed"))
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, trace.Encapsulated, n.end(n.web.Addr))
	n.Live(n.Region).Forget(n.l.Interfaces()[0].ID())
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, trace.NoSession, n.end(n.web.Addr))
	require.NoError(t, n.l.Delete())
	n.web.Ping(n.server.Addr).Dropped(t, trace.EndpointZone)
}
