package filter_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// slowTraffic is a rule's traffic in the words of EC2's API: protocol -1 is all,
// from and to are ports or an ICMP type and code, -1 is every one.
type slowTraffic struct{ proto, from, to int }

func (s slowTraffic) traffic() filter.Traffic {
	switch s.proto {
	case -1:
		return filter.AllTraffic()
	case 1, 58:
		return filter.ICMP(wire.Proto(s.proto), s.from, s.to)
	}
	return filter.Ports(wire.Proto(s.proto), uint16(s.from), uint16(s.to))
}

// takes says, plainly, whether the traffic takes the packet in a rule that allows
// or denies.
func (s slowTraffic) takes(p *wire.Packet, allow bool) bool {
	if s.proto == -1 {
		return true
	}
	if s.proto != int(p.Flow.Proto) {
		return false
	}
	every := true
	match := true
	switch s.proto {
	case 6, 17:
		every = s.from == 0 && s.to == 65535
		match = s.from <= int(p.Flow.DstPort) && int(p.Flow.DstPort) <= s.to
	case 1, 58:
		every = s.from == -1
		match = every || s.from == int(p.Type) && (s.to == -1 || s.to == int(p.Code))
	}
	if p.Fragment == wire.LaterFragment {
		return allow || every
	}
	return match
}

func randomTraffic(rng *rand.Rand) slowTraffic {
	s := slowTraffic{proto: pick(rng, -1, 1, 6, 6, 6, 17, 17, 17, 47, 50, 58)}
	switch s.proto {
	case 1, 58:
		s.from, s.to = pick(rng, -1, 0, 3, 8, 128, 129, 137), pick(rng, -1, -1, 0, 1)
	default:
		s.from = int(pick(rng, 0, 0, 22, 53, 1024, 40000))
		s.to = max(s.from, int(pick(rng, 22, 80, 1024, 65535, 65535)))
	}
	return s
}

func randomPrefix(rng *rand.Rand) netip.Prefix {
	a := netip.MustParseAddr(pick(rng, pick(rng, addrs4...), pick(rng, addrs6...)))
	bits := pick(rng, 0, 0, 7, 8, 16, 24, 31, 32)
	if a.Is6() && bits > 0 {
		bits = pick(rng, 3, 32, 48, 63, 64, 65, 127, 128)
	}
	return netip.PrefixFrom(a, bits)
}

type slowACLRule struct {
	number int
	allow  bool
	traf   slowTraffic
	peer   netip.Prefix
}

func slowDecide(rules []slowACLRule, p *wire.Packet, peer wire.Addr) (int, bool) {
	for n := 1; n <= filter.LastACLNumber; n++ {
		for _, r := range rules {
			if r.number == n && r.traf.takes(p, r.allow) && r.peer.Contains(peer.Netip()) {
				return n, r.allow
			}
		}
	}
	if peer.Is4() {
		return 32767, false
	}
	return 32768, false
}

func TestACLDecidesAsTheObviousLoopDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	explicit, allowed := 0, 0
	for range 40 {
		var slow []slowACLRule
		var fast []filter.ACLRule
		for _, n := range rng.Perm(30)[:rng.IntN(12)] {
			s := slowACLRule{n + 1, rng.IntN(3) > 0, randomTraffic(rng), randomPrefix(rng)}
			slow = append(slow, s)
			fast = append(fast, filter.ACLRule{Number: s.number, Allow: s.allow, Traffic: s.traf.traffic(), Peer: s.peer})
		}
		before := slices.Clone(fast)
		acl, err := filter.NewACL(fast)
		require.NoError(t, err)
		require.Equal(t, before, fast, "the caller's rules are as they were")
		for range 60 {
			s := randomSpec(rng)
			p := s.read(t)
			peer := pick(rng, p.Flow.Src, p.Flow.Dst)
			wantNumber, want := slowDecide(slow, p, peer)
			number, allow := acl.Decide(p, peer)
			require.Equal(t, wantNumber, number, "%v %+v %+v", peer, s, slow)
			require.Equal(t, want, allow)
			if number < filter.ImplicitDeny {
				explicit++
			}
			if allow {
				allowed++
			}
		}
	}
	require.Greater(t, explicit, 500, "the rules take part")
	require.Greater(t, allowed, 200)
}

func TestACL(t *testing.T) {
	const client, server = "203.0.113.12", "172.31.16.139"
	acl := func(rules ...filter.ACLRule) *filter.ACL {
		a, err := filter.NewACL(rules)
		require.NoError(t, err)
		return &a
	}
	decide := func(a *filter.ACL, s spec, peer string) string {
		p := s.read(t)
		number, allow := a.Decide(p, addr(peer))
		return verdict(number, allow)
	}
	any4, any6 := prefix("0.0.0.0/0"), prefix("::/0")
	https := filter.Ports(wire.ProtoTCP, 443, 443)

	t.Run("C101 the lowest number that takes the packet decides", func(t *testing.T) {
		a := acl(filter.ACLRule{Number: 100, Allow: true, Traffic: https, Peer: any4},
			filter.ACLRule{Number: 90, Traffic: https, Peer: prefix("203.0.113.0/24")})
		require.Equal(t, "90 deny", decide(a, tcp(client, 40000, server, 443, wire.SYN), client))
		require.Equal(t, "100 allow", decide(a, tcp("198.51.100.1", 40000, server, 443, wire.SYN), "198.51.100.1"))
	})
	t.Run("C102 the answer needs a rule of its own", func(t *testing.T) {
		in := acl(filter.ACLRule{Number: 100, Allow: true, Traffic: filter.Ports(wire.ProtoTCP, 80, 80), Peer: any4})
		out := acl(filter.ACLRule{Number: 100, Allow: true, Traffic: filter.Ports(wire.ProtoTCP, 80, 443), Peer: any4})
		syn := tcp(client, 40000, server, 80, wire.SYN)
		require.Equal(t, "100 allow", decide(in, syn, client))
		require.Equal(t, "32767 deny", decide(out, back(syn, wire.SYN|wire.ACK), client))
	})
	t.Run("C103 an outbound deny of ICMP stops the echo reply", func(t *testing.T) {
		out := acl(filter.ACLRule{Number: 90, Traffic: filter.ICMP(wire.ProtoICMP, -1, -1), Peer: any4},
			filter.ACLRule{Number: 100, Allow: true, Traffic: filter.AllTraffic(), Peer: any4})
		require.Equal(t, "90 deny", decide(out, echoReply(server, client, 1), client))
		require.Equal(t, "100 allow", decide(out, udp(server, 1, client, 2), client))
	})
	t.Run("C108 ports of protocol 50 are ignored", func(t *testing.T) {
		a := acl(filter.ACLRule{Number: 1, Allow: true, Traffic: filter.Ports(50, 22, 80), Peer: any4})
		require.Equal(t, "1 allow", decide(a, spec{src: client, dst: server, proto: 50}, client))
		require.Equal(t, "32767 deny", decide(a, spec{src: client, dst: server, proto: 51}, client))
	})
	t.Run("an IPv4 rule takes no IPv6 packet and an IPv6 rule no IPv4 packet", func(t *testing.T) {
		v4 := acl(filter.ACLRule{Number: 100, Allow: true, Traffic: filter.AllTraffic(), Peer: any4})
		v6 := acl(filter.ACLRule{Number: 101, Allow: true, Traffic: filter.AllTraffic(), Peer: any6})
		s6 := udp("2001:db8::1", 1, "2001:db8::2", 2)
		require.Equal(t, "32768 deny", decide(v4, s6, s6.src))
		require.Equal(t, "101 allow", decide(v6, s6, s6.src))
		require.Equal(t, "32767 deny", decide(v6, udp(client, 1, server, 2), client))
	})
	t.Run("the zero ACL denies everything", func(t *testing.T) {
		require.Equal(t, "32767 deny", decide(new(filter.ACL), udp(client, 1, server, 2), client))
	})
	t.Run("a later fragment passes a rule for a port and is not stopped by one", func(t *testing.T) {
		a := acl(filter.ACLRule{Number: 10, Traffic: filter.Ports(wire.ProtoUDP, 53, 53), Peer: any4},
			filter.ACLRule{Number: 20, Allow: true, Traffic: filter.Ports(wire.ProtoUDP, 60, 60), Peer: any4})
		later := part(udp(client, 1, server, 53), wire.LaterFragment)
		require.Equal(t, "20 allow", decide(a, later, client))
		whole := acl(filter.ACLRule{Number: 10, Traffic: filter.Ports(wire.ProtoUDP, 0, 65535), Peer: any4},
			filter.ACLRule{Number: 20, Allow: true, Traffic: filter.AllTraffic(), Peer: any4})
		require.Equal(t, "10 deny", decide(whole, later, client))
	})
}

func verdict(number int, allow bool) string {
	word := map[bool]string{true: " allow", false: " deny"}[allow]
	return strconv.Itoa(number) + word
}

func TestACLRefusals(t *testing.T) {
	ok := filter.ACLRule{Number: 7, Allow: true, Traffic: filter.AllTraffic(), Peer: prefix("10.0.0.0/8")}
	zero, high, bare := ok, ok, ok
	zero.Number, high.Number, bare.Peer = 0, 32767, netip.Prefix{}
	for _, c := range []struct {
		rules []filter.ACLRule
		want  string
	}{
		{[]filter.ACLRule{zero}, "filter: ACL rule number 0 is not in 1 to 32766"},
		{[]filter.ACLRule{high}, "filter: ACL rule number 32767 is not in 1 to 32766"},
		{[]filter.ACLRule{ok, ok}, "filter: ACL rule number 7 is there twice"},
		{[]filter.ACLRule{bare}, "filter: ACL rule number 7 has no valid prefix"},
	} {
		acl, err := filter.NewACL(c.rules)
		require.EqualError(t, err, c.want)
		require.Equal(t, filter.ACL{}, acl)
	}
}

func TestTrafficPrintsAsPeopleSayIt(t *testing.T) {
	for _, c := range []struct {
		traffic filter.Traffic
		want    string
	}{
		{filter.Traffic{}, "none"},
		{filter.AllTraffic(), "all"},
		{filter.Protocol(47), "gre"},
		{filter.Ports(wire.ProtoTCP, 22, 22), "tcp 22"},
		{filter.Ports(wire.ProtoUDP, 1024, 65535), "udp 1024-65535"},
		{filter.Ports(wire.ProtoUDP, 0, 65535), "udp"},
		{filter.Ports(wire.ProtoUDP, 2, 1), "none"},
		{filter.Ports(50, 2, 1), "50"},
		{filter.ICMP(wire.ProtoICMP, -1, -1), "icmp"},
		{filter.ICMP(wire.ProtoICMP, 8, -1), "icmp type 8"},
		{filter.ICMP(wire.ProtoICMPv6, 128, 0), "icmpv6 type 128 code 0"},
		{filter.ICMP(wire.ProtoICMP, 256, 0), "none"},
		{filter.ICMP(wire.ProtoICMP, 8, 256), "none"},
		{filter.ICMP(wire.ProtoICMP, -2, -1), "none"},
		{filter.ICMP(wire.ProtoICMP, 8, -2), "none"},
	} {
		require.Equal(t, c.want, c.traffic.String())
	}
}

func TestDirections(t *testing.T) {
	require.Equal(t, filter.Egress, filter.Ingress.Reverse())
	require.Equal(t, filter.Ingress, filter.Egress.Reverse())
	require.Equal(t, "ingress", filter.Ingress.String())
	require.Equal(t, "egress", filter.Egress.String())
	require.Equal(t, "no direction", filter.Direction(0).String())
}
