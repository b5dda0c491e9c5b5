package flowlog

import (
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// books are the live state of a flow log: what it has seen.
type books struct {
	meters   []*meter
	byID     map[string]*meter
	records  []Record
	start    time.Duration // when the first window began
	compiled int           // how often; a meter that is behind has no interface any more
}

const book vpc.StateKey[books] = "flow log"

// Watch has the log told of the packets of the interfaces that it covers.
func (l *FlowLog) Watch(c *vpc.Compiler) func(n *vpc.NetworkInterface) eni.Witness {
	b := vpc.State(c, l.ID(), book, func() *books { return &books{byID: map[string]*meter{}, start: c.Now()} })
	b.compiled++
	env := &surroundings{hops: map[string]NextHop{}, owners: map[owner]string{}, abroad: map[string]bool{}, services: append(c.ServiceRanges(), l.config.Services...)}
	for _, g := range vpc.Gateways[crossing](c.Tx()) {
		env.abroad[g.ID()] = g.BetweenRegions()
	}
	return func(n *vpc.NetworkInterface) eni.Witness {
		facts := c.Watched(n)
		env.hops[n.ID()] = NextHop{n.ID(), facts.Type, n.Subnet().ID(), facts.ZoneID, n.Subnet().VPC().ID()}
		for _, a := range c.AddressesOf(n) {
			env.note(n, a.IP)
		}
		for _, a := range c.IPv6Of(n) {
			env.note(n, a)
		}
		if !l.covers(n) {
			return nil
		}
		m := b.byID[n.ID()]
		if m == nil {
			m = &meter{log: l, books: b, index: -1, flows: map[key]*Record{}}
			b.byID[n.ID()], b.meters = m, append(b.meters, m)
		}
		m.configure(c, n, facts, env)
		return m
	}
}

// surroundings are what the records of one compilation may say of others than the
// interface itself.
type surroundings struct {
	hops     map[string]NextHop
	owners   map[owner]string
	abroad   map[string]bool // peering connections between regions
	services []vpc.ServiceRange
}

// crossing is a peering connection.
type crossing interface {
	vpc.Gateway
	BetweenRegions() bool
}

// owner is an address within a VPC.
type owner struct {
	vpc  string
	addr netip.Addr
}

func (s *surroundings) note(n *vpc.NetworkInterface, a netip.Addr) {
	s.owners[owner{n.Subnet().VPC().ID(), a}] = n.ID()
}

// service returns the AWS service that has the address, the one with the longest
// prefix, or "".
func (s *surroundings) service(a netip.Addr) string {
	name, bits := "", -1
	for _, r := range s.services {
		if r.Prefix.Contains(a) && r.Prefix.Bits() > bits {
			name, bits = r.Name, r.Prefix.Bits()
		}
	}
	return name
}

// meter gathers the packets of one interface.
type meter struct {
	log   *FlowLog
	books *books
	env   *surroundings
	seen  int // the compilation that knew the interface

	base     Record // what all records of the interface say
	addrs    []wire.Addr
	four     netip.Addr
	six      netip.Addr
	interval time.Duration
	epoch    time.Time

	index   int64 // the window's number, -1 before the first packet
	flows   map[key]*Record
	order   []*Record
	skipped bool
}

// key tells flows apart.
type key struct {
	flow   wire.Flow
	out    bool
	reason trace.Reason
	path   int
	hop    string
}

func (m *meter) configure(c *vpc.Compiler, n *vpc.NetworkInterface, facts vpc.WatchedInterface, env *surroundings) {
	s := n.Subnet()
	m.seen, m.env, m.epoch = m.books.compiled, env, c.Epoch()
	m.base = Record{
		Account: facts.Account, Region: facts.Region, VPC: s.VPC().ID(), Subnet: s.ID(), ZoneID: facts.ZoneID,
		Interface: n.ID(), InterfaceType: facts.Type, Instance: facts.Instance,
		InstanceTags: values(facts.InstanceTags, m.log.config.InstanceTags), InterfaceTags: values(facts.Tags, m.log.config.InterfaceTags),
	}
	m.four, m.six, m.addrs = netip.Addr{}, netip.Addr{}, m.addrs[:0]
	for _, a := range c.AddressesOf(n) {
		if !m.four.IsValid() {
			m.four = a.IP
		}
		m.addrs = append(m.addrs, wire.AddrFrom(a.IP))
	}
	for _, a := range c.IPv6Of(n) {
		if !m.six.IsValid() {
			m.six = a
		}
		m.addrs = append(m.addrs, wire.AddrFrom(a))
	}
	m.interval = m.log.config.Interval
	if !facts.Service {
		m.interval = time.Minute
	}
}

// values returns the values of up to two tags.
func values(tags []vpc.Tag, keys []string) (v [2]string) {
	for i, k := range keys {
		for _, t := range tags {
			if t.Key == k {
				v[i] = t.Value
			}
		}
	}
	return v
}

// Leaves takes a packet that the interface sent.
func (m *meter) Leaves(at time.Duration, p *wire.Packet, end trace.Reason, w eni.Way) {
	k := key{flow: p.Flow, out: true, reason: end}
	if end == trace.None {
		k.path = path(w, m.env.abroad[w.Target])
	}
	if w.Hop != nil {
		k.hop = w.Hop.ID
	}
	m.count(at, p, k)
}

// Arrives takes a packet that came to the interface.
func (m *meter) Arrives(at time.Duration, p *wire.Packet, end trace.Reason) {
	m.count(at, p, key{flow: p.Flow, reason: end})
}

// path returns the traffic-path of what goes to a target (VPC guide, "Flow log
// records"; that transit gateways count as resources of the VPC is inferred).
func path(w eni.Way, abroad bool) int {
	kind, _, _ := strings.Cut(w.Target, "-")
	switch kind {
	case "local", "eni", "nat", "tgw":
		return 1
	case "igw":
		return 8
	case "vgw":
		return 3
	case "pcx":
		if abroad {
			return 5
		}
		return 4
	case "lgw":
		return 6
	case "vpce":
		if w.Hop == nil {
			return 7
		}
		return 1
	}
	return 0
}

// count adds a packet to its flow. It does not allocate but for a flow's first
// packet in a window.
func (m *meter) count(at time.Duration, p *wire.Packet, k key) {
	if k.flow.Proto == wire.ProtoICMP || k.flow.Proto == wire.ProtoICMPv6 {
		k.flow.SrcPort, k.flow.DstPort = 0, 0
	}
	if !m.log.takes(action(k.reason)) || unlogged(k.flow) {
		return
	}
	m.advance(at)
	r := m.flows[k]
	if r == nil {
		if c := m.log.config.Capacity; c > 0 && len(m.order) >= c {
			m.skipped = true
			return
		}
		r = m.begin(at, k)
	}
	r.Packets++
	r.Bytes += uint64(p.Len())
	r.TCPFlags |= flags(p)
	r.End = m.epoch.Add(at)
}

// unlogged reports whether a flow is DHCP's (VPC guide, "Flow log limitations").
func unlogged(f wire.Flow) bool {
	if f.Proto != wire.ProtoUDP {
		return false
	}
	return f.SrcPort == 68 && f.DstPort == 67 || f.SrcPort == 67 && f.DstPort == 68 ||
		f.SrcPort == 546 && f.DstPort == 547 || f.SrcPort == 547 && f.DstPort == 546
}

func action(end trace.Reason) Action {
	if end == trace.None {
		return Accepted
	}
	return Rejected
}

// flags returns what tcp-flags has of a packet: ACK only with SYN, nothing of PSH, URG
// and ECN (VPC guide, "Flow log records").
func flags(p *wire.Packet) uint8 {
	f := p.Flags & (wire.FIN | wire.SYN | wire.RST)
	if p.Flags.Has(wire.SYN | wire.ACK) {
		f |= wire.ACK
	}
	return uint8(f)
}

// begin makes the record of a flow.
func (m *meter) begin(at time.Duration, k key) *Record {
	r := new(m.base)
	f := k.flow
	r.PktSrc, r.PktDst = f.Src.Netip(), f.Dst.Netip()
	r.Src, r.Dst, r.SrcPort, r.DstPort, r.Protocol = r.PktSrc, r.PktDst, f.SrcPort, f.DstPort, f.Proto
	r.Start, r.Status, r.Action, r.TrafficPath = m.epoch.Add(at), OK, action(k.reason), k.path
	r.SrcService, r.DstService = m.env.service(r.PktSrc), m.env.service(r.PktDst)
	if k.reason == trace.PublicAccessBlocked {
		r.RejectReason = "BPA"
	}
	if k.out {
		r.Direction, r.Src, r.NextHop = Egress, m.own(f.Src), m.env.hops[k.hop]
	} else {
		r.Direction, r.Dst = Ingress, m.own(f.Dst)
		r.NextHop = m.env.hops[m.env.owners[owner{m.base.VPC, r.PktSrc}]]
	}
	m.flows[k] = r
	m.order = append(m.order, r)
	return r
}

// own returns the address that stands for the interface: of IPv4 always the primary
// private one; of IPv6 the packet's, where it is the interface's, else the first.
func (m *meter) own(a wire.Addr) netip.Addr {
	if a.Is4() {
		return m.four
	}
	for _, own := range m.addrs {
		if own == a {
			return a.Netip()
		}
	}
	if !m.six.IsValid() {
		return a.Netip()
	}
	return m.six
}

// advance ends the windows that are over at an instant.
func (m *meter) advance(at time.Duration) {
	now := int64((at - m.books.start) / m.interval)
	if m.index < 0 {
		m.index = now
	}
	for ; m.index < now; m.index++ {
		m.close()
	}
}

// close ends the window: its flows become records, none at all is NODATA.
func (m *meter) close() {
	from := m.books.start + time.Duration(m.index)*m.interval
	until := from + m.interval
	for _, r := range m.order {
		r.ended = until
		m.books.records = append(m.books.records, *r)
	}
	status := Status("")
	switch {
	case m.skipped:
		status = SkipData
	case len(m.order) == 0 && m.seen == m.books.compiled:
		status = NoData
	}
	if status != "" {
		r := m.base
		r.Status, r.Start, r.End, r.ended = status, m.epoch.Add(from), m.epoch.Add(until), until
		m.books.records = append(m.books.records, r)
	}
	clear(m.flows)
	m.order, m.skipped = m.order[:0], false
}
