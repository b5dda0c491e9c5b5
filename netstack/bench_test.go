package netstack_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// neighbours are two guests of one subnet with an MTU, on their own pump.
func neighbours(b testing.TB, mtu int) (p *netstack.Pump, client, server *netstack.Guest) {
	w := world.New(world.Config{Seed: 1})
	v, err := w.Region(vpc.RegionConfig{}).CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(b, err)
	s, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})
	require.NoError(b, err)
	p = netstack.NewPump(w.Engine, netstack.PumpConfig{})
	b.Cleanup(func() { p.Close() })
	guests := make([]*netstack.Guest, 2)
	for i := range guests {
		instance, err := s.RunInstance(vpc.InstanceConfig{})
		require.NoError(b, err)
		port, c, err := w.NIC(instance.Interface())
		require.NoError(b, err)
		c.MTU = mtu
		guests[i] = netstack.New(p, netstack.Config{Name: instance.ID()})
		nic, err := guests[i].AddNIC(c)
		require.NoError(b, err)
		p.Do(func() { port.Plug(nic) })
	}
	return p, guests[0], guests[1]
}

// ends says where a benchmark listens and dials: on two guests, or on the kernel's
// loopback interface.
type ends struct {
	listen func() (net.Listener, error)
	dial   func(addr string) (net.Conn, error)
}

func guestEnds(b testing.TB, mtu int) ends {
	_, client, server := neighbours(b, mtu)
	return ends{
		func() (net.Listener, error) { return server.Listen("tcp", "10.0.0.5:80") },
		func(addr string) (net.Conn, error) { return client.Dial("tcp", addr) },
	}
}

func kernelEnds() ends {
	return ends{
		func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) },
	}
}

// BenchmarkRequest is one GET over a connection that is kept alive.
func BenchmarkRequest(b *testing.B) {
	b.Run("two guests", func(b *testing.B) { benchmarkRequest(b, guestEnds(b, host.DefaultMTU)) })
	b.Run("kernel's loopback", func(b *testing.B) { benchmarkRequest(b, kernelEnds()) })
}

func benchmarkRequest(b *testing.B, e ends) {
	l, err := e.listen()
	require.NoError(b, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })}
	go s.Serve(l)
	defer s.Close()
	t := &http.Transport{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) { return e.dial(addr) }}
	defer t.CloseIdleConnections()
	c := &http.Client{Transport: t}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r, err := c.Get("http://" + l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkStream is 1 MiB over one connection, in writes of 64 KiB.
func BenchmarkStream(b *testing.B) {
	b.Run("two guests, MTU 1500", func(b *testing.B) { benchmarkStream(b, guestEnds(b, 1500)) })
	b.Run("two guests, MTU 9001", func(b *testing.B) { benchmarkStream(b, guestEnds(b, 9001)) })
	b.Run("kernel's loopback", func(b *testing.B) { benchmarkStream(b, kernelEnds()) })
}

func benchmarkStream(b *testing.B, e ends) {
	const size = 1 << 20
	l, err := e.listen()
	require.NoError(b, err)
	defer l.Close()
	c, err := e.dial(l.Addr().String())
	require.NoError(b, err)
	defer c.Close()
	s, err := l.Accept()
	require.NoError(b, err)
	defer s.Close()
	go func() {
		chunk := make([]byte, 64<<10)
		for {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	b.SetBytes(size)
	n := 0
	for b.Loop() {
		if _, err := io.CopyBuffer(io.Discard, &io.LimitedReader{R: struct{ io.Reader }{s}, N: size}, buf); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)*size*8/1e9/b.Elapsed().Seconds(), "Gbit/s")
}

// BenchmarkIdleGuest starts guests with an interface and a listener and keeps them.
func BenchmarkIdleGuest(b *testing.B) {
	p := netstack.NewPump(&dataplane.Engine{Clock: &clock.Clock{}}, netstack.PumpConfig{})
	defer p.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines, n := runtime.NumGoroutine(), 0
	for b.Loop() {
		g := netstack.New(p, netstack.Config{})
		_, err := g.AddNIC(host.NICConfig{
			Link: host.LinkFunc(nil), PointToPoint: true,
			Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")},
		})
		require.NoError(b, err)
		_, err = g.Listen("tcp", ":80")
		require.NoError(b, err)
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse)/float64(n), "bytes/guest")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/guest")
}

// BenchmarkBubble is a bubble from its beginning to its end: a VPC, two GETs through
// a NAT gateway and an idle hour of simulated time.
func BenchmarkBubble(b *testing.B) {
	for b.Loop() {
		// synctest wants a test, so the bubble is one.
		testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				serve(t, l.server)
				c := httpClient(t, l.client)
				get(t, c, "http://"+serverAddr)
				get(t, c, "http://"+serverAddr)
				time.Sleep(time.Hour)
			})
		}}})
	}
}
