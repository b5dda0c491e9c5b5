package flowlog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// Records returns the records of the windows that have ended in the given life of the
// region, in the order in which they did; AWS takes some minutes more to deliver them.
// An interface has none before its first packet (VPC guide, "Flow log limitations").
func (l *FlowLog) Records(life *vpc.Live) []Record {
	b := vpc.StateOf(life, l.ID(), book)
	if b == nil {
		return nil
	}
	for _, m := range b.meters {
		if m.index >= 0 {
			m.advance(life.Now())
		}
	}
	slices.SortStableFunc(b.records, func(x, y Record) int {
		if d := cmp.Compare(x.ended, y.ended); d != 0 {
			return d
		}
		return cmp.Compare(x.rank(), y.rank())
	})
	return slices.Clone(b.records)
}

// rank puts records without data behind those with some.
func (r *Record) rank() int64 {
	if r.Status != OK {
		return 1 << 62
	}
	return r.Start.UnixNano()
}

// Text returns the records as lines of the log's format.
func (l *FlowLog) Text(life *vpc.Live) string {
	var s strings.Builder
	for _, r := range l.Records(life) {
		s.WriteString(l.format.Line(r))
		s.WriteByte('\n')
	}
	return s.String()
}
