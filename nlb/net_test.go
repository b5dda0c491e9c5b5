package nlb_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// net is a VPC with clients in one subnet, the nodes of a load balancer in two zones,
// and targets in both.
type net struct {
	*vpctest.World
	t        *testing.T
	v        *vpctest.VPC
	clients  *vpctest.Subnet
	nodes    [2]*vpctest.Subnet
	targets  [2]*vpctest.Subnet
	client   *vpctest.Host
	servers  []*server
	l        *balancer.LoadBalancer
	group    *balancer.TargetGroup
	listener *balancer.Listener
}

// server is a target that says who comes.
type server struct {
	*vpctest.Host
	peers []netip.AddrPort
	conns []*host.Conn
}

var all = vpc.AllTraffic("0.0.0.0/0")

type options struct {
	internet bool
	kind     elbv2.TargetType
	protocol elbv2.Protocol
	groups   []*vpc.SecurityGroup
	plain    bool // registers no target
}

func newNet(t *testing.T, o options) *net {
	t.Helper()
	w := vpctest.New(t)
	n := &net{World: w, t: t, v: w.VPC("10.0.0.0/16")}
	n.clients = n.v.Subnet("10.0.0.0/24")
	n.nodes = [2]*vpctest.Subnet{n.v.SubnetIn("us-east-1a", "10.0.10.0/24"), n.v.SubnetIn("us-east-1b", "10.0.11.0/24")}
	n.targets = [2]*vpctest.Subnet{n.v.SubnetIn("us-east-1a", "10.0.20.0/24"), n.v.SubnetIn("us-east-1b", "10.0.21.0/24")}
	n.client = n.clients.Host("client")
	if o.internet {
		for _, s := range n.nodes {
			s.Route("0.0.0.0/0", n.v.InternetGateway())
		}
	}
	if o.protocol == "" {
		o.protocol = elbv2.TCP
	}
	var err error
	n.l, err = nlb.Create(w.Region, "web", balancer.Config{
		Name: "nlb", Subnets: []*vpc.Subnet{n.nodes[0].Subnet, n.nodes[1].Subnet}, InternetFacing: o.internet, Groups: o.groups,
	})
	n.must(err)
	n.group, err = balancer.CreateTargetGroup(w.Region, "web", balancer.TargetGroupConfig{VPC: n.v.VPC, Type: o.kind, Protocol: o.protocol, Port: 8080})
	n.must(err)
	n.listener, err = n.l.CreateListener(balancer.ListenerConfig{Protocol: o.protocol, Port: 80, Actions: []balancer.Action{balancer.Forward(n.group)}})
	n.must(err)
	if !o.plain {
		n.register(n.server("t1", n.targets[0], all), balancer.Healthy)
	}
	return n
}

func (n *net) must(errs ...error) {
	n.t.Helper()
	for _, err := range errs {
		require.NoError(n.t, err)
	}
}

// server launches a host that listens on 8080, TCP and UDP, and lets in what the rules say.
func (n *net) server(name string, s *vpctest.Subnet, rules ...vpc.Permission) *server {
	n.t.Helper()
	x := &server{Host: s.Host(name)}
	own, err := n.v.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	if s.VPC() != n.v.VPC {
		own, err = s.VPC().CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	}
	n.must(err, own.AuthorizeIngress(rules...), x.Interface.SetGroups(own))
	n.serve(x)
	n.servers = append(n.servers, x)
	return x
}

func (n *net) serve(x *server) {
	at := netip.AddrPortFrom(netip.IPv4Unspecified(), 8080)
	_, err := x.ListenTCP(at, func(c *host.Conn) {
		x.peers, x.conns = append(x.peers, c.Remote()), append(x.conns, c)
		c.OnReadable(func(c *host.Conn) { c.Write(c.Next()) })
	})
	n.must(err)
	u, err := x.ListenUDP(at)
	n.must(err)
	u.OnDatagram(func(u *host.UDPConn, d host.Datagram) {
		x.peers = append(x.peers, d.Src)
		u.Send(d.Src, d.Payload)
	})
}

func (n *net) target(s *server) balancer.Target {
	if n.group.TargetType() == elbv2.TargetIP {
		return balancer.Target{ID: s.Addr.String()}
	}
	return balancer.Target{ID: s.Instance.ID()}
}

func (n *net) register(s *server, h balancer.Health) *server {
	n.t.Helper()
	n.must(n.group.RegisterTargets(n.target(s)), n.group.SetHealth(n.target(s), h))
	return s
}

// node returns the address of a node.
func (n *net) node(i int) netip.Addr {
	a := n.l.Interfaces()[i].PrivateAddresses()[0]
	if n.l.InternetFacing() {
		return a.Public
	}
	return a.IP
}

// private returns the private address of a node.
func (n *net) private(i int) netip.Addr { return n.l.Interfaces()[i].PrivateAddresses()[0].IP }

// dial opens a connection from a host to port 80 of a node, within five seconds.
func (n *net) dial(from *vpctest.Host, node int) (*host.Conn, error) {
	n.t.Helper()
	err := error(host.ErrTimeout)
	n.Trace().Clear()
	c := from.StartDial(netip.AddrPortFrom(n.node(node), 80), func(_ *host.Conn, e error) { err = e })
	n.Run(5 * time.Second)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// refusedFor says that a SYN from a host to a node ends for the reason.
func (n *net) refusedFor(want trace.Reason, from *vpctest.Host, node int) {
	n.t.Helper()
	_, err := n.dial(from, node)
	require.Error(n.t, err)
	require.Equal(n.t, want, n.Trace().Walks()[0].End(), n.story())
}

// echo sends over a connection and reads the same back.
func (n *net) echo(c *host.Conn) {
	n.t.Helper()
	_, err := c.Write([]byte("hello"))
	n.must(err)
	n.Run(time.Second)
	require.Equal(n.t, "hello", string(c.Next()), n.story())
}

// nlbCreate makes a load balancer with groups on the net's subnets.
func nlbCreate(n *net, g ...*vpc.SecurityGroup) (*balancer.LoadBalancer, error) {
	return nlb.Create(n.Region, "grouped", balancer.Config{Name: "nlb", Subnets: []*vpc.Subnet{n.nodes[0].Subnet, n.nodes[1].Subnet}, Groups: g})
}

// story is the trace's walks as text.
func (n *net) story() string {
	text := ""
	for _, w := range n.Trace().Walks() {
		text += w.String()
	}
	return text
}
