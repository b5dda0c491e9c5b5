package firewall_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// guarded is a VPC whose app subnet is behind a firewall at the internet gateway.
type guarded struct {
	*vpctest.World
	v         *vpctest.VPC
	edge, app *vpctest.Subnet
	web       *vpctest.Host
	server    *vpctest.Host
	wall      *firewall.Firewall
	t         *testing.T
}

func newGuarded(t *testing.T, p firewall.Policy) *guarded {
	t.Helper()
	w := vpctest.New(t)
	g := &guarded{World: w, v: w.VPC("10.0.0.0/16"), t: t}
	g.edge, g.app = g.v.Subnet("10.0.0.0/24"), g.v.Subnet("10.0.1.0/24")
	var err error
	g.wall, err = firewall.Create(w.Region, "wall", firewall.Config{Subnets: []*vpc.Subnet{g.edge.Subnet}, Policy: p})
	require.NoError(t, err)
	e := g.wall.EndpointIn("us-east-1a")
	g.edge.Route("0.0.0.0/0", g.v.InternetGateway())
	g.app.Route("0.0.0.0/0", e)
	g.v.EdgeRoute("10.0.1.0/24", e)
	g.web = g.app.PublicHost("web")
	g.web.Allow(vpc.AllTraffic("0.0.0.0/0"))
	g.server = w.OnInternet("198.51.100.7")
	for _, h := range []*vpctest.Host{g.web, g.server} {
		_, err := h.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), nil)
		require.NoError(t, err)
	}
	return g
}

// dial opens a connection to port 80 and returns why it failed, and why the last packet
// of the client's ended.
func (g *guarded) dial(from *vpctest.Host, to netip.Addr, port uint16) (*host.Conn, trace.Reason, error) {
	g.t.Helper()
	var conn *host.Conn
	var fail error
	done := false
	c := from.StartDial(netip.AddrPortFrom(to, port), func(c *host.Conn, err error) { conn, fail, done = c, err, true })
	g.Run(500 * time.Millisecond)
	end := trace.None
	for _, w := range g.Trace().Walks() {
		if w.First.Src.Netip() == from.Addr && w.First.DstPort == port {
			end = w.End()
		}
	}
	if !done {
		c.Abort()
		fail = host.ErrTimeout
	}
	return conn, end, fail
}

// last returns the last rule that a packet met, in words.
func (g *guarded) last() string {
	rule := ""
	for _, w := range g.Trace().Walks() {
		for _, s := range w.Steps {
			if s.Node == "wall" && s.Rule != "" {
				rule = s.Object + ": " + s.Rule
			}
		}
	}
	return rule
}

func all(rules ...firewall.StatefulRule) firewall.Policy {
	return firewall.Policy{
		Name: "policy", StatelessDefault: firewall.Forward, StatelessFragmentDefault: firewall.Forward,
		Stateful: []firewall.StatefulGroup{{Name: "group", Priority: 1, Rules: rules}},
	}
}

func TestTheZeroPolicyPassesBothWays(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	o := g.web.Ping(g.server.Addr)
	o.OK(t)
	require.Equal(t, 2, strings.Count(o.Walks.String(), "wall  "), "the answer passes the firewall too\n%s", o.Walks)
	require.EqualValues(t, 255, g.web.Host.Ping(g.server.Addr, host.PingConfig{}).Replies[0].TTL, "neither endpoint nor firewall is a hop")
	require.Equal(t, 1, g.server.Host.Ping(g.web.PublicAddr(), host.PingConfig{}).Received)
}

func TestFlowsByAFirewallAreAlwaysTracked(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	_, _, err := g.dial(g.web, g.server.Addr, 80)
	require.NoError(t, err)
	require.Equal(t, 1, g.Live(g.Region).Interface(g.web.Interface).Flows.Len())
}

func TestStatelessRulesDecideByPriority(t *testing.T) {
	web := firewall.StatelessRule{
		Priority: 10, Protocols: []wire.Proto{wire.ProtoTCP}, DestinationPorts: []firewall.PortRange{{From: 80, To: 80}}, Action: firewall.Drop,
	}
	late := firewall.StatelessGroup{Name: "late", Priority: 2, Rules: []firewall.StatelessRule{web}}
	early := firewall.StatelessGroup{Name: "early", Priority: 1, Rules: []firewall.StatelessRule{
		{Priority: 5, Sources: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, Action: firewall.Pass},
	}}
	g := newGuarded(t, firewall.Policy{Name: "policy", Stateless: []firewall.StatelessGroup{late, early}})
	_, end, err := g.dial(g.web, g.server.Addr, 80)
	require.ErrorIs(t, err, host.ErrTimeout)
	require.Equal(t, trace.FirewallRule, end)
	require.Equal(t, "FIREWALL_RULES_RESTRICTION", end.Code())
	require.Equal(t, "late: stateless rule 10 aws:drop", g.last())
	_, _, err = g.dial(g.server, g.web.PublicAddr(), 80)
	require.NoError(t, err, "a group of lower priority takes it first")
	g.web.Ping(g.server.Addr).OK(t)
	require.NoError(t, g.wall.SetPolicy(firewall.Policy{Name: "policy", StatelessDefault: firewall.Drop}))
	g.web.Ping(g.server.Addr).Dropped(t, trace.FirewallRule)
	require.Equal(t, "policy: stateless default", g.last())
}

func TestStatelessFlags(t *testing.T) {
	syn := firewall.StatelessRule{Priority: 1, Flags: []firewall.TCPFlagField{{Flags: wire.SYN, Masks: wire.SYN | wire.ACK}}, Action: firewall.Drop}
	g := newGuarded(t, firewall.Policy{Stateless: []firewall.StatelessGroup{{Name: "no openings", Rules: []firewall.StatelessRule{syn}}}})
	_, end, _ := g.dial(g.web, g.server.Addr, 80)
	require.Equal(t, trace.FirewallRule, end)
	g.web.Ping(g.server.Addr).OK(t)
}

// In action order pass comes before drop wherever the rules stand; what none matches passes.
func TestActionOrder(t *testing.T) {
	g := newGuarded(t, all(
		firewall.StatefulRule{Action: "DROP", Protocol: "TCP", DestinationPort: "80", Options: []string{"sid:1"}},
		firewall.StatefulRule{Action: "PASS", Protocol: "TCP", Source: "$HOME_NET", Destination: "198.51.100.7/32", DestinationPort: "80", Options: []string{"sid:2"}},
	))
	_, _, err := g.dial(g.web, g.server.Addr, 80)
	require.NoError(t, err)
	require.Contains(t, g.last(), "pass tcp $HOME_NET any -> 198.51.100.7/32 80 (sid:2;)")
	_, end, _ := g.dial(g.server, g.web.PublicAddr(), 80)
	require.Equal(t, trace.FirewallRule, end)
	require.Equal(t, "group: drop tcp any any -> any 80 (sid:1;)", g.last())
	g.web.Ping(g.server.Addr).OK(t)
}

// $HOME_NET is what the VPC's CIDRs are now, not what they were when the policy was set.
func TestHomeNetFollowsTheVPC(t *testing.T) {
	g := newGuarded(t, all(
		firewall.StatefulRule{Action: "DROP", Protocol: "TCP", DestinationPort: "80"},
		firewall.StatefulRule{Action: "PASS", Protocol: "TCP", Source: "$HOME_NET"},
	))
	require.NoError(t, g.v.AssociateCIDR("100.64.0.0/16"))
	late := g.v.Subnet("100.64.1.0/24")
	late.Route("0.0.0.0/0", g.wall.EndpointIn("us-east-1a"))
	g.v.EdgeRoute("100.64.1.0/24", g.wall.EndpointIn("us-east-1a"))
	_, end, err := g.dial(late.PublicHost("late"), g.server.Addr, 80)
	require.NoError(t, err, end.String())
}

func TestStrictOrder(t *testing.T) {
	p := all(
		firewall.StatefulRule{Action: "ALERT", Protocol: "TCP", DestinationPort: "80"},
		firewall.StatefulRule{Action: "DROP", Protocol: "TCP", DestinationPort: "80"},
		firewall.StatefulRule{Action: "PASS", Protocol: "TCP"},
	)
	p.Order, p.StatefulDefault = firewall.StrictOrder, []string{"aws:drop_strict"}
	g := newGuarded(t, p)
	_, end, _ := g.dial(g.web, g.server.Addr, 80)
	require.Equal(t, trace.FirewallRule, end)
	require.Equal(t, "group: drop tcp any any -> any 80", g.last())
	_, _, err := g.dial(g.web, g.server.Addr, 81)
	require.ErrorIs(t, err, host.ErrRefused, "the server says so: the firewall passed it")
	g.web.Ping(g.server.Addr).Dropped(t, trace.FirewallRule)
	require.Equal(t, "policy: aws:drop_strict", g.last())

	p.StatefulDefault = []string{"aws:drop_established"}
	require.NoError(t, g.wall.SetPolicy(p))
	r := g.web.Ping(g.server.Addr)
	require.False(t, r.Answered, "the request passes, the answer makes it established")
	require.Equal(t, trace.FirewallRule, r.End())
}

func TestAPassedFlowIsNotLookedAtAgain(t *testing.T) {
	g := newGuarded(t, all(firewall.StatefulRule{Action: "PASS", Protocol: "TCP", Options: []string{"flow:to_server"}}))
	conn, _, err := g.dial(g.web, g.server.Addr, 80)
	require.NoError(t, err)
	deny := all(firewall.StatefulRule{Action: "DROP", Protocol: "IP"})
	require.NoError(t, g.wall.SetPolicy(deny))
	_, err = conn.Write([]byte("more"))
	require.NoError(t, err)
	g.Run(time.Second)
	require.NotEqual(t, trace.FirewallRule, g.end(g.web.Addr))
	g.web.Ping(g.server.Addr).Dropped(t, trace.FirewallRule)
}

// end returns why the last packet from the address ended.
func (g *guarded) end(from netip.Addr) trace.Reason {
	end := trace.None
	for _, w := range g.Trace().Walks() {
		if w.First.Src.Netip() == from {
			end = w.End()
		}
	}
	return end
}

func TestRejectTellsTheSender(t *testing.T) {
	g := newGuarded(t, all(firewall.StatefulRule{Action: "REJECT", Protocol: "TCP", DestinationPort: "[80,443]"}))
	_, end, err := g.dial(g.web, g.server.Addr, 80)
	require.ErrorIs(t, err, host.ErrRefused)
	require.Equal(t, trace.FirewallRule, end)
}

// Mistake GL02 and the like: the firewall sees the answer alone, and drops it.
func TestTheStatefulEngineNeedsBothDirections(t *testing.T) {
	g := newGuarded(t, all(firewall.StatefulRule{Action: "PASS", Protocol: "IP"}))
	require.NoError(t, g.v.GatewayRouteTable(g.v.InternetGateway()).DeleteRoute("10.0.1.0/24"))
	_, _, err := g.dial(g.server, g.web.PublicAddr(), 80)
	require.Error(t, err)
	require.Equal(t, trace.FirewallMidstream, g.end(g.web.Addr))
	p := all(firewall.StatefulRule{Action: "PASS", Protocol: "IP"})
	p.Stream = firewall.StreamContinue
	require.NoError(t, g.wall.SetPolicy(p))
	_, _, err = g.dial(g.server, g.web.PublicAddr(), 80)
	require.NoError(t, err)
}

// Mistake GL02: the firewall subnet has no route for what comes back.
func TestAFirewallSubnetNeedsRoutesOfItsOwn(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	require.NoError(t, g.edge.RouteTable().DeleteRoute("0.0.0.0/0"))
	g.web.Ping(g.server.Addr).Dropped(t, trace.NoRoute)
}

// Mistake GL03: a workload in the firewall subnet, whose table leads to the firewall,
// has its packets go round for ever.
func TestAWorkloadInTheFirewallSubnetLoops(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	require.NoError(t, g.edge.RouteTable().ReplaceRoute("0.0.0.0/0", g.wall.Endpoints()[0]))
	g.edge.PublicHost("neighbour").Ping(g.server.Addr).Dropped(t, trace.TooManyHops)
}

// Mistake GL01: routes lead to the endpoint of another zone, and the answer comes by
// that of its own.
func TestFlowsMustStayInOneZone(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	fa, fb := v.SubnetIn("us-east-1a", "10.0.0.0/24"), v.SubnetIn("us-east-1b", "10.0.1.0/24")
	a, b := v.SubnetIn("us-east-1a", "10.0.2.0/24"), v.SubnetIn("us-east-1b", "10.0.3.0/24")
	f, err := firewall.Create(w.Region, "wall", firewall.Config{
		Subnets: []*vpc.Subnet{fa.Subnet, fb.Subnet}, Policy: all(firewall.StatefulRule{Action: "PASS", Protocol: "IP"}),
	})
	require.NoError(t, err)
	ea, eb := f.EndpointIn("us-east-1a"), f.EndpointIn("us-east-1b")
	require.Nil(t, f.EndpointIn("us-east-1c"))
	a.Route("10.0.3.0/24", ea)
	b.Route("10.0.2.0/24", eb)
	client, server := a.Host("client"), b.Host("server")
	client.Allow(vpc.AllTraffic("10.0.0.0/16"))
	_, err = server.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), nil)
	require.NoError(t, err)
	_, err = client.Dial(netip.AddrPortFrom(server.Addr, 80))
	require.Error(t, err)
	g := &guarded{World: w}
	require.Equal(t, trace.FirewallMidstream, g.end(server.Addr))
	require.NoError(t, b.RouteTable().ReplaceRoute("10.0.2.0/24", ea))
	_, err = client.Dial(netip.AddrPortFrom(server.Addr, 80))
	require.NoError(t, err)
}

// What a packet holds is not modelled: where such a rule would decide, nothing is known.
func TestRulesAboutContentsAreUnknown(t *testing.T) {
	p := all()
	p.Stateful[0].RulesString = "# no tunnels\ndrop tls $HOME_NET any -> any 443 (tls.sni; content:\"example.com\"; sid:1;)\nalert http any any <> any any (msg:\"seen\"; sid:2;)\n"
	g := newGuarded(t, p)
	_, err := g.server.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 443), nil)
	require.NoError(t, err)
	conn, _, err := g.dial(g.web, g.server.Addr, 443)
	require.NoError(t, err, "a handshake holds nothing")
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	require.Equal(t, trace.Unmodelled, g.end(g.web.Addr))
	conn, _, err = g.dial(g.web, g.server.Addr, 80)
	require.NoError(t, err)
	_, err = conn.Write([]byte("GET /"))
	require.NoError(t, err)
	require.Equal(t, trace.Delivered, g.end(g.web.Addr), "alerts decide nothing")
}

func TestAFirewallsEndpointIsItsOwn(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	e := g.wall.Endpoints()[0]
	shape := endpoint.Describe(g.Region).VpcEndpoints[0]
	require.Equal(t, ec2.VpcEndpointTypeGatewayLoadBalancer, *shape.VpcEndpointType)
	require.True(t, *shape.RequesterManaged)
	refused(t, g.Region, "InvalidParameter", "Operation is not allowed for requester-managed VPC endpoints for the service "+e.Service()+".", e.Delete)
	refused(t, g.Region, "InvalidOperationException", "Unable to delete firewall wall because route tables still refer to its endpoint "+e.ID()+".", g.wall.Delete)
	require.NoError(t, g.app.RouteTable().DeleteRoute("0.0.0.0/0"))
	require.NoError(t, g.v.GatewayRouteTable(g.v.InternetGateway()).DeleteRoute("10.0.1.0/24"))
	require.NoError(t, g.wall.Delete())
	require.Empty(t, endpoint.Describe(g.Region).VpcEndpoints)
	refused(t, g.Region, "ResourceNotFoundException", "Unable to fulfill request because the following entity doesn't exist: "+g.wall.ID(), g.wall.Delete)
}

func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	text := func() string {
		b, err := json.Marshal([]any{endpoint.Describe(r), r.DescribeRouteTables(), r.DescribeNetworkInterfaces()})
		require.NoError(t, err)
		return string(b)
	}
	before := text()
	require.Equal(t, &vpc.Error{Code: code, Message: message}, call())
	require.Equal(t, before, text(), "a refused call has changed something")
}

func TestPoliciesThatMakeNoSenseAreRefused(t *testing.T) {
	g := newGuarded(t, firewall.Policy{})
	rule := func(r firewall.StatefulRule) firewall.Policy { return all(r) }
	one := firewall.StatelessRule{Priority: 1, Action: firewall.Pass}
	group := func(rules ...firewall.StatelessRule) firewall.Policy {
		return firewall.Policy{Stateless: []firewall.StatelessGroup{{Name: "group", Priority: 1, Rules: rules}}}
	}
	text := func(s string) firewall.Policy {
		return firewall.Policy{Stateful: []firewall.StatefulGroup{{Name: "group", RulesString: s}}}
	}
	for message, p := range map[string]firewall.Policy{
		`stateless rule priority 1 of group is used more than once`:                                                                 group(one, one),
		`stateless rule priority 0 of group is not in 1 to 65535`:                                                                   group(firewall.StatelessRule{Action: firewall.Pass}),
		`stateless rule action "" of group is none of aws:pass, aws:drop, aws:forward_to_sfe`:                                       group(firewall.StatelessRule{Priority: 1}),
		`stateless rule group priority 0 is used more than once`:                                                                    {Stateless: make([]firewall.StatelessGroup, 2)},
		`stateful rule group priority 0 is used more than once`:                                                                     {Order: firewall.StrictOrder, Stateful: make([]firewall.StatefulGroup, 2)},
		`stateless default action "aws:x" is none of aws:pass, aws:drop, aws:forward_to_sfe`:                                        {StatelessDefault: "aws:x"},
		`rule order "ANY" is neither DEFAULT_ACTION_ORDER nor STRICT_ORDER`:                                                         {Order: "ANY"},
		`stateful default actions need the rule order STRICT_ORDER`:                                                                 {StatefulDefault: []string{"aws:drop_strict"}},
		`stateful default action "aws:x" is none of aws:drop_strict, aws:drop_established, aws:alert_strict, aws:alert_established`: {Order: firewall.StrictOrder, StatefulDefault: []string{"aws:x"}},
		`stream exception policy "X" is none of DROP, CONTINUE, REJECT`:                                                             {Stream: "X"},
		`TCP idle timeout 1s is not in 60 to 6000 seconds`:                                                                          {TCPIdle: time.Second},
		`rule "drop tcp $NETS any -> any any": the variable $NETS is not defined`:                                                   rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", Source: "$NETS"}),
		`rule "drop tcp any any -> any 99999": "99999" is no port, range, variable or list of these`:                                rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", DestinationPort: "99999"}),
		`rule "drop tcp !any any -> any any": not any matches nothing`:                                                              rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", Source: "!any"}),
		`rule "drop tcp [10.0.0.0/8 any -> any any": the list "[10.0.0.0/8" does not end in ]`:                                      rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", Source: "[10.0.0.0/8"}),
		`rule "drop tcp [] any -> any any": an item of a list is empty`:                                                             rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", Source: "[]"}),
		`rule "drop tcp [10.0.0.0/8,] any -> any any": an item of a list is empty`:                                                  rule(firewall.StatefulRule{Action: "DROP", Protocol: "TCP", Source: "[10.0.0.0/8,]"}),
		`rule "drop tcp $NONE any -> any any": the variable $NONE is empty`:                                                         {Stateful: []firewall.StatefulGroup{{Name: "group", IPSets: map[string][]string{"NONE": {}}, Rules: []firewall.StatefulRule{{Action: "DROP", Protocol: "TCP", Source: "$NONE"}}}}},
		`stateless rule 1 of group has an address that is no CIDR`:                                                                  group(firewall.StatelessRule{Priority: 1, Action: firewall.Pass, Sources: make([]netip.Prefix, 1)}),
		`stateless rule 1 of group has ports from 443 to 80`:                                                                        group(firewall.StatelessRule{Priority: 1, Action: firewall.Pass, DestinationPorts: []firewall.PortRange{{From: 443, To: 80}}}),
		`rule "drop sctp any any -> any any" has a protocol that is not known`:                                                      rule(firewall.StatefulRule{Action: "DROP", Protocol: "SCTP"}),
		`rule "allow tcp any any -> any any" has an action that is none of PASS, DROP, REJECT, ALERT`:                               rule(firewall.StatefulRule{Action: "ALLOW", Protocol: "TCP"}),
		`rule "drop tcp" is not of the form: action protocol source port direction destination port (keywords)`:                     text("drop tcp"),
		`rule "drop tcp any any <- any any (sid:1;)" has a direction that is neither -> nor <>`:                                     text("drop tcp any any <- any any (sid:1;)"),
	} {
		refused(t, g.Region, "InvalidRequestException", message, func() error { return g.wall.SetPolicy(p) })
	}
	refused(t, g.Region, "InvalidRequestException", `firewall name "" is not of 1 to 128 characters`, func() error {
		_, err := firewall.Create(g.Region, "", firewall.Config{})
		return err
	})
	refused(t, g.Region, "InvalidRequestException", "subnet mapping is required", func() error {
		_, err := firewall.Create(g.Region, "x", firewall.Config{})
		return err
	})
}
