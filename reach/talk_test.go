package reach_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// withoutErrors is an ACL that lets TCP and UDP through, and no ICMP in.
func withoutErrors(t *testing.T, v *vpctest.VPC) *vpc.NetworkACL {
	a, err := v.CreateNetworkACL(vpc.NetworkACLConfig{})
	require.NoError(t, err)
	all := netip.MustParsePrefix("0.0.0.0/0")
	for i, proto := range []int{6, 17} {
		require.NoError(t, a.CreateIngressEntry(vpc.ACLEntry{Number: 100 + i, Allow: true, Protocol: proto, ToPort: 65535, CIDR: all}))
	}
	require.NoError(t, a.CreateEgressEntry(vpc.ACLEntry{Number: 100, Allow: true, Protocol: -1, CIDR: all}))
	return a
}

// What the handshake passes may be too narrow for data: two hosts with jumbo frames meet
// by their public addresses, behind internet gateways of 1,500 bytes.
func TestDataFindsThePathMTU(t *testing.T) {
	for name, row := range map[string]struct {
		client, server bool // whose ACL drops the errors
		direction      string
	}{
		"errors tell both ends":   {},
		"the client is not told":  {client: true, direction: "request"},
		"the server is not told":  {server: true, direction: "reply"},
		"neither of them is told": {client: true, server: true, direction: "request"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			shop := o.VPC("10.5.0.0/16")
			s := shop.Subnet("10.5.0.0/24")
			s.Route("0.0.0.0/0", shop.InternetGateway())
			far := o.launch(t, s, "shop", true, o.newGroup(t, shop, "shop", vpc.TCPPort(443, "0.0.0.0/0")))
			if row.client {
				require.NoError(t, o.public.SetNetworkACL(withoutErrors(t, o.vpc)))
			}
			if row.server {
				require.NoError(t, s.SetNetworkACL(withoutErrors(t, shop)))
			}
			p := prober(t, o.World.World, reach.Config{})
			ask := reach.Spec{From: "web", To: far.Interface().PublicIP().String(), Proto: "tcp", Port: 443}
			require.Equal(t, reach.Open, p.Ask(ask).Observed, "the handshake is small")
			ask.Size = 8900
			r := p.Ask(ask)
			require.Equal(t, row.direction, r.Direction)
			if row.direction == "" {
				require.Equal(t, "true open ttl 254: answered ", line(r))
				return
			}
			require.Equal(t, "false no-reply ttl -: too big for the next link, not to be fragmented SIM_TOO_BIG", line(r))
			require.True(t, r.Connected)
		})
	}
}

// Between regions nobody tells, and nothing lowers the MSS.
func TestDataBetweenRegionsGetsLost(t *testing.T) {
	o := newOffice(t)
	west := o.World.World.Region(vpc.RegionConfig{Name: "us-west-1"})
	v := o.VPCIn(west, "10.7.0.0/16")
	s := v.Subnet("10.7.0.0/24")
	far := o.launch(t, s, "far", false, o.newGroup(t, v, "far", vpc.TCPPort(22, "10.0.0.0/8")))
	p, err := peering.Create(o.vpc.VPC, v.VPC, peering.Config{})
	require.NoError(t, err)
	require.NoError(t, p.In(west).Accept())
	o.private.Route("10.7.0.0/16", p)
	s.Route("10.0.0.0/16", p.In(west))
	ask := reach.Spec{From: "app", To: far.ID(), Proto: "tcp", Port: 22, Size: 8460}
	prober := prober(t, o.World.World, reach.Config{})
	require.Equal(t, "true open ttl 255: answered ", line(prober.Ask(ask)))
	ask.Size++
	r := prober.Ask(ask)
	require.Equal(t, trace.TooBig, r.End())
	require.True(t, r.Connected)
}

// Internet gateways cut, hosts put together; a NAT gateway carries fragments of UDP alone
// (VPC guide, "NAT gateway basics").
func TestFragments(t *testing.T) {
	o := newOffice(t)
	require.NoError(t, o.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	p := prober(t, o.World.World, reach.Config{})
	for _, row := range []struct {
		spec reach.Spec
		want string
	}{
		{reach.Spec{From: "web", To: "8.8.8.8", Size: 4000, Fragment: true}, "true reply ttl <=255: answered "},
		{reach.Spec{From: "web", To: "8.8.8.8", Proto: "udp", Port: 53, Size: 4000, Fragment: true}, "true open ttl <=255: answered "},
		{reach.Spec{From: "app", To: "8.8.8.8", Proto: "udp", Port: 53, Size: 4000, Fragment: true}, "true open ttl <=254: answered "},
		{reach.Spec{From: "app", To: "8.8.8.8", Size: 4000, Fragment: true}, "false no-reply ttl -: fragment not supported here SIM_FRAGMENT"},
		{reach.Spec{From: "app", To: "8.8.8.8", Size: 1400, Fragment: true}, "true reply ttl <=254: answered "},
		{reach.Spec{From: "app", To: "web", Size: 20000, Fragment: true}, "true reply ttl 255: answered "},
		{reach.Spec{From: "app", To: "web", Proto: "tcp", Port: 22, Size: 20000, Fragment: true}, "true open ttl 255: answered "},
	} {
		require.Equal(t, row.want, line(p.Ask(row.spec)), "%s", row.spec)
	}
	require.Equal(t, "app -> web icmp of 20000 bytes, in fragments", reach.Spec{From: "app", To: "web", Size: 20000, Fragment: true}.String())
}
