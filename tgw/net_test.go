package tgw_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

const (
	zoneA = "us-east-1a"
	zoneB = "us-east-1b"
)

// net is a transit gateway and the VPCs around it.
type net struct {
	*vpctest.World
	t      *testing.T
	region *vpc.Region
	g      *tgw.TransitGateway
}

func newNet(t *testing.T, c tgw.Config) *net {
	t.Helper()
	n := &net{World: vpctest.New(t), t: t}
	n.region = n.Region
	c.Name = "tgw"
	var err error
	n.g, err = tgw.Create(n.Region, c)
	n.must(err)
	return n
}

func (n *net) must(errs ...error) {
	n.t.Helper()
	for _, err := range errs {
		require.NoError(n.t, err)
	}
}

// branch is a VPC with a host in one subnet and the attachment in another.
type branch struct {
	*vpctest.VPC
	name   string
	subnet *vpctest.Subnet
	door   *vpctest.Subnet
	host   *vpctest.Host
	attach *tgw.Attachment
}

// branch makes the VPC net.0.0/16, its host in net.0.0/24 and its attachment in
// net.255.0/28, both in the first zone, and routes everything to the gateway.
func (n *net) branch(name, of string) *branch {
	n.t.Helper()
	b := &branch{VPC: n.VPCIn(n.region, of+".0.0/16"), name: name}
	n.must(b.VPC.VPC.Tag("Name", name))
	b.subnet, b.door = b.Subnet(of+".0.0/24"), b.Subnet(of+".255.0/28")
	b.host = b.subnet.Host("host of " + name)
	b.host.Allow(vpc.AllTraffic("0.0.0.0/0"))
	b.attach = n.attach(tgw.AttachmentConfig{Name: name}, b.door)
	b.subnet.Route("0.0.0.0/0", n.g)
	return b
}

func (n *net) attach(c tgw.AttachmentConfig, subnets ...*vpctest.Subnet) *tgw.Attachment {
	n.t.Helper()
	plain := make([]*vpc.Subnet, len(subnets))
	for i, s := range subnets {
		plain[i] = s.Subnet
	}
	a, err := n.g.Attach(c, plain...)
	n.must(err)
	return a
}

func (n *net) table() *tgw.RouteTable { return n.g.DefaultRouteTable() }

// newPair is two branches that reach each other by propagated routes.
func newPair(t *testing.T) (n *net, a, b *branch) {
	t.Helper()
	n = newNet(t, tgw.Config{})
	return n, n.branch("a", "10.1"), n.branch("b", "10.2")
}

// acl gives a subnet an ACL that allows everything but what the two rules deny: a
// source inbound, a destination outbound; "" denies nothing.
func (n *net) acl(v *vpctest.VPC, s *vpctest.Subnet, in, out string) {
	n.t.Helper()
	acl, err := v.CreateNetworkACL(vpc.NetworkACLConfig{Name: "acl of " + s.Label()})
	n.must(err, s.SetNetworkACL(acl))
	all := func(cidr string, number int, allow bool) vpc.ACLEntry {
		p := vpc.AllTraffic(cidr)
		return vpc.ACLEntry{Number: number, Protocol: p.Protocol, CIDR: p.CIDR, Allow: allow}
	}
	n.must(acl.CreateIngressEntry(all("0.0.0.0/0", 100, true)), acl.CreateEgressEntry(all("0.0.0.0/0", 100, true)))
	if in != "" {
		n.must(acl.CreateIngressEntry(all(in, 50, false)))
	}
	if out != "" {
		n.must(acl.CreateEgressEntry(all(out, 50, false)))
	}
}
