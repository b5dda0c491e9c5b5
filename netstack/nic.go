package netstack

import (
	"fmt"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// NIC is a network interface of a guest: an eni.Guest, and without Ethernet a
// dataplane.Guest. What it does with packets belongs to the engine's goroutine.
type NIC struct {
	guest *Guest
	id    tcpip.NICID
	name  string
	mac   wire.MAC
	link  host.Link
	in    *channel.Endpoint
}

// outlet is where the stack writes frames: gVisor's channel endpoint, but they are
// copied to the guest instead of queued.
type outlet struct {
	*channel.Endpoint
	nic *NIC
}

// WritePackets keeps the packets to be sent when the stack's workers have run dry,
// so that the engine meets one goroutine only.
func (o *outlet) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	g := o.nic.guest
	g.workers.Lock()
	defer g.workers.Unlock()
	for _, p := range packets.AsSlice() {
		for _, s := range p.AsSlices() {
			g.out = append(g.out, s...)
		}
		g.frames = append(g.frames, outbound{o.nic, len(g.out)})
	}
	return packets.Len(), nil
}

// AddNIC adds an interface with its addresses, connected and default routes. It
// refuses a configuration that could not work, and then nothing has changed. The
// NIC is to be plugged into what Link sends to, in [Pump.Do].
func (g *Guest) AddNIC(c host.NICConfig) (n *NIC, err error) {
	g.pump.Do(func() { n, err = g.addNIC(c) })
	return n, err
}

func (g *Guest) addNIC(c host.NICConfig) (*NIC, error) {
	if c.Name == "" {
		c.Name = fmt.Sprintf("eth%d", len(g.nics))
	}
	if c.MTU == 0 {
		c.MTU = host.DefaultMTU
	}
	if err := g.checkNIC(c); err != nil {
		return nil, err
	}
	n := &NIC{guest: g, id: tcpip.NICID(loopbackNIC + 1 + len(g.nics)), name: c.Name, mac: c.MAC, link: c.Link}
	var ep stack.LinkEndpoint
	if c.PointToPoint {
		n.in = channel.New(0, uint32(c.MTU), "")
		ep = &outlet{n.in, n}
	} else {
		n.in = channel.New(0, uint32(c.MTU+wire.EthernetLen), tcpip.LinkAddress(c.MAC[:]))
		ep = ethernet.New(&outlet{n.in, n})
	}
	must(g.stack.CreateNICWithOptions(n.id, ep, stack.NICOptions{Name: c.Name}))
	g.nics = append(g.nics, n)
	if len(g.nameservers) == 0 {
		g.nameservers = c.Nameservers
	}
	for _, a := range c.Addrs {
		g.addAddr(n.id, a)
		g.routes = append(g.routes, route{dst: a.Masked(), nic: n.id, metric: c.Metric})
	}
	for _, via := range []netip.Addr{c.Gateway, c.Gateway6} {
		if !via.IsValid() {
			continue
		}
		r := route{dst: netip.PrefixFrom(unspecified(via.Is4()), 0), nic: n.id, metric: c.Metric}
		if !c.PointToPoint {
			r.via = via
		}
		g.routes = append(g.routes, r)
	}
	g.reroute()
	return n, nil
}

func unspecified(v4 bool) netip.Addr {
	if v4 {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func (g *Guest) checkNIC(c host.NICConfig) error {
	switch {
	case g.isDown():
		return g.errorf("interface %q: the guest is shut down", c.Name)
	case c.Link == nil:
		return g.errorf("interface %q: Link is not set", c.Name)
	case slices.ContainsFunc(g.nics, func(n *NIC) bool { return n.name == c.Name }):
		return g.errorf("interface %q exists", c.Name)
	case !c.PointToPoint && (c.MAC == wire.MAC{} || c.MAC.IsGroup()):
		return g.errorf("interface %q: MAC %q is not a station's", c.Name, c.MAC)
	case c.MTU < 1280 || c.MTU > 65535:
		return g.errorf("interface %q: MTU %d is not in 1280-65535", c.Name, c.MTU)
	}
	for i, p := range c.Addrs {
		a := p.Addr()
		if !p.IsValid() || a.IsMulticast() || a.IsUnspecified() || a.Is4In6() {
			return g.errorf("interface %q: %q is no address with a prefix length", c.Name, p)
		}
		same := func(q netip.Prefix) bool { return q.Addr() == a }
		if slices.ContainsFunc(c.Addrs[:i], same) || g.stack.CheckLocalAddress(0, protocol(a), address(a)) != 0 {
			return g.errorf("interface %q: address %q is in use on this guest", c.Name, a)
		}
	}
	return nil
}

func (g *Guest) addAddr(id tcpip.NICID, p netip.Prefix) {
	must(g.stack.AddProtocolAddress(id, tcpip.ProtocolAddress{
		Protocol:          protocol(p.Addr()),
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: address(p.Addr()), PrefixLen: p.Bits()},
	}, stack.AddressProperties{}))
}

func address(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

// netipAddr returns the zero Addr for none, and IPv4 as such where it is mapped.
func netipAddr(a tcpip.Address) netip.Addr {
	n, _ := netip.AddrFromSlice(a.AsSlice())
	return n.Unmap()
}

func protocol(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

// route is a route of a guest; a via that is not valid is the link itself.
type route struct {
	dst    netip.Prefix
	via    netip.Addr
	nic    tcpip.NICID
	metric int
}

// reroute gives the stack its routes: it takes the first that matches.
func (g *Guest) reroute() {
	slices.SortStableFunc(g.routes, func(a, b route) int {
		if a.dst.Bits() != b.dst.Bits() {
			return b.dst.Bits() - a.dst.Bits()
		}
		return a.metric - b.metric
	})
	table := []tcpip.Route{
		{Destination: header.IPv4LoopbackSubnet, NIC: loopbackNIC},
		{Destination: header.IPv6Loopback.WithPrefix().Subnet(), NIC: loopbackNIC},
	}
	for _, r := range g.routes {
		to := tcpip.AddressWithPrefix{Address: address(r.dst.Addr()), PrefixLen: r.dst.Bits()}
		table = append(table, tcpip.Route{Destination: to.Subnet(), Gateway: address(r.via), NIC: r.nic})
	}
	g.stack.SetRouteTable(table)
}

// Name returns the interface's name.
func (n *NIC) Name() string { return n.name }

// Frame takes a frame and says what became of the packet in it, as far as the guest
// shows it at once; see [eni.Guest].
func (n *NIC) Frame(frame []byte) trace.Reason {
	e := wire.Ethernet(frame)
	switch {
	case e.Check() != nil:
		return trace.Malformed
	case e.Dst() != n.mac && !e.Dst().IsGroup():
		return trace.UnknownMAC
	}
	return n.take(0, frame) // the Ethernet endpoint reads the protocol
}

// Receive takes a packet from a link without Ethernet, as Frame does a frame.
func (n *NIC) Receive(p *wire.Packet) trace.Reason {
	ip := p.Bytes()
	if ip[0]>>4 == 4 {
		return n.take(ipv4.ProtocolNumber, ip)
	}
	return n.take(ipv6.ProtocolNumber, ip)
}

// take hands a copy of the bytes to the stack, at an instant of their own.
func (n *NIC) take(t tcpip.NetworkProtocolNumber, b []byte) trace.Reason {
	g := n.guest
	if g.isDown() {
		return trace.InstanceStopped
	}
	i := inbound{n, t, buffer.MakeWithData(b), g.pump.engine.Cause()}
	if wait := g.pump.reserve(); wait > 0 {
		g.pump.clock.Schedule(wait, i)
		return trace.Delivered
	}
	return i.deliver()
}

// inbound is what is about to reach a guest.
type inbound struct {
	nic   *NIC
	proto tcpip.NetworkProtocolNumber
	bytes buffer.Buffer
	cause int // the walk that brought it
}

// Run delivers it, in the name of the walk that brought it.
func (i inbound) Run() {
	e := i.nic.guest.pump.engine
	was := e.Attribute(i.cause)
	i.deliver()
	e.Attribute(was)
}

func (i inbound) deliver() (end trace.Reason) {
	g := i.nic.guest
	g.inside(func() {
		before := g.refused()
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: i.bytes})
		i.nic.in.InjectInbound(i.proto, p)
		p.DecRef()
		end = before.to(g.refused())
	})
	return end
}

// refused counts what the stack refuses before its workers see it.
type refused struct{ malformed, foreign, checksum, noListener uint64 }

func (g *Guest) refused() refused {
	s := g.stack.Stats()
	return refused{
		malformed:  s.IP.MalformedPacketsReceived.Value(),
		foreign:    s.IP.InvalidDestinationAddressesReceived.Value(),
		checksum:   s.TCP.ChecksumErrors.Value() + s.UDP.ChecksumErrors.Value(),
		noListener: s.UDP.UnknownPortErrors.Value() + s.TCP.ResetsSent.Value(),
	}
}

// to says what became of the packet that made r become s.
func (r refused) to(s refused) trace.Reason {
	switch {
	case s.malformed > r.malformed:
		return trace.Malformed
	case s.foreign > r.foreign:
		return trace.NotForwarding
	case s.checksum > r.checksum:
		return trace.BadChecksum
	case s.noListener > r.noListener:
		return trace.NoListener
	}
	return trace.Delivered
}
