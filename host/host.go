package host

import (
	"hash/fnv"
	"math/rand/v2"
	"net/netip"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/netfilter"
	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Config is what a guest is started with. Its zero value is Amazon Linux 2 with
// forwarding off; sysctl changes all of it later.
type Config struct {
	// Name is the hostname, by which traces call the guest.
	Name string
	// DefaultTTL is net.ipv4.ip_default_ttl, the TTL of own IPv4 packets in hops.
	// 0 is 255, Amazon Linux 2's (measured: S002).
	DefaultTTL uint8
	// Forwarding is net.ipv4.ip_forward and net.ipv6.conf.all.forwarding.
	Forwarding bool
	// RPFilter is net.ipv4.conf.all.rp_filter. The zero RPFilter is RPStrict,
	// Amazon Linux 2's.
	RPFilter RPFilter
	// Seed gives the guest its initial sequence numbers, ports and identifiers.
	// 0 is a seed made of Name.
	Seed uint64
}

// AmazonLinux2023 returns the configuration of Amazon Linux 2023, whose own
// packets start at TTL 127 and whose reverse path filter is loose.
func AmazonLinux2023(name string) Config {
	return Config{Name: name, DefaultTTL: 127, RPFilter: RPLoose}
}

// GenericLinux returns the configuration of a kernel that no distribution has
// tuned: TTL 64 (RFC 1700), no reverse path filter.
func GenericLinux(name string) Config {
	return Config{Name: name, DefaultTTL: 64, RPFilter: RPOff}
}

// RPFilter is how a guest checks that a packet came in where it would answer
// (RFC 3704; Linux, ip-sysctl, "rp_filter"). IPv4 only, as in Linux.
type RPFilter uint8

// The reverse path filters. The zero RPFilter is RPStrict's default of a Config.
const (
	// RPDefault is the distribution's, RPStrict.
	RPDefault RPFilter = iota
	// RPOff checks nothing; rp_filter is 0.
	RPOff
	// RPStrict drops what came in by another interface than its answer would leave by; 1.
	RPStrict
	// RPLoose drops only what no route leads back to; 2.
	RPLoose
)

// sysctl returns Linux's number for r.
func (r RPFilter) sysctl() int {
	switch r {
	case RPOff:
		return 0
	case RPLoose:
		return 2
	}
	return 1
}

// Host is a guest. Make one with [New]. A Host belongs to the engine's goroutine.
type Host struct {
	name   string
	engine *dataplane.Engine
	clock  *clock.Clock
	rand   *rand.Rand

	lo     *NIC
	nics   []*NIC // lo first
	local  map[wire.Addr]*NIC
	sys    sysctls
	filter *netfilter.Tables

	routes []Route
	table  route.Table[*hop]

	neighbors map[neighborKey]*neighbor
	limits    map[wire.Addr]*bucket
	redirects map[wire.Addr]*backoff
	pmtu      map[wire.Addr]pathMTU
	parts     reasm.Queue
	partsDue  *clock.Timer
	ipID      uint16

	udp       map[udpKey]*UDPConn
	listeners map[tcpKey]*Listener
	conns     map[wire.Flow]*Conn
	queries   map[query]querier
	probes    map[wire.Flow]querier

	nameservers []netip.Addr
	search      []string

	free []*passage
}

// New starts a guest with a loopback interface and no other. e must have a Clock.
func New(e *dataplane.Engine, c Config) *Host {
	if c.Seed == 0 {
		sum := fnv.New64a()
		sum.Write([]byte(c.Name))
		c.Seed = sum.Sum64()
	}
	h := &Host{
		name: c.Name, engine: e, clock: e.Clock, rand: rand.New(rand.NewPCG(c.Seed, 0)),
		local: map[wire.Addr]*NIC{}, sys: defaultSysctls(c),
		filter:    netfilter.New(netfilter.Config{Seed: c.Seed}),
		neighbors: map[neighborKey]*neighbor{}, limits: map[wire.Addr]*bucket{},
		redirects: map[wire.Addr]*backoff{}, pmtu: map[wire.Addr]pathMTU{},
		udp: map[udpKey]*UDPConn{}, listeners: map[tcpKey]*Listener{}, conns: map[wire.Flow]*Conn{},
		queries: map[query]querier{}, probes: map[wire.Flow]querier{},
	}
	h.ipID = uint16(h.rand.Uint32())
	h.partsDue = h.clock.NewTimer(clock.Func(h.expireFragments))
	h.lo = &NIC{
		host: h, name: "lo", mtu: 65536, kind: loopback, conf: h.sys.def,
		addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
	}
	h.lo.self = hop{nic: h.lo}
	h.nics = []*NIC{h.lo}
	h.reroute()
	return h
}

// Name returns the hostname.
func (h *Host) Name() string { return h.name }

// NICs returns the guest's interfaces in the order in which they were added,
// without the loopback interface.
func (h *Host) NICs() []*NIC { return append([]*NIC(nil), h.nics[1:]...) }

// NIC returns the interface of a name, such as "eth0", or nil.
func (h *Host) NIC(name string) *NIC {
	for _, n := range h.nics {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Addr returns the guest's first IPv4 address, or its first IPv6 address where it
// has no IPv4; the zero Addr where it has none.
func (h *Host) Addr() netip.Addr {
	first := netip.Addr{}
	for _, n := range h.nics[1:] {
		for _, p := range n.addrs {
			if p.Addr().Is4() {
				return p.Addr()
			}
			if !first.IsValid() {
				first = p.Addr()
			}
		}
	}
	return first
}

// did keeps a step where walks are kept. Callers build words only if tracing.
func (h *Host) did(p *wire.Packet, words string) {
	h.engine.Note(h.name, p, trace.Step{Act: trace.Did, Match: words})
}
