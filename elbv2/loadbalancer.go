package elbv2

import "github.com/vpcsim/vpcsim/ec2"

// LoadBalancer is what DescribeLoadBalancers says of one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancer.html
type LoadBalancer struct {
	LoadBalancerArn       *string            `json:"LoadBalancerArn,omitzero"`
	DNSName               *string            `json:"DNSName,omitzero"`
	CanonicalHostedZoneId *string            `json:"CanonicalHostedZoneId,omitzero"`
	CreatedTime           *ec2.Timestamp     `json:"CreatedTime,omitzero"`
	LoadBalancerName      *string            `json:"LoadBalancerName,omitzero"`
	Scheme                *Scheme            `json:"Scheme,omitzero"`
	VpcId                 *string            `json:"VpcId,omitzero"`
	State                 *LoadBalancerState `json:"State,omitzero"`
	Type                  *LoadBalancerType  `json:"Type,omitzero"`
	AvailabilityZones     []AvailabilityZone `json:"AvailabilityZones,omitzero"`
	SecurityGroups        []string           `json:"SecurityGroups,omitzero"`
	IpAddressType         *IPAddressType     `json:"IpAddressType,omitzero"`
}

// Scheme is where the nodes' names lead; the zero value is neither.
type Scheme string

// The values of Scheme.
const (
	SchemeInternetFacing Scheme = "internet-facing"
	SchemeInternal       Scheme = "internal"
)

// LoadBalancerType is the kind of a load balancer; the zero value is none.
type LoadBalancerType string

// The values of LoadBalancerType.
const (
	TypeApplication LoadBalancerType = "application"
	TypeNetwork     LoadBalancerType = "network"
	TypeGateway     LoadBalancerType = "gateway"
)

// IPAddressType is the families of a load balancer's addresses, or the family of a
// target group's targets; the zero value is neither.
type IPAddressType string

// The values of IPAddressType. IPv6 alone is a target group's.
const (
	IPAddressTypeIPv4                       IPAddressType = "ipv4"
	IPAddressTypeIPv6                       IPAddressType = "ipv6"
	IPAddressTypeDualstack                  IPAddressType = "dualstack"
	IPAddressTypeDualstackWithoutPublicIPv4 IPAddressType = "dualstack-without-public-ipv4"
)

// LoadBalancerState is part of LoadBalancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
type LoadBalancerState struct {
	Code   *string `json:"Code,omitzero"`
	Reason *string `json:"Reason,omitzero"`
}

// AvailabilityZone is a zone of a load balancer, with its subnet and addresses.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AvailabilityZone.html
type AvailabilityZone struct {
	ZoneName              *string               `json:"ZoneName,omitzero"`
	SubnetId              *string               `json:"SubnetId,omitzero"`
	OutpostId             *string               `json:"OutpostId,omitzero"`
	LoadBalancerAddresses []LoadBalancerAddress `json:"LoadBalancerAddresses,omitzero"`
}

// LoadBalancerAddress is a fixed address of a node.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAddress.html
type LoadBalancerAddress struct {
	IpAddress          *string `json:"IpAddress,omitzero"`
	AllocationId       *string `json:"AllocationId,omitzero"`
	PrivateIPv4Address *string `json:"PrivateIPv4Address,omitzero"`
	IPv6Address        *string `json:"IPv6Address,omitzero"`
}

// LoadBalancerAttribute is a key and a value of DescribeLoadBalancerAttributes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
type LoadBalancerAttribute struct {
	Key   *string `json:"Key,omitzero"`
	Value *string `json:"Value,omitzero"`
}

// DescribeLoadBalancersOutput is what DescribeLoadBalancers answers.
type DescribeLoadBalancersOutput struct {
	LoadBalancers []LoadBalancer `json:"LoadBalancers"`
}

// DescribeLoadBalancerAttributesOutput is what DescribeLoadBalancerAttributes answers.
// Collectors add the load balancer that it is about.
type DescribeLoadBalancerAttributesOutput struct {
	Attributes      []LoadBalancerAttribute `json:"Attributes"`
	LoadBalancerArn *string                 `json:"LoadBalancerArn,omitzero"`
}
