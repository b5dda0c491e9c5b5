package host

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// tcpKey is what SYNs find a listener by. The zero Addr is any of the guest's.
type tcpKey struct {
	addr wire.Addr
	port uint16
}

// Listener takes connections to one port of a guest, until it is closed.
type Listener struct {
	host   *Host
	key    tcpKey
	accept func(*Conn)
	queue  []*Conn
}

// ListenTCP listens at an address and port; the zero Addr is all addresses of the
// guest, port 0 a free ephemeral one. accept is called with each connection as it
// is established; where it is nil they wait for [Listener.Accept]. It refuses an
// address that is not the guest's and a port in use.
func (h *Host) ListenTCP(at netip.AddrPort, accept func(*Conn)) (*Listener, error) {
	k := tcpKey{wire.AddrFrom(at.Addr()), at.Port()}
	if at.Addr().IsValid() && at.Addr().IsUnspecified() {
		k.addr = wire.Addr{}
	}
	if k.addr.IsValid() && !h.isLocal(k.addr) {
		return nil, fmt.Errorf("host %s: listen tcp %s: cannot assign requested address", h.name, at)
	}
	taken := func(port uint16) bool {
		return h.listeners[tcpKey{k.addr, port}] != nil || h.listeners[tcpKey{port: port}] != nil
	}
	if k.port == 0 {
		k.port = h.ephemeral(taken)
	}
	if k.port == 0 || taken(k.port) {
		return nil, fmt.Errorf("host %s: listen tcp %s: address already in use", h.name, at)
	}
	l := &Listener{host: h, key: k, accept: accept}
	h.listeners[k] = l
	return l, nil
}

// Port returns the port listened at.
func (l *Listener) Port() uint16 { return l.key.port }

// Close stops listening. Connections taken live on.
func (l *Listener) Close() {
	if l.host.listeners[l.key] == l {
		delete(l.host.listeners, l.key)
	}
}

// Accept returns the next connection, running the clock for at most wait until
// there is one; then it returns os.ErrDeadlineExceeded.
func (l *Listener) Accept(wait time.Duration) (*Conn, error) {
	if !l.host.clock.RunUntil(l.host.clock.Now()+wait, func() bool { return len(l.queue) > 0 }) {
		return nil, os.ErrDeadlineExceeded
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// listenerFor returns the listener that a segment of flow f is for, or nil.
func (h *Host) listenerFor(f wire.Flow) *Listener {
	if l := h.listeners[tcpKey{f.Dst, f.DstPort}]; l != nil {
		return l
	}
	return h.listeners[tcpKey{port: f.DstPort}]
}

// tcpInput takes a segment: for a connection, a listener, a tool's probe or nobody.
func (h *Host) tcpInput(p *wire.Packet) trace.Reason {
	f := p.Flow.Reverse()
	s := readSegment(p)
	c := h.conns[f]
	if c != nil && c.state == TimeWait && s.opens() && after(s.seq, c.rcvNxt) {
		c.end(nil) // RFC 9293 section 3.10.7.4: a new incarnation
		c = nil
	}
	if c != nil {
		c.segment(s)
		return trace.Delivered
	}
	if l := h.listenerFor(p.Flow); l != nil && s.opens() {
		l.syn(f, s)
		return trace.Delivered
	}
	if q := h.probes[f]; q != nil {
		q.answered(h.arrived(p), p)
		h.reset(nil, p)
		return trace.Delivered
	}
	h.reset(nil, p)
	return trace.NoListener
}

// syn answers the first segment of a new connection.
func (l *Listener) syn(f wire.Flow, s segment) {
	c := l.host.newConn(f)
	c.state, c.listener = SynReceived, l
	c.opened = func(c *Conn, _ error) {
		if l.accept != nil {
			l.accept(c)
			return
		}
		l.queue = append(l.queue, c)
	}
	c.takeSYN(s)
	c.nxt++
	c.sendSYN()
	c.arm()
}

// reset answers a segment that no connection knows (RFC 9293 section 3.10.7.1), or in
// a REJECT rule's name that of cause, which is nil otherwise.
func (h *Host) reset(cause *passage, p *wire.Packet) {
	s := readSegment(p)
	if s.flags.Has(wire.RST) {
		return
	}
	r := wire.Segment{SrcPort: p.Flow.DstPort, DstPort: p.Flow.SrcPort, Flags: wire.RST, Seq: s.ack}
	if !s.flags.Has(wire.ACK) {
		r.Flags, r.Seq, r.Ack = wire.RST|wire.ACK, 0, s.seq+s.len()
	}
	head := h.header(p.Flow.Dst, p.Flow.Src)
	head.DF = true
	h.sendAbout(cause, wire.AppendTCP(nil, head, r, nil))
}
