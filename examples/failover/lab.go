package main

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/health"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// appliance is what stands in the way.
type appliance string

const (
	forwarder  appliance = "forwarder"
	firewall   appliance = "firewall"
	translator appliance = "NAT"
)

// rules are an appliance's iptables commands.
func (a appliance) rules() []string {
	switch a {
	case firewall:
		return []string{
			"-P FORWARD DROP",
			"-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
			"-A FORWARD -s 10.0.1.0/24 -p tcp --syn -m conntrack --ctstate NEW -j ACCEPT",
			"-A FORWARD -s 10.0.1.0/24 -p icmp -m conntrack --ctstate NEW -j ACCEPT",
		}
	case translator:
		return []string{"-t nat -A POSTROUTING -s 10.0.1.0/24 -o eth1 -j MASQUERADE"}
	}
	return nil
}

// repair is what the controller does.
type repair string

const (
	moveInterface repair = "moves interface"
	replaceRoutes repair = "replaces routes"
)

const (
	clientNet, serverNet = "10.0.1.0/24", "10.0.3.0/24"

	lifeBefore = 10 * time.Second       // from the traffic's beginning to the death
	traffic    = 60 * time.Second       // how long pings and bytes are sent
	patience   = 20 * time.Minute       // until Linux gives up a connection that nobody answers
	beat       = 200 * time.Millisecond // between two pings, and two pieces of a connection
)

// lab is the network, its traffic and its controller.
type lab struct {
	plan            plan
	world           *vpctest.World
	active, standby *vpctest.Host
	client, server  *vpctest.Host
	serverAddr      wire.Addr
	service, spare  *vpc.NetworkInterface // the routes' target, the standby's own
	tables          [2]*vpc.RouteTable    // the client's, the server's

	check            *health.Check
	died, noticed    time.Duration
	repaired         time.Duration
	failure          error // of the repair
	upload, download stream
	pings            host.PingResult
}

// newLab makes four subnets: the management's, the client's, the appliances' and the
// server's.
func newLab(t vpctest.TB, p plan) (*lab, error) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	v.Tag("Name", "vpc")
	management, appliances := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.2.0/24")
	clients, servers := v.Subnet(clientNet), v.Subnet(serverNet)
	clients.NetworkACL().Tag("Name", "acl")
	v.MainRouteTable().Tag("Name", "main table")
	open, err := v.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
	if err != nil {
		return nil, err
	}
	if err := open.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/16")); err != nil {
		return nil, err
	}
	l := &lab{plan: p, world: w}
	launch := func(s *vpctest.Subnet, name, addr string, forwards bool) *vpctest.Host {
		return s.Launch(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{
			PrivateIP: netip.MustParseAddr(addr), Groups: []*vpc.SecurityGroup{open},
		}}, host.Config{Name: name, Forwarding: forwards})
	}
	nic := func(name, addr string) (*vpc.NetworkInterface, error) {
		return appliances.CreateNetworkInterface(vpc.NetworkInterfaceConfig{
			Name: name, PrivateIP: netip.MustParseAddr(addr), Groups: []*vpc.SecurityGroup{open}, DisableSourceDestCheck: true,
		})
	}
	l.client, l.server = launch(clients, "client", "10.0.1.10", false), launch(servers, "server", "10.0.3.10", false)
	l.serverAddr = wire.AddrFrom(l.server.Addr)
	l.active, l.standby = launch(management, "active", "10.0.0.11", true), launch(management, "standby", "10.0.0.12", true)
	monitor := launch(management, "monitor", "10.0.0.5", false)
	if l.service, err = nic("service", "10.0.2.20"); err != nil {
		return nil, err
	}
	if l.spare, err = nic("spare", "10.0.2.30"); err != nil {
		return nil, err
	}
	if err := errors.Join(l.setUp(l.active), l.setUp(l.standby), l.attach(l.active, l.service)); err != nil {
		return nil, err
	}
	if p.repair == replaceRoutes {
		if err := l.attach(l.standby, l.spare); err != nil {
			return nil, err
		}
	}
	clients.Route(serverNet, l.service)
	servers.Route(clientNet, l.service)
	l.tables = [2]*vpc.RouteTable{clients.RouteTable(), servers.RouteTable()}
	return l, l.control(monitor)
}

// setUp makes a guest an appliance: what it forwards goes by its second interface.
func (l *lab) setUp(h *vpctest.Host) error {
	h.RemoveRoute(netip.MustParsePrefix("0.0.0.0/0"), "eth0")
	for _, which := range []string{"all", "default"} { // else Linux would tell of a shorter way
		if err := h.Sysctl("net.ipv4.conf."+which+".send_redirects", "0"); err != nil {
			return err
		}
	}
	for _, rule := range l.plan.appliance.rules() {
		if _, err := h.IPTables(strings.Fields(rule)...); err != nil {
			return err
		}
	}
	return nil
}

// attach attaches an interface to an instance, and its guest finds it there.
func (l *lab) attach(h *vpctest.Host, n *vpc.NetworkInterface) error {
	if err := h.Instance.Attach(n); err != nil {
		return err
	}
	return l.world.Plug(h.Host, n)
}

// control starts the health checks and what they set off.
func (l *lab) control(monitor *vpctest.Host) (err error) {
	l.check, err = health.Start(l.world.Clock, health.Ping(monitor.Host, l.active.Addr), health.Config{
		Interval: time.Second, Timeout: time.Second, UnhealthyThreshold: 3,
		OnUnhealthy: func(error) {
			l.noticed = l.world.Clock.Now()
			l.failure = l.repair()
			l.repaired = l.world.Clock.Now()
			l.check.Stop()
		},
	})
	if l.plan.handover {
		l.world.Clock.Schedule(time.Second, clock.Func(l.tellStandby))
	}
	return err
}

// repair is the controller's answer to the death.
func (l *lab) repair() error {
	if l.plan.repair == replaceRoutes {
		return errors.Join(
			l.tables[0].ReplaceRoute(serverNet, l.spare),
			l.tables[1].ReplaceRoute(clientNet, l.spare),
		)
	}
	if err := l.active.Instance.Detach(l.service); err != nil {
		return err
	}
	l.world.Unplug(l.service)
	return l.attach(l.standby, l.service)
}

// tellStandby hands the active's connections to the standby, as conntrackd does, every
// second of the active's life.
func (l *lab) tellStandby() {
	now := l.world.Clock.Now()
	if l.died != 0 && now >= l.died {
		return
	}
	for _, s := range l.active.Netfilter().Sessions().All(now) {
		l.standby.Netfilter().Restore(s, now)
	}
	l.world.Clock.Schedule(time.Second, clock.Func(l.tellStandby))
}

// live has the traffic begin, the appliance die, and waits for the end.
func (l *lab) live() error {
	if err := errors.Join(l.upload.open(l, 5001, true), l.download.open(l, 5002, false)); err != nil {
		return err
	}
	l.world.Run(time.Second)
	l.client.StartPing(l.server.Addr, host.PingConfig{Count: int(traffic / beat), Interval: beat}, func(r host.PingResult) { l.pings = r })
	begin := l.world.Clock.Now()
	l.upload.start(l, begin)
	l.download.start(l, begin)
	l.died = begin + lifeBefore
	if _, err := fault.BeginAt(l.world.World, l.died, fault.InstanceDies{Instance: l.active.Instance}); err != nil {
		return err
	}
	l.world.Run(traffic + patience)
	return l.failure
}
