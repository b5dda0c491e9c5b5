package host

import (
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/wire"
)

// Method is what traceroute sends. The zero Method is UDPProbes.
type Method uint8

// The methods of Linux's traceroute.
const (
	// DefaultProbes is UDPProbes.
	DefaultProbes Method = iota
	// UDPProbes are datagrams to ports that nobody listens at, another for each
	// probe; the destination answers port unreachable.
	UDPProbes
	// ICMPProbes are echo requests (-I).
	ICMPProbes
	// TCPProbes are SYNs to one port (-T); the destination answers SYN and ACK, or RST.
	TCPProbes
)

// TracerouteConfig is traceroute's options. The zero TracerouteConfig is
// traceroute without options: 3 probes a hop, 30 hops at most, 16 probes under way.
type TracerouteConfig struct {
	// Method is what is sent.
	Method Method
	// Port is the destination port (-p), the first one with UDPProbes; 0 is 33434
	// for UDP and 80 for TCP.
	Port uint16
	// FirstHop is the TTL of the first probes (-f); 0 is 1.
	FirstHop int
	// MaxHops is the largest TTL (-m), at most 255; 0 is 30.
	MaxHops int
	// Queries is how many probes each hop gets (-q), at most 10; 0 is 3.
	Queries int
	// Simultaneous is how many probes may be under way at once (-N); 0 is 16.
	Simultaneous int
	// Wait is the longest time to wait for an answer (-w); 0 is 5 s. Where others
	// have answered it is three times as long as one of the same hop took, or ten
	// times as long as one of a later hop.
	Wait time.Duration
	// Size is the length of a probe in bytes with its IP header; 0 is 60, or 80 for
	// IPv6. It has no meaning for TCPProbes.
	Size int
	// DontFragment sets DF on the probes (-F).
	DontFragment bool
	// Numeric prints addresses once, without names (-n).
	Numeric bool
	// Name returns the name of an address as DNS has it; where it is nil, or returns
	// nothing, the address stands for its name.
	Name func(netip.Addr) string
}

// Probe is what became of one probe.
type Probe struct {
	// Addr is who answered, the zero Addr where nobody did.
	Addr netip.Addr
	// RTT is the round trip time.
	RTT time.Duration
	// Mark is traceroute's note on an error: "!H", "!N", "!X", empty for the
	// answers that it waits for.
	Mark string
	// TTL is the time to live that the answer had left.
	TTL uint8
}

// Hop is what the probes of one TTL brought back.
type Hop struct {
	// TTL is the probes' time to live.
	TTL int
	// Probes are in the order in which they were sent.
	Probes []Probe
}

// TracerouteResult is what traceroute found out.
type TracerouteResult struct {
	// Hops are in order, one for each TTL up to the destination's.
	Hops []Hop
	// Reached reports whether an answer ended the search: the destination's own, or
	// an error that goes no further.
	Reached bool
	// Sent counts the probes sent.
	Sent int
	// Text is what traceroute (2.1) prints.
	Text string
}

// probe is a probe under way or done.
type probe struct {
	Probe
	seq    uint16 // by what its answer is known
	sent   bool
	sentAt time.Duration
	done   bool
	final  bool
	socket *UDPConn
	flow   wire.Flow
}

// tracer is a traceroute under way; it is the event of its own timer.
type tracer struct {
	h      *Host
	c      TracerouteConfig
	dst    wire.Addr
	src    wire.Addr
	key    query // of ICMP probes
	port   uint16
	seq    uint16
	probes []probe
	start  int // the first probe not printed
	end    int // behind the last probe of interest
	timer  *clock.Timer
	out    strings.Builder
	result TracerouteResult
	finish func(TracerouteResult)
}

// Traceroute looks for the hops to dst and runs the clock until it has them.
func (h *Host) Traceroute(dst netip.Addr, c TracerouteConfig) TracerouteResult {
	done := false
	var result TracerouteResult
	h.StartTraceroute(dst, c, func(r TracerouteResult) { result, done = r, true })
	h.clock.RunUntil(forever, func() bool { return done })
	return result
}

// StartTraceroute starts a traceroute that runs with the clock, and calls done at
// its end.
func (h *Host) StartTraceroute(dst netip.Addr, c TracerouteConfig, done func(TracerouteResult)) {
	t := &tracer{h: h, c: c.withDefaults(dst), dst: wire.AddrFrom(dst), finish: done}
	next := h.lookup(t.dst)
	if next == nil || !dst.IsValid() {
		done(TracerouteResult{Text: "connect: Network is unreachable\n"})
		return
	}
	t.src, t.port = h.source(next, t.dst), t.c.Port
	t.key.src = t.src
	for t.key.id == 0 || h.queries[t.key] != nil {
		t.key.id = uint16(h.rand.Uint32())
	}
	h.queries[t.key] = t
	t.probes = make([]probe, t.c.MaxHops*t.c.Queries)
	t.start, t.end = (t.c.FirstHop-1)*t.c.Queries, len(t.probes)
	t.timer = h.clock.NewTimer(clock.Func(t.step))
	t.title(dst)
	t.step()
}

func (c TracerouteConfig) withDefaults(dst netip.Addr) TracerouteConfig {
	or := func(v *int, d, most int) {
		if *v <= 0 {
			*v = d
		}
		*v = min(*v, most)
	}
	if c.Method == DefaultProbes {
		c.Method = UDPProbes
	}
	if c.Port == 0 {
		c.Port = 33434
		if c.Method == TCPProbes {
			c.Port = 80
		}
	}
	or(&c.MaxHops, 30, 255)
	or(&c.FirstHop, 1, c.MaxHops)
	or(&c.Queries, 3, 10)
	or(&c.Simultaneous, 16, 1<<16)
	size := 80
	if dst.Is4() {
		size = 60
	}
	or(&c.Size, size, 65000)
	if c.Wait <= 0 {
		c.Wait = 5 * time.Second
	}
	return c
}

// step does what there is to do now: print what is done, give up what is overdue,
// send while fewer than Simultaneous are under way. Each answer and each deadline
// calls for another step.
func (t *tracer) step() {
	under := 0
	for n := t.start; n < t.end && under < t.c.Simultaneous; n++ {
		p := &t.probes[n]
		if n == t.start && p.sent && !p.done && t.deadline(n) <= t.h.clock.Now() {
			t.close(p)
			t.overdue(n)
		}
		if !p.done {
			if !p.sent {
				t.send(p, n)
			}
			under++
			continue
		}
		if n == t.start {
			t.print(n)
			t.start++
		}
		if p.final {
			t.end = (n/t.c.Queries + 1) * t.c.Queries
		}
	}
	if t.start >= t.end {
		t.stop()
		return
	}
	wait := t.deadline(t.start) - t.h.clock.Now()
	t.timer.Reset(max(wait, 0))
}

func (t *tracer) stop() {
	t.timer.Stop()
	for i := range t.probes {
		if p := &t.probes[i]; p.sent && !p.done {
			t.close(p)
		}
	}
	delete(t.h.queries, t.key)
	t.out.WriteByte('\n')
	t.result.Text = t.out.String()
	t.finish(t.result)
}

// The factors by which others' round trip times bound the wait (-w 5,3,10).
const (
	hereFactor = 3
	nearFactor = 10
	waitSlack  = time.Millisecond
)

// deadline returns the instant at which probe n is overdue.
func (t *tracer) deadline(n int) time.Duration {
	first := n - n%t.c.Queries
	for _, p := range t.probes[first : first+t.c.Queries] {
		if p.done && p.RTT > 0 {
			return t.probes[n].sentAt + min((p.RTT+waitSlack)*hereFactor, t.c.Wait)
		}
	}
	for _, p := range t.probes[n+1:] {
		if !p.sent {
			break
		}
		if p.done && p.RTT > 0 {
			return t.probes[n].sentAt + min((p.RTT+waitSlack)*nearFactor, t.c.Wait)
		}
	}
	return t.probes[n].sentAt + t.c.Wait
}

// overdue is called for a probe that nobody answered. Routers that limit their
// errors may answer a later probe in its place: an unreachable error that belongs
// to this hop by all signs is moved here.
func (t *tracer) overdue(n int) {
	p, first := &t.probes[n], n-n%t.c.Queries
	earlier := false
	for i := first; i < n; i++ {
		if !t.probes[i].done || !t.probes[i].final {
			return
		}
		earlier = true
	}
	f := t.nextDone(n)
	if f < 0 || !t.probes[f].final || t.probes[f].Mark == "" {
		return
	}
	found := &t.probes[f]
	if !earlier && f >= first+t.c.Queries && !t.seenBefore(n, found.Addr) && t.hopsOf(n, found) > n/t.c.Queries+1 {
		return
	}
	*p = *found
	*found = probe{sent: true, sentAt: found.sentAt}
}

// nextDone returns the first answered probe behind n, below 0 where there is none.
func (t *tracer) nextDone(n int) int {
	for i := n + 1; i < len(t.probes) && t.probes[i].sent; i++ {
		if t.probes[i].done {
			return i
		}
	}
	return -1
}

func (t *tracer) seenBefore(n int, a netip.Addr) bool {
	for _, p := range t.probes[:n] {
		if p.Addr == a {
			return true
		}
	}
	return false
}

// hopsOf guesses at which TTL the sender of an error is, from how many hops the
// error took back and how many the nearest hop's did.
func (t *tracer) hopsOf(n int, found *probe) int {
	back := hopsBack(found.TTL)
	for i := n - 1; i >= 0; i-- {
		p := &t.probes[i]
		if hops := hopsBack(p.TTL); p.done && !p.final && p.TTL > 0 && hops < back {
			return back - hops + i/t.c.Queries + 1
		}
	}
	return back
}

// hopsBack returns how many hops a packet made whose TTL began at 64, 128 or 255.
func hopsBack(ttl uint8) int {
	switch {
	case ttl <= 64:
		return 65 - int(ttl)
	case ttl <= 128:
		return 129 - int(ttl)
	}
	return 256 - int(ttl)
}
