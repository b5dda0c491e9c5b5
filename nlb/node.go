package nlb

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// node is a compiled node of a load balancer: the guest of its interface. It sends each
// flow to one target, with the target's address and port as destination and, where the
// client's address is not preserved, its own address as source. The TTL it leaves alone
// (AWS states nothing; inferred).
type node struct {
	id, name  string
	balancer  string       // the load balancer's id
	addrs     [2]wire.Addr // IPv4's and IPv6's, the latter invalid where it has none
	out       dataplane.Node
	guest     guest
	seed      flowtable.Seed
	listeners []listener
	links     []*link // endpoints of services that stand on the load balancer
	unlisted  string  // why there may be more listeners, "" where there are not
}

// guest is who may be plugged in at the interface beside the node: a checker of the
// targets' health, whose connections come from the node's address as AWS's do.
type guest interface {
	dataplane.Guest
	Plugged() bool
}

// listener is a compiled listener, as clients in the node's VPC reach it or as those of
// one endpoint do.
type listener struct {
	port     uint16
	tcp, udp bool
	idle     time.Duration // of TCP
	groups   []group
	weight   int // of all groups
	flows    *Flows
	ending   []ending
	back     dataplane.Node // to the clients: the node's way out, or an endpoint's
}

// group is a target group as one node sees it.
type group struct {
	id       string
	weight   int
	targets  []target
	preserve bool
	sticky   bool
	empty    trace.Reason // why there are no targets
	untold   string       // why nobody can tell the targets, "" where one can
}

// target is where flows may go.
type target struct {
	addr wire.Addr
	port uint16
	// text names it in traces.
	text, id string
}

// ending is a target whose connections end when it has drained.
type ending struct {
	addr wire.Addr
	port uint16
	at   time.Duration
}

// Timeouts of flows (NLB guide, "Connection idle timeout"); that of TCP is the default
// of an attribute of the listener.
const (
	IdleTCP = 350 * time.Second
	IdleUDP = 120 * time.Second
)

// linger is how long a flow that has idled out is remembered, to answer it with RST.
// AWS states none.
const linger = time.Hour

// ownTTL is the TTL of packets of the node's own. AWS states none.
const ownTTL = 255

// ports are those that a flow gets at a node whose target does not see its client: some
// 55,000 to each target (NLB guide, "Client IP preservation").
const firstPort, lastPort = 1024, 56023

// Name returns the load balancer's name and the node's zone.
func (n *node) Name() string { return n.name }

// Resource returns the load balancer's id.
func (n *node) Resource() string { return n.balancer }

// Forward sends a packet of a flow on, or takes a new flow. What is neither is dropped
// without an answer: a port without listener and ping get none (measured).
func (n *node) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if x, ok := c.Behind.(*link); ok && x.node == n {
		return x.accept(c, p)
	}
	own := n.owns(p.Flow.Dst)
	if p.Fragment != wire.Whole {
		return n.fragment(c, p)
	}
	for i := range n.listeners {
		l := &n.listeners[i]
		if own && l.takes(&p.Flow) {
			return n.accept(c, p, l)
		}
		if id, d := l.find(p, c.Now); id != 0 {
			return n.pass(c, p, l, id, d)
		}
	}
	for _, x := range n.links {
		for i := range x.listeners {
			if id, d := x.listeners[i].find(p, c.Now); id != 0 && d == nat.Reply {
				return n.pass(c, p, &x.listeners[i], id, d)
			}
		}
	}
	switch {
	case !own:
		return dataplane.Drop(trace.BalancerForeign)
	case n.guest.Plugged():
		return c.Deliver(n.guest)
	}
	return n.unheard(c, p)
}

// unheard ends a packet that no listener takes, as far as they are known.
func (n *node) unheard(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if n.unlisted != "" && (p.Flow.Proto == wire.ProtoTCP || p.Flow.Proto == wire.ProtoUDP) {
		c.NoteUntold(p, n.balancer, n.unlisted)
		return dataplane.Drop(trace.Unmodelled)
	}
	return dataplane.Drop(trace.BalancerPort)
}

// owns reports whether the node has the address.
func (n *node) owns(a wire.Addr) bool { return a == n.addrs[0] || a == n.addrs[1] }

// address returns the node's address of the other address's family, invalid where it has
// none.
func (n *node) address(like wire.Addr) wire.Addr {
	if like.Is4() {
		return n.addrs[0]
	}
	return n.addrs[1]
}

// takes reports whether the listener is the flow's.
func (l *listener) takes(f *wire.Flow) bool {
	return f.DstPort == l.port && (f.Proto == wire.ProtoTCP && l.tcp || f.Proto == wire.ProtoUDP && l.udp)
}

// find returns the flow of a packet, be it the one that an ICMP error is about.
func (l *listener) find(p *wire.Packet, now time.Duration) (nat.ID, nat.Direction) {
	if p.IsError() {
		return l.flows.table.FindError(p, now)
	}
	if p.Flow.Proto != wire.ProtoTCP && p.Flow.Proto != wire.ProtoUDP {
		return 0, 0
	}
	return l.flows.table.Find(p.Flow, now)
}

// accept takes a packet for a listener: of a known flow, or one that begins a flow.
func (n *node) accept(c *dataplane.Context, p *wire.Packet, l *listener) dataplane.Next {
	id, d := l.flows.table.Find(p.Flow, c.Now)
	begins := p.Flow.Proto != wire.ProtoTCP || p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK)
	if id != 0 {
		if !begins || p.Flow.Proto != wire.ProtoTCP || !l.over(id, c.Now) {
			return n.pass(c, p, l, id, d)
		}
		l.flows.table.Delete(id) // a new connection from the port of one that is over
	}
	if !begins {
		return n.reset(c, p, l.back)
	}
	return n.open(c, p, l)
}

// over reports whether a connection is closed, or has idled out.
func (l *listener) over(id nat.ID, now time.Duration) bool {
	s := l.flows.table.Session(id)
	return s.State == nat.TimeWait || s.State == nat.Close || l.idled(&s, now)
}

// idled reports whether a connection has had no packet for the listener's timeout.
func (l *listener) idled(s *nat.Session, now time.Duration) bool {
	return s.Expires-now <= linger
}

// pass sends on a packet of a known flow, in either direction.
func (n *node) pass(c *dataplane.Context, p *wire.Packet, l *listener, id nat.ID, d nat.Direction) dataplane.Next {
	t, from, to := l.flows.table, l.back, n.out
	if d == nat.Reply {
		from, to = to, from
	}
	if p.Flow.Proto == wire.ProtoTCP {
		if s := t.Session(id); l.idled(&s, c.Now) || l.ended(&s, c.Now) {
			return n.reset(c, p, from)
		}
	}
	if !c.Track(p) {
		return dataplane.Drop(trace.TrackingFull)
	}
	before := p.Flow
	if !p.IsError() {
		t.Track(id, d, p, c.Now)
	}
	s := t.Session(id)
	if end := l.flows.translate(c, p, id, &s, d); end != trace.None {
		return dataplane.Drop(end)
	}
	n.note(c, p, before, &s, d)
	return dataplane.To(to)
}

// ended reports whether the connection's target has drained, and takes its connections
// with it.
func (l *listener) ended(s *nat.Session, now time.Duration) bool {
	for _, e := range l.ending {
		if e.addr == s.Translated.Dst && e.port == s.Translated.DstPort && now >= e.at {
			return true
		}
	}
	return false
}

// note tells of the translation, and leaves word for the target's security groups.
func (n *node) note(c *dataplane.Context, p *wire.Packet, before wire.Flow, s *nat.Session, d nat.Direction) {
	if d == nat.Original && s.Translated.Src == s.Original.Src {
		c.Via = n.address(p.Flow.Src)
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Translated, Before: before})
	}
}

// open begins a flow: a target is chosen by the flow's hash (NLB guide: protocol,
// addresses, ports, and the sequence number of TCP).
func (n *node) open(c *dataplane.Context, p *wire.Packet, l *listener) dataplane.Next {
	g, end := n.group(c, p, l)
	if end != trace.None {
		return dataplane.Drop(end)
	}
	t := &g.targets[c.Choose(n.balancer, "target", n.hash(p, g.sticky), len(g.targets), g)]
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Did, Match: t.text, MatchID: t.id})
	}
	if g.preserve && p.Flow.Src == t.addr {
		return dataplane.Drop(trace.Hairpin)
	}
	to := p.Flow
	to.Dst, to.DstPort = t.addr, t.port
	if own := n.address(t.addr); !g.preserve || crosses(&p.Flow, &to) {
		ok := own.IsValid()
		if !ok {
			return dataplane.Drop(trace.NoFamily)
		}
		if to, ok = n.source(l, to, c.Now); !ok {
			return dataplane.Drop(trace.NoPort)
		}
	}
	if !c.Track(p) {
		return dataplane.Drop(trace.TrackingFull)
	}
	id := l.flows.table.Create(p.Flow, to, p.Flags, c.Now)
	if id == 0 {
		return dataplane.Drop(trace.NoPort) // another client of the same address and port holds the target's
	}
	before := p.Flow
	s := l.flows.table.Session(id)
	if end := l.flows.translate(c, p, id, &s, nat.Original); end != trace.None {
		l.flows.table.Delete(id)
		return dataplane.Drop(end)
	}
	n.note(c, p, before, &s, nat.Original)
	return dataplane.To(n.out)
}

// source picks the port at the node of a flow whose target does not see its client; false
// where it found none that no other flow to the target has.
func (n *node) source(l *listener, f wire.Flow, now time.Duration) (wire.Flow, bool) {
	for range 16 {
		to, ok := l.flows.table.PickSource(f, nat.SourceRange{First: n.address(f.Dst), FirstPort: firstPort, LastPort: lastPort, Random: true}, now)
		if !ok || !n.taken(to.Reverse(), now) {
			return to, ok
		}
	}
	return f, false
}

// taken reports whether a flow of any listener has the tuple.
func (n *node) taken(f wire.Flow, now time.Duration) bool {
	for i := range n.listeners {
		if n.listeners[i].flows.table.Taken(f, now) {
			return true
		}
	}
	for _, x := range n.links {
		for i := range x.listeners {
			if x.listeners[i].flows.table.Taken(f, now) {
				return true
			}
		}
	}
	return false
}

// Option names a target.
func (g *group) Option(i int) (id, detail string) {
	t := &g.targets[i]
	return t.id, netip.AddrPortFrom(t.addr.Netip(), t.port).String()
}

// Option names the target group whose share a number lies in.
func (l *listener) Option(i int) (id, detail string) {
	g, _ := l.at(i)
	return g.id, ""
}

// Same returns how much is left of a target group's share from a number on.
func (l *listener) Same(i int) int {
	_, left := l.at(i)
	return left
}

// at returns the target group whose share a number lies in, from 0 to less than the
// weight, and how much of the share is left from there on.
func (l *listener) at(i int) (g *group, left int) {
	for k := range l.groups {
		if g = &l.groups[k]; i < g.weight {
			break
		}
		i -= g.weight
	}
	return g, g.weight - i
}

// group returns the target group of a new flow, or why there is none that has targets.
func (n *node) group(c *dataplane.Context, p *wire.Packet, l *listener) (*group, trace.Reason) {
	if len(l.groups) == 0 || l.weight == 0 {
		return nil, trace.BalancerNoGroup
	}
	g := &l.groups[0]
	if len(l.groups) > 1 {
		g, _ = l.at(c.Choose(n.balancer, "target group", n.hash(p, false)>>8, l.weight, l))
	}
	if g.untold != "" {
		c.NoteUntold(p, g.id, g.untold)
		return nil, trace.Unmodelled
	}
	if len(g.targets) == 0 {
		return nil, g.empty
	}
	return g, trace.None
}

// hash is the flow hash; that of a sticky group is of the client's address alone.
func (n *node) hash(p *wire.Packet, sticky bool) uint32 {
	if sticky {
		return n.seed.Hash(p.Flow.Src, wire.Addr{}, 0)
	}
	h := n.seed.Hash(p.Flow.Src, p.Flow.Dst, uint64(p.Flow.Proto)<<32|uint64(p.Flow.SrcPort)<<16|uint64(p.Flow.DstPort))
	if p.Flow.Proto == wire.ProtoTCP {
		h = n.seed.Hash(p.Flow.Src, p.Flow.Dst, uint64(h)<<32|uint64(wire.TCP(p.Transport()).Seq()))
	}
	return h
}

// fragment has UDP fragments follow their first; others are not carried (NLB guide).
func (n *node) fragment(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if p.Flow.Proto != wire.ProtoUDP {
		return dataplane.Drop(trace.FragmentNotSupported)
	}
	if p.Fragment == wire.LaterFragment {
		for i := range n.listeners {
			if n.listeners[i].flows.followers.Follow(p, c.Now) {
				return dataplane.To(n.out)
			}
		}
		return dataplane.Drop(trace.FragmentNotSupported)
	}
	k, _ := p.FragmentKey()
	for i := range n.listeners {
		l := &n.listeners[i]
		next := dataplane.Next{}
		if n.owns(p.Flow.Dst) && l.takes(&p.Flow) {
			next = n.accept(c, p, l)
		} else if id, d := l.flows.table.Find(p.Flow, c.Now); id != 0 {
			next = n.pass(c, p, l, id, d)
		} else {
			continue
		}
		if next.Node() != nil {
			l.flows.followers.Remember(k, p, c.Now)
		}
		return next
	}
	return n.unheard(c, p)
}

// reset answers a segment in the middle of a connection that the node does not know, or
// no longer, with RST (NLB guide, "Connection idle timeout"), in the name of the address
// that it was sent to (RFC 9293 section 3.10.7.1). An RST gets none.
func (n *node) reset(c *dataplane.Context, p *wire.Packet, to dataplane.Node) dataplane.Next {
	if p.Flags.Has(wire.RST) {
		return dataplane.Drop(trace.NoSession)
	}
	in := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: in.DstPort(), DstPort: in.SrcPort(), Flags: wire.RST}
	if in.Flags().Has(wire.ACK) {
		s.Seq = in.Ack()
	} else {
		s.Flags |= wire.ACK
		s.Ack = in.Seq() + uint32(len(in.Payload()))
	}
	c.Emit(to, wire.AppendTCP(nil, wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ownTTL}, s, nil))
	return dataplane.Drop(trace.IdleSession)
}

// protocols says what a listener takes.
func (l *listener) protocols(p elbv2.Protocol) {
	l.tcp = p == elbv2.TCP || p == elbv2.TLS || p == elbv2.TCPUDP
	l.udp = p == elbv2.UDP || p == elbv2.TCPUDP
}
