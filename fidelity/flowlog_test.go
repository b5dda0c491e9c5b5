package fidelity_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
	"github.com/vpcsim/vpcsim/world"
)

// logged is a network whose account and time of day are those of AWS's examples.
type logged struct {
	*net
	live *vpc.Live
}

// newLogged makes a VPC 172.31.0.0/16 at half a second past the Unix time.
func newLogged(t *testing.T, cidr string, unix int64) *logged {
	t.Helper()
	w := world.New(world.Config{Seed: 1})
	r := w.Region(vpc.RegionConfig{Account: "123456789010", Start: time.Unix(unix, 5e8), Unlimited: true})
	n := &net{World: w, t: t, region: r, log: w.Trace()}
	var err error
	n.vpc, err = r.CreateVPC(cidr, vpc.VPCConfig{})
	n.must(err)
	n.igw, err = igw.Create(r, igw.Config{Name: "igw"})
	n.must(err, n.igw.Attach(n.vpc))
	n.open = n.group("open", vpc.AllTraffic("0.0.0.0/0"))
	return &logged{n, w.Live(r)}
}

// place launches an instance whose interface has an id.
func (l *logged) place(s *subnet, name, eni, ip string, groups ...*vpc.SecurityGroup) *guest {
	l.t.Helper()
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{ID: eni, PrivateIP: addr(ip), Groups: groups}})
	l.must(err)
	h, err := l.Boot(i, host.Config{Name: name})
	l.must(err)
	return &guest{Host: h, nic: i.Interface(), instance: i, addr: i.Interface().PrivateIP()}
}

// of makes a flow log of one minute.
func (l *logged) of(on vpc.Resource, format string) *flowlog.FlowLog {
	l.t.Helper()
	g, err := flowlog.Create(on, flowlog.Config{Format: format, Interval: time.Minute})
	l.must(err)
	l.live.Snapshot()
	return g
}

// lines ends the window and returns the records' lines.
func (l *logged) lines(g *flowlog.FlowLog) []string {
	l.Run(time.Minute)
	return strings.Split(strings.TrimSpace(g.Text(l.live)), "\n")
}

// talk sends the twenty packets of AWS's example, 4,249 bytes in a minute.
func (l *logged) talk(from *guest, to netip.Addr, src, dst uint16) {
	for k := range 20 {
		size := 172
		if k == 19 {
			size = 181
		}
		h := wire.Header{Src: wire.AddrFrom(from.addr), Dst: wire.AddrFrom(to), TTL: 64}
		_, err := from.SendIP(wire.AppendTCP(nil, h, wire.Segment{SrcPort: src, DstPort: dst, Flags: wire.ACK}, make([]byte, size)))
		l.must(err)
		l.World.Run(3150 * time.Millisecond)
	}
}

func TestFlowLogs(t *testing.T) {
	t.Run("C154 accepted SSH", func(t *testing.T) {
		l := newLogged(t, "172.31.0.0/16", 1418530010)
		s := l.subnet("s", "172.31.16.0/20")
		server := l.place(s, "server", "eni-1235b8ca123456789", "172.31.16.21", l.group("ssh", vpc.TCPPort(22, "0.0.0.0/0")))
		l.silence(server.nic.Groups()[0])
		client := l.place(s, "client", "", "172.31.16.139", l.open)
		g := l.of(server.nic, "")
		l.talk(client, server.addr, 20641, 22)
		require.Equal(t, "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK", l.lines(g)[0])
	})
	t.Run("C155 rejected RDP", func(t *testing.T) {
		l := newLogged(t, "172.31.0.0/16", 1418530010)
		s := l.subnet("s", "172.31.0.0/20")
		server := l.place(s, "server", "eni-1235b8ca123456789", "172.31.9.12", l.group("none"))
		client := l.place(s, "client", "", "172.31.9.69", l.open)
		g := l.of(server.nic, "")
		l.talk(client, server.addr, 49761, 3389)
		require.Equal(t, []string{"2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK"}, l.ok(g))
	})
	t.Run("C156 windows without data and with too much of it", func(t *testing.T) {
		l := newLogged(t, "172.31.0.0/16", 1431280816)
		s := l.subnet("s", "172.31.0.0/20")
		a, b := l.place(s, "a", "eni-1235b8ca123456789", "172.31.0.10", l.open), l.place(s, "b", "", "172.31.0.11", l.open)
		g, err := flowlog.Create(a.nic, flowlog.Config{Interval: time.Minute, Capacity: 1})
		l.must(err)
		l.live.Snapshot()
		l.reaches(a, b.addr)
		l.Run(time.Minute)
		require.Equal(t, []string{
			"2 123456789010 eni-1235b8ca123456789 172.31.0.10 172.31.0.11 0 0 1 1 84 1431280816 1431280816 ACCEPT OK",
			"2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280816 1431280876 - SKIPDATA",
			"2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280936 - NODATA",
		}, l.lines(g))
	})
	t.Run("C157 a ping whose reply the network ACL refuses: ACCEPT and REJECT", func(t *testing.T) {
		l, g, a := newPinged(t, false)
		require.Equal(t, []string{
			"2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917082 ACCEPT OK",
			"2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 0 1 4 336 1432917027 1432917082 REJECT OK",
		}, l.pinged(g, a))
	})
	t.Run("C103 a ping that the group refuses: one REJECT", func(t *testing.T) {
		l, g, a := newPinged(t, true)
		require.Equal(t, []string{
			"2 123456789010 eni-1235b8ca123456789 203.0.113.12 172.31.16.139 0 0 1 4 336 1432917027 1432917082 REJECT OK",
		}, l.pinged(g, a))
	})
	t.Run("C102 the SYN is accepted, its answer rejected", func(t *testing.T) {
		l := newLogged(t, "10.0.0.0/16", 1432917027)
		p, q := l.subnet("p", "10.0.0.0/24"), l.subnet("q", "10.0.1.0/24")
		a, b := p.launch("a", machine{}), q.launch("b", machine{})
		b.serve(l.net, 80)
		q.acl("q acl", []vpc.ACLEntry{ports(allow(100, "0.0.0.0/0"), wire.ProtoTCP, 80, 80)}, []vpc.ACLEntry{ports(allow(100, "0.0.0.0/0"), wire.ProtoTCP, 80, 80)})
		g := l.of(q.Subnet, "${srcaddr} ${dstaddr} ${dstport} ${action} ${flow-direction} ${tcp-flags}")
		_, err := a.Dial(port(b.addr, 80))
		require.ErrorIs(t, err, host.ErrTimeout)
		client := a.addr.String()
		lines := l.ok(g)
		require.Equal(t, client+" "+b.addr.String()+" 80 ACCEPT ingress 2", lines[0])
		require.Regexp(t, "^"+b.addr.String()+" "+client+` \d+ REJECT egress 18$`, lines[1])
	})
}

// newPinged is a host with a public address and another on the internet: ICMP gets in
// or, with a closed group, does not, and the network ACL lets none out.
func newPinged(t *testing.T, closed bool) (*logged, *flowlog.FlowLog, *guest) {
	l := newLogged(t, "172.31.0.0/16", 1432917026)
	s := l.subnet("s", "172.31.16.0/20").route("0.0.0.0/0", l.igw)
	g := l.group("icmp", vpc.AllICMP("0.0.0.0/0"))
	if closed {
		g = l.group("closed")
	}
	a := l.place(s, "a", "eni-1235b8ca123456789", "172.31.16.139", g)
	l.elasticIP("203.0.113.77", a.nic)
	s.acl("no ICMP out", everything(), append(everything(), ports(deny(50, "0.0.0.0/0"), wire.ProtoICMP, -1, -1)))
	return l, l.of(s.Subnet, ""), a
}

func (l *logged) pinged(g *flowlog.FlowLog, a *guest) []string {
	l.Run(600 * time.Millisecond)
	home := l.internet("home", "203.0.113.12")
	home.Ping(addr("203.0.113.77"), host.PingConfig{Count: 4, Interval: 18350 * time.Millisecond, Wait: time.Second})
	return l.ok(g)
}

const packetLevel = "${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr}"

func TestFlowLogsTellAddressesOfPacketsFromThoseOfInterfaces(t *testing.T) {
	t.Run("C159 a NAT gateway has four flows, the instance two", func(t *testing.T) {
		l := newLogged(t, "10.0.0.0/16", 1432917000)
		public, private := l.subnet("public", "10.0.0.0/24").route("0.0.0.0/0", l.igw), l.subnet("private", "10.0.1.0/24")
		e, err := l.region.AllocateAddress(vpc.AddressConfig{})
		l.must(err)
		nat := public.natGateway(natgw.Config{PrivateIP: addr("10.0.0.220"), Address: e})
		private.route("0.0.0.0/0", nat)
		a := l.place(private, "a", "eni-1235b8ca123456789", "10.0.1.5", l.open)
		l.internet("server", "203.0.113.5")
		atNAT, atA := l.of(nat.Interface(), packetLevel), l.of(a.nic, packetLevel)
		l.reaches(a, addr("203.0.113.5"))
		eni := nat.Interface().ID()
		require.Equal(t, []string{
			"- " + eni + " 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5",
			"- " + eni + " 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5",
			"- " + eni + " 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220",
			"- " + eni + " 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5",
		}, l.ok(atNAT))
		require.Equal(t, []string{
			a.instance.ID() + " eni-1235b8ca123456789 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5",
			a.instance.ID() + " eni-1235b8ca123456789 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5",
		}, l.ok(atA))
	})
	t.Run("C160 a transit gateway's interface stands for who is beyond it", func(t *testing.T) {
		l := newLogged(t, "10.40.0.0/16", 1432917000)
		v, err := l.region.CreateVPC("10.20.0.0/16", vpc.VPCConfig{})
		l.must(err)
		away := &logged{&net{World: l.World, t: t, region: l.region, vpc: v, igw: l.igw, log: l.log}, l.live}
		away.open = away.group("open", vpc.AllTraffic("0.0.0.0/0"))
		inA, inB, beyond := l.subnetIn("us-east-1a", "10.40.1.0/24"), l.subnetIn("us-east-1b", "10.40.2.0/24"), away.subnetIn("us-east-1a", "10.20.33.0/24")
		client := away.place(beyond, "client", "", "10.20.33.164", away.open)
		server := l.place(inB, "server", "eni-4444", "10.40.2.236", l.open)
		l.fill(inA, 171) // so that the attachment's interfaces get the example's addresses
		l.fill(inB, 27)
		g, err := tgw.Create(l.region, tgw.Config{})
		l.must(err)
		a, err := g.Attach(tgw.AttachmentConfig{}, inA.Subnet, inB.Subnet)
		l.must(err)
		_, err = g.Attach(tgw.AttachmentConfig{}, beyond.Subnet)
		l.must(err)
		beyond.route("10.40.0.0/16", g)
		inB.route("10.20.0.0/16", g)
		server.serve(l.net, 80)
		format := "${instance-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${pkt-srcaddr} ${pkt-dstaddr}"
		in, out := l.of(a.Interfaces()[0], format), l.of(a.Interfaces()[1], format)
		_, err = client.Dial(port(server.addr, 80))
		l.must(err)
		require.Regexp(t, `^- 10\.40\.1\.175 10\.40\.2\.236 \d+ 80 10\.20\.33\.164 10\.40\.2\.236$`, l.ok(in)[0], "what comes from the gateway")
		require.Regexp(t, `^- 10\.40\.2\.236 10\.40\.2\.31 80 \d+ 10\.40\.2\.236 10\.20\.33\.164$`, l.ok(out)[0], "what goes to it, by another interface")
	})
	t.Run("C162 a secondary address stands in the packet alone", func(t *testing.T) {
		l := newLogged(t, "10.0.0.0/16", 1432917000)
		s := l.subnet("s", "10.0.0.0/24")
		a, b := l.place(s, "a", "", "10.0.0.10", l.open), l.place(s, "b", "", "10.0.0.20", l.open)
		second, err := b.nic.AssignPrivateIP(addr("10.0.0.21"))
		l.must(err)
		g := l.of(b.nic, "${flow-direction} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${traffic-path}")
		l.ping(a, second)
		require.Equal(t, "ingress 10.0.0.10 10.0.0.20 10.0.0.10 10.0.0.21 -", l.ok(g)[0])
		h := wire.Header{Src: wire.AddrFrom(second), Dst: wire.AddrFrom(a.addr), TTL: 64}
		l.send(b, wire.AppendUDP(nil, h, 1, 2, nil))
		require.Contains(t, l.ok(g), "egress 10.0.0.20 10.0.0.10 10.0.0.21 10.0.0.10 1")
	})
}

// subnetIn makes a subnet in a zone.
func (l *logged) subnetIn(zone, cidr string) *subnet {
	l.t.Helper()
	s, err := l.vpc.CreateSubnet(cidr, vpc.SubnetConfig{Zone: zone})
	l.must(err)
	table, err := l.vpc.CreateRouteTable(vpc.RouteTableConfig{})
	l.must(err, table.Associate(s))
	return &subnet{s, l.net, table}
}

// fill takes the first free addresses of a subnet.
func (l *logged) fill(s *subnet, n int) {
	l.t.Helper()
	for range n {
		_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
		l.must(err)
	}
}

// ok ends the window and returns the lines with data.
func (l *logged) ok(g *flowlog.FlowLog) []string {
	l.Run(time.Minute)
	var lines []string
	for _, r := range g.Records(l.live) {
		if r.Status == flowlog.OK {
			lines = append(lines, g.Format().Line(r))
		}
	}
	return lines
}

func TestFlowLogsOfConnections(t *testing.T) {
	// dialled is a connection from a to b that is closed at once or later.
	dialled := func(t *testing.T, wait time.Duration) (*logged, *flowlog.FlowLog) {
		l := newLogged(t, "172.31.0.0/16", 1566848875)
		s := l.subnet("s", "172.31.0.0/16")
		a, b := l.place(s, "a", "", "172.31.80.149", l.open), l.place(s, "b", "", "172.31.80.194", l.open)
		b.serve(l.net, 5001)
		g := l.of(b.nic, "${srcport} ${dstport} ${action} ${tcp-flags}")
		conn, err := a.Dial(port(b.addr, 5001))
		l.must(err)
		l.Run(wait)
		_, err = conn.Write([]byte("x"))
		l.must(err)
		l.Run(wait)
		require.Equal(t, "X", string(conn.Next()))
		l.must(conn.Close())
		return l, g
	}
	// flags are the tcp-flags of what b got and of what it sent, window by window.
	flags := func(l *logged, g *flowlog.FlowLog) (got, sent []string) {
		for _, line := range l.ok(g) {
			words := strings.Fields(line)
			if words[1] == "5001" {
				got = append(got, words[3])
			} else {
				sent = append(sent, words[3])
			}
		}
		return got, sent
	}
	t.Run("C158 SYN, then data, then FIN, in three windows", func(t *testing.T) {
		got, sent := flags(dialled(t, time.Minute))
		require.Equal(t, []string{"2", "0", "1"}, got)
		require.Equal(t, []string{"18", "0", "1"}, sent)
	})
	t.Run("C158 a short connection in one", func(t *testing.T) {
		got, sent := flags(dialled(t, time.Millisecond))
		require.Equal(t, []string{"3"}, got)
		require.Equal(t, []string{"19"}, sent)
	})
	t.Run("C161 to S3 by the internet gateway", func(t *testing.T) {
		l := newLogged(t, "10.0.0.0/16", 1432917000)
		s := l.subnet("s", "10.0.0.0/24").route("0.0.0.0/0", l.igw)
		a := l.place(s, "a", "eni-1235b8ca123456789", "10.0.0.5", l.open)
		l.elasticIP("203.0.113.77", a.nic)
		s3 := l.internet("s3", "52.218.106.230")
		s3.serve(l.net, 80)
		g, err := flowlog.Create(a.nic, flowlog.Config{
			Format:   "${version} ${pkt-src-aws-service} ${pkt-dst-aws-service} ${flow-direction} ${traffic-path} ${tcp-flags} ${action} ${log-status}",
			Services: []vpc.ServiceRange{{Name: "AMAZON", Prefix: netip.MustParsePrefix("52.0.0.0/8")}, {Name: "S3", Prefix: netip.MustParsePrefix("52.218.0.0/17")}},
		})
		l.must(err)
		conn, err := a.Dial(port(s3.addr, 80))
		l.must(err)
		l.must(conn.Close())
		require.Equal(t, []string{"5 - S3 egress 8 3 ACCEPT OK", "5 S3 - ingress - 19 ACCEPT OK"}, l.ok(g))
	})
}
