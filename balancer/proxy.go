package balancer

import (
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// proxyNode is a compiled node of a load balancer that ends connections: the guest of
// its interface. Where a TCP/IP stack is plugged in there (package proxy), that takes
// the connections to the listeners' ports, and what comes of its own. Without one, the
// node opens and closes connections and does no more, so that a port is seen to be open;
// what a request would come to is unknown.
type proxyNode struct {
	name, balancer string
	addrs          []wire.Addr
	out            dataplane.Node
	stack          stack
	seed           flowtable.Seed
	ports          []uint16
	unlisted       string // why there may be more
}

// stack is who may be plugged in at the interface.
type stack interface {
	dataplane.Guest
	Plugged() bool
}

// CompileProxy makes a node behind each interface of a load balancer that ends
// connections. It is for the kinds that do.
func CompileProxy(c *vpc.Compiler, l *LoadBalancer) {
	for _, nic := range l.nics {
		i := c.Interface(nic)
		n := &proxyNode{
			name: l.TraceName(c) + " in " + c.Zone(nic), balancer: l.ID(), addrs: i.Addrs, out: i.Out(), stack: i.Port,
			seed: flowtable.NewSeed(c.Seed(nic.ID())), unlisted: l.unlisted,
		}
		for _, x := range l.listeners {
			n.ports = append(n.ports, x.port)
		}
		i.Owner = n
	}
}

// TraceName returns how traces call the load balancer: its Name tag, else its name.
func (l *LoadBalancer) TraceName(c *vpc.Compiler) string {
	if s := c.LabelOf(l); s != l.ID() {
		return s
	}
	return l.name
}

// Name returns the load balancer's name and the node's zone.
func (n *proxyNode) Name() string { return n.name }

// Resource returns the load balancer's id.
func (n *proxyNode) Resource() string { return n.balancer }

// ownTTL is the TTL of packets of the node's own. AWS states none.
const ownTTL = 255

// Forward takes connections to the ports of listeners, and answers ping (ALB guide,
// "Security groups": where they allow it, and no target sees it). A port without listener
// gets no answer (inferred from Network Load Balancers, where it is measured).
func (n *proxyNode) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	begins := p.Flow.Proto == wire.ProtoTCP && p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK)
	switch {
	case !slices.Contains(n.addrs, p.Flow.Dst):
		return dataplane.Drop(trace.NoFamily)
	case begins && !n.listens(p.Flow.DstPort) && n.unlisted != "":
		c.NoteUntold(p, n.balancer, n.unlisted)
		return dataplane.Drop(trace.Unmodelled)
	case begins && !n.listens(p.Flow.DstPort):
		return dataplane.Drop(trace.BalancerPort)
	case !c.Track(p):
		return dataplane.Drop(trace.TrackingFull)
	case p.IsRequest() && p.Fragment == wire.Whole && (p.Type == wire.ICMPEcho || p.Type == wire.ICMPv6Echo):
		return n.echo(c, p)
	case n.stack.Plugged():
		return c.Deliver(n.stack)
	case p.Flow.Proto != wire.ProtoTCP || p.Fragment != wire.Whole || !n.listens(p.Flow.DstPort):
		return dataplane.Drop(trace.BalancerPort)
	}
	return n.shake(c, p)
}

// echo answers a ping.
func (n *proxyNode) echo(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	m, typ := wire.ICMP(p.Transport()), wire.ICMPEchoReply
	if !p.Is4() {
		typ = wire.ICMPv6EchoReply
	}
	c.Emit(n.out, wire.AppendICMP(nil, wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ownTTL}, typ, 0, m.Rest(), m.Payload()))
	return dataplane.Drop(trace.Answered)
}

func (n *proxyNode) listens(port uint16) bool {
	for _, x := range n.ports {
		if x == port {
			return true
		}
	}
	return false
}

// shake answers the segments that open and close a connection, without a memory of it:
// its own sequence number is a hash of the flow (as RFC 4987 section 3.6, SYN cookies).
func (n *proxyNode) shake(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	in := wire.TCP(p.Transport())
	s := wire.Segment{SrcPort: in.DstPort(), DstPort: in.SrcPort(), Window: 65535}
	switch f := in.Flags(); {
	case f.Has(wire.RST):
		return dataplane.Drop(trace.Answered)
	case f.Has(wire.SYN):
		s.Flags, s.Ack = wire.SYN|wire.ACK, in.Seq()+1
		s.Seq = n.seed.Hash(p.Flow.Src, p.Flow.Dst, uint64(p.Flow.SrcPort)<<16|uint64(p.Flow.DstPort))
	case len(in.Payload()) > 0:
		return dataplane.Drop(trace.Unmodelled)
	case f.Has(wire.FIN):
		s.Flags, s.Seq, s.Ack = wire.FIN|wire.ACK, in.Ack(), in.Seq()+1
	default:
		return dataplane.Drop(trace.Answered)
	}
	c.Emit(n.out, wire.AppendTCP(nil, wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: ownTTL}, s, nil))
	return dataplane.Drop(trace.Answered)
}
