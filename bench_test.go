package vpcsim_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/route"
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
	nat    *natgw.NATGateway
	public wire.Addr
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

var (
	hostAddr   = wire.MustParseAddr("10.0.1.10")
	serverAddr = wire.MustParseAddr("198.51.100.7")
)

func newPath(t testing.TB) *path {
	t.Helper()
	// Hardly any latency: simulated time moves with every delivery, and flows of 50,000
	// must not idle out before they are used again.
	w := world.New(world.Config{Seed: 1, InternetLatency: 1})
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
	station, ok := w.Internet.Join(serverAddr)
	require.True(t, ok)
	station.Plug(&p.sent)
	p.live.Port(i.Interface()).Plug(&p.got)
	p.host = p.live.Interface(i.Interface()).Out()
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

// request returns a 64-byte UDP packet of the i-th flow.
func request(i int) []byte {
	h := wire.Header{Src: hostAddr, Dst: serverAddr, TTL: 64}
	return wire.AppendUDP(nil, h, uint16(1024+i%50000), uint16(53+i/50000), make([]byte, 36))
}

// send walks a packet out and lets it arrive.
func (p *path) send(t testing.TB, ip []byte) {
	if end := p.world.Engine.Send(p.host, ip); end != trace.Delivered {
		t.Fatalf("sent: %s", end)
	}
	p.world.Clock.Step()
}

// answer walks the answer to the flow that the server saw.
func (p *path) answer(t testing.TB, ip []byte) {
	if end := p.world.Engine.Send(p.back, ip); end != trace.Delivered {
		t.Fatalf("answered: %s", end)
	}
	p.world.Clock.Step()
}

// open sends the first packet of n flows and returns all requests and their answers.
func (p *path) open(t testing.TB, n int) (requests, answers [][]byte) {
	t.Helper()
	for i := range n {
		requests = append(requests, request(i))
		p.send(t, requests[i])
		f := p.sent.flow
		h := wire.Header{Src: f.Dst, Dst: f.Src, TTL: 64}
		answers = append(answers, wire.AppendUDP(nil, h, f.DstPort, f.SrcPort, make([]byte, 36)))
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	rng.Shuffle(n, func(i, j int) {
		requests[i], requests[j] = requests[j], requests[i]
		answers[i], answers[j] = answers[j], answers[i]
	})
	return requests, answers
}

func TestWhatTheBenchmarksSendArrivesWithRightChecksums(t *testing.T) {
	p := newPath(t)
	p.sent.check, p.got.check = true, true
	requests, answers := p.open(t, 500)
	for i := range requests {
		p.send(t, requests[i])
		require.Equal(t, p.public, p.sent.flow.Src)
		p.answer(t, answers[i])
		require.Equal(t, hostAddr, p.got.flow.Dst)
	}
	require.Equal(t, 1000, p.sent.n)
	require.Equal(t, 500, p.got.n)
	require.Zero(t, p.sent.bad+p.got.bad)
}

func TestAnEstablishedFlowAllocatesNothing(t *testing.T) {
	p := newPath(t)
	requests, answers := p.open(t, 64)
	for _, way := range []struct {
		name string
		walk func(testing.TB, []byte)
		ip   [][]byte
		at   *sink
	}{{"out", p.send, requests, &p.sent}, {"back", p.answer, answers, &p.got}} {
		for _, ip := range way.ip {
			way.walk(t, ip)
		}
		before, i := way.at.n, 0
		allocs := testing.AllocsPerRun(200, func() {
			way.walk(t, way.ip[i%len(way.ip)])
			i++
		})
		require.Equal(t, before+201, way.at.n, "%s: every packet was delivered", way.name)
		require.Zero(t, allocs, way.name)
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1, 50000} {
		b.Run(fmt.Sprintf("established/flows=%d", n), func(b *testing.B) {
			p := newPath(b)
			requests, _ := p.open(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.send(b, requests[i%n])
			}
		})
		b.Run(fmt.Sprintf("return/flows=%d", n), func(b *testing.B) {
			p := newPath(b)
			_, answers := p.open(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.answer(b, answers[i%n])
			}
		})
	}
	b.Run("traced/flows=1", func(b *testing.B) {
		p := newPath(b)
		requests, _ := p.open(b, 1)
		log := p.world.Trace()
		b.ReportAllocs()
		for b.Loop() {
			log.Clear()
			p.send(b, requests[0])
		}
	})
	b.Run("dropped/group", func(b *testing.B) {
		p := newPath(b)
		stray := wire.AppendUDP(nil, wire.Header{Src: hostAddr, Dst: wire.MustParseAddr("10.0.1.10"), TTL: 64}, 1, 2, nil)
		b.ReportAllocs()
		for b.Loop() {
			p.world.Engine.Send(p.back, stray)
		}
	})
}

// BenchmarkLookup is longest-prefix match in tables of AWS's sizes.
func BenchmarkLookup(b *testing.B) {
	for _, family := range []int{4, 6} {
		for _, n := range []int{8, 50, 1000} {
			fib, hits, misses := randomFIB(family, n)
			for name, queries := range map[string][]netip.Addr{"hit": hits, "miss": misses} {
				b.Run(fmt.Sprintf("v%d/routes=%d/%s", family, n, name), func(b *testing.B) {
					found := 0
					for i := 0; b.Loop(); i++ {
						if _, ok := fib.Lookup(queries[i%len(queries)]); ok {
							found++
						}
					}
					if (found > 0) != (name == "hit") {
						b.Fatalf("%d found", found)
					}
				})
			}
		}
	}
}

func randomFIB(family, n int) (fib *route.FIB[int], hits, misses []netip.Addr) {
	rng := rand.New(rand.NewPCG(uint64(family), uint64(n)))
	var table route.Table[int]
	address := func(first byte) netip.Addr {
		var a [16]byte
		for i := range a {
			a[i] = byte(rng.Uint32())
		}
		a[0] = first
		if family == 4 {
			return netip.AddrFrom4([4]byte(a[:4]))
		}
		return netip.AddrFrom16(a)
	}
	for i := range n {
		a := address(10)
		bits := 16 + rng.IntN(13)
		if family == 6 {
			bits *= 2
		}
		p := netip.PrefixFrom(a, bits)
		table.Insert(p, i)
		hits = append(hits, a)
	}
	for range 1024 {
		hits = append(hits, hits[rng.IntN(n)])
		misses = append(misses, address(11))
	}
	return table.Compile(), hits[n:], misses
}

// BenchmarkNAT is the translation alone: a NAT gateway's table.
func BenchmarkNAT(b *testing.B) {
	newTable := func() *nat.Masquerade {
		m, err := nat.NewMasquerade(nat.Config{Addrs: []wire.Addr{wire.MustParseAddr("10.0.0.5")}, Seed: 1})
		require.NoError(b, err)
		return m
	}
	for _, n := range []int{1, 50000} {
		b.Run(fmt.Sprintf("established/flows=%d", n), func(b *testing.B) {
			m := newTable()
			packets := make([][]byte, n)
			var p wire.Packet
			buf := make([]byte, 64)
			for i := range packets {
				packets[i] = request(i)
				copy(buf, packets[i])
				require.NoError(b, p.Read(buf))
				require.Equal(b, nat.Translated, m.Out(&p, 0))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				copy(buf, packets[i%n])
				if p.Read(buf) != nil || m.Out(&p, 0) != nat.Translated {
					b.Fatal("not translated")
				}
			}
		})
	}
	b.Run("new", func(b *testing.B) {
		m := newTable()
		var p wire.Packet
		buf := make([]byte, 64)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			h := wire.Header{Src: hostAddr, Dst: wire.AddrFromV4(0xc6336400 + uint32(i/40000)), TTL: 64}
			buf = wire.AppendUDP(buf[:0], h, uint16(1024+i%40000), 53, nil)
			if p.Read(buf) != nil || m.Out(&p, 0) != nat.Translated {
				b.Fatal("not translated")
			}
		}
	})
}

// BenchmarkCompile is a change of a region until its first packet.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprintf("interfaces=%d", n), func(b *testing.B) {
			w := world.New(world.Config{Seed: 1})
			r := w.Region(vpc.RegionConfig{Unlimited: true})
			v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
			require.NoError(b, err)
			s, err := v.CreateSubnet("10.0.0.0/17", vpc.SubnetConfig{})
			require.NoError(b, err)
			for range n {
				_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
				require.NoError(b, err)
			}
			live := w.Live(r)
			live.Snapshot()
			b.ReportAllocs()
			for b.Loop() {
				v.Tag("touched", "again")
				live.Snapshot()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/interface")
		})
	}
}
