package host

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Linux's times (net/tcp.h): the first retransmission timeout, its least and most;
// TIME-WAIT and tcp_fin_timeout.
const (
	initialRTO = time.Second
	minRTO     = 200 * time.Millisecond
	maxRTO     = 120 * time.Second
	timeWait   = 60 * time.Second
	finTimeout = 60 * time.Second
)

// receiveSpace bounds what waits for the reader, in bytes; windows are told in
// units of 1<<windowScale. Linux begins with so much, and grows it later.
const (
	receiveSpace = 65535
	windowScale  = 7
)

// mss returns how much data a segment to the peer holds: what the peer takes and
// the path carries, less the options of every segment.
func (c *Conn) mss() int {
	n := min(c.mssPeer, c.mssLocal())
	if c.timestamp {
		n -= 12
	}
	return max(n, 1)
}

// mssLocal returns what the path to the peer carries beside the headers.
func (c *Conn) mssLocal() int {
	mtu := DefaultMTU
	if next := c.host.lookup(c.flow.Dst); next != nil {
		mtu = c.host.mtuTo(c.flow.Dst, next.nic.mtu)
	}
	return min(mtu, 65535) - headerLen(c.flow.Src) - wire.TCPLen
}

// capacity returns the receive buffer's size: whole segments, as Linux has it.
func (c *Conn) capacity() int {
	mss := c.mssLocal()
	return max(receiveSpace/mss, 1) * mss
}

// window returns how much data may come. What was told is never taken back (RFC
// 9293 section 3.8.6).
func (c *Conn) window() int {
	free := max(c.capacity()-len(c.recvBuf), 0)
	if told := int(int32(c.advanced - c.rcvNxt)); told > free {
		return told
	}
	return free
}

// tellWindow sends an acknowledgment where reading has opened the window by two
// segments or half of the buffer (RFC 9293 section 3.8.6.2.2).
func (c *Conn) tellWindow() {
	if c.state != Established && c.state != FinWait1 && c.state != FinWait2 {
		return
	}
	told := int(int32(c.advanced - c.rcvNxt))
	if c.window()-told >= min(2*c.mss(), c.capacity()/2) {
		c.ackNow = true
		c.flush()
	}
}

// flush sends what may be sent, and at least the acknowledgment that is due.
func (c *Conn) flush() {
	switch c.state {
	case SynSent, SynReceived, Closed, NoState:
		return
	}
	for c.sendNext() {
	}
	if c.ackNow {
		c.transmit(c.nxt, wire.ACK, nil)
	}
}

// sendNext sends the next segment of what was written, if the window has room. It
// waits for no full segment: Nagle's algorithm is off.
func (c *Conn) sendNext() bool {
	if c.finSent {
		return false
	}
	under := int(c.nxt - c.una)
	left := len(c.sendBuf) - under
	n := max(min(left, c.mss(), int(c.wnd)-under), 0)
	fin := c.finQueued && n == left
	if n == 0 && !fin {
		if left > 0 && under == 0 && !c.resend.Armed() {
			c.arm() // a window of zero is probed (RFC 9293 section 3.8.6.1)
		}
		return false
	}
	flags := wire.ACK
	if n > 0 && n == left {
		flags |= wire.PSH
	}
	if fin {
		flags |= wire.FIN
		c.sentFIN()
	}
	if under == 0 {
		c.retries = 0
	}
	seq := c.nxt
	c.nxt += uint32(n)
	if fin {
		c.nxt++
	}
	c.time(seq)
	c.transmit(seq, flags, c.sendBuf[under:under+n])
	if under == 0 || !c.resend.Armed() {
		c.arm()
	}
	return true
}

func (c *Conn) sentFIN() {
	c.finSent = true
	if c.state == CloseWait {
		c.state = LastAck
		return
	}
	c.state = FinWait1
}

// retransmit sends the first segment that was not acknowledged again.
func (c *Conn) retransmit() {
	c.timed = false // Karn (RFC 6298 section 3)
	if c.state == SynSent || c.state == SynReceived {
		c.sendSYN()
		return
	}
	sent := int(c.nxt - c.una)
	if c.finSent {
		sent--
	}
	n := min(sent, c.mss())
	flags := wire.ACK
	if n > 0 && n == len(c.sendBuf) {
		flags |= wire.PSH
	}
	if c.finSent && n == sent {
		flags |= wire.FIN
	}
	c.transmit(c.una, flags, c.sendBuf[:n])
}

// sendSYN sends the SYN, or SYN and ACK, from the connection's first number.
func (c *Conn) sendSYN() {
	h := c.host
	s := wire.Segment{
		SrcPort: c.flow.SrcPort, DstPort: c.flow.DstPort, Seq: c.una, Flags: wire.SYN,
		Window: uint16(c.capacity()),
	}
	c.advanced = c.rcvNxt + uint32(c.capacity())
	s.Options = synOptions(c.mssLocal(), h.timestamp(), c.tsRecent, windowScale)
	if c.state == SynReceived {
		s.Flags, s.Ack = wire.SYN|wire.ACK, c.rcvNxt
		s.Options = c.answerOptions(s.Options)
	}
	if c.retries == 0 {
		c.timed, c.timedSeq, c.timedAt = true, c.nxt-1, h.clock.Now()
	}
	c.put(s, nil)
}

// answerOptions leaves out what the peer's SYN did not offer (RFC 7323 section 1.3).
func (c *Conn) answerOptions(all []byte) []byte {
	b := append([]byte(nil), all[:4]...)
	switch {
	case c.timestamp:
		b = append(b, all[4:16]...)
	default:
		b = append(b, 1, 1, all[4], all[5])
	}
	if c.scaleIn > 0 {
		b = append(b, all[16:]...)
	}
	return b
}

// timestamp returns the value of a timestamp option: milliseconds, as Linux has it.
func (h *Host) timestamp() uint32 { return uint32(h.clock.Now() / time.Millisecond) }

// transmit sends a segment; anything with ACK acknowledges all that has come.
func (c *Conn) transmit(seq uint32, flags wire.TCPFlags, data []byte) {
	s := wire.Segment{SrcPort: c.flow.SrcPort, DstPort: c.flow.DstPort, Seq: seq, Flags: flags}
	if flags.Has(wire.ACK) {
		s.Ack, c.ackNow = c.rcvNxt, false
		units := (c.window() + 1<<c.scaleIn - 1) >> c.scaleIn
		s.Window = uint16(min(units, 65535))
		c.advanced = c.rcvNxt + uint32(c.window())
		if c.timestamp && !flags.Has(wire.RST) {
			all := synOptions(0, c.host.timestamp(), c.tsRecent, 0)
			s.Options = append([]byte{1, 1}, all[6:16]...)
		}
	}
	c.put(s, data)
}

func (c *Conn) put(s wire.Segment, data []byte) {
	head := c.host.header(c.flow.Src, c.flow.Dst)
	head.DF, head.ID = true, c.ipID
	if c.TTL != 0 {
		head.TTL = c.TTL
	}
	c.ipID++
	c.host.send(wire.AppendTCP(nil, head, s, data))
}

// time takes the time of one segment at once (RFC 6298 section 3).
func (c *Conn) time(seq uint32) {
	if !c.timed {
		c.timed, c.timedSeq, c.timedAt = true, seq, c.host.clock.Now()
	}
}

// measured computes the retransmission timeout where ack covers the timed segment
// (RFC 6298 section 2, with Linux's least of 200 ms over the smoothed time).
func (c *Conn) measured(ack uint32) {
	if !c.timed || !after(ack, c.timedSeq) {
		return
	}
	c.timed = false
	rtt := c.host.clock.Now() - c.timedAt
	if c.srtt == 0 {
		c.srtt, c.rttvar = rtt, rtt/2
	} else {
		c.rttvar += ((c.srtt - rtt).Abs() - c.rttvar) / 4
		c.srtt += (rtt - c.srtt) / 8
	}
	c.rto = min(c.srtt+max(4*c.rttvar, minRTO), maxRTO)
}

// arm sets the timer for what is on its way, twice as long for every time that it
// was sent again.
func (c *Conn) arm() { c.resend.Reset(min(c.rto<<min(c.retries, 20), maxRTO)) }

// overdue is the retransmission timer: send again, or give up as often as Linux
// does (tcp_syn_retries, tcp_synack_retries, tcp_retries2).
func (c *Conn) overdue() {
	if c.una == c.nxt {
		c.probeWindow()
		return
	}
	limit := c.host.sys.retries2
	switch c.state {
	case SynSent:
		limit = c.host.sys.synRetries
	case SynReceived:
		limit = c.host.sys.synackRetries
	}
	if c.retries >= limit {
		c.end(ErrTimeout)
		return
	}
	c.retries++
	c.arm()
	c.repairing, c.recover = true, c.nxt
	c.retransmit()
}

// probeWindow asks a peer whose window is closed whether it still is, as long as it
// answers.
func (c *Conn) probeWindow() {
	if c.unanswered >= c.host.sys.retries2 {
		c.end(ErrTimeout)
		return
	}
	c.unanswered++
	c.retries++
	c.arm()
	c.transmit(c.una-1, wire.ACK, nil)
}

// probeIdle is the keep-alive timer: a segment that the peer must answer.
func (c *Conn) probeIdle() {
	if c.state != Established && c.state != CloseWait {
		return
	}
	if c.unanswered >= c.host.sys.keeps {
		c.end(ErrTimeout)
		return
	}
	c.unanswered++
	c.idle.Reset(time.Duration(c.host.sys.keepIntvl) * time.Second)
	c.transmit(c.una-1, wire.ACK, nil)
}
