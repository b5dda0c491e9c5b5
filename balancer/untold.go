package balancer

import (
	"slices"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// What descriptions do not tell of a load balancer: its listeners, its attributes, and of
// a group its targets. What hangs on it ends as trace.Unmodelled.

// RestoreUntold says why nobody can tell the load balancer's listeners: what comes to a
// port that none of those that are known has may be one's.
func (l *LoadBalancer) RestoreUntold(_ *vpc.Tx, missing string) { l.unlisted = missing }

// RestoreUntoldAttributes says why nobody can tell the load balancer's attributes, which
// are taken to be AWS's defaults where they decide nothing: whether it crosses zones may.
func (l *LoadBalancer) RestoreUntoldAttributes(_ *vpc.Tx, missing string) { l.unset = missing }

// RestoreUntold says why nobody can tell the group's targets and their health.
func (g *TargetGroup) RestoreUntold(_ *vpc.Tx, missing string) { g.untold = missing }

// Forwards reports whether a listener of the load balancer, or a rule of one, forwards to
// the group, as far as they are restored.
func (l *LoadBalancer) Forwards(_ *vpc.Tx, g *TargetGroup) bool {
	return slices.ContainsFunc(l.listeners, func(x *Listener) bool { return x.forwardsTo(g) })
}

// Unlisted returns why nobody can tell the load balancer's listeners, "" where one can.
// It is for who has the region locked.
func (l *LoadBalancer) Unlisted() string { return l.unlisted }

// EndpointPartial reports whether the load balancer has nodes that are not there: those of
// subnets of which no description has its interface.
func (l *LoadBalancer) EndpointPartial(*vpc.Tx) bool { return l.partial }

// untoldGroup returns the group that an action names. One that is not there is made, whose
// targets nobody knows, and told as absent.
func untoldGroup(tx *vpc.Tx, field string, arn *string) (*TargetGroup, error) {
	g, err := vpc.Named[*TargetGroup](tx, field, arn)
	if err == nil && !g.absent {
		return g, nil
	}
	if err != nil {
		b, wrong := tx.NewNamed(deref(arn), "")
		if wrong != nil {
			return nil, err
		}
		g = &TargetGroup{Base: b, kind: elbv2.TargetInstance, absent: true, untold: tx.Missing(deref(arn))}
		tx.Add(g)
	}
	return g, vpc.Absent(field, g.ID())
}

// doubts says why nobody can tell what a node of l in the zone may send to, "" where one
// can: the targets, a target's address, or whether the node sends to other zones.
func (g *TargetGroup) doubts(tx *vpc.Tx, l *LoadBalancer, zone string, known Selection) string {
	if g.untold != "" {
		return g.untold
	}
	for _, r := range g.targets {
		if id, lost := g.lost(tx, r); lost && (known.FailOpen || len(known.Targets) == 0 || r.state(tx, g).State == elbv2.StateHealthy) {
			return "the address of its target " + id + " is " + tx.Missing(id)
		}
	}
	if l.unset == "" || value(g.attributes, "load_balancing.cross_zone.enabled") != "use_load_balancer_configuration" {
		return ""
	}
	other := g.choose(tx, l, zone, !g.crossZone(l))
	same := func(a, b Endpoint) bool { return a.Target == b.Target && a.Addr == b.Addr }
	if !slices.EqualFunc(known.Targets, other.Targets, same) {
		return "whether " + l.ID() + " crosses zones is " + l.unset
	}
	return ""
}

// lost reports whether a target that may get connections is a resource that is not there,
// and says which.
func (g *TargetGroup) lost(tx *vpc.Tx, r *registered) (id string, lost bool) {
	if r.draining || r.health.State == elbv2.StateUnused || len(g.endpoints(tx, r)) > 0 {
		return "", false
	}
	switch x := tx.Find(r.ID).(type) {
	case nil:
		return r.ID, true
	case *vpc.Instance:
		return "eni", tx.StateOf(x) != vpc.Terminated && tx.PrimaryOf(x) == nil
	case *LoadBalancer:
		return "eni", true
	}
	return "", false
}

// within reports whether the target is in a zone of the load balancer, as far as one can
// tell.
func (g *TargetGroup) within(tx *vpc.Tx, l *LoadBalancer, r *registered) bool {
	list := g.endpoints(tx, r)
	return len(list) == 0 || slices.ContainsFunc(list, func(e Endpoint) bool { return l.enabled(e.Zone) })
}

// enabled reports whether the load balancer has a node in the zone of a target: others
// get nothing (ELB API, TargetHealth, Target.NotInUse).
func (l *LoadBalancer) enabled(zone string) bool {
	return zone == "all" || l.partial || len(l.nics) == 0 || slices.ContainsFunc(l.nics, func(n *vpc.NetworkInterface) bool { return n.Subnet().Zone() == zone })
}
