package dataplane

import (
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// What a link does with packets over its MTU is in this file for all nodes:
//
//   - it tells the sender, where the packet must not be fragmented ([Context.TooBig]);
//   - it is a black hole: Drop(trace.TooBig);
//   - it cuts them ([wire.Packet.Split]), which internet gateways alone do;
//   - and it has TCP send none, where it clamps the MSS ([Context.ClampMSS]).

// errorTTL is the TTL of ICMP errors of the platform's own. AWS states none.
const errorTTL = 255

// TooBig drops p, which does not fit a link of mtu bytes, and sends the error about it
// from the address from, which is of p's family, at the node at. Where p may be
// fragmented, where no error may be sent, and where from is the zero Addr, it drops in
// silence (RFC 1191, RFC 8201).
func (c *Context) TooBig(p *wire.Packet, at Node, from wire.Addr, mtu int) Next {
	if from.IsValid() {
		if b := wire.AppendTooBig(nil, wire.Header{Src: from, TTL: errorTTL}, mtu, p); b != nil {
			c.Emit(at, b)
		}
	}
	return Drop(trace.TooBig)
}

// ClampMSS has a SYN announce no larger segments than fit a link of mtu bytes. It does
// not allocate, and costs one comparison for what is no SYN.
func (c *Context) ClampMSS(p *wire.Packet, mtu int) {
	if p.Flags&wire.SYN != 0 && p.ClampMSS(mtu) && c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Did, Match: "clamps the MSS"})
	}
}
