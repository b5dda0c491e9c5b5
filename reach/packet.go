package reach

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
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
		s := wire.Segment{SrcPort: clientPort, DstPort: q.Port, Seq: 1, Flags: wire.SYN, Window: 64240}
		if q.Size > 0 {
			s.Options = announced(h.Src, linkMTU(q.From.nic))
		}
		return wire.AppendTCP(b, h, s, nil)
	case wire.ProtoUDP:
		return wire.AppendUDP(b, h, clientPort, q.Port, data)
	}
	h.Proto = q.Proto
	return wire.AppendIP(b, h, data)
}

// server is a host that answers: at an interface, or nil beyond a gateway.
type server struct {
	at   *vpc.NetworkInterface
	ttl  uint8
	open bool
	most int  // how much data it sends on a connection, in bytes
	cut  bool // its packets may be fragmented
	mute bool // it answers nothing
}

// answer appends to b what the host answers to a packet that is for it, and says what
// became of the packet; nil where it answers nothing.
func (x server) answer(b []byte, p *wire.Packet) ([]byte, trace.Reason) {
	if x.mute {
		return nil, trace.Delivered
	}
	h, open := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: x.ttl, DF: !x.cut}, x.open
	switch {
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
		if x.most > 0 {
			s.Options = announced(h.Src, linkMTU(x.at))
		}
		return wire.AppendTCP(b, h, s, nil), trace.Delivered
	case p.Flow.Proto == wire.ProtoTCP && open && len(wire.TCP(p.Transport()).Payload()) > 0:
		in := wire.TCP(p.Transport())
		s := wire.Segment{SrcPort: p.Flow.DstPort, DstPort: p.Flow.SrcPort, Seq: in.Ack(), Flags: wire.PSH | wire.ACK, Window: 65535}
		s.Ack = in.Seq() + uint32(len(in.Payload()))
		return wire.AppendTCP(b, h, s, make([]byte, x.most)), trace.Delivered
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
