package main

import (
	"errors"
	"net/netip"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// address is what both the client and the web server have, in two VPCs.
var address = netip.MustParseAddr("10.64.0.10")

// variant is how VPC 1 is laid out.
type variant struct {
	name string
	// cidr is VPC 1's first CIDR; the second is 10.0.0.0/16.
	cidr string
	// replaces says that the ALB's subnet sends 10.64.0.0/24 to the transit gateway by
	// its local route, whose target is replaced; else by a route narrower than local.
	replaces bool
}

var (
	wide   = variant{name: "VPC 1 is 10.64.0.0/16", cidr: "10.64.0.0/16"}
	narrow = variant{name: "VPC 1 is 10.64.0.0/24", cidr: "10.64.0.0/24", replaces: true}
)

// lab is two VPCs with the same addresses, joined by a transit gateway.
type lab struct {
	world  *world.World
	region *vpc.Region
	pump   *netstack.Pump
	open   map[*vpc.VPC]*vpc.SecurityGroup

	vpc1, vpc2                             *vpc.VPC
	clients, translated, balanced, servers *vpc.Subnet
	tables                                 map[*vpc.Subnet]*vpc.RouteTable
	nat                                    *natgw.NATGateway
	gateway                                *tgw.TransitGateway
	near, far                              *tgw.Attachment
	alb                                    *balancer.LoadBalancer
	client, web                            *netstack.Guest
	refusal                                error // of the transit gateway as a target
}

// steps runs steps until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func build(v variant) (*lab, error) {
	l := &lab{world: world.New(world.Config{Seed: 4}), open: map[*vpc.VPC]*vpc.SecurityGroup{}, tables: map[*vpc.Subnet]*vpc.RouteTable{}}
	l.world.Trace()
	l.region = l.world.Region(vpc.RegionConfig{Name: "ap-northeast-3"})
	err := steps(
		func() error { return l.places(v) },
		l.join,
		func() error { return l.routes(v) },
		l.balance,
	)
	if err != nil {
		return nil, err
	}
	l.pump = netstack.NewPump(l.world.Engine, netstack.PumpConfig{})
	if err := l.guests(); err != nil {
		l.pump.Close()
		return nil, err
	}
	return l, nil
}

// places makes VPCs and subnets.
func (l *lab) places(v variant) (err error) {
	if l.vpc1, err = l.vpc("VPC 1", v.cidr); err != nil {
		return err
	}
	if l.vpc2, err = l.vpc("VPC 2", "10.64.0.0/16"); err != nil {
		return err
	}
	return steps(
		func() error { return l.vpc1.AssociateCIDR("10.0.0.0/16") },
		func() (err error) { l.clients, err = l.subnet(l.vpc1, "clients", "10.64.0.0/24"); return err },
		func() (err error) { l.translated, err = l.subnet(l.vpc1, "nat", "10.0.1.0/24"); return err },
		func() (err error) { l.balanced, err = l.subnet(l.vpc1, "alb", "10.0.2.0/24"); return err },
		func() (err error) { l.servers, err = l.subnet(l.vpc2, "servers", "10.64.0.0/24"); return err },
	)
}

// vpc makes a VPC and a security group that lets everything in.
func (l *lab) vpc(name, cidr string) (*vpc.VPC, error) {
	v, err := l.region.CreateVPC(cidr, vpc.VPCConfig{Name: name})
	if err != nil {
		return nil, err
	}
	l.open[v], err = v.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
	if err != nil {
		return nil, err
	}
	return v, l.open[v].AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0"))
}

// subnet makes a subnet with a route table of its own.
func (l *lab) subnet(v *vpc.VPC, name, cidr string) (*vpc.Subnet, error) {
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: name})
	if err != nil {
		return nil, err
	}
	if l.tables[s], err = v.CreateRouteTable(vpc.RouteTableConfig{Name: name}); err != nil {
		return nil, err
	}
	return s, l.tables[s].Associate(s)
}

// join makes the NAT gateway, and the transit gateway with its static routes: nothing
// is propagated.
func (l *lab) join() (err error) {
	if l.nat, err = natgw.Create(l.translated, natgw.Config{Name: "nat", Private: true}); err != nil {
		return err
	}
	if l.gateway, err = tgw.Create(l.region, tgw.Config{Name: "tgw", NoDefaultPropagation: true}); err != nil {
		return err
	}
	if l.near, err = l.gateway.Attach(tgw.AttachmentConfig{Name: "VPC 1"}, l.balanced); err != nil {
		return err
	}
	if l.far, err = l.gateway.Attach(tgw.AttachmentConfig{Name: "VPC 2"}, l.servers); err != nil {
		return err
	}
	t := l.gateway.DefaultRouteTable()
	return errors.Join(t.CreateRoute("10.64.0.0/24", l.far), t.CreateRoute("10.0.2.0/24", l.near))
}

// routes makes the routes that the addresses need: narrower than local, or in local's place.
func (l *lab) routes(v variant) error {
	door := l.near.Interfaces()[0]
	l.refusal = l.tables[l.balanced].CreateRoute("10.64.0.0/24", l.gateway)
	send := l.tables[l.balanced].CreateRoute
	if v.replaces {
		l.refusal = l.tables[l.balanced].ReplaceRoute("10.64.0.0/24", l.gateway)
		send = l.tables[l.balanced].ReplaceRoute
	}
	return errors.Join(
		l.tables[l.clients].CreateRoute("10.0.2.0/24", l.nat),
		send("10.64.0.0/24", door),
		l.tables[l.servers].CreateRoute("10.0.2.0/24", l.gateway),
	)
}

// balance makes the load balancer, whose one target is an address.
func (l *lab) balance() (err error) {
	l.alb, err = alb.Create(l.region, "front", alb.Config{Name: "alb", Subnets: []*vpc.Subnet{l.balanced}, Groups: []*vpc.SecurityGroup{l.open[l.vpc1]}})
	if err != nil {
		return err
	}
	g, err := balancer.CreateTargetGroup(l.region, "web", balancer.TargetGroupConfig{VPC: l.vpc1, Type: elbv2.TargetIP, Protocol: elbv2.HTTP})
	if err != nil {
		return err
	}
	if err := g.RegisterTargets(balancer.Target{ID: address.String()}); err != nil {
		return err
	}
	_, err = l.alb.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	return err
}

// guests starts the client and the web server.
func (l *lab) guests() (err error) {
	if l.client, err = l.guest(l.clients, "client"); err != nil {
		return err
	}
	l.web, err = l.guest(l.servers, "web")
	return err
}

func (l *lab) guest(s *vpc.Subnet, name string) (*netstack.Guest, error) {
	i, err := l.instance(s, name, address)
	if err != nil {
		return nil, err
	}
	return netstack.Boot(l.pump, l.world, i, netstack.Config{})
}

func (l *lab) instance(s *vpc.Subnet, name string, a netip.Addr) (i *vpc.Instance, err error) {
	l.pump.Do(func() {
		i, err = s.RunInstance(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{PrivateIP: a, Groups: []*vpc.SecurityGroup{l.open[s.VPC()]}}})
	})
	return i, err
}
