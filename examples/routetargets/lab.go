package main

import (
	"errors"
	"net/netip"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

const (
	vpcNet, serviceNet, appNet = "10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24"
	outside                    = "198.51.100.0/24"
)

// lab is S000's VPC: public subnets, an internet gateway, seven interfaces; and an app
// server and a user on the internet, between whom packets are pushed.
type lab struct {
	world    *world.World
	region   *vpc.Region
	gateway  *igw.InternetGateway
	services *vpc.Subnet
	routes   *vpc.RouteTable // of the app server's subnet
	edge     *vpc.RouteTable // of the internet gateway
	nat      *natgw.NATGateway
	kinds    []kind
	app      *vpc.NetworkInterface
	server   *host.Host // the app server's guest
	user     *host.Host
}

// kind is an interface of one kind.
type kind struct {
	of   string
	nic  *vpc.NetworkInterface
	port uint16 // at which it answers, 0 where it does not
}

func newLab(before2021 bool) (*lab, error) {
	w := world.New(world.Config{Seed: 5})
	w.Trace()
	l := &lab{world: w, region: w.Region(vpc.RegionConfig{Before2021: before2021})}
	v, err := l.region.CreateVPC(vpcNet, vpc.VPCConfig{Name: "vpc"})
	if err != nil {
		return nil, err
	}
	if l.gateway, err = igw.Create(l.region, igw.Config{Name: "igw"}); err != nil {
		return nil, err
	}
	if err := errors.Join(l.gateway.Attach(v), v.MainRouteTable().CreateRoute("0.0.0.0/0", l.gateway)); err != nil {
		return nil, err
	}
	if l.services, err = v.CreateSubnet(serviceNet, vpc.SubnetConfig{Name: "services"}); err != nil {
		return nil, err
	}
	apps, err := v.CreateSubnet(appNet, vpc.SubnetConfig{Name: "app"})
	if err != nil {
		return nil, err
	}
	if l.routes, err = v.CreateRouteTable(vpc.RouteTableConfig{Name: "app table"}); err != nil {
		return nil, err
	}
	if l.edge, err = v.CreateRouteTable(vpc.RouteTableConfig{Name: "gateway table"}); err != nil {
		return nil, err
	}
	if err := errors.Join(l.routes.Associate(apps), l.routes.CreateRoute("0.0.0.0/0", l.gateway), l.edge.AssociateGateway(l.gateway)); err != nil {
		return nil, err
	}
	open, err := v.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
	if err != nil {
		return nil, err
	}
	if err := open.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")); err != nil {
		return nil, err
	}
	groups := []*vpc.SecurityGroup{open}
	if err := errors.Join(open.Tag("Name", "open"), apps.NetworkACL().Tag("Name", "acl")); err != nil {
		return nil, err
	}
	return l, errors.Join(l.people(apps, groups), l.make(groups))
}

// people starts the app server, which has a public address, and the user.
func (l *lab) people(apps *vpc.Subnet, groups []*vpc.SecurityGroup) error {
	i, err := apps.RunInstance(vpc.InstanceConfig{Name: "app", AssociatePublicIP: true, Interface: vpc.NetworkInterfaceConfig{Groups: groups}})
	if err != nil {
		return err
	}
	l.app = i.Interface()
	if l.server, err = l.world.Boot(i, host.Config{}); err != nil {
		return err
	}
	if _, err := l.server.ListenTCP(netip.AddrPortFrom(l.app.PrivateIP(), 80), func(c *host.Conn) { c.Close() }); err != nil {
		return err
	}
	l.user, err = l.world.OnInternet(host.Config{Name: "user"}, netip.MustParseAddr("198.51.100.7"))
	return err
}

// make makes the seven interfaces, in S000's order. Each is a service's own, but for
// the sixth.
func (l *lab) make(groups []*vpc.SecurityGroup) error {
	in := []*vpc.Subnet{l.services}
	classic, e1 := clb.Create(l.region, "classic", clb.Config{Name: "classic", Subnets: in, Groups: groups})
	app, e2 := alb.Create(l.region, "web", alb.Config{Name: "web", Subnets: in, Groups: groups})
	network, e3 := nlb.Create(l.region, "net", nlb.Config{Name: "net", Subnets: in})
	db, e4 := rds.Create(l.services, "db", rds.Config{Name: "db", Groups: groups})
	eip, e5 := l.region.AllocateAddress(vpc.AddressConfig{})
	alone, e6 := l.services.CreateNetworkInterface(vpc.NetworkInterfaceConfig{Name: "unattached", Groups: groups, DisableSourceDestCheck: true})
	private, e7 := endpoint.CreateInterface("com.amazonaws.us-east-1.sqs", in, endpoint.Config{Name: "sqs", Groups: groups})
	if err := errors.Join(e1, e2, e3, e4, e5, e6, e7); err != nil {
		return err
	}
	err := l.listen(classic, app, network)
	if err != nil {
		return err
	}
	if l.nat, err = natgw.Create(l.services, natgw.Config{Name: "nat", Address: eip}); err != nil {
		return err
	}
	l.kinds = []kind{
		{"Classic LB", classic.Interfaces()[0], 80},
		{"Application LB", app.Interfaces()[0], 80},
		{"Network LB", network.Interfaces()[0], 80},
		{"RDS instance", db.Interface(), 3306},
		{"NAT gateway", l.nat.Interface(), 0},
		{"nothing", alone, 0},
		{"interface endpoint", private.Interfaces()[0], 443},
	}
	for _, k := range l.kinds {
		if k.port == 0 {
			continue
		}
		if err := k.nic.Tag("Name", k.of); err != nil {
			return err
		}
	}
	return l.serve(l.kinds[3])
}

// listen has the load balancers listen on port 80, the network one for the app server.
func (l *lab) listen(classic *clb.LoadBalancer, app *alb.LoadBalancer, network *nlb.LoadBalancer) error {
	err := clb.CreateListeners(classic, clb.Listener{Protocol: elbv2.TCP, Port: 80, InstancePort: 80})
	if err != nil {
		return err
	}
	v := l.services.VPC()
	sites, e1 := balancer.CreateTargetGroup(l.region, "sites", balancer.TargetGroupConfig{VPC: v, Protocol: elbv2.HTTP, Port: 80})
	servers, e2 := balancer.CreateTargetGroup(l.region, "servers", balancer.TargetGroupConfig{VPC: v, Type: elbv2.TargetIP, Protocol: elbv2.TCP, Port: 80})
	if err := errors.Join(e1, e2); err != nil {
		return err
	}
	_, e1 = app.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(sites)}})
	_, e2 = network.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(servers)}})
	return errors.Join(e1, e2, servers.RegisterTargets(balancer.Target{ID: l.app.PrivateIP().String()}))
}

// serve puts something behind a service's interface that answers on its port: Linux
// that forwards nothing.
func (l *lab) serve(k kind) error {
	h := host.New(l.world.Engine, host.Config{Name: k.of})
	if err := l.world.Plug(h, k.nic); err != nil {
		return err
	}
	_, err := h.ListenTCP(netip.AddrPortFrom(k.nic.PrivateIP(), k.port), func(c *host.Conn) { c.Close() })
	return err
}

// describe returns what describe-network-interfaces says of an interface.
func (l *lab) describe(n *vpc.NetworkInterface) (ec2.NetworkInterface, error) {
	for _, d := range l.region.DescribeNetworkInterfaces().NetworkInterfaces {
		if *d.NetworkInterfaceId == n.ID() {
			return d, nil
		}
	}
	return ec2.NetworkInterface{}, errors.New("interface " + n.ID() + " is not described")
}
