package main

import (
	"errors"
	"net/netip"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// build makes the VPC: the application's subnet, whose default route is the
// appliance, and the appliance's, whose default route is the internet gateway.
func build() (*lab, error) {
	w := world.New(world.Config{Seed: 1})
	r := w.Region(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{Name: "vpc"})
	if err != nil {
		return nil, err
	}
	g, err := igw.Create(r, igw.Config{Name: "igw"})
	if err != nil {
		return nil, err
	}
	if err := g.Attach(v); err != nil {
		return nil, err
	}
	l := &lab{world: w, vpc: v, gateway: g}
	app, appTable, err := subnet(v, "app", "10.0.1.0/24")
	if err != nil {
		return nil, err
	}
	appliance, applianceTable, err := subnet(v, "appliance", "10.0.2.0/24")
	if err != nil {
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
	server, err := l.launch(app, "server", "10.0.1.10", "203.0.113.10", vpc.NetworkInterfaceConfig{Groups: groups}, host.Config{})
	if err != nil {
		return nil, err
	}
	l.public = server.PublicIP()
	l.nic, err = l.launch(appliance, "firewall", "10.0.2.20", "203.0.113.20",
		vpc.NetworkInterfaceConfig{Groups: groups, DisableSourceDestCheck: true}, host.Config{Forwarding: true})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(appTable.CreateRoute("0.0.0.0/0", l.nic), applianceTable.CreateRoute("0.0.0.0/0", g)); err != nil {
		return nil, err
	}
	if l.user, err = w.OnInternet(host.Config{Name: "user"}, netip.MustParseAddr("198.51.100.7")); err != nil {
		return nil, err
	}
	return l, l.misfits(appliance)
}

// misfits makes what a gateway route table refuses: a NAT gateway, and a virtual
// private gateway whose routes might be propagated.
func (l *lab) misfits(s *vpc.Subnet) (err error) {
	if l.nat, err = natgw.Create(s, natgw.Config{Private: true}); err != nil {
		return err
	}
	if l.vpn, err = vgw.Create(s.Region(), vgw.Config{}); err != nil {
		return err
	}
	return l.vpn.Attach(l.vpc)
}

// launch starts an instance with an Elastic IP address.
func (l *lab) launch(s *vpc.Subnet, name, private, public string, nic vpc.NetworkInterfaceConfig, c host.Config) (*vpc.NetworkInterface, error) {
	nic.PrivateIP = netip.MustParseAddr(private)
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, Interface: nic})
	if err != nil {
		return nil, err
	}
	e, err := s.Region().AllocateAddress(vpc.AddressConfig{PublicIP: netip.MustParseAddr(public)})
	if err != nil {
		return nil, err
	}
	if err := e.Associate(i.Interface()); err != nil {
		return nil, err
	}
	h, err := l.world.Boot(i, c)
	if err != nil {
		return nil, err
	}
	if !c.Forwarding {
		l.server = h
		return i.Interface(), nil
	}
	l.appliance = h
	// One interface in and out: without this, Linux would tell senders of a shorter way.
	return i.Interface(), errors.Join(h.Sysctl("net.ipv4.conf.all.send_redirects", "0"), h.Sysctl("net.ipv4.conf.eth0.send_redirects", "0"))
}

// subnet makes a subnet with a route table of its own.
func subnet(v *vpc.VPC, name, cidr string) (*vpc.Subnet, *vpc.RouteTable, error) {
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{Name: name})
	if err != nil {
		return nil, nil, err
	}
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: name + " table"})
	if err != nil {
		return nil, nil, err
	}
	return s, t, t.Associate(s)
}
