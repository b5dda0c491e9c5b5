package reach

import (
	"slices"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// talk is what the two ends of a probe know of the way between them: how large its
// packets may be, and the pieces of those that came in fragments.
type talk struct {
	opened []byte // the answer to the SYN, after which data follows
	asked  []byte // the data, as it came to the server
	told   int    // the MTU that errors have told the client of; 0 is none
	heard  int    // the same of the server
	again  []int  // the walks that errors have told of: what they lost was sent again
	most   int    // the largest segment that the client takes, as the server heard

	cut    bool           // packets may be fragmented
	pieces [2]reasm.Queue // of the client, of the server
}

// What is outside of VPCs has Ethernet's MTU, in bytes; IPv6 is cut by its sender, to what
// every link carries (RFC 8200 section 5).
const (
	etherMTU   = 1500
	leastMTU   = 1280
	segmentMax = 65_535
)

// linkMTU is the MTU of the link at an interface, or of a host outside where n is nil.
func linkMTU(n *vpc.NetworkInterface) int {
	if n == nil {
		return etherMTU
	}
	return eni.MTU
}

// room is what a packet of TCP without options holds of data on a link.
func room(a wire.Addr, mtu int) int {
	if a.Is4() {
		return mtu - wire.IPv4Len - wire.TCPLen
	}
	return mtu - wire.IPv6Len - wire.TCPLen
}

// announced is the MSS option of a SYN from a.
func announced(a wire.Addr, mtu int) []byte { return wire.AppendMSS(nil, uint16(room(a, mtu))) }

// segment is how much data a SYN has said that its sender takes in one packet: where it
// says nothing, that of whoever sends is the limit.
func segment(p *wire.Packet) int {
	if n := p.MSS(); n > 0 {
		return n
	}
	return segmentMax
}

// narrower keeps the MTU that an error tells of, and reports whether data that was sent is
// to be sent again, smaller (RFC 1191, RFC 8201).
func (r *run) narrower(p *wire.Packet, mtu *int) bool {
	four := p.Is4() && p.Type == wire.ICMPUnreachable && p.Code == wire.FragNeeded
	six := !p.Is4() && p.Type == wire.ICMPv6TooBig
	if r.connected == 0 || !four && !six {
		return false
	}
	n := int(wire.ICMP(p.Transport()).MTU())
	if n < 68 || *mtu != 0 && n >= *mtu { // no news (RFC 791: every link carries 68 bytes)
		return false
	}
	*mtu = n
	e := r.prober.world.Engine
	if w := e.Log.Find(e.Cause()); w != nil {
		r.talk.again = append(r.talk.again, w.Cause)
	}
	return true
}

// converse sends data on the connection that p opened.
func (r *run) converse(p *wire.Packet) {
	if r.connected != 0 {
		return
	}
	r.connected, r.talk.opened = r.prober.world.Engine.Cause(), slices.Clone(p.Bytes())
	r.tell()
}

// tell sends the data, as much of it as one packet may hold.
func (r *run) tell() {
	var p wire.Packet
	if p.Read(r.talk.opened) != nil {
		return
	}
	mtu := linkMTU(r.from.nic)
	if r.talk.told != 0 {
		mtu = min(mtu, r.talk.told)
	}
	in := wire.TCP(p.Transport())
	h := wire.Header{Src: r.sent.Src, Dst: r.sent.Dst, TTL: r.prober.config.TTL, DF: true}
	s := wire.Segment{SrcPort: r.sent.SrcPort, DstPort: r.sent.DstPort, Seq: in.Ack(), Ack: in.Seq() + 1, Flags: wire.PSH | wire.ACK, Window: 64240}
	r.prober.send(r.from, wire.AppendTCP(nil, h, s, make([]byte, min(r.size, segment(&p), room(h.Src, mtu)))))
}

// serve has a host take a packet that is for it, answer it by send, and says what became
// of it.
func (r *run) serve(p *wire.Packet, x server, send func(ip []byte) trace.Reason) trace.Reason {
	if p = r.whole(p, 1); p == nil {
		return trace.Reassembling
	}
	if p.IsError() {
		return r.complained(p, x, send)
	}
	if r.served == nil {
		r.servedAt, r.seenAs = x.at, p.Flow.Src.Netip()
	}
	r.served = append(r.served, r.prober.world.Engine.Cause())
	if p.Flow.Proto == wire.ProtoTCP {
		if p.Flags.Has(wire.SYN) {
			r.talk.most = segment(p)
		}
		if r.connected != 0 && len(wire.TCP(p.Transport()).Payload()) > 0 {
			r.talk.asked = slices.Clone(p.Bytes())
		}
	}
	return r.respond(p, x, send)
}

// respond sends the answer to p.
func (r *run) respond(p *wire.Packet, x server, send func(ip []byte) trace.Reason) trace.Reason {
	mtu := linkMTU(x.at)
	if r.talk.heard != 0 {
		mtu = min(mtu, r.talk.heard)
	}
	x.ttl, x.cut, x.most = r.prober.config.TTL, r.talk.cut, min(r.size, r.talk.most, room(p.Flow.Dst, mtu))
	ip, end := x.answer(r.buf[:0], p)
	if ip != nil {
		for _, part := range r.parts(ip, linkMTU(x.at)) {
			send(part)
		}
	}
	return end
}

// complained takes an error about an answer: data goes again, smaller.
func (r *run) complained(p *wire.Packet, x server, send func(ip []byte) trace.Reason) trace.Reason {
	var asked wire.Packet
	in, quotes := p.Inner()
	if r.talk.asked == nil || asked.Read(r.talk.asked) != nil || !quotes || in.Flow != asked.Flow.Reverse() || !r.narrower(p, &r.talk.heard) {
		return trace.Delivered
	}
	r.respond(&asked, x, send)
	return trace.Delivered
}

// parts are the fragments in which a host sends a packet; the packet alone where it fits,
// or must not be fragmented.
func (r *run) parts(ip []byte, mtu int) [][]byte {
	var p wire.Packet
	if !r.talk.cut || p.Read(ip) != nil {
		return [][]byte{ip}
	}
	if !p.Is4() {
		mtu = leastMTU
	}
	if len(ip) <= mtu {
		return [][]byte{ip}
	}
	return p.Split(mtu, queryID)
}

// whole returns a packet as it was before it was cut, nil where pieces are missing. who is
// 0 for the client, 1 for the server.
func (r *run) whole(p *wire.Packet, who int) *wire.Packet {
	if p.Fragment == wire.Whole {
		return p
	}
	d, _ := r.talk.pieces[who].Add(p, r.prober.world.Clock.Now())
	var q wire.Packet
	if d.Bytes == nil || q.Read(d.Bytes) != nil {
		return nil
	}
	return &q
}
