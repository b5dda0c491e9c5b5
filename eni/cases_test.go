package eni_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// lab is a VPC with two instances in one subnet, brought to life.
type lab struct {
	t       testing.TB
	engine  *dataplane.Engine
	live    *vpc.Live
	vpc     *vpc.VPC
	subnet  *vpc.Subnet
	a, b    *vpc.NetworkInterface
	group   *vpc.SecurityGroup
	inbox   inbox
	service platform
}

// inbox is a guest that keeps its last frame.
type inbox struct {
	got  int
	last []byte
}

func (i *inbox) Frame(frame []byte) trace.Reason {
	i.got++
	i.last = append(i.last[:0], frame...)
	return trace.Delivered
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func newLab(t testing.TB) *lab {
	r := vpc.NewRegion(vpc.RegionConfig{})
	l := &lab{t: t, engine: &dataplane.Engine{Clock: &clock.Clock{}}}
	l.live = vpc.NewLive(r, l.engine, vpc.LiveConfig{Seed: 1})
	for _, a := range []string{"169.254.169.254", "169.254.169.253", "10.0.0.2"} {
		l.live.Serve(wire.MustParseAddr(a), &l.service)
	}
	l.vpc = must[*vpc.VPC](t)(r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{}))
	l.subnet = must[*vpc.Subnet](t)(l.vpc.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{}))
	l.group = must[*vpc.SecurityGroup](t)(l.vpc.CreateSecurityGroup("hosts", vpc.SecurityGroupConfig{}))
	require.NoError(t, l.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/16")))
	l.a = l.run("a", "10.0.0.10", "10.0.0.11")
	l.b = l.run("b", "10.0.0.20")
	l.live.Port(l.b).Plug(&l.inbox)
	return l
}

func (l *lab) run(name, ip string, secondary ...string) *vpc.NetworkInterface {
	c := vpc.NetworkInterfaceConfig{PrivateIP: netip.MustParseAddr(ip), Groups: []*vpc.SecurityGroup{l.group}}
	for _, s := range secondary {
		c.SecondaryIPs = append(c.SecondaryIPs, netip.MustParseAddr(s))
	}
	return must[*vpc.Instance](l.t)(l.subnet.RunInstance(vpc.InstanceConfig{Name: name, Interface: c})).Interface()
}

// send sends from a, to b's MAC address where the destination is b's, else to the router's.
func (l *lab) send(ip []byte) trace.Reason {
	to := l.live.Interface(l.a).Segment.Router
	var p wire.Packet
	require.NoError(l.t, p.Read(ip))
	if p.Flow.Dst == addrB {
		to = l.b.MAC()
	}
	return l.sendTo(to, ip)
}

func (l *lab) sendTo(mac wire.MAC, ip []byte) trace.Reason {
	end := l.live.Port(l.a).Send(frame(mac, l.a.MAC(), ip))
	for l.engine.Clock.Step() {
	}
	return end
}

// denyAll gives the subnet a network ACL without rules.
func (l *lab) denyAll() {
	require.NoError(l.t, l.subnet.SetNetworkACL(must[*vpc.NetworkACL](l.t)(l.vpc.CreateNetworkACL(vpc.NetworkACLConfig{}))))
}

func TestC099WithinASubnetNoNetworkACLIsAsked(t *testing.T) {
	t.Run("C099 the network ACL denies everything, and traffic flows", func(t *testing.T) {
		l := newLab(t)
		l.denyAll()
		ip := udp(addrA, addrB, 1, 53)
		require.Equal(t, trace.Delivered, l.send(ip), "to the neighbour's MAC address")
		require.Equal(t, trace.Delivered, l.sendTo(l.live.Interface(l.a).Segment.Router, ip), "to the router's")
		require.Equal(t, 2, l.inbox.got)
	})
	t.Run("C099 the security group denies, and it drops", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.group.RevokeIngress(l.group.Ingress()...))
		require.Equal(t, trace.GroupIngress, l.send(udp(addrA, addrB, 1, 53)))
		require.NoError(t, l.group.RevokeEgress(l.group.Egress()...))
		require.Equal(t, trace.GroupEgress, l.send(udp(addrA, addrB, 2, 53)))
		require.Zero(t, l.inbox.got)
	})
}

func TestC109ThePlatformAnswersWhateverGroupsAndACLsDeny(t *testing.T) {
	l := newLab(t)
	l.denyAll()
	require.NoError(t, l.group.RevokeIngress(l.group.Ingress()...))
	require.NoError(t, l.group.RevokeEgress(l.group.Egress()...))
	var in inbox
	l.live.Port(l.a).Plug(&in)
	for n, a := range []string{"10.0.0.2", "169.254.169.253", "169.254.169.254"} {
		t.Run("C109 "+a, func(t *testing.T) {
			service := wire.MustParseAddr(a)
			require.Equal(t, trace.Answered, l.send(udp(addrA, service, 1000, 53)))
			require.Equal(t, n+1, l.service.asked)
			require.Equal(t, frame(l.a.MAC(), l.live.Interface(l.a).Segment.Router, udp(service, addrA, 53, 1000)), in.last)
		})
	}
	require.Equal(t, trace.GroupEgress, l.send(udp(addrA, addrB, 1, 53)))
	require.Equal(t, trace.SourceCheck, l.send(udp(outside, imds, 1000, 80)), "source/dest check is asked all the same")
}

func TestC112SourceDestCheck(t *testing.T) {
	l := newLab(t)
	t.Run("C112 a foreign source is dropped on its way out", func(t *testing.T) {
		require.Equal(t, trace.SourceCheck, l.send(udp(wire.MustParseAddr("10.0.0.12"), addrB, 1, 53)))
	})
	t.Run("C112 a secondary address is a source of its own", func(t *testing.T) {
		require.Equal(t, trace.Delivered, l.send(udp(addrA2, addrB, 1, 53)))
	})
	t.Run("C112 a foreign destination is dropped on its way in", func(t *testing.T) {
		require.Equal(t, trace.DestinationCheck, l.sendTo(l.b.MAC(), udp(addrA, outside, 1, 53)))
	})
	t.Run("C112 with the check off both pass", func(t *testing.T) {
		require.NoError(t, l.a.SetSourceDestCheck(false))
		require.NoError(t, l.b.SetSourceDestCheck(false))
		require.Equal(t, trace.Delivered, l.send(udp(wire.MustParseAddr("10.0.0.12"), addrB, 1, 53)))
		require.Equal(t, trace.Delivered, l.sendTo(l.b.MAC(), udp(addrA, outside, 1, 53)))
	})
}

// minAllocs returns the fewest allocations of several runs of f: a collection of
// garbage elsewhere must not count.
func minAllocs(f func()) float64 {
	least := testing.AllocsPerRun(100, f)
	for range 20 {
		least = min(least, testing.AllocsPerRun(100, f))
	}
	return least
}

func TestAFrameOfAKnownFlowIsDeliveredWithoutAllocating(t *testing.T) {
	for name, log := range map[string]*trace.Log{"tracing off": nil, "tracing on, in the long run": {Limit: 8}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.engine.Log = log
			port, f := l.live.Port(l.a), frame(l.b.MAC(), l.a.MAC(), udp(addrA, addrB, 1, 53))
			port.Tap(func(_ time.Duration, _ bool, _ []byte) {})
			sent := 0
			require.Zero(t, minAllocs(func() {
				sent++
				require.Equal(t, trace.Delivered, port.Send(f))
				l.engine.Clock.Step()
			}))
			require.Equal(t, sent, l.inbox.got, "every frame was delivered")
			require.Equal(t, 1, l.live.Interface(l.b).Flows.Len(), "of one tracked flow")
		})
	}
}

func BenchmarkHostToHost(b *testing.B) {
	for _, c := range []struct {
		name string
		log  *trace.Log
	}{{"tracing off", nil}, {"traced into one walk", &trace.Log{Limit: 1}}, {"traced, the last 64 kept", &trace.Log{Limit: 64}}} {
		b.Run(c.name, func(b *testing.B) {
			l := newLab(b)
			l.engine.Log = c.log
			port, f := l.live.Port(l.a), frame(l.b.MAC(), l.a.MAC(), udp(addrA, addrB, 1, 53))
			b.ReportAllocs()
			sent := 0
			for b.Loop() {
				port.Send(f)
				l.engine.Clock.Step()
				sent++
			}
			require.Equal(b, sent, l.inbox.got)
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, c := range []struct {
		name string
		want bool
		addr wire.Addr
	}{{"hit", true, wire.MustParseAddr("10.0.0.77")}, {"miss", false, outside}, {"assigned prefix", true, wire.MustParseAddr("10.0.1.7")}} {
		b.Run(c.name, func(b *testing.B) {
			s := &eni.Segment{}
			for n := range uint32(250) {
				s.Add(&eni.Interface{Addrs: []wire.Addr{wire.AddrFromV4(10<<24 | n)}})
			}
			s.Add(&eni.Interface{Prefixes: []wire.Prefix{prefix("10.0.1.0/28")}})
			found := false
			for b.Loop() {
				found = s.Lookup(c.addr) != nil
			}
			require.Equal(b, c.want, found)
		})
	}
}
