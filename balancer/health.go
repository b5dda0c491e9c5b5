package balancer

import (
	"strconv"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Health is a target's state, with AWS's reason code and words; those of a healthy one
// are empty.
type Health struct {
	State               elbv2.TargetHealthState
	Reason, Description string
}

// The states that a target gets without a word of why; [TargetGroup.SetHealth] takes
// them, and any other Health.
var (
	Healthy   = Health{State: elbv2.StateHealthy}
	Unhealthy = Health{elbv2.StateUnhealthy, "Target.FailedHealthChecks", "Health checks failed"}
	initial   = Health{elbv2.StateInitial, "Elb.InitialHealthChecking", "Initial health checks in progress"}
	draining  = Health{elbv2.StateDraining, "Target.DeregistrationInProgress", "Target deregistration is in progress"}
	unused    = Health{elbv2.StateUnused, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
	disabled  = Health{elbv2.StateUnused, "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"}
	stopped   = Health{elbv2.StateUnused, "Target.InvalidState", "Target is in the stopped state"}
	gone      = Health{elbv2.StateUnused, "Target.InvalidState", "Target is in the terminated state"}
	unchecked = Health{elbv2.StateUnavailable, "Target.HealthCheckDisabled", "Health checks are not enabled for this target"}
)

// SetHealth says what health checks have found of a target: it is how a checker, such
// as one of package health, or a loaded description tells. A target that is not
// registered is refused with InvalidTarget.
func (g *TargetGroup) SetHealth(t Target, h Health) error {
	return g.Change(func(tx *vpc.Tx) error {
		r := g.find(t)
		if r == nil || r.draining {
			return vpc.Refuse("InvalidTarget", "The following targets are not registered: '%s'", t.ID)
		}
		r.health = h
		return nil
	})
}

// state is the target's health as it is told: what checks found, unless the target is
// none that could be checked.
func (r *registered) state(tx *vpc.Tx, g *TargetGroup) Health {
	if r.draining {
		return draining
	}
	if i, ok := tx.Find(r.ID).(*vpc.Instance); ok {
		switch tx.StateOf(i) {
		case vpc.Stopped:
			return stopped
		case vpc.Terminated:
			return gone
		}
	}
	if g.check.Disabled {
		return unchecked
	}
	return r.health
}

// TargetHealth is a registered target and its state.
type TargetHealth struct {
	Target
	Health
}

// Targets returns the targets in the order in which they were registered, with their
// states: unused where no load balancer routes to the group, draining for the
// deregistration delay after they were deregistered.
func (g *TargetGroup) Targets() []TargetHealth {
	var list []TargetHealth
	g.Region().View(func(tx *vpc.Tx) { list = g.health(tx) })
	return list
}

func (g *TargetGroup) health(tx *vpc.Tx) []TargetHealth {
	list := []TargetHealth{}
	l := g.balancer(tx)
	for _, r := range g.targets {
		if r.drained(tx.Region().Now()) {
			continue
		}
		h := r.state(tx, g)
		switch {
		case h.State == elbv2.StateDraining:
		case l == nil:
			h = unused
		case !g.within(tx, l, r):
			h = disabled
		}
		list = append(list, TargetHealth{r.Target, h})
	}
	return list
}

// DescribeTargetHealth lists the targets and their states (DescribeTargetHealth).
func (g *TargetGroup) DescribeTargetHealth() *elbv2.DescribeTargetHealthOutput {
	list := []elbv2.TargetHealthDescription{}
	for _, t := range g.Targets() {
		port := t.Port
		if g.check.Port != 0 {
			port = g.check.Port
		}
		d := elbv2.TargetHealthDescription{
			Target:          &elbv2.TargetDescription{Id: new(t.ID), Port: new(int(t.Port))},
			HealthCheckPort: new(strconv.Itoa(int(port))),
			TargetHealth:    &elbv2.TargetHealth{State: new(t.State)},
		}
		if t.Zone != "" {
			d.Target.AvailabilityZone = new(t.Zone)
		}
		if t.Reason != "" {
			d.TargetHealth.Reason, d.TargetHealth.Description = new(t.Reason), new(t.Description)
		}
		list = append(list, d)
	}
	return &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: list}
}
