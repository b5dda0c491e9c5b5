package endpoint

import (
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/flowtable"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// serviceTTL is the TTL of an AWS service's own packets, serviceMSS the most that it
// takes in a segment, in bytes. AWS states neither.
const (
	serviceTTL = 255
	serviceMSS = 1460
)

// ports are the TCP ports that a service serves that serves others than 443 alone
// (PrivateLink guide and the services' own, "Endpoints and quotas").
var ports = map[string][]uint16{
	"s3":         {80, 443},
	"dynamodb":   {80, 443},
	"email-smtp": {25, 465, 587, 2465, 2587},
}

var defaultPorts = []uint16{443}

func portsOf(short string) []uint16 {
	if p, ok := ports[short]; ok {
		return p
	}
	return defaultPorts
}

// service is an AWS service as far as a network sees it: it accepts TCP connections at
// its ports, acknowledges what comes, closes what is closed and answers echo requests.
// It says nothing of its own and keeps no state: every answer is made from the packet
// that it answers. A real server in its place: [Endpoint.Connect], or a guest that is
// plugged into an interface endpoint's interface.
type service struct {
	name   string
	engine *dataplane.Engine
	back   func(*wire.Packet) dataplane.Node // where the answer to a packet goes
	ports  []uint16
	seed   flowtable.Seed
	delay  latency
	buf    []byte
}

type latency = vpc.Latency

// newService makes the service; short is its name without com.amazonaws and region.
func newService(c *vpc.Compiler, name, short string, back func(*wire.Packet) dataplane.Node) *service {
	return &service{
		name: name, engine: c.Engine(), back: back, ports: portsOf(short), seed: flowtable.NewSeed(c.Seed(name)), delay: c.Latency(),
	}
}

// Name returns the service's name, such as com.amazonaws.us-east-1.s3.
func (s *service) Name() string { return s.name }

// Forward delivers to the service what it serves.
func (s *service) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		if p.Fragment != wire.LaterFragment && !slices.Contains(s.ports, p.Flow.DstPort) {
			return dataplane.Drop(trace.ServicePort)
		}
	case wire.ProtoUDP:
		return dataplane.Drop(trace.ServicePort)
	}
	c.Latency += s.delay.SameZone
	return c.Deliver(s)
}

// Receive answers.
func (s *service) Receive(p *wire.Packet) trace.Reason {
	if p.Fragment != wire.Whole {
		return trace.Reassembling
	}
	if err := p.VerifyChecksum(); err != nil {
		return trace.BadChecksum
	}
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: serviceTTL, DF: true}
	s.buf = s.buf[:0]
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		s.answerTCP(h, wire.TCP(p.Transport()), p.Flow)
	case wire.ProtoICMP:
		m := wire.ICMP(p.Transport())
		if m.Type() == wire.ICMPEcho {
			s.buf = wire.AppendICMP(s.buf, h, wire.ICMPEchoReply, 0, m.Rest(), m.Payload())
		}
	}
	if len(s.buf) > 0 {
		s.engine.Send(s.back(p), s.buf)
	}
	return trace.Delivered
}

// answerTCP answers a segment as a listener without a word to say does (RFC 9293
// section 3.10.7), whose initial sequence number is a hash of the flow (RFC 6528).
func (s *service) answerTCP(h wire.Header, in wire.TCP, f wire.Flow) {
	flags, size := in.Flags(), uint32(len(in.Payload()))
	out := wire.Segment{SrcPort: f.DstPort, DstPort: f.SrcPort, Flags: wire.ACK, Seq: in.Ack(), Window: 65535}
	switch {
	case flags.Has(wire.RST):
		return
	case flags.Has(wire.SYN) && !flags.Has(wire.ACK):
		out.Flags |= wire.SYN
		out.Seq = s.seed.Hash(f.Src, f.Dst, uint64(f.SrcPort)<<16|uint64(f.DstPort))
		out.Ack = in.Seq() + 1
		out.Options = []byte{2, 4, serviceMSS >> 8, serviceMSS & 0xff}
	case flags.Has(wire.FIN):
		out.Flags |= wire.FIN
		out.Ack = in.Seq() + size + 1
	case size > 0:
		out.Ack = in.Seq() + size
	default:
		return
	}
	s.buf = wire.AppendTCP(s.buf, h, out, nil)
}
