package vpc

import (
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// room is where a subnet's interfaces are made: each kind of thing in one piece of memory, for the
// garbage collector's work is by the piece.
type room struct {
	interfaces []eni.Interface
	arrivals   []arrival
	addrs      []wire.Addr
}

// interfacesOf makes the interfaces of a subnet.
func (c *Compiler) interfacesOf(s *Subnet, sub *subnet, v *network) {
	n, addrs := len(s.interfaces), 0
	for _, x := range s.interfaces {
		addrs += len(x.addrs) + len(x.ipv6)
	}
	r := room{make([]eni.Interface, n), make([]arrival, n), make([]wire.Addr, 0, addrs)}
	sub.segment.Reserve(n)
	for k, x := range s.interfaces {
		c.shell(x, k, &r, sub, v)
	}
}

// shell makes the k-th interface of a subnet.
func (c *Compiler) shell(n *NetworkInterface, k int, r *room, s *subnet, v *network) {
	i, first := &r.interfaces[k], len(r.addrs)
	for _, a := range n.addrs {
		r.addrs = append(r.addrs, wire.AddrFrom(a.IP))
	}
	for _, a := range n.ipv6 {
		r.addrs = append(r.addrs, wire.AddrFrom(a))
	}
	i.ID, i.Label, i.MAC, i.Addrs = n.id, n.label(), n.mac, r.addrs[first:len(r.addrs):len(r.addrs)]
	i.SourceDestCheck, i.Segment, i.Router, i.Down = n.check, s.segment, (*departure)(s), n.down()
	i.Service, i.Transparent = n.kind != InterfaceUser, n.kind == InterfaceTransitGateway
	for _, p := range n.prefixes {
		i.Prefixes = append(i.Prefixes, wire.PrefixFrom(p))
	}
	h := c.live.hold(n.id)
	if !n.noGroups {
		g := c.groups(n.groups)
		i.GroupNames, i.GroupIDs, i.Groups, i.Literal, i.Named = g.names, g.ids, g.all, g.literal, g.named
		if g.vague != nil {
			i.Doubt = &eni.Doubt{Vague: g.vague}
		}
		i.Flows = stateIn(c, h, n.id, flows, func() *filter.Tracker {
			return filter.NewTracker(filter.TrackerConfig{Seed: c.Seed(n.id)})
		})
	}
	if i.Down == trace.Unmodelled {
		d := eni.Doubt{Instance: n.instance.id, Missing: n.instance.untold}
		if i.Doubt != nil {
			d.Vague = i.Doubt.Vague
		}
		i.Doubt = &d
	}
	i.Port = stateIn(c, h, n.id, port, func() *eni.Port { return c.live.newPort(n.id) })
	r.arrivals[k] = arrival{s, i}
	i.Arrival = &r.arrivals[k]
	if n.leadsOut() {
		i.Arrival = (*border)(&r.arrivals[k])
	}
	c.watch(n, i, s, v)
	s.segment.Add(i.Prepare())
	c.interfaces[n] = i
	c.snapshot.interfaces[n.id] = i
}

func (n *NetworkInterface) down() trace.Reason {
	switch {
	case n.kind != InterfaceUser:
		return trace.None
	case n.instance == nil:
		return trace.NotAttached
	case n.instance.untold != "":
		return trace.Unmodelled
	case n.instance.state != Running:
		return trace.InstanceStopped
	}
	return trace.None
}
