package netstack

import (
	"context"
	"fmt"
	"hash/fnv"
	mathrand "math/rand"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// Config is what a guest is started with. The zero value is Amazon Linux 2's TTL
// and no name resolution.
type Config struct {
	// Name is the hostname, by which errors call the guest.
	Name string
	// DefaultTTL is the TTL of own IPv4 packets in hops. 0 is 255, Amazon Linux 2's
	// (measured: S002). The hop limit of IPv6 is 64.
	DefaultTTL uint8
	// Lookup resolves names for Dial, Listen and ListenPacket, as
	// net.Resolver.LookupNetIP does; network is "ip", "ip4" or "ip6". Where it is nil
	// the guest asks the name servers that DHCP tells it, the resolver of its VPC, by
	// packets; a guest that is told none takes only addresses.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// Seed gives the guest its initial sequence numbers, ports and identifiers.
	// 0 is a seed made of Name.
	Seed uint64
}

// Guest is an operating system with gVisor's TCP/IP stack. Make one with [New] or
// [Boot]. Its methods may be called from any goroutine, but not in [Pump.Do].
type Guest struct {
	name   string
	pump   *Pump
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	down   chan struct{} // closed with the guest

	nameservers []netip.Addr
	questions   atomic.Uint32 // to name servers, so far

	stack  *stack.Stack
	nics   []*NIC
	routes []route
	taken  uint64 // TCP segments that the stack had taken when its workers last ran dry

	workers sync.Mutex // gVisor's workers, several of which may call back at once
	out     []byte     // frames to be sent when they have run dry
	frames  []outbound
}

type outbound struct {
	nic *NIC
	end int // in Guest.out
}

const loopbackNIC = 1

// The ports that a guest chooses from (Linux, net.ipv4.ip_local_port_range).
const firstPort, lastPort = 32768, 60999

// New starts a guest with a loopback interface and no other.
func New(p *Pump, c Config) *Guest {
	if c.Seed == 0 {
		sum := fnv.New64a()
		sum.Write([]byte(c.Name))
		c.Seed = sum.Sum64()
	}
	if c.DefaultTTL == 0 {
		c.DefaultTTL = 255
	}
	g := &Guest{name: c.Name, pump: p, lookup: c.Lookup, down: make(chan struct{})}
	p.Do(func() {
		g.start(c)
		p.guests = append(p.guests, g)
	})
	return g
}

func (g *Guest) start(c Config) {
	chance := newSource(c.Seed)
	g.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocolCUBIC, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
		Clock:              guestClock{g},
		HandleLocal:        true,
		RandSource:         mathrand.Source(chance),
		SecureRNG:          chance,
	})
	g.stack.Pause()
	ttl, sack, moderate := tcpip.DefaultTTLOption(c.DefaultTTL), tcpip.TCPSACKEnabled(true), tcpip.TCPModerateReceiveBufferOption(true)
	must(g.stack.SetNetworkProtocolOption(ipv4.ProtocolNumber, &ttl))
	must(g.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	must(g.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &moderate))
	must(g.stack.SetPortRange(firstPort, lastPort))
	must(g.stack.CreateNIC(loopbackNIC, loopback.New()))
	for _, a := range []string{"127.0.0.1/8", "::1/128"} {
		g.addAddr(loopbackNIC, netip.MustParsePrefix(a))
	}
	g.reroute()
}

// must panics where gVisor refuses what this package has checked or made itself.
func must(err tcpip.Error) {
	if err != nil {
		panic("netstack: " + err.String())
	}
}

// Name returns the hostname.
func (g *Guest) Name() string { return g.name }

// Close shuts the guest down: its connections are reset, its sockets closed, its
// interfaces take nothing more, its goroutines have ended. A second Close does nothing.
func (g *Guest) Close() error {
	g.pump.Do(func() {
		g.shutDown()
		for i, h := range g.pump.guests {
			if h == g {
				g.pump.guests = append(g.pump.guests[:i], g.pump.guests[i+1:]...)
				break
			}
		}
	})
	return nil
}

func (g *Guest) isDown() bool {
	select {
	case <-g.down:
		return true
	default:
		return false
	}
}

// shutDown is Close, in the pump. The workers must run to end.
func (g *Guest) shutDown() {
	if g.isDown() {
		return
	}
	close(g.down)
	g.stack.Resume()
	g.stack.Destroy()
	g.flush()
}

// call runs a call of the stack's in the pump, and what comes of it.
func (g *Guest) call(f func()) { g.pump.Do(func() { g.inside(f) }) }

// inside runs f, which calls the stack, in the pump; then the stack's workers until
// they have nothing to do, and sends what came of it.
//
// gVisor hands TCP segments to workers that park where neither the runtime nor a
// bubble can see that they wait. So they are kept paused: resuming and pausing them
// returns when all segments are worked off, and in between nothing of the stack moves.
func (g *Guest) inside(f func()) {
	if g.isDown() {
		return
	}
	f()
	for n := g.segments(); n != g.taken; n = g.segments() {
		g.taken = n
		g.stack.Resume()
		g.stack.Pause()
	}
	g.flush()
}

// segments counts what the workers were ever given to do.
func (g *Guest) segments() uint64 { return g.stack.Stats().TCP.ValidSegmentsReceived.Value() }

// flush sends the frames that the stack has written.
func (g *Guest) flush() {
	begin := 0
	for _, f := range g.frames {
		f.nic.link.Send(g.out[begin:f.end])
		begin = f.end
	}
	g.out, g.frames = g.out[:0], g.frames[:0]
}

// source is the guest's chance, from its seed. gVisor wants it safe for several goroutines.
type source struct {
	mu     sync.Mutex
	chance *rand.ChaCha8
}

func newSource(seed uint64) *source {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return &source{chance: rand.NewChaCha8(key)}
}

// Int63 returns 63 bits. It makes a source a rand.Source of math/rand.
func (s *source) Int63() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.chance.Uint64() >> 1)
}

// Seed does nothing: a guest has one seed.
func (s *source) Seed(int64) {}

// Read fills b. It makes a source an io.Reader of random bytes.
func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chance.Read(b)
}

func (g *Guest) errorf(format string, a ...any) error {
	return fmt.Errorf("netstack %s: "+format, append([]any{g.name}, a...)...)
}
