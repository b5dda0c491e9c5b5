package fidelity_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// soak is many connections from clients in two zones through a private NAT gateway, a
// transit gateway and a Network Load Balancer to targets in two zones of another VPC.
type soak struct {
	*net
	far      *net
	clients  []*guest
	targets  []*guest
	table    *vpc.RouteTable // the clients'
	nat      *natgw.NATGateway
	lb       *balancer.LoadBalancer
	group    *balancer.TargetGroup
	listener *balancer.Listener
	done     []outcome
	ends     map[trace.Reason]int
}

// outcome is what became of a connection.
type outcome struct {
	begun, ended time.Duration
	answer       string
	err          error
}

const (
	soakZoneA = "ap-northeast-3a"
	soakZoneB = "ap-northeast-3b"
)

// place makes a subnet in a zone; it has the table, or one of its own.
func (n *net) place(name, zone, cidr string, table *vpc.RouteTable) *subnet {
	n.t.Helper()
	s, err := n.vpc.CreateSubnet(cidr, vpc.SubnetConfig{Name: name, Zone: zone})
	n.must(err)
	if table == nil {
		table, err = n.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: name + " table"})
		n.must(err)
	}
	n.must(table.Associate(s))
	return &subnet{s, n, table}
}

func newSoak(t *testing.T) *soak {
	s := &soak{net: newNet(t, ""), ends: map[trace.Reason]int{}}
	s.far, _ = s.second("10.1.0.0/16", "10.1.250.0/24")
	gate, err := tgw.Create(s.region, tgw.Config{Name: "tgw"})
	s.must(err)
	near := s.place("near door a", soakZoneA, "10.0.255.0/28", nil)
	farA, farB := s.far.place("far door a", soakZoneA, "10.1.255.0/28", nil), s.far.place("far door b", soakZoneB, "10.1.255.16/28", nil)
	_, err = gate.Attach(tgw.AttachmentConfig{Name: "near"}, near.Subnet)
	s.must(err)
	_, err = gate.Attach(tgw.AttachmentConfig{Name: "far"}, farA.Subnet, farB.Subnet)
	s.must(err)
	out := s.place("nat", soakZoneA, "10.0.2.0/24", nil).route("10.1.0.0/16", gate)
	s.nat = out.natGateway(natgw.Config{Private: true})
	a := s.place("clients a", soakZoneA, "10.0.0.0/24", nil).route("10.1.0.0/16", s.nat)
	s.table = a.table
	b := s.place("clients b", soakZoneB, "10.0.1.0/24", s.table)
	for i := range 6 {
		s.clients = append(s.clients, []*subnet{a, b}[i%2].launch(fmt.Sprintf("client %d", i), machine{}))
	}
	s.balance(gate)
	s.Engine.Log = nil
	s.Engine.Ended = func(end trace.Reason, _ string, _ wire.Flow) { s.ends[end]++ }
	return s
}

// balance makes the load balancer with nodes and targets in both zones, cross-zone on.
func (s *soak) balance(gate *tgw.TransitGateway) {
	s.t.Helper()
	nodes := []*vpc.Subnet{
		s.far.place("node a", soakZoneA, "10.1.10.0/24", nil).route("10.0.0.0/16", gate).Subnet,
		s.far.place("node b", soakZoneB, "10.1.11.0/24", nil).route("10.0.0.0/16", gate).Subnet,
	}
	var err error
	s.lb, err = nlb.Create(s.region, "web", balancer.Config{Name: "nlb", Subnets: nodes})
	s.must(err, s.lb.SetAttribute("load_balancing.cross_zone.enabled", "true"))
	s.group, err = balancer.CreateTargetGroup(s.region, "web", balancer.TargetGroupConfig{VPC: s.far.vpc, Type: elbv2.TargetIP, Protocol: elbv2.TCP, Port: 8080})
	s.must(err)
	for i, zone := range []string{soakZoneA, soakZoneB, soakZoneA} {
		sub := s.far.place("targets of "+zone, zone, fmt.Sprintf("10.1.%d.0/24", 20+i), nil)
		x := sub.launch(fmt.Sprintf("target %d", i), machine{})
		_, err := x.ListenTCP(netip.AddrPortFrom(netip.IPv4Unspecified(), 8080), func(c *host.Conn) {
			c.OnReadable(func(c *host.Conn) {
				if b := c.Next(); len(b) > 0 {
					c.Write(b)
					c.Close()
				}
			})
		})
		s.must(err, s.group.RegisterTargets(target(x)), s.group.SetHealth(target(x), balancer.Healthy))
		s.targets = append(s.targets, x)
	}
	s.listener, err = s.lb.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(s.group)}})
	s.must(err)
}

func target(g *guest) balancer.Target { return balancer.Target{ID: g.addr.String()} }

// at has f called at an instant.
func (s *soak) at(when time.Duration, f func()) { s.Clock.Schedule(when-s.Clock.Now(), call(f)) }

// call is an event.
type call func()

// Run calls it.
func (c call) Run() { c() }

// connect begins the n-th connection: it sends a line and waits for the same.
func (s *soak) connect(n int) {
	o := &s.done[n]
	o.begun = s.Clock.Now()
	end := func(err error) {
		if o.ended == 0 {
			o.ended, o.err = s.Clock.Now(), err
		}
	}
	node := s.lb.Interfaces()[n/2%2].PrivateIP()
	s.clients[n%len(s.clients)].StartDial(netip.AddrPortFrom(node, 80), func(c *host.Conn, err error) {
		if err != nil {
			end(err)
			return
		}
		line := fmt.Sprintf("line %d", n)
		c.OnReadable(func(c *host.Conn) {
			o.answer += string(c.Next())
			if o.answer == line {
				end(nil)
				c.Close()
			} else if c.Ended() {
				end(c.Err())
			}
		})
		if n%10 == 0 { // it has nothing to say at first
			s.at(s.Clock.Now()+30*time.Second, func() { c.Write([]byte(line)) })
			return
		}
		c.Write([]byte(line))
	})
}

// open begins all connections within four minutes.
func (s *soak) open() {
	now := s.Clock.Now()
	for n := range s.done {
		s.at(now+4*time.Minute*time.Duration(n)/time.Duration(len(s.done)), func() { s.connect(n) })
	}
}

// faults are what goes wrong, and until when it can be felt: TCP's retransmissions
// come after up to twice the outage.
func (s *soak) faults() (windows [][2]time.Duration) {
	begin := func(f fault.Fault, at, until time.Duration) {
		o, err := fault.BeginAt(s.World, at, f)
		s.must(err, o.HealAt(until))
		windows = append(windows, [2]time.Duration{at, until})
	}
	begin(fault.ZoneCutOff{Region: s.region, Zone: soakZoneB}, 20*time.Second, 40*time.Second)
	begin(fault.InstanceDies{Instance: s.targets[0].instance}, 90*time.Second, time.Hour)
	s.at(95*time.Second, func() { s.must(s.group.SetHealth(target(s.targets[0]), balancer.Unhealthy)) })
	s.at(time.Hour, func() { s.must(s.group.SetHealth(target(s.targets[0]), balancer.Healthy)) })
	dead := s.dead()
	s.at(160*time.Second, func() { s.must(s.table.ReplaceRoute("10.1.0.0/16", dead)) })
	s.at(170*time.Second, func() { s.must(s.table.ReplaceRoute("10.1.0.0/16", s.nat)) })
	return append(windows, [2]time.Duration{160 * time.Second, 170 * time.Second})
}

func TestEveryConnectionOfASoakEndsAndNothingIsLeft(t *testing.T) {
	connections := 10_000
	if testing.Short() {
		connections = 1_000
	}
	goroutines := runtime.NumGoroutine()
	s := newSoak(t)
	s.done = make([]outcome, connections)
	windows := s.faults()
	s.open()
	s.Run(2 * time.Hour)

	answered, failed := 0, 0
	for n, o := range s.done {
		require.NotZero(t, o.ended, "connection %d, begun at %s, has no end", n, o.begun)
		if o.err == nil {
			require.Equal(t, fmt.Sprintf("line %d", n), o.answer)
			answered++
			continue
		}
		failed++
		touched := slices.ContainsFunc(windows, func(w [2]time.Duration) bool { return o.begun < w[1] && o.ended > w[0] })
		require.True(t, touched, "connection %d failed (%v) from %s to %s, and nothing was wrong", n, o.err, o.begun, o.ended)
	}
	t.Logf("%d answered, %d failed; ends of packets: %v", answered, failed, s.ends)
	require.Greater(t, answered, connections*8/10)
	require.Positive(t, failed, "who was connected to the dead target has no answer")
	require.Positive(t, s.ends[trace.Lost], "the faults were felt")
	require.Positive(t, s.ends[trace.Blackhole], "and the route")
	for end := range s.ends {
		require.Contains(t, trace.Reasons(), end)
	}
	s.nothingLeft(goroutines)
}

// nothingLeft lets the longest timeout of connection tracking pass, five days, and
// holds that nobody remembers anything. A tracker keeps dead flows until their places
// are needed: as many connections once more find theirs there.
func (s *soak) nothingLeft(goroutines int) {
	t, live := s.t, s.Live(s.region)
	before := s.tracked()
	s.Run(432_000*time.Second + time.Hour)
	require.Zero(t, s.nat.Counters(live).ActiveConnectionCount, "sessions of the NAT gateway")
	for _, n := range s.lb.Interfaces() {
		for id := range nlb.FlowsAt(live, s.listener, n).All(s.Clock.Now()) {
			t.Errorf("the load balancer remembers flow %v", id)
		}
	}
	_, busy := s.Clock.Next()
	require.False(t, busy, "nothing is under way: no packet, no timer")
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
	s.open()
	s.Run(2 * time.Hour)
	require.Less(t, float64(s.tracked()), 1.5*float64(before), "a tracker that forgets nothing would have twice as many flows")
}

// tracked returns how many flows the trackers of all guests hold.
func (s *soak) tracked() (n int) {
	for _, g := range append(slices.Clone(s.clients), s.targets...) {
		n += s.Live(s.region).Interface(g.nic).Flows.Len()
	}
	return n
}
