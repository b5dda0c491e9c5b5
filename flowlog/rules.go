package flowlog

import (
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// regionOf returns the region of what can be logged.
func regionOf(on vpc.Resource) (*vpc.Region, error) {
	switch x := on.(type) {
	case *vpc.VPC:
		if x != nil {
			return x.Region(), nil
		}
	case *vpc.Subnet:
		if x != nil {
			return x.Region(), nil
		}
	case *vpc.NetworkInterface:
		if x != nil {
			return x.Region(), nil
		}
	case nil:
	default:
		return nil, vpc.Refuse("InvalidParameter", "Invalid resource type for flow logs: %s", on.ID())
	}
	return nil, vpc.Refuse("MissingParameter", "The request must contain the parameter resourceIds")
}

// check holds a flow log to AWS's rules and returns its format.
func check(tx *vpc.Tx, on vpc.Resource, c Config) (Format, error) {
	if err := tx.Needs("resourceIds", on); err != nil {
		return nil, err
	}
	if c.Traffic != All && c.Traffic != Accept && c.Traffic != Reject {
		return nil, vpc.Refuse("InvalidParameter", "Invalid traffic type: %s. Valid values are ACCEPT, REJECT, ALL", string(c.Traffic))
	}
	if c.Interval != time.Minute && c.Interval != 10*time.Minute {
		return nil, vpc.Refuse("InvalidParameter", "Invalid Flow Log Max Aggregation Interval.")
	}
	if c.Capacity < 0 || len(c.InstanceTags) > 2 || len(c.InterfaceTags) > 2 {
		return nil, vpc.Refuse("InvalidParameter", "Invalid flow log: expected a capacity of 0 or more and two tag keys of a kind at most")
	}
	format, err := ParseFormat(c.Format)
	if err != nil {
		return nil, err
	}
	logs := slices.DeleteFunc(vpc.Watchers[*FlowLog](tx), func(l *FlowLog) bool { return l.on != on })
	if slices.ContainsFunc(logs, func(l *FlowLog) bool { return l.like(c) }) {
		return nil, vpc.Refuse("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
	}
	return format, tx.Within(vpc.QuotaFlowLogs, len(logs), on.ID())
}

// like reports whether the log is as one that c describes would be.
func (l *FlowLog) like(c Config) bool {
	return l.config.Destination == c.Destination && l.config.Traffic == c.Traffic && l.config.Format == c.Format && l.config.Interval == c.Interval
}
