package resolver

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// serverTTL is the time to live of the resolver's packets. AWS states none.
const serverTTL = 255

// platform is the resolver as the platform has it in a region: a server for each
// interface that asks.
type platform struct {
	resolver *Resolver
	live     *vpc.Live
	engine   *dataplane.Engine
	servers  map[*vpc.NetworkInterface]*host.NIC // by the asking interface
}

// Serve has the resolver answer in every subnet of a region. It must be called before
// the first packet.
func (r *Resolver) Serve(l *vpc.Live, e *dataplane.Engine) {
	p := &platform{r, l, e, map[*vpc.NetworkInterface]*host.NIC{}}
	l.ServeResolver(p)
	l.Serve(wire.AddrFrom(Addr4), p)
	l.Serve(wire.AddrFrom(Addr6), p)
}

// Serve delivers a query to the server. A VPC without DNS support has none, and on other
// ports nobody listens.
func (p *platform) Serve(c *dataplane.Context, i *eni.Interface, q *wire.Packet) dataplane.Next {
	n, ok := p.live.Region().Find(i.ID).(*vpc.NetworkInterface)
	switch {
	case !ok || !p.resolver.book(p.live).support[n.Subnet().VPC()].EnableDNSSupport:
		return dataplane.Drop(trace.NoResolver)
	case q.Flow.Proto != wire.ProtoUDP && q.Flow.Proto != wire.ProtoTCP || q.Fragment == wire.Whole && q.Flow.DstPort != dns.Port:
		return dataplane.Drop(trace.NoListener)
	}
	return c.Deliver(p.server(n))
}

// server returns the server for an interface, made at its first query.
func (p *platform) server(n *vpc.NetworkInterface) *host.NIC {
	if s := p.servers[n]; s != nil {
		return s
	}
	who := Asker{VPC: n.Subnet().VPC(), Subnet: n.Subnet()}
	h := host.New(p.engine, host.Config{Name: "resolver", DefaultTTL: serverTTL, RPFilter: host.RPOff})
	addrs := []netip.Addr{who.VPC.ResolverAddr(), Addr4, Addr6}
	config := host.NICConfig{
		Link: host.LinkFunc(func(ip []byte) trace.Reason { p.send(n, ip); return trace.None }), PointToPoint: true, Gateway: Addr4, Gateway6: Addr6,
	}
	for _, a := range addrs {
		config.Addrs = append(config.Addrs, netip.PrefixFrom(a, a.BitLen()))
	}
	nic, err := h.AddNIC(config)
	for _, a := range addrs {
		if err == nil {
			err = h.ServeDNS(a, func(_ netip.Addr, q dns.Message) dns.Message { return p.resolver.Answer(who, q) })
		}
	}
	if err != nil {
		panic("resolver: a server of " + n.ID() + ": " + err.Error())
	}
	p.servers[n] = nic
	return nic
}

// send hands a packet of the server to the interface that asked.
func (p *platform) send(n *vpc.NetworkInterface, ip []byte) {
	if i := p.live.Interface(n); i != nil {
		p.engine.Send(i.FromService(), ip)
	}
}
