package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// build makes the VPC, both instances and the server.
func build() (*lab, error) {
	w := world.New(world.Config{Seed: 3})
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
	l := &lab{world: w, gateway: g}
	public, publicTable, err := subnet(v, "public", "10.0.0.0/24")
	if err != nil {
		return nil, err
	}
	private, privateTable, err := subnet(v, "private", "10.0.1.0/24")
	if err != nil {
		return nil, err
	}
	l.privateTable = privateTable
	if err := l.launch(v, public, private); err != nil {
		return nil, err
	}
	if err := errors.Join(
		publicTable.CreateRoute("0.0.0.0/0", g),
		privateTable.CreateRoute("0.0.0.0/0", l.nic),
	); err != nil {
		return nil, err
	}
	l.server, err = w.OnInternet(host.Config{Name: "server"}, serverAddr)
	return l, err
}

// launch starts the NAT instance, whose group lets the VPC in, and the private one.
func (l *lab) launch(v *vpc.VPC, public, private *vpc.Subnet) error {
	group, err := v.CreateSecurityGroup("nat", vpc.SecurityGroupConfig{})
	if err != nil {
		return err
	}
	if err := group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/16")); err != nil {
		return err
	}
	nat, err := public.RunInstance(vpc.InstanceConfig{Name: "nat", Interface: vpc.NetworkInterfaceConfig{
		PrivateIP: netip.MustParseAddr("10.0.0.5"), Groups: []*vpc.SecurityGroup{group}, DisableSourceDestCheck: true,
	}})
	if err != nil {
		return err
	}
	l.nic = nat.Interface()
	if l.eip, err = v.Region().AllocateAddress(vpc.AddressConfig{PublicIP: netip.MustParseAddr("203.0.113.5")}); err != nil {
		return err
	}
	if err := l.eip.Associate(l.nic); err != nil {
		return err
	}
	vm, err := private.RunInstance(vpc.InstanceConfig{Name: "vm", Interface: vpc.NetworkInterfaceConfig{
		PrivateIP: netip.MustParseAddr("10.0.1.10"),
	}})
	if err != nil {
		return err
	}
	if l.nat, err = l.world.Boot(nat, host.Config{Name: "nat"}); err != nil {
		return err
	}
	l.vm, err = l.world.Boot(vm, host.Config{Name: "vm"})
	return err
}

// setUp does what the stock script of a NAT instance does: the VPC's CIDR from the
// metadata service, forwarding on, redirects off, one rule.
func (l *lab) setUp(out io.Writer) error {
	sources := l.vpcCIDR(out)
	for _, s := range [][2]string{
		{"net.ipv4.ip_forward", "1"},
		{"net.ipv4.conf.eth0.send_redirects", "0"},
		{"net.ipv4.conf.all.send_redirects", "0"},
	} {
		fmt.Fprintf(out, "# sysctl -w %s=%s\n", s[0], s[1])
		if err := l.nat.Sysctl(s[0], s[1]); err != nil {
			return err
		}
	}
	rule := "-t nat -A POSTROUTING -o eth0 -s " + sources + " -j MASQUERADE"
	fmt.Fprintf(out, "# iptables %s\n", rule)
	_, err := l.nat.IPTables(strings.Fields(rule)...)
	return err
}

// vpcCIDR asks the instance metadata service for the VPC's CIDR by the MAC address
// of eth0; where it does not answer, the rule takes any source.
func (l *lab) vpcCIDR(out io.Writer) string {
	url := "http://169.254.169.254/latest/meta-data/network/interfaces/macs/" + l.nat.NIC("eth0").MAC().String() + "/vpc-ipv4-cidr-block"
	fmt.Fprintf(out, "# curl -s %s\n", url)
	answer, err := l.nat.HTTPGet(url)
	l.world.Run(time.Second) // until both ends have closed
	if err != nil || answer.StatusCode != http.StatusOK {
		return "0.0.0.0/0"
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "0.0.0.0/0"
	}
	fmt.Fprintf(out, "%s\n", body)
	return string(body)
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
