package netfilter

import (
	"time"

	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// Tables is the packet filter of one guest: the tables nat and filter of IPv4 and of
// IPv6 and the connections. Make one with [New]. It belongs to one goroutine.
type Tables struct {
	families [familyCount]ruleset
	sessions *nat.Table
	origins  origins
	seed     flowtable.Seed // of the choice out of a range of addresses
	random   random
}

// Config is what a guest's netfilter may differ in. The zero Config is Linux's defaults.
type Config struct {
	// Timeouts of connections; zero fields are Linux's.
	Timeouts nat.Timeouts
	// Strict picks up no TCP connection in its middle: nf_conntrack_tcp_loose=0.
	Strict bool
	// Max is how many connections there may be (nf_conntrack_max); 0 is no bound.
	Max int
	// Seed decides over the ports that are picked where connections clash, and over
	// addresses out of a range. The same seed, the same behaviour.
	Seed uint64
}

// New returns empty tables whose policies accept.
func New(c Config) *Tables {
	t := &Tables{
		families: [familyCount]ruleset{newRuleset(), newRuleset()},
		seed:     flowtable.NewSeed(c.Seed),
		random:   random(c.Seed),
	}
	t.sessions = nat.NewTable(nat.TableConfig{
		Timeouts: c.Timeouts, Strict: c.Strict, Max: c.Max, Seed: c.Seed, Ended: t.ended,
	})
	return t
}

// Sessions returns the connections, for listings and tests; they must not be changed.
func (t *Tables) Sessions() *nat.Table { return t.sessions }

// Forget ends all connections, as "conntrack -F" does.
func (t *Tables) Forget(now time.Duration) {
	for id := range t.sessions.All(now) {
		t.sessions.Delete(id)
	}
}

// Tracks reports whether connections of a packet's family are tracked: from the
// first rule on that needs it. Only then does Linux put fragments together on their
// way through, and so must the caller.
func (t *Tables) Tracks(p *wire.Packet) bool { return t.rules(familyOf(p)).tracking }

func (t *Tables) rules(f family) *ruleset { return &t.families[f] }

// track is what connection tracking said of a packet. The zero track is an untracked one.
type track struct {
	state connState // one bit; 0 is untracked
	id    nat.ID    // 0 where untracked, invalid or fresh
	dir   nat.Direction

	// A connection that the packet would open is fresh until the packet leaves.
	fresh                bool
	original, translated wire.Flow

	// An answer belongs to the connection of what it answers, which may be fresh there.
	answer bool
}

// Answers says that w's packet, an ICMP error or a REJECT's RST made here, answers
// the packet of another passage: it belongs to the same connection, even if that one
// never becomes known (Linux's nf_ct_attach). It comes ahead of [Tables.Output].
func (w *Passage) Answers(cause *Passage) {
	k := cause.track
	if k.id == 0 && !k.fresh {
		return
	}
	k.state, k.answer = stateRelated, true
	if k.fresh {
		k.dir = nat.Original
		k.fresh = false
	}
	k.dir = k.dir.Reverse()
	w.track = k
}

// states returns the bits that --ctstate asks for.
func (t *Tables) states(w *Passage) connState {
	k := &w.track
	from, to := k.original, k.translated
	switch {
	case k.state == 0:
		return stateUntracked
	case k.id != 0:
		s := t.sessions.Session(k.id)
		from, to = s.Original, s.Translated
	}
	s := k.state
	if from.Src != to.Src || from.SrcPort != to.SrcPort {
		s |= stateSNAT
	}
	if from.Dst != to.Dst || from.DstPort != to.DstPort {
		s |= stateDNAT
	}
	return s
}

// begin finds out to which connection the packet belongs. What is received has its
// transport checksum looked at; what is made here is trusted (nf_conntrack_checksum).
func (t *Tables) begin(w *Passage, now time.Duration, received bool) {
	if w.track.answer {
		return
	}
	w.track = track{}
	p := w.Packet
	switch {
	case !t.Tracks(p), isNeighborDiscovery(p):
	case received && p.VerifyChecksum() != nil, !sane(p):
		w.track.state = stateInvalid
	case p.IsError():
		t.relate(w, now)
	default:
		t.track(w, now)
	}
}

// relate finds the connection that an ICMP error is about.
func (t *Tables) relate(w *Passage, now time.Duration) {
	k := &w.track
	k.state = stateInvalid
	in, ok := w.Packet.Inner()
	if !ok || in.Flow.Src != w.Packet.Flow.Dst {
		return
	}
	if k.id, k.dir = t.sessions.FindError(w.Packet, now); k.id != 0 {
		k.state = stateRelated
	}
}

// track finds the connection of a packet that is no error.
func (t *Tables) track(w *Passage, now time.Duration) {
	k, p := &w.track, w.Packet
	k.id, k.dir = t.sessions.Find(p.Flow, now)
	if k.id != 0 {
		replied := k.dir == nat.Reply || t.sessions.Session(k.id).Replied
		switch t.sessions.Track(k.id, k.dir, p, now) {
		case nat.Reopening:
			t.sessions.Delete(k.id)
			*k = track{}
		case nat.Invalid:
			*k = track{state: stateInvalid}
			return
		default:
			k.state = stateNew
			if replied {
				k.state = stateEstablished
			}
			return
		}
	}
	if !t.sessions.Opens(p) {
		k.state = stateInvalid
		return
	}
	*k = track{state: stateNew, fresh: true, original: p.Flow, translated: p.Flow}
}

// end makes a connection known once its first packet has got through. It is dropped
// where its answers would be another connection's.
func (t *Tables) end(w *Passage, v Verdict, now time.Duration) Verdict {
	k := &w.track
	if v != Accept || !k.fresh {
		return v
	}
	k.fresh = false
	k.id = t.sessions.Create(k.original, k.translated, w.Packet.Flags, now)
	if k.id == 0 {
		k.state = stateInvalid
		return Drop
	}
	k.dir = nat.Original
	t.origins.add(originOf(&k.original), k.id)
	return v
}

// ended is told of every session that ends.
func (t *Tables) ended(id nat.ID, _ nat.End) {
	s := t.sessions.Session(id)
	t.origins.remove(originOf(&s.Original), id)
}

// isNeighborDiscovery reports whether p is one of the ICMPv6 messages between
// neighbours, which Linux leaves untracked: RFC 4861 without redirects, RFC 2710, RFC
// 3810.
func isNeighborDiscovery(p *wire.Packet) bool {
	if p.Flow.Proto != wire.ProtoICMPv6 {
		return false
	}
	switch t := p.Type; {
	case t >= wire.ICMPv6RouterSolicitation && t <= wire.ICMPv6NeighborAdvertisement:
		return true
	case t >= 130 && t <= 132, t == 143: // multicast listeners
		return true
	}
	return false
}

// sane reports whether a TCP segment's flags make sense together, as Linux sees it:
// of SYN, FIN and RST one at most, FIN with ACK, not none at all.
func sane(p *wire.Packet) bool {
	if p.Flow.Proto != wire.ProtoTCP {
		return true
	}
	switch p.Flags & (wire.SYN | wire.FIN | wire.RST | wire.ACK | wire.URG) {
	case wire.SYN, wire.SYN | wire.URG, wire.SYN | wire.ACK,
		wire.RST, wire.RST | wire.ACK,
		wire.FIN | wire.ACK, wire.FIN | wire.ACK | wire.URG,
		wire.ACK, wire.ACK | wire.URG:
		return true
	}
	return false
}

// origin is what the connections of one socket have in common.
type origin struct {
	addr  wire.Addr
	port  uint16
	proto wire.Proto
}

func originOf(f *wire.Flow) origin { return origin{f.Src, f.SrcPort, f.Proto} }

// origins finds the connections of an origin, the last opened first: Linux gives a
// socket that talks to several peers the same translation, where it can.
type origins struct {
	newest map[origin]nat.ID
	links  []link // by ID
}

type link struct{ newer, older nat.ID }

func (o *origins) add(from origin, id nat.ID) {
	if o.newest == nil {
		o.newest = make(map[origin]nat.ID)
	}
	for len(o.links) <= int(id) {
		o.links = append(o.links, link{})
	}
	old := o.newest[from]
	o.links[id] = link{older: old}
	if old != 0 {
		o.links[old].newer = id
	}
	o.newest[from] = id
}

func (o *origins) remove(from origin, id nat.ID) {
	l := o.links[id]
	if l.older != 0 {
		o.links[l.older].newer = l.newer
	}
	switch {
	case l.newer != 0:
		o.links[l.newer].older = l.older
	case l.older != 0:
		o.newest[from] = l.older
	default:
		delete(o.newest, from)
	}
	o.links[id] = link{}
}
