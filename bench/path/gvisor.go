package main

import (
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/faketime"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	netstackudp "gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// gvisor is stacks that forward to each other over pipes: a router where it is full,
// one that masquerades, and one that translates one address to one.
type gvisor struct {
	clock         *faketime.ManualClock
	stacks        []*stack.Stack
	inside, world *channel.Endpoint
	pause         time.Duration // between two packets, for churn
	due           time.Duration
}

// gvisorIdle is how long netstack keeps a UDP flow that saw no answer.
const gvisorIdle = 120 * time.Second

const (
	nicIn, nicOut = 1, 2
	mtu           = 1500
)

func openGvisor(c *setting, full bool) (path, error) {
	g := &gvisor{clock: faketime.NewManualClock(), inside: channel.New(8, mtu, ""), world: channel.New(8, mtu, "")}
	if c.churn {
		g.pause = gvisorIdle / time.Duration(c.flows)
	}
	var in stack.LinkEndpoint = g.inside
	if full {
		a, b := pipe.New("", "", mtu)
		if err := g.add(in, a, "10.0.1.1", "10.0.0.1", "10.0.1.0/24"); err != nil {
			return nil, err
		}
		in = b
	}
	a, b := pipe.New("", "", mtu)
	if err := g.add(in, a, "10.0.0.6", natAddr.String(), "10.0.1.0/24"); err != nil {
		return nil, err
	}
	if err := g.add(b, g.world, "10.0.0.7", "203.0.113.1", "10.0.0.0/24"); err != nil {
		return nil, err
	}
	last := len(g.stacks) - 1
	masquerade := stack.Rule{Filter: leavingBy(nicOut), Target: &stack.MasqueradeTarget{NetworkProtocol: header.IPv4ProtocolNumber}}
	g.translate(g.stacks[last-1], nil, &masquerade)
	g.translate(g.stacks[last], dnat(), snat())
	return g, nil
}

// add makes a stack that forwards between two links. What is for inside goes to the
// first, all else to the second.
func (g *gvisor) add(in, out stack.LinkEndpoint, inAddr, outAddr, inside string) error {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{netstackudp.NewProtocol},
		Clock:              g.clock,
	})
	g.stacks = append(g.stacks, s)
	for _, nic := range []struct {
		id   tcpip.NICID
		link stack.LinkEndpoint
		addr string
	}{{nicIn, in, inAddr}, {nicOut, out, outAddr}} {
		if err := s.CreateNICWithOptions(nic.id, nic.link, stack.NICOptions{Name: nicName(nic.id)}); err != nil {
			return fmt.Errorf("gVisor: %v", err)
		}
		a := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: address(netip.MustParseAddr(nic.addr)).WithPrefix()}
		if err := s.AddProtocolAddress(nic.id, a, stack.AddressProperties{}); err != nil {
			return fmt.Errorf("gVisor: %v", err)
		}
	}
	p := netip.MustParsePrefix(inside)
	s.SetRouteTable([]tcpip.Route{
		{Destination: tcpip.AddressWithPrefix{Address: address(p.Addr()), PrefixLen: p.Bits()}.Subnet(), NIC: nicIn},
		{Destination: header.IPv4EmptySubnet, NIC: nicOut},
	})
	if err := s.SetForwardingDefaultAndAllNICs(ipv4.ProtocolNumber, true); err != nil {
		return fmt.Errorf("gVisor: %v", err)
	}
	return nil
}

func nicName(id tcpip.NICID) string { return fmt.Sprintf("eth%d", id) }

func address(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

func leavingBy(nic tcpip.NICID) stack.IPHeaderFilter {
	f := stack.EmptyFilter4()
	f.OutputInterface = nicName(nic)
	return f
}

var all = tcpip.AddrFrom4([4]byte{255, 255, 255, 255})

func dnat() *stack.Rule {
	f := stack.EmptyFilter4()
	f.Dst, f.DstMask = address(publicAddr), all
	return &stack.Rule{Filter: f, Target: &stack.DNATTarget{
		Addr: address(natAddr), NetworkProtocol: header.IPv4ProtocolNumber, ChangeAddress: true,
	}}
}

func snat() *stack.Rule {
	f := leavingBy(nicOut)
	f.Src, f.SrcMask = address(natAddr), all
	return &stack.Rule{Filter: f, Target: &stack.SNATTarget{
		Addr: address(publicAddr), NetworkProtocol: header.IPv4ProtocolNumber, ChangeAddress: true,
	}}
}

// translate sets a stack's nat table: a rule each at PREROUTING and POSTROUTING, nil
// for none.
func (g *gvisor) translate(s *stack.Stack, pre, post *stack.Rule) {
	accept := stack.Rule{Filter: stack.EmptyFilter4(), Target: &stack.AcceptTarget{NetworkProtocol: header.IPv4ProtocolNumber}}
	t := stack.Table{}
	chain := func(h stack.Hook, r *stack.Rule) {
		t.BuiltinChains[h] = len(t.Rules)
		if r != nil {
			t.Rules = append(t.Rules, *r)
		}
		t.Underflows[h] = len(t.Rules)
		t.Rules = append(t.Rules, accept)
	}
	chain(stack.Prerouting, pre)
	chain(stack.Input, nil)
	chain(stack.Output, nil)
	chain(stack.Postrouting, post)
	t.BuiltinChains[stack.Forward], t.Underflows[stack.Forward] = stack.HookUnset, stack.HookUnset
	t.Rules = append(t.Rules, stack.Rule{Filter: stack.EmptyFilter4(), Target: &stack.ErrorTarget{NetworkProtocol: header.IPv4ProtocolNumber}})
	s.IPTables().ForceReplaceTable(stack.NATID, t, false)
}

func (g *gvisor) send(packets [][]byte, back bool, got func(ip []byte)) (arrived int, cpu time.Duration, err error) {
	from, to := g.inside, g.world
	if back {
		from, to = to, from
	}
	start := cpuTime()
	for _, ip := range packets {
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(ip)})
		from.InjectInbound(ipv4.ProtocolNumber, p)
		p.DecRef()
		for q := to.Read(); q != nil; q = to.Read() {
			arrived++
			if got != nil {
				b := q.ToBuffer()
				got(b.Flatten())
			}
			q.DecRef()
		}
		g.age()
	}
	return arrived, cpuTime() - start, nil
}

// age lets time pass where flows are to idle out: a timer of netstack's may fire.
func (g *gvisor) age() {
	if g.due += g.pause; g.due > time.Second {
		g.clock.Advance(g.due)
		g.due = 0
	}
}

func (g *gvisor) close() {
	for _, s := range g.stacks {
		s.Destroy()
	}
}
