package fidelity_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// symmetric is a random network in which every answer has the way of its request:
// public subnets with public hosts, private ones behind a NAT gateway and an
// egress-only gateway, the default network ACL, groups that let everything out.
type symmetric struct {
	*net
	rng    *rand.Rand
	guests []*guest
	groups []*vpc.SecurityGroup
}

func newSymmetric(t *testing.T, seed uint64) *symmetric {
	s := &symmetric{net: newNet(t, vpc6), rng: rand.New(rand.NewPCG(seed, 2))}
	first := s.subnet("public", "10.0.0.0/24").route("0.0.0.0/0", s.igw).route("::/0", s.igw)
	nat := first.natGateway(natgw.Config{})
	eigw, err := igw.CreateEgressOnly(s.vpc, igw.EgressOnlyConfig{Name: "eigw"})
	s.must(err)
	for i := range 3 {
		s.groups = append(s.groups, s.group(fmt.Sprintf("g%d", i)))
	}
	s.guests = []*guest{s.internet("x", "198.51.100.7", "2001:db8:f::7"), s.internet("y", "198.51.100.8", "2001:db8:f::8")}
	s.populate(first, 0, true)
	for i := range 1 + s.rng.IntN(4) {
		sub := s.subnet(fmt.Sprintf("s%d", i+1), fmt.Sprintf("10.0.%d.0/24", i+1))
		public := s.rng.IntN(2) == 0
		if public {
			sub.route("0.0.0.0/0", s.igw).route("::/0", s.igw)
		} else {
			sub.route("0.0.0.0/0", nat).route("::/0", eigw)
		}
		s.populate(sub, i+1, public)
	}
	return s
}

func (s *symmetric) populate(at *subnet, third int, public bool) {
	for k := range 1 + s.rng.IntN(3) {
		m := machine{group: s.groups[s.rng.IntN(3)], addr6: fmt.Sprintf("2001:db8:0:1a%02x::%x", third, 0x10+k)}
		if public {
			m.public = fmt.Sprintf("203.0.113.%d", 10+third*10+k)
		}
		s.guests = append(s.guests, at.launch(fmt.Sprintf("h%d.%d", third, k), m))
	}
}

// address draws one of a guest's addresses.
func (s *symmetric) address(g *guest) netip.Addr {
	all := []netip.Addr{g.addr, g.addr6}
	if g.public.IsValid() {
		all = append(all, g.public)
	}
	return all[s.rng.IntN(len(all))]
}

// regroup adds or takes a rule.
func (s *symmetric) regroup() {
	g := s.groups[s.rng.IntN(3)]
	cidrs := []string{"0.0.0.0/0", "::/0", "10.0.0.0/16", "203.0.113.0/24", "198.51.100.7/32", "10.0.1.0/24", vpc6}
	rules := []vpc.Permission{
		vpc.AllTraffic(cidrs[s.rng.IntN(len(cidrs))]),
		vpc.AllICMP(cidrs[s.rng.IntN(len(cidrs))]),
		{Protocol: -1, Group: s.groups[s.rng.IntN(3)]},
	}
	if in := g.Ingress(); len(in) > 0 && s.rng.IntN(2) == 0 {
		s.must(g.RevokeIngress(in[s.rng.IntN(len(in))]))
		return
	}
	g.AuthorizeIngress(rules[s.rng.IntN(3)]) // refused where it is there already
}

// arrived reports whether an echo request reached a guest.
func arrived(walks []*trace.Walk) bool {
	for _, w := range walks {
		if w.End() == trace.Delivered && (w.Type == wire.ICMPEcho || w.Type == wire.ICMPv6Echo) {
			return true
		}
	}
	return false
}

func TestWhatArrivesIsAnswered(t *testing.T) {
	answered := 0
	for seed := range seeds(t) {
		s := newSymmetric(t, seed)
		for range 60 {
			s.regroup()
			from, to := s.guests[s.rng.IntN(len(s.guests))], s.guests[s.rng.IntN(len(s.guests))]
			if from == to {
				continue
			}
			ok, walks := s.ping(from, s.address(to))
			require.Equal(t, arrived(walks), ok, "%s pings %s\n%s", from.Name(), to.Name(), story(walks))
			if ok {
				answered++
			}
		}
	}
	require.Greater(t, answered, 10*int(seeds(t)))
}

// TestChangesUnderTraffic changes the region from another goroutine while packets
// walk. It is for the race detector, too.
func TestChangesUnderTraffic(t *testing.T) {
	s := newSwarm(t, 7)
	changes := &swarm{net: s.net, rng: rand.New(rand.NewPCG(7, 3)), subnets: s.subnets, groups: s.groups, cards: s.cards, nats: s.nats, edge: s.edge}
	started, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		close(started)
		for range 2000 {
			changes.change()
		}
	}()
	<-started
	sent := 0
	for busy := true; busy || sent < 200; sent++ {
		c := s.anyCard()
		ip := s.draw(c)
		walks, got := s.send(c, ip)
		s.lawful(ip, walks, got)
		select {
		case <-done:
			busy = false
		default:
		}
	}
	<-done
}
