package fidelity_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// plain is a VPC of two subnets (F5) with a host in each, both families.
type plain struct {
	*net
	p, q   *subnet
	a, b   *guest
	ga, gb *vpc.SecurityGroup
}

func newPlain(t *testing.T) *plain {
	t.Helper()
	n := newNet(t, vpc6)
	f := &plain{net: n, p: n.subnet("p", "10.0.0.0/24"), q: n.subnet("q", "10.0.1.0/24")}
	f.ga, f.gb = n.group("a"), n.group("b", vpc.AllTraffic("0.0.0.0/0"), vpc.AllTraffic("::/0"))
	f.a = f.p.launch("a", machine{addr: "10.0.0.10", addr6: "2001:db8:0:1a00::10", group: f.ga})
	f.b = f.q.launch("b", machine{addr: "10.0.1.10", addr6: "2001:db8:0:1a01::10", group: f.gb})
	return f
}

// everything is a network ACL's rules that allow all of both families.
func everything() []vpc.ACLEntry { return []vpc.ACLEntry{allow(100, "0.0.0.0/0"), allow(101, "::/0")} }

func TestNetworkACLs(t *testing.T) {
	t.Run("C099 an ACL that denies everything is not asked within a subnet", func(t *testing.T) {
		f := newPlain(t)
		a2 := f.p.launch("a2", machine{})
		f.p.acl("deny", nil, nil)
		walks := f.reaches(f.a, a2.addr)
		require.Empty(t, asked(walks...))
	})
	t.Run("C099 a security group is", func(t *testing.T) {
		f := newPlain(t)
		a2 := f.p.launch("a2", machine{group: f.group("closed")})
		f.dies(f.a, a2.addr, trace.GroupIngress, "a2 in")
	})
	t.Run("C100 on the way out the ACL looks at the destination", func(t *testing.T) {
		f := newPlain(t)
		f.p.acl("p acl", everything(), append(everything(), deny(90, "10.0.1.0/24"), deny(91, "2001:db8:0:1a01::/64")))
		for _, dst := range []netip.Addr{f.b.addr, f.b.addr6} {
			walks := f.dies(f.a, dst, trace.ACLEgress, "p router")
			require.Equal(t, "SUBNET_ACL_RESTRICTION", walks[0].End().Code())
		}
	})
	t.Run("C100 on the way in at the source", func(t *testing.T) {
		f := newPlain(t)
		f.q.acl("q acl", append(everything(), deny(90, "10.0.0.0/24"), deny(91, "2001:db8:0:1a00::/64")), everything())
		for _, dst := range []netip.Addr{f.b.addr, f.b.addr6} {
			walks := f.dies(f.a, dst, trace.ACLIngress, "q arrival")
			require.Equal(t, "SUBNET_ACL_RESTRICTION", walks[0].End().Code())
		}
	})
	t.Run("C101 the lowest number decides", func(t *testing.T) {
		f := newPlain(t)
		f.b.serve(f.net, 443)
		f.q.acl("q acl", []vpc.ACLEntry{
			ports(allow(100, "0.0.0.0/0"), wire.ProtoTCP, 443, 443), ports(deny(90, "10.0.0.10/32"), wire.ProtoTCP, 443, 443),
		}, everything())
		_, err := f.a.Dial(port(f.b.addr, 443))
		require.ErrorIs(t, err, host.ErrTimeout)
		require.Equal(t, trace.ACLIngress, f.take()[0].End())
		a2 := f.p.launch("a2", machine{})
		c, err := a2.Dial(port(f.b.addr, 443))
		f.must(err)
		require.Equal(t, "OK", f.ask(c, "ok"))
	})
	t.Run("C102 an ACL remembers nothing: the SYN passes and its answer does not", func(t *testing.T) {
		f := newPlain(t)
		f.b.serve(f.net, 80)
		atB := f.tap(f.b.nic)
		f.q.acl("q acl", []vpc.ACLEntry{ports(allow(100, "0.0.0.0/0"), wire.ProtoTCP, 80, 80)},
			[]vpc.ACLEntry{ports(allow(100, "0.0.0.0/0"), wire.ProtoTCP, 80, 80)})
		_, err := f.a.Dial(port(f.b.addr, 80))
		require.ErrorIs(t, err, host.ErrTimeout)
		require.Equal(t, wire.SYN, atB.in()[0].Flags)
		require.Equal(t, wire.SYN|wire.ACK, atB.out()[0].Flags)
		walks := f.take()
		require.Equal(t, trace.Delivered, walks[0].End())
		require.Equal(t, trace.ACLEgress, walks[1].End())
		require.Equal(t, "q router", walks[1].Where)
	})
	t.Run("C103 an ACL that denies ICMP outbound drops the reply that the group lets go", func(t *testing.T) {
		f := newPlain(t)
		f.q.acl("q acl", everything(), append(everything(), ports(deny(50, "0.0.0.0/0"), wire.ProtoICMP, -1, -1)))
		walks := f.dies(f.a, f.b.addr, trace.ACLEgress, "q router")
		require.Len(t, walks, 2)
		require.Equal(t, trace.Delivered, walks[0].End())
		require.Equal(t, 84, walks[0].Size, "what a flow log counts a packet as")
	})
	t.Run("C108 ports of a rule for another protocol than TCP, UDP and ICMP count for nothing", func(t *testing.T) {
		f := newPlain(t)
		f.q.acl("q acl", []vpc.ACLEntry{ports(allow(100, "0.0.0.0/0"), 50, 443, 443)}, nil)
		esp := wire.AppendIP(nil, wire.Header{Src: wire.AddrFrom(f.a.addr), Dst: wire.AddrFrom(f.b.addr), TTL: 64, Proto: 50}, make([]byte, 16))
		f.send(f.a, esp)
		walks := f.take()
		require.Equal(t, trace.NoListener, walks[0].End(), "it got to the guest")
	})
	t.Run("C113 by a NAT gateway the ACLs are asked at each border, in order", func(t *testing.T) {
		n := newNet(t, "")
		p, nat, q := n.subnet("p", "10.0.0.0/24"), n.subnet("n", "10.0.2.0/24"), n.subnet("q", "10.0.1.0/24")
		for _, s := range []*subnet{p, nat, q} {
			s.acl(s.Label()+" acl", everything(), everything())
		}
		g := nat.natGateway(natgw.Config{Private: true})
		p.route("10.0.1.0/24", g)
		a, b := p.launch("a", machine{}), q.launch("b", machine{})
		walks := n.reaches(a, b.addr)
		client, server, gateway := a.addr.String(), b.addr.String(), g.PrivateIP().String()
		require.Equal(t, []question{
			{"p acl", "outbound rule", client, server}, {"n acl", "inbound rule", client, server},
			{"n acl", "outbound rule", gateway, server}, {"q acl", "inbound rule", gateway, server},
		}, asked(walks[0]))
		require.Equal(t, []question{
			{"q acl", "outbound rule", server, gateway}, {"n acl", "inbound rule", server, gateway},
			{"n acl", "outbound rule", server, client}, {"p acl", "inbound rule", server, client},
		}, asked(walks[1]))
	})
}

// question is a network ACL asked about a packet.
type question struct{ acl, direction, src, dst string }

// asked returns the questions that network ACLs were asked and said yes to.
func asked(walks ...*trace.Walk) []question {
	var all []question
	for _, w := range walks {
		for _, s := range w.Steps {
			if s.Act == trace.Allowed && s.Number > 0 {
				all = append(all, question{s.Object, s.Rule, s.Flow.Src.String(), s.Flow.Dst.String()})
			}
		}
	}
	return all
}

// send sends an IP packet from a guest and lets everything settle.
func (n *net) send(from *guest, ip []byte) {
	n.t.Helper()
	n.take()
	_, err := from.SendIP(ip)
	n.must(err)
	n.settle()
}

func TestSecurityGroups(t *testing.T) {
	t.Run("C103 a group without egress rules lets the reply of what it let in go", func(t *testing.T) {
		f := newPlain(t)
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.AllICMP("0.0.0.0/0")))
		f.silence(f.gb)
		f.reaches(f.a, f.b.addr)
		f.dies(f.b, f.a.addr, trace.GroupEgress, "b out")
	})
	t.Run("C104 a rule that names a group matches private addresses, not public ones", func(t *testing.T) {
		f := newPlain(t)
		f.p.route("0.0.0.0/0", f.igw)
		f.q.route("0.0.0.0/0", f.igw)
		f.elasticIP("203.0.113.10", f.a.nic)
		f.elasticIP("203.0.113.20", f.b.nic)
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: f.ga}))
		f.reaches(f.a, f.b.addr)
		f.reaches(f.a, f.b.addr6)
		walks := f.dies(f.a, addr("203.0.113.20"), trace.GroupIngress, "b in")
		require.Equal(t, "203.0.113.10", walks[0].Last.Src.String(), "the peer is seen by its public address")
	})
	t.Run("C105 a rule that names a group does not hold behind a middlebox, the client's CIDR does", func(t *testing.T) {
		f := newPlain(t)
		box := f.subnet("m", "10.0.2.0/24").launch("box", machine{noCheck: true, linux: host.Config{Forwarding: true}})
		f.p.route("10.0.1.0/24", box.nic)
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: f.ga}))
		walks := f.dies(f.a, f.b.addr, trace.GroupReference, "b in")
		require.Equal(t, "SG_REFERENCES_NOT_PRESERVED", walks[len(walks)-1].End().Code())
		require.Equal(t, f.a.addr, walks[len(walks)-1].Last.Src.Netip(), "though the source is a member's")
		f.must(f.gb.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/24")))
		f.reaches(f.a, f.b.addr)
	})
	t.Run("C105 nor behind one that translates", func(t *testing.T) {
		f := newPlain(t)
		m := f.subnet("m", "10.0.2.0/24")
		box := m.launch("box", machine{noCheck: true, linux: host.Config{Forwarding: true}})
		_, err := box.IPTables("-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE")
		f.must(err)
		f.p.route("10.0.1.0/24", box.nic)
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.Permission{Protocol: -1, Group: f.ga}))
		f.dies(f.a, f.b.addr, trace.GroupIngress, "b in")
		f.must(f.gb.AuthorizeIngress(vpc.AllTraffic("10.0.2.0/24")))
		f.reaches(f.a, f.b.addr)
	})
	t.Run("C106 a tracked connection survives its rule, an untracked one is cut at once", func(t *testing.T) {
		f := newPlain(t)
		ssh, web := vpc.TCPPort(22, "10.0.0.10/32"), vpc.TCPPort(80, "0.0.0.0/0")
		f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(ssh, web))
		f.b.serve(f.net, 22)
		f.b.serve(f.net, 80)
		tracked, err := f.a.Dial(port(f.b.addr, 22))
		f.must(err)
		untracked, err := f.a.Dial(port(f.b.addr, 80))
		f.must(err)
		require.Equal(t, "ONE", f.ask(tracked, "one"))
		require.Equal(t, "ONE", f.ask(untracked, "one"))
		f.must(f.gb.RevokeIngress(ssh, web))
		require.Equal(t, "TWO", f.ask(tracked, "two"))
		f.take()
		_, err = untracked.Write([]byte("two"))
		f.must(err)
		f.settle()
		walks := f.take()
		f.ends(walks, trace.GroupIngress, "b in")
	})
	t.Run("C115 members of the default group talk, others do not get in, and all get out", func(t *testing.T) {
		f := newPlain(t)
		def := f.vpc.DefaultSecurityGroup()
		m1, m2 := f.p.launch("m1", machine{group: def}), f.q.launch("m2", machine{group: def})
		f.reaches(m1, m2.addr)
		f.reaches(m2, m1.addr)
		f.dies(f.a, m2.addr, trace.GroupIngress, "m2 in")
		f.reaches(m1, f.b.addr)
	})
	t.Run("C099 groups have rules of their own for IPv6", func(t *testing.T) {
		f := newPlain(t)
		f.must(f.gb.RevokeIngress(vpc.AllTraffic("::/0")))
		f.reaches(f.a, f.b.addr)
		f.dies(f.a, f.b.addr6, trace.GroupIngress, "b in")
	})
}

// TestTrackingTimeouts has b's group let one datagram in, takes the rule away, and
// sees how long the answer still gets out.
func TestTrackingTimeouts(t *testing.T) {
	for _, c := range []struct {
		name  string
		proto wire.Proto
		turns int // packets and answers before the silence
		idle  time.Duration
	}{
		{"C107 one UDP packet is remembered for 30 s", wire.ProtoUDP, 0, 30 * time.Second},
		{"C107 a UDP stream for 180 s", wire.ProtoUDP, 3, 180 * time.Second},
		{"C107 other protocols for 600 s", 47, 0, 600 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, within := range []bool{true, false} {
				require.Equal(t, within, trackedAfter(t, c.proto, c.turns, c.idle, within))
			}
		})
	}
	for _, within := range []bool{true, false} {
		t.Run("C107 an established TCP connection is remembered for 432,000 s", func(t *testing.T) {
			f := newPlain(t)
			f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.TCPPort(22, "10.0.0.10/32")))
			f.silence(f.gb)
			f.b.serve(f.net, 22)
			c, err := f.a.Dial(port(f.b.addr, 22))
			f.must(err)
			require.Equal(t, "ONE", f.ask(c, "one"))
			f.must(f.gb.RevokeIngress(f.gb.Ingress()...))
			f.Run(edgeOf(432_000*time.Second, within))
			f.take()
			_, err = c.Write([]byte("two"))
			f.must(err)
			f.settle()
			last := f.take()[0]
			require.Equal(t, within, last.End() == trace.Delivered, last.String())
		})
	}
}

// edgeOf is a moment before d has passed, or one after. The flow was last renewed
// less than a second before the silence began.
func edgeOf(d time.Duration, within bool) time.Duration {
	if within {
		return d - 4*time.Second
	}
	return d + time.Second
}

func trackedAfter(t *testing.T, proto wire.Proto, turns int, idle time.Duration, within bool) bool {
	f := newPlain(t)
	there := wire.Header{Src: wire.AddrFrom(f.a.addr), Dst: wire.AddrFrom(f.b.addr), TTL: 64, Proto: proto}
	back := there
	back.Src, back.Dst = there.Dst, there.Src
	build := func(h wire.Header, from, to uint16) []byte {
		if proto == wire.ProtoUDP {
			return wire.AppendUDP(nil, h, from, to, []byte("x"))
		}
		return wire.AppendIP(nil, h, make([]byte, 20))
	}
	f.must(f.gb.RevokeIngress(f.gb.Ingress()...), f.gb.AuthorizeIngress(vpc.AllTraffic("10.0.0.10/32")))
	f.must(f.ga.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
	f.silence(f.gb)
	for range turns {
		f.send(f.a, build(there, 5000, 53))
		f.send(f.b, build(back, 53, 5000))
	}
	f.send(f.a, build(there, 5000, 53))
	f.must(f.gb.RevokeIngress(f.gb.Ingress()...))
	f.Run(edgeOf(idle, within))
	f.send(f.b, build(back, 53, 5000))
	answer := f.take()[0]
	require.Equal(t, "b", answer.From)
	if answer.End() == trace.GroupEgress {
		return false
	}
	require.Equal(t, trace.NoListener, answer.End(), "nobody on a listens")
	return true
}

// lastEnd returns why the last walk ended.
func (n *net) lastEnd() trace.Reason {
	all := n.log.Walks()
	return all[len(all)-1].End()
}

func TestInterfaces(t *testing.T) {
	t.Run("C112 a foreign source does not leave the interface, a secondary address does", func(t *testing.T) {
		f := newPlain(t)
		second, err := f.a.nic.AssignPrivateIP(addr("10.0.0.77"))
		f.must(err)
		f.send(f.a, echo(addr("10.0.0.78"), f.b.addr, 1, 1))
		f.ends(f.log.Walks(), trace.SourceCheck, "a out")
		require.Equal(t, "ENI_SOURCE_DEST_CHECK_RESTRICTION", f.lastEnd().Code())
		f.send(f.a, echo(second, f.b.addr, 1, 1))
		walks := f.log.Walks()
		require.Equal(t, second, walks[len(walks)-2].Last.Src.Netip())
		require.Equal(t, trace.Delivered, walks[len(walks)-2].End())
	})
	t.Run("C112 addresses of an assigned prefix are the interface's own", func(t *testing.T) {
		f := newPlain(t)
		i, err := f.p.RunInstance(vpc.InstanceConfig{Name: "c", Interface: vpc.NetworkInterfaceConfig{
			Groups: []*vpc.SecurityGroup{f.open}, Prefixes: prefixes("10.0.0.160/28"),
		}})
		f.must(err)
		h, err := f.Boot(i, host.Config{})
		f.must(err)
		f.must(h.NIC("eth0").AddAddr(prefixes("10.0.0.165/24")[0]))
		walks := f.reaches(f.b, addr("10.0.0.165"))
		require.Contains(t, nodes(walks...), "c out")
	})
	t.Run("C114 the first four addresses and the last are reserved", func(t *testing.T) {
		f := newPlain(t)
		for _, a := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.255"} {
			_, err := f.p.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: addr(a)})
			require.EqualError(t, err, "InvalidParameterValue: Address is in subnet's reserved address range")
		}
	})
	t.Run("C114 a /24 has 251 addresses to give", func(t *testing.T) {
		n := newNet(t, "")
		require.Equal(t, 251, n.subnet("s", "10.0.0.0/24").AvailableAddresses())
	})
	t.Run("C114 a /28 has eleven addresses", func(t *testing.T) {
		f := newPlain(t)
		s := f.subnet("small", "10.0.7.0/28")
		for range 11 {
			_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
			f.must(err)
		}
		_, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
		require.ErrorContains(t, err, "InsufficientFreeAddressesInSubnet: ")
	})
	t.Run("nobody answers ARP for an address that no interface has, and a claim counts for nothing", func(t *testing.T) {
		f := newPlain(t)
		f.must(f.a.NIC("eth0").AddAddr(prefixes("10.0.0.99/24")[0]))
		a2 := f.p.launch("a2", machine{})
		r := a2.Ping(addr("10.0.0.99"), host.PingConfig{Wait: 5 * time.Second})
		require.Zero(t, r.Received)
		require.Contains(t, r.Text, "Destination Host Unreachable")
	})
	t.Run("a local route delivers to addresses of interfaces alone", func(t *testing.T) {
		f := newPlain(t)
		f.dies(f.a, addr("10.0.1.99"), trace.NoSuchAddress, "vpc router")
		f.dies(f.a, addr("10.0.200.1"), trace.NotInSubnet, "vpc router")
	})
	t.Run("broadcast and multicast go nowhere", func(t *testing.T) {
		f := newPlain(t)
		f.send(f.a, echo(f.a.addr, addr("224.0.0.5"), 1, 1))
		f.ends(f.take(), trace.Multicast, "p router")
		f.send(f.a, echo(f.a.addr6, addr("ff02::5"), 1, 1))
		f.ends(f.take(), trace.Multicast, "p router")
	})
}
