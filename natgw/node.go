package natgw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// sessions is the live state of a NAT gateway.
const sessions vpc.StateKey[nat.Masquerade] = "sessions"

// translator is a compiled NAT gateway: the guest of its own interface. Its
// subnet's ACLs and route table apply to it as to any guest; it has no security
// group, listens on nothing and answers no ping (measured: S002).
type translator struct {
	id       string
	name     string
	sessions *nat.Masquerade
	six      *six
	addrs    []wire.Addr // private addresses; its own ICMP errors come from the first
	out      dataplane.Node
}

// MTU is the largest packet that a NAT gateway takes where it must not be
// fragmented, in bytes (VPC guide, "NAT gateway basics"): larger ones are dropped and
// their sender is told, and the MSS of TCP is clamped to it. What may be fragmented
// passes whole: of that AWS says nothing.
const MTU = 8500

// ownTTL is the TTL of packets of the gateway's own. AWS states none.
const ownTTL = 255

// Compile makes the translator and puts it behind the gateway's interface.
func (g *NATGateway) Compile(c *vpc.Compiler) {
	if g.state != Available {
		return
	}
	i := c.Interface(g.nic)
	addrs := make([]wire.Addr, 0, nat.MaxAddrs)
	for _, a := range c.AddressesOf(g.nic) {
		addrs = append(addrs, wire.AddrFrom(a.IP))
	}
	config := nat.Config{Addrs: addrs, Seed: c.Seed(g.ID())}
	masquerade := vpc.State(c, g.ID(), sessions, func() *nat.Masquerade {
		m, err := nat.NewMasquerade(config)
		if err != nil {
			panic("natgw: " + g.ID() + ": " + err.Error())
		}
		return m
	})
	if err := masquerade.Configure(config); err != nil {
		panic("natgw: " + g.ID() + ": " + err.Error())
	}
	t := &translator{id: g.ID(), name: c.LabelOf(g), sessions: masquerade, six: vpc.State(c, g.ID(), sixes, func() *six { return &six{} }), addrs: addrs, out: i.Out()}
	i.Owner = t
	c.Enter(g, g.subnet.VPC(), vpc.Entry{Node: c.Toward(g.nic), Subnet: g.subnet.ID()})
}

// Name returns the gateway's name.
func (t *translator) Name() string { return t.name }

// Resource returns the gateway's id.
func (t *translator) Resource() string { return t.id }

// Forward translates IPv4 that comes for other destinations, and what answers it; one
// hop less to live either way. IPv6 is for forward6. Its own errors come from its private address
// (VPC guide, "NAT gateway use cases"; measured: S002).
func (t *translator) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	back := t.owns(p.Flow.Dst)
	if !back && (c.Entered == dataplane.ByPrivateGateway || c.Entered == dataplane.ByPeering) {
		return dataplane.Drop(trace.SourceNotInVPC)
	}
	if !p.Is4() {
		return t.forward6(c, p)
	}
	if p.TTL() <= 1 {
		return t.expire(c, p, back)
	}
	if p.Len() > MTU && p.DontFragment() {
		return c.TooBig(p, t.out, t.addrs[0], MTU)
	}
	if !c.Track(p) {
		return dataplane.Drop(trace.TrackingFull)
	}
	if c.Recording() {
		t.keep(c, p, back)
	}
	before := p.Flow
	verdict := nat.NoSession
	if back {
		verdict = t.sessions.Back(p, c.Now)
	} else {
		verdict = t.sessions.Out(p, c.Now)
	}
	if verdict != nat.Translated {
		return t.refuse(c, p, verdict)
	}
	p.DecTTL()
	if back {
		if end := t.back6(c, p); end != trace.None {
			return dataplane.Drop(end)
		}
	}
	if c.Tracing() {
		c.Step(p, trace.Translated).Before = before
	}
	c.ClampMSS(p, MTU)
	return dataplane.To(t.out)
}

// keep has the packets of a session that lives already be translated without the node.
func (t *translator) keep(c *dataplane.Context, p *wire.Packet, back bool) {
	d := nat.Original
	if back {
		d = nat.Reply
	}
	if number, ok := t.sessions.Place(d, &p.Flow, c.Now); ok {
		c.Keep(p, t.sessions, number)
		c.Fits(MTU)
		c.Fixed(t)
	}
}

func (t *translator) owns(a wire.Addr) bool {
	for _, own := range t.addrs {
		if own == a {
			return true
		}
	}
	return false
}

// expire drops a packet whose TTL is used up and tells its sender, for what goes out.
func (t *translator) expire(c *dataplane.Context, p *wire.Packet, back bool) dataplane.Next {
	if !back {
		t.emitError(c, p, wire.ICMPTimeExceeded, 0, 0)
	}
	return dataplane.Drop(trace.TTLExpired)
}

// ends are the reasons of the verdicts that are no translation.
var ends = [...]trace.Reason{
	nat.NoPort:               trace.NoPort,
	nat.NoSession:            trace.NoSession,
	nat.IdleReset:            trace.IdleSession,
	nat.ProtocolNotSupported: trace.ProtocolNotSupported,
	nat.FragmentNotSupported: trace.FragmentNotSupported,
	nat.FragmentBeforeFirst:  trace.FragmentNotSupported,
}

func (t *translator) refuse(c *dataplane.Context, p *wire.Packet, v nat.Verdict) dataplane.Next {
	if v == nat.IdleReset {
		t.emitReset(c, p)
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Did, Match: v.String()})
	}
	return dataplane.Drop(ends[v])
}

// emitError tells the packet's sender what became of it, from the private address,
// unless the packet is one that no error may be sent about (RFC 1122 section 3.2.2).
func (t *translator) emitError(c *dataplane.Context, p *wire.Packet, typ, code uint8, rest uint32) {
	if p.AllowsError(typ, code) {
		h := wire.Header{Src: t.addrs[0], TTL: ownTTL}
		c.Emit(t.out, wire.AppendICMPError(nil, h, typ, code, rest, p))
	}
}

// emitReset sends the RST of an idle connection to the inside (VPC guide, "NAT
// gateway basics"), in the name of the far end (RFC 9293 section 3.10.7.1).
func (t *translator) emitReset(c *dataplane.Context, p *wire.Packet) {
	in := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: in.DstPort(), DstPort: in.SrcPort(), Flags: wire.RST}
	if in.Flags().Has(wire.ACK) {
		s.Seq = in.Ack()
	} else {
		s.Flags |= wire.ACK
		s.Ack = in.Seq() + uint32(len(in.Payload()))
	}
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ownTTL}
	t.emit(c, wire.AppendTCP(nil, h, s, nil))
}

// Counters returns the gateway's CloudWatch metrics in the given life of its
// region, zero where it has none.
func (g *NATGateway) Counters(l *vpc.Live) nat.Counters {
	if m := vpc.StateOf(l, g.ID(), sessions); m != nil {
		return m.Counters(l.Now())
	}
	return nat.Counters{}
}
