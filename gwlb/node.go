package gwlb

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// AWS's GENEVE options (GWLB guide, "GENEVE"): their class, the types, and the length
// of all of it before the packet inside, in bytes: IPv4, UDP, GENEVE and the options.
const (
	OptionClass      = 0x0108
	OptionEndpoint   = 1 // 8 bytes
	OptionAttachment = 2 // 8 bytes
	OptionCookie     = 3 // 4 bytes
	Overhead         = wire.IPv4Len + wire.UDPLen + wire.GeneveLen + 32
)

// ownTTL is the TTL of the packets around those of endpoints. AWS states none.
const ownTTL = 255

// node is a compiled node: the guest of its interface.
type node struct {
	name, balancer string
	addr           wire.Addr
	out            dataplane.Node
	guest          guest
	seed           flowtable.Seed
	tuple          tuple
	idle           time.Duration // of TCP
	targets        []target      // where new flows may go
	left           []wire.Addr   // targets whose flows move to another
	empty          trace.Reason  // why there are no targets
	untold         string        // why nobody can tell the targets, "" where one can
	object         string        // and of what
	flows          *Flows
	approaches     map[uint64]*approach // by the endpoint's number
}

// guest is who may be plugged in at the interface beside the node: a checker of the
// targets' health, whose connections come from the node's address as AWS's do.
type guest interface {
	dataplane.Guest
	Plugged() bool
}

// target is an appliance.
type target struct {
	addr     wire.Addr
	id, text string
}

// approach is a node as an endpoint leads to it.
type approach struct {
	node                 *node
	name, id             string
	endpoint, attachment uint64
	out                  dataplane.Node // into the consumer's VPC
	exit                 *exit
}

// Name returns the endpoint's name and the node's.
func (x *approach) Name() string { return x.name }

// Resource returns the load balancer's id.
func (x *approach) Resource() string { return x.id }

// Forward hands a packet to the appliance that its flow is with: inside another, which
// walks by itself. A TCP segment that belongs to no flow, and begins none, is dropped
// (GWLB guide, "Listeners": after the idle timeout; and so where the load balancer sees
// one direction alone, and that is the answers).
//
// A packet that came out of the endpoint and comes back to it, as the endpoint subnet's
// own table may lead it, would go round for ever: it is dropped here.
func (x *approach) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	n := x.node
	if c.Behind == dataplane.Node(x.exit) {
		return dataplane.Drop(trace.TooManyHops)
	}
	k := n.tuple.keyOf(p.Flow, x.endpoint)
	f, known := n.flows.find(k, c.Now, n.idle)
	segment := p.Flow.Proto == wire.ProtoTCP && p.Fragment != wire.LaterFragment
	syn := segment && p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK)
	switch {
	case !known && segment && !syn:
		return dataplane.Drop(trace.NoSession)
	case !known || syn && n.tuple == five || slices.Contains(n.left, f.target):
		t, end := n.choose(c, p, k)
		if end != trace.None {
			return dataplane.Drop(end)
		}
		if !known || t.addr != f.target {
			f = n.flows.begin(k, flow{target: t.addr, tcp: segment}, c.Now, n.idle)
		}
	case c.Tracing():
		c.Note(p, trace.Step{Act: trace.Did, Match: "keeps the flow's appliance"})
	}
	n.flows.keep(k, f, c.Now)
	c.Emit(n.out, n.encapsulate(x, f, p))
	return dataplane.Drop(trace.Encapsulated)
}

// Option names an appliance.
func (n *node) Option(i int) (id, detail string) { return n.targets[i].id, n.targets[i].addr.String() }

// choose picks the appliance of a new flow by its hash, which is the same for both
// directions.
func (n *node) choose(c *dataplane.Context, p *wire.Packet, k key) (*target, trace.Reason) {
	if n.untold != "" {
		c.NoteUntold(p, n.object, n.untold)
		return nil, trace.Unmodelled
	}
	if len(n.targets) == 0 {
		return nil, n.empty
	}
	h := n.seed.Hash(k.flow.Src, k.flow.Dst, uint64(k.flow.Proto)<<32|uint64(k.flow.SrcPort)<<16|uint64(k.flow.DstPort))
	t := &n.targets[c.Choose(n.balancer, "appliance", h, len(n.targets), n)]
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Did, Match: t.text, MatchID: t.id})
	}
	return t, trace.None
}

// firstPort is the lowest source port of the packets around. AWS states none; that a
// flow has one port is inferred, as an appliance may spread its work by it.
const firstPort = 49152

// encapsulate returns the packet around p. It is the node's until the next call.
func (n *node) encapsulate(x *approach, f flow, p *wire.Packet) []byte {
	s := n.flows
	var id, at [8]byte
	var cookie [4]byte
	binary.BigEndian.PutUint64(id[:], x.endpoint)
	binary.BigEndian.PutUint64(at[:], x.attachment)
	binary.BigEndian.PutUint32(cookie[:], f.cookie)
	s.options = wire.AppendGeneveOption(s.options[:0], OptionClass, OptionEndpoint, id[:])
	s.options = wire.AppendGeneveOption(s.options, OptionClass, OptionAttachment, at[:])
	s.options = wire.AppendGeneveOption(s.options, OptionClass, OptionCookie, cookie[:])
	inside := wire.EtherTypeIPv4
	if !p.Is4() {
		inside = wire.EtherTypeIPv6
	}
	s.inner = wire.AppendGeneve(s.inner[:0], inside, 0, s.options, p.Bytes())
	h := wire.Header{Src: n.addr, Dst: f.target, TTL: ownTTL}
	s.outer = wire.AppendUDP(s.outer[:0], h, uint16(firstPort+f.cookie%(1<<16-firstPort)), wire.GenevePort, s.inner)
	return s.outer
}

// Name returns the load balancer's name and the node's zone.
func (n *node) Name() string { return n.name }

// Resource returns the load balancer's id.
func (n *node) Resource() string { return n.balancer }

// Forward takes what comes to the node's interface: from an appliance, what it sends
// back, which must be as it was handed out but for the outer addresses, swapped (GWLB
// guide, "GENEVE"). What is inside leaves the endpoint that it came by.
func (n *node) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	switch {
	case p.Flow.Dst != n.addr:
		return dataplane.Drop(trace.DestinationCheck)
	case p.Flow.Proto == wire.ProtoUDP && p.Flow.DstPort == wire.GenevePort && p.Fragment == wire.Whole:
		return n.decapsulate(c, p)
	case n.guest.Plugged():
		return c.Deliver(n.guest)
	case p.Flow.Proto != wire.ProtoUDP:
		return dataplane.Drop(trace.GeneveProtocol)
	}
	return dataplane.Drop(trace.GenevePort)
}

func (n *node) decapsulate(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	g := wire.Geneve(wire.UDP(p.Transport()).Payload())
	if g.Check() != nil {
		return dataplane.Drop(trace.GeneveUnknown)
	}
	id, at, cookie := g.Options().Find(OptionClass, OptionEndpoint), g.Options().Find(OptionClass, OptionAttachment), g.Options().Find(OptionClass, OptionCookie)
	if len(id) != 8 || len(at) != 8 || len(cookie) != 4 {
		return dataplane.Drop(trace.GeneveUnknown)
	}
	x := n.approaches[binary.BigEndian.Uint64(id)]
	k, f, ok := n.flows.of(binary.BigEndian.Uint32(cookie))
	if x == nil || x.attachment != binary.BigEndian.Uint64(at) || !ok || k.endpoint != x.endpoint || f.target != p.Flow.Src {
		return dataplane.Drop(trace.GeneveUnknown)
	}
	c.Emit(x.exit, g.Payload())
	return dataplane.Drop(trace.Decapsulated)
}

// exit is where a packet comes back into the consumer's VPC: by the interface of the
// endpoint that it entered by (PrivateLink guide, "Access virtual appliances").
type exit struct {
	*approach
	name, endpoint string
}

// Name returns the endpoint's name and "returns".
func (e *exit) Name() string { return e.name }

// Resource returns the endpoint's id.
func (e *exit) Resource() string { return e.endpoint }

// Forward sends the packet out of the endpoint's interface.
func (e *exit) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next {
	c.Behind = e
	return dataplane.To(e.out)
}
