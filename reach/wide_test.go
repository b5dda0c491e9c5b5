package reach_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/world"
)

// spoke is a VPC with one instance, in whatever region.
func spoke(t *testing.T, w *world.World, name, region, cidr, subnet string) (*vpc.Subnet, *vpc.Instance) {
	t.Helper()
	r := w.Region(vpc.RegionConfig{Name: region})
	v, err := r.CreateVPC(cidr, vpc.VPCConfig{})
	require.NoError(t, err)
	s, err := v.CreateSubnet(subnet, vpc.SubnetConfig{})
	require.NoError(t, err)
	require.NoError(t, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name})
	require.NoError(t, err)
	return s, i
}

func TestBetweenRegions(t *testing.T) {
	t.Run("by a peering connection", func(t *testing.T) {
		w := world.New(world.Config{})
		a, _ := spoke(t, w, "east", "us-east-1", "10.1.0.0/16", "10.1.0.0/24")
		b, _ := spoke(t, w, "west", "us-west-1", "10.2.0.0/16", "10.2.0.0/24")
		c, err := peering.Create(a.VPC(), b.VPC(), peering.Config{})
		require.NoError(t, err)
		there := c.In(b.Region())
		require.NoError(t, there.Accept())
		require.NoError(t, a.VPC().MainRouteTable().CreateRoute("10.2.0.0/16", c))
		p := prober(t, w, reach.Config{})
		require.Equal(t, trace.NoRoute, p.Ask(reach.Spec{From: "east", To: "west"}).End(), "the answer has no way back")
		require.NoError(t, b.VPC().MainRouteTable().CreateRoute("10.1.0.0/16", there))
		require.Equal(t, "true reply ttl 255: answered ", line(p.Ask(reach.Spec{From: "east", To: "west"})))
	})
	t.Run("by transit gateways", func(t *testing.T) {
		w := world.New(world.Config{})
		a, _ := spoke(t, w, "east", "us-east-1", "10.1.0.0/16", "10.1.0.0/24")
		b, _ := spoke(t, w, "west", "us-west-1", "10.2.0.0/16", "10.2.0.0/24")
		var gateways []*tgw.TransitGateway
		for _, s := range []*vpc.Subnet{a, b} {
			g, err := tgw.Create(s.Region(), tgw.Config{})
			require.NoError(t, err)
			_, err = g.Attach(tgw.AttachmentConfig{}, s)
			require.NoError(t, err)
			require.NoError(t, s.VPC().MainRouteTable().CreateRoute("10.0.0.0/8", g))
			gateways = append(gateways, g)
		}
		to, err := tgw.Peer(gateways[0], gateways[1], tgw.PeeringConfig{})
		require.NoError(t, err)
		require.NoError(t, to.Other().Accept())
		p := prober(t, w, reach.Config{})
		require.Equal(t, trace.TransitNoRoute, p.Ask(reach.Spec{From: "east", To: "west"}).End(), "peers learn no routes from each other")
		require.NoError(t, gateways[0].DefaultRouteTable().CreateRoute("10.2.0.0/16", to))
		require.NoError(t, gateways[1].DefaultRouteTable().CreateRoute("10.1.0.0/16", to.Other()))
		require.Equal(t, "true reply ttl 253: answered ", line(p.Ask(reach.Spec{From: "east", To: "west"})))
	})
}

func TestIPv6(t *testing.T) {
	o := newOffice(t)
	_, err := o.vpc.AssociateAmazonIPv6()
	require.NoError(t, err)
	var six netip.Prefix
	for _, c := range o.vpc.CIDRs() {
		if c.Addr().Is6() {
			six = c
		}
	}
	for i, s := range []*vpctest.Subnet{o.public, o.private} {
		b := six.Addr().As16()
		b[7] = byte(i)
		require.NoError(t, s.AssociateIPv6(netip.PrefixFrom(netip.AddrFrom16(b), 64).String()))
	}
	for _, i := range []*vpc.Instance{o.web, o.app} {
		_, err := i.Interface().AssignIPv6(netip.Addr{})
		require.NoError(t, err)
	}
	web, app := o.web.Interface().IPv6()[0].String(), o.app.Interface().IPv6()[0].String()
	p := prober(t, o.World.World, reach.Config{})
	require.Equal(t, trace.GroupEgress, p.Ask(reach.Spec{From: "web", To: app}).End(), "rules are of one family")
	require.NoError(t, o.group.AuthorizeEgress(vpc.AllTraffic("::/0")))
	require.Equal(t, trace.GroupIngress, p.Ask(reach.Spec{From: "web", To: app}).End())
	v := p.Explain(reach.Spec{From: "web", To: app, Proto: "tcp", Port: 22})
	require.Len(t, v.Blockers, 1)
	require.Equal(t, "aws ec2 authorize-security-group-ingress --group-id "+o.group.ID()+" --ip-permissions 'IpProtocol=tcp,FromPort=22,ToPort=22,Ipv6Ranges=[{CidrIpv6="+web+"/128}]'", v.Blockers[0].Fix)
	require.NoError(t, o.group.AuthorizeIngress(vpc.AllTraffic("::/0")))
	for _, s := range []reach.Spec{{From: "web", To: app}, {From: "web", To: app, Proto: "tcp", Port: 22}, {From: web, To: app, Proto: "udp", Port: 53}} {
		require.EqualValues(t, 255, *p.Ask(s).ReplyTTL, "%s", s)
	}
	closed := prober(t, o.World.World, reach.Config{Closed: true})
	require.Equal(t, reach.Closed, closed.Ask(reach.Spec{From: web, To: app, Proto: "udp", Port: 53}).Observed)
	require.Equal(t, trace.NoRoute, p.Ask(reach.Spec{From: "web", To: "2001:db8::1"}).End())
	o.public.Route("::/0", o.vpc.InternetGateway())
	require.Equal(t, "true reply ttl <=255: answered ", line(p.Ask(reach.Spec{From: "web", To: "2001:db8::1"})))
	require.Equal(t, "true open ttl <=254: answered ", line(p.Ask(reach.Spec{From: "2001:db8::1", To: web, Proto: "tcp", Port: 80})))
	require.Contains(t, p.Ask(reach.Spec{From: "8.8.8.8", To: web}).Unknown, "family")
}

func TestAddressesOfThePlatform(t *testing.T) {
	o := newOffice(t)
	p := prober(t, o.World.World, reach.Config{})
	require.Equal(t, reach.Open, p.Ask(reach.Spec{From: "app", To: "169.254.169.254", Proto: "tcp", Port: 80}).Observed)
	r := p.Ask(reach.Spec{From: "app", To: "169.254.169.123", Proto: "udp", Port: 123})
	require.Equal(t, "169.254.169.123: the Amazon Time Sync Service is not modelled", r.Unknown)
	require.Nil(t, r.RoundTrip)
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: "app", To: "127.0.0.1"}).Observed)
	require.Equal(t, trace.LinkLocal, p.Ask(reach.Spec{From: "app", To: "169.254.1.1"}).End())
}

func TestSecondaryAddressesAndInterfaces(t *testing.T) {
	o := newOffice(t)
	second, err := o.app.Interface().AssignPrivateIP(netip.Addr{})
	require.NoError(t, err)
	p := prober(t, o.World.World, reach.Config{})
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: "web", To: second.String()}).Observed)
	r := p.Ask(reach.Spec{From: second.String(), To: "web"})
	require.Equal(t, reach.Reply, r.Observed)
	require.Equal(t, second, r.Request[0].First.Src.Netip(), "and it sends from it")
	n, err := o.public.CreateNetworkInterface(vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{o.group}})
	require.NoError(t, err)
	require.NoError(t, o.app.Attach(n))
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: "web", To: n.PrivateIP().String()}).Observed)
	inside := p.Ask(reach.Spec{From: "app", To: n.PrivateIP().String()})
	require.Equal(t, reach.Reply, inside.Observed)
	require.Empty(t, inside.Story, "another address of the same guest's")
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: "web", To: "app"}).Observed, "the name of an instance is its first interface")
}

func TestAStoppedGuestDoesNotAnswerItself(t *testing.T) {
	o := newOffice(t)
	own := reach.Spec{From: "web", To: o.web.Interface().PrivateIP().String()}
	p := prober(t, o.World.World, reach.Config{})
	require.Equal(t, "true reply ttl 255: delivered inside the guest: a packet for its own address does not leave it ", line(p.Ask(own)))
	require.NoError(t, o.web.Stop())
	require.Equal(t, trace.InstanceStopped, p.Ask(own).End())
}

func TestSizes(t *testing.T) {
	o := newOffice(t)
	g, err := tgw.Create(o.Region, tgw.Config{})
	require.NoError(t, err)
	far := o.branch(t)
	require.NoError(t, far.Interface().Groups()[0].AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	for _, s := range []*vpc.Subnet{o.private.Subnet, far.Interface().Subnet()} {
		_, err := g.Attach(tgw.AttachmentConfig{}, s)
		require.NoError(t, err)
	}
	o.private.Route("10.9.0.0/16", g)
	require.NoError(t, far.Interface().Subnet().VPC().MainRouteTable().CreateRoute("10.0.0.0/16", g))
	p := prober(t, o.World.World, reach.Config{})
	for _, row := range []struct {
		spec reach.Spec
		want string
	}{
		{reach.Spec{From: "app", To: "web", Size: 8900}, "true reply ttl 255: answered "},
		{reach.Spec{From: "app", To: "far", Size: 8472}, "true reply ttl 254: answered "},
		{reach.Spec{From: "app", To: "far", Size: 8473}, "false no-reply ttl -: too big for the next link, not to be fragmented SIM_TOO_BIG"},
		{reach.Spec{From: "app", To: "far", Proto: "udp", Port: 53, Size: 8473}, "false filtered ttl -: too big for the next link, not to be fragmented SIM_TOO_BIG"},
		{reach.Spec{From: "app", To: "far", Proto: "tcp", Port: 22}, "true open ttl 254: answered "},
		{reach.Spec{From: "app", To: "far", Proto: "tcp", Port: 22, Size: 8460}, "true open ttl 254: answered "},
		{reach.Spec{From: "app", To: "far", Proto: "tcp", Port: 22, Size: 8900}, "true open ttl 254: answered "}, // the gateway lowers the MSS
		{reach.Spec{From: "app", To: "8.8.8.8", Proto: "tcp", Port: 443, Size: 1400}, "true open ttl <=254: answered "},
	} {
		r := p.Ask(row.spec)
		require.Equal(t, row.want, line(r), "%+v", row.spec)
		if !r.Reachable() {
			require.Equal(t, "request", r.Direction)
			require.Equal(t, g.ID(), r.Where)
		}
	}
	require.Equal(t, `app -> far icmp of 70000 bytes: size 70000: expected 0 to 65000`, p.Ask(reach.Spec{From: "app", To: "far", Size: 70000}).Unknown)
}

func TestOneAddressInSeveralVPCs(t *testing.T) {
	o := newOffice(t)
	twin := o.VPC("10.0.0.0/16")
	s := twin.Subnet("10.0.1.0/24")
	two := o.launch(t, s, "app of the twin", false, o.newGroup(t, twin, "open", vpc.AllTraffic("10.0.0.0/8")))
	require.Equal(t, o.app.Interface().PrivateIP(), two.Interface().PrivateIP())
	p, app := prober(t, o.World.World, reach.Config{}), o.app.Interface().PrivateIP().String()
	r := p.Ask(reach.Spec{From: "web", To: app})
	require.Equal(t, reach.Reply, r.Observed, "the walk tells whom a packet reaches")
	require.Equal(t, o.app.Interface().ID(), r.Where)
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: app, To: app}).Observed, "either asks itself")

	r = p.Ask(reach.Spec{From: app, To: "10.0.0.5"})
	require.Nil(t, r.RoundTrip, "of two senders one reaches web and the other nobody")
	require.Len(t, r.Outcomes, 2)
	require.Contains(t, r.Unknown, "depends on the sender: 1 of 2 (app")
	require.False(t, p.Explain(reach.Spec{From: app, To: "10.0.0.5"}).Reachable)
	require.Equal(t, reach.NoReply, p.Ask(reach.Spec{From: app, To: "10.0.77.77"}).Observed, "both say so")
	require.NotEmpty(t, p.Explain(reach.Spec{From: app, To: "10.0.77.77"}).Blockers)
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: o.vpc.ID() + "/" + app, To: "web"}).Observed)
	require.NoError(t, two.Stop())
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: app, To: "web"}).Observed, "only one of them runs")
}
