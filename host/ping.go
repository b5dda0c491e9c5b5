package host

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// forever is an instant that no clock reaches.
const forever = time.Duration(math.MaxInt64)

// PingConfig is ping's options. The zero PingConfig sends one echo request.
type PingConfig struct {
	// Count is how many requests are sent (-c); 0 is 1.
	Count int
	// Interval is the time between two requests (-i); 0 is a second.
	Interval time.Duration
	// Size is the payload in bytes (-s), at most 65,507; 0 is 56, below 0 is none.
	Size int
	// TTL is the requests' time to live (-t); 0 is the guest's default.
	TTL uint8
	// DontFragment refuses requests that do not fit the path (-M do).
	DontFragment bool
	// Wait is how long to wait behind the last request where nothing came back
	// (-W); 0 is 10 s. Where something did it is twice the longest round trip, a
	// second at least.
	Wait time.Duration
	// Source is the requests' source address (-I); the zero Addr is the guest's choice.
	Source netip.Addr
}

// PingReply is an echo reply.
type PingReply struct {
	Arrival
	// Seq is the sequence number, from 1.
	Seq int
	// RTT is the round trip time.
	RTT time.Duration
	// Size is the ICMP message's length in bytes.
	Size int
	// Duplicate says that Seq had been answered before.
	Duplicate bool
}

// PingError is an ICMP error that a request brought back.
type PingError struct {
	ICMPError
	// Seq is the sequence number of the request.
	Seq int
}

// PingResult is what ping found out.
type PingResult struct {
	// Dst is who was asked.
	Dst netip.Addr
	// Transmitted and Received count requests and answered requests.
	Transmitted, Received int
	// Replies are the replies as they came, duplicates included.
	Replies []PingReply
	// Errors are the ICMP errors as they came.
	Errors []PingError
	// Sent is what became of the first request as far as was known at once.
	Sent trace.Reason
	// Min, Avg, Max and Mdev are over the round trip times, in microseconds' steps.
	Min, Avg, Max, Mdev time.Duration
	// Text is what ping (iputils 2022) prints.
	Text string
}

// Loss returns the share of requests that were not answered, in percent.
func (r PingResult) Loss() float64 {
	if r.Transmitted == 0 {
		return 0
	}
	return float64(r.Transmitted-r.Received) * 100 / float64(r.Transmitted)
}

// pinger is a ping under way; as an event it sends the next request.
type pinger struct {
	h      *Host
	c      PingConfig
	next   *hop
	key    query
	dst    wire.Addr
	timer  *clock.Timer
	sentAt []time.Duration // by sequence number less one
	heard  map[int]bool
	local  int // requests that did not leave the host
	pipe   int // the most requests under way at once
	acked  int
	ended  bool
	out    strings.Builder
	result PingResult
}

// Ping sends echo requests and runs the clock until ping would end.
func (h *Host) Ping(dst netip.Addr, c PingConfig) PingResult {
	done := false
	var result PingResult
	h.StartPing(dst, c, func(r PingResult) { result, done = r, true })
	h.clock.RunUntil(forever, func() bool { return done })
	return result
}

// StartPing starts a ping that runs with the clock, and calls done at its end.
func (h *Host) StartPing(dst netip.Addr, c PingConfig, done func(PingResult)) {
	p := &pinger{h: h, c: c.withDefaults(), dst: wire.AddrFrom(dst), heard: map[int]bool{}, pipe: 1}
	p.result.Dst = dst
	p.timer = h.clock.NewTimer(clock.Func(func() { p.step(done) }))
	if p.next = h.lookup(p.dst); p.next == nil || !dst.IsValid() {
		p.result.Sent = trace.HostNoRoute
		p.result.Text = "ping: connect: Network is unreachable\n"
		done(p.result)
		return
	}
	p.key.src = wire.AddrFrom(c.Source)
	if !p.key.src.IsValid() {
		p.key.src = h.source(p.next, p.dst)
	}
	for p.key.id == 0 || h.queries[p.key] != nil {
		p.key.id = uint16(h.rand.Uint32())
	}
	h.queries[p.key] = p
	p.title()
	p.step(done)
}

func (c PingConfig) withDefaults() PingConfig {
	c.Count = max(c.Count, 1)
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Size == 0 {
		c.Size = 56
	}
	c.Size = min(max(c.Size, 0), 65507)
	if c.Wait <= 0 {
		c.Wait = 10 * time.Second
	}
	return c
}

// step sends the next request, or ends: ping sends on its interval whatever comes
// back, and behind the last request waits for what is still under way.
func (p *pinger) step(done func(PingResult)) {
	switch {
	case p.ended || p.result.Transmitted == p.c.Count:
		delete(p.h.queries, p.key)
		p.timer.Stop()
		p.summary()
		done(p.result)
		return
	}
	p.send()
	wait := p.c.Interval
	if p.result.Transmitted == p.c.Count {
		wait = p.linger()
	}
	if p.answeredAll() {
		wait = 0
	}
	p.timer.Reset(wait)
}

func (p *pinger) linger() time.Duration {
	if p.result.Received == 0 {
		return p.c.Wait
	}
	return max(2*p.result.Max, p.c.Interval)
}

// answeredAll reports whether ping is done: as many replies and errors as Count.
func (p *pinger) answeredAll() bool {
	return p.result.Received+len(p.result.Errors)+p.local >= p.c.Count
}

func (p *pinger) settle() {
	if p.answeredAll() && !p.ended {
		p.ended = true
		p.timer.Reset(0)
	}
}

func (p *pinger) send() {
	now := p.h.clock.Now()
	p.sentAt = append(p.sentAt, now)
	p.result.Transmitted++
	head := p.h.header(p.key.src, p.dst)
	if p.c.TTL != 0 {
		head.TTL = p.c.TTL
	}
	n := headerLen(p.dst) + wire.ICMPLen + p.c.Size
	fits := p.h.fits(p.dst, n)
	if p.c.DontFragment && !fits {
		p.local++
		fmt.Fprintf(&p.out, "ping: local error: message too long, mtu=%d\n", p.h.mtuTo(p.dst, p.next.nic.mtu))
		return
	}
	head.DF, head.ID = fits, p.h.nextID()
	typ := wire.ICMPv6Echo
	if p.dst.Is4() {
		typ = wire.ICMPEcho
	}
	rest := uint32(p.key.id)<<16 | uint32(uint16(p.result.Transmitted))
	end := p.h.send(wire.AppendICMP(nil, head, typ, 0, rest, p.payload(now)))
	if p.result.Transmitted == 1 {
		p.result.Sent = end
	}
}

// payload is iputils': the time in two words of 64 bits, little-endian as on the
// machines that AWS rents, then bytes that count up.
func (p *pinger) payload(now time.Duration) []byte {
	b := make([]byte, p.c.Size)
	for i := range b {
		b[i] = byte(i)
	}
	if p.timed() {
		binary.LittleEndian.PutUint64(b, uint64(now/time.Second))
		binary.LittleEndian.PutUint64(b[8:], uint64(now%time.Second/time.Microsecond))
	}
	return b
}

// timed reports whether requests have room for the time, without which ping tells none.
func (p *pinger) timed() bool { return p.c.Size >= 16 }

// answered takes an echo reply.
func (p *pinger) answered(a Arrival, packet *wire.Packet) {
	m := wire.ICMP(packet.Transport())
	seq := int(m.Seq())
	if seq < 1 || seq > len(p.sentAt) || a.From != p.result.Dst {
		return
	}
	r := PingReply{Arrival: a, Seq: seq, RTT: a.At - p.sentAt[seq-1], Size: len(m), Duplicate: p.heard[seq]}
	p.acknowledge(seq)
	if !r.Duplicate {
		p.heard[seq] = true
		p.result.Received++
	}
	p.result.Replies = append(p.result.Replies, r)
	p.result.Max = max(p.result.Max, r.RTT)
	p.print(r)
	p.settle()
}

// failed takes an ICMP error about a request.
func (p *pinger) failed(e ICMPError, seq uint16) {
	if p.dst.Is4() { // ping counts IPv6's errors as nothing acknowledged
		p.acknowledge(int(seq))
	}
	p.result.Errors = append(p.result.Errors, PingError{e, int(seq)})
	p.printError(e, int(seq))
	p.settle()
}

// acknowledge keeps the count of requests under way, which ping prints as "pipe".
func (p *pinger) acknowledge(seq int) {
	if under := p.result.Transmitted - seq + 1; seq > p.acked && under > p.pipe {
		p.pipe = under
	}
	p.acked = max(p.acked, seq)
}
