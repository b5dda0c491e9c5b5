package flowlog

import (
	"cmp"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a flow log as described. One of a resource that is not there, such as
// a transit gateway's, or whose format has a field that is not known, is an error. See
// the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.FlowLog) (*FlowLog, error) {
	b, err := tx.RestoreBase("FlowLogId", s.FlowLogId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	on := tx.Find(ec2.Value(s.ResourceId))
	switch on.(type) {
	case *vpc.VPC, *vpc.Subnet, *vpc.NetworkInterface:
	default:
		return nil, vpc.Absent("ResourceId", ec2.Value(s.ResourceId))
	}
	c := Config{
		Traffic: TrafficType(ec2.Value(s.TrafficType)), Format: ec2.Value(s.LogFormat), Interval: time.Duration(ec2.Value(s.MaxAggregationInterval)) * time.Second,
		Destination: cmp.Or(ec2.Value(s.LogDestination), ec2.Value(s.LogGroupName), b.ID()),
	}.orDefault()
	format, err := check(tx, on, c)
	if err != nil {
		return nil, err
	}
	l := &FlowLog{Base: b, on: on, config: c, format: format, created: tx.RestoreTime(s.CreationTime)}
	tx.Add(l)
	return l, nil
}
