package netstack

import (
	"bytes"
	"errors"
	"io"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// TCPConn is a connection: a net.Conn with the calls that *net.TCPConn has besides.
type TCPConn struct{ *socket }

// Read reads what there is, and waits where there is nothing: io.EOF after the
// peer's FIN, ECONNRESET after its RST.
func (c *TCPConn) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	eof := false
	err = c.await("read", waiter.ReadableEvents, &c.read, func() tcpip.Error {
		w := tcpip.SliceWriter(b)
		r, terr := c.ep.Read(&w, tcpip.ReadOptions{})
		if _, eof = terr.(*tcpip.ErrClosedForReceive); eof {
			return nil
		}
		if n = r.Count; n > 0 {
			c.ep.ModerateRecvBuf(n)
		}
		return terr
	})
	switch {
	case err != nil:
		return n, c.errorOf("read", err)
	case eof:
		return 0, io.EOF
	}
	return n, nil
}

// Write writes all of b, and waits while the send buffer is full. Of two Writes at a
// time one comes after the other.
func (c *TCPConn) Write(b []byte) (n int, err error) {
	if err := c.hold(); err != nil {
		return 0, c.errorOf("write", err)
	}
	defer func() { <-c.writing }()
	for n < len(b) {
		err := c.await("write", waiter.WritableEvents, &c.write, func() tcpip.Error {
			sent, terr := c.ep.Write(bytes.NewReader(b[n:]), tcpip.WriteOptions{})
			n += int(sent)
			if sent > 0 {
				return nil
			}
			return terr
		})
		if err != nil {
			return n, c.errorOf("write", err)
		}
	}
	return n, nil
}

// CloseRead shuts the reading side down.
func (c *TCPConn) CloseRead() error { return c.shutdown(tcpip.ShutdownRead) }

// CloseWrite sends FIN when everything written is sent; reading goes on.
func (c *TCPConn) CloseWrite() error { return c.shutdown(tcpip.ShutdownWrite) }

func (c *TCPConn) shutdown(f tcpip.ShutdownFlags) error {
	return c.change("close", "shutdown", func() tcpip.Error { return c.ep.Shutdown(f) })
}

// change makes one call that does not wait.
func (c *TCPConn) change(op, call string, f func() tcpip.Error) error {
	if c.isClosed() {
		return c.errorOf(op, net.ErrClosed)
	}
	var terr tcpip.Error
	c.guest.call(func() { terr = f() })
	if terr != nil {
		return c.errorOf(op, failure(call, terr))
	}
	return nil
}

// SetNoDelay says whether small segments go out at once (RFC 896). It is on from
// the start, as in package net.
func (c *TCPConn) SetNoDelay(on bool) error {
	return c.change("set", "setsockopt", func() tcpip.Error {
		c.ep.SocketOptions().SetDelayOption(!on)
		return nil
	})
}

// SetLinger says what Close does with what was not sent yet: negative sends it in
// the background, which is the default; 0 discards it and resets the connection.
func (c *TCPConn) SetLinger(seconds int) error {
	return c.change("set", "setsockopt", func() tcpip.Error {
		c.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: seconds >= 0, Timeout: time.Duration(max(seconds, 0)) * time.Second})
		return nil
	})
}

// SetKeepAlive turns keep-alive probes on or off (SO_KEEPALIVE). They are off from
// the start, as Linux has it; a net.Dialer turns them on, every 15 s.
func (c *TCPConn) SetKeepAlive(on bool) error {
	return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: on, Idle: -1, Interval: -1, Count: -1})
}

// SetKeepAlivePeriod sets after which idle time probes begin, and how far they are apart.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	if d <= 0 {
		return c.errorOf("set", errors.New("keep-alive period "+d.String()+" is not positive"))
	}
	return c.change("set", "setsockopt", func() tcpip.Error { return c.keepAlive(d, d, -1) })
}

// SetKeepAliveConfig sets keep-alive as *net.TCPConn does: a negative field is left
// as it is, a zero one is 15 s, 15 s and 9 probes.
func (c *TCPConn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	const period = 15 * time.Second
	if k.Idle == 0 {
		k.Idle = period
	}
	if k.Interval == 0 {
		k.Interval = period
	}
	if k.Count == 0 {
		k.Count = 9
	}
	return c.change("set", "setsockopt", func() tcpip.Error {
		c.ep.SocketOptions().SetKeepAlive(k.Enable)
		return c.keepAlive(k.Idle, k.Interval, k.Count)
	})
}

func (c *TCPConn) keepAlive(idle, interval time.Duration, count int) tcpip.Error {
	if idle > 0 {
		o := tcpip.KeepaliveIdleOption(idle)
		if err := c.ep.SetSockOpt(&o); err != nil {
			return err
		}
	}
	if interval > 0 {
		o := tcpip.KeepaliveIntervalOption(interval)
		if err := c.ep.SetSockOpt(&o); err != nil {
			return err
		}
	}
	if count > 0 {
		return c.ep.SetSockOptInt(tcpip.KeepaliveCountOption, count)
	}
	return nil
}

// TCPListener is a listening socket: a net.Listener.
type TCPListener struct{ *socket }

// Accept waits for the next connection.
func (l *TCPListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept, with the connection's own type.
func (l *TCPListener) AcceptTCP() (c *TCPConn, err error) {
	err = l.await("accept", waiter.ReadableEvents, &l.read, func() tcpip.Error {
		var peer tcpip.FullAddress
		ep, queue, terr := l.ep.Accept(&peer)
		if terr == nil {
			ep.SocketOptions().SetDelayOption(false)
			c = &TCPConn{l.guest.newSocket("tcp", ep, queue)}
			c.learnAddrs(addrPort(peer))
		}
		return terr
	})
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.network, Addr: l.LocalAddr(), Err: err}
	}
	return c, nil
}

// Addr returns the address that is listened on.
func (l *TCPListener) Addr() net.Addr { return l.LocalAddr() }
