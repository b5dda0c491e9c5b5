package fidelity_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// public is a VPC with two public hosts and a private one, and a host on the
// internet, all of both families.
type public struct {
	*net
	s, private *subnet
	a, b, x    *guest
	atA        *tap
}

func newPublic(t *testing.T) *public {
	t.Helper()
	n := newNet(t, vpc6)
	f := &public{net: n, s: n.subnet("public", "10.0.0.0/24"), private: n.subnet("private", "10.0.1.0/24")}
	f.s.route("0.0.0.0/0", n.igw).route("::/0", n.igw)
	f.a = f.s.launch("a", machine{addr: "10.0.0.10", addr6: "2001:db8:0:1a00::10", public: "203.0.113.10"})
	f.b = f.s.launch("b", machine{addr: "10.0.0.20", addr6: "2001:db8:0:1a00::20", public: "203.0.113.20"})
	f.x = n.internet("x", "198.51.100.7", "2001:db8:f::7")
	f.atA = n.tap(f.a.nic)
	return f
}

func TestInternetGateway(t *testing.T) {
	t.Run("C129 the source becomes the public address, the reply's destination the private one, ports stay", func(t *testing.T) {
		f := newPublic(t)
		server, err := f.x.ListenUDP(port(f.x.addr, 53))
		f.must(err)
		c, err := f.a.ListenUDP(port(f.a.addr, 500))
		f.must(err)
		_, err = c.Send(port(f.x.addr, 53), []byte("?"))
		f.must(err)
		d, ok := server.Read(time.Second)
		require.True(t, ok)
		require.Equal(t, port(f.a.public, 500), d.Src)
		require.EqualValues(t, 255-1, d.TTL)
		_, err = server.Send(d.Src, []byte("!"))
		f.must(err)
		d, ok = c.Read(time.Second)
		require.True(t, ok)
		require.Equal(t, port(f.x.addr, 53), d.Src)
		require.Equal(t, port(f.a.addr, 500), d.Dst)
		require.EqualValues(t, 64, d.TTL, "inbound the TTL is left alone")
	})
	t.Run("C129 any protocol passes, and so do fragments", func(t *testing.T) {
		f := newPublic(t)
		h := wire.Header{Src: wire.AddrFrom(f.a.addr), Dst: wire.AddrFrom(f.x.addr), TTL: 64, Proto: 47}
		f.send(f.a, wire.AppendIP(nil, h, make([]byte, 20)))
		require.Equal(t, f.a.public, f.take()[0].Last.Src.Netip())
		r := f.a.Ping(f.x.addr, host.PingConfig{Size: 20000})
		require.Equal(t, 1, r.Received)
	})
	t.Run("C130 RFC 1918 and RFC 6598 destinations do not leave", func(t *testing.T) {
		f := newPublic(t)
		for dst, code := range map[string]string{
			"10.200.0.1":  "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
			"172.31.0.1":  "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
			"192.168.0.1": "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
			"100.64.1.1":  "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS",
		} {
			_, walks := f.ping(f.a, addr(dst))
			require.Equal(t, code, walks[0].End().Code())
			require.Equal(t, "igw outbound", walks[0].Where)
		}
		f.dies(f.a, addr("172.32.0.1"), trace.NoSuchHost, "internet")
	})
	t.Run("such sources do not get in", func(t *testing.T) {
		f := newPublic(t)
		f.dies(f.internet("y", "192.168.7.7"), f.a.public, trace.PrivateSource, "igw inbound")
		f.dies(f.internet("z", "100.64.7.7"), f.a.public, trace.SharedSource, "igw inbound")
	})
	t.Run("C131 an Elastic IP address that nobody has leads nowhere", func(t *testing.T) {
		f := newPublic(t)
		e, err := f.region.AllocateAddress(vpc.AddressConfig{})
		f.must(err)
		walks := f.dies(f.x, e.PublicIP(), trace.NoPrivateAddress, "ap-northeast-3 border")
		require.Equal(t, "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", walks[0].End().Code())
		f.must(e.Associate(f.a.nic)) // in place of its other address
		f.reaches(f.x, e.PublicIP())
		f.dies(f.x, f.a.public, trace.NoPrivateAddress, "ap-northeast-3 border")
	})
	t.Run("C135 a source that no interface has is refused, even with the check off", func(t *testing.T) {
		f := newPublic(t)
		f.must(f.a.nic.SetSourceDestCheck(false))
		for _, src := range []string{"10.0.0.99", "10.0.200.1", "192.0.2.1", "203.0.113.20"} {
			f.send(f.a, echo(addr(src), f.x.addr, 1, 1))
			f.ends(f.take(), trace.SpoofedSource, "igw outbound")
		}
		f.send(f.a, echo(addr("2001:db8:0:1a00::99"), f.x.addr6, 1, 1))
		f.ends(f.take(), trace.SpoofedSource, "igw outbound")
		require.Equal(t, "GATEWAY_REJECTS_SPOOFED_TRAFFIC", f.lastEnd().Code())
	})
	t.Run("two instances meet by their public addresses: both addresses are translated, one hop each way", func(t *testing.T) {
		f := newPublic(t)
		f.must(f.a.nic.SetGroups(f.group("a", vpc.AllTraffic("203.0.113.20/32"))))
		walks := f.reaches(f.b, f.a.public)
		require.Equal(t, f.b.public, walks[0].Last.Src.Netip())
		require.Equal(t, f.a.addr, walks[0].Last.Dst.Netip())
		require.EqualValues(t, 254, ttl(walks[0]), "measured: 254 to a public address of the same region")
		require.EqualValues(t, 254, ttl(walks[1]))
	})
	t.Run("a packet whose TTL ends at the gateway dies in silence", func(t *testing.T) {
		f := newPublic(t)
		r := f.a.Ping(f.x.addr, host.PingConfig{TTL: 1})
		require.Zero(t, r.Received)
		require.Empty(t, r.Errors)
		require.Equal(t, trace.TTLExpired, f.take()[0].End())
	})
}

func TestInternetGatewayMTU(t *testing.T) {
	t.Run("a packet over 1,500 bytes that must not be fragmented is answered with the MTU, by the router", func(t *testing.T) {
		f := newPublic(t)
		for dst, router := range map[netip.Addr]string{f.x.addr: "10.0.0.1", f.x.addr6: "2001:db8:0:1a00::1"} {
			r := f.a.Ping(dst, host.PingConfig{Size: 3000, DontFragment: true})
			require.Zero(t, r.Received)
			require.Len(t, r.Errors, 1)
			require.Equal(t, 1500, r.Errors[0].MTU)
			require.Equal(t, router, r.Errors[0].From.String())
			require.Equal(t, trace.TooBig, f.take()[0].End())
		}
	})
	t.Run("so a host learns the path's MTU, and its next ping gets through in fragments", func(t *testing.T) {
		f := newPublic(t)
		r := f.a.Ping(f.x.addr, host.PingConfig{Size: 3000, Count: 3})
		require.Equal(t, 2, r.Received)
		require.Len(t, r.Errors, 1)
		f.b.Ping(f.x.addr6, host.PingConfig{Size: 3000})
		require.Equal(t, 1, f.b.Ping(f.x.addr6, host.PingConfig{Size: 3000}).Received)
	})
	t.Run("one that may be is cut by the gateway", func(t *testing.T) {
		f := newPublic(t)
		server, err := f.x.ListenUDP(port(f.x.addr, 53))
		f.must(err)
		h := wire.Header{Src: wire.AddrFrom(f.a.addr), Dst: wire.AddrFrom(f.x.addr), TTL: 64, ID: 77}
		f.send(f.a, wire.AppendUDP(nil, h, 5000, 53, make([]byte, 4000)))
		walks := f.take()
		require.Len(t, walks, 1+3)
		require.Equal(t, trace.Fragmented, walks[0].End())
		for _, w := range walks[1:] {
			require.Equal(t, walks[0].ID, w.Cause)
			require.LessOrEqual(t, w.Size, 1500)
			require.Equal(t, f.a.public, w.Last.Src.Netip())
		}
		d, ok := server.Read(0)
		require.True(t, ok)
		require.Len(t, d.Payload, 4000)
		require.EqualValues(t, 63, d.TTL)
	})
	t.Run("the error finds its way back through a NAT gateway", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		r := f.vm.Ping(f.server.addr, host.PingConfig{Size: 3000, DontFragment: true})
		require.Len(t, r.Errors, 1)
		require.Equal(t, 1500, r.Errors[0].MTU)
		require.Equal(t, f.vm.addr, r.Errors[0].Flow.Src.Netip())
	})
	t.Run("an egress-only gateway has the same MTU", func(t *testing.T) {
		f := newPublic(t)
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		f.must(err)
		f.private.route("::/0", g)
		vm := f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"})
		r := vm.Ping(f.x.addr6, host.PingConfig{Size: 3000, DontFragment: true})
		require.Len(t, r.Errors, 1)
		require.Equal(t, 1500, r.Errors[0].MTU)
	})
	t.Run("inside the VPC 9,001 bytes pass", func(t *testing.T) {
		f := newPublic(t)
		c := f.private.launch("c", machine{addr6: "2001:db8:0:1a01::30"})
		require.Equal(t, 1, f.a.Ping(c.addr, host.PingConfig{Size: 9001 - 28, DontFragment: true}).Received)
		require.Equal(t, 1, f.a.Ping(c.addr6, host.PingConfig{Size: 9001 - 48, DontFragment: true}).Received)
	})
	t.Run("a TCP connection carries more than a segment either way", func(t *testing.T) {
		f := newPublic(t)
		f.x.serve(f.net, 80)
		c, err := f.a.Dial(port(f.x.addr, 80))
		f.must(err)
		word := strings.Repeat("a", 30000)
		require.Equal(t, strings.ToUpper(word), f.ask(c, word))
	})
}

func TestInternetGatewayIPv6(t *testing.T) {
	t.Run("IPv6 passes untranslated, both ways", func(t *testing.T) {
		f := newPublic(t)
		walks := f.reaches(f.a, f.x.addr6)
		require.Equal(t, f.a.addr6, walks[0].Last.Src.Netip())
		require.EqualValues(t, 64-1, ttl(walks[0]))
		walks = f.reaches(f.x, f.a.addr6)
		require.Equal(t, f.a.addr6, walks[0].Last.Dst.Netip())
	})
	t.Run("without a route for IPv6 nothing leaves", func(t *testing.T) {
		f := newPublic(t)
		f.must(f.s.table.DeleteRoute("::/0"))
		f.dies(f.a, f.x.addr6, trace.NoRoute, "public router")
	})
	t.Run("an address of the VPC that no interface has is not delivered to", func(t *testing.T) {
		f := newPublic(t)
		f.dies(f.x, addr("2001:db8:0:1a00::99"), trace.NoPrivateAddress, "igw inbound")
	})
	t.Run("neighbours find each other, and the router, by neighbour discovery", func(t *testing.T) {
		f := newPublic(t)
		walks := f.reaches(f.a, f.b.addr6)
		require.Contains(t, nodes(walks[0]), "public router")
		require.Empty(t, routed(walks...))
		c := f.private.launch("c", machine{addr6: "2001:db8:0:1a01::30"})
		walks = f.reaches(f.a, c.addr6)
		require.Equal(t, []string{"public table: 2001:db8:0:1a00::/56 -> local", "private table: 2001:db8:0:1a00::/56 -> local"}, routed(walks...))
	})
}

func TestEgressOnlyGateway(t *testing.T) {
	// build adds an egress-only gateway and a private host that leaves by it.
	build := func(t *testing.T) (*public, *guest) {
		f := newPublic(t)
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		f.must(err)
		f.private.route("::/0", g)
		return f, f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"})
	}
	t.Run("C134 what begins inside gets out and is answered", func(t *testing.T) {
		f, vm := build(t)
		walks := f.reaches(vm, f.x.addr6)
		require.Equal(t, []string{"eigw outbound"}, only(nodes(walks[0]), "eigw outbound", "igw outbound"))
		require.Equal(t, vm.addr6, walks[0].Last.Src.Netip(), "untranslated")
		require.Contains(t, nodes(walks[1]), "eigw inbound")
		f.x.serve(f.net, 80)
		c, err := vm.Dial(port(f.x.addr6, 80))
		f.must(err)
		require.Equal(t, "OK", f.ask(c, "ok"))
	})
	t.Run("C134 what begins outside does not get in", func(t *testing.T) {
		f, vm := build(t)
		f.dies(f.x, vm.addr6, trace.EgressOnly, "eigw inbound")
		f.reaches(vm, f.x.addr6)
		c, err := f.x.ListenUDP(port(f.x.addr6, 0))
		f.must(err)
		_, err = c.Send(port(vm.addr6, 53), []byte("?"))
		f.must(err)
		f.settle()
		f.ends(f.take(), trace.EgressOnly, "eigw inbound")
	})
	t.Run("C134 the public subnet beside it is open as before", func(t *testing.T) {
		f, _ := build(t)
		f.reaches(f.x, f.a.addr6)
	})
	t.Run("C134 without an internet gateway too", func(t *testing.T) {
		f, vm := build(t)
		f.must(f.s.table.DeleteRoute("0.0.0.0/0"), f.s.table.DeleteRoute("::/0"))
		for _, e := range []*guest{f.a, f.b} {
			f.must(e.nic.PrivateAddresses()[0].Address.Disassociate())
		}
		f.must(f.igw.Detach(f.vpc))
		f.reaches(vm, f.x.addr6)
		f.dies(f.x, vm.addr6, trace.EgressOnly, "eigw inbound")
		f.dies(f.x, f.a.addr6, trace.EgressOnly, "eigw inbound")
	})
	t.Run("C134 a forgotten flow is closed again", func(t *testing.T) {
		f, vm := build(t)
		f.x.serve(f.net, 80)
		f.reaches(vm, f.x.addr6)
		f.Run(31 * time.Second)
		f.send(f.x, wire.AppendICMP(nil, wire.Header{Src: wire.AddrFrom(f.x.addr6), Dst: wire.AddrFrom(vm.addr6), TTL: 64}, wire.ICMPv6EchoReply, 0, 1<<16|1, nil))
		f.ends(f.take(), trace.EgressOnly, "eigw inbound")
	})
	t.Run("C134 a route to it takes IPv6 alone", func(t *testing.T) {
		f := newPublic(t)
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		f.must(err)
		require.ErrorContains(t, f.private.table.CreateRoute("0.0.0.0/0", g), "InvalidParameterValue: ")
		require.ErrorContains(t, f.private.table.CreateRoute("2001:db8:0:1a00::/64", g), "This route can target only an interface or an instance.")
	})
}

func TestAppliancesAtTheEdge(t *testing.T) {
	t.Run("C132 an appliance without a public address sees nothing of the internet", func(t *testing.T) {
		fw := appliance()
		fw.public = ""
		f := newIngress(t, fw).redirect()
		walks := f.dies(f.user, f.app.public, trace.ApplianceNotPublic, "igw edge")
		require.Equal(t, "INGRESS_RTB_NO_PUBLIC_IP", walks[0].End().Code())
		require.Equal(t, []string{"edge table: 10.0.1.0/24 -> fw"}, routed(walks[0]))
	})
	t.Run("C133 a redirected subnet's answer past the appliance is refused", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		f.must(f.appSubnet.table.ReplaceRoute("0.0.0.0/0", f.igw))
		walks := f.dies(f.user, f.app.public, trace.PastAppliance, "igw outbound")
		require.Len(t, walks, 3, "the request came by the appliance")
		require.Equal(t, "INGRESS_RTB_TRAFFIC_REDIRECTION", walks[2].End().Code())
		f.dies(f.app, f.user.addr, trace.PastAppliance, "igw outbound")
	})
	t.Run("C133 the appliance itself, and other subnets, are not meant", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		f.reaches(f.fw, f.user.addr)
		other := f.subnet("other", "10.0.3.0/24").route("0.0.0.0/0", f.igw)
		f.reaches(other.launch("o", machine{public: "203.0.113.40"}), f.user.addr)
	})
}
