package natgw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/nat64"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// six is the live state of a NAT gateway's NAT64: the IPv6 clients, and room for one
// packet. Their sessions are among those of IPv4, each client under an address that is
// lent to it.
type six struct {
	clients nat64.Clients
	scratch []byte
}

const sixes vpc.StateKey[six] = "IPv6 clients"

// forward6 turns an IPv6 packet for an address in 64:ff9b::/96 into IPv4 and translates
// that as any other; a NAT gateway carries no other IPv6 (VPC guide, "DNS64 and NAT64").
// Its own ICMPv6 errors come from the address that stands for its private one, which is
// inferred: it has no IPv6 address.
func (t *translator) forward6(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	own := nat64.Embed(t.addrs[0])
	switch {
	case !nat64.Prefix.Contains(p.Flow.Dst):
		return dataplane.Drop(trace.NoFamily)
	case p.TTL() <= 1:
		t.emitError6(c, p, own)
		return dataplane.Drop(trace.TTLExpired)
	case p.Len() > MTU:
		return c.TooBig(p, t.out, own, MTU)
	case !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	}
	before := p.Flow
	c.ClampMSS(p, MTU)
	b, ok := t.six.clients.Out(t.six.scratch[:0], p)
	if t.six.scratch = b; !ok {
		return dataplane.Drop(trace.ProtocolNotSupported)
	}
	if c.Replace(p, b) != nil {
		return dataplane.Drop(trace.Malformed)
	}
	if verdict := t.sessions.Out(p, c.Now); verdict != nat.Translated {
		return t.refuse(c, p, verdict)
	}
	p.DecTTL()
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Translated, Before: before})
	}
	return dataplane.To(t.out)
}

// back6 turns a translated packet for an IPv6 client into IPv6. It reports false of one
// that is for no such client, or that IPv6 has not: end is then why it drops, trace.None
// of the former.
func (t *translator) back6(c *dataplane.Context, p *wire.Packet) (end trace.Reason) {
	if _, lent := t.six.clients.Client(p.Flow.Dst); !lent {
		return trace.None
	}
	b, ok := t.six.clients.Back(t.six.scratch[:0], p)
	if t.six.scratch = b; !ok {
		return trace.ProtocolNotSupported
	}
	if c.Replace(p, b) != nil {
		return trace.Malformed
	}
	return trace.None
}

// emitError6 tells the sender of an IPv6 packet that it was on its way for too long.
func (t *translator) emitError6(c *dataplane.Context, p *wire.Packet, own wire.Addr) {
	if p.AllowsError(wire.ICMPv6TimeExceeded, 0) {
		c.Emit(t.out, wire.AppendICMPError(nil, wire.Header{Src: own, TTL: ownTTL}, wire.ICMPv6TimeExceeded, 0, 0, p))
	}
}

// emit sends an IPv4 packet of the gateway's own to whom it is for: as IPv6 where that is
// a client of NAT64.
func (t *translator) emit(c *dataplane.Context, ip []byte) {
	var p wire.Packet
	if p.Read(ip) != nil {
		return
	}
	if _, lent := t.six.clients.Client(p.Flow.Dst); lent {
		var ok bool
		if ip, ok = t.six.clients.Back(nil, &p); !ok {
			return
		}
	}
	c.Emit(t.out, ip)
}
