package balancer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// shop is a VPC with an NLB, an ALB and two instances.
type shop struct {
	*vpctest.World
	v   *vpctest.VPC
	a   *vpctest.Subnet
	web *vpctest.Host
	net *balancer.LoadBalancer
	app *balancer.LoadBalancer
}

func newShop(t *testing.T) shop {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a := v.Subnet("10.0.0.0/24")
	s := shop{World: w, v: v, a: a, web: a.Host("web")}
	var err error
	s.net, err = nlb.Create(w.Region, "net", balancer.Config{Subnets: []*vpc.Subnet{a.Subnet}})
	require.NoError(t, err)
	s.app, err = alb.Create(w.Region, "app", balancer.Config{Subnets: []*vpc.Subnet{a.Subnet}})
	require.NoError(t, err)
	return s
}

func (s shop) group(t *testing.T, name string, c balancer.TargetGroupConfig) *balancer.TargetGroup {
	t.Helper()
	c.VPC = s.v.VPC
	g, err := balancer.CreateTargetGroup(s.Region, name, c)
	require.NoError(t, err)
	return g
}

func TestTargetGroupsAreHeldToTheAPI(t *testing.T) {
	s := newShop(t)
	g := s.group(t, "taken", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})
	create := func(name string, c balancer.TargetGroupConfig) func() error {
		return func() error { _, err := balancer.CreateTargetGroup(s.Region, name, c); return err }
	}
	tcp := balancer.TargetGroupConfig{VPC: s.v.VPC, Protocol: elbv2.TCP, Port: 80}
	long := "abcdefghijklmnopqrstuvwxyz0123456"
	for _, bad := range []struct {
		code, message string
		call          func() error
	}{
		{"ValidationError", "The target group name must not be empty", create("", tcp)},
		{"ValidationError", "The target group name '" + long + "' cannot be longer than '32' characters", create(long, tcp)},
		{"ValidationError", "The target group name 'a_b' can only contain characters that are alphanumeric characters and hyphens(-)", create("a_b", tcp)},
		{"ValidationError", "The target group name '-a' cannot begin or end with a hyphen(-)", create("-a", tcp)},
		{"MissingParameter", "The request must contain the parameter vpcId", create("a", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})},
		{"ValidationError", "Target group protocol 'SCTP' must be one of 'HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE'", create("a", balancer.TargetGroupConfig{VPC: s.v.VPC, Protocol: "SCTP", Port: 80})},
		{"ValidationError", "A port must be specified", create("a", balancer.TargetGroupConfig{VPC: s.v.VPC, Protocol: elbv2.TCP})},
		{"ValidationError", "Target type 'pod' must be one of 'instance, ip, alb'", create("a", balancer.TargetGroupConfig{VPC: s.v.VPC, Protocol: elbv2.TCP, Port: 80, Type: "pod"})},
		{"ValidationError", "Target group protocol 'HTTP' must be 'TCP' for target type 'alb'", create("a", balancer.TargetGroupConfig{VPC: s.v.VPC, Protocol: elbv2.HTTP, Type: elbv2.TargetALB})},
		{"DuplicateTargetGroupName", "A target group with the same name 'taken' exists, but with different settings", create("taken", tcp)},
		{"ValidationError", "Target group attribute key 'colour' is not recognized", func() error { return g.SetAttribute("colour", "red") }},
	} {
		refused(t, s.Region, bad.code, bad.message, bad.call)
	}
	u := s.group(t, "udp", balancer.TargetGroupConfig{Protocol: elbv2.UDP, Port: 53, Type: elbv2.TargetIP})
	refused(t, s.Region, "InvalidConfigurationRequest", "Client IP preservation cannot be disabled for target groups with the protocol 'UDP'",
		func() error { return u.SetAttribute("preserve_client_ip.enabled", "false") })
	require.NoError(t, g.Delete())
	require.Error(t, g.RegisterTargets(balancer.Target{ID: "10.0.0.1"}))
}

func TestClientAddressPreservationByDefault(t *testing.T) {
	s := newShop(t)
	for i, row := range []struct {
		p    elbv2.Protocol
		kind elbv2.TargetType
		want string
	}{
		{elbv2.TCP, elbv2.TargetInstance, "true"}, {elbv2.TLS, elbv2.TargetInstance, "true"}, {elbv2.UDP, elbv2.TargetInstance, "true"},
		{elbv2.TCP, elbv2.TargetIP, "false"}, {elbv2.TLS, elbv2.TargetIP, "false"}, {elbv2.UDP, elbv2.TargetIP, "true"}, {elbv2.TCPUDP, elbv2.TargetIP, "true"},
		{elbv2.TCP, elbv2.TargetALB, "true"}, {elbv2.HTTP, elbv2.TargetIP, ""},
	} {
		g := s.group(t, "g"+string(rune('a'+i)), balancer.TargetGroupConfig{Protocol: row.p, Type: row.kind, Port: 80})
		require.Equal(t, row.want, g.Attribute("preserve_client_ip.enabled"), "%s %s", row.p, row.kind)
	}
}

func TestTargetsAreHeldToTheirGroup(t *testing.T) {
	s := newShop(t)
	instances := s.group(t, "instances", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})
	ips := s.group(t, "ips", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80, Type: elbv2.TargetIP})
	albs := s.group(t, "albs", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80, Type: elbv2.TargetALB})
	foreign := s.VPC("10.9.0.0/16").Subnet("10.9.0.0/24").Host("foreign")
	stopped := s.a.Host("stopped")
	require.NoError(t, stopped.Instance.Stop())
	for _, bad := range []struct {
		code, message string
		g             *balancer.TargetGroup
		t             balancer.Target
	}{
		{"ValidationError", "Instance ID '10.0.0.9' is not valid", instances, balancer.Target{ID: "10.0.0.9"}},
		{"InvalidTarget", "The following targets do not exist: 'i-0123'", instances, balancer.Target{ID: "i-0123"}},
		{"InvalidTarget", "The following targets are not in a running state and cannot be registered: '" + stopped.Instance.ID() + "'", instances, balancer.Target{ID: stopped.Instance.ID()}},
		{"InvalidTarget", "The following targets are not in the target group VPC '" + s.v.ID() + "': '" + foreign.Instance.ID() + "'", instances, balancer.Target{ID: foreign.Instance.ID()}},
		{"ValidationError", "The IP address 'web.example' is not a valid IPv4 or IPv6 address", ips, balancer.Target{ID: "web.example"}},
		{"InvalidTarget", "The IP address '198.51.100.7' is not within the VPC or the ranges 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 and 192.168.0.0/16", ips, balancer.Target{ID: "198.51.100.7", Zone: "all"}},
		{"ValidationError", "The Availability Zone must be 'all' for the IP address '10.9.0.4', which is outside the VPC", ips, balancer.Target{ID: "10.9.0.4"}},
		{"ValidationError", "'" + s.net.ID() + "' is not a valid load balancer ARN", albs, balancer.Target{ID: s.net.ID()}},
	} {
		refused(t, s.Region, bad.code, bad.message, func() error { return bad.g.RegisterTargets(bad.t) })
		require.Empty(t, bad.g.Targets())
	}
	refused(t, s.Region, "ValidationError", "At least one target must be specified", func() error { return ips.RegisterTargets() })
	refused(t, s.Region, "InvalidTarget", "The following targets are not registered: '10.0.0.9'", func() error { return ips.DeregisterTargets(balancer.Target{ID: "10.0.0.9"}) })
	refused(t, s.Region, "InvalidTarget", "The following targets are not registered: '10.0.0.9'", func() error { return ips.SetHealth(balancer.Target{ID: "10.0.0.9"}, balancer.Healthy) })
	require.NoError(t, ips.RegisterTargets(balancer.Target{ID: "10.0.0.9"}, balancer.Target{ID: "100.64.1.1", Zone: "all"}))
	require.NoError(t, albs.RegisterTargets(balancer.Target{ID: s.app.ID()}))
}

func TestListenersAreHeldToTheAPI(t *testing.T) {
	s := newShop(t)
	tcp := s.group(t, "tcp", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})
	web := s.group(t, "web", balancer.TargetGroupConfig{Protocol: elbv2.HTTP})
	other, err := balancer.CreateTargetGroup(s.Region, "other", balancer.TargetGroupConfig{VPC: s.VPC("10.9.0.0/16").VPC, Protocol: elbv2.TCP, Port: 80})
	require.NoError(t, err)
	two, err := nlb.Create(s.Region, "two", balancer.Config{Subnets: []*vpc.Subnet{s.a.Subnet}})
	require.NoError(t, err)
	_, err = s.net.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(tcp)}})
	require.NoError(t, err)
	create := func(l *balancer.LoadBalancer, p elbv2.Protocol, port uint16, a ...balancer.Action) func() error {
		return func() error {
			_, err := l.CreateListener(balancer.ListenerConfig{Protocol: p, Port: port, Actions: a})
			return err
		}
	}
	for _, bad := range []struct {
		code, message string
		call          func() error
	}{
		{"ValidationError", "Listener protocol 'HTTP' must be one of 'TLS, TCP, TCP_UDP, UDP'", create(s.net, elbv2.HTTP, 81, balancer.Forward(tcp))},
		{"ValidationError", "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'", create(s.app, elbv2.TCP, 81, balancer.Forward(web))},
		{"ValidationError", "Port '0' is not valid. Valid values are 1-65535", create(s.net, elbv2.TCP, 0, balancer.Forward(tcp))},
		{"DuplicateListener", "A listener already exists on this port for this load balancer '" + s.net.ID() + "'", create(s.net, elbv2.TLS, 80, balancer.Forward(tcp))},
		{"ValidationError", "A default action must be specified", create(s.net, elbv2.TCP, 81)},
		{"InvalidLoadBalancerAction", "Action type 'redirect' must be one of 'forward'", create(s.net, elbv2.TCP, 81, balancer.Action{Type: elbv2.ActionRedirect})},
		{"ValidationError", "A target group ARN must be specified", create(s.net, elbv2.TCP, 81, balancer.Forward())},
		{"TargetGroupNotFound", "One or more target groups not found", create(s.net, elbv2.TCP, 81, balancer.Forward(nil))},
		{"ValidationError", "The load balancer '" + s.net.ID() + "' and the target group '" + other.ID() + "' must be in the same VPC", create(s.net, elbv2.TCP, 81, balancer.Forward(other))},
		{"TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: " + tcp.ID(), create(two, elbv2.TCP, 81, balancer.Forward(tcp))},
		{"InvalidConfigurationRequest", "Listener protocol 'UDP' is not supported with a target group with the protocol 'TCP'", create(s.net, elbv2.UDP, 80, balancer.Forward(tcp))},
		{"ResourceInUse", "Target group '" + tcp.ID() + "' is currently in use by a listener or a rule", tcp.Delete},
	} {
		refused(t, s.Region, bad.code, bad.message, bad.call)
	}
	x := s.net.Listeners()[0]
	refused(t, s.Region, "ValidationError", "'59' is not a valid value for 'tcp.idle_timeout.seconds'. Valid values are 60-6000", func() error { return x.SetAttribute("tcp.idle_timeout.seconds", "59") })
	refused(t, s.Region, "ValidationError", "Load balancer attribute key 'colour' is not recognized", func() error { return s.net.SetAttribute("colour", "red") })
	require.NoError(t, s.net.SetAttribute("deletion_protection.enabled", "true"))
	refused(t, s.Region, "OperationNotPermitted", "Load balancer '"+s.net.ID()+"' cannot be deleted because deletion protection is enabled", s.net.Delete)
	require.NoError(t, s.net.SetAttribute("deletion_protection.enabled", "false"))
	require.NoError(t, s.net.Delete())
	require.Nil(t, s.Region.Find(x.ID()), "a listener goes with its load balancer")
	require.NoError(t, tcp.Delete())
}

func TestRulesAreHeldToTheAPI(t *testing.T) {
	s := newShop(t)
	web := s.group(t, "web", balancer.TargetGroupConfig{Protocol: elbv2.HTTP})
	tcp := s.group(t, "tcp", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})
	x, err := s.app.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(web)}})
	require.NoError(t, err)
	n, err := s.net.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(tcp)}})
	require.NoError(t, err)
	path := []balancer.Condition{{Field: "path-pattern", Values: []string{"/img/*"}}}
	_, err = x.CreateRule(10, path, balancer.Forward(web))
	require.NoError(t, err)
	for _, bad := range []struct {
		code, message string
		x             *balancer.Listener
		priority      int
		when          []balancer.Condition
	}{
		{"PriorityInUse", "Priority '10' is currently in use", x, 10, path},
		{"ValidationError", "Rule priority '0' must be between '1' and '50000'", x, 0, path},
		{"ValidationError", "A condition must be specified", x, 11, nil},
		{"ValidationError", "A condition value must be specified", x, 11, []balancer.Condition{{Field: "host-header"}}},
		{"ValidationError", "Condition field 'moon' must be one of '[host-header, path-pattern, http-header, http-request-method, query-string, source-ip]'", x, 11, []balancer.Condition{{Field: "moon", Values: []string{"full"}}}},
		{"UnsupportedOperation", "Rules are unsupported for Network Load Balancer listeners", n, 11, path},
	} {
		refused(t, s.Region, bad.code, bad.message, func() error { _, err := bad.x.CreateRule(bad.priority, bad.when, balancer.Forward(web)); return err })
	}
	list := x.DescribeRules().Rules
	require.Len(t, list, 2)
	require.Equal(t, "10", *list[0].Priority)
	require.Equal(t, []string{"/img/*"}, list[0].Conditions[0].PathPatternConfig.Values)
	require.Equal(t, "default", *list[1].Priority)
}

func TestTargetHealthInTheAPIsWords(t *testing.T) {
	s := newShop(t)
	g := s.group(t, "tcp", balancer.TargetGroupConfig{Protocol: elbv2.TCP, Port: 80})
	target := balancer.Target{ID: s.web.Instance.ID()}
	require.NoError(t, g.RegisterTargets(target))
	word := func() string {
		h := g.DescribeTargetHealth().TargetHealthDescriptions
		if len(h) == 0 {
			return "none"
		}
		require.Equal(t, "80", *h[0].HealthCheckPort)
		text := string(*h[0].TargetHealth.State)
		if h[0].TargetHealth.Reason != nil {
			text += " " + *h[0].TargetHealth.Reason + ": " + *h[0].TargetHealth.Description
		}
		return text
	}
	require.Equal(t, "unused Target.NotInUse: Target group is not configured to receive traffic from the load balancer", word())
	_, err := s.net.CreateListener(balancer.ListenerConfig{Protocol: elbv2.TCP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	require.NoError(t, err)
	require.Equal(t, "initial Elb.InitialHealthChecking: Initial health checks in progress", word())
	require.NoError(t, g.SetHealth(target, balancer.Healthy))
	require.Equal(t, "healthy", word())
	require.NoError(t, g.SetHealth(target, balancer.Unhealthy))
	require.Equal(t, "unhealthy Target.FailedHealthChecks: Health checks failed", word())
	require.NoError(t, s.web.Instance.Stop())
	require.Equal(t, "unused Target.InvalidState: Target is in the stopped state", word())
	require.NoError(t, s.web.Instance.Start())
	require.NoError(t, g.DeregisterTargets(target))
	require.Equal(t, "draining Target.DeregistrationInProgress: Target deregistration is in progress", word())
	s.Run(299 * time.Second)
	s.Region.Advance(s.Clock.Now())
	require.NotEqual(t, "none", word())
	s.Run(2 * time.Second)
	s.Region.Advance(s.Clock.Now())
	require.Equal(t, "none", word())
	require.NoError(t, g.RegisterTargets(target))
	require.Equal(t, "initial Elb.InitialHealthChecking: Initial health checks in progress", word())
}

// What is described is restored on interfaces that are there, and described alike.
func TestRestoreIsTheInverseOfDescribe(t *testing.T) {
	s := newShop(t)
	g := s.group(t, "web", balancer.TargetGroupConfig{Protocol: elbv2.HTTP, Type: elbv2.TargetIP, HealthCheck: balancer.HealthCheck{Path: "/healthz", Port: 8080}})
	require.NoError(t, g.RegisterTargets(balancer.Target{ID: "10.0.0.77", Port: 81}, balancer.Target{ID: "10.8.0.1", Zone: "all"}))
	x, err := s.app.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(g)}})
	require.NoError(t, err)
	require.NoError(t, g.SetHealth(balancer.Target{ID: "10.0.0.77", Port: 81}, balancer.Unhealthy))
	_, err = x.CreateRule(5, []balancer.Condition{
		{Field: "host-header", Values: []string{"*.example.com"}}, {Field: "query-string", Values: []string{"k=v", "alone"}},
		{Field: "http-header", Header: "X-A", Values: []string{"1"}}, {Field: "source-ip", Values: []string{"10.0.0.0/8"}},
	}, balancer.Action{Type: elbv2.ActionFixedResponse, Fixed: balancer.Fixed{Code: 404, ContentType: "text/plain", Body: "none"}})
	require.NoError(t, err)
	_, err = x.CreateRule(6, []balancer.Condition{{Field: "http-request-method", Values: []string{"PUT"}}}, balancer.Action{Type: elbv2.ActionRedirect, Redirect: balancer.Redirect{Protocol: "HTTPS", Port: "443"}})
	require.NoError(t, err)
	want := []any{balancer.Describe(s.Region), balancer.DescribeTargetGroups(s.Region), s.app.DescribeListeners(), x.DescribeRules(), g.DescribeTargetHealth(), s.app.DescribeAttributes(), g.DescribeAttributes()}

	r := vpc.NewRegion(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{ID: s.v.ID()})
	require.NoError(t, err)
	_, err = v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{ID: s.a.ID(), Zone: s.a.Zone()})
	require.NoError(t, err)
	def := s.v.DefaultSecurityGroup()
	var app, net *balancer.LoadBalancer
	var group *balancer.TargetGroup
	var listener *balancer.Listener
	lbs := balancer.Describe(s.Region).LoadBalancers
	lbs[1].SecurityGroups = nil // the default group has another id in r
	want[0].(*elbv2.DescribeLoadBalancersOutput).LoadBalancers[1].SecurityGroups = nil
	require.NotNil(t, def)
	require.NoError(t, r.Change(func(tx *vpc.Tx) error {
		for _, n := range s.Region.DescribeNetworkInterfaces().NetworkInterfaces {
			if n.Description != nil && strings.HasPrefix(*n.Description, "ELB ") {
				n.Groups = nil
				_, err := tx.RestoreInterface(n)
				require.NoError(t, err)
			}
		}
		net, err = nlb.Restore(tx, lbs[0])
		require.NoError(t, err)
		app, err = alb.Restore(tx, lbs[1])
		require.NoError(t, err)
		group, err = balancer.RestoreTargetGroup(tx, balancer.DescribeTargetGroups(s.Region).TargetGroups[0])
		require.NoError(t, err)
		listener, err = balancer.RestoreListener(tx, s.app.DescribeListeners().Listeners[0])
		require.NoError(t, err)
		for _, rule := range x.DescribeRules().Rules {
			_, err = balancer.RestoreRule(tx, listener.ID(), rule)
			require.NoError(t, err)
		}
		app.RestoreAttributes(tx, s.app.DescribeAttributes().Attributes)
		group.RestoreAttributes(tx, g.DescribeAttributes().Attributes)
		return balancer.RestoreTargetHealth(tx, group.ID(), g.DescribeTargetHealth().TargetHealthDescriptions)
	}))
	require.Len(t, net.Interfaces(), 1)
	require.Equal(t, []any{balancer.Describe(r), balancer.DescribeTargetGroups(r), app.DescribeListeners(), listener.DescribeRules(), group.DescribeTargetHealth(), app.DescribeAttributes(), group.DescribeAttributes()}, want)
}

func TestRestoreSaysWhatIsWrong(t *testing.T) {
	r := vpc.NewRegion(vpc.RegionConfig{})
	arn := "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/a/0123456789abcdef"
	require.NoError(t, r.Change(func(tx *vpc.Tx) error {
		_, err := nlb.Restore(tx, elbv2.LoadBalancer{})
		require.EqualError(t, err, `balancer: LoadBalancerArn "": expected an ARN of a load balancer`)
		gone := func(err error, field, value string) {
			t.Helper()
			require.Equal(t, vpc.Absent(field, value).Error(), err.Error())
		}
		_, err = nlb.Restore(tx, elbv2.LoadBalancer{LoadBalancerArn: &arn, VpcId: new("vpc-1")})
		gone(err, "VpcId", "vpc-1")
		_, err = balancer.RestoreTargetGroup(tx, elbv2.TargetGroup{})
		require.EqualError(t, err, `balancer: TargetGroupArn "": expected an ARN of a target group`)
		_, err = balancer.RestoreListener(tx, elbv2.Listener{ListenerArn: new("x"), LoadBalancerArn: &arn})
		gone(err, "LoadBalancerArn", arn)
		_, err = balancer.RestoreRule(tx, "y", elbv2.Rule{RuleArn: new("x")})
		gone(err, "ListenerArn", "y")
		gone(balancer.RestoreTargetHealth(tx, "y", nil), "TargetGroupArn", "y")
		return nil
	}))
}
