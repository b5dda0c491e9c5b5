package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/internet"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// guest is the operating system behind an interface, as far as a probe sees it: it
// answers what is for the interface's own addresses. Packets for others it gives to a
// Linux guest where the configuration tells of one.
type guest struct {
	prober  *Prober
	live    *vpc.Live
	nic     *vpc.NetworkInterface
	port    *eni.Port
	linux   *linux // nil where nobody has said what it does with packets for others
	tunnels bool   // linux is a customer gateway, of which it is known for its tunnels alone
}

// linux is a Linux guest with the interfaces of one instance, which sends on what is
// for others.
type linux struct {
	does  Appliance
	nics  []*vpc.NetworkInterface
	cards map[string]*host.NIC // by the interface's id
}

// boot starts the guest with nothing in its memory.
func (x *linux) boot(p *Prober) error {
	h := host.New(p.world.Engine, host.Config{
		Name: x.nics[0].Label(), Forwarding: true, RPFilter: host.RPOff, DefaultTTL: p.config.TTL,
	})
	x.cards = map[string]*host.NIC{}
	for _, n := range x.nics {
		_, c, err := p.world.NIC(n)
		if err != nil {
			return err
		}
		if x.cards[n.ID()], err = h.AddNIC(c); err != nil {
			return err
		}
	}
	if err := h.Sysctl("net.ipv4.conf.all.send_redirects", "0"); err != nil {
		return err
	}
	for _, c := range h.NICs() {
		if err := h.Sysctl("net.ipv4.conf."+c.Name()+".send_redirects", "0"); err != nil {
			return err
		}
	}
	if !x.does.Masquerade {
		return nil
	}
	_, err := h.IPTables("-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE")
	return err
}

// Frame takes what is delivered to the interface.
func (g *guest) Frame(frame []byte) trace.Reason {
	var p wire.Packet
	if t := wire.Ethernet(frame).Type(); t == wire.EtherTypeARP || p.Read(wire.Ethernet(frame).Payload()) != nil {
		if g.linux != nil {
			return g.linux.cards[g.nic.ID()].Frame(frame)
		}
		return trace.Answered
	}
	r, own := g.prober.run, g.live.Interface(g.nic).Owns(p.Flow.Dst)
	switch {
	case r == nil:
		return trace.Delivered
	case own && r.from.nic == g.nic && r.take(&p):
		return trace.Delivered
	case own && inGRE(&p):
		r.unknown(g.nic.ID(), fmt.Sprintf("the GRE tunnel of a Connect peer ends at %s; what that does with packets out of it is in no snapshot", g.owner()))
		return trace.Unmodelled
	case own && tunnelled(&p):
		return g.inspect(&p)
	case g.linux != nil && !(own && r.asks(&p)) && (!g.tunnels || own || g.crosses(&p)):
		return g.linux.cards[g.nic.ID()].Frame(frame)
	case own && (g.nic.Type() == vpc.InterfaceUser || g.prober.told(g.nic)):
		return g.serve(&p)
	case own:
		return serviceOf(g.nic).answer(g, &p)
	}
	r.unknown(g.nic.ID(), fmt.Sprintf("what the guest of %s does with packets for others is in no snapshot: "+
		"say what it is (forwards, masquerades) to have them go on", g.owner()))
	return trace.Unmodelled
}

// crosses reports whether a packet has come out of a tunnel that ends at the instance, or
// is for one: its source or destination is what AWS has told the device of.
func (g *guest) crosses(p *wire.Packet) bool {
	i := g.live.Interface(g.nic)
	return i != nil && slices.ContainsFunc(i.Tunnels, func(t eni.Interceptor) bool {
		r, ok := t.(interface{ Reaches(wire.Addr) bool })
		return ok && (r.Reaches(p.Flow.Src) || r.Reaches(p.Flow.Dst))
	})
}

// tunnelled reports whether the packet holds another, as a Gateway Load Balancer hands it
// to an appliance: GENEVE with options of class 0x0108.
func tunnelled(p *wire.Packet) bool {
	if p.Flow.Proto != wire.ProtoUDP || p.Flow.DstPort != wire.GenevePort || p.Fragment != wire.Whole {
		return false
	}
	g := wire.Geneve(wire.UDP(p.Transport()).Payload())
	return g.Check() == nil && g.Options().Find(0x0108, 1) != nil
}

// inGRE reports whether the packet holds another, as a transit gateway hands it to the
// appliance of a Connect peer.
func inGRE(p *wire.Packet) bool {
	if p.Flow.Proto != wire.ProtoGRE || p.Fragment != wire.Whole {
		return false
	}
	g, inside := wire.GRE(p.Transport()), wire.Packet{}
	return g.Check() == nil && inside.Read(g.Payload()) == nil
}

// inspect takes a packet that a Gateway Load Balancer hands to the guest, an appliance:
// one of which the configuration tells sends it back as it came, the addresses around
// it swapped.
func (g *guest) inspect(p *wire.Packet) trace.Reason {
	if g.linux == nil || g.tunnels {
		g.prober.run.unknown(g.nic.ID(), fmt.Sprintf("what the appliance %s does with packets that a Gateway Load Balancer hands it is in no snapshot: "+
			"say what it is (forwards) to have them go back", g.owner()))
		return trace.Unmodelled
	}
	u := wire.UDP(p.Transport())
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: g.prober.config.TTL}
	g.send(wire.AppendUDP(nil, h, u.SrcPort(), u.DstPort(), u.Payload()))
	return trace.Forwarded
}

// owner names the instance, or the interface where it has none.
func (g *guest) owner() string {
	if i := g.nic.Instance(); i != nil {
		return i.ID() + " (" + g.nic.ID() + ")"
	}
	return g.nic.ID()
}

// serve answers a packet that is for the guest.
func (g *guest) serve(p *wire.Packet) trace.Reason {
	r := g.prober.run
	open, _ := g.prober.open(g.nic, p.Flow.Proto.String(), p.Flow.DstPort)
	r.said = r.serve(p, server{at: g.nic, open: open}, g.send)
	return r.said
}

// send has the guest send a packet: to the neighbour that has the destination, as ARP
// would tell, else to the router.
func (g *guest) send(ip []byte) trace.Reason {
	i := g.live.Interface(g.nic)
	if i == nil {
		return trace.NotAttached
	}
	to, kind := i.Segment.Router, wire.EtherTypeIPv4
	var p wire.Packet
	if err := p.Read(ip); err != nil {
		return trace.Malformed
	}
	if !p.Is4() {
		kind = wire.EtherTypeIPv6
	}
	if n := i.Segment.Lookup(p.Flow.Dst); n != nil && n != i {
		to = n.MAC
	}
	frame := make([]byte, wire.EthernetLen, wire.EthernetLen+len(ip))
	wire.PutEthernet(frame, to, i.MAC, kind)
	return g.port.Send(append(frame, ip...))
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// crowd is the hosts on the internet: there is one at every address, and it answers.
type crowd struct{ prober *Prober }

// routable reports whether there can be a host at an address of the internet: none of a
// private network's (RFC 1918, RFC 6598, RFC 4193), none of this host, one link, a group
// or class E, or of NAT64, whose prefix is each network's own (RFC 6052 section 3.1).
func routable(a netip.Addr) bool {
	return !nat64.Contains(a) && a.IsGlobalUnicast() && !isPrivate(a) && !(a.Is4() && (a.As4()[0] == 0 || a.As4()[0] >= 240))
}

// Receive takes what has left for the internet.
func (c crowd) Receive(p *wire.Packet) trace.Reason {
	r := c.prober.run
	switch {
	case r == nil:
		return trace.Delivered
	case r.from.nic == nil && p.Flow.Dst == r.sent.Src && r.take(p):
		return trace.Delivered
	}
	if !routable(p.Flow.Dst.Netip()) {
		return trace.NoSuchHost
	}
	return r.serve(p, server{open: true}, c.prober.world.Internet.Send)
}

// instead has hosts of a site, whose own engine is another, be stood for by beyond.
func (p *Prober) instead(g dataplane.Guest) dataplane.Guest {
	if _, ok := g.(*internet.Station); ok {
		return beyond{p}
	}
	return g
}

// beyond is the hosts at the sites beyond gateways and links, and at services beyond
// endpoints, that the world has: they answer. What no world tells of is unknown.
type beyond struct{ prober *Prober }

// Receive takes what has left by a gateway, and answers by it.
func (b beyond) Receive(p *wire.Packet) trace.Reason {
	r := b.prober.run
	switch {
	case r == nil:
		return trace.Delivered
	case r.from.gateway != "" && p.Flow.Dst == r.sent.Src && r.take(p):
		return trace.Delivered
	}
	return r.serve(p, server{open: true}, b.send)
}

// send sends an answer in by the gateway that the present packet left by.
func (b beyond) send(ip []byte) trace.Reason {
	if in := b.prober.wayIn(); in != nil {
		return b.prober.world.Engine.Send(in, ip)
	}
	return trace.None
}

// wayIn returns the node at which packets enter from beyond the gateway that the present
// packet left by, nil where there is none.
func (p *Prober) wayIn() dataplane.Node {
	w := p.world.Engine.Log.Find(p.world.Engine.Cause())
	for n := len(w.Steps) - 1; n >= 0; n-- {
		if in := p.outside(w.Steps[n].NodeID); in != nil {
			return in
		}
	}
	return nil
}

// outside returns the node at which packets enter from beyond the resource with the
// given id, nil where none can.
func (p *Prober) outside(id string) dataplane.Node {
	for _, l := range p.lives {
		if n := l.Snapshot().Outside(id); id != "" && n != nil {
			return n
		}
	}
	return nil
}
