package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Direction is a packet's direction within its session.
type Direction uint8

// The directions. The zero Direction is none.
const (
	noDirection Direction = iota
	// Original is the direction of the packet that opened the session.
	Original
	// Reply is the direction of the answers.
	Reply
)

// Reverse returns the other direction, of none none.
func (d Direction) Reverse() Direction {
	if d == noDirection {
		return d
	}
	return Original + Reply - d
}

// String returns "original", "reply" or "none".
func (d Direction) String() string { return [...]string{"none", "original", "reply"}[d%3] }

// ID names a session within its [Table]. It is good until the session ends; then
// another may get it. The zero ID is no session.
type ID uint32

// Session is what a [Table] knows of one session, for listings and tests.
type Session struct {
	// Original is the flow as the session's opener sends it.
	Original wire.Flow
	// Translated is that flow after translation. The tuple of the answers, which
	// conntrack lists second, is Translated.Reverse().
	Translated wire.Flow
	// State is TCP's state, or what else the timeout goes by.
	State State
	// Replied reports whether a packet has come in the direction Reply, Assured
	// whether the session is more than a request and its answer: conntrack's
	// [UNREPLIED] (inverted) and [ASSURED].
	Replied, Assured bool
	// Created is when the session began. Of those that began in one instant, each
	// is 1 ns younger than the one before.
	Created time.Duration
	// Expires is the instant from which on the session is no more, if no packet comes.
	Expires time.Duration
}

// record is a session as the table keeps it: one cache line without a pointer.
// Tuple 0 is the flow of direction Original, tuple 1 that of direction Reply.
//
// Of an address it holds the low half, which for IPv4 says all; the high halves of
// a session that has IPv6 in it stand in a record of their own ([wide]).
type record struct {
	addr    [2][2]uint64 // source and destination of both tuples
	created time.Duration
	expires time.Duration // the session is dead from this instant on
	port    [2]uint32     // source<<16 | destination of both tuples
	wide    uint32        // number of the high halves; 0, which is all zeros, for IPv4
	proto   [2]wire.Proto // one each: NAT64 turns ICMP into ICMPv6 (RFC 7915)
	state   State         // noState: the record is free
	marks   mark
}

// wide holds the high halves of addr.
type wide [2][2]uint64

// narrow is the high halves of every session of IPv4 alone. It is never written.
var narrow wide

type mark uint8

const (
	replied mark = 1 << iota
	assured
	closing    // TCP: a FIN began to close an open connection
	resetForth // TCP: the last segment was a RST of the opener's
	resetBack  // TCP: it was one of the other side's
	openForth  // TCP: it was a SYN of the opener's
	crossed    // TCP: SYNs crossed (simultaneous open)
)

func side(d Direction) int { return int(d-1) & 1 }

func packPorts(f *wire.Flow) uint32 { return uint32(f.SrcPort)<<16 | uint32(f.DstPort) }

// tuple returns tuple i of the session as a flow.
func (r *record) tuple(i int, w *wide) wire.Flow {
	return wire.Flow{
		Src:     wire.AddrFromWords(w[i][0], r.addr[i][0]),
		Dst:     wire.AddrFromWords(w[i][1], r.addr[i][1]),
		SrcPort: uint16(r.port[i] >> 16),
		DstPort: uint16(r.port[i]),
		Proto:   r.proto[i],
	}
}

// is reports whether tuple i has these low halves of addresses, packed ports and protocol.
func (r *record) is(i int, src, dst uint64, ports uint32, proto wire.Proto) bool {
	a := &r.addr[i&1]
	return src == a[0] && dst == a[1] && ports == r.port[i&1] && proto == r.proto[i&1]
}

// is reports whether the high halves of tuple i are f's.
func (w *wide) is(f *wire.Flow, i int) bool {
	src, _ := f.Src.Words()
	dst, _ := f.Dst.Words()
	return src == w[i&1][0] && dst == w[i&1][1]
}

// set writes f as tuple i and returns whether an address has a high half.
func (r *record) set(f *wire.Flow, i int, w *wide) bool {
	w[i][0], r.addr[i][0] = f.Src.Words()
	w[i][1], r.addr[i][1] = f.Dst.Words()
	r.port[i] = packPorts(f)
	r.proto[i] = f.Proto
	return w[i] != [2]uint64{}
}
