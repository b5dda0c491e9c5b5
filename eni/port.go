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
	// the guest's until it returns. ARP and neighbour discovery come here too. It
	// may send frames, and run the clock.
	Frame(frame []byte) trace.Reason
}

// Tap sees the frames of a port, as tcpdump in the guest would: out says whether
// the guest sent it. The bytes are the tap's until it returns; it must not change them.
type Tap func(now time.Duration, out bool, frame []byte)

// MTU is the largest packet that a VPC carries, in bytes (EC2 guide, "Jumbo frames"). No
// guest is told of a larger one: its own link is as wide.
const MTU = 9001

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
	frame  []byte // room for a delivered frame, nil while the guest has it

	dead       string // the fault that took the guest's power
	impairment Impairment
}

// NewPort returns a port on which nothing is plugged in. fresh returns the
// compiled interface in force at the moment, nil where the resource is gone.
func NewPort(e *dataplane.Engine, fresh func() *Interface) *Port {
	return &Port{engine: e, fresh: fresh}
}

// Plug puts a guest behind the port, alive, nil pulls it out. Without a guest packets
// for the interface end as trace.NotAttached.
func (p *Port) Plug(g Guest) {
	p.guest, p.dead = g, ""
	p.engine.ForgetFlows()
}

// Plugged reports whether a guest is behind the port.
func (p *Port) Plugged() bool { return p.guest != nil }

// Tap adds a listener to all frames of the port, both ways.
func (p *Port) Tap(t Tap) { p.taps = append(p.taps, t) }

// Send takes a frame from the guest, walks the packet in it and returns why that
// ended. ARP requests and neighbour solicitations are answered by the VPC:
// trace.Answered. A frame to a MAC address other than the router's reaches the
// neighbour that has it, past route tables and ACLs. The bytes are copied. It does
// not allocate for a packet of a known flow where no Log is set.
func (p *Port) Send(frame []byte) trace.Reason {
	if p.dead != "" {
		return trace.Lost
	}
	i := p.fresh()
	e := wire.Ethernet(frame)
	switch {
	case e.Check() != nil:
		return p.refuse(i, frame, trace.Malformed, e.Check().Error())
	case i == nil:
		return p.refuse(i, frame, trace.NotAttached, "the interface does not exist")
	}
	p.tap(true, frame)
	switch e.Type() {
	case wire.EtherTypeARP:
		return p.answerARP(i, frame)
	case wire.EtherTypeIPv4, wire.EtherTypeIPv6:
		return p.sendIP(i, e)
	}
	return p.refuse(i, frame, trace.UnknownEtherType, "")
}

// refuse ends a frame that gets no way into the network. i may be nil.
func (p *Port) refuse(i *Interface, frame []byte, end trace.Reason, why string) trace.Reason {
	r := dataplane.Refusal{Where: "no interface", Size: len(frame), End: end, Why: why}
	if i != nil {
		r.Where, r.WhereID = i.outName, i.ID
	}
	var q wire.Packet
	switch e := wire.Ethernet(frame); {
	case e.Check() != nil:
	case isIP(e.Type()) && q.Read(e.Payload()) == nil:
		r.Packet = &q
	case e.Type() == wire.EtherTypeARP:
		r.Frame = p.words(func() string { return arpWords(wire.ARP(e.Payload())) })
	}
	return p.engine.Refuse(r)
}

// arpWords says what an ARP packet is, for traces.
func arpWords(a wire.ARP) string {
	switch {
	case a.Check() != nil:
		return "ARP"
	case a.Op() == wire.ARPRequest:
		return "ARP request for " + a.Target().String()
	}
	return "ARP reply from " + a.Sender().String()
}

func isIP(t wire.EtherType) bool { return t == wire.EtherTypeIPv4 || t == wire.EtherTypeIPv6 }

func (p *Port) sendIP(i *Interface, e wire.Ethernet) trace.Reason {
	ip, dst := e.Payload(), e.Dst()
	switch {
	case len(ip) > MTU:
		return p.refuse(i, e, trace.TooBig, "")
	case e.Type() != etherTypeOf(ip):
		return p.refuse(i, e, trace.Malformed, "the IP version is not the EtherType's")
	case i.Down == trace.None && mayBeDiscovery(ip):
		if end, ok := p.answerDiscovery(i, e); ok {
			return end
		}
	}
	if dst == i.Segment.Router {
		return p.engine.SendTo(i.Out(), nil, ip)
	}
	if to := i.Segment.neighbor(dst); to != nil {
		return p.engine.SendTo(i.Out(), to.In(), ip)
	}
	if dst.IsGroup() {
		return p.refuse(i, e, trace.Multicast, "")
	}
	return p.refuse(i, e, trace.UnknownMAC, p.words(dst.String))
}

// words returns what f returns where somebody will read it.
func (p *Port) words(f func() string) string {
	if p.engine.Tracing() {
		return f()
	}
	return ""
}

// etherTypeOf returns the EtherType for the bytes of an IP packet: IPv6's unless
// they begin as IPv4 does.
func etherTypeOf(ip []byte) wire.EtherType {
	if len(ip) > 0 && ip[0]>>4 == 4 {
		return wire.EtherTypeIPv4
	}
	return wire.EtherTypeIPv6
}

// answerARP answers as the VPC does: for the router, for interfaces of the subnet,
// for nobody else. Announcements and probes of a guest's own go unanswered, since
// no guest can claim an address (VPC guide, "Subnet sizing": no broadcast).
func (p *Port) answerARP(i *Interface, frame []byte) trace.Reason {
	a := wire.ARP(wire.Ethernet(frame).Payload())
	switch {
	case a.Check() != nil:
		return p.refuse(i, frame, trace.Malformed, a.Check().Error())
	case i.Down != trace.None:
		return p.refuse(i, frame, i.Down, "")
	case a.Op() != wire.ARPRequest || i.Owns(a.Target()):
		return trace.Answered
	}
	mac, ok := i.Segment.resolve(a.Target())
	if !ok {
		return p.refuse(i, frame, trace.NoNeighbor, p.words(a.Target().String))
	}
	reply := make([]byte, wire.EthernetLen, wire.EthernetLen+wire.ARPLen)
	wire.PutEthernet(reply, a.SenderMAC(), mac, wire.EtherTypeARP)
	p.later(wire.AppendARP(reply, wire.ARPReply, mac, a.Target(), a.SenderMAC(), a.Sender()))
	return trace.Answered
}

// later hands a frame of the VPC's own to the guest.
func (p *Port) later(frame []byte) {
	p.engine.Clock.Schedule(ARPDelay, &arrival{p, frame})
}

type arrival struct {
	port  *Port
	frame []byte
}

// Run delivers the frame.
func (a *arrival) Run() {
	if a.port.guest == nil || a.port.dead != "" {
		return
	}
	a.port.tap(false, a.frame)
	a.port.guest.Frame(a.frame)
}

// Receive puts a frame around a packet delivered to the interface and hands it to
// the guest. It is the dataplane's end of the port. It does not allocate, but where
// a guest runs the clock while it has a frame.
func (p *Port) Receive(packet *wire.Packet) trace.Reason {
	if p.dead != "" {
		return p.bury(packet)
	}
	i := p.fresh()
	switch {
	case p.guest == nil || i == nil:
		return trace.NotAttached
	case i.Down != trace.None:
		return i.Down
	}
	frame := p.frame
	p.frame = nil
	if cap(frame) < wire.EthernetLen+packet.Len() {
		frame = make([]byte, max(2048, wire.EthernetLen+packet.Len()))
	}
	frame = frame[:wire.EthernetLen]
	wire.PutEthernet(frame, i.MAC, i.Segment.sender(packet.Flow.Src), etherTypeOf(packet.Bytes()))
	frame = append(frame, packet.Bytes()...)
	p.tap(false, frame)
	end := p.guest.Frame(frame)
	p.frame = frame
	return end
}

func (p *Port) tap(out bool, frame []byte) {
	for _, t := range p.taps {
		t(p.engine.Clock.Now(), out, frame)
	}
}
