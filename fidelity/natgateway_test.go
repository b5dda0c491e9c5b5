package fidelity_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// egress is a private subnet that reaches the internet through a NAT gateway in a
// public one.
type egress struct {
	*net
	public, private *subnet
	gateway         *natgw.NATGateway
	vm, server      *guest
	atVM            *tap
}

func newEgress(t *testing.T, c natgw.Config) *egress {
	t.Helper()
	n := newNet(t, "")
	f := &egress{net: n, public: n.subnet("public", "10.0.0.0/24"), private: n.subnet("private", "10.0.1.0/24")}
	f.gateway = f.public.natGateway(c)
	f.public.route("0.0.0.0/0", n.igw)
	f.private.route("0.0.0.0/0", f.gateway)
	f.vm = f.private.launch("vm", machine{addr: "10.0.1.10"})
	f.server = n.internet("server", "198.51.100.7")
	f.atVM = n.tap(f.vm.nic)
	return f
}

// header is of a packet from the vm to the server.
func (f *egress) header() wire.Header {
	return wire.Header{Src: wire.AddrFrom(f.vm.addr), Dst: wire.AddrFrom(f.server.addr), TTL: 64}
}

func (f *egress) counters() map[string]uint64 {
	c := f.gateway.Counters(f.Live(f.region))
	return map[string]uint64{
		"ErrorPortAllocation": c.ErrorPortAllocation, "IdleTimeoutCount": c.IdleTimeoutCount,
		"ActiveConnectionCount": c.ActiveConnectionCount, "PacketsDropCount": c.PacketsDropCount,
		"ConnectionAttemptCount": c.ConnectionAttemptCount, "ConnectionEstablishedCount": c.ConnectionEstablishedCount,
	}
}

func TestNATGateway(t *testing.T) {
	t.Run("C116 a connection idle for 350 s is reset to the inside, and the outside hears nothing", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		var far *host.Conn
		_, err := f.server.ListenTCP(port(f.server.addr, 80), func(c *host.Conn) { far = c })
		f.must(err)
		c, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		f.settle()
		require.EqualValues(t, 1, f.counters()["ActiveConnectionCount"])
		require.EqualValues(t, 1, f.counters()["ConnectionEstablishedCount"])

		f.Run(349 * time.Second) // the handshake was 3 s ago
		f.take()
		f.atVM.clear()
		_, err = c.Write([]byte("late"))
		f.must(err)
		f.settle()
		f.ends(f.take()[:1], trace.IdleSession, "nat")
		require.ErrorIs(t, c.Err(), host.ErrReset)
		rst := f.atVM.in()
		require.Len(t, rst, 1)
		require.True(t, rst[0].Flags.Has(wire.RST))
		require.False(t, rst[0].Flags.Has(wire.FIN))
		require.Equal(t, f.server.addr, rst[0].Flow.Src.Netip())
		require.Equal(t, host.Established, far.State(), "nobody told the far end")
		require.EqualValues(t, 1, f.counters()["IdleTimeoutCount"])
		require.EqualValues(t, 0, f.counters()["ActiveConnectionCount"])

		_, err = far.Write([]byte("anybody?"))
		f.must(err)
		f.settle()
		f.ends(f.take()[:1], trace.NoSession, "nat")
	})
	t.Run("C116 one idle for less goes on", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		f.Run(349 * time.Second)
		require.Equal(t, "OK", f.ask(c, "ok"))
	})
	t.Run("C117 a fragmented UDP datagram passes", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		server, err := f.server.ListenUDP(port(f.server.addr, 53))
		f.must(err)
		f.must(f.vm.NIC("eth0").SetMTU(1500))
		c, err := f.vm.ListenUDP(port(f.vm.addr, 0))
		f.must(err)
		_, err = c.Send(port(f.server.addr, 53), make([]byte, 4000))
		f.must(err)
		d, ok := server.Read(time.Second)
		require.True(t, ok)
		require.Len(t, d.Payload, 4000)
		require.Equal(t, f.gateway.PublicIP(), d.Src.Addr())
		require.Len(t, f.atVM.out(), 3)
	})
	t.Run("C117 a fragmented ping dies, as do fragments of TCP", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		r := f.vm.Ping(f.server.addr, host.PingConfig{Size: 10000})
		require.Zero(t, r.Received)
		for _, w := range f.take() {
			require.Equal(t, trace.FragmentNotSupported, w.End(), w.String())
			require.Equal(t, "nat", w.Where)
		}
		h := f.header()
		h.MF, h.Proto = true, wire.ProtoTCP
		segment := wire.AppendTCP(nil, f.header(), wire.Segment{SrcPort: 5000, DstPort: 80, Flags: wire.SYN}, make([]byte, 4))
		f.send(f.vm, wire.AppendIP(nil, h, wire.IPv4(segment).Payload()))
		f.ends(f.take(), trace.FragmentNotSupported, "nat")
	})
	t.Run("C121 a private NAT gateway's packets die at the internet gateway", func(t *testing.T) {
		f := newEgress(t, natgw.Config{Private: true})
		walks := f.dies(f.vm, f.server.addr, trace.NoPublicAddress, "igw outbound")
		require.Equal(t, f.gateway.PrivateIP(), walks[0].Last.Src.Netip())
	})
	t.Run("C122 GRE and ESP are not translated", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		for _, proto := range []wire.Proto{47, 50} {
			h := f.header()
			h.Proto = proto
			f.send(f.vm, wire.AppendIP(nil, h, make([]byte, 20)))
			f.ends(f.take(), trace.ProtocolNotSupported, "nat")
			require.Equal(t, "PROTOCOL_RESTRICTION", f.lastEnd().Code())
		}
	})
	t.Run("C123 a packet over 8,500 bytes that must not be fragmented is answered with the MTU", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		r := f.vm.Ping(f.server.addr, host.PingConfig{Size: 8800 - 28, DontFragment: true})
		require.Zero(t, r.Received)
		f.ends(f.take()[:1], trace.TooBig, "nat")
		require.Len(t, r.Errors, 1)
		require.Equal(t, [2]uint8{wire.ICMPUnreachable, wire.FragNeeded}, [2]uint8{r.Errors[0].Type, r.Errors[0].Code})
		require.Equal(t, 8500, r.Errors[0].MTU)
		require.Equal(t, f.gateway.PrivateIP(), r.Errors[0].From)
	})
	t.Run("time exceeded comes from the private address, and the internet gateway is a silent hop", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		r := f.vm.Traceroute(f.server.addr, host.TracerouteConfig{Numeric: true, Queries: 1})
		require.Equal(t, []string{f.gateway.PrivateIP().String(), netip.Addr{}.String(), "198.51.100.7"}, hops(r))
	})
	t.Run("each way takes one from the TTL", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		walks := f.reaches(f.vm, f.server.addr)
		require.EqualValues(t, 255-2, ttl(walks[0]), "NAT gateway and internet gateway (measured: 253)")
		require.EqualValues(t, 64-1, f.atVM.in()[0].TTL())
	})
	t.Run("flows by a NAT gateway are always tracked", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		f.server.serve(f.net, 80)
		c, err := f.vm.Dial(port(f.server.addr, 80))
		f.must(err)
		f.must(f.open.RevokeIngress(f.open.Ingress()...))
		require.Equal(t, "OK", f.ask(c, "ok"))
	})
	t.Run("C073 a route to a deleted NAT gateway is a black hole", func(t *testing.T) {
		f := newEgress(t, natgw.Config{})
		f.must(f.gateway.Delete())
		f.dies(f.vm, f.server.addr, trace.Blackhole, "private router")
		require.Equal(t, "BAD_STATE_ROUTE", f.lastEnd().Code())
	})
}

// flood sends datagrams from the vm without keeping walks and counts how they end.
type flood struct {
	*egress
	ends map[trace.Reason]int
}

func newFlood(t *testing.T, c natgw.Config) *flood {
	t.Helper()
	f := &flood{egress: newEgress(t, c), ends: map[trace.Reason]int{}}
	f.Engine.Log = nil
	f.Engine.Ended = func(end trace.Reason, _ string, _ wire.Flow) { f.ends[end]++ }
	return f
}

// send sends a packet from the vm's interface.
func (f *flood) send(ip []byte) {
	nic := f.Live(f.region).Interface(f.vm.nic)
	frame := make([]byte, wire.EthernetLen, wire.EthernetLen+len(ip))
	wire.PutEthernet(frame, nic.Segment.Router, nic.MAC, wire.EtherTypeIPv4)
	nic.Port.Send(append(frame, ip...))
}

// flows sends a datagram of each of the flows from first to last, by their number.
func (f *flood) flows(first, last int, dst uint16) {
	for i := first; i <= last; i++ {
		f.send(wire.AppendUDP(nil, f.header(), uint16(i), dst, nil))
	}
}

func TestNATGatewayPorts(t *testing.T) {
	const limit = 55_000
	t.Run("C118 the 55,001st flow to one destination fails, another port or protocol does not", func(t *testing.T) {
		f := newFlood(t, natgw.Config{})
		f.flows(1, limit, 53)
		require.Zero(t, f.ends[trace.NoPort])
		require.Zero(t, f.counters()["ErrorPortAllocation"])
		f.flows(limit+1, limit+1, 53)
		require.Equal(t, 1, f.ends[trace.NoPort])
		require.EqualValues(t, 1, f.counters()["ErrorPortAllocation"])
		f.flows(limit+1, limit+1, 54)
		f.send(wire.AppendTCP(nil, f.header(), wire.Segment{SrcPort: 5000, DstPort: 53, Flags: wire.SYN}, nil))
		require.Equal(t, 1, f.ends[trace.NoPort])
		f.Run(351 * time.Second)
		f.flows(limit+1, limit+1, 53)
		require.Equal(t, 1, f.ends[trace.NoPort], "idle flows give their ports back")
	})
	t.Run("C118 with a second address there is room again", func(t *testing.T) {
		f := newFlood(t, natgw.Config{})
		f.flows(1, limit+1, 53)
		require.Equal(t, 1, f.ends[trace.NoPort])
		e, err := f.region.AllocateAddress(vpc.AddressConfig{})
		f.must(err, f.gateway.AssociateAddress(e, netip.Addr{}))
		f.flows(limit+1, limit+1000, 53)
		require.Equal(t, 1, f.ends[trace.NoPort])
	})
}
