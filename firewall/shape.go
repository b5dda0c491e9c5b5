package firewall

import (
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// The shapes are those of Network Firewall's API, as far as the simulator answers or
// reads them, as the aws CLI prints them (Network Firewall API reference). A field that
// is nil, or empty, is absent.

// DescribeFirewallOutput is what DescribeFirewall answers.
type DescribeFirewallOutput struct {
	Firewall       Shape
	FirewallStatus Status
}

// Shape is a firewall (API: Firewall).
type Shape struct {
	FirewallName, FirewallArn, FirewallPolicyArn, VpcId string
	SubnetMappings                                      []SubnetMapping
	DeleteProtection                                    bool
}

// SubnetMapping is a subnet of a firewall.
type SubnetMapping struct{ SubnetId string }

// Status is a firewall's state (API: FirewallStatus): SyncStates are by zone.
type Status struct {
	Status     string
	SyncStates map[string]SyncState
}

// SyncState is the endpoint in a zone.
type SyncState struct{ Attachment Attachment }

// Attachment is an endpoint and its subnet.
type Attachment struct{ SubnetId, EndpointId, Status string }

// DescribePolicyOutput is what DescribeFirewallPolicy answers.
type DescribePolicyOutput struct {
	FirewallPolicyResponse struct{ FirewallPolicyName, FirewallPolicyArn string }
	FirewallPolicy         PolicyShape
}

// PolicyShape is a firewall policy (API: FirewallPolicy).
type PolicyShape struct {
	StatelessRuleGroupReferences    []GroupReference
	StatelessDefaultActions         []string
	StatelessFragmentDefaultActions []string
	StatefulRuleGroupReferences     []GroupReference
	StatefulDefaultActions          []string
	StatefulEngineOptions           struct {
		RuleOrder, StreamExceptionPolicy string
		FlowTimeouts                     struct{ TcpIdleTimeoutSeconds int }
	}
	PolicyVariables struct{ RuleVariables map[string]Definition }
}

// GroupReference names a rule group in a policy.
type GroupReference struct {
	ResourceArn string
	Priority    int
}

// Definition is the values of a variable.
type Definition struct{ Definition []string }

// DescribeGroupOutput is what DescribeRuleGroup answers.
type DescribeGroupOutput struct {
	RuleGroupResponse struct{ RuleGroupName, RuleGroupArn, Type string }
	RuleGroup         GroupShape
}

// GroupShape is a rule group (API: RuleGroup).
type GroupShape struct {
	RuleVariables struct{ IPSets, PortSets map[string]Definition }
	RulesSource   struct {
		RulesString                    string
		RulesSourceList                *DomainList
		StatefulRules                  []StatefulShape
		StatelessRulesAndCustomActions struct{ StatelessRules []StatelessShape }
	}
}

// DomainList is a list of domains, which is not modelled.
type DomainList struct {
	Targets, TargetTypes []string
	GeneratedRulesType   string
}

// StatefulShape is a standard stateful rule (API: StatefulRule).
type StatefulShape struct {
	Action      string
	Header      struct{ Protocol, Source, SourcePort, Direction, Destination, DestinationPort string }
	RuleOptions []OptionShape
}

// OptionShape is a keyword of a stateful rule.
type OptionShape struct {
	Keyword  string
	Settings []string
}

// StatelessShape is a stateless rule (API: StatelessRule).
type StatelessShape struct {
	Priority       int
	RuleDefinition struct {
		Actions         []string
		MatchAttributes struct {
			Sources, Destinations         []AddressShape
			SourcePorts, DestinationPorts []PortShape
			Protocols                     []int
			TCPFlags                      []FlagShape
		}
	}
}

// AddressShape is an address of a stateless rule.
type AddressShape struct{ AddressDefinition string }

// PortShape is a range of ports of a stateless rule.
type PortShape struct{ FromPort, ToPort int }

// FlagShape is a field of TCP flags of a stateless rule.
type FlagShape struct{ Flags, Masks []string }

// Describe lists the region's firewalls, each as DescribeFirewall tells of it, by ARN.
func Describe(r *vpc.Region) []DescribeFirewallOutput {
	list := []DescribeFirewallOutput{}
	r.View(func(tx *vpc.Tx) {
		for _, f := range vpc.Resources[*Firewall](tx) {
			list = append(list, f.shape())
		}
	})
	return slices.Clip(list)
}

func (f *Firewall) shape() DescribeFirewallOutput {
	d := DescribeFirewallOutput{
		Firewall: Shape{
			FirewallName: f.name, FirewallArn: f.ID(), FirewallPolicyArn: f.policyID(f.policy), VpcId: f.vpc.ID(), DeleteProtection: f.protected,
		},
		FirewallStatus: Status{Status: "READY", SyncStates: map[string]SyncState{}},
	}
	for _, e := range f.endpoints {
		s := e.Subnets()[0]
		d.Firewall.SubnetMappings = append(d.Firewall.SubnetMappings, SubnetMapping{s.ID()})
		d.FirewallStatus.SyncStates[s.Zone()] = SyncState{Attachment{SubnetId: s.ID(), EndpointId: e.ID(), Status: "READY"}}
	}
	return d
}
