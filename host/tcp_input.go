package host

import (
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

// segment takes a segment of the connection, in the order of RFC 9293 section
// 3.10.7: is it acceptable, RST, SYN, ACK, data, FIN; then it tells the reader and
// sends what there is to send.
func (c *Conn) segment(s segment) {
	c.unanswered = 0
	if c.idle.Armed() {
		c.KeepAlive(true)
	}
	if c.state == SynSent {
		c.openedBy(s)
		return
	}
	if !c.acceptable(s) {
		if !s.flags.Has(wire.RST) {
			c.ackNow = true
			c.flush()
		}
		return
	}
	if s.flags.Has(wire.RST) {
		c.resetBy(s)
		return
	}
	if s.flags.Has(wire.SYN) {
		c.ackNow = true // a challenge (RFC 5961 section 4)
		c.flush()
		return
	}
	if !s.flags.Has(wire.ACK) {
		return
	}
	if s.hasTS && !after(s.seq, c.rcvNxt) {
		c.tsRecent = s.ts
	}
	if c.state == SynReceived && !c.accepted(s) {
		return
	}
	if !c.acknowledged(s) {
		return
	}
	c.take(s)
	c.notify()
	c.flush()
}

// openedBy takes the answer to the SYN.
func (c *Conn) openedBy(s segment) {
	acked := s.flags.Has(wire.ACK)
	if acked && s.ack != c.nxt {
		return
	}
	switch {
	case s.flags.Has(wire.RST):
		if acked {
			c.end(ErrRefused)
		}
		return
	case !s.flags.Has(wire.SYN):
		return
	}
	c.takeSYN(s)
	c.advanced = c.rcvNxt + uint32(c.capacity())
	c.wnd, c.wl1, c.wl2 = s.wnd, s.seq, s.ack
	if !acked { // both sides opened at once
		c.state = SynReceived
		c.sendSYN()
		return
	}
	c.una, c.state = s.ack, Established
	c.measured(s.ack)
	c.resend.Stop()
	c.retries, c.ackNow = 0, true
	c.opened(c, nil)
	c.flush()
}

// takeSYN takes what the peer's SYN tells. Without an MSS option it is 536 bytes,
// or 1220 (RFC 9293 section 3.7.1); without a scale both sides scale by nothing.
func (c *Conn) takeSYN(s segment) {
	c.rcvNxt, c.tsRecent, c.timestamp = s.seq+1, s.ts, s.hasTS
	c.mssPeer = s.mss
	if s.mss == 0 {
		c.mssPeer = 536
		if !c.flow.Src.Is4() {
			c.mssPeer = 1220
		}
	}
	c.scaleIn, c.scaleOut = 0, 0
	if s.scale >= 0 {
		c.scaleIn, c.scaleOut = windowScale, uint8(s.scale)
	}
}

// acceptable is the test of RFC 9293 section 3.10.7.4 for the receive window.
func (c *Conn) acceptable(s segment) bool {
	wnd, n := uint32(c.window()), s.len()
	in := func(seq uint32) bool { return seq-c.rcvNxt < wnd }
	switch {
	case n == 0 && wnd == 0:
		return s.seq == c.rcvNxt
	case n == 0:
		return in(s.seq)
	case wnd == 0:
		return false
	}
	return in(s.seq) || in(s.seq+n-1)
}

// resetBy takes a RST: at exactly the next number it counts, elsewhere in the
// window it is challenged (RFC 5961 section 3).
func (c *Conn) resetBy(s segment) {
	if s.seq != c.rcvNxt {
		c.ackNow = true
		c.flush()
		return
	}
	if c.state == TimeWait {
		c.end(nil)
		return
	}
	c.end(ErrReset)
}

// accepted completes the handshake of a connection from outside.
func (c *Conn) accepted(s segment) bool {
	if s.ack != c.nxt {
		c.transmit(s.ack, wire.RST, nil)
		return false
	}
	c.state = Established
	c.wnd, c.wl1, c.wl2 = s.wnd<<c.scaleOut, s.seq, s.ack
	c.una = s.ack
	c.measured(s.ack)
	c.resend.Stop()
	c.retries = 0
	c.opened(c, nil)
	return c.state != Closed
}

// acknowledged takes the acknowledgment and the window; false says that the
// segment is of no further use.
func (c *Conn) acknowledged(s segment) bool {
	if after(s.ack, c.nxt) {
		c.ackNow = true
		c.flush()
		return false
	}
	switch {
	case after(s.ack, c.una):
		c.advance(s.ack)
	case s.ack == c.una && c.una != c.nxt && len(s.data) == 0 && s.wnd<<c.scaleOut == c.wnd:
		c.dupAcks++
		if c.dupAcks == 3 { // fast retransmit (RFC 5681 section 3.2)
			c.repairing, c.recover = true, c.nxt
			c.retransmit()
		}
	}
	if after(s.seq, c.wl1) || s.seq == c.wl1 && !after(c.wl2, s.ack) {
		c.wnd, c.wl1, c.wl2 = s.wnd<<c.scaleOut, s.seq, s.ack
	}
	return c.state != Closed
}

// advance takes off what the peer has acknowledged for the first time.
func (c *Conn) advance(ack uint32) {
	n := min(int(ack-c.una), len(c.sendBuf))
	c.sendBuf = c.sendBuf[n:]
	c.una, c.dupAcks, c.retries = ack, 0, 0
	c.measured(ack)
	if c.repairing {
		c.repairing = after(c.recover, ack)
	}
	if c.una == c.nxt {
		c.resend.Stop()
	} else {
		c.arm()
	}
	if c.repairing { // a partial acknowledgment: the next hole (RFC 6582)
		c.retransmit()
	}
	if c.finSent && c.una == c.nxt {
		c.finAcknowledged()
	}
}

func (c *Conn) finAcknowledged() {
	switch c.state {
	case FinWait1:
		c.state = FinWait2
		if c.closed {
			c.linger.Reset(finTimeout)
		}
	case Closing:
		c.timeWait()
	case LastAck:
		c.end(nil)
	}
}

// take takes the segment's data and FIN, and what had come ahead of them.
func (c *Conn) take(s segment) {
	fin := s.flags.Has(wire.FIN)
	if len(s.data) == 0 && !fin {
		return
	}
	c.ackNow = true
	if c.finSeen {
		if c.state == TimeWait {
			c.linger.Reset(timeWait)
		}
		return
	}
	if c.closed && len(s.data) > 0 {
		c.Abort() // nobody will read it
		return
	}
	c.keep(piece{s.seq, s.data, fin})
	for len(c.later) > 0 && !after(c.later[0].seq, c.rcvNxt) {
		p := c.later[0]
		c.later = c.later[1:]
		c.append(p)
	}
}

// append takes a piece whose turn has come, less what is there already.
func (c *Conn) append(p piece) {
	if old := c.rcvNxt - p.seq; int(old) < len(p.data) {
		c.recvBuf = append(c.recvBuf, p.data[old:]...)
		c.rcvNxt = p.seq + uint32(len(p.data))
		c.news = true
	}
	if p.fin && p.seq+uint32(len(p.data)) == c.rcvNxt && !c.finSeen {
		c.peerClosed()
	}
}

// keep puts a piece among those that wait, in order; what lies beyond the window
// is cut off.
func (c *Conn) keep(p piece) {
	end := c.rcvNxt + uint32(c.window())
	if over := p.seq + uint32(len(p.data)) - end; int32(over) > 0 {
		p.data, p.fin = p.data[:len(p.data)-int(over)], false
	}
	p.data = slices.Clone(p.data)
	at := 0
	for at < len(c.later) && !after(c.later[at].seq, p.seq) {
		at++
	}
	c.later = slices.Insert(c.later, at, p)
}

func (c *Conn) peerClosed() {
	c.rcvNxt++
	c.finSeen, c.news, c.later = true, true, nil
	switch c.state {
	case Established:
		c.state = CloseWait
	case FinWait1:
		c.state = Closing
	case FinWait2:
		c.timeWait()
	}
}

func (c *Conn) timeWait() {
	c.state = TimeWait
	c.resend.Stop()
	c.linger.Reset(timeWait)
}

// icmpError takes an ICMP error about a segment of the connection: while it opens
// an error ends it, later only the path's MTU counts (RFC 1122 section 4.2.3.9, RFC
// 5927 section 4.3).
func (c *Conn) icmpError(e ICMPError) {
	switch {
	case e.isTooBig():
		if c.una != c.nxt && c.state != SynSent && c.state != SynReceived {
			c.repairing, c.recover = true, c.nxt
			c.retransmit()
		}
	case c.state != SynSent && c.state != SynReceived:
	default:
		if err := e.asConnect(); err != nil {
			c.end(err)
		}
	}
}

// asConnect returns the error with which Linux's connect ends, nil for those that
// it only remembers.
func (e ICMPError) asConnect() error {
	switch mark, final := e.mark(); {
	case !final, mark == "":
		if final {
			return ErrRefused
		}
		return ErrHostUnreachable
	case mark == "!N":
		return ErrNetUnreachable
	case mark == "!P":
		return ErrRefused
	}
	return ErrHostUnreachable
}
