package elbv2

// TargetGroup is what DescribeTargetGroups says of one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html
type TargetGroup struct {
	TargetGroupArn             *string        `json:"TargetGroupArn,omitzero"`
	TargetGroupName            *string        `json:"TargetGroupName,omitzero"`
	Protocol                   *Protocol      `json:"Protocol,omitzero"`
	Port                       *int           `json:"Port,omitzero"`
	VpcId                      *string        `json:"VpcId,omitzero"`
	HealthCheckProtocol        *Protocol      `json:"HealthCheckProtocol,omitzero"`
	HealthCheckPort            *string        `json:"HealthCheckPort,omitzero"`
	HealthCheckEnabled         *bool          `json:"HealthCheckEnabled,omitzero"`
	HealthCheckIntervalSeconds *int           `json:"HealthCheckIntervalSeconds,omitzero"`
	HealthCheckTimeoutSeconds  *int           `json:"HealthCheckTimeoutSeconds,omitzero"`
	HealthyThresholdCount      *int           `json:"HealthyThresholdCount,omitzero"`
	UnhealthyThresholdCount    *int           `json:"UnhealthyThresholdCount,omitzero"`
	HealthCheckPath            *string        `json:"HealthCheckPath,omitzero"`
	Matcher                    *Matcher       `json:"Matcher,omitzero"`
	LoadBalancerArns           []string       `json:"LoadBalancerArns,omitzero"`
	TargetType                 *TargetType    `json:"TargetType,omitzero"`
	ProtocolVersion            *string        `json:"ProtocolVersion,omitzero"`
	IpAddressType              *IPAddressType `json:"IpAddressType,omitzero"`
}

// Matcher is the answers that a health check accepts.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
type Matcher struct {
	HttpCode *string `json:"HttpCode,omitzero"`
	GrpcCode *string `json:"GrpcCode,omitzero"`
}

// TargetType is what the targets of a group are; the zero value is none.
type TargetType string

// The values of TargetType.
const (
	TargetInstance TargetType = "instance"
	TargetIP       TargetType = "ip"
	TargetLambda   TargetType = "lambda"
	TargetALB      TargetType = "alb"
)

// TargetGroupAttribute is a key and a value of DescribeTargetGroupAttributes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
type TargetGroupAttribute struct {
	Key   *string `json:"Key,omitzero"`
	Value *string `json:"Value,omitzero"`
}

// TargetDescription names a target.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
type TargetDescription struct {
	Id               *string `json:"Id,omitzero"`
	Port             *int    `json:"Port,omitzero"`
	AvailabilityZone *string `json:"AvailabilityZone,omitzero"`
}

// TargetHealthDescription is what DescribeTargetHealth says of one target.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html
type TargetHealthDescription struct {
	Target          *TargetDescription `json:"Target,omitzero"`
	HealthCheckPort *string            `json:"HealthCheckPort,omitzero"`
	TargetHealth    *TargetHealth      `json:"TargetHealth,omitzero"`
}

// TargetHealthState is a target's state; the zero value is none.
type TargetHealthState string

// The values of TargetHealthState.
const (
	StateInitial     TargetHealthState = "initial"
	StateHealthy     TargetHealthState = "healthy"
	StateUnhealthy   TargetHealthState = "unhealthy"
	StateUnused      TargetHealthState = "unused"
	StateDraining    TargetHealthState = "draining"
	StateUnavailable TargetHealthState = "unavailable"
)

// TargetHealth is a target's state and why.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
type TargetHealth struct {
	State       *TargetHealthState `json:"State,omitzero"`
	Reason      *string            `json:"Reason,omitzero"`
	Description *string            `json:"Description,omitzero"`
}

// DescribeTargetGroupsOutput is what DescribeTargetGroups answers.
type DescribeTargetGroupsOutput struct {
	TargetGroups []TargetGroup `json:"TargetGroups"`
}

// DescribeTargetHealthOutput is what DescribeTargetHealth answers. Collectors add the
// target group that it is about.
type DescribeTargetHealthOutput struct {
	TargetHealthDescriptions []TargetHealthDescription `json:"TargetHealthDescriptions"`
	TargetGroupArn           *string                   `json:"TargetGroupArn,omitzero"`
}

// DescribeTargetGroupAttributesOutput is what DescribeTargetGroupAttributes answers.
// Collectors add the target group that it is about.
type DescribeTargetGroupAttributesOutput struct {
	Attributes     []TargetGroupAttribute `json:"Attributes"`
	TargetGroupArn *string                `json:"TargetGroupArn,omitzero"`
}
