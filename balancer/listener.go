package balancer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Listener takes connections on a port of every node of its load balancer.
type Listener struct {
	vpc.Base
	balancer   *LoadBalancer
	protocol   elbv2.Protocol
	port       uint16
	actions    []Action // the last one says what becomes of the request
	rules      []*Rule  // by priority
	attributes []Attribute
	restored   *elbv2.Listener
}

// ListenerConfig says what a listener does.
type ListenerConfig struct {
	// Protocol and Port are what it takes.
	Protocol elbv2.Protocol
	Port     uint16
	// Actions are what becomes of what no rule matches: one action.
	Actions []Action
}

// Action is what becomes of a request or a connection.
type Action struct {
	Type elbv2.ActionType
	// Groups are where forward leads, by weight.
	Groups []Weighted
	// Redirect is where redirect leads: fields that are "" stand for the request's own
	// (#{protocol}, #{host}, #{port}, /#{path}, #{query}).
	Redirect Redirect
	// Fixed is the answer of fixed-response.
	Fixed Fixed
}

// Weighted is a target group and its weight, 0 to 999.
type Weighted struct {
	Group  *TargetGroup
	Weight int
}

// Redirect is where a redirect leads. Code is HTTP_301 or HTTP_302.
type Redirect struct{ Protocol, Port, Host, Path, Query, Code string }

// Fixed is an answer of the load balancer's own.
type Fixed struct {
	Code              int
	ContentType, Body string
}

// Forward returns the action that forwards to the groups, each with the weight 1.
func Forward(groups ...*TargetGroup) Action {
	a := Action{Type: elbv2.ActionForward}
	for _, g := range groups {
		a.Groups = append(a.Groups, Weighted{g, 1})
	}
	return a
}

// CreateListener makes a listener (CreateListener).
func (l *LoadBalancer) CreateListener(c ListenerConfig) (*Listener, error) {
	var x *Listener
	err := l.Change(func(tx *vpc.Tx) error {
		if l.classic != nil {
			return vpc.Refuse("ValidationError", "'%s' is not a valid load balancer ARN", l.ID())
		}
		if err := checkListener(tx, l, nil, c); err != nil {
			return err
		}
		b, err := tx.NewNamed(strings.Replace(l.ID(), ":loadbalancer/", ":listener/", 1)+"/"+tx.NewSuffix(), "")
		if err != nil {
			return err
		}
		x = &Listener{Base: b, balancer: l, protocol: c.Protocol, port: c.Port, actions: slices.Clone(c.Actions), attributes: listenerAttributes(l)}
		l.listeners = append(l.listeners, x)
		tx.Add(x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// listenerAttributes are the attributes of a new listener (NLB and GWLB guides,
// "Listener attributes").
func listenerAttributes(l *LoadBalancer) []Attribute {
	if l.kind.Type == elbv2.TypeNetwork || l.kind.Type == elbv2.TypeGateway {
		return []Attribute{{"tcp.idle_timeout.seconds", "350"}}
	}
	return nil
}

// Modify changes what the listener does (ModifyListener): all of it.
func (x *Listener) Modify(c ListenerConfig) error {
	return x.Change(func(tx *vpc.Tx) error {
		if err := checkListener(tx, x.balancer, x, c); err != nil {
			return err
		}
		x.protocol, x.port, x.actions = c.Protocol, c.Port, slices.Clone(c.Actions)
		return nil
	})
}

// Delete deletes the listener and its rules.
func (x *Listener) Delete() error {
	return x.Change(func(tx *vpc.Tx) error {
		x.drop(tx)
		return nil
	})
}

func (x *Listener) drop(tx *vpc.Tx) {
	for _, r := range x.rules {
		tx.Remove(r)
	}
	x.balancer.listeners = slices.DeleteFunc(x.balancer.listeners, func(o *Listener) bool { return o == x })
	tx.Remove(x)
}

// SetAttribute changes an attribute (ModifyListenerAttributes): of a Network Load
// Balancer's TCP listener and a Gateway Load Balancer's tcp.idle_timeout.seconds, 60 to 6000.
func (x *Listener) SetAttribute(key, v string) error {
	return x.Change(func(*vpc.Tx) error {
		if n, err := strconv.Atoi(v); key == "tcp.idle_timeout.seconds" && (err != nil || n < 60 || n > 6000) {
			return vpc.Refuse("ValidationError", "'%s' is not a valid value for '%s'. Valid values are 60-6000", v, key)
		}
		if !set(&x.attributes, key, v) {
			return vpc.Refuse("ValidationError", "Listener attribute key '%s' is not recognized", key)
		}
		return nil
	})
}

// AttributeOf returns the value of an attribute, for who has the region locked.
func (x *Listener) AttributeOf(key string) string { return value(x.attributes, key) }

// Listeners returns the listeners in the order in which they were made.
func (l *LoadBalancer) Listeners() []*Listener {
	var list []*Listener
	l.Region().View(func(*vpc.Tx) { list = slices.Clone(l.listeners) })
	return list
}

// Listening is Listeners for who has the region locked. The list must not be changed.
func (l *LoadBalancer) Listening() []*Listener { return l.listeners }

// Balancer returns the load balancer that listens, for life.
func (x *Listener) Balancer() *LoadBalancer { return x.balancer }

// Takes returns the protocol and the port that it listens on, for who has the region
// locked.
func (x *Listener) Takes() (elbv2.Protocol, uint16) { return x.protocol, x.port }

// Default returns the action for what no rule matches, for who has the region locked.
func (x *Listener) Default() Action {
	if len(x.actions) == 0 {
		return Action{}
	}
	return x.actions[len(x.actions)-1]
}

// forwardsTo reports whether an action of the listener or of its rules names the group.
func (x *Listener) forwardsTo(g *TargetGroup) bool {
	return x.Default().forwardsTo(g) || slices.ContainsFunc(x.rules, func(r *Rule) bool { return r.action.forwardsTo(g) })
}

func (a Action) forwardsTo(g *TargetGroup) bool {
	return slices.ContainsFunc(a.Groups, func(w Weighted) bool { return w.Group == g })
}

// Rule is a listener's rule: where all its conditions hold, its action is taken.
type Rule struct {
	vpc.Base
	listener   *Listener
	priority   int
	conditions []Condition
	action     Action
}

// Condition holds of a request where one of its values does. Field is host-header,
// path-pattern, http-header, http-request-method, query-string or source-ip.
type Condition struct {
	Field string
	// Header is the name of an http-header condition's header.
	Header string
	// Values are what may match: * is any characters, ? any one; a query-string's are
	// key=value or a value, a source-ip's are CIDRs.
	Values []string
}

// CreateRule makes a rule of an Application Load Balancer's listener (CreateRule).
// Rules are tried in the order of their priority, 1 to 50,000, lowest first.
func (x *Listener) CreateRule(priority int, conditions []Condition, a Action) (*Rule, error) {
	var r *Rule
	err := x.Change(func(tx *vpc.Tx) error {
		if err := checkRule(tx, x, priority, conditions, a); err != nil {
			return err
		}
		b, err := tx.NewNamed(strings.Replace(x.ID(), ":listener/", ":listener-rule/", 1)+"/"+tx.NewSuffix(), "")
		if err != nil {
			return err
		}
		r = &Rule{Base: b, listener: x, priority: priority, conditions: slices.Clone(conditions), action: a}
		x.insert(r)
		tx.Add(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (x *Listener) insert(r *Rule) {
	x.rules = append(x.rules, r)
	slices.SortStableFunc(x.rules, func(a, b *Rule) int { return a.priority - b.priority })
}

// Delete deletes the rule.
func (r *Rule) Delete() error {
	return r.Change(func(tx *vpc.Tx) error {
		r.listener.rules = slices.DeleteFunc(r.listener.rules, func(o *Rule) bool { return o == r })
		tx.Remove(r)
		return nil
	})
}

// fields are the conditions that there are, with the number of values AWS allows.
var fields = []string{"host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"}

// checkRule is what a new rule is held to.
func checkRule(tx *vpc.Tx, x *Listener, priority int, conditions []Condition, a Action) error {
	l := x.balancer
	if l.kind.Type != elbv2.TypeApplication {
		return vpc.Refuse("UnsupportedOperation", "Rules are unsupported for Network Load Balancer listeners")
	}
	if priority < 1 || priority > 50000 {
		return vpc.Refuse("ValidationError", "Rule priority '%d' must be between '1' and '50000'", priority)
	}
	if slices.ContainsFunc(x.rules, func(r *Rule) bool { return r.priority == priority }) {
		return vpc.Refuse("PriorityInUse", "Priority '%d' is currently in use", priority)
	}
	if len(conditions) == 0 {
		return vpc.Refuse("ValidationError", "A condition must be specified")
	}
	for _, c := range conditions {
		if !slices.Contains(fields, c.Field) {
			return vpc.Refuse("ValidationError", "Condition field '%s' must be one of '[%s]'", c.Field, strings.Join(fields, ", "))
		}
		if len(c.Values) == 0 {
			return vpc.Refuse("ValidationError", "A condition value must be specified")
		}
	}
	return checkActions(tx, l, x.protocol, []Action{a})
}

// TargetGroups returns the target groups that the listener and its rules forward to,
// each once.
func (x *Listener) TargetGroups() []*TargetGroup {
	var list []*TargetGroup
	x.Region().View(func(*vpc.Tx) {
		add := func(a Action) {
			for _, w := range a.Groups {
				if !slices.Contains(list, w.Group) {
					list = append(list, w.Group)
				}
			}
		}
		add(x.Default())
		for _, r := range x.rules {
			add(r.action)
		}
	})
	return list
}
