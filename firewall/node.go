package firewall

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// flowsOf is the live state of an endpoint's engine.
const flowsOf vpc.StateKey[flows] = "flows"

// ownTTL is the TTL of packets of the firewall's own. AWS states none.
const ownTTL = 255

// rules is a compiled policy; firewalls may share it.
type rules struct {
	policy, policyID string
	stateless        []stateless
	whole, fragments Action
	stateful         []stateful
	strict           bool
	dropAll          bool // aws:drop_strict
	dropEstablished  bool // aws:drop_established
	stream           StreamExceptionPolicy
	tcpIdle          time.Duration
}

// inspector is a firewall at one of its endpoints.
type inspector struct {
	name, id string
	rules    *rules
	flows    *flows
	out      dataplane.Node // back into the VPC
}

// Name returns the firewall's name.
func (n *inspector) Name() string { return n.name }

// Resource returns the firewall's id.
func (n *inspector) Resource() string { return n.id }

// Forward asks the stateless rules, then where they forward to it the stateful engine;
// what passes leaves as it came, by the endpoint. Flows by a firewall's endpoint are
// always tracked (EC2 guide, "Security group connection tracking").
func (n *inspector) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if !c.Track(p) {
		return dataplane.Drop(trace.TrackingFull)
	}
	end := trace.None
	switch n.stateless(c, p) {
	case Drop:
		end = n.dropped(c, nil)
	case Forward:
		end = n.inspect(c, p)
	}
	if end != trace.None {
		return dataplane.Drop(end)
	}
	return dataplane.To(n.out)
}

// dropped is the end of what a rule drops, unless who asks lifts the rule: then the flow
// passes, which is nil where no stateful rule has dropped it.
func (n *inspector) dropped(c *dataplane.Context, f *flow) trace.Reason {
	if !c.Lift(trace.FirewallRule) {
		return trace.FirewallRule
	}
	if f != nil {
		f.passed = true
	}
	return trace.None
}

// stateless returns what the stateless rules say of a packet.
func (n *inspector) stateless(c *dataplane.Context, p *wire.Packet) Action {
	r := n.rules
	for i := range r.stateless {
		if s := &r.stateless[i]; s.matches(p) {
			n.note(c, p, s.group, s.text, s.action != Drop, s.number)
			return s.action
		}
	}
	a, what := r.whole, "stateless default"
	if p.Fragment != wire.Whole {
		a, what = r.fragments, "stateless fragment default"
	}
	if a == Drop {
		n.note(c, p, r.policy, what, false, 0)
	}
	return a
}

// note keeps the step of a rule.
func (n *inspector) note(c *dataplane.Context, p *wire.Packet, group, text string, allow bool, number int) {
	if !c.Tracing() {
		return
	}
	act := trace.Allowed
	if !allow {
		act = trace.Denied
	}
	c.Note(p, trace.Step{Act: act, Object: group, ObjectID: n.rules.policyID, Rule: text, Number: int32(number)})
}

// inspect is the stateful engine. It returns why the packet is dropped, or None.
func (n *inspector) inspect(c *dataplane.Context, p *wire.Packet) trace.Reason {
	if inner, ok := p.Inner(); ok {
		k, _ := key(inner.Flow)
		if f, known := n.flows.find(k, c.Now, n.rules.tcpIdle); known && f.passed {
			return trace.None // about a flow that passes
		}
	}
	k, turned := key(p.Flow)
	f, known := n.flows.find(k, c.Now, n.rules.tcpIdle)
	if p.Flow.Proto == wire.ProtoTCP && p.Fragment != wire.LaterFragment {
		syn, ack := p.Flags.Has(wire.SYN), p.Flags.Has(wire.ACK)
		switch {
		case syn && !ack:
			f, known = flow{turned: turned}, true
		case !known:
			if end := n.midstream(c, p); end != trace.None {
				return end
			}
			f.turned = turned
		case syn:
			f.answer = true
		}
	} else if !known {
		f = flow{turned: turned}
	} else if f.turned != turned {
		f.answer = true
	}
	end := trace.None
	if !f.passed {
		end = n.ask(c, p, &f, word(f, turned))
	}
	n.flows.keep(k, f, c.Now, n.rules.tcpIdle)
	return end
}

// midstream is what becomes of a segment whose connection's beginning was not seen
// (NFW API, StreamExceptionPolicy).
func (n *inspector) midstream(c *dataplane.Context, p *wire.Packet) trace.Reason {
	switch n.rules.stream {
	case StreamContinue:
		return trace.None
	case StreamReject:
		n.reset(c, p)
	}
	n.note(c, p, n.rules.policy, "stream exception policy", false, 0)
	if c.Lift(trace.FirewallMidstream) {
		return trace.None
	}
	return trace.FirewallMidstream
}

// word is what a packet's flow has of a rule's keyword flow.
func word(f flow, turned bool) flowWord {
	w := notEstablished
	if f.answer {
		w = established
	}
	if turned == f.turned {
		return w | toServer
	}
	return w | toClient
}

// ask asks the stateful rules in their order. A rule that passes a packet passes its
// flow: nothing of it is looked at again (NFW guide, "Managing evaluation order").
func (n *inspector) ask(c *dataplane.Context, p *wire.Packet, f *flow, w flowWord) trace.Reason {
	r := n.rules
	for i := range r.stateful {
		s := &r.stateful[i]
		m := s.matches(p, w)
		if m == no || m == maybe && s.verb == alert {
			continue
		}
		n.note(c, p, s.group, s.text, s.verb == pass || s.verb == alert, 0)
		if m == maybe {
			return trace.Unmodelled
		}
		switch s.verb {
		case pass:
			f.passed = true
			return trace.None
		case reject:
			n.reset(c, p)
			return n.dropped(c, f)
		case drop:
			return n.dropped(c, f)
		}
	}
	switch {
	case r.strict && r.dropAll:
		n.note(c, p, r.policy, "aws:drop_strict", false, 0)
		return n.dropped(c, f)
	case r.strict && r.dropEstablished && w&established != 0:
		n.note(c, p, r.policy, "aws:drop_established", false, 0)
		return n.dropped(c, f)
	}
	return trace.None
}

// reset tells the sender of a TCP segment that the connection is none, in the name of
// the far end (RFC 9293 section 3.10.7.1).
func (n *inspector) reset(c *dataplane.Context, p *wire.Packet) {
	if p.Flow.Proto != wire.ProtoTCP || p.Fragment == wire.LaterFragment || p.Flags.Has(wire.RST) {
		return
	}
	in := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: in.DstPort(), DstPort: in.SrcPort(), Flags: wire.RST | wire.ACK, Ack: in.Seq() + uint32(len(in.Payload()))}
	if in.Flags().Has(wire.SYN) {
		s.Ack++
	}
	if in.Flags().Has(wire.ACK) {
		s.Seq = in.Ack()
	}
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ownTTL}
	c.Emit(n.out, wire.AppendTCP(nil, h, s, nil))
}
