package balancer

import (
	"slices"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's load balancers but Classic ones (DescribeLoadBalancers),
// in the order in which they were made.
func Describe(r *vpc.Region) *elbv2.DescribeLoadBalancersOutput {
	list := []elbv2.LoadBalancer{}
	r.View(func(tx *vpc.Tx) {
		for _, l := range vpc.Gateways[*LoadBalancer](tx) {
			if l.kind.Type != "" {
				list = append(list, l.shape(tx))
			}
		}
	})
	return &elbv2.DescribeLoadBalancersOutput{LoadBalancers: list}
}

func (l *LoadBalancer) shape(tx *vpc.Tx) elbv2.LoadBalancer {
	s := elbv2.LoadBalancer{
		LoadBalancerArn: new(l.ID()), DNSName: new(l.DNSName()), CreatedTime: new(ec2.TimestampOf(l.created)), LoadBalancerName: new(l.name),
		Scheme: new(elbv2.SchemeInternal), VpcId: new(l.vpc.ID()), State: &elbv2.LoadBalancerState{Code: new("active")},
		Type: new(l.kind.Type), IpAddressType: new(l.families), AvailabilityZones: []elbv2.AvailabilityZone{},
	}
	if l.internet {
		s.Scheme = new(elbv2.SchemeInternetFacing)
	}
	for _, g := range l.groups {
		s.SecurityGroups = append(s.SecurityGroups, g.ID())
	}
	for i, n := range l.nics {
		z := elbv2.AvailabilityZone{ZoneName: new(l.subnets[i].Zone()), SubnetId: new(l.subnets[i].ID()), LoadBalancerAddresses: []elbv2.LoadBalancerAddress{}}
		a := tx.PrivateAddresses(n)[0]
		if a.Address != nil && !slices.Contains(l.addresses, a.Address) {
			z.LoadBalancerAddresses = append(z.LoadBalancerAddresses, elbv2.LoadBalancerAddress{IpAddress: new(a.Public.String()), AllocationId: new(a.Address.ID())})
		}
		s.AvailabilityZones = append(s.AvailabilityZones, z)
	}
	if r := l.restored; r != nil {
		s.CanonicalHostedZoneId, s.CreatedTime, s.State, s.AvailabilityZones = r.CanonicalHostedZoneId, r.CreatedTime, r.State, r.AvailabilityZones
	}
	if l.families == "" { // restored, and not told
		s.IpAddressType = nil
	}
	return s
}

// DescribeAttributes lists the load balancer's attributes (DescribeLoadBalancerAttributes).
func (l *LoadBalancer) DescribeAttributes() *elbv2.DescribeLoadBalancerAttributesOutput {
	list := []elbv2.LoadBalancerAttribute{}
	l.Region().View(func(*vpc.Tx) {
		for _, a := range l.attributes {
			list = append(list, elbv2.LoadBalancerAttribute{Key: new(a.Key), Value: new(a.Value)})
		}
	})
	return &elbv2.DescribeLoadBalancerAttributesOutput{Attributes: list}
}

// DescribeListeners lists the load balancer's listeners (DescribeListeners).
func (l *LoadBalancer) DescribeListeners() *elbv2.DescribeListenersOutput {
	list := []elbv2.Listener{}
	l.Region().View(func(*vpc.Tx) {
		for _, x := range l.listeners {
			s := elbv2.Listener{
				ListenerArn: new(x.ID()), LoadBalancerArn: new(l.ID()), Port: new(int(x.port)), Protocol: new(x.protocol), DefaultActions: actionShapes(x.actions),
			}
			if x.restored != nil {
				s.Certificates, s.SslPolicy, s.AlpnPolicy = x.restored.Certificates, x.restored.SslPolicy, x.restored.AlpnPolicy
			}
			list = append(list, s)
		}
	})
	return &elbv2.DescribeListenersOutput{Listeners: list}
}

func actionShapes(list []Action) []elbv2.Action {
	shapes := []elbv2.Action{}
	for i, a := range list {
		s := elbv2.Action{Type: new(a.Type)}
		if len(list) > 1 {
			s.Order = new(i + 1)
		}
		switch a.Type {
		case elbv2.ActionForward:
			f := &elbv2.ForwardActionConfig{TargetGroupStickinessConfig: &elbv2.TargetGroupStickinessConfig{Enabled: new(false)}}
			for _, w := range a.Groups {
				f.TargetGroups = append(f.TargetGroups, elbv2.TargetGroupTuple{TargetGroupArn: new(w.Group.ID()), Weight: new(w.Weight)})
			}
			s.ForwardConfig = f
			if len(a.Groups) == 1 {
				s.TargetGroupArn = f.TargetGroups[0].TargetGroupArn
			}
		case elbv2.ActionRedirect:
			r := a.Redirect.withDefaults()
			s.RedirectConfig = &elbv2.RedirectActionConfig{Protocol: &r.Protocol, Port: &r.Port, Host: &r.Host, Path: &r.Path, Query: &r.Query, StatusCode: &r.Code}
		case elbv2.ActionFixedResponse:
			s.FixedResponseConfig = &elbv2.FixedResponseActionConfig{StatusCode: new(strconv.Itoa(a.Fixed.Code))}
			if a.Fixed.Body != "" {
				s.FixedResponseConfig.MessageBody = new(a.Fixed.Body)
			}
			if a.Fixed.ContentType != "" {
				s.FixedResponseConfig.ContentType = new(a.Fixed.ContentType)
			}
		}
		shapes = append(shapes, s)
	}
	return shapes
}

// withDefaults puts the request's own where nothing is said (ELB API, RedirectActionConfig).
func (r Redirect) withDefaults() Redirect {
	or := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	or(&r.Protocol, "#{protocol}")
	or(&r.Port, "#{port}")
	or(&r.Host, "#{host}")
	or(&r.Path, "/#{path}")
	or(&r.Query, "#{query}")
	or(&r.Code, "HTTP_301")
	return r
}

// DescribeRules lists the listener's rules by priority, the default one last (DescribeRules).
func (x *Listener) DescribeRules() *elbv2.DescribeRulesOutput {
	list := []elbv2.Rule{}
	x.Region().View(func(*vpc.Tx) {
		for _, r := range x.rules {
			s := elbv2.Rule{RuleArn: new(r.ID()), Priority: new(strconv.Itoa(r.priority)), IsDefault: new(false), Actions: actionShapes([]Action{r.action}), Conditions: []elbv2.RuleCondition{}}
			for _, c := range r.conditions {
				s.Conditions = append(s.Conditions, c.shape())
			}
			list = append(list, s)
		}
		list = append(list, elbv2.Rule{
			Priority: new("default"), IsDefault: new(true), Conditions: []elbv2.RuleCondition{}, Actions: actionShapes(x.actions),
		})
	})
	return &elbv2.DescribeRulesOutput{Rules: list}
}

func (c Condition) shape() elbv2.RuleCondition {
	s := elbv2.RuleCondition{Field: new(c.Field)}
	v := &elbv2.ValuesConfig{Values: c.Values}
	switch c.Field {
	case "host-header":
		s.HostHeaderConfig, s.Values = v, c.Values
	case "path-pattern":
		s.PathPatternConfig, s.Values = v, c.Values
	case "http-header":
		s.HttpHeaderConfig = &elbv2.HttpHeaderConfig{HttpHeaderName: new(c.Header), Values: c.Values}
	case "http-request-method":
		s.HttpRequestMethodConfig = v
	case "source-ip":
		s.SourceIpConfig = v
	case "query-string":
		s.QueryStringConfig = &elbv2.QueryStringConfig{}
		for _, pair := range c.Values {
			k, v, both := cutPair(pair)
			p := elbv2.QueryStringKeyValuePair{Value: new(v)}
			if both {
				p.Key = new(k)
			}
			s.QueryStringConfig.Values = append(s.QueryStringConfig.Values, p)
		}
	}
	return s
}

// DescribeTargetGroups lists the region's target groups (DescribeTargetGroups), by ARN.
func DescribeTargetGroups(r *vpc.Region) *elbv2.DescribeTargetGroupsOutput {
	list := []elbv2.TargetGroup{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Resources[*TargetGroup](tx) {
			if g.absent {
				continue
			}
			list = append(list, g.shape(tx))
		}
	})
	return &elbv2.DescribeTargetGroupsOutput{TargetGroups: list}
}

func (g *TargetGroup) shape(tx *vpc.Tx) elbv2.TargetGroup {
	h := g.check
	s := elbv2.TargetGroup{
		TargetGroupArn: new(g.ID()), TargetGroupName: new(g.name), Protocol: new(g.protocol), Port: new(int(g.port)),
		HealthCheckProtocol: new(h.Protocol), HealthCheckPort: new("traffic-port"), HealthCheckEnabled: new(!h.Disabled),
		HealthCheckIntervalSeconds: new(int(h.Interval / time.Second)), HealthCheckTimeoutSeconds: new(int(h.Timeout / time.Second)),
		HealthyThresholdCount: new(h.Healthy), UnhealthyThresholdCount: new(h.Unhealthy), LoadBalancerArns: []string{},
		TargetType: new(g.kind), IpAddressType: new(g.family),
	}
	if g.vpc != nil {
		s.VpcId = new(g.vpc.ID())
	}
	if h.Port != 0 {
		s.HealthCheckPort = new(strconv.Itoa(int(h.Port)))
	}
	if web(h.Protocol) {
		s.HealthCheckPath, s.Matcher = new(h.Path), &elbv2.Matcher{HttpCode: new(h.Codes)}
	}
	if web(g.protocol) {
		s.ProtocolVersion = new("HTTP1")
	}
	if l := g.balancer(tx); l != nil {
		s.LoadBalancerArns = []string{l.ID()}
	}
	if r := g.restored; r != nil {
		s.ProtocolVersion, s.IpAddressType, s.VpcId = r.ProtocolVersion, r.IpAddressType, r.VpcId
	}
	return s
}

// DescribeAttributes lists the group's attributes (DescribeTargetGroupAttributes).
func (g *TargetGroup) DescribeAttributes() *elbv2.DescribeTargetGroupAttributesOutput {
	list := []elbv2.TargetGroupAttribute{}
	g.Region().View(func(*vpc.Tx) {
		for _, a := range g.attributes {
			list = append(list, elbv2.TargetGroupAttribute{Key: new(a.Key), Value: new(a.Value)})
		}
	})
	return &elbv2.DescribeTargetGroupAttributesOutput{Attributes: list}
}
