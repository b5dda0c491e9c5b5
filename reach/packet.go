package reach

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// What probes are sent with: every probe has the network to itself, so all may have
// the same. The port is one of Linux's for clients, the payload ping's 56 bytes.
const (
	clientPort = 40000
	queryID    = 0x5643
	pingLen    = 56
)

var pingData [pingLen]byte

// request appends a probe's first packet to b: ping's echo request, nmap's SYN, a
// datagram, or a bare packet of any other protocol.
func request(b []byte, h wire.Header, q *Question) []byte {
	data := pingData[:]
	if q.Size > 0 {
		data = make([]byte, q.Size)
	}
	switch q.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		typ := wire.ICMPEcho
		if !h.Src.Is4() {
			typ = wire.ICMPv6Echo
		}
		return wire.AppendICMP(b, h, typ, 0, queryID<<16|1, data)
	case wire.ProtoTCP:
		return wire.AppendTCP(b, h, wire.Segment{SrcPort: clientPort, DstPort: q.Port, Seq: 1, Flags: wire.SYN, Window: 64240}, nil)
	case wire.ProtoUDP:
		return wire.AppendUDP(b, h, clientPort, q.Port, data)
	}
	h.Proto = q.Proto
	return wire.AppendIP(b, h, data)
}

// answer appends to b what a host answers to a packet that is for it, and says what
// became of the packet; nil where it answers nothing.
func answer(b []byte, p *wire.Packet, ttl uint8, open bool) ([]byte, trace.Reason) {
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ttl, DF: true}
	switch {
	case p.Fragment != wire.Whole:
		return nil, trace.Reassembling
	case isPing(p):
		m := wire.ICMP(p.Transport())
		typ := wire.ICMPEchoReply
		if !p.Is4() {
			typ = wire.ICMPv6EchoReply
		}
		return wire.AppendICMP(b, h, typ, 0, binary.BigEndian.Uint32(m[4:]), m[wire.ICMPLen:]), trace.Delivered
	case p.Flow.Proto == wire.ProtoTCP && p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK):
		s := wire.Segment{SrcPort: p.Flow.DstPort, DstPort: p.Flow.SrcPort, Ack: wire.TCP(p.Transport()).Seq() + 1}
		if !open {
			s.Flags = wire.RST | wire.ACK
			return wire.AppendTCP(b, h, s, nil), trace.NoListener
		}
		s.Seq, s.Flags, s.Window = 1, wire.SYN|wire.ACK, 65535
		return wire.AppendTCP(b, h, s, nil), trace.Delivered
	case p.Flow.Proto == wire.ProtoTCP && open && len(wire.TCP(p.Transport()).Payload()) > 0:
		in := wire.TCP(p.Transport())
		s := wire.Segment{SrcPort: p.Flow.DstPort, DstPort: p.Flow.SrcPort, Seq: in.Ack(), Flags: wire.PSH | wire.ACK, Window: 65535}
		s.Ack = in.Seq() + uint32(len(in.Payload()))
		return wire.AppendTCP(b, h, s, in.Payload()), trace.Delivered
	case p.Flow.Proto == wire.ProtoUDP && open:
		return wire.AppendUDP(b, h, p.Flow.DstPort, p.Flow.SrcPort, wire.UDP(p.Transport()).Payload()), trace.Delivered
	case p.Flow.Proto == wire.ProtoUDP:
		typ, code := wire.ICMPUnreachable, wire.PortUnreachable
		if !p.Is4() {
			typ, code = wire.ICMPv6Unreachable, wire.V6PortUnreachable
		}
		return wire.AppendICMPError(b, h, typ, code, 0, p), trace.NoListener
	}
	return nil, trace.Delivered
}

// isPing reports whether p is an echo request.
func isPing(p *wire.Packet) bool {
	return p.Flow.Proto == wire.ProtoICMP && p.Type == wire.ICMPEcho || p.Flow.Proto == wire.ProtoICMPv6 && p.Type == wire.ICMPv6Echo
}
