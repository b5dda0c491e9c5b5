package fidelity_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// eastwest is S002's network (F2): a reaches b through a private NAT gateway.
type eastwest struct {
	*net
	src, dst, nat *subnet
	a, b          *guest
	group         *vpc.SecurityGroup // b's
	gateway       *natgw.NATGateway
	atA, atB      *tap
}

func newEastwest(t *testing.T, c natgw.Config) *eastwest {
	t.Helper()
	n := newNet(t, "")
	e := &eastwest{net: n, src: n.subnet("src", "10.0.0.0/24"), dst: n.subnet("dst", "10.0.1.0/24"), nat: n.subnet("nat", "10.0.2.0/24")}
	c.PrivateIP = addr("10.0.2.149")
	e.gateway = e.nat.natGateway(c)
	e.src.route("10.0.1.0/24", e.gateway).route("0.0.0.0/0", n.igw)
	e.dst.route("0.0.0.0/0", n.igw)
	e.group = n.group("b", vpc.AllTraffic("10.0.0.0/16"))
	e.a = e.src.launch("a", machine{addr: "10.0.0.11", public: "203.0.113.11"})
	e.b = e.dst.launch("b", machine{addr: "10.0.1.55", public: "203.0.113.55", group: e.group})
	e.atA, e.atB = n.tap(e.a.nic), n.tap(e.b.nic)
	return e
}

func private() natgw.Config { return natgw.Config{Private: true} }

func (e *eastwest) traceroute() host.TracerouteResult {
	r := e.a.Traceroute(e.b.addr, host.TracerouteConfig{Numeric: true})
	e.settle() // the last answers come when traceroute has gone
	return r
}

func hops(r host.TracerouteResult) []string {
	var all []string
	for _, h := range r.Hops {
		all = append(all, h.Probes[0].Addr.String())
	}
	return all
}

func TestTracerouteThroughNATGateway(t *testing.T) {
	e := newEastwest(t, private())
	r := e.traceroute()
	probes, answers := e.atB.in(), e.atB.out()
	t.Run("C001 the NAT gateway and the destination are the hops, routers are none", func(t *testing.T) {
		require.Equal(t, []string{"10.0.2.149", "10.0.1.55"}, hops(r))
		require.True(t, r.Reached)
	})
	t.Run("C002 the destination sees 16 probes, to ports 33437 to 33452", func(t *testing.T) {
		require.Len(t, probes, 16)
		for i, p := range probes {
			require.Equal(t, e.gateway.PrivateIP(), p.Flow.Src.Netip())
			require.EqualValues(t, 33437+i, p.Flow.DstPort)
		}
	})
	t.Run("C003 their source ports differ, lie in 1024 to 65535 and are not the kernel's", func(t *testing.T) {
		seen := map[uint16]bool{}
		outside := false
		for _, p := range probes {
			require.GreaterOrEqual(t, p.Flow.SrcPort, uint16(1024))
			require.False(t, seen[p.Flow.SrcPort])
			seen[p.Flow.SrcPort] = true
			outside = outside || p.Flow.SrcPort < 32768 || p.Flow.SrcPort > 60999
		}
		require.True(t, outside)
		require.False(t, slices.IsSortedFunc(probes, func(p, q packet) int { return int(p.Flow.SrcPort) - int(q.Flow.SrcPort) }))
	})
	t.Run("C004 probes have 60 bytes, port unreachables 88", func(t *testing.T) {
		for _, p := range probes {
			require.Equal(t, 60, p.Len())
			require.Len(t, wire.UDP(p.Transport()).Payload(), 32)
		}
		for _, p := range answers {
			require.Equal(t, 88, p.Len())
			require.Len(t, p.Transport(), 68)
		}
	})
	t.Run("C005 six port unreachables answer the burst, and hop 2 has its three times", func(t *testing.T) {
		require.Len(t, answers, 6)
		for i, p := range answers {
			require.Equal(t, [2]uint8{wire.ICMPUnreachable, wire.PortUnreachable}, [2]uint8{p.Type, p.Code})
			in, ok := p.Inner()
			require.True(t, ok)
			require.EqualValues(t, 33437+i, in.Flow.DstPort)
		}
		for _, p := range r.Hops[1].Probes {
			require.Equal(t, e.b.addr, p.Addr)
			require.Positive(t, p.RTT)
		}
	})
	errors := e.atA.in()
	sent := map[uint16][]byte{}
	for _, p := range e.atA.out() {
		sent[p.Flow.DstPort] = p.Bytes()
	}
	t.Run("C006 time exceeded comes from the private address and quotes the packet as sent", func(t *testing.T) {
		require.Len(t, errors, 3+6)
		for _, p := range errors[:3] {
			require.Equal(t, e.gateway.PrivateIP(), p.Flow.Src.Netip())
			require.Equal(t, [2]uint8{wire.ICMPTimeExceeded, 0}, [2]uint8{p.Type, p.Code})
			in, _ := p.Inner()
			require.Equal(t, sent[in.Flow.DstPort], p.icmp().Payload())
		}
	})
	t.Run("C007 port unreachables come from the destination and quote the source's own port", func(t *testing.T) {
		for _, p := range errors[3:] {
			require.Equal(t, e.b.addr, p.Flow.Src.Netip())
			require.NoError(t, p.VerifyChecksum())
			in, ok := p.Inner()
			require.True(t, ok)
			var was packet
			require.NoError(t, was.Read(sent[in.Flow.DstPort]))
			require.Equal(t, was.Flow, in.Flow)
		}
	})
}

func TestPingThroughNATGateway(t *testing.T) {
	e := newEastwest(t, private())
	r := e.a.Ping(e.b.addr, host.PingConfig{Count: 3})
	t.Run("C008 three replies, one hop taken from Amazon Linux 2's 255", func(t *testing.T) {
		require.Equal(t, 3, r.Received)
		for _, reply := range r.Replies {
			require.EqualValues(t, 254, reply.TTL)
			require.Equal(t, e.b.addr, reply.From)
		}
	})
	t.Run("C009 the destination sees the NAT gateway's address and one identifier", func(t *testing.T) {
		requests, replies := e.atB.in(), e.atB.out()
		require.Len(t, requests, 3)
		require.Len(t, replies, 3)
		for i, p := range requests {
			require.Equal(t, e.gateway.PrivateIP(), p.Flow.Src.Netip())
			require.EqualValues(t, 254, p.TTL())
			require.Equal(t, requests[0].icmp().ID(), p.icmp().ID())
			require.EqualValues(t, i+1, p.icmp().Seq())
			require.Len(t, p.Transport(), 64)
			require.Equal(t, e.gateway.PrivateIP(), replies[i].Flow.Dst.Netip())
			require.Equal(t, p.icmp().ID(), replies[i].icmp().ID())
		}
	})
	t.Run("C010 nothing at the destination has the source's address", func(t *testing.T) {
		for _, p := range e.atB.all {
			require.NotEqual(t, e.a.addr, p.Flow.Src.Netip())
			require.NotEqual(t, e.a.addr, p.Flow.Dst.Netip())
		}
	})
}

func TestGroupsBehindNATGateway(t *testing.T) {
	t.Run("C011 a group narrowed to the source's subnet lets nothing in", func(t *testing.T) {
		e := newEastwest(t, private())
		e.must(e.group.RevokeIngress(vpc.AllTraffic("10.0.0.0/16")), e.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/24")))
		walks := e.dies(e.a, e.b.addr, trace.GroupIngress, "b in")
		require.Equal(t, "ENI_SG_RULES_MISMATCH", walks[0].End().Code())
		require.Equal(t, e.gateway.PrivateIP(), walks[0].Last.Src.Netip())
		require.Empty(t, e.atB.all)
	})
	t.Run("C012 a group that allows the NAT gateway's address, or its subnet, lets it in", func(t *testing.T) {
		for _, cidr := range []string{"10.0.2.149/32", "10.0.2.0/24"} {
			e := newEastwest(t, private())
			e.must(e.group.RevokeIngress(vpc.AllTraffic("10.0.0.0/16")), e.group.AuthorizeIngress(vpc.AllTraffic(cidr)))
			e.reaches(e.a, e.b.addr)
		}
	})
}

func TestNATGatewayItself(t *testing.T) {
	t.Run("C013 a NAT gateway never answers ping", func(t *testing.T) {
		e := newEastwest(t, private())
		r := e.a.Ping(e.gateway.PrivateIP(), host.PingConfig{Count: 3})
		require.Zero(t, r.Received)
		require.Empty(t, r.Errors)
		for _, w := range e.take() {
			require.Equal(t, trace.NoSession, w.End())
			require.Equal(t, "nat", w.Where)
		}
		e.reaches(e.a, e.b.addr) // a session makes no difference
		e.dies(e.a, e.gateway.PrivateIP(), trace.NoSession, "nat")
	})
	t.Run("C013 nor a SYN, nor a datagram, on any of its addresses", func(t *testing.T) {
		e := newEastwest(t, natgw.Config{})
		x := e.internet("x", "198.51.100.7")
		e.nat.route("0.0.0.0/0", e.igw)
		e.dies(x, e.gateway.PublicIP(), trace.NoSession, "nat")
		_, err := x.Dial(port(e.gateway.PublicIP(), 443))
		require.ErrorIs(t, err, host.ErrTimeout)
		c, err := x.ListenUDP(port(x.addr, 0))
		e.must(err)
		_, err = c.Send(port(e.gateway.PublicIP(), 53), []byte("?"))
		e.must(err)
		e.settle()
		require.Empty(t, c.Errors())
	})
	t.Run("C014 a public NAT gateway shows its private address inside the VPC", func(t *testing.T) {
		e := newEastwest(t, natgw.Config{})
		require.Equal(t, []string{"10.0.2.149", "10.0.1.55"}, hops(e.traceroute()))
		require.NotEmpty(t, e.atB.in())
		for _, p := range e.atB.in() {
			require.Equal(t, e.gateway.PrivateIP(), p.Flow.Src.Netip())
		}
		for _, w := range e.take() {
			require.NotContains(t, nodes(w), "igw outbound")
		}
	})
}

func TestRoutesThroughNATGateway(t *testing.T) {
	t.Run("C015 the special row is used once, everything else goes by local", func(t *testing.T) {
		e := newEastwest(t, private())
		walks := e.reaches(e.a, e.b.addr)
		require.Len(t, walks, 2)
		require.Equal(t, []string{"src table: 10.0.1.0/24 -> nat", "nat table: 10.0.0.0/16 -> local"}, routed(walks[0]))
		require.Equal(t, []string{"dst table: 10.0.0.0/16 -> local", "nat table: 10.0.0.0/16 -> local"}, routed(walks[1]))
	})
	t.Run("C016 without the row there is one hop, and the TTL arrives whole", func(t *testing.T) {
		e := newEastwest(t, private())
		e.must(e.src.table.DeleteRoute("10.0.1.0/24"))
		require.Equal(t, []string{"10.0.1.55"}, hops(e.traceroute()))
		e.Run(time.Minute)
		require.EqualValues(t, 255, e.a.Ping(e.b.addr, host.PingConfig{}).Replies[0].TTL)
	})
	t.Run("C017 what the destination begins dies on its way back, at the NAT gateway", func(t *testing.T) {
		e := newEastwest(t, private())
		walks := e.dies(e.b, e.a.addr, trace.NoSession, "nat")
		require.Len(t, walks, 2)
		require.Equal(t, trace.Delivered, walks[0].End(), "the request arrives by local")
		require.Equal(t, []string{"src table: 10.0.1.0/24 -> nat"}, routed(walks[1]))
	})
}
