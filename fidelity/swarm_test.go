package fidelity_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/nat64"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// swarm is a random network and what happens in it: packets, and changes between
// them. Everything is drawn from one seed. A random part of the features is left out
// of each network, so that the others meet more often.
type swarm struct {
	*net
	rng      *rand.Rand
	subnets  []*subnet
	acls     []*vpc.NetworkACL
	groups   []*vpc.SecurityGroup
	cards    []*card
	nats     []*natgw.NATGateway
	eigw     *igw.EgressOnlyInternetGateway
	edge     *vpc.RouteTable
	box      *guest
	server   *guest
	eips     []*vpc.Address
	received []packet // by cards, since the last packet was sent
}

// card is an instance without an operating system that keeps what it gets.
type card struct {
	swarm *swarm
	i     *vpc.Instance
	nic   *vpc.NetworkInterface
	addrs []netip.Addr
}

// Frame keeps a copy of the packet in the frame.
func (c *card) Frame(frame []byte) trace.Reason {
	e := wire.Ethernet(frame)
	var p packet
	if e.Type() == wire.EtherTypeARP || p.Read(append([]byte(nil), e.Payload()...)) != nil {
		return trace.Delivered
	}
	c.swarm.received = append(c.swarm.received, p)
	return trace.Delivered
}

func newSwarm(t *testing.T, seed uint64) *swarm {
	s := &swarm{net: newNet(t, vpc6), rng: rand.New(rand.NewPCG(seed, 1))}
	n := 2 + s.rng.IntN(4)
	for i := range n {
		s.subnets = append(s.subnets, s.subnet(fmt.Sprintf("s%d", i), fmt.Sprintf("10.0.%d.0/24", i)))
	}
	for i := range 1 + s.rng.IntN(3) {
		s.groups = append(s.groups, s.group(fmt.Sprintf("g%d", i)))
	}
	s.groups = append(s.groups, s.open)
	for i := range n + s.rng.IntN(4) {
		s.addCard(fmt.Sprintf("c%d", i), s.subnets[i%n])
	}
	for _, sub := range s.subnets {
		if s.one(2) {
			s.nats = append(s.nats, sub.natGateway(natgw.Config{Private: s.one(2)}))
		}
	}
	if s.one(2) {
		s.box = s.anySubnet().launch("box", machine{noCheck: true, public: "203.0.113.200", linux: host.Config{Forwarding: true}})
		if s.one(2) {
			_, err := s.box.IPTables("-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE")
			s.must(err)
		}
	}
	var err error
	if s.one(3) {
		s.eigw, err = igw.CreateEgressOnly(s.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		s.must(err)
	}
	s.edge, err = s.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "edge table"})
	s.must(err, s.edge.AssociateGateway(s.igw))
	s.server = s.internet("server", "198.51.100.7", "2001:db8:f::7")
	for _, sub := range s.subnets {
		if s.one(2) {
			sub.table.CreateRoute("0.0.0.0/0", s.target())
		}
		if s.one(2) && s.eigw != nil {
			sub.route("::/0", s.eigw)
		}
		if s.one(2) && len(s.nats) > 0 {
			sub.route("64:ff9b::/96", s.nats[s.rng.IntN(len(s.nats))])
		}
	}
	for range 5 * n {
		s.change()
	}
	return s
}

func (s *swarm) one(in int) bool    { return s.rng.IntN(in) == 0 }
func (s *swarm) anySubnet() *subnet { return s.subnets[s.rng.IntN(len(s.subnets))] }
func (s *swarm) anyCard() *card     { return s.cards[s.rng.IntN(len(s.cards))] }
func (s *swarm) anyGroup() *vpc.SecurityGroup {
	return s.groups[s.rng.IntN(len(s.groups))]
}

func (s *swarm) addCard(name string, at *subnet) {
	third := at.CIDR().Addr().As4()[2]
	m := machine{noCheck: s.one(4), group: s.anyGroup(), addr6: fmt.Sprintf("2001:db8:0:1a%02x::%x", third, 0x100+len(s.cards))}
	if s.one(3) {
		m.public = fmt.Sprintf("203.0.113.%d", 100+len(s.cards))
	}
	i := at.instance(name, m)
	c := &card{swarm: s, i: i, nic: i.Interface()}
	c.addrs = []netip.Addr{c.nic.PrivateIP(), c.nic.IPv6()[0]}
	s.Live(s.region).Port(c.nic).Plug(c)
	s.cards = append(s.cards, c)
}

// cidr draws an address block that means something here.
func (s *swarm) cidr() string {
	all := []string{"0.0.0.0/0", "::/0", "10.0.0.0/16", vpc6, "198.51.100.0/24", "10.0.1.0/25", "203.0.113.0/24", "64:ff9b::/96"}
	for _, sub := range s.subnets {
		all = append(all, sub.CIDR().String(), sub.IPv6().String())
	}
	return all[s.rng.IntN(len(all))]
}

func (s *swarm) permission() vpc.Permission {
	p := vpc.AllTraffic(s.cidr())
	if p.Protocol = []int{-1, 6, 17, 1, 58, 47}[s.rng.IntN(6)]; p.Protocol == 6 || p.Protocol == 17 {
		p.FromPort, p.ToPort = s.rng.IntN(500), 500+s.rng.IntN(65036)
	} else if p.Protocol == 1 || p.Protocol == 58 {
		p.FromPort, p.ToPort = -1, -1
	}
	if s.one(4) {
		p.CIDR, p.Group = netip.Prefix{}, s.anyGroup()
	}
	return p
}

func (s *swarm) target() vpc.Target {
	switch s.rng.IntN(6) {
	case 0:
		if len(s.nats) > 0 {
			return s.nats[s.rng.IntN(len(s.nats))]
		}
	case 1:
		if s.box != nil {
			return s.box.nic
		}
	case 2:
		if s.eigw != nil {
			return s.eigw
		}
	case 3:
		return s.anyCard().nic
	}
	return s.igw
}

// change makes one random change. What AWS refuses changes nothing.
func (s *swarm) change() {
	sub, c := s.anySubnet(), s.anyCard()
	switch s.rng.IntN(16) {
	case 0, 1, 2:
		sub.table.CreateRoute(s.cidr(), s.target())
	case 3:
		sub.table.DeleteRoute(s.cidr())
	case 4:
		sub.table.ReplaceRoute(s.cidr(), s.target())
	case 5:
		s.edge.CreateRoute(s.anySubnet().CIDR().String(), s.target())
	case 6:
		s.edge.DeleteRoute(s.anySubnet().CIDR().String())
	case 7, 8:
		s.anyGroup().AuthorizeIngress(s.permission())
	case 9:
		if g := s.anyGroup(); len(g.Ingress()) > 0 {
			g.RevokeIngress(g.Ingress()[0])
		}
	case 10:
		s.changeACL(sub)
	case 11:
		c.nic.SetSourceDestCheck(s.one(2))
	case 12:
		c.nic.SetGroups(s.anyGroup(), s.anyGroup())
	case 13:
		s.changeAddress(c)
	case 14:
		if c.i.State() == vpc.Stopped {
			c.i.Start()
		} else if s.one(3) {
			c.i.Stop()
		}
	case 15:
		s.changeNAT(sub)
	}
}

func (s *swarm) changeACL(sub *subnet) {
	switch {
	case s.one(3) || len(s.acls) == 0:
		a, err := s.vpc.CreateNetworkACL(vpc.NetworkACLConfig{Name: fmt.Sprintf("acl%d", len(s.acls))})
		if err == nil {
			a.CreateIngressEntry(allow(1000, "0.0.0.0/0"))
			a.CreateEgressEntry(allow(1000, "0.0.0.0/0"))
			s.acls = append(s.acls, a)
		}
	case s.one(3):
		sub.SetNetworkACL(s.acls[s.rng.IntN(len(s.acls))])
	default:
		a, p := s.acls[s.rng.IntN(len(s.acls))], s.permission()
		e := vpc.ACLEntry{Number: 1 + s.rng.IntN(900), Allow: s.one(2), Protocol: p.Protocol, FromPort: p.FromPort, ToPort: p.ToPort, CIDR: p.CIDR}
		a.CreateIngressEntry(e)
		e.Allow = s.one(2)
		a.CreateEgressEntry(e)
	}
}

func (s *swarm) changeAddress(c *card) {
	if len(s.eips) > 0 && s.one(2) {
		s.eips[s.rng.IntN(len(s.eips))].Disassociate()
		return
	}
	if e, err := s.region.AllocateAddress(vpc.AddressConfig{}); err == nil && e.Associate(c.nic) == nil {
		s.eips = append(s.eips, e)
	}
}

func (s *swarm) changeNAT(sub *subnet) {
	if len(s.nats) > 0 && s.one(4) {
		s.nats[s.rng.IntN(len(s.nats))].Delete()
		return
	}
	if g, err := natgw.Create(sub.Subnet, natgw.Config{Private: s.one(2), Name: "nat"}); err == nil {
		s.nats = append(s.nats, g)
	}
}

// draw makes a random IP packet from a card.
func (s *swarm) draw(c *card) []byte {
	family := s.rng.IntN(2)
	h := wire.Header{Src: wire.AddrFrom(c.addrs[family]), TTL: uint8(1 + s.rng.IntN(255)), ID: uint16(s.rng.Uint32())}
	switch s.rng.IntN(16) {
	case 0:
		h.Src = wire.AddrFrom(s.anyCard().addrs[family]) // somebody else's, as a rule
	case 1, 2:
		h.Src = wire.AddrFrom([]netip.Addr{addr("10.0.0.78"), addr("2001:db8:0:1a00::78")}[family]) // nobody's
	}
	h.Dst = wire.AddrFrom(s.destination(family))
	ports := [2]uint16{uint16(1000 + s.rng.IntN(4)), uint16([]int{53, 80, 443, 33434}[s.rng.IntN(4)])}
	payload := make([]byte, s.rng.IntN(1400))
	for i := range payload {
		payload[i] = byte(s.rng.Uint32())
	}
	switch s.rng.IntN(8) {
	case 0, 1:
		return wire.AppendUDP(nil, h, ports[0], ports[1], payload)
	case 2, 3:
		flags := []wire.TCPFlags{wire.SYN, wire.ACK, wire.SYN | wire.ACK, wire.FIN | wire.ACK, wire.RST, wire.PSH | wire.ACK}[s.rng.IntN(6)]
		return wire.AppendTCP(nil, h, wire.Segment{SrcPort: ports[0], DstPort: ports[1], Flags: flags, Window: 1000}, payload)
	case 4:
		h.Proto = wire.Proto([]uint8{47, 50, 132}[s.rng.IntN(3)])
		return wire.AppendIP(nil, h, payload)
	case 5:
		return s.fragment(h, ports, payload)
	}
	typ := wire.ICMPEcho
	if family == 1 {
		typ = wire.ICMPv6Echo
	}
	return wire.AppendICMP(nil, h, typ, 0, uint32(ports[0])<<16|1, payload)
}

// fragment is a first or a later fragment of a UDP datagram, without its sum.
func (s *swarm) fragment(h wire.Header, ports [2]uint16, payload []byte) []byte {
	var p wire.Packet
	if p.Read(wire.AppendUDP(nil, h, ports[0], ports[1], append(payload, make([]byte, 600)...))) != nil {
		return nil
	}
	all := p.Split(576, uint32(h.ID))
	return all[s.rng.IntN(len(all))]
}

func (s *swarm) destination(family int) netip.Addr {
	if s.one(8) {
		return []netip.Addr{addr("10.0.0.77"), addr("2001:db8:0:1a00::77")}[family]
	}
	if s.one(3) {
		return []netip.Addr{s.server.addr, s.server.addr6}[family]
	}
	c := s.anyCard()
	if family == 1 && s.one(4) { // NAT64, where a route has it
		return nat64.Embed(wire.AddrFrom([]netip.Addr{s.server.addr, c.addrs[0]}[s.rng.IntN(2)])).Netip()
	}
	if public := c.nic.PublicIP(); public.IsValid() && family == 0 && s.one(2) {
		return public
	}
	return c.addrs[family]
}

// send sends an IP packet from a card to its router, lets everything happen that it
// causes, and returns the walks and what cards got of it.
func (s *swarm) send(c *card, ip []byte) ([]*trace.Walk, []packet) {
	s.take()
	s.received = nil
	live := s.Live(s.region)
	if i := live.Interface(c.nic); i != nil {
		t := wire.EtherTypeIPv4
		if len(ip) > 0 && ip[0]>>4 == 6 {
			t = wire.EtherTypeIPv6
		}
		frame := make([]byte, wire.EthernetLen, wire.EthernetLen+len(ip))
		wire.PutEthernet(frame, i.Segment.Router, i.MAC, t)
		i.Port.Send(append(frame, ip...))
	}
	s.Run(50 * time.Millisecond)
	return s.take(), s.received
}

// drawOutside makes a packet from the host on the internet.
func (s *swarm) drawOutside() []byte {
	family := s.rng.IntN(2)
	src := []netip.Addr{s.server.addr, s.server.addr6}[family]
	dst := s.destination(family)
	if dst == src {
		dst = s.anyCard().addrs[family]
	}
	return echo(src, dst, uint16(s.rng.Uint32()), 1)
}

// sendOutside is send for that host.
func (s *swarm) sendOutside(ip []byte) ([]*trace.Walk, []packet) {
	s.take()
	s.received = nil
	_, err := s.server.SendIP(ip)
	s.must(err)
	s.Run(50 * time.Millisecond)
	return s.take(), s.received
}

// takes reports whether a node takes one from the TTL.
func takes(node string) bool {
	return node == "nat" || strings.HasSuffix(node, "igw outbound")
}

// lawful holds a packet, its walks and what arrived to the laws.
func (s *swarm) lawful(sent []byte, walks []*trace.Walk, got []packet) {
	var before wire.Packet
	sound := before.Read(append([]byte(nil), sent...)) == nil
	require.NotEmpty(s.t, walks, "every packet gets a word")
	for _, w := range walks {
		end := w.End()
		require.NotEqual(s.t, trace.None, end, "every packet gets a word\n%s", w)
		if end == trace.TooManyHops {
			require.Contains(s.t, nodes(w), "nat", "only a NAT gateway whose subnet routes to it loops")
		}
		if end.IsDrop() {
			require.NotEmpty(s.t, end.Code(), w)
			require.NotEmpty(s.t, w.Where, w)
		}
		s.lawfulTTL(w)
	}
	for _, p := range got {
		itself := p.Len() == before.Len() && p.Type == before.Type && p.Flags == before.Flags // no answer to it
		if sound && itself && before.Fragment == wire.Whole {
			require.Equal(s.t, before.VerifyChecksum(), p.VerifyChecksum(),
				"a checksum arrives as right, or as wrong, as it was sent\n%s", story(walks))
		}
	}
}

// lawfulTTL: NAT gateways and internet gateways take one from the TTL, and nobody else.
func (s *swarm) lawfulTTL(w *trace.Walk) {
	if w.Reason != trace.Delivered {
		return
	}
	want, passed := w.TTL, ""
	for _, step := range w.Steps {
		if step.Node != passed && takes(step.Node) {
			want--
		}
		passed = step.Node
		if step.Node == "box" || step.Node == "server" {
			return // the guest's own steps, which come last
		}
		require.Equal(s.t, want, step.TTL, "%s\n%s", step.Node, w)
	}
}

func seeds(t *testing.T) uint64 {
	if testing.Short() {
		return 8
	}
	return 40
}

func TestEveryPacketInEveryNetworkIsLawful(t *testing.T) {
	ends, arrived, families := map[trace.Reason]int{}, 0, 0
	for seed := range seeds(t) {
		s := newSwarm(t, seed)
		for i := range 200 {
			if s.one(10) {
				s.change()
			}
			c := s.anyCard()
			ip := s.draw(c)
			walks, got := s.send(c, ip)
			s.lawful(ip, walks, got)
			arrived += len(got)
			for _, w := range walks {
				if w.Reason == trace.Delivered && w.First.Src.Is4() != w.Last.Src.Is4() {
					families++
				}
			}
			if s.one(8) {
				ip = s.drawOutside()
				walks, got = s.sendOutside(ip)
				s.lawful(ip, walks, got)
			}
			for _, w := range walks {
				ends[w.End()]++
			}
			if i%50 == 0 {
				s.Run(time.Duration(s.rng.IntN(400)) * time.Second)
			}
		}
	}
	require.Greater(t, arrived, 20*int(seeds(t)), "too few packets arrive to test what arrives")
	require.Positive(t, families, "no packet changes its family")
	if testing.Short() {
		return
	}
	for _, r := range []trace.Reason{
		trace.Delivered, trace.Forwarded, trace.SourceCheck, trace.DestinationCheck, trace.GroupIngress, trace.ACLIngress, trace.ACLEgress,
		trace.NoRoute, trace.Blackhole, trace.NoSuchAddress, trace.NoPublicAddress, trace.SpoofedSource, trace.TTLExpired,
		trace.NoSession, trace.ProtocolNotSupported, trace.InstanceStopped, trace.EgressOnly,
	} {
		require.NotZero(t, ends[r], "no packet of the swarm ended so: %s; it tests too little", r)
	}
}

func TestMutatedBytesGetAWordToo(t *testing.T) {
	for seed := range seeds(t) {
		s := newSwarm(t, 1000+seed)
		for range 200 {
			c := s.anyCard()
			ip := s.draw(c)
			for range 1 + s.rng.IntN(3) {
				ip[s.rng.IntN(len(ip))] = byte(s.rng.Uint32())
			}
			if s.one(4) {
				ip = ip[:1+s.rng.IntN(len(ip))]
			}
			walks, got := s.send(c, ip)
			s.lawful(ip, walks, got)
		}
	}
}

// run is everything that happened to n packets in a swarm.
func (s *swarm) run(n int) string {
	var b strings.Builder
	for range n {
		if s.one(5) {
			s.change()
		}
		c := s.anyCard()
		walks, _ := s.send(c, s.draw(c))
		b.WriteString(story(walks))
	}
	return b.String()
}

func TestEqualRunsAreEqualByteForByte(t *testing.T) {
	for seed := range seeds(t) / 4 {
		require.Equal(t, newSwarm(t, seed).run(100), newSwarm(t, seed).run(100))
	}
}
