package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// zones are the region's three.
var zones = [3]string{"us-east-1a", "us-east-1b", "us-east-1c"}

// rules make an appliance a firewall that knows connections.
var rules = []string{
	"-P FORWARD DROP",
	"-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
	"-A FORWARD -s 10.1.0.0/16 -p icmp -m conntrack --ctstate NEW -j ACCEPT",
	"-A FORWARD -s 10.1.0.0/16 -p tcp --syn -m conntrack --ctstate NEW -j ACCEPT",
}

// lab is two spokes with a host in each zone, and a VPC with a firewall in each.
type lab struct {
	t          vpctest.TB
	world      *vpctest.World
	gateway    *tgw.TransitGateway
	clients    [3]*vpctest.Host
	servers    [3]*vpctest.Host
	firewalls  [3]string // names
	inspection *tgw.Attachment
}

// newLab builds it. Spokes send everything to the inspection VPC; what comes from there
// is routed by propagated routes.
func newLab(t vpctest.TB, appliance bool) (*lab, error) {
	l := &lab{t: t, world: vpctest.New(t)}
	var err error
	if l.gateway, err = tgw.Create(l.world.Region, tgw.Config{Name: "tgw", NoDefaultAssociation: true}); err != nil {
		return nil, err
	}
	spokes, err := l.gateway.CreateRouteTable(tgw.RouteTableConfig{Name: "spokes"})
	if err != nil {
		return nil, err
	}
	clients, err := l.spoke("client", "10.1", &l.clients)
	if err != nil {
		return nil, err
	}
	servers, err := l.spoke("server", "10.2", &l.servers)
	if err != nil {
		return nil, err
	}
	if err := l.inspect(appliance); err != nil {
		return nil, err
	}
	return l, errors.Join(
		spokes.Associate(clients), spokes.Associate(servers), spokes.CreateRoute("0.0.0.0/0", l.inspection),
		l.gateway.DefaultRouteTable().Associate(l.inspection))
}

// spoke makes a VPC with a host and an interface of the gateway in each zone.
func (l *lab) spoke(name, net string, hosts *[3]*vpctest.Host) (*tgw.Attachment, error) {
	v := l.world.VPC(net + ".0.0/16")
	if err := v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")); err != nil {
		return nil, err
	}
	var doors []*vpc.Subnet
	for i, zone := range zones {
		s := v.SubnetIn(zone, fmt.Sprintf("%s.%d.0/24", net, i))
		hosts[i] = s.Host(name + " in " + zone)
		doors = append(doors, v.SubnetIn(zone, fmt.Sprintf("%s.255.%d/28", net, 16*i)).Subnet)
	}
	a, err := l.gateway.Attach(tgw.AttachmentConfig{Name: name + "s"}, doors...)
	if err != nil {
		return nil, err
	}
	for _, h := range hosts {
		s := h.Interface.Subnet()
		table, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: "table of " + s.Label()})
		if err != nil {
			return nil, err
		}
		if err := errors.Join(table.Associate(s), table.CreateRoute("0.0.0.0/0", l.gateway)); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// inspect makes the inspection VPC: in each zone the gateway's interface in a subnet
// whose route leads to the firewall, and the firewall in one that leads back.
func (l *lab) inspect(appliance bool) error {
	v := l.world.VPC("10.3.0.0/16")
	if err := v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")); err != nil {
		return err
	}
	var doors []*vpctest.Subnet
	var plain []*vpc.Subnet
	for i, zone := range zones {
		doors = append(doors, v.SubnetIn(zone, fmt.Sprintf("10.3.255.%d/28", 16*i)))
		plain = append(plain, doors[i].Subnet)
	}
	var err error
	l.inspection, err = l.gateway.Attach(tgw.AttachmentConfig{Name: "inspection", ApplianceMode: appliance}, plain...)
	if err != nil {
		return err
	}
	for i, zone := range zones {
		s := v.SubnetIn(zone, fmt.Sprintf("10.3.%d.0/24", i))
		s.Route("0.0.0.0/0", l.gateway)
		l.firewalls[i] = "firewall in " + zone
		fw := s.Launch(
			vpc.InstanceConfig{Name: l.firewalls[i], Interface: vpc.NetworkInterfaceConfig{DisableSourceDestCheck: true}},
			host.Config{Name: l.firewalls[i], Forwarding: true})
		for _, which := range []string{"all", "default"} { // else Linux would tell of a shorter way
			if err := fw.Sysctl("net.ipv4.conf."+which+".send_redirects", "0"); err != nil {
				return err
			}
		}
		for _, rule := range rules {
			if _, err := fw.IPTables(strings.Fields(rule)...); err != nil {
				return err
			}
		}
		doors[i].Route("0.0.0.0/0", fw)
	}
	return nil
}

// cell is what became of one ping between two zones.
type cell struct {
	answered bool
	end      trace.Reason
	out      string // the firewall that saw the request
	back     string // the firewall that saw the reply
	story    trace.Story
}

// table pings from every zone to every zone.
func (l *lab) table() (all [3][3]cell) {
	for i, c := range l.clients {
		for j, s := range l.servers {
			o := c.Ping(s.Addr)
			all[i][j] = cell{o.Answered, o.End(), l.seen(o.Walks, c), l.seen(o.Walks, s), o.Walks}
		}
	}
	return all
}

// seen returns the zone of the firewall at which packets of the host came.
func (l *lab) seen(story trace.Story, from *vpctest.Host) string {
	for _, w := range story {
		if w.FromID != from.ID() {
			continue
		}
		for i, name := range l.firewalls {
			if slices.ContainsFunc(w.Steps, func(s trace.Step) bool { return s.Node == name+" in" }) {
				return zones[i]
			}
		}
	}
	return ""
}
