package host

import (
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The timers of Linux's neighbour tables (net.ipv4.neigh.default, RFC 4861
// section 10), the same for ARP and neighbour discovery.
const (
	retransTime   = time.Second      // retrans_time_ms
	reachableTime = 30 * time.Second // base_reachable_time_ms, without Linux's random half
	delayTime     = 5 * time.Second  // delay_first_probe_time
	maxSolicits   = 3                // mcast_solicit, ucast_solicit

	// maxPending is unres_qlen: how many packets wait for one neighbour, the
	// oldest dropped first. It was 3 until Linux 3.3, too few for a traceroute's 16
	// probes; since then unres_qlen_bytes rules, which is 101 packets.
	maxPending = 101
)

type neighborKey struct {
	nic  *NIC
	addr wire.Addr
}

// nudState is how much is known of a neighbour (RFC 4861 section 7.3.2).
type nudState uint8

const (
	noNeighbor nudState = iota
	incomplete          // asked, not answered
	reachable           // answered not long ago
	stale               // has an address that nobody confirmed lately
	delaying            // used while stale; a probe follows
	probing             // asked again, at its own address
)

// neighbor is an entry of the neighbour table: a station of a link. It is the
// event of its own timer.
type neighbor struct {
	key       neighborKey
	state     nudState
	mac       wire.MAC
	confirmed time.Duration
	asked     int
	pending   []waiting
	timer     *clock.Timer
}

// waiting is a packet that waits for a neighbour's answer, and the walk in whose
// name it is to be sent: the one that brought what it forwards or answers.
type waiting struct {
	ip    []byte
	cause int
}

// toNeighbor hands a packet to the station that has the address next, now or when
// it has answered; trace.None says that it waits.
func (h *Host) toNeighbor(n *NIC, next wire.Addr, ip []byte) trace.Reason {
	switch {
	case n.kind == loopback:
		h.clock.Schedule(loopbackDelay, looped{h, append([]byte(nil), ip...)})
		return trace.None
	case n.kind == pointToPoint:
		return n.transmit(wire.MAC{}, ip)
	case next.IsMulticast():
		return n.transmit(wire.GroupMAC(next), ip)
	}
	e := h.neighbor(neighborKey{n, next})
	switch e.state {
	case incomplete:
		e.enqueue(ip)
		return trace.None
	case reachable:
		if h.clock.Now()-e.confirmed > reachableTime {
			e.wait(delaying, delayTime)
		}
	case stale:
		e.wait(delaying, delayTime)
	}
	return n.transmit(e.mac, ip)
}

// neighbor returns the entry for a station, asking for it where there is none.
func (h *Host) neighbor(k neighborKey) *neighbor {
	if e := h.neighbors[k]; e != nil {
		return e
	}
	e := h.newNeighbor(k)
	e.wait(incomplete, retransTime)
	e.ask()
	return e
}

func (h *Host) newNeighbor(k neighborKey) *neighbor {
	e := &neighbor{key: k}
	e.timer = h.clock.NewTimer(e)
	h.neighbors[k] = e
	return e
}

func (h *Host) forgetNeighbors(n *NIC) {
	for k, e := range h.neighbors {
		if k.nic == n {
			e.timer.Stop()
			delete(h.neighbors, k)
		}
	}
}

func (e *neighbor) enqueue(ip []byte) {
	if len(e.pending) == maxPending {
		e.pending = e.pending[1:]
	}
	cause := e.key.nic.host.engine.Cause()
	e.pending = append(e.pending, waiting{append([]byte(nil), ip...), cause})
}

func (e *neighbor) wait(s nudState, d time.Duration) {
	e.state = s
	e.timer.Reset(d)
}

// Run is the neighbour's timer: ask again, or give up.
func (e *neighbor) Run() {
	switch e.state {
	case delaying:
		e.asked = 0
		e.state = probing
	case incomplete, probing:
	default:
		return
	}
	if e.asked == maxSolicits {
		e.fail()
		return
	}
	e.timer.Reset(retransTime)
	e.ask()
}

// fail forgets a station that does not answer; what waited for it is unreachable.
func (e *neighbor) fail() {
	h := e.key.nic.host
	delete(h.neighbors, e.key)
	for _, m := range e.pending {
		was, w := h.engine.Attribute(m.cause), h.passage()
		if w.p = &w.own; w.p.Read(m.ip) == nil {
			h.icmpError(w, hostUnreachable, 0)
		}
		h.release(w)
		h.engine.Attribute(was)
	}
}

// learned takes a station's Ethernet address: as an answer that confirms it, or as
// a claim that only makes it known (Linux, arp_process: REACHABLE or STALE).
func (e *neighbor) learned(mac wire.MAC, confirms bool) {
	changed := e.mac != mac
	e.mac = mac
	switch {
	case confirms:
		e.state, e.confirmed = reachable, e.key.nic.host.clock.Now()
		e.timer.Stop()
	case changed || e.state == incomplete:
		e.state = stale
		e.timer.Stop()
	}
	pending := e.pending
	e.pending = nil
	for _, m := range pending {
		was := e.key.nic.host.engine.Attribute(m.cause)
		e.key.nic.transmit(mac, m.ip)
		e.key.nic.host.engine.Attribute(was)
	}
}

// ask sends a question: to everybody while nothing is known, then to the station.
func (e *neighbor) ask() {
	e.asked++
	n, to := e.key.nic, wire.Broadcast
	src := n.pick(e.key.addr, e.key.addr)
	if !src.IsValid() {
		src = n.host.source(&hop{nic: n}, e.key.addr)
	}
	if !e.key.addr.Is4() {
		e.solicit(src)
		return
	}
	if e.state == probing {
		to = e.mac
	}
	n.transmitFrame(to, wire.EtherTypeARP,
		wire.AppendARP(nil, wire.ARPRequest, n.mac, src, wire.MAC{}, e.key.addr))
}

// arp takes an ARP packet (RFC 826; Linux, arp_process, with arp_ignore 0: any of
// the guest's addresses is answered for on any interface).
func (h *Host) arp(n *NIC, a wire.ARP) trace.Reason {
	if a.Check() != nil {
		return trace.Malformed
	}
	k := neighborKey{n, a.Sender()}
	e := h.neighbors[k]
	mine := h.isLocal(a.Target())
	if a.Op() == wire.ARPRequest && mine {
		if e == nil && a.Sender().V4() != 0 {
			e = h.newNeighbor(k)
		}
		n.transmitFrame(a.SenderMAC(), wire.EtherTypeARP,
			wire.AppendARP(nil, wire.ARPReply, n.mac, a.Target(), a.SenderMAC(), a.Sender()))
	}
	if e != nil && !a.SenderMAC().IsGroup() {
		e.learned(a.SenderMAC(), a.Op() == wire.ARPReply && mine)
	}
	return trace.Delivered
}

// loopbackDelay is how long a packet takes through the loopback interface: about
// what ping 127.0.0.1 shows one way.
const loopbackDelay = 15 * time.Microsecond

// looped is a packet on the loopback interface.
type looped struct {
	h  *Host
	ip []byte
}

// Run takes the packet in again.
func (l looped) Run() { l.h.lo.packet(l.ip, false) }
