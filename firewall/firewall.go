// Package firewall is AWS Network Firewall: an endpoint in a firewall subnet of each
// zone, to which routes lead, and behind it stateless rules and a stateful engine for
// 5-tuples. What passes returns by the same endpoint and goes on by the firewall
// subnet's route table.
//
// What depends on what packets hold (keywords of Suricata's other than flow, protocols
// above TCP and UDP, domain lists, TLS inspection) is not modelled: a packet about
// which such a rule would decide ends as trace.Unmodelled.
package firewall

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/vpc"
)

// Firewall is a network firewall.
type Firewall struct {
	vpc.Base
	name      string
	vpc       *vpc.VPC
	policy    Policy
	compiled  *rules
	home      []netip.Prefix // $HOME_NET as it was compiled
	endpoints []*endpoint.Endpoint
	protected bool
	created   time.Time
}

// Config says how a firewall is made.
type Config struct {
	// Subnets are where its endpoints are, one a zone, all of one VPC.
	Subnets []*vpc.Subnet
	// Policy is what it does.
	Policy Policy
	// DeleteProtection refuses Delete.
	DeleteProtection bool
}

// Create makes a firewall of the name with an endpoint in each subnet (CreateFirewall).
// A policy with a rule that cannot be read is refused with InvalidRequestException (the
// sentences are inferred).
func Create(r *vpc.Region, name string, c Config) (*Firewall, error) {
	var f *Firewall
	err := r.Change(func(tx *vpc.Tx) error {
		if err := check(tx, name, c); err != nil {
			return err
		}
		b, err := tx.NewNamed(r.ARN("network-firewall", "firewall/"+name), name)
		if err != nil {
			return err
		}
		f = &Firewall{Base: b, name: name, vpc: c.Subnets[0].VPC(), protected: c.DeleteProtection, created: r.Now()}
		if err := f.setPolicy(tx, c.Policy); err != nil {
			return err
		}
		service := "com.amazonaws.vpce." + r.Name() + ".vpce-svc-0" + tx.NewSuffix()
		for _, s := range c.Subnets {
			e, err := endpoint.CreateManaged(tx, service, s, f, name+" ("+s.Zone()+")")
			if err != nil {
				f.drop(tx)
				return err
			}
			f.endpoints = append(f.endpoints, e)
		}
		tx.Add(f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// SetPolicy puts another policy in force (AssociateFirewallPolicy, UpdateFirewallPolicy,
// UpdateRuleGroup). Flows that were passed stay so.
func (f *Firewall) SetPolicy(p Policy) error {
	return f.Change(func(tx *vpc.Tx) error { return f.setPolicy(tx, p) })
}

func (f *Firewall) setPolicy(tx *vpc.Tx, p Policy) error {
	r, err := compile(p, homeNet(tx, f.vpc, p), f.policyID(p))
	if err != nil {
		return err
	}
	f.policy, f.compiled, f.home = p, r, homeCIDRs(tx, f.vpc, p)
	return nil
}

// Delete deletes the firewall and its endpoints (DeleteFirewall). One to whose
// endpoints routes lead, and one that is protected, is refused with
// InvalidOperationException (the sentences are inferred).
func (f *Firewall) Delete() error {
	return f.Change(func(tx *vpc.Tx) error {
		if f.protected {
			return vpc.Refuse("InvalidOperationException", "Unable to delete firewall %s because delete protection is enabled.", f.name)
		}
		for _, e := range f.endpoints {
			if tx.RoutesTo(e) {
				return vpc.Refuse("InvalidOperationException", "Unable to delete firewall %s because route tables still refer to its endpoint %s.", f.name, e.ID())
			}
		}
		f.drop(tx)
		tx.Remove(f)
		return nil
	})
}

func (f *Firewall) drop(tx *vpc.Tx) {
	for _, e := range f.endpoints {
		e.DeleteManaged(tx)
	}
	f.endpoints = nil
}

// FirewallName returns the name that it was created with.
func (f *Firewall) FirewallName() string { return f.name }

// Endpoints returns the endpoints, in the order of the subnets.
func (f *Firewall) Endpoints() []*endpoint.Endpoint {
	var e []*endpoint.Endpoint
	f.Region().View(func(*vpc.Tx) { e = slices.Clone(f.endpoints) })
	return e
}

// EndpointIn returns the endpoint in a zone, what routes of that zone's subnets name;
// nil where there is none.
func (f *Firewall) EndpointIn(zone string) *endpoint.Endpoint {
	for _, e := range f.Endpoints() {
		if e.Interfaces()[0].Subnet().Zone() == zone {
			return e
		}
	}
	return nil
}

// Flows returns how many flows the stateful engine of an endpoint remembers in the given
// life of its region, those among them that idled out and were not looked for since.
func Flows(l *vpc.Live, e *endpoint.Endpoint) int {
	if s := vpc.StateOf(l, e.ID(), flowsOf); s != nil {
		return len(s.byFlow)
	}
	return 0
}

// Policy returns the policy in force.
func (f *Firewall) Policy() Policy {
	var p Policy
	f.Region().View(func(*vpc.Tx) { p = f.policy })
	return p
}

// EndpointKind is that of its endpoints.
func (f *Firewall) EndpointKind() string { return string(endpoint.GatewayLoadBalancer) }

// EndpointIPv6 reports true: what a firewall inspects is of either family.
func (f *Firewall) EndpointIPv6(*vpc.Tx) bool { return true }

// EndpointZones returns the zones of its endpoints.
func (f *Firewall) EndpointZones(*vpc.Tx) []string {
	var z []string
	for _, e := range f.endpoints {
		z = append(z, e.Zones()...)
	}
	return z
}

// LinkEndpoint puts the rules behind an endpoint.
func (f *Firewall) LinkEndpoint(c *vpc.Compiler, l vpc.EndpointLink) dataplane.Node {
	return &inspector{
		name: c.LabelOf(f), id: f.ID(), rules: f.rulesIn(c), out: l.Out,
		flows: vpc.State(c, l.Endpoint, flowsOf, func() *flows { return &flows{} }),
	}
}

// rulesIn returns the rules as the snapshot needs them: $HOME_NET follows the CIDRs that
// the VPC has got or lost since the policy was set.
func (f *Firewall) rulesIn(c *vpc.Compiler) *rules {
	if slices.Equal(f.home, homeCIDRs(c.Tx(), f.vpc, f.policy)) {
		return f.compiled
	}
	r, err := compile(f.policy, homeNet(c.Tx(), f.vpc, f.policy), f.policyID(f.policy))
	if err != nil {
		panic("firewall: " + f.name + ": a policy that was taken is refused: " + err.Error())
	}
	return r
}
