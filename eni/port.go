package eni

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Guest is an operating system behind an interface, as its network card sees it.
type Guest interface {
	// Frame takes a frame and says what became of the packet in it:
	// trace.Delivered, trace.Forwarded, or why the guest dropped it. The bytes are
	// the guest's until it returns. ARP and neighbour discovery come here too.
	Frame(frame []byte) trace.Reason
}

// Tap sees the frames of a port, as tcpdump in the guest would: out says whether
// the guest sent it. The bytes are the tap's until it returns.
type Tap func(now time.Duration, out bool, frame []byte)

// ARPDelay is how long the VPC takes to answer ARP and neighbour discovery. AWS
// states no figure; it is far below a packet's way through the VPC.
const ARPDelay = 20 * time.Microsecond

// Port is where a guest's frames enter and leave an interface. It outlives the
// compiled interfaces: it is live state. A Port belongs to the engine's goroutine.
type Port struct {
	engine *dataplane.Engine
	guest  Guest
	taps   []Tap
	fresh  func() *Interface
	frame  []byte
}

// NewPort returns a port on which nothing is plugged in. fresh returns the
// compiled interface in force at the moment, nil where the resource is gone.
func NewPort(e *dataplane.Engine, fresh func() *Interface) *Port {
	return &Port{engine: e, fresh: fresh}
}

// Plug puts a guest behind the port, nil pulls it out. Without a guest packets for
// the interface end as trace.NotAttached.
func (p *Port) Plug(g Guest) { p.guest = g }

// Plugged reports whether a guest is behind the port.
func (p *Port) Plugged() bool { return p.guest != nil }

// Tap adds a listener to all frames of the port, both ways.
func (p *Port) Tap(t Tap) { p.taps = append(p.taps, t) }

// Send takes a frame from the guest, walks the packet in it and returns why that
// ended. ARP requests and neighbour solicitations are answered by the VPC:
// trace.Answered. A frame to a MAC address other than the router's reaches the
// neighbour that has it, past route tables and ACLs. The bytes are copied.
func (p *Port) Send(frame []byte) trace.Reason {
	e := wire.Ethernet(frame)
	if e.Check() != nil {
		return p.refuse(trace.Malformed)
	}
	p.tap(true, frame)
	i := p.fresh()
	if i == nil {
		return p.refuse(trace.NotAttached)
	}
	switch e.Type() {
	case wire.EtherTypeARP:
		return p.answerARP(i, wire.ARP(e.Payload()))
	case wire.EtherTypeIPv4, wire.EtherTypeIPv6:
		return p.sendIP(i, e)
	}
	return p.refuse(trace.UnknownEtherType)
}

// refuse ends a frame that begins no walk.
func (p *Port) refuse(r trace.Reason) trace.Reason {
	if p.engine.Ended != nil {
		p.engine.Ended(r, "port", wire.Flow{})
	}
	return r
}

func (p *Port) sendIP(i *Interface, e wire.Ethernet) trace.Reason {
	if e.Type() == wire.EtherTypeIPv6 {
		if r, ok := p.answerND(i, e.Payload()); ok {
			return r
		}
	}
	dst := e.Dst()
	if dst == i.Segment.Router {
		return p.engine.SendTo(i.Out(), nil, e.Payload())
	}
	if neighbour := i.Segment.macs[dst]; neighbour != nil {
		return p.engine.SendTo(i.Out(), neighbour.In(), e.Payload())
	}
	return p.refuse(trace.UnknownMAC)
}

// answerARP answers as the VPC does: for the router, for interfaces of the subnet,
// for nobody else. Announcements and probes of a guest's own go unanswered, since
// no guest can claim an address (VPC guide, "Subnet sizing": no broadcast).
func (p *Port) answerARP(i *Interface, a wire.ARP) trace.Reason {
	if a.Check() != nil {
		return p.refuse(trace.Malformed)
	}
	if a.Op() != wire.ARPRequest || i.Owns(a.Target()) {
		return trace.Answered
	}
	mac, ok := i.Segment.resolve(a.Target())
	if !ok {
		return p.refuse(trace.NoNeighbor)
	}
	reply := make([]byte, wire.EthernetLen, wire.EthernetLen+wire.ARPLen)
	wire.PutEthernet(reply, a.SenderMAC(), mac, wire.EtherTypeARP)
	p.later(wire.AppendARP(reply, wire.ARPReply, mac, a.Target(), a.SenderMAC(), a.Sender()))
	return trace.Answered
}

// later hands a frame of the VPC's own to the guest.
func (p *Port) later(frame []byte) {
	p.engine.Clock.Schedule(ARPDelay, arrival{p, frame})
}

type arrival struct {
	port  *Port
	frame []byte
}

// Run delivers the frame.
func (a arrival) Run() {
	if a.port.guest == nil {
		return
	}
	a.port.tap(false, a.frame)
	a.port.guest.Frame(a.frame)
}

// Receive puts a frame around a packet delivered to the interface and hands it to
// the guest. It is the dataplane's end of the port.
func (p *Port) Receive(packet *wire.Packet) trace.Reason {
	i := p.fresh()
	if p.guest == nil || i == nil {
		return trace.NotAttached
	}
	p.frame = append(p.frame[:0], make([]byte, wire.EthernetLen)...)
	t := wire.EtherTypeIPv6
	if packet.Is4() {
		t = wire.EtherTypeIPv4
	}
	wire.PutEthernet(p.frame, i.MAC, i.Segment.sender(packet.Flow.Src), t)
	frame := append(p.frame, packet.Bytes()...)
	p.frame = frame
	p.tap(false, frame)
	return p.guest.Frame(frame)
}

func (p *Port) tap(out bool, frame []byte) {
	for _, t := range p.taps {
		t(p.engine.Clock.Now(), out, frame)
	}
}
