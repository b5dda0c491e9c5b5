package filter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

const (
	in  = filter.Ingress
	out = filter.Egress

	me, peer = "10.0.0.10", "203.0.113.9"
	me6      = "2001:db8::10"
	peer6    = "2001:db8:ffff::9"
)

// story drives one Tracker and reads like a list of what passes by.
type story struct {
	*testing.T
	flows *filter.Tracker
	now   time.Duration
}

func newStory(t *testing.T, c filter.TrackerConfig) *story {
	return &story{t, filter.NewTracker(c), time.Hour}
}

func (s *story) wait(d time.Duration) { s.now += d }

func (s *story) admit(d filter.Direction, p spec) {
	s.Helper()
	require.True(s, s.flows.Admit(d, p.read(s), s.now), "admits %v", p.read(s).Flow)
}

func (s *story) known(d filter.Direction, p spec) {
	s.Helper()
	require.True(s, s.flows.Knows(d, p.read(s), s.now), "%v is known", p.read(s).Flow)
}

func (s *story) unknown(d filter.Direction, p spec) {
	s.Helper()
	require.False(s, s.flows.Knows(d, p.read(s), s.now), "%v is not known", p.read(s).Flow)
}

// handshake opens a connection from the peer.
func (s *story) handshake(syn spec) {
	s.Helper()
	s.admit(in, syn)
	s.known(out, back(syn, wire.SYN|wire.ACK))
	s.known(in, again(syn, wire.ACK))
}

func again(s spec, f wire.TCPFlags) spec {
	s.flags = f
	return s
}

func TestC107Timeouts(t *testing.T) {
	query := udp(me, 4000, peer, 53)
	syn := tcp(peer, 4000, me, 22, wire.SYN)
	gre := spec{src: me, dst: peer, proto: 47}
	ping6 := spec{src: me6, dst: peer6, sport: 9, proto: wire.ProtoICMPv6, typ: wire.ICMPv6Echo}
	pong6 := spec{src: peer6, dst: me6, sport: 9, proto: wire.ProtoICMPv6, typ: wire.ICMPv6EchoReply}
	stream := func(s *story) {
		s.admit(out, query)
		s.known(in, back(query, 0))
		s.known(out, query)
		s.known(in, back(query, 0))
	}
	for _, c := range []struct {
		name   string
		config filter.TrackerConfig
		begin  func(s *story)
		idle   time.Duration
		dir    filter.Direction
		probe  spec
	}{
		{"a UDP packet alone", filter.TrackerConfig{}, func(s *story) { s.admit(out, query) }, 30 * time.Second, in, back(query, 0)},
		{"a UDP packet alone, configured", filter.TrackerConfig{UDP: time.Minute}, func(s *story) { s.admit(out, query) }, time.Minute, in, back(query, 0)},
		{"one UDP request and its response", filter.TrackerConfig{}, func(s *story) { s.admit(out, query); s.known(in, back(query, 0)) }, 30 * time.Second, out, query},
		{"one UDP request and two responses", filter.TrackerConfig{}, func(s *story) { s.admit(out, query); s.known(in, back(query, 0)); s.known(in, back(query, 0)) }, 30 * time.Second, out, query},
		{"two UDP requests and their responses", filter.TrackerConfig{}, stream, 180 * time.Second, out, query},
		{"two UDP requests and their responses, configured", filter.TrackerConfig{UDPStream: time.Minute}, stream, time.Minute, in, back(query, 0)},
		{"a TCP SYN", filter.TrackerConfig{}, func(s *story) { s.admit(in, syn) }, 120 * time.Second, out, back(syn, wire.SYN|wire.ACK)},
		{"a TCP SYN that was answered", filter.TrackerConfig{}, func(s *story) { s.admit(in, syn); s.known(out, back(syn, wire.SYN|wire.ACK)) }, 60 * time.Second, in, again(syn, wire.ACK)},
		{"a TCP SYN whose answerer alone goes on", filter.TrackerConfig{}, func(s *story) {
			s.admit(in, syn)
			s.known(out, back(syn, wire.SYN|wire.ACK))
			s.known(out, back(syn, wire.ACK))
		}, 60 * time.Second, in, again(syn, wire.ACK)},
		{"an established TCP connection", filter.TrackerConfig{}, func(s *story) { s.handshake(syn) }, 432_000 * time.Second, in, again(syn, wire.ACK)},
		{"an established TCP connection on Nitro v6", filter.TrackerConfig{TCPEstablished: 350 * time.Second}, func(s *story) { s.handshake(syn) }, 350 * time.Second, out, back(syn, wire.ACK)},
		{"a TCP connection after a FIN", filter.TrackerConfig{}, func(s *story) { s.handshake(syn); s.known(out, back(syn, wire.FIN|wire.ACK)) }, 120 * time.Second, in, again(syn, wire.ACK)},
		{"a TCP connection after a RST", filter.TrackerConfig{}, func(s *story) { s.handshake(syn); s.known(out, back(syn, wire.RST)) }, 10 * time.Second, in, again(syn, wire.ACK)},
		{"a SYN refused by RST", filter.TrackerConfig{}, func(s *story) { s.admit(in, syn); s.known(out, back(syn, wire.RST|wire.ACK)) }, 10 * time.Second, in, again(syn, wire.ACK)},
		{"protocol 47", filter.TrackerConfig{}, func(s *story) { s.admit(out, gre) }, 600 * time.Second, in, back(gre, 0)},
		{"an ICMP echo", filter.TrackerConfig{}, func(s *story) { s.admit(out, echo(me, peer, 9)) }, 30 * time.Second, in, echoReply(peer, me, 9)},
		{"an ICMPv6 echo", filter.TrackerConfig{}, func(s *story) { s.admit(out, ping6) }, 30 * time.Second, in, pong6},
		{"a first fragment, to its later ones", filter.TrackerConfig{}, func(s *story) { s.admit(in, part(back(query, 0), wire.FirstFragment)) }, 30 * time.Second, in, part(back(query, 0), wire.LaterFragment)},
	} {
		t.Run(c.name, func(t *testing.T) {
			early := newStory(t, c.config)
			c.begin(early)
			early.wait(c.idle - 1)
			early.known(c.dir, c.probe)

			late := newStory(t, c.config)
			c.begin(late)
			late.wait(c.idle)
			late.unknown(c.dir, c.probe)
		})
	}
}

func TestEachPacketOfEitherSideProlongsAFlow(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	query := udp(me, 4000, peer, 53)
	s.admit(out, query)
	for range 5 {
		s.wait(29 * time.Second)
		s.known(out, query)
	}
	s.wait(29 * time.Second)
	s.known(in, back(query, 0))
	s.wait(30 * time.Second)
	s.unknown(out, query)
}

func TestConfigureTakesEffectWithTheNextPacket(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	query := udp(me, 4000, peer, 53)
	s.admit(out, query)
	s.flows.Configure(filter.TrackerConfig{UDP: 60 * time.Second})
	s.wait(29 * time.Second)
	s.known(out, query)
	s.wait(59 * time.Second)
	s.known(out, query)
	s.wait(60 * time.Second)
	s.unknown(out, query)
}

func TestC103AnEchoReplyPassesWithoutAnOutboundRule(t *testing.T) {
	groups := filter.NewGroups([]filter.Rule{icmpRule("0.0.0.0/0")}, nil)
	s := newStory(t, filter.TrackerConfig{})
	request := echo(peer, me, 7)
	s.unknown(in, request)
	_, ok := groups.Ingress(request.read(t))
	require.True(t, ok)
	s.admit(in, request)
	reply := echoReply(me, peer, 7)
	s.known(out, reply)
	_, ok = groups.Egress(reply.read(t))
	require.False(t, ok, "no rule would let it out")
	s.known(in, request)
}

func TestICMPRequestsAreToldFromReplies(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	s.admit(out, echo(me, peer, 7))
	s.known(in, echoReply(peer, me, 7))
	s.known(out, echo(me, peer, 7))
	s.unknown(in, echo(peer, me, 7))       // their request is no answer to ours
	s.unknown(in, echoReply(peer, me, 8))  // we asked with another identifier
	s.unknown(out, echoReply(me, peer, 7)) // they asked nothing
	s.unknown(in, echoReply("203.0.113.10", me, 7))

	s.admit(in, echoReply(peer, me, 9)) // a rule let it in; it begins nothing
	s.unknown(in, echoReply(peer, me, 9))
	s.unknown(out, echo(me, peer, 9))
	require.Equal(t, 1, s.flows.Len())
}

func TestICMPErrors(t *testing.T) {
	query, answer := udp(me, 4000, peer, 53), udp(peer, 53, me, 4000)
	s := newStory(t, filter.TrackerConfig{})
	s.unknown(in, unreachable(t, peer, query))
	s.admit(out, query)
	s.known(in, unreachable(t, "198.51.100.77", query)) // from a router on the way
	s.known(out, unreachable(t, me, answer))            // ours about their answer
	s.unknown(in, unreachable(t, peer, udp(me, 4001, peer, 53)))
	s.unknown(out, unreachable(t, me, query)) // quotes what never came in
	stolen := unreachable(t, peer, query)
	stolen.dst = "10.0.0.11"
	s.unknown(in, stolen) // for another host than the one that sent the quoted packet

	s.admit(out, echo(me, peer, 7))
	s.known(in, unreachable(t, peer, echo(me, peer, 7)))
	s.unknown(in, unreachable(t, peer, echo(me, peer, 8)))

	s.wait(29 * time.Second)
	s.known(in, unreachable(t, peer, query)) // and that prolongs nothing:
	s.wait(time.Second)
	s.unknown(in, unreachable(t, peer, query))
	s.unknown(out, query)
}

func TestC106TrackedFlowsOutliveTheirRuleAndUntrackedOnesDoNot(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	ssh := tcp(peer, 4000, me, 22, wire.SYN)
	web := tcp(peer, 4000, me, 80, wire.SYN)
	all := []filter.Rule{all4}
	before := filter.NewGroups([]filter.Rule{tcpRule(22, peer+"/32"), tcpRule(80, "0.0.0.0/0")}, all)
	after := filter.NewGroups(nil, all)
	// passes is what an interface asks, in AWS's order.
	passes := func(g *filter.Groups, d filter.Direction, p spec) bool {
		if s.flows.Knows(d, p.read(t), s.now) {
			return true
		}
		ask := g.Ingress
		if d == out {
			ask = g.Egress
		}
		m, ok := ask(p.read(t))
		return ok && (m.Untracked || s.flows.Admit(d, p.read(t), s.now))
	}
	for _, syn := range []spec{ssh, web} {
		require.True(t, passes(before, in, syn))
		require.True(t, passes(before, out, back(syn, wire.SYN|wire.ACK)))
		require.True(t, passes(before, in, again(syn, wire.ACK)))
	}
	require.Equal(t, 1, s.flows.Len(), "the web connection is not tracked")

	require.True(t, passes(after, in, again(ssh, wire.ACK)))
	require.True(t, passes(after, out, back(ssh, wire.ACK)))
	require.False(t, passes(after, in, again(web, wire.ACK)))
	require.True(t, passes(after, out, back(web, wire.ACK)), "a rule lets every segment out")
	require.False(t, passes(after, in, again(web, wire.ACK)), "which brings the connection back for nobody")
	require.False(t, passes(after, in, tcp(peer, 4001, me, 22, wire.SYN)))
}

func TestOnlyASYNBeginsATCPFlow(t *testing.T) {
	for _, f := range []wire.TCPFlags{0, wire.ACK, wire.SYN | wire.ACK, wire.FIN, wire.RST, wire.SYN | wire.RST, wire.SYN | wire.FIN} {
		s := newStory(t, filter.TrackerConfig{})
		s.admit(out, tcp(me, 22, peer, 4000, f))
		s.unknown(in, tcp(peer, 4000, me, 22, wire.ACK))
		require.Zero(t, s.flows.Len(), "%v", f)
	}
}

func TestAConnectionOnClosedPortsIsNew(t *testing.T) {
	syn := tcp(peer, 4000, me, 22, wire.SYN)
	for _, f := range []wire.TCPFlags{wire.FIN | wire.ACK, wire.RST} {
		s := newStory(t, filter.TrackerConfig{})
		s.handshake(syn)
		s.known(in, syn) // a stray SYN on an established connection belongs to it
		s.known(in, again(syn, f))
		s.unknown(in, syn)
		s.known(in, again(syn, wire.ACK)) // the rules refused the SYN: the old one stands
		s.unknown(out, back(syn, wire.SYN))
		s.admit(out, back(syn, wire.SYN)) // from the other side now
		s.known(in, again(syn, wire.SYN|wire.ACK))
		s.wait(59 * time.Second)
		s.known(out, back(syn, wire.ACK))
		s.wait(431_999 * time.Second)
		s.known(in, again(syn, wire.ACK))
		require.Equal(t, 1, s.flows.Len())
	}
}

func TestWhatPassesInAndThenOutIsTwoFlows(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	through := udp("10.1.0.1", 4000, "10.2.0.1", 53)
	s.admit(in, through)
	s.unknown(out, through)
	s.known(out, back(through, 0))
	s.admit(out, through)
	s.known(in, back(through, 0))
	require.Equal(t, 2, s.flows.Len())
}

func TestLaterFragmentsFollowTheFirst(t *testing.T) {
	query, answer := udp(me, 4000, peer, 53), udp(peer, 53, me, 4000)
	s := newStory(t, filter.TrackerConfig{})
	s.admit(out, query)
	s.unknown(in, part(answer, wire.LaterFragment)) // ahead of the first
	s.known(in, part(answer, wire.FirstFragment))
	s.known(in, part(answer, wire.LaterFragment))
	s.unknown(out, part(query, wire.LaterFragment)) // nothing came in parts that way
	s.wait(20 * time.Second)
	s.known(in, part(answer, wire.LaterFragment)) // prolongs nothing
	s.wait(10 * time.Second)
	s.unknown(in, part(answer, wire.LaterFragment))

	s.admit(out, part(query, wire.LaterFragment)) // let through by a rule; begins nothing
	s.unknown(out, part(query, wire.LaterFragment))
}

func TestAllowance(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{Allowance: 3})
	flow := func(port uint16) spec { return udp(me, port, peer, 53) }
	for port := range uint16(3) {
		s.admit(out, flow(port))
	}
	require.False(t, s.flows.Admit(out, flow(3).read(t), s.now))
	require.EqualValues(t, 1, s.flows.Exceeded())
	s.unknown(in, back(flow(3), 0))
	s.known(in, back(flow(0), 0))
	s.admit(out, flow(1)) // begins anew in its own place
	require.Equal(t, 3, s.flows.Len())

	s.wait(29 * time.Second)
	s.known(in, back(flow(2), 0))
	s.wait(time.Second) // flows 0 and 1 are dead
	s.admit(out, flow(4))
	s.admit(out, flow(5))
	require.False(t, s.flows.Admit(out, flow(6).read(t), s.now))
	require.EqualValues(t, 2, s.flows.Exceeded())
	s.known(in, back(flow(2), 0))
	s.unknown(in, back(flow(0), 0))
	require.Equal(t, 3, s.flows.Len())

	s.flows.Configure(filter.TrackerConfig{})
	s.admit(out, flow(6))
	require.Equal(t, 4, s.flows.Len())
}

func TestTheTableStaysSmallUnderChurn(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	p := udp(me, 0, peer, 53).read(t)
	for i := range 200_000 { // 1,000 flows a second live 30 seconds: 30,000 at once
		p.SetSrc(addr(me), uint16(i))
		p.SetDst(addr(peer), uint16(i>>16))
		require.True(t, s.flows.Admit(out, p, s.now))
		s.wait(time.Millisecond)
	}
	require.Less(t, s.flows.Len(), 2*30_000)
}

func TestAPlaceHoldsForItsFlowAlone(t *testing.T) {
	s := newStory(t, filter.TrackerConfig{})
	one := spec{src: me, dst: peer, proto: wire.ProtoUDP, sport: 4000, dport: 53}
	back := spec{src: peer, dst: me, proto: wire.ProtoUDP, sport: 53, dport: 4000}
	place := func(d filter.Direction, p spec) (number uint32, ok bool) {
		return s.flows.Place(d, &p.read(s).Flow)
	}
	holds := func(number uint32, p spec) bool {
		f := p.read(s).Flow
		defer func() { require.Equal(t, p.read(s).Flow, f, "a tracker translates nothing") }()
		return s.flows.Holds(number, &f, 0, s.now)
	}
	_, ok := place(out, one)
	require.False(t, ok, "not known")
	s.admit(out, one)
	forth, ok := place(out, one)
	require.True(t, ok)
	answer, ok := place(in, back)
	require.True(t, ok)
	require.NotEqual(t, forth, answer)
	_, ok = place(in, one)
	require.False(t, ok)
	require.True(t, holds(forth, one))
	require.True(t, holds(answer, back))
	require.False(t, holds(forth, back))
	require.False(t, holds(answer, one))
	require.NotZero(t, s.flows.Load(forth))
	for port := range uint16(1000) { // the table grows, and moves it
		other := one
		other.sport = 5000 + port
		s.admit(out, other)
	}
	again, ok := place(out, one)
	require.True(t, ok)
	require.NotEqual(t, forth, again)
	require.False(t, holds(forth, one), "another's now")
	require.True(t, holds(again, one))
	s.wait(time.Hour)
	require.False(t, holds(again, one), "dead")
}

// A packet that is told of by its number does what it does as a packet.
func TestRenewingIsKnowing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	s, twin := newStory(t, filter.TrackerConfig{}), newStory(t, filter.TrackerConfig{})
	flags := []wire.TCPFlags{wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.RST}
	type key struct {
		f wire.Flow
		d filter.Direction
	}
	numbers := map[key]uint32{}
	renewed := 0
	for range 100_000 {
		x, d := spec{src: me, dst: peer, proto: wire.ProtoUDP, sport: uint16(rng.IntN(300)), dport: 53}, out
		if rng.IntN(2) == 0 {
			x.proto, x.flags = wire.ProtoTCP, flags[rng.IntN(len(flags))]
		}
		if rng.IntN(3) == 0 {
			x, d = back(x, x.flags), in
		}
		p := x.read(t)
		at := key{p.Flow, d}
		known := twin.flows.Knows(d, p, twin.now)
		number, kept := numbers[at]
		switch f := p.Flow; {
		case kept && s.flows.Holds(number, &f, p.Flags, s.now):
			require.True(t, known)
			s.flows.Renew(number, p.Flags, p.Len(), s.now)
			renewed++
		default:
			require.Equal(t, known, s.flows.Knows(d, p, s.now))
			if number, ok := s.flows.Place(d, &p.Flow); ok {
				numbers[at] = number
			}
		}
		if !known && d == out {
			require.Equal(t, twin.flows.Admit(d, p, twin.now), s.flows.Admit(d, p, s.now))
		}
		wait := time.Duration(rng.Int64N(int64(200 * time.Millisecond)))
		s.wait(wait)
		twin.wait(wait)
	}
	require.Greater(t, renewed, 10_000)
	require.Equal(t, twin.flows.Len(), s.flows.Len())
}
