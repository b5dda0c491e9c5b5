package fidelity_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
	"github.com/vpcsim/vpcsim/world"
)

// net is the network under test: a world with one region and one VPC, and the walks
// of all packets.
type net struct {
	*world.World
	t      *testing.T
	region *vpc.Region
	vpc    *vpc.VPC
	igw    *igw.InternetGateway
	open   *vpc.SecurityGroup // lets everything in and out
	log    *trace.Log
	seen   int // walks that take has returned
}

const (
	vpc4 = "10.0.0.0/16"
	vpc6 = "2001:db8:0:1a00::/56"
)

// newNet makes a VPC 10.0.0.0/16 with an internet gateway; v6 is its IPv6 CIDR,
// empty for none.
func newNet(t *testing.T, v6 string) *net {
	t.Helper()
	w := world.New(world.Config{Seed: 1})
	n := &net{World: w, t: t, region: w.Region(vpc.RegionConfig{Name: "ap-northeast-3", Unlimited: true}), log: w.Trace()}
	config := vpc.VPCConfig{Name: "vpc"}
	if v6 != "" {
		config.IPv6 = netip.MustParsePrefix(v6)
	}
	var err error
	n.vpc, err = n.region.CreateVPC(vpc4, config)
	n.must(err)
	n.igw, err = igw.Create(n.region, igw.Config{Name: "igw"})
	n.must(err, n.igw.Attach(n.vpc))
	n.vpc.DefaultNetworkACL().Tag("Name", "default acl")
	n.open = n.group("open", vpc.AllTraffic("0.0.0.0/0"), vpc.AllTraffic("::/0"))
	return n
}

// must fails the test with a refusal.
func (n *net) must(errs ...error) {
	n.t.Helper()
	for _, err := range errs {
		require.NoError(n.t, err)
	}
}

// group makes a security group with ingress rules; its egress lets everything out.
func (n *net) group(name string, ingress ...vpc.Permission) *vpc.SecurityGroup {
	n.t.Helper()
	g, err := n.vpc.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	n.must(err)
	g.Tag("Name", name+" group")
	for _, p := range ingress {
		n.must(g.AuthorizeIngress(p))
	}
	return g
}

// silence takes a group's egress rules away.
func (n *net) silence(g *vpc.SecurityGroup) {
	n.t.Helper()
	n.must(g.RevokeEgress(g.Egress()...))
}

// subnet is a subnet with a route table of its own.
type subnet struct {
	*vpc.Subnet
	net   *net
	table *vpc.RouteTable
}

// subnet makes a subnet. Where the VPC has IPv6 the subnet has the /64 whose last
// byte is the third of its IPv4 CIDR: 10.0.7.0/24 has …:1a07::/64.
func (n *net) subnet(name, cidr string) *subnet {
	n.t.Helper()
	config := vpc.SubnetConfig{Name: name}
	if cidrs := n.vpc.CIDRs(); cidrs[len(cidrs)-1].Addr().Is6() {
		a := cidrs[len(cidrs)-1].Addr().As16()
		a[7] = netip.MustParsePrefix(cidr).Addr().As4()[2]
		config.IPv6 = netip.PrefixFrom(netip.AddrFrom16(a), 64)
	}
	s, err := n.vpc.CreateSubnet(cidr, config)
	n.must(err)
	table, err := n.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: name + " table"})
	n.must(err, table.Associate(s))
	return &subnet{s, n, table}
}

// route adds a route to the subnet's table.
func (s *subnet) route(destination string, target vpc.Target) *subnet {
	s.net.t.Helper()
	s.net.must(s.table.CreateRoute(destination, target))
	return s
}

// acl gives the subnet a network ACL of these rules.
func (s *subnet) acl(name string, ingress, egress []vpc.ACLEntry) *vpc.NetworkACL {
	s.net.t.Helper()
	a, err := s.net.vpc.CreateNetworkACL(vpc.NetworkACLConfig{Name: name})
	s.net.must(err)
	for _, e := range ingress {
		s.net.must(a.CreateIngressEntry(e))
	}
	for _, e := range egress {
		s.net.must(a.CreateEgressEntry(e))
	}
	s.net.must(s.SetNetworkACL(a))
	return a
}

// allow and deny are rules of a network ACL for all traffic of an address block.
func allow(number int, cidr string) vpc.ACLEntry {
	return vpc.ACLEntry{Number: number, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix(cidr)}
}

func deny(number int, cidr string) vpc.ACLEntry {
	e := allow(number, cidr)
	e.Allow = false
	return e
}

// ports narrows a rule of a network ACL to a protocol and its destination ports.
func ports(e vpc.ACLEntry, proto wire.Proto, from, to int) vpc.ACLEntry {
	e.Protocol, e.FromPort, e.ToPort = int(proto), from, to
	return e
}

// machine says how an instance is launched. The zero value takes a free address,
// lets everything in and out and boots Amazon Linux 2.
type machine struct {
	addr    string // its private address
	addr6   string // its IPv6 address
	public  string // its Elastic IP address
	group   *vpc.SecurityGroup
	noCheck bool // source/dest check off
	linux   host.Config
}

// guest is an instance with Linux on it.
type guest struct {
	*host.Host
	nic      *vpc.NetworkInterface
	instance *vpc.Instance
	addr     netip.Addr
	addr6    netip.Addr
	public   netip.Addr
}

// launch launches an instance in the subnet and boots it.
func (s *subnet) launch(name string, m machine) *guest {
	n := s.net
	n.t.Helper()
	i := s.instance(name, m)
	m.linux.Name = name
	h, err := n.Boot(i, m.linux)
	n.must(err)
	if m.linux.Forwarding { // one interface in and out: Linux would tell senders of a shorter way
		n.must(h.Sysctl("net.ipv4.conf.all.send_redirects", "0"), h.Sysctl("net.ipv4.conf.eth0.send_redirects", "0"))
	}
	g := &guest{Host: h, nic: i.Interface(), instance: i, addr: i.Interface().PrivateIP(), public: i.Interface().PublicIP()}
	if v6 := g.nic.IPv6(); len(v6) > 0 {
		g.addr6 = v6[0]
	}
	return g
}

// instance launches an instance with nothing on it.
func (s *subnet) instance(name string, m machine) *vpc.Instance {
	n := s.net
	n.t.Helper()
	if m.group == nil {
		m.group = n.open
	}
	config := vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{m.group}, DisableSourceDestCheck: m.noCheck}
	if m.addr != "" {
		config.PrivateIP = netip.MustParseAddr(m.addr)
	}
	if m.addr6 != "" {
		config.IPv6 = []netip.Addr{netip.MustParseAddr(m.addr6)}
	}
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, Interface: config})
	n.must(err)
	if m.public != "" {
		n.elasticIP(m.public, i.Interface())
	}
	return i
}

// elasticIP gives an interface's primary address a public one.
func (n *net) elasticIP(public string, to *vpc.NetworkInterface) *vpc.Address {
	n.t.Helper()
	e, err := n.region.AllocateAddress(vpc.AddressConfig{PublicIP: netip.MustParseAddr(public)})
	n.must(err, e.Associate(to))
	return e
}

// natGateway makes a NAT gateway named nat.
func (s *subnet) natGateway(c natgw.Config) *natgw.NATGateway {
	s.net.t.Helper()
	c.Name = "nat"
	g, err := natgw.Create(s.Subnet, c)
	s.net.must(err)
	g.Interface().Tag("Name", "nat eni")
	return g
}

// internet starts a host on the internet: generic Linux, TTL 64.
func (n *net) internet(name string, addrs ...string) *guest {
	n.t.Helper()
	g := &guest{}
	var all []netip.Addr
	for _, s := range addrs {
		a := netip.MustParseAddr(s)
		all = append(all, a)
		if a.Is4() {
			g.addr, g.public = a, a
		} else {
			g.addr6 = a
		}
	}
	h, err := n.OnInternet(host.GenericLinux(name), all...)
	n.must(err)
	g.Host = h
	return g
}

// settle runs the clock until nothing happens for a while: answers, timers of ARP.
func (n *net) settle() { n.Run(3 * time.Second) }

// take returns the walks since it was last called.
func (n *net) take() []*trace.Walk {
	all := n.log.Walks()
	fresh := all[n.seen:]
	n.seen = len(all)
	return fresh
}

// ping sends one echo request and returns whether the reply came, and the walks.
func (n *net) ping(from *guest, to netip.Addr) (bool, []*trace.Walk) {
	n.t.Helper()
	return n.pingWith(from, to, host.PingConfig{})
}

// pingWith is ping with options; it returns whether one reply came.
func (n *net) pingWith(from *guest, to netip.Addr, c host.PingConfig) (bool, []*trace.Walk) {
	n.t.Helper()
	n.take()
	c.Wait = time.Second
	r := from.Ping(to, c)
	return r.Received == 1, n.take()
}

// reaches requires that a ping is answered and returns its walks.
func (n *net) reaches(from *guest, to netip.Addr) []*trace.Walk {
	n.t.Helper()
	ok, walks := n.ping(from, to)
	require.True(n.t, ok, "%s pings %s: no answer\n%s", from.Name(), to, story(walks))
	return walks
}

// dies requires that a ping's packets end for a reason, at a node, and returns the walks.
func (n *net) dies(from *guest, to netip.Addr, why trace.Reason, where string) []*trace.Walk {
	n.t.Helper()
	ok, walks := n.ping(from, to)
	require.False(n.t, ok, "%s pings %s: answered\n%s", from.Name(), to, story(walks))
	require.NotEmpty(n.t, walks)
	n.ends(walks, why, where)
	return walks
}

// ends requires that the last of the walks ended for a reason at a node.
func (n *net) ends(walks []*trace.Walk, why trace.Reason, where string) {
	n.t.Helper()
	require.NotEmpty(n.t, walks)
	last := walks[len(walks)-1]
	require.Equal(n.t, why, last.End(), story(walks))
	require.Equal(n.t, where, last.Where, story(walks))
}

// story is walks in words, for failures.
func story(walks []*trace.Walk) string {
	s := ""
	for _, w := range walks {
		s += w.String() + "\n"
	}
	return s
}

// byGuest reports whether a step is a guest's choice of a route of its own.
func byGuest(s trace.Step) bool { return s.Act == trace.Routed && s.Object == "" }

// nodes returns the nodes that made a step on the walks, each once in a row, without
// what guests decided before they sent.
func nodes(walks ...*trace.Walk) []string {
	var all []string
	for _, w := range walks {
		for _, s := range w.Steps {
			if !byGuest(s) && (len(all) == 0 || all[len(all)-1] != s.Node) {
				all = append(all, s.Node)
			}
		}
	}
	return all
}

// only returns those of the nodes that are wanted, in the order in which they were passed.
func only(nodes []string, wanted ...string) []string {
	var some []string
	for _, n := range nodes {
		if slices.Contains(wanted, n) {
			some = append(some, n)
		}
	}
	return some
}

// flowAt returns a packet's flow as it left a node.
func flowAt(w *trace.Walk, node string) wire.Flow {
	var f wire.Flow
	for _, s := range w.Steps {
		if s.Node == node {
			f = s.Flow
		}
	}
	return f
}

// ttl returns the TTL that a packet ended with.
func ttl(w *trace.Walk) uint8 { return w.Steps[len(w.Steps)-1].TTL }

// routed returns the routes of route tables that matched on the walks, as "table: route".
func routed(walks ...*trace.Walk) []string {
	var all []string
	for _, w := range walks {
		for _, s := range w.Steps {
			if s.Act == trace.Routed && !byGuest(s) {
				all = append(all, s.Object+": "+s.Match)
			}
		}
	}
	return all
}

// packet is one that passed an interface.
type packet struct {
	wire.Packet
	out bool // the guest sent it
	at  time.Duration
}

// transport returns the header behind IP and what follows, of any protocol.
func (p packet) icmp() wire.ICMP { return wire.ICMP(p.Transport()) }

// tap keeps the IP packets that pass an interface.
type tap struct{ all []packet }

// tap begins to capture at an interface.
func (n *net) tap(i *vpc.NetworkInterface) *tap {
	n.t.Helper()
	c := &tap{}
	n.Live(n.region).Port(i).Tap(func(at time.Duration, out bool, frame []byte) {
		e := wire.Ethernet(frame)
		p := packet{out: out, at: at}
		if e.Type() != wire.EtherTypeARP && p.Read(append([]byte(nil), e.Payload()...)) == nil && !p.IsDiscovery() {
			c.all = append(c.all, p)
		}
	})
	return c
}

// in and out return the packets of one direction, as seen from the guest.
func (c *tap) in() []packet  { return c.only(false) }
func (c *tap) out() []packet { return c.only(true) }

func (c *tap) only(out bool) []packet {
	var some []packet
	for _, p := range c.all {
		if p.out == out {
			some = append(some, p)
		}
	}
	return some
}

// clear forgets what was captured.
func (c *tap) clear() { c.all = nil }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func port(a netip.Addr, n uint16) netip.AddrPort { return netip.AddrPortFrom(a, n) }

// echo is an echo request as ping sends it, TTL 64.
func echo(src, dst netip.Addr, id, seq uint16) []byte {
	typ := wire.ICMPEcho
	if src.Is6() {
		typ = wire.ICMPv6Echo
	}
	h := wire.Header{Src: wire.AddrFrom(src), Dst: wire.AddrFrom(dst), TTL: 64}
	return wire.AppendICMP(nil, h, typ, 0, uint32(id)<<16|uint32(seq), make([]byte, 56))
}

func prefixes(all ...string) []netip.Prefix {
	var p []netip.Prefix
	for _, s := range all {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}
