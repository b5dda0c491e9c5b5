package clb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's Classic Load Balancers (DescribeLoadBalancers of API
// version 2012-06-01), in the order in which they were made.
func Describe(r *vpc.Region) *elb.DescribeLoadBalancersOutput {
	list := []elb.LoadBalancerDescription{}
	r.View(func(tx *vpc.Tx) {
		for _, l := range vpc.Gateways[*LoadBalancer](tx) {
			if k := l.Classic(tx); k != nil {
				list = append(list, shape(tx, l, k))
			}
		}
	})
	return &elb.DescribeLoadBalancersOutput{LoadBalancerDescriptions: list}
}

func shape(tx *vpc.Tx, l *LoadBalancer, k *balancer.Classic) elb.LoadBalancerDescription {
	h := k.Check(tx)
	target := fmt.Sprintf("%s:%d", h.Protocol, h.Port)
	if h.Protocol == elbv2.HTTP || h.Protocol == elbv2.HTTPS {
		target += h.Path
	}
	s := elb.LoadBalancerDescription{
		LoadBalancerName: new(l.LoadBalancerName()), DNSName: new(l.DNSName()), VPCId: new(l.VPC().ID()), Scheme: new("internal"),
		CreatedTime: new(ec2.TimestampOf(l.CreatedAt())), ListenerDescriptions: []elb.ListenerDescription{}, Instances: []elb.Instance{},
		HealthCheck: &elb.HealthCheck{
			Target: &target, Interval: new(int(h.Interval / time.Second)), Timeout: new(int(h.Timeout / time.Second)),
			UnhealthyThreshold: new(h.Unhealthy), HealthyThreshold: new(h.Healthy),
		},
	}
	if l.InternetFacing() {
		s.Scheme = new("internet-facing")
	}
	for _, n := range l.Nodes(tx) {
		s.AvailabilityZones, s.Subnets = append(s.AvailabilityZones, n.Subnet().Zone()), append(s.Subnets, n.Subnet().ID())
	}
	for _, g := range l.GroupsOf(tx) {
		s.SecurityGroups = append(s.SecurityGroups, g.ID())
	}
	for _, c := range k.Listeners(tx) {
		s.ListenerDescriptions = append(s.ListenerDescriptions, elb.ListenerDescription{PolicyNames: []string{}, Listener: &elb.Listener{
			Protocol: new(string(c.Protocol)), LoadBalancerPort: new(int(c.Port)), InstanceProtocol: new(string(c.InstanceProtocol)), InstancePort: new(int(c.InstancePort)),
		}})
	}
	for _, t := range k.Instances(tx) {
		s.Instances = append(s.Instances, elb.Instance{InstanceId: new(t.ID)})
	}
	return s
}

// DescribeInstanceHealth lists the states of the registered instances
// (DescribeInstanceHealth).
func DescribeInstanceHealth(l *LoadBalancer) *elb.DescribeInstanceHealthOutput {
	list := []elb.InstanceState{}
	l.Region().View(func(tx *vpc.Tx) {
		k := l.Classic(tx)
		if k == nil {
			return
		}
		for _, t := range k.Instances(tx) {
			s := elb.InstanceState{InstanceId: new(t.ID), State: new("OutOfService"), ReasonCode: new("Instance"), Description: new("Instance has failed at least the UnhealthyThreshold number of health checks consecutively.")}
			switch t.State {
			case elbv2.StateHealthy:
				s.State, s.ReasonCode, s.Description = new("InService"), new("N/A"), new("N/A")
			case elbv2.StateInitial:
				s.ReasonCode, s.Description = new("ELB"), new("Instance registration is still in progress.")
			case elbv2.StateUnused:
				s.Description = new("Instance is in stopped state.")
			}
			list = append(list, s)
		}
	})
	return &elb.DescribeInstanceHealthOutput{InstanceStates: list}
}

// Restore makes a load balancer as DescribeLoadBalancers tells of it, on the interfaces
// that are there, known by the description "ELB" and its name. Instances are out of
// service until [RestoreHealth]. What it names that is not there is told as absent.
func Restore(tx *vpc.Tx, s elb.LoadBalancerDescription) (*LoadBalancer, error) {
	name := ec2.Value(s.LoadBalancerName)
	if name == "" {
		return nil, vpc.Absent("LoadBalancerName", "")
	}
	scheme := elbv2.Scheme(ec2.Value(s.Scheme))
	v2 := elbv2.LoadBalancer{
		LoadBalancerArn: new(tx.Region().ARN("elasticloadbalancing", "loadbalancer/"+name)), LoadBalancerName: &name, VpcId: s.VPCId,
		Scheme: &scheme, DNSName: s.DNSName, CreatedTime: s.CreatedTime, SecurityGroups: s.SecurityGroups,
	}
	for _, id := range s.Subnets {
		v2.AvailabilityZones = append(v2.AvailabilityZones, elbv2.AvailabilityZone{SubnetId: &id})
	}
	l, err := balancer.Restore(tx, kind, v2)
	if l == nil {
		return nil, err
	}
	k := l.Classic(tx)
	if h := s.HealthCheck; h != nil {
		k.SetCheck(tx, restoreCheck(h))
	}
	all := []error{err}
	for _, d := range s.ListenerDescriptions {
		if c := d.Listener; c != nil {
			all = append(all, k.Add(tx, Listener{
				Protocol: elbv2.Protocol(ec2.Value(c.Protocol)), InstanceProtocol: elbv2.Protocol(ec2.Value(c.InstanceProtocol)),
				Port: uint16(ec2.Value(c.LoadBalancerPort)), InstancePort: uint16(ec2.Value(c.InstancePort)),
			}))
		}
	}
	for i, x := range s.Instances {
		if _, err := vpc.Named[*vpc.Instance](tx, fmt.Sprintf("Instances[%d].InstanceId", i), x.InstanceId); err != nil {
			all = append(all, err)
			continue
		}
		k.Register(tx, *x.InstanceId)
	}
	return l, errors.Join(all...)
}

// restoreCheck reads a health check's target, such as HTTP:80/index.html.
func restoreCheck(s *elb.HealthCheck) balancer.HealthCheck {
	protocol, at, _ := strings.Cut(ec2.Value(s.Target), ":")
	port, path, found := strings.Cut(at, "/")
	h := balancer.HealthCheck{
		Protocol: elbv2.Protocol(protocol), Healthy: ec2.Value(s.HealthyThreshold), Unhealthy: ec2.Value(s.UnhealthyThreshold),
		Interval: time.Duration(ec2.Value(s.Interval)) * time.Second, Timeout: time.Duration(ec2.Value(s.Timeout)) * time.Second,
	}
	if found {
		h.Path = "/" + path
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		h.Port = uint16(n)
	}
	return h
}

// RestoreHealth sets the states that DescribeInstanceHealth tells of a load balancer's
// instances.
func RestoreHealth(tx *vpc.Tx, l *LoadBalancer, list []elb.InstanceState) {
	k := l.Classic(tx)
	for _, s := range list {
		if k != nil {
			h := balancer.Unhealthy
			if ec2.Value(s.State) == "InService" {
				h = balancer.Healthy
			}
			k.SetHealth(tx, ec2.Value(s.InstanceId), h)
		}
	}
}
