package netstack

import (
	"bytes"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// UDPConn is a UDP socket: a net.PacketConn, and where it was dialled a net.Conn.
type UDPConn struct{ *socket }

// ReadFrom waits for a datagram and returns its sender; what does not fit b is lost.
func (c *UDPConn) ReadFrom(b []byte) (n int, from net.Addr, err error) {
	n, a, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(a), nil
}

// ReadFromUDPAddrPort is ReadFrom with a comparable sender.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error) {
	err = c.await("read", waiter.ReadableEvents, &c.read, func() tcpip.Error {
		w := tcpip.SliceWriter(b)
		r, terr := c.ep.Read(&w, tcpip.ReadOptions{NeedRemoteAddr: true})
		n, from = r.Count, addrPort(r.RemoteAddr)
		return terr
	})
	if err != nil {
		return 0, netip.AddrPort{}, c.errorOf("read", err)
	}
	return n, from, nil
}

// Read is ReadFrom without the sender.
func (c *UDPConn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromUDPAddrPort(b)
	return n, err
}

// Write sends a datagram to the address that was dialled.
func (c *UDPConn) Write(b []byte) (int, error) { return c.send(b, nil) }

// WriteTo sends a datagram. It refuses an address that is no *net.UDPAddr.
func (c *UDPConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: c.network, Source: c.LocalAddr(), Addr: to, Err: net.InvalidAddrError("expected a *net.UDPAddr")}
	}
	return c.WriteToUDPAddrPort(b, a.AddrPort())
}

// WriteToUDPAddrPort is WriteTo with a comparable address.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.send(b, &tcpip.FullAddress{Addr: address(to.Addr().Unmap()), Port: to.Port()})
}

func (c *UDPConn) send(b []byte, to *tcpip.FullAddress) (n int, err error) {
	err = c.await("write", waiter.WritableEvents, &c.write, func() tcpip.Error {
		sent, terr := c.ep.Write(bytes.NewReader(b), tcpip.WriteOptions{To: to})
		n = int(sent)
		return terr
	})
	if err != nil {
		return n, c.errorOf("write", err)
	}
	return n, nil
}
