// Package flowlog is VPC flow logs: records of what went in and out of the
// interfaces of a VPC, a subnet, or one interface, and of what their security groups
// and network ACLs refused, in AWS's formats (VPC guide, "Flow log records").
//
//	log, err := flowlog.Create(v, flowlog.Config{})
//	… packets …
//	w.Run(time.Minute)
//	fmt.Print(log.Text(w.Live(r)))
//
// prints lines such as
//
//	2 123456789012 eni-0a… 10.0.0.4 10.0.1.4 40000 22 6 20 4249 1767225600 1767225655 ACCEPT OK
//
// A flow log is an observer around the interfaces' nodes: interfaces that none covers
// pay nothing for it. Windows follow each other from the log's first packet on, or the
// first one after it was made; records stand in the order in which their windows ended.
package flowlog

import (
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// TrafficType says which flows are logged.
type TrafficType string

// The traffic types. The zero TrafficType is All.
const (
	All    TrafficType = "ALL"
	Accept TrafficType = "ACCEPT"
	Reject TrafficType = "REJECT"
)

// Config says how a flow log is made. The zero Config logs all flows in the default
// format, at most ten minutes in a record.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Traffic says which flows are logged; "" is all.
	Traffic TrafficType
	// Destination is the ARN of an S3 bucket or of a Firehose stream, or the name of a
	// log group; "" is a log group named as the flow log. Nothing is written there:
	// Records has them. Two logs of one resource alike in all but their ids are refused.
	Destination string
	// Format is the fields of a record, such as "${srcaddr} ${dstaddr}"; "" is
	// [DefaultFormat].
	Format string
	// Interval is the longest that packets are gathered into one record: one minute or
	// ten; 0 is ten. The interfaces of instances have one minute at most, since all
	// instances are taken for Nitro ones (VPC guide, "Aggregation interval").
	Interval time.Duration
	// Capacity is how many flows of one interface are recorded in a window; those beyond
	// it are lost and a record says SKIPDATA. 0 is no limit. AWS's is not published.
	Capacity int
	// Services are addresses of AWS services for pkt-src-aws-service and
	// pkt-dst-aws-service, beside those of the region's gateway endpoints.
	Services []vpc.ServiceRange
	// InstanceTags and InterfaceTags are up to two tag keys each, for the fields
	// instance-tag, instance-tag-2, interface-tag and interface-tag-2.
	InstanceTags, InterfaceTags []string
}

// FlowLog logs the flows of an interface, a subnet or a VPC. Its records belong to
// the engine's goroutine, all else may be called from any.
type FlowLog struct {
	vpc.Base
	on      vpc.Resource
	config  Config
	format  Format
	created time.Time
}

// Create makes a flow log of a VPC, a subnet or a network interface (CreateFlowLogs).
// It is refused with FlowLogAlreadyExists where the resource has one like it with the
// same destination (an emulator's sentence), with FlowLogsLimitExceeded beyond two a
// resource (sentence unproven), and with InvalidParameter for an interval, a traffic
// type or a field that there is not (that of the interval has been seen; the others
// are inferred).
func Create(on vpc.Resource, c Config) (*FlowLog, error) {
	r, err := regionOf(on)
	if err != nil {
		return nil, err
	}
	var l *FlowLog
	err = r.Change(func(tx *vpc.Tx) (err error) {
		l, err = newFlowLog(tx, on, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func newFlowLog(tx *vpc.Tx, on vpc.Resource, c Config) (*FlowLog, error) {
	c = c.orDefault()
	format, err := check(tx, on, c)
	if err != nil {
		return nil, err
	}
	b, err := tx.NewBase("fl", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	if c.Destination == "" {
		c.Destination = b.ID()
	}
	l := &FlowLog{Base: b, on: on, config: c, format: format, created: tx.Region().Now()}
	tx.Add(l)
	return l, nil
}

func (c Config) orDefault() Config {
	if c.Traffic == "" {
		c.Traffic = All
	}
	if c.Interval == 0 {
		c.Interval = 10 * time.Minute
	}
	if c.Format == "" {
		c.Format = DefaultFormat
	}
	return c
}

// Delete deletes the flow log (DeleteFlowLogs). Its records go with it: AWS leaves
// them where they were written, so read them before.
func (l *FlowLog) Delete() error {
	return l.Change(func(tx *vpc.Tx) error {
		tx.Remove(l)
		return nil
	})
}

// On returns the resource that is logged.
func (l *FlowLog) On() vpc.Resource { return l.on }

// Format returns the fields of the log's records.
func (l *FlowLog) Format() Format { return l.format }

// covers reports whether the interface is logged.
func (l *FlowLog) covers(n *vpc.NetworkInterface) bool {
	return l.on == vpc.Resource(n) || l.on == vpc.Resource(n.Subnet()) || l.on == vpc.Resource(n.Subnet().VPC())
}

// takes reports whether flows with that action are logged.
func (l *FlowLog) takes(a Action) bool {
	return l.config.Traffic == All || string(l.config.Traffic) == string(a)
}
