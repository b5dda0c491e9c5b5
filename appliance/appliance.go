// Package appliance is a virtual appliance behind a Gateway Load Balancer: a program on
// a guest that takes packets in GENEVE on UDP port 6081, looks at what is inside and
// sends it back, or does not. It answers health checks by TCP. A guest of another kind
// does the same with its own means.
package appliance

import (
	"encoding/binary"
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Tunnel is what a Gateway Load Balancer tells of a packet, in the options of class
// 0x0108 (GWLB guide, "GENEVE").
type Tunnel struct {
	// Endpoint and Attachment are the numbers of the endpoint and of its attachment.
	Endpoint, Attachment uint64
	// Cookie is the flow's.
	Cookie uint32
}

// Inspect looks at a packet and reports whether it may pass. p is the program's until
// it returns; a change of the packet goes back with it.
type Inspect func(p *wire.Packet, t Tunnel) bool

// Config says what an appliance does. The zero Config passes everything.
type Config struct {
	// Inspect decides about packets; nil passes them all.
	Inspect Inspect
	// HealthPort is the TCP port that answers health checks; 0 is 80.
	HealthPort uint16
}

// Appliance is the program. It belongs to the engine's goroutine.
type Appliance struct {
	engine  *dataplane.Engine
	guest   *host.Host
	inspect Inspect
	socket  *host.UDPConn
	health  *host.Listener
	passed  int
	dropped int
	out     []byte
}

// Start starts the program on a guest. It refuses where its ports are in use.
func Start(e *dataplane.Engine, h *host.Host, c Config) (*Appliance, error) {
	if c.HealthPort == 0 {
		c.HealthPort = 80
	}
	a := &Appliance{engine: e, guest: h, inspect: c.Inspect}
	var err error
	if a.socket, err = h.ListenUDP(netip.AddrPortFrom(netip.Addr{}, wire.GenevePort)); err != nil {
		return nil, err
	}
	if a.health, err = h.ListenTCP(netip.AddrPortFrom(netip.Addr{}, c.HealthPort), func(x *host.Conn) {
		x.OnReadable(func(x *host.Conn) { x.Close() })
	}); err != nil {
		a.socket.Close()
		return nil, err
	}
	a.socket.OnDatagram(func(_ *host.UDPConn, d host.Datagram) { a.take(d) })
	return a, nil
}

// Stop ends the program: packets find nobody, and health checks fail.
func (a *Appliance) Stop() {
	a.socket.Close()
	a.health.Close()
}

// Counts returns how many packets were sent back and how many were not.
func (a *Appliance) Counts() (passed, dropped int) { return a.passed, a.dropped }

// Guest returns the guest that the program runs on.
func (a *Appliance) Guest() *host.Host { return a.guest }

// take inspects one packet and sends it back as it came, the outer addresses swapped,
// the ports not, with all options (GWLB guide, "GENEVE").
func (a *Appliance) take(d host.Datagram) {
	g := wire.Geneve(d.Payload)
	var p wire.Packet
	if g.Check() != nil || p.Read(g.Payload()) != nil {
		a.refuse(nil, "no packet in GENEVE")
		return
	}
	if a.inspect != nil && !a.inspect(&p, tunnel(g.Options())) {
		a.refuse(&p, "the appliance drops it")
		return
	}
	a.passed++
	h := wire.Header{Src: wire.AddrFrom(d.Dst.Addr()), Dst: wire.AddrFrom(d.Src.Addr()), TTL: 64}
	a.out = wire.AppendUDP(a.out[:0], h, d.Src.Port(), d.Dst.Port(), d.Payload)
	a.guest.SendIP(a.out) // what becomes of it is in the trace
}

// refuse ends a packet here. p may be nil.
func (a *Appliance) refuse(p *wire.Packet, why string) {
	a.dropped++
	a.engine.Refuse(dataplane.Refusal{Where: a.guest.Name(), Packet: p, End: trace.HostFilter, Why: why})
}

// tunnel reads the options; one that is absent is zero.
func tunnel(o wire.GeneveOptions) (t Tunnel) {
	if b := o.Find(optionClass, 1); len(b) == 8 {
		t.Endpoint = binary.BigEndian.Uint64(b)
	}
	if b := o.Find(optionClass, 2); len(b) == 8 {
		t.Attachment = binary.BigEndian.Uint64(b)
	}
	if b := o.Find(optionClass, 3); len(b) == 4 {
		t.Cookie = binary.BigEndian.Uint32(b)
	}
	return t
}

// optionClass is AWS's class of GENEVE options.
const optionClass = 0x0108
