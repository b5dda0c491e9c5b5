package balancer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// What is restored stands as its description says, without the checks that the calls
// make. In this order: interfaces and instances (package vpc), load balancers, target
// groups, attributes, listeners, rules, target health. What a description names that is
// not there is left out and told as [vpc.Absent], beside the resource.

// Restore makes a load balancer as it is described. Its nodes are the interfaces of
// its VPC whose description is "ELB" and the name with the kind's path, such as
// "ELB net/<name>/<id>". Without an ARN, or without its VPC, there is none.
func Restore(tx *vpc.Tx, k *Kind, s elbv2.LoadBalancer) (*LoadBalancer, error) {
	id := deref(s.LoadBalancerArn)
	_, full, ok := strings.Cut(id, ":loadbalancer/")
	if !ok {
		return nil, fmt.Errorf("balancer: LoadBalancerArn %q: expected an ARN of a load balancer", id)
	}
	v, err := vpc.Named[*vpc.VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	b, err := tx.NewNamed(id, "")
	if err != nil {
		return nil, err
	}
	l := &LoadBalancer{Base: b, kind: k, name: deref(s.LoadBalancerName), vpc: v, families: deref(s.IpAddressType), restored: &s}
	if k.Classic {
		l.classic = NewClassic(l)
	}
	l.internet = s.Scheme != nil && *s.Scheme == elbv2.SchemeInternetFacing
	l.attributes = k.attributes(l.internet)
	if s.CreatedTime != nil {
		l.created, _ = s.CreatedTime.Time() // one that can't be read stays as text
	}
	var absent []error
	for _, n := range tx.Described("ELB " + full) {
		if _, err := tx.Adopt(l, "AvailabilityZones", new(n.ID())); err != nil {
			absent = append(absent, err)
			continue
		}
		l.nics, l.subnets = append(l.nics, n), append(l.subnets, n.Subnet())
	}
	for i, z := range s.AvailabilityZones {
		at := func(sub *vpc.Subnet) bool { return sub.ID() == deref(z.SubnetId) }
		if !slices.ContainsFunc(l.subnets, at) {
			l.partial = true
			if sub, ok := tx.Find(deref(z.SubnetId)).(*vpc.Subnet); ok {
				tx.RestoreUnseenIn(sub, id, "its interface in "+sub.ID()+", whose address this may be, is "+tx.Missing("eni"))
			}
			absent = append(absent, vpc.Absent(fmt.Sprintf("AvailabilityZones[%d].SubnetId", i), deref(z.SubnetId)))
		}
	}
	for i, g := range s.SecurityGroups {
		if x, err := vpc.Named[*vpc.SecurityGroup](tx, fmt.Sprintf("SecurityGroups[%d]", i), &g); err == nil {
			l.groups = append(l.groups, x)
		} else {
			absent = append(absent, err)
		}
	}
	tx.Add(l)
	return l, errors.Join(absent...)
}

// RestoreAttributes sets what DescribeLoadBalancerAttributes says of a load balancer;
// keys that are not known are added.
func (l *LoadBalancer) RestoreAttributes(_ *vpc.Tx, list []elbv2.LoadBalancerAttribute) {
	l.unset = ""
	for _, a := range list {
		restoreAttribute(&l.attributes, a.Key, a.Value)
	}
}

// RestoreAttributes sets what DescribeTargetGroupAttributes says of a group; keys that
// are not known are added.
func (g *TargetGroup) RestoreAttributes(_ *vpc.Tx, list []elbv2.TargetGroupAttribute) {
	for _, a := range list {
		restoreAttribute(&g.attributes, a.Key, a.Value)
	}
}

func restoreAttribute(to *[]Attribute, key, v *string) {
	if key != nil && !set(to, *key, deref(v)) {
		*to = append(*to, Attribute{*key, deref(v)})
	}
}

// RestoreTargetGroup makes a target group as it is described, without targets. One
// whose VPC is not there, a group of functions, has none.
func RestoreTargetGroup(tx *vpc.Tx, s elbv2.TargetGroup) (*TargetGroup, error) {
	id := deref(s.TargetGroupArn)
	if !strings.Contains(id, ":targetgroup/") {
		return nil, fmt.Errorf("balancer: TargetGroupArn %q: expected an ARN of a target group", id)
	}
	b, err := tx.NewNamed(id, "")
	if err != nil {
		return nil, err
	}
	g := &TargetGroup{
		Base: b, name: deref(s.TargetGroupName), kind: deref(s.TargetType), protocol: deref(s.Protocol), port: uint16(deref(s.Port)), restored: &s,
		family: deref(s.IpAddressType),
		check: HealthCheck{
			Disabled: s.HealthCheckEnabled != nil && !*s.HealthCheckEnabled,
			Protocol: deref(s.HealthCheckProtocol), Path: deref(s.HealthCheckPath), Healthy: deref(s.HealthyThresholdCount), Unhealthy: deref(s.UnhealthyThresholdCount),
			Interval: time.Duration(deref(s.HealthCheckIntervalSeconds)) * time.Second, Timeout: time.Duration(deref(s.HealthCheckTimeoutSeconds)) * time.Second,
		},
	}
	if g.kind == "" {
		g.kind = elbv2.TargetInstance
	}
	if n, err := strconv.Atoi(deref(s.HealthCheckPort)); err == nil {
		g.check.Port = uint16(n)
	}
	if s.Matcher != nil {
		g.check.Codes = deref(s.Matcher.HttpCode)
	}
	g.check = g.check.withDefaults(g.protocol)
	g.vpc, _ = tx.Find(deref(s.VpcId)).(*vpc.VPC)
	g.attributes = groupAttributes(g.protocol, g.kind)
	tx.Add(g)
	return g, nil
}

// RestoreTargetHealth registers the targets that DescribeTargetHealth lists of the
// group with the given ARN, in the states that it says.
func RestoreTargetHealth(tx *vpc.Tx, arn string, list []elbv2.TargetHealthDescription) error {
	g, err := vpc.Named[*TargetGroup](tx, "TargetGroupArn", &arn)
	if err != nil {
		return err
	}
	if g.absent {
		return vpc.Absent("TargetGroupArn", arn)
	}
	g.untold = ""
	var absent []error
	for i, d := range list {
		if d.Target == nil || d.Target.Id == nil {
			absent = append(absent, vpc.Absent(fmt.Sprintf("TargetHealthDescriptions[%d].Target.Id", i), ""))
			continue
		}
		r := g.register(Target{ID: *d.Target.Id, Port: uint16(deref(d.Target.Port)), Zone: deref(d.Target.AvailabilityZone)})
		if h := d.TargetHealth; h != nil {
			r.health = Health{deref(h.State), deref(h.Reason), deref(h.Description)}
			if r.health.State == elbv2.StateDraining {
				r.draining, r.until = true, tx.Region().Now().Add(300*time.Second)
			}
			// A group that no load balancer used is told of by that alone.
			if r.health.State == elbv2.StateUnused {
				r.health = initial
			}
		}
	}
	return errors.Join(absent...)
}

// RestoreListener makes a listener as it is described. One whose load balancer is not
// there is an error; target groups that are not there are made, with targets that nobody
// knows, and told.
func RestoreListener(tx *vpc.Tx, s elbv2.Listener) (*Listener, error) {
	l, err := vpc.Named[*LoadBalancer](tx, "LoadBalancerArn", s.LoadBalancerArn)
	switch {
	case err != nil:
		return nil, err
	case deref(s.ListenerArn) == "":
		return nil, vpc.Absent("ListenerArn", "")
	}
	b, err := tx.NewNamed(*s.ListenerArn, "")
	if err != nil {
		return nil, err
	}
	x := &Listener{Base: b, balancer: l, protocol: deref(s.Protocol), port: uint16(deref(s.Port)), attributes: listenerAttributes(l), restored: &s}
	x.actions, err = restoreActions(tx, "DefaultActions", s.DefaultActions)
	l.listeners = append(l.listeners, x)
	tx.Add(x)
	return x, err
}

// RestoreRule makes a rule of the listener with the given ARN as it is described. The
// default rule, which is the listener's own actions, is nil.
func RestoreRule(tx *vpc.Tx, listener string, s elbv2.Rule) (*Rule, error) {
	x, err := vpc.Named[*Listener](tx, "ListenerArn", &listener)
	if err != nil {
		return nil, err
	}
	if s.IsDefault != nil && *s.IsDefault || deref(s.Priority) == "default" {
		return nil, nil
	}
	priority, err := strconv.Atoi(deref(s.Priority))
	if err != nil {
		return nil, fmt.Errorf("balancer: rule %s: Priority %q: expected a number or default", deref(s.RuleArn), deref(s.Priority))
	}
	b, err := tx.NewNamed(deref(s.RuleArn), "")
	if err != nil {
		return nil, err
	}
	r := &Rule{Base: b, listener: x, priority: priority}
	for _, c := range s.Conditions {
		r.conditions = append(r.conditions, restoreCondition(c))
	}
	list, err := restoreActions(tx, "Actions", s.Actions)
	if len(list) > 0 {
		r.action = list[len(list)-1]
	}
	x.insert(r)
	tx.Add(r)
	return r, err
}

func restoreCondition(s elbv2.RuleCondition) Condition {
	c := Condition{Field: deref(s.Field), Values: s.Values}
	for _, v := range []*elbv2.ValuesConfig{s.HostHeaderConfig, s.PathPatternConfig, s.HttpRequestMethodConfig, s.SourceIpConfig} {
		if v != nil {
			c.Values = v.Values
		}
	}
	if h := s.HttpHeaderConfig; h != nil {
		c.Header, c.Values = deref(h.HttpHeaderName), h.Values
	}
	if q := s.QueryStringConfig; q != nil {
		c.Values = nil
		for _, p := range q.Values {
			text := deref(p.Value)
			if p.Key != nil {
				text = *p.Key + "=" + text
			}
			c.Values = append(c.Values, text)
		}
	}
	return c
}

func restoreActions(tx *vpc.Tx, field string, list []elbv2.Action) ([]Action, error) {
	var actions []Action
	var absent []error
	for i, s := range list {
		a := Action{Type: deref(s.Type)}
		tuples := []elbv2.TargetGroupTuple{}
		if s.ForwardConfig != nil {
			tuples = s.ForwardConfig.TargetGroups
		} else if s.TargetGroupArn != nil {
			tuples = []elbv2.TargetGroupTuple{{TargetGroupArn: s.TargetGroupArn}}
		}
		for _, t := range tuples {
			g, err := untoldGroup(tx, fmt.Sprintf("%s[%d].TargetGroupArn", field, i), t.TargetGroupArn)
			absent = append(absent, err)
			if g == nil {
				continue
			}
			w := Weighted{g, 1}
			if t.Weight != nil {
				w.Weight = *t.Weight
			}
			a.Groups = append(a.Groups, w)
		}
		if r := s.RedirectConfig; r != nil {
			a.Redirect = Redirect{deref(r.Protocol), deref(r.Port), deref(r.Host), deref(r.Path), deref(r.Query), deref(r.StatusCode)}
		}
		if f := s.FixedResponseConfig; f != nil {
			code, _ := strconv.Atoi(deref(f.StatusCode))
			a.Fixed = Fixed{code, deref(f.ContentType), deref(f.MessageBody)}
		}
		actions = append(actions, a)
	}
	return actions, errors.Join(absent...)
}

// deref returns what p points to, the zero value of nil.
func deref[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
