package host

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

type tcpKey struct{ port uint16 }
type Listener struct{}
type Conn struct{}

func (c *Conn) icmpError(ICMPError, []byte) {}

func (h *Host) tcpInput(p *wire.Packet) trace.Reason {
	if q := h.probes[p.Flow.Reverse()]; q != nil {
		q.answered(h.arrived(p), p)
	}
	h.reset(p)
	return trace.NoListener
}

// reset answers a segment that no connection knows (RFC 9293 section 3.10.7.1).
func (h *Host) reset(p *wire.Packet) {
	if p.Flags.Has(wire.RST) {
		return
	}
	t := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: p.Flow.DstPort, DstPort: p.Flow.SrcPort, Flags: wire.RST}
	if p.Flags.Has(wire.ACK) {
		s.Seq = t.Ack()
	} else {
		s.Flags |= wire.ACK
		s.Ack = t.Seq() + segmentLen(p)
	}
	head := h.header(p.Flow.Dst, p.Flow.Src)
	head.DF = true
	h.send(wire.AppendTCP(nil, head, s, nil))
}

// segmentLen returns how much sequence space a segment takes: SYN and FIN take one
// each (RFC 9293 section 3.4).
func segmentLen(p *wire.Packet) uint32 {
	n := uint32(len(wire.TCP(p.Transport()).Payload()))
	if p.Flags.Has(wire.SYN) {
		n++
	}
	if p.Flags.Has(wire.FIN) {
		n++
	}
	return n
}
