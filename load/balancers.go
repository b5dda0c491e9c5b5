package load

import (
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// untoldBalancers says what no file tells of load balancers: listeners, attributes, and
// targets with their health.
func (l *restoring) untoldBalancers() {
	if l.fresh {
		l.unregistered()
		return
	}
	listed, set, checked := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, i := range l.BalancerListeners {
		listed[ec2.Value(i.shape.LoadBalancerArn)] = true
	}
	for _, i := range l.BalancerAttributes {
		set[ec2.Value(i.shape.LoadBalancerArn)] = true
	}
	for _, i := range l.GroupHealth {
		checked[ec2.Value(i.shape.TargetGroupArn)] = true
	}
	for _, i := range l.Balancers {
		x, err := vpc.Named[*balancer.LoadBalancer](l.tx, "", i.shape.LoadBalancerArn)
		if err != nil {
			continue
		}
		l.account = i.file.account
		if !listed[x.ID()] && !l.told.has(l.account, "Listeners") {
			x.RestoreUntold(l.tx, "its listeners are "+l.absent(l.account, "LoadBalancerListeners"))
			l.skip(i.file, i.path(), "no file holds the listeners of "+x.ID()+": what comes to its ports ends as not modelled")
		}
		if !set[x.ID()] {
			x.RestoreUntoldAttributes(l.tx, l.absent(l.account, "LoadBalancerAttributes"))
			l.skip(i.file, i.path(), "no file holds the attributes of "+x.ID()+": taken to be AWS's defaults where whether it crosses zones decides nothing")
		}
	}
	for _, i := range l.TargetGroups {
		g, err := vpc.Named[*balancer.TargetGroup](l.tx, "", i.shape.TargetGroupArn)
		if err != nil {
			continue
		}
		l.account = i.file.account
		if !checked[g.ID()] {
			g.RestoreUntold(l.tx, "its targets are "+l.absent(l.account, "LoadBalancerTargetHealth"))
			l.skip(i.file, i.path(), "no file holds the targets of "+g.ID()+": what is forwarded to it ends as not modelled")
		}
		l.unforwarded(g, i.shape.LoadBalancerArns)
	}
}

// unregistered says of target groups that no resource of a plan registers targets with that
// something else may: Auto Scaling, ECS, Kubernetes.
func (l *restoring) unregistered() {
	checked := map[string]bool{}
	for _, i := range l.GroupHealth {
		checked[ec2.Value(i.shape.TargetGroupArn)] = true
	}
	for _, i := range l.TargetGroups {
		if g, err := vpc.Named[*balancer.TargetGroup](l.tx, "", i.shape.TargetGroupArn); err == nil && !checked[g.ID()] {
			g.RestoreUntold(l.tx, "its targets are "+l.absent("", "LoadBalancerTargetHealth"))
		}
	}
}

// unforwarded says of load balancers that are described as a target group's, and of which
// no listener forwards to it, that one is missing. Of an Application Load Balancer it may
// be a rule.
func (l *restoring) unforwarded(g *balancer.TargetGroup, arns []string) {
	for _, arn := range arns {
		x, err := vpc.Named[*balancer.LoadBalancer](l.tx, "", &arn)
		if err == nil && x.Unlisted() == "" && !x.Forwards(l.tx, g) && !strings.Contains(arn, ":loadbalancer/app/") {
			x.RestoreUntold(l.tx, "the listener of it that forwards to "+g.ID()+" is not in the snapshot")
		}
	}
}
