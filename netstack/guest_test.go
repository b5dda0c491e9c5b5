package netstack_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// story is a sequential program's traffic: connections, requests, an idle time, an
// error, each packet with its instant.
func story(t *testing.T) string {
	l := newLab(t)
	log := l.world.Trace()
	serve(t, l.server)
	c := httpClient(t, l.client)
	get(t, c, "http://"+serverAddr)
	l.pump.Sleep(time.Minute)
	get(t, c, "http://"+serverAddr)
	_, err := l.client.Dial("tcp", serverAddr+":81")
	require.Error(t, err)
	u, err := l.client.Dial("udp", serverAddr+":53")
	require.NoError(t, err)
	_, err = u.Write([]byte("nobody listens"))
	require.NoError(t, err)
	_, err = u.Read(make([]byte, 1))
	require.Error(t, err)
	var b strings.Builder
	l.pump.Do(func() {
		for _, w := range log.Walks() {
			fmt.Fprintf(&b, "%d %v\n", w.Steps[0].At.Nanoseconds(), w)
		}
	})
	return b.String()
}

func TestASequentialProgramRepeatsBitForBit(t *testing.T) {
	var first string
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			s := story(t)
			require.NotEmpty(t, s)
			if first == "" {
				first = s
			}
			require.Equal(t, first, s)
		})
	}
}

func TestAClosingGuestLeaksNoGoroutine(t *testing.T) {
	both(t, func(t *testing.T) { // a bubble does not end while a goroutine is left in it
		before := runtime.NumGoroutine()
		for range 3 {
			w, p := emptyWorld()
			g, err := netstack.OnInternet(p, w, netstack.Config{}, netip.MustParseAddr(serverAddr))
			require.NoError(t, err)
			l, err := g.Listen("tcp", ":80")
			require.NoError(t, err)
			c, err := g.Dial("tcp", serverAddr+":80")
			require.NoError(t, err)
			_, err = l.Accept()
			require.NoError(t, err)
			_, err = c.Write([]byte("unread"))
			require.NoError(t, err)
			require.Greater(t, runtime.NumGoroutine(), before+1)
			require.NoError(t, g.Close())
			require.NoError(t, g.Close())
			require.NoError(t, p.Close())
			require.NoError(t, p.Close())
		}
		for runtime.NumGoroutine() > before { // the last may be on their way out
			runtime.Gosched()
		}
	})
}

func TestAClosingGuestResetsItsConnections(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		c, _ := l.pair()
		require.NoError(t, l.server.Close())
		_, err := c.Read(make([]byte, 1))
		require.ErrorContains(t, err, "connection reset by peer")
	})
}

func TestManyConnectionsAtATime(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		serve(t, l.server)
		var all sync.WaitGroup
		seen := make([]string, 100)
		for i := range seen {
			c := httpClient(t, l.client)
			all.Go(func() {
				for range 10 {
					seen[i] = get(t, c, "http://"+serverAddr)
				}
			})
		}
		all.Wait()
		ports := map[string]bool{}
		for _, s := range seen {
			ports[s] = true
		}
		require.Len(t, ports, len(seen), "each has a connection of its own")
	})
}

func TestIPv6AcrossAPeerOnTheInternet(t *testing.T) {
	both(t, func(t *testing.T) {
		w, p := emptyWorld()
		t.Cleanup(func() { p.Close() })
		a, err := netstack.OnInternet(p, w, netstack.Config{Name: "a"}, netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("203.0.113.1"))
		require.NoError(t, err)
		b, err := netstack.OnInternet(p, w, netstack.Config{Name: "b"}, netip.MustParseAddr("2001:db8::2"))
		require.NoError(t, err)
		serve(t, a)
		require.Regexp(t, `^\[2001:db8::2\]:\d+$`, get(t, httpClient(t, b), "http://[2001:db8::1]"))
	})
}

func TestIPv6WithinASubnetResolvesNeighbours(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		v, err := l.private.Region().CreateVPC("10.1.0.0/16", vpc.VPCConfig{IPv6: netip.MustParsePrefix("2001:db8:1::/56")})
		require.NoError(t, err)
		s, err := v.CreateSubnet("10.1.2.0/24", vpc.SubnetConfig{IPv6: netip.MustParsePrefix("2001:db8:1:1::/64"), AssignIPv6OnCreation: true})
		require.NoError(t, err)
		guests := make([]*netstack.Guest, 2)
		var addrs [2]netip.Addr
		for i := range guests {
			instance, err := s.RunInstance(vpc.InstanceConfig{Name: fmt.Sprint("six", i)})
			require.NoError(t, err)
			guests[i], err = netstack.Boot(l.pump, l.world, instance, netstack.Config{})
			require.NoError(t, err)
			addrs[i] = instance.Interface().IPv6()[0]
		}
		serve(t, guests[0])
		require.Contains(t, get(t, httpClient(t, guests[1]), "http://["+addrs[0].String()+"]"), addrs[1].String())
	})
}

// TestPacketsAreTheGuests holds TTL and segment size against what a tap sees.
func TestPacketsAreTheGuests(t *testing.T) {
	for _, c := range []struct {
		name      string
		config    netstack.Config
		mtu, mss  int
		ttl       uint8
		neighbour bool
	}{
		{"Amazon Linux 2", netstack.Config{}, 9001, 8961, 255, true},
		{"a TTL of its own", netstack.Config{DefaultTTL: 64}, 1500, 1460, 64, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			g := netstack.New(l.pump, c.config)
			var got []wire.Packet
			n, err := g.AddNIC(host.NICConfig{
				Link: host.LinkFunc(func(b []byte) trace.Reason {
					var p wire.Packet
					require.NoError(t, p.Read(append([]byte(nil), b...)))
					got = append(got, p)
					return trace.Delivered
				}),
				PointToPoint: true, MTU: c.mtu,
				Addrs: []netip.Prefix{netip.MustParsePrefix("203.0.113.9/32")}, Gateway: netip.MustParseAddr("203.0.113.9"),
			})
			require.NoError(t, err)
			require.Equal(t, "eth0", n.Name())
			u, err := g.Dial("udp", "192.0.2.1:9")
			require.NoError(t, err)
			_, err = u.Write([]byte("x"))
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, c.ttl, got[0].TTL())
			go g.Dial("tcp", "192.0.2.1:9")
			l.pump.Sleep(time.Millisecond)
			l.pump.Do(func() {
				require.Equal(t, c.mss, mss(t, got[1]))
				require.NoError(t, got[1].VerifyChecksum())
			})
		})
	}
}

// mss returns the maximum segment size of a SYN (RFC 9293 section 3.7.1).
func mss(t *testing.T, p wire.Packet) int {
	o := p.Transport()[20:]
	require.Equal(t, []byte{2, 4}, o[:2])
	return int(o[2])<<8 | int(o[3])
}

func TestGuestsOfBothKindsShareANetwork(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		i, err := l.private.RunInstance(vpc.InstanceConfig{Name: "linux"})
		require.NoError(t, err)
		l.pump.Do(func() {
			h, err := l.world.Boot(i, host.Config{})
			require.NoError(t, err)
			r := h.Ping(netip.MustParseAddr("10.0.1.4"), host.PingConfig{Count: 3})
			require.Equal(t, 3, r.Received, "the stack answers while Do runs the clock")
		})
		c, s := l.pair()
		_, err = c.Write([]byte("x"))
		require.NoError(t, err, "time goes on where the clock was left")
		_, err = s.Read(make([]byte, 1))
		require.NoError(t, err)
	})
}

func TestWhatIsNotForTheGuestIsSaidSo(t *testing.T) {
	l := newLab(t)
	g := netstack.New(l.pump, netstack.Config{})
	mac := wire.MAC{2, 0, 0, 0, 0, 1}
	n, err := g.AddNIC(host.NICConfig{
		Link: host.LinkFunc(func([]byte) trace.Reason { return trace.Delivered }), MAC: mac,
		Addrs: []netip.Prefix{netip.MustParsePrefix("10.9.0.5/24")},
	})
	require.NoError(t, err)
	u, err := g.ListenPacket("udp", ":53")
	require.NoError(t, err)
	defer u.Close()
	own, other := wire.MustParseAddr("10.9.0.5"), wire.MustParseAddr("10.9.0.6")
	frame := func(to wire.MAC, dst wire.Addr, port uint16) []byte {
		b := make([]byte, wire.EthernetLen)
		wire.PutEthernet(b, to, wire.MAC{2, 0, 0, 0, 0, 2}, wire.EtherTypeIPv4)
		return append(b, wire.AppendUDP(nil, wire.Header{Src: other, Dst: dst, TTL: 9}, 5, port, []byte("hello"))...)
	}
	spoilt := frame(mac, own, 53)
	spoilt[len(spoilt)-1] ^= 1
	for _, c := range []struct {
		name  string
		frame []byte
		want  trace.Reason
	}{
		{"its own", frame(mac, own, 53), trace.Delivered},
		{"no frame", []byte{1, 2, 3}, trace.Malformed},
		{"a packet cut short", frame(mac, own, 53)[:wire.EthernetLen+10], trace.Malformed},
		{"another station's", frame(wire.MAC{2, 0, 0, 0, 0, 3}, own, 53), trace.UnknownMAC},
		{"another host's", frame(mac, other, 53), trace.NotForwarding},
		{"a port without a socket", frame(mac, own, 54), trace.NoListener},
		{"a wrong checksum", spoilt, trace.BadChecksum},
	} {
		l.pump.Do(func() {
			l.world.Run(time.Millisecond) // to an instant at which nothing has reached a guest
			require.Equal(t, c.want, n.Frame(c.frame), c.name)
		})
	}
	require.NoError(t, g.Close())
	l.pump.Do(func() { require.Equal(t, trace.InstanceStopped, n.Frame(frame(mac, own, 53))) })
}

func TestInterfacesThatCouldNotWorkAreRefused(t *testing.T) {
	l := newLab(t)
	g := netstack.New(l.pump, netstack.Config{Name: "g"})
	link := host.LinkFunc(func([]byte) trace.Reason { return trace.Delivered })
	mac := wire.MAC{2, 0, 0, 0, 0, 1}
	a := netip.MustParsePrefix("10.9.0.5/24")
	_, err := g.AddNIC(host.NICConfig{Link: link, MAC: mac, Addrs: []netip.Prefix{a}})
	require.NoError(t, err)
	for _, c := range []struct {
		config host.NICConfig
		text   string
	}{
		{host.NICConfig{MAC: mac}, `netstack g: interface "eth1": Link is not set`},
		{host.NICConfig{Name: "eth0", Link: link, MAC: mac}, `netstack g: interface "eth0" exists`},
		{host.NICConfig{Link: link}, `netstack g: interface "eth1": MAC "00:00:00:00:00:00" is not a station's`},
		{host.NICConfig{Link: link, MAC: mac, MTU: 576}, `netstack g: interface "eth1": MTU 576 is not in 1280-65535`},
		{host.NICConfig{Link: link, MAC: mac, Addrs: []netip.Prefix{{}}}, `netstack g: interface "eth1": "invalid Prefix" is no address with a prefix length`},
		{host.NICConfig{Link: link, MAC: mac, Addrs: []netip.Prefix{a}}, `netstack g: interface "eth1": address "10.9.0.5" is in use on this guest`},
	} {
		_, err := g.AddNIC(c.config)
		require.EqualError(t, err, c.text)
	}
	require.NoError(t, g.Close())
	_, err = g.AddNIC(host.NICConfig{Link: link, MAC: mac})
	require.EqualError(t, err, `netstack g: interface "eth1": the guest is shut down`)
	other := netstack.NewPump(&dataplane.Engine{Clock: &clock.Clock{}}, netstack.PumpConfig{})
	defer other.Close()
	_, err = netstack.OnInternet(other, l.world, netstack.Config{}, netip.MustParseAddr("203.0.113.200"))
	require.EqualError(t, err, "netstack: the pump is another world's")
	_, err = netstack.OnInternet(l.pump, l.world, netstack.Config{}, netip.MustParseAddr(serverAddr))
	require.EqualError(t, err, "world: addresses [198.51.100.7]: expected at least one, none of them taken")
}

func TestRealTimeIsNotOvertaken(t *testing.T) {
	p := netstack.NewPump(&dataplane.Engine{Clock: &clock.Clock{}}, netstack.PumpConfig{RealTime: true})
	defer p.Close()
	start := time.Now()
	p.Sleep(30 * time.Millisecond)
	require.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
}

func TestUnreadBodiesAndSlowHandlersOutsideOfABubble(t *testing.T) {
	l := newLab(t)
	ln, err := l.server.Listen("tcp", ":80")
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		sum := 0
		for i := range 2_000_000 { // computing takes no simulated time
			sum += i
		}
		fmt.Fprint(w, n, sum > 0)
	})}
	go s.Serve(ln)
	defer s.Close()
	before := l.pump.Now()
	r, err := httpClient(t, l.client).Post("http://"+serverAddr, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
	require.NoError(t, err)
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	r.Body.Close()
	require.Equal(t, "100000 true", string(b))
	require.Less(t, l.pump.Now()-before, time.Second)
}
