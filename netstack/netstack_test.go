package netstack_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// lab is a VPC with a public and a private subnet, a NAT gateway, a client in the
// private one, a server on the internet, and a pump.
type lab struct {
	t       testing.TB
	world   *world.World
	pump    *netstack.Pump
	vpc     *vpc.VPC
	private *vpc.Subnet
	nat     *natgw.NATGateway
	client  *netstack.Guest
	server  *netstack.Guest
}

const serverAddr = "198.51.100.7"

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, world: world.New(world.Config{Seed: 1})}
	r := l.world.Region(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	l.vpc = v
	g, err := igw.Create(r, igw.Config{})
	require.NoError(t, err)
	require.NoError(t, g.Attach(v))
	public := l.subnet("10.0.0.0/24")
	l.private = l.subnet("10.0.1.0/24")
	l.nat, err = natgw.Create(public, natgw.Config{})
	require.NoError(t, err)
	l.route(public, g)
	l.route(l.private, l.nat)
	l.pump = netstack.NewPump(l.world.Engine, netstack.PumpConfig{})
	t.Cleanup(func() { l.pump.Close() })
	l.client = l.boot(l.private, "client")
	l.server, err = netstack.OnInternet(l.pump, l.world, netstack.Config{Name: "server"}, netip.MustParseAddr(serverAddr))
	require.NoError(t, err)
	return l
}

func (l *lab) subnet(cidr string) *vpc.Subnet {
	s, err := l.vpc.CreateSubnet(cidr, vpc.SubnetConfig{})
	require.NoError(l.t, err)
	return s
}

func (l *lab) route(s *vpc.Subnet, to vpc.Target) {
	table, err := l.vpc.CreateRouteTable(vpc.RouteTableConfig{})
	require.NoError(l.t, err)
	require.NoError(l.t, table.Associate(s))
	require.NoError(l.t, table.CreateRoute("0.0.0.0/0", to))
}

func (l *lab) boot(s *vpc.Subnet, name string) *netstack.Guest {
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name})
	require.NoError(l.t, err)
	g, err := netstack.Boot(l.pump, l.world, i, netstack.Config{})
	require.NoError(l.t, err)
	return g
}

// serve answers HTTP on the guest with the address that it sees the client at.
func serve(t testing.TB, g *netstack.Guest) {
	l, err := g.Listen("tcp", ":80")
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

func get(t testing.TB, c *http.Client, url string) string {
	r, err := c.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func httpClient(t testing.TB, g *netstack.Guest) *http.Client {
	tr := &http.Transport{DialContext: g.DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// both runs a test in a bubble and outside of one.
func both(t *testing.T, f func(t *testing.T)) {
	t.Run("in a bubble", func(t *testing.T) { synctest.Test(t, f) })
	t.Run("outside of a bubble", f)
}

func TestHTTPThroughANATGateway(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		serve(t, l.server)
		c := httpClient(t, l.client)
		before := l.pump.Now()

		seen := get(t, c, "http://"+serverAddr)
		host, _, err := net.SplitHostPort(seen)
		require.NoError(t, err)
		require.Equal(t, l.nat.PublicIP().String(), host, "the server sees the NAT gateway")
		require.Equal(t, seen, get(t, c, "http://"+serverAddr), "the connection is kept alive")
		took := l.pump.Now() - before
		require.Equal(t, 60*time.Millisecond, took.Truncate(time.Millisecond), "a handshake and two requests, 10 ms one way")
	})
}

func TestConnPassesNettest(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		l := newLab(t)
		ln, err := l.server.Listen("tcp", ":80")
		if err != nil {
			return nil, nil, nil, err
		}
		defer ln.Close()
		if c1, err = l.client.Dial("tcp", serverAddr+":80"); err != nil {
			return nil, nil, nil, err
		}
		if c2, err = ln.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return c1, c2, func() { l.pump.Close() }, nil
	})
}

func emptyWorld() (*world.World, *netstack.Pump) {
	w := world.New(world.Config{Seed: 1})
	return w, netstack.NewPump(w.Engine, netstack.PumpConfig{})
}
