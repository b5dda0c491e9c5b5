package nat_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/wire"
)

// slowTable is a Table as one would write it without thinking of speed: a list of
// sessions, and TCP's states in a table like the kernel's (nf_conntrack_proto_tcp).
type slowTable struct {
	list []*slowSession
	last time.Duration
}

type slowSession struct {
	nat.Session
	id nat.ID

	closed   bool          // by a FIN, of TCP
	last     string        // kind of the last segment
	lastSide nat.Direction // of it
	crossed  bool          // SYNs did
}

// The kernel's transitions: a row for each kind of segment and direction, a column
// for each state before. IV is invalid, IG ignored, RO a reopening.
const columns = "SS S2 SR ES FW CW LA TW CL"

var transitions = map[nat.Direction]map[string]string{
	nat.Original: {
		"SYN":  "SS S2 IG IG IG IG IG RO RO",
		"SYN.": "IV SR SR IV IV IV IV IV IV",
		"FIN":  "IV IV FW FW LA LA LA TW CL",
		"ACK":  "IV IV ES ES CW CW TW TW CL",
		"RST":  "CL CL CL CL CL CL CL CL CL",
		"none": "IV IV IV IV IV IV IV IV IV",
	},
	nat.Reply: {
		"SYN":  "S2 S2 IV IV IV IV IV RO IV",
		"SYN.": "SR SR IG IG IG IG IG IG IG",
		"FIN":  "IV IV FW FW LA LA LA TW CL",
		"ACK":  "IG IG SR ES CW CW TW TW CL",
		"RST":  "CL CL CL CL CL CL CL CL CL",
		"none": "IV IV IV IV IV IV IV IV IV",
	},
}

var abbreviations = map[string]nat.State{
	"SS": nat.SynSent, "S2": nat.SynSent2, "SR": nat.SynReceived, "ES": nat.Established,
	"FW": nat.FinWait, "CW": nat.CloseWait, "LA": nat.LastAck, "TW": nat.TimeWait, "CL": nat.Close,
}

var seconds = map[nat.State]time.Duration{
	nat.SynSent: 120, nat.SynSent2: 120, nat.SynReceived: 60, nat.Established: 432000,
	nat.FinWait: 120, nat.CloseWait: 60, nat.LastAck: 30, nat.TimeWait: 120, nat.Close: 10,
	nat.UDP: 30, nat.UDPStream: 120, nat.ICMPQuery: 30, nat.Generic: 600,
}

func kindOf(f wire.TCPFlags) string {
	switch {
	case f&wire.RST != 0:
		return "RST"
	case f&(wire.SYN|wire.ACK) == wire.SYN|wire.ACK:
		return "SYN."
	case f&wire.SYN != 0:
		return "SYN"
	case f&wire.FIN != 0:
		return "FIN"
	case f&wire.ACK != 0:
		return "ACK"
	}
	return "none"
}

// transition looks up what a segment does to a TCP state.
func transition(s nat.State, f wire.TCPFlags, d nat.Direction) string {
	row := strings.Fields(transitions[d][kindOf(f)])
	for i, c := range strings.Fields(columns) {
		if abbreviations[c] == s {
			return row[i]
		}
	}
	panic(fmt.Sprint("no column for ", s))
}

func (t *slowTable) find(f wire.Flow, now time.Duration) (*slowSession, nat.Direction) {
	for _, s := range t.list {
		switch {
		case s.Expires <= now:
		case s.Original == f:
			return s, nat.Original
		case s.Translated.Reverse() == f:
			return s, nat.Reply
		}
	}
	return nil, 0
}

func (t *slowTable) create(original, translated wire.Flow, flags wire.TCPFlags, now time.Duration) *slowSession {
	a, _ := t.find(original, now)
	b, _ := t.find(translated.Reverse(), now)
	if a != nil || b != nil {
		return nil
	}
	s := &slowSession{Session: nat.Session{Original: original, Translated: translated}}
	life := time.Duration(0)
	switch original.Proto {
	case wire.ProtoUDP:
		s.State = nat.UDP
	case wire.ProtoICMP, wire.ProtoICMPv6:
		s.State = nat.ICMPQuery
	case wire.ProtoTCP:
		switch kindOf(flags) {
		case "SYN":
			s.State = nat.SynSent
		case "ACK":
			s.State, life = nat.Established, 300*second
		default:
			return nil
		}
	default:
		s.State = nat.Generic
	}
	if life == 0 {
		life = seconds[s.State] * second
	}
	s.Created = max(now, t.last+1)
	t.last = s.Created
	s.Expires = now + life
	t.list = append(t.list, s)
	return s
}

func (s *slowSession) track(d nat.Direction, flags wire.TCPFlags, now time.Duration) nat.Tracking {
	before, first := s.State, !s.Replied
	word := nat.Tracked
	life := time.Duration(-1)
	switch {
	case before == nat.UDP && s.Replied && now > s.Created+2*second:
		s.State, s.Assured = nat.UDPStream, true
	case s.Original.Proto == wire.ProtoTCP:
		next := transition(before, flags, d)
		if next == "RO" && !s.closed && (s.last != "RST" || s.lastSide != d) {
			next = "IG" // neither closed by FIN nor aborted by the side that opens it now
		}
		if next == "IG" && kindOf(flags) == "SYN." && s.last == "SYN" && s.lastSide == nat.Original {
			next, s.closed = "SR", false // the ends are in step, the table was not
		}
		if next == "FW" && before != nat.FinWait {
			s.closed = true
		}
		switch {
		case next == "S2":
			s.crossed = true
		case next == "IG" && kindOf(flags) == "SYN":
			s.crossed = false
		case next == "SR" && kindOf(flags) == "ACK" && s.crossed:
			next = "ES"
		case before == nat.LastAck && d == nat.Reply && kindOf(flags) == "ACK" && s.last == "SYN" && s.lastSide == nat.Original:
			next = "IG" // a challenge
		}
		if next != "IV" && next != "RO" {
			s.last, s.lastSide = kindOf(flags), d
		}
		switch next {
		case "IV":
			return nat.Invalid
		case "RO":
			s.Replied = s.Replied || d == nat.Reply
			return nat.Reopening
		case "IG":
			word = nat.Ignored
		default:
			s.State = abbreviations[next]
		}
		switch {
		case word == nat.Ignored || first && kindOf(flags) == "SYN" && before == nat.SynSent:
			life = 0
		case first && kindOf(flags) == "RST":
			s.Expires = now
			life = 0
		case first && s.State == nat.Established:
			life = 300 * second
		case !first && s.State == nat.Established && (before == nat.SynReceived || before == nat.Established):
			s.Assured = true
		}
	}
	s.Replied = s.Replied || d == nat.Reply
	if life < 0 {
		life = seconds[s.State] * second
	}
	if life > 0 {
		s.Expires = now + life
	}
	return word
}

func (t *slowTable) living(now time.Duration) []nat.Session {
	t.list = slices.DeleteFunc(t.list, func(s *slowSession) bool { return s.Expires <= now })
	var all []nat.Session
	for _, s := range t.list {
		all = append(all, s.Session)
	}
	return all
}

// A universe is a small set of flows, so that they meet.
func randomFlow(r *rand.Rand) wire.Flow {
	protos := []wire.Proto{wire.ProtoUDP, wire.ProtoTCP, wire.ProtoTCP, wire.ProtoTCP, wire.ProtoICMP, 47}
	f := wire.Flow{Proto: protos[r.IntN(len(protos))]}
	addr := func(side uint32) wire.Addr {
		if r.IntN(2) == 0 {
			return wire.AddrFromV4(10<<24 | side<<16 | uint32(r.IntN(3)))
		}
		return wire.AddrFromWords(0x20010db8<<32|uint64(side)<<8|uint64(r.IntN(2)), uint64(r.IntN(2)))
	}
	f.Src, f.Dst = addr(0), addr(1)
	for f.Src.Is4() != f.Dst.Is4() {
		f.Dst = addr(1)
	}
	switch f.Proto {
	case wire.ProtoICMP:
		f.SrcPort = uint16(r.IntN(4))
		if !f.Src.Is4() {
			f.Proto = wire.ProtoICMPv6
		}
	case wire.ProtoTCP, wire.ProtoUDP:
		f.SrcPort, f.DstPort = uint16(r.IntN(4)), uint16(r.IntN(2))
	}
	return f
}

func TestTheTableIsItsSlowTwin(t *testing.T) {
	flags := []wire.TCPFlags{wire.SYN, wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.ACK, wire.ACK | wire.PSH,
		wire.FIN | wire.ACK, wire.RST, wire.URG, wire.RST | wire.ACK}
	steps := []time.Duration{0, 0, 0, 1, time.Millisecond, second, 3 * second, 10 * second, 29 * second,
		30 * second, 119 * second, 600 * second, 100 * time.Hour}
	words := map[nat.Tracking]int{}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		fast, slow := nat.NewTable(nat.TableConfig{Seed: seed}), &slowTable{last: -1}
		var now time.Duration
		for step := range 4000 {
			if r.IntN(10) == 0 {
				now += steps[r.IntN(len(steps))]
			}
			flag, f := flags[r.IntN(len(flags))], randomFlow(r)
			if len(slow.list) > 0 && r.IntN(3) > 0 { // a packet of a session, rather than of nothing
				s := slow.list[r.IntN(len(slow.list))]
				f = s.Original
				if r.IntN(2) == 0 {
					f = s.Translated.Reverse()
				}
			}
			id, d := fast.Find(f, now)
			s, way := slow.find(f, now)
			require.Equal(t, way, d, "seed %d step %d %v", seed, step, f)
			switch {
			case s == nil:
				translated := randomFlow(r)
				translated.Proto = f.Proto
				if f.Src.Is4() != translated.Src.Is4() {
					continue
				}
				s = slow.create(f, translated, flag, now)
				id = fast.Create(f, translated, flag, now)
				require.Equal(t, s != nil, id != 0, "seed %d step %d: %v as %v", seed, step, f, translated)
				if s != nil {
					s.id = id
				}
			case r.IntN(20) == 0:
				fast.Delete(id)
				s.Expires = now
			default:
				require.Equal(t, s.id, id)
				p := &wire.Packet{Flow: f, Flags: flag}
				word := s.track(d, flag, now)
				require.Equal(t, word, fast.Track(id, d, p, now), "seed %d step %d: %v %v %v", seed, step, s.State, d, flag)
				words[word]++
			}
			if step%50 == 0 || r.IntN(40) == 0 {
				var all []nat.Session
				for _, s := range fast.All(now) {
					all = append(all, s)
				}
				require.Equal(t, slow.living(now), all, "seed %d step %d", seed, step)
				fast.Expire(now)
				require.Equal(t, len(all), fast.Len())
			}
		}
	}
	for _, word := range []nat.Tracking{nat.Tracked, nat.Ignored, nat.Invalid, nat.Reopening} {
		require.Greater(t, words[word], 30, "%v", word)
	}
}

// slowMasquerade knows which flow has which outside flow, and since when it is idle.
type slowMasquerade struct {
	out map[wire.Flow]wire.Flow
	at  map[wire.Flow]time.Duration // last packet, by inside flow
}

func (m *slowMasquerade) living(f wire.Flow, idle, now time.Duration) bool {
	_, ok := m.out[f]
	return ok && now < m.at[f]+idle
}

// taken counts the living sessions toward a destination, from one address or all.
func (m *slowMasquerade) taken(like wire.Flow, idle, now time.Duration) (n int) {
	for in, out := range m.out {
		same := out
		same.SrcPort = 0
		if same == like && m.living(in, idle, now) {
			n++
		}
	}
	return n
}

func TestTheMasqueradeIsItsSlowTwin(t *testing.T) {
	other := wire.MustParseAddr("10.0.1.6")
	verdicts := map[nat.Verdict]int{}
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 2))
		bound, idle := 3+r.IntN(30), 20*second
		m := masquerade(t, nat.Config{Addrs: []wire.Addr{gateway, other}, FlowsPerDestination: bound,
			FirstPort: 5000, LastPort: uint16(5000 + bound + r.IntN(2000)), Idle: idle, Seed: seed})
		slow := slowMasquerade{map[wire.Flow]wire.Flow{}, map[wire.Flow]time.Duration{}}
		var now time.Duration
		for step := range 3000 {
			if r.IntN(3) == 0 {
				now += time.Duration(r.IntN(int(second)))
			}
			proto := []wire.Proto{wire.ProtoUDP, wire.ProtoICMP}[r.IntN(2)]
			f := flow(proto, wire.AddrFromV4(10<<24|uint32(r.IntN(3))), uint16(1+r.IntN(60)), server, 0)
			switch out, known := slow.out[f]; {
			case known && r.IntN(2) == 0:
				p := of(t, out.Reverse(), 0)
				want := nat.NoSession
				if slow.living(f, idle, now) {
					want, slow.at[f] = nat.Translated, now
				} else if owned(slow, out, idle, now) {
					continue // the port is another session's by now
				}
				require.Equal(t, want, m.Back(p, now), "seed %d step %d: %v", seed, step, out)
				verdicts[want]++
				if want == nat.Translated {
					require.Equal(t, f.Reverse(), p.Flow)
				}
			default:
				p, like := of(t, f, 0), f
				like.SrcPort, like.Src = 0, gateway
				free := 2*bound - slow.taken(like, idle, now)
				like.Src = other
				free -= slow.taken(like, idle, now)
				want := nat.Translated
				if !slow.living(f, idle, now) && free == 0 {
					want = nat.NoPort
				}
				require.Equal(t, want, m.Out(p, now), "seed %d step %d: %v", seed, step, f)
				verdicts[want]++
				if want != nat.Translated {
					continue
				}
				again(t, p)
				if slow.living(f, idle, now) {
					require.Equal(t, out, p.Flow)
				} else {
					require.False(t, owned(slow, p.Flow, idle, now), "%v is another's", p.Flow)
				}
				slow.out[f], slow.at[f] = p.Flow, now
			}
		}
	}
	for _, v := range []nat.Verdict{nat.Translated, nat.NoSession, nat.NoPort} {
		require.Greater(t, verdicts[v], 100, "%v", v)
	}
}

// owned reports whether a living session has an outside flow.
func owned(m slowMasquerade, out wire.Flow, idle, now time.Duration) bool {
	for in, o := range m.out {
		if o == out && m.living(in, idle, now) {
			return true
		}
	}
	return false
}
