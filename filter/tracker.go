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
	index    flowtable.Index
	flows    flowtable.Slab[flow]
	seed     flowtable.Seed
	timeouts [states]time.Duration
	limit    int
	hand     uint32 // where the search for dead flows goes on
	exceeded uint64
}

// flow is one tracked flow: 64 bytes, a cache line, without a pointer.
type flow struct {
	key     key
	expires time.Duration // dead from this instant on
	hash    uint32
	state   state
	opener  Direction
	_       [10]byte
}

// key identifies a flow as its packets look on egress, so that both directions
// have the same.
type key struct {
	local, remote wire.Addr
	ports         uint32 // local, remote
	kind          uint32 // protocol; above it, of fragments, their direction
}

// NewTracker returns an empty Tracker. It takes some 600 bytes until the first
// flow comes, then 13 KB, and some 90 bytes a flow in the long run.
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

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Len returns how many flows the table holds. Flows that died are among them until
// their place is needed. A fragmented datagram counts as one flow more.
func (t *Tracker) Len() int { return t.index.Len() }

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
		return t.alive(fragmentKey(d, &p.Flow), now)
	}
	k := keyOf(d, &p.Flow)
	f := t.find(&k, t.hash(&k))
	if f == nil || f.expires <= now {
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
// allocates 8 KB for 128 flows, and nothing where the place of a dead flow is found.
func (t *Tracker) Admit(d Direction, p *wire.Packet, now time.Duration) bool {
	s := opening(p)
	if s == noFlow || p.Fragment == wire.LaterFragment {
		return true
	}
	if !t.begin(keyOf(d, &p.Flow), s, d, now) {
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
		return t.alive(fragmentKey(d.Reverse(), &in.Flow), now)
	}
	return t.alive(keyOf(d.Reverse(), &in.Flow), now)
}

func (t *Tracker) alive(k key, now time.Duration) bool {
	f := t.find(&k, t.hash(&k))
	return f != nil && f.expires > now
}

// follow lets later fragments pass where the first one p did.
func (t *Tracker) follow(d Direction, p *wire.Packet, now time.Duration) {
	t.begin(fragmentKey(d, &p.Flow), fragments, d, now)
}

func (t *Tracker) begin(k key, s state, d Direction, now time.Duration) bool {
	h := t.hash(&k)
	f := t.find(&k, h)
	if f == nil {
		n, ok := t.place(now)
		if !ok || !t.index.Insert(h, n) {
			t.exceeded++
			return false
		}
		f = t.flows.At(n)
	}
	*f = flow{key: k, expires: now + t.timeouts[s], hash: h, state: s, opener: d}
	return true
}

// How many records one new flow looks at for a dead one to take the place of.
// Eight keep the table within 8/7 of what lives; at the allowance a refusal is worth looking longer.
const (
	searchNew  = 8
	searchFull = 256
)

// place returns the number of a record without a flow.
func (t *Tracker) place(now time.Duration) (n uint32, ok bool) {
	if n, ok = t.reclaim(searchNew, now); ok {
		return n, true
	}
	if t.limit == 0 || t.flows.Len() < t.limit {
		return t.flows.Append(), true
	}
	return t.reclaim(searchFull, now)
}

// reclaim goes on through the records, at most by tries, to one without a living flow.
func (t *Tracker) reclaim(tries int, now time.Duration) (n uint32, ok bool) {
	for range min(tries, t.flows.Len()) {
		n = t.hand
		if t.hand++; int(t.hand) >= t.flows.Len() {
			t.hand = 0
		}
		f := t.flows.At(n)
		if f.state == noFlow {
			return n, true
		}
		if f.expires <= now {
			t.index.Delete(f.hash, n)
			f.state = noFlow
			return n, true
		}
	}
	return 0, false
}

func keyOf(d Direction, f *wire.Flow) key {
	if d == Egress {
		return key{f.Src, f.Dst, uint32(f.SrcPort)<<16 | uint32(f.DstPort), uint32(f.Proto)}
	}
	return key{f.Dst, f.Src, uint32(f.DstPort)<<16 | uint32(f.SrcPort), uint32(f.Proto)}
}

// fragmentKey is the key of the later fragments that go in direction d.
func fragmentKey(d Direction, f *wire.Flow) key {
	k := keyOf(d, f)
	k.ports, k.kind = 0, k.kind|uint32(d)<<8
	return k
}

func (t *Tracker) hash(k *key) uint32 {
	return t.seed.Hash(k.local, k.remote, uint64(k.ports)<<32|uint64(k.kind))
}

func (t *Tracker) find(k *key, h uint32) *flow {
	for c := t.index.Probe(h); ; {
		n, ok := c.Next()
		if !ok {
			return nil
		}
		if f := t.flows.At(n); f.key == *k {
			return f
		}
	}
}
