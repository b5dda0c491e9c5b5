package host

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/wire"
)

// Why a connection failed, in Linux's words.
var (
	// ErrRefused: the peer answered with RST, or an ICMP error said that nobody listens.
	ErrRefused = errors.New("connection refused")
	// ErrReset: the peer broke an established connection with RST.
	ErrReset = errors.New("connection reset by peer")
	// ErrTimeout: nothing came back, however often it was sent.
	ErrTimeout = errors.New("connection timed out")
	// ErrHostUnreachable: an ICMP error said that nobody is there.
	ErrHostUnreachable = errors.New("no route to host")
	// ErrNetUnreachable: no route leads to the address.
	ErrNetUnreachable = errors.New("network is unreachable")
	// ErrClosed: the connection was closed on this side.
	ErrClosed = errors.New("use of closed network connection")
)

// State is a connection's state (RFC 9293 section 3.3.2). The zero State is none.
type State uint8

// The states, but for LISTEN, which is a [Listener].
const (
	NoState State = iota
	SynSent
	SynReceived
	Established
	FinWait1
	FinWait2
	CloseWait
	Closing
	LastAck
	TimeWait
	Closed
)

var stateNames = [...]string{
	"NONE", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
	"CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED",
}

// String returns the state in RFC 9293's words.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Conn is a TCP connection of a guest (RFC 9293). It reads, writes and closes like
// any io.ReadWriteCloser; Read runs the clock. A callback uses [Conn.OnReadable]
// and [Conn.Next] instead.
type Conn struct {
	// Wait is the longest that Read runs the clock; 0 is an hour.
	Wait time.Duration
	// TTL is the time to live of the segments sent; 0 is the guest's default.
	TTL uint8

	host  *Host
	flow  wire.Flow // Src is this side
	state State
	err   error

	una, nxt  uint32 // sent: the first not acknowledged, the next
	sendBuf   []byte // from una on: not acknowledged, then not sent
	finQueued bool
	finSent   bool
	wnd       uint32 // the peer's window, scaled
	wl1, wl2  uint32 // the segment that gave it
	mssPeer   int
	scaleOut  uint8 // of windows that the peer sends
	recover   uint32
	repairing bool // what was sent up to recover may be lost
	dupAcks   int

	rcvNxt    uint32
	recvBuf   []byte
	advanced  uint32 // the end of the window last told
	later     []piece
	finSeen   bool // the peer will send no more, and all it sent is here
	scaleIn   uint8
	ackNow    bool
	news      bool // something for the reader
	closed    bool // this side reads no more
	timestamp bool // RFC 7323
	tsRecent  uint32
	ipID      uint16

	rto, srtt, rttvar time.Duration
	timed             bool
	timedSeq          uint32
	timedAt           time.Duration
	retries           int
	resend            *clock.Timer
	linger            *clock.Timer // TIME-WAIT, or a FIN that does not come
	idle              *clock.Timer // keep-alive
	unanswered        int

	onReadable func(*Conn)
	opened     func(*Conn, error) // tells the caller, or the listener
	listener   *Listener
}

// piece is data that came ahead of its turn.
type piece struct {
	seq  uint32
	data []byte
	fin  bool
}

func (h *Host) newConn(f wire.Flow) *Conn {
	c := &Conn{host: h, flow: f, una: h.rand.Uint32(), ipID: uint16(h.rand.Uint32()), rto: initialRTO}
	c.nxt = c.una
	c.resend = h.clock.NewTimer(clock.Func(c.overdue))
	c.linger = h.clock.NewTimer(clock.Func(func() { c.end(c.err) }))
	c.idle = h.clock.NewTimer(clock.Func(c.probeIdle))
	h.conns[f] = c
	return c
}

// Dial opens a connection and runs the clock until it is established or has
// failed. It takes as long as Linux takes: 127 s where nothing answers.
func (h *Host) Dial(to netip.AddrPort) (*Conn, error) {
	var conn *Conn
	var failure error
	done := false
	h.StartDial(to, func(c *Conn, err error) { conn, failure, done = c, err, true })
	h.clock.RunUntil(forever, func() bool { return done })
	return conn, failure
}

// StartDial opens a connection and calls done when it is established or has failed. It
// returns the connection, for an Abort ahead of that, of which done is not told; nil
// where it could not begin.
func (h *Host) StartDial(to netip.AddrPort, done func(*Conn, error)) *Conn {
	refuse := func(err error) { done(nil, fmt.Errorf("host %s: dial tcp %s: connect: %w", h.name, to, err)) }
	dst := wire.AddrFrom(to.Addr())
	next := h.lookup(dst)
	if next == nil || !to.Addr().IsValid() {
		refuse(ErrNetUnreachable)
		return nil
	}
	f := wire.Flow{Src: h.source(next, dst), Dst: dst, DstPort: to.Port(), Proto: wire.ProtoTCP}
	if !f.Src.IsValid() {
		refuse(ErrNetUnreachable)
		return nil
	}
	f.SrcPort = h.ephemeral(func(port uint16) bool {
		f.SrcPort = port
		return h.conns[f] != nil || h.probes[f] != nil || h.listenerFor(f.Reverse()) != nil
	})
	if f.SrcPort == 0 {
		refuse(errors.New("cannot assign requested address"))
		return nil
	}
	c := h.newConn(f)
	c.state = SynSent
	c.opened = func(c *Conn, err error) {
		if err != nil {
			refuse(err)
			return
		}
		done(c, nil)
	}
	c.nxt++
	c.sendSYN()
	c.arm()
	return c
}

// State returns the connection's state.
func (c *Conn) State() State { return c.state }

// Local returns this side's address and port.
func (c *Conn) Local() netip.AddrPort { return netip.AddrPortFrom(c.flow.Src.Netip(), c.flow.SrcPort) }

// Remote returns the peer's address and port.
func (c *Conn) Remote() netip.AddrPort {
	return netip.AddrPortFrom(c.flow.Dst.Netip(), c.flow.DstPort)
}

// Err returns why the connection failed, nil while it has not.
func (c *Conn) Err() error { return c.err }

// Write queues b and sends as much as the peer's window allows; the rest follows
// as the clock runs. It waits for nothing and copies b.
func (c *Conn) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.finQueued || c.state == Closed {
		return 0, ErrClosed
	}
	c.sendBuf = append(c.sendBuf, b...)
	c.flush()
	return len(b), nil
}

// Read reads what has come, running the clock until something has. At the end of
// what the peer sends it returns io.EOF, after Wait os.ErrDeadlineExceeded.
func (c *Conn) Read(b []byte) (int, error) {
	wait := c.Wait
	if wait == 0 {
		wait = time.Hour
	}
	c.host.clock.RunUntil(c.host.clock.Now()+wait, func() bool { return len(c.recvBuf) > 0 || c.Ended() })
	switch {
	case len(c.recvBuf) > 0:
		n := copy(b, c.recvBuf)
		c.recvBuf = c.recvBuf[n:]
		c.tellWindow()
		return n, nil
	case c.closed:
		return 0, ErrClosed
	case c.err != nil:
		return 0, c.err
	case c.Ended():
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

// Next returns all that has come and was not read, waiting for nothing.
func (c *Conn) Next() []byte {
	b := c.recvBuf
	c.recvBuf = nil
	c.tellWindow()
	return b
}

// Ended reports whether nothing more will come: the peer has closed its side, or
// the connection is over.
func (c *Conn) Ended() bool { return c.finSeen || c.closed || c.err != nil || c.state == Closed }

// OnReadable has f called whenever data has come, and when the connection has
// [Conn.Ended]. f uses Next, Write and Close.
func (c *Conn) OnReadable(f func(*Conn)) { c.onReadable = f }

// KeepAlive switches probes of an idle connection on or off (SO_KEEPALIVE): the
// first after tcp_keepalive_time, 7200 s, then nine 75 s apart (RFC 9293 section 3.8.4).
func (c *Conn) KeepAlive(on bool) {
	if !on {
		c.idle.Stop()
		return
	}
	c.unanswered = 0
	c.idle.Reset(time.Duration(c.host.sys.keepIdle) * time.Second)
}

// CloseWrite says that this side sends no more, behind all that was written; it
// may go on reading. A second time it does nothing.
func (c *Conn) CloseWrite() error {
	if c.err != nil {
		return c.err
	}
	if c.finQueued {
		return nil
	}
	c.finQueued = true
	c.flush()
	return nil
}

// Close closes both sides. Where something that came was not read the peer is
// told with RST, as Linux does (RFC 2525 section 2.17); else with FIN.
func (c *Conn) Close() error {
	if c.closed || c.state == Closed {
		return nil
	}
	if len(c.recvBuf) > 0 {
		c.Abort()
		return nil
	}
	c.closed = true
	if c.state == SynSent {
		c.end(nil)
		return nil
	}
	err := c.CloseWrite()
	if c.state == FinWait2 {
		c.linger.Reset(finTimeout)
	}
	return err
}

// Abort breaks the connection with RST.
func (c *Conn) Abort() {
	if c.state == Closed {
		return
	}
	if c.state != SynSent && c.state != TimeWait {
		c.transmit(c.nxt, wire.RST|wire.ACK, nil)
	}
	c.closed = true
	c.end(nil)
}

// end takes the connection out of the guest's tables.
func (c *Conn) end(err error) {
	if c.state == Closed {
		return
	}
	before := c.state
	c.state, c.err = Closed, err
	c.resend.Stop()
	c.linger.Stop()
	c.idle.Stop()
	if c.host.conns[c.flow] == c {
		delete(c.host.conns, c.flow)
	}
	switch {
	case before == SynSent && err != nil:
		c.opened(nil, err)
	case before != SynReceived && err != nil:
		c.news = true
		c.notify()
	}
}

// notify tells the reader that there is something new.
func (c *Conn) notify() {
	if !c.news {
		return
	}
	c.news = false
	if c.onReadable != nil {
		c.onReadable(c)
	}
}
