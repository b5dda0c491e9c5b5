package intent_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// estate is two web servers, of which the second lacks the rule for port 443, an
// application behind a NAT gateway, and a host with IPv6 that is open to the world.
func estate(t *testing.T) *vpctest.World {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	p, err := v.AssociateAmazonIPv6()
	require.NoError(t, err)
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	require.NoError(t, public.AssociateIPv6(netip.PrefixFrom(p.Addr(), 64).String()))
	nat := public.NATGateway()
	require.NoError(t, nat.Tag("Name", "nat-a"))
	public.Route("0.0.0.0/0", v.InternetGateway())
	public.Route("::/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	groups := 0
	host := func(s *vpctest.Subnet, name string, public bool, n int, in ...vpc.Permission) {
		groups++
		g, err := v.CreateSecurityGroup(fmt.Sprint("group ", groups), vpc.SecurityGroupConfig{})
		require.NoError(t, err)
		require.NoError(t, g.AuthorizeIngress(in...))
		_, err = s.RunInstance(vpc.InstanceConfig{Name: name, AssociatePublicIP: public, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{g}, IPv6Count: n}})
		require.NoError(t, err)
	}
	host(public, "web", true, 0, vpc.TCPPort(443, "0.0.0.0/0"), vpc.UDPPort(514, "10.0.0.0/16"))
	host(public, "web", true, 0, vpc.TCPPort(80, "0.0.0.0/0"))
	host(private, "app", false, 0, vpc.TCPPort(8080, "10.0.0.0/24"))
	host(public, "six", false, 1, vpc.TCPPort(22, "::/0"))
	return w
}

func TestCheck(t *testing.T) {
	w := estate(t)
	var lines []intent.Line
	want := map[string]string{
		"web -> app tcp/8080 reachable":                    "holds",
		"app -> web tcp/443 reachable":                     "fails: filtered: no security group ingress rule allows it at eni-",
		"web -> app tcp/8000-9000 reachable":               "fails: filtered: no security group ingress rule allows it at eni-",
		"web -> app tcp/8000-9000 blocked":                 "fails: open, want blocked",
		"web -> app icmp blocked":                          "holds",
		"app -> web any blocked by ENI_SG_RULES_MISMATCH":  "fails: open, want blocked",
		"web -> app udp blocked by ENI_SG_RULES_MISMATCH":  "holds",
		"web -> app udp blocked by SUBNET_ACL_RESTRICTION": "fails: blocked by ENI_SG_RULES_MISMATCH, want blocked by SUBNET_ACL_RESTRICTION",
		"internet -> app any blocked":                      "holds",
		"internet -> six any blocked":                      "fails: open, want blocked",
		"internet -> six tcp/23 blocked":                   "holds",
		"app -> internet tcp/443 reachable via nat-a":      "holds",
		"app -> internet via nat-a":                        "holds",
		"web -> internet tcp/443 reachable via nat-a":      "fails: reachable, but not via nat-a",
		"internet -> app via nat-a":                        "fails: nothing gets through, want some that passes nat-a",
		"10.0.0.0/24 -> app tcp/8080 reachable":            "holds",
		"10.0.1.4 -> 8.8.8.8 icmp reachable":               "holds",
		"app -> app icmp reachable":                        "holds",
		"nobody -> app icmp blocked":                       `unknown: "nobody": nothing in the network with an address is called so`,
		"app -> web icmp blocked":                          "holds",
		"10.9.0.0/16 -> app icmp blocked":                  "unknown: 10.9.0.0/16: no interface of the network has an address in it",
		"app -> internet via nobody":                       "unknown: nobody: nothing in the network is called so",
		"10.9.9.9 -> app icmp blocked":                     "unknown: unknown: 10.9.9.9: no interface of the network has the address",
		"0.0.0.0/0 -> app tcp/22 blocked":                  "holds",
		"0.0.0.0/0 -> six tcp/22 blocked":                  "holds",
		"::/0 -> six tcp/22 blocked":                       "fails: open, want blocked",
		"app -> 8.8.8.8/32 tcp/443 reachable":              "holds",
		"app -> 2001:db8::1 icmp reachable":                "unknown: no address of the one end has the family of one of the other",
	}
	for text := range want {
		i, err := intent.ParseLine(text)
		require.NoError(t, err, text)
		lines = append(lines, intent.Line{Number: len(lines) + 1, Intent: &i})
	}
	out, err := intent.CheckAll(w.World, lines, reach.Config{})
	require.NoError(t, err)
	for i, o := range out {
		text := lines[i].Intent.String()
		got := string(o.Verdict)
		if o.Why != "" {
			got += ": " + o.Why
		}
		require.True(t, strings.HasPrefix(got, want[text]), "%s\n got  %s\n want %s", text, got, want[text])
		require.Equal(t, o.Verdict == intent.Holds, o.Bad == 0 && o.Pairs > 0, text)
	}
}

// TestOnePortSpeaksForItsRun asks every port of two protocols between two hosts, and
// compares with what the runs say.
func TestOnePortSpeaksForItsRun(t *testing.T) {
	w := estate(t)
	p, err := reach.New(w.World, reach.Config{})
	require.NoError(t, err)
	c := intent.NewChecker(p, intent.NewNames(w.Region), intent.NewPorts(nil, w.Region))
	open := func(from, to int) bool {
		i := intent.Intent{From: intent.Endpoint{Name: "10.0.0.5"}, To: intent.Endpoint{Name: "app"}, Reachable: true,
			Traffic: intent.Traffic{Protocol: intent.TCP, First: uint16(from), Last: uint16(to)}}
		return c.Check(intent.Line{Intent: &i}).Verdict == intent.Holds
	}
	for port := 1; port <= 65535; port += 97 {
		require.Equal(t, port == 8080, open(port, port), "%d", port)
	}
	require.True(t, open(8080, 8080))
	require.False(t, open(8079, 8080))
	require.False(t, open(8080, 8081))
}

func TestAClosedPortIsReachable(t *testing.T) {
	w := estate(t)
	i, err := intent.ParseLine("web -> app tcp/8080 reachable")
	require.NoError(t, err)
	out, err := intent.CheckAll(w.World, []intent.Line{{Intent: &i}}, reach.Config{Closed: true})
	require.NoError(t, err)
	require.Equal(t, intent.Holds, out[0].Verdict)
	require.Equal(t, reach.Closed, out[0].Result.Observed)
}

func TestListenersPortsAreAskedForThemselves(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	s := v.Subnet("10.0.0.0/24")
	s.Route("0.0.0.0/0", v.InternetGateway())
	l, err := nlb.Create(w.Region, "front", balancer.Config{Name: "front", Subnets: []*vpc.Subnet{s.Subnet}, InternetFacing: true})
	require.NoError(t, err)
	g, err := balancer.CreateTargetGroup(w.Region, "front", balancer.TargetGroupConfig{VPC: v.VPC, Protocol: elbv2.TCP, Port: 80})
	require.NoError(t, err)
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 7777, Actions: []balancer.Action{balancer.Forward(g)}})
	require.NoError(t, err)
	group, err := v.CreateSecurityGroup("web", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, group.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
	i, err := s.RunInstance(vpc.InstanceConfig{Name: "web", Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{group}}})
	require.NoError(t, err)
	target := balancer.Target{ID: i.ID()}
	require.NoError(t, g.RegisterTargets(target))
	require.NoError(t, g.SetHealth(target, balancer.Healthy))
	w.Run(time.Hour)

	blocked, err := intent.ParseLine("internet -> front tcp blocked")
	require.NoError(t, err)
	out, err := intent.CheckAll(w.World, []intent.Line{{Intent: &blocked}}, reach.Config{})
	require.NoError(t, err)
	require.Equal(t, intent.Fails, out[0].Verdict, out[0].Why)
	require.Equal(t, "tcp/7777", out[0].Traffic)
}

// A CIDR of one address is that address; one that holds all of the internet is it too.
func TestCIDRsStandForHostsOutside(t *testing.T) {
	w := estate(t)
	p, err := reach.New(w.World, reach.Config{})
	require.NoError(t, err)
	c := intent.NewChecker(p, intent.NewNames(w.Region), intent.NewPorts(nil, w.Region))
	for text, want := range map[string]string{
		"app -> 8.8.8.8/32 tcp/443 reachable": "8.8.8.8", "app -> 8.8.8.0/24 tcp/443 reachable": "8.8.8.1", "app -> 192.0.2.0/24 tcp/443 reachable": reach.Internet.String(),
	} {
		i, err := intent.ParseLine(text)
		require.NoError(t, err)
		o := c.Check(intent.Line{Intent: &i})
		require.Equal(t, want, o.To, text)
		require.Equal(t, intent.Holds, o.Verdict, text)
	}
	i, err := intent.ParseLine("0.0.0.0/0 -> six tcp/1-20 blocked")
	require.NoError(t, err)
	all := c.Check(intent.Line{Intent: &i}).Pairs
	i.From.Name = "10.0.0.0/8"
	require.Greater(t, all, c.Check(intent.Line{Intent: &i}).Pairs, "the internet is asked for too")
}
