package firewall

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Restore makes a firewall as DescribeFirewall tells of it, with the policy and the rule
// groups that are among those given, in front of endpoints that were restored before.
// What is not given (AWS's managed rule groups cannot be described) is told, and what
// becomes of packets about which it would decide is unknown; so it is, where a domain
// list would decide, of packets that hold something.
func Restore(tx *vpc.Tx, d DescribeFirewallOutput, policies []DescribePolicyOutput, groups []DescribeGroupOutput) (*Firewall, error) {
	s := d.Firewall
	v, err := vpc.Named[*vpc.VPC](tx, "Firewall.VpcId", &s.VpcId)
	if err != nil {
		return nil, err
	}
	b, err := tx.NewNamed(s.FirewallArn, s.FirewallName)
	if err != nil {
		return nil, err
	}
	f := &Firewall{Base: b, name: s.FirewallName, vpc: v, protected: s.DeleteProtection, created: tx.RestoreTime(nil)}
	p, absent := policyOf(s.FirewallPolicyArn, policies, groups)
	if err := f.setPolicy(tx, p); err != nil {
		return nil, err
	}
	zones := make([]string, 0, len(d.FirewallStatus.SyncStates))
	for zone := range d.FirewallStatus.SyncStates {
		zones = append(zones, zone)
	}
	slices.Sort(zones)
	for _, zone := range zones {
		a := d.FirewallStatus.SyncStates[zone].Attachment
		e, err := vpc.Named[*endpoint.Endpoint](tx, "FirewallStatus.SyncStates."+zone+".Attachment.EndpointId", &a.EndpointId)
		if absent = append(absent, err); err == nil {
			e.Manage(tx, f)
			f.endpoints = append(f.endpoints, e)
		}
	}
	tx.Add(f)
	return f, errors.Join(absent...)
}

// anything is a rule of which nothing is known.
var anything = StatefulRule{Action: "DROP", Protocol: "IP", Options: []string{"content:unknown"}}

// policyOf returns the policy with the given ARN.
func policyOf(arn string, policies []DescribePolicyOutput, groups []DescribeGroupOutput) (Policy, []error) {
	i := slices.IndexFunc(policies, func(p DescribePolicyOutput) bool { return p.FirewallPolicyResponse.FirewallPolicyArn == arn })
	if i < 0 {
		unknown := StatefulGroup{Name: "unknown", Rules: []StatefulRule{anything}}
		return Policy{StatelessDefault: Forward, StatelessFragmentDefault: Forward, Stateful: []StatefulGroup{unknown}},
			[]error{vpc.Absent("Firewall.FirewallPolicyArn", arn)}
	}
	s, o := policies[i].FirewallPolicy, policies[i].FirewallPolicy.StatefulEngineOptions
	p := Policy{
		Name:             policies[i].FirewallPolicyResponse.FirewallPolicyName,
		StatelessDefault: actionOf(s.StatelessDefaultActions), StatelessFragmentDefault: actionOf(s.StatelessFragmentDefaultActions),
		Order: RuleOrder(o.RuleOrder), Stream: StreamExceptionPolicy(o.StreamExceptionPolicy), TCPIdle: time.Duration(o.FlowTimeouts.TcpIdleTimeoutSeconds) * time.Second,
	}
	if p.Order == StrictOrder {
		p.StatefulDefault = slices.DeleteFunc(slices.Clone(s.StatefulDefaultActions), func(a string) bool { return !strings.HasPrefix(a, "aws:drop_") })
	}
	var absent []error
	for _, c := range s.PolicyVariables.RuleVariables["HOME_NET"].Definition {
		n, err := netip.ParsePrefix(c)
		absent = append(absent, err)
		if err == nil {
			p.HomeNet = append(p.HomeNet, n)
		}
	}
	for _, r := range s.StatelessRuleGroupReferences {
		g, err := find(groups, r.ResourceArn, "StatelessRuleGroupReferences")
		absent = append(absent, err)
		if err == nil {
			p.Stateless = append(p.Stateless, statelessGroup(g, r.Priority))
		}
	}
	for i, r := range s.StatefulRuleGroupReferences {
		g, err := find(groups, r.ResourceArn, "StatefulRuleGroupReferences")
		absent = append(absent, err)
		p.Stateful = append(p.Stateful, statefulGroup(g, r, i))
	}
	return p, absent
}

func actionOf(list []string) Action {
	for _, a := range list {
		if strings.HasPrefix(a, "aws:") {
			return Action(a)
		}
	}
	return NoAction
}

// find returns the rule group with the given ARN.
func find(groups []DescribeGroupOutput, arn, field string) (*DescribeGroupOutput, error) {
	for i := range groups {
		if groups[i].RuleGroupResponse.RuleGroupArn == arn {
			return &groups[i], nil
		}
	}
	return nil, vpc.Absent("FirewallPolicy."+field, arn)
}

func statelessGroup(g *DescribeGroupOutput, priority int) StatelessGroup {
	out := StatelessGroup{Name: g.RuleGroupResponse.RuleGroupName, Priority: priority}
	for _, s := range g.RuleGroup.RulesSource.StatelessRulesAndCustomActions.StatelessRules {
		m := s.RuleDefinition.MatchAttributes
		r := StatelessRule{
			Priority: s.Priority, Action: actionOf(s.RuleDefinition.Actions),
			Sources: prefixes(m.Sources), Destinations: prefixes(m.Destinations), SourcePorts: ranges(m.SourcePorts), DestinationPorts: ranges(m.DestinationPorts),
		}
		for _, p := range m.Protocols {
			r.Protocols = append(r.Protocols, wire.Proto(p))
		}
		for _, x := range m.TCPFlags {
			r.Flags = append(r.Flags, TCPFlagField{flags(x.Flags), flags(x.Masks)})
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

// prefixes reads addresses; one that can't be read matches nothing and is left out.
func prefixes(list []AddressShape) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.AddressDefinition); err == nil {
			out = append(out, p)
		} else if ip, err := netip.ParseAddr(a.AddressDefinition); err == nil {
			out = append(out, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return out
}

func ranges(list []PortShape) []PortRange {
	var out []PortRange
	for _, r := range list {
		out = append(out, PortRange{uint16(r.FromPort), uint16(r.ToPort)})
	}
	return out
}

var flagBits = map[string]wire.TCPFlags{
	"FIN": wire.FIN, "SYN": wire.SYN, "RST": wire.RST, "PSH": wire.PSH, "ACK": wire.ACK, "URG": wire.URG, "ECE": wire.ECE, "CWR": wire.CWR,
}

func flags(names []string) (f wire.TCPFlags) {
	for _, n := range names {
		f |= flagBits[n]
	}
	return f
}

// statefulGroup makes a group of a policy's reference; g is nil where it is not given.
func statefulGroup(g *DescribeGroupOutput, r GroupReference, at int) StatefulGroup {
	out := StatefulGroup{Name: r.ResourceArn[strings.LastIndexByte(r.ResourceArn, '/')+1:], Priority: cmp.Or(r.Priority, at)}
	if g == nil {
		out.Rules = []StatefulRule{anything}
		return out
	}
	vars := g.RuleGroup.RuleVariables
	out.IPSets, out.PortSets, out.RulesString = values(vars.IPSets), values(vars.PortSets), g.RuleGroup.RulesSource.RulesString
	for _, s := range g.RuleGroup.RulesSource.StatefulRules {
		h := s.Header
		rule := StatefulRule{
			Action: s.Action, Protocol: h.Protocol, Source: h.Source, SourcePort: h.SourcePort,
			Direction: h.Direction, Destination: h.Destination, DestinationPort: h.DestinationPort,
		}
		for _, o := range s.RuleOptions {
			word := o.Keyword
			if len(o.Settings) > 0 {
				word = fmt.Sprintf("%s:%s", o.Keyword, strings.Join(o.Settings, ","))
			}
			rule.Options = append(rule.Options, word)
		}
		out.Rules = append(out.Rules, rule)
	}
	if g.RuleGroup.RulesSource.RulesSourceList != nil {
		out.Rules = append(out.Rules, StatefulRule{Action: "DROP", Protocol: "HTTP"}, StatefulRule{Action: "DROP", Protocol: "TLS"})
	}
	return out
}

func values(sets map[string]Definition) map[string][]string {
	out := map[string][]string{}
	for k, v := range sets {
		out[k] = v.Definition
	}
	return out
}
