package host

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// DefaultMTU is the MTU of an EC2 interface in bytes (EC2 guide, "Jumbo frames").
const DefaultMTU = 9001

// Link is where an interface sends: a frame, or without Ethernet an IP packet. It
// copies the bytes before it returns, and says what became of the packet so far
// as is known at once.
type Link interface {
	Send(b []byte) trace.Reason
}

// LinkFunc is a function as a Link.
type LinkFunc func(b []byte) trace.Reason

// Send calls f.
func (f LinkFunc) Send(b []byte) trace.Reason { return f(b) }

// NICConfig is what an interface is configured with.
type NICConfig struct {
	// Name is the interface's; empty is eth0, eth1, … in order.
	Name string
	// Link is where it sends. It must be set.
	Link Link
	// PointToPoint is a link without Ethernet: it carries IP packets, needs no MAC
	// address and asks for no neighbour.
	PointToPoint bool
	// MAC is its Ethernet address.
	MAC wire.MAC
	// Addrs are its addresses, each with the length of its subnet's prefix.
	Addrs []netip.Prefix
	// Gateway and Gateway6 are the default routes' next hops; the zero Addr is no
	// default route. On a point-to-point link any valid Addr stands for the link.
	Gateway, Gateway6 netip.Addr
	// Metric is the metric of its routes: of two routes to one prefix the smaller wins.
	Metric int
	// MTU is in bytes, 1280 to 65535; 0 is DefaultMTU.
	MTU int
	// Nameservers are the name servers that DHCP tells, Search the domains in which names
	// without a dot are looked up first. The first interface that has some decides.
	Nameservers []netip.Addr
	Search      []string
}

// linkKind is what an interface is made of.
type linkKind uint8

const (
	noLink linkKind = iota
	ethernet
	pointToPoint
	loopback
)

// NIC is a network interface of a guest.
type NIC struct {
	host  *Host
	name  string
	kind  linkKind
	link  Link
	mac   wire.MAC
	addrs []netip.Prefix
	mtu   int
	conf  conf
	frame []byte // the frame being sent
	note  string // what forwarding out of it is called in traces
	self  hop    // of the loopback interface: the way to the guest itself
}

// AddNIC adds an interface with its connected and default routes. It refuses a
// configuration that could not work, and then nothing has changed.
func (h *Host) AddNIC(c NICConfig) (*NIC, error) {
	if c.Name == "" {
		c.Name = fmt.Sprintf("eth%d", len(h.nics)-1)
	}
	if c.MTU == 0 {
		c.MTU = DefaultMTU
	}
	if err := h.checkNIC(c); err != nil {
		return nil, err
	}
	n := &NIC{
		host: h, name: c.Name, kind: ethernet, link: c.Link, mac: c.MAC, mtu: c.MTU,
		addrs: slices.Clone(c.Addrs), conf: h.sys.def, note: "forwards by " + c.Name,
	}
	if c.PointToPoint {
		n.kind = pointToPoint
	}
	h.nics = append(h.nics, n)
	if len(h.nameservers) == 0 {
		h.nameservers, h.search = slices.Clone(c.Nameservers), slices.Clone(c.Search)
	}
	for _, p := range c.Addrs {
		h.routes = append(h.routes, connected(n, p, c.Metric))
	}
	h.addDefault(n, c.Gateway, "0.0.0.0/0", c.Metric)
	h.addDefault(n, c.Gateway6, "::/0", c.Metric)
	h.reroute()
	return n, nil
}

func (h *Host) checkNIC(c NICConfig) error {
	switch {
	case c.Link == nil:
		return fmt.Errorf("host %s: interface %q: Link is not set", h.name, c.Name)
	case h.NIC(c.Name) != nil:
		return fmt.Errorf("host %s: interface %q exists", h.name, c.Name)
	case !c.PointToPoint && (c.MAC == wire.MAC{} || c.MAC.IsGroup()):
		return fmt.Errorf("host %s: interface %q: MAC %q is not a station's", h.name, c.Name, c.MAC)
	case c.MTU < 1280 || c.MTU > 65535:
		return fmt.Errorf("host %s: interface %q: MTU %d is not in 1280-65535", h.name, c.Name, c.MTU)
	}
	for _, p := range c.Addrs {
		if err := h.checkAddr(c.Name, p); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) checkAddr(nic string, p netip.Prefix) error {
	if !p.IsValid() || p.Addr().IsMulticast() || p.Addr().IsUnspecified() || p.Addr().Is4In6() {
		return fmt.Errorf("host %s: interface %q: %q is no address with a prefix length", h.name, nic, p)
	}
	if h.local[wire.AddrFrom(p.Addr())] != nil {
		return fmt.Errorf("host %s: interface %q: address %q is in use on this host", h.name, nic, p.Addr())
	}
	return nil
}

// RemoveNIC takes an interface away with its addresses, routes and neighbours, as
// detaching an ENI does. It reports whether n was the guest's.
func (h *Host) RemoveNIC(n *NIC) bool {
	i := slices.Index(h.nics, n)
	if i <= 0 {
		return false
	}
	h.nics = slices.Delete(h.nics, i, i+1)
	h.routes = slices.DeleteFunc(h.routes, func(r Route) bool { return r.Dev == n.name })
	h.forgetNeighbors(n)
	h.reroute()
	return true
}

// AddAddr gives the interface another address, with the length of its subnet's
// prefix, as "ip address add" does.
func (n *NIC) AddAddr(p netip.Prefix) error {
	if err := n.host.checkAddr(n.name, p); err != nil {
		return err
	}
	n.addrs = append(n.addrs, p)
	n.host.routes = append(n.host.routes, connected(n, p, 0))
	n.host.reroute()
	return nil
}

// RemoveAddr takes an address away and reports whether the interface had it. The
// connected route goes with the last address of its prefix.
func (n *NIC) RemoveAddr(a netip.Addr) bool {
	i := slices.IndexFunc(n.addrs, func(p netip.Prefix) bool { return p.Addr() == a })
	if i < 0 {
		return false
	}
	subnet := n.addrs[i].Masked()
	n.addrs = slices.Delete(n.addrs, i, i+1)
	if !slices.ContainsFunc(n.addrs, func(p netip.Prefix) bool { return p.Masked() == subnet }) {
		n.host.routes = slices.DeleteFunc(n.host.routes, func(r Route) bool {
			return r.Dev == n.name && r.Dst == subnet && !r.Via.IsValid()
		})
	}
	n.host.reroute()
	return true
}

// Name returns the interface's name.
func (n *NIC) Name() string { return n.name }

// MAC returns the interface's Ethernet address, as /sys/class/net/eth0/address does.
func (n *NIC) MAC() wire.MAC { return n.mac }

// MTU returns the largest IP packet that the interface sends, in bytes.
func (n *NIC) MTU() int { return n.mtu }

// SetMTU changes the MTU. It refuses what is not in 1280-65535.
func (n *NIC) SetMTU(mtu int) error {
	if mtu < 1280 || mtu > 65535 {
		return fmt.Errorf("host %s: interface %q: MTU %d is not in 1280-65535", n.host.name, n.name, mtu)
	}
	n.mtu = mtu
	return nil
}

// Addrs returns the interface's addresses with their prefix lengths.
func (n *NIC) Addrs() []netip.Prefix { return slices.Clone(n.addrs) }

// owns reports whether a is one of the interface's addresses.
func (n *NIC) owns(a wire.Addr) bool {
	for _, p := range n.addrs {
		if wire.AddrFrom(p.Addr()) == a {
			return true
		}
	}
	return false
}

// Frame takes a frame from the link and says what became of the packet in it. It
// may change the bytes.
func (n *NIC) Frame(frame []byte) trace.Reason {
	e := wire.Ethernet(frame)
	if e.Check() != nil {
		return trace.Malformed
	}
	if dst := e.Dst(); dst != n.mac && !dst.IsGroup() {
		return trace.UnknownMAC
	}
	switch e.Type() {
	case wire.EtherTypeARP:
		return n.host.arp(n, wire.ARP(e.Payload()))
	case wire.EtherTypeIPv4, wire.EtherTypeIPv6:
		return n.packet(e.Payload(), e.Dst().IsGroup())
	}
	return trace.UnknownEtherType
}

// packet reads an IP packet and takes it in.
func (n *NIC) packet(ip []byte, group bool) trace.Reason {
	w := n.host.passage()
	defer n.host.release(w)
	if w.own.Read(ip) != nil {
		return trace.Malformed
	}
	w.p, w.in, w.group = &w.own, n, group
	return n.host.receive(w)
}

// Receive takes a packet from a link without Ethernet and says what became of it.
// It may change the bytes. It makes a NIC a dataplane.Guest.
func (n *NIC) Receive(p *wire.Packet) trace.Reason {
	w := n.host.passage()
	defer n.host.release(w)
	w.p, w.in = p, n
	return n.host.receive(w)
}

// transmit puts a packet on the link, to the station mac where there is Ethernet.
// Where walks are kept, the packet's begins with the route that led it here.
func (n *NIC) transmit(mac wire.MAC, ip []byte) trace.Reason {
	e := n.host.engine
	if !e.Tracing() {
		return n.put(mac, ip)
	}
	e.Preface(n.host.routing(ip))
	end := n.put(mac, ip)
	e.Preface(trace.Step{})
	return end
}

func (n *NIC) put(mac wire.MAC, ip []byte) trace.Reason {
	if n.kind == pointToPoint {
		return n.link.Send(ip)
	}
	t := wire.EtherTypeIPv6
	if ip[0]>>4 == 4 {
		t = wire.EtherTypeIPv4
	}
	return n.transmitFrame(mac, t, ip)
}

func (n *NIC) transmitFrame(mac wire.MAC, t wire.EtherType, payload []byte) trace.Reason {
	b := append(n.frame[:0], make([]byte, wire.EthernetLen)...)
	wire.PutEthernet(b, mac, n.mac, t)
	n.frame = append(b, payload...)
	return n.link.Send(n.frame)
}
