package elbv2

// Protocol is that of a listener, a target group or a health check; the zero value is none.
type Protocol string

// The values of Protocol.
const (
	HTTP   Protocol = "HTTP"
	HTTPS  Protocol = "HTTPS"
	TCP    Protocol = "TCP"
	TLS    Protocol = "TLS"
	UDP    Protocol = "UDP"
	TCPUDP Protocol = "TCP_UDP"
	GENEVE Protocol = "GENEVE"
)

// Listener is what DescribeListeners says of one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html
type Listener struct {
	ListenerArn     *string       `json:"ListenerArn,omitzero"`
	LoadBalancerArn *string       `json:"LoadBalancerArn,omitzero"`
	Port            *int          `json:"Port,omitzero"`
	Protocol        *Protocol     `json:"Protocol,omitzero"`
	Certificates    []Certificate `json:"Certificates,omitzero"`
	SslPolicy       *string       `json:"SslPolicy,omitzero"`
	DefaultActions  []Action      `json:"DefaultActions,omitzero"`
	AlpnPolicy      []string      `json:"AlpnPolicy,omitzero"`
}

// Certificate is part of Listener.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Certificate.html
type Certificate struct {
	CertificateArn *string `json:"CertificateArn,omitzero"`
	IsDefault      *bool   `json:"IsDefault,omitzero"`
}

// ActionType is what an Action does; the zero value is nothing.
type ActionType string

// The values of ActionType that are modelled.
const (
	ActionForward       ActionType = "forward"
	ActionRedirect      ActionType = "redirect"
	ActionFixedResponse ActionType = "fixed-response"
)

// Action is what a listener or a rule does with a request.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
type Action struct {
	Type                *ActionType                `json:"Type,omitzero"`
	TargetGroupArn      *string                    `json:"TargetGroupArn,omitzero"`
	Order               *int                       `json:"Order,omitzero"`
	RedirectConfig      *RedirectActionConfig      `json:"RedirectConfig,omitzero"`
	FixedResponseConfig *FixedResponseActionConfig `json:"FixedResponseConfig,omitzero"`
	ForwardConfig       *ForwardActionConfig       `json:"ForwardConfig,omitzero"`
}

// ForwardActionConfig is the target groups of a forward action.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html
type ForwardActionConfig struct {
	TargetGroups                []TargetGroupTuple           `json:"TargetGroups,omitzero"`
	TargetGroupStickinessConfig *TargetGroupStickinessConfig `json:"TargetGroupStickinessConfig,omitzero"`
}

// TargetGroupTuple is a target group with its weight.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html
type TargetGroupTuple struct {
	TargetGroupArn *string `json:"TargetGroupArn,omitzero"`
	Weight         *int    `json:"Weight,omitzero"`
}

// TargetGroupStickinessConfig is part of ForwardActionConfig.
type TargetGroupStickinessConfig struct {
	Enabled         *bool `json:"Enabled,omitzero"`
	DurationSeconds *int  `json:"DurationSeconds,omitzero"`
}

// RedirectActionConfig is where a redirect leads.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
type RedirectActionConfig struct {
	Protocol   *string `json:"Protocol,omitzero"`
	Port       *string `json:"Port,omitzero"`
	Host       *string `json:"Host,omitzero"`
	Path       *string `json:"Path,omitzero"`
	Query      *string `json:"Query,omitzero"`
	StatusCode *string `json:"StatusCode,omitzero"`
}

// FixedResponseActionConfig is an answer of the load balancer's own.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
type FixedResponseActionConfig struct {
	MessageBody *string `json:"MessageBody,omitzero"`
	StatusCode  *string `json:"StatusCode,omitzero"`
	ContentType *string `json:"ContentType,omitzero"`
}

// Rule is what DescribeRules says of one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html
type Rule struct {
	RuleArn    *string         `json:"RuleArn,omitzero"`
	Priority   *string         `json:"Priority,omitzero"`
	Conditions []RuleCondition `json:"Conditions,omitzero"`
	Actions    []Action        `json:"Actions,omitzero"`
	IsDefault  *bool           `json:"IsDefault,omitzero"`
}

// RuleCondition is one condition of a rule.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
type RuleCondition struct {
	Field                   *string            `json:"Field,omitzero"`
	Values                  []string           `json:"Values,omitzero"`
	HostHeaderConfig        *ValuesConfig      `json:"HostHeaderConfig,omitzero"`
	PathPatternConfig       *ValuesConfig      `json:"PathPatternConfig,omitzero"`
	HttpHeaderConfig        *HttpHeaderConfig  `json:"HttpHeaderConfig,omitzero"`
	QueryStringConfig       *QueryStringConfig `json:"QueryStringConfig,omitzero"`
	HttpRequestMethodConfig *ValuesConfig      `json:"HttpRequestMethodConfig,omitzero"`
	SourceIpConfig          *ValuesConfig      `json:"SourceIpConfig,omitzero"`
}

// ValuesConfig is the values of a condition that has nothing else.
type ValuesConfig struct {
	Values []string `json:"Values,omitzero"`
}

// HttpHeaderConfig is part of RuleCondition.
type HttpHeaderConfig struct {
	HttpHeaderName *string  `json:"HttpHeaderName,omitzero"`
	Values         []string `json:"Values,omitzero"`
}

// QueryStringConfig is part of RuleCondition.
type QueryStringConfig struct {
	Values []QueryStringKeyValuePair `json:"Values,omitzero"`
}

// QueryStringKeyValuePair is part of QueryStringConfig.
type QueryStringKeyValuePair struct {
	Key   *string `json:"Key,omitzero"`
	Value *string `json:"Value,omitzero"`
}

// DescribeListenersOutput is what DescribeListeners answers. Collectors add the load
// balancer that it is about.
type DescribeListenersOutput struct {
	Listeners       []Listener `json:"Listeners"`
	LoadBalancerArn *string    `json:"LoadBalancerArn,omitzero"`
}

// DescribeRulesOutput is what DescribeRules answers. Collectors add the listener that
// it is about.
type DescribeRulesOutput struct {
	Rules       []Rule  `json:"Rules"`
	ListenerArn *string `json:"ListenerArn,omitzero"`
}
