package balancer

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// What Elastic Load Balancing refuses. Sentences that no public record has are
// inferred; docs/fidelity-controlplane.md says which.

// check is what a new load balancer is held to.
func check(tx *vpc.Tx, k *Kind, name string, c Config) error {
	if err := checkName("load balancer", name); err != nil {
		return err
	}
	if err := tx.CheckPlaces(c.Subnets, c.Groups); err != nil {
		return err
	}
	for _, s := range c.Subnets {
		if tx.Free(s) < 8 {
			return vpc.Refuse("InvalidSubnet", "Not enough IP space available in %s. ELB requires at least 8 free IP addresses in each subnet.", s.ID())
		}
	}
	if err := checkFamilies(tx, k, c.Subnets, c.IPAddressType); err != nil {
		return err
	}
	v := c.Subnets[0].VPC()
	if c.InternetFacing && tx.Attached(v, "igw") == nil {
		return vpc.Refuse("InvalidSubnet", "VPC %s has no internet gateway", v.ID())
	}
	if n := len(c.Addresses); n > 0 && n != len(c.Subnets) || len(c.PrivateIPs) > 0 && len(c.PrivateIPs) != len(c.Subnets) {
		return vpc.Refuse("ValidationError", "You must specify an address for each of the %d subnets or for none", len(c.Subnets))
	}
	for _, e := range c.Addresses {
		if err := tx.Needs("allocationId", e); err != nil {
			return err
		}
		if tx.Associated(e) {
			return vpc.Refuse("ResourceInUse", "The allocation IDs are not available for use")
		}
	}
	for _, o := range vpc.Gateways[*LoadBalancer](tx) {
		if (o.kind.Type == "") == (k.Type == "") && o.name == name {
			return vpc.Refuse("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", name)
		}
	}
	return nil
}

var nameChars = regexp.MustCompile(`^[a-zA-Z0-9-]+$`)

// checkName holds a name to what CreateLoadBalancer and CreateTargetGroup document.
func checkName(what, name string) error {
	switch {
	case name == "":
		return vpc.Refuse("ValidationError", "The %s name must not be empty", what)
	case len(name) > 32:
		return vpc.Refuse("ValidationError", "The %s name '%s' cannot be longer than '32' characters", what, name)
	case !nameChars.MatchString(name):
		return vpc.Refuse("ValidationError", "The %s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", what, name)
	case name[0] == '-' || name[len(name)-1] == '-':
		return vpc.Refuse("ValidationError", "The %s name '%s' cannot begin or end with a hyphen(-)", what, name)
	case what == "load balancer" && strings.HasPrefix(name, "internal-"):
		return vpc.Refuse("ValidationError", "The %s name '%s' cannot begin with 'internal-'", what, name)
	}
	return nil
}

// checkGroup is what a new target group is held to.
func checkGroup(tx *vpc.Tx, name string, c TargetGroupConfig) error {
	if err := checkName("target group", name); err != nil {
		return err
	}
	if err := tx.Needs("vpcId", c.VPC); err != nil {
		return err
	}
	if !slices.Contains(groupProtocols, c.Protocol) {
		return vpc.Refuse("ValidationError", "Target group protocol '%s' must be one of '%s'", c.Protocol, protocols(groupProtocols))
	}
	switch c.Type {
	case elbv2.TargetInstance, elbv2.TargetIP:
	case elbv2.TargetALB:
		if c.Protocol != elbv2.TCP {
			return vpc.Refuse("ValidationError", "Target group protocol '%s' must be 'TCP' for target type 'alb'", c.Protocol)
		}
	default:
		return vpc.Refuse("ValidationError", "Target type '%s' must be one of 'instance, ip, alb'", c.Type)
	}
	if c.Port == 0 {
		return vpc.Refuse("ValidationError", "A port must be specified")
	}
	if err := checkFamily(c); err != nil {
		return err
	}
	for _, o := range vpc.Resources[*TargetGroup](tx) {
		if o.name == name {
			return vpc.Refuse("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", name)
		}
	}
	return nil
}

var groupProtocols = []elbv2.Protocol{elbv2.HTTP, elbv2.HTTPS, elbv2.TCP, elbv2.TLS, elbv2.UDP, elbv2.TCPUDP, elbv2.GENEVE}

func protocols(list []elbv2.Protocol) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}

// checkListener is what a listener of l is held to; own is the listener that is
// changed, nil of a new one.
func checkListener(tx *vpc.Tx, l *LoadBalancer, own *Listener, c ListenerConfig) error {
	if !slices.Contains(l.kind.Protocols, c.Protocol) {
		return vpc.Refuse("ValidationError", "Listener protocol '%s' must be one of '%s'", c.Protocol, protocols(l.kind.Protocols))
	}
	if c.Port == 0 {
		return vpc.Refuse("ValidationError", "Port '0' is not valid. Valid values are 1-65535")
	}
	for _, o := range l.listeners {
		if o != own && o.port == c.Port && (o.protocol == c.Protocol || !(udp(o.protocol) != udp(c.Protocol))) {
			return vpc.Refuse("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.ID())
		}
	}
	return checkActions(tx, l, c.Protocol, c.Actions)
}

// udp reports whether a listener of the protocol takes UDP alone: TCP and UDP may
// listen on one port.
func udp(p elbv2.Protocol) bool { return p == elbv2.UDP }

// checkActions holds actions to what CreateListener and CreateRule document.
func checkActions(tx *vpc.Tx, l *LoadBalancer, p elbv2.Protocol, list []Action) error {
	if len(list) == 0 {
		return vpc.Refuse("ValidationError", "A default action must be specified")
	}
	if len(list) > 1 {
		return vpc.Refuse("InvalidLoadBalancerAction", "Exactly one of the following actions must be specified: forward, redirect, fixed-response")
	}
	a := list[0]
	if a.Type != elbv2.ActionForward && l.kind.Type != elbv2.TypeApplication {
		return vpc.Refuse("InvalidLoadBalancerAction", "Action type '%s' must be one of 'forward'", a.Type)
	}
	if a.Type == elbv2.ActionForward && len(a.Groups) == 0 {
		return vpc.Refuse("ValidationError", "A target group ARN must be specified")
	}
	for _, w := range a.Groups {
		if err := checkForward(tx, l, p, w.Group); err != nil {
			return err
		}
	}
	return nil
}

// checkForward holds a target group to the listener that forwards to it.
func checkForward(tx *vpc.Tx, l *LoadBalancer, p elbv2.Protocol, g *TargetGroup) error {
	if g == nil || tx.Find(g.ID()) != vpc.Resource(g) {
		return vpc.Refuse("TargetGroupNotFound", "One or more target groups not found")
	}
	if g.vpc != l.vpc {
		return vpc.Refuse("ValidationError", "The load balancer '%s' and the target group '%s' must be in the same VPC", l.ID(), g.ID())
	}
	if o := g.balancer(tx); o != nil && o != l {
		return vpc.Refuse("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", g.ID())
	}
	if g.six() && l.families == elbv2.IPAddressTypeIPv4 {
		return vpc.Refuse("InvalidConfigurationRequest", "The IP address type of the load balancer '%s' must be 'dualstack' for the target group '%s', whose IP address type is 'ipv6'", l.ID(), g.ID())
	}
	if !compatible(p, g.protocol) {
		return vpc.Refuse("InvalidConfigurationRequest", "Listener protocol '%s' is not supported with a target group with the protocol '%s'", p, g.protocol)
	}
	return nil
}

// compatible reports whether a listener of protocol p may forward to a target group of
// protocol q (ELB API, CreateListener; NLB guide, "Target group routing configuration").
func compatible(p, q elbv2.Protocol) bool {
	switch p {
	case elbv2.HTTP, elbv2.HTTPS:
		return q == elbv2.HTTP || q == elbv2.HTTPS
	case elbv2.TCP:
		return q == elbv2.TCP || q == elbv2.TCPUDP
	case elbv2.TLS:
		return q == elbv2.TCP || q == elbv2.TLS
	case elbv2.UDP:
		return q == elbv2.UDP || q == elbv2.TCPUDP
	}
	return p == q
}

// outside are the ranges beside the VPC's own that ip targets may be in: RFC 1918, RFC
// 6598 (ALB and NLB guides, "Target type").
var outside = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// checkTarget holds a target to its group.
func checkTarget(tx *vpc.Tx, g *TargetGroup, t Target) error {
	switch g.kind {
	case elbv2.TargetInstance:
		i, ok := tx.Find(t.ID).(*vpc.Instance)
		switch {
		case !strings.HasPrefix(t.ID, "i-"):
			return vpc.Refuse("ValidationError", "Instance ID '%s' is not valid", t.ID)
		case !ok:
			return vpc.Refuse("InvalidTarget", "The following targets do not exist: '%s'", t.ID)
		case tx.StateOf(i) != vpc.Running:
			return vpc.Refuse("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", t.ID)
		case tx.VPCOf(i) != g.vpc:
			return vpc.Refuse("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", g.vpc.ID(), t.ID)
		case g.six() && (tx.PrimaryOf(i) == nil || len(tx.IPv6Addresses(tx.PrimaryOf(i))) == 0):
			return vpc.Refuse("InvalidTarget", "The following targets do not have an IPv6 address: '%s'", t.ID)
		}
	case elbv2.TargetIP:
		return checkIP(tx, g, t)
	case elbv2.TargetALB:
		l, ok := tx.Find(t.ID).(*LoadBalancer)
		if !ok || l.kind.Type != elbv2.TypeApplication {
			return vpc.Refuse("ValidationError", "'%s' is not a valid load balancer ARN", t.ID)
		}
		if l.vpc != g.vpc {
			return vpc.Refuse("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", g.vpc.ID(), t.ID)
		}
	}
	return nil
}

// checkIP holds an ip target to the ranges that AWS allows, and to its zone: outside
// the VPC it must be all.
func checkIP(tx *vpc.Tx, g *TargetGroup, t Target) error {
	a, err := netip.ParseAddr(t.ID)
	if err != nil {
		return vpc.Refuse("ValidationError", "The IP address '%s' is not a valid IPv4 or IPv6 address", t.ID)
	}
	if g.six() != a.Is6() {
		return vpc.Refuse("ValidationError", "The IP address '%s' is not of the IP address type '%s' of the target group", a, g.family)
	}
	if contains(tx.CIDRs(g.vpc), a) {
		return nil
	}
	if !g.six() && !contains(outside, a) {
		return vpc.Refuse("InvalidTarget", "The IP address '%s' is not within the VPC or the ranges 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12 and 192.168.0.0/16", a)
	}
	if t.Zone != "all" {
		return vpc.Refuse("ValidationError", "The Availability Zone must be 'all' for the IP address '%s', which is outside the VPC", a)
	}
	return nil
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}
