// Package health is health checks on simulated time: a [Probe] asked again and again,
// thresholds, and callbacks when the verdict changes. A user's controller is such a
// callback; a load balancer's target health is many of them.
//
//	c, err := health.Start(w.Clock, health.Ping(monitor, appliance), health.Config{
//		Interval: time.Second, Timeout: time.Second, UnhealthyThreshold: 3,
//		OnUnhealthy: func(why error) { table.ReplaceRoute("0.0.0.0/0", standby) },
//	})
//
// A probe is real packets from a real guest: security groups, route tables and faults
// see them as any other. The package knows no AWS resource and changes none.
package health
