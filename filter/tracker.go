package filter

import (
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/wire"
)

// TrackerConfig is what a [Tracker] may differ in. The zero TrackerConfig is AWS's
// default. Ranges are AWS's and refused by its API, not here.
type TrackerConfig struct {
	// TCPEstablished is how long an established TCP connection may be idle: 60 to
	// 432,000 seconds; 0 is 432,000 (Nitro v6 instances: 350).
	TCPEstablished time.Duration
	// UDP is how long a UDP flow may be idle that has seen packets in one direction
	// only, or one request and its response: 30 to 60 seconds; 0 is 30.
	UDP time.Duration
	// UDPStream is how long a UDP flow may be idle after more than one request and
	// response: 60 to 180 seconds; 0 is 180.
	UDPStream time.Duration
	// Allowance is how many flows may be tracked at once; 0 is no bound. AWS has a
	// bound for each instance type and does not publish it.
	Allowance int
	// Seed makes the table's hash its own; the same seed, the same behaviour.
	Seed uint64
}

// Tracker remembers the flows that the rules of one interface let through, so that
// packets of both directions pass whatever becomes of the rules. The directions are the
// interface's. It is one goroutine's. Make one with [NewTracker].
//
// What is one flow: TCP and UDP by addresses and ports, ICMP queries by addresses
// and identifier, other protocols by addresses and protocol number. An ICMP error
// is related to the flow that it quotes.
type Tracker struct {
	flows    flows
	seed     flowtable.Seed
	timeouts [states]time.Duration
	limit    int
	exceeded uint64
	stranger stranger
}

// stranger is what Recall found no place of: [Tracker.Admit] follows, mostly, and need
// not search again. It is none when the table has changed since.
type stranger struct {
	local, remote wire.Addr
	rest          uint64
	hash          uint32
	known         bool // that it is in no place
}

func (s *stranger) is(local, remote wire.Addr, rest uint64) bool {
	return s.known && s.rest == rest && s.local == local && s.remote == remote
}

// NewTracker returns an empty Tracker. It takes some 220 bytes until the first flow
// comes, then 4 KB, and some 130 bytes a flow in the long run.
func NewTracker(c TrackerConfig) *Tracker {
	t := &Tracker{seed: flowtable.NewSeed(c.Seed)}
	t.Configure(c)
	return t
}

// Configure changes timeouts and allowance. Each tracked flow keeps the timeout it
// has until its next packet; none is dropped for a smaller allowance. The seed stays.
func (t *Tracker) Configure(c TrackerConfig) {
	udp := orDefault(c.UDP, 30*time.Second)
	t.timeouts = [states]time.Duration{
		tcpSynSent:     synSentTimeout,
		tcpSynReceived: synReceivedTimeout,
		tcpEstablished: orDefault(c.TCPEstablished, 432_000*time.Second),
		tcpClosing:     closingTimeout,
		tcpClosed:      closedTimeout,
		udpAsked:       udp,
		udpAnswered:    udp,
		udpAskedAgain:  udp,
		udpStream:      orDefault(c.UDPStream, 180*time.Second),
		icmpQuery:      icmpTimeout,
		otherProtocol:  otherTimeout,
		fragments:      fragmentTimeout,
	}
	t.limit = c.Allowance
}

// Reset forgets all flows and refusals. Configuration, seed and memory stay. It looks
// at every record.
func (t *Tracker) Reset() {
	t.flows.clear()
	t.stranger.known = false
	t.exceeded = 0
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Len returns how many flows the table holds. Flows that died are among them until
// their place is needed. A fragmented datagram counts as one flow more.
func (t *Tracker) Len() int { return t.flows.n }

// Exceeded returns how many flows could not be tracked because the allowance was
// used up: AWS's counter conntrack_allowance_exceeded.
func (t *Tracker) Exceeded() uint64 { return t.exceeded }

// Knows reports whether p, going in direction d, belongs to a tracked flow, and
// lets the flow live on. An ICMP error about a tracked flow belongs to it, and does
// not prolong it. A TCP connection that begins on the ports of one that was closed
// is not known: the rules decide. now must not go back. It does not allocate,
// but where p is the first fragment of a datagram.
func (t *Tracker) Knows(d Direction, p *wire.Packet, now time.Duration) bool {
	if p.IsError() {
		return t.related(d, p, now)
	}
	if p.Fragment == wire.LaterFragment {
		f := t.find(fragmentEnds(d, &p.Flow))
		return f.alive(now)
	}
	local, remote, rest := ends(d, &p.Flow)
	h := t.seed.Hash(local, remote, rest)
	f := t.flows.find(h, local, remote, rest)
	if f == nil {
		t.stranger = stranger{local, remote, rest, h, true}
	}
	if !f.alive(now) {
		return false
	}
	s := f.state.next(p.Flags, d == f.opener)
	if s == noFlow {
		return false
	}
	f.state = s
	f.expires = now + t.timeouts[s]
	if p.Fragment == wire.FirstFragment {
		t.follow(d, p, now)
	}
	return true
}

// Admit begins to track the flow of p, which goes in direction d, is not known and
// was let through by a rule. It reports false where the allowance is used up: p is
// to be dropped. A packet that can't begin a flow is let through untracked: a TCP
// segment other than a SYN, an ICMP message other than a query, a later fragment. It
// allocates now and then, and nothing where the place of a dead flow is found.
func (t *Tracker) Admit(d Direction, p *wire.Packet, now time.Duration) bool {
	s := opening(p)
	if s == noFlow || p.Fragment == wire.LaterFragment {
		return true
	}
	local, remote, rest := ends(d, &p.Flow)
	if t.begin(local, remote, rest, s, d, now) == nil {
		return false
	}
	if p.Fragment == wire.FirstFragment {
		t.follow(d, p, now)
	}
	return true
}

// related reports whether an ICMP error is about a tracked flow: one that quotes a
// packet that went the other way and was sent by whom the error is for.
func (t *Tracker) related(d Direction, p *wire.Packet, now time.Duration) bool {
	in, ok := p.Inner()
	if !ok || in.Flow.Src != p.Flow.Dst {
		return false
	}
	if in.Fragment == wire.LaterFragment {
		f := t.find(fragmentEnds(d.Reverse(), &in.Flow))
		return f.alive(now)
	}
	f := t.find(ends(d.Reverse(), &in.Flow))
	return f.alive(now)
}

// follow lets later fragments pass where the first one p did.
func (t *Tracker) follow(d Direction, p *wire.Packet, now time.Duration) {
	local, remote, rest := fragmentEnds(d, &p.Flow)
	t.begin(local, remote, rest, fragments, d, now)
}

// begin puts a flow into the table, in place of what is left of it, and returns its
// place, nil where there is none. At the allowance it looks for a dead flow in two buckets
// more, not through the whole table: while the dead are fewer than one in a hundred, some
// flows are refused that need not be.
func (t *Tracker) begin(local, remote wire.Addr, rest uint64, s state, opener Direction, now time.Duration) *flow {
	var f *flow
	h := t.stranger.hash
	if !t.stranger.is(local, remote, rest) {
		h = t.seed.Hash(local, remote, rest)
		f = t.flows.find(h, local, remote, rest)
	}
	t.stranger.known = false
	if f == nil {
		f = t.flows.dead(h, now)
	}
	if f == nil && (t.limit == 0 || t.flows.n < t.limit || t.flows.sweepMore(2, now)) {
		f = t.flows.add(h, now)
	}
	if f == nil {
		t.exceeded++
		return nil
	}
	*f = flow{local: local, remote: remote, rest: rest, expires: now + t.timeouts[s], hash: h, state: s, opener: opener}
	return f
}

// ends returns what identifies a flow. The three travel in registers; as a struct
// of 40 bytes they would go through memory (Go 1.26), which doubles the cost of Knows.
func ends(d Direction, f *wire.Flow) (local, remote wire.Addr, rest uint64) {
	if d == Egress {
		return f.Src, f.Dst, uint64(f.SrcPort)<<32 | uint64(f.DstPort)<<16 | uint64(f.Proto)
	}
	return f.Dst, f.Src, uint64(f.DstPort)<<32 | uint64(f.SrcPort)<<16 | uint64(f.Proto)
}

// fragmentEnds is ends for the later fragments that go in direction d.
func fragmentEnds(d Direction, f *wire.Flow) (local, remote wire.Addr, rest uint64) {
	local, remote, _ = ends(d, f)
	return local, remote, uint64(d)<<8 | uint64(f.Proto)
}

// find returns the flow with these ends, nil where there is none.
func (t *Tracker) find(local, remote wire.Addr, rest uint64) *flow {
	return t.flows.find(t.seed.Hash(local, remote, rest), local, remote, rest)
}
