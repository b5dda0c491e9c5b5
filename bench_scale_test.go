package vpcsim_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
	"github.com/vpcsim/vpcsim/world"
)

// BenchmarkCores is worlds of their own side by side: ns/op is for a packet of each.
func BenchmarkCores(b *testing.B) {
	for cores := 1; cores <= min(runtime.GOMAXPROCS(0), 8); cores *= 2 {
		b.Run(fmt.Sprintf("worlds=%d", cores), func(b *testing.B) {
			var paths []*path
			var packets []row
			for range cores {
				p := newPath(b)
				requests, _ := p.open(b, 1000)
				paths, packets = append(paths, p), append(packets, requests)
			}
			b.ResetTimer()
			var all sync.WaitGroup
			for k, p := range paths {
				all.Go(func() {
					for i := range b.N {
						p.send(b, packets[k].at(i))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N*cores)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// heap returns how many bytes are in use once the garbage is gone.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// collection returns the median time of a garbage collection.
func collection() time.Duration {
	var took []time.Duration
	for range 21 {
		start := time.Now()
		runtime.GC()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkFlow is what a million flows cost that no packet comes for: memory, and
// time of a garbage collection beyond that of an empty world's. B/flow of "table" is
// the NAT gateway's, of "walk" the host's connection tracking is in it.
func BenchmarkFlow(b *testing.B) {
	const n = 1_000_000
	cost := func(b *testing.B, before uint64, empty time.Duration) {
		b.ReportMetric(float64(heap()-before)/n, "B/flow")
		b.ReportMetric(float64((collection() - empty).Microseconds()), "µs/GC")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("table", func(b *testing.B) {
		before, empty := heap(), collection()
		m, err := nat.NewMasquerade(nat.Config{Addrs: []wire.Addr{wire.MustParseAddr("10.0.0.5")}, Seed: 1})
		require.NoError(b, err)
		var p wire.Packet
		buf := make([]byte, 0, packetLen)
		for i := range n {
			require.NoError(b, p.Read(request(buf, i)))
			if m.Out(&p, 0) != nat.Translated {
				b.Fatal("not translated")
			}
		}
		cost(b, before, empty)
		require.Equal(b, n, m.Sessions().Len())
	})
	b.Run("walk", func(b *testing.B) {
		p := newPath(b)
		before, empty := heap(), collection()
		buf := make([]byte, 0, packetLen)
		for i := range n {
			p.send(b, request(buf, i))
		}
		cost(b, before, empty)
		require.Equal(b, n, p.sessions().Len())
	})
}

// BenchmarkFresh is a world with a VPC, its gateways and a host, to the first packet.
func BenchmarkFresh(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := world.New(world.Config{Seed: 1})
		r := w.Region(vpc.RegionConfig{Unlimited: true})
		v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
		require.NoError(b, err)
		g, err := igw.Create(r, igw.Config{})
		require.NoError(b, err)
		require.NoError(b, g.Attach(v))
		public, publicTable := benchSubnet(b, v, "10.0.0.0/24")
		private, privateTable := benchSubnet(b, v, "10.0.1.0/24")
		n, err := natgw.Create(public, natgw.Config{})
		require.NoError(b, err)
		require.NoError(b, publicTable.CreateRoute("0.0.0.0/0", g))
		require.NoError(b, privateTable.CreateRoute("0.0.0.0/0", n))
		_, err = private.RunInstance(vpc.InstanceConfig{})
		require.NoError(b, err)
		w.Live(r).Snapshot()
	}
}

// BenchmarkCompile is a change of a region until its first packet. B/op is the new
// snapshot.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("interfaces=%d", n), func(b *testing.B) {
			w := world.New(world.Config{Seed: 1})
			r := w.Region(vpc.RegionConfig{Unlimited: true})
			var v *vpc.VPC
			for made := 0; made < n; made += 50_000 { // more than fit into one VPC
				var err error
				v, err = r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
				require.NoError(b, err)
				s, err := v.CreateSubnet("10.0.0.0/16", vpc.SubnetConfig{})
				require.NoError(b, err)
				for range min(50_000, n-made) {
					_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
					require.NoError(b, err)
				}
			}
			compiling(b, w.Live(r), v, n, "interface")
		})
	}
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			w := world.New(world.Config{Seed: 1})
			r := w.Region(vpc.RegionConfig{Unlimited: true})
			v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
			require.NoError(b, err)
			g, err := igw.Create(r, igw.Config{})
			require.NoError(b, err)
			require.NoError(b, g.Attach(v))
			_, table := benchSubnet(b, v, "10.0.0.0/24")
			for i := range n - 1 { // one is local
				require.NoError(b, table.CreateRoute(fmt.Sprintf("198.%d.%d.0/24", i/256, i%256), g))
			}
			compiling(b, w.Live(r), v, n, "route")
		})
	}
}

// compiling changes a VPC and compiles its region, n things large.
func compiling(b *testing.B, live *vpc.Live, v *vpc.VPC, n int, thing string) {
	live.Snapshot()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := m.TotalAlloc
	b.ResetTimer()
	for b.Loop() {
		v.Tag("touched", "again")
		live.Snapshot()
	}
	each := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/each, "ns/"+thing)
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.TotalAlloc-before)/each, "B/"+thing)
}
