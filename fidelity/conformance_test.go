package fidelity_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// The laws that hold for every kind of gateway, over a flow through one of each.
// A new kind is a row of [kinds].

// crossing is a flow from a to b through a gateway.
type crossing struct {
	*net
	a, b  *end
	six   bool       // the flow is of IPv6
	to    netip.Addr // what a sends to, where it is not b's address
	proto wire.Proto // wire.ProtoUDP unless the gateway carries no UDP
	// hops is what is taken from the TTL of a request, hopsBack of an answer.
	hops, hopsBack int
	// passes are the nodes' names of which a request passes one at least.
	passes []string
	// proxy says that the gateway ends connections: its packets are not the sender's.
	proxy bool
	// delete deletes the gateway; afterwards a request ends as deleted.
	delete  func() error
	deleted trace.Reason
	// state returns the gateway's live state, nil where there is none left. A kind
	// without state has no function.
	state func() any
	// again builds the same network once more.
	again func() *crossing
}

// end is a network card at one end: it counts and keeps the last packet.
type end struct {
	addr, addr6 netip.Addr
	send        func(ip []byte) trace.Reason
	got         int
	bad         int
	last        wire.Packet
	bytes       []byte
}

// Receive takes a packet, of a host outside of a VPC.
func (e *end) Receive(p *wire.Packet) trace.Reason {
	if p.VerifyChecksum() != nil {
		e.bad++
	}
	e.got++
	e.bytes = append(e.bytes[:0], p.Bytes()...)
	if e.last.Read(e.bytes) != nil {
		e.bad++
	}
	return trace.Delivered
}

// Frame takes a frame, of an instance.
func (e *end) Frame(frame []byte) trace.Reason {
	f := wire.Ethernet(frame)
	if f.Type() == wire.EtherTypeARP {
		return trace.Delivered
	}
	var p wire.Packet
	if p.Read(f.Payload()) != nil {
		e.bad++
		return trace.Malformed
	}
	return e.Receive(&p)
}

// at returns the address of the flow's family.
func (e *end) at(six bool) netip.Addr {
	if six {
		return e.addr6
	}
	return e.addr
}

// inside puts an end behind an instance's interface.
func (n *net) inside(s *subnet, name string, m machine) *end {
	n.t.Helper()
	return n.endOf(s.instance(name, m).Interface())
}

// endOf puts an end behind an interface.
func (n *net) endOf(nic *vpc.NetworkInterface) *end {
	n.t.Helper()
	live := n.Live(nic.Region())
	e := &end{addr: nic.PrivateIP()}
	if six := nic.IPv6(); len(six) > 0 {
		e.addr6 = six[0]
	}
	live.Port(nic).Plug(e)
	e.send = func(ip []byte) trace.Reason { return n.Engine.Send(live.Interface(nic).Out(), ip) }
	return e
}

// outside puts an end at a host of the internet.
func (n *net) outside(addrs ...string) *end {
	n.t.Helper()
	e := &end{}
	var all []wire.Addr
	for _, s := range addrs {
		a := netip.MustParseAddr(s)
		if a.Is4() {
			e.addr = a
		} else {
			e.addr6 = a
		}
		all = append(all, wire.AddrFrom(a))
	}
	station, ok := n.Internet.Join(all...)
	require.True(n.t, ok)
	station.Plug(e)
	e.send = station.Send
	return e
}

const (
	conformTTL  = 100
	conformPort = 4000
)

// request makes a packet from a to b; n tells flows apart.
func (c *crossing) request(n int) []byte {
	dst := c.to
	if !dst.IsValid() {
		dst = c.b.at(c.six)
	}
	h := wire.Header{Src: wire.AddrFrom(c.a.at(c.six)), Dst: wire.AddrFrom(dst), TTL: conformTTL}
	return c.packet(h, uint16(conformPort+n), 53)
}

func (c *crossing) packet(h wire.Header, src, dst uint16) []byte {
	if c.proto == wire.ProtoTCP {
		return wire.AppendTCP(nil, h, wire.Segment{SrcPort: src, DstPort: dst, Flags: wire.ACK, Window: 1000}, []byte("conformance"))
	}
	return wire.AppendUDP(nil, h, src, dst, []byte("conformance"))
}

// answer makes the answer to what b got last.
func (c *crossing) answer() []byte {
	f := c.b.last.Flow
	return c.packet(wire.Header{Src: f.Dst, Dst: f.Src, TTL: conformTTL}, f.DstPort, f.SrcPort)
}

// walk sends and lets happen what comes of it.
func (c *crossing) walk(from *end, ip []byte) trace.Reason {
	r := from.send(ip)
	for range 8 { // deliveries on the way: an appliance's, for example
		c.Clock.Step()
	}
	return r
}

// cross sends a request, requires that b has it, and returns the walk.
func (c *crossing) cross(n int) *trace.Walk {
	c.t.Helper()
	c.take()
	before := c.b.got
	c.walk(c.a, c.request(n))
	walks := c.take()
	require.Equal(c.t, before+1, c.b.got, "the request arrives\n%s", story(walks))
	return walks[0]
}

// back sends the answer and requires that a has it as the answer to its request.
func (c *crossing) back(n int) {
	c.t.Helper()
	c.take()
	before := c.a.got
	c.walk(c.b, c.answer())
	require.Equal(c.t, before+1, c.a.got, "the answer arrives\n%s", story(c.take()))
	var sent wire.Packet
	require.NoError(c.t, sent.Read(c.request(n)))
	require.Equal(c.t, sent.Flow.Reverse(), c.a.last.Flow, "the answer is the request's")
}

// kinds are a flow through each kind of gateway.
var kinds = map[string]func(t *testing.T) *crossing{
	"local":                newLocalCrossing,
	"internet gateway":     newInternetCrossing,
	"internet gateway, v6": newInternetCrossing6,
	"egress-only":          newEgressOnlyCrossing,
	"NAT gateway":          newNATCrossing,
	"private NAT gateway":  newPrivateNATCrossing,
	"peering":              newPeeringCrossing,
	"transit gateway":      newTransitCrossing,
	"private gateway":      newPrivateGatewayCrossing,
	"Direct Connect":       newDirectConnectCrossing,
	"local gateway":        newLocalGatewayCrossing,
	"customer-owned IP":    newCustomerOwnedCrossing,
	"network balancer":     newNLBCrossing,
	"network balancer, v6": newNLBCrossing6,
	"balancer, v6 to v4":   newNLBCrossing64,
	"balancer, v4 to v6":   newNLBCrossing46,
	"gateway endpoint":     newGatewayEndpointCrossing,
	"interface endpoint":   newInterfaceEndpointCrossing,
	"network firewall":     newFirewallCrossing,
	"gateway balancer":     newApplianceCrossing,
}

// each runs a law over all kinds, in the order of their names.
func each(t *testing.T, law func(t *testing.T, c *crossing)) {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			c := kinds[name](t)
			c.again = func() *crossing { return kinds[name](t) }
			law(t, c)
		})
	}
}

func TestEveryKindCarriesARequestAndItsAnswer(t *testing.T) {
	each(t, func(t *testing.T, c *crossing) {
		w := c.cross(0)
		require.Equal(t, conformTTL-c.hops, int(c.b.last.TTL()), "hops of the request\n%s", w)
		if len(c.passes) > 0 {
			require.NotEmpty(t, only(nodes(w), c.passes...), "it passes the gateway: %v", nodes(w))
		}
		c.back(0)
		require.Equal(t, conformTTL-c.hopsBack, int(c.a.last.TTL()), "hops of the answer")
		require.Zero(t, c.a.bad+c.b.bad, "right checksums")
	})
}

func TestEveryKindHasAWordForEveryPacket(t *testing.T) {
	reasons := trace.Reasons()
	each(t, func(t *testing.T, c *crossing) {
		c.cross(0)
		rng := rand.New(rand.NewPCG(7, 7))
		for i := range 400 {
			ip := c.mutate(rng, i)
			c.take()
			from := c.a
			if rng.IntN(3) == 0 {
				from = c.b
			}
			end := from.send(ip)
			require.Contains(t, reasons, end, "a reason of the documented list")
			for range 8 {
				c.Clock.Step()
			}
			for _, w := range c.take() {
				require.Contains(t, reasons, w.End(), w)
				if w.End().IsDrop() {
					require.NotEmpty(t, w.End().Code(), w)
				}
			}
		}
	})
}

// mutate makes a packet like those of the flow, but for something drawn: addresses,
// protocol, length, flags, TTL, or bytes at random.
func (c *crossing) mutate(rng *rand.Rand, n int) []byte {
	ip := c.request(n % 7)
	if rng.IntN(3) == 0 {
		ip = c.answer()
	}
	h := wire.Header{Src: wire.AddrFrom(c.a.at(c.six)), Dst: wire.AddrFrom(c.b.at(c.six)), TTL: uint8(rng.IntN(4))}
	switch rng.IntN(6) {
	case 0:
		ip = wire.AppendTCP(nil, h, wire.Segment{SrcPort: uint16(rng.Uint32()), DstPort: 80, Flags: wire.TCPFlags(rng.IntN(64))}, nil)
	case 1:
		ip = wire.AppendUDP(nil, h, 7, uint16(rng.Uint32()), make([]byte, rng.IntN(9000)))
	case 2:
		h.Proto = wire.Proto(rng.IntN(256))
		ip = wire.AppendIP(nil, h, make([]byte, 8+rng.IntN(64)))
	case 3:
		ip[rng.IntN(len(ip))] ^= byte(1 << rng.IntN(8))
	case 4:
		ip = ip[:rng.IntN(len(ip))]
	}
	return ip
}

func TestEveryKindCarriesAnEstablishedFlowWithoutAllocating(t *testing.T) {
	each(t, func(t *testing.T, c *crossing) {
		if c.proxy {
			t.Skip("it ends connections: its packets are its own")
		}
		c.cross(0)
		c.back(0)
		c.Engine.Log = nil
		request, answer := c.request(0), c.answer()
		for range 20 {
			c.walk(c.a, request)
			c.walk(c.b, answer)
		}
		for _, way := range []struct {
			from, to *end
			ip       []byte
		}{{c.a, c.b, request}, {c.b, c.a, answer}} {
			before, sent := way.to.got, 0
			fewest := 1e9
			for range 3 {
				fewest = min(fewest, testing.AllocsPerRun(50, func() {
					sent++
					c.walk(way.from, way.ip)
				}))
			}
			require.Equal(t, before+sent, way.to.got, "every packet was delivered")
			require.Zero(t, fewest)
		}
	})
}

func TestEveryKindLeavesABlackHole(t *testing.T) {
	each(t, func(t *testing.T, c *crossing) {
		if c.delete == nil {
			t.Skip("it can't be deleted")
		}
		c.cross(0)
		require.NoError(t, c.delete())
		c.take()
		before := c.b.got
		c.walk(c.a, c.request(0))
		walks := c.take()
		require.Equal(t, before, c.b.got)
		require.Equal(t, c.deleted, walks[len(walks)-1].End(), story(walks))
	})
}

func TestEveryKindKeepsItsStateThroughAChangeAndNoLonger(t *testing.T) {
	each(t, func(t *testing.T, c *crossing) {
		c.cross(0)
		flow := c.b.last.Flow
		c.change()
		c.cross(0)
		require.Equal(t, flow, c.b.last.Flow, "the flow is the same after a change that is none of its")
		c.back(0)
		if c.state == nil {
			return
		}
		require.NotNil(t, c.state())
		require.NoError(t, c.delete())
		require.Nil(t, c.state(), "state dies with its resource")
	})
}

// change is one that concerns no flow.
func (c *crossing) change() {
	c.t.Helper()
	g, err := c.vpc.CreateSecurityGroup("of nobody", vpc.SecurityGroupConfig{})
	c.must(err)
	c.must(g.AuthorizeIngress(vpc.AllICMP("192.0.2.0/24")))
}

func TestEveryKindTellsTheSameStoryTwice(t *testing.T) {
	each(t, func(t *testing.T, c *crossing) {
		tell := func(c *crossing) string {
			c.take()
			c.walk(c.a, c.request(0))
			c.walk(c.b, c.answer())
			return story(c.take())
		}
		require.Equal(t, tell(c), tell(c.again()))
	})
}
