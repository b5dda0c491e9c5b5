package eni_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	routerMAC = wire.MAC{0x02, 0, 0, 0, 0, 1}
	macA      = wire.MAC{0x02, 0, 0, 0, 0, 0xa}
	macB      = wire.MAC{0x02, 0, 0, 0, 0, 0xb}

	addrA   = wire.MustParseAddr("10.0.0.10")
	addrA2  = wire.MustParseAddr("10.0.0.11") // a's secondary address
	addrA6  = wire.MustParseAddr("fd00::a")
	addrB   = wire.MustParseAddr("10.0.0.20")
	addrB6  = wire.MustParseAddr("fd00::b")
	router4 = wire.MustParseAddr("10.0.0.1")
	routerL = wire.MustParseAddr("fe80:ec2::1")
	nobody  = wire.MustParseAddr("10.0.0.99")
	nobody6 = wire.MustParseAddr("fd00::99")
	outside = wire.MustParseAddr("198.51.100.7")
	imds    = wire.MustParseAddr("169.254.169.254")
)

// rig is a subnet with two interfaces and a router that knows no more than it.
type rig struct {
	t       *testing.T
	engine  *dataplane.Engine
	segment *eni.Segment
	a, b    *card
}

// card is a guest's network card that keeps what it gets.
type card struct {
	rig     *rig
	i       *eni.Interface
	port    *eni.Port
	got     [][]byte
	respond func(frame []byte) trace.Reason
}

func (c *card) Frame(frame []byte) trace.Reason {
	c.got = append(c.got, append([]byte(nil), frame...))
	if c.respond != nil {
		return c.respond(frame)
	}
	return trace.Delivered
}

// take returns what came and forgets it.
func (c *card) take() [][]byte {
	got := c.got
	c.got = nil
	return got
}

// subnetRouter knows the subnet's interfaces and nothing beyond.
type subnetRouter struct{ segment *eni.Segment }

func (*subnetRouter) Name() string { return "router" }

func (r *subnetRouter) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Latency += 100 * time.Microsecond
	if l := c.Link; l != nil {
		c.Link = nil
		return dataplane.To(l)
	}
	if i := r.segment.Lookup(p.Flow.Dst); i != nil {
		return dataplane.To(i.In())
	}
	return dataplane.Drop(trace.NoRoute)
}

func prefix(s string) wire.Prefix { return wire.PrefixFrom(netip.MustParsePrefix(s)) }

// allow returns a rule for all traffic with the prefix.
func allow(cidr string) filter.Rule {
	return filter.Rule{Group: "sg", Label: "rule (all, " + cidr + ")", Traffic: filter.AllTraffic(), Prefix: netip.MustParsePrefix(cidr)}
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, engine: &dataplane.Engine{Clock: &clock.Clock{}}}
	r.segment = &eni.Segment{
		Router: routerMAC, RouterAddrs: []wire.Addr{router4, routerL},
		Prefixes: []wire.Prefix{prefix("10.0.0.0/24"), prefix("fd00::/64")},
	}
	all := []filter.Rule{allow("0.0.0.0/0"), allow("::/0")}
	r.a = r.add(&eni.Interface{
		ID: "eni-a", Label: "a", MAC: macA, Addrs: []wire.Addr{addrA, addrA2, addrA6},
		Prefixes: []wire.Prefix{prefix("10.0.0.48/28"), prefix("fd00::1:0:0:0/80")},
	}, filter.NewGroups(all, all))
	r.b = r.add(&eni.Interface{ID: "eni-b", Label: "b", MAC: macB, Addrs: []wire.Addr{addrB, addrB6}}, filter.NewGroups(all, all))
	return r
}

func (r *rig) add(i *eni.Interface, g *filter.Groups) *card {
	c := &card{rig: r, i: i}
	c.port = eni.NewPort(r.engine, func() *eni.Interface { return c.i })
	i.SourceDestCheck, i.Segment, i.Router, i.Port = true, r.segment, &subnetRouter{r.segment}, c.port
	i.Groups, i.GroupNames, i.Flows = g, "sg", filter.NewTracker(filter.TrackerConfig{Seed: 1})
	r.segment.Add(i.Prepare())
	c.port.Plug(c)
	return c
}

func (r *rig) run() {
	for r.engine.Clock.Step() {
	}
}

// send sends an IP packet in a frame to mac and lets time pass.
func (c *card) send(mac wire.MAC, ip []byte) trace.Reason {
	end := c.port.Send(frame(mac, c.i.MAC, ip))
	c.rig.run()
	return end
}

func frame(dst, src wire.MAC, ip []byte) []byte {
	t := wire.EtherTypeIPv6
	if len(ip) > 0 && ip[0]>>4 == 4 {
		t = wire.EtherTypeIPv4
	}
	return frameOf(dst, src, t, ip)
}

func frameOf(dst, src wire.MAC, t wire.EtherType, payload []byte) []byte {
	b := make([]byte, wire.EthernetLen)
	for i := range b {
		b[i] = 0xa5
	}
	wire.PutEthernet(b, dst, src, t)
	return append(b, payload...)
}

func udp(src, dst wire.Addr, srcPort, dstPort uint16) []byte {
	return wire.AppendUDP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, srcPort, dstPort, []byte("data"))
}

func tcp(src, dst wire.Addr, srcPort, dstPort uint16, f wire.TCPFlags) []byte {
	return wire.AppendTCP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, wire.Segment{SrcPort: srcPort, DstPort: dstPort, Flags: f}, nil)
}

func echo(src, dst wire.Addr, typ uint8) []byte {
	return wire.AppendICMP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, typ, 0, 7<<16|1, nil)
}

func unreachable(src, dst wire.Addr, about []byte) []byte {
	return wire.AppendICMP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, wire.ICMPUnreachable, 3, 0, about)
}

// story returns the last packet's walk as text.
func (r *rig) story() string {
	w := r.engine.Log.Walks()
	return w[len(w)-1].String()
}

// platform is a service that answers UDP with its payload.
type platform struct{ asked int }

func (s *platform) Serve(c *dataplane.Context, i *eni.Interface, p *wire.Packet) dataplane.Next {
	s.asked++
	u := wire.UDP(p.Transport())
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 64}
	c.Emit(i.FromService(), wire.AppendUDP(nil, h, u.DstPort(), u.SrcPort(), u.Payload()))
	return dataplane.Drop(trace.Answered)
}

func requireDelivered(t *testing.T, c *card, from wire.MAC, ip []byte) {
	t.Helper()
	require.Equal(t, [][]byte{frame(c.i.MAC, from, ip)}, c.take())
}
