package filter_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// slowRule is a rule of a security group as people write it down.
type slowRule struct {
	id       string
	traf     slowTraffic
	prefixes []netip.Prefix // one if by CIDR, any number if a list
	list     bool
	members  map[netip.Addr]bool
}

func (r slowRule) rule() filter.Rule {
	f := filter.Rule{Group: "sg-1", ID: r.id, Traffic: r.traf.traffic()}
	if r.members != nil {
		var addrs []wire.Addr
		for a := range r.members {
			addrs = append(addrs, wire.AddrFrom(a))
		}
		f.Members = filter.NewAddrSet(addrs)
	}
	switch {
	case r.list:
		f.List = filter.NewPrefixSet(r.prefixes)
	case len(r.prefixes) > 0:
		f.Prefix = r.prefixes[0]
	}
	return f
}

// takes compares addresses as netip does, flows as f, fragments as part.
func (r slowRule) takes(p *wire.Packet, peer netip.Addr) bool {
	if !r.traf.takes(p, true) {
		return false
	}
	for _, x := range r.prefixes {
		if x.Contains(peer) {
			return true
		}
	}
	return r.members[peer]
}

func (r slowRule) everybody(peer netip.Addr) bool {
	return !r.list && len(r.prefixes) == 1 && r.prefixes[0].Bits() == 0 && r.prefixes[0].Contains(peer)
}

func slowRules(rng *rand.Rand) []slowRule {
	var rules []slowRule
	for i := range rng.IntN(7) {
		r := slowRule{id: string(rune('a' + i)), traf: randomTraffic(rng)}
		switch rng.IntN(6) {
		case 0:
			r.list = true
			for range rng.IntN(5) {
				r.prefixes = append(r.prefixes, randomPrefix(rng))
			}
		case 1:
			r.members = map[netip.Addr]bool{}
			for range rng.IntN(4) {
				r.members[netip.MustParseAddr(pick(rng, pick(rng, addrs4...), pick(rng, addrs6...)))] = true
			}
		case 2:
			r.prefixes = []netip.Prefix{prefix(pick(rng, "0.0.0.0/0", "::/0"))}
			if rng.IntN(2) == 0 {
				r.traf = slowTraffic{proto: -1}
			}
		default:
			r.prefixes = []netip.Prefix{randomPrefix(rng)}
		}
		rules = append(rules, r)
	}
	return rules
}

// slowAllows returns the rule's id, "" for none, and whether the flow is untracked.
func slowAllows(here, there []slowRule, p, answer *wire.Packet, peer netip.Addr) (id string, untracked bool) {
	open := false
	for _, r := range here {
		if r.takes(p, peer) && r.everybody(peer) {
			id, open = r.id, true
			break
		}
	}
	if !open {
		for _, r := range here {
			if r.takes(p, peer) {
				return r.id, false
			}
		}
		return "", false
	}
	if p.Flow.Proto != wire.ProtoTCP && p.Flow.Proto != wire.ProtoUDP {
		return id, false
	}
	every := func(rules []slowRule) bool {
		for _, r := range rules {
			ports := r.traf == slowTraffic{int(p.Flow.Proto), 0, 65535}
			if r.everybody(peer) && (r.traf.proto == -1 || ports) {
				return true
			}
		}
		return false
	}
	if every(there) {
		return id, true
	}
	for _, r := range there {
		if every(here) && r.everybody(peer) && r.takes(answer, peer) {
			return id, true
		}
	}
	return id, false
}

func TestGroupsAllowAsTheObviousLoopDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	count := map[string]int{}
	for range 300 {
		in, out := slowRules(rng), slowRules(rng)
		g := filter.NewGroups(fastRules(in), fastRules(out))
		for range 25 {
			s := randomSpec(rng)
			p, answer := s.read(t), back(s, wire.ACK).read(t)
			m, ok := g.Ingress(p)
			id, untracked := slowAllows(in, out, p, answer, p.Flow.Src.Netip())
			require.Equal(t, id, matched(m, ok), "ingress %+v %+v", s, in)
			require.Equal(t, untracked, m.Untracked, "ingress %+v\n%+v\n%+v", s, in, out)
			m, ok = g.Egress(p)
			id, untracked = slowAllows(out, in, p, answer, p.Flow.Dst.Netip())
			require.Equal(t, id, matched(m, ok), "egress %+v %+v", s, out)
			require.Equal(t, untracked, m.Untracked, "egress %+v\n%+v\n%+v", s, in, out)
			count[id]++
			if untracked {
				count["untracked"]++
			}
		}
	}
	for _, id := range []string{"", "a", "b", "f", "untracked"} {
		require.Greater(t, count[id], 50, "%q takes part", id)
	}
}

func fastRules(slow []slowRule) []filter.Rule {
	var rules []filter.Rule
	for _, r := range slow {
		rules = append(rules, r.rule())
	}
	return rules
}

// matched returns the id of the rule that matched, "" where none did.
func matched(m filter.Match, ok bool) string {
	if !ok {
		return ""
	}
	return m.Rule.ID
}

var (
	all4 = filter.Rule{ID: "all", Traffic: filter.AllTraffic(), Prefix: prefix("0.0.0.0/0")}
	all6 = filter.Rule{ID: "all6", Traffic: filter.AllTraffic(), Prefix: prefix("::/0")}
)

func tcpRule(port uint16, from string) filter.Rule {
	return filter.Rule{ID: "tcp", Traffic: filter.Ports(wire.ProtoTCP, port, port), Prefix: prefix(from)}
}

func icmpRule(from string) filter.Rule {
	return filter.Rule{ID: "icmp", Traffic: filter.Protocol(wire.ProtoICMP), Prefix: prefix(from)}
}

func TestGroups(t *testing.T) {
	const me = "10.0.0.10"
	ingress := func(g *filter.Groups, s spec) (string, bool) {
		m, ok := g.Ingress(s.read(t))
		return matched(m, ok), m.Untracked
	}
	egress := func(g *filter.Groups, s spec) (string, bool) {
		m, ok := g.Egress(s.read(t))
		return matched(m, ok), m.Untracked
	}
	check := func(want string, untracked bool) func(string, bool) {
		return func(id string, u bool) {
			t.Helper()
			require.Equal(t, want, id)
			require.Equal(t, untracked, u)
		}
	}

	t.Run("C104 a reference to a group matches the private addresses of its members", func(t *testing.T) {
		members := filter.NewAddrSet([]wire.Addr{addr("10.0.0.5"), addr("2001:db8::5")})
		g := filter.NewGroups([]filter.Rule{{ID: "ref", Traffic: filter.AllTraffic(), Members: members}}, nil)
		check("ref", false)(ingress(g, tcp("10.0.0.5", 1, me, 22, wire.SYN)))
		check("ref", false)(ingress(g, udp("2001:db8::5", 1, "2001:db8::10", 22)))
		check("", false)(ingress(g, tcp("203.0.113.5", 1, me, 22, wire.SYN)))
	})
	t.Run("C105 behind a middlebox the client's CIDR matches and the reference does not", func(t *testing.T) {
		middlebox, client := "10.0.9.9", "10.0.0.5"
		ref := filter.NewGroups([]filter.Rule{{ID: "ref", Traffic: filter.AllTraffic(), Members: filter.NewAddrSet([]wire.Addr{addr(client)})}}, nil)
		check("", false)(ingress(ref, tcp(middlebox, 1, me, 22, wire.SYN)))
		cidr := filter.NewGroups([]filter.Rule{tcpRule(22, "10.0.0.0/24")}, nil)
		check("tcp", false)(ingress(cidr, tcp(client, 1, me, 22, wire.SYN)))
	})
	t.Run("C115 members of the default group talk and others do not get in", func(t *testing.T) {
		self := filter.NewAddrSet([]wire.Addr{addr(me), addr("10.0.0.11")})
		g := filter.NewGroups([]filter.Rule{{ID: "self", Traffic: filter.AllTraffic(), Members: self}}, []filter.Rule{all4})
		check("self", false)(ingress(g, echo("10.0.0.11", me, 1)))
		check("", false)(ingress(g, echo("10.0.0.12", me, 1)))
		check("all", false)(egress(g, tcp(me, 4000, "198.51.100.1", 443, wire.SYN)))
	})
	t.Run("AWS's example: port 22 from one address and ICMP are tracked, port 80 from all is not", func(t *testing.T) {
		g := filter.NewGroups([]filter.Rule{tcpRule(22, "203.0.113.1/32"), tcpRule(80, "0.0.0.0/0"), tcpRule(80, "::/0"), icmpRule("0.0.0.0/0")},
			[]filter.Rule{all4, all6})
		check("tcp", false)(ingress(g, tcp("203.0.113.1", 1, me, 22, wire.SYN)))
		check("tcp", true)(ingress(g, tcp("203.0.113.1", 1, me, 80, wire.SYN)))
		check("tcp", true)(ingress(g, tcp("2001:db8::1", 1, "2001:db8::2", 80, wire.SYN)))
		check("icmp", false)(ingress(g, echo("203.0.113.1", me, 1)))
		check("all", true)(egress(g, tcp(me, 80, "203.0.113.1", 1, wire.SYN|wire.ACK)))
		check("all", false)(egress(g, tcp(me, 40000, "203.0.113.1", 443, wire.SYN)))
	})
	t.Run("AWS's example: without the outbound IPv4 rule IPv4 is tracked and IPv6 is not", func(t *testing.T) {
		g := filter.NewGroups([]filter.Rule{tcpRule(80, "0.0.0.0/0"), tcpRule(80, "::/0")}, []filter.Rule{all6})
		check("tcp", false)(ingress(g, tcp("203.0.113.1", 1, me, 80, wire.SYN)))
		check("tcp", true)(ingress(g, tcp("2001:db8::1", 1, "2001:db8::2", 80, wire.SYN)))
	})
	t.Run("of two rules that match the one for all addresses counts", func(t *testing.T) {
		wide := tcpRule(22, "0.0.0.0/0")
		wide.ID = "wide"
		g := filter.NewGroups([]filter.Rule{tcpRule(22, "203.0.113.1/32"), wide}, []filter.Rule{all4})
		check("wide", true)(ingress(g, tcp("203.0.113.1", 1, me, 22, wire.SYN)))
	})
	t.Run("every port but one in the other direction leaves a flow tracked", func(t *testing.T) {
		out := all4
		out.Traffic = filter.Ports(wire.ProtoTCP, 1, 65535)
		g := filter.NewGroups([]filter.Rule{tcpRule(80, "0.0.0.0/0")}, []filter.Rule{out})
		check("tcp", false)(ingress(g, tcp("203.0.113.1", 1, me, 80, wire.SYN)))
	})
	t.Run("two halves of the address space are not all addresses", func(t *testing.T) {
		g := filter.NewGroups([]filter.Rule{tcpRule(80, "0.0.0.0/1"), tcpRule(80, "128.0.0.0/1")}, []filter.Rule{all4})
		check("tcp", false)(ingress(g, tcp("203.0.113.1", 1, me, 80, wire.SYN)))
	})
	t.Run("an ICMP error about an untracked flow is let in and one about another flow is not", func(t *testing.T) {
		g := filter.NewGroups([]filter.Rule{tcpRule(80, "0.0.0.0/0")}, []filter.Rule{all4})
		check("all", true)(ingress(g, unreachable(t, "198.51.100.1", tcp(me, 80, "203.0.113.1", 4000, wire.ACK))))
		check("", false)(ingress(g, unreachable(t, "198.51.100.1", tcp(me, 81, "203.0.113.1", 4000, wire.ACK))))
		stolen := unreachable(t, "198.51.100.1", tcp("10.0.0.99", 80, "203.0.113.1", 4000, wire.ACK))
		stolen.dst = me
		check("", false)(ingress(g, stolen))
	})
	t.Run("the zero Groups lets nothing through", func(t *testing.T) {
		check("", false)(ingress(new(filter.Groups), udp("10.0.0.1", 1, me, 2)))
		check("", false)(egress(new(filter.Groups), udp(me, 1, "10.0.0.1", 2)))
	})
	t.Run("a rule without peers matches nothing", func(t *testing.T) {
		g := filter.NewGroups([]filter.Rule{{ID: "bare", Traffic: filter.AllTraffic()}}, nil)
		check("", false)(ingress(g, udp("10.0.0.1", 1, me, 2)))
	})
	t.Run("the match names group and rule as they were given", func(t *testing.T) {
		rules := []filter.Rule{{Group: "sg-0a", ID: "sgr-0b", Traffic: filter.Ports(wire.ProtoUDP, 53, 53), Prefix: prefix("10.0.0.0/8")}}
		g := filter.NewGroups(rules, nil)
		want := rules[0]
		rules[0] = filter.Rule{}
		m, ok := g.Ingress(udp("10.0.0.1", 1, me, 53).read(t))
		require.True(t, ok)
		require.Equal(t, want, *m.Rule)
	})
}

func TestAddrSetHoldsWhatAMapHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		var addrs []wire.Addr
		twin := map[wire.Addr]bool{}
		for range rng.IntN(200) {
			a := randomAddr(rng)
			addrs = append(addrs, a)
			twin[a] = true
		}
		s := filter.NewAddrSet(append(addrs, wire.Addr{}))
		require.Equal(t, len(twin), s.Len())
		for range 100 {
			a := randomAddr(rng)
			require.Equal(t, twin[a], s.Contains(a), "%v", a)
		}
		for _, a := range addrs {
			require.True(t, s.Contains(a), "%v", a)
		}
		require.False(t, s.Contains(wire.Addr{}))
	}
}

func randomAddr(rng *rand.Rand) wire.Addr {
	if rng.IntN(2) == 0 {
		return wire.AddrFromV4(10<<24 | uint32(rng.IntN(512)))
	}
	return wire.AddrFromWords(0x2001_0db8_0000_0000|uint64(rng.IntN(3)), uint64(rng.IntN(200)))
}

func TestPrefixSetHoldsWhatAListHolds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	hits := 0
	for range 400 {
		var prefixes []netip.Prefix
		for range rng.IntN(20) {
			a := randomAddr(rng).Netip()
			prefixes = append(prefixes, netip.PrefixFrom(a, max(0, a.BitLen()-rng.IntN(10)-rng.IntN(2)*rng.IntN(120))))
		}
		s := filter.NewPrefixSet(append(prefixes, netip.Prefix{}))
		for range 50 {
			a := randomAddr(rng)
			want := false
			for _, p := range prefixes {
				want = want || p.Contains(a.Netip())
			}
			require.Equal(t, want, s.Contains(a), "%v in %v", a, prefixes)
			if want {
				hits++
			}
		}
	}
	require.Greater(t, hits, 1000)
}

func TestNilAndEmptySetsHoldNothing(t *testing.T) {
	var addrs *filter.AddrSet
	var prefixes *filter.PrefixSet
	require.False(t, addrs.Contains(addr("10.0.0.1")))
	require.Zero(t, addrs.Len())
	require.False(t, prefixes.Contains(addr("10.0.0.1")))
	require.False(t, filter.NewAddrSet(nil).Contains(addr("10.0.0.1")))
	require.False(t, filter.NewPrefixSet(nil).Contains(addr("10.0.0.1")))
}
