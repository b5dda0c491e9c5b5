package filter_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// testACL returns n rules of which the last takes TCP port 22.
func testACL(t testing.TB, n int) *filter.ACL {
	rules := []filter.ACLRule{{Number: 100 * n, Allow: true, Traffic: filter.Ports(wire.ProtoTCP, 22, 22), Peer: prefix("0.0.0.0/0")}}
	for i := 1; i < n; i++ {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
		rules = append(rules, filter.ACLRule{Number: 100 * i, Allow: i%2 == 0, Traffic: filter.Ports(wire.ProtoTCP, 0, 1023), Peer: block})
	}
	acl, err := filter.NewACL(rules)
	require.NoError(t, err)
	return &acl
}

// testGroups returns groups of some rules each; the last rule is for the members
// of a group, the peer among them, and takes TCP port 22.
func testGroups(groups, rules, members int) *filter.Groups {
	list := groupRules(groups, rules, members)
	return filter.NewGroups(list, nil)
}

func groupRules(groups, rules, members int) []filter.Rule {
	var list []filter.Rule
	for i := range groups*rules - 1 {
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		list = append(list, filter.Rule{ID: fmt.Sprint(i), Traffic: filter.Ports(wire.ProtoTCP, 22, uint16(22+i)), Prefix: block})
	}
	addrs := []wire.Addr{addr(peer)}
	for i := 1; i < members; i++ {
		addrs = append(addrs, wire.AddrFromV4(172<<24|16<<16|uint32(i)))
	}
	last := filter.Rule{ID: "last", Traffic: filter.Ports(wire.ProtoTCP, 22, 22), Members: filter.NewAddrSet(addrs)}
	return append(list, last)
}

func BenchmarkACL(b *testing.B) {
	p := tcp(peer, 4000, me, 22, wire.SYN).read(b)
	for _, n := range []int{1, 20} {
		acl := testACL(b, n)
		b.Run(fmt.Sprint("rules=", n), func(b *testing.B) {
			for b.Loop() {
				if _, ok := acl.Decide(p, p.Flow.Src); !ok {
					b.Fatal("denied")
				}
			}
		})
	}
	b.Run("peer=netip/rules=20", func(b *testing.B) {
		var rules []slowACLRule
		for i := range 20 {
			rules = append(rules, slowACLRule{i + 1, true, slowTraffic{6, 22, 22}, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)})
		}
		rules[19].peer = prefix("0.0.0.0/0")
		for b.Loop() {
			found := false
			for i := range rules {
				if r := &rules[i]; r.traf.takes(p, true) && r.peer.Contains(p.Flow.Src.Netip()) {
					found = true
					break
				}
			}
			if !found {
				b.Fatal("denied")
			}
		}
	})
}

func BenchmarkGroups(b *testing.B) {
	p := tcp(peer, 4000, me, 22, wire.SYN).read(b)
	for _, c := range []struct{ groups, rules, members int }{{1, 1, 1}, {1, 1, 1000}, {1, 5, 1}, {5, 60, 1}} {
		g := testGroups(c.groups, c.rules, c.members)
		b.Run(fmt.Sprintf("rules=%d×%d/members=%d", c.groups, c.rules, c.members), func(b *testing.B) {
			for b.Loop() {
				if _, ok := g.Ingress(p); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
	b.Run("everything untracked", func(b *testing.B) {
		g := filter.NewGroups([]filter.Rule{tcpRule(22, "0.0.0.0/0")}, []filter.Rule{all4})
		for b.Loop() {
			if m, ok := g.Ingress(p); !ok || !m.Untracked {
				b.Fatal("refused")
			}
		}
	})
	b.Run("peer=map/members=1000", func(b *testing.B) {
		members := map[netip.Addr]bool{netip.MustParseAddr(peer): true}
		for i := 1; i < 1000; i++ {
			members[netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)})] = true
		}
		src := netip.MustParseAddr(peer)
		for b.Loop() {
			if !members[src] {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkNewGroups(b *testing.B) {
	list := groupRules(1, 5, 1)
	b.ReportAllocs()
	for b.Loop() {
		filter.NewGroups(list, list)
	}
}

// mapTracker is the obvious table: a map from flow to the time of its death.
type mapTracker map[wire.Flow]time.Duration

func (m mapTracker) knows(d filter.Direction, p *wire.Packet, now time.Duration) bool {
	f := p.Flow
	if d == filter.Ingress {
		f = f.Reverse()
	}
	dead, ok := m[f]
	if !ok || dead <= now {
		return false
	}
	m[f] = now + time.Minute
	return true
}

// packets returns established UDP flows in the order in which they are to come.
func packets(b *testing.B, n int) []*wire.Packet {
	rng := rand.New(rand.NewPCG(1, 1))
	all := make([]*wire.Packet, n)
	for i, at := range rng.Perm(n) {
		p := udp(me, 0, peer, 53).read(b)
		p.SetSrc(addr(me), uint16(i))
		p.SetDst(wire.AddrFromV4(198<<24|uint32(i>>16)), 53)
		all[at] = p
	}
	return all
}

func BenchmarkKnownFlow(b *testing.B) {
	for _, n := range []int{1, 50_000, 1_000_000} {
		flows := packets(b, min(n, 1<<18))
		b.Run(fmt.Sprint("flows=", n), func(b *testing.B) {
			t := filter.NewTracker(filter.TrackerConfig{Seed: 1})
			for _, p := range flows {
				t.Admit(out, p, 0)
			}
			p := udp(me, 0, peer, 53).read(b)
			for i := len(flows); i < n; i++ {
				p.SetSrc(addr(me), uint16(i))
				p.SetDst(wire.AddrFromV4(199<<24|uint32(i>>16)), 53)
				t.Admit(out, p, 0)
			}
			i := 0
			for b.Loop() {
				if i++; i >= len(flows) {
					i = 0
				}
				if !t.Knows(out, flows[i], 0) {
					b.Fatal("unknown")
				}
			}
		})
		b.Run(fmt.Sprint("peer=map/flows=", n), func(b *testing.B) {
			m := mapTracker{}
			for _, p := range flows {
				m[p.Flow] = time.Hour
			}
			i := 0
			for b.Loop() {
				if i++; i >= len(flows) {
					i = 0
				}
				if !m.knows(out, flows[i], 0) {
					b.Fatal("unknown")
				}
			}
		})
	}
}

// BenchmarkNewFlow asks, admits, and moves on: 50,000 flows live at any time.
func BenchmarkNewFlow(b *testing.B) {
	p := udp(me, 0, peer, 53).read(b)
	const every = 30 * time.Second / 50_000
	b.Run("live=50000", func(b *testing.B) {
		t, now, i := filter.NewTracker(filter.TrackerConfig{Seed: 1}), time.Duration(0), 0
		step := func() {
			i++
			now += every
			p.SetSrc(addr(me), uint16(i))
			p.SetDst(wire.AddrFromV4(198<<24|uint32(i>>16)), 53)
			if t.Knows(out, p, now) || !t.Admit(out, p, now) {
				b.Fatal("known or refused")
			}
		}
		for range 200_000 {
			step()
		}
		b.ReportAllocs()
		for b.Loop() {
			step()
		}
	})
	b.Run("rewriting alone", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			p.SetSrc(addr(me), uint16(i))
			p.SetDst(wire.AddrFromV4(198<<24|uint32(i>>16)), 53)
		}
	})
	b.Run("beyond the allowance", func(b *testing.B) {
		t := filter.NewTracker(filter.TrackerConfig{Seed: 1, Allowance: 50_000})
		for _, p := range packets(b, 50_000) {
			t.Admit(out, p, 0)
		}
		p.SetSrc(addr(peer), 1)
		for b.Loop() {
			if t.Admit(out, p, 0) {
				b.Fatal("admitted")
			}
		}
	})
}
