package host

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// send sends probe n.
func (t *tracer) send(p *probe, n int) {
	ttl := uint8(n/t.c.Queries + 1)
	p.sent, p.sentAt = true, t.h.clock.Now()
	t.result.Sent++
	switch t.c.Method {
	case ICMPProbes:
		t.sendICMP(p, ttl)
	case TCPProbes:
		t.sendTCP(p, ttl)
	default:
		t.sendUDP(p, ttl)
	}
}

// sendUDP sends a datagram from a socket of its own, whose port tells the probes apart.
func (t *tracer) sendUDP(p *probe, ttl uint8) {
	c, err := t.h.ListenUDP(netip.AddrPortFrom(t.src.Netip(), 0))
	if err != nil {
		p.done = true
		return
	}
	c.TTL, c.DontFragment, c.noDF, c.waiting = ttl, t.c.DontFragment, !t.c.DontFragment, t
	c.handle = func(c *UDPConn, d Datagram) { t.heard(c.key.port, d.Arrival, "", true) }
	p.socket, p.seq = c, c.key.port
	to := netip.AddrPortFrom(t.dst.Netip(), t.port)
	t.port++
	c.Send(to, t.payload(wire.UDPLen))
}

func (t *tracer) sendICMP(p *probe, ttl uint8) {
	t.seq++
	p.seq = t.seq
	typ, head := wire.ICMPv6Echo, t.header(ttl)
	if t.dst.Is4() {
		typ = wire.ICMPEcho
	}
	rest := uint32(t.key.id)<<16 | uint32(p.seq)
	t.h.send(wire.AppendICMP(nil, head, typ, 0, rest, t.payload(wire.ICMPLen)))
}

// sendTCP sends a SYN with the options of a Linux connection from a port of its
// own. No connection stands behind it, so that an answer is reset.
func (t *tracer) sendTCP(p *probe, ttl uint8) {
	f := wire.Flow{Src: t.src, Dst: t.dst, DstPort: t.port, Proto: wire.ProtoTCP}
	f.SrcPort = t.h.ephemeral(func(port uint16) bool {
		f.SrcPort = port
		return t.h.probes[f] != nil || t.h.conns[f] != nil
	})
	p.seq, p.flow = f.SrcPort, f
	t.h.probes[f] = t
	now := uint32(t.h.clock.Now() / time.Millisecond)
	mss := t.h.lookup(t.dst).nic.mtu - headerLen(t.dst) - wire.TCPLen
	s := wire.Segment{
		SrcPort: f.SrcPort, DstPort: f.DstPort, Seq: t.h.rand.Uint32(), Flags: wire.SYN, Window: 5840,
		Options: synOptions(mss, now, 0, 2),
	}
	t.h.send(wire.AppendTCP(nil, t.header(ttl), s, nil))
}

func (t *tracer) header(ttl uint8) wire.Header {
	head := t.h.header(t.src, t.dst)
	head.TTL, head.DF = ttl, t.c.DontFragment
	if !head.DF {
		head.ID = t.h.nextID()
	}
	return head
}

// payload returns the bytes behind a transport header, which count up from '@'.
func (t *tracer) payload(header int) []byte {
	b := make([]byte, max(t.c.Size-headerLen(t.dst)-header, 0))
	for i := range b {
		b[i] = 0x40 + byte(i&0x3f)
	}
	return b
}

// close frees what a probe's answer was waited for with.
func (t *tracer) close(p *probe) {
	p.done = true
	if p.socket != nil {
		p.socket.Close()
		p.socket = nil
	}
	if p.flow != (wire.Flow{}) {
		delete(t.h.probes, p.flow)
	}
}

// heard takes the answer to the probe known by seq.
func (t *tracer) heard(seq uint16, a Arrival, mark string, final bool) {
	for i := range t.probes {
		p := &t.probes[i]
		if !p.sent || p.done || p.seq != seq {
			continue
		}
		p.Probe = Probe{Addr: a.From, RTT: a.At - p.sentAt, Mark: mark, TTL: a.TTL}
		p.final = final
		t.result.Reached = t.result.Reached || final
		t.close(p)
		t.step()
		return
	}
}

// answered takes an echo reply, or a segment from the port probed.
func (t *tracer) answered(a Arrival, packet *wire.Packet) {
	seq := packet.Flow.DstPort
	if packet.IsReply() {
		seq = wire.ICMP(packet.Transport()).Seq()
	}
	t.heard(seq, a, "", true)
}

// failed takes an ICMP error about a probe.
func (t *tracer) failed(e ICMPError, seq uint16) {
	if e.Flow.Proto == wire.ProtoTCP {
		seq = e.Flow.SrcPort
	}
	mark, final := e.mark()
	t.heard(seq, e.Arrival, mark, final)
}

// mark returns traceroute's note on an error, and whether the search ends with it.
func (e ICMPError) mark() (string, bool) {
	if e.isTooBig() {
		return fmt.Sprintf("!F-%d", e.MTU), true
	}
	if e.Flow.Src.Is4() {
		return e.mark4()
	}
	return e.mark6()
}

var marks4 = [...]string{
	0: "!N", 1: "!H", 2: "!P", 3: "", 5: "!S", 6: "!N", 7: "!H", 8: "!N", 9: "!X", 10: "!X",
	11: "!N", 12: "!H", 13: "!X", 14: "!V", 15: "!C",
}

func (e ICMPError) mark4() (string, bool) {
	switch {
	case e.Type == wire.ICMPTimeExceeded && e.Code == 0:
		return "", false
	case e.Type == wire.ICMPUnreachable && int(e.Code) < len(marks4):
		return marks4[e.Code], true
	case e.Type == wire.ICMPUnreachable:
		return fmt.Sprintf("!<%d>", e.Code), true
	}
	return fmt.Sprintf("!<%d-%d>", e.Type, e.Code), true
}

var marks6 = [...]string{"!N", "!X", "!H", "!H", ""}

func (e ICMPError) mark6() (string, bool) {
	switch {
	case e.Type == wire.ICMPv6TimeExceeded && e.Code == 0:
		return "", false
	case e.Type == wire.ICMPv6Unreachable && int(e.Code) < len(marks6):
		return marks6[e.Code], true
	case e.Type == wire.ICMPv6Unreachable:
		return fmt.Sprintf("!<%d>", e.Code), true
	}
	return fmt.Sprintf("!<%d-%d>", e.Type, e.Code), true
}

// title writes traceroute's first line, without its end: each hop begins a line.
func (t *tracer) title(dst netip.Addr) {
	size := t.c.Size
	if t.c.Method == TCPProbes {
		size = headerLen(t.dst) + wire.TCPLen + len(synOptions(0, 0, 0, 0))
	}
	fmt.Fprintf(&t.out, "traceroute to %s (%s), %d hops max, %d byte packets", t.name(dst), dst, t.c.MaxHops, size)
}

func (t *tracer) name(a netip.Addr) string {
	if t.c.Name != nil {
		if name := t.c.Name(a); name != "" {
			return name
		}
	}
	return a.String()
}

// print writes what became of probe n, and keeps it in the result.
func (t *tracer) print(n int) {
	p := &t.probes[n]
	if n%t.c.Queries == 0 || len(t.result.Hops) == 0 {
		ttl := n/t.c.Queries + 1
		t.result.Hops = append(t.result.Hops, Hop{TTL: ttl})
		fmt.Fprintf(&t.out, "\n%2d ", ttl)
	}
	hop := &t.result.Hops[len(t.result.Hops)-1]
	switch {
	case !p.Addr.IsValid():
		t.out.WriteString(" *")
	case p.Addr != hop.lastAddr() && t.c.Numeric:
		fmt.Fprintf(&t.out, " %s", p.Addr)
	case p.Addr != hop.lastAddr():
		fmt.Fprintf(&t.out, " %s (%s)", t.name(p.Addr), p.Addr)
	}
	if p.Addr.IsValid() {
		fmt.Fprintf(&t.out, "  %.3f ms", float64(p.RTT)/float64(time.Millisecond))
	}
	if p.Mark != "" {
		t.out.WriteString(" " + p.Mark)
	}
	hop.Probes = append(hop.Probes, p.Probe)
}

// lastAddr returns who answered last, past probes that nobody answered.
func (h *Hop) lastAddr() netip.Addr {
	for i := len(h.Probes) - 1; i >= 0; i-- {
		if h.Probes[i].Addr.IsValid() {
			return h.Probes[i].Addr
		}
	}
	return netip.Addr{}
}

// synOptions returns the options of a Linux SYN: maximum segment size, selective
// acknowledgment, timestamps (RFC 7323) and window scale, 20 bytes.
func synOptions(mss int, now, echo uint32, scale uint8) []byte {
	b := []byte{2, 4, byte(mss >> 8), byte(mss), 4, 2, 8, 10}
	b = binary.BigEndian.AppendUint32(b, now)
	b = binary.BigEndian.AppendUint32(b, echo)
	return append(b, 1, 3, 3, scale)
}
