package vpcsim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
	"github.com/vpcsim/vpcsim/world"
)

// path is the benchmarked network: a private host behind a NAT gateway behind an
// internet gateway, a server on the internet; security groups and ACLs are on.
type path struct {
	world  *world.World
	live   *vpc.Live
	host   dataplane.Node // the host's interface, out
	back   dataplane.Node // where answers from the internet enter
	sent   sink           // what the server got
	got    sink           // what the host got
	public wire.Addr      // the NAT gateway's

	instance *vpc.NetworkInterface
	nat      *natgw.NATGateway
}

// sink is a guest that counts, checks and keeps the last packet's flow.
type sink struct {
	n     int
	bad   int
	check bool
	flow  wire.Flow
}

// Receive takes a packet.
func (s *sink) Receive(p *wire.Packet) trace.Reason {
	s.n++
	s.flow = p.Flow
	if s.check && p.VerifyChecksum() != nil {
		s.bad++
	}
	return trace.Delivered
}

// Frame takes a frame.
func (s *sink) Frame(frame []byte) trace.Reason {
	var p wire.Packet
	if err := p.Read(wire.Ethernet(frame).Payload()); err != nil {
		s.bad++
		return trace.Malformed
	}
	return s.Receive(&p)
}

var hostAddr = wire.MustParseAddr("10.0.1.10")

// servers are how many there are, and flowsToOne how many flows go to each, the first
// ones first: fewer than a NAT gateway has ports.
const (
	servers    = 250
	flowsToOne = 50_000
)

// server returns the server of the i-th flow.
func server(i int) wire.Addr { return wire.AddrFromV4(0xc6336401 + uint32(i/flowsToOne%servers)) }

// newPath builds the network where packets take hardly any time: simulated time moves
// with every delivery, and flows must not idle out before they are used again.
func newPath(t testing.TB) *path { return newPathOf(t, 1) }

// newChurn builds the network where every packet takes so long that of flows of one
// packet each so many live, and the oldest idles out as the next begins.
func newChurn(t testing.TB, live int) *path {
	return newPathOf(t, nat.DefaultIdle/time.Duration(live))
}

func newPathOf(t testing.TB, latency time.Duration) *path {
	t.Helper()
	w := world.New(world.Config{Seed: 1, InternetLatency: latency})
	r := w.Region(vpc.RegionConfig{Latency: vpc.Latency{SameZone: 1, CrossZone: 1}})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	g, err := igw.Create(r, igw.Config{})
	require.NoError(t, err)
	require.NoError(t, g.Attach(v))
	public, publicTable := benchSubnet(t, v, "10.0.0.0/24")
	private, privateTable := benchSubnet(t, v, "10.0.1.0/24")
	n, err := natgw.Create(public, natgw.Config{})
	require.NoError(t, err)
	require.NoError(t, publicTable.CreateRoute("0.0.0.0/0", g))
	require.NoError(t, privateTable.CreateRoute("0.0.0.0/0", n))
	i, err := private.RunInstance(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{PrivateIP: hostAddr.Netip()}})
	require.NoError(t, err)

	p := &path{world: w, live: w.Live(r), nat: n, public: wire.AddrFrom(n.PublicIP())}
	var addrs []wire.Addr
	for i := range servers {
		addrs = append(addrs, server(i*flowsToOne))
	}
	station, ok := w.Internet.Join(addrs...)
	require.True(t, ok)
	station.Plug(&p.sent)
	p.instance = i.Interface()
	p.live.Port(p.instance).Plug(&p.got)
	p.host = p.live.Interface(p.instance).Out()
	p.back = p.live.Snapshot().Public(p.public)
	return p
}

func benchSubnet(t testing.TB, v *vpc.VPC, cidr string) (*vpc.Subnet, *vpc.RouteTable) {
	t.Helper()
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{})
	require.NoError(t, err)
	table, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	require.NoError(t, err)
	require.NoError(t, table.Associate(s))
	return s, table
}

// packetLen is the length of the packets that are timed.
const packetLen = 64

// request appends a 64-byte UDP packet of the i-th flow.
func request(b []byte, i int) []byte {
	h := wire.Header{Src: hostAddr, Dst: server(i), TTL: 64}
	return wire.AppendUDP(b, h, uint16(1024+i%flowsToOne), uint16(53+i/flowsToOne/servers), payload[:])
}

// portsOfHost is how many flows there are to one server before they come again.
const portsOfHost = 60_000

// requestToOne is request for the i-th flow of those to one server, more than it gets
// from a NAT gateway at once.
func requestToOne(b []byte, i int) []byte {
	h := wire.Header{Src: hostAddr, Dst: server(0), TTL: 64}
	return wire.AppendUDP(b, h, uint16(1024+i%portsOfHost), 53, payload[:])
}

var payload [packetLen - wire.IPv4Len - wire.UDPLen]byte

// answer appends the answer to the packet that the server saw last.
func (p *path) answer(b []byte) []byte {
	f := p.sent.flow
	return wire.AppendUDP(b, wire.Header{Src: f.Dst, Dst: f.Src, TTL: 64}, f.DstPort, f.SrcPort, payload[:])
}

// send walks a packet out and lets it arrive.
func (p *path) send(t testing.TB, ip []byte) { p.walk(t, p.host, ip) }

// respond walks an answer back and lets it arrive.
func (p *path) respond(t testing.TB, ip []byte) { p.walk(t, p.back, ip) }

// sendBatch walks as many packets out as batch has room for, the i-th and those behind
// it, and lets them arrive.
func (p *path) sendBatch(t testing.TB, packets row, i int, batch [][]byte, ends []trace.Reason) {
	for k := range batch {
		batch[k] = packets.at(i + k)
	}
	p.world.Engine.SendBatch(p.host, batch, ends)
	for _, end := range ends {
		if end != trace.Delivered {
			t.Fatalf("ended as: %s", end)
		}
		p.world.Clock.Step()
	}
}

func (p *path) walk(t testing.TB, at dataplane.Node, ip []byte) {
	if end := p.world.Engine.Send(at, ip); end != trace.Delivered {
		t.Fatalf("ended as: %s", end)
	}
	p.world.Clock.Step()
}

// row is packets of one length, in memory one behind the other, as a network card
// leaves them.
type row []byte

func (r row) at(i int) []byte {
	i = i % (len(r) / packetLen) * packetLen
	return r[i : i+packetLen]
}

// open sends the first packet of n flows and has each answered, and returns all requests
// and their answers in a random order: of flows that are known both ways.
func (p *path) open(t testing.TB, n int) (requests, answers row) {
	t.Helper()
	order := rand.New(rand.NewPCG(1, uint64(n))).Perm(n)
	requests, answers = make(row, n*packetLen), make(row, n*packetLen)
	for i, at := range order {
		ip := requests.at(at)
		request(ip[:0], i)
		p.send(t, ip)
		p.answer(answers.at(at)[:0])
	}
	for i := range n {
		p.send(t, requests.at(i))
		p.respond(t, answers.at(i))
	}
	return requests, answers
}

func TestWhatTheBenchmarksSendArrivesWithRightChecksums(t *testing.T) {
	p := newPath(t)
	p.sent.check, p.got.check = true, true
	requests, answers := p.open(t, 500)
	for i := range 500 {
		p.send(t, requests.at(i))
		require.Equal(t, p.public, p.sent.flow.Src)
		p.respond(t, answers.at(i))
		require.Equal(t, hostAddr, p.got.flow.Dst)
	}
	require.Equal(t, 1500, p.sent.n)
	require.Equal(t, 1000, p.got.n)
	require.Zero(t, p.sent.bad+p.got.bad)
}

func TestChurnKeepsAsManyFlowsLiveAsItSays(t *testing.T) {
	p := newChurn(t, 1000)
	p.sent.check = true
	var buf [packetLen]byte
	for i := range 5000 {
		p.send(t, request(buf[:0], i))
	}
	sessions := 0
	for range p.sessions().All(p.world.Clock.Now()) {
		sessions++
	}
	require.Equal(t, 999, sessions, "the oldest idled out as the last packet arrived")
	require.Equal(t, 5000, p.sent.n)
	require.Zero(t, p.sent.bad)
}

// sessions returns the NAT gateway's table.
func (p *path) sessions() *nat.Table {
	return vpc.StateOf[nat.Masquerade](p.live, p.nat.ID(), "sessions").Sessions()
}

// timed calls f with 0, 1, 2 … and reports, beside the mean, what a call takes in the
// hundredth part of all rows of 448 calls that took least, "ns/least": where other
// programs take turns on the machine, the rows that they left alone.
func timed(b *testing.B, f func(i int)) {
	const row = 448 // seven batches
	took := make([]float64, 0, 1<<16)
	b.ReportAllocs()
	start := time.Now()
	for i := 0; b.Loop(); {
		f(i)
		if i++; i%row == 0 {
			now := time.Now()
			if len(took) < cap(took) {
				took = append(took, float64(now.Sub(start).Nanoseconds())/row)
			}
			start = now
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		b.ReportMetric(took[len(took)/100], "ns/least")
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1, 50_000, 1_000_000} {
		b.Run(fmt.Sprintf("established/flows=%d", n), func(b *testing.B) {
			p := newPath(b)
			requests, _ := p.open(b, n)
			timed(b, func(i int) { p.send(b, requests.at(i)) })
		})
		b.Run(fmt.Sprintf("return/flows=%d", n), func(b *testing.B) {
			p := newPath(b)
			_, answers := p.open(b, n)
			timed(b, func(i int) { p.respond(b, answers.at(i)) })
		})
	}
	for _, n := range []int{1, 50_000, 1_000_000} {
		b.Run(fmt.Sprintf("batch/flows=%d", n), func(b *testing.B) {
			p := newPath(b)
			requests, _ := p.open(b, n)
			batch, ends := make([][]byte, 64), make([]trace.Reason, 64)
			timed(b, func(i int) {
				if i%len(batch) == 0 { // figures are for a packet
					p.sendBatch(b, requests, i, batch, ends)
				}
			})
		})
	}
	b.Run("established/traced", func(b *testing.B) {
		p := newPath(b)
		requests, _ := p.open(b, 1)
		p.world.Trace().Limit = 2
		timed(b, func(int) { p.send(b, requests.at(0)) })
	})
}

// BenchmarkNew is a flow's first packet, while the oldest flow idles out: flows to all
// servers, and flows to one that are so many that its ports are used up but for one.
func BenchmarkNew(b *testing.B) {
	for _, c := range []struct {
		name  string
		live  int
		flows int // how many there are before they come again
		make  func(b []byte, i int) []byte
	}{
		{"live=50000", 50_000, 1_000_000, request},
		{"destinations=1/ports=1000", 1000, portsOfHost, requestToOne},
		{"destinations=1/ports=54999", 54_999, portsOfHost, requestToOne},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newChurn(b, c.live)
			requests := make(row, 0, packetLen*c.flows)
			for i := range c.flows {
				requests = c.make(requests, i)
			}
			n := 0
			for ; n < 3*c.live; n++ {
				p.send(b, requests.at(n))
			}
			timed(b, func(i int) { p.send(b, requests.at(n+i)) })
		})
	}
}

// BenchmarkDrop is packets that do not arrive, each for another reason.
func BenchmarkDrop(b *testing.B) {
	for _, d := range drops {
		b.Run(strings.ReplaceAll(d.end.String(), " ", "-"), func(b *testing.B) {
			p := newPath(b)
			at, ip := d.packet(b, p)
			timed(b, func(int) {
				if end := p.world.Engine.Send(at, ip); end != d.end {
					b.Fatalf("ended as: %s", end)
				}
			})
		})
	}
}

// drops are packets and what they end as.
var drops = []struct {
	end    trace.Reason
	packet func(t testing.TB, p *path) (at dataplane.Node, ip []byte)
}{
	{trace.SourceCheck, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		return p.host, udp(wire.MustParseAddr("10.0.1.99"), server(0), 1, 2)
	}},
	{trace.NoSuchAddress, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		return p.host, udp(hostAddr, wire.MustParseAddr("10.0.0.200"), 1, 2)
	}},
	{trace.NoSession, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		p.open(t, 1)
		return p.back, udp(server(0), p.public, 1, 2)
	}},
	{trace.NoPrivateAddress, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		return p.back, udp(server(0), wire.MustParseAddr("203.0.113.200"), 1, 2)
	}},
	{trace.GroupIngress, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		return p.live.Interface(p.instance).In(), udp(wire.MustParseAddr("10.0.0.77"), hostAddr, 1, 2)
	}},
	{trace.NoPort, func(t testing.TB, p *path) (dataplane.Node, []byte) {
		p.fillPorts(t)
		return p.host, requestToOne(nil, nat.DefaultFlowsPerDestination)
	}},
}

// fillPorts opens as many flows to one server as a NAT gateway has.
func (p *path) fillPorts(t testing.TB) {
	var buf [packetLen]byte
	for i := range nat.DefaultFlowsPerDestination {
		p.send(t, requestToOne(buf[:0], i))
	}
}

func udp(src, dst wire.Addr, srcPort, dstPort uint16) []byte {
	return wire.AppendUDP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, srcPort, dstPort, payload[:])
}
