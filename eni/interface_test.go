package eni_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// bits calls f with every combination of n truths.
func bits(n int, f func(b []bool)) {
	for v := range 1 << n {
		b := make([]bool, n)
		for i := range b {
			b[i] = v>>i&1 == 1
		}
		f(b)
	}
}

func TestOutAsksInAWSsOrder(t *testing.T) {
	bits(5, func(b []bool) {
		down, check, foreign, service, denied := b[0], b[1], b[2], b[3], b[4]
		r := newRig(t)
		s := &platform{}
		r.segment.Serve(imds, s)
		src, dst := addrA, addrB
		want := trace.Delivered
		// From the last that is asked to the first: each overrides those after it.
		if denied {
			r.a.i.Groups, want = filter.NewGroups(nil, nil), trace.GroupEgress
		}
		if service {
			dst, want = imds, trace.Answered
		}
		if foreign {
			src = outside
		}
		r.a.i.SourceDestCheck = check
		if foreign && check {
			want = trace.SourceCheck
		}
		if down {
			r.a.i.Down, want = trace.InstanceStopped, trace.InstanceStopped
		}
		require.Equal(t, want, r.a.send(routerMAC, udp(src, dst, 1, 53)),
			"down %v, check %v, foreign %v, service %v, denied %v", down, check, foreign, service, denied)
		require.Equal(t, want == trace.Delivered, len(r.b.got) == 1)
		require.Equal(t, want == trace.Answered, s.asked == 1)
		require.Equal(t, want == trace.Answered, len(r.a.got) == 1, "the answer passes no group and no check")
	})
}

func TestInAsksInAWSsOrder(t *testing.T) {
	bits(6, func(b []bool) {
		down, denied, check, foreign, owned, unplugged := b[0], b[1], b[2], b[3], b[4], b[5]
		r := newRig(t)
		want := trace.Delivered
		if unplugged {
			r.b.port.Plug(nil)
			want = trace.NotAttached
		}
		if owned {
			r.b.i.Owner, want = blackBox{}, trace.Lost
		}
		dst := addrB
		if foreign {
			dst = outside
		}
		r.b.i.SourceDestCheck = check
		if foreign && check {
			want = trace.DestinationCheck
		}
		if denied {
			r.b.i.Groups, want = filter.NewGroups(nil, nil), trace.GroupIngress
		}
		if down {
			r.b.i.Down, want = trace.NotAttached, trace.NotAttached
		}
		// Addressed to b's MAC, so that the router does not ask for the destination.
		require.Equal(t, want, r.a.send(macB, udp(addrA, dst, 1, 53)),
			"down %v, denied %v, check %v, foreign %v, owned %v, unplugged %v", down, denied, check, foreign, owned, unplugged)
		require.Equal(t, want == trace.Delivered, len(r.b.got) == 1)
	})
}

// blackBox is a gateway that loses what it gets.
type blackBox struct{}

func (blackBox) Name() string { return "black box" }
func (blackBox) Forward(*dataplane.Context, *wire.Packet) dataplane.Next {
	return dataplane.Drop(trace.Lost)
}

func TestEveryAddressOfTheInterfaceIsItsOwn(t *testing.T) {
	r := newRig(t)
	for _, own := range []string{"10.0.0.10", "10.0.0.11", "10.0.0.48", "10.0.0.63"} {
		a := wire.MustParseAddr(own)
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(a, addrB, 1, 53)), own)
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, udp(addrB, a, 1, 53)), own)
	}
	for _, own := range []string{"fd00::a", "fd00::1:0:0:0", "fd00::1:ffff:ffff:ffff"} {
		a := wire.MustParseAddr(own)
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(a, addrB6, 1, 53)), own)
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, udp(addrB6, a, 1, 53)), own)
	}
	for foreign, to := range map[string]wire.Addr{
		"10.0.0.12": addrB, "10.0.0.47": addrB, "10.0.0.64": addrB, "fd00::b": addrB6, "fd00::2:0:0:0": addrB6, "fe80::1": addrB6,
	} {
		a := wire.MustParseAddr(foreign)
		require.Equal(t, trace.SourceCheck, r.a.send(routerMAC, udp(a, to, 1, 53)), foreign)
		require.Equal(t, trace.DestinationCheck, r.b.send(macA, udp(to, a, 1, 53)), foreign)
	}
}

// closed returns a rig in which b lets nothing in and all out.
func closed(t *testing.T) *rig {
	r := newRig(t)
	r.b.i.Groups = filter.NewGroups(nil, []filter.Rule{allow("0.0.0.0/0"), allow("::/0")})
	return r
}

func TestAnswersPassAndQuestionsDoNot(t *testing.T) {
	t.Run("an echo reply passes after its request, a request does not", func(t *testing.T) {
		r := closed(t)
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, echo(addrA, addrB, wire.ICMPEcho)))
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, echo(addrA, addrB, wire.ICMPEchoReply)), "nobody asked")
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, echo(addrB, addrA, wire.ICMPEcho)))
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, echo(addrA, addrB, wire.ICMPEchoReply)))
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, echo(addrA, addrB, wire.ICMPEcho)), "a question is no answer")
	})
	t.Run("an error about a flow passes, one about nothing does not", func(t *testing.T) {
		r := closed(t)
		about := udp(addrB, addrA, 5000, 33434)
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, unreachable(addrA, addrB, about)))
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, about))
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, unreachable(addrA, addrB, about)))
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, unreachable(addrA, addrB, udp(addrB, addrA, 5001, 33434))))
	})
	t.Run("a flow outlives the rule that let it in", func(t *testing.T) {
		r := newRig(t)
		r.b.i.Groups = filter.NewGroups([]filter.Rule{allow("10.0.0.10/32")}, nil)
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, tcp(addrA, addrB, 1, 22, wire.SYN)))
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, tcp(addrB, addrA, 22, 1, wire.SYN|wire.ACK)))
		r.b.i.Groups = filter.NewGroups(nil, nil)
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, tcp(addrA, addrB, 1, 22, wire.ACK)))
		require.Equal(t, trace.Delivered, r.b.send(routerMAC, tcp(addrB, addrA, 22, 1, wire.ACK)))
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, tcp(addrA, addrB, 2, 22, wire.SYN)))
	})
	t.Run("an untracked flow is cut with its rule", func(t *testing.T) {
		r := newRig(t)
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(addrA, addrB, 1, 53)))
		require.Zero(t, r.a.i.Flows.Len())
		require.Zero(t, r.b.i.Flows.Len())
		r.b.i.Groups = filter.NewGroups(nil, nil)
		require.Equal(t, trace.GroupIngress, r.a.send(routerMAC, udp(addrA, addrB, 1, 53)))
	})
}

// tracking is a gateway by which flows are always tracked.
type tracking struct{ next dataplane.Node }

func (*tracking) Name() string { return "gateway" }

func (g *tracking) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if !c.Track(p) {
		return dataplane.Drop(trace.TrackingFull)
	}
	return dataplane.To(g.next)
}

func TestFlowsByAGatewayThatAlwaysTracksAreTrackedAtBothEnds(t *testing.T) {
	r := newRig(t)
	r.a.i.Router = &tracking{r.b.i.In()}
	question := udp(addrA, addrB, 1, 53)
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, question))
	require.Equal(t, 1, r.a.i.Flows.Len())
	require.Equal(t, 1, r.b.i.Flows.Len())
	r.a.i.Groups, r.b.i.Groups = filter.NewGroups(nil, nil), filter.NewGroups(nil, nil)
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, question), "it outlives the rules")
	require.Equal(t, trace.Delivered, r.b.send(routerMAC, udp(addrB, addrA, 53, 1)))

	r = newRig(t)
	r.a.i.Router = &tracking{r.b.i.In()}
	r.a.i.Flows.Configure(filter.TrackerConfig{Allowance: 1})
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, question))
	require.Equal(t, trace.TrackingFull, r.a.send(routerMAC, udp(addrA, addrB, 2, 53)))
	require.EqualValues(t, 1, r.a.i.Flows.Exceeded())
}

func TestTheAllowanceDropsWhatCannotBeTracked(t *testing.T) {
	r := newRig(t)
	r.b.i.Groups = filter.NewGroups([]filter.Rule{allow("10.0.0.10/32")}, nil)
	r.b.i.Flows.Configure(filter.TrackerConfig{Allowance: 2})
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(addrA, addrB, 1, 53)))
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(addrA, addrB, 2, 53)))
	require.Equal(t, trace.TrackingFull, r.a.send(routerMAC, udp(addrA, addrB, 3, 53)))
	require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(addrA, addrB, 2, 53)))
}

func TestTheStoryNamesEveryCheck(t *testing.T) {
	r := newRig(t)
	r.engine.Log = &trace.Log{}
	r.b.i.Groups = filter.NewGroups([]filter.Rule{allow("10.0.0.10/32")}, nil)
	for _, c := range []struct {
		name string
		end  trace.Reason
		ip   []byte
		want string
	}{
		{"delivered", trace.Delivered, udp(addrA, addrB, 1, 53), `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes, ttl 64)
  1  a out   source 10.0.0.10 is its own; sg rule (all, 0.0.0.0/0) allows
  2  router  passes on
  3  b in    sg rule (all, 10.0.0.10/32) allows; destination 10.0.0.20 is its own
     delivered
`},
		{"known", trace.Delivered, udp(addrA, addrB, 1, 53), `10.0.0.10:1 > 10.0.0.20:53 udp (32 bytes, ttl 64)
  1  a out   source 10.0.0.10 is its own; sg rule (all, 0.0.0.0/0) allows
  2  router  passes on
  3  b in    known flow; destination 10.0.0.20 is its own
     delivered
`},
		{"no rule", trace.GroupIngress, udp(addrA2, addrB, 1, 53), `10.0.0.11:1 > 10.0.0.20:53 udp (32 bytes, ttl 64)
  1  a out   source 10.0.0.11 is its own; sg rule (all, 0.0.0.0/0) allows
  2  router  passes on
  3  b in    sg has no ingress rule for udp 53 from 10.0.0.11
     dropped: no security group ingress rule allows it (ENI_SG_RULES_MISMATCH)
`},
		{"foreign source", trace.SourceCheck, udp(outside, addrB, 1, 53), `198.51.100.7:1 > 10.0.0.20:53 udp (32 bytes, ttl 64)
  1  a out  source/dest check is on, and source 198.51.100.7 is not its own
     dropped: source/dest check: source is not the interface's (ENI_SOURCE_DEST_CHECK_RESTRICTION)
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.end, r.a.send(routerMAC, c.ip))
			require.Equal(t, c.want, r.story())
			w := r.engine.Log.Walks()
			require.Equal(t, "a", w[len(w)-1].From)
		})
	}
}

func TestAServicesAnswerIsOneStoryWithItsQuestion(t *testing.T) {
	r := newRig(t)
	r.engine.Log = &trace.Log{}
	r.segment.Serve(imds, &platform{})
	require.Equal(t, trace.Answered, r.a.send(routerMAC, udp(addrA, imds, 40000, 80)))
	requireDelivered(t, r.a, routerMAC, udp(imds, addrA, 80, 40000))
	require.Equal(t, `request by a at 0s: 10.0.0.10:40000 > 169.254.169.254:80 udp (32 bytes, ttl 64)
  1  a out      source 10.0.0.10 is its own
     answered by the platform
reply by a service at 0s: 169.254.169.254:80 > 10.0.0.10:40000 udp (32 bytes, ttl 64)
  2  a service  delivers
     delivered
`, r.engine.Log.Story(1).String())
}

// The slow twin asks every interface, first its own addresses, then its prefixes.
func TestLookupEqualsTheSlowTwin(t *testing.T) {
	s := &eni.Segment{}
	var all []*eni.Interface
	for n := range 60 {
		i := &eni.Interface{ID: fmt.Sprint(n)}
		for k := range n % 4 {
			i.Addrs = append(i.Addrs, wire.AddrFromV4(10<<24|uint32(n*7+k)))
			i.Addrs = append(i.Addrs, wire.AddrFromWords(0xfd00<<48, uint64(n*7+k)))
		}
		if n%3 == 0 {
			i.Prefixes = []wire.Prefix{prefix(fmt.Sprintf("10.0.%d.%d/28", n%4, n*16%256)), prefix(fmt.Sprintf("fd00::%x:0:0:0/80", n))}
		}
		all = append(all, i)
		s.Add(i)
	}
	slow := func(a wire.Addr) *eni.Interface {
		for _, i := range all {
			for _, own := range i.Addrs {
				if own == a {
					return i
				}
			}
		}
		for _, i := range all {
			for _, p := range i.Prefixes {
				if p.Contains(a) {
					return i
				}
			}
		}
		return nil
	}
	found := 0
	check := func(a wire.Addr) {
		want := slow(a)
		if want != nil {
			found++
		}
		require.Same(t, want, s.Lookup(a), "%s", a)
	}
	for n := range uint32(2048) {
		check(wire.AddrFromV4(10<<24 | n))
		check(wire.AddrFromWords(0xfd00<<48, uint64(n)))
		check(wire.AddrFromWords(0xfd00<<48, uint64(n)<<44))
	}
	check(wire.Addr{})
	require.Greater(t, found, 500)
	require.Nil(t, (&eni.Segment{}).Lookup(addrA))
}

func TestNeighborsTakeTimeToo(t *testing.T) {
	r := newRig(t)
	var at time.Duration
	r.b.respond = func([]byte) trace.Reason { at = r.engine.Now(); return trace.Delivered }
	require.Equal(t, trace.Delivered, r.a.send(macB, udp(addrA, addrB, 1, 53)))
	require.Equal(t, 100*time.Microsecond, at)
}

// road is a tunnel that is up or down, of which the interface is not told.
type road struct{ to dataplane.Node }

func (r *road) Intercept(*dataplane.Context, *wire.Packet) dataplane.Node { return r.to }

// hop is a Fixed node of the way to b.
type hop struct{ to dataplane.Node }

func (*hop) Name() string { return "hop" }

func (h *hop) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next {
	c.Fixed(h)
	return dataplane.To(h.to)
}

func TestTunnelsAreAskedOfEachPacket(t *testing.T) {
	r, tunnel := newRig(t), &road{}
	r.a.i.Groups = filter.NewGroups(nil, []filter.Rule{allow("0.0.0.0/0")}) // which tracks
	r.a.i.Tunnels, r.a.i.Router = []eni.Interceptor{tunnel}, &hop{&hop{r.b.i.In()}}
	for range 3 {
		require.Equal(t, trace.Delivered, r.a.send(routerMAC, udp(addrA, addrB, 1, 2)))
	}
	tunnel.to = blackBox{}
	require.Equal(t, trace.Lost, r.a.send(routerMAC, udp(addrA, addrB, 1, 2)), "the tunnel has come up")
}
