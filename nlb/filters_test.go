package nlb_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestSecurityGroupsOfTargetsSeeTheClient(t *testing.T) {
	n := newNet(t, options{plain: true})
	n.register(n.server("t", n.targets[0], vpc.TCPPort(8080, n.node(0).String()+"/32")), balancer.Healthy)
	n.refusedFor(trace.GroupIngress, n.client, 0)
	n.must(n.group.DeregisterTargets(n.target(n.servers[0])))
	n.register(n.server("u", n.targets[0], vpc.TCPPort(8080, n.client.Addr.String()+"/32")), balancer.Healthy)
	_, err := n.dial(n.client, 0)
	n.must(err)
	// The client's group is no help: references do not hold by a load balancer.
	n.must(n.group.DeregisterTargets(n.target(n.servers[1])))
	n.register(n.server("v", n.targets[0], vpc.Permission{Protocol: -1, Group: n.v.DefaultSecurityGroup()}), balancer.Healthy)
	n.refusedFor(trace.GroupReference, n.client, 0)
}

func TestSecurityGroupsOfALoadBalancer(t *testing.T) {
	m := newNet(t, options{plain: true})
	g, err := m.v.CreateSecurityGroup("balancer", vpc.SecurityGroupConfig{})
	m.must(err)
	m.must(g.AuthorizeIngress(vpc.TCPPort(80, m.client.Addr.String()+"/32")))
	m.must(m.listener.Delete(), m.l.Delete())
	m.l = mustCreate(m, g)
	m.listener, err = m.l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(m.group)}})
	m.must(err)
	m.register(m.server("t", m.targets[0], vpc.Permission{Protocol: -1, Group: g}), balancer.Healthy)
	c, err := m.dial(m.client, 0)
	m.must(err) // the target lets in what comes by the load balancer's group, though it sees the client
	m.echo(c)
	require.Equal(t, c.Local(), m.servers[0].peers[0])
	other := m.clients.Host("other")
	m.refusedFor(trace.GroupIngress, other, 0)
}

func TestNetworkACLsAreAskedOnTheWayBackToo(t *testing.T) {
	n := newNet(t, options{})
	deny := func(egress bool, s *vpc.Subnet, cidr string) *vpc.NetworkACL {
		acl, err := s.VPC().CreateNetworkACL(vpc.NetworkACLConfig{})
		n.must(err)
		entry := func(number int, cidr string, allow bool) vpc.ACLEntry {
			return vpc.ACLEntry{Number: number, Protocol: -1, CIDR: netip.MustParsePrefix(cidr), Allow: allow}
		}
		n.must(acl.CreateIngressEntry(entry(100, "0.0.0.0/0", true)), acl.CreateEgressEntry(entry(100, "0.0.0.0/0", true)))
		if egress {
			n.must(acl.CreateEgressEntry(entry(50, cidr, false)))
		} else {
			n.must(acl.CreateIngressEntry(entry(50, cidr, false)))
		}
		n.must(s.SetNetworkACL(acl))
		return acl
	}
	ends := func() (ends []trace.Reason) {
		_, err := n.dial(n.client, 0)
		require.Error(t, err)
		for _, w := range n.Trace().Walks()[:2] {
			ends = append(ends, w.End())
		}
		return ends
	}
	was := n.targets[0].Subnet
	deny(false, was, n.client.Addr.String()+"/32")
	require.Equal(t, trace.ACLIngress, ends()[0], "the target's subnet must let the client in")
	deny(true, was, n.client.Addr.String()+"/32")
	require.Equal(t, []trace.Reason{trace.Delivered, trace.ACLEgress}, ends(), "and the answer to it out")
	n.must(was.SetNetworkACL(n.v.DefaultNetworkACL()))
	deny(false, n.nodes[0].Subnet, n.servers[0].Addr.String()+"/32")
	require.Equal(t, []trace.Reason{trace.Delivered, trace.ACLIngress}, ends(), "the node's subnet must let the target in")
}

func mustCreate(n *net, g ...*vpc.SecurityGroup) *balancer.LoadBalancer {
	l, err := nlbCreate(n, g...)
	n.must(err)
	return l
}
