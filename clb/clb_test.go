package clb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

var web = clb.Listener{Protocol: elbv2.HTTP, InstanceProtocol: elbv2.HTTP, Port: 80, InstancePort: 8080}

func newBalancer(t *testing.T) (*vpctest.World, *vpctest.Subnet, *clb.LoadBalancer) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	l, err := clb.Create(w.Region, "web", clb.Config{Subnets: []*vpc.Subnet{s.Subnet}})
	require.NoError(t, err)
	return w, s, l
}

func TestWhatIsRefused(t *testing.T) {
	w, s, l := newBalancer(t)
	i := s.Host("a").Instance
	foreign := w.VPC("10.1.0.0/16").Subnet("10.1.0.0/24").Host("b").Instance
	other, err := alb.Create(w.Region, "app", alb.Config{Subnets: []*vpc.Subnet{s.Subnet}})
	require.NoError(t, err)
	none := clb.RegisterInstances(l, i.ID())
	require.Equal(t, &vpc.Error{Code: "ValidationError", Message: "At least one listener must be specified"}, none)
	require.NoError(t, clb.CreateListeners(l, web))
	require.NoError(t, clb.CreateListeners(l, web), "one alike changes nothing")
	with := func(f func(c *clb.Listener)) func() error {
		c := web
		f(&c)
		return func() error { return clb.CreateListeners(l, c) }
	}
	for _, bad := range []struct {
		code, message string
		call          func() error
	}{
		{"DuplicateListener", "A listener already exists for web with LoadBalancerPort 80, but with a different InstancePort, Protocol, or SSLCertificateId", with(func(c *clb.Listener) { c.InstancePort = 1 })},
		{"UnsupportedProtocol", "Listener protocol must be one of HTTP, HTTPS, TCP, SSL", with(func(c *clb.Listener) { c.Protocol = "UDP" })},
		{"ValidationError", "Protocol and InstanceProtocol must be at the same Internet protocol layer", with(func(c *clb.Listener) { c.InstanceProtocol = elbv2.TCP })},
		{"ValidationError", "LoadBalancerPort and InstancePort must be between 1 and 65535", with(func(c *clb.Listener) { c.InstancePort = 0 })},
		{"InvalidInstance", "EC2 instance ID is not valid", func() error { return clb.RegisterInstances(l, "i-0") }},
		{"InvalidInstance", "EC2 instance ID is not valid", func() error { return clb.RegisterInstances(l, foreign.ID()) }},
		{"InvalidInstance", "Could not find EC2 instance " + i.ID() + ".", func() error { return clb.DeregisterInstances(l, i.ID()) }},
		{"InvalidInstance", "Could not find EC2 instance " + i.ID() + ".", func() error { return clb.SetHealth(l, i.ID(), balancer.Healthy) }},
		{"LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'app'", func() error { return clb.CreateListeners(other, web) }},
		{"ValidationError", "'" + l.ID() + "' is not a valid load balancer ARN", func() error { _, err := l.CreateListener(balancer.ListenerConfig{}); return err }},
	} {
		before := clb.Describe(w.Region)
		require.Equal(t, &vpc.Error{Code: bad.code, Message: bad.message}, bad.call())
		require.Equal(t, before, clb.Describe(w.Region), "a refused call has changed something")
	}
}

func TestInstancesAndTheirHealth(t *testing.T) {
	w, s, l := newBalancer(t)
	i := s.Host("a").Instance
	require.NoError(t, clb.CreateListeners(l, web))
	require.NoError(t, clb.RegisterInstances(l, i.ID()))
	require.NoError(t, clb.CreateListeners(l, clb.Listener{Protocol: elbv2.TCP, Port: 81, InstancePort: 81}))
	word := func() string {
		s := clb.DescribeInstanceHealth(l).InstanceStates
		require.Len(t, s, 1)
		return *s[0].State + " " + *s[0].ReasonCode + ": " + *s[0].Description
	}
	require.Equal(t, "OutOfService ELB: Instance registration is still in progress.", word())
	require.NoError(t, clb.SetHealth(l, i.ID(), balancer.Healthy))
	require.Equal(t, "InService N/A: N/A", word())
	require.NoError(t, clb.SetHealth(l, i.ID(), balancer.Unhealthy))
	require.Equal(t, "OutOfService Instance: Instance has failed at least the UnhealthyThreshold number of health checks consecutively.", word())
	require.NoError(t, i.Stop())
	require.Equal(t, "OutOfService Instance: Instance is in stopped state.", word())
	require.Empty(t, balancer.DescribeTargetGroups(w.Region).TargetGroups, "its target groups are nobody's to see")
	require.Empty(t, balancer.Describe(w.Region).LoadBalancers)
	require.NoError(t, clb.DeleteListeners(l, 81, 82))
	require.Len(t, l.Listeners(), 1)
	require.NoError(t, clb.DeregisterInstances(l, i.ID()))
	require.Empty(t, clb.DescribeInstanceHealth(l).InstanceStates)
	require.NoError(t, l.Delete())
	require.Empty(t, clb.Describe(w.Region).LoadBalancerDescriptions)
}

func TestRestoreIsTheInverseOfDescribe(t *testing.T) {
	w, s, l := newBalancer(t)
	i := s.Host("a").Instance
	require.NoError(t, clb.CreateListeners(l, web, clb.Listener{Protocol: elbv2.TCP, InstanceProtocol: balancer.SSL, Port: 443, InstancePort: 8443}))
	require.NoError(t, clb.RegisterInstances(l, i.ID()))
	require.NoError(t, clb.ConfigureHealthCheck(l, balancer.HealthCheck{Protocol: elbv2.HTTP, Port: 8080, Path: "/index.html", Interval: 10 * time.Second}))
	require.NoError(t, clb.SetHealth(l, i.ID(), balancer.Healthy))
	want, health := clb.Describe(w.Region), clb.DescribeInstanceHealth(l)
	require.Equal(t, "HTTP:8080/index.html", *want.LoadBalancerDescriptions[0].HealthCheck.Target)
	require.True(t, strings.HasPrefix(*want.LoadBalancerDescriptions[0].DNSName, "internal-web-"))
	require.True(t, strings.HasSuffix(*want.LoadBalancerDescriptions[0].DNSName, ".us-east-1.elb.amazonaws.com"))
	want.LoadBalancerDescriptions[0].SecurityGroups = nil // the default group has another id

	r := vpc.NewRegion(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{ID: s.VPC().ID()})
	require.NoError(t, err)
	sub, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{ID: s.ID(), Zone: s.Zone()})
	require.NoError(t, err)
	var restored *clb.LoadBalancer
	_, err = sub.RunInstance(vpc.InstanceConfig{ID: i.ID(), Interface: vpc.NetworkInterfaceConfig{PrivateIP: i.Interface().PrivateIP()}})
	require.NoError(t, err)
	require.NoError(t, r.Change(func(tx *vpc.Tx) error {
		for _, n := range w.Region.DescribeNetworkInterfaces().NetworkInterfaces {
			if *n.Description == "ELB web" {
				n.Groups = nil
				_, err := tx.RestoreInterface(n)
				require.NoError(t, err)
			}
		}
		var err error
		restored, err = clb.Restore(tx, want.LoadBalancerDescriptions[0])
		clb.RestoreHealth(tx, restored, health.InstanceStates)
		return err
	}))
	require.Equal(t, want, clb.Describe(r))
	require.Equal(t, health, clb.DescribeInstanceHealth(restored))
	require.NoError(t, r.Change(func(tx *vpc.Tx) error {
		d := want.LoadBalancerDescriptions[0]
		d.LoadBalancerName = new("second")
		d.Instances[0].InstanceId = new("i-gone")
		l, err := clb.Restore(tx, d)
		require.NotNil(t, l)
		require.ErrorContains(t, err, "i-gone")
		require.ErrorContains(t, err, s.ID(), "no interface is known by its name")
		_, err = clb.Restore(tx, d)
		require.Error(t, err)
		return nil
	}))
}
