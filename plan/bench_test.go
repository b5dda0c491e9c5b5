package plan

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkTargetsOfAPlan is a plan of new target groups with a target each: its time a
// group is that of few where no resource looks through all others.
func BenchmarkTargetsOfAPlan(b *testing.B) {
	for _, n := range []int{500, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, err := Read(manyTargets(b, n))
			require.NoError(b, err)
			for b.Loop() {
				require.NotEmpty(b, p.After().Regions)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/group")
		})
	}
}

func manyTargets(t testing.TB, n int) []byte {
	type object = map[string]any
	var planned, changes, config []object
	add := func(kind, name, attr, of string) {
		at := kind + "." + name
		planned = append(planned, object{"address": at, "values": object{"name": name, "port": 80, "protocol": "TCP", "target_type": "ip", "target_id": "10.0.0.9"}})
		changes = append(changes, object{"address": at, "change": object{"actions": []string{"create"}, "after_unknown": object{"id": true, "arn": true, attr: true}}})
		config = append(config, object{"address": at, "expressions": object{attr: object{"references": []string{of}}}})
	}
	for i := range n {
		name := fmt.Sprint("t", i)
		add("aws_lb_target_group", name, "vpc_id", "aws_vpc.v.id")
		add("aws_lb_target_group_attachment", name, "target_group_arn", "aws_lb_target_group."+name+".arn")
	}
	text, err := json.Marshal(object{
		"format_version": "1.2", "planned_values": object{"root_module": object{"resources": planned}}, "resource_changes": changes,
		"configuration": object{"root_module": object{"resources": config}},
	})
	require.NoError(t, err)
	return text
}
