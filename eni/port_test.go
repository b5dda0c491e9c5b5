package eni_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// unhex reads bytes written as hexadecimal with spaces and line ends.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

func arp(op uint16, sender, target wire.Addr) []byte {
	return frameOf(wire.Broadcast, macA, wire.EtherTypeARP, wire.AppendARP(nil, op, macA, sender, wire.MAC{}, target))
}

func TestARPIsAnsweredForTheRouterServicesAndNeighbours(t *testing.T) {
	const answer = `02 00 00 00 00 0a  MAC  08 06
		00 01 08 00 06 04 00 02  MAC  ADDR  02 00 00 00 00 0a  0a 00 00 0a`
	for _, c := range []struct {
		name      string
		target    wire.Addr
		mac, addr string
	}{
		{"the router", router4, "02 00 00 00 00 01", "0a 00 00 01"},
		{"a service", imds, "02 00 00 00 00 01", "a9 fe a9 fe"},
		{"a neighbour", addrB, "02 00 00 00 00 0b", "0a 00 00 14"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.segment.Serve(imds, &platform{})
			require.Equal(t, trace.Answered, r.a.port.Send(arp(wire.ARPRequest, addrA, c.target)))
			require.Empty(t, r.a.got)
			r.run()
			require.Equal(t, eni.ARPDelay, r.engine.Now())
			want := strings.NewReplacer("MAC", c.mac, "ADDR", c.addr).Replace(answer)
			require.Equal(t, [][]byte{unhex(t, want)}, r.a.take())
		})
	}
	t.Run("an assigned prefix's addresses", func(t *testing.T) {
		r := newRig(t)
		ask := wire.AppendARP(nil, wire.ARPRequest, macB, addrB, wire.MAC{}, wire.MustParseAddr("10.0.0.50"))
		require.Equal(t, trace.Answered, r.b.port.Send(frameOf(wire.Broadcast, macB, wire.EtherTypeARP, ask)))
		r.run()
		require.Equal(t, macA, wire.ARP(wire.Ethernet(r.b.take()[0]).Payload()).SenderMAC())
	})
}

func TestARPThatGetsNoAnswer(t *testing.T) {
	short := arp(wire.ARPRequest, addrA, addrB)
	for _, c := range []struct {
		name  string
		frame []byte
		want  trace.Reason
	}{
		{"nobody has the address", arp(wire.ARPRequest, addrA, nobody), trace.NoNeighbor},
		{"an address outside the subnet", arp(wire.ARPRequest, addrA, outside), trace.NoNeighbor},
		{"the target 0.0.0.0", arp(wire.ARPRequest, addrA, wire.Addr{}), trace.NoNeighbor},
		{"its own address: an announcement", arp(wire.ARPRequest, addrA, addrA), trace.Answered},
		{"its own address: a probe", arp(wire.ARPRequest, wire.Addr{}, addrA2), trace.Answered},
		{"a reply", arp(wire.ARPReply, addrA, addrB), trace.Answered},
		{"cut short", short[:len(short)-1], trace.Malformed},
		{"no ARP of Ethernet and IPv4", append(short[:14:14], append([]byte{0, 6}, short[16:]...)...), trace.Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			require.Equal(t, c.want, r.a.port.Send(c.frame))
			r.run()
			require.Empty(t, r.a.got)
			require.Empty(t, r.b.got, "no guest sees another's ARP")
		})
	}
}

func solicit(src, target wire.Addr) []byte {
	return frame(wire.GroupMAC(wire.SolicitedNode(target)), macA,
		wire.AppendNeighborSolicitation(nil, wire.Header{Src: src}, target, macA))
}

func TestNeighbourDiscoveryIsAnsweredAtTheEdge(t *testing.T) {
	t.Run("for a neighbour", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.Answered, r.a.port.Send(solicit(addrA6, addrB6)))
		r.run()
		require.Equal(t, [][]byte{unhex(t, `
			02 00 00 00 00 0a  02 00 00 00 00 0b  86 dd
			60 00 00 00 00 20 3a ff
			fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0b
			fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0a
			88 00 1c 76  60 00 00 00
			fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0b
			02 01 02 00 00 00 00 0b`)}, r.a.take())
	})
	t.Run("for the router, which says that it is one", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.Answered, r.a.send(routerMAC, solicit(addrA6, routerL)[14:]))
		m := answer(t, r.a)
		require.Equal(t, wire.Override|wire.Solicited|wire.Router, wire.NeighborMessage(m.Transport()).Flags())
		mac, ok := wire.NeighborMessage(m.Transport()).Options().LinkAddr(wire.TargetLinkAddr)
		require.True(t, ok)
		require.Equal(t, routerMAC, mac)
	})
	t.Run("who asks whether an address is taken hears that it is", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.Answered, r.a.port.Send(solicit(wire.Addr{}, addrB6)))
		r.run()
		m := answer(t, r.a)
		require.Equal(t, wire.MustParseAddr("ff02::1"), m.Flow.Dst)
		require.Equal(t, wire.Override, wire.NeighborMessage(m.Transport()).Flags())
	})
	t.Run("its own address is nobody else's", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.Answered, r.a.port.Send(solicit(wire.Addr{}, addrA6)))
		r.run()
		require.Empty(t, r.a.got)
	})
	t.Run("nobody has the address", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.NoNeighbor, r.a.port.Send(solicit(addrA6, nobody6)))
		r.run()
		require.Empty(t, r.a.got)
	})
	t.Run("a guest's own claim counts for nothing", func(t *testing.T) {
		r := newRig(t)
		claim := wire.AppendNeighborAdvertisement(nil, wire.Header{Src: addrA6, Dst: addrB6}, wire.Override, addrB6, macA)
		require.Equal(t, trace.Answered, r.a.send(macB, claim))
		require.Empty(t, r.b.got)
	})
	t.Run("a router advertisement names the router and no prefix", func(t *testing.T) {
		r := newRig(t)
		ask := wire.AppendRouterSolicitation(nil, wire.Header{Dst: wire.MustParseAddr("ff02::2")}, nil)
		require.Equal(t, trace.Answered, r.a.send(wire.GroupMAC(wire.MustParseAddr("ff02::2")), ask))
		m := answer(t, r.a)
		require.Equal(t, wire.Flow{Src: routerL, Dst: wire.MustParseAddr("ff02::1"), Proto: wire.ProtoICMPv6}, m.Flow)
		a := wire.RouterAdvertisement(m.Transport())
		require.NoError(t, a.Check())
		require.Equal(t, wire.Advertisement{HopLimit: 64, Managed: true, Lifetime: 30 * time.Minute}, a.Advertisement())
		mac, ok := a.Options().LinkAddr(wire.SourceLinkAddr)
		require.True(t, ok)
		require.Equal(t, routerMAC, mac)
		require.Len(t, m.Transport(), 16+8, "the one option")
	})
	t.Run("a subnet without IPv6 advertises no router", func(t *testing.T) {
		r := newRig(t)
		r.segment.RouterAddrs = r.segment.RouterAddrs[:1]
		ask := wire.AppendRouterSolicitation(nil, wire.Header{Src: addrA6, Dst: wire.MustParseAddr("ff02::2")}, nil)
		require.Equal(t, trace.Answered, r.a.send(wire.Broadcast, ask))
		require.Empty(t, r.a.got)
	})
}

// answer reads the one packet that a guest got, and that its checksum is right.
func answer(t *testing.T, c *card) wire.Packet {
	t.Helper()
	got := c.take()
	require.Len(t, got, 1)
	var p wire.Packet
	require.NoError(t, p.Read(wire.Ethernet(got[0]).Payload()))
	require.NoError(t, p.CheckDiscovery())
	return p
}

func TestMalformedNeighbourDiscoveryIsRefused(t *testing.T) {
	forwarded := solicit(addrA6, addrB6)
	forwarded[14+7] = 64 // hop limit: it has passed a router
	wrong := solicit(addrA6, addrB6)
	wrong[len(wrong)-1] ^= 1 // checksum
	for name, f := range map[string][]byte{"forwarded by a router": forwarded, "a wrong checksum": wrong} {
		r := newRig(t)
		require.Equal(t, trace.Malformed, r.a.port.Send(f), name)
		r.run()
		require.Empty(t, r.a.got)
	}
}

func TestFramesThatGetNoWayIntoTheNetwork(t *testing.T) {
	ip := udp(addrA, addrB, 1, 53)
	for _, c := range []struct {
		name  string
		frame []byte
		end   trace.Reason
		want  string
	}{
		{"13 bytes", make([]byte, 13), trace.Malformed, `no packet (13 bytes)
  1  a out  malformed packet: frame shorter than the 14 bytes of an Ethernet header
     dropped: malformed packet (SIM_MALFORMED)
`},
		{"no bytes", nil, trace.Malformed, `no packet (0 bytes)
  1  a out  malformed packet: frame shorter than the 14 bytes of an Ethernet header
     dropped: malformed packet (SIM_MALFORMED)
`},
		{"a header alone", frameOf(routerMAC, macA, wire.EtherTypeIPv6, nil), trace.Malformed, `no packet (0 bytes)
  1  a out  malformed packet: packet shorter than its IP header
     dropped: malformed packet (SIM_MALFORMED)
`},
		{"the other EtherType", frameOf(routerMAC, macA, wire.EtherTypeIPv6, ip), trace.Malformed, `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes)
  1  a out  malformed packet: the IP version is not the EtherType's
     dropped: malformed packet (SIM_MALFORMED)
`},
		{"a VLAN tag", frameOf(routerMAC, macA, 0x8100, ip), trace.UnknownEtherType, `no packet (46 bytes)
  1  a out  EtherType not carried by a VPC
     dropped: EtherType not carried by a VPC (SIM_ETHERTYPE)
`},
		{"an unknown MAC", frame(wire.MAC{2, 0, 0, 0, 0, 0x99}, macA, ip), trace.UnknownMAC, `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes)
  1  a out  no such MAC address in the subnet: 02:00:00:00:00:99
     dropped: no such MAC address in the subnet (SIM_UNKNOWN_MAC)
`},
		{"broadcast", frame(wire.Broadcast, macA, ip), trace.Multicast, `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes)
  1  a out  multicast and broadcast are not carried
     dropped: multicast and broadcast are not carried (SIM_MULTICAST)
`},
		{"ARP for nobody", arp(wire.ARPRequest, addrA, nobody), trace.NoNeighbor, `ARP request for 10.0.0.99 (42 bytes)
  1  a out  no answer to ARP or neighbour solicitation: 10.0.0.99
     dropped: no answer to ARP or neighbour solicitation (SIM_NO_NEIGHBOR)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, log := range []*trace.Log{nil, {}} {
				r := newRig(t)
				r.engine.Log = log
				var told []trace.Reason
				r.engine.Ended = func(end trace.Reason, where string, f wire.Flow) { told = append(told, end) }
				require.Equal(t, c.end, r.a.port.Send(c.frame))
				r.run()
				require.Equal(t, []trace.Reason{c.end}, told)
				require.Empty(t, append(r.a.got, r.b.got...))
				if log != nil {
					require.Equal(t, c.want, r.story())
				}
			}
		})
	}
}

func TestANeighboursMACReachesItWhateverTheDestination(t *testing.T) {
	r := newRig(t)
	r.b.i.SourceDestCheck = false
	ip := udp(addrA, outside, 1, 53)
	require.Equal(t, trace.Delivered, r.a.send(macB, ip))
	requireDelivered(t, r.b, macA, ip)
	require.Equal(t, trace.NoRoute, r.a.send(routerMAC, ip))

	// To itself: a network card has no mirror, but the VPC delivers.
	require.Equal(t, trace.Delivered, r.a.send(macA, udp(addrA, addrA2, 1, 53)))
	requireDelivered(t, r.a, macA, udp(addrA, addrA2, 1, 53))
}

func TestTapsSeeBothWaysAsTheGuestDoes(t *testing.T) {
	r := newRig(t)
	type seen struct {
		at  time.Duration
		out bool
		of  string
	}
	var all []seen
	tap := func(who string) eni.Tap {
		return func(now time.Duration, out bool, frame []byte) {
			all = append(all, seen{now, out, who + " " + wire.Ethernet(frame).Dst().String()})
		}
	}
	r.a.port.Tap(tap("a"))
	r.b.port.Tap(tap("b"))
	r.b.port.Tap(tap("b too"))
	r.a.port.Send(arp(wire.ARPRequest, addrA, addrB))
	r.run()
	r.a.send(macB, udp(addrA, addrB, 1, 53))
	require.Equal(t, []seen{
		{0, true, "a ff:ff:ff:ff:ff:ff"},
		{eni.ARPDelay, false, "a 02:00:00:00:00:0a"},
		{eni.ARPDelay, true, "a 02:00:00:00:00:0b"},
		{eni.ARPDelay + 100*time.Microsecond, false, "b 02:00:00:00:00:0b"},
		{eni.ARPDelay + 100*time.Microsecond, false, "b too 02:00:00:00:00:0b"},
	}, all)
}

func TestAPortOutlivesItsInterface(t *testing.T) {
	t.Run("unplugged while a packet is on its way", func(t *testing.T) {
		r := newRig(t)
		var told []trace.Reason
		r.engine.Ended = func(end trace.Reason, where string, f wire.Flow) { told = append(told, end) }
		require.Equal(t, trace.Delivered, r.a.port.Send(frame(routerMAC, macA, udp(addrA, addrB, 1, 53))))
		require.True(t, r.b.port.Plugged())
		r.b.port.Plug(nil)
		r.run()
		require.Empty(t, r.b.got)
		require.Equal(t, []trace.Reason{trace.Delivered, trace.NotAttached}, told)
	})
	t.Run("stopped while a packet is on its way", func(t *testing.T) {
		r := newRig(t)
		r.engine.Log = &trace.Log{}
		r.a.port.Send(frame(routerMAC, macA, udp(addrA, addrB, 1, 53)))
		r.b.i.Down = trace.InstanceStopped
		r.run()
		require.Empty(t, r.b.got)
		require.Equal(t, trace.InstanceStopped, r.engine.Log.Walks()[0].End())
	})
	t.Run("deleted", func(t *testing.T) {
		r := newRig(t)
		r.engine.Log = &trace.Log{}
		r.a.port.Send(arp(wire.ARPRequest, addrA, addrB))
		r.a.i = nil
		require.Equal(t, trace.NotAttached, r.a.port.Send(arp(wire.ARPRequest, addrA, addrB)))
		require.Equal(t, trace.NotAttached, r.a.port.Send(frame(routerMAC, macA, udp(addrA, addrB, 1, 53))))
		require.Equal(t, `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes)
  1  no interface  interface not attached: the interface does not exist
     dropped: interface not attached (BAD_STATE_ATTACHMENT)
`, r.story())
	})
	t.Run("ARP's answer comes after the guest was pulled out", func(t *testing.T) {
		r := newRig(t)
		r.a.port.Send(arp(wire.ARPRequest, addrA, addrB))
		r.a.port.Plug(nil)
		r.run()
		require.Empty(t, r.a.got)
	})
	t.Run("a stopped instance asks nothing", func(t *testing.T) {
		r := newRig(t)
		r.a.i.Down = trace.InstanceStopped
		require.Equal(t, trace.InstanceStopped, r.a.port.Send(arp(wire.ARPRequest, addrA, addrB)))
		require.Equal(t, trace.InstanceStopped, r.a.send(macB, solicit(addrA6, addrB6)[14:]))
		require.Empty(t, r.a.got)
	})
}

func TestAGuestMaySendAndRunTheClockWhileItHasAFrame(t *testing.T) {
	r := newRig(t)
	first, second := udp(addrA, addrB, 1, 53), udp(addrA, addrB, 2, 53)
	inside := false
	r.b.respond = func(f []byte) trace.Reason {
		if inside {
			return trace.Delivered
		}
		inside = true
		before := slices.Clone(f)
		r.b.port.Send(frame(macA, macB, udp(addrB, addrA, 53, 1))) // an answer from within
		r.run()                                                    // the second frame comes while the first is in hand
		require.Equal(t, before, f)
		for i := range f {
			f[i] = 0xa5 // the bytes were the guest's own
		}
		return trace.Delivered
	}
	r.a.port.Send(frame(macB, macA, first))
	r.a.port.Send(frame(macB, macA, second))
	r.run()
	require.Equal(t, [][]byte{frame(macB, macA, first), frame(macB, macA, second)}, r.b.take())
	requireDelivered(t, r.a, macB, udp(addrB, addrA, 53, 1))
}

func FuzzSend(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 13))
	f.Add(arp(wire.ARPRequest, addrA, addrB))
	f.Add(solicit(addrA6, addrB6))
	f.Add(frame(routerMAC, macA, udp(addrA, addrB, 1, 53)))
	f.Add(frame(macB, macA, tcp(addrA6, addrB6, 1, 53, wire.SYN)))
	f.Add(frame(macB, macA, unreachable(addrA, addrB, udp(addrB, addrA, 1, 53))))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newRig(t)
		r.engine.Log = &trace.Log{}
		sent := slices.Clone(b)
		end := r.a.port.Send(b)
		require.NotEqual(t, trace.None, end)
		r.run()
		require.Equal(t, sent, b, "a port changes no bytes of its guest's")
		for _, got := range r.b.got { // whatever arrives is a frame to b with a readable packet
			require.Equal(t, macB, wire.Ethernet(got).Dst())
			var p wire.Packet
			require.NoError(t, p.Read(wire.Ethernet(got).Payload()))
		}
		if end == trace.Delivered {
			require.Len(t, append(r.a.got, r.b.got...), 1)
		}
		for _, w := range r.engine.Log.Walks() {
			require.NotEmpty(t, w.String())
			require.NotEqual(t, trace.None, w.End())
		}
	})
}
