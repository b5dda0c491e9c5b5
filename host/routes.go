package host

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/route"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Route is a row of the guest's routing table, as "ip route" shows it.
type Route struct {
	// Dst is the destination.
	Dst netip.Prefix
	// Via is the next hop; the zero Addr is a destination on the link itself.
	Via netip.Addr
	// Dev is the interface's name.
	Dev string
	// Src is the source address of the guest's own packets; the zero Addr leaves
	// the choice to the guest.
	Src netip.Addr
	// Metric decides between routes to the same destination: the smallest wins.
	Metric int
}

// hop is where a packet goes next: a Route as packets use it.
type hop struct {
	nic  *NIC
	via  wire.Addr // zero: the destination itself
	src  wire.Addr // zero: to be chosen
	bits int       // of the route's prefix
	// dst and text are the route's prefix and the route as "ip route" shows it, for traces.
	dst, text string
}

// next returns the neighbour that a packet for dst is handed to.
func (h *hop) next(dst wire.Addr) wire.Addr {
	if h.via.IsValid() {
		return h.via
	}
	return dst
}

func connected(n *NIC, p netip.Prefix, metric int) Route {
	return Route{Dst: p.Masked(), Dev: n.name, Metric: metric}
}

func (h *Host) addDefault(n *NIC, gateway netip.Addr, dst string, metric int) {
	if !gateway.IsValid() {
		return
	}
	r := Route{Dst: netip.MustParsePrefix(dst), Via: gateway, Dev: n.name, Metric: metric}
	if n.kind == pointToPoint {
		r.Via = netip.Addr{}
	}
	h.routes = append(h.routes, r)
}

// AddRoute adds a route, as "ip route add" does. It refuses one that exists, an
// unknown interface and a next hop of another family.
func (h *Host) AddRoute(r Route) error {
	switch {
	case !r.Dst.IsValid():
		return fmt.Errorf("host %s: route to %q: no prefix", h.name, r.Dst)
	case h.NIC(r.Dev) == nil:
		return fmt.Errorf("host %s: route to %s: no interface %q", h.name, r.Dst, r.Dev)
	case r.Via.IsValid() && r.Via.Is4() != r.Dst.Addr().Is4():
		return fmt.Errorf("host %s: route to %s: next hop %q is of another address family", h.name, r.Dst, r.Via)
	case r.Src.IsValid() && h.local[wire.AddrFrom(r.Src)] == nil:
		return fmt.Errorf("host %s: route to %s: source %q is not an address of this host", h.name, r.Dst, r.Src)
	}
	r.Dst = r.Dst.Masked()
	if slices.ContainsFunc(h.routes, func(q Route) bool { return q.Dst == r.Dst && q.Metric == r.Metric }) {
		return fmt.Errorf("host %s: route to %s with metric %d exists", h.name, r.Dst, r.Metric)
	}
	h.routes = append(h.routes, r)
	h.reroute()
	return nil
}

// RemoveRoute removes the routes to dst by the interface dev, all interfaces'
// where dev is empty, and reports whether there was one.
func (h *Host) RemoveRoute(dst netip.Prefix, dev string) bool {
	before := len(h.routes)
	h.routes = slices.DeleteFunc(h.routes, func(r Route) bool {
		return r.Dst == dst.Masked() && (dev == "" || r.Dev == dev)
	})
	h.reroute()
	return len(h.routes) < before
}

// Routes returns the routing table, in the order in which routes were added.
func (h *Host) Routes() []Route { return slices.Clone(h.routes) }

// reroute makes the tables that packets are looked up in anew.
func (h *Host) reroute() {
	h.local = map[wire.Addr]*NIC{}
	for _, n := range h.nics {
		for _, p := range n.addrs {
			h.local[wire.AddrFrom(p.Addr())] = n
		}
	}
	best := map[netip.Prefix]int{}
	h.table = route.Table[*hop]{}
	for _, r := range h.routes {
		if m, ok := best[r.Dst]; ok && m <= r.Metric {
			continue
		}
		best[r.Dst] = r.Metric
		h.table.Insert(r.Dst, &hop{
			h.NIC(r.Dev), wire.AddrFrom(r.Via), wire.AddrFrom(r.Src), r.Dst.Bits(), r.Dst.String(), r.text(),
		})
	}
	h.table.Insert(netip.MustParsePrefix("127.0.0.0/8"), &hop{nic: h.lo, bits: 8})
}

// isLocal reports whether packets for a are for the guest itself.
func (h *Host) isLocal(a wire.Addr) bool {
	return h.local[a] != nil || a.Is4() && a.V4()>>24 == 127
}

// lookup returns the next hop for a destination, nil where no route leads there.
// The guest's own addresses are reached by the loopback interface.
func (h *Host) lookup(dst wire.Addr) *hop {
	if h.isLocal(dst) {
		return &h.lo.self
	}
	_, next, ok := h.table.Lookup(dst.Netip())
	if !ok {
		return nil
	}
	return next
}

// text returns the route in short: its prefix, next hop and interface.
func (r Route) text() string {
	if r.Via.IsValid() {
		return r.Dst.String() + " via " + r.Via.String() + " dev " + r.Dev
	}
	return r.Dst.String() + " dev " + r.Dev
}

// routing returns the step that tells of the route by which a packet leaves, the zero
// Step of what goes to a neighbour without being routed. It does not allocate.
func (h *Host) routing(ip []byte) trace.Step {
	var p wire.Packet
	if p.Read(ip) != nil || p.IsDiscovery() {
		return trace.Step{}
	}
	next := h.lookup(p.Flow.Dst)
	if next == nil {
		return trace.Step{}
	}
	return trace.Step{Act: trace.Routed, Node: h.name, Rule: next.dst, Match: next.text}
}

// source chooses the source address of a packet for dst (RFC 6724's rules for one
// scope: an address of the next hop's subnet, else the interface's first).
func (h *Host) source(next *hop, dst wire.Addr) wire.Addr {
	if next.nic == h.lo {
		return dst
	}
	if next.src.IsValid() {
		return next.src
	}
	a := next.nic.pick(next.next(dst), dst)
	for i := 1; !a.IsValid() && i < len(h.nics); i++ {
		a = h.nics[i].pick(dst, dst)
	}
	return a
}

// pick returns the interface's address for talking to dst through neighbour, the
// zero Addr where it has none of the family.
func (n *NIC) pick(neighbour, dst wire.Addr) wire.Addr {
	var first wire.Addr
	for _, p := range n.addrs {
		a := wire.AddrFrom(p.Addr())
		if a.Is4() != dst.Is4() || a.IsLinkLocal() != dst.IsLinkLocal() && !a.Is4() {
			continue
		}
		if p.Contains(neighbour.Netip()) {
			return a
		}
		if !first.IsValid() {
			first = a
		}
	}
	return first
}
