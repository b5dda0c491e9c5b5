package load

import (
	"fmt"
	"strings"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
)

// What a collector writes around answers that do not tell what they are about.
type (
	balancerAttributes struct {
		LoadBalancerArn *string
		Attributes      []elbv2.LoadBalancerAttribute
	}
	balancerListeners struct {
		LoadBalancerArn *string
		Listeners       []elbv2.Listener
	}
	listenerRules struct {
		ListenerArn *string
		Rules       []elbv2.Rule
	}
	groupAttributes struct {
		TargetGroupArn *string
		Attributes     []elbv2.TargetGroupAttribute
	}
	groupHealth struct {
		TargetGroupArn           *string
		TargetHealthDescriptions []elbv2.TargetHealthDescription
	}
)

// domain is what DescribeDomains of the OpenSearch API says of a domain, as far as it
// is read here.
type domain struct{ DomainName, ARN *string }

// balancerKinds restore the kinds of load balancer.
var balancerKinds = map[elbv2.LoadBalancerType]func(*vpc.Tx, elbv2.LoadBalancer) (*balancer.LoadBalancer, error){
	elbv2.TypeApplication: alb.Restore, elbv2.TypeNetwork: nlb.Restore, elbv2.TypeGateway: gwlb.Restore,
}

// services restores what stands on interfaces: load balancers with all that is behind
// them, databases, flow logs.
func (l *restoring) services() {
	each(l, l.Balancers, func(s *elbv2.LoadBalancer) *string { return s.LoadBalancerArn }, goneBalancer,
		func(s elbv2.LoadBalancer) (*balancer.LoadBalancer, error) {
			restore := balancerKinds[ec2.Value(s.Type)]
			if restore == nil {
				return nil, &vpc.ShapeError{Field: "Type", Value: string(ec2.Value(s.Type)), Want: "a kind of load balancer that is modelled", Absent: true}
			}
			return restore(l.tx, s)
		})
	each(l, l.Classics, func(s *elb.LoadBalancerDescription) *string {
		return new("loadbalancer/" + ec2.Value(s.LoadBalancerName))
	}, here, with(l, clb.Restore))
	each(l, l.TargetGroups, func(s *elbv2.TargetGroup) *string { return s.TargetGroupArn }, here, with(l, balancer.RestoreTargetGroup))
	for _, i := range l.BalancerAttributes {
		restorePart(l, i, "LoadBalancerArn", i.shape.LoadBalancerArn, func(x *balancer.LoadBalancer) { x.RestoreAttributes(l.tx, i.shape.Attributes) })
	}
	for _, i := range l.GroupAttributes {
		restorePart(l, i, "TargetGroupArn", i.shape.TargetGroupArn, func(x *balancer.TargetGroup) { x.RestoreAttributes(l.tx, i.shape.Attributes) })
	}
	each(l, l.listeners(), func(s *elbv2.Listener) *string { return s.ListenerArn }, here, with(l, balancer.RestoreListener))
	for _, i := range l.Rules {
		l.rule(i, listenerOf(ec2.Value(i.shape.RuleArn)))
	}
	for _, i := range l.ListenerRules {
		for k, r := range i.shape.Rules {
			l.rule(item[elbv2.Rule]{shape: r, file: i.file, key: i.path() + ".Rules", index: k}, ec2.Value(i.shape.ListenerArn))
		}
	}
	for _, i := range l.GroupHealth {
		l.note(i.file, i.path(), balancer.RestoreTargetHealth(l.tx, ec2.Value(i.shape.TargetGroupArn), i.shape.TargetHealthDescriptions))
	}
	l.untoldBalancers()
	each(l, l.EndpointServices, func(s *ec2.ServiceConfiguration) *string { return s.ServiceId }, here, with(l, endpoint.RestoreService))
	l.firewalls()
	each(l, l.Databases, func(s *rds.Shape) *string { return s.DBInstanceArn }, here, with(l, rds.Restore))
	each(l, l.FlowLogs, func(s *ec2.FlowLog) *string { return s.FlowLogId }, here, with(l, flowlog.Restore))
	l.domains()
}

// firewalls restores network firewalls, with the policies and rule groups that the files
// hold.
func (l *restoring) firewalls() {
	var policies []firewall.DescribePolicyOutput
	for _, i := range l.FirewallPolicies {
		policies = append(policies, i.shape)
	}
	var groups []firewall.DescribeGroupOutput
	for _, i := range l.RuleGroups {
		groups = append(groups, i.shape)
	}
	each(l, l.Firewalls, func(s *firewall.DescribeFirewallOutput) *string { return new(s.Firewall.FirewallArn) }, here,
		func(s firewall.DescribeFirewallOutput) (*firewall.Firewall, error) {
			return firewall.Restore(l.tx, s, policies, groups)
		})
}

// domains gives the interfaces of search domains the domains' names.
func (l *restoring) domains() {
	for _, i := range l.Domains {
		name := ec2.Value(i.shape.DomainName)
		nics := l.tx.Described(domainInterfaces(name))
		if len(nics) == 0 {
			l.skip(i.file, i.path(), "no file holds interfaces of the domain "+name)
		}
		for _, n := range nics {
			l.network.names.add(name, n)
		}
	}
}

// goneBalancer is the reason to leave out a load balancer that was never there.
func goneBalancer(s *elbv2.LoadBalancer) string {
	if s.State != nil && ec2.Value(s.State.Code) == "failed" {
		return "failed"
	}
	return ""
}

// restorePart calls f with the resource that a part of it names.
func restorePart[T any, R vpc.Resource](l *restoring, i item[T], field string, id *string, f func(R)) {
	x, err := vpc.Named[R](l.tx, field, id)
	if err != nil {
		l.note(i.file, i.path(), err)
		return
	}
	f(x)
}

// listeners are those that stand under a key of their own, and those that a collector
// has put under their load balancers.
func (l *restoring) listeners() []item[elbv2.Listener] {
	list := l.Listeners
	for _, i := range l.BalancerListeners {
		for k, s := range i.shape.Listeners {
			list = append(list, item[elbv2.Listener]{shape: s, file: i.file, key: i.path() + ".Listeners", index: k})
		}
	}
	return list
}

// listenerOf returns the ARN of a rule's listener (Elastic Load Balancing API, Rule).
func listenerOf(rule string) string {
	listener := strings.Replace(rule, ":listener-rule/", ":listener/", 1)
	if at := strings.LastIndexByte(listener, '/'); at >= 0 {
		listener = listener[:at]
	}
	return listener
}

// rule restores a rule of a listener.
func (l *restoring) rule(i item[elbv2.Rule], listener string) {
	arn := ec2.Value(i.shape.RuleArn)
	if _, seen := l.seen[arn]; seen && arn != "" {
		return
	}
	l.read(arn, i.file, i.path())
	_, err := balancer.RestoreRule(l.tx, listener, i.shape)
	l.note(i.file, i.path(), err)
}

// domainInterfaces returns the description of a search domain's interfaces (OpenSearch
// guide, "VPC support").
func domainInterfaces(name string) string { return fmt.Sprintf("ES %s", name) }
