package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// lan is an Ethernet switch on the clock: what one station sends, the stations
// with that address get after the latency.
type lan struct {
	engine  *dataplane.Engine
	latency time.Duration
	ports   []*lanPort
	frames  [][]byte // all of them, in order
	times   []time.Duration
	drop    func(n int, frame []byte) bool
	count   int
}

type lanPort struct {
	lan *lan
	nic *NIC
}

func newLAN(e *dataplane.Engine, latency time.Duration) *lan {
	return &lan{engine: e, latency: latency}
}

func (p *lanPort) Send(frame []byte) trace.Reason {
	l := p.lan
	l.count++
	l.frames = append(l.frames, append([]byte(nil), frame...))
	l.times = append(l.times, l.engine.Now())
	if l.drop != nil && l.drop(l.count, frame) {
		return trace.Lost
	}
	dst := wire.Ethernet(frame).Dst()
	for _, to := range l.ports {
		if to == p || to.nic.MAC() != dst && !dst.IsGroup() {
			continue
		}
		b := append([]byte(nil), frame...)
		l.engine.Clock.Schedule(l.latency, clock.Func(func() { to.nic.Frame(b) }))
	}
	return trace.Delivered
}

// packets returns the IP packets that were sent and that keep says to keep.
func (l *lan) packets(keep func(*wire.Packet) bool) []*wire.Packet {
	var got []*wire.Packet
	for _, frame := range l.frames {
		e, p := wire.Ethernet(frame), &wire.Packet{}
		if e.Type() != wire.EtherTypeARP && p.Read(e.Payload()) == nil && keep(p) {
			got = append(got, p)
		}
	}
	return got
}

// attach plugs a host into the lan.
func (l *lan) attach(t testing.TB, h *Host, c NICConfig, addrs ...string) *NIC {
	t.Helper()
	p := &lanPort{lan: l}
	l.ports = append(l.ports, p)
	c.Link = p
	last := netip.MustParsePrefix(addrs[0]).Addr().AsSlice()
	c.MAC = wire.MAC{2, 0, last[len(last)-4], last[len(last)-3], last[len(last)-2], last[len(last)-1]}
	for _, a := range addrs {
		c.Addrs = append(c.Addrs, netip.MustParsePrefix(a))
	}
	n, err := h.AddNIC(c)
	require.NoError(t, err)
	p.nic = n
	return n
}

// line is a network of a, router and b:
//
//	a 10.0.0.11 ── left ── 10.0.0.1 router 10.0.1.1 ── right ── 10.0.1.55 b
type line struct {
	engine       *dataplane.Engine
	log          *trace.Log
	left, right  *lan
	a, router, b *Host
}

var (
	addrA = netip.MustParseAddr("10.0.0.11")
	addrB = netip.MustParseAddr("10.0.1.55")
)

func newLine(t testing.TB) *line {
	n := &line{log: &trace.Log{}}
	n.engine = &dataplane.Engine{Clock: &clock.Clock{}, Log: n.log}
	n.left, n.right = newLAN(n.engine, 100*time.Microsecond), newLAN(n.engine, 130*time.Microsecond)
	n.a, n.b = New(n.engine, Config{Name: "a"}), New(n.engine, Config{Name: "b"})
	n.router = New(n.engine, Config{Name: "router", Forwarding: true})
	gw := netip.MustParseAddr
	n.left.attach(t, n.a, NICConfig{Gateway: gw("10.0.0.1"), Gateway6: gw("fd00::1")}, "10.0.0.11/24", "fd00::11/64")
	n.left.attach(t, n.router, NICConfig{}, "10.0.0.1/24", "fd00::1/64")
	n.right.attach(t, n.router, NICConfig{}, "10.0.1.1/24", "fd00:1::1/64")
	n.right.attach(t, n.b, NICConfig{Gateway: gw("10.0.1.1"), Gateway6: gw("fd00:1::1")}, "10.0.1.55/24", "fd00:1::55/64")
	return n
}
