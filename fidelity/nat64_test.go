package fidelity_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/nat64"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// sixOnly is a private subnet whose IPv6 reaches IPv4 by a NAT gateway.
type sixOnly struct {
	*net
	vm, server *guest
	nat        *natgw.NATGateway
	private    *subnet
	far        netip.Addr // the server, as IPv6 has it
}

func newSixOnly(t *testing.T) *sixOnly {
	t.Helper()
	n := newNet(t, vpc6)
	public := n.subnet("public", "10.0.0.0/24").route("0.0.0.0/0", n.igw)
	f := &sixOnly{net: n, private: n.subnet("private", "10.0.1.0/24"), far: addr("64:ff9b::c633:6407")}
	f.nat = public.natGateway(natgw.Config{})
	f.private.route("64:ff9b::/96", f.nat)
	f.vm = f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::10", group: n.group("closed")})
	f.server = n.internet("server", "198.51.100.7")
	return f
}

func TestNAT64(t *testing.T) {
	t.Run("C124 the server sees the Elastic IP, the client the server as IPv6", func(t *testing.T) {
		f := newSixOnly(t)
		walks := f.reaches(f.vm, f.far)
		require.Len(t, walks, 2)
		require.Equal(t, f.nat.PublicIP(), walks[0].Last.Src.Netip())
		require.Equal(t, f.server.addr, walks[0].Last.Dst.Netip())
		require.Equal(t, f.far, walks[1].Last.Src.Netip())
		require.Equal(t, f.vm.addr6, walks[1].Last.Dst.Netip())
		r := f.vm.Ping(f.far, host.PingConfig{})
		require.EqualValues(t, 64-1, r.Replies[0].TTL, "one hop, the NAT gateway; the gateway to the internet takes none on the way in")
	})
	t.Run("C124 TCP and UDP, both ways, with right checksums", func(t *testing.T) {
		f := newSixOnly(t)
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.far, 80))
		f.must(err)
		_, err = c.Write([]byte("hello"))
		f.must(err)
		f.settle()
		require.Equal(t, "HELLO", string(c.Next()))
		echo, err := f.server.ListenUDP(port(f.server.addr, 7))
		f.must(err)
		echo.OnDatagram(func(c *host.UDPConn, d host.Datagram) { c.Send(d.Src, d.Payload) })
		u, err := f.vm.ListenUDP(netip.AddrPort{})
		f.must(err)
		_, err = u.Send(port(f.far, 7), make([]byte, 5000))
		f.must(err)
		f.settle()
		require.Equal(t, 1520, u.Errors()[0].MTU, "it leaves whole, and the path tells how much fits")
		for _, size := range []int{0, 1, 1000, 5000} { // the last in fragments
			_, err = u.Send(port(f.far, 7), make([]byte, size))
			f.must(err)
			d, ok := u.Read(time.Second)
			require.True(t, ok, size)
			require.Len(t, d.Payload, size)
			require.Equal(t, port(f.far, 7), d.Src)
		}
	})
	t.Run("with DNS64 an IPv6 host fetches a page of an IPv4 one by name", func(t *testing.T) {
		f := newSixOnly(t)
		f.must(f.private.SetNames(vpc.SubnetNames{DNS64: true}))
		f.Resolver.SetPublic("www.example.com", f.server.addr)
		_, err := f.server.ServeHTTP(port(f.server.addr, 80), func(c *host.Conn, _ *http.Request) *http.Response {
			return host.NewResponse(http.StatusOK, "text/plain", c.Remote().Addr().String())
		})
		f.must(err)
		f.vm.NICs()[0].RemoveAddr(f.vm.addr) // an IPv6-only guest
		f.vm.SetNameservers([]netip.Addr{addr("fd00:ec2::253")})
		res, err := f.vm.HTTPGet("http://www.example.com/")
		f.must(err)
		b := make([]byte, 100)
		k, _ := res.Body.Read(b)
		require.Equal(t, f.nat.PublicIP().String(), string(b[:k]))
	})
	t.Run("errors come back as IPv6's, about the packet as it was sent", func(t *testing.T) {
		f := newSixOnly(t)
		u, err := f.vm.ListenUDP(netip.AddrPort{})
		f.must(err)
		_, err = u.Send(port(f.far, 9), []byte("x"))
		f.must(err)
		f.settle()
		require.Len(t, u.Errors(), 1)
		require.Equal(t, wire.ICMPv6Unreachable, u.Errors()[0].Type)
		require.Equal(t, wire.V6PortUnreachable, u.Errors()[0].Code)
		require.Equal(t, f.far, u.Errors()[0].From)
		require.Equal(t, f.vm.addr6, u.Errors()[0].Flow.Src.Netip())
		require.Equal(t, f.far, u.Errors()[0].Flow.Dst.Netip())
	})
	t.Run("the path's MTU is found: 1,500 bytes of IPv4 are 1,520 of IPv6", func(t *testing.T) {
		f := newSixOnly(t)
		r := f.vm.Ping(f.far, host.PingConfig{Size: 3000, DontFragment: true})
		require.Len(t, r.Errors, 1)
		require.Equal(t, 1520, r.Errors[0].MTU)
		require.Equal(t, 1, f.vm.Ping(f.far, host.PingConfig{Size: 1500 - 28, DontFragment: true}).Received)
		r = f.vm.Ping(f.far, host.PingConfig{Size: 8900, DontFragment: true})
		require.Empty(t, r.Replies)
	})
	t.Run("it is a hop", func(t *testing.T) {
		f := newSixOnly(t)
		out := f.vm.Traceroute(f.far, host.TracerouteConfig{})
		require.Equal(t, []string{nat64.Embed(wire.AddrFrom(f.nat.PrivateIP())).String(), netip.Addr{}.String(), f.far.String()}, hops(out), "the internet gateway is silent")
	})
	t.Run("idle for 350 s: RST to the inside, as IPv6", func(t *testing.T) {
		f := newSixOnly(t)
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.far, 80))
		f.must(err)
		f.Run(351 * time.Second)
		_, err = c.Write([]byte("still there?"))
		f.must(err)
		f.settle()
		require.ErrorIs(t, c.Err(), host.ErrReset)
	})
	t.Run("nothing else of IPv6, and no protocol but TCP, UDP and ICMP", func(t *testing.T) {
		f := newSixOnly(t)
		f.private.route("2001:db8:f::/48", f.nat)
		f.dies(f.vm, addr("2001:db8:f::7"), trace.NoFamily, "nat")
		esp := wire.AppendIP(nil, wire.Header{Src: wire.AddrFrom(f.vm.addr6), Dst: wire.AddrFrom(f.far), TTL: 64, Proto: 50}, make([]byte, 16))
		f.send(f.vm, esp)
		f.ends(f.take()[:1], trace.ProtocolNotSupported, "nat")
	})
	t.Run("its sessions are IPv4's: they survive a change and count", func(t *testing.T) {
		f := newSixOnly(t)
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.far, 80))
		f.must(err)
		f.must(f.nat.Tag("Name", "renamed"))
		_, err = c.Write([]byte("x"))
		f.must(err)
		f.settle()
		require.Equal(t, "X", string(c.Next()))
		require.EqualValues(t, 1, f.nat.Counters(f.Live(f.region)).ActiveConnectionCount)
	})
}

// An established NAT64 flow allocates nothing, in either direction.
func TestNAT64DoesNotAllocate(t *testing.T) {
	f := newSixOnly(t)
	f.must(f.vm.nic.Groups()[0].AuthorizeIngress(vpc.AllTraffic("::/0")))
	f.Engine.Log = nil
	out := f.Live(f.region).Interface(f.vm.nic).Out()
	h := wire.Header{Src: wire.AddrFrom(f.vm.addr6), Dst: wire.AddrFrom(f.far), TTL: 64}
	ip := wire.AppendUDP(nil, h, 5000, 9, []byte("payload"))
	u, err := f.server.ListenUDP(port(f.server.addr, 9))
	f.must(err)
	got := 0
	u.OnDatagram(func(*host.UDPConn, host.Datagram) { got++ })
	sent := 0
	send := func() {
		sent++
		require.Equal(t, trace.Delivered, f.Engine.Send(out, ip))
	}
	for range 100 {
		send()
	}
	f.Clock.Run(f.Clock.Now() + time.Second)
	require.Equal(t, sent, got)
	require.Zero(t, testing.AllocsPerRun(50, send), "on the way out")
}
