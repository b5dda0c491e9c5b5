package host

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Datagram is a UDP datagram that a guest received.
type Datagram struct {
	Arrival
	// Src and Dst are the datagram's addresses and ports.
	Src, Dst netip.AddrPort
	// Payload is the receiver's.
	Payload []byte
}

// udpKey is what datagrams find a socket by. The zero Addr is any of the guest's.
type udpKey struct {
	addr wire.Addr
	port uint16
}

// UDPConn is a UDP socket of a guest, open until it is closed.
type UDPConn struct {
	// TTL is the time to live of the datagrams sent; 0 is the guest's default.
	TTL uint8
	// DontFragment refuses to send what does not fit the path (IP_PMTUDISC_DO). The
	// zero value sets DF on what fits and fragments what does not, as Linux does.
	DontFragment bool

	host    *Host
	key     udpKey
	handle  func(*UDPConn, Datagram)
	queue   []Datagram
	errors  []ICMPError
	waiting querier // a tool's probe, nil for a socket of the user's
	noDF    bool    // a tool's probe: IP_PMTUDISC_DONT
}

// ListenUDP opens a socket. The zero Addr listens at all addresses of the guest,
// port 0 takes a free ephemeral one. It refuses an address that is not the guest's
// and a port in use.
func (h *Host) ListenUDP(at netip.AddrPort) (*UDPConn, error) {
	k := udpKey{wire.AddrFrom(at.Addr()), at.Port()}
	if at.Addr().IsValid() && at.Addr().IsUnspecified() {
		k.addr = wire.Addr{}
	}
	if k.addr.IsValid() && !h.isLocal(k.addr) {
		return nil, fmt.Errorf("host %s: listen udp %s: cannot assign requested address", h.name, at)
	}
	if k.port == 0 {
		k.port = h.ephemeral(func(port uint16) bool { return h.udpTaken(udpKey{k.addr, port}) })
	}
	if k.port == 0 || h.udpTaken(k) {
		return nil, fmt.Errorf("host %s: listen udp %s: address already in use", h.name, at)
	}
	c := &UDPConn{host: h, key: k}
	h.udp[k] = c
	return c, nil
}

func (h *Host) udpTaken(k udpKey) bool { return h.udp[k] != nil || h.udp[udpKey{port: k.port}] != nil }

// ephemeral returns a free port out of ip_local_port_range, from a random one
// upwards, 0 where all are taken.
func (h *Host) ephemeral(taken func(uint16) bool) uint16 {
	n := h.sys.portLast - h.sys.portFirst + 1
	first := h.rand.IntN(n)
	for i := range n {
		port := uint16(h.sys.portFirst + (first+i)%n)
		if !taken(port) {
			return port
		}
	}
	return 0
}

// LocalPort returns the socket's port.
func (c *UDPConn) LocalPort() uint16 { return c.key.port }

// Close closes the socket; what comes for its port then has no listener.
func (c *UDPConn) Close() {
	if c.host.udp[c.key] == c {
		delete(c.host.udp, c.key)
	}
}

// OnDatagram has f called for each datagram as it comes; nil leaves them to
// [UDPConn.Read]. f may send.
func (c *UDPConn) OnDatagram(f func(*UDPConn, Datagram)) { c.handle = f }

// Send sends a datagram and returns what became of it as far as is known at once,
// trace.None where it waits for a neighbour. It refuses a payload over 65,507
// bytes and a destination of no use.
func (c *UDPConn) Send(to netip.AddrPort, payload []byte) (trace.Reason, error) {
	if len(payload) > 65507 {
		return trace.TooBig, fmt.Errorf("host %s: send udp %s: payload of %d bytes is over 65507", c.host.name, to, len(payload))
	}
	if !to.Addr().IsValid() || to.Port() == 0 {
		return trace.Malformed, fmt.Errorf("host %s: send udp %s: no address and port", c.host.name, to)
	}
	head, next := c.headerTo(wire.AddrFrom(to.Addr()))
	if next == nil {
		return trace.HostNoRoute, fmt.Errorf("host %s: send udp %s: network is unreachable", c.host.name, to)
	}
	n := len(payload) + wire.UDPLen + headerLen(head.Src)
	fits := c.host.fits(head.Dst, n)
	if c.DontFragment && !fits {
		return trace.TooBig, fmt.Errorf("host %s: send udp %s: message of %d bytes too long", c.host.name, to, n)
	}
	head.DF = fits && !c.noDF
	if !head.DF {
		head.ID = c.host.nextID()
	}
	return c.host.send(wire.AppendUDP(nil, head, c.key.port, to.Port(), payload)), nil
}

// headerTo returns the header of a datagram to dst; without a hop there is no route.
func (c *UDPConn) headerTo(dst wire.Addr) (wire.Header, *hop) {
	next := c.host.lookup(dst)
	if next == nil {
		return wire.Header{}, nil
	}
	src := c.key.addr
	if !src.IsValid() {
		src = c.host.source(next, dst)
	}
	if src.Is4() != dst.Is4() || !src.IsValid() {
		return wire.Header{}, nil
	}
	head := c.host.header(src, dst)
	if c.TTL != 0 {
		head.TTL = c.TTL
	}
	return head, next
}

func headerLen(a wire.Addr) int {
	if a.Is4() {
		return wire.IPv4Len
	}
	return wire.IPv6Len
}

// Received returns the datagrams that came and were not read.
func (c *UDPConn) Received() []Datagram { return c.queue }

// Errors returns the ICMP errors that came back for datagrams sent.
func (c *UDPConn) Errors() []ICMPError { return c.errors }

// Read returns the next datagram, running the clock for at most wait until one
// comes. It reports false where none did.
func (c *UDPConn) Read(wait time.Duration) (Datagram, bool) {
	if !c.host.clock.RunUntil(c.host.clock.Now()+wait, func() bool { return len(c.queue) > 0 }) {
		return Datagram{}, false
	}
	d := c.queue[0]
	c.queue = c.queue[1:]
	return d, true
}

func (c *UDPConn) receive(p *wire.Packet) {
	u := wire.UDP(p.Transport())
	d := Datagram{
		Arrival: c.host.arrived(p), Payload: append([]byte(nil), u.Payload()...),
		Src: netip.AddrPortFrom(p.Flow.Src.Netip(), p.Flow.SrcPort),
		Dst: netip.AddrPortFrom(p.Flow.Dst.Netip(), p.Flow.DstPort),
	}
	if c.handle != nil {
		c.handle(c, d)
		return
	}
	c.queue = append(c.queue, d)
}

func (c *UDPConn) fail(e ICMPError) {
	if c.waiting != nil {
		c.waiting.failed(e, c.key.port)
		return
	}
	c.errors = append(c.errors, e)
}

// udpFor returns the socket that a datagram of flow f is for, or nil.
func (h *Host) udpFor(f wire.Flow) *UDPConn {
	if c := h.udp[udpKey{f.Dst, f.DstPort}]; c != nil {
		return c
	}
	return h.udp[udpKey{port: f.DstPort}]
}

func (h *Host) udpInput(w *passage) trace.Reason {
	c := h.udpFor(w.p.Flow)
	if c == nil {
		h.icmpError(w, portUnreachable, 0)
		return trace.NoListener
	}
	c.receive(w.p)
	return trace.Delivered
}
