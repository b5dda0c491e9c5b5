// Package vpctest builds networks in Go tests in few words. A call that AWS
// refuses fails the test with AWS's sentence; a packet that does not do what the
// test expects fails it with the packet's whole way.
//
//	func TestPrivateSubnetReachesInternet(t *testing.T) {
//		w := vpctest.New(t)
//		v := w.VPC("10.0.0.0/16")
//		public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
//		nat := public.NATGateway()
//		public.Route("0.0.0.0/0", v.InternetGateway())
//		private.Route("0.0.0.0/0", nat)
//		app, server := private.Host("app"), w.OnInternet("198.51.100.7")
//
//		app.Ping(server.Addr).OK(t)
//	}
//
// It is sugar over packages world, vpc and the gateways: every value here holds the
// real one, which has all calls.
//
// A network that is built so, or loaded from what the aws CLI printed of a real one
// ([Load]), is held to what is wanted of it by [Matrix] and [Intents]; [Golden] keeps who
// reaches whom in a file that reviews show.
package vpctest

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// World is a simulated world with one region, for one test. It keeps every walk.
type World struct {
	*world.World
	// Region is the world's region.
	Region *vpc.Region

	t   TB
	log *trace.Log
}

// New returns a world whose refusals fail t.
func New(t TB) *World {
	w := world.New(world.Config{Seed: 1})
	return &World{World: w, Region: w.Region(vpc.RegionConfig{}), t: t, log: w.Trace()}
}

// must fails the test with a refusal.
func must[T any](t TB, v T, err error) T {
	t.Helper()
	check(t, err)
	return v
}

func check(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
}

// VPC is a VPC of the test.
type VPC struct {
	*vpc.VPC
	world *World
	igw   *igw.InternetGateway
}

// VPC makes a VPC with one or more CIDRs.
func (w *World) VPC(cidr string, more ...string) *VPC {
	w.t.Helper()
	return w.VPCIn(w.Region, cidr, more...)
}

// VPCIn makes a VPC in a region of the world, such as one that World.World.Region made.
func (w *World) VPCIn(r *vpc.Region, cidr string, more ...string) *VPC {
	w.t.Helper()
	v, err := r.CreateVPC(cidr, vpc.VPCConfig{})
	check(w.t, err)
	for _, c := range more {
		check(w.t, v.AssociateCIDR(c))
	}
	return &VPC{VPC: v, world: w}
}

// InternetGateway returns the VPC's internet gateway, made and attached at first use.
func (v *VPC) InternetGateway() *igw.InternetGateway {
	v.world.t.Helper()
	if v.igw == nil {
		g, err := igw.Create(v.VPC.Region(), igw.Config{Name: "internet gateway"})
		v.igw = must(v.world.t, g, err)
		check(v.world.t, g.Attach(v.VPC))
	}
	return v.igw
}

// Subnet is a subnet of the test. It has a route table of its own from its first Route on.
type Subnet struct {
	*vpc.Subnet
	vpc   *VPC
	table *vpc.RouteTable
}

// Subnet makes a subnet in the region's first zone.
func (v *VPC) Subnet(cidr string) *Subnet {
	v.world.t.Helper()
	return v.SubnetIn("", cidr)
}

// SubnetIn makes a subnet in a zone, such as us-east-1b; "" is the region's first.
func (v *VPC) SubnetIn(zone, cidr string) *Subnet {
	v.world.t.Helper()
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: cidr, Zone: zone})
	return &Subnet{Subnet: must(v.world.t, s, err), vpc: v}
}

// SubnetOn makes a subnet on the Outpost with the ARN, in the region's first zone.
func (v *VPC) SubnetOn(outpost, cidr string) *Subnet {
	v.world.t.Helper()
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: cidr, Outpost: outpost})
	return &Subnet{Subnet: must(v.world.t, s, err), vpc: v}
}

// Around returns the VPC that holds the subnet, as one of the test.
func (s *Subnet) Around() *VPC { return s.vpc }

// Route adds a route to the subnet's own route table. A [Host] as the target stands
// for its interface.
func (s *Subnet) Route(destination string, target vpc.Target) {
	t := s.vpc.world.t
	t.Helper()
	if s.table == nil {
		table, err := s.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "table of " + s.Label()})
		s.table = must(t, table, err)
		check(t, table.Associate(s.Subnet))
	}
	check(t, s.table.CreateRoute(destination, plain(target)))
}

// plain returns the resource that a value of this package holds.
func plain(target vpc.Target) vpc.Target {
	switch x := target.(type) {
	case *Host:
		return x.Interface
	case *NATGateway:
		return x.NATGateway
	}
	return target
}

// EdgeRoute adds a route to the VPC's gateway route table, which it makes and
// associates with the internet gateway at first use.
func (v *VPC) EdgeRoute(destination string, target vpc.Target) {
	t := v.world.t
	t.Helper()
	g := v.InternetGateway()
	table := v.edgeTable()
	if table == nil {
		made, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: "edge"})
		table = must(t, made, err)
		check(t, table.AssociateGateway(g))
	}
	check(t, table.CreateRoute(destination, plain(target)))
}

func (v *VPC) edgeTable() *vpc.RouteTable { return v.GatewayRouteTable(v.igw) }

// NATGateway is a NAT gateway of the test.
type NATGateway struct {
	*natgw.NATGateway
	// PrivateAddr and PublicAddr are its addresses; PublicAddr is invalid of a
	// private one.
	PrivateAddr, PublicAddr netip.Addr
}

// NATGateway makes a public NAT gateway in the subnet. The VPC gets its internet
// gateway, which a public NAT gateway needs, if it has none yet.
func (s *Subnet) NATGateway() *NATGateway {
	s.vpc.world.t.Helper()
	s.vpc.InternetGateway()
	return s.natGateway(natgw.Config{Name: "NAT gateway in " + s.Label()})
}

// PrivateNATGateway makes a private NAT gateway in the subnet.
func (s *Subnet) PrivateNATGateway() *NATGateway {
	s.vpc.world.t.Helper()
	return s.natGateway(natgw.Config{Private: true, Name: "private NAT gateway in " + s.Label()})
}

func (s *Subnet) natGateway(c natgw.Config) *NATGateway {
	s.vpc.world.t.Helper()
	g, err := natgw.Create(s.Subnet, c)
	check(s.vpc.world.t, err)
	return &NATGateway{NATGateway: g, PrivateAddr: g.PrivateIP(), PublicAddr: g.PublicIP()}
}

// Host is a Linux guest of the test, in a subnet or on the internet.
type Host struct {
	*host.Host
	// Addr is its first address.
	Addr netip.Addr
	// Instance and Interface are nil of a host on the internet.
	Instance  *vpc.Instance
	Interface *vpc.NetworkInterface

	world *World
}

// ID returns the id of the host's interface, which makes a Host the target of a route.
func (h *Host) ID() string { return h.Interface.ID() }

// Host launches an instance in the subnet and boots Amazon Linux 2 on it.
func (s *Subnet) Host(name string) *Host {
	s.vpc.world.t.Helper()
	return s.Launch(vpc.InstanceConfig{Name: name}, host.Config{Name: name})
}

// PublicHost is Host with a public address.
func (s *Subnet) PublicHost(name string) *Host {
	s.vpc.world.t.Helper()
	s.vpc.InternetGateway()
	return s.Launch(vpc.InstanceConfig{Name: name, AssociatePublicIP: true}, host.Config{Name: name})
}

// Launch launches an instance in the subnet and boots a guest on it.
func (s *Subnet) Launch(i vpc.InstanceConfig, c host.Config) *Host {
	w := s.vpc.world
	w.t.Helper()
	instance, err := s.RunInstance(i)
	check(w.t, err)
	h, err := w.Boot(instance, c)
	check(w.t, err)
	n := instance.Interface()
	return &Host{Host: h, Addr: n.PrivateIP(), Instance: instance, Interface: n, world: w}
}

// PublicAddr returns the host's public address, invalid where it has none.
func (h *Host) PublicAddr() netip.Addr {
	if h.Interface == nil {
		return h.Addr
	}
	return h.Interface.PublicIP()
}

// Allow adds ingress rules to the host's first security group, its VPC's default
// group where it was launched with no other.
func (h *Host) Allow(rules ...vpc.Permission) {
	h.world.t.Helper()
	check(h.world.t, h.Interface.Groups()[0].AuthorizeIngress(rules...))
}

// OnInternet starts a host on the internet.
func (w *World) OnInternet(addr string) *Host {
	w.t.Helper()
	a, err := netip.ParseAddr(addr)
	check(w.t, err)
	h, err := w.World.OnInternet(host.Config{Name: "internet host " + addr}, a)
	return &Host{Host: must(w.t, h, err), Addr: a, world: w}
}

// Outcome is what became of a packet that a test sent and of its answer.
type Outcome struct {
	// Answered says whether the answer came back.
	Answered bool
	// Walks are the packet's walk and those that it caused, answers included.
	Walks trace.Story

	what string
	sent trace.Reason // what became of the request where no walk began
}

// Ping sends one echo request and waits for the reply. It ends the test where dst is no
// address, as the PublicAddr of a host without one.
func (h *Host) Ping(dst netip.Addr) *Outcome {
	h.world.t.Helper()
	if !dst.IsValid() {
		h.world.t.Fatalf("%s pings %q, expected an address", h.Name(), dst)
		return &Outcome{}
	}
	before := len(h.world.log.Walks())
	r := h.Host.Ping(dst, host.PingConfig{Count: 1})
	o := &Outcome{Answered: r.Received > 0, what: h.Name() + " pings " + dst.String(), sent: r.Sent}
	if walks := h.world.log.Walks(); len(walks) > before {
		o.Walks = h.world.log.Story(walks[before].ID)
	}
	return o
}

// End returns why the story ended: the first drop, else what became of its last
// packet. Where no packet left the host it is what became of it there.
func (o *Outcome) End() trace.Reason {
	if len(o.Walks) == 0 {
		return o.sent
	}
	return o.Walks.End()
}

// OK ends the test, with the packets' whole way, where no answer came.
func (o *Outcome) OK(t TB) {
	t.Helper()
	if !o.Answered {
		t.Fatalf("%s: no answer: %s\n%s", o.what, o.End(), o.Walks)
	}
}

// Dropped ends the test where an answer came, or where none came for another
// reason than the one expected.
func (o *Outcome) Dropped(t TB, want trace.Reason) {
	t.Helper()
	switch {
	case o.Answered:
		t.Fatalf("%s: answered, expected a drop: %s\n%s", o.what, want, o.Walks)
	case o.End() != want:
		t.Fatalf("%s: dropped: %s, expected: %s\n%s", o.what, o.End(), want, o.Walks)
	}
}
