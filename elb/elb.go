// Package elb is the shapes of Elastic Load Balancing's API version 2012-06-01,
// Classic Load Balancers, as far as the simulator answers or reads them, as the aws
// CLI prints them. It is written from the API reference; a field that is nil is
// absent. Unknown fields of what is read are no error.
package elb

import "github.com/vpcsim/vpcsim/ec2"

// LoadBalancerDescription is what DescribeLoadBalancers says of one.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html
type LoadBalancerDescription struct {
	LoadBalancerName     *string               `json:"LoadBalancerName,omitzero"`
	DNSName              *string               `json:"DNSName,omitzero"`
	ListenerDescriptions []ListenerDescription `json:"ListenerDescriptions,omitzero"`
	AvailabilityZones    []string              `json:"AvailabilityZones,omitzero"`
	Subnets              []string              `json:"Subnets,omitzero"`
	VPCId                *string               `json:"VPCId,omitzero"`
	Instances            []Instance            `json:"Instances,omitzero"`
	HealthCheck          *HealthCheck          `json:"HealthCheck,omitzero"`
	SecurityGroups       []string              `json:"SecurityGroups,omitzero"`
	CreatedTime          *ec2.Timestamp        `json:"CreatedTime,omitzero"`
	Scheme               *string               `json:"Scheme,omitzero"`
}

// ListenerDescription is part of LoadBalancerDescription.
type ListenerDescription struct {
	Listener    *Listener `json:"Listener,omitzero"`
	PolicyNames []string  `json:"PolicyNames,omitzero"`
}

// Listener is a port of the load balancer and the port of the instances behind it.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Listener.html
type Listener struct {
	Protocol         *string `json:"Protocol,omitzero"`
	LoadBalancerPort *int    `json:"LoadBalancerPort,omitzero"`
	InstanceProtocol *string `json:"InstanceProtocol,omitzero"`
	InstancePort     *int    `json:"InstancePort,omitzero"`
	SSLCertificateId *string `json:"SSLCertificateId,omitzero"`
}

// Instance names a registered instance.
type Instance struct {
	InstanceId *string `json:"InstanceId,omitzero"`
}

// HealthCheck is how instances are checked.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_HealthCheck.html
type HealthCheck struct {
	Target             *string `json:"Target,omitzero"`
	Interval           *int    `json:"Interval,omitzero"`
	Timeout            *int    `json:"Timeout,omitzero"`
	UnhealthyThreshold *int    `json:"UnhealthyThreshold,omitzero"`
	HealthyThreshold   *int    `json:"HealthyThreshold,omitzero"`
}

// InstanceState is what DescribeInstanceHealth says of one instance.
// https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
type InstanceState struct {
	InstanceId  *string `json:"InstanceId,omitzero"`
	State       *string `json:"State,omitzero"`
	ReasonCode  *string `json:"ReasonCode,omitzero"`
	Description *string `json:"Description,omitzero"`
}

// DescribeLoadBalancersOutput is what DescribeLoadBalancers answers.
type DescribeLoadBalancersOutput struct {
	LoadBalancerDescriptions []LoadBalancerDescription `json:"LoadBalancerDescriptions"`
}

// DescribeInstanceHealthOutput is what DescribeInstanceHealth answers.
type DescribeInstanceHealthOutput struct {
	InstanceStates []InstanceState `json:"InstanceStates"`
}
