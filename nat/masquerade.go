package nat

import (
	"fmt"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// Config is what a [Masquerade] may differ in. But for Addrs and Seed, the zero
// Config is AWS's NAT gateway.
type Config struct {
	// Addrs are the outside addresses, one to eight. New sessions spread over them.
	Addrs []wire.Addr
	// FirstPort and LastPort bound the outside ports and ICMP identifiers; with
	// LastPort 0 they are 1024 and 65535.
	FirstPort, LastPort uint16
	// FlowsPerDestination is how many sessions each of Addrs has at once to one
	// destination address, port and protocol; 0 is 55,000, or as many as there are ports.
	FlowsPerDestination int
	// Idle is how long a session lives without a packet; 0 is 350 seconds.
	Idle time.Duration
	// Seed decides ports and addresses: the same seed, the same choices.
	Seed uint64
}

// The limits of a NAT gateway (Amazon VPC user guide, NAT gateway basics).
const (
	MaxAddrs                   = 8
	DefaultFlowsPerDestination = 55_000
	DefaultIdle                = 350 * time.Second
)

// withDefaults returns c with the defaults in place, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if len(c.Addrs) < 1 || len(c.Addrs) > MaxAddrs {
		return c, fmt.Errorf("masquerade: %d outside addresses, want 1 to %d", len(c.Addrs), MaxAddrs)
	}
	for i, a := range c.Addrs {
		if !a.IsValid() {
			return c, fmt.Errorf("masquerade: outside address %d is none", i)
		}
		if slices.Contains(c.Addrs[:i], a) {
			return c, fmt.Errorf("masquerade: outside address %v is there twice", a)
		}
	}
	if c.LastPort == 0 {
		c.FirstPort, c.LastPort = 1024, 65535
	}
	if c.FirstPort == 0 || c.FirstPort > c.LastPort {
		return c, fmt.Errorf("masquerade: ports %d to %d are no range of ports", c.FirstPort, c.LastPort)
	}
	if c.FlowsPerDestination < 0 || c.Idle < 0 {
		return c, fmt.Errorf("masquerade: %d flows a destination, idle %v: want no negative numbers", c.FlowsPerDestination, c.Idle)
	}
	if c.FlowsPerDestination == 0 {
		c.FlowsPerDestination = DefaultFlowsPerDestination
	}
	c.FlowsPerDestination = min(c.FlowsPerDestination, int(c.LastPort-c.FirstPort)+1)
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	c.Addrs = slices.Clone(c.Addrs)
	return c, nil
}

// Verdict is what became of a packet.
type Verdict uint8

// The verdicts. The zero Verdict is none. A packet that is not Translated is
// unchanged and goes no further.
const (
	_ Verdict = iota
	// Translated goes on with its new addresses.
	Translated
	// NoPort would open a session, and every port toward its destination is taken.
	NoPort
	// NoSession belongs to no session and can't open one: anything from outside that
	// answers nothing, an ICMP error about nothing known.
	NoSession
	// IdleReset is a TCP segment from inside in the middle of a connection without a
	// session, since that has been idle too long: the sender is due an RST, and
	// nobody else is told (AWS: RST, never FIN).
	IdleReset
	// ProtocolNotSupported is neither TCP, UDP nor ICMP: GRE or ESP, for instance.
	ProtocolNotSupported
	// FragmentNotSupported is a fragment of anything but UDP.
	FragmentNotSupported
	// FragmentBeforeFirst is a later fragment whose first one has not passed, so that
	// its ports are not known.
	FragmentBeforeFirst
	verdicts // how many there are
)

var verdictNames = [verdicts]string{
	"none", "translated", "no port", "no session", "idle reset",
	"protocol not supported", "fragment not supported", "fragment before first",
}

// String returns the verdict in lower case.
func (v Verdict) String() string {
	if v < verdicts {
		return verdictNames[v]
	}
	return "unknown"
}

// Masquerade is a NAPT (RFC 3022 section 2.2) as a NAT gateway is one: sources become
// one of few addresses, with another port. In the words of RFC 4787 its mapping is
// address and port dependent, as is its filtering; no port is preserved. ICMP queries
// are translated by their identifier, ICMP errors by what they quote.
//
// A session lives while packets come from either side, for 350 seconds after the last
// one. (AWS publishes no other timeout, for closed connections neither.) UDP fragments
// follow the first of their datagram for 30 seconds, in either direction; one that
// overtook it is dropped. AWS says that UDP fragments pass: the rest is inferred.
//
// IPv4 and IPv6 are one code; a session is of one family, and of Addrs those of the
// packet's family serve it. Make one with [NewMasquerade].
type Masquerade struct {
	table     *Table
	pools     pools
	fragments fragments
	counters  Counters
	config    Config
}

// NewMasquerade returns a Masquerade without sessions, or what is wrong with c.
func NewMasquerade(c Config) (*Masquerade, error) {
	m := &Masquerade{}
	m.table = NewTable(TableConfig{Seed: c.Seed})
	m.table.owner = m
	m.pools.table = m.table
	return m, m.Configure(c)
}

// Configure changes addresses, ports, bound and timeout for sessions to come, or
// returns what is wrong with c and changes nothing. Those that are stay as they are:
// an address that is no longer in c.Addrs drains. The seed stays.
func (m *Masquerade) Configure(c Config) error {
	c, err := c.withDefaults()
	if err != nil {
		return err
	}
	m.config = c
	m.table.Configure(TableConfig{Timeouts: uniform(c.Idle)})
	m.pools.configure(c.FirstPort, c.LastPort, uint32(c.FlowsPerDestination))
	return nil
}

// Reset forgets all sessions, counts and choices made: m chooses as [NewMasquerade]
// returned it, with the configuration of now, and keeps its memory. It looks at every
// record.
func (m *Masquerade) Reset() {
	m.table.reset()
	m.fragments, m.counters = fragments{}, Counters{}
}

// Release ends all sessions of an outside address at once. It looks at every session.
func (m *Masquerade) Release(outside wire.Addr, now time.Duration) {
	for id, s := range m.table.All(now) {
		if s.Translated.Src == outside {
			m.table.Delete(id)
		}
	}
}

// Sessions returns the table for reading: listings, traces, tests.
func (m *Masquerade) Sessions() *Table { return m.table }

// Out translates a packet from inside, opening a session where it needs one. It does
// not allocate for a packet of a known session, nor for one that is refused.
func (m *Masquerade) Out(p *wire.Packet, now time.Duration) Verdict {
	c, n := &m.counters, uint64(p.Len())
	c.PacketsInFromSource++
	c.BytesInFromSource += n
	v := m.pass(p, Original, now)
	if v == Translated {
		c.PacketsOutToDestination++
		c.BytesOutToDestination += n
	} else {
		c.PacketsDropCount++
	}
	return v
}

// Back translates a packet from outside that answers a session. It does not allocate
// but for the first fragment of a datagram.
func (m *Masquerade) Back(p *wire.Packet, now time.Duration) Verdict {
	c, n := &m.counters, uint64(p.Len())
	c.PacketsInFromDestination++
	c.BytesInFromDestination += n
	v := m.pass(p, Reply, now)
	if v == Translated {
		c.PacketsOutToSource++
		c.BytesOutToSource += n
	} else {
		c.PacketsDropCount++
	}
	return v
}

// pass decides on a packet that goes in direction d.
func (m *Masquerade) pass(p *wire.Packet, d Direction, now time.Duration) Verdict {
	if p.Fragment == wire.Whole && p.HasPorts() {
		return m.translate(p, d, now)
	}
	switch ported := translatesPorts(p.Flow.Proto); {
	case !ported:
		return ProtocolNotSupported
	case p.Fragment == wire.Whole:
		return m.translateError(p, d, now)
	case p.Flow.Proto != wire.ProtoUDP:
		return FragmentNotSupported
	case p.Fragment == wire.LaterFragment:
		return m.fragments.follow(p, now)
	}
	k, _ := p.FragmentKey()
	v := m.translate(p, d, now)
	if v == Translated {
		m.fragments.remember(k, p, now)
	}
	return v
}

// translate decides on a packet that has ports or an identifier to go by.
func (m *Masquerade) translate(p *wire.Packet, d Direction, now time.Duration) Verdict {
	t := m.table
	h := t.hash(&p.Flow)
	r, n, i := t.lookup(&p.Flow, h)
	switch {
	case r == nil:
		return m.stranger(p, h, d, now)
	case r.expires <= now:
		t.end(n, Expired)
		return m.stranger(p, h, d, now)
	case i != side(d):
		return NoSession
	case d == Original && closed(r.state) && segmentOf(p.Flags) == segSYN:
		t.end(n, Deleted) // a new connection from the port of one that is over
		return m.stranger(p, h, d, now)
	}
	m.track(n, r, d, p.Flags, now)
	if d == Original {
		r.setSrc(p, i, t.wideOf(r))
	} else {
		r.setDst(p, i, t.wideOf(r))
	}
	return Translated
}

// translateError decides on an ICMP message that is no query.
func (m *Masquerade) translateError(p *wire.Packet, d Direction, now time.Duration) Verdict {
	id, way := m.table.FindError(p, now)
	if id == 0 || way != d {
		return NoSession
	}
	m.table.Translate(p, id, d)
	return Translated
}

// track moves and renews the session of a packet, also where a TCP segment does not fit
// its state: out of order or lost to us. A NAT gateway is no firewall.
func (m *Masquerade) track(n uint32, r *record, d Direction, flags wire.TCPFlags, now time.Duration) {
	before := r.state
	switch word := m.table.track(n, r, d, flags, now); {
	case r.proto[0] != wire.ProtoTCP:
	case word == Tracked:
		m.counters.moved(before, r.state)
	default:
		m.table.renew(n, r, now+m.config.Idle)
	}
}

// stranger decides on a packet without a session; h is its flow's hash.
func (m *Masquerade) stranger(p *wire.Packet, h uint32, d Direction, now time.Duration) Verdict {
	if d == Reply || p.IsReply() {
		return NoSession
	}
	if p.Flow.Proto == wire.ProtoTCP {
		switch segmentOf(p.Flags) {
		case segSYN:
			m.counters.ConnectionAttemptCount++
		case segACK, segFIN:
			return IdleReset
		default:
			return NoSession
		}
	}
	if !m.open(p, h, now) {
		m.counters.ErrorPortAllocation++
		return NoPort
	}
	if p.Flow.Proto == wire.ProtoTCP {
		m.counters.ActiveConnectionCount++
	}
	return Translated
}

// open begins a session for p from the first address, a random one before the
// others, that has a port, and translates p.
func (m *Masquerade) open(p *wire.Packet, h uint32, now time.Duration) bool {
	t, addrs := m.table, m.config.Addrs
	t.advance(now, workPerSession)
	first := 0
	if len(addrs) > 1 {
		first = int(t.random.below(uint32(len(addrs))))
	}
	back := p.Flow.Reverse()
	for i := range addrs {
		back.Dst = addrs[(first+i)%len(addrs)]
		if back.Src.Is4() != back.Dst.Is4() {
			continue
		}
		reply, ok := m.pools.pick(&back, now)
		if !ok {
			continue
		}
		if t.insert(&p.Flow, &back, h, reply, opening(p.Flow.Proto, p.Flags), now) != 0 {
			p.SetSrc(back.Dst, back.DstPort)
			return true
		}
		m.pools.gave(back)
	}
	return false
}

// ended gives back the port of a session whose record is r and counts a connection that
// it was; pair is the addresses of its answers.
func (m *Masquerade) ended(r *record, pair flowtable.Pair, why End) {
	c := m.pools.countOf(pair, r.proto[1], r.port[1])
	if c.bitmaps == nil {
		c.sessions--
	} else {
		m.pools.gaveDense(r.tuple(1, m.table.wideOf(r)), c)
	}
	m.counters.ended(r.proto[1], r.state, why)
}
