package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// State is what a session's timeout goes by: a TCP connection's state as Linux's
// conntrack sees it from between the two ends, or the kind of another session.
type State uint8

// The states. The zero State is none.
const (
	noState     State = iota
	SynSent           // SYN seen
	SynSent2          // SYN seen from both sides (simultaneous open)
	SynReceived       // SYN and ACK seen from the other side
	Established       // open both ways, or picked up in the middle
	FinWait           // first FIN seen
	CloseWait         // first FIN acknowledged
	LastAck           // both FINs seen
	TimeWait          // both FINs acknowledged
	Close             // RST seen
	UDP               // UDP, one request or one exchange
	UDPStream         // UDP that goes on for more than two seconds, both ways
	ICMPQuery         // ICMP query, such as echo
	Generic           // any other protocol
	states            // how many there are
)

var stateNames = [states]string{
	"NONE", "SYN_SENT", "SYN_SENT2", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
	"LAST_ACK", "TIME_WAIT", "CLOSE", "UDP", "UDP_STREAM", "ICMP", "GENERIC",
}

// String returns a TCP state's name in /proc/net/nf_conntrack; others are named by
// their timeout.
func (s State) String() string {
	if s < states {
		return stateNames[s]
	}
	return "unknown"
}

// Timeouts say how long a session lives without a packet, by state. A zero field
// is Linux's default (net.netfilter.nf_conntrack_*_timeout_*, measured on 6.18).
type Timeouts struct {
	Generic        time.Duration // 600 s
	ICMP           time.Duration // 30 s
	UDP            time.Duration // 30 s
	UDPStream      time.Duration // 120 s
	SynSent        time.Duration // 120 s; simultaneous opens too
	SynReceived    time.Duration // 60 s
	Established    time.Duration // 432,000 s
	FinWait        time.Duration // 120 s
	CloseWait      time.Duration // 60 s
	LastAck        time.Duration // 30 s
	TimeWait       time.Duration // 120 s
	Close          time.Duration // 10 s
	Unacknowledged time.Duration // 300 s; a connection picked up in the middle, before its first answer
}

// uniform returns Timeouts that are d whatever the state.
func uniform(d time.Duration) Timeouts {
	return Timeouts{d, d, d, d, d, d, d, d, d, d, d, d, d}
}

// byState returns the timeouts in the order of the states; state 0 is Unacknowledged.
func (t Timeouts) byState() [states]time.Duration {
	or := func(d time.Duration, seconds int) time.Duration {
		if d == 0 {
			return time.Duration(seconds) * time.Second
		}
		return d
	}
	return [states]time.Duration{
		noState:     or(t.Unacknowledged, 300),
		SynSent:     or(t.SynSent, 120),
		SynSent2:    or(t.SynSent, 120),
		SynReceived: or(t.SynReceived, 60),
		Established: or(t.Established, 432_000),
		FinWait:     or(t.FinWait, 120),
		CloseWait:   or(t.CloseWait, 60),
		LastAck:     or(t.LastAck, 30),
		TimeWait:    or(t.TimeWait, 120),
		Close:       or(t.Close, 10),
		UDP:         or(t.UDP, 30),
		UDPStream:   or(t.UDPStream, 120),
		ICMPQuery:   or(t.ICMP, 30),
		Generic:     or(t.Generic, 600),
	}
}

// Tracking is what a packet is to the session that it matches.
type Tracking uint8

// The words of [Table.Track]. The zero Tracking is none.
const (
	_ Tracking = iota
	// Tracked is a packet that fits; the session lives on.
	Tracked
	// Ignored is one that may be right if the table is wrong: it is to be
	// translated, and changes nothing.
	Ignored
	// Invalid is one that can't be the session's: Linux's INVALID, not translated.
	Invalid
	// Reopening is a SYN from the opener of a connection that is closed: the
	// session is to be ended, and the SYN opens a new one.
	Reopening
)

// String returns the word in lower case.
func (k Tracking) String() string {
	return [...]string{"none", "tracked", "ignored", "invalid", "reopening"}[k%5]
}

// segment is what of a segment's flags moves a TCP state; RST goes before SYN, SYN
// before FIN, FIN before ACK.
type segment uint8

const (
	segSYN segment = iota
	segSYNACK
	segFIN
	segACK
	segRST
	segNone
)

func segmentOf(f wire.TCPFlags) segment {
	switch {
	case f.Has(wire.RST):
		return segRST
	case f.Has(wire.SYN | wire.ACK):
		return segSYNACK
	case f.Has(wire.SYN):
		return segSYN
	case f.Has(wire.FIN):
		return segFIN
	case f.Has(wire.ACK):
		return segACK
	}
	return segNone
}

// opening returns the state of a session that a packet of the flow with these
// flags would open, noState where it can't open one.
func opening(proto wire.Proto, flags wire.TCPFlags) State {
	switch proto {
	case wire.ProtoTCP:
		switch segmentOf(flags) {
		case segSYN:
			return SynSent
		case segACK:
			return Established
		}
		return noState
	case wire.ProtoUDP:
		return UDP
	case wire.ProtoICMP, wire.ProtoICMPv6:
		return ICMPQuery
	}
	return Generic
}

// nextTCP returns the state after a segment in direction d, and what the segment is
// to the session. It holds what the kernel holds in its table of states, without
// sequence numbers and windows: those are not modelled.
func nextTCP(s State, seg segment, d Direction) (State, Tracking) {
	switch seg {
	case segRST:
		return Close, Tracked
	case segSYN:
		return nextSYN(s, d)
	case segSYNACK:
		return nextSYNACK(s, d)
	case segFIN:
		switch s {
		case SynReceived, Established:
			return FinWait, Tracked
		case FinWait, CloseWait, LastAck:
			return LastAck, Tracked
		case TimeWait, Close:
			return s, Tracked
		}
	case segACK:
		return nextACK(s, d)
	}
	return s, Invalid
}

func nextSYN(s State, d Direction) (State, Tracking) {
	switch {
	case d == Original && (s == TimeWait || s == Close):
		return s, Reopening
	case d == Original && (s == SynSent || s == SynSent2):
		return s, Tracked
	case d == Original:
		return s, Ignored
	case s == SynSent || s == SynSent2:
		return SynSent2, Tracked
	case s == TimeWait:
		return s, Reopening
	}
	return s, Invalid
}

func nextSYNACK(s State, d Direction) (State, Tracking) {
	switch {
	case s == SynSent2, d == Original && s == SynReceived, d == Reply && s == SynSent:
		return SynReceived, Tracked
	case d == Reply:
		return s, Ignored
	}
	return s, Invalid
}

func nextACK(s State, d Direction) (State, Tracking) {
	switch s {
	case SynSent, SynSent2:
		if d == Reply {
			return s, Ignored
		}
		return s, Invalid
	case SynReceived:
		if d == Original {
			return Established, Tracked
		}
		return s, Tracked
	case FinWait, CloseWait:
		return CloseWait, Tracked
	case LastAck, TimeWait:
		return TimeWait, Tracked
	}
	return s, Tracked
}
