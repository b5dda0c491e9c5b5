package flowlog

import (
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's flow logs (DescribeFlowLogs), in the order in which they
// were made.
func Describe(r *vpc.Region) *ec2.DescribeFlowLogsResult {
	list := []ec2.FlowLog{}
	r.View(func(tx *vpc.Tx) {
		for _, l := range vpc.Watchers[*FlowLog](tx) {
			list = append(list, l.shape(tx))
		}
	})
	return &ec2.DescribeFlowLogsResult{FlowLogs: list}
}

func (l *FlowLog) shape(tx *vpc.Tx) ec2.FlowLog {
	s := ec2.FlowLog{
		CreationTime: new(ec2.TimestampOf(l.created)), DeliverLogsStatus: new("SUCCESS"), FlowLogId: new(l.ID()), FlowLogStatus: new("ACTIVE"),
		ResourceId: new(l.on.ID()), TrafficType: new(ec2.TrafficType(l.config.Traffic)), LogFormat: new(l.format.String()),
		MaxAggregationInterval: new(int32(l.config.Interval / time.Second)), Tags: tx.TagShapes(l),
	}
	switch d := l.config.Destination; {
	case strings.HasPrefix(d, "arn:aws:s3:"):
		s.LogDestinationType, s.LogDestination = new(ec2.LogDestinationTypeS3), new(d)
	case strings.HasPrefix(d, "arn:aws:firehose:"):
		s.LogDestinationType, s.LogDestination = new(ec2.LogDestinationTypeKinesisDataFirehose), new(d)
	default:
		s.LogDestinationType, s.LogGroupName = new(ec2.LogDestinationTypeCloudWatchLogs), new(d)
	}
	return s
}
